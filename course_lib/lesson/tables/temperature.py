"""The paper's Table 2: one score at several temperatures, the honest one and the oracle beside them."""

import pandas as pd

from course_lib import calibration, scores
from course_lib.lesson.tables.paper import GAIN, LOSS, paper_table
from course_lib.lesson.tables.table_format import Cell, PaperTable

ORACLE = "best t (oracle)"


def temperature_table(frame: pd.DataFrame, fitted: float | None = None) -> PaperTable:
    """Arrange one network and score at several temperatures as the paper does, chance in the first row.

    Args:
        frame: of ``evaluation.against_temperature``, or ``evaluation.table`` (then without marks for
            differences).
        fitted: the temperature among them that was fitted on validation images; its row says so.

    Raises:
        ValueError: if the rows do not belong into one table, or ``fitted`` is not among the temperatures.
    """
    if frame["score"].nunique() != 1:
        raise ValueError(f"need one score, got {', '.join(frame['score'].unique())}")
    if fitted is not None and fitted not in frame["temperature"].tolist():
        raise ValueError(f"the fitted T = {fitted:g} is not in the table")
    table = paper_table(frame)
    title = scores.TITLES[frame["score"].iloc[0]]
    rows = {_renamed(label, title, fitted): cells for label, cells in table.rows.items()}
    best = calibration.oracle(frame)
    rows[f"{title}, {ORACLE}"] = [cell for row in best.itertuples() for cell in _unmarked(row)]
    return PaperTable(table.benchmarks, rows, f"{table.caption}{_legend(frame, best)}")


def _renamed(label: str, title: str, fitted: float | None) -> str:
    """Name the fitted row as such, with as many digits as mean something."""
    if fitted is None or label != (title if fitted == 1 else f"{title} (t = {fitted:g})"):
        return label
    return f"{title} (t = {fitted:.3g}, fitted)"


def _unmarked(row) -> tuple[Cell, Cell]:
    """Return AuPRC and FPR95 of the oracle without marks: a choice made on the test set proves nothing."""
    return (
        Cell(row.auprc, row.auprc_low, row.auprc_high),
        Cell(row.fpr95, row.fpr95_low, row.fpr95_high),
    )


def _legend(frame: pd.DataFrame, best: pd.DataFrame) -> str:
    """Explain the marks, and which temperatures the oracle took."""
    chosen = ", ".join(f"{row.temperature:.3g} in {row.benchmark}" for row in best.itertuples())
    marks = (
        f" {GAIN} better, {LOSS} worse than t = 1: the paired interval of the difference excludes 0."
        if "auprc_beyond_images" in frame
        else ""
    )
    return f"{marks} Oracle: chosen on the very images that it is measured on, t = {chosen}."
