"""Cars, trucks, buses and trams; each kind keeps to its own shape and its own habits of colour."""

import math

from road_scenes.board import Board
from road_scenes.canvas import Canvas, Colour, Point
from road_scenes.scenery import draw_rails

_CARS = (
    (202, 204, 208), (34, 36, 40), (122, 126, 132), (168, 32, 34), (40, 70, 138),
    (232, 232, 230), (92, 64, 50), (56, 96, 78), (150, 156, 164),
)  # fmt: skip
_CABS = ((186, 40, 40), (40, 76, 150), (226, 226, 222), (206, 150, 40))
_CARGO = ((222, 222, 216), (204, 208, 212), (186, 194, 202), (214, 206, 188))
_BUSES = ((206, 42, 36), (232, 120, 30), (220, 60, 70))
_TRAMS = ((238, 222, 120), (242, 228, 150), (232, 212, 96))
_GLASS, _TYRE, _CHASSIS, _METAL = (46, 54, 64), (26, 26, 28), (44, 42, 42), (134, 134, 136)
_HEADLIGHT, _TAILLIGHT, _PLATE = (246, 242, 214), (206, 26, 26), (226, 226, 216)
_CAR_SIDE = ((0, 0.26), (0.02, 0.56), (0.2, 0.64), (0.33, 1), (0.72, 1), (0.9, 0.64), (1, 0.56), (1, 0.26))
_CAR_WINDOWS = ((0.29, 0.64), (0.36, 0.93), (0.7, 0.93), (0.83, 0.64))


def draw_car(canvas: Canvas, x: float, z: float) -> None:
    """Draw a car that drives along the road; ``x`` is its middle, ``z`` its near end, in metres."""
    rng, colour = canvas.rng, canvas.pick(_CARS)
    half, length = rng.uniform(0.85, 0.97), rng.uniform(3.9, 4.8)
    belt, roof = rng.uniform(0.82, 0.98), rng.uniform(1.4, 1.72)
    across, ahead = (x - half, x + half), (z, z + length)
    canvas.shadow(across, ahead, roof)
    canvas.box(across, (0.28, belt), ahead, colour, "car")
    _draw_wheels(canvas, across, ahead, 0.32, "car")
    _draw_cabin(canvas, x, half, (belt, roof), (z + 0.12 * length, z + 0.76 * length), colour)
    _draw_car_end(canvas, across, z, belt, front=rng.random() < 0.45)


def _draw_cabin(canvas: Canvas, x: float, half: float, up: Point, ahead: Point, colour: Colour) -> None:
    """Draw the side windows, the roof and the near window of a car."""
    (belt, roof), (near, far) = up, ahead
    side = canvas.seen_side((x - half, x + half), near)
    if side is not None:
        top = x + 0.8 * (side - x)
        corners = [(side, belt, near), (top, roof, near + 0.4), (top, roof, far - 0.5), (side, belt, far)]
        canvas.surface(corners, _GLASS, "car", 0.9)
    for inset, low, high, fill in ((0.05, belt, roof, colour), (0.15, belt + 0.04, roof - 0.09, _GLASS)):
        base, top = half - inset, 0.82 * half - inset
        corners = [(x - base, low, near), (x - top, high, near + 0.35), (x + top, high, near + 0.35)]
        canvas.surface([*corners, (x + base, low, near)], fill, "car", 0.98)


def _draw_car_end(canvas: Canvas, across: Point, z: float, belt: float, front: bool) -> None:
    """Draw the tyres, the bumper, the lights and the number plate of the near end."""
    left, right = across
    middle = (left + right) / 2
    for inner in (left + 0.1, right - 0.36):
        canvas.facing((inner, inner + 0.26), (0.02, 0.32), z, _TYRE, "car")
    canvas.facing((left + 0.05, right - 0.05), (0.28, 0.4), z, _CHASSIS, "car")
    for inner in (left + 0.04, right - 0.36):
        lights = _HEADLIGHT if front else _TAILLIGHT
        canvas.facing((inner, inner + 0.32), (belt - 0.3, belt - 0.1), z, lights, "car")
    canvas.facing((middle - 0.26, middle + 0.26), (0.44, 0.56), z, _PLATE, "car")


def _draw_wheels(canvas: Canvas, across: Point, ahead: Point, radius: float, label: str) -> None:
    """Draw the two wheels of the side that is seen."""
    side = canvas.seen_side(across, ahead[0])
    if side is None:
        return
    angles = [2 * math.pi * i / 12 for i in range(12)]
    for z in (ahead[0] + 2.2 * radius, ahead[1] - 2.2 * radius):
        points = [(side, radius * (1 + math.sin(a)), z + radius * math.cos(a)) for a in angles]
        canvas.surface(points, _TYRE, label)


def draw_crossing_car(canvas: Canvas, x: float, z: float) -> None:
    """Draw a car seen from its side."""
    rng, colour = canvas.rng, canvas.pick(_CARS)
    length, height = rng.uniform(3.9, 4.6), rng.uniform(1.4, 1.7)
    board = Board(canvas, x, z, "car", mirror=rng.random() < 0.5)
    board.shadow((-length / 2, length / 2), 1.7, height)
    for outline, fill in ((_CAR_SIDE, colour), (_CAR_WINDOWS, _GLASS)):
        board.polygon([(length * (u - 0.5), height * v) for u, v in outline], fill)
    board.block((0.02 * length, 0.04 * length), (0.3, 0.94 * height), colour, 0.85)
    for u in (0.2, 0.8):
        board.disc((length * (u - 0.5), 0.33), (0.33, 0.33), _TYRE)
        board.disc((length * (u - 0.5), 0.33), (0.17, 0.17), _METAL)


def draw_truck(canvas: Canvas, x: float, z: float) -> None:
    """Draw a truck from behind: a pale box above a dark chassis, doors, a coloured cab ahead."""
    rng, colour = canvas.rng, canvas.pick(_CARGO)
    half, length, height = 1.22, rng.uniform(5, 8), rng.uniform(3.0, 3.8)
    across, ahead = (x - half, x + half), (z, z + length)
    canvas.shadow(across, (z, z + length + 1.8), height)
    cab = (z + length + 0.2, z + length + 2)
    canvas.box((x - half + 0.1, x + half - 0.1), (0.5, 2.6), cab, canvas.pick(_CABS), "truck")
    canvas.box(across, (0.55, 1.0), ahead, _CHASSIS, "truck")
    canvas.box(across, (1.0, height), ahead, colour, "truck")
    _draw_wheels(canvas, across, ahead, 0.5, "truck")
    _draw_tailboard(canvas, x, z, half, height)
    if rng.random() < 0.5:
        stripe = canvas.pick(_CABS)
        canvas.facing((x - half, x + half), (1.0 + 0.1 * height, 1.0 + 0.24 * height), z, stripe, "truck")


def _draw_tailboard(canvas: Canvas, x: float, z: float, half: float, height: float) -> None:
    """Draw the tyres, the seam and bars of the doors, the lights and a striped bumper."""
    for left in (x - half + 0.1, x + half - 0.65):
        canvas.facing((left, left + 0.55), (0.02, 0.8), z, _TYRE, "truck")
    for across in (x - 0.55, x, x + 0.55):
        canvas.facing((across - 0.03, across + 0.03), (1.05, height - 0.1), z, (110, 112, 116), "truck")
    for i in range(8):
        left = x - half + 2 * half * i / 8
        stripe = (214, 40, 34) if i % 2 else (240, 220, 70)
        canvas.facing((left, left + half / 4), (0.72, 0.96), z, stripe, "truck")
    for left in (x - half + 0.05, x + half - 0.35):
        canvas.facing((left, left + 0.3), (0.5, 0.7), z, _TAILLIGHT, "truck")


def draw_bus(canvas: Canvas, x: float, z: float) -> None:
    """Draw a bus: red or orange, a band of windows, a large windscreen, a lit display above it."""
    rng, colour = canvas.rng, canvas.pick(_BUSES)
    half, length, height = 1.25, rng.uniform(9, 12), rng.uniform(2.9, 3.3)
    across, ahead = (x - half, x + half), (z, z + length)
    canvas.shadow(across, ahead, height)
    canvas.box(across, (0.3, height), ahead, colour, "bus")
    _draw_wheels(canvas, across, ahead, 0.48, "bus")
    _draw_window_band(canvas, across, ahead, (1.2, 2.45), colour, "bus")
    canvas.facing((x - 1.1, x + 1.1), (1.15, 2.45), z, _GLASS, "bus", rng.uniform(0.9, 1.4))
    canvas.facing((x - 0.9, x + 0.9), (2.55, 2.88), z, (26, 26, 26), "bus")
    canvas.facing((x - 0.7, x + 0.7), (2.63, 2.8), z, (252, 190, 50), "bus")
    for left in (x - 1.15, x + 0.75):
        canvas.facing((left, left + 0.4), (0.6, 0.85), z, _HEADLIGHT, "bus")
    canvas.facing(across, (0.1, 0.36), z, _CHASSIS, "bus")


def _draw_window_band(
    canvas: Canvas, across: Point, ahead: Point, up: Point, colour: Colour, label: str
) -> None:
    """Draw a row of windows along the side that is seen, with the posts between them."""
    side, (near, far) = canvas.seen_side(across, ahead[0]), ahead
    if side is None:
        return
    canvas.upright(side, up, (near + 0.4, far - 0.4), _GLASS, label)
    z = near + 1.6
    while z < far - 1:
        canvas.upright(side, up, (z, z + 0.15), colour, label, 0.8)
        z += 1.6


def draw_tram(canvas: Canvas, x: float, z: float) -> None:
    """Draw a tram on its rails: long, yellow above and green below, with a pantograph."""
    rng, colour, skirt = canvas.rng, canvas.pick(_TRAMS), canvas.pick(((30, 108, 92), (28, 92, 100)))
    half, length, height = 1.25, rng.uniform(18, 30), rng.uniform(3.4, 3.8)
    across, ahead = (x - half, x + half), (z, z + length)
    draw_rails(canvas, x)
    canvas.shadow(across, ahead, height)
    canvas.box(across, (1.2, height), ahead, colour, "train")
    canvas.box(across, (0.15, 1.25), ahead, skirt, "train")
    _draw_window_band(canvas, across, ahead, (1.6, 2.8), colour, "train")
    _draw_tram_end(canvas, x, z, height)
    roof = Board(canvas, x, z + 3, "train", base=height)
    roof.stroke([(-0.5, 0), (0.5, 0.45), (-0.3, 0.95)], 0.09, (44, 44, 46))
    roof.stroke([(-0.9, 0.95), (0.9, 0.95)], 0.08, (44, 44, 46))


def _draw_tram_end(canvas: Canvas, x: float, z: float, height: float) -> None:
    """Draw the slanting windscreen, the lights and the line number of a tram."""
    corners = [(-1.0, 1.45), (-0.75, height - 0.5), (0.75, height - 0.5), (1.0, 1.45)]
    board = Board(canvas, x, z, "train")
    board.polygon(corners, _GLASS)
    board.block((-0.5, 0.5), (height - 0.42, height - 0.12), (30, 30, 30))
    board.block((-0.2, 0.2), (height - 0.37, height - 0.17), (236, 240, 240))
    for across in (-0.85, 0.85):
        board.disc((across, 0.95), (0.16, 0.16), _HEADLIGHT)
    board.block((-0.4, 0.4), (0.05, 0.3), _CHASSIS)
