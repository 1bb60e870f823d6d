"""The demo class of every real lesson: expected scores, and the same from nbgrader with nothing but its defaults."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

from effkit import course
from effkit.grading import demo

from .plain import plain_scores

ROOT = Path(__file__).resolve().parents[2]
LESSONS = [lesson.id for lesson in course.lessons(ROOT)]
HONEST = ["ada", "ben", "chen", "dina", "emil", "fatou", "goro", "hana"]


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The demo class of all lessons, graded by effkit."""
    return demo(directory=tmp_path_factory.mktemp("demo") / "course", source=ROOT, jobs=1)


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_score_of_the_demo_class_is_the_one_that_the_bank_states(graded, lesson):
    rows = [row for row in graded.rows if row.lesson == lesson]
    assert len(rows) == 12
    assert {row.student: (row.expected, row.actual) for row in rows if not row.ok} == {}


@pytest.mark.parametrize("lesson", LESSONS)
def test_plain_nbgrader_gives_the_honest_half_of_the_class_the_same_scores(graded, lesson, tmp_path):
    plain = tmp_path / "plain"
    shutil.copytree(graded.path, plain)
    for student in HONEST:
        _skip_experiments(plain / "submitted" / student / lesson / f"{lesson}.ipynb")
    ours = {row.student: row.actual for row in graded.rows if row.lesson == lesson and row.student in HONEST}
    assert plain_scores(plain, lesson, HONEST) == pytest.approx(ours, abs=5e-6)


def _skip_experiments(path: Path) -> None:
    """Plain nbgrader would run the experiments too, for minutes; what they do is not graded."""
    nb = nbformat.read(path, as_version=4)
    for cell in nb.cells:
        if cell.metadata.get("effkit", {}).get("role") in ("experiment", "predict"):
            cell.metadata["tags"] = ["skip-execution"]
    nbformat.write(nb, path)
