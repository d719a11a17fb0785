"""Which cases are hard: for instructors."""

import pandas as pd
from matplotlib.ticker import PercentFormatter

from course_lib.lesson.figures.figure import BLUE, DescribedFigure


def hard_cases(cases: pd.DataFrame) -> DescribedFigure:
    """Draw how often the hardest cases failed, among those who attempted the exercise.

    Args:
        cases: a row per case with ``lesson``, ``exercise``, ``case``, ``failed`` and ``attempted`` (counts).
    """
    shown = cases.assign(share=cases["failed"] / cases["attempted"]).sort_values("share", ascending=False)
    shown = shown[shown["failed"] > 0].head(15)
    names = [f"{row.lesson[:2]} {row.exercise}: {row.case}" for row in shown.itertuples()]
    told = "; ".join(f"{name} {share:.0%}" for name, share in zip(names, shown["share"], strict=True))
    title = "Cases that fail most, among those who attempted the exercise"
    height = 1.2 + 0.28 * max(len(shown), 1)
    figure = DescribedFigure(f"Cases that fail most: {told or 'none'}.", 8, height, title)
    axis = figure.subplots()
    bars = axis.barh(range(len(shown)), shown["share"], color=BLUE)
    counts = [f"{row.failed} of {row.attempted}" for row in shown.itertuples()]
    axis.bar_label(bars, counts, padding=3, fontsize=8)
    axis.set_yticks(range(len(shown)), names, fontsize=8)
    axis.invert_yaxis()
    axis.set(xlim=(0, 1.12))
    axis.xaxis.set_major_formatter(PercentFormatter(1))
    return figure
