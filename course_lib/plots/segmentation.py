"""What a network takes every pixel for, beside the truth."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from torch import Tensor

from course_lib import scores
from course_lib.evaluation import Segmented
from course_lib.labels import CLASS_NAMES, PALETTE, VOID_COLOUR, colourise
from course_lib.plots.panels import colour_legend, panel_grid, show
from course_lib.plots.score_maps import draw_scores

CLASS_COLOURS = ListedColormap([tuple(c / 255 for c in rgb) for rgb in (*PALETTE, VOID_COLOUR)])


def segmentation_panels(segmented: Sequence[Segmented], title: str = "") -> Figure:
    """Draw image, truth, prediction and two score maps side by side, one row per image.

    Args:
        segmented: of ``evaluation.segmented``.
        title: a line above the panels.

    Raises:
        ValueError: if there is no image.
    """
    if not segmented:
        raise ValueError("no image to draw; is the data set empty?")
    titles = ["image", "ground truth", "prediction", "MSP", "max logit"]
    figure, axes = panel_grid([tuple(one.sample.target.shape) for one in segmented], titles)
    for row, one in zip(axes, segmented, strict=True):
        show(row[0], np.asarray(one.sample.image))
        row[0].set_ylabel(one.sample.name.replace("_", "\n"))  # long names would run into each other
        for axis, classes in ((row[1], one.sample.target), (row[2], one.predicted)):
            show(axis, colourise(classes).numpy(), interpolation="nearest")
        for axis, scored in zip(row[3:], _score_maps(one), strict=True):
            draw_scores(axis, scored, one.sample.target)
    colour_legend(figure, CLASS_COLOURS, (*CLASS_NAMES, "void"), columns=10)
    figure.suptitle(title)
    return figure


def _score_maps(one: Segmented) -> tuple[Tensor, Tensor]:
    """Return MSP and the maximum logit of each pixel, over the known classes."""
    logits, known = one.logits[None], one.known_classes
    return scores.msp(logits, known)[0], scores.max_logit(logits, known)[0]
