"""The shared polygon of two polygons, traced edge by edge.

From each crossing where A enters B: along A to the next crossing, there over to B, along B to the next crossing, there
over to A, until the ring closes (Weiler and Atherton 1977; Greiner and Hormann 1998). Rings without a crossing are
taken whole if one of their vertices lies inside the other polygon. The infinitesimal shift (see ``crossings``) leaves
rings that touch themselves and spikes of no width; these are cut and dropped. Nothing is trusted: a pair whose rings do
not sum up to the exact area goes to GEOS, as does what is too large or has holes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner_app.compute.crossings import (
    CROSSING,
    MAX_CROSSINGS,
    PLACE,
    contains_vertex,
    edges_in_window,
    find_crossings,
    sort_along,
)
from planner_app.compute.jit import kernel
from planner_app.compute.rings import BLOCK, Records, Rings
from planner_app.compute.simple import surely_simple

Index = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Vertices closer than this many metres are one vertex.
SAME_POINT = 1e-9
#: Loops of less than this many m² are none (as in ``pairs``).
NO_AREA = 1e-9
#: A spike's height in metres up to which it has no width.
FLAT_SPIKE = 1e-7
#: Allowed difference to the exact area: m² and relative.
AREA_ABSOLUTE, AREA_RELATIVE = 1e-6, 1e-9
#: Vertices of a traced ring above which the search for places where it touches itself is left to GEOS.
MAX_TRACED = 1_024

#: What became of a pair.
LEFT, TRACED, SIMPLE = range(3)


@kernel
def clip_pairs(
    a: Rings, b: Rings, i: Index, j: Index, area: Floats
) -> tuple[Floats, Index, Floats, Index, NDArray[np.int8]]:
    """Clip a[i] by b[j] for each pair.

    Args:
        area: exact shared area of each pair in m².

    Returns:
        xy: vertices, closed rings one after the other, shape (vertices, 2); ring_end: one past each ring's last vertex;
        ring_area: m²; ring_pair: index of the pair; state: per pair LEFT to GEOS (it has no rings), TRACED (its
        validity to be checked) or SIMPLE (valid beyond doubt).
    """
    xy_a, rings_a, blocks_a, geoms_a = a.xy, a.ring, a.block, a.geom
    xy_b, rings_b, blocks_b, geoms_b = b.xy, b.ring, b.block, b.geom
    found, spare = np.empty(MAX_CROSSINGS, CROSSING), np.empty((MAX_TRACED, 2))
    on_a, on_b = np.empty(MAX_CROSSINGS, PLACE), np.empty(MAX_CROSSINGS, PLACE)
    order_a, order_b = np.empty(MAX_CROSSINGS, np.int64), np.empty(MAX_CROSSINGS, np.int64)
    edges_a, edges_b = np.empty((_most_edges(geoms_a), 2), np.int64), np.empty((_most_edges(geoms_b), 2), np.int64)
    crossed_a = np.full(len(rings_a), -1, np.int64)  # the last pair in which a ring was crossed
    crossed_b = np.full(len(rings_b), -1, np.int64)

    xy, ring_end = np.empty((64 * len(i) + 4096, 2)), np.empty(2 * len(i) + 64, np.int64)
    ring_area, ring_pair = np.empty(len(ring_end)), np.empty(len(ring_end), np.int64)
    state = np.full(len(i), LEFT, np.int8)
    vertices, rings = 0, 0
    for pair in range(len(i)):
        one, two = geoms_a[i[pair]], geoms_b[j[pair]]
        x0, x1 = max(one.x0, two.x0), min(one.x1, two.x1)
        y0, y1 = max(one.y0, two.y0), min(one.y1, two.y1)
        count_a = edges_in_window(xy_a, blocks_a, one.first_block, one.end_block, x0, y0, x1, y1, edges_a)
        count_b = edges_in_window(xy_b, blocks_b, two.first_block, two.end_block, x0, y0, x1, y1, edges_b)
        count = find_crossings(xy_a, edges_a, count_a, xy_b, edges_b, count_b, found, on_a, on_b)
        if count < 0:
            continue
        sort_along(order_a, on_a, count)
        sort_along(order_b, on_b, count)
        for n in range(count):
            crossed_a[on_a[n].ring], crossed_b[on_b[n].ring] = pair, pair

        most = 4 * count + 64
        for ring in range(one.first_ring, one.end_ring):
            most += 2 * (rings_a[ring].end - rings_a[ring].first)
        for ring in range(two.first_ring, two.end_ring):
            most += 2 * (rings_b[ring].end - rings_b[ring].first)
        if vertices + most > len(xy):
            xy = _grown(xy, vertices, most)
        if rings + most // 3 > len(ring_end):
            ring_end, ring_pair = _longer(ring_end, rings, most), _longer(ring_pair, rings, most)
            ring_area = _longer(ring_area, rings, most)

        first_ring, first_vertex, sound = rings, vertices, True
        for start in range(count):
            if found[start].visited or not found[start].entering:
                continue
            end = _trace(xy_a, rings_a, on_a, order_a, xy_b, rings_b, on_b, order_b, found, count, start, xy, vertices)
            sound = vertices <= end <= vertices + MAX_TRACED
            if not sound:
                break
            vertices, rings = _split(xy, vertices, end, spare, ring_end, ring_area, rings)
        if sound:
            for ring in range(one.first_ring, one.end_ring):
                if crossed_a[ring] == pair or not _inside(xy_a, rings_a[ring], xy_b, blocks_b, two, True):
                    continue
                vertices = _copy(xy_a, rings_a[ring].first, rings_a[ring].end, xy, vertices)
                ring_end[rings] = vertices
                ring_area[rings] = _ring_area(xy_a, rings_a[ring].first, rings_a[ring].end - 1)
                rings += 1
            for ring in range(two.first_ring, two.end_ring):
                if crossed_b[ring] == pair or not _inside(xy_b, rings_b[ring], xy_a, blocks_a, one, False):
                    continue
                vertices = _copy(xy_b, rings_b[ring].first, rings_b[ring].end, xy, vertices)
                ring_end[rings] = vertices
                ring_area[rings] = _ring_area(xy_b, rings_b[ring].first, rings_b[ring].end - 1)
                rings += 1
            sound = _sums_up(ring_area, first_ring, rings, area[pair])
        if sound:
            ring_pair[first_ring:rings] = pair
            plain = rings == first_ring + 1 and surely_simple(xy, first_vertex, vertices)
            state[pair] = SIMPLE if plain else TRACED
        else:
            vertices, rings = first_vertex, first_ring
    return xy[:vertices], ring_end[:rings], ring_area[:rings], ring_pair[:rings], state


@kernel
def _most_edges(geoms: Records) -> int:
    most = 0
    for n in range(len(geoms)):
        most = max(most, geoms[n].end_block - geoms[n].first_block)
    return most * BLOCK


@kernel
def _grown(xy: Floats, used: int, more: int) -> Floats:
    room = np.empty((2 * len(xy) + more, 2))
    room[:used] = xy[:used]
    return room


@kernel
def _longer(values: NDArray[Any], used: int, more: int) -> NDArray[Any]:
    room = np.empty(2 * len(values) + more, values.dtype)
    room[:used] = values[:used]
    return room


@kernel
def _sums_up(ring_area: Floats, first: int, end: int, area: float) -> bool:
    total = 0.0
    for ring in range(first, end):
        if ring_area[ring] < 0.0:  # a hole: GEOS finds the shell it belongs to
            return False
        total += ring_area[ring]
    return abs(total - area) <= AREA_ABSOLUTE + AREA_RELATIVE * area


@kernel
def _trace(
    xy_a: Floats,
    rings_a: Records,
    on_a: Records,
    order_a: Index,
    xy_b: Floats,
    rings_b: Records,
    on_b: Records,
    order_b: Index,
    found: Records,
    count: int,
    start: int,
    xy: Floats,
    end: int,
) -> int:
    """Write the ring that begins at an entering crossing, open; returns its end in ``xy``, −1 if it does not close.

    Room: each stretch of boundary between two crossings is walked once, and each crossing is written at most twice.
    """
    at = start
    while True:
        found[at].visited = True
        xy[end, 0], xy[end, 1] = found[at].x, found[at].y
        leave = _next_on_ring(on_a, order_a, at, count)
        if found[leave].entering or found[leave].visited:
            return -1
        end = _walk(xy_a, rings_a[on_a[at].ring], on_a[at], on_a[leave], xy, end + 1)
        found[leave].visited = True
        xy[end, 0], xy[end, 1] = found[leave].x, found[leave].y
        at = _next_on_ring(on_b, order_b, leave, count)
        if not found[at].entering:
            return -1
        end = _walk(xy_b, rings_b[on_b[leave].ring], on_b[leave], on_b[at], xy, end + 1)
        if at == start:
            return end
        if found[at].visited:
            return -1


@kernel
def _next_on_ring(places: Records, order: Index, at: int, count: int) -> int:
    """The next crossing along the same ring; after the ring's last one its first."""
    ring, following = places[at].ring, places[at].place + 1
    if following < count and places[order[following]].ring == ring:
        return int(order[following])
    following = places[at].place
    while following > 0 and places[order[following - 1]].ring == ring:
        following -= 1
    return int(order[following])


@kernel
def _walk(source: Floats, ring: Records, start: Records, stop: Records, xy: Floats, end: int) -> int:
    """Write the ring's vertices from one crossing up to another, round the ring if need be; returns the end."""
    if start.edge == stop.edge and start.place < stop.place:
        return end
    k = start.edge
    while True:
        k += 1
        if k == ring.end - 1:  # the closing vertex repeats the first
            k = ring.first
        xy[end, 0], xy[end, 1] = source[k, 0], source[k, 1]
        end += 1
        if k == stop.edge:
            return end


@kernel
def _split(
    xy: Floats, begin: int, end: int, spare: Floats, ring_end: Index, ring_area: Floats, rings: int
) -> tuple[int, int]:
    """Turn the traced open ring xy[begin:end] into simple closed rings; returns the new vertex and ring counts.

    A ring that comes to the same vertex twice is cut there: the shortest loop first, then what is left of it.
    """
    end = _tidy(xy, begin, end)
    while end > begin:
        first, last = _shortest_loop(xy, begin, end)
        kept = _copy(xy, begin, first, spare, 0)
        kept = _copy(xy, last, end, spare, kept)
        if kept > 0:
            end = _tidy(xy, begin, _copy(xy, first, last, xy, begin))
        area = _ring_area(xy, begin, end)
        if abs(area) >= NO_AREA:
            xy[end, 0], xy[end, 1] = xy[begin, 0], xy[begin, 1]
            begin = end + 1
            ring_end[rings], ring_area[rings] = begin, area
            rings += 1
        if kept == 0:
            break
        end = _tidy(xy, begin, _copy(spare, 0, kept, xy, begin))
    return begin, rings


@kernel
def _copy(source: Floats, first: int, end: int, target: Floats, at: int) -> int:
    """Copy vertices first … end − 1 forward to ``target`` from ``at``; returns the end there."""
    for k in range(first, end):
        target[at, 0], target[at, 1] = source[k, 0], source[k, 1]
        at += 1
    return at


@kernel
def _shortest_loop(xy: Floats, begin: int, end: int) -> tuple[int, int]:
    """First and one past the last vertex of the shortest loop between two visits of one vertex; the whole if none."""
    first, last = begin, end
    for m in range(begin, end - 1):
        for n in range(m + 1, min(end, m + last - first)):
            if xy[m, 0] == xy[n, 0] and xy[m, 1] == xy[n, 1]:
                first, last = m, n
                break
    return first, last


@kernel
def _tidy(xy: Floats, begin: int, end: int) -> int:
    """Drop repeated vertices and spikes of no width from an open ring, in place; returns its new end."""
    changed = True
    while changed and end - begin >= 3:
        before = end
        end = begin
        for k in range(begin, before):
            x, y = xy[k, 0], xy[k, 1]
            while end - begin >= 2 and _folds_back(xy, end - 2, end - 1, x, y):
                end -= 1
            if end == begin or not _same(xy, end - 1, x, y):
                xy[end, 0], xy[end, 1] = x, y
                end += 1
        x, y = xy[begin, 0], xy[begin, 1]
        while end - begin >= 3 and (_same(xy, end - 1, x, y) or _folds_back(xy, end - 2, end - 1, x, y)):
            end -= 1
        if end - begin >= 3 and _folds_back(xy, end - 1, begin, xy[begin + 1, 0], xy[begin + 1, 1]):
            end -= 1  # the ring begins at the tip of a spike
            xy[begin, 0], xy[begin, 1] = xy[end, 0], xy[end, 1]
        changed = end != before
    return end if end - begin >= 3 else begin


@kernel
def _same(xy: Floats, p: int, x: float, y: float) -> bool:
    return bool(abs(xy[p, 0] - x) <= SAME_POINT and abs(xy[p, 1] - y) <= SAME_POINT)


@kernel
def _folds_back(xy: Floats, p: int, q: int, x: float, y: float) -> bool:
    """Does the way from vertex p by vertex q to (x, y) return along itself?"""
    ux, uy, vx, vy = xy[q, 0] - xy[p, 0], xy[q, 1] - xy[p, 1], x - xy[q, 0], y - xy[q, 1]
    if ux * vx + uy * vy >= 0.0:
        return False
    return bool(abs(ux * vy - uy * vx) <= FLAT_SPIKE * min(abs(ux) + abs(uy), abs(vx) + abs(vy)))


@kernel
def _ring_area(xy: Floats, begin: int, end: int) -> float:
    """Signed area in m² of the open ring xy[begin:end], positive anticlockwise."""
    doubled = 0.0
    for k in range(begin + 1, end - 1):
        doubled += (xy[k, 0] - xy[begin, 0]) * (xy[k + 1, 1] - xy[begin, 1])
        doubled -= (xy[k + 1, 0] - xy[begin, 0]) * (xy[k, 1] - xy[begin, 1])
    return 0.5 * doubled


@kernel
def _inside(own: Floats, ring: Records, other: Floats, blocks: Records, geom: Records, of_a: bool) -> bool:
    """Does a ring that nothing crosses lie inside the other layer's polygon?"""
    if ring.end - ring.first < 4:
        return False
    x, y = own[ring.first, 0], own[ring.first, 1]
    if x < geom.x0 or x > geom.x1 or y < geom.y0 or y > geom.y1:
        return False
    return bool(contains_vertex(other, blocks, geom.first_block, geom.end_block, x, y, of_a))
