"""The comparisons: equal, close, like and raises. Each passes silently or raises a ``Failure`` that says why."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from effkit.check.failure import Failure
from effkit.check.kinds import wrong_kind, wrong_tensor
from effkit.check.mistakes import diagnose
from effkit.check.show import number, show


def equal(got: Any, expected: Any, mistakes: dict | None = None, given: Any = None, signed_zero: bool = False) -> None:
    """Pass when ``got`` is ``expected``: same type, dtype, shape and every value; NaN equals NaN.

    ``got`` and ``expected``: a tensor ``(...)`` of any dtype, a number, a string, or tuples, lists and dicts of them.
    ``mistakes`` maps a sentence to the value which that mistake gives (or to True, or to a function of no argument that
    makes it); ``given`` is the input shown in the report; ``signed_zero`` tells -0.0 from 0.0. Raises ``Failure``.

    >>> equal(torch.tensor([1, 2]), torch.tensor([1, 2]))
    >>> equal(3, 4, mistakes={"you forget the last one": 3})
    Traceback (most recent call last):
    effkit.check.failure.Failure: you forget the last one; expected 4, got 3
    """
    def same(a: Any, b: Any) -> bool:
        return difference(a, b, signed_zero=signed_zero) is None

    message = difference(got, expected, signed_zero=signed_zero)
    if message is not None:
        raise Failure(message, diagnose(got, mistakes, same, expected), given)


def close(got: Any, expected: Any, atol: Any = None, rtol: float | None = None, why: str = "",
          mistakes: dict | None = None, given: Any = None, dtype: bool = True) -> None:
    """Pass when ``|got - expected| <= atol + rtol * |expected|`` everywhere, with the same kind, dtype and shape.

    ``atol`` is a number or a tensor that broadcasts to the result; ``why`` states in words where the bound comes from
    ("scale / 2"); ``dtype=False`` accepts any floating dtype. Infinities must agree, NaN equals NaN. Raises
    ``Failure``, and ``ValueError`` when no bound is given.

    >>> close(torch.tensor([1.0]), torch.tensor([1.1]), atol=0.2, why="the step is 0.4")
    """
    if atol is None and rtol is None:
        raise ValueError("check.close needs a bound: give atol=, rtol= or both, and why= in words")
    bound = (0.0 if atol is None else atol, 0.0 if rtol is None else rtol)

    def same(a: Any, b: Any) -> bool:
        return difference(a, b, bound=bound, why=why, dtype=False) is None

    message = difference(got, expected, bound=bound, why=why, dtype=dtype)
    if message is not None:
        raise Failure(message, diagnose(got, mistakes, same, expected), given)


def like(got: Any, shape: tuple | None = None, dtype: torch.dtype | None = None, name: str = "the result") -> None:
    """Pass when ``got`` is a tensor of this shape and dtype (None: any).

    >>> like(torch.zeros(2, 3), shape=(2, 3), dtype=torch.float32)
    >>> like(torch.zeros(2), dtype=torch.int8, name="codes")
    Traceback (most recent call last):
    effkit.check.failure.Failure: codes has dtype torch.float32; torch.int8 is expected
    """
    message = wrong_tensor(got, shape, dtype, name)
    if message:
        raise Failure(message)


def raises(kind: type[BaseException], f: Callable, *args: Any, mistakes: dict | None = None, **kwargs: Any) -> str:
    """Pass when ``f(*args, **kwargs)`` raises ``kind``, and return the error's message.

    Another exception passes through unchanged; no exception raises ``Failure``. ``mistakes`` diagnoses what came back.

    >>> raises(ValueError, int, "x")
    "invalid literal for int() with base 10: 'x'"
    """
    try:
        result = f(*args, **kwargs)
    except kind as error:
        return str(error)
    given = {f"argument {i + 1}": value for i, value in enumerate(args)} | kwargs
    message = f"{kind.__name__} must be raised here; your function returned {show(result)}"
    raise Failure(message, diagnose(result, mistakes, lambda a, b: difference(a, b) is None), given)


def difference(got: Any, expected: Any, bound: tuple | None = None, why: str = "", dtype: bool = True,
               signed_zero: bool = False, where: str = "the result") -> str | None:
    """How ``got`` differs from ``expected`` in a sentence, or None; ``bound`` is (atol, rtol), None for exact."""
    sentence = wrong_kind(got, expected, dtype, where)
    if sentence:
        return sentence
    if isinstance(expected, (torch.Tensor, np.ndarray)):
        return _tensors(_tensor(got), _tensor(expected), bound, why, signed_zero, where)
    if isinstance(expected, (tuple, list, dict)):
        keys = expected.keys() if isinstance(expected, dict) else range(len(expected))
        inside = (difference(got[k], expected[k], bound, why, dtype, signed_zero, f"item {k!r} of {where}")
                  for k in keys)
        return next((text for text in inside if text), None)
    if isinstance(expected, (int, float, complex)) and not isinstance(expected, bool):
        wide = torch.complex128 if isinstance(expected, complex) else (
            torch.float64 if bound or isinstance(expected, float) else None)
        if wide:
            return _tensors(torch.tensor(got, dtype=wide), torch.tensor(expected, dtype=wide), bound, why, signed_zero,
                            where)
    return None if got == expected else f"{_start(where)}expected {show(expected)}, got {show(got)}"


def _tensor(value: Any) -> torch.Tensor:
    value = torch.from_numpy(np.ascontiguousarray(value)) if isinstance(value, np.ndarray) else value.detach()
    if value.is_complex():
        return value.to(torch.complex128)
    exact = value.dtype in (torch.float64, torch.int64, torch.bool)
    return value if exact else value.to(torch.float64 if value.is_floating_point() else torch.int64)


def _tensors(got: torch.Tensor, expected: torch.Tensor, bound: tuple | None, why: str, signed_zero: bool,
             where: str) -> str | None:
    if got.dtype != expected.dtype:
        got, expected = got.to(torch.float64), expected.to(torch.float64)
    if got.shape != expected.shape:
        return f"{where} has shape {tuple(got.shape)}; {tuple(expected.shape)} is expected"
    wrong = _wrong(got, expected, bound, signed_zero)
    count = int(wrong.sum())
    if not count:
        return None
    nans = got.isnan() & ~expected.isnan() if got.is_floating_point() or got.is_complex() else torch.zeros_like(wrong)
    if nans.any():
        return f"{_start(where)}{int(nans.sum())} of {got.numel()} values are NaN{_at(nans)}; none is expected there"
    first = tuple(wrong.nonzero()[0].tolist()) if wrong.dim() else ()
    text = f"{_start(where)}expected {_item(expected, first)}, got {_item(got, first)}"
    text += f" at index {_index(first)} ({count} of {got.numel()} values differ)" if got.numel() > 1 else ""
    return text + (_bound_text(got, expected, bound, why, first) if bound else "")


def _wrong(got: torch.Tensor, expected: torch.Tensor, bound: tuple | None, signed_zero: bool) -> torch.Tensor:
    same = got == expected
    if got.is_floating_point() or got.is_complex():
        same |= got.isnan() & expected.isnan()
        if signed_zero and not got.is_complex():
            same &= got.isnan() | (torch.signbit(got) == torch.signbit(expected))
    if bound:
        near = (got - expected).abs() <= _allowed(expected, bound)
        same |= near & torch.isfinite(got) & torch.isfinite(expected)
    return ~same


def _allowed(expected: torch.Tensor, bound: tuple) -> torch.Tensor:
    atol = torch.as_tensor(bound[0], dtype=torch.float64)
    return (atol + bound[1] * expected.abs().to(torch.float64)).expand(expected.shape)


def _bound_text(got: torch.Tensor, expected: torch.Tensor, bound: tuple, why: str, first: tuple) -> str:
    error = float((got[first] - expected[first]).abs())
    reason = f" ({why})" if why else ""
    return f"; the error there is {error:.3g}, allowed is {float(_allowed(expected, bound)[first]):.3g}{reason}"


def _item(value: torch.Tensor, index: tuple) -> str:
    return number(value[index].item())


def _at(mask: torch.Tensor) -> str:
    return f", the first at index {_index(tuple(mask.nonzero()[0].tolist()))}" if mask.dim() else ""


def _index(index: tuple) -> str:
    return str(index[0]) if len(index) == 1 else str(index)


def _start(where: str) -> str:
    return "" if where == "the result" else f"{where}: "
