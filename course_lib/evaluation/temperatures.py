"""One network at several temperatures: do the scores differ by more than the choice of images?"""

import pandas as pd

from course_lib.evaluation.comparison import METRICS, Measured
from course_lib.evaluation.table import excludes
from course_lib.metrics import percentile_interval


def against_temperature(run: Measured, baseline: float = 1.0) -> pd.DataFrame:
    """Return the table of a network with the difference of each row to one temperature.

    Args:
        run: of ``measured``, with several temperatures, ``baseline`` among them.
        baseline: the temperature that the others are compared with.

    Returns:
        The rows of ``run.frame`` whose score depends on the temperature, and ``auprc_difference`` and
        ``fpr95_difference``, in points, with 95 % intervals (``..._low``, ``..._high``) over images, drawn in
        pairs: both temperatures see the same draw. ``..._beyond_images``: the interval excludes 0.

    Raises:
        ValueError: if the baseline was not measured.
    """
    temperatures = run.frame["temperature"].unique().tolist()
    if baseline not in temperatures:
        raise ValueError(
            f"T = {baseline:g} was not measured, only {', '.join(map('{:g}'.format, temperatures))}"
        )
    depends = run.frame.groupby("score")["temperature"].transform("nunique") > 1
    rows = [_row(run, row, baseline) for row in run.frame[depends].to_dict("records")]
    return pd.DataFrame(rows)


def _row(run: Measured, row: dict, baseline: float) -> dict:
    """Return a row with its differences."""
    key, other = ((row["benchmark"], row["score"], t) for t in (row["temperature"], baseline))
    there = run.frame.set_index(["benchmark", "score", "temperature"]).loc[[other]].iloc[0]
    for name in METRICS:
        low, high = percentile_interval(
            100 * (getattr(run.drawn[key], name) - getattr(run.drawn[other], name))
        )
        row |= {
            f"{name}_difference": row[name] - there[name],
            f"{name}_difference_low": low,
            f"{name}_difference_high": high,
            f"{name}_beyond_images": excludes(low, high, 0),
        }
    return row
