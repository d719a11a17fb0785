"""What nbgrader does instead of executing a submission: it takes the results that are there already.

nbgrader_config.py sets the same steps, so that Formgrader's button *Autograde* runs nobody's code either.
"""

import json
from pathlib import Path
from urllib.parse import urlparse

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import CheckCellMetadata, GetGrades, SaveAutoGrades
from nbgrader.utils import is_grade, is_solution

RESULT = "course_result"
"""In a notebook's metadata: the fingerprint of the result it belongs to."""

OPEN = "open"
"""Instead of points that a person has yet to give."""

ENTERED = "course_entered"
"""The same, once its points are in the gradebook."""


class SaveResults(SaveAutoGrades):
    """Enters the points of a result; cells that people grade are left to them."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Find the result of a notebook, and enter it.

        Raises:
            RuntimeError: if there is none; ``python3 start.py grade`` makes it.
        """
        names = resources["nbgrader"]
        folder = Path(urlparse(names["db_url"]).path.removeprefix("/")).parent / "results"
        path = folder / names["student"] / f"{names['assignment']}.json"
        result = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if not result or nb.metadata.get(RESULT) != result["fingerprint"]:
            raise RuntimeError("nothing was executed here; run: python3 start.py grade SUBMISSIONS")
        self.points = {f"{entry['exercise']}_check": entry["points"] for entry in result["exercises"]}
        nb, resources = super().preprocess(nb, resources)
        nb.metadata[ENTERED] = result["fingerprint"]
        return nb, resources

    def _add_score(self, cell: NotebookNode, resources: ResourcesDict) -> None:
        """Enter the points of a check; without points a person has to give some."""
        if is_solution(cell) or not is_grade(cell):
            super()._add_score(cell, resources)
            return
        names = (cell.metadata.nbgrader.grade_id, self.notebook_id, self.assignment_id, self.student_id)
        grade = self.gradebook.find_grade(*names)
        grade.auto_score = self.points[cell.metadata.nbgrader.grade_id]
        # points that a person gave to an earlier submission stay, and are to be looked at again
        grade.needs_manual_grade = grade.auto_score is None or grade.manual_score is not None
        self.gradebook.db.commit()


class OpenGrades(GetGrades):
    """Shows points that nobody has given yet as open, not as 0."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Look the points of a submission up."""
        nb, resources = super().preprocess(nb, resources)
        graded = [cell.metadata.nbgrader for cell in nb.cells if is_grade(cell)]
        if waiting := sum(known.points for known in graded if known.score == OPEN):
            given = sum(known.score for known in graded if known.score != OPEN)
            resources["nbgrader"]["score"] = f"{given:g}, {waiting:g} {OPEN}"
        # nbgrader's page takes the triangles of hints and answers away
        resources["inlining"]["css"].append("details > summary { display: list-item; cursor: pointer; }")
        return nb, resources

    def _get_score(self, cell: NotebookNode, resources: ResourcesDict) -> None:
        """Look the points of a cell up."""
        super()._get_score(cell, resources)
        names = (cell.metadata.nbgrader.grade_id, self.notebook_id, self.assignment_id, self.student_id)
        if self.gradebook.find_grade(*names).needs_manual_grade:
            cell.metadata.nbgrader["score"] = OPEN


def _number(value: float | str) -> float | str:
    """Do in nbgrader's template what ``float`` does, but keep words."""
    return value if isinstance(value, str) else float(value)


def _rounded(value: float | str, digits: int = 0) -> float | str:
    """Do in nbgrader's template what ``round`` does, but keep words."""
    return value if isinstance(value, str) else round(value, digits)


STEPS = {
    "Autograde": {
        "sanitize_preprocessors": [CheckCellMetadata],
        "autograde_preprocessors": [SaveResults, CheckCellMetadata],
    },
    "GenerateFeedback": {
        "preprocessors": [
            "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
            OpenGrades,
        ]
    },
    "HTMLExporter": {"filters": {"float": _number, "round": _rounded}},
}
"""Settings of nbgrader."""
