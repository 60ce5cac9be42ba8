"""Where the boundaries of two polygons cross, with no special cases.

Coincident vertices and collinear edges are the rule between plans drawn over each other. So B is thought to be shifted
by (ε, ε²) with ε infinitely small and positive: then no vertex lies on an edge, no edges overlap, and every question of
side has an answer: that of the numbers, and where these say "on the line", that of the shift. Crossings that the shift
alone tells apart lie at the same point; their order along an edge is the order of their distances from it in ε.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planner_app.compute.jit import kernel
from planner_app.compute.rings import Records

Index = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Crossings of one pair above which GEOS takes over.
MAX_CROSSINGS = 2_048
#: Edge pairs of one pair above which GEOS, which sorts edges first, is the faster way (about 10 ms).
MAX_EDGE_PAIRS = 4_000_000


#: A crossing: its point, whether A runs into B there (else out of it), whether it is part of a traced ring.
CROSSING = np.dtype([("x", np.float64), ("y", np.float64), ("entering", np.bool_), ("visited", np.bool_)], align=True)

#: The crossing as a place on one boundary: the edge (its first vertex) and ring, the position along the edge 0 … 1,
#: the displacement along the edge per ε, and its place in the order of that boundary.
PLACE = np.dtype(
    [("edge", np.int64), ("ring", np.int64), ("along", np.float64), ("shift", np.float64), ("place", np.int64)]
)


@kernel
def side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> float:
    """Twice the signed area of a, b, p: positive where p lies left of a→b, zero on the line."""
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax)


@kernel
def side_of_shifted(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> float:
    """Side of B's vertex p, shifted, on A's edge a→b; never zero for an edge with length."""
    exact = side(ax, ay, bx, by, px, py)
    if exact != 0.0:
        return exact
    return ay - by if by != ay else bx - ax  # the ε term of side(p + (ε, ε²)), else its ε² term


@kernel
def side_on_shifted(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> float:
    """Side of A's vertex p on B's edge a→b, shifted."""
    exact = side(ax, ay, bx, by, px, py)
    if exact != 0.0:
        return exact
    return by - ay if by != ay else ax - bx


@kernel
def edges_in_window(
    xy: Floats, blocks: Records, first: int, end: int, x0: float, y0: float, x1: float, y1: float, edges: Index
) -> int:
    """Write (first vertex, ring) of the edges whose envelopes touch the window; returns how many."""
    count = 0
    for number in range(first, end):
        block = blocks[number]
        if block.x1 < x0 or block.x0 > x1 or block.y1 < y0 or block.y0 > y1:
            continue
        for k in range(block.first, block.last):
            if max(xy[k, 0], xy[k + 1, 0]) < x0 or min(xy[k, 0], xy[k + 1, 0]) > x1:
                continue
            if max(xy[k, 1], xy[k + 1, 1]) < y0 or min(xy[k, 1], xy[k + 1, 1]) > y1:
                continue
            edges[count, 0], edges[count, 1] = k, block.ring
            count += 1
    return count


@kernel
def find_crossings(
    xy_a: Floats,
    edges_a: Index,
    count_a: int,
    xy_b: Floats,
    edges_b: Index,
    count_b: int,
    found: Records,
    on_a: Records,
    on_b: Records,
) -> int:
    """Write all crossings of the given edges, in no order; returns how many, or −1 where GEOS should do this pair."""
    if count_a * count_b > MAX_EDGE_PAIRS:
        return -1
    count = 0
    for e in range(count_a):
        k = edges_a[e, 0]
        ax, ay, bx, by = xy_a[k, 0], xy_a[k, 1], xy_a[k + 1, 0], xy_a[k + 1, 1]
        low_x, high_x, low_y, high_y = min(ax, bx), max(ax, bx), min(ay, by), max(ay, by)
        for f in range(count_b):
            m = edges_b[f, 0]
            px, py, qx, qy = xy_b[m, 0], xy_b[m, 1], xy_b[m + 1, 0], xy_b[m + 1, 1]
            if max(px, qx) < low_x or min(px, qx) > high_x or max(py, qy) < low_y or min(py, qy) > high_y:
                continue
            p_left = side_of_shifted(ax, ay, bx, by, px, py) > 0
            if p_left == (side_of_shifted(ax, ay, bx, by, qx, qy) > 0):
                continue
            a_left = side_on_shifted(px, py, qx, qy, ax, ay) > 0
            if a_left == (side_on_shifted(px, py, qx, qy, bx, by) > 0):
                continue
            if count == MAX_CROSSINGS:
                return -1
            if not _locate(ax, ay, bx, by, px, py, qx, qy, found[count], on_a[count], on_b[count]):
                return -1
            found[count].entering = not a_left  # B's inside is on the left of its edges
            found[count].visited = False
            on_a[count].edge, on_a[count].ring = k, edges_a[e, 1]
            on_b[count].edge, on_b[count].ring = m, edges_b[f, 1]
            count += 1
    return count


@kernel
def _locate(
    ax: float,
    ay: float,
    bx: float,
    by: float,
    px: float,
    py: float,
    qx: float,
    qy: float,
    crossing: Records,
    on_a: Records,
    on_b: Records,
) -> bool:
    """Write point, positions and ε displacements of the crossing of a→b with p→q; False if they are parallel.

    An end that lies exactly on the other edge is the crossing itself, with its own coordinates, so that crossings there
    of neighbouring edges are the same point to the last bit. Their order is decided by how steeply each edge leaves
    the line: an edge of direction d from a point on a line of direction v meets the shifted line d·v / |d × v| along.
    """
    ux, uy, vx, vy = bx - ax, by - ay, qx - px, qy - py
    det = ux * vy - uy * vx
    if det == 0.0:
        return False
    slant = (ux * vx + uy * vy) / abs(det)
    along_a = ((px - ax) * vy - (py - ay) * vx) / det
    along_b = ((px - ax) * uy - (py - ay) * ux) / det
    x, y = ax + min(max(along_a, 0.0), 1.0) * ux, ay + min(max(along_a, 0.0), 1.0) * uy
    shift_a, shift_b = 0.0, 0.0

    a_on_b = side(px, py, qx, qy, ax, ay) == 0.0
    vertex_of_a = a_on_b or side(px, py, qx, qy, bx, by) == 0.0
    if vertex_of_a:
        along_a = 0.0 if a_on_b else 1.0
        x, y = (ax, ay) if a_on_b else (bx, by)
        along_b = ((x - px) * vx + (y - py) * vy) / (vx * vx + vy * vy)
        shift_b = slant if a_on_b else -slant

    p_on_a = side(ax, ay, bx, by, px, py) == 0.0
    if p_on_a or side(ax, ay, bx, by, qx, qy) == 0.0:
        along_b = 0.0 if p_on_a else 1.0
        if not vertex_of_a:
            x, y = (px, py) if p_on_a else (qx, qy)
            along_a = ((x - ax) * ux + (y - ay) * uy) / (ux * ux + uy * uy)
        shift_a = slant if p_on_a else -slant

    crossing.x, crossing.y = x, y
    on_a.along, on_b.along = min(max(along_a, 0.0), 1.0), min(max(along_b, 0.0), 1.0)
    on_a.shift, on_b.shift = shift_a, shift_b
    return True


@kernel
def sort_along(order: Index, places: Records, count: int) -> None:
    """Order the crossings along one boundary by (edge, along, shift); insertion sort: lists are short."""
    for n in range(count):
        place = n - 1
        while place >= 0 and _precedes(places[n], places[order[place]]):
            order[place + 1] = order[place]
            place -= 1
        order[place + 1] = n
    for place in range(count):
        places[order[place]].place = place


@kernel
def _precedes(one: Records, two: Records) -> bool:
    if one.edge != two.edge:
        return bool(one.edge < two.edge)
    if one.along != two.along:
        return bool(one.along < two.along)
    return bool(one.shift < two.shift)


@kernel
def contains_vertex(xy: Floats, blocks: Records, first: int, end: int, px: float, py: float, shifted: bool) -> bool:
    """Is p inside the polygon that has these blocks? Counts edges to the right of p.

    Args:
        shifted: the polygon is of B, shifted, and p of A; else p is of B, shifted, and the polygon of A.
    """
    inside = False
    for number in range(first, end):
        block = blocks[number]
        if block.x1 < px or block.y1 < py or block.y0 > py:
            continue
        if block.x0 > px:  # wholly to the right: only whether its ends lie on both sides of p counts
            if _above(xy[block.first, 1], py, shifted) != _above(xy[block.last, 1], py, shifted):
                inside = not inside
            continue
        for k in range(block.first, block.last):
            y1, y2 = xy[k, 1], xy[k + 1, 1]
            if _above(y1, py, shifted) == _above(y2, py, shifted):
                continue
            if shifted:
                turn = side_on_shifted(xy[k, 0], y1, xy[k + 1, 0], y2, px, py)
            else:
                turn = side_of_shifted(xy[k, 0], y1, xy[k + 1, 0], y2, px, py)
            if (turn > 0) == (y2 > y1):
                inside = not inside
    return inside


@kernel
def _above(y: float, py: float, shifted: bool) -> bool:
    """Is a vertex of the polygon above p, the ε² of the shift decided?"""
    return y >= py if shifted else y > py
