"""Small things that fall onto roads, about a metre large before they are scaled."""

from collections.abc import Callable

from road_scenes.board import Board
from road_scenes.markings import TEXTURES
from road_scenes.style import Colour

_WHITE, _INK = (246, 244, 240), (30, 28, 34)


def _barrel(board: Board, colour: Colour) -> None:
    """Draw a barrel that bulges, with two rings."""
    right = [(0.26, 0.05), (0.4, 0.4), (0.4, 0.7), (0.26, 1.05)]
    board.polygon([*right, *((-across, up) for across, up in reversed(right))], colour)
    board.disc((0, 1.05), (0.26, 0.07), colour, 1.25)
    for up in (0.35, 0.7):
        board.block((-0.39, 0.39), (up - 0.04, up + 0.04), _WHITE)


def _ball(board: Board, colour: Colour) -> None:
    """Draw a large ball with fields of two colours."""
    board.disc((0, 0.5), (0.5, 0.5), _WHITE)
    board.decorate((-0.5, 0.5), (0, 1), TEXTURES["squares"], colour)


def _cone(board: Board, colour: Colour) -> None:
    """Draw a cone with a pale ring."""
    orange = (226, 108, 36)
    board.block((-0.45, 0.45), (0, 0.1), orange, 0.8)
    board.polygon([(-0.34, 0.1), (-0.05, 1.05), (0.05, 1.05), (0.34, 0.1)], orange)
    board.polygon([(-0.24, 0.42), (-0.16, 0.68), (0.16, 0.68), (0.24, 0.42)], _WHITE)


def _sack(board: Board, colour: Colour) -> None:
    """Draw a full sack, tied at the top."""
    board.disc((0, 0.4), (0.48, 0.42), colour)
    board.disc((-0.12, 0.3), (0.3, 0.26), colour, 1.15)
    board.polygon([(-0.12, 0.72), (-0.25, 1.0), (0.25, 1.0), (0.12, 0.72)], colour, 0.85)
    board.block((-0.16, 0.16), (0.74, 0.82), _INK)


def _suitcase(board: Board, colour: Colour) -> None:
    """Draw a suitcase with a handle."""
    board.block((-0.6, 0.6), (0.03, 0.8), colour)
    board.decorate((-0.6, 0.6), (0.03, 0.8), TEXTURES["zigzag"], _WHITE)
    for across in (-0.4, 0.34):
        board.block((across, across + 0.08), (0.03, 0.8), _INK)
    board.stroke([(-0.18, 0.8), (-0.18, 0.98), (0.18, 0.98), (0.18, 0.8)], 0.08, _INK)


def _duck(board: Board, colour: Colour) -> None:
    """Draw a bathtub duck of unusual size."""
    yellow = (236, 196, 60)
    board.disc((0, 0.38), (0.6, 0.38), yellow)
    board.polygon([(-0.5, 0.45), (-0.78, 0.85), (-0.3, 0.6)], yellow, 0.9)
    board.disc((0.34, 0.82), (0.3, 0.28), yellow)
    board.polygon([(0.58, 0.88), (0.92, 0.78), (0.58, 0.68)], (214, 116, 44))
    board.disc((0.42, 0.9), (0.05, 0.05), _INK)


def _teddy(board: Board, colour: Colour) -> None:
    """Draw a teddy bear that sits."""
    for side in (-1, 1):
        board.disc((0.38 * side, 0.14), (0.2, 0.15), colour, 0.85)
        board.disc((0.36 * side, 0.5), (0.14, 0.2), colour, 0.85)
        board.disc((0.2 * side, 1.04), (0.11, 0.11), colour, 0.85)
    board.disc((0, 0.4), (0.34, 0.36), colour)
    board.disc((0, 0.86), (0.27, 0.25), colour)
    board.disc((0, 0.36), (0.2, 0.22), _WHITE)
    board.disc((0, 0.8), (0.1, 0.08), _WHITE)


def _bale(board: Board, colour: Colour) -> None:
    """Draw a round bale of hay."""
    board.disc((0, 0.55), (0.6, 0.55), (206, 176, 96))
    for radius in (0.44, 0.26):
        board.ring((0, 0.55), radius, 0.07, (142, 116, 62))


def _parcel(board: Board, colour: Colour) -> None:
    """Draw a parcel with a bow."""
    board.block((-0.5, 0.5), (0.02, 0.78), colour)
    board.decorate((-0.5, 0.5), (0.02, 0.78), TEXTURES["dots"], _WHITE)
    board.block((-0.08, 0.08), (0.02, 0.78), _INK)
    for side in (-1, 1):
        board.disc((0.16 * side, 0.88), (0.17, 0.1), _INK)


def _gas_bottle(board: Board, colour: Colour) -> None:
    """Draw a gas bottle with its valve."""
    board.disc((0, 0.82), (0.3, 0.2), colour)
    board.block((-0.3, 0.3), (0.08, 0.82), colour)
    board.disc((0, 0.08), (0.3, 0.08), colour, 0.8)
    board.block((-0.12, 0.12), (0.98, 1.14), _INK)
    board.decorate((-0.3, 0.3), (0.35, 0.65), TEXTURES["squares"], _INK)


FAMILIES: dict[str, Callable[[Board, Colour], None]] = {
    "barrel": _barrel,
    "ball": _ball,
    "cone": _cone,
    "sack": _sack,
    "suitcase": _suitcase,
    "duck": _duck,
    "teddy": _teddy,
    "bale": _bale,
    "parcel": _parcel,
    "gas bottle": _gas_bottle,
}
"""Every small thing by name."""

BRIGHT = ("cone", "duck", "bale")
"""Families whose colour is their own."""
