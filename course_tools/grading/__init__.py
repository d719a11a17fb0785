"""Grade submissions: in a sandbox, by the values that answers return, into nbgrader's gradebook.

The names here are loaded when they are first used: the runner of a submission needs almost none of them.
"""

import sys
from importlib import import_module
from typing import Any

# jsonschema, which nbformat brings, would build a grammar of web addresses: seconds, and of no use here
sys.modules.setdefault("rfc3987_syntax", None)

HOMES = {
    "cluster": ("answer_keys", "grade_all", "prove_all"),
    "grading": ("Job", "answer_key", "grade"),
    "gradebook": ("Book",),
    "lesson": ("Lesson", "lesson_names", "read_lesson"),
    "limits": ("Limits",),
    "results": ("Results", "fingerprint"),
    "submissions": ("Collected", "collect"),
    "summary": ("exercise_table", "page"),
}
MODULE_OF = {name: module for module, names in HOMES.items() for name in names}
__all__ = sorted(MODULE_OF)


def __getattr__(name: str) -> Any:
    """Import a name from its module."""
    if name not in MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{MODULE_OF[name]}"), name)
