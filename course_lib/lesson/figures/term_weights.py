"""How much each of two loss terms should count: numbers against the weights of the terms."""

import pandas as pd
from matplotlib.axes import Axes

from course_lib import scores
from course_lib.lesson.figures.colours import BLUE, GREY, ORANGE, PURPLE
from course_lib.lesson.figures.figure import NOTEBOOK_WIDTH, DescribedFigure

WEIGHTS = "term_weights"
COLOURS = {"auprc": BLUE, "fpr95": ORANGE, "miou": PURPLE}


def term_weights(
    runs: pd.DataFrame, summary: pd.DataFrame, score: str, metric: str = "auprc"
) -> DescribedFigure:
    """Draw a metric against the weights of two terms, a panel per benchmark, and mean IoU in the last.

    Args:
        runs: one row per run, score and benchmark, with ``term_weights`` such as ``1.6,0.4``.
        summary: one row per weights, score and benchmark, of ``evaluation.compare``, with ``term_weights``.
        score: which rows to draw.
        metric: ``auprc`` (higher is better) or ``fpr95`` (lower is better).
    """
    runs, summary = (frame[frame["score"] == score] for frame in (runs, summary))
    weights = sorted(summary[WEIGHTS].unique(), key=_share)
    benchmarks = list(summary["benchmark"].unique())
    name = {"auprc": "AuPRC, %  (higher is better)", "fpr95": "FPR95, %  (lower is better)"}[metric]
    figure = DescribedFigure("", 1.2 * NOTEBOOK_WIDTH, 3.3)
    *panels, last = figure.subplots(1, len(benchmarks) + 1)
    for axis, benchmark in zip(panels, benchmarks, strict=True):
        one, all_runs = (frame[frame["benchmark"] == benchmark] for frame in (summary, runs))
        _draw(axis, all_runs, one.set_index(WEIGHTS).loc[weights], metric)
        axis.axhline(one["chance"].iloc[0] if metric == "auprc" else 95, color=GREY, linestyle=":")
        axis.set_title(benchmark, fontsize=8.5)
    of_networks = runs.drop_duplicates([WEIGHTS, "seed"])
    _draw(last, of_networks, of_networks.groupby(WEIGHTS)[["miou"]].mean().loc[weights], "miou")
    last.set_title("mean IoU, %", fontsize=8.5)
    panels[0].set_ylabel(name, fontsize=9)
    figure.supxlabel(
        "weight of EIML : weight of focal loss. Dots: seeds; band: 95 % interval over images; ring: differs "
        "from 1 : 1 beyond images and seeds; dotted: chance",
        fontsize=8.5,
    )
    figure.suptitle(scores.TITLES[score])
    figure.alt = f"{scores.TITLES[score]}, {name}, for each weighting. {_described(summary, weights, metric)}"
    return figure


def _share(weights: str) -> float:
    """Return the share of the first term."""
    first, second = map(float, weights.split(","))
    return first / (first + second)


def _ratio(weights: str) -> str:
    """Return the ratio of two weights, such as ``1 : 4``."""
    first, second = map(float, weights.split(","))
    least = min(first, second)
    return f"{first / least:.2g} : {second / least:.2g}"


def _draw(axis: Axes, runs: pd.DataFrame, means: pd.DataFrame, metric: str) -> None:
    """Draw one panel; ``means`` has one row per weights, in order."""
    places = {weights: place for place, weights in enumerate(means.index)}
    colour = COLOURS[metric]
    axis.plot(range(len(means)), means[metric], color=colour)
    axis.plot(runs[WEIGHTS].map(places), runs[metric], "o", color=colour, markersize=4, alpha=0.7)
    if f"{metric}_low" in means:
        axis.fill_between(
            range(len(means)), means[f"{metric}_low"], means[f"{metric}_high"], color=colour, alpha=0.15
        )
        proven = means[_beyond_both(means, metric)]
        axis.plot(
            proven.index.map(places), proven[metric], "o", color=colour, markersize=11, fillstyle="none"
        )
    axis.set_xticks(
        range(len(means)), [_ratio(weights) for weights in means.index], fontsize=7.5, rotation=45
    )
    axis.tick_params(axis="y", labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)


def _beyond_both(means: pd.DataFrame, metric: str) -> pd.Series:
    """Tell which differ from the baseline beyond images and beyond seeds."""
    by_images, by_seeds = (means[f"{metric}_beyond_{what}"].fillna(False) for what in ("images", "seeds"))
    return by_images.astype(bool) & by_seeds.astype(bool)


def _described(summary: pd.DataFrame, weights: list[str], metric: str) -> str:
    """Say in words what the panels show."""
    panels = []
    for benchmark, rows in summary.groupby("benchmark", sort=False):
        values = rows.set_index(WEIGHTS)[metric]
        panels.append(f"{benchmark}: " + ", ".join(f"{_ratio(w)} {values[w]:.1f}" for w in weights))
    return "; ".join(panels) + "."
