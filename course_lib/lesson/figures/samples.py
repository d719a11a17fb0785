"""Scenes as they are on disk, with what was labelled."""

from collections.abc import Callable, Sequence

import numpy as np

from course_lib.data import Sample
from course_lib.labels import IGNORE, colourise
from course_lib.lesson.figures.figure import DescribedFigure
from course_lib.lesson.figures.panels import class_legend, panel_grid, show

COLUMNS = 3
FADED = 0.82
"""How far labelled pixels are drawn towards white where only void is to be seen."""


def labelled_scenes(samples: Sequence[Sample], title: str = "") -> DescribedFigure:
    """Draw scenes and below each its classes in the Cityscapes palette; void is black.

    Args:
        samples: of a segmentation set, with targets of train ids and 255; the first three are drawn.
        title: a line above the panels.

    Raises:
        ValueError: if there is no sample.
    """

    def classes(sample: Sample) -> np.ndarray:
        return colourise(sample.target).numpy()

    names = [f"scene {n + 1}" for n in range(len(samples[:COLUMNS]))]
    alt = f"{title or 'Road scenes'}: {len(names)} images, and below each one its classes in colour."
    figure = _two_rows(samples, classes, ("image", "train ids"), names, alt)
    class_legend(figure)
    figure.suptitle(title)
    return figure


def void_alone(samples: Sequence[Sample], title: str = "") -> DescribedFigure:
    """Draw images and below each its void pixels, all others faded.

    Args:
        samples: with targets in which 255 is void; the first three are drawn.
        title: a line above the panels.

    Raises:
        ValueError: if there is no sample.
    """

    def faded(sample: Sample) -> np.ndarray:
        picture = np.asarray(sample.image) / 255
        labelled = (sample.target != IGNORE).numpy()[..., None]
        return np.where(labelled, picture + FADED * (1 - picture), picture)

    shares = [100 * (sample.target == IGNORE).double().mean().item() for sample in samples[:COLUMNS]]
    names = [f"{share:.1f} % void" for share in shares]
    alt = f"{title or 'Void'}: {len(names)} images, and below each one what is void: {', '.join(names)}."
    figure = _two_rows(samples, faded, ("image", "void alone"), names, alt)
    figure.suptitle(title)
    return figure


def _two_rows(
    samples: Sequence[Sample],
    below: Callable[[Sample], np.ndarray],
    rows: tuple[str, str],
    names: Sequence[str],
    alt: str,
) -> DescribedFigure:
    """Draw the first images and below each one a picture made from its sample."""
    if not samples:
        raise ValueError("no image to draw; is the data set empty?")
    drawn = samples[:COLUMNS]
    figure, axes = panel_grid([tuple(drawn[0].target.shape)] * 2, names, alt)
    for column, sample in zip(axes.T, drawn, strict=True):
        show(column[0], np.asarray(sample.image))
        show(column[1], below(sample), interpolation="nearest")
    for axis, name in zip(axes[:, 0], rows, strict=True):
        axis.set_ylabel(name)
    return figure
