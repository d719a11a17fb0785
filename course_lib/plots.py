"""Results as figures. Every function returns the figure and never shows it."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.evaluation import Scored
from course_lib.labels import IGNORE

SCORE_COLOURS = sns.color_palette("mako", as_cmap=True)
"""Dark is normal, light is anomalous; readable without colour."""

TRUTH_COLOURS = ListedColormap(["#30303a", "#e8793a", "#b9b9c4"])
"""Normal, anomaly, void."""

TRUTH_NAMES = ("normal", "anomaly", "void")

PANEL_WIDTH = 3.2  # inches
MOST_PIXELS = 640  # across a panel; more cannot be seen


def score_panels(scored: Sequence[Scored], title: str = "") -> Figure:
    """Draw image, ground truth and every score map side by side, one row per image.

    Each score map spans its own 1st to 99th percentile over the valid pixels: scores have no common unit.

    Args:
        scored: images with the same scores each.
        title: a line above the panels.

    Raises:
        ValueError: if there is no image.
    """
    if not scored:
        raise ValueError("no image to draw; does the benchmark hold an anomaly?")
    keys = list(scored[0].maps)
    columns = 2 + len(keys)
    heights = [PANEL_WIDTH * one.target.shape[0] / one.target.shape[1] for one in scored]
    figure, axes = plt.subplots(
        len(scored),
        columns,
        figsize=(1.12 * PANEL_WIDTH * columns, 1.05 * sum(heights) + 0.7),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for row, one in zip(axes, scored, strict=True):
        height, width = one.target.shape
        row[0].imshow(_thinned(np.asarray(one.image.resize((width, height)))))
        row[0].set_ylabel(one.name)
        _draw_truth(row[1], one.target)
        for axis, key in zip(row[2:], keys, strict=True):
            _draw_scores(axis, one.maps[key], one.target)
    titles = ["image", "ground truth", *(_title(*key) for key in keys)]
    for axis, name in zip(axes[0], titles, strict=True):
        axis.set_title(name)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    _truth_legend(figure)
    figure.suptitle(title)
    return figure


def _draw_truth(axis: Axes, target: Tensor) -> None:
    """Draw normal, anomalous and void pixels in fixed colours."""
    indices = target.where(target != IGNORE, 2)
    axis.imshow(_thinned(indices.numpy()), cmap=TRUTH_COLOURS, vmin=0, vmax=2, interpolation="nearest")


def _draw_scores(axis: Axes, scores: Tensor, target: Tensor) -> None:
    """Draw one score map with its own colour bar."""
    valid = scores[target != IGNORE]
    low, high = np.percentile(_thinned(valid.numpy(), most=100_000), [1, 99])
    limits = (low, high) if low < high else (low - 1, high + 1)  # a constant is drawn in the middle colour
    drawn = axis.imshow(_thinned(scores.numpy()), cmap=SCORE_COLOURS, vmin=limits[0], vmax=limits[1])
    bar = axis.figure.colorbar(drawn, cax=axis.inset_axes([1.02, 0, 0.03, 1]))
    if low == high:
        bar.set_ticks([low])


def _truth_legend(figure: Figure) -> None:
    """Name the three colours of the ground truth below the panels."""
    patches = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in TRUTH_COLOURS.colors]
    figure.legend(patches, TRUTH_NAMES, loc="outside lower left", ncols=3, frameon=False)


def _title(score: str, temperature: float) -> str:
    """Name a score as people write it."""
    name = score.replace("_", " ").replace("msp", "MSP")
    return name if temperature == 1 else f"{name}, T = {temperature:g}"


def _thinned(values: np.ndarray, most: int = MOST_PIXELS) -> np.ndarray:
    """Leave out rows and columns that a panel cannot show."""
    step = max(1, -(-max(values.shape[:2]) // most))
    return values[(slice(None, None, step),) * min(values.ndim, 2)]
