"""What ships with the kit is what its cards say."""

import hashlib
import json
import runpy

import pytest
import torch

from effkit import lab
from effkit.lab import paths, text


def test_the_digits_have_the_promised_shapes_and_range():
    digits = lab.load("digits")
    assert [tuple(part.shape) for part in digits] == [(1200, 64), (1200,), (597, 64), (597,)]
    assert digits.x_train.dtype == torch.float32 and digits.y_train.dtype == torch.int64
    assert digits.x_train.min() == 0 and digits.x_train.max() == 1


def test_writing_into_the_digits_harms_nobody_else():
    lab.load("digits").x_train.zero_()
    assert lab.load("digits").x_train.any()


def test_the_alphabet_is_fixed_and_encoding_is_its_inverse():
    assert len(text.VOCAB) == 96 and text.VOCAB[0] == "\n" and text.VOCAB[1:] == "".join(map(chr, range(32, 127)))
    assert text.decode(text.encode(text.VOCAB)) == text.VOCAB
    assert text.decode(text.encode("a\tbé\r")) == "a b? "


def test_the_standard_library_splits_into_other_modules():
    corpus = lab.load("stdlib")
    assert not set(text.TRAIN_MODULES) & set(text.TEST_MODULES)
    assert len(corpus.train) > 1_000_000 and len(corpus.test) > 100_000
    assert corpus.train.dtype == torch.int64 and int(corpus.train.max()) < 96 and corpus.vocab == text.VOCAB


def test_a_module_that_this_python_lacks_is_skipped():
    assert torch.equal(text._read(("heapq", "no_such_module")), text._read(("heapq",)))


def test_the_checkpoint_is_the_file_its_card_names():
    card = json.loads(paths.shipped("charlm", "card.json").read_text())
    raw = paths.shipped("charlm", "charlm.safetensors").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == card["sha256"] and len(raw) == card["bytes"]
    assert lab.parameters(lab.load("charlm")) == card["parameters"]


def test_the_checkpoint_still_reads_python_as_well_as_its_card_says():
    card = json.loads(paths.shipped("charlm", "card.json").read_text())
    measured = lab.perplexity(lab.load("charlm"), lab.load("stdlib").test, windows=256)
    assert measured == pytest.approx(card["test_perplexity"], rel=0.15), "other versions of Python differ a little"


def test_the_character_model_looks_only_back():
    model, tokens = lab.load("charlm"), lab.load("stdlib").test[:64].clone()
    before = model(tokens[None])
    tokens[40:] = 1
    assert torch.allclose(model(tokens[None])[0, :40], before[0, :40], atol=1e-5)
    assert not model.training


def test_a_text_that_is_too_long_for_the_character_model_is_refused():
    with pytest.raises(ValueError, match="at most 64 tokens"):
        lab.load("charlm")(torch.zeros(1, 65, dtype=torch.int64))


def test_the_sentiment_file_comes_out_of_its_script_byte_by_byte():
    made = runpy.run_path(str(paths.shipped("sentiment", "make.py")))
    rows = made["sentences"](made["TRAIN"], made["TEST"], made["SEED"])
    sentiment = lab.load("sentiment")
    assert [sentence for sentence, _ in rows] == sentiment.train + sentiment.test
    assert [label for _, label in rows] == [*sentiment.train_labels.tolist(), *sentiment.test_labels.tolist()]


def test_the_sentiment_classes_are_even_and_no_test_sentence_is_trained_on():
    sentiment = lab.load("sentiment")
    assert len(sentiment.train) == 6000 and len(sentiment.test) == 960
    assert [int(labels.sum()) for labels in (sentiment.train_labels, sentiment.test_labels)] == [3000, 480]
    assert not set(sentiment.train) & set(sentiment.test)


def test_counting_words_does_not_solve_the_sentiment_set():
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    sentiment = lab.load("sentiment")
    words = CountVectorizer(token_pattern=r"\S+")
    model = LogisticRegression(max_iter=300).fit(words.fit_transform(sentiment.train), sentiment.train_labels)
    assert model.score(words.transform(sentiment.test), sentiment.test_labels) < 0.6


def test_the_label_of_a_sentence_follows_its_meaning():
    sentiment = lab.load("sentiment")
    labels = dict(zip(sentiment.train, sentiment.train_labels.tolist()))
    simple = [
        s for s in labels if len(s.split(" is ")) == 2 and "," not in s and "nobody" not in s and " and " not in s
    ]
    plain = [s for s in simple if not {"not", "never", "hardly"} & set(s.split())]
    assert len(plain) > 100
    assert all(labels[s] == bool({"wonderful", "brilliant", "moving", "clever", "fresh", "pleasant", "funny", "subtle"}
               & set(s.split())) for s in plain)  # fmt: skip


def test_an_unknown_name_is_answered_with_the_names_there_are():
    with pytest.raises(ValueError, match="digits, stdlib, sentiment, charlm, stories260k"):
        lab.load("digit")
    assert not lab.available("digit") and lab.available("charlm")
