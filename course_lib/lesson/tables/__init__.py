"""The paper's tables, as they should have been printed: beside chance, with intervals and marks."""

from course_lib.lesson.tables.choosing import choose, controls, evidence
from course_lib.lesson.tables.ladder import ladder
from course_lib.lesson.tables.paper import paper_table, score_label, temperature_table
from course_lib.lesson.tables.paper_values import (
    coverage,
    deployed,
    explained_by,
    images_needed,
    is_measured,
    luck,
    measured,
    no_knowledge,
    official_prevalence,
    paper_values,
    void_share,
    with_published,
)
from course_lib.lesson.tables.table_format import Cell, FoldedTables, PaperTable, to_latex, to_markdown
