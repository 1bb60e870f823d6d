"""Running a lesson's graded cells in this process: setup, exercises, tests, in a fresh namespace, without IPython."""

from __future__ import annotations

import contextlib
import io
import linecache
from collections.abc import Iterable, Mapping
from typing import Any

from effkit import check
from effkit.course.source import Cell, Lesson
from effkit.course.strip import HIDDEN, SOLUTION, fill_points, strip_hidden, strip_solution, without


def play(lesson: Lesson, answers: Mapping[str, str] | None = None, untouched: bool = False) -> dict[str, check.test]:
    """Run the lesson's graded cells; finished tests by exercise name.

    ``answers`` maps exercise names to the source that replaces the whole exercise cell; the others are the solution,
    or the student's stub with ``untouched``. Raises KeyError for an answer to an unknown exercise, and what a solution
    cell raises.

        tests = play(read("solutions/03_absmax_int8.py"))
        tests["absmax_quantize"].earned
    """
    return Stage(lesson).play(answers, untouched)


class Stage:
    """A lesson whose setup has run once; every play starts again from the names that setup left.

    All plays share one namespace, so that functions of the setup see the exercises, as in a kernel.
    """

    def __init__(self, lesson: Lesson):
        self.lesson = lesson
        self.names: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
        for cell in lesson.of("setup"):
            self.execute(cell.source, f"setup, line {cell.line}")
        self._after_setup = dict(self.names)

    def play(self, answers: Mapping[str, str] | None = None, untouched: bool = False,
             only: Iterable[str] | None = None) -> dict[str, check.test]:
        """Run exercises and tests (of the names in ``only``, else of all); finished tests by name."""
        answers = dict(answers or {})
        unknown = sorted(set(answers) - set(self.lesson.exercises))
        if unknown:
            known = ", ".join(self.lesson.exercises)
            raise KeyError(f"{self.lesson.id} has no exercise {unknown[0]!r}; it has {known}")
        wanted = None if only is None else set(only)
        self.reset()
        tests: dict[str, check.test] = {}
        for cell in self.lesson.of("exercise", "test"):
            if cell.role == "exercise":
                self._define(cell, answers.get(cell.name), untouched)
            elif wanted is None or cell.name in wanted:
                tests[cell.name] = self._test(cell)
        return tests

    def reset(self) -> None:
        """Forget everything since the setup."""
        self.names.clear()
        self.names.update(self._after_setup)

    def execute(self, source: str, label: str) -> None:
        """Run a cell; tracebacks and ``inspect`` find its lines under ``<label>``."""
        filename = f"<{self.lesson.id}: {label}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, filename, "exec"), self.names)

    def _define(self, cell: Cell, answer: str | None, untouched: bool) -> None:
        if answer is None:
            source = strip_solution(cell.source, "code") if untouched else without(cell.source, SOLUTION)
            self.execute(source, cell.name)
            return
        try:
            self.execute(answer, cell.name)
        except Exception as error:  # as in a notebook, the cells below still run and meet the error there
            self.names[cell.name] = _raising(error)

    def _test(self, cell: Cell) -> check.test:
        with check.collect() as finished:
            self.execute(test_source(cell), f"test {cell.name}")
        if [test.name for test in finished] != [cell.name]:
            raise RuntimeError(f"{self.lesson.id}: the test cell of {cell.name!r} (line {cell.line}) finished the "
                               f"tests {[test.name for test in finished]}; it must finish exactly its own")
        return finished[0]


def test_source(cell: Cell, hidden: bool = True) -> str:
    """A test cell's source with its points filled in, with or without the hidden cases (markers dropped)."""
    source = fill_points(cell.source, cell.name, cell.options["points"])
    return without(source, HIDDEN) if hidden else strip_hidden(source)


def _raising(error: Exception) -> Any:
    def stand_in(*args: Any, **kwargs: Any) -> None:
        raise error

    return stand_in
