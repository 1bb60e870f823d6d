"""The demo class gets the scores that are written in the bank, and a difference does not pass unseen."""

from __future__ import annotations

from effkit import course
from effkit.grading import DemoRow, demo

from .conftest import FIXTURES


def test_the_demo_class_of_the_tiny_lesson_gets_its_written_scores(tmp_path):
    shown = demo(source=FIXTURES, directory=tmp_path / "demo", jobs=2)
    assert len(shown.rows) == 12
    assert [row for row in shown.rows if not row.ok] == []
    bank = {(a.exercise, a.name): a.score for a in course.bank(FIXTURES, "90_tiny", "wrong")}
    emil = next(row for row in shown.rows if row.student == "emil")
    assert emil.expected == bank["double", "squares twice the root"] + bank["total", "drops the sign"]
    assert (shown.path / "gradebook.db").is_file()


def test_a_row_is_ok_only_when_both_scores_agree():
    def row(expected, actual):
        return DemoRow("90_tiny", "ada", "the solution", expected, actual, 5.0, "")

    assert row(2.0, 2.0).ok and row(None, None).ok
    assert not row(2.0, 3.0).ok and not row(None, 0.0).ok and not row(0.0, None).ok
