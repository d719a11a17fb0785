"""What all figures made of pictures share."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

PANEL_WIDTH = 3.2  # inches
MOST_PIXELS = 640  # across a panel; more cannot be seen


def panel_grid(shapes: Sequence[tuple[int, int]], titles: Sequence[str]) -> tuple[Figure, np.ndarray]:
    """Return a figure with a row of empty panels for each picture of (height, width), and its axes."""
    heights = [PANEL_WIDTH * height / width for height, width in shapes]
    figure, axes = plt.subplots(
        len(shapes),
        len(titles),
        figsize=(1.12 * PANEL_WIDTH * len(titles), 1.05 * sum(heights) + 0.7),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    return figure, axes


def show(axis: Axes, values: np.ndarray, **options):
    """Draw a picture or a map, thinned to what a panel can show."""
    return axis.imshow(thinned(values), **options)


def colour_legend(figure: Figure, colours: ListedColormap, names: Sequence[str], columns: int) -> None:
    """Name colours below the panels."""
    patches = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in colours.colors]
    figure.legend(patches, names, loc="outside lower left", ncols=columns, frameon=False)


def thinned(values: np.ndarray, most: int = MOST_PIXELS) -> np.ndarray:
    """Leave out rows and columns that a panel cannot show."""
    step = max(1, -(-max(values.shape[:2]) // most))
    return values[(slice(None, None, step),) * min(values.ndim, 2)]
