"""Controls: scores that see no object, and say how far position, colour or nothing at all would get."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from tqdm.auto import tqdm

from course_lib.data import Sample, resize_image
from course_lib.evaluation.settings import COLOUR, CONSTANT, POSITION, Key

LEVELS = 32
"""Colours are told apart by so many levels of red, green and blue."""


@dataclass(frozen=True)
class Controls:
    """Which controls stand beside a network; a constant score always does."""

    mean_maps: dict[Key, Tensor] = field(default_factory=dict)
    """Of ``mean_score_maps``: for each score one that gives every image the same mean map."""
    colours: Tensor | None = None
    """Of ``colour_scores``: a score that looks at the colour of a pixel alone."""

    def maps(self, image: Image.Image, size: tuple[int, int]) -> dict[Key, Tensor]:
        """Return the map of each control for an image; ``size`` is (height, width) of the network's input."""
        found = {(POSITION + name, t): scores for (name, t), scores in self.mean_maps.items()}
        if self.colours is not None:
            found[COLOUR, 1.0] = self.colours[_bins(resize_image(image, size))]
        return found | {(CONSTANT, 1.0): torch.zeros(1, 1)}


def colour_scores(samples: Sequence[Sample], size: tuple[int, int], progress: bool = True) -> Tensor:
    """Return the colour-only score: minus the logarithm of how frequent a colour is in training images.

    Args:
        samples: training images, without anomalies.
        size: (height, width) to which they are resized.
        progress: whether to show a progress bar.

    Returns:
        A table of ``LEVELS`` ** 3 scores; larger is rarer. Neighbouring colours share their counts.
    """
    counts = torch.zeros(LEVELS**3)
    for index in tqdm(range(len(samples)), desc="colour-only", unit="image", disable=not progress):
        bins = _bins(resize_image(samples[index].image, size))
        counts += torch.bincount(bins.flatten(), minlength=LEVELS**3)
    cube = counts.view(1, 1, LEVELS, LEVELS, LEVELS)
    smooth = F.avg_pool3d(cube, kernel_size=3, stride=1, padding=1).flatten()
    smooth += 1e-3  # a colour that no training image holds is the rarest, but not infinitely rare
    return -torch.log(smooth / smooth.sum())


def _bins(image: Image.Image) -> Tensor:
    """Return the number of each pixel's colour, (H, W)."""
    red, green, blue = (torch.from_numpy(np.array(image)).long() * LEVELS // 256).unbind(-1)
    return (red * LEVELS + green) * LEVELS + blue
