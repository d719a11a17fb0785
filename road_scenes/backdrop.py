"""What lies behind everything: the sky and the skyline."""

import math

import numpy as np
from PIL import Image

from road_scenes.canvas import Canvas
from road_scenes.noise import noise_window

SKYLINE_DISTANCE = 95.0
"""Metres; it decides how hazy the skyline is."""

_HOUSES = ((150, 136, 126), (172, 152, 130), (134, 132, 136), (166, 122, 102))
_WOODS = ((74, 98, 58), (62, 88, 52), (92, 106, 62))


def draw_backdrop(canvas: Canvas) -> None:
    """Paint the sky and a row of distant houses and woods along the horizon."""
    _draw_sky(canvas)
    _draw_skyline(canvas)


def _draw_sky(canvas: Canvas) -> None:
    """Paint the gradient from zenith to horizon, and clouds that flatten towards the horizon."""
    camera, sky = canvas.camera, canvas.weather.sky
    share = np.clip(np.linspace(0, camera.height / camera.horizon, camera.height), 0, 1)[:, None, None]
    light = canvas.rng.uniform(0.94, 1.04)
    colours = light * (np.array(sky.zenith) * (1 - share) + np.array(sky.horizon) * share)
    noise = noise_window(canvas.rng, "broad", (camera.height, camera.width))
    cover = np.clip(noise - 1 + 1.4 * sky.clouds, 0, 1)[..., None] * (0.85 - 0.5 * share)
    white = np.clip(np.array(sky.horizon) * 1.05 + 14, 0, 250)
    painted = colours * (1 - cover) + white * cover
    canvas.image.paste(Image.fromarray(np.clip(painted, 0, 255).astype(np.uint8)))


def _draw_skyline(canvas: Canvas) -> None:
    """Draw houses and woods from left to right, with gaps of open sky."""
    width, rng = canvas.camera.width, canvas.rng
    x = -0.05 * width
    while x < width:
        span = width * rng.uniform(0.03, 0.12)
        draw = rng.choices((_far_house, _far_wood, None), (0.45, 0.4, 0.15))[0]
        if draw is not None:
            draw(canvas, x, span)
        x += span * rng.uniform(0.75, 1.3)


def _far_house(canvas: Canvas, x: float, span: float) -> None:
    """Draw one distant house ``span`` canvas pixels wide."""
    foot = canvas.camera.horizon + 3
    top = foot - canvas.camera.height * canvas.rng.uniform(0.03, 0.16)
    fill = canvas.tint(canvas.pick(_HOUSES), SKYLINE_DISTANCE)
    canvas.polygon([(x, foot), (x, top), (x + span, top), (x + span, foot)], fill, "building")


def _far_wood(canvas: Canvas, x: float, span: float) -> None:
    """Draw one distant wood as a row of round crowns."""
    colour, rng, horizon = canvas.pick(_WOODS), canvas.rng, canvas.camera.horizon
    height = canvas.camera.height * rng.uniform(0.02, 0.08)
    for i in range(7):
        fill = canvas.tint(colour, SKYLINE_DISTANCE, rng.uniform(0.8, 1.1))
        rise = height * math.sin(math.pi * (i + 0.5) / 7)
        centre = (x + span * (i + 0.5) / 7, horizon + 2 - rise * rng.uniform(0.5, 0.9))
        canvas.ellipse(centre, (span * 0.14, height * 0.5 + 3), fill, "vegetation")
    corners = [(x, horizon + 3), (x, horizon - 3), (x + span, horizon - 3), (x + span, horizon + 3)]
    canvas.polygon(corners, canvas.tint(colour, SKYLINE_DISTANCE), "vegetation")
