"""A network with a map at every scale that computes in no time, and detectors of it."""

from typing import ClassVar

import numpy as np
import torch
from PIL import Image
from torch import nn

from course_lib import data, detectors, models
from course_lib.models import Network

SIZE = (64, 96)
METADATA = models.Metadata(
    model="halving", training="ce", seed=0, size=list(SIZE), known_classes=[0, 2, 10, 13]
)


class Halved(nn.Module):
    """A convolution that halves both sides."""

    def __init__(self, in_channels):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 8, 3, stride=2, padding=1)

    def forward(self, x):
        return self.conv(x).relu()


class Halving(Network):
    """Five such convolutions; the classifier reads the second and what the others add to it."""

    size_multiple, feature_channels, classifier_name = 32, 8, "last"
    scale_modules: ClassVar[dict[int, str]] = {4: "steps.1", 8: "steps.2", 16: "steps.3", 32: "steps.4"}

    def __init__(self, num_classes=19):
        super().__init__()
        torch.manual_seed(1)
        self.steps = nn.ModuleList([Halved(3), *(Halved(8) for _ in range(4))])
        self.last = nn.Conv2d(8, num_classes, 1)
        for layer in (*(step.conv for step in self.steps), self.last):
            nn.init.normal_(layer.weight, std=0.3)

    def features(self, images):
        x = self.steps[1](self.steps[0](images))
        rest = x
        for step in self.steps[2:]:
            rest = step(rest)
        return x + rest.mean(dim=(2, 3), keepdim=True)


def streets(count, seed=0):
    """Images of coarse random blocks, all ordinary."""
    generator = np.random.default_rng(seed)
    found = []
    for number in range(count):
        blocks = generator.integers(0, 256, (8, 12, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
        target = torch.zeros(SIZE, dtype=torch.uint8)
        found.append(data.Sample(str(number), Image.fromarray(blocks), target))
    return found


def fitted(recipe, network=None, **chosen):
    """A detector of six training and four validation images."""
    network = network or Halving().eval()
    return detectors.fit(recipe, network, METADATA, streets(6), streets(4, seed=1), progress=False, **chosen)


def pictures(*shape):
    """Noise, the same on every call."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(7))
