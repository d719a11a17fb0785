"""Numbers as bars: of anything by name, of the classes, of the layers of a network."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from course_lib.labels import CLASS_NAMES
from course_lib.lesson.figures.figure import CLASS_COLOURS, COLOURS, NOTEBOOK_WIDTH, DescribedFigure
from course_lib.models import LayerShape


def bars(
    panels: Mapping[str, Mapping[str, float] | pd.Series | pd.DataFrame],
    title: str = "",
    horizontal: bool = False,
    digits: int = 3,
) -> DescribedFigure:
    """Draw numbers as bars, a panel per quantity; every number stands beside its bar.

    Args:
        panels: by the quantity with its unit, the numbers by name. A frame has a row per name and a column
            per group, the same in all panels; groups share a colour, without groups each name has its own.
        title: a line above the panels.
        horizontal: whether the bars lie, so that long names can be read.
        digits: how many of a number are shown.
    """
    frames = {
        what: numbers if isinstance(numbers, pd.DataFrame) else pd.Series(dict(numbers)).to_frame("")
        for what, numbers in panels.items()
    }
    rows = max(len(frame) * max(0.4, 0.16 * len(frame.columns)) for frame in frames.values())
    height = 0.8 + rows if horizontal else 2.9
    figure = DescribedFigure("", height=height, title=title)
    axes = figure.subplots(1, len(frames), sharey=horizontal, squeeze=False)[0]
    told = []
    for axis, (what, frame) in zip(axes, frames.items(), strict=True):
        groups, numbers = len(frame.columns), []
        draw, width = axis.barh if horizontal else axis.bar, 0.8 / groups
        for place, group in enumerate(frame):
            at = np.arange(len(frame)) + (place - (groups - 1) / 2) * width
            colour = COLOURS[place % len(COLOURS)] if groups > 1 else COLOURS[: len(frame)]
            drawn = draw(at, frame[group], 0.9 * width, color=colour, label=group)
            axis.bar_label(drawn, fmt=partial(_short, digits=digits), padding=2, fontsize=9)
        for name, row in frame.iterrows():
            for group, value in row.items():
                numbers.append(f"{name}{f' with {group}' if group else ''} {_short(value, digits)}")
        told.append(f"{what}: {', '.join(numbers)}")
        if horizontal:
            axis.set_yticks(range(len(frame)), frame.index)
            axis.set(xlabel=what, xmargin=0.15)
        else:
            axis.set_xticks(range(len(frame)), frame.index)
            axis.set(title=what, yticks=[], ymargin=0.15)
            axis.spines["left"].set_visible(False)
    if horizontal:
        axes[0].invert_yaxis()
    if groups > 1:
        handles = axes[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=groups, frameon=False, fontsize=9)
    figure.alt = f"{title}: {'; '.join(told)}." if title else f"{'; '.join(told)}."
    return figure


def _short(value: float, digits: int) -> str:
    """Return a number in some digits, never with an exponent because it is large."""
    return f"{value:.{digits}g}" if abs(value) < 10**digits - 0.5 else f"{value:.0f}"


def class_shares(shares: Mapping[str, float], title: str = "", of: str = "all pixels") -> DescribedFigure:
    """Draw how many of the pixels belong to each class and to void.

    Args:
        shares: in percent, by class name or ``void``; a class without pixels gets no bar.
        title: a line above the bars.
        of: what the shares are shares of.
    """
    present = {name: share for name, share in sorted(shares.items(), key=lambda pair: pair[1]) if share > 0}
    listed = ", ".join(f"{name} {share:.1f} %" for name, share in reversed(present.items()))
    figure = DescribedFigure(f"{title or 'Share of pixels'}: {listed}.", 0.75 * NOTEBOOK_WIDTH, 4.6, title)
    axis = figure.subplots()
    axis.bar_label(_class_bars(axis, present), fmt="{:.1f}", padding=3, fontsize=8)
    axis.set(xlabel=f"percent of {of}", xmargin=0.12)
    return figure


def class_iou(iou: Mapping[str, float], title: str = "") -> DescribedFigure:
    """Draw the intersection over union of each class.

    Args:
        iou: fractions by class name, of ``metrics.Confusion.iou``.
        title: a line above the bars.
    """
    listed = ", ".join(f"{name} {100 * value:.0f} %" for name, value in iou.items())
    figure = DescribedFigure(f"{title or 'IoU of each class'}: {listed}.", 0.75 * NOTEBOOK_WIDTH, 4.6, title)
    draw_class_iou(figure.subplots(), iou)
    return figure


def draw_class_iou(axis: Axes, iou: Mapping[str, float]) -> None:
    """Draw one bar per class, sorted, with the mean above."""
    _class_bars(axis, {name: 100 * iou[name] for name in sorted(iou, key=iou.__getitem__)})
    mean = 100 * sum(iou.values()) / len(iou)
    axis.axvline(mean, color="black", linestyle="--", linewidth=1)
    axis.set(xlabel="validation IoU in % (higher is better)", xlim=(0, 100), title=f"mean {mean:.1f} %")


def _class_bars(axis: Axes, percent: Mapping[str, float]):
    """Draw one bar per class in its fixed colour; void is light grey."""
    numbers = [CLASS_NAMES.index(name) if name in CLASS_NAMES else -1 for name in percent]
    axis.margins(y=0.02)
    return axis.barh(list(percent), list(percent.values()), color=[CLASS_COLOURS.colors[n] for n in numbers])


def layer_shapes(shapes: Sequence[LayerShape], title: str = "") -> DescribedFigure:
    """Draw each layer as a bar: as high as its feature map, its channels above it.

    Args:
        shapes: of ``models.layer_shapes``.
        title: a line above the bars.
    """
    listed = ", ".join(f"{s.kind} {s.channels} x {s.height} x {s.width}" for s in shapes)
    figure = DescribedFigure(f"{title or 'Layers'}: {listed}.", height=3.2, title=title)
    axis = figure.subplots()
    kinds = list(dict.fromkeys(s.kind for s in shapes))
    for kind, colour in zip(kinds, COLOURS, strict=False):
        at = [i for i, s in enumerate(shapes) if s.kind == kind]
        heights = [shapes[i].height for i in at]
        axis.bar(at, heights, bottom=[-h / 2 for h in heights], width=0.85, color=colour, label=kind)
    tallest = max(s.height for s in shapes)
    for i, s in enumerate(shapes):
        axis.text(i, s.height / 2 + tallest / 60, str(s.channels), ha="center", fontsize=8)
        if i == 0 or s.height != shapes[i - 1].height:
            below = -s.height / 2 - tallest / 60
            axis.text(i - 0.4, below, f"{s.height} x {s.width}", va="top", fontsize=7)
    axis.set(xticks=[], yticks=[], xlabel="layer by layer: channels above, height x width of the map below")
    axis.set_ylim(-0.58 * tallest, 0.6 * tallest)
    axis.legend(frameon=False, ncols=len(kinds), loc="lower center", fontsize=9)
    axis.spines[:].set_visible(False)
    return figure
