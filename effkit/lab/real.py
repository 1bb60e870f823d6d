"""Real public data sets: read from files below ``$EFFKIT_DATA``, else fetched from the Hugging Face hub."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from effkit.lab import hub, paths
from effkit.lab.kinds import Images, Labelled, Pairs, Words, labelled
from effkit.lab.stories import FILES, read_stories, stories_from_hub

NEWS = ("World", "Sports", "Business", "Sci/Tech")
LANGUAGES = ("en", "de", "fr", "cs")
SPLITS = ("train", "val", "test_2016_flickr")


class Real(NamedTuple):
    """One real set: its folder and files below ``$EFFKIT_DATA``, how to read them, and how to fetch it (or None)."""

    folder: str
    files: tuple
    read: Callable[[Path], Any]
    fetch: Callable[[], Any] | None

    def present(self) -> bool:
        """Whether the files are there; no network is used."""
        return paths.real(self.folder, *self.files) is not None

    def load(self):
        """The data; LookupError, saying what to do, when neither the files nor the hub give it."""
        folder = paths.real(self.folder, *self.files)
        if folder is not None:
            return self.read(folder)
        where = f"put {', '.join(self.files)} into the folder {self.folder} below $EFFKIT_DATA ({_root()})"
        if self.fetch is None:
            raise LookupError(f"{self.folder} is not there; {where}.")
        try:
            with hub.session():
                return self.fetch()
        except ImportError as error:
            need = f"the hub needs the package {error.name} (pip install 'effkit[hub]')"
        except Exception as error:  # the hub's libraries raise many kinds; all mean the same to the student
            need = f"the Hugging Face hub did not give it ({type(error).__name__})"
        raise LookupError(f"{self.folder} is not there, and {need}; {where}.")


def _root() -> str:
    return f"now {os.environ['EFFKIT_DATA']}" if os.environ.get("EFFKIT_DATA") else "which is not set"


def text(path: Path) -> str:
    """The text of a gzip file in UTF-8."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return file.read().replace("\r\n", "\n")


def read_sst2(folder: Path) -> Labelled:
    """Film review phrases, 0 negative, 1 positive; the test rows are GLUE's development rows."""
    rows = {}
    for split in ("train", "test"):
        lines = [line for line in text(folder / f"{split}.tsv.gz").split("\n")[1:] if line]
        rows[split] = [(sentence.strip(), int(label)) for sentence, label in (line.rsplit("\t", 1) for line in lines)]
    return labelled(rows["train"], rows["test"], ("negative", "positive"))


def read_ag_news(folder: Path) -> Labelled:
    """News in four classes: 10,001 descriptions to train (a sample of the official training set), 7,600 to test."""
    rows = {}
    for split, name in (("train", "alps_dev"), ("test", "alps_test")):
        lines = [line for line in text(folder / f"{name}.tsv.gz").split("\n") if line]
        rows[split] = [(words, NEWS.index(label)) for words, label in (line.rsplit("\t", 1) for line in lines)]
    return labelled(rows["train"], rows["test"], NEWS)


def read_listops(folder: Path) -> Labelled:
    """Nested list operations such as ``[MAX 2 9 ]``, answers 0 to 9: the first 8,000 train, the last 1,000 test."""
    lines = [line.split("\t") for line in text(folder / "test_d20s.tsv.gz").split("\n") if line]
    rows = [(" ".join(token for token in words.split() if token not in "()"), int(label)) for label, words in lines]
    return labelled(rows[:8000], rows[9000:], tuple("0123456789"))


def read_wikitext2(folder: Path) -> Words:
    """Wikipedia articles as words; each line ends in <eos>."""
    return words(*(text(folder / f"{split}.txt.gz") for split in ("train", "valid", "test")))


def words(train: str, valid: str, test: str) -> Words:
    """Index the words of three texts; the vocabulary is in the order of first appearance."""
    index, streams = {}, []
    for part in (train, valid, test):
        tokens = part.replace("\n", " <eos> ").split()
        streams.append(torch.tensor([index.setdefault(token, len(index)) for token in tokens], dtype=torch.int64))
    return Words(*streams, tuple(index))


def read_mnist(folder: Path) -> Images:
    """Handwritten digits of 28 x 28 pixels."""
    parts = []
    for split in ("train", "t10k"):
        parts.append(_idx(folder / f"{split}-images-idx3-ubyte.gz", 16).view(-1, 28, 28))
        parts.append(_idx(folder / f"{split}-labels-idx1-ubyte.gz", 8).long())
    return Images(*parts)


def _idx(path: Path, head: int) -> torch.Tensor:
    with gzip.open(path) as file:
        return torch.from_numpy(np.frombuffer(file.read(), np.uint8, offset=head).copy())


def read_multi30k(folder: Path) -> Pairs:
    """Descriptions of pictures in English, German, French and Czech, line by line."""
    return Pairs(*(_languages(folder, file) for file in SPLITS))


def _languages(folder: Path, file: str) -> dict:
    return {language: text(folder / f"{file}.{language}.gz").splitlines() for language in LANGUAGES}


MNIST_FILES = tuple(
    f"{split}-{kind}-ubyte.gz" for split in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")
)  # fmt: skip
WIKITEXT2_FILES = ("train.txt.gz", "valid.txt.gz", "test.txt.gz")
MULTI30K_FILES = tuple(f"{file}.{language}.gz" for file in SPLITS for language in LANGUAGES)

SETS = {
    "stories260k": Real("stories260k", FILES, read_stories, stories_from_hub),
    "sst2": Real("sst2_glue", ("train.tsv.gz", "test.tsv.gz"), read_sst2, hub.sst2),
    "ag_news": Real("ag_news", ("alps_dev.tsv.gz", "alps_test.tsv.gz"), read_ag_news, lambda: hub.ag_news(NEWS)),
    "wikitext2": Real("wikitext2", WIKITEXT2_FILES, read_wikitext2, lambda: words(*hub.wikitext2())),
    "mnist": Real("mnist", MNIST_FILES, read_mnist, hub.mnist),
    "multi30k": Real("multi30k", MULTI30K_FILES, read_multi30k, hub.multi30k),
    "listops": Real("listops", ("test_d20s.tsv.gz",), read_listops, None),
}
