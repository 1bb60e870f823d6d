"""Counters see torch and numpy; gradients come back named."""

import numpy as np
import pytest
import torch

from effkit import check


def loop_sum(x):
    total = 0.0
    for value in x:
        total = total + value
    return total


def test_allocations_are_seen_in_torch_and_in_numpy():
    n = 500
    for square in (lambda x: (x[:, None] - x[None]).sum(), lambda x: torch.from_numpy(
            x.numpy()[:, None] - x.numpy()[None]).sum()):
        assert n * n * 4 <= check.allocates(square, torch.ones(n)) < n * n * 4 * 1.5
    assert check.allocates(lambda x: x.view(-1)[1:], torch.ones(1000, 1000)) < 100_000


def test_a_python_loop_shows_whatever_library_its_body_uses():
    assert check.operations(torch.sum, torch.ones(1000)) < 10
    assert check.operations(loop_sum, torch.ones(1000)) >= 1000
    assert check.operations(loop_sum, np.ones(1000)) >= 1000
    assert check.operations(lambda x: [v + 1 for v in x], np.ones(1000)) >= 1000


def test_saved_bytes_counts_new_storages_once():
    x = torch.ones(100, requires_grad=True)
    assert check.saved_bytes(lambda x: x.exp().exp(), x) == 800
    assert check.saved_bytes(lambda x: x * x, x) == 0
    assert check.saved_bytes(lambda x: x + 1, x) == 0


def test_stored_bytes_tells_real_int8_from_float32_in_disguise():
    assert check.stored_bytes(torch.zeros(64, dtype=torch.int8)) == 64
    assert check.stored_bytes(torch.zeros(64)) == 256
    assert check.stored_bytes(np.zeros(8, dtype=np.uint8)) == 8
    assert check.stored_bytes(torch.zeros(1).expand(1000)) == 4
    assert check.stored_bytes({"w": torch.zeros(2, 2), "n": (1, None)}) == 24
    assert check.stored_bytes(torch.nn.Linear(3, 2)) == 32
    with pytest.raises(TypeError, match="cannot count the bytes of a set"):
        check.stored_bytes({1})


def test_gradients_of_inputs_and_named_parameters():
    layer = torch.nn.Linear(3, 2)
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    cotangent = torch.ones(4, 2) * 2
    value, inputs, parameters = check.value_and_grad(layer, x, cotangent=cotangent, parameters=["weight", "bias"])
    assert torch.equal(value, layer(x)) and not value.requires_grad
    assert torch.allclose(inputs[0], cotangent @ layer.weight)
    assert torch.allclose(parameters["weight"], cotangent.T @ x)
    assert torch.equal(parameters["bias"], torch.full((2,), 8.0))
    assert not x.requires_grad and layer.weight.grad is None


def test_whole_numbers_get_no_gradient_and_unreached_inputs_zero():
    _, inputs, _ = check.value_and_grad(lambda i, x, y: x[i], torch.tensor([0]), torch.ones(2), torch.ones(3))
    assert inputs[0] is None and inputs[1].tolist() == [1, 0] and inputs[2].tolist() == [0, 0, 0]


@pytest.mark.parametrize("f, said", [
    (lambda x: x.detach(), "no gradient flows"),
    (lambda x: 3.0, "returned a float"),
    (lambda x: x.sum(), "has shape ()"),
])
def test_results_without_a_usable_gradient_fail_with_a_sentence(f, said):
    with pytest.raises(check.Failure, match=said.replace("(", r"\(").replace(")", r"\)")):
        check.value_and_grad(f, torch.ones(2), cotangent=torch.ones(2))
