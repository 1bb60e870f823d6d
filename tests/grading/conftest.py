"""A course of the tiny lesson, made once; each test hands in copies of its own."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbgrader", reason="grading needs effkit[instructor]")

FIXTURES = Path(__file__).parent / "fixtures"
LESSON = "90_tiny"
RIGHT = {"double": "def double(x):\n    return 2 * x", "total": "def total(x):\n    return float(x.sum())"}


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """A released course without hand-ins; never changed by tests."""
    from effkit.grading import new_course

    return new_course(tmp_path_factory.mktemp("released") / "course", source=FIXTURES).path


class Class:
    """A course to hand in to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.release = nbformat.read(root / "release" / LESSON / f"{LESSON}.ipynb", as_version=4)

    def notebook(self, **answers: str):
        """A copy of the release with these exercise cells."""
        nb = copy.deepcopy(self.release)
        for cell in nb.cells:
            own = cell.metadata.get("effkit", {})
            if own.get("role") == "exercise" and own.get("name") in answers:
                cell.source = answers[own["name"]]
        return nb

    def hand_in(self, student: str, notebook) -> Path:
        """Write a notebook, or raw text, under submitted/."""
        path = self.root / "submitted" / student / LESSON / f"{LESSON}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(notebook if isinstance(notebook, str) else nbformat.writes(notebook), encoding="utf-8")
        return path


@pytest.fixture
def classroom(released, tmp_path):
    """A fresh copy of the released course."""
    shutil.copytree(released, tmp_path / "course")
    return Class(tmp_path / "course")


@pytest.fixture
def right():
    """The right answers of the tiny lesson."""
    return dict(RIGHT)
