"""Authoring: a lesson source becomes a student notebook and an nbgrader source notebook, and the gates keep it honest.

This room reads ``solutions/`` and the answer banks in ``tests/``, writes ``notebooks/`` and the generated table of the
README, and runs graded cells through ``effkit.check``. It knows nothing of nbgrader's code nor of ``effkit.lab``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Answer": "banks", "Cell": "source", "Lesson": "source", "SourceError": "percent", "Stage": "playing",
    "bank": "banks", "build": "building",
    "lessons": "source", "lint": "linting", "master_notebook": "notebook", "mutation": "mutants",
    "play": "playing", "read": "source", "student_notebook": "notebook", "write": "notebook",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Load a name of this room on first use, so that a command which needs none starts fast."""
    if name not in _HOMES:
        raise AttributeError(f"effkit.course has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"effkit.course.{_HOMES[name]}"), name)
