"""effkit's own steps in nbgrader's autograding: put the notebook in order, run it, and let nothing score by silence.

nbgrader gives full marks to a test cell that shows no result. These preprocessors stand in its lists
(`effkit.grading.settings`) and change that; nbgrader itself is not touched.
"""

from __future__ import annotations

import math
from pathlib import Path

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from nbgrader.preprocessors.execute import UnresponsiveKernelError

from effkit.grading import cells
from effkit.grading.restore import restore

REFUSED = "NotScored"
INCIDENT = "effkit_incident"


class RestoreCells(NbGraderPreprocessor):
    """Before execution: put a damaged notebook in order by the course's source notebook (see `restore`)."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """The notebook with the master's metadata, cells and tags, and the same resources."""
        for note in restore(nb, self._master(resources["nbgrader"])):
            self.log.warning("In the notebook of %s, %s.", resources["nbgrader"]["student"], note)
        return nb, resources

    def _master(self, where: dict[str, str]) -> NotebookNode:
        coursedir = self.parent.parent.coursedir
        folder = coursedir.format_path(coursedir.source_directory, ".", where["assignment"])
        master = nbformat.read(Path(folder) / f"{where['notebook']}.ipynb", as_version=4)
        with Gradebook(where["db_url"]) as gradebook:
            notebook = gradebook.find_notebook(where["notebook"], where["assignment"])
            stubs = {cell.name: cell.source for cell in notebook.source_cells}
        for cell in master.cells:
            cell["source"] = stubs.get(cells.grade_id(cell), cell["source"])
        return master


class Run(Execute):
    """Execution in a kernel; when the kernel dies or hangs, what was earned before is kept."""

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict, km: object = None
    ) -> tuple[NotebookNode, ResourcesDict]:
        """The executed notebook, as far as it came."""
        try:
            return super().preprocess(nb, resources, km)
        except (DeadKernelError, UnresponsiveKernelError, CellTimeoutError) as error:
            resources[INCIDENT] = f"the Python process stopped before this test could finish ({type(error).__name__})"
            self.log.warning("The kernel stopped: %s", error)
            return nb, resources


class FailClosed(NbGraderPreprocessor):
    """After execution: a test cell scores only when it ends in a finite plain number between 0 and its points.

    Anything else becomes an error output with a reason, which nbgrader scores as 0. Text on stderr is kept for the
    reader as ordinary output, because a warning is not a wrong answer.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, cell_index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """The cell with outputs that nbgrader cannot misread."""
        if cells.is_autograded(cell):
            cell["outputs"] = fail_closed(cell["outputs"], cells.points(cell), resources.get(INCIDENT))
        return cell, resources


def fail_closed(outputs: list[NotebookNode], points: float, incident: str | None = None) -> list[NotebookNode]:
    """The outputs of a test cell, safe for `nbgrader.utils.determine_grade`.

    >>> fail_closed([], 3.0)[0].ename
    'NotScored'
    """
    others = [_harmless(output) for output in outputs if output["output_type"] not in ("error", "execute_result")]
    errors = [output for output in outputs if output["output_type"] == "error"]
    if errors:
        return errors + others
    results = [output for output in outputs if output["output_type"] == "execute_result"]
    reason = _objection(results, points)
    if reason is None:
        return others + results[-1:]
    return [_error(incident or reason), *others]


def _objection(results: list[NotebookNode], points: float) -> str | None:
    """Why these results are no score, or None when they are one."""
    if not results:
        return "this test gave no score: the cell was empty, was not run, or its output was taken away"
    if len(results) > 1:
        return f"this test gave {len(results)} results where one score is expected"
    data = results[0].get("data", {})
    if "effkit-report" not in "".join(data.get("text/html", "")):
        return "this test ended in something other than the report of its check"
    text = data.get("text/plain", "")
    text = "".join(text) if isinstance(text, list) else str(text)
    try:
        value = float(text)
    except ValueError:
        return f"this test ended in {text[:60]!r}, which is not a number"
    if not math.isfinite(value) or not 0.0 <= value <= points:
        return f"this test ended in {text[:60]}, which is not between 0 and {points:g}"
    return None


def _harmless(output: NotebookNode) -> NotebookNode:
    """stderr as stdout: shown, never scored."""
    if output["output_type"] == "stream" and output.get("name") == "stderr":
        output["name"] = "stdout"
    return output


def _error(reason: str) -> NotebookNode:
    return nbformat.v4.new_output("error", ename=REFUSED, evalue=reason, traceback=[f"{REFUSED}: {reason}"])
