"""Poles and what hangs on them: lamps, traffic signs, traffic lights, bollards."""

from road_scenes.board import Board
from road_scenes.canvas import Canvas, Point

_METAL = ((104, 106, 108), (126, 128, 130), (88, 92, 92), (142, 142, 142))
_RED, _BLUE, _YELLOW, _WHITE, _BLACK = (
    (206, 26, 32),
    (28, 82, 186),
    (242, 192, 32),
    (244, 244, 240),
    (36, 36, 38),
)
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
