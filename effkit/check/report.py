"""The report of a test: as a float that shows HTML, and as text. Readable in light and dark themes, safe to embed."""

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from effkit.check.cases import Result, test

GREEN, RED = "#1a7f37", "#c4314b"


class Score(float):
    """Points earned: a plain float to nbgrader (``repr`` is the number) and a report to a reader (``_repr_html_``)."""

    def __new__(cls, value: float, done: "test") -> "Score":
        score = super().__new__(cls, value)
        score.test = done
        return score

    def __repr__(self) -> str:
        return float.__repr__(float(self))

    def _repr_html_(self) -> str:
        return html_report(self.test)

    def __reduce__(self) -> tuple:
        return float, (float(self),)


def headline(done: "test") -> str:
    """One line: what was tested, points earned, cases passed."""
    passed = sum(result.passed for result in done.results)
    end = "all cases pass" if done.results and passed == len(done.results) else f"{passed} of {len(done.results)} cases"
    return f"{done.name}: {done.earned:.4g} of {done.points:g} points, {end}"


def lines_of(result: "Result") -> list[str]:
    """What a failed case says: the diagnosis first; a hidden case says nothing of its input."""
    if result.passed:
        return []
    if result.hidden:
        return [_sentence(result.diagnosis)] if result.diagnosis else []
    return [_sentence(text) for text in (result.diagnosis, result.message) if text] + [
        f"with {line}" for line in result.given]


def text_report(done: "test") -> str:
    """The report as plain text, a line a case and the messages below it."""
    lines = [headline(done)]
    for result in done.results:
        lines.append(f"  {'pass' if result.passed else 'FAIL'}  {_title(result)}")
        lines += [f"        {line}" for line in lines_of(result)]
    if done.stderr.strip():
        lines += ["  written to stderr:"] + [f"        {line}" for line in done.stderr.strip().splitlines()[:10]]
    return "\n".join(lines)


def html_report(done: "test") -> str:
    """The report as HTML without scripts; everything that came from a student's code is escaped."""
    green = bool(done.results) and all(result.passed for result in done.results)
    rows = "".join(_html_case(result) for result in done.results)
    noise = (f"<details><summary>written to stderr</summary><pre>{html.escape(done.stderr.strip())}</pre></details>"
             if done.stderr.strip() else "")
    return (f'<div role="group" aria-label="{html.escape(headline(done))}" class="effkit-report" style="border-left:'
            f'4px solid {GREEN if green else RED};padding:4px 12px;margin:4px 0"><strong>{html.escape(headline(done))}'
            f'</strong><ul style="list-style:none;padding-left:0;margin:4px 0">{rows}</ul>{noise}</div>')


def _html_case(result: "Result") -> str:
    mark, colour, word = ("✓", GREEN, "pass") if result.passed else ("✗", RED, "fail")
    badge = (f'<span aria-label="{word}" style="display:inline-block;width:1.4em;text-align:center;border-radius:3px;'
             f'color:#fff;background:{colour}">{mark}</span>')
    said = "".join(f'<div style="margin-left:2em;{_style(i, result)}">{html.escape(line)}</div>'
                   for i, line in enumerate(lines_of(result)))
    return f'<li style="margin:3px 0">{badge} {html.escape(_title(result))}{said}</li>'


def _style(index: int, result: "Result") -> str:
    return "font-weight:600" if index == 0 and result.diagnosis else "font-family:monospace;white-space:pre-wrap"


def _title(result: "Result") -> str:
    return f"{result.title} (hidden)" if result.hidden else result.title


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] if not text.startswith("`") else text
