"""What a temperature does: to one pixel, to the fit on validation images, and to anomaly scores."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from torch import Tensor

from course_lib import scores
from course_lib.lesson.figures.colours import BLUE, COLOURS, GREEN, GREY, ORANGE, RED
from course_lib.lesson.figures.figure import NOTEBOOK_WIDTH, DescribedFigure

SHOWN = (0.05, 0.1, 0.25, 0.5, 1, 2, 4)


def softened(logits: Tensor, temperatures: Sequence[float], names: Sequence[str]) -> DescribedFigure:
    """Draw the softmax of one pixel at several temperatures, one group of bars per class.

    Args:
        logits: (C,).
        temperatures: each is a colour.
        names: of the classes.
    """
    figure = DescribedFigure("", 0.85 * NOTEBOOK_WIDTH, 3.2)
    axis = figure.subplots()
    width = 0.8 / len(temperatures)
    viridis, largest = matplotlib.colormaps["viridis"], []
    for i, temperature in enumerate(temperatures):
        probabilities = (100 * (logits / temperature).softmax(dim=0)).numpy()
        places = [place + (i - (len(temperatures) - 1) / 2) * width for place in range(len(names))]
        colour = viridis((i + 1) / (len(temperatures) + 1))
        axis.bar(places, probabilities, width, color=colour, label=f"T = {temperature:g}")
        largest.append(f"{probabilities.max():.0f} % at T = {temperature:g}")
    axis.set_xticks(range(len(names)), names)
    axis.set(ylabel="probability, %", ylim=(0, 100))
    _finish(axis)
    figure.alt = (
        f"Softmax of one pixel; the largest is always {names[logits.argmax()]}: {', '.join(largest)}."
    )
    return figure


def likelihood_curve(
    temperatures: Sequence[float], losses: Mapping[str, Sequence[float]], fitted: Mapping[str, float]
) -> DescribedFigure:
    """Draw the negative log-likelihood against the temperature, one curve per network.

    Args:
        temperatures: where it was measured.
        losses: by the name of a network, in nats; lower is better.
        fitted: of each network, the temperature that was found, marked by a dot on its curve.
    """
    figure = DescribedFigure("", 0.75 * NOTEBOOK_WIDTH, 3.4)
    axis = figure.subplots()
    colours = COLOURS[: len(losses)]
    for colour, (name, values) in zip(colours, losses.items(), strict=True):
        axis.plot(temperatures, values, color=colour, label=f"{name}: T = {fitted[name]:.3g}")
        axis.plot(fitted[name], np.interp(fitted[name], temperatures, values), "o", color=colour)
    axis.axvline(1, color=GREY, linestyle=":")
    axis.set(xlabel="temperature", ylabel="negative log-likelihood, nats", ylim=(0, None))
    _temperature_axis(axis, [t for t in SHOWN if min(temperatures) <= t <= max(temperatures)])
    _finish(axis)
    marked = ", ".join(f"{name} at T = {value:.3g}" for name, value in fitted.items())
    figure.alt = f"Negative log-likelihood on validation images against the temperature; marked: {marked}."
    return figure


def msp_of_pixels(pixels: Mapping[str, Tensor]) -> DescribedFigure:
    """Draw the MSP score of some pixels against the temperature: where curves cross, their order changes.

    Args:
        pixels: logits (C,) by a name.
    """
    temperatures = torch.logspace(-0.6, 0.6, 60)
    figure = DescribedFigure("", 0.75 * NOTEBOOK_WIDTH, 3.4)
    axis = figure.subplots()
    for colour, (name, logits) in zip((BLUE, ORANGE, GREEN, RED), pixels.items(), strict=False):
        values = [(1 - (logits / t).softmax(dim=0).max()).item() for t in temperatures]
        axis.plot(temperatures, values, color=colour, label=name)
    axis.set(xlabel="temperature", ylabel="MSP (larger is more anomalous)", ylim=(0, 1))
    _temperature_axis(axis, [t for t in SHOWN if t >= 0.25])
    _finish(axis)
    figure.alt = (
        f"MSP against the temperature of {len(pixels)} pixels: {'; '.join(pixels)}. The curves cross."
    )
    return figure


def temperature_curves(frame: pd.DataFrame, fitted: float | None = None) -> DescribedFigure:
    """Draw AuPRC and FPR95 of one score against the temperature, a column per benchmark.

    Args:
        frame: of one network and score at several temperatures, with intervals.
        fitted: the temperature of the validation images, marked by a line.
    """
    benchmarks = list(frame["benchmark"].unique())
    figure = DescribedFigure("", 1.2 * NOTEBOOK_WIDTH, 4.6)
    panels = figure.subplots(2, len(benchmarks), sharex=True, squeeze=False)
    described = []
    for (upper, lower), benchmark in zip(panels.T, benchmarks, strict=True):
        rows = frame[frame["benchmark"] == benchmark].sort_values("temperature")
        _draw(upper, rows, "auprc", BLUE, rows["chance"].iloc[0], fitted)
        _draw(lower, rows, "fpr95", ORANGE, 95, fitted)
        upper.set_title(benchmark, fontsize=10)
        described.append(f"{benchmark} {rows['auprc'].min():.1f} to {rows['auprc'].max():.1f} %")
    panels[0, 0].set_ylabel("AuPRC, % (higher is better)", fontsize=9)
    panels[1, 0].set_ylabel("FPR95, % (lower is better)", fontsize=9)
    title = scores.TITLES[frame["score"].iloc[0]]
    marked = "" if fitted is None else f"; dashed: T = {fitted:.3g}, fitted on validation images"
    figure.supxlabel(f"temperature; bands: 95 % intervals over images; dotted: chance{marked}", fontsize=10)
    figure.suptitle(title)
    figure.alt = (
        f"AuPRC and FPR95 of {title} against the temperature, with bands and chance, per benchmark. AuPRC "
        f"over all temperatures: {', '.join(described)}."
    )
    return figure


def _draw(
    axis: Axes, rows: pd.DataFrame, metric: str, colour: str, chance: float, fitted: float | None
) -> None:
    """Draw one metric on one benchmark."""
    axis.fill_between(
        rows["temperature"], rows[f"{metric}_low"], rows[f"{metric}_high"], color=colour, alpha=0.2
    )
    axis.plot(rows["temperature"], rows[metric], "o-", color=colour, markersize=3.5)
    axis.axhline(chance, color=GREY, linestyle=":")
    if fitted is not None:
        axis.axvline(fitted, color=GREY, linestyle="--", linewidth=1)
    axis.set_ylim(0, 105 if metric == "fpr95" else 1.05 * rows["auprc_high"].max())
    low, high = rows["temperature"].min(), rows["temperature"].max()
    _temperature_axis(axis, [t for t in SHOWN if low <= t <= high])
    axis.spines[["top", "right"]].set_visible(False)


def _temperature_axis(axis: Axes, ticks: Sequence[float]) -> None:
    """Give equal ratios equal lengths."""
    axis.set_xscale("log")
    axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axis.xaxis.set_minor_locator(NullLocator())


def _finish(axis: Axes) -> None:
    """Add the legend and leave out what is not needed."""
    axis.legend(frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
