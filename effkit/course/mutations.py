"""Small changes of a solution that a good test notices: the sites of an exercise's solution, one change each."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import NamedTuple

from effkit.course.strip import SOLUTION, regions, without

OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.MatMult: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
}
PARTNERS = (("min", "max"), ("amin", "amax"), ("argmin", "argmax"), ("minimum", "maximum"), ("floor", "ceil"),
            ("any", "all"), ("zeros", "ones"), ("zeros_like", "ones_like"), ("clamp_min", "clamp_max"), ("sum", "mean"),
            ("cos", "sin"), ("log", "log2"), ("exp", "exp2"), ("round", "floor"))
RENAMED = {a: b for a, b in PARTNERS} | {b: a for a, b in PARTNERS[:-1]}
MODULES = {"torch", "math", "np", "numpy", "F", "nn", "check", "lab", "itertools", "functools"}
MAKERS = {"zeros", "ones", "full", "arange", "empty", "tensor", "linspace", "eye", "rand", "randn", "Generator",
          "finfo", "iinfo", "isfinite", "range", "len", "isinstance", "ValueError", "TypeError", "zip", "enumerate",
          "super"}
SAME_BY_DESIGN = {"contiguous", "detach", "item"}
DIMS = {"dim", "axis", "dims"}


class Mutant(NamedTuple):
    """One changed solution: ``source`` replaces the whole exercise cell, ``line`` counts in the lesson's cell."""

    exercise: str
    line: int
    what: str
    source: str

    @property
    def description(self) -> str:
        """``line 7: Add -> Sub in 'a + b'``: what a bank names to excuse it."""
        return f"line {self.line}: {self.what}"


class Change(NamedTuple):
    """A change at one node: what it is, and a function that makes the new node of a copy of the old one."""

    what: str
    make: Callable[[ast.AST], ast.AST]


def mutants(exercise: str, source: str) -> tuple[Mutant, ...]:
    """All mutants of the solution regions of an exercise's cell, in order of line; none where nothing stands to change.

    >>> cell = "def f(x):\\n    ### BEGIN SOLUTION\\n    return x + 1\\n    ### END SOLUTION"
    >>> [mutant.description for mutant in mutants("f", cell)]
    ["line 3: Add -> Sub in 'x + 1'", "line 3: 1 -> 2 in 'x + 1'", "line 3: 1 -> 0 in 'x + 1'"]
    """
    tree = ast.parse(source)
    lines = {line for region in regions(source, SOLUTION) for line in range(region.begin, region.end + 1)}
    found, seen = [], {ast.dump(ast.parse(without(source, SOLUTION)))}
    for index, (node, statement) in enumerate(_nodes(tree)):
        if getattr(node, "lineno", 0) not in lines:
            continue
        for change in _changes(node):
            changed = _apply(tree, index, change)
            if changed is None or ast.dump(ast.parse(changed)) in seen:
                continue
            seen.add(ast.dump(ast.parse(changed)))
            found.append(Mutant(exercise, node.lineno, f"{change.what} in '{_shown(statement)}'", changed))
    return tuple(_numbered(found))


def _nodes(tree: ast.AST) -> list[tuple[ast.AST, ast.AST]]:
    """Every node that may change, with the smallest expression or statement that shows it; a fixed order."""
    return list(_walk(tree, tree))


def _walk(node: ast.AST, shown: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    if isinstance(node, (ast.Raise, ast.Assert, ast.JoinedStr)):
        return
    if isinstance(node, (ast.stmt, ast.BinOp, ast.Compare, ast.BoolOp, ast.Call, ast.Subscript)):
        shown = node
    yield node, shown
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _walk(child, shown)


def _changes(node: ast.AST) -> list[Change]:
    kind = type(node).__name__
    maker = {"BinOp": _operator, "AugAssign": _operator, "BoolOp": _operator, "Compare": _compare, "Call": _call,
             "Constant": _constant, "UnaryOp": _unary, "If": _if, "IfExp": _swap_branches, "keyword": _dimension}
    return maker[kind](node) if kind in maker else []


def _operator(node: ast.AST) -> list[Change]:
    new = OPERATORS.get(type(node.op))
    return [Change(f"{_name(node.op)} -> {new.__name__}", lambda n: _set(n, op=new()))] if new else []


def _compare(node: ast.Compare) -> list[Change]:
    new = OPERATORS[type(node.ops[0])]
    return [Change(f"{_name(node.ops[0])} -> {new.__name__}", lambda n: _set(n, ops=[new(), *n.ops[1:]]))]


def _unary(node: ast.UnaryOp) -> list[Change]:
    return [Change(f"{_name(node.op)} removed", lambda n: n.operand)]


def _if(node: ast.If) -> list[Change]:
    if any(isinstance(child, ast.Raise) for child in node.body):
        return [Change("check removed", lambda n: _set(n, test=ast.Constant(False)))]
    return [Change("condition made true", lambda n: _set(n, test=ast.Constant(True))),
            Change("condition made false", lambda n: _set(n, test=ast.Constant(False)))]


def _swap_branches(node: ast.IfExp) -> list[Change]:
    return [Change("branches swapped", lambda n: _set(n, body=n.orelse, orelse=n.body))]


def _constant(node: ast.Constant) -> list[Change]:
    value = node.value
    if isinstance(value, bool):
        return [Change(f"{value} -> {not value}", lambda n: ast.Constant(not value))]
    if not isinstance(value, (int, float)):
        return []
    return [Change(f"{value} -> {new}", lambda n, new=new: ast.Constant(new)) for new in (value + 1, value - 1)]


def _dimension(node: ast.keyword) -> list[Change]:
    if node.arg not in DIMS:
        return []
    now = ast.unparse(node.value)
    new = "0" if now != "0" else "-1"
    return [Change(f"{node.arg}={now} -> {node.arg}={new}", lambda n: _set(n, value=ast.parse(new, mode="eval").body))]


def _call(node: ast.Call) -> list[Change]:
    name = _called(node)
    changes = []
    if name in RENAMED:
        changes.append(Change(f"{name} -> {RENAMED[name]}", lambda n: _rename(n, RENAMED[name])))
    kept = _kept(node, name)
    if kept is not None:
        changes.append(Change(f"{name}() dropped", kept))
    return changes


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _kept(node: ast.Call, name: str) -> Callable[[ast.AST], ast.AST] | None:
    """What a call leaves behind when it is dropped: its receiver or its first argument."""
    if not name or name in MAKERS or name in SAME_BY_DESIGN:
        return None
    receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
    is_method = receiver is not None and ast.unparse(receiver).split(".")[0] not in MODULES
    if is_method:
        return lambda n: n.func.value
    return (lambda n: n.args[0]) if node.args and not isinstance(node.args[0], ast.Starred) else None


def _rename(node: ast.Call, name: str) -> ast.Call:
    func = node.func
    return _set(node, func=_set(func, attr=name) if isinstance(func, ast.Attribute) else _set(func, id=name))


def _apply(tree: ast.Module, index: int, change: Change) -> str | None:
    """The source of a copy of the tree with the node at ``index`` changed; None when that is no valid program."""
    changed = copy.deepcopy(tree)
    node = _nodes(changed)[index][0]
    new = change.make(copy.deepcopy(node))
    text = ast.unparse(ast.fix_missing_locations(_Replace(node, new).visit(changed)))
    try:
        compile(text, "<mutant>", "exec")
    except (SyntaxError, ValueError):
        return None
    return text


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST):
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


def _set(node: ast.AST, **fields: object) -> ast.AST:
    for name, value in fields.items():
        setattr(node, name, value)
    return node


def _name(operator: ast.AST) -> str:
    return type(operator).__name__


def _shown(node: ast.AST) -> str:
    text = ast.unparse(node).split("\n")[0].replace('"', "'")
    return text if len(text) <= 70 else text[:67] + "..."


def _numbered(found: list[Mutant]) -> Iterator[Mutant]:
    """Descriptions are unique in an exercise: the second of the same text says so."""
    seen: dict[str, int] = {}
    for mutant in found:
        count = seen[mutant.description] = seen.get(mutant.description, 0) + 1
        yield mutant._replace(what=f"{mutant.what} ({count})") if count > 1 else mutant
