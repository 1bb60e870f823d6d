"""Small models, trained in a second, and copies of models with other weights or other linear layers."""

import copy
from contextlib import contextmanager
from functools import cache
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from effkit.lab.seeds import seeded


def mlp(sizes=(64, 300, 100, 10), seed=0) -> nn.Sequential:
    """Linear layers of the given sizes with ReLU between: (n, sizes[0]) -> (n, sizes[-1]) float32.

    >>> mlp((4, 8, 3))
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): ReLU()
      (2): Linear(in_features=8, out_features=3, bias=True)
    )
    """
    with seeded(seed):
        layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def train(model, x, y, steps=600, lr=1.2e-3, batch=60, seed=0):
    """Train `model` in place with Adam and cross-entropy; returns it in eval mode.

    Rows `x` (n, ...), labels `y` (n,) int64; `steps` batches of `batch` rows drawn with `seed`.

    >>> x = torch.eye(4).repeat(8, 1)
    >>> model = train(mlp((4, 16, 4)), x, x.argmax(1), steps=100, lr=1e-2, batch=8)
    >>> bool((model(x).argmax(1) == x.argmax(1)).all())
    True
    """
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} rows and y has {len(y)}; each row needs one label")
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    model.train()
    with one_thread():
        for _ in range(steps):
            rows = torch.randint(0, len(x), (batch,), generator=generator)
            loss = F.cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()


@contextmanager
def one_thread():
    """Run torch on one thread within this context: matrices this small lose more by sharing than they gain.

    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def digits_model(seed=0) -> nn.Sequential:
    """An MLP 64-300-100-10 trained on the digits, once per process and seed (a second); a fresh copy at each call.

    >>> digits_model()[0].weight.shape
    torch.Size([300, 64])
    """
    return copy.deepcopy(_trained(seed))


@cache
def _trained(seed):
    from effkit.lab.sets import load

    digits = load("digits")
    return train(mlp(seed=seed), digits.x_train, digits.y_train, seed=seed)


def with_weights(model: nn.Module, f) -> nn.Module:
    """A deep copy of `model` in which the weight (out, in) of every nn.Linear is ``f(weight)``, biases as they were.

    `f` gets a detached float32 tensor and returns one of the same shape, else ValueError.

    >>> model = with_weights(mlp((2, 2)), torch.zeros_like)
    >>> model[0].weight.abs().sum().item()
    0.0
    """
    changed = copy.deepcopy(model)
    for name, layer in changed.named_modules():
        if isinstance(layer, nn.Linear):
            old = layer.weight.detach()
            new = torch.as_tensor(f(old.clone()))
            if new.shape != old.shape:
                raise ValueError(f"layer {name!r}: f gave shape {tuple(new.shape)} for a weight {tuple(old.shape)}")
            layer.weight = nn.Parameter(new.detach().to(old.dtype))
    return changed


def map_linear(model: nn.Module, f) -> nn.Module:
    """A deep copy of `model` in which every nn.Linear is replaced by ``f(linear)``, a module or any function x -> y.

    >>> model = map_linear(mlp((2, 2)), lambda linear: lambda x: x + 1)
    >>> model(torch.zeros(1, 2)).tolist()
    [[1.0, 1.0]]
    """
    changed = copy.deepcopy(model)
    if isinstance(changed, nn.Linear):
        return _as_module(f(changed))
    for parent in list(changed.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear):
                setattr(parent, name, _as_module(f(child)))
    return changed


class Call(nn.Module):
    """A plain function in the place of a layer."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args):
        return self.function(*args)


def _as_module(value) -> nn.Module:
    if isinstance(value, nn.Module):
        return value
    if not callable(value):
        raise TypeError(f"f(linear) gave a {type(value).__name__}; it must give a module or a function x -> y")
    return Call(value)
