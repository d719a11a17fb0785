"""Large animals, seen from the side; none of them ever stands in a training scene."""

from collections.abc import Callable
from dataclasses import dataclass

from road_scenes.board import TEXTURES, Board
from road_scenes.canvas import Colour, Point

_DARK, _IVORY = (44, 36, 32), (232, 224, 204)


@dataclass(frozen=True)
class _Build:
    """The proportions of a four-legged animal, in metres."""

    length: float
    leg: float
    girth: float
    head: Point
    """Where its head is, ahead of the chest and above the ground."""
    skull: Point
    """The half axes of the head."""
    neck: float
    """Its width."""
    limb: float = 0.2
    """The width of a leg."""


def _draw_body(board: Board, build: _Build, coat: Colour) -> Point:
    """Draw legs, trunk, neck, head and tail; return where the head is."""
    length, back = build.length, build.leg + 0.8 * build.girth
    board.shadow((-length / 2, length / 2), 0.9, back)
    for place, shade in ((-0.34, 0.75), (0.3, 0.75), (-0.42, 1.0), (0.38, 1.0)):
        board.stroke(
            [(place * length, build.leg + 0.3 * build.girth), (place * length, 0)], build.limb, coat, shade
        )
    board.stroke([(-0.48 * length, back), (-0.58 * length, build.leg)], 0.09, coat, 0.8)
    board.disc((0, build.leg + build.girth / 2), (length / 2, build.girth / 2), coat)
    head = (0.45 * length + build.head[0], build.head[1])
    board.stroke([(0.36 * length, build.leg + 0.6 * build.girth), head], build.neck, coat)
    board.disc(head, build.skull, coat, 0.94)
    board.disc((head[0] + 0.3 * build.skull[0], head[1] + 0.3 * build.skull[1]), (0.05, 0.05), _DARK)
    return head


def _mark(board: Board, build: _Build, texture: str, colour: Colour) -> None:
    """Print a pattern over the whole animal."""
    reach = build.length / 2 + abs(build.head[0]) + build.skull[0]
    board.decorate((-reach, reach), (0.4 * build.leg, build.head[1] + 1), TEXTURES[texture], colour)


def _cow(board: Board, colour: Colour) -> None:
    """Draw a cow with patches and horns."""
    build = _Build(2.3, 0.75, 0.95, (0.3, 1.5), (0.34, 0.22), 0.5)
    x, y = _draw_body(board, build, _IVORY)
    _mark(board, build, "patches", board.canvas.pick((_DARK, (140, 72, 40), (120, 60, 34))))
    board.stroke([(x - 0.1, y + 0.15), (x - 0.02, y + 0.42)], 0.08, _IVORY, 0.8)
    board.disc((0, 0.72), (0.24, 0.16), (204, 164, 138))


def _zebra(board: Board, colour: Colour) -> None:
    """Draw a zebra."""
    build = _Build(2.1, 0.8, 0.85, (0.4, 1.95), (0.32, 0.2), 0.42)
    x, y = _draw_body(board, build, (238, 236, 230))
    _mark(board, build, "bands", (24, 24, 26))
    board.stroke([(x - 0.75, y - 0.3), (x - 0.15, y + 0.25)], 0.12, _DARK)


def _giraffe(board: Board, colour: Colour) -> None:
    """Draw a giraffe."""
    build = _Build(2.0, 1.35, 0.85, (0.6, 3.6), (0.32, 0.18), 0.34, limb=0.18)
    x, y = _draw_body(board, build, (222, 200, 140))
    _mark(board, build, "net", (132, 86, 50))
    for aside in (-0.1, 0.06):
        board.stroke([(x + aside, y + 0.1), (x + aside, y + 0.4)], 0.07, _DARK)


def _elephant(board: Board, colour: Colour) -> None:
    """Draw an elephant with ear, trunk and tusk."""
    grey = board.canvas.pick(((120, 118, 118), (140, 134, 128)))
    build = _Build(3.0, 0.95, 1.55, (0.35, 2.0), (0.55, 0.55), 0.9, limb=0.45)
    x, y = _draw_body(board, build, grey)
    board.stroke([(x + 0.35, y), (x + 0.75, y - 0.7), (x + 0.7, 0.5), (x + 0.95, 0.35)], 0.28, grey, 0.9)
    board.stroke([(x + 0.4, y - 0.35), (x + 0.8, y - 0.6)], 0.12, _IVORY)
    board.disc((x - 0.4, y), (0.42, 0.6), grey, 0.78)


def _camel(board: Board, colour: Colour) -> None:
    """Draw a camel with two humps and a coloured blanket."""
    sand = board.canvas.pick(((190, 160, 112), (170, 136, 92)))
    build = _Build(2.3, 1.05, 0.85, (0.65, 2.3), (0.34, 0.2), 0.34)
    _draw_body(board, build, sand)
    for place in (-0.42, 0.4):
        board.disc((place, 1.95), (0.36, 0.4), sand, 0.94)
    board.block((-0.5, 0.5), (1.2, 1.75), colour)
    board.decorate((-0.5, 0.5), (1.2, 1.75), TEXTURES["zigzag"], (226, 208, 120))


def _stag(board: Board, colour: Colour) -> None:
    """Draw a stag with antlers and a dotted coat."""
    build = _Build(1.8, 0.9, 0.7, (0.3, 1.95), (0.28, 0.17), 0.3, limb=0.13)
    x, y = _draw_body(board, build, board.canvas.pick(((132, 96, 62), (150, 116, 76))))
    _mark(board, build, "dots", (240, 226, 196))
    for lean in (-0.5, 0.25):
        board.stroke([(x - 0.1, y + 0.1), (x + lean, y + 0.9)], 0.08, _DARK)
        board.stroke([(x + 0.5 * lean, y + 0.5), (x + lean + 0.35, y + 0.6)], 0.07, _DARK)


def _ostrich(board: Board, colour: Colour) -> None:
    """Draw a tall bird on two thin legs."""
    pink = board.canvas.pick(((60, 56, 58), (120, 112, 104), (90, 84, 80)))
    board.shadow((-0.6, 0.6), 0.7, 1.6)
    for place in (-0.15, 0.2):
        board.stroke([(place, 1.1), (place - 0.12, 0.55), (place, 0)], 0.12, (204, 164, 138))
    board.disc((0, 1.4), (0.75, 0.48), pink)
    board.disc((-0.7, 1.55), (0.35, 0.22), pink, 0.75)
    board.stroke([(0.5, 1.55), (0.85, 2.0), (0.7, 2.5)], 0.17, pink)
    board.disc((0.78, 2.55), (0.22, 0.17), pink)
    board.polygon([(0.95, 2.62), (1.3, 2.5), (0.95, 2.45)], (226, 190, 100))


def _lion(board: Board, colour: Colour) -> None:
    """Draw a lion with its mane."""
    build = _Build(1.9, 0.55, 0.65, (0.2, 1.25), (0.3, 0.28), 0.4, limb=0.22)
    x, y = _draw_body(board, build, (196, 160, 104))
    board.disc((x - 0.08, y), (0.56, 0.58), (110, 76, 48))
    board.disc((x + 0.1, y), (0.3, 0.3), (210, 180, 130))
    board.disc((x + 0.2, y + 0.08), (0.05, 0.05), _DARK)


ANIMALS: dict[str, Callable[[Board, Colour], None]] = {
    "cow": _cow,
    "zebra": _zebra,
    "giraffe": _giraffe,
    "elephant": _elephant,
    "camel": _camel,
    "stag": _stag,
    "ostrich": _ostrich,
    "lion": _lion,
}
"""Every animal by name."""
