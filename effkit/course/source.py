"""Reading a lesson source: cells with roles, the rules that a cell header must keep, and the lesson's facts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from effkit.course.percent import RawCell, SourceError, split

NAMED_ROLES = ("exercise", "test", "hints", "predict", "experiment", "answer")
MARKDOWN_ROLES = ("hints", "answer")
OPTIONS = {"exercise": {"minutes", "level", "uses"}, "test": {"points"}, "answer": {"points"}}
NEEDED = {"exercise": ("minutes", "level"), "test": ("points",), "answer": ("points",)}
FACTS = {"number": int, "slug": str, "title": str, "part": str, "minutes": int, "prerequisites": list, "papers": list,
         "lectures": list, "claim": str}


@dataclass(frozen=True)
class Cell:
    """One cell of a lesson; ``role`` is "prose", "setup" or a named role, ``name`` is "" for the first two."""

    kind: str
    role: str
    name: str
    source: str
    line: int
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Lesson:
    """A lesson source, read and checked; ``facts`` is the ``effkit`` part of its header."""

    path: Path
    number: int
    slug: str
    facts: dict[str, Any]
    cells: tuple[Cell, ...]

    @property
    def id(self) -> str:
        """``"03_absmax_int8"``: the name of its files."""
        return f"{self.number:02d}_{self.slug}"

    @property
    def title(self) -> str:
        """The title without the number."""
        return self.facts["title"]

    @property
    def root(self) -> Path:
        """The checkout that the source lies in: the parent of its ``solutions`` folder."""
        return self.path.resolve().parent.parent

    @property
    def exercises(self) -> tuple[str, ...]:
        """Names of the exercises, in order."""
        return tuple(cell.name for cell in self.of("exercise"))

    @property
    def points(self) -> dict[str, float]:
        """Points by exercise, from the header of its test."""
        return {cell.name: cell.options["points"] for cell in self.of("test")}

    def of(self, *roles: str) -> tuple[Cell, ...]:
        """The cells of these roles, in order."""
        return tuple(cell for cell in self.cells if cell.role in roles)

    def cell(self, role: str, name: str) -> Cell:
        """The one cell of a role and name; raises KeyError when there is none."""
        for cell in self.of(role):
            if cell.name == name:
                return cell
        raise KeyError(f"{self.id} has no cell {role}={name!r}; it has {[cell.name for cell in self.of(role)]}")


def read(path: str | Path) -> Lesson:
    """Read one lesson source; raises SourceError ("file:line: what is wrong; the rule; how to mend")."""
    path = Path(path)
    facts, raw = split(path)
    number, slug = _identity(path, facts)
    cells = tuple(_cell(path, cell) for cell in raw)
    _need_title(path, cells, number, facts["title"])
    _need_consistent(path, cells)
    return Lesson(path, number, slug, facts, cells)


def lessons(root: str | Path) -> tuple[Lesson, ...]:
    """All lessons of a checkout, by number; raises FileNotFoundError when it has no ``solutions`` folder."""
    folder = Path(root) / "solutions"
    if not folder.is_dir():
        raise FileNotFoundError(f"no lesson sources in {folder}; run this in a checkout of the course kit")
    return tuple(read(path) for path in sorted(folder.glob("[0-9][0-9]_*.py")))


def _identity(path: Path, facts: dict[str, Any]) -> tuple[int, str]:
    for key, kind in FACTS.items():
        if not isinstance(facts.get(key), kind) or isinstance(facts.get(key), bool):
            raise SourceError(path, 1, f"the header's jupyter: effkit: {key} is {facts.get(key)!r}; it must be of type "
                              f"{kind.__name__}; add or mend it")
    for paper in facts["papers"]:
        if not isinstance(paper, dict) or not {"title", "authors", "year"} <= set(paper):
            raise SourceError(path, 1, f"the paper {paper!r} of the header; a paper has title, authors, year and, "
                              "where there is one, arxiv; add what is missing")
    expected = f"{facts['number']:02d}_{facts['slug']}"
    if path.stem != expected:
        raise SourceError(path, 1, f"number and slug of the header make {expected!r}; the file's name must be the "
                          "same; rename the file or mend the header")
    return facts["number"], facts["slug"]


def _cell(path: Path, raw: RawCell) -> Cell:
    roles = [role for role in (*NAMED_ROLES, "role") if role in raw.options]
    if len(roles) > 1:
        raise SourceError(path, raw.line, f"the cell has {len(roles)} roles ({', '.join(roles)}); a cell has one; "
                          "split it")
    if not roles:
        if raw.kind == "code":
            raise SourceError(path, raw.line, f"a code cell without a role{_given(raw)}; every code cell has one of "
                              f"setup, {', '.join(NAMED_ROLES)}; write for instance experiment=\"name\"")
        _need_known(path, raw, "prose", set(raw.options))
        return Cell(raw.kind, "prose", "", raw.source, raw.line)
    options = dict(raw.options)
    value = options.pop(roles[0])
    role, name = ("setup", "") if roles[0] == "role" else (roles[0], value)
    if roles[0] == "role" and value != "setup":
        raise SourceError(path, raw.line, f"the role {value!r} is unknown; role= is \"setup\" only, the others are "
                          f"written {', '.join(r + '=' for r in NAMED_ROLES)}; use one of these")
    if role != "setup" and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(name)):
        raise SourceError(path, raw.line, f"{role}={name!r}; a name is made of letters, digits and _; rename it")
    _need_known(path, raw, role, set(options))
    _need_kind(path, raw, role)
    return Cell(raw.kind, role, name, raw.source, raw.line, options)


def _given(raw: RawCell) -> str:
    return f" (its header says {', '.join(map(str, raw.options))})" if raw.options else ""


def _need_known(path: Path, raw: RawCell, role: str, given: set[str]) -> None:
    unknown = sorted(given - OPTIONS.get(role, set()))
    if unknown:
        allowed = ", ".join(sorted(OPTIONS.get(role, ()))) or "no options"
        raise SourceError(path, raw.line, f"unknown option {unknown[0]!r}; a cell of role {role} takes {allowed}; "
                          "remove or rename it")
    for key in NEEDED.get(role, ()):
        value = raw.options.get(key)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or value <= 0:
            raise SourceError(path, raw.line, f"{key} is {value!r}; a cell of role {role} states a number above 0; "
                              f"write {key}=3")


def _need_kind(path: Path, raw: RawCell, role: str) -> None:
    kind = "markdown" if role in MARKDOWN_ROLES else "code"
    if raw.kind != kind:
        header = f"# %% [markdown] {role}=" if kind == "markdown" else f"# %% {role}="
        raise SourceError(path, raw.line, f"a {raw.kind} cell of role {role}; that role needs a {kind} cell; "
                          f"begin it with '{header}'")


def _need_title(path: Path, cells: tuple[Cell, ...], number: int, title: str) -> None:
    wanted = f"# {number:02d} · {title}"
    first = cells[0] if cells else Cell("markdown", "prose", "", "", 1)
    got = first.source.split("\n")[0]
    if first.kind != "markdown" or got != wanted:
        raise SourceError(path, first.line, f"the first line of the first cell is {got!r}; it is the title of the "
                          f"header; write {wanted!r}")


def _need_consistent(path: Path, cells: tuple[Cell, ...]) -> None:
    seen: dict[tuple[str, str], int] = {}
    for cell in cells:
        key = (cell.role, cell.name)
        if cell.role in NAMED_ROLES and key in seen:
            raise SourceError(path, cell.line, f"{cell.role}={cell.name!r} stands already in line {seen[key]}; names "
                              "are unique for each role; rename one")
        seen[key] = cell.line
        if cell.role in ("test", "hints") and ("exercise", cell.name) not in seen:
            raise SourceError(path, cell.line, f"{cell.role}={cell.name!r} without an exercise before it; each "
                              f"{cell.role} names an exercise that stands above; add exercise=\"{cell.name}\" or mend "
                              "the name")
        for used in uses(cell):
            if ("exercise", used) not in seen or used == cell.name:
                raise SourceError(path, cell.line, f"uses names {used!r}; it lists earlier exercises; mend the name")


def uses(cell: Cell) -> tuple[str, ...]:
    """Names of the earlier exercises that this one says it builds on.

    >>> uses(Cell("code", "exercise", "c", "", 1, {"uses": "a, b"}))
    ('a', 'b')
    """
    return tuple(name.strip() for name in str(cell.options.get("uses", "")).split(",") if name.strip())
