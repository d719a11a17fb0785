"""How far a learner is in all lessons, kept beside the results and shown as a panel."""

import contextlib
import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.lesson.notebooks import lesson_files
from course_lib.runtime import PROJECT_ROOT, write_atomically

FILE = PROJECT_ROOT / "results" / "progress.json"
NOTEBOOKS = PROJECT_ROOT / "notebooks"
BAR = 20  # characters


@dataclass(frozen=True)
class LessonProgress:
    """Where a learner stands in one lesson."""

    title: str
    points: float
    most_points: float


class Progress:
    """Where a learner stands in all lessons: a panel in notebooks, lines in terminals."""

    def __init__(self, lessons: list[LessonProgress]) -> None:
        """Show these lessons, in their order."""
        self.lessons = lessons

    @property
    def points(self) -> float:
        """What all checks gave when they last ran."""
        return sum(lesson.points for lesson in self.lessons)

    @property
    def most_points(self) -> float:
        """What they give at most."""
        return sum(lesson.most_points for lesson in self.lessons)

    def __repr__(self) -> str:
        """Return a line per lesson and one for all."""
        rows = [*self.lessons, LessonProgress("all lessons", self.points, self.most_points)]
        return "\n".join(f"{_bar(row)} {row.points:g} of {row.most_points:g}  {row.title}" for row in rows)

    def _repr_html_(self) -> str:
        """Return a table with a bar per lesson, in the colours of the notebook."""
        rows = "".join(
            f"<tr><td style='text-align: left'>{html.escape(row.title)}</td>"
            f"<td><progress max='{row.most_points:g}' value='{row.points:g}'></progress></td>"
            f"<td>{row.points:g} of {row.most_points:g} points</td></tr>"
            for row in self.lessons
        )
        total = f"{self.points:g} of {self.most_points:g} points in all lessons"
        return f"<table style='font-size: 1em'><caption>{total}</caption>{rows}</table>"


def progress() -> Progress:
    """Return where the learner stands: the points of each check when it last ran on this computer."""
    try:
        files = lesson_files(NOTEBOOKS.parent)
    except FileNotFoundError:  # a notebook that came alone
        files = []
    known = _read()
    return Progress([_lesson(path, known) for path in files])


def record(exercise: str, points: float) -> None:
    """Keep the points of an exercise of the lesson that runs here; anywhere else, do nothing."""
    folder = Path.cwd()
    if folder.parent != NOTEBOOKS:
        return
    with contextlib.suppress(OSError):
        known = _read()
        known.setdefault(folder.name, {})[exercise] = points
        FILE.parent.mkdir(exist_ok=True)
        write_atomically(FILE, json.dumps(known, indent=1).encode())


def _read() -> dict[str, dict[str, float]]:
    """Return what is kept; nothing if it cannot be read."""
    try:
        known = json.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return (
        known if isinstance(known, dict) and all(isinstance(value, dict) for value in known.values()) else {}
    )


def _lesson(path: Path, known: dict[str, dict[str, float]]) -> LessonProgress:
    """Return how far one lesson is."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    checks = {about["grade_id"]: about["points"] for about in map(_check, cells) if about}
    kept = known.get(path.stem, {})
    earned = [min(kept.get(name.removesuffix("_check"), 0.0), most) for name, most in checks.items()]
    return LessonProgress(_title(cells, path), sum(earned), sum(checks.values()))


def _check(cell: dict[str, Any]) -> dict[str, Any]:
    """Return what nbgrader knows of a check cell, empty for any other cell."""
    about = cell["metadata"].get("nbgrader", {})
    return about if about.get("grade") and cell["cell_type"] == "code" else {}


def _title(cells: list[dict[str, Any]], path: Path) -> str:
    """Return the first heading of a lesson."""
    lines = "".join("".join(cell["source"]) + "\n" for cell in cells[:1]).splitlines()
    return next((line[2:] for line in lines if line.startswith("# ")), path.stem)


def _bar(row: LessonProgress) -> str:
    """Return a bar of characters."""
    full = round(BAR * row.points / row.most_points) if row.most_points else 0
    return "█" * full + "░" * (BAR - full)
