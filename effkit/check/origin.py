"""Where a student's exception came from: their line and their arguments, never our internals."""

import linecache
import os
import sysconfig
from types import FrameType, TracebackType

from effkit.check.failure import Failure
from effkit.check.show import given_lines, shorten

_HERE = os.path.dirname(os.path.abspath(__file__))
_LIBRARIES = tuple({sysconfig.get_paths()[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")})


def explain(error: BaseException) -> Failure:
    """A ``Failure`` that explains ``error``, raised while a case ran: what happened, the student's line, the input.

    >>> explain(NameError("name 'encode' is not defined", name="encode")).message
    '`encode` is not defined; run the cell that defines it, then this cell again'
    """
    frames = _students_frames(error.__traceback__)
    if isinstance(error, NotImplementedError) and frames and len(frames) <= 2:
        return Failure("not written yet: replace `raise NotImplementedError()` by your code")
    if isinstance(error, NameError) and len(frames) <= 1:
        return Failure(f"`{error.name}` is not defined; run the cell that defines it, then this cell again")
    if len(frames) <= 1:
        return Failure(_unusable(error))
    frame, line = frames[-1]
    return Failure(f"your code raised {_name(error)}{_place(frame, line)}", given=_arguments(frames[1][0]))


def _students_frames(trace: TracebackType | None) -> list[tuple[FrameType, int]]:
    """The test cell's frame, then the student's frames, outermost first."""
    frames = []
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if not path.startswith(_HERE) and not is_library(path):
            frames.append((trace.tb_frame, trace.tb_lineno))
        trace = trace.tb_next
    return frames


def is_library(path: str) -> bool:
    """Is this file part of Python, of an installed package or of effkit, and not a student's cell?"""
    return path.startswith(_LIBRARIES) or path.startswith(os.path.dirname(_HERE)) or path.startswith("<frozen")


def _unusable(error: BaseException) -> str:
    text = str(error)
    if "NoneType" in text:
        return f"your function returned None; does every path end with `return`? (the check met {_name(error)})"
    if "unpack" in text:
        return f"your function must return several values at once, `return a, b` (the check met {_name(error)})"
    return f"the check could not use what your function returned: {_name(error)}"


def _name(error: BaseException) -> str:
    return shorten(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__, 300)


def _place(frame: FrameType, line: int) -> str:
    source = linecache.getline(frame.f_code.co_filename, line, frame.f_globals).strip()
    function = frame.f_code.co_name
    where = f" in {function}" if not function.startswith("<") else ""
    return f"{where}, line {line}" + (f": `{shorten(source, 120)}`" if source else "")


def _arguments(frame: FrameType) -> dict | None:
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    found = {name: frame.f_locals[name] for name in names if name in frame.f_locals and name != "self"}
    return found if found and given_lines(found) else None
