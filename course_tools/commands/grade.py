"""``grade``: grade submissions in a sandbox, into nbgrader's gradebook."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout
from tqdm import tqdm

from course_lib.data import mini
from course_lib.runtime import PROJECT_ROOT, unknown_name, write_atomically
from course_tools import cluster, grading
from course_tools.commands import parser_of

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

FOLDER = PROJECT_ROOT / "grading"


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("grade", DESCRIPTION, EPILOG)
    described.add_argument(
        "submissions", type=Path, nargs="?", metavar="SUBMISSIONS", help="a folder or a zip"
    )
    described.add_argument(
        "--lesson", nargs="+", default=[], metavar="NAME", help="only these (default: all)"
    )
    described.add_argument(
        "--student", nargs="+", default=[], metavar="NAME", help="only these (default: all)"
    )
    described.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="at a time (default: one per core)"
    )
    described.add_argument(
        "--scheduler", default="", metavar="ADDRESS", help="of dask, to grade on other machines"
    )
    described.add_argument(
        "--hidden-tests", type=Path, metavar="DIR", help="your own cases, <lesson>/<exercise>.py"
    )
    described.add_argument("--again", action="store_true", help="grade also what is unchanged")
    described.add_argument("--dry-run", action="store_true", help="say what would be graded, and run nothing")
    described.add_argument(
        "--no-sandbox", action="store_true", help="run submissions unprotected, as yourself"
    )
    described.add_argument("--into", type=Path, default=FOLDER, metavar="DIR", help="(default: grading)")
    return described


def main(options: argparse.Namespace) -> int:
    """Collect, grade what is new, enter it, and write what instructor and learners get."""
    _check(options)
    options.into.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(options.into / ".lock", timeout=0):
            return _run(options)
    except Timeout:
        raise ValueError(f"another grading writes into {options.into}; wait, or choose --into") from None


def _check(options: argparse.Namespace) -> None:
    """Raise for options that cannot be meant."""
    for name in options.lesson:
        if name not in grading.lesson_names():
            raise unknown_name("lesson", name, grading.lesson_names())
    if options.jobs < 1:
        raise ValueError(f"--jobs must be at least 1, got {options.jobs}")
    if options.hidden_tests and not options.hidden_tests.is_dir():
        raise ValueError(f"no folder of hidden tests at {options.hidden_tests}")


def _run(options: argparse.Namespace) -> int:
    """Do it, with the folder to ourselves."""
    results = grading.Results(options.into / "results")
    found, todo, proof = grading.Collected([], []), [], []
    if options.submissions:
        found = grading.collect(options.submissions, grading.lesson_names())
        found = replace(found, jobs=[job for job in found.jobs if _is_wanted(job, options)])
        lessons = {job.lesson: grading.read_lesson(job.lesson, options.hidden_tests) for job in found.jobs}
        todo = _new(found.jobs, lessons, results, options)
        _tell(found, todo, options.dry_run)
        if options.dry_run:
            return 0
        proof = _grade(todo, lessons, results, options) if todo else []
    return _write(results, found.problems, proof, options.into)


def _is_wanted(job: grading.Job, options: argparse.Namespace) -> bool:
    """Tell whether a submission was chosen."""
    return job.lesson in (options.lesson or [job.lesson]) and job.student in (
        options.student or [job.student]
    )


def _new(
    jobs: Sequence[grading.Job],
    lessons: dict[str, grading.Lesson],
    results: grading.Results,
    options: argparse.Namespace,
) -> dict[grading.Job, str]:
    """Return the submissions to grade, and what will be known of each by then."""
    todo = {}
    for job in jobs:
        mark = grading.fingerprint(job, lessons[job.lesson], grading.Limits(), not options.no_sandbox)
        known = results.read(job.student, job.lesson)
        if options.again or known is None or known.get("fingerprint") != mark:
            todo[job] = mark
    return todo


def _tell(found: grading.Collected, todo: dict[grading.Job, str], every: bool) -> None:
    """Say what will be done."""
    print(f"{len(found.jobs)} submissions, {len(todo)} new or changed")
    for job in todo if every else ():
        print(f"  {job.student}  {job.lesson}{': ' + job.error if job.error else ''}")
    for problem in found.problems:
        print(f"  not graded: {problem}")


def _grade(
    todo: dict[grading.Job, str],
    lessons: dict[str, grading.Lesson],
    results: grading.Results,
    options: argparse.Namespace,
) -> list[str]:
    """Grade submissions, keep each result as soon as it is there; return what was proved of the sandbox.

    Raises:
        ValueError: if there is no sandbox.
    """
    limits, sandbox, proof = grading.Limits(), not options.no_sandbox, []
    chosen = {name: lessons[name] for name in sorted({job.lesson for job in todo})}
    mini.mini_root()  # a submission finds the data drawn
    with cluster.workers(min(options.jobs, len(todo)), options.scheduler) as client:
        try:
            if sandbox:
                print("proving the sandbox ...", flush=True)
                proof = grading.prove_all(client, limits)
            print("solving the lessons ...", flush=True)
            keys = grading.answer_keys(client, chosen, limits, sandbox)
        except RuntimeError as error:
            raise ValueError(str(error)) from None
        with tqdm(total=len(todo), unit="submission") as bar:
            for job, result in grading.grade_all(client, todo, lessons, keys, limits, sandbox):
                results.write(result | {"fingerprint": todo[job]})
                bar.update()
    return proof


def _write(results: grading.Results, problems: list[str], proof: list[str], folder: Path) -> int:
    """Enter the results, and write feedback, tables and summary."""
    everything, book = list(results), grading.Book(folder)
    if not everything:
        print(f"nothing is graded in {folder}")
        return 0
    for name in sorted({result["lesson"] for result in everything}):
        book.register(grading.read_lesson(name))
    for result in tqdm(everything, desc="gradebook", unit="submission", leave=False):
        book.enter(result)
        book.write_feedback(result)
    grades = book.grades()
    table = grading.exercise_table(everything, grades)
    book.write_totals(folder / "totals.csv")
    write_atomically(folder / "exercises.csv", table.to_csv(index=False).encode())
    write_atomically(folder / "summary.html", grading.page(everything, grades, problems, proof).encode())
    looks = table[(table["reasons"] != "") & (table["state"] != "by hand")]
    held = int((table["state"] == "held").sum())
    print(f"{len(looks)} exercises need a look, of {held} the points are held: {folder / 'summary.html'}")
    return 0
