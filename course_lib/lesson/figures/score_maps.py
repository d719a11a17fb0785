"""Images of anomaly benchmarks with their score maps."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from torch import Tensor

from course_lib.evaluation import Scored
from course_lib.labels import IGNORE
from course_lib.lesson.figures.colours import score_colours
from course_lib.lesson.figures.figure import DescribedFigure
from course_lib.lesson.figures.panels import colour_legend, panel_grid, show, thinned
from course_lib.scores import TITLES

TRUTH_COLOURS = ListedColormap(["#30303a", "#e8793a", "#b9b9c4"])
"""Normal, anomaly, void."""

TRUTH_NAMES = ("normal", "anomaly", "void")


def score_panels(scored: Sequence[Scored], title: str = "", with_truth: bool = True) -> DescribedFigure:
    """Draw image, ground truth and every score map side by side, one row per image.

    Each score map spans its own 1st to 99th percentile over the valid pixels: scores have no common unit.

    Args:
        scored: images with the same scores each.
        title: a line above the panels.
        with_truth: False leaves out a ground truth that nobody knows.

    Raises:
        ValueError: if there is no image.
    """
    if not scored:
        raise ValueError("no image to draw; does the benchmark hold an anomaly?")
    keys = list(scored[0].maps)
    titles = ["image", *(["ground truth"] if with_truth else []), *(_title(*key) for key in keys)]
    names = ", ".join(one.name for one in scored)
    alt = f"{title or 'Score maps'}. For each of {names}: {', '.join(titles)}."
    figure, axes = panel_grid([tuple(one.target.shape) for one in scored], titles, alt)
    for row, one in zip(axes, scored, strict=True):
        _draw(row, one, keys, with_truth)
        row[0].set_ylabel(one.name)
    if with_truth:
        colour_legend(figure, TRUTH_COLOURS, TRUTH_NAMES, columns=3)
    figure.suptitle(title)
    return figure


def _draw(axes: Iterable[Axes], one: Scored, keys: Iterable[tuple[str, float]], with_truth: bool) -> None:
    """Draw an image, its truth and its score maps on as many axes."""
    picture, *others = axes
    height, width = one.target.shape
    show(picture, np.asarray(one.image.resize((width, height))))
    if with_truth:
        draw_truth(others.pop(0), one.target)
    for axis, key in zip(others, keys, strict=True):
        draw_scores(axis, one.maps[key], one.target)


def draw_truth(axis: Axes, target: Tensor) -> None:
    """Draw normal, anomalous and void pixels in fixed colours."""
    indices = target.where(target != IGNORE, 2)
    show(axis, indices.numpy(), cmap=TRUTH_COLOURS, vmin=0, vmax=2, interpolation="nearest")


def draw_scores(axis: Axes, scores: Tensor, target: Tensor) -> None:
    """Draw one score map (H, W) with its own colour bar; void pixels of the target do not set its limits."""
    valid = scores[target != IGNORE]
    valid = valid if len(valid) else scores.flatten()  # all is void
    low, high = np.percentile(thinned(valid.numpy(), most=100_000), [1, 99])
    limits = (low, high) if low < high else (low - 1, high + 1)  # a constant is drawn in the middle colour
    drawn = show(axis, scores.numpy(), cmap=score_colours(), vmin=limits[0], vmax=limits[1])
    bar = axis.figure.colorbar(drawn, cax=axis.inset_axes([1.02, 0, 0.03, 1]), extend="max")
    if low == high:
        bar.set_ticks([low])


def _title(score: str, temperature: float) -> str:
    """Name a score as people write it."""
    name = TITLES[score]
    return name if temperature == 1 else f"{name}, T = {temperature:g}"
