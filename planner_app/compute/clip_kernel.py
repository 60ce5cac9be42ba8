"""The shared polygon of two polygons, traced edge by edge.

From each crossing where A enters B: along A to the next crossing, there over to B, along B to the next crossing, there
over to A, until the ring closes (Weiler and Atherton 1977; Greiner and Hormann 1998). Rings without a crossing are
taken whole if one of their vertices lies inside the other polygon. The infinitesimal shift (see ``crossings``) leaves
rings that touch themselves and spikes of no width; these are cut and dropped. Nothing is trusted: a pair whose rings do
not sum up to the exact area goes to GEOS, as does what is too large or has holes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner_app.compute.crossings import (
    Crossings,
    contains_vertex,
    edges_in_window,
    find_crossings,
    new_crossings,
    sort_crossings,
)
from planner_app.compute.jit import kernel
from planner_app.compute.rings import Rings

Index = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Vertices closer than this many metres are one vertex; loops of less than this many m² are no patch.
SAME_POINT = 1e-9
#: A spike's height in metres up to which it has no width.
FLAT_SPIKE = 1e-7
#: Allowed difference to the exact area: m² and relative.
AREA_ABSOLUTE, AREA_RELATIVE = 1e-6, 1e-9
#: Vertices of a traced ring above which the search for places where it touches itself is left to GEOS.
MAX_TRACED = 1_024


class Pieces(NamedTuple):
    """Rings made so far; the arrays are larger than what is in use.

    Attributes:
        xy: vertices, closed rings one after the other, shape (…, 2).
        ring_end: one past each ring's last vertex; ring_area: signed m²; ring_pair: index of the pair.
    """

    xy: Floats
    ring_end: Index
    ring_area: Floats
    ring_pair: Index


@kernel
def clip_pairs(
    a: Rings, b: Rings, i: Index, j: Index, area: Floats
) -> tuple[Floats, Index, Floats, Index, NDArray[np.bool_]]:
    """Clip a[i] by b[j] for each pair.

    Args:
        area: exact shared area of each pair in m².

    Returns:
        The fields of :class:`Pieces`, cut to what is in use, and per pair whether it was done (else it has no rings).
    """
    pairs = len(i)
    done = np.zeros(pairs, np.bool_)
    pieces = Pieces(
        np.empty((64 * pairs + 4096, 2)),
        np.empty(2 * pairs + 64, np.int64),
        np.empty(2 * pairs + 64),
        np.empty(2 * pairs + 64, np.int64),
    )
    vertices, rings = 0, 0
    found = new_crossings()
    edge_a, ring_a = np.empty(_most_vertices(a), np.int64), np.empty(_most_vertices(a), np.int64)
    edge_b, ring_b = np.empty(_most_vertices(b), np.int64), np.empty(_most_vertices(b), np.int64)
    crossed_a = np.full(len(a.ring_start), -1, np.int64)  # the last pair in which a ring was crossed
    crossed_b = np.full(len(b.ring_start), -1, np.int64)
    for pair in range(pairs):
        box_a, box_b = a.bounds[i[pair]], b.bounds[j[pair]]
        x0, x1 = max(box_a[0], box_b[0]), min(box_a[2], box_b[2])
        y0, y1 = max(box_a[1], box_b[1]), min(box_a[3], box_b[3])
        edges_a = edges_in_window(a, i[pair], x0, y0, x1, y1, edge_a, ring_a)
        edges_b = edges_in_window(b, j[pair], x0, y0, x1, y1, edge_b, ring_b)
        count = find_crossings(a, edge_a[:edges_a], ring_a[:edges_a], b, edge_b[:edges_b], ring_b[:edges_b], found)
        if count < 0:
            continue
        sort_crossings(found, count)
        for n in range(count):
            crossed_a[found.ring_a[n]], crossed_b[found.ring_b[n]] = pair, pair
        pieces = _with_room(
            pieces,
            vertices,
            rings,
            2 * (_vertices(a, i[pair]) + _vertices(b, j[pair])) + 4 * count + 16,
            count + edges_a + edges_b + _ring_count(a, i[pair]) + _ring_count(b, j[pair]) + 16,
        )
        first_ring, first_vertex = rings, vertices
        sound, vertices, rings = _trace_all(a, b, found, count, pieces, vertices, rings)
        if sound:
            vertices, rings = _take_whole_rings(
                a, i[pair], b, j[pair], True, crossed_a, pair, x0, y0, x1, y1, pieces, vertices, rings
            )
            vertices, rings = _take_whole_rings(
                b, j[pair], a, i[pair], False, crossed_b, pair, x0, y0, x1, y1, pieces, vertices, rings
            )
            sound = _sums_up(pieces.ring_area[first_ring:rings], area[pair])
        if sound:
            pieces.ring_pair[first_ring:rings] = pair
            done[pair] = True
        else:
            vertices, rings = first_vertex, first_ring
    return pieces.xy[:vertices], pieces.ring_end[:rings], pieces.ring_area[:rings], pieces.ring_pair[:rings], done


@kernel
def _most_vertices(rings: Rings) -> int:
    most = 0
    for geom in range(len(rings.geom_start) - 1):
        most = max(most, _vertices(rings, geom))
    return most


@kernel
def _vertices(rings: Rings, geom: int) -> int:
    return int(rings.ring_start[rings.geom_start[geom + 1]] - rings.ring_start[rings.geom_start[geom]])


@kernel
def _ring_count(rings: Rings, geom: int) -> int:
    return int(rings.geom_start[geom + 1] - rings.geom_start[geom])


@kernel
def _with_room(pieces: Pieces, vertices: int, rings: int, more_vertices: int, more_rings: int) -> Pieces:
    """The same pieces with room for that many more."""
    xy, ring_end, ring_area, ring_pair = pieces
    if vertices + more_vertices > len(xy):
        xy = np.empty((2 * len(xy) + more_vertices, 2))
        xy[:vertices] = pieces.xy[:vertices]
    if rings + more_rings > len(ring_end):
        size = 2 * len(ring_end) + more_rings
        ring_end, ring_area, ring_pair = np.empty(size, np.int64), np.empty(size), np.empty(size, np.int64)
        ring_end[:rings] = pieces.ring_end[:rings]
        ring_area[:rings] = pieces.ring_area[:rings]
        ring_pair[:rings] = pieces.ring_pair[:rings]
    return Pieces(xy, ring_end, ring_area, ring_pair)


@kernel
def _sums_up(ring_area: Floats, area: float) -> bool:
    total = 0.0
    for ring in range(len(ring_area)):
        if ring_area[ring] < 0.0:  # a hole: GEOS finds the shell it belongs to
            return False
        total += ring_area[ring]
    return abs(total - area) <= AREA_ABSOLUTE + AREA_RELATIVE * area


@kernel
def _trace_all(
    a: Rings, b: Rings, found: Crossings, count: int, pieces: Pieces, vertices: int, rings: int
) -> tuple[bool, int, int]:
    """Trace all rings that have crossings; returns whether all went well, and the new counts."""
    for start in range(count):
        if found.visited[start] or not found.entering[start]:
            continue
        end = _trace(a, b, found, count, start, pieces.xy, vertices)
        if end < 0 or end - vertices > MAX_TRACED:
            return False, vertices, rings
        vertices, rings = _split(pieces, vertices, end, rings)
    return True, vertices, rings


@kernel
def _trace(a: Rings, b: Rings, found: Crossings, count: int, start: int, xy: Floats, end: int) -> int:
    """Write the ring that begins at an entering crossing, open; returns its end in ``xy``, −1 if it does not close.

    Room: each stretch of boundary between two crossings is walked once, and each crossing is written at most twice.
    """
    at = start
    while True:
        found.visited[at] = True
        xy[end, 0], xy[end, 1] = found.x[at], found.y[at]
        leave = _next_on_ring(at, found.order_a, found.place_a, found.ring_a, count)
        if found.entering[leave] or found.visited[leave]:
            return -1
        again = found.edge_a[leave] == found.edge_a[at] and found.place_a[leave] > found.place_a[at]
        end = _walk(a, found.ring_a[at], found.edge_a[at], found.edge_a[leave], again, xy, end + 1)
        found.visited[leave] = True
        xy[end, 0], xy[end, 1] = found.x[leave], found.y[leave]
        at = _next_on_ring(leave, found.order_b, found.place_b, found.ring_b, count)
        if not found.entering[at]:
            return -1
        again = found.edge_b[at] == found.edge_b[leave] and found.place_b[at] > found.place_b[leave]
        end = _walk(b, found.ring_b[leave], found.edge_b[leave], found.edge_b[at], again, xy, end + 1)
        if at == start:
            return end
        if found.visited[at]:
            return -1


@kernel
def _next_on_ring(at: int, order: Index, place: Index, ring: Index, count: int) -> int:
    """The next crossing along the same ring; after the ring's last one its first."""
    following = place[at] + 1
    if following < count and ring[order[following]] == ring[at]:
        return int(order[following])
    following = place[at]
    while following > 0 and ring[order[following - 1]] == ring[at]:
        following -= 1
    return int(order[following])


@kernel
def _walk(rings: Rings, ring: int, edge: int, last_edge: int, same_edge: bool, xy: Floats, end: int) -> int:
    """Write the vertices from one edge up to the beginning of another, round the ring if need be; returns the end."""
    if same_edge:
        return end
    k = edge
    while True:
        k += 1
        if k == rings.ring_start[ring + 1] - 1:  # the closing vertex repeats the first
            k = rings.ring_start[ring]
        xy[end, 0], xy[end, 1] = rings.xy[k, 0], rings.xy[k, 1]
        end += 1
        if k == last_edge:
            return end


@kernel
def _split(pieces: Pieces, begin: int, end: int, rings: int) -> tuple[int, int]:
    """Turn the traced open ring xy[begin:end] into simple closed rings; returns the new vertex and ring counts.

    A ring that comes to the same vertex twice is cut there: the shortest loop first, then what is left of it.
    """
    xy = pieces.xy
    rest = xy[begin:end].copy()
    size = _tidy(rest, len(rest))
    while size >= 3:
        first, last = _shortest_loop(rest, size)
        loop = last - first
        xy[begin : begin + loop] = rest[first:last]
        rest[first : size - loop] = rest[last:size].copy()
        size = _tidy(rest, size - loop)
        corners = _tidy(xy[begin : begin + loop], loop)
        area = _ring_area(xy[begin : begin + corners])
        if abs(area) < SAME_POINT:
            continue
        xy[begin + corners] = xy[begin]
        begin += corners + 1
        pieces.ring_end[rings], pieces.ring_area[rings] = begin, area
        rings += 1
    return begin, rings


@kernel
def _shortest_loop(ring: Floats, size: int) -> tuple[int, int]:
    """First and one past the last vertex of the shortest loop between two visits of one vertex; the whole if none."""
    first, last = 0, size
    for m in range(size - 1):
        for n in range(m + 1, min(size, m + last - first)):
            if ring[m, 0] == ring[n, 0] and ring[m, 1] == ring[n, 1]:
                first, last = m, n
                break
    return first, last


@kernel
def _tidy(ring: Floats, size: int) -> int:
    """Drop repeated vertices and spikes of no width from an open ring, in place; returns its new size or 0."""
    changed = True
    while changed and size >= 3:
        before = size
        size = 0
        for k in range(before):
            while size >= 2 and _folds_back(ring[size - 2], ring[size - 1], ring[k]):
                size -= 1
            if size > 0 and _same(ring[size - 1], ring[k]):
                continue
            ring[size, 0], ring[size, 1] = ring[k, 0], ring[k, 1]
            size += 1
        while size >= 3 and (_same(ring[size - 1], ring[0]) or _folds_back(ring[size - 2], ring[size - 1], ring[0])):
            size -= 1
        if size >= 3 and _folds_back(ring[size - 1], ring[0], ring[1]):  # the spike's tip is where the ring begins
            ring[0, 0], ring[0, 1] = ring[size - 1, 0], ring[size - 1, 1]
            size -= 1
        changed = size != before
    return size if size >= 3 else 0


@kernel
def _same(p: Floats, q: Floats) -> bool:
    return bool(abs(p[0] - q[0]) <= SAME_POINT and abs(p[1] - q[1]) <= SAME_POINT)


@kernel
def _folds_back(p: Floats, q: Floats, r: Floats) -> bool:
    """Does the way p → q → r return along itself?"""
    ux, uy, vx, vy = q[0] - p[0], q[1] - p[1], r[0] - q[0], r[1] - q[1]
    if ux * vx + uy * vy >= 0.0:
        return False
    return bool(abs(ux * vy - uy * vx) <= FLAT_SPIKE * min(abs(ux) + abs(uy), abs(vx) + abs(vy)))


@kernel
def _ring_area(ring: Floats) -> float:
    """Signed area of an open ring in m², positive anticlockwise."""
    doubled = 0.0
    for k in range(1, len(ring) - 1):
        doubled += (ring[k, 0] - ring[0, 0]) * (ring[k + 1, 1] - ring[0, 1])
        doubled -= (ring[k + 1, 0] - ring[0, 0]) * (ring[k, 1] - ring[0, 1])
    return 0.5 * doubled


@kernel
def _take_whole_rings(
    own: Rings,
    geom: int,
    other: Rings,
    other_geom: int,
    own_is_a: bool,
    crossed: Index,
    pair: int,
    x0: float,
    y0: float,
    x1: float,
    y1: float,
    pieces: Pieces,
    vertices: int,
    rings: int,
) -> tuple[int, int]:
    """Add the rings of one polygon that no edge crosses and that lie inside the other; returns the new counts."""
    for ring in range(own.geom_start[geom], own.geom_start[geom + 1]):
        first, end = own.ring_start[ring], own.ring_start[ring + 1]
        if crossed[ring] == pair or end - first < 4:
            continue
        x, y = own.xy[first, 0], own.xy[first, 1]
        if x < x0 or x > x1 or y < y0 or y > y1 or not contains_vertex(other, other_geom, x, y, own_is_a):
            continue
        pieces.xy[vertices : vertices + end - first] = own.xy[first:end]
        vertices += end - first
        pieces.ring_end[rings] = vertices
        pieces.ring_area[rings] = _ring_area(own.xy[first : end - 1])
        rings += 1
    return vertices, rings
