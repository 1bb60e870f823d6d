"""Small questions about notebook cells, answered without nbgrader: grade id, role, tags. Shared by the whole room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SKIP_TAG = "skip-execution"
FOREIGN_TAGS = frozenset({SKIP_TAG, "raises-exception"})
NOT_RUN = frozenset({"experiment", "predict"})
PUT_BACK = frozenset({"setup", "test", "answer"})


def _section(cell: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The dictionary `cell.metadata[name]`, or an empty one when it is absent or not a dictionary."""
    section = cell["metadata"].get(name)
    return section if isinstance(section, Mapping) else {}


def grade_id(cell: Mapping[str, Any]) -> str | None:
    """nbgrader's id of a cell that nbgrader knows (exercise, test, answer, setup), else None."""
    section = _section(cell, "nbgrader")
    matters = section.get("grade") or section.get("solution") or section.get("locked") or section.get("task")
    name = section.get("grade_id")
    return name if matters and isinstance(name, str) and name else None


def role(cell: Mapping[str, Any]) -> tuple[str, str]:
    """The (role, name) that the builder wrote into the cell, or ("", "")."""
    section = _section(cell, "effkit")
    return str(section.get("role") or ""), str(section.get("name") or "")


def is_autograded(cell: Mapping[str, Any]) -> bool:
    """True for a code cell whose output is its score."""
    section = _section(cell, "nbgrader")
    return cell["cell_type"] == "code" and bool(section.get("grade")) and not section.get("solution")


def points(cell: Mapping[str, Any]) -> float:
    """The most that a graded cell can earn; 0.0 for other cells."""
    return float(_section(cell, "nbgrader").get("points") or 0.0)


def describe(cell: Mapping[str, Any]) -> str:
    """A phrase for people: "the test of absmax_quantize"."""
    kind, name = role(cell)
    name = name or grade_id(cell) or "?"
    phrases = {"setup": "the setup cell", "test": f"the test of {name}", "answer": f"the question {name}"}
    return phrases.get(kind, f"the {kind or 'cell'} {name}")
