"""What a loss asks of a single pixel."""

import torch
from matplotlib.axes import Axes
from torch import Tensor

from course_lib.lesson.figures.colours import BLUE, GREEN, ORANGE, RED
from course_lib.lesson.figures.figure import NOTEBOOK_WIDTH, DescribedFigure
from course_lib.losses import cross_entropy_sum, focal_sum, logit_norm_sum

GAMMAS = {0: BLUE, 1: GREEN, 2: ORANGE, 5: RED}
RIGHT = (2.0, 1.0, 0.0)
"""Logits of a pixel of the first class, of which a network is not very sure."""


def loss_against_length() -> DescribedFigure:
    """Draw cross-entropy and LogitNorm while the logits of a right and of a wrong pixel are made longer."""
    factors = torch.logspace(-1, 1, 60)
    figure = DescribedFigure("", NOTEBOOK_WIDTH, 3.4)
    panels = zip(figure.subplots(1, 2), (0, 2), ("classified right", "classified wrong"), strict=True)
    for axis, true_class, what in panels:
        for name, loss, colour in (
            ("cross-entropy", cross_entropy_sum, BLUE),
            ("LogitNorm, t = 1", lambda *arguments: logit_norm_sum(*arguments, temperature=1), ORANGE),
        ):
            values = [_loss(loss, factor * torch.tensor(RIGHT), true_class) for factor in factors]
            axis.plot(factors, values, color=colour, label=name)
        axis.set(xscale="log", ylim=(0, 5), title=f"a pixel {what}")
        axis.set(xlabel="factor a on its logits (2, 1, 0)", ylabel="loss (lower is better)")
        _finish(axis)
    figure.alt = (
        "Loss against a factor on the logits, from 0.1 to 10. Cross-entropy of a pixel classified right "
        "falls towards 0, that of a wrong one rises without end; LogitNorm is flat in both panels."
    )
    return figure


def focal_against_probability() -> DescribedFigure:
    """Draw the focal loss against the probability of the true class; gamma 0 is the cross-entropy."""
    probabilities = torch.linspace(0.02, 0.98, 97, dtype=torch.float64)
    figure = DescribedFigure("", 0.75 * NOTEBOOK_WIDTH, 3.6)
    axis = figure.subplots()
    at_90 = []
    for gamma, colour in GAMMAS.items():

        def loss(*arguments, gamma=gamma) -> Tensor:
            return focal_sum(*arguments, gamma=gamma)

        values = [_loss(loss, _logits_of(p), 0) for p in probabilities]
        axis.plot(
            probabilities, values, color=colour, label=f"γ = {gamma}" + " (cross-entropy)" * (gamma == 0)
        )
        at_90.append(f"{_loss(loss, _logits_of(torch.tensor(0.9)), 0):.2g} for γ = {gamma}")
    axis.set(
        xlabel="p, probability of the true class", ylabel="loss (lower is better)", xlim=(0, 1), ylim=(0, 4)
    )
    _finish(axis)
    figure.alt = f"Focal loss against the probability of the true class. At 0.9 it is {', '.join(at_90)}."
    return figure


def _logits_of(probability: Tensor) -> Tensor:
    """Return two logits whose softmax gives the first class this probability."""
    return torch.stack([probability.log(), (1 - probability).log()])


def _loss(loss, logits: Tensor, true_class: int) -> float:
    """Return the loss of one pixel."""
    pixel, target = logits.view(1, -1, 1, 1), torch.full((1, 1, 1), true_class)
    return loss(pixel, target, torch.ones(len(logits), dtype=logits.dtype)).item()


def _finish(axis: Axes) -> None:
    """Add the legend and leave out what is not needed."""
    axis.legend(frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
