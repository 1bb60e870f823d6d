"""Where things lie: the data that ships with the kit, the learner's real data sets, the learner's state folder."""

import os
from pathlib import Path

HERE = Path(__file__).resolve()


def shipped(*parts: str) -> Path:
    """Path of a file that ships with the kit, e.g. ``shipped("charlm", "charlm.safetensors")``.

    An installed wheel carries the files as ``effkit/_data``; a checkout has them in ``data`` beside the package.
    Raises LookupError when neither holds the file.

    >>> shipped("charlm").name
    'charlm'
    """
    roots = (HERE.parents[1] / "_data", HERE.parents[2] / "data")
    for root in roots:
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise LookupError(f"{'/'.join(parts)} is missing from this installation of effkit; install effkit again.")


def real(folder: str, *files: str) -> Path | None:
    """Folder of a real data set below ``$EFFKIT_DATA``, or None when it or one of `files` is missing.

    >>> real("no_such_set") is None
    True
    """
    root = os.environ.get("EFFKIT_DATA", "")
    if not root:
        return None
    path = Path(root).expanduser() / folder
    return path if path.is_dir() and all((path / name).is_file() for name in files) else None


def state() -> Path:
    """The folder where predictions and rows are kept: ``$EFFKIT_STATE``, else the user's state folder.

    >>> isinstance(state(), Path)
    True
    """
    chosen = os.environ.get("EFFKIT_STATE", "")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_state_path

    return user_state_path("effkit")
