"""A toy for lesson 4: two known classes of points in the plane, and one that no network is shown."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib import models, scores
from course_lib.labels import NUM_CLASSES
from course_lib.losses import find_term, weight_sum
from course_lib.runtime import unknown_name
from course_lib.training.recipes import TRAININGS

CLASSES, PER_CLASS = 2, 150


class PlanePoints(NamedTuple):
    """Positions (K, 2); the network learns from the known ones alone."""

    known: Tensor
    classes: Tensor
    """0 or 1 of each known point, int64 (K,)."""
    unknown: Tensor


class PlaneNetwork(nn.Module):
    """From positions to logits, by features and a last layer of either kind."""

    def __init__(self, head: str) -> None:
        """Build with random weights; ``head`` is one of ``models.HEADS``."""
        super().__init__()
        layers = [nn.Conv2d(2, 32, 1), nn.ReLU(), nn.Conv2d(32, 32, 1), nn.ReLU(), nn.Conv2d(32, 8, 1)]
        self.features = nn.Sequential(*layers)
        self.classifier = models.IsoMaxPlus(8, CLASSES) if head == "isomax" else nn.Conv2d(8, CLASSES, 1)

    def forward(self, positions: Tensor) -> Tensor:
        """(K, 2) to logits (K, 2)."""
        return self.as_image(positions)[0, :, 0].T

    def as_image(self, positions: Tensor) -> Tensor:
        """(K, 2) to logits (1, 2, 1, K): an image of one row, as the losses expect it."""
        return self.classifier(self.features(positions.T[None, :, None]))


def plane_points(seed: int = 0, unknown_centre: tuple[float, float] = (3.5, -3.0)) -> PlanePoints:
    """Draw the points; the same ones for the same seed.

    Args:
        seed: of the draw.
        unknown_centre: around which the unknown points lie; the known ones do not depend on it.
    """
    generator = torch.Generator().manual_seed(seed)

    def around(centre: tuple[float, float]) -> Tensor:
        return torch.tensor(centre) + 0.5 * torch.randn(PER_CLASS, 2, generator=generator)

    known = torch.cat([around((-1.5, 0.0)), around((1.5, 0.0))])
    return PlanePoints(known, torch.arange(CLASSES).repeat_interleave(PER_CLASS), around(unknown_centre))


def train_on_plane(training: str, points: PlanePoints, steps: int = 300, seed: int = 0) -> PlaneNetwork:
    """Teach a small network the two known classes; takes about a second.

    Args:
        training: a key of ``TRAININGS``, but for those with void: here everything is labelled.
        points: of ``plane_points``.
        steps: of Adam, each with all known points.
        seed: of the network's first weights; the global random state is left as it was.

    Raises:
        ValueError: if there is no such training, or it learns void.
    """
    if training not in TRAININGS:
        raise unknown_name("training", training, TRAININGS)
    chosen = TRAININGS[training]
    if chosen.outputs != NUM_CLASSES:
        raise ValueError(f"training {training} learns void, and no point in the plane is void")
    terms, weights = [find_term(name) for name in chosen.terms], torch.ones(CLASSES)
    target = points.classes[None, None]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PlaneNetwork(chosen.head)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(steps):
        logits = network.as_image(points.known)
        loss = sum(term(logits, target, weights) for term in terms) / weight_sum(target, weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.requires_grad_(False)


def score_plane_points(network: PlaneNetwork, points: PlanePoints, score: str) -> tuple[Tensor, Tensor]:
    """Return the score of every point, known ones first, and whether it is unknown, both (K,).

    Args:
        network: of ``train_on_plane``.
        points: its own, or others.
        score: a key of ``scores.SCORES``; larger is more anomalous.
    """
    everything = torch.cat([points.known, points.unknown])
    is_unknown = torch.arange(len(everything)) >= len(points.known)
    return score_positions(network, everything, score), is_unknown


def score_positions(network: PlaneNetwork, positions: Tensor, score: str) -> Tensor:
    """Return the score of each position (K, 2), shape (K,)."""
    return scores.score(score, network.as_image(positions), range(CLASSES)).flatten()
