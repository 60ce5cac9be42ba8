"""Bodies with an outline in plan between a lower and an upper face (tunnels, buildings, pits), and pipes near them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from plugins.tunnel.model.clearance.kernel import Floats, Ints, Near, Pieces, is_upright

#: Steps of the search along a piece for its nearest place: 0.62 to this power of the piece's length.
_STEPS = 36
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class Bodies:
    """n bodies.

    Attributes:
        plan: outlines (polygons), (n,).
        origin: float64 (n, 2), where ``base`` is the height of the lower face (m; NaN: not known).
        gradient: float64 (n, 2): how the faces rise towards east and north.
        height: float64 (n,) from the lower to the upper face, m; NaN: not known.
        owner: int64 (n,): what a body is a part of.
    """

    plan: Any
    origin: Floats
    base: Floats
    gradient: Floats
    height: Floats
    owner: Ints

    def __len__(self) -> int:
        return len(self.owner)

    def under(self, rows: Ints, at: Floats) -> Floats:
        """Height of the lower face of bodies at places (k, 2)."""
        found: Floats = self.base[rows] + np.einsum("ij,ij->i", self.gradient[rows], at - self.origin[rows])
        return found


def flat_bodies(plan: Any, bottom: Floats, top: Floats) -> Bodies:
    """Bodies with level faces, one for each outline."""
    count = len(plan)
    zero = np.zeros((count, 2))
    return Bodies(plan, zero, bottom, zero, top - bottom, np.arange(count))


def near_bodies(pieces: Pieces, bodies: Bodies, reach: float) -> Near:
    """Pairs of a piece and a body whose outer surfaces come within ``reach`` (m) in plan, each by itself.

    Heights are compared upright, so that the distance to a face that slopes by 2 % is 0.02 % too long.
    """
    empty = np.empty(0, np.int64)
    if not len(pieces) or not len(bodies):
        return Near(empty, empty, np.empty(0), np.empty(0), np.empty(0), np.empty((0, 2)))
    lines = shapely.linestrings(np.stack([pieces.start[:, :2], pieces.end[:, :2]], axis=1))
    upright = is_upright(pieces)
    lines[upright] = shapely.points(pieces.start[upright, :2])
    i, j = shapely.STRtree(bodies.plan).query(lines, predicate="dwithin", distance=reach + pieces.radius)
    i, j = i.astype(np.int64), j.astype(np.int64)
    start, end, radius, plan = pieces.start[i], pieces.end[i], pieces.radius[i], bodies.plan[j]
    flat = shapely.distance(lines[i], plan)
    if np.isnan(bodies.height).all():
        unknown = np.full(len(i), np.nan)
        nearest = _nearest(lines[i], plan, start, end)
        where = (start + nearest[:, None] * (end - start))[:, :2]
        return Near(i, j, np.maximum(flat - radius, 0.0), unknown, unknown, where)

    def rise(t: Floats) -> Floats:
        """How far the axis lies above or below the body at ``t``; negative: within its heights."""
        at = start + t[:, None] * (end - start)
        under = bodies.under(j, at[:, :2])
        found: Floats = np.maximum(under - at[:, 2], at[:, 2] - under - bodies.height[j])
        return found

    def away(t: Floats) -> Floats:
        at = shapely.points((start + t[:, None] * (end - start))[:, :2])
        found: Floats = np.hypot(shapely.distance(at, plan), np.maximum(rise(t), 0.0))
        return found

    low, high = _within(lines[i], plan, start, end)
    nearest = _nearest(lines[i], plan, start, end)
    over = np.where(flat <= 0, 1.0, 0.0)
    low, high = np.where(over > 0, low, nearest), np.where(over > 0, high, nearest)
    gaps = np.stack([rise(low), rise(high), rise(_middle(rise, low, high))])
    vertical = np.where(flat <= radius, gaps.min(axis=0) - np.where(upright[i], 0.0, radius), np.nan)
    known = ~np.isnan(gaps).any(axis=0)
    space = np.minimum(away(_search(away, len(i))), np.minimum(away(nearest), np.minimum(away(low), away(high))))
    true = space - radius
    # Where the axis runs through the body the upright overlap tells how deep.
    true = np.where((flat <= 0) & (gaps.min(axis=0) < 0), np.minimum(true, vertical), true)
    # A pile ends in a face, not in a round cap.
    true = np.where(upright[i] & (flat <= radius), vertical, true)
    vertical, true = np.where(known, vertical, np.nan), np.where(known, true, np.nan)
    middle = np.where(over > 0, (low + high) / 2, nearest)
    where = (start + middle[:, None] * (end - start))[:, :2]
    return Near(i, j, np.maximum(flat - radius, 0.0), vertical, true, where)


def _fraction(points: Any, start: Floats, end: Floats) -> Floats:
    xy = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
    way = (end - start)[:, :2]
    square = np.einsum("ij,ij->i", way, way)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.einsum("ij,ij->i", xy - start[:, :2], way) / square
    found: Floats = np.clip(np.nan_to_num(t), 0.0, 1.0)
    return found


def _nearest(lines: Any, plan: Any, start: Floats, end: Floats) -> Floats:
    between = shapely.shortest_line(lines, plan)
    return _fraction(shapely.get_point(between, 0), start, end)


def _within(lines: Any, plan: Any, start: Floats, end: Floats) -> tuple[Floats, Floats]:
    """First and last place of each piece inside its body's outline; 0 and 0 where it stays outside."""
    inside = shapely.intersection(lines, plan)
    points, row = shapely.get_coordinates(inside, return_index=True)
    t = _fraction(shapely.points(points), start[row], end[row]) if len(points) else np.empty(0)
    low, high = np.full(len(start), np.inf), np.full(len(start), -np.inf)
    np.minimum.at(low, row, t)
    np.maximum.at(high, row, t)
    upright = (start[:, :2] == end[:, :2]).all(axis=1) & np.isfinite(low)
    low[upright], high[upright] = 0.0, 1.0
    return np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)


def _middle(rise: Any, low: Floats, high: Floats) -> Floats:
    """The place between ``low`` and ``high`` where a piece that passes through a body lies deepest in it."""
    a, b = low.copy(), high.copy()
    for _ in range(_STEPS):
        one, two = b - _GOLDEN * (b - a), a + _GOLDEN * (b - a)
        left = rise(one) <= rise(two)
        a, b = np.where(left, a, one), np.where(left, two, b)
    found: Floats = (a + b) / 2
    return found


def _search(away: Any, count: int) -> Floats:
    return _middle(away, np.zeros(count), np.ones(count))


def body_gaps(a: Bodies, b: Bodies, reach: float) -> Near:
    """Pairs of bodies within ``reach`` (m) in plan. Heights are compared at the middle of the nearest places."""
    empty = np.empty(0, np.int64)
    if not len(a) or not len(b):
        return Near(empty, empty, np.empty(0), np.empty(0), np.empty(0), np.empty((0, 2)))
    i, j = (
        rows.astype(np.int64) for rows in shapely.STRtree(b.plan).query(a.plan, predicate="dwithin", distance=reach)
    )
    one, two = a.plan[i], b.plan[j]
    plan = shapely.distance(one, two)
    middle = shapely.centroid(np.where(plan > 0, shapely.shortest_line(one, two), shapely.intersection(one, two)))
    where = np.column_stack([shapely.get_x(middle), shapely.get_y(middle)]).reshape(-1, 2)
    under_a, under_b = a.under(i, where), b.under(j, where)
    gap = np.maximum(under_b - under_a - a.height[i], under_a - under_b - b.height[j])
    apart = plan > 0
    true = np.where(apart, np.hypot(plan, np.maximum(gap, 0.0)), gap)
    return Near(i, j, plan, np.where(apart, np.nan, gap), true, where)
