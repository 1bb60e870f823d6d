"""The same real sets from the Hugging Face hub; imports the hub's libraries only when called."""

import logging
import socket
import urllib.parse
import urllib.request
import warnings
from contextlib import contextmanager

import torch

from effkit.lab.kinds import Images, Labelled, Pairs, labelled


@contextmanager
def session():
    """Inside the block the hub's libraries write nothing, and without a network they use their cache at once.

    Left to themselves they would log five retries, some twenty seconds, into the lesson's cell.
    """
    from huggingface_hub import constants
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    bars, logs, offline = not are_progress_bars_disabled(), logging.root.manager.disable, constants.HF_HUB_OFFLINE
    logging.disable(logging.CRITICAL)
    disable_progress_bars()
    constants.HF_HUB_OFFLINE = offline or not reachable(constants.ENDPOINT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        constants.HF_HUB_OFFLINE = offline
        logging.disable(logs)
        if bars:
            enable_progress_bars()


def reachable(address: str) -> bool:
    """Whether the host of an address has a known name; behind a proxy nobody can tell, so True.

    >>> reachable("https://no-such-host.invalid")
    False
    """
    url = urllib.parse.urlsplit(address)
    if urllib.request.getproxies():
        return True
    try:
        socket.getaddrinfo(url.hostname, url.port or 443)
    except OSError:
        return False
    return True


def dataset(path, split, name=None):
    """One split of a data set on the hub, cached on disk by the hub's library."""
    import datasets
    from huggingface_hub import constants

    datasets.disable_progress_bars()
    offline, datasets.config.HF_HUB_OFFLINE = datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE
    try:
        return datasets.load_dataset(path, name, split=split)
    finally:
        datasets.config.HF_HUB_OFFLINE = offline


def sst2() -> Labelled:
    """Film review phrases; the validation split serves as test, as its test labels are not public."""
    rows = [_pairs(dataset("stanfordnlp/sst2", split), "sentence") for split in ("train", "validation")]
    return labelled(*rows, ("negative", "positive"))


def ag_news(names) -> Labelled:
    """News, title and description together, in four classes."""
    return labelled(*(_pairs(dataset("fancyzhx/ag_news", split), "text") for split in ("train", "test")), names)


def wikitext2() -> list:
    """Three texts: training, validation, test."""
    splits = ("train", "validation", "test")
    return ["".join(dataset("Salesforce/wikitext", split, "wikitext-2-v1")["text"]) for split in splits]


def mnist() -> Images:
    """Handwritten digits of 28 x 28 pixels."""
    parts = []
    for split in ("train", "test"):
        rows = dataset("ylecun/mnist", split).with_format("numpy")
        parts += [torch.as_tensor(rows[:]["image"]).to(torch.uint8), torch.as_tensor(rows[:]["label"]).long()]
    return Images(*parts)


def multi30k() -> Pairs:
    """English and German descriptions of pictures (the hub has these two)."""
    parts = [dataset("bentrevett/multi30k", split) for split in ("train", "validation", "test")]
    return Pairs(*({language: list(rows[language]) for language in ("en", "de")} for rows in parts))


def _pairs(rows, column) -> list:
    return list(zip((text.strip() for text in rows[column]), rows["label"]))
