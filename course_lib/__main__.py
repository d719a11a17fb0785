"""The command line: ``python -m course_lib --help``."""

import argparse
import importlib
import shlex
import sys
from collections.abc import Sequence

from course_lib.commands import COMMANDS

PROGRAM = "python -m course_lib"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status, or 2 after one clear line on standard error."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    command = importlib.import_module(f"course_lib.commands.{_chosen(arguments)}")
    options = command.parser().parse_args(arguments[1:])
    options.command = shlex.join([*PROGRAM.split(), *arguments])
    try:
        return command.run(options)
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _chosen(arguments: list[str]) -> str:
    """Return the name of the command, or show the help."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="Real-Time Anomaly Segmentation for Road Scenes: the course's tools."
    )
    names = parser.add_subparsers(required=True, dest="name", metavar="COMMAND")
    for name, summary in COMMANDS.items():
        names.add_parser(name, help=summary)
    return parser.parse_args(arguments[:1]).name


if __name__ == "__main__":
    sys.exit(main())
