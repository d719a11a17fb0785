"""The shape of a network: how size and channels change from layer to layer."""

from collections.abc import Sequence

from course_lib.lesson.figures.colours import COLOURS
from course_lib.lesson.figures.figure import NOTEBOOK_WIDTH, DescribedFigure
from course_lib.models import LayerShape


def layer_shapes(shapes: Sequence[LayerShape], title: str = "") -> DescribedFigure:
    """Draw each layer as a bar: as high as its feature map, its channels above it.

    Args:
        shapes: of ``models.layer_shapes``.
        title: a line above the bars.
    """
    listed = ", ".join(f"{s.kind} {s.channels} x {s.height} x {s.width}" for s in shapes)
    figure = DescribedFigure(f"{title or 'Layers'}: {listed}.", NOTEBOOK_WIDTH, 3.2)
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
    axis.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axis.set_title(title)
    return figure
