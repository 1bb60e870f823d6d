"""nbgrader without effkit: what its own defaults make of the same submissions."""

from __future__ import annotations

from pathlib import Path


def plain_scores(root: Path, lesson: str, students: list[str]) -> dict[str, float]:
    """Scores by nbgrader's API with nothing but its own defaults."""
    from nbgrader.api import Gradebook
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root, config.CourseDirectory.course_id = str(root), "effkit"
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    for student in students:
        result = api.autograde(lesson, student)
        assert result["success"], result.get("error")
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        return {s: gradebook.find_submission_notebook(lesson, lesson, s).code_score for s in students}
