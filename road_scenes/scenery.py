"""What lies behind and below everything: sky, skyline, terrain, sidewalks, and the road with its markings."""

import math
from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image

from road_scenes.canvas import NEAREST, Canvas, Colour
from road_scenes.finish import noise_window

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


FAR = 300.0
"""The ground ends at this distance in metres."""

_TERRAIN = ((112, 130, 66), (124, 132, 78), (134, 124, 84), (104, 122, 60))
_SIDEWALK = ((172, 164, 154), (160, 156, 154), (182, 166, 150), (150, 146, 142))
_ROAD = ((98, 98, 102), (84, 84, 88), (118, 116, 114), (106, 102, 98), (74, 76, 80))
_WHITE, _YELLOW, _RAIL = (220, 220, 214), (224, 190, 70), (66, 62, 60)
_MARKING_ENDS = 80.0


@dataclass(frozen=True)
class Side:
    """One side of the street; widths in metres, from the camera outwards."""

    sign: int
    """-1 on the left, 1 on the right."""
    road: float
    sidewalk: float
    verge: float
    """Grass between the sidewalk and what stands along the street."""
    track: bool
    """Whether the verge holds a tram track."""

    @property
    def curb(self) -> float:
        """Metres from the camera to where the sidewalk ends and the verge begins."""
        return self.road + self.sidewalk

    @property
    def edge(self) -> float:
        """Metres from the camera to where houses, walls and fences may stand."""
        return self.curb + self.verge


def draw_side(rng: Random, sign: int) -> Side:
    """Return the widths of one side of the street."""
    road = rng.uniform(2.4, 4.6) if sign > 0 else rng.uniform(3.2, 7.0)
    sidewalk = rng.uniform(1.8, 4.2) if rng.random() < 0.88 else 0.0
    track = rng.random() < 0.14
    verge = 4.2 if track else rng.uniform(1.0, 4.0) if rng.random() < 0.5 or sidewalk == 0 else 0.0
    return Side(sign, road, sidewalk, verge, track)


@dataclass(frozen=True)
class Street:
    """Both sides of the street, and the colours that its parts share."""

    sides: tuple[Side, Side]
    crossing: float | None
    """Where a crosswalk begins, in metres ahead, if there is one."""

    @property
    def left(self) -> float:
        """The left border of the road, in metres across."""
        return -self.sides[0].road

    @property
    def right(self) -> float:
        """The right border of the road, in metres across."""
        return self.sides[1].road


def draw_street(rng: Random) -> Street:
    """Return the street of one scene."""
    crossing = rng.uniform(6, 20) if rng.random() < 0.35 else None
    return Street((draw_side(rng, -1), draw_side(rng, 1)), crossing)


def draw_ground(canvas: Canvas, street: Street) -> None:
    """Paint the ground from the outside inwards."""
    canvas.strip((-200, 200), (NEAREST, FAR), canvas.pick(_TERRAIN), "terrain")
    paving = canvas.pick(_SIDEWALK)
    for side in street.sides:
        _draw_sidewalk(canvas, side, paving)
        if side.track:
            draw_rails(canvas, side.sign * (side.curb + 2.1))
    asphalt = canvas.pick(_ROAD, 7)
    canvas.strip((street.left, street.right), (NEAREST, FAR), asphalt, "road")
    _draw_repairs(canvas, street, asphalt)
    _draw_lanes(canvas, street)
    if street.crossing is not None:
        _draw_crosswalk(canvas, street, street.crossing)
    for side in street.sides:
        _draw_curb(canvas, side)


def _draw_sidewalk(canvas: Canvas, side: Side, paving: Colour) -> None:
    """Paint a sidewalk with the joints of its slabs."""
    if side.sidewalk == 0:
        return
    canvas.strip(sorted((side.sign * side.road, side.sign * side.curb)), (NEAREST, FAR), paving, "sidewalk")
    ahead = 3.0
    while ahead < 40:
        ends = [canvas.camera.project((side.sign * x, 0, ahead)) for x in (side.road, side.curb)]
        canvas.line(ends, 1, canvas.tint(paving, 0, 0.88), None)
        ahead *= 1.15


def _draw_curb(canvas: Canvas, side: Side) -> None:
    """Paint the curb: a bright stone edge, or a strip of gravel where there is no sidewalk."""
    colour = (196, 192, 184) if side.sidewalk else (150, 140, 116)
    inner = side.sign * side.road
    outer = side.sign * (side.road + 0.22)
    canvas.strip(sorted((inner, outer)), (NEAREST, 90), colour, "sidewalk" if side.sidewalk else "terrain")
    canvas.strip(sorted((inner, inner - side.sign * 0.1)), (NEAREST, 90), (70, 70, 70), None)


def draw_rails(canvas: Canvas, across: float) -> None:
    """Paint the two rails of a track around ``across`` metres."""
    for offset in (-0.72, 0.72):
        rail = (across + offset - 0.07, across + offset + 0.07)
        canvas.strip(rail, (NEAREST, 120), _RAIL, None)


def _draw_lanes(canvas: Canvas, street: Street) -> None:
    """Paint the lines between the lanes, dashed or not, and often one along each border."""
    rng = canvas.rng
    colour = _WHITE if rng.random() < 0.8 else _YELLOW
    width = street.right - street.left
    lanes = max(2, round(width / rng.uniform(2.7, 3.6)))
    for i in range(1, lanes):
        _draw_line(canvas, street.left + width * i / lanes, colour, dashed=rng.random() < 0.7)
    if rng.random() < 0.5:
        for border in (street.left + 0.35, street.right - 0.35):
            _draw_line(canvas, border, _WHITE, dashed=False)


def _draw_line(canvas: Canvas, across: float, colour: Colour, dashed: bool) -> None:
    """Paint one line along the road."""
    edges = (across - 0.09, across + 0.09)
    if not dashed:
        canvas.strip(edges, (NEAREST, _MARKING_ENDS), colour, None)
        return
    ahead = canvas.rng.uniform(1.5, 5)
    while ahead < _MARKING_ENDS:
        canvas.strip(edges, (ahead, ahead + 3), colour, None)
        ahead += 8


def _draw_crosswalk(canvas: Canvas, street: Street, ahead: float) -> None:
    """Paint the bars of a crosswalk and the stop line before it."""
    across = street.left + 0.4
    while across < street.right - 0.5:
        canvas.strip((across, across + 0.5), (ahead, ahead + 3.2), _WHITE, None)
        across += 1.05
    canvas.strip((street.left + 0.3, street.right - 0.3), (ahead - 1.4, ahead - 1.0), _WHITE, None)


def _draw_repairs(canvas: Canvas, street: Street, asphalt: Colour) -> None:
    """Paint patches of newer or older asphalt and the covers of drains."""
    rng = canvas.rng
    for _ in range(rng.randrange(4)):
        across, ahead = rng.uniform(street.left + 0.8, street.right - 1.2), rng.uniform(3.5, 25)
        if rng.random() < 0.6:
            size = rng.uniform(0.5, 2.2), rng.uniform(0.8, 5)
            right = min(across + size[0], street.right)
            canvas.strip((across, right), (ahead, ahead + size[1]), asphalt, None, rng.uniform(0.8, 1.15))
        else:
            scale = canvas.camera.focal / ahead
            radii = (0.4 * scale, 0.4 * scale * canvas.camera.elevation / ahead)
            centre = canvas.camera.project((across, 0, ahead))
            canvas.ellipse(centre, radii, canvas.tint(asphalt, 0, 0.6), None)
