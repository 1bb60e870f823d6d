# Two commands: `make demo` grades a demo class end to end, `make test` runs the whole suite. Both make .venv once.

PYTHON ?= python3
LESSONS ?= 02,03
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lab build check clean

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,peers]'
	touch $(READY)

demo: $(READY)
	rm -rf build/demo
	$(BIN)/effkit demo --lessons $(LESSONS) --dir build/demo

test: $(READY) build-is-current
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

.PHONY: build-is-current
build-is-current: $(READY)
	$(BIN)/effkit build --check

lab: $(READY)
	$(BIN)/jupyter lab notebooks

build: $(READY)
	$(BIN)/effkit build

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/effkit lint --static

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis
