"""The commands of ``python -m course_lib``: one module each, with ``parser()`` and ``run(options)``."""

import argparse

COMMANDS = {
    "evaluate": "score benchmarks for anomalies with a trained network",
    "score": "look for anomalies in photographs of your own",
    "train": "train a network",
    "calibrate": "fit a temperature on validation images",
    "compare": "tell whether trainings differ by more than images and seeds do",
    "reproduce": "make the paper's tables and figures",
    "profile": "measure what networks cost in time and memory on this machine",
    "check-data": "look over the data sets: what is there, what is not, and what mends it",
    "run": "execute all lessons and show them as pages",
    "site": "build the course's site",
    "grade": "grade submissions in a sandbox",
    "submit": "look over your lessons and pack them to be handed in",
    "release": "build the learners' notebooks from the solved ones",
}
"""What each command does, by the name of its module; a module is imported only when it is called."""


class Parser(argparse.ArgumentParser):
    """A parser that explains a wrong option in one line."""

    def error(self, message: str) -> None:
        """Print one line and exit with status 2."""
        self.exit(2, f"error: {message}; see {self.prog} --help\n")


def parser_of(name: str, description: str, epilog: str) -> Parser:
    """Return the parser of one command, still without options."""
    return Parser(
        prog=f"python -m course_lib {name}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
