"""Checks that judge nothing: while grading, one notes what a function returns, another what is right.

The learner's kernel knows no expected value. What its functions return leaves it as plain data and is
compared elsewhere, where no code of the learner's runs.
"""

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from IPython.display import display

from course_lib.lesson.checks.check import Check
from course_lib.lesson.checks.values import encode

RECORD = "application/vnd.road-anomaly.record+json"
"""The kind of output that carries a record."""


class Recorder(Check):
    """Notes what each case returns, or why it returns nothing."""

    def __init__(self, title: str, points: float) -> None:
        """Start without cases."""
        super().__init__(title, points)
        self.entries: dict[str, Any] = {}
        self.hidden = self.private = False

    def case(self, name: str, call: Callable[[], Any]) -> None:
        """Make the call and note its value; what is expected is not here."""
        values = []

        def note(value: Any) -> str:
            values.append(encode(value))
            return ""

        with same_randomness():
            problem = self._problem(call, note)
        self.entries[name] = {"problem": problem, "value": values[0] if values else None}

    def points(self) -> None:
        """Hand the record over as an output of the cell."""
        record = {"title": self.title, "points": self.max_points, "cases": self.entries}
        display({RECORD: record}, raw=True)


class KeyRecorder(Recorder):
    """Notes what each case expects, which are hidden and which private; of the solved lesson alone."""

    def case(
        self,
        name: str,
        call: Callable[[], Any],
        expected: Callable[[], Any] = lambda: None,
        hint: str = "",
        within: float | None = None,
        secret: bool = False,
        slip: bool = False,
    ) -> None:
        """Note what ``expected()`` says is right, and call nothing of the answer's."""
        with same_randomness():
            right = {"expected": encode(expected()), "hint": hint, "within": within}
        told = {"secret": secret, "slip": slip, "hidden": self.hidden, "private": self.private}
        self.entries[name] = right | told


@contextlib.contextmanager
def same_randomness() -> Iterator[None]:
    """Leave the global generators as they were: what is drawn later must not depend on who drew before."""
    before = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])
