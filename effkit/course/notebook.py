"""Making notebooks of a lesson: the student's, and the master from which nbgrader makes a release.

Output is the same byte for byte on every run: ids come from lesson, role and name, and nothing holds a time.
"""

from __future__ import annotations

import hashlib
from typing import Any

from effkit.course.percent import SourceError
from effkit.course.place import badge, install_guard, project_url
from effkit.course.source import Cell, Lesson
from effkit.course.strip import MarkerError, fill_points, strip_hidden, strip_solution

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
GRADED = ("exercise", "test", "answer")


def student_notebook(lesson: Lesson, url: str | None = None) -> Any:
    """The notebook a student gets (an nbformat 4.5 NotebookNode): no solutions, no hidden tests, no outputs.

    It equals what ``nbgrader generate_assignment`` makes of the master, but for nbgrader's checksums, which nbgrader
    itself writes anew and never needs from a submission. ``url`` overrides the project's URL.
    """
    return _notebook(lesson, url, _student_source)


def master_notebook(lesson: Lesson, url: str | None = None) -> Any:
    """The nbgrader source version (an nbformat 4.5 NotebookNode): solutions, hidden tests and markers inside."""
    return _notebook(lesson, url, _master_source)


def grade_id(cell: Cell) -> str:
    """The name by which nbgrader knows a cell; raises ValueError for a cell that it does not know.

    >>> grade_id(Cell("code", "test", "encode", "", 1))
    'test_encode'
    """
    known = {"exercise": cell.name, "test": f"test_{cell.name}", "answer": f"answer_{cell.name}", "setup": "setup"}
    if cell.role not in known:
        raise ValueError(f"a cell of role {cell.role!r} has no grade id; {', '.join(known)} have one")
    return known[cell.role]


def write(notebook: Any) -> str:
    """The text of a notebook's file."""
    import nbformat

    return nbformat.writes(notebook, version=4) + "\n"


def _notebook(lesson: Lesson, url: str | None, source_of: Any) -> Any:
    from nbformat import v4

    url = url or project_url(lesson.root)
    ids, setups, cells = cell_ids(lesson), 0, []
    for index, (cell, cell_id) in enumerate(zip(lesson.cells, ids)):
        setups += cell.role == "setup"
        try:
            source = source_of(cell)
        except MarkerError as error:
            raise SourceError(lesson.path, cell.line + error.line, f"{error.message}; markers come in pairs inside one "
                              "cell; mend the pair") from error
        if index == 0:
            source = _with_facts(lesson, source, url)
        if cell.role == "setup" and setups == 1:
            source = f"{install_guard(url)}\n\n{source}"
        metadata = _metadata(cell, f"_{setups}" if cell.role == "setup" and setups > 1 else "")
        make = v4.new_code_cell if cell.kind == "code" else v4.new_markdown_cell
        cells.append(make(source, id=cell_id, metadata=metadata))
    made = v4.new_notebook(cells=cells, metadata={**METADATA, "effkit": {"lesson": lesson.id}})
    made.nbformat_minor = 5
    return made


def _student_source(cell: Cell) -> str:
    if cell.role in ("exercise", "answer"):
        return strip_solution(cell.source, cell.kind)
    return strip_hidden(_master_source(cell)) if cell.role == "test" else cell.source


def _master_source(cell: Cell) -> str:
    return fill_points(cell.source, cell.name, cell.options["points"]) if cell.role == "test" else cell.source


def cell_ids(lesson: Lesson) -> list[str]:
    """Ids of the cells, unique and stable: an edit of one cell's text changes no id."""
    ids, before, index = [], "", 0
    for cell in lesson.cells:
        if cell.role == "prose" or (cell.role == "setup" and "setup" in before):
            index += 1
            digest = hashlib.sha256(f"{lesson.id} {before} {index}".encode()).hexdigest()[:8]
            ids.append(f"{lesson.number:02d}-{cell.role}-{digest}")
        else:
            before, index = f"{cell.role} {cell.name}", 0
            ids.append(_named_id(lesson, cell))
    return ids


def _named_id(lesson: Lesson, cell: Cell) -> str:
    full = "-".join(part for part in (f"{lesson.number:02d}", cell.role, cell.name) if part)
    if len(full) <= 64:
        return full
    return f"{full[:55]}-{hashlib.sha256(full.encode()).hexdigest()[:8]}"


def _metadata(cell: Cell, suffix: str) -> dict[str, Any]:
    own: dict[str, Any] = {"effkit": {"role": cell.role, **({"name": cell.name} if cell.name else {})}}
    if cell.options.get("uses"):
        own["effkit"]["uses"] = cell.options["uses"]
    if cell.role not in (*GRADED, "setup"):
        return own
    grade, solution = cell.role in ("test", "answer"), cell.role in ("exercise", "answer")
    own["nbgrader"] = {"grade": grade, "grade_id": grade_id(cell) + suffix, "locked": not solution, "schema_version": 3,
                       "solution": solution, "task": False}
    if grade:
        own["nbgrader"]["points"] = cell.options["points"]
    own["deletable"] = False
    if not solution:
        own["editable"] = False
    return own


def _with_facts(lesson: Lesson, source: str, url: str) -> str:
    title, _, rest = source.partition("\n")
    lines = [title, badge(url, lesson.id), facts_line(lesson), rest.strip("\n")]
    return "\n\n".join(line for line in lines if line)


def facts_line(lesson: Lesson) -> str:
    """One line of markdown: minutes, what to know before, the papers."""
    facts = lesson.facts
    parts = [f"**{facts['minutes']} minutes**"]
    if facts["prerequisites"]:
        parts.append("before: " + ", ".join(map(str, facts["prerequisites"])))
    if facts["papers"]:
        parts.append("papers: " + "; ".join(map(_paper, facts["papers"])))
    return " · ".join(parts)


def _paper(paper: dict[str, Any]) -> str:
    authors = paper["authors"] if isinstance(paper["authors"], str) else ", ".join(paper["authors"])
    title = f"*{paper['title']}*"
    if paper.get("arxiv"):
        title = f"[{title}](https://arxiv.org/abs/{paper['arxiv']})"
    return f"{title} ({authors}, {paper['year']})"
