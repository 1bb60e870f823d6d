"""Put a handed-in notebook in order by its master: metadata, duplicates, missing cells, tags. Pure data, no nbgrader.

A student's editor may copy, delete, retype or re-tag cells. nbgrader aborts on some of these and scores others as
full marks. Here the master decides what a cell is; the student decides only what stands in the exercise cells.
"""

from __future__ import annotations

import copy

from nbformat import NotebookNode

from effkit.grading import cells


def restore(nb: NotebookNode, master: NotebookNode) -> list[str]:
    """Change `nb` in place so that every graded cell of `master` is there once, with the master's metadata.

    Returns one phrase per thing found, for the instructor ("the test of scale was deleted and has been put back").
    Missing exercise cells are not put back: the student may have written the function in another cell.
    """
    match = _match(nb, master)
    _forget_unknown(nb, match)
    notes = _adopt(nb, master, match)
    notes += _put_back(nb, master, match)
    _set_tags(nb, master)
    _unique_ids(nb)
    return notes


def missing_exercises(nb: NotebookNode, master: NotebookNode) -> list[str]:
    """Names of the master's exercises that have no cell in `nb`, in order."""
    found = set(_match(nb, master).values())
    wanted = ((index, *cells.role(cell)) for index, cell in enumerate(master.cells))
    return [name for index, kind, name in wanted if kind == "exercise" and index not in found]


def known_cells(nb: NotebookNode, master: NotebookNode) -> int:
    """How many cells of `nb` are graded or exercise cells of `master`."""
    return len(set(_match(nb, master).values()))


def _match(nb: NotebookNode, master: NotebookNode) -> dict[int, int]:
    """Index in `nb` -> index in `master` of the nbgrader cells: by grade id, then cell id, then role and name.

    Several cells of `nb` may have the same master cell (copies).
    """
    wanted = {i: cell for i, cell in enumerate(master.cells) if cells.grade_id(cell)}
    by_grade = {cells.grade_id(cell): i for i, cell in wanted.items()}
    by_id = {cell["id"]: i for i, cell in wanted.items() if "id" in cell}
    by_role = {cells.role(cell): i for i, cell in wanted.items() if cells.role(cell)[1]}
    match: dict[int, int] = {}
    for index, cell in enumerate(nb.cells):
        for table, key in ((by_grade, cells.grade_id(cell)), (by_id, cell.get("id")), (by_role, cells.role(cell))):
            if key in table:
                match[index] = table[key]
                break
    return match


def _forget_unknown(nb: NotebookNode, match: dict[int, int]) -> None:
    """Take nbgrader's metadata off cells that no master cell stands behind; nbgrader would abort on them."""
    for index, cell in enumerate(nb.cells):
        if index not in match:
            cell["metadata"].pop("nbgrader", None)


def _adopt(nb: NotebookNode, master: NotebookNode, match: dict[int, int]) -> list[str]:
    """Give each matched cell its master's type and metadata; of several copies the last one counts."""
    notes, last = [], {original: index for index, original in match.items()}
    for index, original in list(match.items()):
        cell, model = nb.cells[index], master.cells[original]
        if last[original] != index:
            cell["metadata"].pop("nbgrader", None)
            del match[index]
            notes.append(f"{cells.describe(model)} stands there twice; the last copy counts")
            continue
        if cell["cell_type"] != model["cell_type"]:
            _retype(cell, model["cell_type"])
            notes.append(f"{cells.describe(model)} had another cell type")
        for section in ("nbgrader", "effkit"):
            if section in model["metadata"]:
                cell["metadata"][section] = copy.deepcopy(model["metadata"][section])
    return notes


def _retype(cell: NotebookNode, kind: str) -> None:
    cell["cell_type"] = kind
    for key in ("outputs", "execution_count", "attachments"):
        cell.pop(key, None)
    if kind == "code":
        cell["outputs"], cell["execution_count"] = [], None


def _put_back(nb: NotebookNode, master: NotebookNode, match: dict[int, int]) -> list[str]:
    """Insert missing tests, setup cells and questions after the nearest earlier cell of the master that is there."""
    notes = []
    place = {original: nb.cells[index] for index, original in match.items()}
    ids = {cell["id"]: cell for cell in nb.cells if "id" in cell}
    anchor: NotebookNode | None = None
    for index, model in enumerate(master.cells):
        present = place.get(index) or ids.get(model.get("id"))
        if present is None and cells.grade_id(model) and cells.role(model)[0] in cells.PUT_BACK:
            present = copy.deepcopy(model)
            nb.cells.insert(_after(nb, anchor), present)
            notes.append(f"{cells.describe(model)} was deleted and has been put back")
        anchor = present if present is not None else anchor
    return notes


def _after(nb: NotebookNode, anchor: NotebookNode | None) -> int:
    if anchor is None:
        return 0
    return next(i for i, cell in enumerate(nb.cells) if cell is anchor) + 1


def _set_tags(nb: NotebookNode, master: NotebookNode) -> None:
    """Take foreign tags off every cell, then mark the master's experiments (and predictions) as not to be run."""
    unrun = {cell.get("id") for cell in master.cells if cells.role(cell)[0] in cells.NOT_RUN} - {None}
    names = {cells.role(cell) for cell in master.cells if cells.role(cell)[0] in cells.NOT_RUN}
    for cell in nb.cells:
        tags = cell["metadata"].get("tags")
        kept = [t for t in tags if t not in cells.FOREIGN_TAGS] if isinstance(tags, list) else []
        planned = cell.get("id") in unrun or cells.role(cell) in names
        if planned and cells.grade_id(cell) is None and cell["cell_type"] == "code":
            kept.append(cells.SKIP_TAG)
        cell["metadata"].pop("tags", None)
        if kept:
            cell["metadata"]["tags"] = kept


def _unique_ids(nb: NotebookNode) -> None:
    """Cell ids as notebook format 4.5 wants them: present and unique."""
    nb["nbformat_minor"] = max(int(nb.get("nbformat_minor", 5)), 5)
    seen: set[str] = set()
    for number, cell in enumerate(nb.cells):
        name = cell.get("id") or f"cell-{number}"
        while name in seen:
            name = f"{name[:50]}-{number}"
        cell["id"] = name
        seen.add(name)
