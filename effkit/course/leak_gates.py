"""Static gates on what leaves the authors' hands: no answer in ``notebooks/``, and nothing there out of date."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from effkit.course.building import build
from effkit.course.source import Lesson, lessons
from effkit.course.strip import HIDDEN, SOLUTION, regions

TELLING = 12
ALONE = 32


def gate_leaks(lesson: Lesson, root: Path) -> list[str]:
    """No solution and no hidden test of this lesson stands in any file of ``notebooks/``."""
    return [f"{lesson.id}: {problem}" for path in sorted((Path(root) / "notebooks").rglob("*")) if path.is_file()
            for problem in leaks(lesson, path.name, published(path))]


def gate_student_notebook(lesson: Lesson, root: Path) -> list[str]:
    """No answer of any lesson of the course stands in the student notebook that this lesson would be built to."""
    from effkit.course.notebook import student_notebook

    notebook = student_notebook(lesson, "https://example.org/effkit")
    every = lessons_for(root, lesson)
    return [problem for cell in notebook.cells for other in every
            for problem in leaks(other, f"{lesson.id}.ipynb, cell {cell.id},", cell.source)]


def lessons_for(root: Path, lesson: Lesson) -> tuple[Lesson, ...]:
    """All lessons of the checkout, this one included even when it lies elsewhere."""
    folder = Path(root) / "solutions"
    every = lessons(root) if folder.is_dir() else ()
    return every if any(other.id == lesson.id for other in every) else (*every, lesson)


def gate_up_to_date(lesson: Lesson, root: Path) -> list[str]:
    """``notebooks/`` and the README's table are what the sources make."""
    return [f"{path.name} is out of date; run: effkit build" for path in build(root, check=True)
            if path.stem == lesson.id or path.suffix == ".md"]


def leaks(lesson: Lesson, name: str, text: str) -> list[str]:
    """Problems for every secret passage of a lesson that occurs in a text.

    A passage is two telling lines in a row of a region, or one long line of a solution; spaces do not matter.
    """
    lines = {line for line in (_squeeze(line) for line in text.split("\n")) if line}
    whole = "\n".join(_squeeze(line) for line in text.split("\n") if _is_telling(line))
    problems = [f"{name} shows a marker ({mark}); rebuild it with: effkit build"
                for mark in ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS") if mark in text]
    for what, cell_name, passage in _secrets(lesson):
        found = passage in lines if "\n" not in passage else f"\n{passage}\n" in f"\n{whole}\n"
        if found:
            problems.append(f"{name} shows the {what} of {cell_name!r}: {passage.splitlines()[0][:80]!r}; take it out "
                            "of what students see, or write it otherwise there")
    return problems


def _secrets(lesson: Lesson) -> Iterator[tuple[str, str, str]]:
    for cell in lesson.of("exercise", "test", "answer"):
        what, label = (HIDDEN, "hidden test") if cell.role == "test" else (SOLUTION, "solution")
        for region in regions(cell.source, what):
            lines = [_squeeze(line) for line in region.lines if _is_telling(line)]
            yield from ((label, cell.name, f"{a}\n{b}") for a, b in zip(lines, lines[1:]))
            if what == SOLUTION:
                yield from ((label, cell.name, line) for line in lines if len(line) >= ALONE or len(lines) == 1)


def _is_telling(line: str) -> bool:
    return len(_squeeze(line)) >= TELLING and not line.strip().startswith(("#", "import ", "from "))


def _squeeze(line: str) -> str:
    return re.sub(r"\s+", "", line)


def published(path: Path) -> str:
    """The text of a published file; of a notebook the sources and outputs of its cells, line by line."""
    return _published(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _published(path: Path, changed: int) -> str:
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix != ".ipynb":
        return text
    try:
        return "\n".join(_strings(json.loads(text)))
    except ValueError:
        return text


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        if value and all(isinstance(part, str) for part in value):
            yield "".join(value)
        else:
            for part in value:
                yield from _strings(part)
