"""The banks of wrong and of other right answers that every lesson keeps in ``tests/``."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

from effkit.course.percent import RawCell, SourceError, split

FOLDERS = {"wrong": "wrong_answers", "right": "right_answers"}


class Answer(NamedTuple):
    """A full replacement of an exercise's cell; ``score`` and ``says`` are None in the bank of right answers."""

    exercise: str
    name: str
    source: str
    score: float | None
    says: str | None
    line: int


class Equivalent(NamedTuple):
    """A mutant that no test can tell from the solution, and why."""

    exercise: str
    mutant: str
    because: str
    line: int


def bank(root: str | Path, lesson_id: str, kind: str) -> tuple[Answer, ...]:
    """The wrong ("wrong") or other right ("right") answers of a lesson; () when the file does not exist.

    A cell's header is ``# %% exercise="f" name="truncates" score=1.5 says="truncate toward zero"``, without score and
    says in the bank of right answers. Raises SourceError for any other header and for a name given twice.
    """
    path = bank_path(root, lesson_id, kind)
    answers = tuple(_answer(path, cell, kind) for cell in _cells(path) if "mutant" not in cell.options)
    seen: set[tuple[str, str]] = set()
    for answer in answers:
        key = (answer.exercise, answer.name)
        if key in seen:
            raise SourceError(path, answer.line, f"a second answer {answer.name!r} to {answer.exercise!r}; names are "
                              "unique for each exercise; rename one")
        seen.add(key)
    return answers


def equivalents(root: str | Path, lesson_id: str) -> tuple[Equivalent, ...]:
    """The equivalent mutants of a lesson, from ``# %% exercise= mutant= because=`` cells of its right answers."""
    path = bank_path(root, lesson_id, "right")
    return tuple(_equivalent(path, cell) for cell in _cells(path) if "mutant" in cell.options)


def bank_path(root: str | Path, lesson_id: str, kind: str) -> Path:
    """Where the bank of a kind lies; raises ValueError for an unknown kind."""
    if kind not in FOLDERS:
        raise ValueError(f"no bank of {kind!r} answers; there are {' and '.join(FOLDERS)}")
    return Path(root) / "tests" / FOLDERS[kind] / f"{lesson_id}.py"


def _cells(path: Path) -> tuple[RawCell, ...]:
    cells = split(path)[1] if path.is_file() else ()
    return tuple(cell for cell in cells if cell.kind == "code" and not _is_preface(cell))


def _is_preface(cell: RawCell) -> bool:
    """Comments or a docstring above the first answer."""
    return not cell.options and all(isinstance(node, ast.Expr) for node in ast.parse(cell.source).body)


def _answer(path: Path, cell: RawCell, kind: str) -> Answer:
    keys = ("exercise", "name", "score", "says") if kind == "wrong" else ("exercise", "name")
    _need_keys(path, cell, keys)
    options = cell.options
    score = options.get("score")
    if kind == "wrong" and (not isinstance(score, (int, float)) or isinstance(score, bool)):
        raise SourceError(path, cell.line, f"score is {score!r}; it is the number of points this answer is expected to "
                          "earn; write for instance score=1.5")
    return Answer(options["exercise"], options["name"], cell.source, score, options.get("says"), cell.line)


def _equivalent(path: Path, cell: RawCell) -> Equivalent:
    _need_keys(path, cell, ("exercise", "mutant", "because"))
    return Equivalent(*(str(cell.options[key]) for key in ("exercise", "mutant", "because")), cell.line)


def _need_keys(path: Path, cell: RawCell, keys: tuple[str, ...]) -> None:
    if set(cell.options) != set(keys):
        raise SourceError(path, cell.line, f"the header has {', '.join(cell.options) or 'no options'}; here it has "
                          f"{', '.join(keys)}; add or remove what differs")
