"""Confidence beside accuracy."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from course_lib.calibration import BINS, Calibration
from course_lib.lesson.figures.colours import BLUE, GREY, ORANGE
from course_lib.lesson.figures.figure import NOTEBOOK_WIDTH, DescribedFigure

ACCURACY, GAP = BLUE, ORANGE


def reliability_diagrams(calibrations: Mapping[str, Calibration], title: str = "") -> DescribedFigure:
    """Draw the accuracy in bins of confidence, and how many pixels they hold: a column per temperature.

    Args:
        calibrations: by a name, of ``calibration.measure_calibration``.
        title: a line above the panels.
    """
    figure = DescribedFigure("", NOTEBOOK_WIDTH, 4.6)
    axes = figure.subplots(2, len(calibrations), sharex=True, squeeze=False, height_ratios=(3, 1))
    for (diagram, shares), (name, found) in zip(axes.T, calibrations.items(), strict=True):
        _draw(diagram, found)
        _draw_shares(shares, found)
        diagram.set_title(f"{name}: ECE {100 * found.ece:.1f} %, NLL {found.nll:.3f}", fontsize=11)
    axes[0, 0].set_ylabel("accuracy, %")
    axes[1, 0].set_ylabel("pixels, %")
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(title)
    figure.alt = f"{title or 'Reliability diagrams'}. " + "; ".join(
        _described(name, found) for name, found in calibrations.items()
    )
    return figure


def reliability_diagram(found: Calibration, title: str) -> DescribedFigure:
    """Draw one diagram beside the shares of the pixels; quickly enough to follow a slider.

    Args:
        found: of ``calibration.Reliability``.
        title: a line above.
    """
    figure = DescribedFigure("", 9.0, 4.0, quick=True)
    figure.subplots_adjust(left=0.08, right=0.98, top=0.9, bottom=0.14, wspace=0.25)
    diagram, shares = figure.subplots(1, 2)
    _draw(diagram, found)
    diagram.set(xlabel="confidence, %", ylabel="accuracy, %")
    diagram.legend(frameon=False, loc="upper left", fontsize=9)
    _draw_shares(shares, found)
    shares.set(ylabel="pixels, %", xlim=(0, 100))
    figure.suptitle(title)
    figure.alt = _described(title, found)
    return figure


def _described(name: str, found: Calibration) -> str:
    """Say in words how far confidence is from accuracy."""
    return (
        f"{name}: mean confidence {100 * found.confidence:.1f} %, accuracy {100 * found.accuracy:.1f} %, "
        f"ECE {100 * found.ece:.1f} %"
    )


def _draw(axis: Axes, found: Calibration) -> None:
    """Draw the accuracy of each bin, and how far it is from the mean confidence there."""
    _, confidence, accuracy = 100 * found.bins.numpy()
    middles, width = _middles(), 100 / BINS
    axis.bar(middles, accuracy, width, color=ACCURACY, edgecolor="white", label="accuracy")
    axis.bar(
        middles, confidence - accuracy, width, bottom=accuracy, color=GAP, alpha=0.45, edgecolor="white",
        label="gap to the mean confidence",
    )  # fmt: skip
    axis.plot([0, 100], [0, 100], color=GREY, linestyle=":", label="perfectly calibrated")
    axis.set(xlim=(0, 100), ylim=(0, 100))
    axis.spines[["top", "right"]].set_visible(False)


def _draw_shares(axis: Axes, found: Calibration) -> None:
    """Draw how many pixels each bin holds; few lie outside the last one, hence the logarithm."""
    pixels = found.bins[0].numpy()
    axis.bar(_middles(), 100 * pixels / pixels.sum(), 100 / BINS, color=GREY, edgecolor="white")
    axis.set(yscale="log", ylim=(0.01, 100), xlabel="confidence, %")
    axis.set_yticks([0.01, 1, 100], ["0.01", "1", "100"])
    axis.yaxis.set_minor_locator(NullLocator())
    axis.spines[["top", "right"]].set_visible(False)


def _middles() -> np.ndarray:
    """Return the middle of each bin, in percent."""
    return 100 * (np.arange(BINS) + 0.5) / BINS
