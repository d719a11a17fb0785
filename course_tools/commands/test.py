"""``test``: run all tests."""

import argparse
import subprocess
import sys

from course_lib.runtime import PROJECT_ROOT
from course_tools.commands import parser_of

DESCRIPTION = "Run all tests, two at a time, the unsolved lessons among them; say what was skipped, and why."

EPILOG = """\
examples:
  python3 start.py test
  python3 start.py test --quick
  python3 start.py test tests/course_lib/test_scores.py
Further options go to pytest, for example -k scores. Exit status: pytest's.
"""

TWO_AT_A_TIME = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")  # a notebook has one kernel

QUICK = (
    *(f"tests/course_lib/test_{what}.py" for what in ("labels", "scores", "losses", "exact_metrics")),
    *(f"tests/course_lib/test_{what}.py" for what in ("streaming_metrics", "confusion", "detector_measures")),
    *(f"tests/repository/test_{what}.py" for what in ("layers", "front_door")),
    "notebooks/00_start_here",
)
"""What ``--quick`` runs: the sums that all numbers rest on, the order of the code, and one lesson."""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("test", DESCRIPTION, EPILOG)
    described.add_argument("--quick", action="store_true", help="a first look: units and one lesson")
    return described


def main(options: argparse.Namespace) -> int:
    """Run pytest and wait for its end."""
    if not (PROJECT_ROOT / "tests").is_dir():
        raise ValueError(f"no tests in {PROJECT_ROOT}: they come with a clone of the course alone")
    command = [sys.executable, "-m", "pytest", "--nbval", "-rs", *TWO_AT_A_TIME, *options.further]
    command += QUICK if options.quick else ()
    return subprocess.call(command, cwd=PROJECT_ROOT)
