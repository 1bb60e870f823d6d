"""Gates that run a lesson's graded cells: the solution, the untouched notebook, the banks, mutants, examples."""

from __future__ import annotations

import ast
import doctest
import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from effkit import check
from effkit.course.banks import bank, bank_path
from effkit.course.mutants import SURVIVAL, mutation
from effkit.course.percent import short
from effkit.course.playing import Stage
from effkit.course.shape_gates import at
from effkit.course.source import Lesson

SEEDS = (None, "1", "2", "3")
GRADED_SECONDS = 3.0
WRONG_ANSWERS = 4


def gate_solution(lesson: Lesson, root: Path) -> list[str]:
    """The solution earns full marks, whatever the grader's seed, with the setup run twice, and in 3 s."""
    stage, problems = Stage(lesson), []
    for cell in lesson.of("setup"):
        stage.execute(cell.source, f"setup, line {cell.line}")
    for seed in SEEDS:
        with seeded(seed):
            begin = time.process_time()
            tests = stage.play()
            took = time.process_time() - begin
        problems += [at(lesson, lesson.cell("test", name), f"the solution earns {test.earned:g} of {test.points:g} in "
                        f"{name!r} (seed {seed}): {failures(test)}") for name, test in tests.items()
                     if test.earned != test.points]
        if took > GRADED_SECONDS:
            problems.append(f"{lesson.id}: the graded cells take {took:.1f} s of processor time; {GRADED_SECONDS:g} s "
                            "is the limit; make the cases smaller")
    return problems


def gate_untouched(lesson: Lesson, root: Path) -> list[str]:
    """The untouched notebook earns exactly 0 in every graded cell."""
    tests = Stage(lesson).play(untouched=True)
    return [at(lesson, lesson.cell("test", name), f"the untouched {name!r} earns {test.earned:g}; every case must call "
               f"the student's function first; passed: {[r.title for r in test.results if r.passed]}")
            for name, test in tests.items() if test.earned != 0]


def gate_wrong_answers(lesson: Lesson, root: Path) -> list[str]:
    """Every exercise has four wrong answers; each earns what the bank says, loses points, and is named."""
    answers = bank(root, lesson.id, "wrong")
    problems = _enough(lesson, root, "wrong", WRONG_ANSWERS)
    stage = Stage(lesson)
    for answer in answers:
        if answer.exercise not in lesson.exercises:
            continue
        test = stage.play({answer.exercise: answer.source}, only=[answer.exercise])[answer.exercise]
        problems += [_in_bank(lesson, root, "wrong", answer.line, f"{answer.exercise} {answer.name!r} {problem}")
                     for problem in wrong_answer_problems(test, answer.score, answer.says)]
    return problems


def wrong_answer_problems(test: check.test, score: float, says: str) -> list[str]:
    """What is amiss with the outcome of a wrong answer that should earn ``score`` and be told ``says``."""
    problems = []
    if abs(test.earned - score) > 1e-5:
        problems.append(f"earns {test.earned:g} of {test.points:g}, the bank expects {score:g}; {failures(test)}")
    if test.earned >= test.points:
        problems.append("keeps full marks; add a case that notices it")
    said = [result.diagnosis for result in test.results if not result.passed and result.diagnosis]
    if not any(says.casefold() in sentence.casefold() for sentence in said):
        problems.append(f"is never told {says!r}; it is told {said}; add it to the mistakes= of a check")
    return problems


def gate_right_answers(lesson: Lesson, root: Path) -> list[str]:
    """Every exercise has another right answer, and each keeps full marks."""
    problems, stage = _enough(lesson, root, "right", 1), Stage(lesson)
    for answer in bank(root, lesson.id, "right"):
        if answer.exercise not in lesson.exercises:
            continue
        test = stage.play({answer.exercise: answer.source}, only=[answer.exercise])[answer.exercise]
        if test.earned != test.points:
            problems.append(_in_bank(lesson, root, "right", answer.line, f"{answer.exercise} {answer.name!r} earns "
                                     f"{test.earned:g} of {test.points:g}; loosen the check that refuses it: "
                                     f"{failures(test)}"))
    return problems


def gate_mutants(lesson: Lesson, root: Path) -> list[str]:
    """At most 5 % of the automatic mutants survive, and each survivor is listed as equivalent, with the reason."""
    outcome = mutation(lesson, root)
    path = short(bank_path(root, lesson.id, "right"))
    problems = [f"{lesson.id}: {m.exercise}: a mutant survives: {m.description}; add a case that notices it or list it "
                f'in {path}: # %% exercise="{m.exercise}" mutant="{m.description}" because="..."'
                for m in outcome.survivors]
    if outcome.rate > SURVIVAL:
        count = f"{len(outcome.survivors)} of {outcome.tried - len(outcome.excused)}"
        problems.append(f"{lesson.id}: {count} mutants survive ({outcome.rate:.0%}); at most {SURVIVAL:.0%} may")
    return problems + [_in_bank(lesson, root, "right", item.line, f"the mutant {item.mutant!r} of {item.exercise!r} "
                                "does not survive or is no more; remove the cell") for item in outcome.stale]


def gate_examples(lesson: Lesson, root: Path) -> list[str]:
    """The examples in the exercises' docstrings run, on the solution, and show what they say."""
    stage = Stage(lesson)
    stage.play(only=())
    return [at(lesson, cell, f"the example of {cell.name!r} fails: {report}") for cell in lesson.of("exercise")
            for report in _example_reports(cell.source, cell.name, stage.names)]


def _example_reports(source: str, name: str, names: dict) -> Iterator[str]:
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
            text = io.StringIO()
            test = parser.get_doctest(ast.get_docstring(node), dict(names), name, name, 0)
            if runner.run(test, out=text.write).failed:
                yield " ".join(text.getvalue().split("\n", 3)[-1].split())


def failures(test: check.test) -> str:
    """The failed cases of a test in one line."""
    failed = [f"{r.title!r}: {r.diagnosis or r.message}" for r in test.results if not r.passed]
    return "; ".join(failed) or "no case failed"


@contextmanager
def seeded(seed: str | None) -> Iterator[None]:
    """Run the body as under a grader's seed, or under none."""
    before = os.environ.get("EFFKIT_SEED")
    _set_seed(seed)
    try:
        yield
    finally:
        _set_seed(before)


def _set_seed(seed: str | None) -> None:
    if seed is None:
        os.environ.pop("EFFKIT_SEED", None)
    else:
        os.environ["EFFKIT_SEED"] = seed


def _enough(lesson: Lesson, root: Path, kind: str, least: int) -> list[str]:
    answers = bank(root, lesson.id, kind)
    path = short(bank_path(root, lesson.id, kind))
    problems = [f"{path}:{answer.line}: no exercise {answer.exercise!r}; mend the name" for answer in answers
                if answer.exercise not in lesson.exercises]
    for name in lesson.exercises:
        programs = {ast.dump(ast.parse(answer.source)) for answer in answers if answer.exercise == name}
        if len(programs) < least:
            problems.append(f"{path}: {len(programs)} different {kind} answers to {name!r}; write at least {least}")
    return problems


def _in_bank(lesson: Lesson, root: Path, kind: str, line: int, text: str) -> str:
    return f"{short(bank_path(root, lesson.id, kind))}:{line}: {text}"
