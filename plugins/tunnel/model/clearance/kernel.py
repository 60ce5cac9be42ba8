"""Distances between straight pieces of pipes in space: exact, vectorised, unknown heights kept unknown.

A line's axis is cut into straight pieces; each pair of pieces whose outer surfaces come within reach in plan is
measured. The nearest points of two segments are either inside both (the common normal) or at one of the four ends, so
the least of five distances is exact (Eberly, Robust Computation of Distance Between Line Segments, 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Pairs measured at a time: what they need stays in the cache.
_CHUNK = 16_384


@dataclass(frozen=True, slots=True)
class Pieces:
    """n straight pieces of lines.

    Attributes:
        start, end: float64 (n, 3), metres; z is the axis and NaN where it is unknown.
        radius: float64 (n,) to the outer surface, m.
        line: int64 (n,): which line a piece belongs to.
        nodes: int64 (n, 2): node numbers at a piece's ends, −1 inside a line: pieces that share a node are joined and
            not measured against each other.
    """

    start: Floats
    end: Floats
    radius: Floats
    line: Ints
    nodes: Ints

    def __len__(self) -> int:
        return len(self.line)


@dataclass(frozen=True, slots=True)
class Near:
    """k pairs of pieces, each pair of lines once: the nearest of their pieces.

    Attributes:
        a, b: int64 (k,) piece numbers; in ``b``'s own numbering where two sets were compared.
        plan: float64 (k,) gap between outer surfaces in plan, m; 0 where they overlap in plan.
        vertical: gap between outer surfaces where they overlap in plan; negative if one is within the other; NaN where
            they do not overlap in plan or a height is unknown.
        true: gap between outer surfaces in space; negative if they collide; NaN where a height is unknown.
        where: (k, 2) middle of the nearest points in plan.
    """

    a: Ints
    b: Ints
    plan: Floats
    vertical: Floats
    true: Floats
    where: Floats


def nearest(a0: Floats, a1: Floats, b0: Floats, b1: Floats) -> tuple[Floats, Floats, Floats]:
    """Distance of segments row by row, with the parameters (0 … 1) of the nearest points on each.

    Args:
        a0, a1, b0, b1: float64 (k, d), d = 2 or 3.

    Returns:
        distance, s, t: float64 (k,).
    """
    u, v, w = a1 - a0, b1 - b0, a0 - b0
    uu, uv, vv = _dot(u, u), _dot(u, v), _dot(v, v)
    uw, vw = _dot(u, w), _dot(v, w)
    determinant = uu * vv - uv * uv
    with np.errstate(divide="ignore", invalid="ignore"):
        s_inner = (uv * vw - vv * uw) / determinant
        t_inner = (uu * vw - uv * uw) / determinant
        along_a = np.stack([np.clip(-uw / uu, 0, 1), np.clip((uv - uw) / uu, 0, 1)])
        along_b = np.stack([np.clip(vw / vv, 0, 1), np.clip((uv + vw) / vv, 0, 1)])
    along_a = np.nan_to_num(along_a)
    along_b = np.nan_to_num(along_b)
    inside = (s_inner >= 0) & (s_inner <= 1) & (t_inner >= 0) & (t_inner <= 1) & (determinant > 1e-12 * uu * vv)
    zero, one = np.zeros(len(uu)), np.ones(len(uu))
    s = np.stack([np.where(inside, s_inner, 0.0), along_a[0], along_a[1], zero, one])
    t = np.stack([np.where(inside, t_inner, 0.0), zero, one, along_b[0], along_b[1]])
    gaps = w[None] + s[..., None] * u[None] - t[..., None] * v[None]
    square = np.einsum("ijk,ijk->ij", gaps, gaps)
    best = np.argmin(square, axis=0)
    row = np.arange(len(uu))
    return np.sqrt(square[best, row]), s[best, row], t[best, row]


def _dot(a: Floats, b: Floats) -> Floats:
    found: Floats = np.einsum("ij,ij->i", a, b)
    return found


def near_pairs(a: Pieces, reach: float, b: Pieces | None = None) -> Near:
    """Pairs of lines whose outer surfaces come within ``reach`` (m) of each other in plan.

    Args:
        b: a second set; without it the pairs within ``a`` (pieces of one line and pieces joined at a node left out).
    """
    other = a if b is None else b
    found = near_pieces(a, reach, b)
    return by_lines(found, a.line[found.a], other.line[found.b], one_set=b is None)[0]


def near_pieces(a: Pieces, reach: float, b: Pieces | None = None) -> Near:
    """Like :func:`near_pairs`, every pair of pieces by itself."""
    i, j = _candidates(a, reach, b)
    other = a if b is None else b
    if b is None:
        keep = a.line[i] != a.line[j]
        for one in (0, 1):
            for two in (0, 1):
                keep &= (a.nodes[i, one] != a.nodes[j, two]) | (a.nodes[i, one] < 0)
        i, j = i[keep], j[keep]
    parts = [_measure(a, other, i[at : at + _CHUNK], j[at : at + _CHUNK], reach) for at in range(0, len(i) + 1, _CHUNK)]
    names = ("a", "b", "plan", "vertical", "true", "where")
    return Near(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _candidates(a: Pieces, reach: float, b: Pieces | None) -> tuple[Ints, Ints]:
    """Pairs that may be within reach in plan; within one set each pair once."""
    other = a if b is None else b
    if not len(a) or not len(other):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    shapes = _in_plan(other)
    tree = shapely.STRtree(shapes)
    # Thick lines are few: a reach for each keeps the candidates near those that count.
    wide = reach + a.radius + float(other.radius.max())
    if b is not None:
        i, j = tree.query(_in_plan(a), predicate="dwithin", distance=wide)
        return i, j
    # Boxes are found eight times as fast as distances, and say little only of long pieces across the grid.
    side = np.abs(a.end - a.start)[:, :2].min(axis=1)
    slanted = side > max(50.0, 10 * float(np.median(side)))
    short, long = np.flatnonzero(~slanted), np.flatnonzero(slanted)
    low, high = np.minimum(a.start, a.end)[short, :2], np.maximum(a.start, a.end)[short, :2]
    low, high = low - wide[short, None], high + wide[short, None]
    i, j = tree.query(shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]))
    i = short[i]
    once = (i < j) & ~slanted[j]
    i, j = i[once], j[once]
    if len(long):
        k, m = tree.query(shapes[long], predicate="dwithin", distance=wide[long])
        k = long[k]
        once = (k < m) | (~slanted[m])
        i, j = np.concatenate([i, np.minimum(k, m)[once]]), np.concatenate([j, np.maximum(k, m)[once]])
    return i, j


def _in_plan(pieces: Pieces) -> Any:
    """Pieces as lines in plan; upright ones (piles, shafts) as points."""
    shapes = shapely.linestrings(np.stack([pieces.start[:, :2], pieces.end[:, :2]], axis=1))
    upright = is_upright(pieces)
    shapes[upright] = shapely.points(pieces.start[upright, :2])
    return shapes


def is_upright(pieces: Pieces) -> Any:
    """bool (n,): piles and shafts, points in plan."""
    return (pieces.start[:, 0] == pieces.end[:, 0]) & (pieces.start[:, 1] == pieces.end[:, 1])


def _measure(a: Pieces, b: Pieces, i: Ints, j: Ints, reach: float) -> Near:
    """Distances of pairs of pieces, those farther apart in plan than ``reach`` left out."""
    a0, a1, b0, b1 = a.start[i], a.end[i], b.start[j], b.end[j]
    radii = a.radius[i] + b.radius[j]
    flat, s, t = nearest(a0[:, :2], a1[:, :2], b0[:, :2], b1[:, :2])
    within = flat - radii <= reach
    if not within.all():
        i, j = i[within], j[within]
        radii, flat, s, t = (one[within] for one in (radii, flat, s, t))
        a0, a1, b0, b1 = (one[within] for one in (a0, a1, b0, b1))
    known = ~np.isnan(a0[:, 2] + a1[:, 2] + b0[:, 2] + b1[:, 2])
    if known.all():
        space, _, _ = nearest(a0, a1, b0, b1)
    else:
        space = np.full(len(i), np.nan)
        space[known] = nearest(*(part[known] for part in (a0, a1, b0, b1)))[0]
    z = a0[:, 2] + s * (a1[:, 2] - a0[:, 2])
    gap = np.abs(z - (b0[:, 2] + t * (b1[:, 2] - b0[:, 2]))) - radii
    upright = is_upright(b)[j]
    if upright.any():
        # Of an upright piece only the heights between its ends count, and its end is a face, not a round cap.
        past = np.maximum(np.minimum(b0[:, 2], b1[:, 2]) - z, z - np.maximum(b0[:, 2], b1[:, 2]))
        gap = np.where(upright, np.maximum(past, 0.0) - a.radius[i], gap)
    vertical = np.where(flat <= radii, gap, np.nan)
    way_a, way_b = (a1 - a0)[:, :2], (b1 - b0)[:, :2]
    place = (a0[:, :2] + s[:, None] * way_a + b0[:, :2] + t[:, None] * way_b) / 2
    return Near(i, j, np.maximum(flat - radii, 0.0), vertical, space - radii, place)


def _take(near: Near, rows: Any) -> Near:
    return Near(near.a[rows], near.b[rows], near.plan[rows], near.vertical[rows], near.true[rows], near.where[rows])


def by_lines(near: Near, line_a: Ints, line_b: Ints, *, one_set: bool = True) -> tuple[Near, Ints]:
    """The nearest pair of pieces for each pair of lines: by true distance, by plan where a height is unknown. A pair of
    lines with any piece of unknown height within reach stays unknown.

    Args:
        line_a, line_b: int64 (k,) lines of the pieces of ``near``.
        one_set: both number the same lines: (1, 2) and (2, 1) are one pair.

    Returns:
        the pairs of lines, and int64 (k,): which of them each pair of pieces belongs to.
    """
    if not len(near.a):
        return near, np.empty(0, np.int64)
    unknown = np.isnan(near.true)
    rank = np.where(unknown, near.plan - 1e6, near.true)  # unknown first: it can never be judged better than it is
    low = np.minimum(line_a, line_b) if one_set else line_a
    high = np.maximum(line_a, line_b) if one_set else line_b
    order = np.lexsort((rank, high, low))
    first = np.ones(len(order), bool)
    first[1:] = (low[order][1:] != low[order][:-1]) | (high[order][1:] != high[order][:-1])
    group = np.cumsum(first) - 1
    kept = order[first]
    plan = np.full(len(kept), np.inf)
    np.minimum.at(plan, group, near.plan[order])
    vertical = np.full(len(kept), np.inf)
    np.fmin.at(vertical, group, near.vertical[order])
    found = _take(near, kept)
    vertical[np.isinf(vertical) | np.isnan(found.true)] = np.nan
    found = Near(found.a, found.b, plan, vertical, found.true, found.where)
    member = np.empty(len(order), np.int64)
    member[order] = group
    return found, member
