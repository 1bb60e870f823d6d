"""Gate 9: nbgrader on its own gives honest students the scores that effkit gives."""

from __future__ import annotations

import shutil

from effkit import course
from effkit.grading import grade

from .conftest import FIXTURES, LESSON
from .plain import plain_scores


def test_plain_nbgrader_gives_honest_students_the_same_scores(classroom, right, tmp_path):
    bank = course.bank(FIXTURES, LESSON, "wrong")
    classes = {"solution": (right, 5.0), "untouched": ({}, 0.0)}
    for k in range(2):
        chosen = [[a for a in bank if a.exercise == name][k] for name in right]
        classes[f"wrong{k}"] = ({a.exercise: a.source for a in chosen}, float(sum(a.score for a in chosen)))
    for student, (answers, _) in classes.items():
        classroom.hand_in(student, classroom.notebook(**answers))
    plain = tmp_path / "plain"
    shutil.copytree(classroom.root, plain)
    ours = {o.student: o.score for o in grade(classroom.root, LESSON)}
    expected = {student: score for student, (_, score) in classes.items()}
    assert ours == expected
    assert plain_scores(plain, LESSON, list(classes)) == expected
