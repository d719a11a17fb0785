"""Grade one submission: read it, restore its checks, run it, judge what it returned."""

import copy
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output

from course_tools.grading.integrity import restore, suspicions
from course_tools.grading.launch import WorkerDied, run_cells
from course_tools.grading.lesson import DEMO, Lesson
from course_tools.grading.points import held, judged
from course_tools.grading.sandbox import MEGABYTE, Limits
from course_tools.grading.sanitize import harmless
from course_tools.grading.submissions import Job
from course_tools.submission import read_notebook


def grade(job: Job, lesson: Lesson, key: dict[str, dict], limits: Limits, sandbox: bool) -> dict[str, Any]:
    """Grade a submission, whatever it is; nothing it does raises.

    Args:
        job: that was handed in.
        lesson: it belongs to.
        key: of ``answer_key``.
        limits: of the submission.
        sandbox: False runs it unprotected.

    Returns:
        What is written to the results: student, lesson, exercises, the executed notebook, seconds.

    Raises:
        WorkerDied: if the process that runs it ended; it may be graded again.
    """
    result = {"student": job.student, "lesson": job.lesson, "sandbox": sandbox, "remarks": list(job.remarks)}
    try:
        shown, alarms = restore(_read(job, limits), lesson)
        cells = _to_run(shown, lesson, {task.check_id: task.probe for task in lesson.exercises})
        found = run_cells(cells, limits, sandbox)
    except WorkerDied:
        raise
    except (ValueError, RuntimeError) as error:
        note = new_markdown_cell(f"**Nothing here could be graded automatically:** {error}.")
        return result | {
            "exercises": [asdict(held(task, [str(error)])) for task in lesson.exercises],
            "notebook": _written([note, *lesson.released.cells], lesson),
            "seconds": 0.0,
        }
    stops, outputs, exercises = found["stops"], found["outputs"], []
    for task in lesson.exercises:
        answer, check = [at for at, cell in enumerate(cells) if cell["exercise"] == task.name]
        graded = judged(
            exercise=task,
            key=key[task.name],
            records=found["records"][check],
            outputs=outputs[check],
            alarms=alarms[task.name],
            stop=stops.get(answer) or stops.get(check, ""),
        )
        listed = suspicions(cells[answer]["source"], task) if graded.suggested else []
        exercises.append(asdict(replace(graded, reasons=(*graded.reasons, *listed))))
        # under a check stands what the judge says, not what the cell showed
        outputs[check] = [new_output("stream", name="stdout", text=graded.report)]
    for cell in shown:
        if cell.cell_type == "code":
            at = cell.metadata.pop("position", None)
            cell.outputs = [] if at is None else outputs[at]
            cell.execution_count = None
    own = [f"a cell of their own {why}" for at, why in stops.items() if not cells[at]["exercise"]]
    return result | {
        "remarks": [*job.remarks, *dict.fromkeys(own)],
        "exercises": exercises,
        "notebook": _written(shown, lesson),
        "seconds": found["seconds"],
    }


def answer_key(lesson: Lesson, limits: Limits, sandbox: bool) -> dict[str, dict]:
    """Return what is right in each case, by the name of the exercise: the solved lesson is run for it.

    Raises:
        RuntimeError: if the solved lesson does not run, or does not earn everything by this key, private
            cases included.
    """
    cells = _to_run(lesson.solved.cells, lesson, {task.check_id: task.key for task in lesson.exercises})
    found = run_cells(cells, limits, sandbox)
    if found["stops"]:
        raise RuntimeError(f"the solved {lesson.name} {next(iter(found['stops'].values()))}")
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


def _read(job: Job, limits: Limits) -> NotebookNode:
    """Read what was handed in; ValueError if it is no notebook."""
    if job.error:
        raise ValueError(job.error)
    if len(job.content) > limits.notebook_bytes:
        most = limits.notebook_bytes // MEGABYTE
        raise ValueError(f"the notebook has {len(job.content) / MEGABYTE:.0f} MB, more than {most} MB")
    return read_notebook(job.content)


def _to_run(notebook_cells: Sequence[NotebookNode], lesson: Lesson, probes: dict[str, str]) -> list[dict]:
    """Return the cells for the worker, with probes; in its metadata each cell gets its position."""
    owners = {name: task for task in lesson.exercises for name in (task.answer_id, task.check_id)}
    cells = []
    for cell in notebook_cells:
        if cell.cell_type == "code" and DEMO not in cell.metadata.get("tags", []):
            cell.metadata["position"] = len(cells)
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            task = owners.get(name)
            cells.append(
                {
                    "source": cell.source,
                    "probe": probes.get(name, ""),
                    "exercise": task.name if task else "",
                    "instead": "" if task is None else task.check if name in probes else task.stub,
                }
            )
    return cells


def _written(cells: list[NotebookNode], lesson: Lesson) -> str:
    """Return the text of a notebook that can be shown to anybody."""
    notebook = nbformat.v4.new_notebook(cells=[harmless(cell) for cell in cells])
    notebook.metadata = NotebookNode({"kernelspec": lesson.released.metadata.get("kernelspec", {})})
    return json.dumps(notebook)
