"""Each gate is quiet on the good fixture and speaks on the defect it is there for."""

import pytest

from effkit import course
from effkit.course import leak_gates, notebook_gate, running_gates, shape_gates
from effkit.course.banks import Answer

GATES = (shape_gates.gate_order, shape_gates.gate_hints, shape_gates.gate_docstrings, shape_gates.gate_markers,
         shape_gates.gate_score, shape_gates.gate_figures, leak_gates.gate_student_notebook,
         running_gates.gate_solution, running_gates.gate_untouched, running_gates.gate_examples,
         running_gates.gate_mutants)
DEFECTS = [  # gate, what stands in the fixture, what is put in its place, what the gate says
    (shape_gates.gate_hints, "<details><summary>A skeleton", "<summary>A skeleton", "2 folded <details>"),
    (shape_gates.gate_docstrings, "a float tensor of shape `(...)`", "a tensor", "without shapes"),
    (shape_gates.gate_docstrings, "    >>> fourfold(torch.ones(1))", "    fourfold(torch.ones(1))",
     "without an example"),
    (shape_gates.gate_docstrings, "def fourfold(x: torch.Tensor)", "def fourfold(x)", "lacks a type hint"),
    (shape_gates.gate_markers, "    return double(double(x))\n    ### END SOLUTION",
     "    return double(double(x))\n    ### END SOLUTION\n### BEGIN SOLUTION\nextra = 1\n### END SOLUTION",
     "outside of a function"),
    (shape_gates.gate_markers, 'check.test("double")', 'check.test("doubled")', 'must call check.test("double")'),
    (shape_gates.gate_score, "t.score\n", "print(t.score)\n", "its last line is t.score"),
    (shape_gates.gate_figures, "torch.arange(3) * 2", "fig, ax = lab.figure()", "never shows"),
    (shape_gates.gate_figures, "torch.arange(3) * 2", "plt.plot([1])", "use lab.figure"),
    (leak_gates.gate_student_notebook, "torch.arange(3) * 2", "double = lambda x: x\nreturn double(double(x))",
     "solution of"),
    (running_gates.gate_solution, "return x * 2.0", "return x * 3.0", "the solution earns"),
    (running_gates.gate_untouched, 'with t.case("ones"):',
     'with t.case("free"):\n        pass\n    with t.case("ones"):',
     "the untouched 'fourfold' earns 0.75"),
    (running_gates.gate_examples, "tensor([2., 4.])", "tensor([2., 5.])", "the example of 'double' fails"),
    (running_gates.gate_mutants, "    return x * 2.0", "    spare = 1 + 1\n    return x * 2.0",
     "a mutant survives: line 13: Add -> Sub"),
]


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.__name__)
def test_a_gate_is_quiet_on_a_good_lesson(doubling, tmp_path, gate):
    assert gate(doubling, tmp_path) == []


@pytest.mark.parametrize(("gate", "old", "new", "says"), DEFECTS)
def test_a_gate_speaks_on_its_defect(changed, tmp_path, gate, old, new, says):
    problems = gate(course.read(changed(old, new)), tmp_path)
    assert any(says in problem for problem in problems), problems


def test_an_exercise_that_begins_before_the_last_is_tested_is_noticed(changed, tmp_path):
    text = changed("\nt.score\n", "\nt.score\n").read_text(encoding="utf-8")
    begin, end = text.index('# %% test="double"'), text.index('# %% exercise="fourfold"')
    moved = text[:begin] + text[end:] + "\n" + text[begin:end]
    path = tmp_path / "90_doubling.py"
    path.write_text(moved, encoding="utf-8")
    problems = shape_gates.gate_order(course.read(path), tmp_path)
    assert any("begins before 'double' is tested" in problem for problem in problems)


def test_a_wrong_answer_must_earn_what_is_written_and_be_told_its_slip(doubling):
    answer = Answer("double", "same", "def double(x):\n    return x", 0, "as it is", 1)
    test = course.play(doubling, {"double": answer.source})["double"]
    assert running_gates.wrong_answer_problems(test, 0, "as it is") == []
    assert "the bank expects 1" in running_gates.wrong_answer_problems(test, 1, "as it is")[0]
    assert "is never told 'halve'" in running_gates.wrong_answer_problems(test, 0, "halve")[0]


def test_a_listed_equivalent_is_excused_and_a_stale_one_is_not(changed, tmp_path):
    lesson = course.read(changed("    return x * 2.0", "    spare = 1 + 1\n    return x * 2.0"))
    survivors = course.mutation(lesson, tmp_path).survivors
    cells = [f'# %% exercise="double" mutant="{m.description}" because="spare is unused"\n' for m in survivors]
    bank = tmp_path / "tests" / "right_answers" / "90_doubling.py"
    bank.parent.mkdir(parents=True)
    bank.write_text("".join(cells), encoding="utf-8")
    assert running_gates.gate_mutants(lesson, tmp_path) == []
    bank.write_text("".join(cells) + '# %% exercise="double" mutant="line 1: x" because="y"\n', encoding="utf-8")
    assert "does not survive" in running_gates.gate_mutants(lesson, tmp_path)[0]


def test_an_endless_mutant_is_stopped(doubling):
    from effkit.course.mutants import survives
    from effkit.course.mutations import Mutant

    endless = Mutant("double", 1, "endless", "def double(x):\n    while True:\n        pass")
    assert not survives(course.Stage(doubling), endless, seconds=0.3)


def test_a_finished_notebook_that_fails_is_noticed(changed, tmp_path):
    bad = course.read(changed("torch.arange(3) * 2", "for i in range(70):\n    print(i)\nraise ValueError('no data')"))
    problems = notebook_gate.gate_notebook(bad, tmp_path)
    assert any("raises ValueError: no data" in problem for problem in problems)
    assert any("prints 70 lines" in problem for problem in problems)


def test_lint_names_lesson_gate_and_problem(checkout):
    found = course.lint(checkout, "90", static=True)
    assert {problem.gate for problem in found} == {"size", "up_to_date"}
    with pytest.raises(LookupError, match="no lesson '03_x'; there are 90_doubling"):
        course.lint(checkout, "03_x")
