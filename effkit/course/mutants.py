"""Do a lesson's tests notice small changes of its solutions? Each mutant is played against its exercise's tests."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from effkit.course.banks import Equivalent, equivalents
from effkit.course.mutations import Mutant, mutants
from effkit.course.playing import Stage
from effkit.course.source import Lesson
from effkit.course.strip import SOLUTION, without

SECONDS = 2.0
MOST = 120
SURVIVAL = 0.05


class Mutation(NamedTuple):
    """What became of a lesson's mutants; ``survivors`` kept full marks, ``excused`` are those listed as equivalent."""

    tried: int
    survivors: tuple[Mutant, ...]
    excused: tuple[Mutant, ...]
    stale: tuple[Equivalent, ...]

    @property
    def rate(self) -> float:
        """The share of mutants, those proven equivalent aside, that survive."""
        return len(self.survivors) / max(self.tried - len(self.excused), 1)


class OutOfTime(BaseException):
    """A mutant ran too long; not an Exception, so that no case takes it for a finding and the play ends at once."""


def mutation(lesson: Lesson, root: str | Path, progress: Callable[[int, int], None] | None = None) -> Mutation:
    """Try the mutants of every exercise (at most 120 each, evenly chosen); ``progress`` is told (done, of).

        outcome = mutation(read("solutions/03_absmax_int8.py"), ".")
        [mutant.description for mutant in outcome.survivors]
    """
    stage = Stage(lesson)
    listed = {(item.exercise, item.mutant): item for item in equivalents(root, lesson.id)}
    tried = [mutant for cell in lesson.of("exercise") for mutant in chosen(mutants(cell.name, cell.source))]
    limits = {name: _limit(stage, name) for name in lesson.exercises}
    alive = []
    for done, mutant in enumerate(tried):
        if survives(stage, mutant, limits[mutant.exercise]):
            alive.append(mutant)
        if progress:
            progress(done + 1, len(tried))
    excused = [mutant for mutant in alive if (mutant.exercise, mutant.description) in listed]
    named = {(mutant.exercise, mutant.description) for mutant in excused}
    stale = tuple(item for key, item in listed.items() if key not in named)
    return Mutation(len(tried), tuple(m for m in alive if m not in excused), tuple(excused), stale)


def survives(stage: Stage, mutant: Mutant, seconds: float = SECONDS) -> bool:
    """Does the mutant keep full marks in the test of its exercise? One that runs out of time does not."""
    try:
        with limited(seconds):
            test = stage.play({mutant.exercise: mutant.source}, only=[mutant.exercise])[mutant.exercise]
    except OutOfTime:
        return False
    return test.earned >= test.points


def chosen(found: tuple[Mutant, ...], most: int = MOST) -> tuple[Mutant, ...]:
    """At most ``most`` of the mutants, evenly spread over the solution.

    >>> chosen(tuple(range(10)), 4)
    (0, 2, 5, 7)
    """
    if len(found) <= most:
        return found
    return tuple(found[index * len(found) // most] for index in range(most))


def _limit(stage: Stage, exercise: str) -> float:
    begin = time.perf_counter()
    source = without(stage.lesson.cell("exercise", exercise).source, SOLUTION)
    stage.play({exercise: source}, only=[exercise])
    return max(SECONDS, 10 * (time.perf_counter() - begin))


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise OutOfTime when the body takes longer; without limit outside of the main thread or where signals lack."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, _out_of_time)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _out_of_time(number: int, frame: object) -> None:
    raise OutOfTime
