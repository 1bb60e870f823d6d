"""Splitting a percent-format file into cells that know their line; shared by lesson sources and answer banks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

MARKER = re.compile(r"^# ?%%+(\s|$)")
OWN_KEYS = ("lines_to_next_cell", "lines_to_end_of_cell_marker", "cell_marker")


class SourceError(ValueError):
    """A lesson source or an answer bank breaks a rule.

    >>> str(SourceError(Path("solutions/03_x.py"), 7, "the role 'tests' is unknown; write 'test'"))
    "solutions/03_x.py:7: the role 'tests' is unknown; write 'test'"
    """

    def __init__(self, path: Path, line: int, message: str):
        self.path, self.line, self.message = Path(path), line, message
        super().__init__(f"{short(path)}:{line}: {message}")


class RawCell(NamedTuple):
    """One cell as it stands in the file: ``kind`` is "code" or "markdown", ``line`` that of its header (from 1)."""

    kind: str
    options: dict[str, Any]
    source: str
    line: int


def short(path: Path) -> str:
    """The end of a path, as messages name it: ``solutions/03_x.py``, ``tests/wrong_answers/03_x.py``.

    >>> short(Path("/home/me/kit/solutions/03_x.py"))
    'solutions/03_x.py'
    """
    parts = Path(path).parts
    return "/".join(parts[-3:] if "tests" in parts[-3:-2] else parts[-2:])


def split(path: Path) -> tuple[dict[str, Any], tuple[RawCell, ...]]:
    """Read a percent file: the facts under ``jupyter: effkit:`` of its header, and its cells in order.

    Raises SourceError when the file is not UTF-8, its header is not YAML, or a cell header cannot be read.
    """
    import jupytext

    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(path, 1, f"the file is not UTF-8 ({error.reason}); sources are UTF-8; save it so") from error
    _need_readable_header(path, text)
    lines = [number for number, line in enumerate(text.split("\n"), 1) if MARKER.match(line)]
    cells = jupytext.reads(text, fmt="py:percent")
    if len(cells.cells) == len(lines) + 1:  # text above the first header is a cell of its own
        lines.insert(0, 1)
    if len(cells.cells) != len(lines):
        raise SourceError(path, lines[0], f"{len(lines)} lines look like cell headers, but there are "
                          f"{len(cells.cells)} cells; every cell begins with a '# %%' line and no string may hold one; "
                          "indent '# %%' inside strings")
    raw = (_raw(path, cell, line) for cell, line in zip(cells.cells, lines))
    return dict(cells.metadata.get("effkit") or {}), tuple(raw)


def _need_readable_header(path: Path, text: str) -> None:
    import yaml

    found = re.match(r"# ---\n((?:#.*\n)*?)# ---\n", text)
    if not found:
        return
    try:
        yaml.safe_load(re.sub(r"^# ?", "", found.group(1), flags=re.MULTILINE))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 2 + (mark.line if mark else 0)
        raise SourceError(path, line, f"the header is not YAML ({getattr(error, 'problem', error)}); "
                          "the lesson's facts stand there; mend the indentation or quote the value") from error


def _raw(path: Path, cell: Any, line: int) -> RawCell:
    options = {key: value for key, value in cell.metadata.items() if key not in OWN_KEYS}
    if "incorrectly_encoded_metadata" in options:
        raise SourceError(path, line, f"cannot read the cell header {options['incorrectly_encoded_metadata']!r}; "
                          'options are key="text" or key=number; put the value in double quotes')
    if cell.cell_type not in ("code", "markdown"):
        raise SourceError(path, line, f"a {cell.cell_type} cell; cells are code or markdown; write '# %% [markdown]'")
    return RawCell(cell.cell_type, options, cell.source.strip("\n"), line)
