"""The command line: ``python -m course_lib --help``."""

import importlib
import shlex
import sys
from collections.abc import Sequence

from course_lib.commands import COMMANDS, Parser

PROGRAM = "python -m course_lib"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status, or 2 after one clear line on standard error."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    name = _chosen(arguments)
    try:
        command = importlib.import_module(f"course_lib.commands.{name.replace('-', '_')}")
        options = command.parser().parse_args(arguments[1:])
        options.command = shlex.join([*PROGRAM.split(), *arguments])
        return command.run(options)
    except (ValueError, OSError) as error:
        return _stop(f"error: {' '.join(str(error).split())}", 2)
    except ModuleNotFoundError as error:
        return _stop(f"error: {error} for {sys.executable}; set up with start.py and use .venv's Python", 2)
    except KeyboardInterrupt:
        return _stop("stopped", 130)


def _stop(message: str, status: int) -> int:
    """Print one line on standard error and return the exit status."""
    print(message, file=sys.stderr)
    return status


def _chosen(arguments: list[str]) -> str:
    """Return the name of the command, or show the help."""
    parser = Parser(
        prog=PROGRAM, description="Real-Time Anomaly Segmentation for Road Scenes: the course's tools."
    )
    names = parser.add_subparsers(required=True, dest="name", metavar="COMMAND")
    for name, summary in COMMANDS.items():
        names.add_parser(name, help=summary)
    return parser.parse_args(arguments[:1]).name


if __name__ == "__main__":
    sys.exit(main())
