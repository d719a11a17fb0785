"""``site``: build the course's site."""

import argparse
import sys
from pathlib import Path

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
Unlike `run`, it takes every warning of Sphinx for an error.
"""

EPILOG = """\
Exit status: 0 the site is built, 1 a lesson stopped or Sphinx gave a warning (the lines above say where),
2 wrong usage, 130 stopped.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("site", DESCRIPTION, EPILOG)
    folder = PROJECT_ROOT / "results"
    described.add_argument("--output", type=Path, default=folder, metavar="DIR", help="(default: results)")
    return described


def main(options: argparse.Namespace) -> int:
    """Execute what has to be executed, then build."""
    if obstacle := pages.obstacle():
        raise ValueError(obstacle)
    profile, folder, shown = data.current_profile().name, options.output / "lessons", {}
    for path in tqdm(notebooks.lesson_files(), unit="lesson"):
        if pages.kept(path, profile, folder) is None:
            lesson = pages.execute(path)
            pages.keep(lesson, path, profile, folder)
            if lesson.error:
                print(f"\n{lesson.name}: {lesson.summary}", file=sys.stderr)
                return 1
        shown[path.stem] = pages.kept(path, profile, folder)
    pages.write_lesson_sources(shown, profile, pages.SOURCE / "lessons")
    if pages.build_site(pages.SOURCE, options.output / "site"):
        return 1
    print(f"Open {options.output / 'site' / 'index.html'}")
    return 0
