"""What stands along the street: houses, walls, fences, hedges and trees."""

import math
from dataclasses import dataclass

from road_scenes.board import Board
from road_scenes.canvas import Canvas, Colour, Point

_FACADES = (
    (178, 142, 112), (190, 178, 158), (158, 98, 82), (206, 192, 166),
    (146, 138, 132), (128, 110, 100), (208, 172, 122), (172, 160, 150),
)  # fmt: skip
_PANES = ((48, 58, 74), (70, 86, 104), (40, 42, 48), (112, 128, 142))
_AWNINGS = ((176, 44, 44), (44, 76, 150), (56, 116, 72), (206, 164, 58))
_BRICKS = ((148, 86, 70), (164, 158, 148), (142, 134, 122), (178, 160, 130))
_PICKETS = ((116, 82, 50), (70, 104, 72), (214, 212, 204), (58, 62, 60), (136, 98, 62))
WINDOWS_UNTIL = 45.0
"""Windows farther away than this, in metres, are not drawn."""


@dataclass(frozen=True)
class Lot:
    """A piece of ground along the street on which one thing stands."""

    sign: int
    """-1 on the left, 1 on the right."""
    across: float
    """Distance of its front from the camera's axis, in metres, always positive."""
    near: float
    far: float

    @property
    def front(self) -> float:
        """The front in metres across, with its sign."""
        return self.sign * self.across


def draw_building(canvas: Canvas, lot: Lot) -> None:
    """Draw a house: the end that faces the camera, the front along the street, windows, often an awning."""
    rng = canvas.rng
    height, colour = rng.uniform(5.5, 22), canvas.pick(_FACADES)
    end = sorted((lot.front, lot.front + lot.sign * 14))
    canvas.shadow(end, (lot.near, lot.far), height * 0.45)
    canvas.facing(end, (0, height), lot.near, colour, "building", 0.76)
    canvas.upright(lot.front, (0, height), (lot.near, lot.far), colour, "building")
    storey, pane = rng.uniform(2.8, 3.6), canvas.pick(_PANES)
    sill = rng.uniform(0.7, 1.1)
    while sill + 1.8 < height:
        _draw_storey(canvas, lot, (sill, sill + storey * 0.55), pane)
        sill += storey
    canvas.upright(lot.front, (height - 0.4, height), (lot.near, lot.far), colour, None, 0.6)
    if rng.random() < 0.35:
        canvas.upright(lot.front, (2.5, 3.1), (lot.near, lot.far), canvas.pick(_AWNINGS), None)


def _draw_storey(canvas: Canvas, lot: Lot, up: Point, pane: Colour) -> None:
    """Draw the windows of one storey on both visible faces."""
    rng = canvas.rng
    width, gap = 1.2, 1.2
    ahead = lot.near + 0.7
    while ahead + width < min(lot.far, WINDOWS_UNTIL):
        frame = (up[0] - 0.12, up[1] + 0.12)
        canvas.upright(lot.front, frame, (ahead - 0.12, ahead + width + 0.12), (206, 200, 190), None, 0.9)
        canvas.upright(lot.front, up, (ahead, ahead + width), pane, None, rng.uniform(0.75, 1.25))
        ahead += width + gap
    if not 4 < lot.near < WINDOWS_UNTIL:
        return
    for i in range(5):
        left = lot.front + lot.sign * (1.0 + 2.5 * i)
        canvas.facing(sorted((left, left + lot.sign * 1.2)), up, lot.near, pane, None, rng.uniform(0.6, 0.95))


def draw_wall(canvas: Canvas, lot: Lot) -> None:
    """Draw a wall of brick or stone, with its courses, its joints and a coping."""
    rng = canvas.rng
    height, colour = rng.uniform(1.5, 3.2), canvas.pick(_BRICKS)
    ahead, end = (lot.near, lot.far), sorted((lot.front, lot.front + lot.sign * 0.4))
    canvas.shadow(end, ahead, height)
    canvas.facing(end, (0, height), lot.near, colour, "wall", 0.76)
    canvas.upright(lot.front, (0, height), ahead, colour, "wall")
    courses = max(4, round(height / 0.4))
    for i in range(1, courses):
        ends = [canvas.camera.project((lot.front, height * i / courses, z)) for z in ahead]
        canvas.line(ends, 1, canvas.tint(colour, lot.near, 0.72), None)
        _draw_joints(canvas, lot, (height * (i - 1) / courses, height * i / courses), colour, i % 2)
    canvas.upright(lot.front, (height - 0.16, height + 0.02), ahead, (196, 190, 178), "wall")


def _draw_joints(canvas: Canvas, lot: Lot, up: Point, colour: Colour, odd: int) -> None:
    """Draw the upright joints of one course."""
    ahead = lot.near + 0.4 + 0.4 * odd
    while ahead < min(lot.far, 22):
        ends = [canvas.camera.project((lot.front, y, ahead)) for y in up]
        canvas.line(ends, 1, canvas.tint(colour, ahead, 0.72), None)
        ahead += 0.8


def draw_fence(canvas: Canvas, lot: Lot) -> None:
    """Draw a fence of pickets or bars on rails; its gaps are dark and belong to it."""
    rng = canvas.rng
    height, colour = rng.uniform(1.3, 2.3), canvas.pick(_PICKETS)
    ahead = (lot.near, lot.far)
    canvas.shadow(sorted((lot.front, lot.front + lot.sign * 0.1)), ahead, height)
    canvas.upright(lot.front, (0, height), ahead, (52, 58, 44), "fence", 0.9)
    step, z = rng.uniform(0.28, 0.42), lot.far
    while z > lot.near:
        ends = [canvas.camera.project((lot.front, y, z)) for y in (0, height * 1.04)]
        canvas.line(
            ends, canvas.camera.focal * 0.07 / z, canvas.tint(colour, z, rng.uniform(0.9, 1.1)), "fence"
        )
        z -= max(step, z * 0.035)
    for up in (0.15 * height, 0.85 * height):
        canvas.upright(lot.front, (up, up + 0.1), ahead, colour, "fence", 0.9)


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
