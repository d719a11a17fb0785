"""The temperature that a benchmark would choose for itself: what no honest table may use as a method."""

import pandas as pd

GRID = (0.5, 0.75, 1.0, 1.1)
"""The temperatures of the paper's Table 2."""


ONE = ["model", "weights", "training", "profile", "seed", "protocol"]


def oracle(frame: pd.DataFrame) -> pd.DataFrame:
    """Return, of each score and benchmark, the row of the temperature with the highest AuPRC *there*.

    The choice has seen the anomalies that it is measured on, so the result says how much a temperature could
    give at the most, not what it gives.

    Args:
        frame: a tidy table of one network at several temperatures.

    Raises:
        ValueError: if the table is of more than one network, or has one temperature only.
    """
    networks = frame[ONE].drop_duplicates()
    if len(networks) > 1:
        raise ValueError(f"need one network under one protocol, got {networks.to_dict('records')}")
    single = frame.groupby(["score", "benchmark"])["temperature"].nunique() < 2
    if single.any():
        raise ValueError(f"nothing to choose from: {' on '.join(single.idxmax())} has a single temperature")
    best = frame.groupby(["score", "benchmark"], sort=False)["auprc"].idxmax()
    return frame.loc[best]
