"""The ladder of what works as a table: what each step brings to a network, beside its control."""

from collections.abc import Sequence

import pandas as pd

from course_lib.evaluation import CHANCE_FPR95, MARKS, verdict_of
from course_lib.lesson.tables.paper import GAIN, LOSS, METRICS
from course_lib.lesson.tables.table_format import Cell, PaperTable


def ladder(frame: pd.DataFrame, rungs: Sequence[tuple[str, str]]) -> PaperTable:
    """Return some rows of the ladder in the paper's shape, chance first; a dash where nothing was measured.

    Args:
        frame: of ``measured(profile, "what_works.summary")``, of one profile or several, whose benchmarks
            have different names; one row per network, step and benchmark. Benchmarks keep their order.
        rungs: network and step of each row.

    Raises:
        ValueError: if a network has no such step, or one stands twice for a benchmark.
    """
    known = set(zip(frame["network"], frame["step"], strict=True))
    if absent := [rung for rung in rungs if rung not in known]:
        there = "; ".join(", ".join(rung) for rung in sorted(known))
        raise ValueError(f"no rung {', '.join(absent[0])} in the ladder; there are {there}")
    if frame.duplicated(["network", "step", "benchmark"]).any():
        raise ValueError("a rung stands twice for one benchmark; which one counts?")
    chances = frame.drop_duplicates("benchmark").set_index("benchmark")["chance"]
    rows: dict[str, list[Cell | None]] = {
        "chance": [Cell(value) for chance in chances for value in (chance, CHANCE_FPR95)]
    }
    shown = frame[[pair in rungs for pair in zip(frame["network"], frame["step"], strict=True)]]
    for network, step in rungs:
        found = shown[(shown["network"] == network) & (shown["step"] == step)]
        row_of = {row["benchmark"]: row for row in found.to_dict("records")}
        rows[f"{network}, {step}"] = [
            _cell(row_of[name], metric) if name in row_of else None
            for name in chances.index
            for metric in METRICS
        ]
    fewest, most = shown["seeds"].min(), shown["seeds"].max()
    seeds = f"means of {most} seeds" if fewest == most else f"means of {fewest} to {most} seeds"
    caption = (
        f"All numbers are percent, {'of one seed' if most == 1 else seeds}. Brackets: 95 % intervals over "
        f"images. {GAIN} better, {LOSS} worse than ERFNet's MSP: the interval of the difference over images, "
        "in pairs, excludes 0 and, where both have several seeds, these do not overlap."
    )
    return PaperTable(tuple(chances.index), rows, caption)


def _cell(row: dict, metric: str) -> Cell:
    """Return one number of a rung with its interval, marked if it differs from the baseline."""
    mark = MARKS[verdict_of(row, metric)]
    return Cell(row[metric], row[f"{metric}_low"], row[f"{metric}_high"], mark)
