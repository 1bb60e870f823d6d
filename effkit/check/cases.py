"""A test of one exercise: independent cases, partial credit, and what each case found."""

import contextlib
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any, NamedTuple

from effkit.check.failure import Failure
from effkit.check.origin import explain
from effkit.check.quiet import Quiet
from effkit.check.report import Score, text_report
from effkit.check.show import given_lines

_finished: list["test"] = []
_collectors: list[list["test"]] = []


class Result(NamedTuple):
    """What one case found; ``given`` are the lines that show the input."""

    title: str
    hidden: bool
    weight: float
    passed: bool
    message: str = ""
    diagnosis: str = ""
    given: tuple[str, ...] = ()


class test:  # noqa: N801  (reads as a verb in the student's cell: `with check.test(...) as t`)
    """The checks of one exercise, as a context; ``points`` are shared among the cases by their weights.

    A case that fails never hides the next one. ``score`` is the points earned (a ``Score``, in [0, points], rounded to
    6 digits), ``results`` what each case found. stderr is diverted into the report. An error outside of
    any case scores 0.

    >>> with collect():
    ...     with test("add", points=2) as t:
    ...         with t.case("one and one"):
    ...             that(1 + 1 == 2, "one and one make two")
    ...         with t.case("two and two"):
    ...             that(2 + 2 == 5, "this cannot hold")
    >>> t.score
    1.0
    """

    def __init__(self, name: str, points: float = 1.0):
        self.name, self.points = name, float(points)
        self.results: list[Result] = []
        self.stderr = ""
        self.broken = False

    def __enter__(self) -> "test":
        self._quiet = Quiet()
        self._quiet.__enter__()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        self._quiet.__exit__(kind, error, trace)
        self.stderr = self._quiet.text
        if error is not None and not _is_ours(error):
            return False
        if error is not None:
            self.broken = True
            self.results.append(_failed("the test itself", False, 1.0, error))
        _finish(self)
        return True

    @contextlib.contextmanager
    def case(self, title: str, weight: float = 1.0, hidden: bool = False) -> Iterator[None]:
        """One independent case, worth ``weight`` shares of the points."""
        try:
            yield
        except BaseException as error:  # SystemExit too: `exit()` in a student's function must not end the class
            if not _is_ours(error):
                raise
            self.results.append(_failed(title, hidden, weight, error))
        else:
            self.results.append(Result(title, hidden, weight, True))

    def hidden(self, title: str, weight: float = 1.0) -> contextlib.AbstractContextManager[None]:
        """A case whose input and code the report does not show: only its title and the diagnosis."""
        return self.case(title, weight, hidden=True)

    @property
    def earned(self) -> float:
        """Points earned so far, in [0, points]."""
        whole = sum(result.weight for result in self.results)
        if self.broken or not whole:
            return 0.0
        passed = sum(result.weight for result in self.results if result.passed)
        return min(max(round(self.points * passed / whole, 6), 0.0), self.points)

    @property
    def score(self) -> Score:
        """The points earned as a float that shows the report."""
        return Score(self.earned, self)


@contextlib.contextmanager
def collect() -> Iterator[list[test]]:
    """Within this context finished tests print nothing and are gathered in the list it gives."""
    _collectors.append(found := [])
    try:
        yield found
    finally:
        _collectors.remove(found)


def last() -> test | None:
    """The test that finished last, or None."""
    return _finished[-1] if _finished else None


def that(condition: Any, message: str, given: Any = None) -> None:
    """Pass when ``condition`` is true; otherwise ``message`` says which property does not hold.

    >>> that(1 < 2, "one is less than two")
    """
    if not bool(condition):
        raise Failure(message, given=given)


def mistake(condition: Any, sentence: str, given: Any = None) -> None:
    """Fail with the diagnosis ``sentence`` when ``condition`` is true: for slips that a property shows.

    >>> mistake(False, "you forget the scale")
    """
    if bool(condition):
        raise Failure("", sentence, given)


def _is_ours(error: BaseException) -> bool:
    return isinstance(error, (Exception, SystemExit))


def _failed(title: str, hidden: bool, weight: float, error: BaseException) -> Result:
    failure = error if isinstance(error, Failure) else explain(error)
    return Result(title, hidden, weight, False, failure.message, failure.diagnosis, tuple(given_lines(failure.given)))


def _finish(done: test) -> None:
    _finished[:] = [done]
    if _collectors:
        _collectors[-1].append(done)
    elif not _in_ipython():
        sys.stdout.write(text_report(done) + "\n")


def _in_ipython() -> bool:
    module = sys.modules.get("IPython")
    return module is not None and module.get_ipython() is not None
