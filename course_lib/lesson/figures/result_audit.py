"""Printed numbers beside what nothing at all would get, and what mending an evaluation does to them."""

import pandas as pd

from course_lib.evaluation import CHANCE_FPR95
from course_lib.lesson.figures.colours import BLUE, ORANGE
from course_lib.lesson.figures.figure import NOTEBOOK_WIDTH, DescribedFigure
from course_lib.models import TITLES


def printed_beside_shares(printed: pd.DataFrame, shares: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw printed AuPRCs as dots, and the shares of pixels that chance would give as lines.

    Args:
        printed: columns model, benchmark, auprc in percent.
        shares: by benchmark prevalence and prevalence_with_void, in percent.
        title: a line above the panels.
    """
    here = printed[printed["benchmark"].isin(shares.index)]
    listed = "; ".join(
        f"{name}: prevalence {row.prevalence:.2f}, with void {row.prevalence_with_void:.2f}, printed "
        + ", ".join(f"{value:.2f}" for value in here.loc[here["benchmark"] == name, "auprc"])
        for name, row in shares.iterrows()
    )
    figure = DescribedFigure(f"{title or 'Printed AuPRC'}, in percent: {listed}.", NOTEBOOK_WIDTH, 2.8)
    axes = figure.subplots(1, len(shares), sharey=True, squeeze=False)[0]
    for axis, (name, row) in zip(axes, shares.iterrows(), strict=True):
        found = here[here["benchmark"] == name]
        axis.axvline(row.prevalence, color="black", label="prevalence")
        axis.axvline(row.prevalence_with_void, color="black", linestyle=":", label="with void as anomaly")
        most = 1.15 * max(row.prevalence_with_void, found["auprc"].max())
        models = found["model"].map(TITLES)
        axis.plot(found["auprc"], models, "o", color=ORANGE, markersize=6, clip_on=False, label="printed")
        for model, value in zip(models, found["auprc"], strict=True):
            beside = {"xytext": (-8, 0), "ha": "right"} if value > most / 2 else {"xytext": (8, 0)}
            axis.annotate(f"{value:.2f}", (value, model), textcoords="offset points", va="center", **beside)
        axis.set(title=name, xlabel="AuPRC in %", xlim=(0, most))
        axis.margins(y=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    figure.legend(
        *axes[0].get_legend_handles_labels(), frameon=False, fontsize=9, loc="outside lower center", ncols=3
    )
    figure.suptitle(title)
    return figure


def mending_steps(steps: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw both metrics after each step, with chance as it is counted then.

    Args:
        steps: one row per step in order: step (what was mended), auprc, fpr95, chance; percent.
        title: a line above the panels.
    """
    listed = "; ".join(
        f"{r.step}: AuPRC {r.auprc:.1f} where chance is {r.chance:.1f}, FPR95 {r.fpr95:.1f}"
        for r in steps.itertuples()
    )
    figure = DescribedFigure(f"{title or 'Step by step'}, in percent. {listed}.", NOTEBOOK_WIDTH, 3.2)
    left, right = figure.subplots(1, 2, sharey=True)
    chances = steps["chance"], pd.Series(CHANCE_FPR95, steps.index)
    for axis, column, colour, chance in zip(
        (left, right), ("auprc", "fpr95"), (BLUE, ORANGE), chances, strict=True
    ):
        axis.barh(steps["step"], steps[column], color=colour, height=0.6)
        axis.plot(chance, steps["step"], "|", color="black", markersize=22, markeredgewidth=2, label="chance")
        for y, (value, line) in enumerate(zip(steps[column], chance, strict=True)):
            beside = max(value, line if abs(value - line) < 12 else 0), y
            axis.annotate(f"{value:.1f}", beside, xytext=(6, 0), textcoords="offset points", va="center")
        axis.spines[["top", "right"]].set_visible(False)
    left.set(
        xlabel="AuPRC in % (higher is better)",
        xlim=(0, 1.2 * max(steps["auprc"].max(), steps["chance"].max())),
    )
    right.set(xlabel="FPR95 in % (lower is better)", xlim=(0, 119), xticks=range(0, 101, 20))
    left.invert_yaxis()
    figure.legend(*left.get_legend_handles_labels(), frameon=False, fontsize=9, loc="outside lower center")
    figure.suptitle(title)
    return figure


def interval_widths(intervals: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw a number with its interval against the number of images that it comes from.

    Args:
        intervals: columns images, auprc, low, high; percent.
        title: a line above the figure.
    """
    listed = "; ".join(f"{r.images} images: [{r.low:.0f}, {r.high:.0f}]" for r in intervals.itertuples())
    figure = DescribedFigure(f"{title or 'Intervals'}, in percent. {listed}.", 0.75 * NOTEBOOK_WIDTH, 3.2)
    axis = figure.subplots()
    below, above = intervals["auprc"] - intervals["low"], intervals["high"] - intervals["auprc"]
    axis.errorbar(intervals["images"], intervals["auprc"], (below, above), fmt="o", color=BLUE, capsize=5)
    axis.set(xlabel="images", ylabel="AuPRC in %, 95 % interval", ylim=(0, None), xlim=(0, None))
    axis.set_xticks(intervals["images"])
    axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title)
    return figure
