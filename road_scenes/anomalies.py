"""Anomalies: what no training scene holds, large and small."""

from collections.abc import Callable, Sequence

from road_scenes import animals, cargo, machines
from road_scenes.board import Board
from road_scenes.canvas import Canvas
from road_scenes.style import Colour, Range

LARGE = animals.FAMILIES | machines.FAMILIES
"""Families as large as a car or larger, by name."""

SMALL = cargo.FAMILIES
"""Families about a metre large before they are scaled, by name."""

PLAIN = {name: family for name, family in SMALL.items() if name not in cargo.BRIGHT}
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
