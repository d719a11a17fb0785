"""A finished scene, and how an ordinary one is drawn."""

from random import Random
from typing import NamedTuple

import numpy as np

from road_scenes.canvas import Canvas
from road_scenes.finish import finish
from road_scenes.layout import draw_bonnet, fill_street
from road_scenes.plan import Plan
from road_scenes.style import Style


class Scene(NamedTuple):
    """A picture and what every pixel of it is."""

    image: np.ndarray
    """RGB, uint8 (H, W, 3)."""
    target: np.ndarray
    """uint8 (H, W); 255 is void."""


def draw(seed: int, size: tuple[int, int] = (128, 256)) -> Scene:
    """Draw an ordinary scene, for training and validation; no anomaly is in it.

    Args:
        seed: any integer; equal seeds give equal scenes.
        size: height and width in pixels.

    Returns:
        The image, and its target of train ids 0 to 18 and 255 (bonnet, clutter).

    >>> scene = draw(0)
    >>> scene.image.shape, scene.target.shape
    ((128, 256, 3), (128, 256))
    """
    canvas = Canvas(Random(f"scene {seed}"), Style(), size)
    plan = Plan(canvas)
    fill_street(plan)
    plan.paint()
    draw_bonnet(canvas)
    return Scene(*finish(canvas))
