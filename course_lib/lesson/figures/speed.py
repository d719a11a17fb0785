"""What time and memory networks need, and where it goes."""

import matplotlib.ticker
import pandas as pd
from matplotlib.axes import Axes

from course_lib.lesson.figures.colours import COLOURS, seaborn
from course_lib.lesson.figures.figure import NOTEBOOK_WIDTH, DescribedFigure
from course_lib.models import TITLES
from course_lib.profiling import Ceilings

HEADS = {"linear": "cross-entropy", "isomax": "EIML + focal"}
"""How the figures call the two heads: by what they are trained with."""

TIMES = {"milliseconds": "inference, ms an image", "training_milliseconds": "training step, ms an image"}
MEMORY = {"peak_megabytes": "inference, MB", "training_megabytes": "training step, MB"}


def time_bars(profiles: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw the time per image of several networks in inference and in training: the paper's Figure 3.

    Args:
        profiles: of ``profiling.profile_table``, one image at a time.
        title: a line above the panels.
    """
    return _bars(profiles, TIMES, title or "Time per image")


def memory_bars(profiles: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw the memory of several networks in inference and in training: the paper's Figure 4."""
    return _bars(profiles, MEMORY, title or "Memory beyond the weights")


def _bars(profiles: pd.DataFrame, panels: dict[str, str], title: str) -> DescribedFigure:
    shown = {column: name for column, name in panels.items() if profiles[column].notna().any()}
    listed = "; ".join(
        f"{name}: "
        + ", ".join(f"{TITLES[r.model]} with {HEADS[r.head]} {getattr(r, column):.3g}" for r in rows)
        for column, name in shown.items()
        for rows in [list(profiles.itertuples())]
    )
    figure = DescribedFigure(f"{title}: {listed}.", NOTEBOOK_WIDTH, 3.2)
    axes = figure.subplots(1, len(shown), squeeze=False)[0]
    named = profiles.assign(head=profiles["head"].map(HEADS), model=profiles["model"].map(TITLES))
    for axis, (column, name) in zip(axes, shown.items(), strict=True):
        seaborn().barplot(named, x="model", y=column, hue="head", ax=axis, palette="colorblind", width=0.7)
        for bars in axis.containers:
            axis.bar_label(bars, fmt="{:.3g}", padding=2, fontsize=9)
        axis.set(title=name, xlabel="", ylabel="", yticks=[])
        axis.margins(y=0.15)
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.legend(frameon=False, fontsize=9)
    for axis in axes[:-1]:
        axis.get_legend().remove()
    figure.suptitle(title)
    return figure


def speed_and_error(profiles: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw what each speed gains over plain inference and what it changes.

    Args:
        profiles: of ``profiling.profile_table``, one network at several speeds, ``plain`` among them.
        title: a line above the panels.
    """
    plain = profiles.loc[profiles["speed"] == "plain", "milliseconds"].iloc[0]
    gains = profiles.assign(times=plain / profiles["milliseconds"], other=100 - profiles["same_class"])
    listed = ", ".join(f"{r.speed} {r.times:.2f} times, {r.other:.2g} %" for r in gains.itertuples())
    alt = f"{title or 'Speed'}: how many times faster, and percent of pixels of another class: {listed}."
    figure = DescribedFigure(alt, NOTEBOOK_WIDTH, 0.6 + 0.4 * len(gains))
    left, right = figure.subplots(1, 2, sharey=True)
    colours = COLOURS[: len(gains)]
    for axis, column, label in (
        (left, "times", "times as fast as plain"),
        (right, "other", "% of the pixels get another class"),
    ):
        bars = axis.barh(gains["speed"], gains[column], color=colours)
        axis.bar_label(bars, fmt="{:.3g}", padding=3, fontsize=9)
        axis.set(xlabel=label)
        axis.margins(x=0.15)
        axis.spines[["top", "right"]].set_visible(False)
    left.invert_yaxis()
    figure.suptitle(title)
    return figure


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
    figure = DescribedFigure(alt, 0.75 * NOTEBOOK_WIDTH, 3.8)
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
    figure.suptitle(title)
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
    figure = DescribedFigure(alt, NOTEBOOK_WIDTH, 0.8 + 0.25 * len(longest))
    axis = figure.subplots()
    seaborn().barplot(
        longest, x="milliseconds", y="layer", hue="kind", dodge=False, ax=axis, palette="colorblind"
    )
    axis.set(xlabel="milliseconds", ylabel="", title=title)
    axis.legend(frameon=False, loc="lower right")
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def pareto(candidates: pd.DataFrame, cost: str, gains: dict[str, str], label: str) -> DescribedFigure:
    """Draw what candidates give against what they cost; those that no other beats in both are connected.

    Args:
        candidates: one row each, with a column ``name``.
        cost: a column in which less is better.
        gains: columns in which more is better, one panel each, with their titles.
        label: what the cost is.
    """
    fronts = {column: _front(candidates, cost, column) for column in gains}
    listed = "; ".join(f"{title}: {', '.join(fronts[column]['name'])}" for column, title in gains.items())
    figure = DescribedFigure(f"Not beaten in both {label} and {listed}.", NOTEBOOK_WIDTH, 3.6)
    for axis, (column, title) in zip(figure.subplots(1, len(gains)), gains.items(), strict=True):
        axis.plot(fronts[column][cost], fronts[column][column], color="0.6", zorder=0)
        seaborn().scatterplot(
            candidates, x=cost, y=column, hue="name", style="name", s=90, palette="colorblind", ax=axis
        )
        axis.set(xlabel=label, ylabel="", title=title)
        axis.margins(0.12)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False, fontsize=8)
    for axis in figure.axes[:-1]:
        axis.get_legend().remove()
    figure.axes[-1].legend(frameon=False, fontsize=8, bbox_to_anchor=(1.01, 1), loc="upper left")
    return figure


def _front(candidates: pd.DataFrame, cost: str, gain: str) -> pd.DataFrame:
    """Return those that no other beats in both, cheapest first."""
    rising = candidates.sort_values([cost, gain], ascending=[True, False])
    return rising[~(rising[gain] <= rising[gain].cummax().shift())]
