"""nbgrader's gradebook: lessons and results go in; pages for learners and tables come out.

Only this process writes it, and nothing here runs a cell.
"""

import contextlib
import itertools
import json
import logging
import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping
from logging.handlers import BufferingHandler
from pathlib import Path
from typing import Any

import pandas as pd
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from course_lib.runtime import PROJECT_ROOT, write_atomically
from course_tools.grading.lesson import Lesson
from course_tools.grading.nbgrader_hooks import ENTERED, OPEN, RESULT, STEPS
from course_tools.grading.roster import Person
from course_tools.submission import grade_id

COURSE = "road-anomaly"


class Book:
    """The gradebook in a folder, with nbgrader's folders beside it."""

    def __init__(self, folder: Path) -> None:
        """Open it; it is made when something is entered."""
        self.folder = folder.resolve()
        self.address = f"sqlite:///{self.folder / 'gradebook.db'}"

    def register(self, lesson: Lesson) -> Path | None:
        """Enter a lesson with its points; once it is in, only if it has changed.

        Returns:
            Where the gradebook was copied to, because the lesson now has other cells with points than those
            that were entered; what was entered of it is gone from this one.
        """
        mark = self.folder / "registered" / f"{lesson.name}.txt"
        if mark.is_file() and mark.read_text() == lesson.fingerprint:
            return None
        copied = self._make_way(lesson) if mark.is_file() else None
        self._run(GenerateAssignment, lesson.name)
        mark.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(mark, lesson.fingerprint.encode())
        return copied

    def _make_way(self, lesson: Lesson) -> Path | None:
        """Take a lesson out if it was entered with other cells, which nbgrader refuses to change."""
        wanted = {grade_id(cell) for cell in lesson.released.cells} - {""}
        with Gradebook(self.address, COURSE) as book:
            entered = book.find_notebook(lesson.name, lesson.name)
            if not entered.submissions or {cell.name for cell in entered.source_cells} == wanted:
                return None
            copied = self.folder / f"gradebook_until_{lesson.fingerprint[:8]}.db"
            shutil.copyfile(self.folder / "gradebook.db", copied)
            book.remove_assignment(lesson.name)
        for graded in self.folder.glob(f"autograded/*/{lesson.name}"):
            shutil.rmtree(graded)
        return copied

    def enter(self, result: dict[str, Any]) -> None:
        """Enter a result unless it is in already, and write its feedback; points a person gave are kept."""
        student, lesson, entered = result["student"], result["lesson"], ""
        inside = Path(student, lesson, f"{lesson}.ipynb")
        with contextlib.suppress(OSError, ValueError):  # none there, or none that can be read
            graded = json.loads((self.folder / "autograded" / inside).read_text(encoding="utf-8"))
            entered = graded["metadata"].get(ENTERED)
        if entered != result["fingerprint"]:
            notebook = json.loads(result["notebook"])
            notebook["metadata"][RESULT] = result["fingerprint"]
            path = self.folder / "submitted" / inside
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps(notebook).encode())
            self._run(Autograde, lesson, student)
        self._run(GenerateFeedback, lesson, student)

    def name(self, people: Mapping[str, Person]) -> None:
        """Enter who the learners are, for the tables and Formgrader."""
        with Gradebook(self.address, COURSE) as book:
            for student, person in people.items():
                first, _, last = person.name.strip().rpartition(" ")
                book.update_or_create_student(student, first_name=first, last_name=last, email=person.email)

    def totals(self, people: Mapping[str, Person]) -> pd.DataFrame:
        """Return a row per lesson and learner; ``open`` counts the points that a person has yet to give.

        Where nothing was handed in there is no score, not 0.

        Args:
            people: whose ids stand in it.
        """
        rows = []
        with Gradebook(self.address, COURSE) as book:
            for lesson, student in itertools.product(book.assignments, book.students):
                grades, found = [], [one for one in lesson.submissions if one.student_id == student.id]
                for submission in found:
                    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
                waiting = sum(grade.max_score for grade in grades if grade.needs_manual_grade)
                given = sum(grade.score for grade in grades if not grade.needs_manual_grade)
                nothing_yet = bool(grades) and all(grade.needs_manual_grade for grade in grades)
                rows.append(
                    {
                        "assignment": lesson.name,
                        "student_id": student.id,
                        "last_name": student.last_name,
                        "first_name": student.first_name,
                        "email": student.email,
                        "id": people[student.id].id if student.id in people else "",
                        "score": OPEN if nothing_yet else given if found else None,
                        "open": waiting,
                        "max_score": lesson.max_score,
                    }
                )
        return pd.DataFrame(rows)

    def grades(self) -> pd.DataFrame:
        """Return a row per student, lesson and graded cell, and whether a person gave points or has to."""
        with Gradebook(self.address, COURSE) as book:
            rows = [
                {
                    "student": submission.student.id,
                    "lesson": lesson.name,
                    "cell": grade.name,
                    "points": grade.score,
                    "by_hand": grade.manual_score is not None,
                    "open": bool(grade.needs_manual_grade),
                }
                for lesson in book.assignments
                for submission in lesson.submissions
                for notebook in submission.notebooks
                for grade in notebook.grades
            ]
        return pd.DataFrame(rows)

    def _run(self, step: type, lesson: str, student: str = ".") -> None:
        """Run one of nbgrader's converters; ValueError, with nbgrader's message, if it fails."""
        self.folder.mkdir(parents=True, exist_ok=True)
        places = {  # the other folders have the names that nbgrader gives them
            "root": str(self.folder),
            "db_url": self.address,
            "course_id": COURSE,
            "source_directory": str(PROJECT_ROOT / "solutions"),
            "assignment_id": lesson,
            "student_id": student,
        }
        settings = Config({"CourseDirectory": places, **STEPS})
        converter = step(coursedir=CourseDirectory(config=settings), config=settings, force=True)
        # nbgrader starts alembic by its name, though the environment may not be activated
        here, known = str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)
        if here not in known.split(os.pathsep):
            os.environ["PATH"] = here + os.pathsep + known
        with _quiet() as errors:
            try:
                converter.start()
            except Exception as error:  # nbgrader's own errors have no common base
                told = "; ".join(record.getMessage().splitlines()[-1] for record in errors) or str(error)
                where = f"{lesson} {student}".removesuffix(" .")
                raise ValueError(f"nbgrader could not enter {where} into {self.folder}: {told}") from None


@contextlib.contextmanager
def _quiet() -> Iterator[list[logging.LogRecord]]:
    """Keep nbgrader's messages from the screen; the errors among them are in the list."""
    log, errors = logging.getLogger("traitlets"), BufferingHandler(capacity=1_000)
    errors.setLevel(logging.ERROR)
    before, spreading = log.handlers[:], log.propagate
    log.handlers[:], log.propagate = [errors], False
    try:
        with warnings.catch_warnings(action="ignore"):  # SQLAlchemy's, about nbgrader's own objects
            yield errors.buffer
    finally:
        log.handlers[:], log.propagate = before, spreading
