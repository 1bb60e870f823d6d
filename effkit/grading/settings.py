"""The nbgrader settings that make a course fail closed; a course's `nbgrader_config.py` calls `protect`."""

from __future__ import annotations

from typing import Any

SANITIZE = [
    "nbgrader.preprocessors.ClearOutput",
    "effkit.grading.preprocessors.RestoreCells",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
AUTOGRADE = [
    "effkit.grading.preprocessors.Run",
    "nbgrader.preprocessors.IgnorePattern",
    "effkit.grading.preprocessors.FailClosed",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

QUIET_KERNEL = ["--IPKernelApp.log_level=ERROR"]

CONFIG_FILE = '''"""nbgrader's configuration of this course. Add your own settings below; keep the call to protect()."""

from effkit.grading.settings import protect

c = get_config()  # noqa: F821  (nbgrader provides it)
c.CourseDirectory.course_id = "{course_id}"

# Experiments are skipped, damaged notebooks are put in order, and a test cell scores only when it ends in a number
# between 0 and its points. With this call, `nbgrader autograde` and `effkit grade` follow the same rules.
protect(c)
'''


def protect(config: Any) -> None:
    """Put effkit's preprocessors into nbgrader's lists in `config` (a traitlets Config), in place.

    >>> from traitlets.config import Config
    >>> c = Config(); protect(c); "effkit.grading.preprocessors.FailClosed" in c.Autograde.autograde_preprocessors
    True
    """
    config.Autograde.sanitize_preprocessors = list(SANITIZE)
    config.Autograde.autograde_preprocessors = list(AUTOGRADE)
    config.Execute.extra_arguments = list(QUIET_KERNEL)
