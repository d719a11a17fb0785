"""The command line: ``course COMMAND ...``, which is what ``python3 start.py COMMAND ...`` calls."""

import codecs
import contextlib
import importlib
import os
import shlex
import sys
import warnings
from collections.abc import Iterator, Sequence

from course_tools.commands import name_of

PASS_ON = ("lab", "test")
"""Commands whose further options go to another program."""

ASCII = {"✓": "+", "✗": "x", "·": "-", "→": "->", "█": "#", "░": "."}
"""What stands for the signs that commands print."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status, or 2 after one clear line on standard error."""
    with speaking_plainly():
        try:
            try:
                return _run(list(sys.argv[1:] if arguments is None else arguments))
            finally:
                sys.stdout.flush()
        except BrokenPipeError:  # whoever read our output, such as head, has seen enough
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for stream in (sys.stdout, sys.stderr):  # what is left in them is written when Python ends
                os.dup2(nowhere, stream.fileno())
            return 141


def _run(arguments: list[str]) -> int:
    """Run one command; return its exit status."""
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
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        return _stop(f"error: {' '.join(str(error).split())}", 2)
    except ModuleNotFoundError as error:
        return _stop(f"error: {error} for {sys.executable}; python3 start.py sets everything up", 2)
    except KeyboardInterrupt:
        return _stop("stopped", 130)


@contextlib.contextmanager
def speaking_plainly() -> Iterator[None]:
    """Let warnings be one line each, and signs that a terminal does not know be ASCII."""
    codecs.register_error("plainly", _in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="plainly")
    told = set()

    def tell(message: Warning, *_: object) -> None:
        if str(message) not in told:  # Python itself forgets whenever a library changes its filters
            from tqdm import tqdm  # here: what only explains itself needs the standard library alone

            told.add(str(message))
            tqdm.write(f"warning: {message}", file=sys.stderr)  # on a line of its own beside a bar

    with warnings.catch_warnings():
        warnings.showwarning = tell
        yield


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for characters that an encoding lacks, and where to go on."""
    return "".join(ASCII.get(sign, "?") for sign in error.object[error.start : error.end]), error.end


def _stop(message: str, status: int) -> int:
    """Print one line on standard error and return the exit status."""
    print(message, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
