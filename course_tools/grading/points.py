"""Turn what answers returned into points, far from the code that returned it.

A record comes from a process in which the learner's code could do anything. It is therefore data: it is
compared with what is right, which that process never knew, and wherever something does not fit, nobody gets
full points and nobody silently gets none. Such points are *held* until an instructor has looked.
"""

import contextlib
import io
import re
import threading
from dataclasses import dataclass
from typing import Any

from course_lib.lesson.checks import Check
from course_lib.lesson.checks.check import NOT_ATTEMPTED, OURS
from course_lib.lesson.checks.comparison import difference
from course_lib.lesson.checks.values import decode
from course_tools.grading.lesson import Exercise

FLOAT = re.compile(r"\d{1,3}\.\d{1,4}")
SAME = 0.011  # points; they are rounded to two digits
HIDDEN = "a hidden case does not hold"
NO_RECORD = "its check handed over no result"
LONGEST_PROBLEM = 300
REPORTING = threading.Lock()  # checks print their reports, and standard output is one for all threads


@dataclass(frozen=True)
class Graded:
    """What became of one exercise."""

    exercise: str
    max_points: float
    points: float | None
    """None: held, an instructor decides."""
    suggested: float
    """What the values are worth; the points unless they are held."""
    attempted: bool
    cases: dict[str, bool]
    """Which cases passed, hidden ones included."""
    reasons: tuple[str, ...]
    """Why somebody should look at it; empty if nobody has to."""
    report: str
    """For the learner."""


def judged(
    exercise: Exercise, key: dict, records: list, outputs: list, alarms: list[str], stop: str
) -> Graded:
    """Judge one exercise.

    Args:
        exercise: with its points.
        key: the record of what is right.
        records: what the probe handed over; exactly one is as it should be.
        outputs: of the released check cell.
        alarms: what was changed in the cells of the exercise.
        stop: why a cell of the exercise was stopped, empty if none was.
    """
    if stop:
        return held(exercise, [f"a cell of it {stop}", *alarms])
    try:
        problems = _problems(key, records)
    except ValueError as error:
        return held(exercise, [str(error), *alarms])
    everything, public = _check(exercise, key, problems), _check(exercise, key, problems, hidden=False)
    report, suggested = _reported(everything)
    said, earned = shown_points(outputs), _reported(public)[1]
    doubts = [*alarms]
    if said is None or abs(said - earned) > SAME:
        doubts.append(
            f"its check cell said {'nothing' if said is None else f'{said:g}'}, its values earn {earned:g}"
        )
    is_held = bool(alarms) or (bool(doubts) and suggested > 0)
    return Graded(
        exercise=exercise.name,
        max_points=exercise.points,
        points=None if is_held else suggested,
        suggested=suggested,
        attempted=everything.attempted,
        cases={name: not problem for name, problem in problems.items()},
        reasons=tuple(doubts),
        report=report,
    )


def held(exercise: Exercise, reasons: list[str]) -> Graded:
    """Return an exercise that could not be judged."""
    report = f"{exercise.name}: held until your instructor has looked at it, because {'; '.join(reasons)}\n"
    return Graded(exercise.name, exercise.points, None, 0.0, True, {}, tuple(reasons), report)


def _problems(key: dict, records: list) -> dict[str, str]:
    """Return what is wrong in each case, from the one record of its probe.

    Raises:
        ValueError: if there is no record, or it is not one that a probe makes.
    """
    if len(records) != 1:
        raise ValueError(NO_RECORD if not records else "its check handed over more than one result")
    cases = records[0].get("cases") if isinstance(records[0], dict) else None
    if not isinstance(cases, dict) or cases.keys() != key["cases"].keys():
        raise ValueError("its check handed over a result that is none of its own")
    return {name: _problem(cases[name], right) for name, right in key["cases"].items()}


def _problem(entry: Any, right: dict) -> str:
    """Return what is wrong with one value, empty if nothing is."""
    if not isinstance(entry, dict) or not isinstance(entry.get("problem"), str):
        raise ValueError("its check handed over a result that is none of its own")
    if entry["problem"]:
        return entry["problem"][:LONGEST_PROBLEM]
    value, expected = decode(entry.get("value")), decode(right["expected"])
    try:
        return difference(value, expected, right["within"])
    except Exception as error:  # one strange value must not stop the grading of everybody
        raise ValueError(f"its check handed over a value that cannot be compared ({error})") from None


def _check(exercise: Exercise, key: dict, problems: dict[str, str], hidden: bool = True) -> Check:
    """Return a check that has seen the problems; hidden cases tell only that they do not hold."""
    check = Check(exercise.name, exercise.points)
    for name, problem in problems.items():
        right = key["cases"][name]
        if not right["hidden"]:
            check.note(name, problem, right["hint"])
        elif hidden:
            secret = problem if problem in ("", NOT_ATTEMPTED, OURS) else HIDDEN
            check.note(f"hidden {name}" if not problem else name, secret)
    return check


def _reported(check: Check) -> tuple[str, float]:
    """Return the report of a check and its points."""
    with REPORTING, contextlib.redirect_stdout(io.StringIO()) as report:
        points = check.points()
    return report.getvalue(), points


def shown_points(outputs: list) -> float | None:
    """Return the number that is the one result of a cell, None if there is none or several."""
    results = [output for output in outputs if output.get("output_type") == "execute_result"]
    text = results[0].get("data", {}).get("text/plain", "") if len(results) == 1 else ""
    return float(text) if isinstance(text, str) and FLOAT.fullmatch(text) else None
