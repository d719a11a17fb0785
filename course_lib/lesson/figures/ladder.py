"""The ladder of what works: every step of every network, beside chance."""

import pandas as pd

from course_lib.lesson.figures.figure import COLOURS, GREY, DescribedFigure


def ladder(frame: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw the AuPRC of each step as a dot with its interval, a panel per benchmark and a colour per network.

    Args:
        frame: of ``tables.measured(profile, "what_works.summary")``, or some rows of it; steps stand in the
            order in which they come first.
        title: a line above the panels.
    """
    steps, networks = (list(dict.fromkeys(frame[name])) for name in ("step", "network"))
    benchmarks = list(dict.fromkeys(frame["benchmark"]))
    figure = DescribedFigure("", height=1.4 + len(steps) * (0.16 + 0.11 * len(networks)), title=title)
    axes = figure.subplots(1, len(benchmarks), sharey=True, squeeze=False)[0]
    told = []
    for axis, benchmark in zip(axes, benchmarks, strict=True):
        here = frame[frame["benchmark"] == benchmark]
        axis.axvline(here["chance"].iloc[0], color=GREY, linestyle=":", label="chance")
        for place, network in enumerate(networks):
            rows = here[here["network"] == network]
            at = [
                steps.index(step) + 0.7 / len(networks) * (place - (len(networks) - 1) / 2)
                for step in rows["step"]
            ]
            sides = rows["auprc"] - rows["auprc_low"], rows["auprc_high"] - rows["auprc"]
            axis.errorbar(
                rows["auprc"], at, xerr=sides, fmt="o", ms=4, lw=1.2, color=COLOURS[place], label=network
            )
            if len(rows):
                best = rows.loc[rows["auprc"].idxmax()]
                told.append(f"{benchmark}, {network}: {best['auprc']:.3g} at best, {best['step']}")
        axis.set(title=benchmark.removeprefix("mini_"), xlabel="AuPRC in %")
        axis.title.set_fontsize(9)
        axis.set_xlim(left=0)
        axis.locator_params(axis="x", nbins=4)
    axes[0].set_yticks(range(len(steps)), steps)
    axes[0].invert_yaxis()
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=len(networks) + 1, frameon=False, fontsize=9)
    figure.alt = f"{title}: {'; '.join(told)}." if title else f"{'; '.join(told)}."
    return figure
