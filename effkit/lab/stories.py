"""The real pretrained language model of the kit: stories260k, a 260 K-parameter Llama trained on TinyStories."""

import struct
from pathlib import Path
from typing import NamedTuple

import torch

from effkit.lab.llama import Llama, read_llama
from effkit.lab.paths import shipped

BEGIN = 1
FILES = ("stories260K.bin", "tok512.bin")


class Tokenizer:
    """Byte-pair tokens of a llama2.c ``tok*.bin`` file: 0 unknown, 1 begin, 2 end, 3 to 258 bytes, then pieces."""

    def __init__(self, pieces: list, scores: list):
        self.pieces, self.scores = pieces, scores
        self.index = {piece: number for number, piece in enumerate(pieces) if number > 258}

    def encode(self, text: str, begin: bool = True) -> torch.Tensor:
        """Tokens (n,) int64 of `text`, after the begin token unless `begin` is false.

        As llama2.c does: characters first (bytes where one is unknown), then the pair with the best score is merged
        again and again; a space goes before the first word.
        """
        tokens = [token for character in (" " + text if text else "") for token in self._character(character)]
        while True:
            found = self._best_pair(tokens)
            if found is None:
                break
            place, token = found
            tokens[place : place + 2] = [token]
        return torch.tensor([BEGIN] * begin + tokens, dtype=torch.int64)

    def decode(self, tokens) -> str:
        """The text of tokens (n,); begin and end tokens give nothing, and the space before the first word goes."""
        parts = [self._bytes(int(token)) for token in torch.as_tensor(tokens).flatten() if int(token) > 2]
        return b"".join(parts).decode("utf-8", errors="replace").removeprefix(" ")

    def _character(self, character):
        raw = character.encode("utf-8")
        return [self.index[raw]] if raw in self.index else [byte + 3 for byte in raw]

    def _best_pair(self, tokens):
        best = None
        for place, (a, b) in enumerate(zip(tokens, tokens[1:])):
            token = self.index.get(self._bytes(a) + self._bytes(b))
            if token is not None and (best is None or self.scores[token] > self.scores[best[1]]):
                best = place, token
        return best

    def _bytes(self, token):
        return bytes([token - 3]) if 3 <= token <= 258 else self.pieces[token]


class Stories(NamedTuple):
    """`model`: tokens (b, t) int64, t <= 512, -> logits (b, t, 512); its `tokenizer`; `tokens` (n,): sample text."""

    model: Llama
    tokenizer: Tokenizer
    tokens: torch.Tensor


def read_stories(folder: Path) -> Stories:
    """The model and the tokenizer from the files stories260K.bin and tok512.bin in `folder`."""
    tokenizer = read_tokenizer(Path(folder) / FILES[1])
    sample = shipped("stories_sample", "sample.txt").read_text(encoding="utf-8")
    stories = [story.strip() for story in sample.split("\n\n") if story.strip()]
    tokens = torch.cat([tokenizer.encode(story) for story in stories])
    return Stories(read_llama(Path(folder) / FILES[0]), tokenizer, tokens)


def stories_from_hub() -> Stories:
    """The same files, fetched once from the Hugging Face hub."""
    from huggingface_hub import hf_hub_download

    paths = [Path(hf_hub_download("karpathy/tinyllamas", f"stories260K/{name}")) for name in FILES]
    return read_stories(paths[0].parent)


def read_tokenizer(path: Path) -> Tokenizer:
    """Read a llama2.c tokenizer: int32 longest piece, then per piece float32 score, int32 length, bytes."""
    raw, place, pieces, scores = Path(path).read_bytes(), 4, [], []
    while place < len(raw):
        score, length = struct.unpack_from("<fi", raw, place)
        pieces.append(raw[place + 8 : place + 8 + length])
        scores.append(score)
        place += 8 + length
    return Tokenizer(pieces, scores)
