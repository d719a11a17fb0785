"""``lab``: open JupyterLab on the first lesson."""

import argparse
import os
import subprocess
import sys

from course_lib import data, models
from course_lib.data import mini
from course_lib.lesson.notebooks import lesson_files
from course_lib.runtime import COMMAND, PROJECT_ROOT
from course_tools.commands import parser_of

DESCRIPTION = "Open JupyterLab on the first lesson. The generated data is drawn first where it is missing."

EPILOG = """\
examples:
  python3 start.py lab
  python3 start.py lab --profile camvid
  python3 start.py lab --profile photos --model enet
Further options go to JupyterLab, for example --no-browser --port 8890. Exit status: JupyterLab's.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("lab", DESCRIPTION, EPILOG)
    whose = "the data that lessons use (default: COURSE_PROFILE if set, else mini)"
    described.add_argument("--profile", choices=data.PROFILES, help=whose)
    whose = "the network that lessons look at (default: the profile's)"
    described.add_argument("--model", choices=models.NETWORKS, help=whose)
    return described


def main(options: argparse.Namespace) -> int:
    """Start JupyterLab and wait for its end."""
    first = lesson_files()[0].relative_to(PROJECT_ROOT)
    mini.mini_root()  # before a lesson waits for it
    given = {"COURSE_PROFILE": options.profile, "COURSE_NETWORK": options.model}
    chosen = {name: value for name, value in given.items() if value}
    profile = data.find_profile(options.profile) if options.profile else data.current_profile()
    if not profile.trains:  # then nothing of it comes with the course
        _check_fetched(profile, options.model or profile.network)
    settings = [f"--ServerApp.root_dir={PROJECT_ROOT}", f"--LabApp.default_url=/lab/tree/{first.as_posix()}"]
    command = [sys.executable, "-m", "jupyterlab", *settings, *options.further]
    return subprocess.call(command, cwd=PROJECT_ROOT, env=os.environ | chosen)


def _check_fetched(profile: data.Profile, network: str) -> None:
    """Raise a ValueError with the commands that fetch what lessons need, if it is not there."""
    commands = []
    if not models.public_file(network).is_file():
        commands.append(f"{COMMAND} fetch {models.public_source(network)}")
    if not data.benchmarks_here(profile)[0]:
        commands.append(f"{COMMAND} fetch road_anomaly")
    if commands:
        raise ValueError(f"profile {profile.name} needs what is fetched once: {'; '.join(commands)}")
