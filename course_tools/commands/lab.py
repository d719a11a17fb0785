"""``lab``: open JupyterLab on the first lesson."""

import argparse
import os
import subprocess
import sys

from course_lib import data
from course_lib.data import mini
from course_lib.lesson.notebooks import lesson_files
from course_lib.runtime import PROJECT_ROOT
from course_tools.commands import parser_of

DESCRIPTION = "Open JupyterLab on the first lesson. The generated data is drawn first where it is missing."

EPILOG = """\
examples:
  python3 start.py lab
  python3 start.py lab --profile camvid
Further options go to JupyterLab, for example --no-browser --port 8890. Exit status: JupyterLab's.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("lab", DESCRIPTION, EPILOG)
    whose = "the data that lessons use (default: COURSE_PROFILE if set, else mini)"
    described.add_argument("--profile", choices=data.PROFILES, help=whose)
    return described


def main(options: argparse.Namespace) -> int:
    """Start JupyterLab and wait for its end."""
    first = lesson_files()[0].relative_to(PROJECT_ROOT)
    mini.mini_root()  # before a lesson waits for it
    chosen = {"COURSE_PROFILE": options.profile} if options.profile else {}
    settings = [f"--ServerApp.root_dir={PROJECT_ROOT}", f"--LabApp.default_url=/lab/tree/{first.as_posix()}"]
    command = [sys.executable, "-m", "jupyterlab", *settings, *options.further]
    return subprocess.call(command, cwd=PROJECT_ROOT, env=os.environ | chosen)
