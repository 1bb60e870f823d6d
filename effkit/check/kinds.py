"""One sentence for each way in which a result has the wrong kind: None, type, dtype, shape, numpy, NaN, 0-d tensor."""

from typing import Any

import numpy as np
import torch

from effkit.check.show import show

RETURNED_NONE = "your function returned None; does every path end with `return`?"


def wrong_kind(got: Any, expected: Any, dtype: bool = True, where: str = "the result") -> str | None:
    """The sentence that says how the kind of ``got`` differs from that of ``expected``, or None when it does not.

    Looks at type, dtype (unless ``dtype`` is False: then any floating dtype serves for a floating one) and shape.

    >>> wrong_kind(None, 1.0)
    'your function returned None; does every path end with `return`?'
    >>> wrong_kind(torch.tensor(1.0), 1.0)
    'the result is a 0-d tensor; a Python float is expected: call .item() on it'
    """
    if got is None and expected is not None:
        return RETURNED_NONE if where == "the result" else f"{where} is None"
    if isinstance(expected, torch.Tensor):
        return _not_a_tensor(got, where) or _wrong_tensor(got, expected, dtype, where)
    if isinstance(expected, np.ndarray):
        return None if isinstance(got, np.ndarray) else f"{where} is a {_type(got)}; a numpy array is expected"
    if isinstance(expected, bool):
        return None if isinstance(got, (bool, np.bool_)) else _not_a_number(got, "bool", where)
    if isinstance(expected, int):
        return None if isinstance(got, (int, np.integer)) and not isinstance(got, bool) else _not_a_number(
            got, "int", where)
    if isinstance(expected, float):
        right = isinstance(got, (int, float, np.integer, np.floating)) and not isinstance(got, bool)
        return None if right else _not_a_number(got, "float", where)
    if isinstance(expected, (tuple, list)):
        return _wrong_sequence(got, expected, where)
    if isinstance(expected, dict):
        return _wrong_dict(got, expected, where)
    if not isinstance(got, type(expected)):
        return f"{where} is a {_type(got)}; a {_type(expected)} is expected"
    return None


def wrong_tensor(got: Any, shape: tuple | None, dtype: torch.dtype | None, where: str) -> str | None:
    """The sentence for a value that is not a tensor of this shape and dtype (None: any), or None."""
    if got is None:
        return RETURNED_NONE if where == "the result" else f"{where} is None; a tensor is expected"
    sentence = _not_a_tensor(got, where)
    if sentence:
        return sentence
    if dtype is not None and got.dtype != dtype:
        return f"{where} has dtype {_dtype(got.dtype)}; {_dtype(dtype)} is expected"
    if shape is not None and tuple(got.shape) != tuple(shape):
        return f"{where} has shape {tuple(got.shape)}; {tuple(shape)} is expected"
    return None


def _not_a_tensor(got: Any, where: str) -> str | None:
    if isinstance(got, torch.Tensor):
        return None
    if isinstance(got, (np.ndarray, np.generic)):
        return f"{where} is a numpy {_type(got)}; a torch.Tensor is expected: use torch.from_numpy or torch.tensor"
    if isinstance(got, (bool, int, float)):
        return f"{where} is the Python number {show(got)}; a torch.Tensor is expected: use torch.tensor"
    if isinstance(got, (tuple, list)):
        return f"{where} is a {_type(got)} of {len(got)} items; one torch.Tensor is expected"
    return f"{where} is a {_type(got)}; a torch.Tensor is expected"


def _wrong_tensor(got: torch.Tensor, expected: torch.Tensor, dtype: bool, where: str) -> str | None:
    loose = not dtype and got.is_floating_point() and expected.is_floating_point()
    return wrong_tensor(got, tuple(expected.shape), None if loose else expected.dtype, where)


def _not_a_number(got: Any, kind: str, where: str) -> str:
    if isinstance(got, torch.Tensor):
        if got.dim() == 0:
            return f"{where} is a 0-d tensor; a Python {kind} is expected: call .item() on it"
        return f"{where} is a tensor of shape {tuple(got.shape)}; a Python {kind} is expected"
    if isinstance(got, np.ndarray):
        return f"{where} is a numpy array; a Python {kind} is expected: call .item() on it"
    return f"{where} is the {_type(got)} {show(got)}; a Python {kind} is expected"


def _wrong_sequence(got: Any, expected: tuple | list, where: str) -> str | None:
    kind = _type(expected)
    if not isinstance(got, (tuple, list)):
        return f"{where} is a {_type(got)}; a {kind} of {len(expected)} items is expected"
    if len(got) != len(expected):
        return f"{where} has {len(got)} items; {len(expected)} are expected"
    if isinstance(got, list) != isinstance(expected, list):
        return f"{where} is a {_type(got)}; a {kind} is expected"
    return None


def _wrong_dict(got: Any, expected: dict, where: str) -> str | None:
    if not isinstance(got, dict):
        return f"{where} is a {_type(got)}; a dict is expected"
    missing, extra = [k for k in expected if k not in got], [k for k in got if k not in expected]
    if missing:
        return f"{where} lacks the key {missing[0]!r}; the keys {list(expected)} are expected"
    return f"{where} has the key {extra[0]!r}, which is not expected" if extra else None


def _type(value: Any) -> str:
    return type(value).__name__


def _dtype(dtype: torch.dtype) -> str:
    return str(dtype)
