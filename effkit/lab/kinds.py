"""What `load` gives: plain tuples with named fields."""

from typing import NamedTuple

import torch


class Digits(NamedTuple):
    """Handwritten digits of 8 x 8 pixels in [0, 1]: x (n, 64) float32, y (n,) int64; 1200 to train, 597 to test."""

    x_train: torch.Tensor
    y_train: torch.Tensor
    x_test: torch.Tensor
    y_test: torch.Tensor


class Images(NamedTuple):
    """Grey pictures: x (n, 28, 28) uint8, y (n,) int64."""

    x_train: torch.Tensor
    y_train: torch.Tensor
    x_test: torch.Tensor
    y_test: torch.Tensor


class Labelled(NamedTuple):
    """Texts with labels: lists of n str, and (n,) int64 indices into `names`."""

    train: list
    train_labels: torch.Tensor
    test: list
    test_labels: torch.Tensor
    names: tuple


class Words(NamedTuple):
    """Streams of words: (n,) int64 indices into `vocab`, a tuple of str."""

    train: torch.Tensor
    valid: torch.Tensor
    test: torch.Tensor
    vocab: tuple


class Pairs(NamedTuple):
    """Sentences in several languages: each part is a dict language -> list of str, aligned line by line."""

    train: dict
    valid: dict
    test: dict


def labelled(train, test, names) -> Labelled:
    """From lists of (text, label) pairs.

    >>> labelled([("good", 1)], [("bad", 0)], ("negative", "positive")).train_labels
    tensor([1])
    """
    return Labelled(*_columns(train), *_columns(test), tuple(names))


def _columns(rows):
    return [text for text, _ in rows], torch.tensor([label for _, label in rows], dtype=torch.int64)
