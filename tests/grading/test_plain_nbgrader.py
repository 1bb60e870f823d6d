"""Gate 9: nbgrader on its own gives honest students the scores that effkit gives."""

from __future__ import annotations

import shutil

from effkit import course
from effkit.grading import grade

from .conftest import FIXTURES, LESSON


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
    assert _plain_scores(plain, list(classes)) == expected


def _plain_scores(root, students):
    """Scores by nbgrader's API with nothing but its own defaults."""
    from nbgrader.api import Gradebook
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root, config.CourseDirectory.course_id = str(root), "effkit"
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    for student in students:
        result = api.autograde(LESSON, student)
        assert result["success"], result.get("error")
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        return {s: gradebook.find_submission_notebook(LESSON, LESSON, s).code_score for s in students}
