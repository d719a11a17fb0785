"""The check under an exercise: cases in, a report and points out."""

import textwrap
import traceback
from collections.abc import Callable
from typing import Any

from course_lib.lesson.checks.arguments import Arguments, copied
from course_lib.lesson.checks.comparison import RESULT, difference, explained
from course_lib.lesson.checks.progress import record
from course_lib.lesson.checks.silence import silence

NOT_ATTEMPTED = "not attempted yet"
OURS = "this name stands for the course's version now; run your answer cell again, then this one"
REPORT_WIDTH = 100


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
