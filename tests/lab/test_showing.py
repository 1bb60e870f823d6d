"""Figures, tables, predictions and rows: what is shown, what is kept, and what must never fail."""

import base64
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from effkit import lab
from effkit.lab import predictions, rows, store


def labelled_figure():
    fig, ax = lab.figure()
    ax.plot([1, 2], [3, 4])
    ax.set(xlabel="bits", ylabel="SNR (dB)")
    return fig


def test_a_figure_is_shown_once_with_its_takeaway_as_caption_and_alternative_text(shown):
    assert lab.show(labelled_figure(), 'Bits & "bytes"') is None
    [bundle] = shown
    assert bundle["text/html"].count("Bits &amp; &quot;bytes&quot;") == 2 and "<figcaption" in bundle["text/html"]
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert 'Bits & "bytes"' in bundle["text/plain"]


def test_a_figure_without_labels_or_takeaway_is_refused(shown):
    fig, _ = lab.figure()
    with pytest.raises(ValueError, match="axes 0 lack a label"):
        lab.show(fig, "Something.")
    with pytest.raises(ValueError, match="takeaway is empty"):
        lab.show(labelled_figure(), "  ")


def test_several_columns_give_several_axes():
    assert lab.figure(ncols=2)[1].shape == (2,)


def test_the_colours_are_eight_different_ones():
    assert len({colour.lower() for colour in lab.COLOURS}) == 8


def test_a_table_is_shown_as_html_and_as_aligned_text(shown):
    lab.table([("int8", 1234567, 0.97812), ("<x>", None, True)], ("format", "bytes", "accuracy"), "Sizes.")
    [bundle] = shown
    assert "&lt;x&gt;" in bundle["text/html"] and "1,234,567" in bundle["text/html"]
    assert bundle["text/plain"].splitlines()[0] == "Sizes." and "0.9781" in bundle["text/plain"]
    with pytest.raises(ValueError, match="header"):
        lab.table([(1, 2)], ("one",), "Bad.")


def test_a_prediction_is_shown_beside_the_outcome(shown):
    lab.predict("bits", "How many dB?", unit="dB", answer=5)
    lab.reveal("bits", torch.tensor(6.02))
    assert "You predicted 5 dB; the outcome is 6.02 dB (1.02 too low)." in shown[-1]["text/plain"]


def test_no_prediction_is_no_failure(shown):
    lab.predict("bits", "How many dB?", unit="dB", answer=None)
    lab.reveal("bits", np.float64(6))
    assert "No prediction yet" in shown[0]["text/plain"] and "You made no prediction" in shown[1]["text/plain"]


def test_none_keeps_an_earlier_prediction(shown):
    lab.predict("bits", "How many dB?", answer=5)
    lab.predict("bits", "How many dB?")
    assert "You predicted 5 before" in shown[-1]["text/plain"]


@pytest.mark.parametrize("answer", ["seven", [1], "c", True])
def test_an_answer_that_fits_no_question_is_not_recorded(shown, answer):
    lab.predict("choice", "Which?", choices=("a", "b"), answer=answer)
    lab.predict("number", "How many?", answer=answer)
    assert all("Not recorded" in bundle["text/plain"] for bundle in shown)
    assert store.read("predictions") == {}


def test_a_choice_is_compared_with_the_outcome(shown):
    lab.predict("choice", "Which?", choices=("a", "b"), answer="b")
    lab.reveal("choice", "b")
    assert "as you said" in shown[-1]["text/plain"]


def test_a_state_folder_that_cannot_be_written_still_remembers_within_the_process(shown, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EFFKIT_STATE", str(tmp_path / "file" / "below"))
    lab.predict("bits", "How many dB?", answer=5)
    lab.reveal("bits", 6)
    assert "You predicted 5" in shown[-1]["text/plain"]


def test_the_form_records_what_is_committed_and_says_so():
    class Field:
        value = "6,5"

    class Said:
        value = ""

    predictions._commit("bits", "How many dB?", None, "dB", Field, Said)
    assert Said.value == "You predict 6.5 dB. Now run the experiment."
    assert store.read("predictions")["bits"]["answer"] == 6.5
    Field.value = "many"
    predictions._commit("bits", "How many dB?", None, "dB", Field, Said)
    assert "is not a number" in Said.value and store.read("predictions")["bits"]["answer"] == 6.5


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"bits": 3}', "\x00"])
def test_a_damaged_state_file_counts_as_empty(shown, own_state, damage):
    own_state.mkdir()
    (own_state / "predictions.json").write_text(damage)
    lab.reveal("bits", 6)
    assert "You made no prediction" in shown[-1]["text/plain"]
    lab.predict("bits", "How many dB?", answer=5)
    assert json.loads((own_state / "predictions.json").read_text())["bits"]["answer"] == 5


def test_a_row_of_the_same_lesson_and_technique_is_replaced(shown):
    for quality in (0.5, 0.9):
        lab.your_row(lesson="03", technique="int8", bytes=100, multiply_adds=5, milliseconds=1.0, quality=quality)
    [row] = rows.rows()
    assert row["quality"] == 0.9 and "int8" in shown[-1]["text/html"]
    with pytest.raises(TypeError, match="bytes is 'many'"):
        lab.your_row(lesson="03", technique="int8", bytes="many")


def test_the_front_keeps_what_nobody_beats_and_knows_that_low_perplexity_is_good():
    def points(measure, pairs):
        return [{"bytes": b, "quality": q, "measure": measure, "technique": str(b)} for b, q in pairs]

    assert [row["bytes"] for row in rows.best(points("accuracy", [(4, 0.9), (1, 0.5), (2, 0.4)]))] == [1, 4]
    assert [row["bytes"] for row in rows.best(points("perplexity", [(4, 9), (1, 5), (2, 4)]))] == [1, 2]


def test_the_plot_over_all_lessons_states_its_takeaway(shown):
    lab.size_quality_plot()
    assert "No rows yet" in shown[-1]["text/plain"]
    lab.your_row(lesson="02", technique="bfloat16", bytes=200, quality=0.9)
    lab.your_row(lesson="03", technique="int8", bytes=100, quality=6.4, measure="perplexity")
    lab.your_row(lesson="03", technique="broken", bytes=50, quality=float("nan"))
    lab.size_quality_plot()
    takeaway = shown[-1]["text/plain"]
    assert "smallest is bfloat16 (200 bytes, 0.9)" in takeaway and "perplexity" in takeaway


def test_importing_the_lab_loads_nothing_heavy_and_says_nothing():
    heavy = ("sklearn", "datasets", "huggingface_hub", "matplotlib", "ipywidgets", "IPython", "pandas")
    code = f"import sys, effkit.lab; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ), check=True)
    assert run.stdout.strip() == "[]" and run.stderr == ""
