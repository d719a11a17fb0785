"""How far a learner is in all lessons, kept beside the results and shown as a panel."""

import contextlib
import html
import json
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from course_lib.lesson.notebooks import lesson_files
from course_lib.runtime import PROJECT_ROOT, write_atomically

FILE = PROJECT_ROOT / "results" / "progress.json"
NOTEBOOKS = PROJECT_ROOT / "notebooks"


class LessonProgress(NamedTuple):
    """Where a learner stands in one lesson."""

    title: str
    points: float
    most_points: float


class Progress:
    """Where a learner stands in all lessons: a panel in notebooks, lines in terminals."""

    def __init__(self, lessons: list[LessonProgress]) -> None:
        """Show these lessons, in their order, with the points of all checks when they last ran."""
        self.lessons = lessons
        self.points = sum(lesson.points for lesson in lessons)
        self.most_points = sum(lesson.most_points for lesson in lessons)

    def __repr__(self) -> str:
        """Return a line with a bar of characters per lesson and one for all."""
        lines = []
        for title, points, most in [*self.lessons, ("all lessons", self.points, self.most_points)]:
            full = round(20 * points / most) if most else 0
            lines.append(f"{'█' * full}{'░' * (20 - full)} {points:g} of {most:g}  {title}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return a table with a row per lesson, with bars in the colours of the notebook."""
        rows = "".join(
            f"<tr><td style='text-align: left'>{html.escape(title)}</td>"
            f"<td><progress max='{most:g}' value='{points:g}'></progress></td>"
            f"<td>{points:g} of {most:g} points</td></tr>"
            for title, points, most in self.lessons
        )
        caption = f"<caption>{self.points:g} of {self.most_points:g} points in all lessons</caption>"
        return f"<table style='font-size: 1em'>{caption}{rows}</table>"


def progress() -> Progress:
    """Return where the learner stands: the points of each check when it last ran on this computer."""
    try:
        files = lesson_files(NOTEBOOKS.parent)
    except FileNotFoundError:  # a notebook that came alone
        files = []
    known, lessons = _read(), []
    for path in files:
        kept, earned, most = known.get(path.stem, {}), 0.0, 0.0
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for cell in cells:
            about = cell["metadata"].get("nbgrader", {})
            if about.get("grade") and cell["cell_type"] == "code":
                earned += min(kept.get(about["grade_id"].removesuffix("_check"), 0.0), about["points"])
                most += about["points"]
        heading = "".join(cells[0]["source"]).splitlines() if cells else []
        title = heading[0].removeprefix("# ") if heading else path.stem
        lessons.append(LessonProgress(title, earned, most))
    return Progress(lessons)


def record(exercise: str, points: float) -> None:
    """Keep the points of an exercise of the lesson that runs here; anywhere else, do nothing."""
    folder = Path.cwd()
    if folder.parent != NOTEBOOKS:
        return
    with contextlib.suppress(OSError):
        FILE.parent.mkdir(exist_ok=True)
        with FileLock(FILE.with_name(".progress.lock"), timeout=10):  # another notebook may write its points
            known = _read()
            known.setdefault(folder.name, {})[exercise] = points
            write_atomically(FILE, json.dumps(known, indent=1).encode())


def _read() -> dict[str, dict[str, float]]:
    """Return what is kept, by lesson and exercise; nothing of what cannot be read."""
    try:
        known = json.loads(FILE.read_text(encoding="utf-8"))
        return {lesson: points for lesson, points in known.items() if isinstance(points, dict)}
    except (OSError, ValueError, AttributeError):
        return {}
