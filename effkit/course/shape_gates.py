"""Static gates on a lesson's shape: order of cells, hints, docstrings, markers, figures, size. Nothing runs.

Each gate takes a lesson and the checkout's root and returns its problems, each one sentence that says how to mend it.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from effkit.course.source import Cell, Lesson
from effkit.course.strip import HIDDEN, SOLUTION, MarkerError, fill_points, regions, strip_hidden, strip_solution

CELLS = (60, 110)
WORDS = (2000, 4000)
FIRST_RESULT = 5
SHAPE = re.compile(r"shape|scalar|0-d|\(\s*(\.\.\.|[A-Za-z_0-9]+\s*,)", re.IGNORECASE)


def at(lesson: Lesson, cell: Cell, text: str) -> str:
    """A problem with its place in the source."""
    return f"{lesson.path.parent.name}/{lesson.path.name}:{cell.line}: {text}"


def gate_order(lesson: Lesson, root: Path) -> list[str]:
    """Exercise, hints and test stand together; a second exercise never begins before the first is tested."""
    problems, pending = [], None
    for cell in lesson.cells:
        if cell.role == "exercise":
            if pending:
                problems.append(at(lesson, cell, f"exercise {cell.name!r} begins before {pending!r} is tested; move "
                                   f"the test of {pending!r} up or add it"))
            pending = cell.name
        elif cell.role in ("hints", "test") and cell.name != pending:
            problems.append(at(lesson, cell, f"{cell.role} {cell.name!r} does not follow its exercise; the order is "
                               "exercise, hints, test"))
        elif pending and cell.role not in ("hints", "test", "prose"):
            problems.append(at(lesson, cell, f"a cell of role {cell.role} between exercise {pending!r} and its test; "
                               "move it below the test"))
        if cell.role == "test":
            pending = None
    return problems + ([f"{lesson.id}: exercise {pending!r} has no test; add one"] if pending else [])


def gate_hints(lesson: Lesson, root: Path) -> list[str]:
    """Every exercise has hints at three levels, each folded."""
    hints = {cell.name: cell for cell in lesson.of("hints")}
    problems = []
    for cell in lesson.of("exercise"):
        count = hints[cell.name].source.count("<details") if cell.name in hints else 0
        if count != 3:
            problems.append(at(lesson, hints.get(cell.name, cell), f"{count} folded <details> of hints for "
                               f"{cell.name!r}; write three: a nudge, the formula with shapes, a skeleton"))
    return problems


def gate_docstrings(lesson: Lesson, root: Path) -> list[str]:
    """Every exercise has type hints, and a docstring with shapes and a runnable example."""
    return [at(lesson, cell, f"{cell.name!r} {problem}") for cell in lesson.of("exercise")
            for problem in _docstring_problems(cell)]


def _docstring_problems(cell: Cell) -> list[str]:
    try:
        body = ast.parse(cell.source).body
    except SyntaxError as error:
        return [f"is not valid Python ({error.msg}, line {error.lineno} of the cell); mend it"]
    defined = [node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    named = [node for node in defined if node.name == cell.name]
    if not named:
        return ["is not defined by its cell; define the function or class of that name"]
    text = ast.get_docstring(named[0]) or ""
    every = "\n".join(ast.get_docstring(node) or "" for node in defined)
    problems = []
    if not SHAPE.search(text):
        problems.append("has a docstring without shapes; state those of arguments and result, such as (out, in)")
    if ">>>" not in every:
        problems.append("has a docstring without an example; add one that runs (>>>)")
    if isinstance(named[0], ast.FunctionDef) and not _is_typed(named[0]):
        problems.append("lacks a type hint; annotate every argument and the result")
    return problems


def _is_typed(function: ast.FunctionDef) -> bool:
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return function.returns is not None and all(argument.annotation is not None for argument in arguments)


def gate_markers(lesson: Lesson, root: Path) -> list[str]:
    """Markers are paired and in the right cells, inside function bodies; what is left of a cell is valid Python."""
    return [at(lesson, cell, problem) for cell in lesson.cells for problem in _marker_problems(cell)]


def _marker_problems(cell: Cell) -> list[str]:
    try:
        solutions, hidden = regions(cell.source, SOLUTION), regions(cell.source, HIDDEN)
        if cell.role == "test":
            fill_points(cell.source, cell.name, cell.options["points"])
    except MarkerError as error:
        return [f"line {error.line} of the cell: {error.message}; mend it"]
    problems = []
    if bool(solutions) != (cell.role in ("exercise", "answer")):
        problems.append("a solution region belongs into every exercise and answer, and nowhere else; add or move it")
    if hidden and cell.role != "test":
        problems.append("hidden tests in a cell that is no test; move them")
    if cell.kind == "code":
        problems += _code_problems(cell, [region.begin for region in solutions])
    return problems


def _code_problems(cell: Cell, begins: list[int]) -> list[str]:
    stripped = strip_solution(cell.source, "code") if cell.role == "exercise" else strip_hidden(cell.source)
    try:
        tree = ast.parse(cell.source)
        ast.parse(stripped)
    except SyntaxError as error:
        return [f"what the student gets is not valid Python ({error.msg}, line {error.lineno} of the cell); put the "
                "markers so that a statement is left in every block"]
    return [f"the solution marker in line {line} of the cell stands outside of a function body; move it inside"
            for line in begins if not _inside_function(tree, line)]


def _inside_function(tree: ast.AST, line: int) -> bool:
    spans = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))
             and node.lineno < line <= node.end_lineno + 1]
    return bool(spans) and isinstance(max(spans, key=lambda node: node.lineno), ast.FunctionDef)


def gate_score(lesson: Lesson, root: Path) -> list[str]:
    """The last line of every test is ``t.score``, which nbgrader reads."""
    return [at(lesson, cell, f"the test of {cell.name!r} ends in {cell.source.rstrip().splitlines()[-1:]}; its last "
               "line is t.score") for cell in lesson.of("test") if not re.search(r"(^|\n)t\.score\s*$", cell.source)]


def gate_figures(lesson: Lesson, root: Path) -> list[str]:
    """Every experiment that draws does so with lab: labels on both axes, a takeaway under the figure."""
    return [at(lesson, cell, problem) for cell in lesson.of("experiment") for problem in _figure_problems(cell)]


def _figure_problems(cell: Cell) -> list[str]:
    if re.search(r"\bplt\.|\bmatplotlib\b", cell.source):
        return ["draws with matplotlib itself; use lab.figure and lab.show, which keep the style and the alt text"]
    if "lab.figure(" not in cell.source:
        return []
    shows = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)
             and ast.unparse(node.func) == "lab.show"]
    problems = [] if shows else ["draws but never shows; end with lab.show(fig, takeaway)"]
    for call in shows:
        takeaway = call.args[1] if len(call.args) > 1 else next((k.value for k in call.keywords), None)
        if takeaway is None or (isinstance(takeaway, ast.Constant) and not str(takeaway.value or "").strip()):
            problems.append("shows a figure without a takeaway; pass one sentence as the second argument of lab.show")
    for axis in ("xlabel", "ylabel"):
        if axis not in cell.source:
            problems.append(f"draws without {axis}; name the quantity and its unit")
    return problems


def gate_size(lesson: Lesson, root: Path) -> list[str]:
    """60 to 110 cells, 2,000 to 4,000 words, a first result within five cells."""
    words = sum(len(re.findall(r"[^\W_][\w'-]*", cell.source)) for cell in lesson.cells if cell.kind == "markdown")
    first = next((n for n, cell in enumerate(lesson.cells, 1) if cell.role == "experiment"), len(lesson.cells) + 1)
    problems = []
    if not CELLS[0] <= len(lesson.cells) <= CELLS[1]:
        problems.append(f"{lesson.id}: {len(lesson.cells)} cells; a lesson has {CELLS[0]} to {CELLS[1]}; split or "
                        "merge")
    if not WORDS[0] <= words <= WORDS[1]:
        problems.append(f"{lesson.id}: {words} words of prose; a lesson has {WORDS[0]} to {WORDS[1]}; add or cut")
    if first > FIRST_RESULT:
        problems.append(f"{lesson.id}: the first experiment is cell {first}; something is to be seen within the first "
                        f"{FIRST_RESULT} cells; move it up")
    return problems
