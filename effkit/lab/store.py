"""Small JSON files in the learner's state folder; when it cannot be written, the values live as long as the process."""

import json
import os
import tempfile

from effkit.lab.paths import state

_MEMORY = {}


def read(name: str) -> dict:
    """What was kept under `name`, a dict; empty when nothing was, or when the file is damaged.

    >>> read("never_written")
    {}
    """
    path = state() / f"{name}.json"
    if path in _MEMORY:
        return dict(_MEMORY[path])
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write(name: str, value: dict) -> None:
    """Keep `value`, a dict that JSON can hold, under `name`; whole or not at all."""
    path = state() / f"{name}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1)
        os.replace(temporary, path)
        _MEMORY.pop(path, None)
    except OSError:
        _MEMORY[path] = dict(value)
