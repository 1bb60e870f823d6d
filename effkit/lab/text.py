"""Character text: the fixed alphabet, and the source of the learner's own Python standard library as a corpus."""

import sysconfig
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

VOCAB = "\n" + "".join(map(chr, range(32, 127)))
"""The 96 symbols in their fixed order: newline, then printable ASCII by code."""

TRAIN_MODULES = """
    argparse ast bdb calendar cmd codecs collections/__init__ configparser contextlib csv ctypes/__init__
    dataclasses dis doctest email/_header_value_parser email/message enum filecmp fileinput fractions ftplib
    functools gettext hmac http/client http/cookiejar imaplib inspect json/decoder json/encoder locale
    logging/__init__ logging/handlers mailbox mimetypes optparse os pdb pickle pickletools platform plistlib
    poplib posixpath pprint random shelve shlex smtplib socket socketserver ssl stat statistics string
    subprocess tarfile threading timeit trace traceback turtle typing unittest/case unittest/mock urllib/parse
    urllib/request uuid warnings wave weakref xml/dom/minidom xml/etree/ElementTree zipapp
""".split()
TEST_MODULES = "copy difflib heapq queue sched selectors shutil tempfile textwrap tokenize".split()
"""Held out: no text of these modules is trained on."""


class Text(NamedTuple):
    """A character corpus: ``train (n,)`` and ``test (m,)`` int64 indices into ``vocab`` (96 characters)."""

    train: torch.Tensor
    test: torch.Tensor
    vocab: str


def encode(text: str) -> torch.Tensor:
    """Indices (n,) int64 of the characters in `VOCAB`; a character outside it counts as a space.

    >>> encode("\\n A").tolist()
    [0, 1, 34]
    """
    codes = np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8)
    return torch.from_numpy(_TABLE[codes])


def decode(tokens: torch.Tensor) -> str:
    """The text of indices (n,) into `VOCAB`.

    >>> decode(torch.tensor([34, 35]))
    'AB'
    """
    return "".join(VOCAB[i] for i in tokens.flatten().tolist())


@cache
def stdlib() -> Text:
    """Source text of the running Python's standard library, split by module; modules this version lacks are skipped.

    Versions of Python differ a little, so compare numbers within one run only.
    """
    return Text(_read(TRAIN_MODULES), _read(TEST_MODULES), VOCAB)


def _read(modules) -> torch.Tensor:
    root = Path(sysconfig.get_path("stdlib"))
    paths = [root / f"{name}.py" for name in modules]
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in paths if path.is_file()]
    if not texts:
        raise LookupError(f"no source of the standard library in {root}; use a Python that ships its .py files.")
    return encode("\n".join(texts))


def _table() -> np.ndarray:
    table = np.full(256, VOCAB.index(" "), dtype=np.int64)
    for index, character in enumerate(VOCAB):
        table[ord(character)] = index
    return table


_TABLE = _table()
