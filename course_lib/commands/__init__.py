"""One module per command: each has ``add_parser(commands)`` and sets ``run(options)`` as its default."""

from course_lib.commands import evaluate

COMMANDS = (evaluate,)
"""In the order in which the help shows them."""

__all__ = ["COMMANDS"]
