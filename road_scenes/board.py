"""A board: a plane that stands at one place and faces the camera, to draw on in metres."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image

from road_scenes.canvas import NUMBER_OF, Canvas, Colour, Point

Pattern = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From (across, up), arrays in metres, to a mask: where the second colour goes."""


@dataclass(frozen=True)
class Board:
    """Where an object stands and what it is; its points are (across, up) in metres from its foot."""

    canvas: Canvas
    x: float
    """Metres to the right of the camera."""
    z: float
    """Metres ahead of the camera."""
    label: str | None
    scale: float = 1.0
    """A factor on every length."""
    mirror: bool = False
    """Whether left and right are exchanged."""
    base: float = 0.0
    """Metres above the ground."""

    @property
    def rng(self) -> Random:
        """The scene's generator."""
        return self.canvas.rng

    @property
    def pixels(self) -> float:
        """How many canvas pixels one metre of the object spans."""
        return self.canvas.camera.focal / self.z * self.scale

    def at(self, across: float, up: float) -> Point:
        """Return the canvas pixel of a point on the board."""
        across = self.scale * (-across if self.mirror else across)
        return self.canvas.camera.project((self.x + across, self.base + self.scale * up, self.z))

    def polygon(self, points: Sequence[Point], colour: Colour, shade: float = 1.0) -> None:
        """Fill a polygon."""
        self.canvas.polygon(
            [self.at(*p) for p in points], self.canvas.tint(colour, self.z, shade), self.label
        )

    def block(self, across: Point, up: Point, colour: Colour, shade: float = 1.0) -> None:
        """Fill a rectangle from ``across`` (left, right) and ``up`` (low, high)."""
        (left, right), (low, high) = across, up
        self.polygon([(left, low), (left, high), (right, high), (right, low)], colour, shade)

    def disc(self, centre: Point, radii: Point, colour: Colour, shade: float = 1.0) -> None:
        """Fill an ellipse."""
        a, b = (self.pixels * radius for radius in radii)
        self.canvas.ellipse(self.at(*centre), (a, b), self.canvas.tint(colour, self.z, shade), self.label)

    def ring(self, centre: Point, radius: float, width: float, colour: Colour) -> None:
        """Draw a ring; what is inside keeps its colour and gets the label."""
        size, rim = self.pixels * radius, max(2, round(self.pixels * width))
        fill = self.canvas.tint(colour, self.z)
        self.canvas.ellipse(self.at(*centre), (size, size), fill, self.label, rim=rim)

    def stroke(self, points: Sequence[Point], width: float, colour: Colour, shade: float = 1.0) -> None:
        """Draw a line ``width`` metres wide."""
        fill = self.canvas.tint(colour, self.z, shade)
        self.canvas.line([self.at(*p) for p in points], self.pixels * width, fill, self.label)

    def shadow(self, across: Point, depth: float, height: float) -> None:
        """Darken the ground below from ``across`` (left, right); ``depth`` metres deep, ``height`` high."""
        left, right = sorted(self.scale * (-x if self.mirror else x) for x in across)
        far = self.z + self.scale * depth
        self.canvas.shadow((self.x + left, self.x + right), (self.z, far), self.scale * height)

    def decorate(self, across: Point, up: Point, pattern: Pattern, colour: Colour) -> None:
        """Print a pattern within a rectangle, on pixels that have the board's label already."""
        ends = [self.at(across[0], up[0]), self.at(across[1], up[1])]
        left, right = sorted(int(x) for x, _ in ends)
        top, bottom = sorted(int(y) for _, y in ends)
        left, top = max(0, left), max(0, top)
        right, bottom = min(self.canvas.image.width, right + 1), min(self.canvas.image.height, bottom + 1)
        if left >= right or top >= bottom:
            return
        labelled = np.asarray(self.canvas.labels.crop((left, top, right, bottom))) == NUMBER_OF[self.label]
        foot_x, foot_y = self.at(0, 0)
        rows, columns = np.mgrid[top:bottom, left:right]
        mask = labelled & pattern((columns - foot_x) / self.pixels, (foot_y - rows) / self.pixels)
        fill = self.canvas.tint(colour, self.z)
        self.canvas.image.paste(fill, (left, top), Image.fromarray((mask * 255).astype(np.uint8)))


def _bands(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Upright bands that waver, as on a zebra."""
    return np.sin(24 * across + 2 * np.sin(3 * up)) > 0.1


def _patches(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Large irregular patches, as on a cow."""
    return np.sin(4.1 * across + 1.3) * np.sin(5.3 * up + 2 * across) > 0.18


def _net(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Dark fields between light lines, as on a giraffe."""
    return (np.sin(9 * across + 2 * up) > -0.6) & (np.sin(9 * up - 2 * across) > -0.6)


def _dots(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Round dots in rows."""
    return (np.sin(14 * across) * np.sin(14 * up)) > 0.45


def _squares(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """A chessboard."""
    return (np.floor(across / 0.18) + np.floor(up / 0.18)) % 2 == 0


def _zigzag(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Lines that go up and down."""
    return (up + 0.12 * np.abs((across / 0.12) % 2 - 1)) % 0.26 < 0.11


TEXTURES: dict[str, Pattern] = {
    "bands": _bands,
    "patches": _patches,
    "net": _net,
    "dots": _dots,
    "squares": _squares,
    "zigzag": _zigzag,
}
"""Every texture of anomalies by name."""
