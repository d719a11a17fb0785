"""How a run went."""

import pandas as pd
from matplotlib.ticker import MaxNLocator

from course_lib.lesson.figures.bars import draw_class_iou
from course_lib.lesson.figures.colours import BLUE, ORANGE
from course_lib.lesson.figures.figure import NOTEBOOK_WIDTH, DescribedFigure

LOSS_COLOUR, MIOU_COLOUR = BLUE, ORANGE


def learning_curves(history: list[dict], title: str = "") -> DescribedFigure:
    """Draw losses and mean IoU over the epochs, and the IoU of each class at the end.

    Args:
        history: rows of ``training.train``.
        title: a line above the panels.
    """
    frame = pd.DataFrame(history).set_index("epoch")
    measured = 100 * frame["miou"].dropna()
    validation = frame["validation_loss"].dropna()
    alt = f"{title or 'A run'}: loss and mean IoU over {len(frame)} epochs, IoU of each class at the end."
    figure = DescribedFigure(alt, NOTEBOOK_WIDTH, 4.2)
    curves, bars = figure.subplots(1, 2)
    curves.plot(frame.index, frame["loss"], color=LOSS_COLOUR, label="training images")
    curves.plot(
        validation.index, validation, "s--", markersize=3, color=LOSS_COLOUR, label="validation images"
    )
    curves.set(xlabel="epoch", ylim=(0, None))
    curves.xaxis.set_major_locator(MaxNLocator(integer=True))
    curves.set_ylabel("loss (lower is better)", color=LOSS_COLOUR)
    curves.legend(frameon=False, fontsize=9, loc="center right")
    right = curves.twinx()
    right.plot(measured.index, measured, "o--", markersize=3, color=MIOU_COLOUR)
    right.set(ylim=(0, 100))
    right.set_ylabel("validation mean IoU in % (higher is better)", color=MIOU_COLOUR)
    last = frame.filter(regex="^iou_").iloc[-1].dropna()
    draw_class_iou(bars, {name.removeprefix("iou_"): iou for name, iou in last.items()})
    figure.suptitle(title)
    return figure
