"""The one exception that a failed comparison raises; a case catches it and turns it into a result."""

from typing import Any


class Failure(AssertionError):
    """A check that did not hold.

    ``message`` says what was expected and what came, ``diagnosis`` names the mistake when it is a known one, and
    ``given`` is the input (any value, or a dict of names to values) that the report shows.

    >>> str(Failure("expected 4, got 5", diagnosis="you add one"))
    'you add one; expected 4, got 5'
    """

    def __init__(self, message: str, diagnosis: str = "", given: Any = None):
        super().__init__("; ".join(text for text in (diagnosis, message) if text))
        self.message, self.diagnosis, self.given = message, diagnosis, given
