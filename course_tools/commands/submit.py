"""``submit``: look over the lessons one has worked in, and pack them to be handed in."""

import argparse
from pathlib import Path

from course_lib.lesson import notebooks
from course_lib.runtime import PROJECT_ROOT, unknown_name
from course_tools import submission
from course_tools.commands import parser_of
from course_tools.zips import write_zip

DESCRIPTION = """\
Pack the lessons with answers into one small zip to be handed in, and say first what would cost points:
checks that were changed or deleted, answers that are missing or no Python. Outputs stay at home; the grader
runs every lesson itself.
"""

EPILOG = """\
examples:
  python3 start.py submit
  python3 start.py submit 01 --check
Exit status: 0 packed, 1 packed, but something is wrong (or --check found something), 2 wrong usage or nothing
to hand in.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("submit", DESCRIPTION, EPILOG)
    target = PROJECT_ROOT / "results" / "submission.zip"
    add = described.add_argument
    add("lessons", nargs="*", metavar="LESSON", help="such as 01 (default: all with an answer)")
    add("--check", action="store_true", help="only look, write nothing")
    add("--output", type=Path, default=target, metavar="FILE.zip", help="(default: results/submission.zip)")
    return described


def main(options: argparse.Namespace) -> int:
    """Look, say what was seen, and pack."""
    files = notebooks.lesson_files()
    for name in options.lessons:
        if not any(file.stem.startswith(name) for file in files):
            raise unknown_name("lesson", name, [file.stem for file in files])
    if options.lessons:
        files = [file for file in files if file.stem.startswith(tuple(options.lessons))]
    works = [submission.read_work(file) for file in files]
    chosen = [work for work in works if len(work.unanswered) < work.asked or options.lessons]
    if not chosen:
        raise ValueError("no lesson has an answer yet; work in notebooks/ first, or name a lesson")
    for work in chosen:
        left = f" (not yet: {', '.join(work.unanswered)})" if work.unanswered else ""
        print(f"{work.lesson}: {work.asked - len(work.unanswered)} of {work.asked} answered{left}")
        for problem in work.problems:
            print(f"  ! {problem}")
    if not options.check:
        packed = {f"{work.lesson}/{work.lesson}.ipynb": (work.content.encode(), 0o644) for work in chosen}
        write_zip(options.output, packed)
        print(f"{options.output}: {options.output.stat().st_size / 1000:.0f} kB, ready to be handed in")
    return 1 if any(work.problems for work in chosen) else 0
