"""Who got how many points, and which cases are hard: for instructors."""

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from course_lib.lesson.figures.figure import BLUE, DescribedFigure, colour_legend, seaborn

PALE, HELD = "#e4e4e8", "#d95f02"


def points_map(grades: pd.DataFrame) -> DescribedFigure:
    """Draw the points of each learner and exercise as a heat map, the best learner first.

    Args:
        grades: a row per student, lesson and exercise, with ``points`` (NaN: held), ``max_points`` and
            ``attempted``.
    """
    named = grades.assign(
        column=grades["lesson"].str[:2] + " " + grades["exercise"],
        share=grades["points"] / grades["max_points"],
    ).sort_values("lesson", kind="stable")
    columns = list(dict.fromkeys(named["column"]))
    table = named.pivot(index="student", columns="column")
    order = table["share"].fillna(0).sum(axis=1).sort_values(ascending=False).index
    share, points, attempted = (
        table.loc[order, of][columns].astype(float) for of in ("share", "points", "attempted")
    )
    held = share.isna() & attempted.notna()
    readable = len(share) <= 60  # names and numbers of more would be too small
    means = "; ".join(f"{name} {mean:.0%}" for name, mean in share.mean().items())
    alt = f"{len(share)} learners; {held.to_numpy().sum()} exercises held; mean share of the points: {means}."
    row = 0.26 if readable else min(0.26, 12 / len(share))
    figure = DescribedFigure(
        alt, max(7.0, 2.6 + 0.55 * len(columns)), 3.4 + row * len(share), "Points per exercise"
    )
    axis = figure.subplots()
    numbers = points.map(lambda value: "" if pd.isna(value) else f"{value:g}").to_numpy()
    seaborn().heatmap(
        share.where(attempted > 0), ax=axis, cmap="cividis", vmin=0, vmax=1, linewidths=0.5 * readable,
        annot=numbers if readable else False, fmt="", annot_kws={"fontsize": 7},
        cbar_kws={"label": "share of the points", "format": PercentFormatter(1)},
    )  # fmt: skip
    axis.set_facecolor(PALE)
    for y, x in zip(*np.nonzero(held.to_numpy()), strict=True):
        axis.add_patch(Rectangle((x, y), 1, 1, facecolor=HELD, edgecolor="white", linewidth=0.5 * readable))
    places = np.arange(len(share)) + 0.5 if readable else []
    axis.set_yticks(places, share.index if readable else [], fontsize=8, rotation=0)
    axis.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=60, ha="right", fontsize=8)
    axis.set(xlabel="", ylabel="" if readable else f"{len(share)} learners")
    meanings = ("held: needs a look", "not attempted or not handed in")
    colour_legend(figure, (HELD, PALE), meanings, fontsize=8)
    return figure


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
