"""Training, copying and judging models."""

import math

import pytest
import torch
from torch import nn

from effkit import lab


def test_the_digits_model_reads_digits():
    digits = lab.load("digits")
    assert lab.accuracy(lab.digits_model(), digits.x_test, digits.y_test) > 0.96


def test_the_digits_model_is_a_fresh_copy_each_time():
    lab.digits_model()[0].weight.data.zero_()
    assert lab.digits_model()[0].weight.any()


def test_making_and_training_a_model_leaves_the_global_random_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    x = torch.eye(4)
    lab.train(lab.mlp((4, 8, 4), seed=1), x, x.argmax(1), steps=3, batch=2)
    assert torch.equal(torch.rand(3), expected)


def test_the_same_seed_gives_the_same_model():
    assert torch.equal(lab.mlp(seed=3)[0].weight, lab.mlp(seed=3)[0].weight)
    assert not torch.equal(lab.mlp(seed=3)[0].weight, lab.mlp(seed=4)[0].weight)


def test_with_weights_changes_the_copy_only_and_keeps_biases():
    model = lab.mlp((3, 5, 2))
    changed = lab.with_weights(model, lambda weight: weight * 2)
    assert torch.equal(changed[0].weight, model[0].weight * 2) and torch.equal(changed[0].bias, model[0].bias)
    changed[0].bias.data.zero_()
    assert model[0].bias.any()


def test_with_weights_names_the_layer_whose_shape_was_changed():
    with pytest.raises(ValueError, match="layer '0'.*shape"):
        lab.with_weights(lab.mlp((3, 5, 2)), lambda weight: weight.T)


def test_map_linear_reaches_every_linear_layer_of_the_character_model():
    model, seen = lab.load("charlm"), []
    tokens = lab.load("stdlib").test

    def keep(linear):
        seen.append(linear)
        return lambda x: nn.functional.linear(x, linear.weight, linear.bias)

    mapped = lab.map_linear(model, keep)
    assert len(seen) == 3 * 6 + 1
    assert not any(isinstance(module, nn.Linear) for module in mapped.modules())
    assert lab.perplexity(mapped, tokens, windows=4) == lab.perplexity(model, tokens, windows=4)


def test_map_linear_on_one_linear_layer_gives_the_replacement():
    assert lab.map_linear(nn.Linear(2, 2), lambda linear: nn.Identity())(torch.ones(1)).item() == 1


def test_map_linear_says_what_is_wrong_when_nothing_callable_comes_back():
    with pytest.raises(TypeError, match="must give a module or a function"):
        lab.map_linear(lab.mlp((2, 2)), lambda linear: linear.weight.tolist())


def test_snr_counts_six_decibels_for_half_the_noise():
    x, noise = torch.linspace(-1, 1, 100), torch.linspace(1, -1, 100).flip(0) * 0.01
    assert lab.snr_db(x, x + noise / 2) - lab.snr_db(x, x + noise) == pytest.approx(20 * math.log10(2), abs=1e-3)
    assert lab.snr_db(x, x) == math.inf
    with pytest.raises(ValueError, match="shape"):
        lab.snr_db(x, x[:5])


def test_perplexity_of_a_model_that_knows_the_next_token_is_one():
    def knows(tokens):
        return nn.functional.one_hot((tokens + 1) % 5, 5).float() * 100

    assert lab.perplexity(knows, torch.arange(500) % 5, length=10) == pytest.approx(1)


def test_perplexity_needs_one_whole_window():
    with pytest.raises(ValueError, match="length . 1 = 65"):
        lab.perplexity(lab.load("charlm"), torch.zeros(64, dtype=torch.int64))
