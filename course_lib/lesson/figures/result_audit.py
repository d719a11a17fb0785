"""What stands behind pooled numbers: the protocol, and the single images."""

import pandas as pd
from torch import Tensor

from course_lib.data import Sample
from course_lib.evaluation import CHANCE_FPR95
from course_lib.lesson.figures.figure import BLUE, ORANGE, DescribedFigure, seaborn
from course_lib.lesson.figures.images import draw_scores
from course_lib.scores import TITLES


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
    named = images.assign(score=images["score"].map(TITLES))
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
