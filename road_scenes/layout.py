"""What stands where: the plan of a scene, and how an ordinary street is filled."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import NamedTuple

from road_scenes import buildings, furniture, people, vehicles
from road_scenes.buildings import Lot
from road_scenes.canvas import Canvas, Point
from road_scenes.scenery import Side, Street, draw_backdrop, draw_ground, draw_street

Drawer = Callable[[Canvas, float, float], None]
"""Draws an object on a canvas at (metres across, metres ahead)."""


class _Plot(NamedTuple):
    """A rectangle of ground that is taken, in metres."""

    left: float
    right: float
    near: float
    far: float

    def meets(self, other: "_Plot") -> bool:
        """Say whether two plots overlap."""
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.far <= other.near or other.far <= self.near)


class Plan:
    """A canvas with its street, and everything that will be painted on it."""

    def __init__(self, canvas: Canvas) -> None:
        """Draw a street for the canvas; nothing stands on it yet."""
        self.canvas = canvas
        self.street: Street = draw_street(canvas.rng)
        self._plots: list[_Plot] = []
        self._things: list[tuple[float, Callable[[], None]]] = []

    @property
    def rng(self) -> Random:
        """The scene's generator."""
        return self.canvas.rng

    def add(self, ahead: float, draw: Callable[[], None]) -> None:
        """Paint something later, after all that is farther than ``ahead`` metres."""
        self._things.append((ahead, draw))

    def put(self, drawer: Drawer, x: float, z: float, size: Point) -> bool:
        """Put an object at (x, z) if its plot, (width, length) in metres, is free; say whether it was."""
        if not self.reserve(x, z, size) or not self.sees(x, z, size[0] / 4):
            return False
        self.add(z, lambda: drawer(self.canvas, x, z))
        return True

    def reserve(self, x: float, z: float, size: Point) -> bool:
        """Take a plot of (width, length) metres around x and beyond z; say whether it was free."""
        width, length = size
        plot = _Plot(x - width / 2, x + width / 2, z - 0.4, z + length + 0.4)
        if any(plot.meets(taken) for taken in self._plots):
            return False
        self._plots.append(plot)
        return True

    def sees(self, x: float, z: float, margin: float = 0.0) -> bool:
        """Say whether the foot of an object is between the left and right borders of the image."""
        camera = self.canvas.camera
        reach = camera.focal * margin / z
        return reach <= camera.project((x, 0, z))[0] <= camera.width - reach

    def paint(self) -> None:
        """Paint backdrop, ground and every object, from far to near."""
        draw_backdrop(self.canvas)
        draw_ground(self.canvas, self.street)
        for _, draw in sorted(self._things, key=lambda thing: -thing[0]):
            draw()


_BONNETS = ((40, 42, 48), (92, 96, 102), (150, 32, 30), (30, 40, 70), (192, 192, 194))
_BUILDERS = (buildings.draw_building, buildings.draw_wall, buildings.draw_fence, buildings.draw_hedge)
_TRIES = 4
_LOTS_BEGIN, _LOTS_END = 3.0, 80.0


def fill_street(plan: Plan, traffic: float = 1.0) -> None:
    """Fill the free ground of a plan with an ordinary street.

    Args:
        plan: what is on it keeps its place.
        traffic: a factor on how many vehicles and people there are.
    """
    for side in plan.street.sides:
        _line_with_lots(plan, side)
        if side.track and plan.rng.random() < 0.85 * traffic:
            _put_near(plan, vehicles.draw_tram, lambda s=side: s.sign * (s.curb + 2.1), (8, 20), (2.6, 26))
    _add_poles(plan)
    _add_large_vehicles(plan, traffic)
    _add_two_wheelers(plan, traffic)
    _add_people(plan, traffic)
    _add_cars(plan, traffic)
    _repeat(plan, 0, 3, lambda: _put_beside(plan, furniture.draw_clutter, (6, 22), 1.2))
    _repeat(plan, 0, 2, lambda: _put_beside(plan, buildings.draw_tree, (9, 40), 1.0))


def draw_bonnet(canvas: Canvas) -> None:
    """Draw the bonnet of the camera's own car over everything else; it is void."""
    rng, camera = canvas.rng, canvas.camera
    if rng.random() >= canvas.style.bonnet:
        return
    top, colour = camera.height * rng.uniform(0.9, 0.96), canvas.pick(_BONNETS)
    bulge = camera.height * 0.22
    for lower, shade in ((0.0, 1.0), (0.04, 0.88)):
        centre = (camera.width / 2, top + bulge + lower * camera.height)
        canvas.ellipse(centre, (camera.width * 0.62, bulge), canvas.tint(colour, 1, shade), "void")


def _repeat(plan: Plan, least: int, most: int, action: Callable[[], object]) -> None:
    """Do something between ``least`` and ``most`` times."""
    for _ in range(plan.rng.randint(least, most)):
        action()


def _put_near(
    plan: Plan,
    drawer: Drawer,
    across: Callable[[], float],
    ahead: tuple[float, float],
    size: tuple[float, float],
) -> bool:
    """Try a few places until one is free; near places are likelier than far ones."""
    low, high = ahead
    for _ in range(_TRIES):
        z = low + (high - low) * plan.rng.random() ** 1.5
        if plan.put(drawer, across(), z, size):
            return True
    return False


def _lane(plan: Plan, half: float) -> float:
    """Return a place across in one of the two lanes beside the middle of the road, or at the curb."""
    street, rng = plan.street, plan.rng
    left, right = street.left + half + 0.2, street.right - half - 0.2
    if left >= right:
        return (left + right) / 2
    return rng.choice((left, right, rng.uniform(left, right)))


def _beside(plan: Plan) -> float:
    """Return a place across on a sidewalk, or on the verge where there is none."""
    side = plan.rng.choice(plan.street.sides)
    outer = side.curb - 0.3 if side.sidewalk else side.edge - 0.2
    return side.sign * plan.rng.uniform(side.road + 0.4, outer)


def _at_curb(plan: Plan) -> float:
    """Return a place across just behind the curb."""
    side = plan.rng.choice(plan.street.sides)
    return side.sign * (side.road + plan.rng.uniform(0.25, 0.7))


def _put_beside(plan: Plan, drawer: Drawer, ahead: tuple[float, float], width: float) -> bool:
    """Put an object on a sidewalk or verge."""
    return _put_near(plan, drawer, lambda: _beside(plan), ahead, (width, 0.8))


def _line_with_lots(plan: Plan, side: Side) -> None:
    """Line one side of the street with houses, walls, fences, hedges and trees."""
    rng, far = plan.rng, _LOTS_END
    urban = rng.random() < 0.6
    weights = (0.42, 0.2, 0.18, 0.06, 0.14) if urban else (0.1, 0.22, 0.24, 0.14, 0.3)
    while far > _LOTS_BEGIN + 1:
        near = max(_LOTS_BEGIN, far - rng.uniform(6, 16))
        lot = Lot(side.sign, side.edge + rng.uniform(0, 0.5), near, far)
        draw = rng.choices((*_BUILDERS, None), weights)[0]
        if draw is None:
            _plan_trees(plan, lot)
        else:
            if draw is not buildings.draw_building:
                _plan_background(plan, lot)
            plan.add(lot.far, partial(draw, plan.canvas, lot))
        far = near


def _plan_background(plan: Plan, lot: Lot) -> None:
    """Plan what is seen above a wall, a fence or a hedge."""
    chance = plan.rng.random()
    if chance < 0.3:
        behind = Lot(lot.sign, lot.across + 5, lot.near, lot.far)
        plan.add(lot.far + 0.02, lambda: buildings.draw_building(plan.canvas, behind))
    elif chance < 0.65:
        x, z = lot.sign * (lot.across + 3.5), plan.rng.uniform(lot.near, lot.far)
        plan.add(lot.far + 0.01, lambda: buildings.draw_tree(plan.canvas, x, z))


def _plan_trees(plan: Plan, lot: Lot) -> None:
    """Plan trees and bushes on open ground."""
    rng = plan.rng
    for _ in range(round((lot.far - lot.near) / 5)):
        x, z = lot.sign * (lot.across + rng.uniform(1.2, 6)), rng.uniform(max(5, lot.near), max(6, lot.far))
        drawer = rng.choice((buildings.draw_tree, buildings.draw_tree, buildings.draw_bush))
        plan.add(z, lambda drawer=drawer, x=x, z=z: drawer(plan.canvas, x, z))


def _add_poles(plan: Plan) -> None:
    """Put lamps, signs, traffic lights and bollards behind the curb."""
    kinds = (
        (furniture.draw_lamp, 1, 3, (6, 26)),
        (furniture.draw_sign, 1, 3, (6.5, 17)),
        (furniture.draw_traffic_light, 0, 3, (8.5, 18)),
        (furniture.draw_bollard, 0, 3, (4.5, 14)),
    )
    for drawer, least, most, ahead in kinds:
        _repeat(
            plan,
            least,
            most,
            lambda d=drawer, a=ahead: _put_near(plan, d, lambda: _at_curb(plan), a, (0.5, 0.5)),
        )


def _add_large_vehicles(plan: Plan, traffic: float) -> None:
    """Put trucks, buses and trams on the road, each in about every third scene."""
    kinds = (
        (vehicles.draw_truck, 0.42, (7.5, 22), (2.6, 9)),
        (vehicles.draw_bus, 0.42, (7.5, 24), (2.7, 12)),
        (vehicles.draw_tram, 0.26, (8, 24), (2.7, 26)),
    )
    for drawer, share, ahead, size in plan.rng.sample(kinds, 3):
        if plan.rng.random() < share * traffic:
            _put_near(plan, drawer, lambda: _lane(plan, 1.3), ahead, size)


def _add_two_wheelers(plan: Plan, traffic: float) -> None:
    """Put riders on the road, parked bicycles and motorcycles beside it."""
    for drawer in (people.draw_cyclist, people.draw_motorcyclist):
        if plan.rng.random() < 0.5 * traffic:
            _put_near(plan, drawer, lambda: _lane(plan, 0.6), (5, 11), (1.9, 1.4))
    for drawer in (people.draw_parked_bicycle, people.draw_parked_motorcycle):
        if plan.rng.random() < 0.5 * traffic:
            _put_near(plan, drawer, lambda: _beside(plan), (5, 11), (1.9, 0.8))


def _add_people(plan: Plan, traffic: float) -> None:
    """Put pedestrians on the sidewalks, and on the crosswalk if there is one."""
    most = round(4 * traffic)
    _repeat(plan, min(1, most), most, lambda: _put_beside(plan, people.draw_person, (4.6, 16), 0.7))
    crossing, street = plan.street.crossing, plan.street
    if crossing is not None:
        ahead, inside = (crossing + 0.5, crossing + 2.8), (street.left + 0.5, street.right - 0.5)
        for _ in range(plan.rng.randint(0, round(2 * traffic))):
            _put_near(plan, people.draw_person, lambda: plan.rng.uniform(*inside), ahead, (0.7, 0.6))


def _add_cars(plan: Plan, traffic: float) -> None:
    """Put cars in the lanes and along the curbs, and now and then one that crosses."""
    most = round(4 * traffic)
    _repeat(
        plan,
        min(1, most),
        most,
        lambda: _put_near(plan, vehicles.draw_car, lambda: _lane(plan, 0.9), (7, 50), (2.0, 4.8)),
    )
    if plan.rng.random() < 0.15 * traffic:
        _put_near(plan, vehicles.draw_crossing_car, lambda: _lane(plan, 1.6), (9, 22), (4.6, 2))
