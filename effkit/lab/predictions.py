"""Predict before you measure: the learner commits to a number or a choice, and sees it beside the outcome."""

import html
import sys

from effkit.lab import store
from effkit.lab.output import display


def predict(name, question, choices=None, unit="", answer=None) -> None:
    """Ask `question` and record the prediction under `name`.

    Put a number, or one of `choices`, in the place of ``answer=None``; with widgets you may click instead.
    None keeps what was predicted before.  An answer that is no number and no choice is not recorded, and the
    output says so.  Never fails.

    >>> predict("bits_vs_error", "How many dB does one more bit buy?", unit="dB", answer=6)
    """
    if answer is None:
        _ask(name, question, choices, unit)
        return
    problem = _problem(answer, choices)
    if problem:
        _say(f"Not recorded: {problem}", question)
    else:
        record(name, question, answer, unit)
        _say(f"You predict {_with_unit(answer, unit)}. Now run the experiment.", question)


def reveal(name, outcome, unit="") -> None:
    """Show the prediction kept under `name` beside the `outcome`, a number or text.  Never fails.

    >>> reveal("bits_vs_error", 6.02, unit="dB")
    """
    kept = store.read("predictions").get(name)
    outcome = _plain(outcome)
    if not isinstance(kept, dict):
        _say(f"You made no prediction; the outcome is {_with_unit(outcome, unit)}.")
        return
    guess, unit = kept.get("answer"), unit or kept.get("unit", "")
    both = f"You predicted {_with_unit(guess, unit)}; the outcome is {_with_unit(outcome, unit)}"
    _say(f"{both}{_distance(guess, outcome)}.", kept.get("question", ""))


def record(name, question, answer, unit="") -> None:
    """Keep a prediction in the state folder."""
    kept = store.read("predictions")
    kept[name] = {"question": question, "answer": _plain(answer), "unit": unit}
    store.write("predictions", kept)


def _ask(name, question, choices, unit) -> None:
    kept = store.read("predictions").get(name)
    if isinstance(kept, dict):
        _say(f"You predicted {_with_unit(kept.get('answer'), unit)} before. Change it with answer=...", question)
        return
    hint = f"one of {', '.join(map(repr, choices))}" if choices else f"a number{f' ({unit})' if unit else ''}"
    sentence = f"No prediction yet: put {hint} after answer= in this cell and run it again."
    form = _form(name, question, choices, unit)
    if form is None:
        _say(sentence, question)
    else:
        display({**form._repr_mimebundle_(), "text/plain": f"{question}\n{sentence}"})


def _form(name, question, choices, unit):
    """A form of widgets to commit with; None where there are no widgets (version 8 or later) or no notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if getattr(shell, "kernel", None) is None:
        return None
    try:
        import ipywidgets as widgets
    except ImportError:
        return None
    text = widgets.HTML(f"<b>{html.escape(question)}</b>")
    field = widgets.Text(placeholder=unit or "a number")
    if choices:
        field = widgets.RadioButtons(options=list(choices), index=None)
    button, said = widgets.Button(description="Commit"), widgets.HTML()
    button.on_click(lambda _: _commit(name, question, choices, unit, field, said))
    form = widgets.VBox([text, widgets.HBox([field, button]), said])
    return form if hasattr(form, "_repr_mimebundle_") else None


def _commit(name, question, choices, unit, field, said) -> None:
    answer = field.value if choices else _number(field.value)
    problem = _problem(answer, choices)
    if not problem:
        record(name, question, answer, unit)
    said.value = html.escape(problem or f"You predict {_with_unit(answer, unit)}. Now run the experiment.")


def _number(text):
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text


def _problem(answer, choices) -> str:
    if answer is None:
        return "choose one first."
    if choices and answer not in choices:
        return f"{answer!r} is not among the choices: {', '.join(map(repr, choices))}."
    if not choices and (isinstance(answer, bool) or not isinstance(_plain(answer), (int, float))):
        return f"{answer!r} is not a number."
    return ""


def _plain(value):
    """A value JSON can hold: a number of numpy or torch becomes a Python number, anything unknown its text."""
    if hasattr(value, "item") and getattr(value, "size", None) is not None:
        try:
            value = value.item()
        except (ValueError, RuntimeError):
            return str(value)
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def _with_unit(value, unit) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return f"{text} {unit}".strip()


def _distance(guess, outcome) -> str:
    numbers = [v for v in (guess, outcome) if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if len(numbers) < 2:
        return " – as you said" if guess == outcome else ""
    if guess == outcome:
        return " (exactly)"
    return f" ({abs(guess - outcome):.3g} too {'high' if guess > outcome else 'low'})"


def _say(sentence, question="") -> None:
    lead = f"<b>{html.escape(str(question))}</b><br>" if question else ""
    box = f'<div style="border-left:4px solid #0072B2;padding:0.3em 0.8em">{lead}{html.escape(sentence)}</div>'
    display({"text/html": box, "text/plain": f"{question}\n{sentence}".strip()})
