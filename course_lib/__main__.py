"""The command line: ``python -m course_lib --help``."""

import argparse
import shlex
import sys
from collections.abc import Sequence

from course_lib.commands import COMMANDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status, or 2 after one clear line on standard error."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="python -m course_lib", description="Real-Time Anomaly Segmentation for Road Scenes."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    options = parser.parse_args(arguments)
    options.command = shlex.join(["python", "-m", "course_lib", *arguments])
    try:
        return options.run(options)
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
