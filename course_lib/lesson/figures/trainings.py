"""Trainings: how one went, several side by side with every seed a dot, and those of the toy in the plane."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from course_lib import scores
from course_lib.evaluation import MARKS, verdict_of
from course_lib.lesson.figures.bars import draw_class_iou
from course_lib.lesson.figures.figure import (
    BLUE,
    GREY,
    NOTEBOOK_WIDTH,
    ORANGE,
    PURPLE,
    TRAINING_COLOURS,
    DescribedFigure,
    score_colours,
)
from course_lib.metrics import average_precision
from course_lib.training import PlaneNetwork, PlanePoints, score_plane_points, score_positions, training_title

AUPRC = "AuPRC, %  (higher is better)"
TITLES = {"auprc": "AuPRC ↑", "fpr95": "FPR95 ↓"}
MOST_POINTS = 30  # of a difference; beyond, the colour stays the same


def learning_curves(history: list[dict], title: str = "") -> DescribedFigure:
    """Draw losses and mean IoU over the epochs, and the IoU of each class at the end.

    Args:
        history: rows of ``training.train``.
        title: a line above the panels.
    """
    frame = pd.DataFrame(history).set_index("epoch")
    measured, validation = 100 * frame["miou"].dropna(), frame["validation_loss"].dropna()
    alt = f"{title or 'A run'}: loss and mean IoU over {len(frame)} epochs, IoU of each class at the end."
    figure = DescribedFigure(alt, height=4.2, title=title)
    curves, bars = figure.subplots(1, 2)
    curves.plot(frame.index, frame["loss"], color=BLUE, label="training images")
    curves.plot(validation.index, validation, "s--", markersize=3, color=BLUE, label="validation images")
    curves.set(xlabel="epoch", ylim=(0, None))
    curves.xaxis.set_major_locator(MaxNLocator(integer=True))
    curves.set_ylabel("loss (lower is better)", color=BLUE)
    curves.legend(frameon=False, fontsize=9, loc="center right")
    right = curves.twinx()
    right.plot(measured.index, measured, "o--", markersize=3, color=ORANGE)
    right.set(ylim=(0, 100))
    right.set_ylabel("validation mean IoU in % (higher is better)", color=ORANGE)
    last = frame.filter(regex="^iou_").iloc[-1].dropna()
    draw_class_iou(bars, {name.removeprefix("iou_"): iou for name, iou in last.items()})
    return figure


def training_dots(runs: pd.DataFrame, summary: pd.DataFrame, score: str) -> DescribedFigure:
    """Draw AuPRC, one panel per benchmark: trainings in rows, seeds as dots, intervals over images as lines.

    Args:
        runs: one row per run, score and benchmark, as ``evaluation.table`` gives them.
        summary: of ``evaluation.compare``.
        score: which rows to draw.
    """
    runs, summary = runs[runs["score"] == score], summary[summary["score"] == score]
    benchmarks, trainings = summary["benchmark"].unique(), list(summary["training"].unique())
    height = 0.36 * len(trainings) + 1.3
    figure = DescribedFigure("", 1.2 * NOTEBOOK_WIDTH, height, scores.TITLES[score])
    panels = figure.subplots(1, len(benchmarks), sharey=True, squeeze=False)[0]
    for axis, benchmark in zip(panels, benchmarks, strict=True):
        here, seeds = (frame[frame["benchmark"] == benchmark] for frame in (summary, runs))
        axis.axvline(here["chance"].iloc[0], color=GREY, linestyle=":")
        for place, training in enumerate(trainings):
            row = here[here["training"] == training].iloc[0]
            values = seeds.loc[seeds["training"] == training, "auprc"]
            colour = TRAINING_COLOURS.get(training, GREY)
            axis.plot([row["auprc_low"], row["auprc_high"]], [place] * 2, color=colour, linewidth=1.2)
            axis.plot(values, [place] * len(values), "o", color=colour, markersize=5, alpha=0.8)
        axis.grid(axis="y", color="#e6e6e6")
        axis.spines["left"].set_visible(False)
        axis.tick_params(axis="y", length=0)
        axis.set_title(benchmark, fontsize=9)
    panels[0].set_yticks(range(len(trainings)), [training_title(name) for name in trainings])
    panels[0].invert_yaxis()
    explained = "dots: seeds, lines: 95 % intervals over images, dotted: chance"
    figure.supxlabel(f"{AUPRC}; {explained}", fontsize=9)
    means = _listed(summary.set_index("training").rename(training_title))
    figure.alt = f"{scores.TITLES[score]}, {AUPRC}, mean over seeds. {means}"
    return figure


def differences(summary: pd.DataFrame) -> DescribedFigure:
    """Draw how far each training is from the baseline: a panel per score and metric, a colour per difference.

    Blue is better and red is worse, for either metric. A mark: the difference is larger than images explain
    and, where both trainings have several seeds, larger than seeds explain.

    Args:
        summary: of ``evaluation.compare``.
    """
    baseline = summary["baseline"].iloc[0]
    summary = summary[summary["training"] != baseline]
    names, trainings = summary["score"].unique(), summary["training"].unique()
    benchmarks = summary["benchmark"].unique()
    figure = DescribedFigure("", 1.2 * NOTEBOOK_WIDTH, 0.52 * len(trainings) + 2.6)
    panels = figure.subplots(2, len(names), sharex=True, sharey=True, squeeze=False)
    told = []
    for score, column in zip(names, panels.T, strict=True):
        rows = summary[summary["score"] == score].set_index(["training", "benchmark"])
        for axis, metric in zip(column, TITLES, strict=True):
            title = f"{scores.TITLES[score]}, {TITLES[metric]}"
            verdicts = pd.Series([verdict_of(row, metric) for row in rows.to_dict("records")], rows.index)
            drawn = _draw_differences(axis, rows[f"{metric}_difference"], verdicts, metric)
            axis.set_title(title, fontsize=9)
            told.append(
                f"{title}: {(verdicts == 'better').sum()} better, {(verdicts == 'worse').sum()} worse"
            )
    for axis in panels[-1]:
        short = [name.removeprefix("mini_").replace("_", " ") for name in benchmarks]
        axis.set_xticks(range(len(benchmarks)), short, rotation=30, ha="right", fontsize=9)
    for axis in panels[:, 0]:
        axis.set_yticks(range(len(trainings)), [training_title(name) for name in trainings], fontsize=9)
    label = f"points better (blue) or worse (red) than {training_title(baseline)}"
    figure.colorbar(drawn, ax=panels, extend="both", label=label, shrink=0.7, aspect=40)
    cells = f"{len(trainings)} trainings, {len(benchmarks)} benchmarks"
    figure.alt = f"Differences from {training_title(baseline)}, {cells}. Marked, {'; '.join(told)}."
    return figure


def _draw_differences(axis: Axes, points: pd.Series, verdicts: pd.Series, metric: str) -> AxesImage:
    """Draw one panel of ``differences``: both series are by training and benchmark, in their order."""
    shown = points.unstack(sort=False)
    marks = verdicts.map(MARKS).unstack(sort=False).to_numpy()
    better = shown if metric == "auprc" else -shown
    drawn = axis.imshow(better, cmap="RdBu", vmin=-MOST_POINTS, vmax=MOST_POINTS, aspect="auto")
    for (y, x), value in np.ndenumerate(shown.to_numpy()):
        colour = "white" if abs(value) > 0.7 * MOST_POINTS else "black"
        axis.text(x, y, f"{value:+.0f}{marks[y, x]}", color=colour, ha="center", va="center", fontsize=9.5)
    return drawn


def _listed(summary: pd.DataFrame) -> str:
    """Say in words what the panels show, each row by the name in its index."""
    panels = []
    for benchmark, rows in summary.groupby("benchmark", sort=False):
        listed = ", ".join(f"{name} {auprc:.1f}" for name, auprc in rows["auprc"].items())
        panels.append(f"{benchmark}: {listed}")
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
    chance, names = runs.drop_duplicates("benchmark")["chance"].mean(), runs["score"].unique()
    means = runs.groupby(["score", "training", "seed"], sort=False)[["miou", "auprc"]].mean().reset_index()
    figure = DescribedFigure("", height=3.9)
    panels = figure.subplots(1, len(names), sharex=True, sharey=True, squeeze=False)[0]
    for axis, score in zip(panels, names, strict=True):
        for training, dots in means[means["score"] == score].groupby("training", sort=False):
            colour = TRAINING_COLOURS.get(training, GREY)
            axis.plot(dots["miou"], dots["auprc"], "o", color=colour, label=training_title(training))
        axis.axhline(chance, color=GREY, linestyle=":")
        axis.set(title=scores.TITLES[score], xlabel="mean IoU, %  (higher is better)")
    panels[0].set_ylabel("AuPRC, mean of the benchmarks, %\n(higher is better)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=8, frameon=False)
    described = []
    for training, dots in means.groupby("training", sort=False):
        best = dots.loc[dots["auprc"].idxmax()]
        spread = f"AuPRC {dots['auprc'].min():.1f} to {dots['auprc'].max():.1f}"
        told = f"{training_title(training)}: mean IoU {dots['miou'].mean():.1f}, {spread}, best with "
        described.append(told + scores.TITLES[best["score"]])
    figure.alt = f"Mean IoU against AuPRC, one dot per run; dotted: chance. {'; '.join(described)}."
    return figure


def term_weights(runs: pd.DataFrame, summary: pd.DataFrame, score: str) -> DescribedFigure:
    """Draw the AuPRC against the weights of two terms, a panel per benchmark, and mean IoU in the last.

    Args:
        runs: one row per run, score and benchmark, with ``term_weights`` such as ``1.6,0.4``.
        summary: one row per weights, score and benchmark, of ``evaluation.compare``, with ``term_weights``.
        score: which rows to draw.
    """
    runs, summary = (_by_weights(frame[frame["score"] == score]) for frame in (runs, summary))
    benchmarks = list(summary["benchmark"].unique())
    figure = DescribedFigure("", 1.2 * NOTEBOOK_WIDTH, 3.3, scores.TITLES[score])
    *panels, last = figure.subplots(1, len(benchmarks) + 1)
    for axis, benchmark in zip(panels, benchmarks, strict=True):
        here, seeds = (frame[frame["benchmark"] == benchmark] for frame in (summary, runs))
        _draw_weights(axis, seeds["auprc"], here["auprc"], BLUE)
        places = range(len(here))
        axis.fill_between(places, here["auprc_low"], here["auprc_high"], color=BLUE, alpha=0.15)
        beyond = here[["auprc_beyond_images", "auprc_beyond_seeds"]].fillna(False).astype(bool).all(axis=1)
        proven = [place for place in places if beyond.iloc[place]]
        axis.plot(proven, here["auprc"][beyond], "o", color=BLUE, markersize=11, fillstyle="none")
        axis.axhline(here["chance"].iloc[0], color=GREY, linestyle=":")
        axis.set_title(benchmark, fontsize=8.5)
    miou = runs.drop_duplicates(["term_weights", "seed"])["miou"]
    _draw_weights(last, miou, miou.groupby(level=0, sort=False).mean(), PURPLE)
    last.set_title("mean IoU, %", fontsize=8.5)
    panels[0].set_ylabel(AUPRC, fontsize=9)
    figure.supxlabel(
        "weight of EIML : weight of focal loss. Dots: seeds; band: 95 % interval over images; ring: differs "
        "from 1 : 1 beyond images and seeds; dotted: chance",
        fontsize=8.5,
    )
    figure.alt = f"{scores.TITLES[score]}, {AUPRC}, for each weighting. {_listed(summary)}"
    return figure


def _by_weights(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by the ratio of their weights, such as ``1 : 4``, the first term's share rising."""
    first, second = (frame["term_weights"].str.split(",").str[i].astype(float) for i in (0, 1))
    least = first.where(first < second, second)
    ratios = [f"{a:.2g} : {b:.2g}" for a, b in zip(first / least, second / least, strict=True)]
    order = (first / (first + second)).argsort(kind="stable")
    return frame.set_axis(ratios).iloc[order]


def _draw_weights(axis: Axes, seeds: pd.Series, means: pd.Series, colour: str) -> None:
    """Draw a line of means and the seeds as dots, both by their ratio of weights."""
    places = {ratio: place for place, ratio in enumerate(means.index)}
    axis.plot(range(len(means)), means, color=colour)
    axis.plot(seeds.index.map(places), seeds, "o", color=colour, markersize=4, alpha=0.7)
    axis.set_xticks(range(len(means)), means.index, fontsize=7.5, rotation=45)
    axis.tick_params(axis="y", labelsize=8)


def plane_scores(
    networks: Mapping[str, PlaneNetwork], points: PlanePoints, score: str = "msp", quick: bool = False
) -> DescribedFigure:
    """Draw one panel per network: its score everywhere, the known points, and those it never saw.

    Args:
        networks: by the name of their training.
        points: what they learnt from.
        score: a key of ``scores.SCORES``; larger is more anomalous. Each panel has its own range of colours,
            that of the points: what lies beyond has the colour of the end.
        quick: whether to follow a slider: a single network, with its legend at the right.
    """
    reach = 6.0  # of the plane that is drawn, from the middle
    size = (8.0, 4.4) if quick else (1.15 * NOTEBOOK_WIDTH, 3.7)
    figure = DescribedFigure("", *size, quick=quick)
    if quick:
        figure.subplots_adjust(left=0.01, right=0.62, top=0.92, bottom=0.02)
    panels = figure.subplots(1, len(networks), sharex=True, sharey=True, squeeze=False)[0]
    described, steps = [], torch.linspace(-reach, reach, 121)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    grid = torch.stack([x.flatten(), y.flatten()], dim=1)
    for axis, (training, network) in zip(panels, networks.items(), strict=True):
        auprc = 100 * average_precision(*score_plane_points(network, points, score))
        axis.set_title(f"{training_title(training)}: AuPRC {auprc:.0f} %", fontsize=11)
        described.append(f"{training_title(training)} AuPRC {auprc:.0f} %")
        values, logits = score_positions(network, grid, score).view(x.shape), network(grid)
        of_points, _ = score_plane_points(network, points, score)
        low, high = torch.quantile(of_points, torch.tensor([0.02, 0.98])).tolist()
        drawn = {"origin": "lower", "extent": (-reach, reach) * 2, "cmap": score_colours()}
        image = axis.imshow(values.numpy(), vmin=low, vmax=max(high, low + 1e-6), **drawn)
        label = f"{scores.TITLES[score]} (light: anomalous)"
        place = "right" if quick else "bottom"
        figure.colorbar(image, ax=axis, location=place, label=label, extend="both")
        lead = (logits[:, 0] - logits[:, 1]).view(x.shape)
        axis.contour(x.numpy(), y.numpy(), lead.numpy(), levels=[0], colors="white", linestyles="--")
        for known, colour, name in ((0, "#56b4e9", "first class"), (1, "#009e73", "second class")):
            axis.plot(*points.known[points.classes == known].T, "o", markersize=2, color=colour, label=name)
        axis.plot(*points.unknown.T, "x", markersize=4, color="#e69f00", label="unknown, never shown")
        axis.plot([], [], "--", color="#888888", label="border between the classes")
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(True)
    place = {"loc": "center right"} if quick else {"loc": "outside upper center", "ncols": 4}
    figure.legend(*panels[0].get_legend_handles_labels(), frameon=False, **place)
    chance = 100 * len(points.unknown) / (len(points.known) + len(points.unknown))
    figure.alt = (
        f"{scores.TITLES[score]} over the plane with two known classes and an unknown one: "
        f"{', '.join(described)}; chance is {chance:.0f} %."
    )
    return figure
