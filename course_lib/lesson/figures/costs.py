"""What networks cost, side by side."""

from collections.abc import Mapping

from course_lib.lesson.figures.colours import COLOURS
from course_lib.lesson.figures.figure import NOTEBOOK_WIDTH, DescribedFigure
from course_lib.profiling import Cost


def network_costs(costs: Mapping[str, Cost], title: str = "") -> DescribedFigure:
    """Draw parameters, time and memory of several networks, one panel each; less is better.

    Args:
        costs: of ``profiling.cost``, by the name of the network.
        title: a line above the panels.
    """
    panels = {
        "million parameters": [cost.parameters / 1e6 for cost in costs.values()],
        "milliseconds an image": [cost.milliseconds for cost in costs.values()],
        "MB kept to train on an image": [cost.training_megabytes for cost in costs.values()],
    }
    listed = "; ".join(
        f"{what}: " + ", ".join(f"{name} {value:.3g}" for name, value in zip(costs, values, strict=True))
        for what, values in panels.items()
    )
    figure = DescribedFigure(f"{title or 'What networks cost'}: {listed}.", NOTEBOOK_WIDTH, 2.6)
    for axis, (what, values) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        bars = axis.bar(list(costs), values, color=COLOURS[: len(costs)], width=0.6)
        axis.bar_label(bars, [f"{value:.3g}" for value in values], padding=2, fontsize=9)
        axis.set(title=what, yticks=[])
        axis.margins(y=0.15)
        axis.spines[["top", "right", "left"]].set_visible(False)
    figure.suptitle(title)
    return figure
