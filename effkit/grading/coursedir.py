"""Make an nbgrader course directory out of lesson sources."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from effkit.grading.settings import CONFIG_FILE


@dataclass(frozen=True)
class NewCourse:
    """What was made: the directory, its lessons' ids, and the sources they came from."""

    path: Path
    lessons: tuple[str, ...]
    source: Path


def find_root(source: Path | None = None) -> Path:
    """The checkout whose `solutions/` hold the lessons: `source`, a parent of the working folder, or effkit's own.

    `source` may be the checkout or the solutions folder itself. Raises LookupError when there is none.
    """
    here = Path.cwd()
    places = [source, source.parent] if source else [here, *here.parents, Path(__file__).resolve().parents[2]]
    for place in places:
        if (place / "solutions").is_dir() and any((place / "solutions").glob("[0-9]*.py")):
            return place.resolve()
    looked = f"in {source}" if source else f"in or above {here}"
    raise LookupError(f"no lesson sources (solutions/NN_name.py) {looked}; run this in a checkout of effkit, or name "
                      "one: --source DIR")


def select(lessons: Sequence[Any], wanted: Sequence[str] | None) -> list[Any]:
    """The lessons named by number ("02"), slug or id, in the order of the course; all of them for None.

    Raises LookupError naming the lesson that is not there and those that are.
    """
    if not wanted:
        return list(lessons)
    for name in wanted:
        if not any(name in _names(lesson) for lesson in lessons):
            raise LookupError(f"no lesson {name!r}; there are: {', '.join(lesson.id for lesson in lessons)}")
    return [lesson for lesson in lessons if _names(lesson) & set(wanted)]


def _names(lesson: Any) -> set[str]:
    return {lesson.id, lesson.slug, str(lesson.number), f"{int(lesson.number):02d}"}


def new_course(
    directory: Path | str,
    lessons: Sequence[str] | None = None,
    source: Path | str | None = None,
    progress: Callable[[str], None] | None = None,
) -> NewCourse:
    """Make the course directory `directory`: source notebooks, nbgrader_config.py, gradebook.db and the release.

    `progress` is called with each lesson's id when its release is ready. Raises FileExistsError when the directory
    has anything in it, LookupError when a lesson or the sources are not found.
    """
    path = Path(directory)
    if path.exists() and (not path.is_dir() or any(os.scandir(path))):
        raise FileExistsError(f"{path} is there already and is not empty; nothing was changed; name a new folder")
    from effkit import course

    root = find_root(Path(source) if source else None)
    chosen = select(list(course.lessons(root)), lessons)
    path.mkdir(parents=True, exist_ok=True)
    (path / "submitted").mkdir()
    (path / "nbgrader_config.py").write_text(CONFIG_FILE.format(course_id="effkit"), encoding="utf-8")
    for lesson in chosen:
        write_source(path, lesson.id, course.master_notebook(lesson))
    _release(path, chosen, progress)
    return NewCourse(path.resolve(), tuple(lesson.id for lesson in chosen), root)


def write_source(path: Path, lesson_id: str, notebook: Any) -> Path:
    """Write one source notebook where nbgrader looks for it and return the file."""
    import nbformat

    target = path / "source" / lesson_id / f"{lesson_id}.ipynb"
    target.parent.mkdir(parents=True)
    target.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return target


def _release(path: Path, lessons: Sequence[Any], progress: Callable[[str], None] | None) -> None:
    from effkit.grading.engine import Course

    made = Course(path)
    for lesson in lessons:
        made.release(lesson.id)
        if progress:
            progress(lesson.id)
