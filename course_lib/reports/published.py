"""What the paper printed, and how much of the official benchmarks is anomalous: facts to hold tables against.

Source: Catalano, Gioè, Turco, "Real-Time Anomaly Segmentation for Road Scenes", 2025, Tables 1 to 4.
"""

from pathlib import Path

import pandas as pd

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
