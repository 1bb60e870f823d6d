"""A small character language model: a pre-norm transformer over 96 symbols, and its shipped checkpoint."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from effkit.lab.paths import shipped
from effkit.lab.seeds import seeded
from effkit.lab.text import VOCAB


class Block(nn.Module):
    """One transformer layer, causal: (b, t, d) -> (b, t, d)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        x = x + self.attend(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x))))

    def attend(self, z):
        b, t, d = z.shape
        q, k, v = (f(z).view(b, t, self.heads, -1).transpose(1, 2) for f in (self.query, self.key, self.value))
        future = torch.ones(t, t, dtype=torch.bool, device=z.device).triu(1)
        scores = (q @ k.transpose(-1, -2) / math.sqrt(d // self.heads)).masked_fill(future, float("-inf"))
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, d))


class CharLM(nn.Module):
    """Character language model: tokens (b, t) int64, t <= `length`, -> logits (b, t, 96) float32.

    >>> CharLM(width=16, heads=2, layers=1)(torch.zeros(2, 5, dtype=torch.int64)).shape
    torch.Size([2, 5, 96])
    """

    def __init__(self, width=128, heads=4, layers=3, length=64, seed=0):
        super().__init__()
        self.length = length
        with seeded(seed):
            self.embedding = nn.Embedding(len(VOCAB), width)
            self.position = nn.Parameter(torch.randn(length, width) * 0.02)
            self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
            self.norm = nn.LayerNorm(width)
            self.head = nn.Linear(width, len(VOCAB))
            nn.init.normal_(self.embedding.weight, std=0.02)

    def forward(self, tokens):
        t = tokens.shape[-1]
        if t > self.length:
            raise ValueError(f"tokens of shape {tuple(tokens.shape)}: the model reads at most {self.length} tokens")
        x = self.embedding(tokens) + self.position[:t]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def load_charlm() -> CharLM:
    """The shipped checkpoint (float16 on disk) as a float32 model in eval mode; a fresh one at each call."""
    from safetensors.torch import load_file

    weights = load_file(shipped("charlm", "charlm.safetensors"))
    model = CharLM()
    model.load_state_dict({name: value.float() for name, value in weights.items()})
    return model.eval()
