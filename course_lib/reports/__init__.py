"""The paper's tables, as they should have been printed: beside chance, with intervals and marks."""

from course_lib.reports.paper import paper_table
from course_lib.reports.printed import Cell, PaperTable

__all__ = ["Cell", "PaperTable", "paper_table"]
