"""Pedestrians, cyclists and motorcyclists, and their two-wheelers."""

import math
from dataclasses import replace

from road_scenes.board import Board
from road_scenes.canvas import Canvas, Colour, Point

_SKIN = ((204, 164, 138), (152, 108, 82), (98, 68, 52), (222, 184, 160))
_HAIR = ((42, 32, 26), (94, 70, 42), (184, 182, 176), (60, 40, 30))
_SHIRTS = (
    (176, 42, 52), (44, 62, 128), (34, 34, 40), (212, 206, 196),
    (118, 64, 118), (132, 96, 70), (70, 76, 86),
)  # fmt: skip
_TROUSERS = ((42, 48, 74), (32, 32, 36), (104, 90, 78), (78, 80, 92))
_VESTS = ((190, 236, 40), (252, 132, 24), (214, 244, 70))
_HELMETS = ((236, 236, 234), (206, 40, 40), (250, 214, 40))
_FRAMES = ((178, 32, 32), (30, 62, 148), (34, 34, 36), (56, 132, 84))
_TANKS = ((196, 26, 30), (24, 48, 140), (30, 30, 34), (224, 120, 24))
_RUBBER, _CHROME, _LAMP = (28, 28, 30), (172, 174, 178), (246, 240, 210)


def draw_person(canvas: Canvas, x: float, z: float) -> None:
    """Draw a pedestrian who stands or walks."""
    rng = canvas.rng
    board = Board(canvas, x, z, "person", scale=rng.uniform(0.88, 1.1), mirror=rng.random() < 0.5)
    shirt, trousers, skin = canvas.pick(_SHIRTS), canvas.pick(_TROUSERS), canvas.pick(_SKIN)
    stride = rng.uniform(0.06, 0.32)
    board.shadow((-0.26, 0.26), 0.4, 1.7)
    for side, shade in ((-1, 0.8), (1, 1.05)):
        knee = (0.75 * side * stride, 0.46)
        board.stroke([(0.04 * side, 0.9), knee, (side * stride, 0.04)], 0.19, trousers, shade)
        board.stroke([(side * stride, 0.05), (side * stride + 0.13, 0.04)], 0.1, _RUBBER)
    _draw_torso(board, shirt, stride)
    if rng.random() < 0.3:
        board.block((-0.42, -0.18), (0.95, 1.4), canvas.pick(_SHIRTS), 0.8)
    board.disc((0.02, 1.62), (0.13, 0.16), skin)
    board.disc((0, 1.7), (0.14, 0.1), canvas.pick(_HAIR))


def _draw_torso(board: Board, shirt: Colour, swing: float) -> None:
    """Draw the jacket and both arms of a pedestrian."""
    board.stroke([(-0.2, 1.36), (-0.24 - 0.3 * swing, 1.08), (-0.2 + 0.5 * swing, 0.84)], 0.12, shirt, 0.75)
    board.polygon([(-0.22, 1.42), (-0.08, 1.5), (0.08, 1.5), (0.22, 1.42), (0.2, 0.84), (-0.2, 0.84)], shirt)
    board.stroke([(0.2, 1.36), (0.25 + 0.3 * swing, 1.08), (0.22 + 0.6 * swing, 0.84)], 0.12, shirt, 0.88)


def draw_cyclist(canvas: Canvas, x: float, z: float) -> None:
    """Draw a rider on a bicycle, from the side or head on."""
    _draw_two_wheeler(canvas, x, z, "bicycle", ridden=True)


def draw_motorcyclist(canvas: Canvas, x: float, z: float) -> None:
    """Draw a rider on a motorcycle, from the side or head on."""
    _draw_two_wheeler(canvas, x, z, "motorcycle", ridden=True)


def draw_parked_bicycle(canvas: Canvas, x: float, z: float) -> None:
    """Draw a bicycle without its rider."""
    _draw_two_wheeler(canvas, x, z, "bicycle", ridden=False)


def draw_parked_motorcycle(canvas: Canvas, x: float, z: float) -> None:
    """Draw a motorcycle without its rider."""
    _draw_two_wheeler(canvas, x, z, "motorcycle", ridden=False)


def _draw_two_wheeler(canvas: Canvas, x: float, z: float, label: str, ridden: bool) -> None:
    """Draw a bicycle or motorcycle, and its rider in front of it."""
    rng = canvas.rng
    board = Board(canvas, x, z, label, scale=rng.uniform(1.0, 1.15), mirror=rng.random() < 0.5)
    sideways = rng.random() < (0.6 if ridden else 0.85)
    board.shadow((-0.9, 0.9) if sideways else (-0.25, 0.25), 0.5, 1.6 if ridden else 0.9)
    drawers = _draw_bicycle, _draw_bicycle_end, _draw_motorcycle, _draw_motorcycle_end
    drawers[2 * (label == "motorcycle") + (not sideways)](board)
    if ridden:
        person = replace(board, label="rider", base=0.12 if label == "motorcycle" else 0.3)
        (_draw_leaning_rider if sideways else _draw_facing_rider)(person)


def _draw_bicycle(board: Board) -> None:
    """Draw a bicycle from the side."""
    colour = board.canvas.pick(_FRAMES)
    for hub in (-0.56, 0.56):
        board.ring((hub, 0.35), 0.35, 0.07, _RUBBER)
        _draw_spokes(board, (hub, 0.35))
    board.stroke([(-0.56, 0.35), (-0.2, 0.84), (0.38, 0.82), (-0.08, 0.34), (-0.56, 0.35)], 0.08, colour)
    board.stroke([(-0.24, 0.98), (-0.08, 0.34)], 0.08, colour)
    board.stroke([(0.56, 0.35), (0.36, 1.08), (0.24, 1.1)], 0.08, colour)
    board.stroke([(-0.4, 1.0), (-0.12, 1.0)], 0.11, _RUBBER)


def _draw_spokes(board: Board, hub: Point) -> None:
    """Draw the spokes of one wheel."""
    for i in range(4):
        a, b = 0.33 * math.cos(math.pi * i / 4), 0.33 * math.sin(math.pi * i / 4)
        board.stroke([(hub[0] - a, hub[1] - b), (hub[0] + a, hub[1] + b)], 0.015, _CHROME)


def _draw_bicycle_end(board: Board) -> None:
    """Draw a bicycle head on."""
    board.stroke([(0, 0), (0, 0.72)], 0.12, _RUBBER)
    board.stroke([(0, 0.6), (0, 1.05)], 0.12, board.canvas.pick(_FRAMES))
    board.stroke([(-0.34, 1.08), (0.34, 1.08)], 0.08, _RUBBER)
    board.disc((0, 0.88), (0.08, 0.08), _LAMP)


def _draw_motorcycle(board: Board) -> None:
    """Draw a motorcycle from the side."""
    colour = board.canvas.pick(_TANKS)
    for hub in (-0.68, 0.7):
        board.disc((hub, 0.33), (0.33, 0.33), _RUBBER)
        board.disc((hub, 0.33), (0.17, 0.17), _CHROME)
    board.polygon([(-0.5, 0.32), (0.42, 0.28), (0.4, 0.62), (-0.45, 0.66)], (92, 94, 98))
    board.stroke([(-0.95, 0.3), (0.1, 0.3)], 0.11, _CHROME)
    board.polygon([(-1.0, 0.92), (-0.9, 0.66), (0.3, 0.6), (0.56, 0.78), (0.36, 1.0), (0.0, 0.8)], colour)
    board.stroke([(-0.75, 0.86), (-0.05, 0.84)], 0.14, _RUBBER)
    board.stroke([(0.7, 0.33), (0.48, 1.05), (0.3, 1.14)], 0.1, _CHROME)
    board.disc((0.6, 0.92), (0.11, 0.12), _LAMP)


def _draw_motorcycle_end(board: Board) -> None:
    """Draw a motorcycle head on."""
    board.stroke([(0, 0), (0, 0.7)], 0.24, _RUBBER)
    outline = [(-0.34, 0.5), (-0.24, 1.08), (0.24, 1.08), (0.34, 0.5), (0.16, 0.3), (-0.16, 0.3)]
    board.polygon(outline, board.canvas.pick(_TANKS))
    board.stroke([(-0.46, 1.12), (0.46, 1.12)], 0.09, _CHROME)
    board.disc((0, 0.84), (0.13, 0.13), _LAMP)


def _draw_leaning_rider(board: Board) -> None:
    """Draw a rider from the side: bent forward, hands on the handlebar, feet on the pedals."""
    vest, trousers = board.canvas.pick(_VESTS), board.canvas.pick(_TROUSERS)
    board.stroke([(-0.25, 0.75), (0.12, 0.5), (0.02, 0.08)], 0.17, trousers, 0.8)
    board.polygon([(-0.4, 0.7), (-0.12, 0.66), (0.24, 1.2), (0.02, 1.32)], vest)
    board.stroke([(-0.25, 0.75), (0.16, 0.58), (-0.06, 0.1)], 0.18, trousers)
    board.stroke([(0.12, 1.2), (0.2, 0.92), (0.34, 0.86)], 0.12, vest, 0.85)
    _draw_helmeted_head(board, (0.24, 1.4))


def _draw_facing_rider(board: Board) -> None:
    """Draw a rider head on: elbows out, knees apart."""
    vest, trousers = board.canvas.pick(_VESTS), board.canvas.pick(_TROUSERS)
    for side in (-1, 1):
        board.stroke([(0.1 * side, 0.72), (0.26 * side, 0.48), (0.16 * side, 0.12)], 0.17, trousers)
        board.stroke([(0.2 * side, 1.2), (0.4 * side, 0.98), (0.34 * side, 0.82)], 0.12, vest, 0.85)
    board.polygon([(-0.2, 1.3), (0.2, 1.3), (0.24, 0.95), (0.18, 0.66), (-0.18, 0.66), (-0.24, 0.95)], vest)
    _draw_helmeted_head(board, (0, 1.42))


def _draw_helmeted_head(board: Board, middle: Point) -> None:
    """Draw a face below a bright helmet."""
    across, up = middle
    board.disc((across + 0.02, up), (0.12, 0.15), board.canvas.pick(_SKIN))
    board.disc((across, up + 0.09), (0.17, 0.13), board.canvas.pick(_HELMETS))
