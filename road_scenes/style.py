"""What differs from place to place and from day to day: camera, weather, lens."""

from dataclasses import dataclass
from random import Random

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
