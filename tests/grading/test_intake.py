"""What a handed-in file may be: every odd one gets a sentence, none an exception."""

from __future__ import annotations

import copy
import json

import nbformat
import pytest

from effkit.grading.intake import examine

from .conftest import LESSON


@pytest.fixture
def examined(released, tmp_path):
    """Examines a file of these bytes as a hand-in of the tiny lesson."""
    master = nbformat.read(released / "source" / LESSON / f"{LESSON}.ipynb", as_version=4)

    def look(content: bytes):
        (tmp_path / f"{LESSON}.ipynb").write_bytes(content)
        return examine(tmp_path, LESSON, master, "submitted/ada")

    return look


@pytest.fixture
def raw(released):
    """The released notebook as plain data."""
    return json.loads((released / "release" / LESSON / f"{LESSON}.ipynb").read_text(encoding="utf-8"))


def test_the_release_itself_is_accepted(examined, raw):
    found = examined(json.dumps(raw).encode())
    assert found.problem == "" and found.notes == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"[" * 100_000, b"\xff\xfe{}\x00"])
def test_what_is_no_notebook_gets_a_sentence(examined, content):
    assert "submitted/ada" in examined(content).problem and "effkit start 90" in examined(content).problem


def test_other_encodings_get_a_sentence(examined, raw):
    for encoding in ("utf-8-sig", "utf-16"):
        assert "plain UTF-8" in examined(json.dumps(raw).encode(encoding)).problem


@pytest.mark.parametrize("change, said", [
    ({"nbformat": 3, "cells": None}, "format 3 where 4 is expected"),
    ({"nbformat_minor": "x"}, "no readable metadata"), ({"nbformat_minor": None}, "no readable metadata"),
    ({"metadata": None}, "no readable metadata"), ({"cells": {}}, "no list of cells"), ({"cells": []}, "no cells"),
])
def test_a_damaged_frame_gets_a_sentence(examined, raw, change, said):
    assert said in examined(json.dumps(raw | change).encode()).problem


@pytest.mark.parametrize("change", [
    {"id": [1]}, {"source": None}, {"source": 3}, {"source": [1]}, {"metadata": None}, {"metadata": {"tags": [["a"]]}},
    {"metadata": {"nbgrader": 3}}, {"metadata": {"effkit": "x"}}, {"outputs": None}, {"cell_type": "heading"},
])
def test_a_damaged_cell_gets_a_sentence(examined, raw, change):
    damaged = copy.deepcopy(raw)
    place = next(i for i, cell in enumerate(damaged["cells"]) if cell["cell_type"] == "code")
    damaged["cells"][place].update(change)
    assert f"no readable cell number {place + 1}" in examined(json.dumps(damaged).encode()).problem
