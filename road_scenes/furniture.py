"""Street furniture: poles and what hangs on them, and clutter that has no class.

No shape and no texture of the clutter occurs in ``anomalies``: a network that knows void must not know them.
"""

from collections.abc import Callable

import numpy as np

from road_scenes.board import Board, Pattern
from road_scenes.canvas import Canvas, Colour, Point

_METAL = ((104, 106, 108), (126, 128, 130), (88, 92, 92), (142, 142, 142))
_RED, _BLUE, _YELLOW = (206, 26, 32), (28, 82, 186), (242, 192, 32)
_WHITE, _BLACK = (244, 244, 240), (36, 36, 38)
_LAMPS = ((252, 44, 34), (252, 196, 44), (44, 242, 116))
_UNLIT = (58, 52, 48)


def _inwards(x: float) -> int:
    """Return the direction from ``x`` towards the road."""
    return -1 if x > 0 else 1


def draw_lamp(canvas: Canvas, x: float, z: float) -> None:
    """Draw a street lamp whose arm reaches over the road."""
    rng, board = canvas.rng, Board(canvas, x, z, "pole")
    height, arm, colour = rng.uniform(5, 8), _inwards(x) * rng.uniform(0.9, 2.2), canvas.pick(_METAL)
    board.shadow((-0.12, 0.12), 0.2, height)
    board.stroke([(0, 0), (0, height)], rng.uniform(0.17, 0.26), colour)
    board.stroke([(0, 0), (0, 1.0)], 0.32, colour, 0.9)
    board.stroke([(0, height), (arm, height + 0.3)], 0.13, colour)
    board.block((arm - 0.4, arm + 0.4), (height + 0.2, height + 0.42), (214, 212, 196))


def draw_bollard(canvas: Canvas, x: float, z: float) -> None:
    """Draw a bollard with a bright band."""
    board = Board(canvas, x, z, "pole")
    colour, height = canvas.pick(_METAL), canvas.rng.uniform(0.9, 1.2)
    board.shadow((-0.12, 0.12), 0.25, height)
    board.stroke([(0, 0), (0, height)], 0.24, colour)
    board.stroke([(0, height * 0.72), (0, height * 0.86)], 0.24, (214, 212, 208))


def draw_sign(canvas: Canvas, x: float, z: float) -> None:
    """Draw one or two traffic signs on a pole."""
    rng, board = canvas.rng, Board(canvas, x, z, "pole")
    radius, height = rng.uniform(0.45, 0.62), rng.uniform(2.4, 3.1)
    board.shadow((-0.08, 0.08), 0.2, height)
    board.stroke([(0, 0), (0, height + radius)], 0.15, canvas.pick(_METAL))
    plates = Board(canvas, x, z, "traffic sign")
    for i in range(rng.choice((1, 1, 2))):
        rng.choice(_PLATES)(plates, height - 2.1 * radius * i, radius)


def _round_plate(board: Board, up: float, radius: float) -> None:
    """Draw a prohibition: a white disc with a red rim, sometimes a bar."""
    board.disc((0, up), (radius, radius), _RED)
    if board.rng.random() < 0.6:
        board.disc((0, up), (0.64 * radius, 0.64 * radius), _WHITE)
    else:
        board.block((-0.6 * radius, 0.6 * radius), (up - 0.17 * radius, up + 0.17 * radius), _WHITE)


def _triangular_plate(board: Board, up: float, radius: float) -> None:
    """Draw a warning: a white triangle with a red rim."""
    for size, colour in ((1.0, _RED), (0.52, _WHITE)):
        r = size * radius
        board.polygon([(0, up + r), (-r, up - 0.8 * r), (r, up - 0.8 * r)], colour)


def _square_plate(board: Board, up: float, radius: float) -> None:
    """Draw a blue square with a white figure."""
    board.block((-radius, radius), (up - radius, up + radius), _BLUE)
    board.block((-0.35 * radius, 0.35 * radius), (up - 0.6 * radius, up + 0.6 * radius), _WHITE)


def _diamond_plate(board: Board, up: float, radius: float) -> None:
    """Draw a yellow diamond with a white rim."""
    for size, colour in ((1.05, _WHITE), (0.82, _YELLOW)):
        r = size * radius
        board.polygon([(0, up - r), (-r, up), (0, up + r), (r, up)], colour)


_PLATES = (_round_plate, _triangular_plate, _square_plate, _diamond_plate)


def draw_traffic_light(canvas: Canvas, x: float, z: float) -> None:
    """Draw a traffic light beside the road, often with a second one on an arm above it."""
    rng, colour = canvas.rng, canvas.pick(_METAL)
    board = Board(canvas, x, z, "pole")
    board.shadow((-0.1, 0.1), 0.2, 3.5)
    lit = rng.randrange(3)
    heads = [(0.0, 3.0)]
    if rng.random() < 0.5:
        arm = _inwards(x) * rng.uniform(2.0, 3.6)
        heads.append((arm, 4.6))
        board.stroke([(0, 5.4), (arm, 5.5)], 0.15, colour)
    board.stroke([(0, 0), (0, 5.4 if len(heads) == 2 else 3.4)], 0.2, colour)
    for head in heads:
        _draw_head(Board(canvas, x, z, "traffic light"), head, lit)


def _draw_head(board: Board, middle: Point, lit: int) -> None:
    """Draw the three lamps in their dark case; ``lit`` is the number of the lamp that shines."""
    across, up = middle
    board.block((across - 0.38, across + 0.38), (up - 0.86, up + 0.86), (206, 200, 60), 0.75)
    board.block((across - 0.32, across + 0.32), (up - 0.8, up + 0.8), _BLACK)
    for i, colour in enumerate(_LAMPS):
        board.disc((across, up + 0.5 - 0.5 * i), (0.23, 0.23), colour if i == lit else _UNLIT)


_CLUTTER_PAINTS = ((52, 92, 72), (92, 96, 102), (140, 110, 78), (58, 84, 124), (160, 60, 52), (188, 176, 150))
_WOOD, _IRON, _SOIL, _PAPER = (136, 98, 62), (66, 66, 70), (88, 66, 50), (232, 228, 216)


def _slats(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Horizontal lines, as on a bench."""
    return (up % 0.16 < 0.05) & (across == across)


def _mesh(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Thin lines that cross, as on a basket."""
    return (across % 0.2 < 0.04) | (up % 0.2 < 0.04)


def _rows_of_text(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Broken lines, as of print seen from afar."""
    return (up % 0.3 < 0.12) & (np.sin(9 * across + 7 * np.floor(up / 0.3)) > -0.2)


CLUTTER_TEXTURES: dict[str, Pattern] = {"slats": _slats, "mesh": _mesh, "rows of text": _rows_of_text}
"""Every texture of clutter by name."""


def _litter_bin(board: Board, colour: Colour) -> None:
    """Draw a basket for litter that widens upwards."""
    board.polygon([(-0.26, 0.08), (-0.38, 1.0), (0.38, 1.0), (0.26, 0.08)], colour)
    board.decorate((-0.4, 0.4), (0.1, 0.95), CLUTTER_TEXTURES["mesh"], _IRON)
    board.block((-0.42, 0.42), (0.98, 1.1), _IRON)


def _mailbox(board: Board, colour: Colour) -> None:
    """Draw a mailbox on its foot."""
    board.block((-0.08, 0.08), (0, 0.7), _IRON)
    board.block((-0.34, 0.34), (0.65, 1.35), colour)
    board.disc((0, 1.35), (0.34, 0.16), colour)
    board.block((-0.22, 0.22), (1.12, 1.2), _IRON)
    board.block((-0.2, 0.2), (0.78, 0.98), _PAPER)


def _bench(board: Board, colour: Colour) -> None:
    """Draw a bench with its back."""
    for across in (-0.8, 0.8):
        board.stroke([(across, 0), (across, 0.9)], 0.09, _IRON)
    board.block((-0.95, 0.95), (0.4, 0.54), _WOOD)
    board.block((-0.95, 0.95), (0.62, 1.0), colour)
    board.decorate((-0.95, 0.95), (0.4, 1.0), CLUTTER_TEXTURES["slats"], _WOOD)


def _planter(board: Board, colour: Colour) -> None:
    """Draw a trough of soil with flowers."""
    board.polygon([(-0.7, 0), (-0.8, 0.55), (0.8, 0.55), (0.7, 0)], colour)
    board.block((-0.74, 0.74), (0.5, 0.58), _SOIL)
    for i in range(7):
        bloom = board.canvas.pick(((206, 90, 130), (236, 200, 80), (96, 128, 62)))
        board.disc((-0.66 + 0.22 * i, 0.68 + 0.1 * (i % 2)), (0.15, 0.14), bloom)


def _billboard(board: Board, colour: Colour) -> None:
    """Draw a poster on two posts."""
    for across in (-1.0, 1.0):
        board.stroke([(across, 0), (across, 1.2)], 0.12, _IRON)
    board.block((-1.4, 1.4), (1.0, 2.7), _PAPER)
    board.block((-1.3, 1.3), (1.9, 2.6), colour)
    board.decorate((-1.25, 1.25), (1.05, 1.85), CLUTTER_TEXTURES["rows of text"], _IRON)


def _parasol(board: Board, colour: Colour) -> None:
    """Draw an open parasol with its table."""
    board.stroke([(0, 0), (0, 2.3)], 0.08, _IRON)
    board.block((-0.6, 0.6), (0.72, 0.8), _WOOD)
    board.polygon([(-1.3, 1.95), (-0.65, 2.35), (0, 2.55), (0.65, 2.35), (1.3, 1.95)], colour)
    board.polygon([(-0.4, 1.95), (0, 2.55), (0.4, 1.95)], _PAPER)


def _hydrant(board: Board, colour: Colour) -> None:
    """Draw a hydrant."""
    board.block((-0.16, 0.16), (0, 0.75), colour)
    board.disc((0, 0.76), (0.2, 0.16), colour)
    board.block((-0.3, 0.3), (0.45, 0.6), colour, 0.85)
    board.disc((0, 0.52), (0.1, 0.1), _IRON)


def _kiosk(board: Board, colour: Colour) -> None:
    """Draw a small stall with a counter and a flat roof."""
    board.block((-1.1, 1.1), (0, 2.3), colour)
    board.block((-0.9, 0.9), (1.05, 1.9), _IRON)
    board.decorate((-1.1, 1.1), (0.05, 0.95), CLUTTER_TEXTURES["slats"], _WOOD)
    board.block((-1.35, 1.35), (2.25, 2.45), _PAPER)


CLUTTER: dict[str, Callable[[Board, Colour], None]] = {
    "litter bin": _litter_bin,
    "mailbox": _mailbox,
    "bench": _bench,
    "planter": _planter,
    "billboard": _billboard,
    "parasol": _parasol,
    "hydrant": _hydrant,
    "kiosk": _kiosk,
}
"""Every family of clutter by name."""


def draw_clutter(canvas: Canvas, x: float, z: float) -> None:
    """Draw one piece of clutter at a place given in metres across and ahead."""
    rng = canvas.rng
    family = rng.choice(sorted(CLUTTER))
    board = Board(canvas, x, z, "void", scale=rng.uniform(0.95, 1.3))
    board.shadow((-0.5, 0.5), 0.6, 1.2)
    CLUTTER[family](board, canvas.pick(_CLUTTER_PAINTS))
