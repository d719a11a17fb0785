"""Images with their anomalies outlined, beside a mask, score maps or what a network took them for."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from course_lib.data import Sample
from course_lib.evaluation import Segmented, to_size_of
from course_lib.labels import colourise
from course_lib.lesson.figures.figure import DescribedFigure
from course_lib.lesson.figures.panels import class_legend, colour_legend, panel_grid, show
from course_lib.lesson.figures.score_maps import TRUTH_COLOURS, TRUTH_NAMES, draw_scores, draw_truth

OUTLINE = TRUTH_COLOURS.colors[1]


def anomaly_examples(samples: Mapping[str, Sample], title: str = "") -> DescribedFigure:
    """Draw one image per benchmark with its anomalies outlined, beside its mask.

    Args:
        samples: by the name of the benchmark, with targets of 0 normal, 1 anomaly, 255 void.
        title: a line above the panels.
    """
    alt = f"{title or 'Anomalies'}: one image of each of {', '.join(samples)}, its mask beside it."
    masks = [lambda axis, sample=sample: draw_truth(axis, sample.target) for sample in samples.values()]
    figure = _pairs(samples, masks, "mask", alt)
    colour_legend(figure, TRUTH_COLOURS, TRUTH_NAMES, columns=3)
    figure.suptitle(title)
    return figure


def predicted_classes(segmented: Mapping[str, Segmented], title: str = "") -> DescribedFigure:
    """Draw images with their anomalies outlined, beside the class that a network gave every pixel.

    Args:
        segmented: images of a benchmark by a name, of ``evaluation.segmented``.
        title: a line above the panels.
    """
    alt = f"{title or 'Predictions'}: {', '.join(segmented)}, beside each image the classes predicted."
    predictions = [
        lambda axis, one=one: show(axis, colourise(one.predicted).numpy(), interpolation="nearest")
        for one in segmented.values()
    ]
    figure = _pairs({name: one.sample for name, one in segmented.items()}, predictions, "prediction", alt)
    class_legend(figure)
    figure.suptitle(title)
    return figure


def _pairs(
    samples: Mapping[str, Sample], others: Sequence[Callable[[Axes], None]], other: str, alt: str
) -> DescribedFigure:
    """Draw two samples per row, beside each one something else."""
    rows = -(-len(samples) // 2)
    shapes = [tuple(next(iter(samples.values())).target.shape)] * rows
    figure, axes = panel_grid(shapes, [""] * 4, alt)
    figure.set_figheight(figure.get_figheight() + 0.3 * rows + 0.5)  # every row has names; below is a legend
    for axis in axes.flat:
        axis.set_axis_off()
    for (picture, beside), (name, sample), draw in zip(
        axes.reshape(-1, 2), samples.items(), others, strict=False
    ):
        _outlined(picture, sample)
        picture.set_title(name, fontsize=9)
        draw(beside)
        beside.set_title(other, fontsize=9)
    return figure


def show_scores(sample: Sample, scores: Mapping[str, Tensor], title: str = "") -> DescribedFigure:
    """Draw one image with its anomalies outlined, and its score maps.

    Args:
        sample: an image of a benchmark, with its target of 0, 1 and 255.
        scores: by name, (1, h, w) or (h, w) of any size; they are brought to that of the target.
        title: a line above the panels.
    """
    maps = {
        name: to_size_of(sample.target, scored.reshape(scored.shape[-2:])) for name, scored in scores.items()
    }
    columns = 3 if len(maps) == 2 else 2
    rows = -(-(1 + len(maps)) // columns)
    alt = f"{title or f'Image {sample.name}'}: its anomalies outlined, and the scores {', '.join(maps)}."
    figure, axes = panel_grid([tuple(sample.target.shape)] * rows, [""] * columns, alt)
    _outlined(axes.flat[0], sample)
    axes.flat[0].set_title("image, anomaly outlined")
    for axis, (name, scored) in zip(axes.flat[1:], maps.items(), strict=False):
        draw_scores(axis, scored, sample.target)
        _outline(axis, sample.target, linewidth=0.8)
        axis.set_title(name)
    for axis in axes.flat[1 + len(maps) :]:
        axis.set_axis_off()
    figure.suptitle(title)
    return figure


def _outlined(axis: Axes, sample: Sample) -> None:
    """Draw an image with an outline around its anomalous pixels."""
    height, width = sample.target.shape
    show(axis, np.asarray(sample.image.resize((width, height))))
    _outline(axis, sample.target)


def _outline(axis: Axes, target: Tensor, linewidth: float = 1) -> None:
    """Outline the anomalous pixels of a target on what an axis shows."""
    anomalous = (target == 1).numpy().astype(float)
    if anomalous.any():
        step = max(1, -(-max(target.shape) // axis.images[0].get_array().shape[1]))
        axis.contour(anomalous[::step, ::step], levels=[0.5], colors=[OUTLINE], linewidths=linewidth)
