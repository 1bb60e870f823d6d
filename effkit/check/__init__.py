"""What a student's cell calls: cases, comparisons, diagnosis, partial credit and the report.

This room imports numpy and torch and nothing else of effkit.

>>> from effkit import check
>>> with check.collect() as finished:
...     with check.test("double", points=2) as t:
...         with t.case("twice two is four"):
...             check.equal(2 * 2, 4)
>>> t.score
2.0
"""

from effkit.check.cases import Failure, Result, collect, last, mistake, test, that
from effkit.check.compare import close, equal, like, raises
from effkit.check.counting import allocates, operations, saved_bytes, stored_bytes
from effkit.check.gradients import ValueAndGrad, value_and_grad
from effkit.check.report import Score
from effkit.check.seeds import rng

__all__ = [
    "Failure", "Result", "Score", "ValueAndGrad", "allocates", "close", "collect", "equal", "last", "like", "mistake",
    "operations", "raises", "rng", "saved_bytes", "stored_bytes", "test", "that", "value_and_grad",
]
