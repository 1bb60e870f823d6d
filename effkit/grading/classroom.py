"""A demo class: twelve submissions for each lesson whose scores are known beforehand, graded by the real pipeline.

Expected scores come from what is written down: points in the lesson's headers, `score=` in the wrong-answer bank.
"""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from effkit.grading import cells
from effkit.grading.coursedir import find_root, new_course, select
from effkit.grading.outcome import Outcome

BLANKER = "\nget_ipython().input_transformers_cleanup.append(lambda lines: [])\n"


@dataclass(frozen=True)
class DemoRow:
    """One submission of the demo class; `expected` and `actual` are points, or None for "not graded"."""

    lesson: str
    student: str
    what: str
    expected: float | None
    actual: float | None
    max_score: float
    reason: str

    @property
    def ok(self) -> bool:
        """True when both scores agree or both are "not graded".

        Written scores have 6 digits for each exercise, so sums may differ by a few millionths.
        """
        if self.expected is None or self.actual is None:
            return self.expected is self.actual
        return abs(self.expected - self.actual) < 5e-6


@dataclass(frozen=True)
class Demo:
    """The rows of the demo class and the course directory that holds its gradebook.db."""

    path: Path
    rows: tuple[DemoRow, ...]


@dataclass(frozen=True)
class _Pupil:
    student: str
    what: str
    expected: float | None
    text: str


class _Desk:
    """What the submissions of one lesson are made from: release and master notebooks, points, answer banks."""

    def __init__(self, lesson: Any, release: Any, master: Any, wrong: tuple, right: tuple) -> None:
        self.release, self.points = release, dict(lesson.points)
        sources = {cells.role(cell): cell["source"] for cell in master.cells}
        self.solution = {name: _without_markers(sources["exercise", name]) for name in self.points}
        self.wrong = {name: [a for a in wrong if a.exercise == name] for name in self.points}
        right = tuple(answer for answer in right if answer.source.strip())
        self.right = {**self.solution, **{a.exercise: a.source for a in reversed(right)}}

    @property
    def names(self) -> list[str]:
        """The exercises in order."""
        return list(self.points)

    @property
    def full(self) -> float:
        """All automatically graded points."""
        return sum(self.points.values())

    def fill(self, answers: dict[str, str]) -> Any:
        """A copy of the release with these exercise cells filled in."""
        nb = copy.deepcopy(self.release)
        for cell in nb.cells:
            kind, name = cells.role(cell)
            if kind == "exercise" and name in answers:
                cell["source"] = answers[name]
        return nb

    def wrong_mix(self, k: int, only: list[str] | None = None) -> tuple[dict[str, str], float]:
        """The k-th wrong answer of every exercise (or of `only`; the rest solved), and the points the bank states.

        The bank states what an answer earns when the others are right. So each cell after a wrong one begins with the
        right version of that exercise, as a student would write who notices the slip when going on.
        """
        answers, expected, mended = dict(self.solution), 0.0, ""
        for name in self.names:
            bank = self.wrong[name] if only is None or name in only else []
            own = bank[k % len(bank)].source if bank else self.solution[name]
            answers[name] = mended + own
            expected += float(bank[k % len(bank)].score) if bank else self.points[name]
            mended = self.solution[name] + "\n\n\n" if bank else ""
        return answers, round(expected, 6)


def demo(
    lessons: list[str] | None = None,
    directory: Path | str | None = None,
    source: Path | str | None = None,
    jobs: int | None = None,
    progress: Callable[[str, int, int, Outcome], None] | None = None,
) -> Demo:
    """Make a course of the lessons in `directory` (default: a new temporary one), hand in, grade, compare.

    `progress` is called as (lesson, done, all, outcome). Raises LookupError and FileExistsError as `new_course` does.
    """
    from effkit import course
    from effkit.grading.engine import Course
    from effkit.grading.run import grade

    root = find_root(Path(source) if source else None)
    path = Path(directory) if directory else Path(tempfile.mkdtemp(prefix="effkit-demo-"))
    made = new_course(path, lessons, root)
    chosen, rows = select(list(course.lessons(root)), list(made.lessons)), []
    for lesson in chosen:
        pupils = hand_in(Course(made.path), lesson, root)
        step = (lambda done, total, one, name=lesson.id: progress(name, done, total, one)) if progress else None
        outcomes = {o.student: o for o in grade(made.path, lesson.id, jobs or os.cpu_count() or 1, step)}
        rows += [_row(lesson.id, pupil, outcomes[pupil.student]) for pupil in pupils]
    return Demo(made.path, tuple(rows))


def hand_in(made: Any, lesson: Any, root: Path) -> list[_Pupil]:
    """Write the class's notebooks of `lesson` under submitted/ of the course `made`, and return the class."""
    import nbformat

    from effkit import course

    release = nbformat.read(made.path("release", ".", lesson.id) / f"{lesson.id}.ipynb", as_version=4)
    banks = (course.bank(root, lesson.id, kind) for kind in ("wrong", "right"))
    pupils = list(_class(_Desk(lesson, release, made.master(lesson.id), *banks)))
    for pupil in pupils:
        folder = made.path("submitted", pupil.student, lesson.id)
        folder.mkdir(parents=True)
        (folder / f"{lesson.id}.ipynb").write_text(pupil.text, encoding="utf-8")
    return pupils


def _row(lesson: str, pupil: _Pupil, outcome: Outcome) -> DemoRow:
    return DemoRow(lesson, pupil.student, pupil.what, pupil.expected, outcome.score, outcome.max_score, outcome.reason)


def _class(desk: _Desk) -> Iterator[_Pupil]:
    import nbformat

    text, solved = nbformat.writes, desk.solution
    yield _Pupil("ada", "the solution", desk.full, text(desk.fill(solved)))
    yield _Pupil("ben", "untouched", 0.0, text(desk.fill({})))
    yield _Pupil("chen", "other right answers", desk.full, text(desk.fill(desk.right)))
    for k, student in enumerate(("dina", "emil", "fatou", "goro")):
        answers, expected = desk.wrong_mix(k)
        yield _Pupil(student, f"wrong answer {k + 1} of every exercise", expected, text(desk.fill(answers)))
    answers, expected = desk.wrong_mix(1, desk.names[1:])
    yield _Pupil("hana", "first exercise solved, the others wrong", expected, text(desk.fill(answers)))
    last = desk.names[-1]
    yield _Pupil("ivan", "mangled: tests copied and deleted, an exercise gone", desk.full - desk.points[last],
                 text(_mangled(desk, last)))
    answers, expected = desk.wrong_mix(0)
    yield _Pupil("jun", "wrong answers, tests tagged skip-execution", expected, text(_tagged(desk, answers)))
    first = desk.names[0]
    blanked = {**solved, first: solved[first] + BLANKER}
    yield _Pupil("kira", "blanks every later cell with a transformer", 0.0, text(desk.fill(blanked)))
    yield _Pupil("lars", "a file that is not JSON", None, text(desk.fill(solved))[:-100])


def _without_markers(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if not line.strip().startswith("### "))


def _mangled(desk: _Desk, last: str) -> Any:
    """The solution without the last exercise's cell and without the first test, the last test standing twice."""
    nb = desk.fill(desk.solution)
    copied = next(copy.deepcopy(cell) for cell in nb.cells if cells.role(cell) == ("test", last))
    copied["id"] = "copied-test"
    gone = {("exercise", last)} | ({("test", desk.names[0])} if len(desk.names) > 1 else set())
    nb.cells = [copied] + [cell for cell in nb.cells if cells.role(cell) not in gone]
    return nb


def _tagged(desk: _Desk, answers: dict[str, str]) -> Any:
    nb = desk.fill(answers)
    for cell in nb.cells:
        if cells.role(cell)[0] == "test":
            cell["metadata"]["tags"] = [cells.SKIP_TAG]
    return nb
