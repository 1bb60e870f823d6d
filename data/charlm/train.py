"""Train the character language model that ships with the kit, and write its checkpoint and its card.

Run ``python data/charlm/train.py`` from the root of a checkout; it takes about ten minutes on one core.
The text is the running Python's standard library, so another Python version gives slightly other weights.
"""

import argparse
import hashlib
import json
import platform
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from effkit import lab
from effkit.lab import charlm, text

SETTINGS = dict(steps=1500, batch=32, length=64, learning_rate=2e-3, weight_decay=0.01, clip=1.0, seed=0)
HERE = Path(__file__).parent


def draw(tokens, batch, length, generator):
    """Random windows: (batch, length + 1) int64."""
    starts = torch.randint(0, len(tokens) - length - 1, (batch, 1), generator=generator)
    return tokens[starts + torch.arange(length + 1)]


def fit(model, tokens, steps, batch, length, learning_rate, weight_decay, clip, seed):
    """AdamW under a one-cycle schedule; returns the model in eval mode."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps)
    for step in range(steps):
        x = draw(tokens, batch, length, generator)
        loss = F.cross_entropy(model(x[:, :-1]).flatten(0, 1), x[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"step {step}: loss {loss.item():.3f}", flush=True)
    return model.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the checkpoint and the card")
    parser.add_argument("--steps", type=int, default=SETTINGS["steps"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    settings = {**SETTINGS, "steps": options.steps}
    corpus = text.stdlib()
    model = fit(charlm.CharLM(seed=settings["seed"]), corpus.train, **settings)
    half = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "charlm.safetensors"
    save_file(half, path)
    path.chmod(0o644)
    model.load_state_dict({name: value.float() for name, value in half.items()})
    card = {
        **settings,
        "parameters": sum(p.numel() for p in model.parameters()),
        "train_characters": len(corpus.train),
        "test_characters": len(corpus.test),
        "test_perplexity": round(lab.perplexity(model, corpus.test, windows=256), 4),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    (options.out / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(card, indent=1))


if __name__ == "__main__":
    main()
