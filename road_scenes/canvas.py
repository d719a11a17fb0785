"""A camera, the weather, and a canvas on which one stroke paints the colour and the label together.

Points in space are (across, up, ahead) in metres: across to the right of the camera, up from the road.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image, ImageDraw

Range = tuple[float, float]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Style:
    """The ranges from which camera, weather and lens are drawn; the defaults are for training."""

    horizon: Range = (0.36, 0.47)
    """Height of the horizon, as a share of the image counted from the top."""
    focal: Range = (0.62, 0.84)
    """Focal length, in image widths."""
    elevation: Range = (1.35, 1.8)
    """Height of the camera above the road, in metres."""
    weathers: tuple[str, ...] = ("sunny", "sunny", "fair", "fair", "overcast", "misty", "rainy", "dusk")
    """Keys of ``SKIES``; one is drawn, so that a name given twice is twice as likely."""
    light: Range = (0.85, 1.12)
    """A factor on the brightness of everything but the sky."""
    warmth: Range = (-0.04, 0.05)
    """The colour cast: red is raised by this share and blue is lowered by it."""
    contrast: Range = (0.88, 1.12)
    """A factor on the distance from middle grey."""
    texture: Range = (0.7, 1.3)
    """A factor on the strength of every surface's texture."""
    noise: Range = (1.0, 4.5)
    """Standard deviation of the sensor's noise, in grey values out of 255."""
    blur: Range = (0.0, 0.55)
    """Radius of the lens's blur, in pixels."""
    bonnet: float = 0.5
    """The share of scenes in which the car's own bonnet is seen."""


@dataclass(frozen=True)
class Sky:
    """The look of one kind of weather."""

    zenith: Colour
    horizon: Colour
    clouds: float
    """How much of the sky is white, 0 to 1."""
    haze: float
    """The distance in metres at which 63 % of the light comes from the haze."""
    sun: float
    """How dark cast shadows are, 0 (none) to 1 (black)."""
    light: float = 1.0
    """A factor on the brightness of everything but the sky."""
    rain: bool = False


SKIES = {
    "sunny": Sky((96, 146, 214), (196, 216, 236), clouds=0.35, haze=420, sun=0.5, light=1.08),
    "fair": Sky((120, 162, 214), (208, 218, 228), clouds=0.8, haze=300, sun=0.36),
    "overcast": Sky((176, 184, 192), (208, 212, 214), clouds=0.5, haze=220, sun=0.0, light=0.95),
    "misty": Sky((196, 202, 206), (212, 215, 216), clouds=0.15, haze=65, sun=0.0),
    "rainy": Sky((138, 148, 158), (180, 186, 190), clouds=0.6, haze=110, sun=0.0, light=0.84, rain=True),
    "dusk": Sky((92, 112, 152), (238, 204, 150), clouds=0.45, haze=190, sun=0.22, light=0.8),
    "night": Sky((34, 42, 64), (92, 96, 106), clouds=0.2, haze=130, sun=0.0, light=0.55),
    "dusty": Sky((186, 182, 160), (218, 208, 178), clouds=0.2, haze=90, sun=0.2),
}
"""Every kind of weather by name."""


@dataclass(frozen=True)
class Weather:
    """The weather of one scene."""

    sky: Sky
    light: float
    """The style's factor on brightness times the sky's."""
    sun_slope: float
    """How many metres sideways the shadow of one metre of height falls; negative to the left."""


def draw_weather(rng: Random, style: Style) -> Weather:
    """Return the weather of one scene."""
    sky = SKIES[rng.choice(style.weathers)]
    slope = rng.choice((-1, 1)) * rng.uniform(0.4, 1.3)
    return Weather(sky, rng.uniform(*style.light) * sky.light, slope)


Point = tuple[float, float]
Point3 = tuple[float, float, float]

SUPERSAMPLING = 2
"""The canvas has this many times the rows and columns of the finished image."""

CLASS_NAMES = (
    *("road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation"),
    *("terrain", "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"),
)
"""What can be drawn; the position is the label, as in Cityscapes' train ids."""

IGNORE = 255
"""The label of void."""

ANOMALY = 254
"""The label of anomalies on the canvas; benchmarks turn it into 1."""

NUMBER_OF = {name: number for number, name in enumerate(CLASS_NAMES)} | {"void": IGNORE, "anomaly": ANOMALY}
"""The label on the canvas of each class, of void and of anomalies."""

NEAREST = 1.0
"""Nothing is drawn nearer than this, in metres: it would be behind the camera."""

STRAIGHT_BEYOND = 80.0
"""The road stops bending at this distance in metres."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks along the road."""

    width: int
    height: int
    horizon: float
    """The row of the horizon, in canvas pixels."""
    centre: float
    """The column straight ahead, in canvas pixels."""
    focal: float
    """The focal length, in canvas pixels."""
    elevation: float
    """Height above the road, in metres."""
    bend: float
    """The curvature of the road, in 1/m; positive to the right."""

    def shift(self, ahead: float) -> float:
        """Return how many metres the road has moved sideways at a distance."""
        return self.bend / 2 * min(ahead, STRAIGHT_BEYOND) ** 2

    def project(self, point: Point3) -> Point:
        """Return the canvas pixel (column, row) of a point in space."""
        across, up, ahead = point
        scale = self.focal / ahead
        return self.centre + scale * (across + self.shift(ahead)), self.horizon + scale * (
            self.elevation - up
        )


def draw_camera(rng: Random, style: Style, size: tuple[int, int]) -> Camera:
    """Return the camera of one scene; ``size`` is (height, width) of the finished image."""
    height, width = (SUPERSAMPLING * side for side in size)
    return Camera(
        width,
        height,
        horizon=height * rng.uniform(*style.horizon),
        centre=width * rng.uniform(0.44, 0.56),
        focal=width * rng.uniform(*style.focal),
        elevation=rng.uniform(*style.elevation),
        bend=rng.choice((0, 0, 1, -1)) * rng.uniform(0.0004, 0.0022),
    )


class Canvas:
    """Image, labels and shadows of one scene while it is drawn."""

    def __init__(self, rng: Random, style: Style, size: tuple[int, int]) -> None:
        """Start an empty canvas for a finished image of ``size`` (height, width)."""
        self.rng, self.style = rng, style
        self.camera: Camera = draw_camera(rng, style, size)
        self.weather: Weather = draw_weather(rng, style)
        shape = (self.camera.width, self.camera.height)
        self.image = Image.new("RGB", shape)
        self.labels = Image.new("L", shape, NUMBER_OF["sky"])
        self.shade = Image.new("L", shape, 0)
        self._paint, self._mark, self._dim = map(ImageDraw.Draw, (self.image, self.labels, self.shade))

    def pick(self, colours: Sequence[Colour], spread: float = 10) -> Colour:
        """Return one of the colours, a little lighter or darker, and a very little off in hue."""
        common = self.rng.gauss(0, spread)
        return tuple(min(250, max(6, c + common + self.rng.gauss(0, 3))) for c in self.rng.choice(colours))

    def tint(self, colour: Colour, ahead: float, shade: float = 1.0) -> tuple[int, ...]:
        """Return a colour as it is seen through the haze, ``ahead`` metres away."""
        clear = math.exp(-ahead / self.weather.sky.haze)
        light = shade * self.weather.light * clear
        pairs = zip(colour, self.weather.sky.horizon, strict=True)
        return tuple(int(min(255, max(0, own * light + haze * (1 - clear)))) for own, haze in pairs)

    def polygon(self, points: Sequence[Point], fill: tuple[int, ...], label: str | None) -> None:
        """Fill a polygon of canvas pixels; without a label only the colour changes."""
        self._paint.polygon(points, fill=fill)
        if label is not None:
            self._mark.polygon(points, fill=NUMBER_OF[label])

    def ellipse(
        self, centre: Point, radii: Point, fill: tuple[int, ...] | None, label: str | None, rim: int = 0
    ) -> None:
        """Fill an ellipse, or with ``rim`` draw a ring of that many pixels; the label is always filled."""
        (x, y), (a, b) = centre, radii
        box = (x - a, y - b, x + a, y + b)
        if rim:
            self._paint.ellipse(box, outline=fill, width=rim)
        else:
            self._paint.ellipse(box, fill=fill)
        if label is not None:
            self._mark.ellipse(box, fill=NUMBER_OF[label])

    def line(self, points: Sequence[Point], width: float, fill: tuple[int, ...], label: str | None) -> None:
        """Draw a line ``width`` canvas pixels wide, at least one pixel of the finished image if labelled."""
        pixels = max(1 if label is None else SUPERSAMPLING, round(width))
        self._paint.line(points, fill=fill, width=pixels, joint="curve")
        if label is not None:
            self._mark.line(points, fill=NUMBER_OF[label], width=pixels, joint="curve")

    def surface(self, corners: Sequence[Point3], colour: Colour, label: str | None, shade: float = 1) -> None:
        """Fill a polygon in space; the haze is that of its mean distance."""
        ahead = sum(corner[2] for corner in corners) / len(corners)
        self.polygon([self.camera.project(c) for c in corners], self.tint(colour, ahead, shade), label)

    def upright(
        self, across: float, up: Point, ahead: Point, colour: Colour, label: str | None, shade: float = 1
    ) -> None:
        """Fill a rectangle that stands along the road, as the wall of a house does."""
        (low, high), (near, far) = up, ahead
        corners = [(across, low, near), (across, high, near), (across, high, far), (across, low, far)]
        self.surface(corners, colour, label, shade)

    def facing(
        self, across: Point, up: Point, ahead: float, colour: Colour, label: str | None, shade: float = 1
    ) -> None:
        """Fill a rectangle that faces the camera."""
        (left, right), (low, high) = across, up
        corners = [(left, low, ahead), (left, high, ahead), (right, high, ahead), (right, low, ahead)]
        self.surface(corners, colour, label, shade)

    def strip(self, across: Point, ahead: Point, colour: Colour, label: str | None, shade: float = 1) -> None:
        """Fill a strip of the ground that follows the road; haze is added to the ground at the end."""
        stations = np.geomspace(*ahead, 2 if self.camera.bend == 0 else 8)
        left, right = ([self.camera.project((x, 0, float(z))) for z in stations] for x in across)
        self.polygon([*left, *right[::-1]], self.tint(colour, 0, shade), label)

    def box(self, across: Point, up: Point, ahead: Point, colour: Colour, label: str) -> None:
        """Fill the visible faces of a box: its top if below the camera, the side, the end."""
        (left, right), (near, far) = across, ahead
        if up[1] < self.camera.elevation:
            corners = [(left, up[1], near), (left, up[1], far), (right, up[1], far), (right, up[1], near)]
            self.surface(corners, colour, label, 1.15)
        side = self.seen_side(across, near)
        if side is not None:
            self.upright(side, up, ahead, colour, label, 0.8)
        self.facing(across, up, near, colour, label)

    def seen_side(self, across: Point, ahead: float) -> float | None:
        """Return which of two sides (left, right) the camera sees: none if it looks straight at the end."""
        left, right = (x + self.camera.shift(ahead) for x in across)
        return across[0] if left > 0 else across[1] if right < 0 else None

    def shadow(self, across: Point, ahead: Point, height: float) -> None:
        """Darken the ground under an object, and where the sun throws the shadow of its height in metres."""
        (left, right), (near, far) = across, ahead
        lean = self.weather.sun_slope * height
        if self.weather.sky.sun > 0:
            away = min(0.5 * height, 2.0)
            cast = [(left, near), (right, near), (right + lean, far + away), (left + lean, far + away)]
            self._darken(cast, self.weather.sky.sun)
        self._darken([(left, near - 0.1), (right, near - 0.1), (right, far), (left, far)], 0.55)

    def _darken(self, corners: Sequence[Point], strength: float) -> None:
        """Write one shadow, given by (across, ahead) on the ground."""
        points = [self.camera.project((x, 0, max(NEAREST, z))) for x, z in corners]
        self._dim.polygon(points, fill=int(255 * strength))
