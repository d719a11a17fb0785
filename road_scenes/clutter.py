"""Unlabelled clutter beside the road: training scenes hold it as void.

No shape and no texture of this file occurs in ``anomalies``: a network that knows void must not know them.
"""

from collections.abc import Callable

import numpy as np

from road_scenes.board import Board, Pattern
from road_scenes.canvas import Canvas
from road_scenes.style import Colour

_PAINTS = ((52, 92, 72), (92, 96, 102), (140, 110, 78), (58, 84, 124), (160, 60, 52), (188, 176, 150))
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


TEXTURES: dict[str, Pattern] = {"slats": _slats, "mesh": _mesh, "rows of text": _rows_of_text}
"""Every texture of clutter by name."""


def _litter_bin(board: Board, colour: Colour) -> None:
    """Draw a basket for litter that widens upwards."""
    board.polygon([(-0.26, 0.08), (-0.38, 1.0), (0.38, 1.0), (0.26, 0.08)], colour)
    board.decorate((-0.4, 0.4), (0.1, 0.95), TEXTURES["mesh"], _IRON)
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
    board.decorate((-0.95, 0.95), (0.4, 1.0), TEXTURES["slats"], _WOOD)


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
    board.decorate((-1.25, 1.25), (1.05, 1.85), TEXTURES["rows of text"], _IRON)


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
    board.decorate((-1.1, 1.1), (0.05, 0.95), TEXTURES["slats"], _WOOD)
    board.block((-1.35, 1.35), (2.25, 2.45), _PAPER)


FAMILIES: dict[str, Callable[[Board, Colour], None]] = {
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
    family = rng.choice(sorted(FAMILIES))
    board = Board(canvas, x, z, "void", scale=rng.uniform(0.95, 1.3))
    board.shadow((-0.5, 0.5), 0.6, 1.2)
    FAMILIES[family](board, canvas.pick(_PAINTS))
