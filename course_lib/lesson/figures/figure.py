"""What all figures share: an alternative text, colours that everybody can tell apart, legends."""

import base64
import html
import io
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import matplotlib
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from course_lib.labels import CLASS_NAMES, PALETTE, VOID_COLOUR

NOTEBOOK_WIDTH = 10.5
"""Inches that fit into a notebook's column."""

COLOURS = (
    "#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc",
    "#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9",
)  # fmt: skip
"""Seaborn's "colorblind", without the seconds to load seaborn."""

BLUE, ORANGE, GREEN, RED, PURPLE, BROWN, PINK, SILVER, YELLOW, SKY = COLOURS
GREY = "#767676"  # of lines and words beside them: dark enough to be read on white
NORMAL, ANOMALY, VOID = "#30303a", "#e8793a", "#{:02x}{:02x}{:02x}".format(*VOID_COLOUR)

TRAINING_COLOURS = {
    "ce": "black", "void": BROWN, "fl": YELLOW, "ln": SKY, "ln_ce": BLUE, "ln_fl": GREEN,
    "eiml": ORANGE, "eiml_ce": RED, "eiml_fl": PURPLE, "ce_scale10": PINK, "energy": SILVER,
}  # fmt: skip
"""The same colour for a training in every figure."""

CLASS_COLOURS = ListedColormap([tuple(c / 255 for c in rgb) for rgb in (*PALETTE, VOID_COLOUR)])
"""Of the 19 classes by train id, then of void."""


class DescribedFigure(Figure):
    """A figure with an alternative text, shown by notebooks as an image that screen readers can read.

    It does not belong to pyplot: it is shown where it is the last value of a cell, and freed with its name.
    """

    def __init__(
        self,
        alt: str,
        width: float = NOTEBOOK_WIDTH,
        height: float = 3.4,
        title: str = "",
        quick: bool = False,
    ) -> None:
        """Make an empty figure.

        Args:
            alt: what a reader who cannot see the figure should know.
            width: in inches; ``NOTEBOOK_WIDTH`` fills a notebook.
            height: in inches.
            title: a line above all panels.
            quick: whether it has to follow a slider: fewer dots, and panels that stay where they are put.
        """
        dpi, layout = (80, "none") if quick else (110, "constrained")
        super().__init__(figsize=(width, height), dpi=dpi, layout=layout)
        self.alt, self.compression = alt, 1 if quick else 6
        self.suptitle(title)

    def subplots(self, *shape: int, **options: Any) -> Any:
        """Return panels as every figure of matplotlib does, open at the top and at the right."""
        with matplotlib.rc_context({"axes.spines.top": False, "axes.spines.right": False}):
            return super().subplots(*shape, **options)

    def to_html(self) -> str:
        """Return the picture as an image element with its alternative text."""
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=self.dpi, pil_kwargs={"compress_level": self.compression})
        picture = base64.b64encode(file.getvalue()).decode()
        alt = html.escape(self.alt, quote=True)
        return f'<img alt="{alt}" style="max-width: 100%" src="data:image/png;base64,{picture}">'

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        """Return the picture for notebooks and its text for terminals."""
        return {"text/html": self.to_html(), "text/plain": self.alt}


def colour_legend(figure: Figure, colours: Sequence[Any], names: Sequence[str], **options: Any) -> None:
    """Name colours below the panels."""
    options = {"loc": "outside lower left", "ncols": len(names), "frameon": False} | options
    patches = [Patch(color=colour, label=name) for colour, name in zip(colours, names, strict=True)]
    figure.legend(handles=patches, **options)


def class_legend(figure: Figure) -> None:
    """Name the 19 classes and void below the panels, in their fixed colours."""
    colour_legend(figure, CLASS_COLOURS.colors, (*CLASS_NAMES, "void"), ncols=7)


def seaborn() -> ModuleType:
    """Return seaborn, which is loaded when it is first needed: that takes seconds."""
    import seaborn

    return seaborn


def score_colours() -> Colormap:
    """Return the colours of score maps: dark is normal, light is anomalous; readable without colour."""
    return seaborn().color_palette("mako", as_cmap=True)
