"""What an instructor runs: make an nbgrader course, grade a class, show a demo class.

nbgrader is the engine; this room adds to it only at its own extension points (preprocessor lists in the course's
configuration). It may import `effkit.course` and, through it, `effkit.check`; nothing but the command line imports it.
nbgrader itself is imported when a function here is first used, so that students need not have it.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "new_course": "coursedir",
    "NewCourse": "coursedir",
    "grade": "run",
    "Outcome": "outcome",
    "demo": "classroom",
    "DemoRow": "classroom",
    "run_checks": "selfcheck",
    "ExerciseResult": "selfcheck",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """The public name `name`, imported from its file on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'effkit.grading' has no attribute {name!r}")
    return getattr(importlib.import_module(f"effkit.grading.{_HOMES[name]}"), name)
