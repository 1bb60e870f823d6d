"""Write sentiment.tsv: short reviews from a grammar with negation, contrast ('but') and intensifiers.

Run ``python data/sentiment/make.py`` from the root of a checkout; the same seed gives the same file, byte by byte.

The meaning is computed with the sentence.  A clause has a strength: 2 or 1 for a good word, -2 or -1 for a bad one;
'very' adds one, 'a little' takes it down to 1 (and is never negated); 'not' turns the sign.  In "A, but B" B counts
(it outweighs A); in "although A, B" B counts too, in "A, although B" A counts.  The label is the sign of what counts.
Half of the sentences of each shape are positive, so no shape gives the label away.
"""

import argparse
import random
from pathlib import Path
from typing import NamedTuple

SEED, TRAIN, TEST = 0, 6000, 960
NOUNS = ["acting", "plot", "music", "ending", "camera work", "dialogue", "story", "humour", "first half", "script"]
OPENERS = ["", "", "", "to my mind ", "this time ", "honestly ", "for me "]
CLOSERS = ["", "", "", " this year", " in the end"]
GOOD = {"wonderful": 2, "brilliant": 2, "moving": 2, "clever": 1, "fresh": 1, "pleasant": 1, "funny": 1, "subtle": 1}
BAD = {"dreadful": -2, "tedious": -2, "awful": -2, "weak": -1, "flat": -1, "clumsy": -1, "stale": -1, "confusing": -1}
WORDS = {**GOOD, **BAD}
STRONGER, WEAKER = ["very", "really", "truly"], ["a little", "somewhat"]
NEGATIONS = ["is not", "is never", "is hardly"]


class Clause(NamedTuple):
    """A clause and its strength; above zero is praise."""

    text: str
    strength: int


def clause(dice: random.Random) -> Clause:
    """'the plot is not very clever' and the like."""
    noun, word = dice.choice(NOUNS), dice.choice(list(WORDS))
    strength, phrase, verb = WORDS[word], word, "is"
    negated, kind = dice.random() < 0.4, dice.random()
    if kind < 0.3:
        phrase, strength = f"{dice.choice(STRONGER)} {word}", strength + (1 if strength > 0 else -1)
    elif kind < 0.45 and not negated:
        phrase, strength = f"{dice.choice(WEAKER)} {word}", 1 if strength > 0 else -1
    if negated:
        verb, strength = dice.choice(NEGATIONS), -strength
    return Clause(f"the {noun} {verb} {phrase}", strength)


def pair(dice: random.Random, opposite: bool) -> tuple[Clause, Clause]:
    """Two clauses about different things, of opposite or of equal sign."""
    while True:
        first, second = clause(dice), clause(dice)
        different = first.text.split(" is")[0] != second.text.split(" is")[0]
        if different and (first.strength * second.strength < 0) == opposite:
            return first, second


def simple(dice):
    one = clause(dice)
    return one.text, one.strength


def both(dice):
    first, second = pair(dice, opposite=False)
    return f"{first.text} and {second.text}", first.strength


def but(dice):
    first, second = pair(dice, opposite=True)
    return f"{first.text} , but {second.text}", second.strength


def although_first(dice):
    first, second = pair(dice, opposite=True)
    return f"although {first.text} , {second.text}", second.strength


def although_last(dice):
    first, second = pair(dice, opposite=True)
    return f"{first.text} , although {second.text}", first.strength


def expected(dice):
    one = clause(dice)
    return f"nobody can say that {one.text}", -one.strength


SHAPES = (simple, both, but, although_first, although_last, expected)


def sentences(train: int, test: int, seed: int) -> list[tuple[str, int]]:
    """`train` + `test` different (sentence, label), shapes and labels in turn, each of the two parts shuffled."""
    dice, rows, seen = random.Random(seed), [], set()
    while len(rows) < train + test:
        shape, label = SHAPES[len(rows) % len(SHAPES)], len(rows) // len(SHAPES) % 2
        body, strength = shape(dice)
        text = f"{dice.choice(OPENERS)}{body}{dice.choice(CLOSERS)} ."
        if (strength > 0) == bool(label) and text not in seen:
            seen.add(text)
            rows.append((text, label))
    return dice.sample(rows[:train], train) + dice.sample(rows[train:], test)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "sentiment.tsv")
    options = parser.parse_args()
    rows = sentences(TRAIN, TEST, SEED)
    lines = ["split\tlabel\tsentence"]
    lines += [f"{'train' if i < TRAIN else 'test'}\t{label}\t{text}" for i, (text, label) in enumerate(rows)]
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
