"""One student's result of one lesson, and the file in which a class's results are kept beside the gradebook."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

GRADED = "graded"
REPAIRED = "repaired"
NOT_GRADED = "not graded"


@dataclass(frozen=True)
class Outcome:
    """What became of one submission.

    `score` and `max_score` count the automatically graded points; `score` is None exactly when `status` is
    "not graded", and then `reason` is one sentence that says why and how to mend it. `status` "repaired" means that
    cells were put back or duplicates set aside before grading; `reason` lists them.

    >>> Outcome("ada", 3.0, 5.0, "graded", "").ok
    True
    """

    student: str
    score: float | None
    max_score: float
    status: str
    reason: str = ""

    @property
    def ok(self) -> bool:
        """True when the submission was graded."""
        return self.status != NOT_GRADED


def results_file(course_dir: Path, lesson: str) -> Path:
    """Where the outcomes of `lesson` are kept: `results/<lesson>.json` in the course directory."""
    return Path(course_dir) / "results" / f"{lesson}.json"


def save(course_dir: Path, lesson: str, outcomes: list[Outcome]) -> Path:
    """Write the outcomes of a class as JSON, whole or not at all, and return the file."""
    target = results_file(course_dir, lesson)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".json.part")
    text = json.dumps({"lesson": lesson, "outcomes": [asdict(outcome) for outcome in outcomes]}, indent=2)
    draft.write_text(text + "\n", encoding="utf-8")
    os.replace(draft, target)
    return target
