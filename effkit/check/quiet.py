"""Keep stderr quiet while a test runs: plain nbgrader scores a cell that writes there as zero.

Python's ``sys.stderr`` and the process's file descriptor 2 are diverted into a temporary file whose text goes into the
report; both are put back whatever happens.
"""

import os
import sys
import tempfile
from types import TracebackType

LIMIT = 4000


class Quiet:
    """A context that diverts stderr; afterwards ``text`` holds what was written (at most 4,000 characters).

    >>> with Quiet() as quiet:
    ...     _ = sys.stderr.write("a warning")
    >>> quiet.text
    'a warning'
    """

    text = ""

    def __enter__(self) -> "Quiet":
        self._file = tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace")
        self._stderr, sys.stderr = sys.stderr, self._file
        self._saved = _divert(self._file.fileno())
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        sys.stderr = self._stderr
        if self._saved is not None:
            os.dup2(self._saved, 2)
            os.close(self._saved)
        self._file.flush()
        self._file.seek(0)
        self.text = self._file.read(LIMIT)
        self._file.close()


def _divert(target: int) -> int | None:
    try:
        saved = os.dup(2)
    except OSError:  # the process has no descriptor 2, as under some services
        return None
    os.dup2(target, 2)
    return saved
