"""Measuring: time with its spread, parameters, bytes really stored, multiply-adds."""

import statistics
import time
from typing import NamedTuple

import numpy as np
import torch
from torch import nn


class Timing(NamedTuple):
    """Seconds of one call: the median, and the 10th and 90th percentile of the repeats."""

    median: float
    low: float
    high: float
    repeats: int

    def __str__(self):
        return f"{self.median * 1e3:.3g} ms ({self.low * 1e3:.3g} to {self.high * 1e3:.3g} in {self.repeats} repeats)"


def clock(f, *args, repeats=20) -> Timing:
    """Time ``f(*args)``: three calls to warm up, then `repeats` timed ones.

    >>> timing = clock(sum, [1, 2, 3], repeats=5)
    >>> timing.low <= timing.median <= timing.high
    True
    """
    if repeats < 1:
        raise ValueError(f"repeats is {repeats}; it must be at least 1")
    for _ in range(3):
        f(*args)
    times = [_once(f, args) for _ in range(repeats)]
    low, high = np.percentile(times, [10, 90])
    return Timing(statistics.median(times), float(low), float(high), repeats)


def _once(f, args) -> float:
    start = time.perf_counter()
    f(*args)
    return time.perf_counter() - start


def parameters(model: nn.Module) -> int:
    """How many numbers the model learns; a parameter used in two places counts once.

    >>> parameters(nn.Linear(3, 2))
    8
    """
    return sum(p.numel() for p in model.parameters())


def nbytes(x) -> int:
    """Bytes really stored by a tensor, an array, a model (parameters and buffers), or a list, tuple or dict of such.

    A view of a larger tensor counts its own elements only; memory met twice counts once; a Python number counts 0.
    TypeError for anything else.

    >>> nbytes(torch.zeros(10, dtype=torch.int8)), nbytes(nn.Linear(3, 2))
    (10, 32)
    """
    return sum({_identity(part): part.nbytes for part in _arrays(x)}.values())


def _identity(part):
    address = part.data_ptr() if isinstance(part, torch.Tensor) else part.__array_interface__["data"][0]
    return address, part.nbytes


def _arrays(x):
    if isinstance(x, (torch.Tensor, np.ndarray)):
        yield x
    elif isinstance(x, nn.Module):
        yield from x.parameters()
        yield from x.buffers()
    elif isinstance(x, dict):
        yield from _arrays(list(x.values()))
    elif isinstance(x, (list, tuple)):
        for part in x:
            yield from _arrays(part)
    elif not (x is None or isinstance(x, (int, float, bool, np.number))):
        raise TypeError(f"nbytes cannot count a {type(x).__name__}; give tensors, arrays, models or a list of them")


def multiply_adds(f, *args) -> int:
    """Multiply-adds of the matrix products, convolutions and attentions that torch runs in ``f(*args)``.

    Additions and other elementwise work are not counted, and numpy is not seen.

    >>> multiply_adds(nn.Linear(3, 2), torch.zeros(5, 3))
    30
    """
    from torch.utils.flop_counter import FlopCounterMode

    aten = torch.ops.aten
    extra = {aten._int_mm: _matrix_product, aten.mv: _matrix_vector, aten.addmv: _plus_matrix_vector, aten.dot: _dot}
    counter = FlopCounterMode(display=False, custom_mapping=extra)
    with torch.no_grad(), counter:
        f(*args)
    return counter.get_total_flops() // 2


def _matrix_product(a_shape, b_shape, *args, out_shape=None, **kwargs) -> int:
    return 2 * a_shape[0] * a_shape[1] * b_shape[1]


def _matrix_vector(a_shape, b_shape, *args, out_shape=None, **kwargs) -> int:
    return 2 * a_shape[0] * a_shape[1]


def _plus_matrix_vector(c_shape, a_shape, b_shape, *args, out_shape=None, **kwargs) -> int:
    return 2 * a_shape[0] * a_shape[1]


def _dot(a_shape, b_shape, *args, out_shape=None, **kwargs) -> int:
    return 2 * a_shape[0]
