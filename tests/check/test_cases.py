"""Cases: independence, partial credit, the report, and what a student's exception shows."""

import linecache
import subprocess
import sys

import pytest
import torch

from effkit import check


def run(cell: str, **names) -> check.test:
    """The finished test of a cell's source, run as a kernel runs it: its lines are known to tracebacks."""
    namespace = {"check": check, "torch": torch}
    with check.collect() as finished:
        for name, source in {**names, "test": cell}.items():
            path = f"<cell {name}>"
            linecache.cache[path] = (len(source), None, source.splitlines(True), path)
            exec(compile(source, path, "exec"), namespace)
    return finished[0]


def test_a_failing_case_hides_no_other_and_points_are_shared_by_weight():
    done = run("""
with check.test("f", points=3) as t:
    with t.case("fails", weight=2): check.equal(1, 2)
    with t.case("passes"): check.equal(1, 1)
    with t.hidden("raises"): 1 / 0
    with t.hidden("passes too", weight=2): check.equal(2, 2)
""")
    assert [result.passed for result in done.results] == [False, True, False, True]
    assert done.earned == 1.5 and repr(done.score) == "1.5" and isinstance(done.score, float)


def test_scores_are_rounded_so_that_thirds_of_three_make_three():
    done = run("""
with check.test("f", points=0.3) as t:
    with t.case("a"): pass
    with t.case("b"): pass
    with t.case("c"): pass
""")
    assert done.score == 0.3 and repr(done.score) == "0.3"


def test_no_case_no_points_and_an_error_outside_of_cases_scores_zero():
    assert run("with check.test('f', points=3) as t: pass").earned == 0
    done = run("""
with check.test("f", points=3) as t:
    with t.case("passes"): pass
    undefined_name
""")
    assert done.earned == 0 and "undefined_name" in done.results[-1].message


def test_an_interrupt_is_not_swallowed():
    with pytest.raises(KeyboardInterrupt), check.collect(), check.test("f") as t, t.case("stopped"):
        raise KeyboardInterrupt


STUDENT = '''
def broken(x, bits):
    scale = x.max()
    return scale.no_such_name
def empty(x):
    raise NotImplementedError()
def nothing(x):
    pass
def leaves(x):
    exit()
'''


@pytest.mark.parametrize("call, said", [
    ("broken(torch.ones(2), 8)", "in broken, line 4: `return scale.no_such_name`"),
    ("empty(1)", "not written yet"),
    ("a, b = nothing(1)", "your function returned None"),
    ("leaves(1)", "SystemExit"),
    ("missing(1)", "`missing` is not defined; run the cell that defines it"),
])
def test_a_students_exception_says_what_and_where(call, said):
    done = run(f"with check.test('f') as t:\n    with t.case('calls'): {call}", student=STUDENT)
    assert said in done.results[0].message
    assert "effkit" not in done.results[0].message


def test_a_students_exception_shows_the_input():
    done = run("with check.test('f') as t:\n    with t.case('calls'): broken(torch.ones(2), 8)", student=STUDENT)
    assert done.results[0].given == ("x = tensor([1, 1], dtype=float32, shape=(2,))", "bits = 8")


def test_hidden_cases_show_title_and_diagnosis_but_neither_input_nor_values():
    done = run("""
with check.test("f") as t:
    with t.hidden("fresh tensors"):
        check.equal(41, 42, mistakes={"you are one short": 41}, given={"secret": 77})
""")
    for text in (done.score._repr_html_(), _printed(done)):
        assert "fresh tensors" in text and "ou are one short" in text
        assert "42" not in text and "77" not in text


def _printed(done: check.test) -> str:
    from effkit.check.report import text_report
    return text_report(done)


def test_the_html_report_escapes_what_a_student_wrote():
    done = run("with check.test('f') as t:\n    with t.case('x'): check.equal('<script>alert(1)</script>', 'b')")
    assert "<script" not in done.score._repr_html_() and "&lt;script" in done.score._repr_html_()


def test_stderr_goes_into_the_report_whoever_writes_it():
    code = ("import os, sys, warnings; from effkit import check\n"
            "with check.test('f', points=2) as t:\n"
            "    with t.case('noisy'): warnings.warn('careful'); os.write(2, b'from C\\n'); sys.stderr.write('noise')\n"
            "    with t.case('quiet'): check.equal(1, 1)\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr == "" and "f: 2 of 2 points, all cases pass" in done.stdout
    assert all(text in done.stdout for text in ("careful", "from C", "noise"))


def test_in_plain_python_the_report_is_printed_and_stderr_stays_empty():
    code = ("import sys; from effkit import check\n"
            "with check.test('f', points=2) as t:\n"
            "    with t.case('one'): sys.stderr.write('noise'); check.equal(1, 1)\n"
            "print(repr(t.score))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr == "" and done.returncode == 0
    assert "f: 2 of 2 points, all cases pass" in done.stdout and done.stdout.endswith("2.0\n")


def test_fresh_inputs_follow_the_graders_seed(monkeypatch):
    monkeypatch.delenv("EFFKIT_SEED", raising=False)
    fixed = torch.rand(3, generator=check.rng())
    assert torch.equal(fixed, torch.rand(3, generator=check.rng()))
    monkeypatch.setenv("EFFKIT_SEED", "7")
    assert not torch.equal(fixed, torch.rand(3, generator=check.rng()))
    assert not torch.equal(torch.rand(3, generator=check.rng("a")), torch.rand(3, generator=check.rng("b")))
    monkeypatch.setenv("EFFKIT_SEED", "seven")
    with pytest.raises(ValueError, match="EFFKIT_SEED is 'seven'"):
        check.rng()


def test_one_value_where_two_are_expected_is_said_plainly():
    done = run("with check.test('f') as t:\n    with t.case('x'): a, b = one()", student="def one(): return [1, 2, 3]")
    assert "your function must return several values at once" in done.results[0].message


def test_small_matrices_are_shown_as_rows():
    done = run("with check.test('f') as t:\n    with t.case('x'): check.that(False, 'no', given={'w': torch.eye(2)})")
    assert done.results[0].given == ("w = tensor([[1, 0], [0, 1]], dtype=float32, shape=(2, 2))",)
