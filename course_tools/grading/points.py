"""Turn what answers returned into points, far from the code that returned it.

A record comes from a process in which the learner's code could do anything. It is therefore data: it is
compared with what is right, which that process never knew, and wherever something does not fit, nobody gets
full points and nobody silently gets none. Such points are *held* until an instructor has looked.
"""

import contextlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from course_lib.lesson.checks import Check
from course_lib.lesson.checks.check import NOT_ATTEMPTED, OURS
from course_lib.lesson.checks.comparison import difference
from course_lib.lesson.checks.values import decode
from course_tools.grading.lesson import Exercise

NO_RECORD = "its check handed over a result that is none of its own"


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

    def with_doubts(self, listed: list[str], hold: bool) -> "Graded":
        """Return it with more reasons for a look; held if somebody has to take it before points are given."""
        points = None if hold else self.points
        return replace(self, points=points, reasons=(*self.reasons, *map(short, listed)))


def judged(
    exercise: Exercise,
    key: dict,
    records: list,
    outputs: list,
    alarms: list[str],
    stop: str,
    private_records: Sequence = (),
) -> Graded:
    """Judge one exercise.

    Args:
        exercise: with its points.
        key: the record of what is right.
        records: what the probe handed over; exactly one is as it should be.
        outputs: of the released check cell.
        alarms: what was changed in the cells of the exercise.
        stop: why a cell of the exercise was stopped, empty if none was.
        private_records: as ``records``, of a kernel that knew private cases and whose words nobody sees.
    """
    if stop:
        return held(exercise, [f"a cell of it {stop}", *alarms])
    try:
        known = {name: right for name, right in key["cases"].items() if not right["private"]}
        problems = _problems(known, records)
        if len(known) < len(key["cases"]):
            problems = _problems(key["cases"], private_records) | problems
    except ValueError as error:
        return held(exercise, [str(error), *alarms])
    report, suggested, is_attempted = _reported(exercise, key, problems)
    public = {name: problem for name, problem in problems.items() if not key["cases"][name]["hidden"]}
    said, (_, earned, _) = shown_points(outputs), _reported(exercise, key, public)
    doubts = [*alarms]
    if said is None or abs(said - earned) > 0.011:  # points are rounded to two digits
        told = "nothing" if said is None else f"{said:g}"
        doubts.append(f"its check cell said {told}, its values earn {earned:g}")
    is_held = bool(alarms) or (bool(doubts) and suggested > 0)
    return Graded(
        exercise=exercise.name,
        max_points=exercise.points,
        points=None if is_held else suggested,
        suggested=suggested,
        attempted=is_attempted,
        cases={name: not problem for name, problem in problems.items()},
        reasons=tuple(map(short, doubts)),
        report=report,
    )


def short(text: str, most: int = 300) -> str:
    """Return a text that may hold whatever a submission holds in a line of limited length."""
    line = " ".join(text[: 10 * most].split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def held(exercise: Exercise, reasons: list[str]) -> Graded:
    """Return an exercise that could not be judged."""
    reasons = [*map(short, reasons)]
    report = f"{exercise.name}: held until your instructor has looked at it, because {'; '.join(reasons)}\n"
    return Graded(exercise.name, exercise.points, None, 0.0, True, {}, tuple(reasons), report)


def _problems(right_by_case: dict, records: Sequence) -> dict[str, str]:
    """Return what is wrong in each case; ValueError if there is not one record, such as a probe makes."""
    if len(records) != 1:
        told = "more than one result" if records else "no result"
        raise ValueError(f"its check handed over {told}")
    cases = records[0].get("cases") if isinstance(records[0], dict) else None
    if not isinstance(cases, dict) or cases.keys() != right_by_case.keys():
        raise ValueError(NO_RECORD)
    problems = {}
    for name, right in right_by_case.items():
        entry = cases[name]
        if not isinstance(entry, dict) or not isinstance(entry.get("problem"), str):
            raise ValueError(NO_RECORD)
        if entry["problem"]:
            problems[name] = entry["problem"][:300]
            continue
        value, expected = decode(entry.get("value")), decode(right["expected"])
        try:
            problems[name] = difference(value, expected, right["within"])
        except Exception as error:  # one strange value must not stop the grading of everybody
            raise ValueError(f"its check handed over a value that cannot be compared ({error})") from None
    return problems


def _reported(exercise: Exercise, key: dict, problems: dict[str, str]) -> tuple[str, float, bool]:
    """Return report and points of some cases, and whether one was attempted."""
    check = Check(exercise.name, exercise.points)
    for name, problem in problems.items():
        right = key["cases"][name]
        if not right["hidden"]:
            check.note(name, problem, right["hint"], right["secret"], right["slip"])
        elif not problem:  # of a hidden case the report tells only whether it holds
            check.note(f"hidden {name}", "", slip=right["slip"])
        else:
            told = problem if problem in (NOT_ATTEMPTED, OURS) else "a hidden case does not hold"
            check.note(name, told, slip=right["slip"])
    with contextlib.redirect_stdout(io.StringIO()) as report:
        points = check.points()
    return report.getvalue(), points, check.attempted


def shown_points(outputs: list) -> float | None:
    """Return the number that is the one result of a cell, None if there is none or several."""
    results = [output for output in outputs if output.get("output_type") == "execute_result"]
    text = results[0].get("data", {}).get("text/plain", "") if len(results) == 1 else ""
    return float(text) if isinstance(text, str) and re.fullmatch(r"\d{1,3}\.\d{1,4}", text) else None
