"""Every image of a benchmark by itself: what a pooled number hides."""

import pandas as pd

from course_lib.lesson.figures.colours import seaborn
from course_lib.lesson.figures.figure import NOTEBOOK_WIDTH, DescribedFigure
from course_lib.scores import TITLES


def image_dots(images: pd.DataFrame, title: str = "") -> DescribedFigure:
    """Draw the AuPRC of every image, a row of dots per benchmark and score.

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
    figure = DescribedFigure(alt, NOTEBOOK_WIDTH, 0.9 + 0.75 * benchmarks)
    axis = figure.subplots()
    seaborn().stripplot(
        named, x="auprc", y="benchmark", hue="score", dodge=True, jitter=False, alpha=0.7, size=4,
        palette="colorblind", ax=axis,
    )  # fmt: skip
    axis.set(xlim=(0, 100), xlabel="AuPRC of the image in % (higher is better)", ylabel="")
    for line in range(benchmarks - 1):
        axis.axhline(line + 0.5, color="0.88", linewidth=1, zorder=0)
    axis.legend(frameon=False, fontsize=9, bbox_to_anchor=(1.0, 1.0), loc="upper left")
    axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title)
    return figure
