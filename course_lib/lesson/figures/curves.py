"""Curves: over any axis, over thresholds, over confidence, over temperatures."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from torch import Tensor

from course_lib import scores
from course_lib.calibration import BINS, Calibration
from course_lib.evaluation import CHANCE_FPR95
from course_lib.lesson.figures.figure import (
    ANOMALY,
    BLUE,
    COLOURS,
    GREY,
    NORMAL,
    NOTEBOOK_WIDTH,
    ORANGE,
    RED,
    DescribedFigure,
)
from course_lib.metrics import average_precision, exact_curve, fpr_at_tpr


def curves(
    x: Sequence[float] | Tensor,
    lines: Mapping[str, Sequence[float] | Tensor],
    xlabel: str,
    ylabel: str,
    ylim: tuple[float, float | None] = (0, None),
    ratios: bool = False,
    dots: Mapping[str, float] | None = None,
) -> DescribedFigure:
    """Draw curves with their names; the alternative text tells where each begins and ends, and its extremes.

    Args:
        x: where they were measured, rising.
        lines: the values at ``x`` by the name of the curve.
        xlabel: what ``x`` is.
        ylabel: what the values are.
        ylim: the lowest and highest value to show; None: as far as the curves go.
        ratios: whether equal ratios of ``x`` are equally long, with a line at 1.
        dots: by the name of a curve, an ``x`` to be marked on it and named in the legend.
    """
    x, dots = np.asarray(x), dots or {}
    figure = DescribedFigure("", 0.75 * NOTEBOOK_WIDTH)
    axis = figure.subplots()
    described = []
    for colour, (name, values) in zip(COLOURS, lines.items(), strict=False):
        values = np.asarray(values)
        marked = f"{xlabel} {dots[name]:.3g}" if name in dots else ""
        axis.plot(x, values, color=colour, label=f"{name}: {marked}" if marked else name)
        if marked:
            axis.plot(dots[name], np.interp(dots[name], x, values), "o", color=colour)
        places = [f"{values[i]:.3g} at {x[i]:.3g}" for i in (0, values.argmin(), -1)]
        told = f"{name}: first {places[0]}, lowest {places[1]}, last {places[2]}"
        described.append(f"{told}, marked at {marked}" if marked else told)
    if ratios:
        axis.axvline(1, color=GREY, linestyle=":")
        _ratios(axis, x.min(), x.max())
    axis.set(xlabel=xlabel, ylabel=ylabel, ylim=ylim)
    axis.legend(frameon=False)
    figure.alt = f"{ylabel} against {xlabel}. {'; '.join(described)}."
    return figure


def _ratios(axis: Axes, low: float, high: float) -> None:
    """Give equal ratios equal lengths."""
    axis.set_xscale("log")
    ticks = [tick for tick in (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 10) if low <= tick <= high]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.xaxis.set_minor_locator(NullLocator())


def ranking_curves(scores: Mapping[str, Tensor], is_anomaly: Tensor, title: str = "") -> DescribedFigure:
    """Draw precision against recall, and the true against the false positive rate, beside chance.

    Args:
        scores: by name, valid pixels only, any shape; larger is more anomalous.
        is_anomaly: bool, same shape.
        title: a line above the panels.
    """
    prevalence = 100 * is_anomaly.double().mean().item()
    figure = DescribedFigure("", height=4.2, title=title)
    precision_axis, roc_axis = figure.subplots(1, 2)
    described = []
    for place, (colour, (name, values)) in enumerate(zip(COLOURS, scores.items(), strict=False)):
        auprc, fpr95 = 100 * average_precision(values, is_anomaly), 100 * fpr_at_tpr(values, is_anomaly)
        described.append(f"{name} with AuPRC {auprc:.1f} % and FPR95 {fpr95:.1f} %")
        curve = exact_curve(values, is_anomaly)
        kept = np.unique(np.linspace(0, curve.positives.numel() - 1, 2000).astype(int))  # more cannot be seen
        found, false_alarms = curve.true_positives[kept], curve.false_positives[kept]
        recall, fpr = 100 * found / curve.anomalous, 100 * false_alarms / curve.normal
        precision = 100 * found / (found + false_alarms)
        precision_axis.plot(recall, precision, color=colour, label=f"{name}: AuPRC {auprc:.1f} %")
        roc_axis.plot(fpr, recall, color=colour, label=f"{name}: FPR95 {fpr95:.1f} %")
        size = 6 + 4 * (len(scores) - 1 - place)  # the first is the largest: dots in one place stay visible
        roc_axis.plot(fpr95, 95, "o", color=colour, markersize=size, markeredgecolor="white")
    precision_axis.axhline(prevalence, color=GREY, linestyle=":", label=f"chance: {prevalence:.1f} %")
    precision_axis.set(xlabel="recall: anomalies found, %", ylabel="precision: of the flagged, %")
    roc_axis.plot([0, 100], [0, 100], color=GREY, linestyle=":", label="chance: 95 %")
    roc_axis.axhline(95, color=GREY, linewidth=0.8)
    roc_axis.set(xlabel="normal pixels flagged, %", ylabel="anomalies found, %")
    for axis in (precision_axis, roc_axis):
        axis.set(xlim=(-1, 101), ylim=(-1, 101))
        axis.legend(frameon=False, fontsize=9)
    figure.alt = f"{title or 'Precision-recall and ROC curves'}: {'; '.join(described)}."
    return figure


def ranked_pixels(scores: Tensor, is_anomaly: Tensor) -> DescribedFigure:
    """Draw a handful of pixels in the order of their scores, highest first.

    Args:
        scores: (K,), distinct.
        is_anomaly: bool, (K,).
    """
    ranked = [(f"{scores[i]:g}", bool(is_anomaly[i])) for i in scores.argsort(descending=True).tolist()]
    names = [f"{score}\n{'anomaly' if anomalous else 'normal'}" for score, anomalous in ranked]
    listed = ", ".join(name.replace("\n", " ") for name in names)
    figure = DescribedFigure(f"Pixels from the highest score down: {listed}.", 0.7 * NOTEBOOK_WIDTH, 1.9)
    axis = figure.subplots()
    colours = [ANOMALY if anomalous else NORMAL for _, anomalous in ranked]
    bars = axis.bar(range(len(ranked)), 1, width=0.9, color=colours)
    axis.bar_label(bars, names, label_type="center", color="white")
    axis.set(xticks=[], yticks=[], ylim=(0, 1))
    axis.set_xlabel("the threshold comes down from the left: one pixel more is flagged at each step")
    axis.spines[:].set_visible(False)
    return figure


def reliability_diagrams(
    calibrations: Mapping[str, Calibration], title: str = "", quick: bool = False
) -> DescribedFigure:
    """Draw the accuracy in bins of confidence, and how many pixels they hold: a column per temperature.

    Args:
        calibrations: by a name, of ``calibration.measure_calibration``.
        title: a line above the panels.
        quick: whether to follow a slider.
    """
    figure = DescribedFigure("", height=4.6, title=title, quick=quick)
    if quick:
        figure.subplots_adjust(left=0.08, right=0.98, top=0.92, bottom=0.2)
    panels = figure.subplots(2, len(calibrations), sharex=True, squeeze=False, height_ratios=(3, 1)).T
    described = []
    for (diagram, shares), (name, found) in zip(panels, calibrations.items(), strict=True):
        pixels, confidence, accuracy = found.bins.numpy()
        middles, width = 100 * (np.arange(BINS) + 0.5) / BINS, 100 / BINS
        diagram.bar(middles, 100 * accuracy, width, color=BLUE, edgecolor="white", label="accuracy")
        diagram.bar(
            middles, 100 * (confidence - accuracy), width, bottom=100 * accuracy, color="none", hatch="////",
            edgecolor=RED, label="gap between accuracy and mean confidence",
        )  # fmt: skip
        diagram.plot([0, 100], [0, 100], color=GREY, linestyle=":", label="perfectly calibrated")
        diagram.set(xlim=(0, 100), ylim=(0, 100))
        shares.bar(middles, 100 * pixels / pixels.sum(), width, color=GREY, edgecolor="white")
        shares.set(yscale="log", ylim=(0.01, 100), xlabel="confidence, %")  # few lie outside the last bin
        shares.set_yticks([0.01, 1, 100], ["0.01", "1", "100"])
        shares.yaxis.set_minor_locator(NullLocator())
        diagram.set_title(f"{name}: ECE {100 * found.ece:.1f} %, NLL {found.nll:.3f}", fontsize=11)
        described.append(
            f"{name}: mean confidence {100 * found.confidence:.1f} %, accuracy {100 * found.accuracy:.1f} %, "
            f"ECE {100 * found.ece:.1f} %"
        )
    first, below = panels[0]
    first.set_ylabel("accuracy, %")
    below.set_ylabel("pixels, %\n(log scale)")
    handles = first.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=3, frameon=False)
    figure.alt = f"{title or 'Reliability diagrams'}. {'; '.join(described)}"
    return figure


def temperature_curves(frame: pd.DataFrame, fitted: float | None = None) -> DescribedFigure:
    """Draw AuPRC and FPR95 of one score against the temperature, a column per benchmark.

    Args:
        frame: of one network and score at several temperatures, with intervals.
        fitted: the temperature of the validation images, marked by a line.
    """
    title, benchmarks = scores.TITLES[frame["score"].iloc[0]], list(frame["benchmark"].unique())
    figure = DescribedFigure("", 1.2 * NOTEBOOK_WIDTH, 4.6, title)
    panels = figure.subplots(2, len(benchmarks), sharex=True, squeeze=False)
    described = []
    for (upper, lower), benchmark in zip(panels.T, benchmarks, strict=True):
        rows = frame[frame["benchmark"] == benchmark].sort_values("temperature")
        t = rows["temperature"]
        for axis, metric, colour, chance in (
            (upper, "auprc", BLUE, rows["chance"].iloc[0]),
            (lower, "fpr95", ORANGE, CHANCE_FPR95),
        ):
            axis.fill_between(t, rows[f"{metric}_low"], rows[f"{metric}_high"], color=colour, alpha=0.2)
            axis.plot(t, rows[metric], "o-", color=colour, markersize=3.5)
            axis.axhline(chance, color=GREY, linestyle=":")
            if fitted is not None:
                axis.axvline(fitted, color=GREY, linestyle="--", linewidth=1)
            _ratios(axis, t.min(), t.max())
        upper.set(ylim=(0, 1.05 * rows["auprc_high"].max()))
        upper.set_title(benchmark, fontsize=10)
        lower.set(ylim=(0, 105))
        described.append(f"{benchmark} {rows['auprc'].min():.1f} to {rows['auprc'].max():.1f} %")
    panels[0, 0].set_ylabel("AuPRC, % (higher is better)", fontsize=9)
    panels[1, 0].set_ylabel("FPR95, % (lower is better)", fontsize=9)
    marked = "" if fitted is None else f"; dashed: T = {fitted:.3g}, fitted on validation images"
    figure.supxlabel(f"temperature; bands: 95 % intervals over images; dotted: chance{marked}", fontsize=10)
    figure.alt = (
        f"AuPRC and FPR95 of {title} against the temperature, with bands and chance, per benchmark. AuPRC "
        f"over all temperatures: {', '.join(described)}."
    )
    return figure
