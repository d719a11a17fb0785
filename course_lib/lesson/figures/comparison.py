"""Trainings side by side: every seed a dot, so that a difference is seen beside the noise it stands in."""

import pandas as pd
from matplotlib.axes import Axes

from course_lib import scores
from course_lib.lesson.figures.colours import BLUE, BROWN, GREEN, GREY, ORANGE, PINK, PURPLE, RED, SKY, YELLOW
from course_lib.lesson.figures.figure import NOTEBOOK_WIDTH, DescribedFigure
from course_lib.training import training_title

COLOURS = {
    "ce": "black", "void": BROWN, "fl": YELLOW, "ln": SKY, "ln_ce": BLUE, "ln_fl": GREEN,
    "eiml": ORANGE, "eiml_ce": RED, "eiml_fl": PURPLE, "ce_scale10": PINK,
}  # fmt: skip
"""The same colour for a training in every figure."""


def training_dots(
    runs: pd.DataFrame, summary: pd.DataFrame, score: str, metric: str = "auprc"
) -> DescribedFigure:
    """Draw one panel per benchmark: trainings in rows, seeds as dots, 95 % intervals over images as lines.

    Args:
        runs: one row per run, score and benchmark, as ``evaluation.table`` gives them.
        summary: of ``evaluation.compare``.
        score: which rows to draw.
        metric: ``auprc`` (higher is better) or ``fpr95`` (lower is better).
    """
    runs, summary = runs[runs["score"] == score], summary[summary["score"] == score]
    benchmarks, trainings = summary["benchmark"].unique(), list(summary["training"].unique())
    name = {"auprc": "AuPRC, %  (higher is better)", "fpr95": "FPR95, %  (lower is better)"}[metric]
    figure = DescribedFigure("", 1.2 * NOTEBOOK_WIDTH, 0.36 * len(trainings) + 1.3)
    panels = figure.subplots(1, len(benchmarks), sharey=True, squeeze=False)[0]
    for axis, benchmark in zip(panels, benchmarks, strict=True):
        _draw(axis, *(frame[frame["benchmark"] == benchmark] for frame in (runs, summary)), trainings, metric)
        axis.set_title(benchmark, fontsize=9)
    panels[0].set_yticks(range(len(trainings)), [training_title(name) for name in trainings])
    panels[0].invert_yaxis()
    figure.supxlabel(f"{name}; dots: seeds, lines: 95 % intervals over images, dotted: chance", fontsize=9)
    figure.suptitle(scores.TITLES[score])
    figure.alt = f"{scores.TITLES[score]}, {name}, mean over seeds. {_described(summary, metric)}"
    return figure


def _draw(axis: Axes, runs: pd.DataFrame, summary: pd.DataFrame, trainings: list[str], metric: str) -> None:
    """Draw one benchmark."""
    axis.axvline(summary["chance"].iloc[0] if metric == "auprc" else 95, color=GREY, linestyle=":")
    for position, training in enumerate(trainings):
        row = summary[summary["training"] == training].iloc[0]
        seeds = runs.loc[runs["training"] == training, metric]
        colour = COLOURS.get(training, GREY)
        axis.plot([row[f"{metric}_low"], row[f"{metric}_high"]], [position] * 2, color=colour, linewidth=1.2)
        axis.plot(seeds, [position] * len(seeds), "o", color=colour, markersize=5, alpha=0.8)
    axis.grid(axis="y", color="#e6e6e6")
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(axis="y", length=0)


def _described(summary: pd.DataFrame, metric: str) -> str:
    """Say in words what the panels show."""
    panels = []
    for benchmark, rows in summary.groupby("benchmark", sort=False):
        values = ", ".join(
            f"{training_title(t)} {v:.1f}" for t, v in zip(rows["training"], rows[metric], strict=True)
        )
        panels.append(f"{benchmark}: {values}")
    return "; ".join(panels) + "."


def trade_off(runs: pd.DataFrame) -> DescribedFigure:
    """Draw mean IoU against AuPRC, averaged over the benchmarks: one panel per score, one dot per run.

    Args:
        runs: one row per run, score and benchmark, with ``miou``, as ``evaluation.table`` gives them.

    Raises:
        ValueError: if mean IoU was not measured.
    """
    if runs["miou"].isna().any():
        raise ValueError("need the mean IoU of every run; evaluate with validation images")
    names = runs["score"].unique()
    means = runs.groupby(["score", "training", "seed"], sort=False)[["miou", "auprc"]].mean().reset_index()
    figure = DescribedFigure("", NOTEBOOK_WIDTH, 3.9)
    panels = figure.subplots(1, len(names), sharex=True, sharey=True, squeeze=False)[0]
    for axis, score in zip(panels, names, strict=True):
        for training, dots in means[means["score"] == score].groupby("training", sort=False):
            axis.plot(dots["miou"], dots["auprc"], "o", color=COLOURS.get(training, GREY),
                      label=training_title(training))  # fmt: skip
        axis.axhline(_chance(runs), color=GREY, linestyle=":")
        axis.set(title=scores.TITLES[score], xlabel="mean IoU, %  (higher is better)")
        axis.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("AuPRC, mean of the benchmarks, %\n(higher is better)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=8, frameon=False)
    figure.alt = (
        "Mean IoU against AuPRC, one dot per run; dotted: chance. "
        + "; ".join(_spread(dots) for _, dots in means.groupby("training", sort=False))
        + "."
    )
    return figure


def _chance(runs: pd.DataFrame) -> float:
    """Return the mean prevalence of the benchmarks, in percent."""
    return runs.drop_duplicates("benchmark")["chance"].mean()


def _spread(dots: pd.DataFrame) -> str:
    """Say where the dots of one training lie."""
    best = dots.loc[dots["auprc"].idxmax()]
    return (
        f"{training_title(best['training'])}: mean IoU {dots['miou'].mean():.1f}, "
        f"AuPRC {dots['auprc'].min():.1f} to {dots['auprc'].max():.1f}, best with "
        + scores.TITLES[best["score"]]
    )
