"""Trees, bushes and hedges."""

import math

from road_scenes.board import Board
from road_scenes.buildings import Lot
from road_scenes.canvas import Canvas

_LEAVES = ((62, 94, 40), (82, 108, 48), (98, 114, 46), (52, 80, 42), (126, 116, 50))
_BARK = (76, 60, 46)
_TUFTS = 26


def draw_tree(canvas: Canvas, x: float, z: float) -> None:
    """Draw a tree at a place given in metres across and ahead."""
    rng = canvas.rng
    board = Board(canvas, x, z, "vegetation")
    radius, crown = rng.uniform(1.3, 2.9), rng.uniform(3.6, 5.6)
    board.shadow((-radius * 0.6, radius * 0.6), radius, crown)
    board.stroke([(0, 0), (0, crown)], rng.uniform(0.2, 0.4), _BARK)
    _draw_crown(board, radius, crown)


def draw_bush(canvas: Canvas, x: float, z: float) -> None:
    """Draw a bush at a place given in metres across and ahead."""
    board = Board(canvas, x, z, "vegetation")
    radius = canvas.rng.uniform(0.5, 1.2)
    board.shadow((-radius, radius), radius, radius)
    _draw_crown(board, radius, radius * 0.75)


def _draw_crown(board: Board, radius: float, middle: float) -> None:
    """Draw the tufts of a crown, lighter above than below."""
    rng, colour = board.rng, board.canvas.pick(_LEAVES)
    for _ in range(_TUFTS):
        angle, away = rng.uniform(0, 2 * math.pi), radius * math.sqrt(rng.random())
        place = away * math.cos(angle), middle + 0.85 * away * math.sin(angle)
        size = radius * rng.uniform(0.2, 0.42)
        board.disc(place, (size, 0.85 * size), colour, rng.uniform(0.7, 1.05) + 0.22 * math.sin(angle))


def draw_hedge(canvas: Canvas, lot: Lot) -> None:
    """Draw a hedge along the street with an uneven top."""
    height, colour = canvas.rng.uniform(0.9, 2.0), canvas.pick(_LEAVES)
    canvas.shadow(sorted((lot.front, lot.front + lot.sign)), (lot.near, lot.far), height)
    canvas.facing(
        sorted((lot.front, lot.front + lot.sign * 1.2)), (0, height), lot.near, colour, "vegetation", 0.75
    )
    canvas.upright(lot.front, (0, height), (lot.near, lot.far), colour, "vegetation", 0.9)
    ahead = lot.far
    while ahead > lot.near:
        tuft = Board(canvas, lot.front + lot.sign * 0.3, ahead, "vegetation")
        tuft.disc((0, height), (0.5, 0.25), colour, canvas.rng.uniform(0.85, 1.2))
        ahead -= max(0.5, ahead * 0.06)
