"""Is a ring simple beyond doubt? Most patches are small, and asking GEOS costs more than tracing them did."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planner_app.compute.crossings import side
from planner_app.compute.jit import kernel

Floats = NDArray[np.float64]

#: Rings with more edges are left to GEOS, which does not compare each with each.
MAX_EDGES = 64
#: A side is certain if it exceeds this share of its two products (Shewchuk 1997: 3.4e-16, here with a margin).
_CERTAIN = 1e-15


@kernel
def surely_simple(xy: Floats, begin: int, end: int) -> bool:
    """True if the closed ring xy[begin:end] certainly neither touches nor crosses itself; False where in doubt."""
    edges = end - begin - 1
    if edges < 3 or edges > MAX_EDGES:
        return False
    for e in range(begin, end - 1):
        following = e + 1 if e + 1 < end - 1 else begin
        if not _turns(xy, e, following):
            return False
        low_x, high_x = min(xy[e, 0], xy[e + 1, 0]), max(xy[e, 0], xy[e + 1, 0])
        low_y, high_y = min(xy[e, 1], xy[e + 1, 1]), max(xy[e, 1], xy[e + 1, 1])
        for f in range(e + 2, end - 1):
            if f + 1 == end - 1 and e == begin:  # the last edge ends where the first begins
                continue
            if max(xy[f, 0], xy[f + 1, 0]) < low_x or min(xy[f, 0], xy[f + 1, 0]) > high_x:
                continue
            if max(xy[f, 1], xy[f + 1, 1]) < low_y or min(xy[f, 1], xy[f + 1, 1]) > high_y:
                continue
            if not _one_side(xy, e, f) and not _one_side(xy, f, e):
                return False
    return True


@kernel
def _certain_side(xy: Floats, line: int, point: int) -> int:
    """Side of a vertex on the edge from vertex ``line`` to the next: 1 left, −1 right, 0 not certain."""
    ax, ay, bx, by = xy[line, 0], xy[line, 1], xy[line + 1, 0], xy[line + 1, 1]
    px, py = xy[point, 0], xy[point, 1]
    value = side(ax, ay, bx, by, px, py)
    doubt = _CERTAIN * (abs((bx - ax) * (py - ay)) + abs((by - ay) * (px - ax)))
    return 0 if abs(value) <= doubt else (1 if value > 0 else -1)


@kernel
def _one_side(xy: Floats, line: int, edge: int) -> bool:
    """Does an edge certainly lie on one side of the line through another?"""
    first = _certain_side(xy, line, edge)
    return bool(first != 0 and first == _certain_side(xy, line, edge + 1))


@kernel
def _turns(xy: Floats, edge: int, following: int) -> bool:
    """Does the boundary certainly not run back along itself from one edge to the next?"""
    if _certain_side(xy, edge, following + 1) != 0:
        return True
    forward = (xy[edge + 1, 0] - xy[edge, 0]) * (xy[following + 1, 0] - xy[following, 0])
    forward += (xy[edge + 1, 1] - xy[edge, 1]) * (xy[following + 1, 1] - xy[following, 1])
    return bool(forward > 0.0)
