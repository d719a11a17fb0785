"""``test``: run all tests."""

import argparse
import subprocess
import sys

from course_lib.runtime import PROJECT_ROOT
from course_tools.commands import parser_of

DESCRIPTION = "Run all tests, two at a time, the unsolved lessons among them."

EPILOG = """\
examples:
  python3 start.py test
  python3 start.py test tests/course_lib/test_scores.py
Further options go to pytest, for example -k scores. Exit status: pytest's.
"""

TWO_AT_A_TIME = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")  # a notebook has one kernel


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    return parser_of("test", DESCRIPTION, EPILOG)


def main(options: argparse.Namespace) -> int:
    """Run pytest and wait for its end."""
    if not (PROJECT_ROOT / "tests").is_dir():
        raise ValueError(f"no tests in {PROJECT_ROOT}: they come with a clone of the course alone")
    command = [sys.executable, "-m", "pytest", "--nbval", *TWO_AT_A_TIME, *options.further]
    return subprocess.call(command, cwd=PROJECT_ROOT)
