"""Time, bytes, parameters, multiply-adds."""

import numpy as np
import pytest
import torch
from torch import nn

from effkit import lab


def test_the_clock_counts_every_call_and_orders_its_spread():
    calls = []
    timing = lab.clock(lambda: calls.append(1), repeats=7)
    assert len(calls) == 7 + 3 and timing.repeats == 7
    assert 0 <= timing.low <= timing.median <= timing.high
    assert "repeats" in str(timing)
    with pytest.raises(ValueError, match="at least 1"):
        lab.clock(lambda: None, repeats=0)


def test_bytes_are_those_stored():
    x = torch.zeros(10)
    assert lab.nbytes(x) == 40 and lab.nbytes(x.to(torch.int8)) == 10 and lab.nbytes(np.zeros(3)) == 24
    assert lab.nbytes((x, x)) == 40, "the same memory counts once"
    assert lab.nbytes({"codes": x.to(torch.int8), "scale": torch.tensor(1.0), "bits": 8}) == 14
    with pytest.raises(TypeError, match="str"):
        lab.nbytes("abc")


def test_a_tied_layer_counts_once():
    layer = nn.Linear(4, 4, bias=False)
    assert lab.parameters(nn.Sequential(layer, layer)) == 16 and lab.nbytes(nn.Sequential(layer, layer)) == 64


@pytest.mark.parametrize(
    ("f", "shapes", "expected"),
    [
        (torch.matmul, [(2, 3), (3, 5)], 30),
        (torch.matmul, [(7, 2, 3), (7, 3, 5)], 210),
        (torch.mv, [(4, 3), (3,)], 12),
        (torch.dot, [(9,), (9,)], 9),
        (nn.functional.linear, [(2, 6, 3), (5, 3), (5,)], 180),
    ],
)
def test_multiply_adds_follow_the_textbook(f, shapes, expected):
    assert lab.multiply_adds(f, *(torch.ones(shape) for shape in shapes)) == expected


def test_multiply_adds_see_integer_products():
    x, w = torch.ones(32, 16, dtype=torch.int8), torch.ones(16, 8, dtype=torch.int8)
    assert lab.multiply_adds(lambda: x.int() @ w.int()) == lab.multiply_adds(torch._int_mm, x, w) == 32 * 16 * 8


def test_multiply_adds_of_the_digits_model_are_the_sizes_of_its_weights():
    assert lab.multiply_adds(lab.mlp(), torch.zeros(1, 64)) == 64 * 300 + 300 * 100 + 100 * 10
