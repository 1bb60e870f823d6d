"""Fresh inputs: a generator whose seed comes from the grader, and is fixed when nobody grades."""

import os
import zlib

import torch

FIXED_SEED = 1729


def rng(salt: str = "") -> torch.Generator:
    """A new ``torch.Generator``, seeded by the grader (environment variable ``EFFKIT_SEED``) or fixed otherwise.

    ``salt`` (any string) gives another stream from the same seed. Raises ``ValueError`` when ``EFFKIT_SEED`` is not a
    whole number.

    >>> torch.equal(torch.rand(3, generator=rng()), torch.rand(3, generator=rng()))
    True
    """
    text = os.environ.get("EFFKIT_SEED", "")
    try:
        seed = int(text) if text else FIXED_SEED
    except ValueError:
        raise ValueError(f"EFFKIT_SEED is {text!r}; it must be a whole number, such as EFFKIT_SEED=7") from None
    return torch.Generator().manual_seed((seed * 1_000_003 + zlib.crc32(salt.encode())) % 2**63)
