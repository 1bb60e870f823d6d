"""A Llama-2-style language model of plain nn.Linear layers, and the reader of llama2.c's checkpoint files.

Llama 2 (Touvron et al. 2023, arXiv:2307.09288): RMS normalisation, rotary positions on interleaved pairs, SwiGLU,
several query heads per key head, the output layer tied to the embedding.
"""

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Sizes(NamedTuple):
    """The seven int32 that open a llama2.c file; a negative vocab says that the output layer is not tied."""

    width: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    vocab: int
    length: int


class Attention(nn.Module):
    """Causal attention with rotary positions: (b, t, width) -> (b, t, width)."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.heads, self.kv_heads = sizes.heads, sizes.kv_heads
        narrow = sizes.width // sizes.heads * sizes.kv_heads
        self.query = nn.Linear(sizes.width, sizes.width, bias=False)
        self.key = nn.Linear(sizes.width, narrow, bias=False)
        self.value = nn.Linear(sizes.width, narrow, bias=False)
        self.out = nn.Linear(sizes.width, sizes.width, bias=False)

    def forward(self, x, turns):
        b, t, d = x.shape
        q = rotate(self.query(x).view(b, t, self.heads, -1).transpose(1, 2), turns)
        k = rotate(self.key(x).view(b, t, self.kv_heads, -1).transpose(1, 2), turns)
        v = self.value(x).view(b, t, self.kv_heads, -1).transpose(1, 2)
        k, v = (part.repeat_interleave(self.heads // self.kv_heads, dim=1) for part in (k, v))
        future = torch.ones(t, t, dtype=torch.bool, device=x.device).triu(1)
        scores = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).masked_fill(future, float("-inf"))
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, d))


class Layer(nn.Module):
    """Attention and SwiGLU, each behind an RMS norm: (b, t, width) -> (b, t, width)."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.norm1, self.norm2 = (nn.RMSNorm(sizes.width, eps=1e-5) for _ in range(2))
        self.attention = Attention(sizes)
        self.gate = nn.Linear(sizes.width, sizes.hidden, bias=False)
        self.up = nn.Linear(sizes.width, sizes.hidden, bias=False)
        self.down = nn.Linear(sizes.hidden, sizes.width, bias=False)

    def forward(self, x, turns):
        x = x + self.attention(self.norm1(x), turns)
        z = self.norm2(x)
        return x + self.down(F.silu(self.gate(z)) * self.up(z))


class Llama(nn.Module):
    """Tokens (b, t) int64, t <= `length`, -> logits (b, t, vocab) float32."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.length, self.vocab = sizes.length, abs(sizes.vocab)
        self.embedding = nn.Embedding(self.vocab, sizes.width)
        self.layers = nn.ModuleList(Layer(sizes) for _ in range(sizes.layers))
        self.norm = nn.RMSNorm(sizes.width, eps=1e-5)
        self.head = nn.Linear(sizes.width, self.vocab, bias=False)
        if sizes.vocab > 0:
            self.head.weight = self.embedding.weight
        pairs = torch.arange(0, sizes.width // sizes.heads, 2) / (sizes.width // sizes.heads)
        angles = torch.outer(torch.arange(sizes.length).float(), 10000.0**-pairs)
        self.register_buffer("turns", torch.stack([angles.cos(), angles.sin()]), persistent=False)

    def forward(self, tokens):
        t = tokens.shape[-1]
        if t > self.length:
            raise ValueError(f"tokens of shape {tuple(tokens.shape)}: the model reads at most {self.length} tokens")
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x, self.turns[:, :t])
        return self.head(self.norm(x))


def rotate(x, turns):
    """Turn each pair (x[2i], x[2i+1]) of `x` (..., t, d) by its angle; `turns` (2, t, d / 2) are the cosines and sines.

    >>> rotate(torch.tensor([[1.0, 0.0]]), torch.tensor([[[0.0]], [[1.0]]])).tolist()
    [[0.0, 1.0]]
    """
    cos, sin = turns
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


def read_llama(path: Path) -> Llama:
    """The model of a llama2.c checkpoint (float32, the first version of the format) in eval mode.

    ValueError when the size of the file does not fit the sizes in its head.
    """
    raw = Path(path).read_bytes()
    if len(raw) < 28:
        raise ValueError(f"{path} holds {len(raw)} bytes; a llama2.c checkpoint opens with 28 bytes of sizes")
    sizes = Sizes(*struct.unpack("<7i", raw[:28]))
    model = Llama(sizes)
    slots = _slots(model, sizes)
    need = sum(slot.numel() if isinstance(slot, torch.Tensor) else slot for slot in slots)
    if len(raw) != 28 + 4 * need:
        raise ValueError(f"{path} holds {len(raw)} bytes, but sizes {tuple(sizes)} need {28 + 4 * need}")
    numbers = torch.from_numpy(np.frombuffer(raw, "<f4", offset=28).copy())
    with torch.no_grad():
        for slot in slots:
            count = slot.numel() if isinstance(slot, torch.Tensor) else slot
            if isinstance(slot, torch.Tensor):
                slot.copy_(numbers[:count].view(slot.shape))
            numbers = numbers[count:]
    return model.eval()


def _slots(model: Llama, sizes: Sizes) -> list:
    """The tensors in the order of the file; a number stands for that many values to skip (its own tables of angles)."""
    layers = model.layers
    slots = [model.embedding.weight, *(layer.norm1.weight for layer in layers)]
    for part in ("query", "key", "value", "out"):
        slots += [getattr(layer.attention, part).weight for layer in layers]
    slots += [layer.norm2.weight for layer in layers]
    for part in ("gate", "down", "up"):
        slots += [getattr(layer, part).weight for layer in layers]
    slots += [model.norm.weight, sizes.length * (sizes.width // sizes.heads)]
    return slots if sizes.vocab > 0 else [*slots, model.head.weight]
