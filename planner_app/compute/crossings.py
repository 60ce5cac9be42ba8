"""Where the boundaries of two polygons cross, with no special cases.

Coincident vertices and collinear edges are the rule between plans drawn over each other. So B is thought to be shifted
by (ε, ε²) with ε infinitely small and positive: then no vertex lies on an edge, no edges overlap, and every question of
side has an answer: that of the numbers, and where these say "on the line", that of the shift. Crossings that the shift
alone tells apart lie at the same point; their order along an edge is the order of their distances from it in ε.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner_app.compute.jit import kernel
from planner_app.compute.rings import BLOCK, Rings

Index = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Crossings of one pair above which GEOS takes over.
MAX_CROSSINGS = 2_048
#: Edge pairs of one pair above which GEOS, which sorts edges first, is the faster way (about 10 ms).
MAX_EDGE_PAIRS = 4_000_000


class Crossings(NamedTuple):
    """Crossings of one pair: workspace, its first entries in use. All arrays have shape (MAX_CROSSINGS,).

    Attributes:
        x, y: the point.
        edge_a, edge_b: first vertex of the crossed edges; ring_a, ring_b: their rings.
        along_a, along_b: position along the edge, 0 … 1.
        shift_a, shift_b: displacement along the edge per ε, for crossings at the same position.
        entering: A runs into B here; else out of it.
        visited: already part of a traced ring.
        order_a, order_b: the crossings in the order of A's and B's boundary; place_a, place_b: place in that order.
    """

    x: Floats
    y: Floats
    edge_a: Index
    edge_b: Index
    ring_a: Index
    ring_b: Index
    along_a: Floats
    along_b: Floats
    shift_a: Floats
    shift_b: Floats
    entering: Flags
    visited: Flags
    order_a: Index
    order_b: Index
    place_a: Index
    place_b: Index


@kernel
def new_crossings() -> Crossings:
    """An empty workspace."""
    n = MAX_CROSSINGS
    return Crossings(
        np.empty(n),
        np.empty(n),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty(n, np.bool_),
        np.empty(n, np.bool_),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
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
    rings: Rings, geom: int, x0: float, y0: float, x1: float, y1: float, edge: Index, edge_ring: Index
) -> int:
    """Write the edges of a polygon whose envelopes touch the window, and their rings; returns how many."""
    xy = rings.xy
    count = 0
    for ring in range(rings.geom_start[geom], rings.geom_start[geom + 1]):
        for block in range(rings.block_start[ring], rings.block_start[ring + 1]):
            box = rings.block_box[block]
            if box[2] < x0 or box[0] > x1 or box[3] < y0 or box[1] > y1:
                continue
            first = rings.ring_start[ring] + BLOCK * (block - rings.block_start[ring])
            for k in range(first, min(first + BLOCK, rings.ring_start[ring + 1] - 1)):
                if max(xy[k, 0], xy[k + 1, 0]) < x0 or min(xy[k, 0], xy[k + 1, 0]) > x1:
                    continue
                if max(xy[k, 1], xy[k + 1, 1]) < y0 or min(xy[k, 1], xy[k + 1, 1]) > y1:
                    continue
                edge[count], edge_ring[count] = k, ring
                count += 1
    return count


@kernel
def find_crossings(
    a: Rings, edges_a: Index, rings_a: Index, b: Rings, edges_b: Index, rings_b: Index, found: Crossings
) -> int:
    """Write all crossings of the given edges, in no order; returns how many, or −1 where GEOS should do this pair."""
    if len(edges_a) * len(edges_b) > MAX_EDGE_PAIRS:
        return -1
    count = 0
    for e in range(len(edges_a)):
        k = edges_a[e]
        ax, ay, bx, by = a.xy[k, 0], a.xy[k, 1], a.xy[k + 1, 0], a.xy[k + 1, 1]
        low_x, high_x, low_y, high_y = min(ax, bx), max(ax, bx), min(ay, by), max(ay, by)
        for f in range(len(edges_b)):
            m = edges_b[f]
            px, py, qx, qy = b.xy[m, 0], b.xy[m, 1], b.xy[m + 1, 0], b.xy[m + 1, 1]
            if max(px, qx) < low_x or min(px, qx) > high_x or max(py, qy) < low_y or min(py, qy) > high_y:
                continue
            p_left = side_of_shifted(ax, ay, bx, by, px, py) > 0
            if p_left == (side_of_shifted(ax, ay, bx, by, qx, qy) > 0):
                continue
            a_left = side_on_shifted(px, py, qx, qy, ax, ay) > 0
            if a_left == (side_on_shifted(px, py, qx, qy, bx, by) > 0):
                continue
            if count == MAX_CROSSINGS or not _locate(ax, ay, bx, by, px, py, qx, qy, found, count):
                return -1
            found.edge_a[count], found.edge_b[count] = k, m
            found.ring_a[count], found.ring_b[count] = rings_a[e], rings_b[f]
            found.entering[count] = not a_left  # B's inside is on the left of its edges
            found.visited[count] = False
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
    found: Crossings,
    n: int,
) -> bool:
    """Write point, positions and ε displacements of crossing ``n`` of a→b with p→q; False if they are parallel.

    An end that lies exactly on the other edge is the crossing itself, with its own coordinates, so that crossings there
    of neighbouring edges are the same point to the last bit. Their order is decided by how steeply each edge leaves
    the line: an edge of direction d from a point on a line of direction v meets the shifted line d·v / |d × v| along.
    """
    ux, uy, vx, vy = bx - ax, by - ay, qx - px, qy - py
    det = ux * vy - uy * vx
    if det == 0.0:
        return False
    along_a = ((px - ax) * vy - (py - ay) * vx) / det
    along_b = ((px - ax) * uy - (py - ay) * ux) / det
    x, y = ax + min(max(along_a, 0.0), 1.0) * ux, ay + min(max(along_a, 0.0), 1.0) * uy
    shift_a, shift_b = 0.0, 0.0

    start_on_b = side(px, py, qx, qy, ax, ay) == 0.0
    vertex_of_a = start_on_b or side(px, py, qx, qy, bx, by) == 0.0
    if vertex_of_a:
        along_a = 0.0 if start_on_b else 1.0
        x, y = (ax, ay) if start_on_b else (bx, by)
        along_b = ((x - px) * vx + (y - py) * vy) / (vx * vx + vy * vy)
        shift_b = (ux * vx + uy * vy) / abs(det) * (1.0 if start_on_b else -1.0)

    start_on_a = side(ax, ay, bx, by, px, py) == 0.0
    if start_on_a or side(ax, ay, bx, by, qx, qy) == 0.0:
        along_b = 0.0 if start_on_a else 1.0
        vertex_x, vertex_y = (px, py) if start_on_a else (qx, qy)
        if not vertex_of_a:
            x, y = vertex_x, vertex_y
            along_a = ((x - ax) * ux + (y - ay) * uy) / (ux * ux + uy * uy)
        shift_a = (ux * vx + uy * vy) / abs(det) * (1.0 if start_on_a else -1.0)

    found.x[n], found.y[n] = x, y
    found.along_a[n], found.along_b[n] = min(max(along_a, 0.0), 1.0), min(max(along_b, 0.0), 1.0)
    found.shift_a[n], found.shift_b[n] = shift_a, shift_b
    return True


@kernel
def sort_crossings(found: Crossings, count: int) -> None:
    """Put the crossings in the order of each boundary."""
    for n in range(count):
        found.order_a[n], found.order_b[n] = n, n
    _sort(found.order_a, found.edge_a, found.along_a, found.shift_a, count)
    _sort(found.order_b, found.edge_b, found.along_b, found.shift_b, count)
    for n in range(count):
        found.place_a[found.order_a[n]] = n
        found.place_b[found.order_b[n]] = n


@kernel
def _sort(order: Index, edge: Index, along: Floats, shift: Floats, count: int) -> None:
    """Insertion sort of ``order[:count]`` by (edge, along, shift): lists are short and nearly in order."""
    for n in range(1, count):
        moving = order[n]
        place = n - 1
        while place >= 0 and _precedes(moving, order[place], edge, along, shift):
            order[place + 1] = order[place]
            place -= 1
        order[place + 1] = moving


@kernel
def _precedes(m: int, n: int, edge: Index, along: Floats, shift: Floats) -> bool:
    if edge[m] != edge[n]:
        return bool(edge[m] < edge[n])
    if along[m] != along[n]:
        return bool(along[m] < along[n])
    return bool(shift[m] < shift[n])


@kernel
def contains_vertex(rings: Rings, geom: int, px: float, py: float, shifted: bool) -> bool:
    """Is p inside the polygon? Counts edges to the right of p.

    Args:
        shifted: the polygon is of B, shifted, and p of A; else p is of B, shifted, and the polygon of A.
    """
    xy = rings.xy
    inside = False
    for ring in range(rings.geom_start[geom], rings.geom_start[geom + 1]):
        for block in range(rings.block_start[ring], rings.block_start[ring + 1]):
            box = rings.block_box[block]
            if box[2] < px or box[3] < py or box[1] > py:
                continue
            first = rings.ring_start[ring] + BLOCK * (block - rings.block_start[ring])
            last = min(first + BLOCK, rings.ring_start[ring + 1] - 1)
            if box[0] > px:  # wholly to the right: only whether the block's ends lie on both sides of p counts
                if _above(xy[first, 1], py, shifted) != _above(xy[last, 1], py, shifted):
                    inside = not inside
                continue
            for k in range(first, last):
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
