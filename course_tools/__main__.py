"""The command line: ``course COMMAND ...``, which is what ``python3 start.py COMMAND ...`` calls."""

import importlib
import shlex
import sys
from collections.abc import Sequence

from course_tools.commands import name_of

PASS_ON = ("lab", "test")
"""Commands whose further options go to another program."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status, or 2 after one clear line on standard error."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    name = name_of(arguments)
    try:
        command = importlib.import_module(f"course_tools.commands.{name.replace('-', '_')}")
        parser, rest = command.parser(), arguments[1:]
        if name in PASS_ON:
            options, further = parser.parse_known_args(rest)
            options.further = further
        else:
            options = parser.parse_args(rest)
        options.command = shlex.join(["python3", "start.py", *arguments])
        return command.main(options)
    except (ValueError, OSError) as error:
        return _stop(f"error: {' '.join(str(error).split())}", 2)
    except ModuleNotFoundError as error:
        return _stop(f"error: {error} for {sys.executable}; python3 start.py sets everything up", 2)
    except KeyboardInterrupt:
        return _stop("stopped", 130)


def _stop(message: str, status: int) -> int:
    """Print one line on standard error and return the exit status."""
    print(message, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
