"""What a protocol makes of a network: one score map, and how far its numbers are from chance."""

from torch import Tensor

from course_lib.data import Sample
from course_lib.lesson.figures.colours import BLUE, ORANGE
from course_lib.lesson.figures.figure import DescribedFigure
from course_lib.lesson.figures.score_maps import draw_scores


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
    figure = DescribedFigure("", 10.0, 2.9, quick=True)
    figure.subplots_adjust(left=0.01, right=0.97, top=0.88, bottom=0.17, wspace=0.42)
    picture, bars = figure.subplots(1, 2, width_ratios=(1, 1))
    draw_scores(picture, scores, sample.target)
    picture.set(xticks=[], yticks=[])
    picture.set_title(f"score of image {sample.name}, light: anomalous", fontsize=10)
    bars.barh(["FPR95 ↓", "AuPRC ↑"], [fpr95, auprc], color=[ORANGE, BLUE])
    bars.vlines([95, chance], [-0.45, 0.55], [0.45, 1.45], color="black", linestyle=":", label="chance")
    bars.set(xlim=(0, 100), xlabel="percent (↑ higher, ↓ lower is better)")
    figure.legend(*bars.get_legend_handles_labels(), frameon=False, fontsize=9, loc="upper right")
    bars.spines[["top", "right"]].set_visible(False)
    figure.alt = (
        f"Score map of image {sample.name}; AuPRC {auprc:.1f} % where chance is {chance:.1f} %, FPR95 "
        f"{fpr95:.1f} % where chance is 95 %."
    )
    return figure
