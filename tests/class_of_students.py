"""A class whose work is made on the spot, with the points that each deserves."""

import copy
from pathlib import Path

import nbformat
import pandas as pd
from lesson_cells import checked, exercises

from course_lib.grading.lesson import Lesson

AROUND = """

{name}_of_mine = {name}


def {name}(*given, **named):
    {before}
    found = {name}_of_mine(*given, **named)
    return {after}
"""
AROUND_CLASS = """

class {name}({name}):
    def forward(self, *given):
        {before}
        found = super().forward(*given)
        return {after}
"""
WARN = 'import sys, warnings; warnings.warn("careful"); print("noise", file=sys.stderr)'
CHANGES = {
    "slow": ("import time; time.sleep(0.3)", "found"),
    "noisy": (WARN, "found"),
    "wrong_shapes": ("pass", "found[None] if hasattr(found, 'shape') else [found, found]"),
    "wrong_types": ("pass", "str(found)"),
}
"""What an answer does before the right one, and what it makes of the result."""

KINDS = ("unsolved", "solved", "half", *CHANGES)
SIZE = 20


def answer(kind: str, number: int, exercise) -> str:
    """Return what a student of some kind writes into the answer cell of the n-th exercise."""
    if kind == "unsolved" or (kind == "half" and number % 2):
        return exercise.stub
    if kind in ("solved", "half"):
        return exercise.answer
    is_class = f"class {exercise.name}" in exercise.answer
    before, after = CHANGES[kind]
    around = AROUND_CLASS if is_class else AROUND
    return exercise.answer + around.format(name=exercise.name, before=before, after=after)


def write_class(folder: Path, sources: list[Path], lessons: list[Lesson]) -> pd.DataFrame:
    """Write the submissions of a class; return a row per student, lesson and exercise: the points deserved.

    What is deserved is found by running answer and check here, in this process, without the grader.
    """
    rows = []
    for source, lesson in zip(sources, lessons, strict=True):
        tasks = exercises(source)
        deserved = {kind: _deserved(kind, tasks) for kind in KINDS}
        for number in range(SIZE):
            kind = KINDS[number % len(KINDS)]
            student = f"{kind}_{number:02}"
            path = folder / student / lesson.name / f"{lesson.name}.ipynb"
            path.parent.mkdir(parents=True)
            nbformat.write(notebook(lesson, {t.name: answer(kind, n, t) for n, t in enumerate(tasks)}), path)
            rows += [
                {"student": student, "lesson": lesson.name, "exercise": name, "expected": points}
                for name, points in deserved[kind].items()
            ]
    return pd.DataFrame(rows)


def notebook(lesson: Lesson, answers: dict[str, str]) -> nbformat.NotebookNode:
    """Return the learners' notebook with some answers in it."""
    cells = {
        exercise.answer_id: answers[exercise.name]
        for exercise in lesson.exercises
        if exercise.name in answers
    }
    written = copy.deepcopy(lesson.released)
    for cell in written.cells:
        cell.source = cells.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""), cell.source)
    return written


def _deserved(kind: str, tasks: list) -> dict[str, float]:
    """Return the points of a kind of student, by exercise, hidden tests included."""
    if kind in ("unsolved", "solved", "half"):
        empty = [
            "unsolved" if kind == "unsolved" or (kind == "half" and n % 2) else "" for n in range(len(tasks))
        ]
        return {task.name: 0.0 if why else task.points for task, why in zip(tasks, empty, strict=True)}
    return {
        task.name: checked(task, answer(kind, n, task), task.hidden_check)[0] for n, task in enumerate(tasks)
    }
