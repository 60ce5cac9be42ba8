"""A cross section as data: compartments, supports and what lies where. Metres; x to the right, y up. Pure Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from planner_app.domain.errors import PlannerError
from plugins.tunnel.model.space.kinds import CABLES

Ring = tuple[tuple[float, float], ...]
Circle = tuple[float, float, float]
"""x, y, radius (m)."""

#: Width (m) over which a bundle of cables spreads where no support says how long it is.
_TRAY = 0.6
#: What stands in the way of people: everything that reaches below this height above the floor (m).
_HEADROOM = 2.0
_HAIR = 1e-6


@dataclass(frozen=True, slots=True)
class Compartment:
    """A compartment in the section. ``outline``: rings of its clear space, the outer one first; empty if unknown."""

    code: str
    kind: str
    outline: tuple[Ring, ...] = ()

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """xmin, ymin, xmax, ymax of the clear space."""
        if not self.outline:
            return None
        xs, ys = zip(*self.outline[0], strict=True)
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True, slots=True)
class Support:
    """A bracket: ``x``, ``y`` the middle of its upper edge, ``length`` out from the wall, ``capacity_kg`` or None."""

    code: str
    compartment: str
    side: str
    level: int | None
    x: float
    y: float
    length: float
    capacity_kg: float | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """A line in the section.

    Attributes:
        fid: row of the placement table; ``line``: code of the line.
        kind: what runs in it (see ``kinds``).
        compartment: code of the compartment, "" if none of the section fits; ``stated``: as the table has it.
        x, y: middle of the pipe or of the bundle; None where unknown.
        outer_d: of one pipe or cable; None where neither it nor a nominal size is known; ``nominal``: taken from the
            nominal size.
        count: cables of a bundle, laid side by side in rows as wide as the support.
        weight_kg_m: as stated, else None.
    """

    fid: int
    line: str
    kind: str
    compartment: str
    x: float | None
    y: float | None
    outer_d: float | None
    count: int = 1
    support: str = ""
    stated: str = ""
    nominal: bool = False
    network: str = ""
    kind_code: str = ""
    dn_mm: float | None = None
    material: str = ""
    rating: str = ""
    voltage_kv: float | None = None
    weight_kg_m: float | None = None
    status: str = ""

    @property
    def known(self) -> bool:
        """Place and size are known."""
        return self.x is not None and self.y is not None and self.outer_d is not None


@dataclass(frozen=True, slots=True)
class Section:
    """The cross section of a tunnel at a chainage.

    Attributes:
        m: chainage; ``from_m``, ``to_m``: of the tunnel's section with this profile.
        built: edition of the design standard the tunnel was built to; ``year``: in which year; empty if unknown.
        at: x, y, z of the axis on the floor in the project's CRS; z NaN where unknown.
        ground_z: height of the ground, None where unknown.
        wall: thickness (m) of the structure's outer walls, None where unknown.
        notes: (code, params) of what is wrong in the tables.
    """

    code: str
    tunnel: str
    m: float
    from_m: float
    to_m: float
    compartments: tuple[Compartment, ...]
    supports: tuple[Support, ...] = ()
    placements: tuple[Placement, ...] = ()
    profile: str = ""
    built: str = ""
    year: int | None = None
    at: tuple[float, float, float] | None = None
    ground_z: float | None = None
    wall: float | None = None
    notes: tuple[tuple[str, dict[str, Any]], ...] = ()

    def compartment(self, code: str) -> Compartment | None:
        """The compartment of a code."""
        return next((one for one in self.compartments if one.code == code), None)

    def support_of(self, placement: Placement) -> Support | None:
        """The support a line lies on: the one stated, else the one right below it."""
        if placement.support:
            return next((one for one in self.supports if one.code == placement.support), None)
        if placement.x is None or placement.y is None or placement.outer_d is None:
            return None
        low = placement.y - placement.outer_d / 2
        below = [
            one
            for one in self.supports
            if one.compartment == placement.compartment
            and abs(one.x - placement.x) <= one.length / 2 + _HAIR
            and -placement.outer_d <= low - one.y <= 0.15
        ]
        return max(below, key=lambda one: one.y, default=None)

    def circles(self, placement: Placement) -> list[Circle]:
        """Outer circles of a pipe or of every cable of a bundle; empty if place or size is unknown."""
        if placement.x is None or placement.y is None or placement.outer_d is None:
            return []
        support = self.support_of(placement) if placement.count > 1 else None
        width = support.length if support else _TRAY
        return list(_bundle(placement.x, placement.y, placement.outer_d, placement.count, width))

    def moved(self, fid: int, x: float, y: float, *, support: str = "", compartment: str | None = None) -> Section:
        """The section with one line elsewhere: for judging while it is dragged.

        Args:
            compartment: code; without it the compartment that holds the new place, or none.

        Raises:
            PlannerError: ``tunnel.placement_unknown``.
        """
        if all(one.fid != fid for one in self.placements):
            raise PlannerError("tunnel.placement_unknown", id=fid, section=self.code)
        if compartment is None:
            compartment = next((one.code for one in self.compartments if inside(one.outline, x, y)), "")
        changed = tuple(
            replace(one, x=x, y=y, support=support, compartment=compartment) if one.fid == fid else one
            for one in self.placements
        )
        return replace(self, placements=changed)


@lru_cache(maxsize=4096)
def _bundle(x: float, y: float, d: float, count: int, width: float) -> tuple[Circle, ...]:
    """Circles side by side in rows no wider than ``width``, the whole centred on (x, y)."""
    per_row = max(1, int(width / d + _HAIR)) if d > 0 else count
    rows = [min(per_row, count - start) for start in range(0, count, per_row)]
    low = y - (len(rows) - 1) * d / 2
    return tuple((x + (k - (n - 1) / 2) * d, low + row * d, d / 2) for row, n in enumerate(rows) for k in range(n))


def inside(rings: Sequence[Ring], x: float, y: float) -> bool:
    """True if a point lies within rings (even-odd)."""
    odd = False
    for ring in rings:
        for (ax, ay), (bx, by) in _edges(ring):
            if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
                odd = not odd
    return odd


def depth(rings: Sequence[Ring], x: float, y: float) -> float:
    """Distance (m) of a point from the nearest wall; negative outside."""
    nearest = min((_to_edge(x, y, a, b) for ring in rings for a, b in _edges(ring)), default=float("inf"))
    return nearest if inside(rings, x, y) else -nearest


def _edges(ring: Ring) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    return [(a, b) for a, b in zip(ring, (*ring[1:], ring[0]), strict=True) if a != b]


def _to_edge(x: float, y: float, a: tuple[float, float], b: tuple[float, float]) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    t = max(0.0, min(1.0, ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy)))
    return float(((x - a[0] - t * dx) ** 2 + (y - a[1] - t * dy) ** 2) ** 0.5)


@dataclass(frozen=True, slots=True)
class Aisle:
    """The widest free strip of a compartment below headroom: ``left`` … ``right`` (m).

    ``sides``: on how many sides of it supports or lines stand (0, 1, 2); ``height``: clear height in its middle.
    """

    left: float
    right: float
    sides: int
    height: float

    @property
    def width(self) -> float:
        """Clear width (m)."""
        return self.right - self.left

    @property
    def middle(self) -> float:
        """x of its middle."""
        return (self.left + self.right) / 2


def aisle(section: Section, room: Compartment) -> Aisle | None:
    """The inspection aisle of a compartment from what is known to stand in it; None without an outline."""
    if room.box is None:
        return None
    floor, top = room.box[1], room.box[3]
    wall_left, wall_right = _chord(room.outline, min(floor + 1.0, (floor + top) / 2), room.box)
    busy = [
        (one.x - one.length / 2, one.x + one.length / 2)
        for one in section.supports
        if one.compartment == room.code and one.y < floor + _HEADROOM
    ]
    for placement in section.placements:
        if placement.compartment == room.code:
            circles = section.circles(placement)
            busy += [(x - r, x + r) for x, y, r in circles if y - r < floor + _HEADROOM]
    best = (wall_left, wall_left, wall_left)
    edge = wall_left
    for left, right in [*sorted(busy), (wall_right, wall_right)]:
        if min(left, wall_right) - edge > best[1] - best[0] + _HAIR:
            best = (edge, min(left, wall_right), edge)
        edge = max(edge, right)
    left, right = best[0], best[1]
    sides = int(left > wall_left + _HAIR) + int(right < wall_right - _HAIR)
    middle = (left + right) / 2
    bottom, ceiling = _chord(tuple(tuple((y, x) for x, y in ring) for ring in room.outline), middle, None)
    return Aisle(left, right, sides, ceiling - bottom)


def _chord(rings: tuple[Ring, ...], y: float, box: tuple[float, float, float, float] | None) -> tuple[float, float]:
    """The longest stretch within rings along the horizontal at ``y``."""
    cuts = sorted(
        (bx - ax) * (y - ay) / (by - ay) + ax
        for ring in rings
        for (ax, ay), (bx, by) in _edges(ring)
        if (ay > y) != (by > y)
    )
    stretches = list(zip(cuts[::2], cuts[1::2], strict=False))
    if not stretches:
        return (box[0], box[2]) if box else (0.0, 0.0)
    return max(stretches, key=lambda pair: pair[1] - pair[0])


def on_left(section: Section, room: Compartment, placement: Placement) -> bool | None:
    """True if a line lies left of the aisle's middle, None if that cannot be told."""
    found = aisle(section, room)
    if found is None or placement.x is None or found.width <= 0:
        return None
    return placement.x < found.middle


@dataclass(frozen=True, slots=True)
class Distances:
    """Clear distances (m) of a line's outer surface; None where unknown; negative where it reaches beyond.

    ``wall``: nearest wall, floor or ceiling; ``floor``: down to the floor; ``gap``: nearest other line, ``neighbour``.
    """

    wall: float | None = None
    floor: float | None = None
    neighbour: str = ""
    gap: float | None = None


def distances(section: Section, placement: Placement) -> Distances:
    """How far a line is from what surrounds it."""
    circles, room = section.circles(placement), section.compartment(placement.compartment)
    if not circles:
        return Distances()
    wall = floor = None
    if room is not None and room.box is not None:
        wall = min(depth(room.outline, x, y) - r for x, y, r in circles)
        floor = min(y - r for _, y, r in circles) - room.box[1]
    gaps = [
        (((x - u) ** 2 + (y - v) ** 2) ** 0.5 - r - s, other.line)
        for other in section.placements
        if other.fid != placement.fid and other.compartment == placement.compartment
        for u, v, s in section.circles(other)
        for x, y, r in circles
    ]
    gap, neighbour = min(gaps, default=(None, ""))
    return Distances(wall, floor, neighbour, gap)


def is_cable(placement: Placement) -> bool:
    """Power or telecom."""
    return placement.kind in CABLES
