"""The check under an exercise: cases in, a report and points out."""

import contextlib
import inspect
import io
import logging
import os
import re
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from types import CodeType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_lib.lesson.checks.comparison import RESULT, WANTED, difference, explained
from course_lib.lesson.checks.ours import our_answer
from course_lib.lesson.checks.progress import record

NOT_ATTEMPTED = "not attempted yet; your code goes in place of `raise NotImplementedError()`"
STUB_LEFT = "`raise NotImplementedError()` still stands below your code; delete that line"
OURS = "this name stands for the course's version now; run your answer cell again, then this one"
STDERR = 2  # its number, for those who do not write through Python


class Check:
    """The cases of one exercise: add them one by one, then ask for the points.

    Only ``case`` calls the learner's code, through a function without arguments, so that a missing name, an
    endless recursion or an in-place change is one failed case and never stops the notebook.
    """

    def __init__(self, title: str, points: float) -> None:
        """Start without cases.

        Args:
            title: the name of the learner's function or class.
            points: how many points all cases together are worth.
        """
        self.title, self.max_points = title, float(points)
        self.problems: dict[str, str] = {}
        self.slips: set[str] = set()

    def case(
        self,
        name: str,
        call: Callable[[], Any],
        expected: Any,
        hint: str = "",
        within: float | None = None,
        secret: bool = False,
        slip: bool = False,
    ) -> None:
        """Add a case that passes when ``call()`` agrees with ``expected``.

        Args:
            name: what the case is about, in a few words; unique within the exercise.
            call: a lambda that calls the learner's code. Variables it mentions are its arguments: they must
                stay as they are, and are put back if they do not.
            expected: the right result. A tensor asks for a tensor of this shape and kind of dtype; a number,
                a list or a tuple asks for its values in any form; a bool or a string for exactly that.
            hint: shown behind the problem when the case fails.
            within: how far a number may be off, relative to the right one; rounding only if left out.
            secret: whether what is expected is all that is asked for, so that the report must not show it.
            slip: whether it catches the slip that the lesson names; these cases make half of the points.

        Raises:
            ValueError: if there is a case of this name already.
        """
        if name in self.problems:
            raise ValueError(f"{self.title} has two cases called {name!r}")
        problem = self._problem(call, lambda value: difference(value, expected, within))
        self.note(name, problem, hint, secret, slip)

    def note(self, name: str, problem: str, hint: str = "", secret: bool = False, slip: bool = False) -> None:
        """Keep how a case ended: what is wrong, with the hint where the result does not explain itself."""
        self.slips |= {name} if slip else set()
        asks_for_hint = hint and problem.startswith(RESULT)
        problem = re.sub(f"({RESULT}.*?){WANTED}.*", r"\1", problem) if secret else problem
        self.problems[name] = f"{problem} (hint: {hint})" if asks_for_hint else problem

    @property
    def attempted(self) -> bool:
        """Whether the learner's code is more than the stub."""
        return any(problem not in (NOT_ATTEMPTED, OURS) for problem in self.problems.values())

    @property
    def solved(self) -> bool:
        """Whether there are cases and all have passed."""
        return bool(self.problems) and not any(self.problems.values())

    def points(self) -> float:
        """Print the report; return the points, a plain float in [0, maximum] for nbgrader to read."""
        failed: dict[str, list[str]] = {}  # cases that failed in the same way share a line
        for name, problem in self.problems.items():
            failed.setdefault(problem, []).append(name)
        passed = failed.pop("", [])
        earned = round(self.max_points * self._share(passed), 2) if self.attempted else 0.0
        record(self.title, earned)
        if not self.attempted:
            print(f"{self.title}: {next(iter(self.problems.values()), NOT_ATTEMPTED)}")
            return earned
        print(f"{self.title}: {earned:g} of {self.max_points:g} point{'s' if self.max_points != 1 else ''}")
        lines = [f"✓ {name}" for name in passed]
        for problem, names in failed.items():
            told = [f"{name} (half of the points)" if {name} == self.slips else name for name in names]
            lines.append(f"✗ {'; '.join(told)}: {problem}")
        for line in lines:
            print(textwrap.fill(line, 100, initial_indent="  ", subsequent_indent="    "))
        return earned

    def _share(self, passed: list[str]) -> float:
        """Return which share of the points these cases earn: half of it is for slips, if there are any."""
        parts = [part for part in (self.slips, self.problems.keys() - self.slips) if part]
        return sum(len(part.intersection(passed)) / len(part) for part in parts) / len(parts)

    def best(self, mine: Callable, reference: Callable) -> Callable:
        """Return ``mine`` when every case has passed, else ``reference``, so that the lesson goes on."""
        is_of_this_check = getattr(mine, "__name__", self.title) == self.title
        is_right = self.solved and is_of_this_check
        print("Going on with " + ("your own version." if is_right else "the version in course_lib."))
        if is_right and our_answer(self.title):
            print("Compare it with ours: check.ours()")
        return mine if is_right else reference

    def ours(self) -> None:
        """Print our answer, with the reasons why it is written so."""
        print(
            our_answer(self.title) or "Our answers are not in this copy of the course; ask your instructor."
        )

    def _problem(self, call: Callable[[], Any], judged: Callable[[Any], str]) -> str:
        """Make the call, let its value be judged; return what is wrong in one line, or an empty string."""
        answer = call.__globals__.setdefault(self.title, None)  # after a failed answer cell ``best`` needs it
        if answer is None:
            return f"there is no {self.title} yet; run your answer cell, mend what it reports, then this one"
        if str(getattr(answer, "__module__", "")).split(".")[0] == __name__.split(".")[0]:
            return OURS  # the name stands for the library's own function, as it does after ``best``
        variables = inspect.getclosurevars(call)
        mentioned = variables.globals | variables.nonlocals
        watched = (Tensor, np.ndarray, list, tuple, dict)
        before = {name: copied(value) for name, value in mentioned.items() if isinstance(value, watched)}
        try:
            with silence():  # nbgrader would take what it writes for the points
                problem = judged(call())
        except (Exception, SystemExit) as error:  # a learner's slip must not stop the notebook
            problem = explained(error)
            if type(error) is NotImplementedError and not error.args:
                frame, line = list(traceback.walk_tb(error.__traceback__))[-1]
                if frame.f_code.co_qualname.split(".")[0] == self.title:  # not something that it called
                    problem = STUB_LEFT if has_code_above(line, frame.f_code) else NOT_ATTEMPTED
        changed = [name for name, old in before.items() if not same(mentioned[name], old)]
        for name in changed:
            with contextlib.suppress(TypeError, ValueError, RuntimeError):  # as of an array of another size
                put_back(mentioned[name], before[name])
        if changed:
            return f"it changed its argument `{changed[0]}` in place; work on a new tensor"
        return problem


def has_code_above(line: int, code: CodeType) -> bool:
    """Tell whether a function does something before this line; ``super`` is no work of theirs."""
    lines = {at for *_, at in code.co_lines() if at and code.co_firstlineno < at < line}
    return len(lines) > (code.co_name == "__init__")


def copied(value: Any) -> Any:
    """Return a copy, inside lists and dictionaries as well; of tensors one without their history."""
    if isinstance(value, Tensor) and value.layout == torch.strided:
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) in (list, tuple):
        return type(value)(copied(item) for item in value)
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    return value  # a number or a text; no other object is watched


def put_back(value: Any, old: Any) -> None:
    """Make a variable again what it was."""
    if isinstance(value, Tensor):
        value.data = old
    elif isinstance(value, tuple):
        for item, before in zip(value, old, strict=True):
            if not same(item, before):
                put_back(item, before)
    elif isinstance(value, dict):
        value.clear()
        value.update(old)
    else:
        value[:] = old


def same(value: Any, before: Any) -> bool:
    """Tell whether a variable is still what it was; what cannot be compared with that is something else."""
    try:
        return _same(value, before)
    except (TypeError, ValueError, RuntimeError):
        return False


def _same(value: Any, before: Any) -> bool:
    """Compare, inside lists and dictionaries as well; NaN equals NaN."""
    if value is before:
        return True
    if isinstance(before, (list, tuple)):
        return type(value) is type(before) and len(value) == len(before) and all(map(_same, value, before))
    if isinstance(before, dict):
        alike = type(value) is type(before) and value.keys() == before.keys()
        return alike and all(_same(value[key], before[key]) for key in before)
    if isinstance(before, Tensor):
        alike = isinstance(value, Tensor) and (value.dtype, value.shape) == (before.dtype, before.shape)
        return alike and torch.allclose(value.detach(), before, rtol=0, atol=0, equal_nan=True)
    if isinstance(before, np.ndarray):
        alike = isinstance(value, np.ndarray) and value.dtype == before.dtype
        return alike and np.array_equal(value, before, equal_nan=before.dtype.kind in "fc")
    return type(value) is type(before) and bool(value == before)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Drop warnings, log lines, displayed results and whatever anybody writes to standard error."""
    displayhook, logging_level, kept = sys.displayhook, logging.root.manager.disable, None
    with contextlib.suppress(OSError):  # a process without standard error needs nothing
        kept = os.dup(STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if kept is not None:
        os.dup2(nowhere, STDERR)
    sys.displayhook = lambda value: None
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.displayhook = displayhook
        logging.disable(logging_level)
        os.close(nowhere)
        if kept is not None:
            os.dup2(kept, STDERR)
            os.close(kept)


class SimulatedDevice:
    """Works on its own, like a GPU: ``run`` puts work into a queue, and only ``wait`` lets it be done."""

    def __init__(self, costs: Sequence[float], waiting: float = 0.0) -> None:
        """Start at time 0.

        Args:
            costs: how long each run takes, one after the other; the last one stands for all later ones.
            waiting: how much work is in the queue already.
        """
        self.time, self.queue = 0.0, waiting
        self.costs, self.runs = list(costs), 0

    def run(self) -> None:
        """Put one run into the queue and return at once."""
        self.time += 0.25  # so long takes queueing itself
        self.queue += self.costs[min(self.runs, len(self.costs) - 1)]
        self.runs += 1

    def wait(self) -> None:
        """Return when the queue is empty."""
        self.time, self.queue = self.time + self.queue, 0.0

    def clock(self) -> float:
        """Return the time."""
        return self.time
