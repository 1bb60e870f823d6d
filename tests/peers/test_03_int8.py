"""Lesson 03 against libraries in use: torch._int_mm, bitsandbytes, gguf; the differences on purpose are stated."""

import warnings
from pathlib import Path

import pytest
import torch

from effkit import course

SOURCE = Path(__file__).parents[2] / "solutions" / "03_absmax_int8.py"


@pytest.fixture(scope="module")
def lesson():
    stage = course.Stage(course.read(SOURCE))
    stage.play()
    return dict(stage.names)


def matrix(rows, columns, seed):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("seed", range(3))
def test_int8_linear_equals_the_integer_product_of_torch(lesson, seed):
    x, w = matrix(32, 64, seed), matrix(48, 64, seed + 10)
    codes, scale = lesson["quantize_rows"](w)
    x_codes, x_scale = lesson["quantize_rows"](x)
    total = torch._int_mm(x_codes, codes.T.contiguous())
    assert total.dtype == torch.int32
    expected = total.double() * x_scale.double() * scale.T.double()
    # Two float32 products round the exact integer: relative error of a few eps.
    torch.testing.assert_close(lesson["int8_linear"](x, codes, scale).double(), expected, rtol=4 * 2**-23, atol=0)


def test_quantize_rows_agrees_with_bitsandbytes_row_wise(lesson):
    """bitsandbytes returns max|row| where we return the step max|row| / 127, and quantizes float16 input.

    It multiplies by 127 / max|row| where we divide by the step, so a value next to a half may differ by one code.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        functional = pytest.importorskip("bitsandbytes.functional")
    w = matrix(40, 96, 0).half()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, reach, _ = functional.int8_vectorwise_quant(w)
    codes, scale = lesson["quantize_rows"](w)
    torch.testing.assert_close(scale[:, 0] * 127, reach.float().flatten(), rtol=1e-6, atol=0)
    difference = (codes.int() - theirs.int()).abs()
    near_a_half = ((w.double() / scale.double()).remainder(1) - 0.5).abs() < 1e-3
    assert int(difference.max()) <= 1
    assert not bool((difference > 0)[~near_a_half].any())


def test_quantize_groups_agrees_with_q8_0_of_gguf(lesson):
    """Q8_0: groups of 32, largest code 127, but halves go AWAY from zero and the scale is stored as float16.

    Codes are computed with the scale before it is cut to float16, so ours agree except at exact halves.
    """
    quants = pytest.importorskip("gguf.quants")
    constants = pytest.importorskip("gguf.constants")
    w = matrix(6, 96, 1)
    raw = torch.from_numpy(quants.quantize(w.numpy(), constants.GGMLQuantizationType.Q8_0).copy()).reshape(6, 3, 34)
    their_scale = raw[..., :2].contiguous().view(torch.float16)[..., 0]
    theirs = raw[..., 2:].contiguous().view(torch.int8).reshape(6, 96)
    codes, scale = lesson["quantize_groups"](w, 32, 8)
    torch.testing.assert_close(scale, their_scale.float(), rtol=2**-11, atol=0)  # half a unit of float16
    difference = (codes.int() - theirs.int()).abs()
    near_a_half = ((w.double() / lesson["spread"](scale, 32, 96).double()).remainder(1) - 0.5).abs() < 1e-4
    assert int(difference.max()) <= 1
    assert not bool((difference > 0)[~near_a_half].any())


def test_gguf_rounds_halves_away_from_zero_and_we_round_them_to_even(lesson):
    quants = pytest.importorskip("gguf.quants")
    constants = pytest.importorskip("gguf.constants")
    w = torch.zeros(1, 32)
    w[0, :4] = torch.tensor([127.0, 2.5, 3.5, -2.5])
    raw = quants.quantize(w.numpy(), constants.GGMLQuantizationType.Q8_0)
    theirs = torch.from_numpy(raw.copy()).flatten()[2:].view(torch.int8)
    assert theirs[:4].tolist() == [127, 3, 4, -3]
    assert lesson["quantize_groups"](w, 32, 8)[0][0, :4].tolist() == [127, 2, 4, -2]


def test_our_step_uses_127_where_a_full_range_quantizer_uses_127_and_a_half(lesson):
    """Libraries that also use -128 (torch.ao and torchao's symmetric mapping) divide by 127.5: 0.4 % smaller steps.

    torch's own fake quantization, given our step and our range, agrees with us exactly.
    """
    x = matrix(20, 20, 2)
    codes, scale = lesson["absmax_quantize"](x)
    full_range = x.abs().max() / 127.5
    assert float(scale / full_range) == pytest.approx(127.5 / 127, rel=1e-6)
    peer = torch.fake_quantize_per_tensor_affine(x, float(scale), 0, -127, 127)
    difference = (peer - lesson["dequantize"](codes, scale)).abs()
    near_a_half = ((x.double() / scale.double()).remainder(1) - 0.5).abs() < 1e-4
    assert not bool((difference > float(scale) / 2)[~near_a_half].any())


def test_affine_codes_agree_with_the_fake_quantization_of_torch(lesson):
    x = matrix(20, 20, 3) + 1
    codes, scale, zero_point = lesson["affine_quantize"](x)
    peer = torch.fake_quantize_per_tensor_affine(x, float(scale), zero_point, 0, 255)
    difference = (peer - lesson["dequantize"](codes, scale, zero_point)).abs()
    near_a_half = ((x.double() / scale.double()).remainder(1) - 0.5).abs() < 1e-4
    assert not bool((difference > float(scale) / 2)[~near_a_half].any())
