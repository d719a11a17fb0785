"""What a network takes every pixel for, beside the truth."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from course_lib import scores
from course_lib.evaluation import Segmented
from course_lib.labels import colourise
from course_lib.lesson.figures.figure import DescribedFigure
from course_lib.lesson.figures.panels import class_legend, panel_grid, show
from course_lib.lesson.figures.score_maps import draw_scores


def segmentation_panels(
    segmented: Sequence[Segmented], title: str = "", with_scores: bool = True
) -> DescribedFigure:
    """Draw image, truth, prediction and two score maps side by side, one row per image.

    Args:
        segmented: of ``evaluation.segmented``.
        title: a line above the panels.
        with_scores: whether to draw the score maps.

    Raises:
        ValueError: if there is no image.
    """
    if not segmented:
        raise ValueError("no image to draw; is the data set empty?")
    titles = ["image", "ground truth", "prediction", *(["MSP", "MaxLogit"] if with_scores else [])]
    alt = f"{title or 'Segmentation'}. For each of {len(segmented)} images: {', '.join(titles)}."
    figure, axes = panel_grid([tuple(one.sample.target.shape) for one in segmented], titles, alt)
    for row, one in zip(axes, segmented, strict=True):
        show(row[0], np.asarray(one.sample.image))
        row[0].set_ylabel(one.sample.name.removesuffix("_000000").replace("_", "\n"), fontsize=8)
        for axis, classes in ((row[1], one.sample.target), (row[2], one.predicted)):
            show(axis, colourise(classes).numpy(), interpolation="nearest")
        for axis, scored in zip(row[3:], _score_maps(one) if with_scores else (), strict=True):
            draw_scores(axis, scored, one.sample.target)
    class_legend(figure)
    figure.suptitle(title)
    return figure


def _score_maps(one: Segmented) -> tuple[Tensor, Tensor]:
    """Return MSP and the maximum logit of each pixel, over the known classes."""
    logits, known = one.logits[None], one.known_classes
    return scores.msp(logits, known)[0], scores.max_logit(logits, known)[0]
