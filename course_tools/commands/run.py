"""``run``: execute all lessons and show them as pages."""

import argparse
import json
from pathlib import Path

from tqdm import tqdm

from course_lib import data, profiling
from course_lib.lesson import notebooks
from course_lib.runtime import PROJECT_ROOT, write_atomically
from course_tools import pages
from course_tools.commands import parser_of

DESCRIPTION = """\
Execute every lesson from its first cell to its last, as a learner has left it, build the course's site with
them, and write results/index.html, which leads there. The notebooks themselves are not changed; as they ran
they are kept in results/lessons. COURSE_PROFILE chooses the data, mini by default. No network is needed.
"""

EPILOG = """\
Exit status: 0 all lessons ran to their end, 1 one did not (its page shows where), 2 wrong usage, 130 stopped.
"""


USUALLY = "4 to 9 minutes"
"""Which all lessons took with profile mini, on two cores of two quiet machines."""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("run", DESCRIPTION, EPILOG)
    folder = PROJECT_ROOT / "results"
    described.add_argument("--output", type=Path, default=folder, metavar="DIR", help="(default: results)")
    return described


def main(options: argparse.Namespace) -> int:
    """Execute and build; a lesson that fails does not stop the others."""
    paths, profile, executed = notebooks.lesson_files(), data.current_profile().name, []
    cells = [cell for path in paths for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    print(f"{len(paths)} lessons; on two quiet cores and profile mini this takes {USUALLY}.")
    if (load := profiling.load()).is_too_high:
        print(load)
    # in each lesson, one more cell is run to measure memory
    with tqdm(total=len(code) + len(paths), unit="cell") as bar:
        for path in paths:
            bar.set_description(path.stem)
            lesson = pages.execute(path, bar.update)
            executed.append(lesson)
            pages.keep(lesson, path, profile, options.output / "lessons")
    for lesson in executed:
        print(f"{lesson.name}: {lesson.summary}")
    status = 1 if any(lesson.error for lesson in executed) else 0
    if obstacle := pages.obstacle():
        print(f"{obstacle}. The lessons as they ran are in {options.output / 'lessons'}")
        return status
    print("building the pages ...", flush=True)
    shown = {lesson.name: pages.without_widgets(lesson.notebook) for lesson in executed}
    pages.write_lesson_sources(shown, profile, pages.SOURCE / "lessons")
    if pages.build_site(pages.SOURCE, options.output / "site", strict=False):
        raise ValueError("Sphinx could not build the pages; python3 start.py site says why")
    write_atomically(options.output / "index.html", pages.index_page(executed, profile).encode())
    print(f"Open {options.output / 'index.html'}")
    return status
