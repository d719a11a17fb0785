"""Pieces of other training images, pasted in: what a network is shown of the unknown in outlier exposure."""

import math

import torch
from torch import Tensor

from course_lib.labels import IGNORE, OUTLIER

MOST_PIECES = 3
"""Of strange pieces in one image; each number from 0 on is as likely."""

SMALLEST, LARGEST = 0.04, 0.5
"""The diameter of a piece, as a share of the image's height."""


def paste_pieces(
    image: Tensor, target: Tensor, other_image: Tensor, other_target: Tensor
) -> tuple[Tensor, Tensor]:
    """Paste up to three strange pieces of another image, and in half of all cases an ordinary one.

    A strange piece has other colours and another place than in its own image. An ordinary one keeps both, and
    its labels: an edge of something pasted is then no sign of an outlier. Torch's default generator decides.

    Args:
        image: RGB uint8 (3, H, W).
        target: train ids, 255 where void, uint8 (H, W).
        other_image: of the same shape.
        other_target: its target.

    Returns:
        A new image and a new target: ``OUTLIER`` where a strange piece is, ``IGNORE`` along the edges.

    Source: Hendrycks et al., "Deep Anomaly Detection with Outlier Exposure", ICLR 2019, who take them from
    another data set; pieces of the same one are our own way.
    """
    picture, labels = image.float(), target.clone()
    if torch.rand(()) < 0.5:
        picture, labels = _laid_over(picture, labels, other_image.float(), other_target)
    for _ in range(int(torch.randint(MOST_PIECES + 1, ()))):
        shifts = [int(torch.randint(side, ())) for side in target.shape]
        strange = recoloured(other_image.roll(shifts, dims=(1, 2)))
        picture, labels = _laid_over(picture, labels, strange, torch.full_like(target, OUTLIER))
    return picture.round().to(torch.uint8), labels


def recoloured(image: Tensor) -> Tensor:
    """Return an image (3, H, W), 0 to 255, with its colours exchanged, perhaps inverted, and stretched."""
    colours = image.float()[torch.randperm(3)]
    if torch.rand(()) < 0.3:
        colours = 255 - colours
    contrast, tint = torch.empty(1).uniform_(0.2, 1.6), torch.empty(3).uniform_(0.5, 1.6)
    mean = colours.mean(dim=(1, 2))
    return ((colours - mean.view(3, 1, 1)) * contrast + (mean * tint).view(3, 1, 1)).clamp(0, 255)


def blob(height: int, width: int) -> Tensor:
    """Return a random shape, float (height, width): 1 inside, 0 outside, in between along its edge."""
    diameter = height * SMALLEST * (LARGEST / SMALLEST) ** torch.rand(()).item()
    centre_y, centre_x = height * torch.empty(()).uniform_(0.25, 1), width * torch.rand(())
    turn = 2 * math.pi * torch.rand(())
    down = torch.arange(height).view(-1, 1) - centre_y
    right = torch.arange(width) - centre_x
    along, across = right * turn.cos() + down * turn.sin(), down * turn.cos() - right * turn.sin()
    across = across / torch.empty(()).uniform_(0.35, 1)
    angle, radius = torch.atan2(across, along), torch.ones(height, width)
    for waves in range(1, 6):
        phase = 2 * math.pi * torch.rand(())
        radius += 0.45 / waves * torch.randn(()) * torch.cos(waves * angle + phase)
    reach = radius.clamp(0.15, 1.5) * diameter / 2
    return (reach - torch.hypot(along, across) + 0.5).clamp(0, 1)


def _laid_over(image: Tensor, target: Tensor, other: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return image and target with a blob of another image, and its labels, on top."""
    opaque = blob(*target.shape)
    image = image * (1 - opaque) + other * opaque
    target = torch.where(opaque > 0.5, labels, target)
    return image, target.masked_fill((opaque > 0.1) & (opaque <= 0.5), IGNORE)
