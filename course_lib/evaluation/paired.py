"""One network, several scores or temperatures: do they differ by more than the choice of images?"""

import pandas as pd

from course_lib.evaluation.comparison import KEY, METRICS, NetworkResult
from course_lib.evaluation.table import excludes
from course_lib.metrics import percentile_interval


def against_temperature(run: NetworkResult, baseline: float = 1.0) -> pd.DataFrame:
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
    rows = run.frame[depends].to_dict("records")
    return pd.DataFrame([_row(run, row, (row["score"], baseline)) for row in rows])


def against_score(run: NetworkResult, baseline: str = "msp") -> pd.DataFrame:
    """Return the table of a network with the difference of each row to one score at T = 1.

    Args:
        run: of ``measured``, ``baseline`` among its scores.
        baseline: the score that the others, controls included, are compared with.

    Returns:
        All rows of ``run.frame``, with the columns that ``against_temperature`` adds, and ``baseline_score``.

    Raises:
        ValueError: if the baseline was not measured.
    """
    scores = run.frame["score"].unique().tolist()
    if baseline not in scores:
        raise ValueError(f"score {baseline} was not measured, only {', '.join(scores)}")
    rows = [_row(run, row, (baseline, 1.0)) for row in run.frame.to_dict("records")]
    return pd.DataFrame(rows).assign(baseline_score=baseline)


def _row(run: NetworkResult, row: dict, baseline: tuple[str, float]) -> dict:
    """Return a row with its differences to another score and temperature on the same benchmark."""
    key, other = (row["benchmark"], row["score"], row["temperature"]), (row["benchmark"], *baseline)
    there = run.frame.set_index(KEY).loc[[other]].iloc[0]
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
