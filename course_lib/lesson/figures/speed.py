"""What time and memory networks need, and where it goes."""

import itertools

import matplotlib.ticker
import pandas as pd
from matplotlib.axes import Axes

from course_lib.lesson.figures.bars import bars
from course_lib.lesson.figures.figure import COLOURS, NOTEBOOK_WIDTH, DescribedFigure, seaborn
from course_lib.models import TITLES
from course_lib.profiling import Ceilings

HEADS = {"linear": "cross-entropy", "isomax": "EIML + focal"}
"""How the figures call the two heads: by what they are trained with."""

TIMES = {"milliseconds": "inference, ms an image", "training_milliseconds": "training step, ms an image"}
MEMORY = {"peak_megabytes": "inference, MB", "training_megabytes": "training step, MB"}
MARKERS = "osDv^P"


def time_bars(profiles: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw the time per image of several networks in inference and in training: the paper's Figure 3.

    Args:
        profiles: of ``profiling.profile_table``, one image at a time.
        title: a line above the panels.
    """
    return _by_network(profiles, TIMES, title or "Time per image")


def memory_bars(profiles: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw the memory of several networks in inference and in training: the paper's Figure 4."""
    return _by_network(profiles, MEMORY, title or "Memory beyond the weights")


def _by_network(profiles: pd.DataFrame, columns: dict[str, str], title: str) -> DescribedFigure:
    """Draw columns of a profile that were measured, networks side by side, their heads as groups."""
    named = profiles.assign(head=profiles["head"].map(HEADS), model=profiles["model"].map(TITLES))
    shown = {column: name for column, name in columns.items() if profiles[column].notna().any()}
    by_name = {
        name: named.pivot_table(index="model", columns="head", values=column, sort=False)
        for column, name in shown.items()
    }
    return bars(by_name, title)


def rooflines(layers: pd.DataFrame, ceilings: Ceilings, title: str = "") -> DescribedFigure:
    """Draw how near each layer comes to what the machine can do.

    Args:
        layers: of ``profiling.roofline``.
        ceilings: of ``profiling.measure_ceilings``.
        title: a line above the figure.
    """
    share = (layers["mega_macs"].sum() / layers["milliseconds"].sum()) / ceilings.giga_macs_per_second
    alt = (
        f"{title or 'Roofline'}: multiply-adds a second against multiply-adds per byte. The machine does "
        f"{ceilings.giga_macs_per_second:.0f} G and moves {ceilings.gigabytes_per_second:.0f} GB a second; "
        f"the {len(layers)} layers reach {100 * share:.0f} % of the former on average."
    )
    figure = DescribedFigure(alt, 0.75 * NOTEBOOK_WIDTH, 3.8, title)
    axis = figure.subplots()
    _roof(axis, ceilings, layers["intensity"].min() / 2, layers["intensity"].max() * 2)
    seaborn().scatterplot(
        layers, x="intensity", y="giga_macs_per_second", size="milliseconds", hue="kind",
        sizes=(15, 180), alpha=0.7, palette="colorblind", ax=axis,
    )  # fmt: skip
    axis.set(xscale="log", yscale="log", xlabel="multiply-adds per byte", ylabel="10⁹ multiply-adds a second")
    for axes in (axis.xaxis, axis.yaxis):
        axes.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
        axes.set_major_formatter(matplotlib.ticker.StrMethodFormatter("{x:g}"))
        axes.set_minor_formatter(matplotlib.ticker.NullFormatter())
    axis.legend(frameon=False, fontsize=8, bbox_to_anchor=(1.01, 1), loc="upper left")
    return figure


def _roof(axis: Axes, ceilings: Ceilings, low: float, high: float) -> None:
    """Draw the limit by memory, which rises, and the limit by arithmetic, which is flat."""
    low = min(low, ceilings.ridge / 2)
    high = max(high, ceilings.ridge * 2)
    top = ceilings.giga_macs_per_second
    axis.plot([low, ceilings.ridge, high], [low * ceilings.gigabytes_per_second, top, top], color="black")
    axis.text(high, top * 1.06, "limit of arithmetic", ha="right", fontsize=9)
    middle = (low * ceilings.ridge) ** 0.5
    height = middle * ceilings.gigabytes_per_second
    axis.annotate("limit of memory ", (middle, height), ha="right", va="bottom", fontsize=9)
    axis.set_xlim(left=low / 2.5)


def layer_times(layers: pd.DataFrame, title: str = "", most: int = 15) -> DescribedFigure:
    """Draw the layers that take longest.

    Args:
        layers: of ``profiling.profile_layers``.
        title: a line above the bars.
        most: how many layers to show.
    """
    longest = layers.nlargest(most, "milliseconds")
    share = longest["milliseconds"].sum() / layers["milliseconds"].sum()
    first = longest.iloc[0]
    alt = (
        f"{title or 'Layers'}: the {len(longest)} slowest of {len(layers)} layers take "
        f"{100 * share:.0f} % of the time; first {first['layer']} with {first['milliseconds']:.1f} ms."
    )
    figure = DescribedFigure(alt, height=0.8 + 0.25 * len(longest), title=title)
    axis = figure.subplots()
    seaborn().barplot(
        longest, x="milliseconds", y="layer", hue="kind", dodge=False, ax=axis, palette="colorblind"
    )
    axis.set(xlabel="milliseconds", ylabel="")
    axis.legend(frameon=False, loc="lower right")
    return figure


def pareto(candidates: pd.DataFrame, cost: str, gains: dict[str, str], label: str) -> DescribedFigure:
    """Draw what candidates give against what they cost; those that no other beats in both are connected.

    Args:
        candidates: one row each, with a column ``name``.
        cost: a column in which less is better.
        gains: columns in which more is better, one panel each, with their titles.
        label: what the cost is.
    """
    figure = DescribedFigure("", height=3.6)
    fronts = []
    for axis, (column, title) in zip(figure.subplots(1, len(gains)), gains.items(), strict=True):
        rising = candidates.sort_values([cost, column], ascending=[True, False])
        front = rising[~(rising[column] <= rising[column].cummax().shift())]
        axis.plot(front[cost], front[column], color="0.6", zorder=0)
        for row, marker, colour in zip(
            candidates.to_dict("records"), itertools.cycle(MARKERS), itertools.cycle(COLOURS), strict=False
        ):
            axis.plot(row[cost], row[column], marker, color=colour, markersize=9, label=row["name"])
        axis.set(xlabel=label, title=title)
        axis.margins(0.12)
        fronts.append(f"{title}: {', '.join(front['name'])}")
    figure.axes[-1].legend(frameon=False, fontsize=8, bbox_to_anchor=(1.01, 1), loc="upper left")
    figure.alt = f"Not beaten in both {label} and {'; '.join(fronts)}."
    return figure
