"""What lesson 02 claims holds over three seeds: flushed gradients, stalled sums, double rounding, weights by format."""

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from effkit import course, lab

SOURCE = Path(__file__).parents[2] / "solutions" / "02_floating_point.py"
SEEDS = (0, 1, 2)


@cache
def lesson():
    """The names of the lesson: its helpers and its solved exercises."""
    stage = course.Stage(course.read(SOURCE))
    stage.play()
    return SimpleNamespace(**stage.names)


def share_of_zeros(x):
    return (x == 0).double().mean().item()


def gradients(seed):
    return 1e-6 * torch.randn(20_000, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_small_gradients_vanish_in_fp16_and_e5m2_but_not_in_bf16(seed):
    k, grads = lesson(), gradients(seed)
    assert share_of_zeros(grads) == 0
    # half of fp16's smallest value is 2**-25, and P(|z| < 2**-25 / 1e-6) = 2.38 %; five standard deviations are 0.54 %
    assert share_of_zeros(k.cast(grads, k.FP16)) == pytest.approx(0.0238, abs=0.0054)
    assert share_of_zeros(k.cast(grads, k.E5M2)) > 0.999
    assert share_of_zeros(k.cast(grads, k.BF16)) == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_loss_scale_rescues_them_and_a_small_one_does_not(seed):
    k, grads = lesson(), gradients(seed)
    for fmt in (k.FP16, k.E5M2):
        scale = k.loss_scale(grads, fmt)
        scaled = k.cast(grads.double() * scale, fmt)
        assert share_of_zeros(scaled) < 1e-3
        assert scaled.isfinite().all()
        assert (grads.double() * 2 * scale).abs().max() > k.largest(fmt)  # and twice the scale would not fit
        assert share_of_zeros(k.cast(grads.double() * 2, fmt)) > 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_gradients_near_one_survive_in_every_training_format(seed):
    k, grads = lesson(), 1e6 * gradients(seed)
    for fmt in (k.FP16, k.BF16, k.E5M2, k.E4M3):
        assert share_of_zeros(k.cast(grads, fmt)) < 0.003


@pytest.mark.parametrize("name, limit", [("FP16", 2048), ("BF16", 256), ("E4M3", 16)])
def test_a_running_sum_of_ones_stalls_where_the_step_reaches_two(name, limit):
    k = lesson()
    fmt, total = getattr(k, name), torch.tensor(float(limit - 10), dtype=torch.float64)
    for _ in range(30):
        total = k.cast(total + 1, fmt)
    assert total.item() == limit
    assert torch.ones(limit + 100, dtype=torch.bfloat16).float().sum().item() == limit + 100


@pytest.mark.parametrize("seed", SEEDS)
def test_double_rounding_errs_less_with_every_bit_in_between(seed):
    k = lesson()
    x = torch.randn(50_000, generator=torch.Generator().manual_seed(seed))
    direct = k.encode(x, k.E4M3)
    between = {m: k.encode(k.cast(x, k.Format(8, m, True)), k.E4M3) for m in (5, 6, 7, 9)}
    differ = {m: (codes != direct).double().mean().item() for m, codes in between.items()}
    assert 0.02 < differ[7] < 0.045
    assert differ[5] > 1.6 * differ[6] > 1.6 * 1.6 * differ[7] > 4 * differ[9]
    assert torch.equal(k.encode(x.double(), k.E4M3), direct)


@pytest.fixture(scope="module")
def charlm():
    if not (lab.available("charlm") and lab.available("stdlib")):
        pytest.skip("the character model is not here")
    torch.set_num_threads(1)
    return lab.load("charlm"), lab.load("stdlib").test


@pytest.mark.parametrize("seed", SEEDS)
def test_a_language_model_keeps_its_perplexity_in_eight_bits_but_not_in_four_without_a_scale(charlm, seed):
    k, (model, tokens) = lesson(), charlm
    tokens = tokens[seed * 1500 :]

    def perplexity(f):
        return lab.perplexity(lab.with_weights(model, f), tokens, windows=16)

    baseline = lab.perplexity(model, tokens, windows=16)
    for fmt, worst in ((k.BF16, 1.01), (k.E4M3, 1.03), (k.E5M2, 1.05)):
        assert perplexity(lambda w, fmt=fmt: k.cast(w, fmt).float()) < worst * baseline
    nothing = perplexity(torch.zeros_like)
    assert nothing > 5 * baseline
    assert perplexity(lambda w: k.cast(w, k.E2M1).float()) > 5 * baseline


def test_each_mantissa_bit_of_the_weights_buys_six_decibels(charlm):
    k = lesson()
    weights = torch.cat([m.weight.flatten() for m in charlm[0].modules() if isinstance(m, torch.nn.Linear)]).detach()
    snr = {fmt.mantissa: lab.snr_db(weights, k.cast(weights, fmt)) for fmt in (k.BF16, k.E4M3, k.E5M2)}
    assert (snr[7] - snr[3]) / 4 == pytest.approx(6.02, abs=0.5)
    assert snr[3] - snr[2] == pytest.approx(6.02, abs=0.7)
