"""The paper's tables, as they should have been printed: beside chance, with intervals and marks."""

from course_lib.lesson.tables.measured import is_measured, measured
from course_lib.lesson.tables.paper import paper_table
from course_lib.lesson.tables.paper_values import coverage, official_prevalence, published, with_published
from course_lib.lesson.tables.reading import explained_by, images_needed, luck, no_knowledge, void_share
from course_lib.lesson.tables.table_format import Cell, PaperTable
from course_lib.lesson.tables.temperature import temperature_table
from course_lib.lesson.tables.typeset import to_latex, to_markdown

__all__ = [
    "Cell",
    "PaperTable",
    "coverage",
    "explained_by",
    "images_needed",
    "is_measured",
    "luck",
    "measured",
    "no_knowledge",
    "official_prevalence",
    "paper_table",
    "published",
    "temperature_table",
    "to_latex",
    "to_markdown",
    "void_share",
    "with_published",
]
