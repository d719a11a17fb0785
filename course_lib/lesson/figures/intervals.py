"""How sure a number is: widths of intervals by the number of images, and draws of two scores in pairs."""

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from course_lib.lesson.figures.figure import BLUE, GREY, NOTEBOOK_WIDTH, ORANGE, DescribedFigure
from course_lib.metrics import percentile_interval


def interval_widths(widths: Mapping[int, Tensor], title: str = "") -> DescribedFigure:
    """Draw how wide intervals are that subsets of the images give, beside the curve of the square root.

    Args:
        widths: by the number of images, rising: of each subset the width of its interval, fractions; the last
            number is that of all images, a single subset.
        title: a line above the dots.
    """
    figure = DescribedFigure("", 0.75 * NOTEBOOK_WIDTH, 3.6, title)
    axis, told = figure.subplots(), []
    jitter = np.random.default_rng(0)
    for images, found in widths.items():
        points = 100 * found[~found.isnan()].numpy()
        at = images + (jitter.uniform(-0.35, 0.35, len(points)) if len(points) > 1 else 0)
        axis.plot(at, points, ".", color=BLUE, markersize=4, alpha=0.35)
        axis.plot(images, np.median(points), "D", color=ORANGE, markersize=7)
        lowest, highest = np.percentile(points, [5, 95])
        told.append(f"{images} images: median {np.median(points):.0f}, most {lowest:.0f} to {highest:.0f}")
    last = max(widths)
    smooth = np.linspace(min(widths), last, 100)
    expected = 100 * widths[last].mean().item() * np.sqrt(last / smooth)
    axis.plot(smooth, expected, "--", color=GREY, label="1 / √n, through the width of all images")
    axis.plot([], [], ".", color=BLUE, label="a random subset")
    axis.plot([], [], "D", color=ORANGE, label="median of the subsets")
    axis.set(xlabel="images", ylabel="width of the 95 % interval\nof AuPRC, points", ylim=(0, None))
    axis.set_xticks(list(widths))
    axis.legend(frameon=False)
    figure.alt = f"{title or 'Widths of intervals'}, points. {'; '.join(told)}."
    return figure


def paired_draws(mine: Tensor, baseline: Tensor, names: tuple[str, str], title: str = "") -> DescribedFigure:
    """Draw two scores' AuPRC in many draws of the images: both at once, then their difference.

    Args:
        mine: fractions, (R,).
        baseline: likewise; entry r of both is from the same drawn images.
        names: of the two scores, mine first.
        title: a line above the panels.
    """
    figure = DescribedFigure("", height=3.9, title=title)
    (pairs, histogram), told = figure.subplots(1, 2), []
    mine, baseline = 100 * mine, 100 * baseline
    ends = min(mine.min(), baseline.min()).item(), max(mine.max(), baseline.max()).item()
    pairs.plot(baseline, mine, ".", color=BLUE, markersize=4, alpha=0.4)
    pairs.plot(ends, ends, ":", color=GREY, label="equal")
    for values, name, line in ((mine, names[0], pairs.axhspan), (baseline, names[1], pairs.axvspan)):
        low, high = percentile_interval(values)
        line(low, high, color=ORANGE, alpha=0.15, label=f"95 % of {name}: {low:.0f} to {high:.0f} %")
        told.append(f"{name} {low:.0f} to {high:.0f} %")
    pairs.set(xlabel=f"AuPRC of {names[1]}, %", ylabel=f"AuPRC of {names[0]}, %")
    pairs.set_title("a dot: both on the same drawn images", fontsize=10)
    pairs.legend(frameon=False, fontsize=8, loc="upper left")
    difference = mine - baseline
    low, high = percentile_interval(difference)
    label = f"95 %: {low:.1f} to {high:.1f} points"
    histogram.axvspan(low, high, color=ORANGE, alpha=0.15, label=label, zorder=0)
    ends = difference.min().item() - 1e-3, difference.max().item() + 1e-3  # all may be equal
    histogram.hist(difference, bins=40, range=ends, color=BLUE, zorder=2)
    histogram.axvline(0, color="black", linestyle=":", zorder=3)
    histogram.set(xlabel=f"{names[0]} minus {names[1]}, points", yticks=[])
    histogram.set_title("the same dots: their differences", fontsize=10)
    histogram.legend(frameon=False, fontsize=8, loc="upper right")
    told.append(f"difference {low:.1f} to {high:.1f} points")
    figure.alt = f"{title or 'Draws in pairs'}. 95 % of the draws: {'; '.join(told)}."
    return figure
