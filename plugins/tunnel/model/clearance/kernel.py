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
        joined = (a.nodes[i][:, :, None] == a.nodes[j][:, None, :]) & (a.nodes[i][:, :, None] >= 0)
        keep = (a.line[i] != a.line[j]) & ~joined.any(axis=(1, 2))
        i, j = i[keep], j[keep]
    found = _measure(a, other, i, j)
    return _take(found, found.plan <= reach)


def _candidates(a: Pieces, reach: float, b: Pieces | None) -> tuple[Ints, Ints]:
    other = a if b is None else b
    if not len(a) or not len(other):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    lines = _in_plan(other)
    tree = shapely.STRtree(lines)
    asked = lines if b is None else _in_plan(a)
    # Thick lines are few: a reach for each keeps the candidates near those that count.
    i, j = tree.query(asked, predicate="dwithin", distance=reach + a.radius + float(other.radius.max()))
    if b is None:
        once = i < j
        i, j = i[once], j[once]
    return i, j


def _in_plan(pieces: Pieces) -> Any:
    """Pieces as lines in plan; upright ones (piles, shafts) as points."""
    shapes = shapely.linestrings(np.stack([pieces.start[:, :2], pieces.end[:, :2]], axis=1))
    upright = (pieces.start[:, :2] == pieces.end[:, :2]).all(axis=1)
    shapes[upright] = shapely.points(pieces.start[upright, :2])
    return shapes


def _measure(a: Pieces, b: Pieces, i: Ints, j: Ints) -> Near:
    a0, a1, b0, b1 = a.start[i], a.end[i], b.start[j], b.end[j]
    radii = a.radius[i] + b.radius[j]
    flat, s, t = nearest(a0[:, :2], a1[:, :2], b0[:, :2], b1[:, :2])
    plan = np.maximum(flat - radii, 0.0)
    known = ~np.isnan(np.stack([a0[:, 2], a1[:, 2], b0[:, 2], b1[:, 2]])).any(axis=0)
    space, _, _ = nearest(*(np.nan_to_num(part) for part in (a0, a1, b0, b1)))
    height = (a0[:, 2] + s * (a1[:, 2] - a0[:, 2])) - (b0[:, 2] + t * (b1[:, 2] - b0[:, 2]))
    # Of an upright piece only the heights between its ends count, and its end is a face, not a round cap.
    upright = (b0[:, :2] == b1[:, :2]).all(axis=1)
    z = a0[:, 2] + s * (a1[:, 2] - a0[:, 2])
    past = np.maximum(np.maximum(np.minimum(b0[:, 2], b1[:, 2]) - z, z - np.maximum(b0[:, 2], b1[:, 2])), 0.0)
    gap = np.where(upright, past - a.radius[i], np.abs(height) - radii)
    vertical = np.where(flat <= radii, gap, np.nan)
    place = (a0[:, :2] + s[:, None] * (a1 - a0)[:, :2] + b0[:, :2] + t[:, None] * (b1 - b0)[:, :2]) / 2
    return Near(i, j, plan, vertical, np.where(known, space - radii, np.nan), place)


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
