"""What was found about each submission, one file each: nothing is graded twice and nothing is lost."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from course_lib.runtime import write_atomically
from course_tools.grading.grading import Job
from course_tools.grading.lesson import Lesson
from course_tools.grading.limits import Limits

RULES = 1
"""Raise it when grading changes so that everything has to be graded again."""


class Results:
    """The results in a folder."""

    def __init__(self, folder: Path) -> None:
        """Open a folder, which is made when the first result is written."""
        self.folder = folder

    def path(self, student: str, lesson: str) -> Path:
        """Return where a result is."""
        return self.folder / student / f"{lesson}.json"

    def read(self, student: str, lesson: str) -> dict[str, Any] | None:
        """Return a result, None if there is none that can be read."""
        try:
            return json.loads(self.path(student, lesson).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def write(self, result: dict[str, Any]) -> None:
        """Write a result; a kill at any moment leaves the old one or the new one."""
        path = self.path(result["student"], result["lesson"])
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(result).encode())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield all results, by lesson and student."""
        for path in sorted(self.folder.glob("*/*.json"), key=lambda path: (path.stem, path.parent.name)):
            if result := self.read(path.parent.name, path.stem):
                yield result


def fingerprint(job: Job, lesson: Lesson, limits: Limits, sandbox: bool) -> str:
    """Return what changes as soon as a submission would be graded differently."""
    about = [RULES, lesson.fingerprint, job.remarks, job.error, asdict(limits), sandbox]
    return hashlib.sha256(job.content + json.dumps(about).encode()).hexdigest()
