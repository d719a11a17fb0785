"""Controls around a plain function: it is called once where nothing moves, and at every change elsewhere."""

import html
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ipywidgets import (
    HTML,
    Box,
    Checkbox,
    FloatLogSlider,
    IntSlider,
    Layout,
    SelectionSlider,
    ValueWidget,
    VBox,
)

from course_lib.lesson.figures import DescribedFigure

WIDGET = "application/vnd.jupyter.widget-view+json"

STILL = "An explorer, as it starts. In JupyterLab its controls move, and numbers and picture follow:"
"""What a page without a kernel says of it."""

TOOLTIP = "tooltip" if IntSlider.class_traits().get("tooltip") else "description_tooltip"
"""What a text under the mouse is called: ipywidgets 8, and 7, which Colab keeps."""


class View(NamedTuple):
    """What an explorer shows for some values of its controls."""

    figure: DescribedFigure
    numbers: Mapping[str, str]
    """By what they are, with their units."""


class Explorer:
    """Controls, the numbers below them, and the picture below these.

    In a live notebook it is a widget; on a page of an executed lesson, its first picture and numbers.
    """

    def __init__(self, name: str, controls: Mapping[str, ValueWidget], view: Callable[..., View]) -> None:
        """Draw once.

        Args:
            name: what screen readers call it.
            controls: by the name of the argument of ``view`` that they set.
            view: a plain function of the controls' values.
        """
        self.name, self.controls, self._view = name, dict(controls), view
        self._numbers, self._picture = HTML(), HTML()
        row = Box(list(self.controls.values()), layout=Layout(flex_flow="row wrap"))
        self.widget = VBox([row, self._numbers, self._picture])
        for control in self.controls.values():
            control.observe(lambda change: self.redraw(), "value")
        self.redraw()

    def view(self, **values: Any) -> View:
        """Return what it shows for these values; the others are those of the controls."""
        now = {name: control.value for name, control in self.controls.items()}
        return self._view(**now | values)

    def redraw(self) -> None:
        """Show what the controls say; a failure is shown in place of the numbers."""
        try:
            shown = self.view()
        except Exception as error:  # in a callback it would be lost
            self._numbers.value = f'<p role="alert"><strong>{html.escape(str(error))}</strong></p>'
            self._picture.value = ""  # the old one would belong to other values
            return
        self._picture.value = shown.figure.to_html()
        # screen readers read the line out when it changes
        name, line = html.escape(self.name), _in_a_line(shown.numbers)
        self._numbers.value = f'<div role="status" aria-live="polite" aria-label="{name}">{line}</div>'

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        """Return the widget, and what takes its place where widgets do not live."""
        positions = {control.description: _position(control) for control in self.controls.values()}
        above = f"<p><em>{STILL}</em></p><p>{_in_a_line(positions)}</p>"
        still = f"{above}{self._numbers.value}{self._picture.value}"
        live = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        return {WIDGET: live, "text/html": still, "text/plain": self.name}


def _position(control: ValueWidget) -> str:
    """Return where a control stands, in words that a reader of a page understands."""
    if isinstance(control, Checkbox):
        return "yes" if control.value else "no"
    if isinstance(control, SelectionSlider):
        chosen = control.options[control.index]  # its label is empty until it is moved
        return chosen if isinstance(chosen, str) else chosen[0]
    return f"{control.value:g}"


def _in_a_line(values: Mapping[str, str]) -> str:
    """Return names and values, each pair kept together."""
    return "".join(
        f'<span style="white-space: nowrap; margin-right: 1.5em">{html.escape(what)} '
        f"<strong>{html.escape(value)}</strong></span> "
        for what, value in values.items()
    )


def percent(value: float, digits: int = 1) -> str:
    """Return a fraction as people read it; a dash if there is none."""
    return "-" if value != value else f"{100 * value:.{digits}f} %"  # NaN is not equal to itself


def slider(kind: type[ValueWidget], label: str, value: Any, **options: Any) -> Any:
    """Return a slider with a whole label, which reports where it was let go and which the keyboard moves."""
    layout = Layout(width="30em", margin="2px 2em 2px 0")
    options |= {"style": {"description_width": "initial"}, "layout": layout, TOOLTIP: label}
    return kind(value=value, description=label, continuous_update=False, **options)


def choice(label: str, options: Sequence[Any], value: Any) -> SelectionSlider:
    """Return a slider over names, or pairs of name and value.

    JupyterLab takes the arrow keys away from a drop-down list, to go from cell to cell; a slider keeps them.
    """
    return slider(SelectionSlider, label, value, options=options)


def temperature(low: float = 0.25) -> FloatLogSlider:
    """Return a slider up to 4 where equal ratios are equally long; it starts at 1."""
    limits = {"base": 2, "min": math.log2(low), "max": 2, "step": 0.125}
    return slider(FloatLogSlider, "temperature", 1.0, readout_format=".3g", **limits)


def tick(label: str) -> Checkbox:
    """Return a box to tick, empty at first."""
    return Checkbox(False, description=label, indent=False, layout=Layout(width="auto"), **{TOOLTIP: label})
