"""Run a student's notebook in a kernel and say, for each exercise, what its checks found. Needs no nbgrader."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from effkit.grading import cells

PROBE = """
import json as _json
from effkit.check import last as _last
from effkit.check.report import text_report as _text_report
_done = _last()
print(_json.dumps(None if _done is None else [_done.name, _done.points, _done.earned, _text_report(_done)]))
"""


class BadNotebook(Exception):
    """The file cannot be checked; the message is one sentence with the way out."""


@dataclass(frozen=True)
class ExerciseResult:
    """What the checks of one exercise found; `report` is text for a terminal."""

    exercise: str
    earned: float
    points: float
    report: str

    @property
    def ok(self) -> bool:
        """True when every point is earned."""
        return self.earned >= self.points


def run_checks(
    path: Path | str, timeout: int = 60, progress: Callable[[int, int], None] | None = None
) -> list[ExerciseResult]:
    """Run setup, exercise, test and free cells of the notebook at `path` (experiments are skipped); report each test.

    `timeout` is seconds a cell. `progress` is called as (cells done, cells). The file is not changed. Raises
    BadNotebook when it is not there, not a notebook, or holds no checks.
    """
    nb = _read(Path(path))
    wanted = [cell for cell in nb.cells if cell.cell_type == "code" and cells.role(cell)[0] not in cells.NOT_RUN]
    results = []
    with _kernel(nb, Path(path).resolve().parent, timeout) as client:
        for number, cell in enumerate(wanted, start=1):
            _execute(client, cell)
            if cells.role(cell)[0] == "test":
                results.append(_result(cell, client))
            if progress:
                progress(number, len(wanted))
    return results


def _read(path: Path) -> Any:
    import nbformat

    if not path.is_file():
        raise BadNotebook(f"{path} is not there; make a working copy of the lessons: effkit start")
    try:
        nb = nbformat.read(path, as_version=4)
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        raise BadNotebook(f"{path} is not a notebook; start again from a fresh copy: effkit start") from error
    if not any(cell.cell_type == "code" and cells.role(cell)[0] == "test" for cell in nb.cells):
        raise BadNotebook(f"{path} has no test cells of an effkit lesson; start again from a fresh copy: effkit start")
    return nb


def _kernel(nb: Any, folder: Path, timeout: int) -> Any:
    from nbclient import NotebookClient

    from effkit.grading.settings import QUIET_KERNEL

    client = NotebookClient(nb, timeout=timeout, kernel_name="python3", allow_errors=True, interrupt_on_timeout=True,
                            skip_cells_with_tag="", resources={"metadata": {"path": str(folder)}},
                            extra_arguments=list(QUIET_KERNEL))
    client.reset_execution_trackers()
    return _Session(client)


class _Session:
    """`with _Session(client) as client`: the kernel lives in between, and cells may stand outside of the notebook."""

    def __init__(self, client: Any) -> None:
        self.client, self._setup = client, client.setup_kernel()

    def __enter__(self) -> Any:
        self._setup.__enter__()
        return self.client

    def __exit__(self, *error: Any) -> None:
        self._setup.__exit__(*error)


def _execute(client: Any, cell: Any) -> None:
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    try:
        client.execute_cell(cell, client.nb.cells.index(cell))
    except DeadKernelError as error:
        raise BadNotebook(f"Python stopped in {cells.describe(cell)}; mend that cell and check again") from error
    except CellTimeoutError as error:
        late = f"{cells.describe(cell)} took longer than {client.timeout} s; mend it or give it time with --timeout"
        raise BadNotebook(late) from error


def _result(cell: Any, client: Any) -> ExerciseResult:
    """The finished test of this cell, asked of the kernel; 0 points with the cell's error when it did not finish."""
    from nbformat import v4

    name, points = cells.role(cell)[1], cells.points(cell)
    probe = v4.new_code_cell(PROBE)
    client.nb.cells.append(probe)
    _execute(client, probe)
    client.nb.cells.pop()
    said = "".join(output.get("text", "") for output in probe.outputs if output.output_type == "stream")
    found = json.loads(said) if said.strip().startswith("[") else None
    if found and found[0] == name:
        return ExerciseResult(name, float(found[2]), float(found[1]), found[3])
    errors = [f"{output.ename}: {output.evalue}" for output in cell.outputs if output.output_type == "error"]
    reason = errors[0] if errors else "the test cell did not run its checks"
    return ExerciseResult(name, 0.0, points, f"{name}: 0 of {points:g} points\n  {reason}")
