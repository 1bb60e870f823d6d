"""All gates of a lesson behind one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from effkit.course import leak_gates, shape_gates
from effkit.course.source import Lesson, lessons

Gate = Callable[[Lesson, Path], list[str]]
STATIC: tuple[Gate, ...] = (
    shape_gates.gate_order, shape_gates.gate_hints, shape_gates.gate_docstrings, shape_gates.gate_markers,
    shape_gates.gate_score, shape_gates.gate_figures, shape_gates.gate_size, leak_gates.gate_leaks,
    leak_gates.gate_student_notebook, leak_gates.gate_up_to_date,
)


class Problem(NamedTuple):
    """One broken rule: the lesson's id, the gate's name and what is wrong."""

    lesson: str
    gate: str
    message: str

    def __str__(self) -> str:
        return f"[{self.gate}] {self.message}"


def lint(root: str | Path, only: str | Iterable[str] | None = None, static: bool = False,
         progress: Callable[[str, str], None] | None = None) -> list[Problem]:
    """The problems of the lessons of a checkout: of those in ``only`` (number, slug or id), else of all.

    ``static`` leaves out the gates that run a lesson; ``progress`` is told (lesson, gate) before each gate. Raises
    SourceError for a source or bank that cannot be read, and LookupError for an unknown lesson.

        for problem in lint(".", static=True):
            print(problem.message)
    """
    root, problems = Path(root), []
    for lesson in _chosen(lessons(root), only):
        for gate in gates(static):
            name = gate.__name__.removeprefix("gate_")
            if progress:
                progress(lesson.id, name)
            problems += [Problem(lesson.id, name, message) for message in gate(lesson, root)]
    return problems


def gates(static: bool = False) -> tuple[Gate, ...]:
    """The gates in order; with ``static`` the quick ones only, without loading torch."""
    if static:
        return STATIC
    from effkit.course import notebook_gate
    from effkit.course import running_gates as running

    return (*STATIC, running.gate_solution, running.gate_untouched, running.gate_wrong_answers,
            running.gate_right_answers, running.gate_examples, running.gate_mutants, notebook_gate.gate_notebook)


def _chosen(every: tuple[Lesson, ...], only: str | Iterable[str] | None) -> tuple[Lesson, ...]:
    if only is None:
        return every
    wanted = [only] if isinstance(only, str) else list(only)
    known = {name: lesson for lesson in every for name in _names(lesson)}
    for name in wanted:
        if name not in known:
            raise LookupError(f"no lesson {name!r}; there are {', '.join(lesson.id for lesson in every)}")
    return tuple(known[name] for name in wanted)


def _names(lesson: Lesson) -> tuple[str, ...]:
    return lesson.id, lesson.slug, str(lesson.number), f"{lesson.number:02d}"
