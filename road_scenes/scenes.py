"""Finished scenes: ordinary ones, and five kinds with anomalies, which imitate the five public benchmarks."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from road_scenes.anomalies import DULL, LARGE, PAINTS, PLAIN, SMALL, draw_anomaly_at
from road_scenes.canvas import ANOMALY, IGNORE, NUMBER_OF, SUPERSAMPLING, Canvas, Colour, Range, Style
from road_scenes.finish import finish
from road_scenes.layout import Plan, draw_bonnet, fill_street


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


Families = dict[str, Callable]

FEWEST_PIXELS = 40
"""A frame that is meant to hold anomalies is drawn again until it shows as many of their pixels."""


@dataclass(frozen=True)
class Kind:
    """How the frames of one benchmark are drawn."""

    style: Style
    """Camera, weather and lens, other than in training."""
    sizes: tuple[tuple[int, int], ...]
    """Heights and widths of frames; one is drawn."""
    families: tuple[Families, ...]
    """Groups of anomalies; each anomaly comes from one of them."""
    most: int
    """Anomalies in a frame, at the most."""
    ahead: Range
    """Their distance in metres."""
    scale: Range
    """The factor on their natural size."""
    clean_every: int
    """One frame in so many holds no anomaly."""
    road_only: bool = False
    """Whether all but road and anomalies is void."""
    paints: tuple[Colour, ...] = PAINTS
    """Of anomalies."""
    overlaid: bool = False
    """Whether anomalies are blended into the finished picture, anywhere, rather than stand on the road."""


_WEB = Style(
    horizon=(0.32, 0.5), focal=(0.55, 0.95), elevation=(1.2, 2.2), light=(0.8, 1.15), warmth=(-0.09, 0.1),
    weathers=("sunny", "fair", "overcast", "dusk", "dusty", "rainy"), contrast=(0.78, 1.2), noise=(0.5, 6.0),
    blur=(0.0, 0.7), bonnet=0.25,
)  # fmt: skip
_DUSK = Style(
    horizon=(0.3, 0.42), elevation=(1.5, 2.1), light=(0.75, 1.05), warmth=(-0.08, 0.04),
    weathers=("overcast", "dusk", "misty", "rainy", "night", "sunny"), noise=(2.0, 6.5),
)  # fmt: skip
_GREY = Style(
    horizon=(0.38, 0.5), focal=(0.7, 1.0), elevation=(1.1, 1.5), contrast=(0.8, 1.0), warmth=(-0.02, 0.08),
    weathers=("overcast", "fair", "misty", "dusty"), noise=(1.0, 5.0), bonnet=0.9,
)  # fmt: skip

_SEVERAL_SIZES = ((144, 256), (128, 256), (180, 320), (160, 240))

KINDS = {
    "RoadAnomaly21": Kind(_WEB, _SEVERAL_SIZES, (LARGE,), 2, (6.0, 12.0), (0.8, 1.2), 10),
    "RoadObsticle21": Kind(
        _DUSK, ((144, 256),), (PLAIN,), 3, (6.0, 14.0), (0.6, 1.1), 8, road_only=True, paints=DULL
    ),
    "FS_LostFound_full": Kind(
        _GREY, ((128, 256),), (PLAIN,), 2, (8.0, 20.0), (0.6, 1.0), 6, road_only=True, paints=DULL
    ),
    "fs_static": Kind(Style(), ((128, 256),), (LARGE, SMALL), 1, (5.0, 14.0), (0.7, 1.3), 5, overlaid=True),
    "RoadAnomaly": Kind(_WEB, (*_SEVERAL_SIZES, (120, 213)), (LARGE, SMALL), 3, (5.0, 15.0), (0.7, 1.2), 6),
}  # fmt: skip
"""Every kind by the name of the public benchmark that it imitates."""


def draw_anomaly(kind: str, seed: int) -> Scene:
    """Draw one frame of a generated benchmark.

    Args:
        kind: a key of ``KINDS``.
        seed: any integer; equal seeds give equal frames.

    Returns:
        The image, and a target of 0 normal, 1 anomaly, 255 void. Every few frames one holds no anomaly.

    Raises:
        ValueError: if the kind is unknown.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind of anomaly scene {kind!r}; known are {', '.join(KINDS)}")
    chosen, attempt = KINDS[kind], 0
    wanted = (seed + 1) % chosen.clean_every != 0
    while True:
        scene = _draw_frame(chosen, Random(f"{kind} {seed} {attempt}"), wanted)
        if not wanted or (scene.target == 1).sum() >= FEWEST_PIXELS:
            return scene
        attempt += 1  # its anomaly was hidden, or too far away


def _draw_frame(kind: Kind, rng: Random, wanted: bool) -> Scene:
    """Draw a frame with anomalies or, unless they are wanted, without."""
    canvas = Canvas(rng, kind.style, rng.choice(kind.sizes))
    plan = Plan(canvas)
    if wanted and not kind.overlaid:
        for _ in range(rng.randint(1, kind.most)):
            _put_on_the_road(plan, kind)
    fill_street(plan, traffic=0.7)
    plan.paint()
    draw_bonnet(canvas)
    image, labels = finish(canvas)
    if wanted and kind.overlaid:
        image, labels = _overlay(kind, canvas, image, labels)
    return Scene(image, _target(labels, kind.road_only))


def _target(labels: np.ndarray, road_only: bool) -> np.ndarray:
    """Turn the labels of the canvas into 0 normal, 1 anomaly, 255 void."""
    target = np.where(labels == IGNORE, IGNORE, 0).astype(np.uint8)
    if road_only:
        target[labels != NUMBER_OF["road"]] = IGNORE
    target[labels == ANOMALY] = 1
    return target


def _put_on_the_road(plan: Plan, kind: Kind) -> None:
    """Put an anomaly on the road, at a distance where it can be seen."""
    rng, families = plan.rng, plan.rng.choice(kind.families)
    width = 3.2 if families is LARGE else 1.0
    left, right = plan.street.left + width / 2, plan.street.right - width / 2
    for _ in range(8):
        x = rng.uniform(left, right) if left < right else 0.0
        placed = plan.put(
            lambda canvas, x, z: draw_anomaly_at(canvas, families, (x, z), kind.scale, kind.paints),
            x,
            rng.uniform(*kind.ahead),
            (width, 1.5),
        )
        if placed:
            return


def _overlay(
    kind: Kind, canvas: Canvas, image: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Blend an anomaly into a finished picture, without a shadow or noise of its own; one in three floats."""
    rng, size = canvas.rng, image.shape[:2]
    sheet = Canvas(rng, kind.style, size)
    ahead = rng.uniform(*kind.ahead)
    place = rng.uniform(-0.35, 0.35) * ahead, ahead
    base = rng.uniform(0.5, 2.5) if rng.random() < 1 / 3 else 0.0
    draw_anomaly_at(sheet, rng.choice(kind.families), place, kind.scale, kind.paints, base)
    mask = np.asarray(sheet.labels)[::SUPERSAMPLING, ::SUPERSAMPLING] == ANOMALY
    if not mask.any():
        return image, labels
    pasted = np.asarray(sheet.image.reduce(SUPERSAMPLING), dtype=np.float32)
    pasted *= 0.6 + 0.4 * image[mask].mean() / max(pasted[mask].mean(), 1)  # half-way to the scene's light
    soft = Image.fromarray((255 * mask).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.5))
    share = rng.uniform(0.85, 1) / 255 * np.asarray(soft, dtype=np.float32)[..., None]
    blended = np.clip(image * (1 - share) + pasted * share, 0, 255).astype(np.uint8)
    return blended, np.where(mask, ANOMALY, labels).astype(np.uint8)
