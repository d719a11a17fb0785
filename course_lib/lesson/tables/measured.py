"""Numbers that take hours to measure, shipped as tables beside the library."""

from pathlib import Path

import pandas as pd

from course_lib import evaluation

TABLES = Path(__file__).parent / "tables"


def measured(profile: str, name: str) -> pd.DataFrame:
    """Return a shipped table.

    Args:
        profile: whose networks and benchmarks it is about.
        name: ``losses`` (one row per run, score and benchmark, as ``evaluation.table`` gives them),
            ``losses.summary`` (of ``evaluation.compare``), ``eiml_fl.log`` (one row per epoch),
            ``term_weights`` and ``term_weights.summary`` (of ``sweeps/term_weights.toml``), or
            ``eiml_fl.temperatures`` (of ``evaluation.against_temperature``).

    Raises:
        FileNotFoundError: if there is none for this profile.
    """
    path = _path(profile, name)
    if not path.is_file():
        there = ", ".join(sorted(table.stem for table in TABLES.glob("*.csv"))) or "none"
        raise FileNotFoundError(
            f"no table {profile}_{name} is shipped, only {there}; train and measure with "
            f"python3 start.py train and compare, --profile {profile}"
        )
    return evaluation.read_table(path)


def is_measured(profile: str, name: str) -> bool:
    """Tell whether a table is shipped."""
    return _path(profile, name).is_file()


def _path(profile: str, name: str) -> Path:
    return TABLES / f"{profile}_{name}.csv"
