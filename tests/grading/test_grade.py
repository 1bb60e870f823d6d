"""A class is graded whole: honest work gets its points, damage stops nobody, silence earns nothing."""

from __future__ import annotations

import copy
import json

from effkit.grading import grade

LESSON = "90_tiny"


def cell_of(nb, role, name):
    return next(c for c in nb.cells if (c.metadata.get("effkit", {}).get("role"), c.metadata["effkit"].get("name"))
                == (role, name))


def test_one_run_grades_honest_damaged_and_hostile_work_as_it_deserves(classroom, right):
    noisy = "import sys, warnings\nwarnings.warn('hm')\nprint('x', file=sys.stderr)\n" + right["double"]
    classroom.hand_in("honest", classroom.notebook(**{**right, "double": noisy}))
    classroom.hand_in("untouched", classroom.notebook())
    classroom.hand_in("notjson", "{oops")
    classroom.hand_in("foreign", json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "hello"}]}))
    mangled = classroom.notebook(**right)
    mangled.cells.insert(1, copy.deepcopy(cell_of(mangled, "test", "double")))
    mangled.cells = [c for c in mangled.cells if c.metadata.get("effkit", {}).get("role") != "setup"]
    mangled.cells.remove(cell_of(mangled, "test", "total"))
    classroom.hand_in("mangled", mangled)
    gone = classroom.notebook(**right)
    gone.cells.remove(cell_of(gone, "exercise", "double"))
    classroom.hand_in("gone", gone)
    tagged = classroom.notebook(double=right["double"])
    for cell in tagged.cells:
        cell.metadata["tags"] = ["skip-execution"]
    classroom.hand_in("tagged", tagged)
    blank = right["double"] + "\nget_ipython().input_transformers_cleanup.append(lambda lines: [])"
    classroom.hand_in("blanked", classroom.notebook(**{**right, "double": blank}))
    classroom.hand_in("dead", classroom.notebook(**{**right, "total": "import os; os._exit(1)"}))
    before = {p: p.read_bytes() for p in (classroom.root / "submitted").rglob("*.ipynb")}

    found = {o.student: o for o in grade(classroom.root, "90", jobs=2)}

    assert {name: o.score for name, o in found.items()} == {
        "honest": 5, "untouched": 0, "notjson": None, "foreign": None, "mangled": 5, "gone": 3, "tagged": 2,
        "blanked": 0, "dead": 2}
    assert {name: o.status for name, o in found.items() if o.status != "graded"} == {
        "notjson": "not graded", "foreign": "not graded", "mangled": "repaired", "gone": "repaired"}
    assert "submitted/notjson/90_tiny/90_tiny.ipynb is not JSON" in found["notjson"].reason
    assert "effkit start 90" in found["foreign"].reason
    assert "exercise double is missing" in found["gone"].reason
    assert "gave no score" in found["blanked"].reason
    assert before == {p: p.read_bytes() for p in (classroom.root / "submitted").rglob("*.ipynb")}
    _gradebook_agrees(classroom, found)
    kept = json.loads((classroom.root / "results" / f"{LESSON}.json").read_text())
    assert {o["student"] for o in kept["outcomes"]} == set(found)


def _gradebook_agrees(classroom, found):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{classroom.root / 'gradebook.db'}") as gradebook:
        for student, outcome in found.items():
            notebook = gradebook.find_submission_notebook(LESSON, LESSON, student)
            assert notebook.code_score == (outcome.score or 0)


def test_an_unknown_lesson_names_those_that_are_there(classroom):
    try:
        grade(classroom.root, "17")
    except LookupError as error:
        assert "90_tiny" in str(error)
    else:
        raise AssertionError("grading an unknown lesson must fail")
