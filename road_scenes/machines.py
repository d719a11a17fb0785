"""Large vehicles that no training scene holds: for fields, building sites, water and air."""

from collections.abc import Callable

from road_scenes.board import Board
from road_scenes.markings import TEXTURES
from road_scenes.style import Colour

_RUBBER, _STEEL, _GLASS, _CANVAS = (34, 32, 32), (112, 114, 118), (112, 128, 142), (246, 240, 224)


def _wheel(board: Board, across: float, radius: float, hub: Colour) -> None:
    """Draw a large wheel with a coloured hub."""
    board.disc((across, radius), (radius, radius), _RUBBER)
    board.disc((across, radius), (0.55 * radius, 0.55 * radius), hub)
    board.disc((across, radius), (0.15 * radius, 0.15 * radius), _RUBBER)


def _tractor(board: Board, colour: Colour) -> None:
    """Draw a tractor from the side."""
    board.shadow((-1.7, 1.8), 1.6, 2.4)
    board.polygon([(-0.5, 0.8), (-0.5, 1.5), (1.6, 1.4), (1.75, 0.7)], colour)
    board.polygon([(-1.3, 1.3), (-1.1, 2.7), (-0.1, 2.7), (0.1, 1.3)], _GLASS)
    for across in (-1.2, 0.0):
        board.stroke([(across, 1.3), (across, 2.7)], 0.12, colour)
    board.block((-1.35, 0.15), (2.65, 2.9), colour, 0.85)
    board.stroke([(1.1, 1.4), (1.1, 2.4)], 0.14, _STEEL)
    _wheel(board, -0.8, 0.95, (226, 208, 120))
    _wheel(board, 1.25, 0.55, (226, 208, 120))


def _excavator(board: Board, colour: Colour) -> None:
    """Draw an excavator on tracks, its arm raised."""
    yellow = board.canvas.pick(((226, 186, 60), (214, 116, 44)))
    board.shadow((-1.6, 2.4), 2.0, 2.2)
    board.block((-1.5, 1.2), (0, 0.7), _RUBBER)
    for across in (-1.1, -0.5, 0.1, 0.7):
        board.disc((across, 0.35), (0.22, 0.22), _STEEL)
    board.block((-1.6, 0.9), (0.7, 1.5), yellow)
    board.block((-0.2, 0.8), (1.4, 2.5), _GLASS)
    board.block((-0.3, 0.9), (2.45, 2.65), yellow, 0.85)
    board.stroke([(0.7, 1.3), (1.6, 3.1), (2.7, 2.2), (2.5, 1.1)], 0.3, yellow)
    board.polygon([(2.1, 1.1), (2.9, 1.2), (2.7, 0.5), (2.2, 0.6)], _STEEL)


def _boat(board: Board, colour: Colour) -> None:
    """Draw a sailing boat that has run aground."""
    board.shadow((-1.8, 1.8), 1.4, 1.2)
    board.polygon([(-1.8, 1.0), (1.9, 1.1), (1.3, 0.15), (-1.3, 0.1)], colour)
    board.block((-1.75, 1.85), (0.82, 0.98), _CANVAS)
    board.stroke([(0.1, 1.0), (0.1, 4.0)], 0.12, (120, 80, 44))
    board.polygon([(0.22, 1.25), (0.22, 3.9), (1.7, 1.35)], _CANVAS)
    board.polygon([(-0.05, 1.25), (-0.05, 3.5), (-1.2, 1.3)], colour, 1.1)


def _aeroplane(board: Board, colour: Colour) -> None:
    """Draw a small aeroplane on its wheels."""
    board.shadow((-2.2, 2.2), 1.5, 1.2)
    for across in (-1.9, 0.9):
        board.disc((across, 0.22), (0.22, 0.22), _RUBBER)
        board.stroke([(across, 0.3), (across, 0.9)], 0.1, _STEEL)
    board.disc((0, 1.2), (2.3, 0.5), (240, 240, 244))
    board.decorate((-2.3, 2.3), (1.0, 1.25), TEXTURES["squares"], colour)
    board.polygon([(-2.2, 1.3), (-2.5, 2.4), (-1.9, 2.4), (-1.4, 1.45)], colour)
    board.polygon([(-0.4, 1.1), (-1.4, 0.75), (-0.6, 0.75), (0.7, 1.1)], colour, 0.8)
    board.disc((0.9, 1.48), (0.5, 0.24), _GLASS)
    board.block((2.25, 2.4), (0.5, 1.9), _STEEL)


def _roller(board: Board, colour: Colour) -> None:
    """Draw a steamroller."""
    board.shadow((-1.6, 1.7), 1.6, 2.0)
    board.block((-1.2, 1.1), (0.8, 1.5), colour)
    board.block((-1.4, 0.1), (2.3, 2.5), colour, 0.8)
    for across in (-1.3, 0.0):
        board.stroke([(across, 1.4), (across, 2.3)], 0.1, _STEEL)
    board.disc((1.1, 0.7), (0.7, 0.7), (176, 178, 184))
    board.disc((1.1, 0.7), (0.2, 0.2), colour)
    _wheel(board, -0.9, 0.75, colour)
    board.stroke([(0.7, 1.5), (0.7, 2.3)], 0.24, _RUBBER)


def _rocket(board: Board, colour: Colour) -> None:
    """Draw a toy rocket as tall as a house door."""
    board.shadow((-0.8, 0.8), 0.9, 2.6)
    board.polygon([(-1.0, 0), (-0.4, 1.2), (0.4, 1.2), (1.0, 0)], colour)
    board.block((-0.45, 0.45), (0.3, 2.4), (240, 240, 244))
    board.decorate((-0.45, 0.45), (0.3, 1.3), TEXTURES["squares"], (186, 40, 40))
    board.polygon([(-0.45, 2.4), (0, 3.3), (0.45, 2.4)], colour)
    board.disc((0, 1.85), (0.24, 0.24), _GLASS)


FAMILIES: dict[str, Callable[[Board, Colour], None]] = {
    "tractor": _tractor,
    "excavator": _excavator,
    "boat": _boat,
    "aeroplane": _aeroplane,
    "roller": _roller,
    "rocket": _rocket,
}
"""Every machine by name."""
