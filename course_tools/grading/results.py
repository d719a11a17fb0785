"""What was found about each submission, one file each; and from all of them a table and a page to look at.

The files are written one by one as submissions are graded: nothing is graded twice and nothing is lost.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import matplotlib
import numpy as np
import pandas as pd

from course_lib.lesson import figures
from course_lib.runtime import write_atomically
from course_tools.grading.lesson import Lesson
from course_tools.grading.sandbox import Limits
from course_tools.grading.submissions import Job

RULES = 2
"""Raise it when grading changes so that everything has to be graded again."""


class Results:
    """The results in a folder."""

    def __init__(self, folder: Path) -> None:
        """Open a folder, which is made when the first result is written."""
        self.folder = folder

    def path(self, student: str, lesson: str) -> Path:
        """Return where a result is."""
        return self.folder / student / f"{lesson}.json"

    def read(self, student: str, lesson: str) -> dict[str, Any] | None:
        """Return a result, None if there is none that can be read.

        Raises:
            ValueError: if the file holds something else.
        """
        path = self.path(student, lesson)
        keys = {"student", "lesson", "sandbox", "remarks", "exercises", "notebook", "seconds", "fingerprint"}
        try:
            result = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(result, dict) or not result.keys() >= keys:
            raise ValueError(f"{path} is no result of this grader; move it away and grade again")
        return result

    def write(self, result: dict[str, Any]) -> None:
        """Write a result; a kill at any moment leaves the old one or the new one."""
        path = self.path(result["student"], result["lesson"])
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(result).encode())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield all results, by lesson and student."""
        for path in sorted(self.folder.glob("*/*.json"), key=lambda path: (path.stem, path.parent.name)):
            if result := self.read(path.parent.name, path.stem):
                yield result


def fingerprint(job: Job, lesson: Lesson, limits: Limits, sandbox: bool) -> str:
    """Return what changes as soon as a submission would be graded differently."""
    about = [RULES, lesson.fingerprint, job.remarks, job.error, asdict(limits), sandbox]
    return hashlib.sha256(job.content + json.dumps(about).encode()).hexdigest()


def exercise_table(results: Iterable[dict[str, Any]], grades: pd.DataFrame) -> pd.DataFrame:
    """Return a row per student, lesson and exercise, with the points that stand in the gradebook.

    Args:
        results: of the grader.
        grades: of ``gradebook.Book.grades``.

    Returns:
        ``points`` (NaN while held), ``state`` (graded, held, by hand), and why somebody should look.
    """
    entries = [
        {"student": result["student"], "lesson": result["lesson"], **entry}
        for result in results
        for entry in result["exercises"]
    ]
    table = pd.DataFrame(entries).drop(columns="points")
    table["cell"] = table["exercise"] + "_check"
    table = table.merge(grades, on=["student", "lesson", "cell"], validate="one_to_one")
    table["points"] = table["points"].mask(table["open"])
    table["state"] = np.select([table["open"], table["by_hand"]], ["held", "by hand"], "graded")
    again = table["open"] & table["by_hand"]
    table["reasons"] = [
        "; ".join([*reasons, "handed in anew after a person had given points"] if is_again else reasons)
        for reasons, is_again in zip(table["reasons"], again, strict=True)
    ]
    columns = ["student", "lesson", "exercise", "points", "max_points", "state"]
    return table[[*columns, "attempted", "suggested", "reasons"]]


def summary_page(
    results: Sequence[dict[str, Any]], grades: pd.DataFrame, problems: Sequence[str], proof: Sequence[str]
) -> str:
    """Return the summary as one HTML page that needs no network.

    Args:
        results: of the grader, at least one.
        grades: of ``gradebook.Book.grades``.
        problems: files that nobody could be given.
        proof: what the sandbox was seen to prevent; empty if nothing was run.
    """
    table = exercise_table(results, grades)
    # what an instructor should look at, alike exercises in one line; what a person has graded is done
    shown = table[(table["reasons"] != "") & (table["state"] != "by hand")]
    alike = shown.groupby(["student", "lesson", "state", "reasons"], as_index=False)
    looks = alike.agg(exercises=("exercise", ", ".join), points=("suggested", "sum"))
    looks["held"] = looks["state"] == "held"
    # each case, how many attempted its exercise, and for how many of them it failed
    case = ["lesson", "exercise", "case"]
    rows = [
        (result["lesson"], entry["exercise"], name, not passed)
        for result in results
        for entry in result["exercises"]
        if entry["attempted"]
        for name, passed in entry["cases"].items()
    ]
    failed = pd.DataFrame(rows, columns=[*case, "failed"]).groupby(case, sort=False)["failed"]
    cases = failed.agg(failed="sum", attempted="count").astype(int).reset_index()
    margins = {"margins": True, "margins_name": "all together"}  # no learner's name has a blank
    given = grades.assign(points=grades["points"].mask(grades["open"]))  # texts that a person reads, too
    given = given[given["student"].isin(table["student"])]
    totals = given.pivot_table("points", "student", "lesson", aggfunc="sum", **margins)
    template = files("course_tools.grading").joinpath("summary.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(template).render(
        submissions=len(results),
        students=table["student"].nunique(),
        unprotected=sum(not result["sandbox"] for result in results),
        seconds=pd.Series([result["seconds"] for result in results]).median(),
        to_look_at=len(shown),
        held=int((shown["state"] == "held").sum()),
        looks=looks.sort_values("held", ascending=False, kind="stable").to_dict("records"),
        essays=int(grades[~grades["cell"].str.endswith("_check")]["open"].sum()),
        exercises=list(dict.fromkeys(zip(table["lesson"], table["exercise"], strict=True))),
        heat_map=_heat_map(table),
        hard_cases=figures.hard_cases(cases).to_html() if cases["failed"].any() else "",
        totals=totals.to_html(border=0, na_rep="-"),
        problems=problems,
        remarks=[(result, text) for result in results for text in result["remarks"]],
        proof=proof,
    )


def _heat_map(table: pd.DataFrame) -> list[tuple[str, dict[tuple[str, str], dict[str, str]]]]:
    """Return each learner, the best first, with the text and the look of each exercise."""
    share = (table["points"] / table["max_points"]).fillna(0)
    order = share.groupby(table["student"]).sum().sort_values(ascending=False, kind="stable").index
    rows = {student: {} for student in order}
    colours = matplotlib.colormaps["cividis"]
    for entry in table.assign(share=share).to_dict("records"):
        look = {
            "text": "" if entry["state"] == "held" else f"{entry['points']:g}",
            "kind": "none",
            "style": "",
        }
        if entry["state"] == "held":
            look["kind"] = "held"
        elif entry["attempted"]:
            front = "black" if entry["share"] > 0.5 else "white"
            back = matplotlib.colors.to_hex(colours(entry["share"]))
            look |= {"kind": "points", "style": f"background: {back}; color: {front}"}
        rows[entry["student"]][entry["lesson"], entry["exercise"]] = look
    return list(rows.items())


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table that spreadsheets open: their umlauts are right, and no text is taken for a formula."""

    def plain(value: object) -> object:
        return f"'{value}" if isinstance(value, str) and value.startswith(tuple("=+-@\t\r")) else value

    # a byte order mark tells Excel that it is UTF-8
    write_atomically(path, table.map(plain).to_csv(index=False).encode("utf-8-sig"))
