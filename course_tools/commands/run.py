"""``run``: execute all lessons and write what they show."""

import argparse
import json
import math
from pathlib import Path

from tqdm import tqdm

from course_lib import data
from course_lib.lesson import notebooks
from course_lib.runtime import PROJECT_ROOT, write_atomically
from course_tools import pages
from course_tools.commands import parser_of

DESCRIPTION = """\
Execute every lesson from its first cell to its last, as a learner has left it, and write results/index.html.
The executed notebooks are kept beside the pages; `site` shows them without another run.
The notebooks themselves are not changed. COURSE_PROFILE chooses the data, mini by default.
"""

EPILOG = """\
Exit status: 0 all lessons ran to their end, 1 one did not (its page shows where), 2 wrong usage, 130 stopped.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("run", DESCRIPTION, EPILOG)
    described.add_argument(
        "--output", type=Path, default=PROJECT_ROOT / "results", metavar="DIR", help="(default: results)"
    )
    return described


def main(options: argparse.Namespace) -> int:
    """Execute and write; a lesson that fails does not stop the others."""
    paths, profile = notebooks.lesson_files(), data.current_profile().name
    pages = options.output / "lessons"
    pages.mkdir(parents=True, exist_ok=True)
    executed = []
    with tqdm(total=sum(map(_count_cells, paths)), unit="cell") as bar:
        for path in paths:
            bar.set_description(path.stem)
            lesson = pages.execute(path, bar.update)
            executed.append(lesson)
            pages.keep(lesson, path, profile, pages)
            write_atomically(pages / f"{lesson.name}.html", pages.lesson_page(lesson).encode())
            write_atomically(options.output / "index.html", pages.index_page(executed, profile).encode())
    for lesson in executed:
        print(_summary(lesson))
    print(f"Open {options.output / 'index.html'}")
    return 1 if any(lesson.error for lesson in executed) else 0


def _count_cells(path: Path) -> int:
    """Return how many code cells a notebook has; one more is run to measure memory."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return 1 + sum(cell["cell_type"] == "code" for cell in cells)


def _summary(lesson: pages.Executed) -> str:
    """Say in one line how a lesson went."""
    if lesson.error:
        return f"{lesson.name}: STOPPED, {lesson.error.splitlines()[-1]}"
    memory = "" if math.isnan(lesson.peak_gb) else f", {lesson.peak_gb:.2f} GB"
    points = f"{lesson.points:g} of {lesson.most_points:g} points"
    return f"{lesson.name}: ran in {lesson.seconds:.1f} s{memory}; {points}"
