"""All gates of a lesson behind one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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


def lint(root: str | Path, only: Iterable[str] | None = None, static: bool = False,
         progress: Callable[[str, str], None] | None = None) -> Iterator[Problem]:
    """The problems of the lessons of a checkout (of the ids in ``only``, else of all), as they are found.

    ``static`` leaves out the gates that run a lesson; ``progress`` is told (lesson, gate) before each gate. Raises
    SourceError for a source that cannot be read, and LookupError for an unknown id.

        for problem in lint(".", static=True):
            print(problem.message)
    """
    root = Path(root)
    for lesson in _chosen(lessons(root), only):
        for gate in gates(static):
            name = gate.__name__.removeprefix("gate_")
            if progress:
                progress(lesson.id, name)
            yield from (Problem(lesson.id, name, message) for message in gate(lesson, root))


def gates(static: bool = False) -> tuple[Gate, ...]:
    """The gates in order; with ``static`` the quick ones only, without loading torch."""
    if static:
        return STATIC
    from effkit.course import notebook_gate
    from effkit.course import running_gates as running

    return (*STATIC, running.gate_solution, running.gate_untouched, running.gate_wrong_answers,
            running.gate_right_answers, running.gate_examples, running.gate_mutants, notebook_gate.gate_notebook)


def _chosen(every: tuple[Lesson, ...], only: Iterable[str] | None) -> tuple[Lesson, ...]:
    if only is None:
        return every
    by_id = {lesson.id: lesson for lesson in every}
    unknown = sorted(set(only) - set(by_id))
    if unknown:
        raise LookupError(f"no lesson {unknown[0]!r}; there are {', '.join(by_id)}")
    return tuple(by_id[name] for name in only)
