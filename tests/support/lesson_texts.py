"""The running text of lessons, for tests that compare its numbers with what carries them."""

import nbformat
import pytest
from small_data import ROOT

SOURCES = ROOT / "solutions"

needs_solutions = pytest.mark.skipif(not SOURCES.is_dir(), reason="learners get no solutions/")


def text_of(name):
    """Return the Markdown of a lesson in one line."""
    cells = nbformat.read(SOURCES / name / f"{name}.ipynb", as_version=4).cells
    return " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())
