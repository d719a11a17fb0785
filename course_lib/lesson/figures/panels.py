"""What all figures made of pictures share."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from course_lib.labels import CLASS_NAMES, PALETTE, VOID_COLOUR
from course_lib.lesson.figures.figure import NOTEBOOK_WIDTH, DescribedFigure

CLASS_COLOURS = ListedColormap([tuple(c / 255 for c in rgb) for rgb in (*PALETTE, VOID_COLOUR)])
"""Of the 19 classes by train id, then of void."""

MOST_PIXELS = 640  # across a panel; more cannot be seen


def panel_grid(
    shapes: Sequence[tuple[int, int]], titles: Sequence[str], alt: str
) -> tuple[DescribedFigure, np.ndarray]:
    """Return a figure with a row of empty panels for each picture of (height, width), and its axes."""
    panel_width = NOTEBOOK_WIDTH / len(titles) / 1.12  # the rest is for gaps and colour bars
    heights = [panel_width * height / width for height, width in shapes]
    figure = DescribedFigure(alt, NOTEBOOK_WIDTH, 1.05 * sum(heights) + 0.9)
    axes = figure.subplots(len(shapes), len(titles), height_ratios=heights, squeeze=False)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    return figure, axes


def show(axis: Axes, values: np.ndarray, **options):
    """Draw a picture or a map, thinned to what a panel can show."""
    return axis.imshow(thinned(values), **options)


def colour_legend(
    figure: DescribedFigure, colours: ListedColormap, names: Sequence[str], columns: int
) -> None:
    """Name colours below the panels."""
    patches = [Patch(color=colour, label=name) for colour, name in zip(colours.colors, names, strict=True)]
    figure.legend(handles=patches, loc="outside lower left", ncols=columns, frameon=False)


def class_legend(figure: DescribedFigure) -> None:
    """Name the 19 classes and void below the panels, in their fixed colours."""
    colour_legend(figure, CLASS_COLOURS, (*CLASS_NAMES, "void"), columns=7)


def thinned(values: np.ndarray, most: int = MOST_PIXELS) -> np.ndarray:
    """Leave out rows and columns that a panel cannot show."""
    step = max(1, -(-max(values.shape[:2]) // most))
    return values[(slice(None, None, step),) * min(values.ndim, 2)]
