"""The plan of a scene: who stands where; it keeps things apart and paints them from far to near."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from road_scenes.backdrop import draw_backdrop
from road_scenes.canvas import Canvas, Point
from road_scenes.ground import Street, draw_ground, draw_street

Drawer = Callable[[Canvas, float, float], None]
"""Draws an object on a canvas at (metres across, metres ahead)."""


class _Plot(NamedTuple):
    """A rectangle of ground that is taken, in metres."""

    left: float
    right: float
    near: float
    far: float

    def meets(self, other: "_Plot") -> bool:
        """Say whether two plots overlap."""
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.far <= other.near or other.far <= self.near)


class Plan:
    """A canvas with its street, and everything that will be painted on it."""

    def __init__(self, canvas: Canvas) -> None:
        """Draw a street for the canvas; nothing stands on it yet."""
        self.canvas = canvas
        self.street: Street = draw_street(canvas.rng)
        self._plots: list[_Plot] = []
        self._things: list[tuple[float, Callable[[], None]]] = []

    @property
    def rng(self) -> Random:
        """The scene's generator."""
        return self.canvas.rng

    def add(self, ahead: float, draw: Callable[[], None]) -> None:
        """Paint something later, after all that is farther than ``ahead`` metres."""
        self._things.append((ahead, draw))

    def put(self, drawer: Drawer, x: float, z: float, size: Point) -> bool:
        """Put an object at (x, z) if its plot, (width, length) in metres, is free; say whether it was."""
        if not self.reserve(x, z, size) or not self.sees(x, z, size[0] / 4):
            return False
        self.add(z, lambda: drawer(self.canvas, x, z))
        return True

    def reserve(self, x: float, z: float, size: Point) -> bool:
        """Take a plot of (width, length) metres around x and beyond z; say whether it was free."""
        width, length = size
        plot = _Plot(x - width / 2, x + width / 2, z - 0.4, z + length + 0.4)
        if any(plot.meets(taken) for taken in self._plots):
            return False
        self._plots.append(plot)
        return True

    def sees(self, x: float, z: float, margin: float = 0.0) -> bool:
        """Say whether the foot of an object is between the left and right borders of the image."""
        camera = self.canvas.camera
        reach = camera.focal * margin / z
        return reach <= camera.project((x, 0, z))[0] <= camera.width - reach

    def paint(self) -> None:
        """Paint backdrop, ground and every object, from far to near."""
        draw_backdrop(self.canvas)
        draw_ground(self.canvas, self.street)
        for _, draw in sorted(self._things, key=lambda thing: -thing[0]):
            draw()
