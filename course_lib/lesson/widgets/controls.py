"""Controls with whole labels, which the keyboard moves."""

import math
from collections.abc import Sequence
from typing import Any

from ipywidgets import Checkbox, FloatLogSlider, FloatSlider, IntSlider, Layout, SelectionSlider

WHOLE = {"description_width": "initial"}
WIDE = Layout(width="30em", margin="2px 2em 2px 0")
TOOLTIP = "tooltip" if IntSlider.class_traits().get("tooltip") else "description_tooltip"
"""What a text under the mouse is called: ipywidgets 8, and 7, which Colab keeps."""


def choice(label: str, options: Sequence[Any], value: Any) -> SelectionSlider:
    """Return a slider over names, or pairs of name and value.

    JupyterLab takes the arrow keys away from a drop-down list, to go from cell to cell; a slider keeps them.
    """
    return SelectionSlider(
        options=options, value=value, description=label, style=WHOLE, layout=WIDE,
        continuous_update=False, **{TOOLTIP: label},
    )  # fmt: skip


def number(label: str, value: float, low: float, high: float, step: float) -> FloatSlider:
    """Return a slider that reports where it was let go."""
    return FloatSlider(
        value, min=low, max=high, step=step, description=label, style=WHOLE, layout=WIDE,
        continuous_update=False, **{TOOLTIP: label},
    )  # fmt: skip


def whole(label: str, value: int, low: int, high: int) -> IntSlider:
    """Return a slider of whole numbers."""
    return IntSlider(
        value, min=low, max=high, description=label, style=WHOLE, layout=WIDE,
        continuous_update=False, **{TOOLTIP: label},
    )  # fmt: skip


def temperature(low: float = 0.25, high: float = 4.0) -> FloatLogSlider:
    """Return a slider where equal ratios are equally long; it starts at 1."""
    return FloatLogSlider(
        1.0, base=2, min=_log2(low), max=_log2(high), step=0.125, description="temperature", style=WHOLE,
        layout=WIDE, readout_format=".3g", continuous_update=False, **{TOOLTIP: "temperature"},
    )  # fmt: skip


def tick(label: str) -> Checkbox:
    """Return a box to tick, empty at first."""
    return Checkbox(False, description=label, indent=False, layout=Layout(width="auto"), **{TOOLTIP: label})


def _log2(value: float) -> float:
    """Return the logarithm to the base 2."""
    return math.log2(value)
