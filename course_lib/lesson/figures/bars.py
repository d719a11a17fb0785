"""One bar per class."""

from collections.abc import Mapping

from matplotlib.axes import Axes

from course_lib.labels import CLASS_NAMES
from course_lib.lesson.figures.figure import NOTEBOOK_WIDTH, DescribedFigure
from course_lib.lesson.figures.panels import CLASS_COLOURS


def class_shares(shares: Mapping[str, float], title: str = "", of: str = "all pixels") -> DescribedFigure:
    """Draw how many of the pixels belong to each class and to void.

    Args:
        shares: in percent, by class name or ``void``; a class without pixels gets no bar.
        title: a line above the bars.
        of: what the shares are shares of.
    """
    present = {name: share for name, share in sorted(shares.items(), key=lambda pair: pair[1]) if share > 0}
    listed = ", ".join(f"{name} {share:.1f} %" for name, share in reversed(present.items()))
    figure = DescribedFigure(f"{title or 'Share of pixels'}: {listed}.", 0.75 * NOTEBOOK_WIDTH, 4.6)
    axis = figure.subplots()
    bars = axis.barh(list(present), list(present.values()), color=[_colour(name) for name in present])
    axis.bar_label(bars, [f"{share:.1f}" for share in present.values()], padding=3, fontsize=8)
    axis.set(xlabel=f"percent of {of}", title=title)
    axis.margins(x=0.12, y=0.02)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def class_iou(iou: Mapping[str, float], title: str = "") -> DescribedFigure:
    """Draw the intersection over union of each class.

    Args:
        iou: fractions by class name, of ``metrics.Confusion.iou``.
        title: a line above the bars.
    """
    listed = ", ".join(f"{name} {100 * value:.0f} %" for name, value in iou.items())
    figure = DescribedFigure(f"{title or 'IoU of each class'}: {listed}.", 0.75 * NOTEBOOK_WIDTH, 4.6)
    axis = figure.subplots()
    draw_class_iou(axis, iou)
    figure.suptitle(title)
    return figure


def draw_class_iou(axis: Axes, iou: Mapping[str, float]) -> None:
    """Draw one bar per class, sorted, with the mean above."""
    rising = sorted(iou, key=iou.__getitem__)
    axis.barh(rising, [100 * iou[name] for name in rising], color=[_colour(name) for name in rising])
    mean = 100 * sum(iou.values()) / len(iou)
    axis.axvline(mean, color="black", linestyle="--", linewidth=1)
    axis.set(xlabel="validation IoU in % (higher is better)", xlim=(0, 100), title=f"mean {mean:.1f} %")
    axis.margins(y=0.02)
    axis.spines[["top", "right"]].set_visible(False)


def _colour(name: str) -> tuple[float, ...]:
    """Return the fixed colour of a class; void is black."""
    known = name in CLASS_NAMES
    return CLASS_COLOURS.colors[CLASS_NAMES.index(name) if known else -1]
