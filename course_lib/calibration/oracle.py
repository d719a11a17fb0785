"""The temperature that a benchmark would choose for itself: what no honest table may use as a method."""

import pandas as pd

GRID = (0.5, 0.75, 1.0, 1.1)
"""The temperatures of the paper's Table 2."""


def oracle(frame: pd.DataFrame) -> pd.DataFrame:
    """Return, of each score and benchmark, the row of the temperature with the highest AuPRC *there*.

    The choice has seen the anomalies that it is measured on, so the result says how much a temperature could
    give at the most, not what it gives.

    Args:
        frame: a tidy table of one network at several temperatures.

    Raises:
        ValueError: if the table is of more than one network, or has one temperature only.
    """
    if frame[["weights", "training", "seed"]].drop_duplicates().shape[0] > 1:
        raise ValueError(f"need the table of one network, got {sorted(frame['weights'].unique())}")
    if frame["temperature"].nunique() < 2:
        raise ValueError("nothing to choose from: the table has a single temperature")
    best = frame.groupby(["score", "benchmark"], sort=False)["auprc"].idxmax()
    return frame.loc[best]
