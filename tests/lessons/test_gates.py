"""Every lesson of the course through every gate that its authors promise."""

from functools import lru_cache
from pathlib import Path

import pytest
import torch

from effkit import course
from effkit.course import linting, notebook_gate, running_gates

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.stem for path in (ROOT / "solutions").glob("[0-9][0-9]_*.py"))
EACH = pytest.mark.parametrize("lesson_id", LESSONS)
WRONG, RIGHT = ([(lesson_id, answer) for lesson_id in LESSONS for answer in course.bank(ROOT, lesson_id, kind)]
                for kind in ("wrong", "right"))


def named(value):
    return value if isinstance(value, str) else f"{value.exercise}-{value.name}"


@lru_cache
def stage(lesson_id):
    torch.set_num_threads(1)
    return course.Stage(lesson(lesson_id))


@lru_cache
def lesson(lesson_id):
    return course.read(ROOT / "solutions" / f"{lesson_id}.py")


def passes(gate, lesson_id):
    problems = gate(lesson(lesson_id), ROOT)
    assert not problems, "\n".join(problems)


def test_there_are_lessons():
    assert LESSONS


@EACH
@pytest.mark.parametrize("gate", linting.STATIC, ids=lambda gate: gate.__name__)
def test_the_lesson_keeps_its_shape(gate, lesson_id):
    passes(gate, lesson_id)


@EACH
def test_the_solution_earns_full_marks_under_every_seed_and_in_time(lesson_id):
    passes(running_gates.gate_solution, lesson_id)


@EACH
def test_the_untouched_notebook_earns_nothing(lesson_id):
    passes(running_gates.gate_untouched, lesson_id)


@EACH
@pytest.mark.parametrize("kind,least", [("wrong", 4), ("right", 1)])
def test_every_exercise_has_answers_in_the_bank(lesson_id, kind, least):
    exercises = [answer.exercise for answer in course.bank(ROOT, lesson_id, kind)]
    assert set(exercises) == set(lesson(lesson_id).exercises)
    assert all(exercises.count(name) >= least for name in exercises)


@pytest.mark.parametrize(("lesson_id", "answer"), WRONG, ids=named)
def test_a_wrong_answer_loses_what_the_bank_says_and_is_told_its_slip(lesson_id, answer):
    test = stage(lesson_id).play({answer.exercise: answer.source}, only=[answer.exercise])[answer.exercise]
    assert not running_gates.wrong_answer_problems(test, answer.score, answer.says)


@pytest.mark.parametrize(("lesson_id", "answer"), RIGHT, ids=named)
def test_another_right_answer_keeps_full_marks(lesson_id, answer):
    test = stage(lesson_id).play({answer.exercise: answer.source}, only=[answer.exercise])[answer.exercise]
    assert test.earned == test.points, running_gates.failures(test)


@EACH
def test_the_examples_of_the_docstrings_run(lesson_id):
    passes(running_gates.gate_examples, lesson_id)


@EACH
def test_hardly_a_mutant_survives_and_each_survivor_is_explained(lesson_id):
    passes(running_gates.gate_mutants, lesson_id)


@EACH
def test_the_finished_notebook_runs_offline_within_its_budget(lesson_id):
    passes(notebook_gate.gate_notebook, lesson_id)
