"""The check under an exercise: cases in, a report and points out."""

import contextlib
import copy
import io
import logging
import os
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_lib.lesson.checks.comparison import RESULT, difference, explained
from course_lib.lesson.checks.progress import record

NOT_ATTEMPTED = "not attempted yet"
OURS = "this name stands for the course's version now; run your answer cell again, then this one"
REPORT_WIDTH = 100
WATCHED = (Tensor, np.ndarray, list, dict)
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

    def case(
        self,
        name: str,
        call: Callable[[], Any],
        expected: Any,
        hint: str = "",
        within: float | None = None,
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

        Raises:
            ValueError: if there is a case of this name already.
        """
        if name in self.problems:
            raise ValueError(f"{self.title} has two cases called {name!r}")
        right = copied(expected)
        self.note(name, self._problem(call, lambda value: difference(value, right, within)), hint)

    def note(self, name: str, problem: str, hint: str = "") -> None:
        """Keep how a case ended: what is wrong, with the hint where the result does not explain itself."""
        asks_for_hint = hint and problem.startswith(RESULT)
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
        earned = self._earned()
        record(self.title, earned)
        if not self.attempted:
            print(f"{self.title}: {next(iter(self.problems.values()), NOT_ATTEMPTED)}")
            return 0.0
        print(f"{self.title}: {earned:g} of {self.max_points:g} point{'s' if self.max_points != 1 else ''}")
        for line in self._lines():
            print(textwrap.fill(line, REPORT_WIDTH, initial_indent="  ", subsequent_indent="    "))
        return earned

    def _earned(self) -> float:
        """Return the share of the points for the cases that passed."""
        passed = sum(not problem for problem in self.problems.values())
        return round(self.max_points * passed / len(self.problems), 2) if self.attempted else 0.0

    def _lines(self) -> list[str]:
        """Return one line per case; cases that failed in the same way share one."""
        failed: dict[str, list[str]] = {}
        for name, problem in self.problems.items():
            failed.setdefault(problem, []).append(name)
        passed = [f"✓ {name}" for name in failed.pop("", [])]
        return passed + [f"✗ {', '.join(names)}: {problem}" for problem, names in failed.items()]

    def best(self, mine: Callable, reference: Callable) -> Callable:
        """Return ``mine`` when every case has passed, else ``reference``, so that the lesson goes on."""
        is_of_this_check = getattr(mine, "__name__", self.title) == self.title
        is_right = self.solved and is_of_this_check
        print("Going on with " + ("your own version." if is_right else "the version in course_lib."))
        return mine if is_right else reference

    def _problem(self, call: Callable[[], Any], judged: Callable[[Any], str]) -> str:
        """Make the call, let its value be judged; return what is wrong in one line, or an empty string."""
        if self._is_ours(call):
            return OURS
        arguments = Arguments(call)
        try:
            with silence():  # nbgrader would take what it writes for the points
                problem = judged(call())
        except (Exception, SystemExit) as error:  # a learner's slip must not stop the notebook
            problem = NOT_ATTEMPTED if self._is_stub(error) else explained(error)
        changed = arguments.restore()
        return f"it changed its argument `{changed}` in place; work on a new tensor" if changed else problem

    def _is_ours(self, call: Callable[[], Any]) -> bool:
        """Tell whether the name stands for the library's own function, as it does after ``best``."""
        answer = call.__globals__.get(self.title)
        return str(getattr(answer, "__module__", "")).split(".")[0] == __name__.split(".")[0]

    def _is_stub(self, error: BaseException) -> bool:
        """Tell whether the learner's own function raised the stub, not something it called."""
        if type(error) is not NotImplementedError or error.args:
            return False
        last = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][-1]
        return last.f_code.co_qualname.split(".")[0] == self.title


class Arguments:
    """Copies of the tensors, arrays, lists and dictionaries that a function without arguments mentions."""

    def __init__(self, call: Callable[[], Any]) -> None:
        """Copy them; what cannot be copied is not watched."""
        self.variables: dict[str, tuple[Any, Any]] = {}
        for name, value in _mentioned(call):
            if isinstance(value, WATCHED):
                with contextlib.suppress(TypeError, ValueError, RuntimeError):
                    self.variables[name] = value, copied(value)

    def restore(self) -> str:
        """Put back what was changed; return the name of the first such variable, or an empty string."""
        changed = [name for name, (value, before) in self.variables.items() if not same(value, before)]
        for name in changed:
            with contextlib.suppress(TypeError, ValueError, RuntimeError):
                _put_back(*self.variables[name])
        return changed[0] if changed else ""


def copied(value: Any) -> Any:
    """Return a deep copy; of tensors one without their history, which cannot be copied."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if type(value) in (list, tuple):
        return type(value)(copied(item) for item in value)
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    return copy.deepcopy(value)


def same(value: Any, before: Any) -> bool:
    """Tell whether a variable is still what it was, inside lists and dictionaries as well; NaN equals NaN."""
    if isinstance(value, (list, tuple)) and isinstance(before, (list, tuple)):
        return len(value) == len(before) and all(map(same, value, before))
    if isinstance(value, dict) and isinstance(before, dict):
        return value.keys() == before.keys() and all(same(value[key], before[key]) for key in before)
    if isinstance(value, Tensor):
        if value.dtype != before.dtype or value.shape != before.shape:
            return False
        equal = value.detach() == before
        return bool((equal | (value.isnan() & before.isnan())).all())
    if isinstance(value, np.ndarray):
        return value.dtype == before.dtype and np.array_equal(
            value, before, equal_nan=value.dtype.kind in "fc"
        )
    return value is before or bool(value == before)


def _mentioned(call: Callable[[], Any]) -> Iterator[tuple[str, Any]]:
    """Yield name and value of the global and enclosing variables that a function mentions."""
    for name in call.__code__.co_names:
        if name in call.__globals__:
            yield name, call.__globals__[name]
    for name, cell in zip(call.__code__.co_freevars, call.__closure__ or (), strict=True):
        yield name, cell.cell_contents


def _put_back(value: Any, before: Any) -> None:
    """Give a changed variable its old content, in place."""
    if isinstance(value, Tensor):
        with torch.no_grad():
            value.data = before
    elif isinstance(value, dict):
        value.clear()
        value.update(before)
    else:
        value[:] = before


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Drop warnings, log lines, displayed results and whatever anybody writes to standard error."""
    displayhook, logging_level = sys.displayhook, logging.root.manager.disable
    sys.displayhook = lambda value: None
    logging.disable(logging.CRITICAL)
    try:
        with _closed_descriptor(), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.displayhook = displayhook
        logging.disable(logging_level)


@contextlib.contextmanager
def _closed_descriptor() -> Iterator[None]:
    """Send the descriptor of standard error nowhere; a process without one needs nothing."""
    try:
        kept = os.dup(STDERR)
    except OSError:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDERR)
    try:
        yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)
        os.close(nowhere)


class SimulatedDevice:
    """Works on its own, like a GPU: ``run`` puts work into a queue, and only ``wait`` lets it be done."""

    def __init__(self, costs: Sequence[float], waiting: float = 0.0, starting: float = 0.25) -> None:
        """Start at time 0.

        Args:
            costs: how long each run takes, one after the other; the last one stands for all later ones.
            waiting: how much work is in the queue already.
            starting: how long it takes to put a run into the queue.
        """
        self.time, self.queue = 0.0, waiting
        self.costs, self.starting = list(costs), starting
        self.runs = 0

    def run(self) -> None:
        """Put one run into the queue and return at once."""
        self.time += self.starting
        self.queue += self.costs[min(self.runs, len(self.costs) - 1)]
        self.runs += 1

    def wait(self) -> None:
        """Return when the queue is empty."""
        self.time, self.queue = self.time + self.queue, 0.0

    def clock(self) -> float:
        """Return the time."""
        return self.time
