"""What stands behind printed numbers: shares of pixels, the protocol, the single images."""

import pandas as pd
from torch import Tensor

from course_lib.data import Sample
from course_lib.evaluation import CHANCE_FPR95
from course_lib.lesson.figures.figure import BLUE, ORANGE, DescribedFigure, seaborn
from course_lib.lesson.figures.images import draw_scores
from course_lib.models import TITLES
from course_lib.scores import TITLES as SCORES


def printed_beside_shares(printed: pd.DataFrame, shares: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw printed AuPRCs as dots, and the shares of pixels that chance would give as lines.

    Args:
        printed: columns model, benchmark, auprc in percent.
        shares: by benchmark prevalence and prevalence_with_void, in percent.
        title: a line above the panels.
    """
    figure = DescribedFigure("", height=2.8, title=title)
    axes = figure.subplots(1, len(shares), sharey=True, squeeze=False)[0]
    described = []
    for axis, (name, row) in zip(axes, shares.iterrows(), strict=True):
        found = printed[printed["benchmark"] == name]
        axis.axvline(row.prevalence, color="black", label="prevalence")
        axis.axvline(row.prevalence_with_void, color="black", linestyle=":", label="with void as anomaly")
        most = 1.15 * max(row.prevalence_with_void, found["auprc"].max())
        models = found["model"].map(TITLES)
        axis.plot(found["auprc"], models, "o", color=ORANGE, markersize=6, clip_on=False, label="printed")
        for model, value in zip(models, found["auprc"], strict=True):
            beside = {"xytext": (-8, 0), "ha": "right"} if value > most / 2 else {"xytext": (8, 0)}
            axis.annotate(f"{value:.2f}", (value, model), textcoords="offset points", va="center", **beside)
        axis.set(title=name, xlabel="AuPRC in %", xlim=(0, most))
        axis.margins(y=0.3)
        described.append(
            f"{name}: prevalence {row.prevalence:.2f}, with void {row.prevalence_with_void:.2f}, printed "
            + ", ".join(f"{value:.2f}" for value in found["auprc"])
        )
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, frameon=False, fontsize=9, loc="outside lower center", ncols=3)
    figure.alt = f"{title or 'Printed AuPRC'}, in percent: {'; '.join(described)}."
    return figure


def mending_steps(steps: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw both metrics after each step, with chance as it is counted then.

    Args:
        steps: one row per step in order: step (what was mended), auprc, fpr95, chance; percent.
        title: a line above the panels.
    """
    listed = "; ".join(
        f"{r.step}: AuPRC {r.auprc:.1f} where chance is {r.chance:.1f}, FPR95 {r.fpr95:.1f}"
        for r in steps.itertuples()
    )
    figure = DescribedFigure(f"{title or 'Step by step'}, in percent. {listed}.", height=3.2, title=title)
    left, right = figure.subplots(1, 2, sharey=True)
    chance_fpr95 = pd.Series(CHANCE_FPR95, steps.index)
    for axis, values, colour, chance in (
        (left, steps["auprc"], BLUE, steps["chance"]),
        (right, steps["fpr95"], ORANGE, chance_fpr95),
    ):
        axis.barh(steps["step"], values, color=colour, height=0.6)
        axis.plot(chance, steps["step"], "|", color="black", markersize=22, markeredgewidth=2, label="chance")
        for y, (value, line) in enumerate(zip(values, chance, strict=True)):
            beside = max(value, line if abs(value - line) < 12 else 0), y
            axis.annotate(f"{value:.1f}", beside, xytext=(6, 0), textcoords="offset points", va="center")
    most = 1.2 * max(steps["auprc"].max(), steps["chance"].max())
    left.set(xlabel="AuPRC in % (higher is better)", xlim=(0, most))
    right.set(xlabel="FPR95 in % (lower is better)", xlim=(0, 119), xticks=range(0, 101, 20))
    left.invert_yaxis()
    figure.legend(*left.get_legend_handles_labels(), frameon=False, fontsize=9, loc="outside lower center")
    return figure


def protocol_panels(
    sample: Sample, scores: Tensor, auprc: float, fpr95: float, chance: float
) -> DescribedFigure:
    """Draw one score map, and both metrics beside chance; quickly enough to follow a click.

    Args:
        sample: an image of a benchmark, with the truth that counts.
        scores: (H, W) of its size; larger is more anomalous.
        auprc: of the whole benchmark, in percent; higher is better.
        fpr95: likewise; lower is better.
        chance: the AuPRC of a score that knows nothing, in percent.
    """
    alt = (
        f"Score map of image {sample.name}; AuPRC {auprc:.1f} % where chance is {chance:.1f} %, FPR95 "
        f"{fpr95:.1f} % where chance is {CHANCE_FPR95:g} %."
    )
    figure = DescribedFigure(alt, 10.0, 2.9, quick=True)
    figure.subplots_adjust(left=0.01, right=0.97, top=0.88, bottom=0.17, wspace=0.42)
    picture, bars = figure.subplots(1, 2)
    draw_scores(picture, scores, sample.target)
    picture.set(xticks=[], yticks=[])
    picture.set_title(f"score of image {sample.name}, light: anomalous", fontsize=10)
    bars.barh(["FPR95 ↓", "AuPRC ↑"], [fpr95, auprc], color=[ORANGE, BLUE])
    lines = {"color": "black", "linestyle": ":", "label": "chance"}
    bars.vlines([CHANCE_FPR95, chance], [-0.45, 0.55], [0.45, 1.45], **lines)
    bars.set(xlim=(0, 100), xlabel="percent (↑ higher, ↓ lower is better)")
    figure.legend(*bars.get_legend_handles_labels(), frameon=False, fontsize=9, loc="upper right")
    return figure


def image_dots(images: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw the AuPRC of every image by itself, which a pooled number hides: a row per benchmark and score.

    Args:
        images: of ``evaluation.per_image``, with a column ``benchmark``; percent.
        title: a line above the dots.
    """
    named = images.assign(score=images["score"].map(SCORES))
    middle = named.groupby(["benchmark", "score"], sort=False)["auprc"].quantile([0.1, 0.5, 0.9]).unstack()
    listed = "; ".join(
        f"{benchmark}, {score}: {row[0.5]:.0f} % ({row[0.1]:.0f} to {row[0.9]:.0f})"
        for (benchmark, score), row in middle.iterrows()
    )
    alt = f"{title or 'AuPRC of every image'}. Median, and what four of five images lie between: {listed}."
    benchmarks = named["benchmark"].nunique()
    figure = DescribedFigure(alt, height=0.9 + 0.75 * benchmarks, title=title)
    axis = figure.subplots()
    seaborn().stripplot(
        named, x="auprc", y="benchmark", hue="score", dodge=True, jitter=False, alpha=0.7, size=4,
        palette="colorblind", ax=axis,
    )  # fmt: skip
    axis.set(xlim=(0, 100), xlabel="AuPRC of the image in % (higher is better)", ylabel="")
    for line in range(benchmarks - 1):
        axis.axhline(line + 0.5, color="0.88", linewidth=1, zorder=0)
    axis.legend(frameon=False, fontsize=9, bbox_to_anchor=(1.0, 1.0), loc="upper left")
    return figure
