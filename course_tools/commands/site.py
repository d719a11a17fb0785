"""``site``: build the course's site."""

import argparse
import sys
from pathlib import Path

from nbformat import NotebookNode
from tqdm import tqdm

from course_lib import data
from course_lib.lesson import notebooks
from course_lib.runtime import PROJECT_ROOT
from course_tools import pages
from course_tools.commands import parser_of

DESCRIPTION = """\
Build the course's site in results/site: the lessons as they ran, results, guides, and the reference of the
library. It needs no network, neither to be built nor to be read. A lesson that `run` executed is shown as it
was kept in results/lessons, unless its notebook or COURSE_PROFILE has changed; the others are executed first.
"""

EPILOG = """\
Exit status: 0 the site is built, 1 a lesson stopped or Sphinx gave a warning (the lines above say where),
2 wrong usage, 130 stopped.
"""

SOURCE = PROJECT_ROOT / "site"


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("site", DESCRIPTION, EPILOG)
    described.add_argument(
        "--output", type=Path, default=PROJECT_ROOT / "results", metavar="DIR", help="(default: results)"
    )
    return described


def main(options: argparse.Namespace) -> int:
    """Execute what has to be executed, then build."""
    profile, executed = data.current_profile().name, {}
    for path in tqdm(notebooks.lesson_files(), unit="lesson"):
        notebook = _executed(path, profile, options.output / "lessons")
        if notebook is None:
            return 1
        executed[path.stem] = notebook
    pages.write_lesson_sources(executed, profile, SOURCE / "lessons")
    if pages.build_site(SOURCE, options.output / "site"):
        return 1
    print(f"Open {options.output / 'site' / 'index.html'}")
    return 0


def _executed(path: Path, profile: str, folder: Path) -> NotebookNode | None:
    """Return a lesson after its run, the kept one or a new one; None, and a line, if it stopped."""
    notebook = pages.kept(path, profile, folder)
    if notebook is None:
        lesson = pages.execute(path)
        pages.keep(lesson, path, profile, folder)
        if lesson.error:
            print(f"\n{lesson.name}: STOPPED, {lesson.error.splitlines()[-1]}", file=sys.stderr)
            return None
        notebook = pages.kept(path, profile, folder)
    return notebook
