"""Images beside what belongs to them: labels, predictions, score maps, what a threshold flags."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from torch import Tensor

from course_lib import scores
from course_lib.data import Sample
from course_lib.evaluation import Scored, Segmented, to_size_of
from course_lib.labels import IGNORE, colourise
from course_lib.lesson.figures.figure import (
    ANOMALY,
    NORMAL,
    NOTEBOOK_WIDTH,
    VOID,
    DescribedFigure,
    class_legend,
    colour_legend,
    score_colours,
)

MOST_PIXELS = 640  # across a panel; more cannot be seen
MOST_SCENES = 3

FADED = 0.82
"""How far labelled pixels are drawn towards white where only void is to be seen."""

TRUTH_COLOURS = ListedColormap([NORMAL, ANOMALY, VOID])
TRUTH_NAMES = ("normal", "anomaly", "void")

OUTCOMES = ("normal, not flagged", "found", "false alarm", "missed", "void")
OUTCOME_COLOURS = ListedColormap([NORMAL, "#56b4e9", "#e69f00", "#f0e442", VOID])
DETECTIONS_WIDTH = 9.0
"""In inches."""


class Panel(NamedTuple):
    """One picture of a figure."""

    draw: Callable[[Axes], object]
    """Draws it on an axis."""
    above: str = ""
    left: str = ""


def labelled_scenes(samples: Sequence[Sample], title: str = "") -> DescribedFigure:
    """Draw scenes and below each its classes in the Cityscapes palette; void is black.

    Args:
        samples: of a segmentation set, with targets of train ids and 255; the first three are drawn.
        title: a line above the panels.

    Raises:
        ValueError: if there is no sample.
    """
    drawn = samples[:MOST_SCENES]
    alt = f"{title or 'Road scenes'}: {len(drawn)} images, and below each one its classes in colour."
    names = [f"scene {number}" for number in range(1, len(drawn) + 1)]
    classes = [partial(_draw_classes, classes=sample.target) for sample in drawn]
    figure = _two_rows(drawn, classes, names, "train ids", alt, title)
    class_legend(figure)
    return figure


def void_alone(samples: Sequence[Sample], title: str = "") -> DescribedFigure:
    """Draw images and below each its void pixels, all others faded.

    Args:
        samples: with targets in which 255 is void; the first three are drawn.
        title: a line above the panels.

    Raises:
        ValueError: if there is no sample.
    """

    def faded(axis: Axes, sample: Sample) -> None:
        picture = np.asarray(sample.image) / 255
        labelled = (sample.target != IGNORE).numpy()[..., None]
        _show(axis, np.where(labelled, picture + FADED * (1 - picture), picture), interpolation="nearest")

    drawn = samples[:MOST_SCENES]
    names = [f"{100 * (one.target == IGNORE).double().mean().item():.1f} % void" for one in drawn]
    alt = f"{title or 'Void'}: {len(drawn)} images, and below each one what is void: {', '.join(names)}."
    return _two_rows(drawn, [partial(faded, sample=one) for one in drawn], names, "void alone", alt, title)


def _two_rows(
    samples: Sequence[Sample],
    others: Sequence[Callable[[Axes], object]],
    names: Sequence[str],
    other: str,
    alt: str,
    title: str,
) -> DescribedFigure:
    """Draw images and below each one something else."""
    if not samples:
        raise ValueError("no image to draw; is the data set empty?")
    above = [Panel(partial(_draw_image, sample=one), name) for one, name in zip(samples, names, strict=True)]
    below = [Panel(draw) for draw in others]
    above[0], below[0] = above[0]._replace(left="image"), below[0]._replace(left=other)
    return _drawn([above, below], [tuple(samples[0].target.shape)] * 2, alt, title)


def anomaly_examples(samples: Mapping[str, Sample], title: str = "") -> DescribedFigure:
    """Draw one image per benchmark with its anomalies outlined, beside its mask; two benchmarks in a row.

    Args:
        samples: by the name of the benchmark, with targets of 0 normal, 1 anomaly, 255 void.
        title: a line above the panels.
    """
    alt = f"{title or 'Anomalies'}: one image of each of {', '.join(samples)}, its mask beside it."
    masks = [Panel(partial(draw_truth, target=sample.target), "mask") for sample in samples.values()]
    figure = _drawn(*_pairs(samples, masks), alt, title)
    colour_legend(figure, TRUTH_COLOURS.colors, TRUTH_NAMES)
    return figure


def predicted_classes(segmented: Mapping[str, Segmented], title: str = "") -> DescribedFigure:
    """Draw images with their anomalies outlined, beside the class that a network gave every pixel.

    Args:
        segmented: images of a benchmark by a name, of ``evaluation.segmented``.
        title: a line above the panels.
    """
    alt = f"{title or 'Predictions'}: {', '.join(segmented)}, beside each image the classes predicted."
    samples = {name: one.sample for name, one in segmented.items()}
    predicted = [partial(_draw_classes, classes=one.predicted) for one in segmented.values()]
    figure = _drawn(*_pairs(samples, [Panel(draw, "prediction") for draw in predicted]), alt, title)
    class_legend(figure)
    return figure


def _pairs(
    samples: Mapping[str, Sample], others: Sequence[Panel]
) -> tuple[list[list[Panel]], list[tuple[int, int]]]:
    """Return rows of two samples, each with its other panel at its right, and the shape of each row."""
    panels = []
    for (name, sample), other in zip(samples.items(), others, strict=True):
        panels += [Panel(partial(_draw_outlined, sample=sample), name), other]
    rows = [panels[i : i + 4] for i in range(0, len(panels), 4)]
    return rows, [tuple(next(iter(samples.values())).target.shape)] * len(rows)


def show_scores(sample: Sample, scores: Mapping[str, Tensor], title: str = "") -> DescribedFigure:
    """Draw one image with its anomalies outlined, and its score maps.

    Args:
        sample: an image of a benchmark, with its target of 0, 1 and 255.
        scores: by name, (1, h, w) or (h, w) of any size; they are brought to that of the target.
        title: a line above the panels.
    """

    def draw(axis: Axes, scored: Tensor) -> None:
        draw_scores(axis, to_size_of(sample.target, scored.reshape(scored.shape[-2:])), sample.target)
        _outline(axis, sample.target, linewidth=0.8)

    alt = f"{title or f'Image {sample.name}'}: its anomalies outlined, and the scores {', '.join(scores)}."
    panels = [Panel(partial(_draw_outlined, sample=sample), "image, anomaly outlined")]
    panels += [Panel(partial(draw, scored=scored), name) for name, scored in scores.items()]
    columns = 3 if len(panels) == 3 else 2
    rows = [panels[i : i + columns] for i in range(0, len(panels), columns)]
    return _drawn(rows, [tuple(sample.target.shape)] * len(rows), alt, title)


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
    names = ["image", *(["ground truth"] if with_truth else []), *(_title(*key) for key in scored[0].maps)]
    rows = []
    for one in scored:
        drawn = [partial(_draw_image, sample=Sample(one.name, one.image, one.target))]
        drawn += [partial(draw_truth, target=one.target)] * with_truth
        drawn += [partial(draw_scores, scores=one.maps[key], target=one.target) for key in scored[0].maps]
        rows.append((one.name, drawn))
    alt = f"{title or 'Score maps'}. For each of {', '.join(one.name for one in scored)}: {', '.join(names)}."
    figure = _drawn(_named(rows, names), [tuple(one.target.shape) for one in scored], alt, title)
    if with_truth:
        colour_legend(figure, TRUTH_COLOURS.colors, TRUTH_NAMES)
    return figure


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
    names = ["image", "ground truth", "prediction", *(["MSP", "MaxLogit"] if with_scores else [])]
    rows = []
    for one in segmented:
        drawn = [partial(_draw_image, sample=one.sample)]
        drawn += [partial(_draw_classes, classes=classes) for classes in (one.sample.target, one.predicted)]
        for score in (scores.msp, scores.max_logit) if with_scores else ():
            scored = score(one.logits[None], one.known_classes)[0]
            drawn.append(partial(draw_scores, scores=scored, target=one.sample.target))
        rows.append((one.sample.name.removesuffix("_000000").replace("_", "\n"), drawn))
    alt = f"{title or 'Segmentation'}. For each of {len(segmented)} images: {', '.join(names)}."
    figure = _drawn(_named(rows, names), [tuple(one.sample.target.shape) for one in segmented], alt, title)
    class_legend(figure)
    return figure


def _named(
    rows: Iterable[tuple[str, Sequence[Callable[[Axes], object]]]], names: Sequence[str]
) -> list[list[Panel]]:
    """Return rows of panels, with names above the first row and the name of each row at its left."""
    found = []
    for left, drawn in rows:
        found.append([Panel(draw, "" if found else above) for draw, above in zip(drawn, names, strict=True)])
        found[-1][0] = found[-1][0]._replace(left=left)
    return found


def detection_panels(sample: Sample, scores: Tensor, threshold: float, name: str) -> DescribedFigure:
    """Draw an image, its truth, a score map and what is flagged; quickly enough to follow a slider.

    Args:
        sample: an image of a benchmark, with its target of 0, 1 and 255.
        scores: (H, W) of the target's size; larger is more anomalous.
        threshold: pixels with this score or more are flagged.
        name: of the score.
    """
    height, width = sample.target.shape
    size = DETECTIONS_WIDTH, DETECTIONS_WIDTH * height / width + 0.95
    figure = DescribedFigure("", *size, quick=True)
    figure.subplots_adjust(left=0.01, right=0.93, top=0.94, bottom=0.1, wspace=0.03, hspace=0.12)
    (image, score_map), (truth, flagged) = figure.subplots(2, 2)
    _draw_image(image, sample)
    draw_truth(truth, sample.target)
    draw_scores(score_map, scores, sample.target)
    outcome = outcomes(scores, sample.target, threshold)
    _show(flagged, outcome.numpy(), cmap=OUTCOME_COLOURS, vmin=0, vmax=4, interpolation="nearest")
    titles = ("image", "ground truth", f"{name}, light: anomalous", f"flagged from {threshold:.3g} on")
    for axis, title in zip((image, truth, score_map, flagged), titles, strict=True):
        axis.set(xticks=[], yticks=[])
        axis.set_title(title, fontsize=10)
    small = {"fontsize": 8, "columnspacing": 1}
    colour_legend(figure, TRUTH_COLOURS.colors, TRUTH_NAMES, "lower left", **small)
    colour_legend(figure, OUTCOME_COLOURS.colors, OUTCOMES, "lower right", **small)
    counts = ", ".join(f"{what} {int((outcome == i).sum())}" for i, what in enumerate(OUTCOMES))
    figure.alt = f"Image {sample.name}, its truth, {name} and what is flagged. Pixels: {counts}."
    return figure


def outcomes(scores: Tensor, target: Tensor, threshold: float) -> Tensor:
    """Return the place in ``OUTCOMES`` of each pixel, int64, the shape of the target."""
    flagged, anomalous = scores >= threshold, target == 1
    outcome = 2 * (flagged & ~anomalous) + (flagged & anomalous) + 3 * (~flagged & anomalous)
    return outcome.masked_fill(target == IGNORE, 4)


def draw_truth(axis: Axes, target: Tensor) -> None:
    """Draw normal, anomalous and void pixels in fixed colours."""
    indices = target.where(target != IGNORE, 2)
    _show(axis, indices.numpy(), cmap=TRUTH_COLOURS, vmin=0, vmax=2, interpolation="nearest")


def draw_scores(axis: Axes, scores: Tensor, target: Tensor) -> None:
    """Draw one score map (H, W) with its own colour bar; void pixels of the target do not set its limits."""
    valid = scores[target != IGNORE]
    valid = valid if len(valid) else scores.flatten()  # all is void
    low, high = np.percentile(_thinned(valid.numpy(), most=100_000), [1, 99])
    limits = (low, high) if low < high else (low - 1, high + 1)  # a constant is drawn in the middle colour
    drawn = _show(axis, scores.numpy(), cmap=score_colours(), vmin=limits[0], vmax=limits[1])
    bar = axis.figure.colorbar(drawn, cax=axis.inset_axes([1.02, 0, 0.03, 1]), extend="max")
    if low == high:
        bar.set_ticks([low])


def _draw_image(axis: Axes, sample: Sample) -> None:
    """Draw an image at the size of its target."""
    height, width = sample.target.shape
    _show(axis, np.asarray(sample.image.resize((width, height))))


def _draw_classes(axis: Axes, classes: Tensor) -> None:
    """Draw train ids (H, W) in the fixed colours of their classes."""
    _show(axis, colourise(classes).numpy(), interpolation="nearest")


def _draw_outlined(axis: Axes, sample: Sample) -> None:
    """Draw an image with an outline around its anomalous pixels."""
    _draw_image(axis, sample)
    _outline(axis, sample.target)


def _outline(axis: Axes, target: Tensor, linewidth: float = 1) -> None:
    """Outline the anomalous pixels of a target on what an axis shows."""
    anomalous = (target == 1).numpy().astype(float)
    if anomalous.any():
        step = max(1, -(-max(target.shape) // axis.images[0].get_array().shape[1]))
        axis.contour(anomalous[::step, ::step], levels=[0.5], colors=[ANOMALY], linewidths=linewidth)


def _drawn(
    rows: Sequence[Sequence[Panel]], shapes: Sequence[tuple[int, int]], alt: str, title: str
) -> DescribedFigure:
    """Return a figure with rows of panels, each row as high as pictures of its (height, width) need."""
    columns = max(map(len, rows))
    panel_width = NOTEBOOK_WIDTH / columns / 1.12  # the rest is for gaps and colour bars
    heights = [panel_width * height / width for height, width in shapes]
    names = sum(any(panel.above for panel in row) for row in rows)
    figure = DescribedFigure(alt, height=1.05 * sum(heights) + 0.3 * names + 0.8, title=title)
    axes = figure.subplots(len(rows), columns, height_ratios=heights, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axes_of_row, row in zip(axes, rows, strict=True):
        for axis, panel in zip(axes_of_row, row, strict=False):
            axis.set_axis_on()
            axis.spines[:].set_visible(True)
            axis.set(xticks=[], yticks=[])
            axis.set_title(panel.above, fontsize=10)
            axis.set_ylabel(panel.left, fontsize=9)
            panel.draw(axis)
    return figure


def _show(axis: Axes, values: np.ndarray, **options):
    """Draw a picture or a map, thinned to what a panel can show."""
    return axis.imshow(_thinned(values), **options)


def _thinned(values: np.ndarray, most: int = MOST_PIXELS) -> np.ndarray:
    """Leave out rows and columns that a panel cannot show."""
    step = max(1, -(-max(values.shape[:2]) // most))
    return values[(slice(None, None, step),) * min(values.ndim, 2)]


def _title(score: str, temperature: float) -> str:
    """Name a score as people write it."""
    return scores.TITLES[score] + ("" if temperature == 1 else f", T = {temperature:g}")
