"""Figures that say in words what they show."""

import base64
import html
import io

from matplotlib.figure import Figure

DOTS_PER_INCH = 110
NOTEBOOK_WIDTH = 10.5
"""Inches that fit into a notebook's column."""


class DescribedFigure(Figure):
    """A figure with an alternative text, shown by notebooks as an image that screen readers can read.

    It does not belong to pyplot: it is shown where it is the last value of a cell, and freed with its name.
    """

    def __init__(self, alt: str, width: float, height: float) -> None:
        """Make an empty figure.

        Args:
            alt: what a reader who cannot see the figure should know.
            width: in inches; ``NOTEBOOK_WIDTH`` fills a notebook.
            height: in inches.
        """
        super().__init__(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
        self.alt = alt

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        """Return the picture for notebooks and its text for terminals."""
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=DOTS_PER_INCH)
        picture = base64.b64encode(file.getvalue()).decode()
        alt = html.escape(self.alt, quote=True)
        image = f'<img alt="{alt}" style="max-width: 100%" src="data:image/png;base64,{picture}">'
        return {"text/html": image, "text/plain": self.alt}
