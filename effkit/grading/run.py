"""Grade a class: one submission at a time through nbgrader's autograding, so that one failure stops nobody."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from pathlib import Path

from effkit.grading.engine import Course
from effkit.grading.intake import examine, mend
from effkit.grading.outcome import GRADED, NOT_GRADED, REPAIRED, Outcome, save

Progress = Callable[[int, int, Outcome], None]


def grade(directory: Path | str, lesson: str, jobs: int = 1, progress: Progress | None = None) -> list[Outcome]:
    """Grade every submission of `lesson` in the course `directory` into its gradebook.db.

    Returns one Outcome a student, in order of their names, and keeps them in results/<lesson>.json. `progress` is
    called as (done, all, outcome). Files under submitted/ are read, never written. Raises LookupError when the
    directory is no course or has no such lesson.
    """
    course = Course(Path(directory))
    lesson_id = find_lesson(course, lesson)
    students = course.students(lesson_id)
    outcomes: dict[str, Outcome] = {}
    for outcome in _outcomes(course.root, lesson_id, students, min(jobs, len(students))):
        outcomes[outcome.student] = outcome
        if progress:
            progress(len(outcomes), len(students), outcome)
    ordered = [outcomes[student] for student in students]
    save(course.root, lesson_id, ordered)
    return ordered


def find_lesson(course: Course, name: str) -> str:
    """The id of the lesson that `name` means (id, number or slug). Raises LookupError with those that are there."""
    number = name.zfill(2)
    for lesson_id in course.lessons():
        head, _, slug = lesson_id.partition("_")
        if name in (lesson_id, slug) or number == head:
            return lesson_id
    raise LookupError(f"no lesson {name!r} in {course.root / 'source'}; there are: {', '.join(course.lessons())}")


def grade_student(root: Path, lesson: str, student: str) -> Outcome:
    """Grade one submission; whatever is wrong with it ends in an Outcome with a reason."""
    course = _open(root)
    master = course.master(lesson)
    folder = course.path("submitted", student, lesson)
    found = examine(folder, lesson, master, shown=str(folder.relative_to(course.root)))
    if found.problem:
        return _not_graded(course, lesson, student, found.problem)
    try:
        course.autograde(lesson, student)
    except Exception as error:  # whatever one submission does, the others are graded
        reason = f"nbgrader could not grade {folder.relative_to(course.root)}/{lesson}.ipynb ({error}); {mend(lesson)}"
        return _not_graded(course, lesson, student, reason)
    score, most = course.score(lesson, student)
    reasons = found.notes + course.refusals(lesson, student)
    return Outcome(student, score, most, REPAIRED if found.notes else GRADED, "; ".join(reasons))


def _not_graded(course: Course, lesson: str, student: str, reason: str) -> Outcome:
    course.record_not_graded(lesson, student, reason)
    return Outcome(student, None, course.max_score(lesson), NOT_GRADED, reason)


def _outcomes(root: Path, lesson: str, students: list[str], jobs: int) -> Iterator[Outcome]:
    if jobs <= 1:
        yield from (grade_student(root, lesson, student) for student in students)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_share_cores) as pool:
        waiting = {pool.submit(grade_student, root, lesson, student): student for student in students}
        for future in as_completed(waiting):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield grade_student(root, lesson, waiting[future])


def _share_cores() -> None:
    """One thread for each kernel of this worker: several kernels run at once."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@lru_cache(maxsize=4)
def _open(root: Path) -> Course:
    return Course(root)
