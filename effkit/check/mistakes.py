"""Diagnosis: does a wrong result equal what a known mistake would have given?"""

from collections.abc import Callable
from typing import Any


def diagnose(got: Any, mistakes: dict | None, same: Callable[[Any, Any], bool], expected: Any = None) -> str:
    """The sentence of the first mistake whose value is ``got``, or "".

    A mistake's value may be True or False (decided already), a function of no argument, or a value that ``same``
    compares with. A mistake whose value equals the expected one says nothing and is passed over.

    >>> diagnose(3, {"you round up": 4, "you round down": 3}, lambda a, b: a == b)
    'you round down'
    """
    for sentence, value in (mistakes or {}).items():
        value = value() if callable(value) else value
        decided = isinstance(value, bool) and not isinstance(expected, bool)
        if value is True if decided else (_same(got, value, same) and not _same(expected, value, same)):
            return sentence
    return ""


def _same(got: Any, value: Any, same: Callable[[Any, Any], bool]) -> bool:
    if same(got, value):
        return True
    return hasattr(got, "to") and hasattr(value, "dtype") and same(got.to(value.dtype), value)
