"""Real sets and the pretrained model: read where they are, one helpful sentence where they are not."""

import os
import subprocess
import sys

import pytest
import torch

from effkit import lab
from effkit.lab import hub, paths, real
from effkit.lab.llama import read_llama

NAMES = ("stories260k", "sst2", "ag_news", "wikitext2", "mnist", "multi30k", "listops")


def sizes(part):
    return tuple(part.shape) if isinstance(part, torch.Tensor) else len(part)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sst2", [60614, (60614,), 872, (872,), 2]),
        ("ag_news", [10001, (10001,), 7600, (7600,), 4]),
        ("listops", [8000, (8000,), 1000, (1000,), 10]),
        ("wikitext2", [(2088628,), (217646,), (245569,), 33278]),
        ("mnist", [(60000, 28, 28), (60000,), (10000, 28, 28), (10000,)]),
    ],
)
def test_a_real_set_has_its_known_size(real_data, name, expected):
    if not lab.available(name):
        pytest.skip(f"{name} is not in {real_data}")
    assert [sizes(part) for part in lab.load(name)] == expected


def test_the_languages_of_multi30k_are_aligned(real_data):
    pairs = lab.load("multi30k")
    assert [{len(lines) for lines in part.values()} for part in pairs] == [{29000}, {1014}, {1000}]


def test_list_operations_have_the_answers_they_claim(real_data):
    listops = lab.load("listops")
    flat = [(text.split(), label) for text, label in zip(listops.test, listops.test_labels.tolist())]
    checked = [(tokens, label) for tokens, label in flat if tokens[0] == "[MAX" and tokens.count("]") == 1]
    assert checked and all(max(map(int, tokens[1:-1])) == label for tokens, label in checked)


def test_the_pretrained_model_finds_stories_easy_and_random_tokens_hard(real_data):
    stories = lab.load("stories260k")
    assert lab.parameters(stories.model) == 260_032
    assert 3 < lab.perplexity(stories.model, stories.tokens, length=256) < 5
    noise = torch.randint(3, 512, (600,), generator=torch.Generator().manual_seed(0))
    assert lab.perplexity(stories.model, noise) > 500


def test_the_pretrained_model_goes_on_with_a_story(real_data):
    stories = lab.load("stories260k")
    tokens = stories.tokenizer.encode("Once upon a time")
    with torch.no_grad():
        for _ in range(12):
            tokens = torch.cat([tokens, stories.model(tokens[None])[0, -1:].argmax(-1)])
    assert stories.tokenizer.decode(tokens).startswith("Once upon a time, there was a little girl")


@pytest.mark.parametrize("text", ["", "One day", "Häuser, 日本!\nNew line", "  two spaces"])
def test_decoding_undoes_encoding(real_data, text):
    tokenizer = lab.load("stories260k").tokenizer
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.encode(text)[0] == 1 and tokenizer.encode(text, begin=False).dtype == torch.int64


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    for content in (b"short", b"\x01\0\0\0" * 7 + b"too short"):
        (tmp_path / "model.bin").write_bytes(content)
        with pytest.raises(ValueError, match="holds"):
            read_llama(tmp_path / "model.bin")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_there_is_not_available_and_needs_no_network_to_say_so(tmp_path, monkeypatch, name):
    monkeypatch.setattr(hub, "session", None)
    monkeypatch.delenv("EFFKIT_DATA", raising=False)
    assert lab.available(name) is False
    monkeypatch.setenv("EFFKIT_DATA", str(tmp_path / "missing"))
    assert lab.available(name) is False


@pytest.mark.parametrize("name", NAMES)
def test_a_hub_that_fails_becomes_one_sentence_that_names_the_folder(tmp_path, monkeypatch, name):
    def fails():
        raise ConnectionError("no network")

    monkeypatch.setenv("EFFKIT_DATA", str(tmp_path))
    entry = real.SETS[name]
    monkeypatch.setitem(real.SETS, name, entry._replace(fetch=entry.fetch and fails))
    with pytest.raises(LookupError, match="EFFKIT_DATA") as caught:
        lab.load(name)
    assert "\n" not in str(caught.value) and entry.files[0] in str(caught.value)


def test_a_missing_hub_library_is_named_with_its_cure(tmp_path, monkeypatch):
    def fails():
        raise ModuleNotFoundError("No module named 'datasets'", name="datasets")

    monkeypatch.setenv("EFFKIT_DATA", str(tmp_path))
    monkeypatch.setitem(real.SETS, "sst2", real.SETS["sst2"]._replace(fetch=fails))
    with pytest.raises(LookupError, match="needs the package datasets"):
        lab.load("sst2")


def test_without_a_network_the_hub_answers_at_once_and_silently():
    pytest.importorskip("huggingface_hub")
    code = "from effkit import lab\ntry: lab.load('stories260k')\nexcept LookupError as error: print(error)"
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": os.devnull, "EFFKIT_DATA": ""}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60, check=True)
    assert run.stdout.startswith("stories260k is not there") and run.stderr == ""


def test_the_hub_gives_the_same_kind_of_thing_as_the_files(monkeypatch):
    rows = {
        "sentence": [" good ", "bad"],
        "text": ["news", "more"],
        "label": [1, 0],
        "en": ["a", "b"],
        "de": ["c", "d"],
    }
    monkeypatch.setattr(hub, "dataset", lambda *args: rows)
    assert hub.sst2().train == ["good", "bad"] and hub.sst2().test_labels.tolist() == [1, 0]
    assert hub.ag_news(real.NEWS).names == real.NEWS
    assert hub.multi30k().train["de"] == ["c", "d"]
    assert real.words(*hub.wikitext2()).vocab == ("newsmore",)


def test_an_installed_wheel_finds_its_data_inside_the_package(tmp_path, monkeypatch):
    (tmp_path / "effkit" / "_data" / "charlm").mkdir(parents=True)
    monkeypatch.setattr(paths, "HERE", tmp_path / "effkit" / "lab" / "paths.py")
    assert paths.shipped("charlm") == tmp_path / "effkit" / "_data" / "charlm"


def test_shipped_files_that_are_missing_are_named():
    with pytest.raises(LookupError, match="charlm/nothing is missing"):
        paths.shipped("charlm", "nothing")
