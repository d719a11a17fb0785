"""What time and memory networks need, and where it goes."""

import math

import matplotlib.ticker
import pandas as pd

from course_lib.lesson.figures.bars import bars
from course_lib.lesson.figures.figure import COLOURS, NOTEBOOK_WIDTH, DescribedFigure, seaborn
from course_lib.models import TITLES
from course_lib.profiling import Ceilings


def time_bars(profiles: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw the time per image of several networks in inference and in training: the paper's Figure 3.

    Args:
        profiles: of ``profiling.profile_table``, one image at a time.
        title: a line above the panels.
    """
    times = {"milliseconds": "inference, ms an image", "training_milliseconds": "training step, ms an image"}
    return _by_network(profiles, times, title or "Time per image")


def memory_bars(profiles: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw the memory of several networks in inference and in training: the paper's Figure 4."""
    memory = {"peak_megabytes": "inference, MB", "training_megabytes": "training step, MB"}
    return _by_network(profiles, memory, title or "Memory beyond the weights")


def _by_network(profiles: pd.DataFrame, columns: dict[str, str], title: str) -> DescribedFigure:
    """Draw columns of a profile that were measured, networks side by side, their heads as groups."""
    heads = {"linear": "cross-entropy", "isomax": "EIML + focal"}  # by what they are trained with
    named = profiles.assign(head=profiles["head"].map(heads), model=profiles["model"].map(TITLES))
    measured = {
        name: named.pivot_table(index="model", columns="head", values=column, sort=False)
        for column, name in columns.items()
        if profiles[column].notna().any()
    }
    return bars(measured, title)


def rooflines(layers: pd.DataFrame, ceilings: Ceilings, title: str = "") -> DescribedFigure:
    """Draw how near each layer comes to what the machine can do.

    Args:
        layers: of ``profiling.roofline``.
        ceilings: of ``profiling.measure_ceilings``.
        title: a line above the figure.
    """
    top, bytes_a_second, ridge = ceilings.giga_macs_per_second, ceilings.gigabytes_per_second, ceilings.ridge
    share = layers["mega_macs"].sum() / layers["milliseconds"].sum() / top
    alt = (
        f"{title or 'Roofline'}: multiply-adds a second against multiply-adds per byte. The machine does "
        f"{top:.0f} G and moves {bytes_a_second:.0f} GB a second; "
        f"the {len(layers)} layers reach {100 * share:.0f} % of the former on average."
    )
    figure = DescribedFigure(alt, 0.75 * NOTEBOOK_WIDTH, 3.8, title)
    axis = figure.subplots()
    low, high = min(layers["intensity"].min(), ridge) / 2, max(layers["intensity"].max(), ridge) * 2
    axis.plot([low, ridge, high], [low * bytes_a_second, top, top], color="black")  # memory, then arithmetic
    axis.text(high, top * 1.06, "limit of arithmetic", ha="right", fontsize=9)
    middle = (low * ridge) ** 0.5
    axis.annotate("limit of memory ", (middle, middle * bytes_a_second), ha="right", va="bottom", fontsize=9)
    axis.set_xlim(left=low / 2.5)
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


def layer_times(layers: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw the fifteen layers that take longest.

    Args:
        layers: of ``profiling.profile_layers``.
        title: a line above the bars.
    """
    longest = layers.nlargest(15, "milliseconds")
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
        gains: columns in which more is better, one panel each, with their titles; three panels in a row.
        label: what the cost is.
    """
    rows = math.ceil(len(gains) / 3)
    figure = DescribedFigure("", height=3.6 * rows)
    fronts, panels = [], figure.subplots(rows, math.ceil(len(gains) / rows), squeeze=False).flat
    for (column, title), axis in zip(gains.items(), panels, strict=False):
        rising = candidates.sort_values([cost, column], ascending=[True, False])
        front = rising[~(rising[column] <= rising[column].cummax().shift())]
        axis.plot(front[cost], front[column], color="0.6", zorder=0)
        for place, row in enumerate(candidates.to_dict("records")):
            look = {"marker": "osDv^P"[place % 6], "color": COLOURS[place % len(COLOURS)], "markersize": 9}
            axis.plot(row[cost], row[column], linestyle="none", label=row["name"], **look)
        axis.set(xlabel=label, title=title)
        axis.margins(0.12)
        fronts.append(f"{' '.join(title.split())}: {', '.join(front['name'])}")
    for axis in panels:  # those that are left
        axis.set_axis_off()
    figure.axes[len(gains) - 1].legend(frameon=False, fontsize=8, bbox_to_anchor=(1.01, 1), loc="upper left")
    figure.alt = f"Not beaten in both {label} and {'; '.join(fronts)}."
    return figure
