"""What the paper printed, how much of the official benchmarks is anomalous, how far intervals can be trusted.

Source: Catalano, Gioè, Turco, "Real-Time Anomaly Segmentation for Road Scenes", 2025, Tables 1 to 4.
"""

from pathlib import Path

import pandas as pd

from course_lib import models
from course_lib.data import find_benchmark
from course_lib.lesson.tables.paper import score_label
from course_lib.lesson.tables.table_format import Cell, PaperTable
from course_lib.training import training_title

FACTS = Path(__file__).parent / "facts"

PRINTED_TABLES = (1, 2, 3, 4)


def published(table: int) -> pd.DataFrame:
    """Return the numbers of one of the paper's tables as they were printed.

    Args:
        table: 1 to 4.

    Returns:
        One row per number pair: model, training, score, temperature, miou, benchmark, auprc (percent, higher
        is better), fpr95 (percent, lower is better); names as everywhere in this course.

    Raises:
        ValueError: if the paper has no such table.
    """
    if table not in PRINTED_TABLES:
        raise ValueError(f"the paper has tables 1 to 4, got {table}")
    frame = pd.read_csv(FACTS / "paper.csv")
    return frame[frame["table"] == table].drop(columns="table").reset_index(drop=True)


def official_prevalence() -> pd.DataFrame:
    """Return the share of anomalous pixels in the official validation sets that we hold whole.

    Returns:
        By benchmark: images; prevalence (of the pixels that are not void, percent); prevalence_with_void (of
        all pixels, void counted as anomaly, percent). Measured on the masks at their own size.
    """
    return pd.read_csv(FACTS / "prevalence.csv", index_col="benchmark")


def coverage() -> pd.DataFrame:
    """Return how often our 95 % intervals over images hold the truth, on benchmarks drawn at random.

    Returns:
        By number of images: repeats; auprc, fpr95 and auprc_difference (of two networks on the same images)
        in percent, 95 is right. Made by ``tests/benchmarks/coverage_of_intervals.py``.
    """
    return pd.read_csv(FACTS / "coverage.csv", index_col="images")


def with_published(table: PaperTable, frame: pd.DataFrame, number: int) -> PaperTable:
    """Return a table with the paper's rows below ours, where all images of a benchmark are the paper's.

    Args:
        table: of ``paper_table``.
        frame: what it was made from.
        number: of the paper's table.
    """
    whole = _whole_sets(frame)
    if not whole:
        return table
    rows, printed = dict(table.rows), published(number)
    for _, found in printed.groupby(["model", "training", "score", "temperature"], sort=False):
        by_name = {row.benchmark: row for row in found.itertuples() if row.benchmark in whole}
        cells = [cell for name in table.benchmarks for cell in _cells(by_name.get(name))]
        rows[f"printed: {_label(found.iloc[0], printed)}"] = cells
    caption = (
        f"{table.caption} Printed: the paper's numbers, of networks trained on Cityscapes, where all "
        "official images are here. They came about by protocol paper."
    )
    return PaperTable(table.benchmarks, rows, caption, table.miou)


def _whole_sets(frame: pd.DataFrame) -> set[str]:
    """Return the real benchmarks of which every official image was scored."""
    whole = frame[frame["images"] == frame["images_of"]]["benchmark"].unique()
    return {name for name in whole if not find_benchmark(name).generated and find_benchmark(name).script}


def _label(row: pd.Series, printed: pd.DataFrame) -> str:
    """Name a row as our tables do."""
    network = [models.TITLES[row["model"]]] if printed["model"].nunique() > 1 else []
    training = [training_title(row["training"])] if printed["training"].nunique() > 1 else []
    return ", ".join([*network, *training, score_label(row["score"], row["temperature"])])


def _cells(row) -> tuple[Cell | None, Cell | None]:
    return (None, None) if row is None else (Cell(row.auprc), Cell(row.fpr95))
