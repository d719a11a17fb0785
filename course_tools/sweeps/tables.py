"""The tables of a sweep: every run, every number, and what differs beyond images and seeds."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import pandas as pd

from course_lib import evaluation
from course_tools.sweeps.grid import Planned, Sweep, shown

DONE = "done"
MISSING = "missing"


class Tables(NamedTuple):
    """What a sweep has given so far."""

    runs: pd.DataFrame
    """One row per run: run, what the grid chose, status (``done``, ``missing`` or why it failed), miou in
    percent."""
    numbers: pd.DataFrame
    """One row per run, benchmark and score: the columns of ``evaluation.table`` behind those of the grid."""
    summary: pd.DataFrame | None
    """One row per group, benchmark and score: what the grid chose but for the seed, and the columns of
    ``evaluation.compare`` with ``group`` in place of ``training``; None if there is nothing to compare."""
    not_compared: str
    """Why there is no summary; empty if there is one."""


def tables(
    sweep: Sweep, measured: Mapping[str, evaluation.NetworkResult], failures: Mapping[str, str]
) -> Tables:
    """Return the tables of what is there.

    Args:
        sweep: all of it.
        measured: the metrics of finished runs by name.
        failures: why others failed, by name.
    """
    runs = [
        {"run": planned.name}
        | _shown(planned.chosen)
        | {"status": DONE if planned.name in measured else failures.get(planned.name, MISSING)}
        | {"miou": _miou(measured.get(planned.name))}
        for planned in sweep.runs
    ]
    here = [planned for planned in sweep.runs if planned.name in measured]
    numbers = [_numbers(planned, measured[planned.name]) for planned in here]
    together = pd.concat(numbers, ignore_index=True) if numbers else pd.DataFrame(columns=evaluation.COLUMNS)
    try:
        return Tables(pd.DataFrame(runs), together, _summary(sweep, here, measured), "")
    except ValueError as error:
        return Tables(pd.DataFrame(runs), together, None, str(error))


def _shown(chosen: Mapping[str, Any]) -> dict[str, str]:
    """Return what the grid chose, as texts."""
    return {name: shown(value) for name, value in chosen.items()}


def _miou(measured: evaluation.NetworkResult | None) -> float | None:
    return None if measured is None else float(measured.frame["miou"].iloc[0])


def _numbers(planned: Planned, measured: evaluation.NetworkResult) -> pd.DataFrame:
    """Return the rows of one run, which the grid's columns come before."""
    columns = {"run": planned.name} | _shown(planned.chosen)
    return _behind(pd.DataFrame(columns, index=measured.frame.index), measured.frame)


def _behind(columns: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table behind some columns, which take the place of its own of the same name."""
    return pd.concat([columns, frame.drop(columns=[name for name in columns if name in frame])], axis=1)


def _summary(
    sweep: Sweep, here: Collection[Planned], measured: Mapping[str, evaluation.NetworkResult]
) -> pd.DataFrame:
    """Compare the groups with the baseline; repetitions are averaged.

    Raises:
        ValueError: if the baseline is not there yet, or runs differ in their epochs, for example.
    """
    groups = {planned.name: planned.group for planned in here}
    if sweep.baseline not in groups.values():
        raise ValueError(f"no run of the baseline {sweep.baseline} is finished")
    runs = [
        measured[name]._replace(frame=measured[name].frame.assign(training=group))
        for name, group in groups.items()
    ]
    frame = evaluation.compare(runs, sweep.baseline).rename(columns={"training": "group"})
    repeated = {planned.group: _shown(planned.repeated) for planned in here}
    return _behind(pd.DataFrame([{"group": group} | repeated[group] for group in frame["group"]]), frame)
