"""Who got how many points, and which cases are hard."""

import matplotlib.ticker
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from course_lib.lesson.figures.colours import BLUE, seaborn
from course_lib.lesson.figures.figure import DescribedFigure

MOST_NAMES = 60  # learners whose names and numbers can still be read
MOST_CASES = 15
PALE, HELD = "#e4e4e8", "#d95f02"


def points_map(grades: pd.DataFrame) -> DescribedFigure:
    """Draw the points of each learner and exercise as a heat map.

    Args:
        grades: a row per student, lesson and exercise, with ``points`` (NaN: held), ``max_points`` and
            ``attempted``.
    """
    points = _wide(grades, grades["points"] / grades["max_points"])
    attempted = _wide(grades, grades["attempted"].astype(float))
    held = points.isna() & attempted.notna()
    order = points.fillna(0).sum(axis=1).sort_values(ascending=False).index
    points, attempted, held = (frame.loc[order] for frame in (points, attempted, held))
    named = len(points) <= MOST_NAMES
    row = 0.26 if named else min(0.26, 12 / len(points))
    size = max(7.0, 2.6 + 0.55 * points.shape[1]), 3.4 + row * len(points)
    figure = DescribedFigure(_told(points, held), *size)
    axis = figure.subplots()
    shown = points.where(attempted > 0)
    seaborn().heatmap(
        shown, ax=axis, cmap="cividis", vmin=0, vmax=1, linewidths=0.5 if named else 0,
        annot=_numbers(grades, points) if named else False, fmt="", annot_kws={"fontsize": 7},
        cbar_kws={"label": "share of the points", "format": matplotlib.ticker.PercentFormatter(1)},
    )  # fmt: skip
    axis.set_facecolor(PALE)
    for y, x in zip(*np.nonzero(held.to_numpy()), strict=True):
        axis.add_patch(Rectangle((x, y), 1, 1, facecolor=HELD, edgecolor="white", linewidth=0.5 * named))
    _label(axis, points, named)
    return figure


def _label(axis: Axes, points: pd.DataFrame, named: bool) -> None:
    """Write the names of learners and exercises, and what the two further colours mean."""
    rows, columns = (np.arange(count) + 0.5 for count in points.shape)
    axis.set_yticks(rows if named else [], points.index if named else [], fontsize=8, rotation=0)
    axis.set_xticks(columns, _columns(points), rotation=60, ha="right", fontsize=8)
    axis.set(xlabel="", ylabel="" if named else f"{len(points)} learners")
    axis.set_title("Points per exercise", pad=26)
    colours = {"held: needs a look": HELD, "not attempted or not handed in": PALE}
    legend = [Patch(color=colour, label=meaning) for meaning, colour in colours.items()]
    axis.legend(handles=legend, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, fontsize=8, frameon=False)


def hard_cases(cases: pd.DataFrame) -> DescribedFigure:
    """Draw how often the hardest cases failed, among those who attempted the exercise.

    Args:
        cases: a row per case with ``lesson``, ``exercise``, ``case``, ``failed`` and ``attempted`` (counts).
    """
    shown = cases.assign(share=cases["failed"] / cases["attempted"]).sort_values("share", ascending=False)
    shown = shown[shown["failed"] > 0].head(MOST_CASES)
    names = [f"{row.lesson[:2]} {row.exercise}: {row.case}" for row in shown.itertuples()]
    told = "; ".join(f"{name} {share:.0%}" for name, share in zip(names, shown["share"], strict=True))
    figure = DescribedFigure(f"Cases that fail most: {told or 'none'}.", 8, 1.2 + 0.28 * max(len(shown), 1))
    axis = figure.subplots()
    bars = axis.barh(range(len(shown)), shown["share"], color=BLUE)
    axis.bar_label(
        bars, [f"{row.failed} of {row.attempted}" for row in shown.itertuples()], padding=3, fontsize=8
    )
    axis.set_yticks(range(len(shown)), names, fontsize=8)
    axis.invert_yaxis()
    axis.set(xlim=(0, 1.12), title="Cases that fail most, among those who attempted the exercise")
    axis.xaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1))
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def _wide(grades: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    """Return values with a row per student and a column per exercise, in the order of the lessons."""
    columns = list(dict.fromkeys(zip(grades["lesson"], grades["exercise"], strict=True)))
    wide = grades.assign(value=values).pivot(index="student", columns=["lesson", "exercise"], values="value")
    return wide[sorted(columns, key=lambda column: column[0])]


def _numbers(grades: pd.DataFrame, points: pd.DataFrame) -> np.ndarray:
    """Return the points as they stand in the cells."""
    given = _wide(grades, grades["points"]).loc[points.index]
    return given.map(lambda value: "" if pd.isna(value) else f"{value:g}").to_numpy()


def _columns(points: pd.DataFrame) -> list[str]:
    """Return the names below the columns: the number of the lesson and the exercise."""
    return [f"{lesson[:2]} {exercise}" for lesson, exercise in points.columns]


def _told(points: pd.DataFrame, held: pd.DataFrame) -> str:
    """Return the heat map in words."""
    means = "; ".join(
        f"{name} {share:.0%}" for name, share in zip(_columns(points), points.mean(), strict=True)
    )
    count = int(held.to_numpy().sum())
    return f"{len(points)} learners; {count} exercises held; mean share of the points: {means}."
