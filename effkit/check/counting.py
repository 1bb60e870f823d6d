"""Costs as counts, never as seconds: bytes allocated, operators run, bytes saved for backward, bytes stored."""

import sys
import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from effkit.check.origin import is_library


def allocates(f: Callable, *args: Any) -> int:
    """Bytes of the largest storage that ``f(*args)`` allocates.

    The larger of two counts: the largest new storage among the results of torch's operators, and the peak of Python's
    own allocations, where numpy's arrays show (that one includes a few kilobytes of Python objects). ``f`` runs once
    for each, so that what it imports or caches on its first call is not counted.

    >>> allocates(lambda n: torch.zeros(n, n), 1000)
    4000000
    """
    known = {leaf.untyped_storage().data_ptr() for leaf in tree_leaves(args) if isinstance(leaf, torch.Tensor)}
    counter = _Counter(known)
    with counter:
        f(*args)
    return max(counter.largest, _python_peak(f, args))


def operations(f: Callable, *args: Any) -> int:
    """How many operators ``f(*args)`` runs: the larger of torch's operators and the lines of the caller's Python run.

    A Python loop over tokens shows here, whatever library its body uses; a vectorised function counts a few dozen.

    >>> operations(lambda x: x + x, torch.ones(1000))
    1
    """
    counter, lines = _Counter(set()), _Lines()
    with counter, lines:
        f(*args)
    return max(counter.count, lines.count)


def saved_bytes(f: Callable, *args: Any) -> int:
    """Bytes that autograd keeps for the backward pass of ``f(*args)``: new storages only, each counted once.

    Storages which the arguments or parameters hold already cost nothing more and are left out.

    >>> saved_bytes(torch.exp, torch.ones(10, requires_grad=True))
    40
    """
    own = {leaf.untyped_storage().data_ptr() for leaf in tree_leaves(args) if isinstance(leaf, torch.Tensor)}
    saved: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own and not (tensor.is_leaf and tensor.requires_grad):
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        keep = f(*args)  # the graph must live until the count is taken, or storages would be reused
    del keep
    return sum(saved.values())


def stored_bytes(x: Any) -> int:
    """Bytes that ``x`` really stores: tensors and arrays by their dtype, modules by parameters and buffers.

    Tuples, lists and dicts are added up; a Python number counts 8; a repeated (expanded) tensor counts what it holds.
    Raises ``TypeError`` for anything else.

    >>> stored_bytes((torch.zeros(10, dtype=torch.int8), torch.tensor(0.5)))
    14
    """
    if isinstance(x, torch.Tensor):
        return min(x.numel() * x.element_size(), x.untyped_storage().nbytes())
    if isinstance(x, (np.ndarray, np.generic)):
        return int(x.nbytes)
    if isinstance(x, torch.nn.Module):
        return sum(stored_bytes(value) for value in [*x.parameters(), *x.buffers()])
    if isinstance(x, Mapping):
        return sum(stored_bytes(value) for value in x.values())
    if isinstance(x, (tuple, list)):
        return sum(stored_bytes(value) for value in x)
    if isinstance(x, (bytes, bytearray, str)):
        return len(x)
    if x is None or isinstance(x, (bool, int, float)):
        return 0 if x is None else 8
    raise TypeError(f"cannot count the bytes of a {type(x).__name__}; give tensors, arrays, numbers, modules or "
                    "tuples, lists and dicts of them")


class _Counter(TorchDispatchMode):
    """Counts operators and the largest storage that one of them made."""

    def __init__(self, known: set[int]):
        super().__init__()
        self.known, self.count, self.largest = known, 0, 0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self.count += 1
        before = {leaf.untyped_storage().data_ptr() for leaf in tree_leaves((args, kwargs))
                  if isinstance(leaf, torch.Tensor)}
        for leaf in tree_leaves(out):
            if isinstance(leaf, torch.Tensor) and leaf.untyped_storage().data_ptr() not in before | self.known:
                self.largest = max(self.largest, leaf.untyped_storage().nbytes())
        return out


class _Lines:
    """Counts the lines run in files that are neither Python's, a package's nor effkit's."""

    count = 0

    def __enter__(self) -> None:
        self._before = sys.gettrace()
        sys.settrace(self._call)

    def __exit__(self, *error: Any) -> None:
        sys.settrace(self._before)

    def _call(self, frame: Any, event: str, arg: Any) -> Any:
        return None if is_library(frame.f_code.co_filename) else self._line

    def _line(self, frame: Any, event: str, arg: Any) -> Any:
        self.count += event == "line"
        return self._line


def _python_peak(f: Callable, args: tuple) -> int:
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        f(*args)
        return max(tracemalloc.get_traced_memory()[1] - before, 0)
    finally:
        if not running:
            tracemalloc.stop()
