"""How well a score tells anomalous from normal pixels, threshold by threshold."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from course_lib.lesson.figures.colours import COLOURS, GREY
from course_lib.lesson.figures.figure import NOTEBOOK_WIDTH, DescribedFigure
from course_lib.lesson.figures.score_maps import TRUTH_COLOURS
from course_lib.metrics import average_precision, exact_curve, fpr_at_tpr

NORMAL, ANOMALY = TRUTH_COLOURS.colors[:2]
MOST_POINTS = 2000  # of a curve; more cannot be seen
BINS = 60
FOUND = 0.95  # share of the anomalies that FPR95 asks for


def ranking_curves(scores: Mapping[str, Tensor], is_anomaly: Tensor, title: str = "") -> DescribedFigure:
    """Draw precision against recall, and the true against the false positive rate, beside chance.

    Args:
        scores: by name, valid pixels only, any shape; larger is more anomalous.
        is_anomaly: bool, same shape.
        title: a line above the panels.
    """
    prevalence = is_anomaly.double().mean().item()
    figure = DescribedFigure("", NOTEBOOK_WIDTH, 4.2)
    precision_axis, roc_axis = figure.subplots(1, 2)
    described = []
    for colour, (name, values) in zip(COLOURS, scores.items(), strict=False):
        auprc, fpr95 = 100 * average_precision(values, is_anomaly), 100 * fpr_at_tpr(values, is_anomaly)
        described.append(f"{name} with AuPRC {auprc:.1f} % and FPR95 {fpr95:.1f} %")
        recall, precision, fpr = _points(values, is_anomaly)
        precision_axis.plot(recall, precision, color=colour, label=f"{name}: AuPRC {auprc:.1f} %")
        roc_axis.plot(fpr, recall, color=colour, label=f"{name}: FPR95 {fpr95:.1f} %")
        roc_axis.plot(fpr95, 100 * FOUND, "o", color=colour)
    precision_axis.axhline(
        100 * prevalence, color=GREY, linestyle=":", label=f"chance: {100 * prevalence:.1f} %"
    )
    roc_axis.plot([0, 100], [0, 100], color=GREY, linestyle=":", label="chance: 95 %")
    roc_axis.axhline(100 * FOUND, color=GREY, linewidth=0.8)
    _label(precision_axis, "recall: anomalies found, %", "precision: of the flagged, %")
    _label(roc_axis, "normal pixels flagged, %", "anomalies found, %")
    figure.suptitle(title)
    figure.alt = f"{title or 'Precision-recall and ROC curves'}: {'; '.join(described)}."
    return figure


def _points(scores: Tensor, is_anomaly: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return recall, precision and false positive rate at up to ``MOST_POINTS`` thresholds, percent."""
    curve = exact_curve(scores, is_anomaly)
    kept = np.unique(np.linspace(0, len(curve.true_positives) - 1, MOST_POINTS).astype(int))
    found, alarms = (counts[kept].numpy() for counts in (curve.true_positives, curve.false_positives))
    return (
        100 * found / float(curve.anomalous),
        100 * found / (found + alarms),
        100 * alarms / float(curve.normal),
    )


def _label(axis: Axes, horizontal: str, vertical: str) -> None:
    """Finish a panel whose axes are percent."""
    axis.set(xlabel=horizontal, ylabel=vertical, xlim=(-1, 101), ylim=(-1, 101))
    axis.legend(frameon=False, fontsize=9)
    axis.spines[["top", "right"]].set_visible(False)


def score_densities(scores: Tensor, is_anomaly: Tensor, name: str) -> DescribedFigure:
    """Draw how often each score occurs among normal and among anomalous pixels, each set to the same area.

    Args:
        scores: valid pixels only, any shape; larger is more anomalous.
        is_anomaly: bool, same shape.
        name: of the score, below the axis.
    """
    edges = np.linspace(*np.percentile(scores.numpy(), [0.1, 99.9]), BINS)
    figure = DescribedFigure(
        f"Histograms of {name} for normal and for anomalous pixels, which overlap.", 0.8 * NOTEBOOK_WIDTH, 3.2
    )
    axis = figure.subplots()
    for mask, colour, label in (
        (~is_anomaly, NORMAL, "normal pixels"),
        (is_anomaly, ANOMALY, "anomalous pixels"),
    ):
        axis.hist(scores[mask].numpy(), edges, density=True, color=colour, alpha=0.6, label=label)
    axis.set(xlabel=f"{name} (larger is more anomalous)", ylabel="density", yticks=[])
    axis.legend(frameon=False)
    axis.spines[["top", "right", "left"]].set_visible(False)
    return figure


def ranked_pixels(scores: Tensor, is_anomaly: Tensor) -> DescribedFigure:
    """Draw a handful of pixels in the order of their scores, highest first.

    Args:
        scores: (K,), distinct.
        is_anomaly: bool, (K,).
    """
    order = scores.argsort(descending=True).tolist()
    names = ["anomaly" if is_anomaly[i] else "normal" for i in order]
    listed = ", ".join(f"{scores[i]:g} {name}" for i, name in zip(order, names, strict=True))
    figure = DescribedFigure(f"Pixels from the highest score down: {listed}.", 0.7 * NOTEBOOK_WIDTH, 1.9)
    axis = figure.subplots()
    for position, (index, name) in enumerate(zip(order, names, strict=True)):
        axis.bar(position, 1, width=0.9, color=ANOMALY if name == "anomaly" else NORMAL)
        axis.text(position, 0.5, f"{scores[index]:g}\n{name}", color="white", ha="center", va="center")
    axis.set(xticks=[], yticks=[], ylim=(0, 1))
    axis.set_xlabel("the threshold comes down from the left: one pixel more is flagged at each step")
    axis.spines[["top", "right", "left", "bottom"]].set_visible(False)
    return figure


def chance_levels(auprc: Sequence[float], fpr95: Sequence[float], prevalence: float) -> DescribedFigure:
    """Draw what many random scores reach, beside what chance predicts.

    Args:
        auprc: of each random score, a fraction.
        fpr95: of each random score, a fraction.
        prevalence: share of anomalous pixels, a fraction.
    """
    alt = (
        f"Histograms over {len(auprc)} random scores: AuPRC lies around the prevalence, "
        f"{100 * prevalence:.1f} %; FPR95 around 95 %."
    )
    figure = DescribedFigure(alt, NOTEBOOK_WIDTH, 2.9)
    panels = (("AuPRC", auprc, prevalence, "prevalence"), ("FPR95", fpr95, FOUND, "share to be found"))
    for axis, (name, values, expected, what) in zip(figure.subplots(1, 2), panels, strict=True):
        axis.hist(100 * np.asarray(values), bins=20, color=GREY)
        axis.axvline(100 * expected, color=ANOMALY, linewidth=2, label=f"{what}: {100 * expected:.1f} %")
        axis.set(xlabel=f"{name} of a random score, %", ylabel="number of random scores")
        axis.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1))  # not across the bars
        axis.spines[["top", "right"]].set_visible(False)
    return figure
