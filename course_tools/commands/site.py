"""``site``: build the course's site."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from course_lib import data
from course_lib.lesson import notebooks
from course_lib.runtime import PROJECT_ROOT
from course_tools import pages, release
from course_tools.commands import parser_of

DESCRIPTION = """\
Build the course's site in results/site: the lessons as they are released, whatever you have solved in yours,
results, guides, and the reference of the library. It needs no network, neither to be built nor to be read. A
lesson that `run` executed before anything was solved in it is not executed again, nor one that an earlier
`site` kept in results/released, unless it or COURSE_PROFILE has changed. Unlike `run`, it takes every warning
of Sphinx for an error.
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
    profile, shown = data.current_profile().name, {}
    of_run, own = options.output / "lessons", options.output / "released"
    with TemporaryDirectory() as folder:
        for path in tqdm(write_released(Path(folder)), unit="lesson"):
            ran = pages.kept(path, profile, of_run) or pages.kept(path, profile, own)
            if ran is None:
                lesson = pages.execute(path)
                pages.keep(lesson, path, profile, own)
                if lesson.error:
                    print(f"\n{lesson.name}: {lesson.summary}", file=sys.stderr)
                    return 1
                ran = pages.kept(path, profile, own)
            shown[path.stem] = ran
    pages.write_lesson_sources(shown, profile, pages.SOURCE / "lessons", released=True)
    if pages.build_site(pages.SOURCE, options.output / "site"):
        return 1
    print(f"Open {options.output / 'site' / 'index.html'}")
    return 0


def write_released(folder: Path) -> list[Path]:
    """Write each lesson as it is released into a folder of its own; return the files, in their order.

    Where there is no ``solutions/`` to build one from, as in the learners' zip, it is that of ``notebooks/``.
    """
    written = []
    for mine in notebooks.lesson_files():
        source = mine.parents[2] / "solutions" / mine.parent.name / mine.name
        text = release.student_version(source) if source.is_file() else mine.read_text(encoding="utf-8")
        written.append(folder / mine.parent.name / mine.name)
        written[-1].parent.mkdir()
        written[-1].write_bytes(text.encode())
    return written
