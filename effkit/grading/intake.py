"""Look at one handed-in file before nbgrader does, and say in one sentence what is wrong with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from effkit.grading.restore import known_cells, missing_exercises, restore


@dataclass(frozen=True)
class Intake:
    """What was found: `problem` is one sentence when the file cannot be graded, `notes` are repairs and gaps."""

    problem: str = ""
    notes: list[str] = field(default_factory=list)


def mend(lesson: str) -> str:
    """The half sentence that tells how to mend a hand-in.

    >>> mend("03_absmax_int8")
    'ask the student to hand in again from a fresh copy: effkit start 03'
    """
    return f"ask the student to hand in again from a fresh copy: effkit start {lesson.split('_')[0]}"


def examine(folder: Path, lesson: str, master: NotebookNode, shown: str) -> Intake:
    """Examine `folder`/`lesson`.ipynb without changing it. `shown` is how messages name the folder."""
    path, name = folder / f"{lesson}.ipynb", f"{shown}/{lesson}.ipynb"
    if not path.is_file():
        others = ", ".join(sorted(p.name for p in folder.glob("*") if p.name != "timestamp.txt")[:3]) or "nothing"
        return Intake(f"{shown} holds {others} where {lesson}.ipynb is missing; {mend(lesson)}")
    try:
        raw = json.loads(path.read_bytes().decode("utf-8"))
    except (ValueError, RecursionError):
        return Intake(f"{name} is not JSON in plain UTF-8, so it is not a notebook; {mend(lesson)}")
    problem = _shape(raw)
    if problem:
        return Intake(f"{name} {problem}; {mend(lesson)}")
    nb = nbformat.from_dict(raw)
    if known_cells(nb, master) == 0:
        return Intake(f"{name} is not lesson {lesson}: none of the lesson's graded cells are in it; {mend(lesson)}")
    notes = [f"{name}: the cell of exercise {gap} is missing; {mend(lesson)}" for gap in missing_exercises(nb, master)]
    return Intake(notes=notes + restore(nb, master))


def _shape(raw: object) -> str:
    """What keeps `raw` from being a notebook of format 4, or "" when nothing does."""
    if not isinstance(raw, dict):
        return "holds no notebook"
    if raw.get("nbformat") != 4:
        return f"is in notebook format {raw.get('nbformat')!r} where 4 is expected"
    if not isinstance(raw.get("cells"), list):
        return "has no list of cells"
    if not isinstance(raw.get("metadata"), dict) or not isinstance(raw.get("nbformat_minor"), int):
        return "has no readable metadata"
    for number, cell in enumerate(raw["cells"], start=1):
        if not _is_cell(cell):
            return f"has no readable cell number {number}"
    return "" if raw["cells"] else "has no cells"


def _is_cell(cell: object) -> bool:
    """Is this a cell whose parts have the types that the format asks for?"""
    if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
        return False
    source, metadata = cell.get("source"), cell.get("metadata")
    lines = source if isinstance(source, list) else [source]
    if not all(isinstance(line, str) for line in lines) or not isinstance(metadata, dict):
        return False
    own = [metadata.get(key, {}) for key in ("nbgrader", "effkit")]
    tags = metadata.get("tags", [])
    whole = isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)
    whole = whole and isinstance(cell.get("id", ""), str) and all(isinstance(part, dict) for part in own)
    return whole and (cell["cell_type"] != "code" or isinstance(cell.get("outputs"), list))
