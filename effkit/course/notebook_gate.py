"""The gate that runs a whole lesson, experiments included, as a student's finished notebook: in a kernel, offline."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from effkit.course.notebook import master_notebook
from effkit.course.source import Lesson
from effkit.course.strip import HIDDEN, SOLUTION, without

LINES = 60
NOWHERE = "http://127.0.0.1:9"
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "http_proxy": NOWHERE, "https_proxy": NOWHERE,
           "HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "no_proxy": "", "NO_PROXY": ""}


def gate_notebook(lesson: Lesson, root: Path) -> list[str]:
    """The finished notebook runs from top to bottom offline, with the setup run twice, within its budget of seconds.

    Full marks, no error, nothing on stderr in a test, and no cell that prints more than 60 lines.
    """
    budget = lesson.facts.get("budget_seconds", 20)
    notebook, seconds = execute(finished_notebook(lesson), root)
    problems = [f"{lesson.id}: {cell.metadata.effkit.role} {cell.metadata.effkit.get('name', '')!r} {problem}"
                for cell in notebook.cells if cell.cell_type == "code" for problem in _output_problems(cell)]
    if seconds > budget:
        problems.append(f"{lesson.id}: the finished notebook takes {seconds:.0f} s, its budget is {budget} s; make the "
                        "experiments smaller")
    return problems


def finished_notebook(lesson: Lesson) -> Any:
    """The notebook with every solution and hidden test in place, and the setup cell twice."""
    notebook = master_notebook(lesson, "https://example.org/effkit")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = without(without(cell.source, SOLUTION), HIDDEN)
    place = next(n for n, cell in enumerate(notebook.cells) if cell.metadata.effkit.role == "setup")
    again = notebook.cells[place].copy()
    again["id"] = f"{again['id']}-again"
    notebook.cells.insert(place + 1, again)
    return notebook


def execute(notebook: Any, root: Path, timeout: int = 120) -> tuple[Any, float]:
    """Run a notebook in a kernel of its own without network and with a fresh state folder; it and the seconds it took.

    On a busy machine the kernel's processor time counts, not the longer time on the clock. Errors stand in the outputs.
    """
    from nbclient import NotebookClient

    with tempfile.TemporaryDirectory() as scratch, _environment({**OFFLINE, "EFFKIT_STATE": scratch}):
        client = NotebookClient(notebook, timeout=timeout, allow_errors=True, skip_cells_with_tag="",
                                resources={"metadata": {"path": str(root)}})
        with client.setup_kernel():
            begin, used = time.perf_counter(), _children_seconds()
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
            clock = time.perf_counter() - begin
    return notebook, min(clock, _children_seconds() - used) if used is not None else clock


def _children_seconds() -> float | None:
    """Processor time of the processes that this one has started and seen end; None where it cannot be known."""
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _output_problems(cell: Any) -> Iterator[str]:
    is_test = cell.metadata.effkit.role == "test"
    values = []
    for output in cell.outputs:
        if output.output_type == "error":
            yield f"raises {output.ename}: {output.evalue}"
        elif output.output_type == "stream":
            if is_test and output.name == "stderr":
                yield f"writes to stderr: {output.text[:120]!r}"
            if output.text.count("\n") > LINES:
                yield f"prints {output.text.count(chr(10))} lines; {LINES} is the limit"
        elif output.output_type == "execute_result":
            values.append(output.data.get("text/plain", ""))
    if is_test and [_number(value) for value in values] != [float(cell.metadata.nbgrader.points)]:
        yield f"shows {values}; full marks are {cell.metadata.nbgrader.points}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
