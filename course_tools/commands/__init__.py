"""The commands of the course: one module each, with ``parser()`` and ``main(options)``.

This file needs the standard library alone: ``start.py`` lists the commands before anything is installed.
"""

import argparse
from collections.abc import Sequence

COMMANDS = {
    "learners": {
        "lab": "open JupyterLab on the first lesson",
        "run": "execute all lessons and show them as pages",
        "submit": "look over your lessons and pack them to be handed in",
    },
    "instructors": {
        "release": "build the learners' notebooks from the solved ones",
        "grade": "grade submissions in a sandbox",
    },
    "researchers": {
        "evaluate": "score benchmarks for anomalies with a trained network",
        "score": "look for anomalies in photographs of your own",
        "train": "train a network",
        "calibrate": "fit a temperature on validation images",
        "detector": "put a detector together from a trained network and ordinary images",
        "compare": "tell whether trainings differ by more than images and seeds do",
        "reproduce": "make the paper's tables and figures",
        "ladder": "measure what works: each step towards a detector, beside its control",
        "profile": "measure what networks cost in time and memory on this machine",
        "watch": "look for anomalies in what a camera or a video shows",
        "export": "write one file from a camera's pixels to an alarm, for machines without torch",
        "fetch": "download a data set or public weights, and check every file",
        "check-data": "look over the data sets: what is there, what is not, and what mends it",
    },
    "maintainers": {
        "test": "run all tests, two at a time",
        "site": "build the course's site",
    },
}
"""What each command does, by who needs it. A command's module is imported only when it is called."""


class Parser(argparse.ArgumentParser):
    """A parser that explains a wrong option in one line."""

    def error(self, message: str) -> None:
        """Print one line and exit with status 2."""
        self.exit(2, f"error: {message}; see {self.prog} --help\n")


def name_of(arguments: Sequence[str], prog: str = "course") -> str:
    """Return the command that was named; show the help, or one line on a wrong name, and exit.

    Args:
        arguments: of the command line.
        prog: what the user called.
    """
    lines = []
    for who, commands in COMMANDS.items():
        lines += ["", f"for {who}:", *(f"  {name:<12}{does}" for name, does in commands.items())]
    parser = Parser(
        prog=prog,
        usage=f"{prog} COMMAND ...",
        description="Real-Time Anomaly Segmentation for Road Scenes: every command of the course.",
        epilog="\n".join([*lines[1:], "", "Each explains itself: COMMAND --help."]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [name for commands in COMMANDS.values() for name in commands]
    parser.add_argument("name", choices=names, metavar="COMMAND", help=argparse.SUPPRESS)
    return parser.parse_args(arguments[:1]).name


def parser_of(name: str, description: str, epilog: str) -> Parser:
    """Return the parser of one command, still without options."""
    return Parser(
        prog=f"start.py {name}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
