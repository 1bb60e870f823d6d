"""Short text for values: what a report prints for an input, an expected value and a result."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

LIMIT = 6
MATRIX = 16
WIDTH = 200


def show(value: Any, limit: int = LIMIT) -> str:
    """``value`` on one line, at most 200 characters; small matrices in full, longer tensors as first values.

    >>> show(torch.arange(4))
    'tensor([0, 1, 2, 3], dtype=int64, shape=(4,))'
    >>> show(torch.eye(2))
    'tensor([[1, 0], [0, 1]], dtype=float32, shape=(2, 2))'
    >>> show(torch.zeros(4, 8))
    'tensor([0, 0, 0, 0, 0, 0, ...], dtype=float32, shape=(4, 8))'
    """
    return shorten(_show(value, limit))


def shorten(text: str, width: int = WIDTH) -> str:
    """``text`` cut to ``width`` characters, with an ellipsis where something was left out."""
    return text if len(text) <= width else text[: width - 3] + "..."


def _show(value: Any, limit: int) -> str:
    if isinstance(value, torch.Tensor):
        return _array("tensor", value.detach(), str(value.dtype).removeprefix("torch."), tuple(value.shape), limit)
    if isinstance(value, np.ndarray):
        return _array("array", value, str(value.dtype), value.shape, limit)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        inside = ", ".join(f"{name}={_show(item, limit)}" for name, item in zip(value._fields, value))
        return f"{type(value).__name__}({inside})"
    if isinstance(value, (tuple, list)):
        inside = ", ".join(_show(item, limit) for item in value[:limit]) + (", ..." if len(value) > limit else "")
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' if len(value) == 1 else ''})"
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key!r}: {_show(item, limit)}" for key, item in list(value.items())[:limit])
        return "{" + inside + (", ..." if len(value) > limit else "") + "}"
    return number(value) if isinstance(value, (float, complex)) else _safe_repr(value)


def _array(kind: str, value: Any, dtype: str, shape: tuple, limit: int) -> str:
    size = int(np.prod(shape)) if shape else 1
    if len(shape) > 1 and size <= MATRIX:
        return f"{kind}({_nested(value.tolist())}, dtype={dtype}, shape={shape})"
    flat = value.reshape(-1)[:limit]
    inside = ", ".join(number(item) for item in flat.tolist())
    return f"{kind}([{inside}{', ...' if size > limit else ''}], dtype={dtype}, shape={shape})"


def _nested(value: Any) -> str:
    return "[" + ", ".join(map(_nested, value)) + "]" if isinstance(value, list) else number(value)


def number(value: Any) -> str:
    """A number with up to seven significant digits; anything else by its repr.

    >>> number(0.1), number(-0.0), number(3)
    ('0.1', '-0', '3')
    """
    return f"{value:.7g}" if isinstance(value, float) else _safe_repr(value)


def _safe_repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # a student's object may have a broken repr; the report must still be made
        return f"<{type(value).__name__} whose repr raised {type(error).__name__}>"


def given_lines(given: Any) -> list[str]:
    """The input as lines ``name = value``; a dict gives a line a name.

    >>> given_lines({"x": 1.5, "bits": 8})
    ['x = 1.5', 'bits = 8']
    """
    if given is None:
        return []
    if isinstance(given, Mapping) and all(isinstance(key, str) for key in given):
        return [f"{key} = {show(value)}" for key, value in given.items()]
    return [f"input = {show(given)}"]
