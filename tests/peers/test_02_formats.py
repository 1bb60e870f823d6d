"""Lesson 02's formats agree with ml_dtypes and with torch's own casts; where those differ, a test says how."""

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from effkit import course

ml_dtypes = pytest.importorskip("ml_dtypes")

SOURCE = Path(__file__).parents[2] / "solutions" / "02_floating_point.py"


@cache
def lesson():
    """The names of the lesson: its helpers and its solved exercises."""
    stage = course.Stage(course.read(SOURCE))
    stage.play()
    return SimpleNamespace(**stage.names)


def same_values(got, expected):
    """Equal values, NaN equal to NaN, zeros of equal sign."""
    got, expected = (torch.as_tensor(values).double().numpy() for values in (got, expected))
    numbers = ~np.isnan(expected)
    return (np.array_equal(got, expected, equal_nan=True)
            and np.array_equal(np.signbit(got[numbers]), np.signbit(expected[numbers])))


def random_numbers(fmt, seed, count=100_000):
    """float32 numbers of every size that the format can hold, with many exact ties among them."""
    k, g = lesson(), torch.Generator().manual_seed(seed)
    values = k.decode(torch.arange(2 ** (fmt.bits - 1)), fmt)
    values = values[values.isfinite()]
    ties = ((values[1:] + values[:-1]) / 2).float()
    low = 1 - 2 ** (fmt.exponent - 1) - fmt.mantissa
    high = int(np.log2(k.largest(fmt)))
    x = torch.randn(count, generator=g) * 2.0 ** torch.randint(max(low, -140), high + 1, (count,), generator=g).double()
    x = torch.cat([x.float(), ties, -ties])
    return x[x.abs() <= k.largest(fmt)]


@pytest.mark.parametrize("name, dtype", [("E4M3", "float8_e4m3fn"), ("E5M2", "float8_e5m2")])
def test_all_256_codes_of_the_8_bit_formats_decode_like_ml_dtypes(name, dtype):
    k = lesson()
    peer = np.arange(256, dtype=np.uint8).view(getattr(ml_dtypes, dtype)).astype(np.float64)
    assert same_values(k.decode(torch.arange(256), getattr(k, name)), peer)


def test_all_16_codes_of_e2m1_decode_like_ml_dtypes():
    k = lesson()
    peer = np.arange(16, dtype=np.uint8).view(ml_dtypes.float4_e2m1fn).astype(np.float64)
    assert same_values(k.decode(torch.arange(16), k.E2M1), peer)


@pytest.mark.parametrize("seed", (0, 1, 2))
@pytest.mark.parametrize("name, dtype, bits", [
    ("E4M3", "float8_e4m3fn", np.uint8), ("E5M2", "float8_e5m2", np.uint8), ("E2M1", "float4_e2m1fn", np.uint8),
    ("BF16", "bfloat16", np.uint16)])
def test_numbers_in_range_encode_like_ml_dtypes(name, dtype, bits, seed):
    k = lesson()
    fmt = getattr(k, name)
    x = random_numbers(fmt, seed)
    peer = x.numpy().astype(getattr(ml_dtypes, dtype)).view(bits).astype(np.int64)
    assert np.array_equal(k.encode(x, fmt).numpy(), peer)


@pytest.mark.parametrize("seed", (0, 1, 2))
@pytest.mark.parametrize("name, dtype, bits", [
    ("E4M3", torch.float8_e4m3fn, torch.uint8), ("E5M2", torch.float8_e5m2, torch.uint8),
    ("BF16", torch.bfloat16, torch.int16), ("FP16", torch.float16, torch.int16)])
def test_numbers_in_range_encode_like_torch(name, dtype, bits, seed):
    k = lesson()
    fmt = getattr(k, name)
    x = random_numbers(fmt, seed)
    assert torch.equal(k.encode(x, fmt), x.to(dtype).view(bits).long() & (2**fmt.bits - 1))


def test_the_bit_trick_of_bfloat16_agrees_with_torch_and_ml_dtypes_on_any_pattern():
    k = lesson()
    bits = torch.randint(-(2**31), 2**31, (200_000,), generator=torch.Generator().manual_seed(0)).to(torch.int32)
    x = bits.view(torch.float32)
    got = k.to_bfloat16(x)
    assert same_values(got, x.to(torch.bfloat16).float())
    with np.errstate(invalid="ignore"):  # converting a signalling NaN
        assert same_values(got, x.numpy().astype(ml_dtypes.bfloat16).astype(np.float32))


def test_difference_beyond_464_the_lesson_and_torch_saturate_e4m3_and_ml_dtypes_makes_nan():
    """464 is the tie between 448 and the 480 that E4M3 lacks: it goes to 448 (even) everywhere."""
    k = lesson()
    x = torch.tensor([449.0, 464.0, 465.0, 1e9, float("inf")])
    assert k.cast(x, k.E4M3).tolist() == [448.0] * 5
    assert x.to(torch.float8_e4m3fn).float().tolist() == [448.0] * 5
    peer = x.numpy().astype(ml_dtypes.float8_e4m3fn).astype(np.float64)
    assert peer[:2].tolist() == [448.0, 448.0] and np.isnan(peer[2:]).all()


def test_agreement_beyond_the_largest_value_e5m2_becomes_infinite_everywhere():
    k = lesson()
    x = torch.tensor([57344.0, 61439.0, 61440.0, 1e9])
    expected = [57344.0, 57344.0, float("inf"), float("inf")]
    assert k.cast(x, k.E5M2).tolist() == expected
    assert x.to(torch.float8_e5m2).float().tolist() == expected
    assert x.numpy().astype(ml_dtypes.float8_e5m2).astype(np.float64).tolist() == expected


def test_agreement_e2m1_saturates_at_six_in_ml_dtypes_too():
    k = lesson()
    x = torch.tensor([5.0, 6.5, 100.0, -100.0])
    assert k.cast(x, k.E2M1).tolist() == [4.0, 6.0, 6.0, -6.0]
    assert x.numpy().astype(ml_dtypes.float4_e2m1fn).astype(np.float64).tolist() == [4.0, 6.0, 6.0, -6.0]


@pytest.mark.parametrize("name, dtype", [("E4M3", "float8_e4m3fn"), ("E5M2", "float8_e5m2"), ("E2M1", "float4_e2m1fn")])
def test_ties_go_to_the_even_code_in_the_lesson_and_in_ml_dtypes(name, dtype):
    k = lesson()
    fmt = getattr(k, name)
    values = k.decode(torch.arange(2 ** (fmt.bits - 1)), fmt)
    values = values[values.isfinite()]
    ties = (values[1:] + values[:-1]) / 2
    codes = k.encode(ties, fmt)
    assert (codes % 2 == 0).all()
    assert np.array_equal(codes.numpy(), ties.numpy().astype(getattr(ml_dtypes, dtype)).view(np.uint8).astype(np.int64))


def test_difference_float64_the_lesson_rounds_once_and_torch_goes_through_float32():
    """Just above a tie of fp16: correct is up; by way of float32 the number falls on the tie and goes down."""
    k = lesson()
    x = torch.tensor([1 + 2.0**-11 + 2.0**-40], dtype=torch.float64)
    assert k.cast(x, k.FP16).item() == 1 + 2.0**-10
    assert k.cast(x.float(), k.FP16).item() == 1.0
    assert x.float().half().item() == 1.0
