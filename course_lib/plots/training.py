"""How a run went."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

LOSS_COLOUR, MIOU_COLOUR = sns.color_palette("colorblind", 2)


def learning_curves(history: list[dict], title: str = "") -> Figure:
    """Draw loss and mean IoU over the epochs, and the IoU of each class at the end.

    Args:
        history: rows of ``training.train``.
        title: a line above the panels.
    """
    frame = pd.DataFrame(history).set_index("epoch")
    figure, (curves, bars) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    curves.plot(frame.index, frame["loss"], color=LOSS_COLOUR)
    curves.set(xlabel="epoch", ylim=(0, None))
    curves.set_ylabel("training loss (lower is better)", color=LOSS_COLOUR)
    right = curves.twinx()
    measured = 100 * frame["miou"].dropna()
    right.plot(measured.index, measured, "o--", markersize=3, color=MIOU_COLOUR)
    right.set(ylim=(0, 100))
    right.set_ylabel("validation mean IoU in % (higher is better)", color=MIOU_COLOUR)
    classes = 100 * frame.filter(regex="^iou_").iloc[-1].dropna().rename(
        lambda name: name.removeprefix("iou_")
    )
    classes.sort_values().plot.barh(ax=bars, color=MIOU_COLOUR)
    bars.set(xlabel="validation IoU in %", xlim=(0, 100), title=f"mean {measured.iloc[-1]:.1f} %")
    figure.suptitle(title)
    return figure
