"""Figures that say in words what they show."""

import base64
import html
import io

from matplotlib.figure import Figure

DOTS_PER_INCH = 110
QUICK_DOTS_PER_INCH = 80
NOTEBOOK_WIDTH = 10.5
"""Inches that fit into a notebook's column."""


class DescribedFigure(Figure):
    """A figure with an alternative text, shown by notebooks as an image that screen readers can read.

    It does not belong to pyplot: it is shown where it is the last value of a cell, and freed with its name.
    """

    def __init__(self, alt: str, width: float, height: float, quick: bool = False) -> None:
        """Make an empty figure.

        Args:
            alt: what a reader who cannot see the figure should know.
            width: in inches; ``NOTEBOOK_WIDTH`` fills a notebook.
            height: in inches.
            quick: whether it has to follow a slider: fewer dots, and panels that stay where they are put.
        """
        dpi, layout = (QUICK_DOTS_PER_INCH, "none") if quick else (DOTS_PER_INCH, "constrained")
        super().__init__(figsize=(width, height), dpi=dpi, layout=layout)
        self.alt, self.compression = alt, 1 if quick else 6

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
