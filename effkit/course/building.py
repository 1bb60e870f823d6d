"""Writing what is generated: ``notebooks/`` and the table of lessons in the README."""

from __future__ import annotations

import json
import os
from pathlib import Path

from effkit.course.notebook import student_notebook, write
from effkit.course.place import badge, project_url
from effkit.course.source import Lesson, lessons

BEGIN, END = "<!-- lessons:begin -->", "<!-- lessons:end -->"


def build(root: str | Path, check: bool = False, url: str | None = None) -> list[Path]:
    """Bring ``notebooks/`` and the README's table up to date; the files that were stale, written unless ``check``.

    A notebook in ``notebooks/`` that was built of a lesson which is no more is stale too, and is removed. ``url``
    overrides the project's URL in links and install cells, for a fork. Raises SourceError for a source that breaks a
    rule, before anything is written.

        for path in build("."):
            print("wrote", path)
    """
    root = Path(root)
    found = lessons(root)
    wanted = products(root, found, url)
    stale = [path for path, text in wanted.items() if _text(path) != text]
    orphans = _orphans(root, wanted)
    if not check:
        for path in stale:
            _write(path, wanted[path])
        for path in orphans:
            path.unlink()
    return stale + orphans


def products(root: Path, found: tuple[Lesson, ...], url: str | None = None) -> dict[Path, str]:
    """Every generated file of a checkout, with the text it should have."""
    url = url or project_url(root)
    made = {root / "notebooks" / f"{lesson.id}.ipynb": write(student_notebook(lesson, url)) for lesson in found}
    readme = _text(root / "README.md")
    if readme is not None and BEGIN in readme and END in readme:
        made[root / "README.md"] = with_table(readme, lesson_table(found, url))
    return made


def lesson_table(found: tuple[Lesson, ...], url: str) -> str:
    """The README's table of lessons as markdown, one row a lesson."""
    lines = ["| # | lesson | part | minutes | points | open |", "|---|---|---|---|---|---|"]
    for lesson in found:
        points = sum(cell.options["points"] for cell in lesson.of("test", "answer"))
        lines.append(f"| {lesson.number:02d} | [{lesson.title}](notebooks/{lesson.id}.ipynb): {lesson.facts['claim']} "
                     f"| {lesson.facts['part']} | {lesson.facts['minutes']} | {points:g} | {badge(url, lesson.id)} |")
    return "\n".join(lines)


def with_table(readme: str, table: str) -> str:
    """The README with ``table`` between its markers.

    >>> with_table("a <!-- lessons:begin --> old <!-- lessons:end --> b", "new")
    'a <!-- lessons:begin -->\\nnew\\n<!-- lessons:end --> b'
    """
    before, rest = readme.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def _orphans(root: Path, wanted: dict[Path, str]) -> list[Path]:
    return [path for path in sorted((root / "notebooks").glob("*.ipynb")) if path not in wanted and _is_built(path)]


def _is_built(path: Path) -> bool:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(content, dict) and "lesson" in content.get("metadata", {}).get("effkit", {})


def _text(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8", errors="replace") if path.is_file() else None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.new")
    scratch.write_text(text, encoding="utf-8", newline="\n")
    os.replace(scratch, path)
