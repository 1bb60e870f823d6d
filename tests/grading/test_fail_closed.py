"""The outputs of a test cell score only when they end in a plain number between 0 and the points."""

from __future__ import annotations

import pytest
from nbformat import v4

pytest.importorskip("nbgrader", reason="grading needs effkit[instructor]")


def result(text, html="<div class=\"effkit-report\"></div>"):
    return v4.new_output("execute_result", data={"text/plain": text, "text/html": html}, execution_count=1)


def earned(outputs):
    from nbgrader.utils import determine_grade

    from effkit.grading.preprocessors import fail_closed

    metadata = {"nbgrader": {"grade": True, "solution": False, "points": 3, "grade_id": "t", "locked": True}}
    cell = v4.new_code_cell("t.score", metadata=metadata)
    cell.outputs = fail_closed(outputs, 3.0)
    return determine_grade(cell)[0]


@pytest.mark.parametrize("text", ["nan", "inf", "-1.0", "3.1", "tensor(3.)", "np.float64(1.5)", "'3'", "", "None"])
def test_what_is_no_score_earns_nothing(text):
    assert earned([result(text)]) == 0


@pytest.mark.parametrize(("text", "score"), [("0.0", 0.0), ("1.5", 1.5), ("3.0", 3.0)])
def test_a_number_in_range_is_the_score(text, score):
    assert earned([result(text)]) == score


def test_no_output_earns_nothing():
    assert earned([]) == 0


def test_stderr_is_shown_and_not_punished():
    assert earned([v4.new_output("stream", name="stderr", text="a warning"), result("2.0")]) == 2.0


def test_an_error_wins_over_a_result_before_it():
    assert earned([result("3.0"), v4.new_output("error", ename="E", evalue="", traceback=[])]) == 0


def test_two_results_are_no_score():
    assert earned([result("3.0"), result("0.0")]) == 0


def test_a_bare_number_without_the_checks_report_earns_nothing():
    assert earned([result("3.0")]) == 3.0
    assert earned([result("3.0", html="")]) == 0
