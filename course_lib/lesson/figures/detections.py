"""What a threshold makes of one image."""

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from torch import Tensor

from course_lib.data import Sample
from course_lib.labels import IGNORE
from course_lib.lesson.figures.figure import DescribedFigure
from course_lib.lesson.figures.panels import show
from course_lib.lesson.figures.score_maps import TRUTH_COLOURS, TRUTH_NAMES, draw_scores, draw_truth

OUTCOMES = ("normal, not flagged", "found", "false alarm", "missed", "void")
OUTCOME_COLOURS = ListedColormap(["#30303a", "#56b4e9", "#e69f00", "#f0e442", "#b9b9c4"])
WIDTH = 9.0
"""In inches."""


def detection_panels(sample: Sample, scores: Tensor, threshold: float, name: str) -> DescribedFigure:
    """Draw an image, its truth, a score map and what is flagged; quickly enough to follow a slider.

    Args:
        sample: an image of a benchmark, with its target of 0, 1 and 255.
        scores: (H, W) of the target's size; larger is more anomalous.
        threshold: pixels with this score or more are flagged.
        name: of the score.
    """
    height, width = sample.target.shape
    figure = DescribedFigure("", WIDTH, WIDTH * height / width + 0.95, quick=True)
    figure.subplots_adjust(left=0.01, right=0.93, top=0.94, bottom=0.1, wspace=0.03, hspace=0.12)
    (image, score_map), (truth, flagged) = figure.subplots(2, 2)
    show(image, np.asarray(sample.image.resize((width, height))))
    draw_truth(truth, sample.target)
    draw_scores(score_map, scores, sample.target)
    outcome = outcomes(scores, sample.target, threshold)
    show(flagged, outcome.numpy(), cmap=OUTCOME_COLOURS, vmin=0, vmax=4, interpolation="nearest")
    titles = ("image", "ground truth", f"{name}, light: anomalous", f"flagged from {threshold:.3g} on")
    for axis, title in zip((image, truth, score_map, flagged), titles, strict=True):
        axis.set(xticks=[], yticks=[])
        axis.set_title(title, fontsize=10)
    _legends(figure)
    counts = ", ".join(f"{what} {int((outcome == i).sum())}" for i, what in enumerate(OUTCOMES))
    figure.alt = f"Image {sample.name}, its truth, {name} and what is flagged. Pixels: {counts}."
    return figure


def outcomes(scores: Tensor, target: Tensor, threshold: float) -> Tensor:
    """Return the place in ``OUTCOMES`` of each pixel, int64, the shape of the target."""
    flagged, anomalous = scores >= threshold, target == 1
    outcome = 2 * (flagged & ~anomalous) + (flagged & anomalous) + 3 * (~flagged & anomalous)
    return outcome.masked_fill(target == IGNORE, 4)


def _legends(figure: DescribedFigure) -> None:
    """Name the colours of truth and outcome below the panels."""
    for colours, names, place in (
        (TRUTH_COLOURS, TRUTH_NAMES, "lower left"),
        (OUTCOME_COLOURS, OUTCOMES, "lower right"),
    ):
        patches = [Patch(color=c, label=name) for c, name in zip(colours.colors, names, strict=True)]
        figure.legend(
            handles=patches, loc=place, ncols=len(names), frameon=False, fontsize=8, columnspacing=1
        )
