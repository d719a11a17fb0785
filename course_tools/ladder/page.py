"""The results page "what works": pictures and tables, from the tables that the command writes."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from course_lib import runtime
from course_lib.lesson import figures, tables
from course_tools.ladder.steps import BASELINE, FINAL, RECIPES

STEPS = (
    "MSP",
    "MaxEntropy",
    "smoothed entropy",
    *(name for name in RECIPES if "neighbours" in name),
)
"""What the picture shows of each network, in this order; the table has all."""

SHORT = "short.md"
"""What of the photographs' ladder the README shows."""

COST = "cost.csv"
"""What ``tests/benchmarks/benchmark_detector.py`` measured, one table after another."""

TITLES = {"camvid": "Photographs (trained on CamVid)", "mini": "Drawn scenes (mini)"}


def write_page(folder: Path, findings: str, how: str, origin: str) -> None:
    """Write the page, and a picture for each profile whose tables are there.

    Args:
        folder: with ``PROFILE_summary.csv`` and ``PROFILE_hindsight.csv``; the page is its ``README.md``.
        findings: what was found, in Markdown.
        how: how it came about, in Markdown.
        origin: day, versions and machine of its tables.
    """
    parts = ["# What works\n", f"## What we found\n\n{findings.strip()}\n"]
    for profile, title in TITLES.items():
        path = folder / f"{profile}_summary.csv"
        if not path.is_file():
            continue
        summary = pd.read_csv(path)
        name = f"{profile}_ladder.png"
        drawn = picture(summary, title)
        drawn.savefig(folder / name, dpi=drawn.dpi)
        rungs = list(dict.fromkeys(zip(summary["network"], summary["step"], strict=True)))
        table = tables.to_markdown(tables.ladder(summary, rungs))
        duels = hindsight(pd.read_csv(folder / f"{profile}_hindsight.csv"))
        parts += [
            f"## {title}: the ladder\n\n![{drawn.alt}]({name})\n\n{table}\n[{path.name}]({path.name}) "
            f"[{profile}_seeds.csv]({profile}_seeds.csv)\n",
            f"## {title}: beside the best of all others, chosen with hindsight\n\n{duels}\n"
            f"[{profile}_hindsight.csv]({profile}_hindsight.csv)\n",
        ]
        if profile == "camvid" and set(zip(summary["network"], summary["step"], strict=True)) >= {
            BASELINE,
            FINAL,
        }:
            runtime.write_atomically(folder / SHORT, short(summary).encode())
    if (folder / COST).is_file():
        parts.append(f"## What it costs\n\n{costs(pd.read_csv(folder / COST))}\n[{COST}]({COST})\n")
    text = "\n".join([*parts, f"## How this came about\n\n{how.strip()}\n\nMade on {origin}.\n"])
    runtime.write_atomically(folder / "README.md", text.encode())


def short(summary: pd.DataFrame) -> str:
    """Return the AuPRC of chance, the baseline and the detector in Markdown, a column per benchmark."""
    sets = list(dict.fromkeys(summary["benchmark"]))
    chosen = {
        name: summary[(summary["network"] == network) & (summary["step"] == step)]
        for name, (network, step) in {"ERFNet, MSP": BASELINE, "the detector of lesson 7": FINAL}.items()
    }
    chance = summary.drop_duplicates("benchmark").set_index("benchmark")["chance"]
    rows = {"chance": chance}
    rows |= {name: found.set_index("benchmark")["auprc"] for name, found in chosen.items()}
    lines = [("AuPRC, %", *sets), ("---",) * (len(sets) + 1)]
    for name, found in rows.items():
        values = (f"{found[one]:.{2 if found[one] < 10 else 1}f}" for one in sets)
        lines.append((name, *values))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def picture(summary: pd.DataFrame, title: str) -> figures.DescribedFigure:
    """Draw the AuPRC of the steps of each network that climbs the ladder, a panel per benchmark.

    Args:
        summary: of ``ladder.ladder``.
        title: a line above the panels.
    """
    climbing = summary[summary["step"].isin(STEPS)].groupby("network")["step"].nunique()
    shown = summary[summary["network"].isin(climbing[climbing > 2].index) & summary["step"].isin(STEPS)]
    return figures.ladder(shown, title)


def costs(frame: pd.DataFrame) -> str:
    """Return milliseconds of an image in Markdown, a row per number of threads, size and way to run it."""
    way = ["threads", "size", "speed"]
    found = frame.pivot_table(index=way, columns="what", values="milliseconds", sort=False)
    lines = [(*way, *found.columns, "detector : ERFNet"), ("---",) * (len(way) + len(found.columns) + 1)]
    for key, row in found.iterrows():
        ratio = row["Lite0, detector"] / row["ERFNet, MSP"]
        lines.append((*map(str, key), *(f"{value:.0f} ms" for value in row), f"{ratio:.2f}"))
    legend = "Medians of 7, in turns. Plain and fast are PyTorch's, onnx is onnxruntime."
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{legend}\n"


def hindsight(duels: pd.DataFrame) -> str:
    """Return the table of ``ladder.with_hindsight`` in Markdown, a row per benchmark and metric."""
    lines: list[Sequence[str]] = [
        ("benchmark", "metric", "chance", "detector", "best other, and its seeds", "better by (points)"),
        ("---",) * 6,
    ]
    for row in duels.itertuples():
        stars = "*" if row.beyond_images else ""
        stars = "**" if stars and row.beyond_seeds is True else stars
        lines.append(
            (
                row.benchmark,
                {"auprc": "AuPRC ↑", "fpr95": "FPR95 ↓"}[row.metric],
                f"{row.chance:.2f}",
                f"{row.final:.1f}",
                f"{row.value:.1f}: {row.opponent} ({row.seeds})",
                f"{row.difference:+.1f}{stars} [{row.difference_low:+.1f}, {row.difference_high:+.1f}]",
            )
        )
    legend = "95 % intervals over images, in pairs; `*` excludes 0, `**` and no seed reaches the other's."
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{legend}\n"
