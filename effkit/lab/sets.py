"""`load` and `available`: the one door to every data set and pretrained model of the kit."""

from functools import cache

import numpy as np
import torch

from effkit.lab import text
from effkit.lab.charlm import load_charlm
from effkit.lab.kinds import Digits, Labelled, labelled
from effkit.lab.paths import shipped
from effkit.lab.real import SETS as REAL


def load(name: str):
    """A data set or a model by its name.

    Shipped, no network: "digits" -> Digits, "stdlib" -> Text, "sentiment" -> Labelled, "charlm" -> CharLM.
    From the folder ``$EFFKIT_DATA``, else from the Hugging Face hub: "stories260k" -> Stories, "sst2", "ag_news",
    "listops" -> Labelled, "wikitext2" -> Words, "mnist" -> Images, "multi30k" -> Pairs.
    ValueError for an unknown name; LookupError, with what to do, when the data cannot be had.

    >>> load("digits").x_train.shape
    torch.Size([1200, 64])
    """
    if name in EMBEDDED:
        return EMBEDDED[name]()
    if name in REAL:
        return REAL[name].load()
    raise ValueError(f"no data set or model is called {name!r}; the names are {', '.join([*EMBEDDED, *REAL])}")


def available(name: str) -> bool:
    """Whether `load` can give `name` without a network.  Never raises, never downloads.

    >>> available("digits"), available("nothing of this name")
    (True, False)
    """
    return name in EMBEDDED or (name in REAL and REAL[name].present())


@cache
def _digits() -> Digits:
    from sklearn.datasets import load_digits

    data = load_digits()
    order = np.random.RandomState(0).permutation(len(data.data))
    x = torch.tensor(data.data[order] / 16, dtype=torch.float32)
    y = torch.tensor(data.target[order], dtype=torch.int64)
    return Digits(x[:1200], y[:1200], x[1200:], y[1200:])


def digits() -> Digits:
    """The digits, copied, so that a cell that writes into them harms no other."""
    return Digits(*(part.clone() for part in _digits()))


def sentiment() -> Labelled:
    """Sentences of a small grammar: 0 negative, 1 positive."""
    lines = shipped("sentiment", "sentiment.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    parts = [[(sentence, int(label)) for kind, label, sentence in rows if kind == split] for split in ("train", "test")]
    return labelled(*parts, ("negative", "positive"))


EMBEDDED = {"digits": digits, "stdlib": text.stdlib, "sentiment": sentiment, "charlm": load_charlm}
