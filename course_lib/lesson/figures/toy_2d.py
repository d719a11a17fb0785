"""Anomaly scores all over the plane, for the toy of ``training.train_on_plane``."""

from collections.abc import Mapping

import torch

from course_lib import scores
from course_lib.lesson.figures.figure import NOTEBOOK_WIDTH, DescribedFigure, score_colours
from course_lib.metrics import average_precision
from course_lib.training import (
    PlaneNetwork,
    PlanePoints,
    score_plane_points,
    score_positions,
    training_title,
)

REACH = 6.0  # of the plane that is drawn, from the middle


def plane_scores(
    networks: Mapping[str, PlaneNetwork], points: PlanePoints, score: str = "msp", quick: bool = False
) -> DescribedFigure:
    """Draw one panel per network: its score everywhere, the known points, and those it never saw.

    Args:
        networks: by the name of their training.
        points: what they learnt from.
        score: a key of ``scores.SCORES``; larger is more anomalous. Each panel has its own range of colours.
        quick: whether to follow a slider: a single network, with its legend at the right.
    """
    size = (8.0, 4.4) if quick else (1.15 * NOTEBOOK_WIDTH, 3.7)
    figure = DescribedFigure("", *size, quick=quick)
    if quick:
        figure.subplots_adjust(left=0.01, right=0.62, top=0.92, bottom=0.02)
    panels = figure.subplots(1, len(networks), sharex=True, sharey=True, squeeze=False)[0]
    described, steps = [], torch.linspace(-REACH, REACH, 121)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    grid = torch.stack([x.flatten(), y.flatten()], dim=1)
    for axis, (training, network) in zip(panels, networks.items(), strict=True):
        auprc = 100 * average_precision(*score_plane_points(network, points, score))
        axis.set_title(f"{training_title(training)}: AuPRC {auprc:.0f} %", fontsize=11)
        described.append(f"{training_title(training)} AuPRC {auprc:.0f} %")
        values, logits = score_positions(network, grid, score).view(x.shape), network(grid)
        image = axis.imshow(values.numpy(), origin="lower", extent=(-REACH, REACH) * 2, cmap=score_colours())
        label = f"{scores.TITLES[score]} (light: anomalous)"
        figure.colorbar(image, ax=axis, location="right" if quick else "bottom", label=label)
        lead = (logits[:, 0] - logits[:, 1]).view(x.shape)
        axis.contour(x.numpy(), y.numpy(), lead.numpy(), levels=[0], colors="white", linestyles="--")
        for known, colour, name in ((0, "#56b4e9", "first class"), (1, "#009e73", "second class")):
            axis.plot(*points.known[points.classes == known].T, "o", markersize=2, color=colour, label=name)
        axis.plot(*points.unknown.T, "x", markersize=4, color="#e69f00", label="unknown, never shown")
        axis.plot([], [], "--", color="#888888", label="border between the classes")
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(True)
    place = {"loc": "center right"} if quick else {"loc": "outside upper center", "ncols": 4}
    figure.legend(*panels[0].get_legend_handles_labels(), frameon=False, **place)
    chance = 100 * len(points.unknown) / (len(points.known) + len(points.unknown))
    figure.alt = (
        f"{scores.TITLES[score]} over the plane with two known classes and an unknown one: "
        f"{', '.join(described)}; chance is {chance:.0f} %."
    )
    return figure
