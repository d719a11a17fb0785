"""Anomalies other than animals, large and small, and how one is drawn: what no training scene holds."""

from collections.abc import Callable, Sequence

from road_scenes.animals import ANIMALS
from road_scenes.board import TEXTURES, Board
from road_scenes.canvas import Canvas, Colour, Range

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


MACHINES: dict[str, Callable[[Board, Colour], None]] = {
    "tractor": _tractor,
    "excavator": _excavator,
    "boat": _boat,
    "aeroplane": _aeroplane,
    "roller": _roller,
    "rocket": _rocket,
}
"""Every machine by name."""


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


SMALL: dict[str, Callable[[Board, Colour], None]] = {
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
"""Families about a metre large before they are scaled, by name."""

BRIGHT = ("cone", "duck", "bale")
"""Families whose colour is their own."""

LARGE = ANIMALS | MACHINES
"""Families as large as a car or larger, by name."""

PLAIN = {name: family for name, family in SMALL.items() if name not in BRIGHT}
"""Small families that take any paint."""

PAINTS = (
    (186, 40, 40), (40, 76, 150), (226, 226, 222), (148, 86, 70), (178, 160, 130),
    (116, 82, 50), (62, 64, 68), (70, 104, 72), (214, 116, 44), (226, 208, 120),
)  # fmt: skip
"""Colours of ordinary things: an anomaly is to be told by what it is, not by a colour never seen before."""

DULL = (
    (40, 40, 44), (58, 58, 62), (76, 74, 74), (150, 148, 146), (186, 184, 180), (222, 222, 218),
    (104, 92, 82), (116, 82, 50), (148, 96, 76), (66, 80, 110),
)  # fmt: skip
"""Colours of asphalt, concrete and wood: where only the road counts, bright ones would give a thing away."""


def draw_anomaly_at(
    canvas: Canvas,
    families: dict[str, Callable[[Board, Colour], None]],
    place: tuple[float, float],
    scale: Range,
    paints: Sequence[Colour] = PAINTS,
    base: float = 0.0,
) -> None:
    """Draw one anomaly.

    Args:
        canvas: to draw on.
        families: one of them is chosen.
        place: metres across and ahead.
        scale: the range of the factor on its natural size.
        paints: one of them is chosen; some families have fixed colours.
        base: metres above the ground.
    """
    rng = canvas.rng
    family = families[rng.choice(sorted(families))]
    mirror, size = rng.random() < 0.5, rng.uniform(*scale)
    board = Board(canvas, *place, "anomaly", scale=size, mirror=mirror, base=base)
    if base == 0:
        board.shadow((-0.5, 0.5), 0.6, 0.8)
    family(board, canvas.pick(paints))
