"""Images as they are on disk, with what people labelled."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from course_lib.data import Sample
from course_lib.labels import colourise
from course_lib.plots.figure import DescribedFigure
from course_lib.plots.panels import class_legend, colour_legend, panel_grid, show
from course_lib.plots.score_maps import TRUTH_COLOURS, TRUTH_NAMES, draw_truth

COLUMNS = 3
OUTLINE = "#e8793a"  # of anomalies, as in the truth


def labelled_scenes(samples: Sequence[Sample], title: str = "") -> DescribedFigure:
    """Draw scenes and below each its classes in the Cityscapes palette; void is black.

    Args:
        samples: of a segmentation set, with targets of train ids and 255; the first three are drawn.
        title: a line above the panels.

    Raises:
        ValueError: if there is no sample.
    """
    if not samples:
        raise ValueError("no image to draw; is the data set empty?")
    drawn = samples[:COLUMNS]
    shapes = [tuple(drawn[0].target.shape)] * 2
    alt = f"{title or 'Road scenes'}: {len(drawn)} images, and below each one its classes in colour."
    figure, axes = panel_grid(shapes, [f"scene {n + 1}" for n in range(len(drawn))], alt)
    for column, sample in zip(axes.T, drawn, strict=True):
        show(column[0], np.asarray(sample.image))
        show(column[1], colourise(sample.target).numpy(), interpolation="nearest")
    axes[0, 0].set_ylabel("image")
    axes[1, 0].set_ylabel("train ids")
    class_legend(figure)
    figure.suptitle(title)
    return figure


def anomaly_examples(samples: Mapping[str, Sample], title: str = "") -> DescribedFigure:
    """Draw one image per benchmark with its anomalies outlined, beside its mask.

    Args:
        samples: by the name of the benchmark, with targets of 0 normal, 1 anomaly, 255 void.
        title: a line above the panels.
    """
    alt = f"{title or 'Anomalies'}: one image of each of {', '.join(samples)}, its mask beside it."
    rows = -(-len(samples) // 2)
    shapes = [tuple(next(iter(samples.values())).target.shape)] * rows
    figure, axes = panel_grid(shapes, ["image", "mask"] * 2, alt)
    for axis in axes.flat:
        axis.set_axis_off()
    pairs = axes.reshape(-1, 2)
    for (picture, mask), (name, sample) in zip(pairs, samples.items(), strict=False):
        _outlined(picture, sample)
        picture.text(0, 1.02, name, transform=picture.transAxes, fontsize=8)
        draw_truth(mask, sample.target)
    for axis in axes[0]:
        axis.set_title(axis.get_title(), pad=16)
    colour_legend(figure, TRUTH_COLOURS, TRUTH_NAMES, columns=3)
    figure.suptitle(title)
    return figure


def _outlined(axis: Axes, sample: Sample) -> None:
    """Draw an image with an outline around its anomalous pixels."""
    height, width = sample.target.shape
    show(axis, np.asarray(sample.image.resize((width, height))))
    anomalous = (sample.target == 1).numpy().astype(float)
    if anomalous.any():
        step = max(1, -(-max(height, width) // axis.images[0].get_array().shape[1]))
        axis.contour(anomalous[::step, ::step], levels=[0.5], colors=[OUTLINE], linewidths=1.5)
