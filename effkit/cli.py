"""The `effkit` command: it parses, calls a room and prints. Heavy imports stand in the commands that need them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

app = typer.Typer(help="effkit: lessons in efficient NLP, checked while you work and graded with nbgrader.",
                  no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
course_app = typer.Typer(help="Make a course for a class.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(course_app, name="course")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Lessons = Annotated[str | None, typer.Option(help="Lessons by number or name, with commas between: 02,03.")]
Source = Annotated[Path | None, typer.Option(help="The checkout (or its solutions folder) to take lessons from.")]
Jobs = Annotated[int, typer.Option(min=1, help="Submissions graded at a time.")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exit 0 when all is well, 1 when something was found wrong, 2 on bad usage."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="effkit")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in ("nbgrader", "nbconvert", "sqlalchemy"):
            raise
        _refuse(f"this command needs {error.name.split('.')[0]}; install it: pip install 'effkit[instructor]'")
    except Exception as error:
        if not _is_for_user(error):
            raise
        _refuse(str(error))


@app.command()
def start(
    lesson: Annotated[str | None, typer.Argument(help="A lesson's number or name; else all.")] = None,
    folder: Annotated[Path, typer.Option("--dir", help="Where the copies go.")] = Path("effkit-lessons"),
) -> None:
    """Make a working copy of one lesson, or of all. A file that is there already is never touched.

    Example: effkit start 03
    """
    chosen = [path for path in _notebooks() if lesson is None or lesson in _short_names(path)]
    if not chosen:
        raise LookupError(f"no lesson {lesson!r}; there are: {', '.join(path.stem for path in _notebooks())}")
    folder.mkdir(parents=True, exist_ok=True)
    for path in chosen:
        target = folder / path.name
        try:
            with target.open("xb") as copy:
                copy.write(path.read_bytes())
            typer.echo(f"new    {target}")
        except FileExistsError:
            typer.echo(f"kept   {target} (it is there already; for a fresh copy choose another folder: --dir NAME)")
    typer.echo(f"Open it with: jupyter lab {folder}")


@app.command()
def check(
    notebook: Annotated[Path, typer.Argument(help="A notebook that you work in.")],
    as_json: Json = False,
    timeout: Annotated[int, typer.Option(min=1, help="Seconds that one cell may take.")] = 60,
) -> None:
    """Run a notebook's checks (experiments are skipped) and print their reports; exit 1 when one fails.

    Example: effkit check effkit-lessons/03_absmax_int8.ipynb
    """
    from effkit.grading import run_checks

    with _bar("running cells") as advance:
        results = run_checks(notebook, timeout, advance)
    if as_json:
        _print_json([{**asdict(one), "ok": one.ok} for one in results])
    else:
        for one in results:
            typer.echo(one.report + "\n")
        passed, earned = sum(one.ok for one in results), sum(one.earned for one in results)
        most = sum(one.points for one in results)
        typer.echo(f"{passed} of {len(results)} exercises done, {earned:g} of {most:g} points")
    raise typer.Exit(0 if all(one.ok for one in results) else 1)


@app.command()
def build(
    check_only: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 when a file is stale.")] = False,
    url: Annotated[str | None, typer.Option(help="The forge URL for badges and install cells of a fork.")] = None,
    source: Source = None,
) -> None:
    """Make notebooks/ out of solutions/.

    Example: effkit build --check
    """
    from effkit import course
    from effkit.grading.coursedir import find_root

    root = find_root(source)
    stale = course.build(root, check=check_only, url=url)
    for path in stale:
        typer.echo(f"{'stale' if check_only else 'wrote'}  {Path(path).relative_to(root)}")
    if not stale:
        typer.echo("everything is up to date")
    elif check_only:
        typer.echo("mend it with: effkit build")
        raise typer.Exit(1)


@app.command()
def lint(
    lesson: Annotated[str | None, typer.Argument(help="A lesson's number or name; else all.")] = None,
    static: Annotated[bool, typer.Option("--static", help="Only the quick gates that run no cell.")] = False,
    source: Source = None,
    as_json: Json = False,
) -> None:
    """Hold the lessons against the gates that every lesson must pass; exit 1 when one does not.

    Example: effkit lint 03
    """
    from effkit import course
    from effkit.grading.coursedir import find_root, select

    root, count = find_root(source), iter(range(1, 9999))
    only = [one.id for one in select(course.lessons(root), [lesson])] if lesson else None
    with _bar("gates") as advance:
        problems = list(course.lint(root, only, static=static,
                                    progress=lambda name, gate: advance(next(count), 0, f"{name}: {gate}")))
    if as_json:
        _print_json([problem._asdict() for problem in problems])
    else:
        for problem in problems:
            typer.echo(f"{problem.lesson}  {problem.gate}: {problem.message}")
        typer.echo(f"{len(problems)} problem(s)" if problems else "every gate is passed")
    raise typer.Exit(1 if problems else 0)


@course_app.command("new")
def course_new(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder for the course.")],
    lessons: Lessons = None,
    source: Source = None,
) -> None:
    """Make an nbgrader course directory out of the lessons. A folder with anything in it is left alone.

    Example: effkit course new my-course --lessons 02,03
    """
    from effkit.grading import new_course

    count = iter(range(1, 999))
    with _bar("releasing lessons") as advance:
        made = new_course(directory, _split(lessons), source, lambda lesson: advance(next(count), 0))
    first = made.lessons[0]
    typer.echo(f"Made {directory} with {len(made.lessons)} lesson(s) from {made.source / 'solutions'}:\n"
               "  nbgrader_config.py    the course's settings; nbgrader reads them too\n"
               "  source/               solutions and hidden tests: keep them to yourself\n"
               "  release/              what students get; hand these notebooks out\n"
               "  submitted/            put hand-ins here: submitted/STUDENT/LESSON/LESSON.ipynb\n"
               "  gradebook.db          the gradebook\n"
               f"Next: collect hand-ins, for instance submitted/ada/{first}/{first}.ipynb, then\n"
               f"  effkit grade {directory} {first.split('_')[0]}")


@app.command()
def grade(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The course directory.")],
    lesson: Annotated[str, typer.Argument(help="A lesson's number or name.")],
    jobs: Jobs = 1,
    as_json: Json = False,
) -> None:
    """Grade every submission of a lesson into the gradebook; exit 1 when one could not be graded.

    Example: effkit grade my-course 03
    """
    from effkit.grading import grade as grade_class

    with _bar(f"grading {lesson}") as advance:
        outcomes = grade_class(directory, lesson, jobs, lambda done, total, outcome: advance(done, total))
    if as_json:
        _print_json([asdict(one) for one in outcomes])
    elif outcomes:
        rows = [(one.student, _points(one.score), f"{one.max_score:g}", one.status, one.reason) for one in outcomes]
        _table(f"{lesson} in {directory}", ("student", "score", "of", "status", "what was found"), rows, (1, 2))
        typer.echo(f"Gradebook: {directory / 'gradebook.db'}. Open formgrader with: cd {directory} && jupyter lab")
    else:
        typer.echo(f"nothing is handed in; notebooks go into {directory}/submitted/STUDENT/LESSON/LESSON.ipynb")
    raise typer.Exit(0 if all(one.ok for one in outcomes) else 1)


@app.command()
def demo(
    lessons: Lessons = None,
    directory: Annotated[Path | None, typer.Option("--dir", help="A new folder; else a temporary one.")] = None,
    source: Source = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Submissions graded at a time.")] = None,
) -> None:
    """Grade a demo class of twelve for each lesson and compare with the scores it must get; exit 1 when one differs.

    Example: effkit demo --lessons 03
    """
    from effkit.grading import demo as run_demo

    with _bar("grading the demo class") as advance:
        shown = run_demo(_split(lessons), directory, source, jobs,
                         lambda lesson, done, total, outcome: advance(done, total, f"grading {lesson}"))
    for lesson in dict.fromkeys(row.lesson for row in shown.rows):
        rows = [(row.student, row.what, _points(row.expected), _points(row.actual), f"{row.max_score:g}",
                 "yes" if row.ok else "NO") for row in shown.rows if row.lesson == lesson]
        _table(lesson, ("student", "what it is", "expected", "actual", "of", "ok"), rows, (2, 3, 4))
    for row in shown.rows:
        if not row.ok:
            typer.echo(f"{row.lesson}, {row.student}: {_points(row.expected)} expected, {_points(row.actual)} given. "
                       f"{row.reason}")
    agreed = sum(row.ok for row in shown.rows)
    typer.echo(f"{agreed} of {len(shown.rows)} scores are the expected ones.\n"
               f"Gradebook: {shown.path / 'gradebook.db'}\n"
               f"Look at the class in formgrader: cd {shown.path} && jupyter lab, then menu Nbgrader, Formgrader.")
    raise typer.Exit(0 if agreed == len(shown.rows) else 1)


def _is_for_user(error: Exception) -> bool:
    """True for errors whose message is written for the person at the terminal."""
    known = {"SourceError", "BadNotebook", "EngineError"}
    files = (FileExistsError, FileNotFoundError, NotADirectoryError, PermissionError)
    return type(error) is LookupError or isinstance(error, files) or type(error).__name__ in known


def _refuse(message: str) -> NoReturn:
    typer.echo(f"effkit: {message}", err=True)
    sys.exit(2)


def _notebooks() -> list[Path]:
    """The lessons' student notebooks: those of the installed package, or those of the checkout it runs in."""
    here = Path(__file__).resolve().parent
    for folder in (here / "_notebooks", here.parent / "notebooks"):
        found = sorted(folder.glob("[0-9]*.ipynb"))
        if found:
            return found
    raise LookupError("no lesson notebooks in this installation; in a checkout make them with: effkit build")


def _short_names(path: Path) -> set[str]:
    number, _, slug = path.stem.partition("_")
    return {path.stem, path.name, number, number.lstrip("0"), slug}


def _split(lessons: str | None) -> list[str] | None:
    if lessons is None:
        return None
    names = [name.strip() for name in lessons.split(",") if name.strip()]
    if not names:
        raise LookupError(f"--lessons {lessons!r} names no lesson; write numbers with commas between: --lessons 02,03")
    return names


def _points(score: float | None) -> str:
    return "not graded" if score is None else f"{score:g}"


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2))


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for index, name in enumerate(header):
        table.add_column(name, justify="right" if index in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style="bold red" if cell == "NO" else "") for cell in row))
    Console().print(table)


@contextmanager
def _bar(what: str) -> Iterator[Callable[..., None]]:
    """A progress bar on stderr, gone when done; gives a function (done, total, what) to move it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)

        def advance(done: int, total: int, now: str = what) -> None:
            progress.update(task, completed=done, total=total or None, description=now)

        yield advance
