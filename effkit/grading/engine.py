"""nbgrader's converters, warm in this process: release an assignment, autograde one student, read and write scores."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader
from traitlets.log import get_logger

from effkit.grading import cells
from effkit.grading.preprocessors import REFUSED
from effkit.grading.settings import protect

CONFIG_NAME = "nbgrader_config.py"


class EngineError(Exception):
    """nbgrader could not do what was asked; the message is the last thing its log says."""


class Course:
    """An nbgrader course directory, opened with its own configuration and effkit's preprocessors.

    Raises LookupError when `root` holds no nbgrader course.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root).resolve()
        if not (self.root / CONFIG_NAME).is_file():
            raise LookupError(f"{root} is not a course directory ({CONFIG_NAME} is missing); make one: "
                              f"effkit course new {root}")
        self.config: Config = PyFileConfigLoader(CONFIG_NAME, path=str(self.root)).load_config()
        self.config.CourseDirectory.root = str(self.root)
        protect(self.config)
        self.coursedir = CourseDirectory(config=self.config)
        _find_alembic()

    def lessons(self) -> list[str]:
        """Ids of the lessons under source/ that hold a notebook of their own name."""
        return sorted(p.stem for p in self.folder("source", ".", "*") if p.stem == p.parent.name)

    def folder(self, step: str, student: str, lesson: str) -> list[Path]:
        """The notebooks of one nbgrader step; `student` and `lesson` may be "*"."""
        pattern = self.coursedir.format_path(self._step(step), student, lesson)
        return sorted(self.root.glob(str(Path(pattern).relative_to(self.root) / "*.ipynb")))

    def path(self, step: str, student: str, lesson: str) -> Path:
        """The folder of one student and lesson in one nbgrader step (source, release, submitted, autograded)."""
        return Path(self.coursedir.format_path(self._step(step), student, lesson))

    def students(self, lesson: str) -> list[str]:
        """Everyone who has a folder for `lesson` under submitted/, in order."""
        submitted = Path(self.coursedir.root) / self.coursedir.submitted_directory
        if not submitted.is_dir():
            return []
        names = sorted(p.name for p in submitted.iterdir() if self.path("submitted", p.name, lesson).is_dir())
        odd = [name for name in names if set(name) & set("*?[]+")]
        if odd:  # nbgrader looks submissions up by pattern; such a name could mean another student's folder
            raise LookupError(f"submitted/{odd[0]}: a student's folder cannot hold any of * ? [ ] +; rename it")
        return names

    def master(self, lesson: str) -> NotebookNode:
        """The course's source notebook of `lesson`."""
        return nbformat.read(self.path("source", ".", lesson) / f"{lesson}.ipynb", as_version=4)

    def release(self, lesson: str) -> Path:
        """Generate the student version of `lesson` and enter it into the gradebook; returns its folder."""
        self._convert(GenerateAssignment, lesson, ".")
        return self.path("release", ".", lesson)

    def autograde(self, lesson: str, student: str) -> None:
        """nbgrader's autograding of one submission. Raises EngineError when nbgrader gives up on it."""
        self._convert(Autograde, lesson, student)

    def score(self, lesson: str, student: str) -> tuple[float, float]:
        """(points, most points) over the automatically graded cells, from the gradebook."""
        with self.gradebook() as gradebook:
            notebook = gradebook.find_submission_notebook(lesson, lesson, student)
            return float(notebook.code_score), float(notebook.max_code_score)

    def max_score(self, lesson: str) -> float:
        """The most points that the automatically graded cells of `lesson` give."""
        return sum(cells.points(cell) for cell in self.master(lesson).cells if cells.is_autograded(cell))

    def refusals(self, lesson: str, student: str) -> list[str]:
        """The reasons that `FailClosed` wrote into the student's autograded notebook."""
        nb = nbformat.read(self.path("autograded", student, lesson) / f"{lesson}.ipynb", as_version=4)
        return [
            f"{cells.describe(cell)}: {output.evalue}"
            for cell in nb.cells
            if cells.is_autograded(cell)
            for output in cell.outputs
            if output.output_type == "error" and output.ename == REFUSED
        ]

    def record_not_graded(self, lesson: str, student: str, reason: str) -> None:
        """Give the student a row in the gradebook with the reason as the comment on every exercise.

        Points are 0 where there were none; a score that an earlier hand-in earned stays.
        """
        with _quiet_warnings(), self.gradebook() as gradebook:
            gradebook.update_or_create_student(student)
            submission = gradebook.update_or_create_submission(lesson, student)
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    if grade.auto_score is None:
                        grade.auto_score, grade.needs_manual_grade = 0, False
                for comment in notebook.comments:
                    comment.auto_comment = f"Not graded: {reason}"
            gradebook.db.commit()

    def gradebook(self) -> Gradebook:
        """The course's gradebook; use it in a `with`."""
        return Gradebook(self.coursedir.db_url, self.coursedir.course_id)

    def _step(self, name: str) -> str:
        return getattr(self.coursedir, f"{name}_directory")

    def _convert(self, converter: Any, lesson: str, student: str) -> None:
        self.coursedir.assignment_id, self.coursedir.student_id = lesson, student
        with _captured_log() as lines, _quiet_warnings():
            app = converter(coursedir=self.coursedir, config=self.config)
            app.force = True
            try:
                app.start()
            except (NbGraderException, SystemExit) as error:
                raise EngineError(_last_reason(lines) or str(error)) from error


def _find_alembic() -> None:
    """nbgrader starts the program `alembic` for a new gradebook: look for it beside this Python too."""
    beside, known = str(Path(sys.executable).parent), os.environ.get("PATH", "")
    if beside not in known.split(os.pathsep):
        os.environ["PATH"] = beside + os.pathsep + known


class _Lines(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def _captured_log() -> Iterator[list[str]]:
    """nbgrader's warnings as a list instead of on the terminal."""
    log, lines = get_logger(), []
    handler, before = _Lines(lines), (log.propagate, list(log.handlers))
    log.propagate, log.handlers = False, [handler]
    try:
        yield lines
    finally:
        log.propagate, log.handlers = before


@contextmanager
def _quiet_warnings() -> Iterator[None]:
    """Without the warnings that nbgrader's own code and damaged notebooks cause in SQLAlchemy and nbformat."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=SAWarning)
        warnings.filterwarnings("ignore", module="nbformat")
        yield


def _last_reason(lines: list[str]) -> str:
    """The last line of the last traceback in the log, which names what went wrong."""
    for message in reversed(lines):
        if "Traceback" in message:
            return message.strip().splitlines()[-1]
    return ""
