"""Solution and hidden-test regions: taking them out as nbgrader does, and reading what stands in them."""

from __future__ import annotations

import re
from typing import NamedTuple

CODE_STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
TEXT_STUB = ("YOUR ANSWER HERE",)
SOLUTION, HIDDEN = "SOLUTION", "HIDDEN TESTS"


class Region(NamedTuple):
    """A region between markers; ``begin`` and ``end`` are the line numbers of the markers in the cell (from 1)."""

    begin: int
    end: int
    lines: tuple[str, ...]


class MarkerError(ValueError):
    """Markers are nested, unpaired or missing; ``line`` is the line in the cell (from 1)."""

    def __init__(self, line: int, message: str):
        self.line, self.message = line, message
        super().__init__(message)


def regions(source: str, what: str) -> tuple[Region, ...]:
    """The regions of a cell between ``### BEGIN what`` and ``### END what``; raises MarkerError.

    >>> regions("a\\n### BEGIN SOLUTION\\nb\\n### END SOLUTION", SOLUTION)
    (Region(begin=2, end=4, lines=('b',)),)
    """
    found, begin, inside = [], 0, []
    for number, line in enumerate(source.split("\n"), 1):
        if f"BEGIN {what}" in line:
            if begin:
                raise MarkerError(number, f"BEGIN {what} inside a region begun in line {begin} of the cell")
            begin, inside = number, []
        elif f"END {what}" in line:
            if not begin:
                raise MarkerError(number, f"END {what} without a BEGIN {what}")
            found.append(Region(begin, number, tuple(inside)))
            begin = 0
        elif begin:
            inside.append(line)
    if begin:
        raise MarkerError(begin, f"BEGIN {what} without an END {what}")
    return tuple(found)


def strip_solution(source: str, kind: str) -> str:
    """The cell as the student gets it: each solution region becomes the stub, indented as the marker was.

    >>> print(strip_solution("def f():\\n    ### BEGIN SOLUTION\\n    return 1\\n    ### END SOLUTION", "code"))
    def f():
        # YOUR CODE HERE
        raise NotImplementedError()
    """
    stub = CODE_STUB if kind == "code" else TEXT_STUB
    lines = source.split("\n")
    if not regions(source, SOLUTION):
        return "\n".join(stub)
    for region in reversed(regions(source, SOLUTION)):
        indent = re.match(r"\s*", lines[region.begin - 1]).group(0)
        lines[region.begin - 1 : region.end] = [indent + line for line in stub]
    return "\n".join(lines)


def strip_hidden(source: str) -> str:
    """The cell without its hidden tests.

    >>> strip_hidden("a\\n### BEGIN HIDDEN TESTS\\nb\\n### END HIDDEN TESTS\\nc")
    'a\\nc'
    """
    lines = source.split("\n")
    for region in reversed(regions(source, HIDDEN)):
        del lines[region.begin - 1 : region.end]
    return "\n".join(lines)


def without(source: str, what: str) -> str:
    """The cell with the marker lines gone and what stands between them kept.

    >>> without("a\\n### BEGIN SOLUTION\\nb\\n### END SOLUTION", SOLUTION)
    'a\\nb'
    """
    marks = re.compile(rf"(BEGIN|END) {what}")
    return "\n".join(line for line in source.split("\n") if not marks.search(line))


def fill_points(source: str, name: str, points: float) -> str:
    """Write ``points=`` into the one ``check.test("name")`` of a test cell; raises MarkerError when it is not there.

    >>> fill_points('with check.test("f") as t:', "f", 3)
    'with check.test("f", points=3) as t:'
    """
    call = re.compile(rf"check\.test\((['\"]){re.escape(name)}\1\s*\)")
    if len(call.findall(source)) != 1:
        raise MarkerError(1, f'the cell must call check.test("{name}") once, without points')
    return call.sub(lambda found: f"{found.group(0).rstrip(')').rstrip()}, points={points})", source)
