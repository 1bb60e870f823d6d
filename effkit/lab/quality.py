"""How good a model is, and how far two tensors are apart."""

import math

import torch
from torch.nn import functional as F


@torch.no_grad()
def accuracy(model, x, y) -> float:
    """Share of rows of `x` (n, ...) whose largest logit is the label `y` (n,) int64: a float in [0, 1].

    >>> accuracy(lambda x: x, torch.eye(3), torch.tensor([0, 1, 0]))  # doctest: +ELLIPSIS
    0.666...
    """
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} rows and y has {len(y)}; each row needs one label")
    return float((model(x).argmax(-1) == y).float().mean())


@torch.no_grad()
def perplexity(model, tokens, length=64, windows=64) -> float:
    """Perplexity of a language model, ``model(tokens (b, t) int64) -> logits (b, t, V)``, on a stream of tokens.

    `tokens` (n,) int64 is cut into at most `windows` windows of `length` predictions each, one after the other;
    the first token of a window is only read.  The result is exp of the mean cross-entropy in nats.
    Raises ValueError when there are not `length` + 1 tokens.

    >>> perplexity(lambda t: torch.zeros(*t.shape, 8), torch.arange(100) % 8, length=9)  # a fair die with 8 sides
    8.0
    """
    windows = min(windows, (len(tokens) - 1) // length)
    if windows < 1:
        raise ValueError(f"{len(tokens)} tokens are too few: one window needs length + 1 = {length + 1}")
    index = torch.arange(windows)[:, None] * length + torch.arange(length + 1)
    x = torch.as_tensor(tokens)[index]
    losses = [_loss(model, part) for part in x.split(32)]
    return round(math.exp(sum(losses) / (windows * length)), 6)


def _loss(model, x) -> float:
    logits = model(x[:, :-1]).float()
    return float(F.cross_entropy(logits.flatten(0, 1), x[:, 1:].flatten(), reduction="none").double().sum())


def snr_db(x, y) -> float:
    """Signal-to-noise ratio in decibels of an approximation `y` of `x`, any equal shapes: 10 log10(|x|^2 / |x - y|^2).

    Infinite when y equals x.  Computed in float64.

    >>> round(snr_db(torch.tensor([3.0, 4.0]), torch.tensor([3.0, 4.5])), 2)
    20.0
    """
    x, y = torch.as_tensor(x).double(), torch.as_tensor(y).double()
    if x.shape != y.shape:
        raise ValueError(f"x has shape {tuple(x.shape)} and y has shape {tuple(y.shape)}; they must be equal")
    noise = float((x - y).square().sum())
    signal = float(x.square().sum())
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal else -math.inf
