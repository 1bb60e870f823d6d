"""The phenomena that lesson 03 promises, repeated over three seeds with baselines and controls."""

import copy
import os
from pathlib import Path

import pytest
import torch

from effkit import course, lab

SOURCE = Path(__file__).parents[2] / "solutions" / "03_absmax_int8.py"
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def lesson():
    """The names of the lesson: its helpers and its solved exercises."""
    stage = course.Stage(course.read(SOURCE))
    stage.play()
    return dict(stage.names)


@pytest.fixture(scope="module", params=SEEDS)
def model(request):
    return lab.digits_model(request.param)


@pytest.fixture(scope="module")
def digits():
    return lab.load("digits")


def rounded(lesson, w, bits, sharing):
    if sharing == "tensor":
        return lesson["dequantize"](*lesson["absmax_quantize"](w, bits))
    if sharing == "row":
        return lesson["dequantize"](*lesson["quantize_rows"](w, bits))
    codes, scale = lesson["quantize_groups"](w, sharing, bits)
    return lesson["dequantize"](codes, lesson["spread"](scale, sharing, w.shape[1]))


def accuracy(lesson, model, digits, bits, sharing):
    small = lab.with_weights(model, lambda w: rounded(lesson, w, bits, sharing))
    return lab.accuracy(small, digits.x_test, digits.y_test)


def weights(model):
    return torch.cat([layer.weight.detach().flatten() for layer in model if hasattr(layer, "weight")])


def loud(model, factor=50.0):
    changed = copy.deepcopy(model)
    with torch.no_grad():
        changed[0].weight[0] *= factor
        changed[0].bias[0] *= factor
        changed[2].weight[:, 0] /= factor
    return changed


def snr(lesson, model, bits, sharing):
    return lab.snr_db(weights(model), weights(lab.with_weights(model, lambda w: rounded(lesson, w, bits, sharing))))


def integer_model(lesson, model, shift=0):
    def layer(linear):
        codes, scale = lesson["quantize_rows"](linear.weight.detach())
        return lambda x: lesson["int8_linear"](x, codes, scale.roll(shift, 0), linear.bias.detach())

    return lab.map_linear(model, layer)


def test_each_further_bit_buys_about_six_decibels(lesson, model):
    slope = (snr(lesson, model, 8, "tensor") - snr(lesson, model, 4, "tensor")) / 4
    assert 5.7 < slope < 6.8


def test_the_slope_is_the_same_for_noise_and_absent_for_a_matrix_of_signs(lesson):
    for seed in SEEDS:
        noise = torch.randn(100, 100, generator=torch.Generator().manual_seed(seed))
        db = [lab.snr_db(noise, rounded(lesson, noise, bits, "tensor")) for bits in (4, 8)]
        assert 5.7 < (db[1] - db[0]) / 4 < 6.8
        for bits in (2, 4, 8):
            assert torch.equal(rounded(lesson, noise.sign(), bits, "tensor"), noise.sign())


def test_eight_bits_cost_nothing_and_two_bits_cost_much(lesson, model, digits):
    baseline = lab.accuracy(model, digits.x_test, digits.y_test)
    assert baseline > 0.96
    assert abs(accuracy(lesson, model, digits, 8, "tensor") - baseline) < 0.01
    assert accuracy(lesson, model, digits, 2, "tensor") < baseline - 0.2


def test_smaller_sharing_gives_a_better_signal_at_four_bits(lesson, model):
    tensor, row, group = (snr(lesson, model, 4, sharing) for sharing in ("tensor", "row", 16))
    assert tensor + 3 < row < group


def test_a_loud_neuron_ruins_one_scale_per_tensor_but_not_one_per_row(lesson, model, digits):
    changed = loud(model)
    baseline = lab.accuracy(model, digits.x_test, digits.y_test)
    preserved = lab.accuracy(changed, digits.x_test, digits.y_test)
    assert abs(preserved - baseline) < 0.003  # control: the float function is the same
    assert accuracy(lesson, model, digits, 4, "tensor") > baseline - 0.03  # control: no loud neuron, no damage
    assert accuracy(lesson, changed, digits, 4, "tensor") < 0.3
    assert accuracy(lesson, changed, digits, 4, "row") > baseline - 0.03


def test_after_a_relu_affine_codes_have_a_quarter_of_the_squared_error(lesson, model, digits):
    with torch.no_grad():
        before = model[0](digits.x_test)

    def ratio(x):
        symmetric = lesson["dequantize"](*lesson["absmax_quantize"](x))
        affine = lesson["dequantize"](*lesson["affine_quantize"](x))
        return float((x - symmetric).pow(2).mean() / (x - affine).pow(2).mean())

    assert 3.5 < ratio(before.relu()) < 4.6
    assert 0.8 < ratio(before) < 2.6  # control: with both signs the symmetric ruler wastes little


def test_clipping_pays_at_four_bits_and_hard_clipping_hurts_at_eight(lesson, model):
    w = model[2].weight.detach()

    def error(length, bits):
        end = length * float(w.abs().max())
        return float((rounded(lesson, w.clamp(-end, end), bits, "tensor") - w).pow(2).mean())

    assert error(0.6, 4) < 0.8 * error(1.0, 4)
    assert error(0.4, 8) > 2 * error(1.0, 8)


def test_narrow_accumulators_overflow_and_small_codes_do_not_show_it():
    codes, small = torch.full((1, 1000), 127, dtype=torch.int8), torch.ones(1, 100, dtype=torch.int8)
    for dtype, right in ((torch.int8, False), (torch.int16, False), (torch.int32, True)):
        assert (int(codes.to(dtype) @ codes.to(dtype).T) == 127 * 127 * 1000) is right
        assert int(small.to(dtype) @ small.to(dtype).T) == 100


def test_the_whole_model_on_integers_loses_nothing(lesson, model, digits):
    baseline = lab.accuracy(model, digits.x_test, digits.y_test)
    with torch.no_grad():
        logits = model(digits.x_test)
        change = (integer_model(lesson, model)(digits.x_test) - logits).abs().max()
        control = (integer_model(lesson, model, shift=1)(digits.x_test) - logits).abs().max()
    assert abs(lab.accuracy(integer_model(lesson, model), digits.x_test, digits.y_test) - baseline) < 0.006
    assert change < 0.02 * (logits.max() - logits.min())
    assert control > 10 * change  # control: with the neighbour's scales the logits are wrong


@pytest.mark.parametrize("name", ["charlm", "stories260k"])
def test_language_models_want_a_scale_per_row_at_four_bits(lesson, name, monkeypatch):
    shared = Path(__file__).resolve().parents[3] / "shared" / "data"
    if "EFFKIT_DATA" not in os.environ and shared.is_dir():
        monkeypatch.setenv("EFFKIT_DATA", str(shared))
    if not lab.available(name) or (name == "charlm" and not lab.available("stdlib")):
        pytest.skip(f"{name} is not on this machine")
    loaded = lab.load(name)
    lm, tokens = (loaded, lab.load("stdlib").test) if name == "charlm" else (loaded.model, loaded.tokens)

    def quality(bits, sharing):
        return lab.perplexity(lab.with_weights(lm, lambda w: rounded(lesson, w, bits, sharing)), tokens, windows=8)

    baseline = lab.perplexity(lm, tokens, windows=8)
    assert abs(quality(8, "row") / baseline - 1) < 0.02
    assert baseline < quality(4, "row") < quality(4, "tensor")
    assert quality(3, "row") > quality(4, "row")
