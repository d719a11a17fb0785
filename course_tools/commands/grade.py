"""``grade``: grade submissions in a sandbox, into nbgrader's gradebook."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout
from tqdm import tqdm

from course_lib.data import mini
from course_lib.runtime import PROJECT_ROOT, unknown_name, write_atomically
from course_tools.commands import parser_of
from course_tools.grading import launch
from course_tools.grading.batch import graders
from course_tools.grading.gradebook import Book
from course_tools.grading.grading import not_graded
from course_tools.grading.lesson import Lesson, lesson_ids, lesson_names, read_lesson
from course_tools.grading.results import (
    Results,
    exercise_table,
    fingerprint,
    summary_page,
    write_table,
)
from course_tools.grading.roster import Person, absent, read_roster, recognised
from course_tools.grading.sandbox import Limits
from course_tools.grading.submissions import Job, collect

DESCRIPTION = """\
Grade submissions: <student>/<lesson>/<lesson>.ipynb in a folder or a zip, or what Moodle downloads. Each runs
in a sandbox of its own, without network, where it can read the course and nothing else. Only what is new or
changed is graded. Without SUBMISSIONS, the summary, tables and feedback are written again, for example after
points were given in Formgrader.
"""

EPILOG = """\
examples:
  python3 start.py grade download.zip
  python3 start.py grade submissions/ --lesson 01_baseline_scoring --jobs 4 --hidden-tests ../private
  python3 start.py grade submissions/ --dry-run
Writes summary.html, exercises.csv, totals.csv, feedback/ and gradebook.db into grading/. The sandbox needs
Linux and bubblewrap; it is proved before anything is run. Points are held, and listed for review, wherever
somebody changed a check, a kernel died, or a result does not fit. Exit status: 0 all graded, 2 wrong usage,
no sandbox, or bad input, 130 stopped (run it again to go on).
"""

PATIENCE = 120.0
"""Seconds in which a result is entered and its page made."""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("grade", DESCRIPTION, EPILOG)
    add = described.add_argument
    add("submissions", type=Path, nargs="?", metavar="SUBMISSIONS", help="a folder or a zip")
    add("--lesson", nargs="+", default=[], metavar="NAME", help="only these (default: all)")
    add("--student", nargs="+", default=[], metavar="NAME", help="only these (default: all)")
    cores = os.cpu_count() or 1
    add("--skip", nargs="+", default=[], metavar="NAME", help="all but these")
    add("--roster", type=Path, metavar="FILE.csv", help="name, e-mail, id of everybody (default: the last)")
    add("--jobs", type=int, default=cores, metavar="N", help="at a time (default: one per core)")
    add("--scheduler", default="", metavar="ADDRESS", help="of dask, to grade on other machines")
    add("--tls", type=Path, metavar="DIR", help="ca.pem, cert.pem and key.pem, for a tls:// ADDRESS")
    add("--hidden-tests", type=Path, metavar="DIR", help="your own cases, <lesson>/<exercise>.py")
    add("--again", action="store_true", help="grade also what is unchanged")
    add("--dry-run", action="store_true", help="say what would be graded, and run nothing")
    add("--no-sandbox", action="store_true", help="run submissions unprotected, as yourself")
    add("--into", type=Path, default=PROJECT_ROOT / "grading", metavar="DIR", help="(default: grading)")
    return described


def main(options: argparse.Namespace) -> int:
    """Collect, grade what is new, enter it, and write what instructor and learners get."""
    for name in options.lesson:
        if name not in lesson_names():
            raise unknown_name("lesson", name, lesson_names())
    if options.jobs < 1:
        raise ValueError(f"--jobs must be at least 1, got {options.jobs}")
    if options.hidden_tests and not options.hidden_tests.is_dir():
        raise ValueError(f"no folder of hidden tests at {options.hidden_tests}")
    if options.dry_run:
        if not options.submissions:
            raise ValueError("--dry-run says what would be graded; it needs SUBMISSIONS")
        return _grade_into(options)
    options.into.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(options.into / ".lock", timeout=0):
            return _grade_into(options)
    except Timeout:
        raise ValueError(f"another grading writes into {options.into}; wait, or choose --into") from None
    finally:
        launch.end(*launch.WORKERS.copy())


def _grade_into(options: argparse.Namespace) -> int:
    """Do it, with the folder to ourselves."""
    results, seen, proof = Results(options.into / "results"), {"problems": [], "handed_in": []}, []
    # both are kept for the call that writes everything again, after points were given by hand
    roster, download = options.into / "roster.csv", options.into / "download.json"
    people = read_roster(options.roster or roster) if options.roster or roster.is_file() else []
    if options.roster and not options.dry_run:
        write_atomically(roster, options.roster.read_bytes())
    if download.is_file():
        seen = json.loads(download.read_text())
    if options.submissions:
        found, problems = collect(options.submissions, lesson_ids())
        seen = {"problems": problems, "handed_in": sorted((job.student, job.lesson) for job in found)}
        students = {job.student for job in found}
        for name in (*options.student, *options.skip):
            if name not in students:
                raise unknown_name("learner", name, sorted(students))
        students = set(options.student or students) - set(options.skip)
        jobs = [job for job in found if job.student in students]
        jobs = [job for job in jobs if job.lesson in (options.lesson or [job.lesson])]
        names = {job.lesson for job in jobs}
        lessons = {name: read_lesson(name, options.hidden_tests) for name in sorted(names)}
        todo = {}  # the submissions that are new or changed, and what will be known of each by then
        for job in jobs:
            mark = fingerprint(job, lessons[job.lesson], Limits(), not options.no_sandbox)
            known = None if options.again else results.read(job.student, job.lesson)
            if known is None or known["fingerprint"] != mark:
                todo[job] = mark
        print(f"{len(jobs)} submissions, {len(todo)} new or changed")
        for job in todo if options.dry_run else ():
            print(f"  {job.student}  {job.lesson}{': ' + job.error if job.error else ''}")
        for problem in problems:
            print(f"  not graded: {problem}")
        if options.dry_run:
            _missing(people, {(job.student, job.lesson) for job in found if job.lesson in names})
            return 0
        write_atomically(download, json.dumps(seen).encode())
        proof = _grade(todo, lessons, results, options) if todo else []
    return _write(results, people, seen, proof, options)


def _missing(people: list[Person], handed_in: set[tuple[str, str]]) -> pd.DataFrame:
    """Say who of the roster has not handed in, and who is not in it; return the former."""
    missing = absent(people, handed_in)
    for lesson, those in missing.groupby("lesson"):
        print(f"not handed in, {lesson}: {', '.join(those['name'])}")
    students = sorted({student for student, _ in handed_in}) if people else []
    for student in [student for student in students if student not in recognised(students, people)]:
        print(f"not in the roster, or more than once: {student}")
    return missing


def _grade(
    todo: dict[Job, str], lessons: dict[str, Lesson], results: Results, options: argparse.Namespace
) -> list[str]:
    """Grade submissions, keep each result as soon as it is there; return what was proved of the sandbox."""
    changed, proof = {job.lesson for job in todo}, []
    mini.mini_root()  # a submission finds the data drawn
    count, sandbox = min(options.jobs, len(todo)), not options.no_sandbox
    with graders(count, options.scheduler, Limits(), sandbox, options.tls) as grading:
        try:
            if sandbox:
                print("proving the sandbox ...", flush=True)
                proof = grading.prove()
            print("solving the lessons ...", flush=True)
            keys = grading.answer_keys({name: lessons[name] for name in sorted(changed)})
        except RuntimeError as error:  # no sandbox, or a solved lesson that does not earn everything
            raise ValueError(str(error)) from None
        with tqdm(total=len(todo), unit="submission") as bar:
            for job, result in grading.grade_all(todo, lessons, keys):
                results.write(result | {"fingerprint": todo[job]})
                bar.update()
    return proof


def _write(
    results: Results,
    people: list[Person],
    seen: dict[str, list],
    proof: list[str],
    options: argparse.Namespace,
) -> int:
    """Enter the results, and write feedback, tables and summary."""
    folder, problems = options.into, seen["problems"]
    everything = [result for result in results if result["student"] not in options.skip]
    names = {result["lesson"] for result in everything} & set(lesson_names())
    lessons = {name: read_lesson(name) for name in sorted(names)}
    older = [result for result in everything if not _is_of(result, lessons)]
    for result in older:
        told = "was graded with other exercises than the lesson has now; hand it in here again"
        problems.append(f"{result['student']}: {result['lesson']} {told}")
        print(f"  not graded: {problems[-1]}")
    everything, book = [result for result in everything if result not in older], Book(folder)
    if not everything:
        print(f"nothing is graded in {folder}")
        return 0
    for lesson in lessons.values():
        if copied := book.register(lesson):
            print(f"{lesson.name} has other exercises now; points given by hand before are kept in {copied}")
    everything = [
        _entered(result, book, results, lessons[result["lesson"]])
        for result in tqdm(everything, desc="gradebook", unit="submission", leave=False)
    ]
    grades = book.grades()
    table = exercise_table(everything, grades)
    # whoever was skipped, or is not of those chosen, has handed in all the same
    there = {(result["student"], result["lesson"]) for result in results} | set(map(tuple, seen["handed_in"]))
    there = {(student, lesson) for student, lesson in there if lesson in lessons}
    missing = _missing(people, there)
    who = recognised({student for student, _ in there}, people)
    book.name(who)
    write_table(folder / "totals.csv", book.totals(who))
    write_table(folder / "exercises.csv", table)
    if people:
        write_table(folder / "missing.csv", missing)
        problems += [f"{person.name}: {person.lesson} not handed in" for person in missing.itertuples()]
    page = summary_page(everything, grades, problems, proof)
    write_atomically(folder / "summary.html", page.encode())
    looks = table[(table["reasons"] != "") & (table["state"] != "by hand")]
    held = int((table["state"] == "held").sum())
    texts = int((grades["open"] & ~grades["cell"].str.endswith("_check")).sum())
    told = (
        f"{len(looks)} exercises need a look, the points of {held or 'none'} are held; {texts} texts to read"
    )
    print(f"{told}: {folder / 'summary.html'}")
    return 0


def _entered(result: dict[str, Any], book: Book, results: Results, lesson: Lesson) -> dict[str, Any]:
    """Enter a result; return it, or what stands for it if its pages cannot be made.

    Raises:
        ValueError: if nothing can be entered.
    """
    try:
        launch.apart(PATIENCE, book.enter, result)
        return result
    except (RuntimeError, ValueError) as error:
        reason = f"its pages cannot be made: {error}"
        held = result | not_graded(result["student"], lesson, reason, result["sandbox"])
        held["fingerprint"] = f"held {result['fingerprint']}"  # it is graded again next time
        results.write(held)
        try:
            launch.apart(PATIENCE, book.enter, held)
        except (RuntimeError, ValueError):  # then it is not the submission's fault
            results.write(result)
            raise ValueError(str(error)) from None
        return held


def _is_of(result: dict, lessons: dict[str, Lesson]) -> bool:
    """Tell whether a result is of its lesson as it is now, not of an earlier version."""
    lesson = lessons.get(result["lesson"])
    told = [entry["exercise"] for entry in result["exercises"]]
    return lesson is not None and told == [exercise.name for exercise in lesson.exercises]
