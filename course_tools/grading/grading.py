"""Grade one submission: read it, restore its checks, run it, judge what it returned, make it harmless.

All of it is done in a process apart: the submission itself runs in the sandbox that this process starts, and
whatever becomes of both, the other submissions are graded.
"""

import contextlib
import copy
import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output

from course_tools.grading.integrity import (
    definitions,
    demo_texts,
    is_unanswered,
    own_code,
    restore,
    suspicions,
)
from course_tools.grading.launch import WorkerDied, apart, run_cells, what_is_seen
from course_tools.grading.lesson import DEMO, Exercise, Lesson
from course_tools.grading.points import Graded, held, judged, short
from course_tools.grading.sandbox import MEGABYTE, Limits
from course_tools.grading.sanitize import MOST, harmless
from course_tools.grading.submissions import Job
from course_tools.grading.worker import run
from course_tools.submission import plain_text, read_notebook

NOT_WHOLE = "of a figure's or training's cell that they changed, only definitions and imports were run"


def grade(job: Job, lesson: Lesson, key: dict[str, dict], limits: Limits, sandbox: bool) -> dict[str, Any]:
    """Grade a submission, whatever it is, in a process apart; nothing it does raises.

    Args:
        job: that was handed in.
        lesson: it belongs to.
        key: of ``answer_key``; the kernel that runs the submission never sees it.
        limits: of the submission.
        sandbox: False runs it unprotected.

    Returns:
        What is written to the results: student, lesson, exercises, the executed notebook, seconds.

    Raises:
        WorkerDied: if the process that handles it ended; it may be graded again.
    """
    try:
        if job.error:
            raise ValueError(job.error)
        # twice, because private cases take a run of their own; reading, judging and starting have 90 seconds
        return apart(2 * limits.seconds + 90, graded, job, lesson, key, limits, sandbox)
    except WorkerDied:
        raise
    except (ValueError, RuntimeError) as error:
        return not_graded(job.student, lesson, str(error), sandbox) | {"remarks": list(job.remarks)}


def not_graded(student: str, lesson: Lesson, reason: str, sandbox: bool) -> dict[str, Any]:
    """Return the result of a submission of which nothing can be said or shown."""
    reason = short(reason)
    note = new_markdown_cell(f"**Nothing here could be graded automatically:** {html.escape(reason)}.")
    return {
        "student": student,
        "lesson": lesson.name,
        "sandbox": sandbox,
        "remarks": [],
        "exercises": [asdict(held(task, [reason])) for task in lesson.exercises],
        "notebook": _written([note, *lesson.released.cells], lesson),
        "seconds": 0.0,
    }


def graded(job: Job, lesson: Lesson, key: dict[str, dict], limits: Limits, sandbox: bool) -> dict[str, Any]:
    """Grade a submission in this process; see ``grade``.

    Raises:
        ValueError: if it cannot be read, run or shown.
    """
    view = what_is_seen() if sandbox else None
    with _refused():
        shown, alarms = restore(_read(job.content, limits), lesson)
        cells = _to_run(shown, lesson, {task.check_id: task.probe for task in lesson.exercises})
    found = private = run(cells, limits, view)
    if any(task.private_probe for task in lesson.exercises):
        # what a kernel shows that knew private cases is never looked at
        unseen = {task.check_id: task.private_probe or task.probe for task in lesson.exercises}
        private = run(_to_run(shown, lesson, unseen), limits, view)
        stops = zip(found["stops"], private["stops"], strict=True)
        found |= {
            "stops": [seen or other for seen, other in stops],
            "seconds": found["seconds"] + private["seconds"],
        }
    with _refused():
        exercises = [
            asdict(_judged(task, key, cells, found, private, alarms, own_code(shown, lesson)))
            for task in lesson.exercises
        ]
        for cell in shown:
            if cell.cell_type == "code":
                at = cell.metadata.pop("position", None)
                cell.outputs = [] if at is None else found["outputs"][at]
                cell.execution_count = None
        own = [
            stop for stop, cell in zip(found["stops"], cells, strict=True) if stop and not cell["exercise"]
        ]
        remarks = [f"a cell of their own {stop}" for stop in own]
        remarks += [NOT_WHOLE for cell in cells if cell["is_part"]]
        return {
            "student": job.student,
            "lesson": job.lesson,
            "sandbox": sandbox,
            "remarks": [*job.remarks, *dict.fromkeys(remarks)],
            "exercises": exercises,
            "notebook": _written(shown, lesson),
            "seconds": found["seconds"],
        }


@contextlib.contextmanager
def _refused() -> Iterator[None]:
    """Turn whatever goes wrong with a submission into a ValueError; the process goes on to the next."""
    try:
        yield
    except (ValueError, MemoryError):  # want of memory ends the process, and a new one tries again
        raise
    except Exception as error:
        raise ValueError(repr(error)) from error


def _judged(
    task: Exercise,
    key: dict,
    cells: list[dict],
    found: dict,
    private: dict,
    alarms: dict[str, list[str]],
    own: list[str],
) -> Graded:
    """Return what became of an exercise; the judge's words take the place of what its check showed."""
    answer, check = [at for at, cell in enumerate(cells) if cell["exercise"] == task.name]
    try:
        with _refused():
            entry = judged(
                exercise=task,
                key=key[task.name],
                records=found["records"][check],
                outputs=found["outputs"][check],
                alarms=alarms[task.name],
                stop=found["stops"][answer] or found["stops"][check],
                private_records=private["records"][check],
            )
    except ValueError as error:  # the other exercises go on
        entry = held(task, [f"its answer cannot be judged ({short(str(error))})"])
    if entry.suggested:
        source = cells[answer]["source"]
        try:
            with _refused():
                listed, is_doubtful = suspicions(source, task, own), is_unanswered(source, task)
        except ValueError as error:
            listed, is_doubtful = (
                [f"the text of its answer cannot be looked through ({short(str(error))})"],
                True,
            )
        entry = entry.with_doubts(listed, hold=is_doubtful)
    found["outputs"][check] = [new_output("stream", name="stdout", text=entry.report)]
    return entry


def answer_key(lesson: Lesson, limits: Limits, sandbox: bool) -> dict[str, dict]:
    """Return what is right in each case, by the name of the exercise: the solved lesson is run for it.

    Raises:
        RuntimeError: if the solved lesson does not run, or does not earn everything by this key, private
            cases included.
    """
    cells = _to_run(lesson.solved.cells, lesson, {task.check_id: task.key for task in lesson.exercises})
    found = run_cells(cells, limits, sandbox)
    if stops := [stop for stop in found["stops"] if stop]:
        raise RuntimeError(f"the solved {lesson.name} {stops[0]}")
    records = {cell["exercise"]: found["records"][at] for at, cell in enumerate(cells) if cell["probe"]}
    if wrong := [name for name, record in records.items() if len(record) != 1]:
        raise RuntimeError(f"the solved {lesson.name} gives no key for {', '.join(wrong)}")
    key = {name: record[0] for name, record in records.items()}
    published = {exercise.answer_id: exercise.published for exercise in lesson.exercises}
    solved = copy.deepcopy(lesson.released)
    for cell in solved.cells:
        cell.source = published.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""), cell.source)
    job = Job("the solutions", lesson.name, nbformat.writes(solved).encode())
    for entry in grade(job, lesson, key, limits, sandbox)["exercises"]:
        if entry["points"] != entry["max_points"]:
            told = " ".join((entry["report"] or "; ".join(entry["reasons"])).split())
            raise RuntimeError(f"the published answer does not earn its points in {lesson.name}: {told}")
    return key


def _read(content: bytes, limits: Limits) -> NotebookNode:
    """Read what was handed in; ValueError if it is no notebook, or larger than what can be shown."""
    if len(content) > limits.notebook_bytes:
        most = limits.notebook_bytes // MEGABYTE
        raise ValueError(f"the notebook has {len(content) / MEGABYTE:.0f} MB, more than {most} MB")
    count = 0  # before it is validated, which takes long
    with contextlib.suppress(ValueError, TypeError, KeyError):  # then it is no notebook, as is said below
        count = len(json.loads(content)["cells"])
    if count > limits.cells:
        raise ValueError(f"the notebook has {count} cells, more than {limits.cells}")
    notebook = read_notebook(content)
    for number, cell in enumerate(notebook.cells, 1):
        if len(cell.source) > limits.cell_characters:
            told = f"{len(cell.source)} characters, more than {limits.cell_characters}"
            raise ValueError(f"cell {number} of the notebook has {told}")
        if any("\ud800" <= character <= "\udfff" for character in cell.source):
            raise ValueError(f"cell {number} of the notebook holds half a character; write it again")
    return notebook


def _to_run(notebook_cells: Sequence[NotebookNode], lesson: Lesson, probes: dict[str, str]) -> list[dict]:
    """Return the cells for the worker, with probes; in its metadata each cell gets its position."""
    owners = {name: task for task in lesson.exercises for name in (task.answer_id, task.check_id)}
    cells, demos = [], demo_texts(lesson)
    for cell in notebook_cells:
        is_demo = DEMO in cell.metadata.get("tags", [])
        is_changed = is_demo and plain_text(cell) not in demos
        source = definitions(cell.source) if is_changed else "" if is_demo else cell.source
        if cell.cell_type == "code" and (source or not is_demo):
            cell.metadata["position"] = len(cells)
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            task = owners.get(name)
            cells.append(
                {
                    "source": source,
                    "probe": probes.get(name, ""),
                    "exercise": task.name if task else "",
                    "instead": "" if task is None else task.check if name in probes else task.stub,
                    "is_part": is_changed,
                }
            )
    return cells


def _written(cells: list[NotebookNode], lesson: Lesson) -> str:
    """Return the text of a notebook that can be shown to anybody; what the lesson says stays as it is."""
    ours = {plain_text(cell): cell for cell in lesson.released.cells if cell.cell_type == "markdown"}
    shown = [
        NotebookNode({**ours[text], "metadata": cell.metadata})
        if cell.cell_type == "markdown" and (text := plain_text(cell)) in ours
        else harmless(cell)
        for cell in cells
    ]
    notebook = nbformat.v4.new_notebook(cells=shown)
    notebook.metadata = NotebookNode({"kernelspec": lesson.released.metadata.get("kernelspec", {})})
    text = json.dumps(notebook, ensure_ascii=False)
    if len(text) > MOST:
        raise ValueError(f"what it shows has {len(text) >> 20} MB, more than {MOST >> 20} MB")
    return text
