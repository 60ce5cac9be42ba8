"""Area shared by two polygons, without making the shared polygon.

With shells anticlockwise and holes clockwise, a point lies in polygon A exactly as often as edges lie above it, counted
with a sign: +1 for an edge running left (an upper side), −1 for one running right (a lower side),

    1_A(x, y) = Σ_e sign(e) · [y below e at x].

A point lies below both e and f where it lies below the lower one, so

    area(A ∩ B) = Σ_e Σ_f sign(e) sign(f) ∫ min(y_e(x), y_f(x)) dx     over the x range that e and f share.

There is no decision about topology in it: touching, coincident and collinear edges need no care and nothing can fail.
The heights count from the window's middle so that no digits are lost to large coordinates.

Two reductions change nothing of the result, since outside the common window (both envelopes' intersection) nothing is
shared: edges wholly below the window are left out; a run of edges wholly above it acts like one horizontal edge at the
window's top from the run's first to its last vertex (what runs back and forth cancels).

Each edge is compared with each; where that would be too many, the window is cut into slabs of x and the areas added.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planner_app.compute.jit import fast_kernel, kernel
from planner_app.compute.rings import Records, Rings

Index = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Edge pairs of one pair of polygons above which the window is cut into slabs (about 1 ms).
MAX_EDGE_PAIRS = 1_000_000
#: A slab is made for so many edges (geometric mean of both polygons).
_SLAB_EDGES = 100

# Rows of an edge table: left end, height at the left end, right end, slope, sign.
_LEFT, _HEIGHT, _RIGHT, _SLOPE, _SIGN = range(5)


@kernel
def shared_areas(a: Rings, b: Rings, i: Index, j: Index, edges_a: Floats, edges_b: Floats, out: Floats) -> None:
    """Write area(a[i] ∩ b[j]) in m² to ``out``.

    Args:
        edges_a, edges_b: workspace, shape (5, most vertices of a polygon + 1).
    """
    xy_a, blocks_a, geoms_a = a.xy, a.block, a.geom
    xy_b, blocks_b, geoms_b = b.xy, b.block, b.geom
    for pair in range(len(i)):
        one, two = geoms_a[i[pair]], geoms_b[j[pair]]
        x0, x1 = max(one.x0, two.x0), min(one.x1, two.x1)
        y0, y1 = max(one.y0, two.y0), min(one.y1, two.y1)
        if x1 <= x0 or y1 <= y0:
            out[pair] = 0.0
            continue
        count_a = _edges_in_window(xy_a, blocks_a, one.first_block, one.end_block, x0, y0, x1, y1, edges_a)
        count_b = _edges_in_window(xy_b, blocks_b, two.first_block, two.end_block, x0, y0, x1, y1, edges_b)
        if count_a * count_b <= MAX_EDGE_PAIRS:
            out[pair] = _sum_of_lower(edges_a, count_a, edges_b, count_b)
            continue
        out[pair] = 0.0
        slabs = int(np.sqrt(float(count_a) * count_b) / _SLAB_EDGES)
        for slab in range(slabs):
            left, right = x0 + (x1 - x0) * slab / slabs, x0 + (x1 - x0) * (slab + 1) / slabs
            count_a = _edges_in_window(xy_a, blocks_a, one.first_block, one.end_block, left, y0, right, y1, edges_a)
            count_b = _edges_in_window(xy_b, blocks_b, two.first_block, two.end_block, left, y0, right, y1, edges_b)
            out[pair] += _sum_of_lower(edges_a, count_a, edges_b, count_b)


@kernel
def _edges_in_window(
    xy: Floats, blocks: Records, first: int, end: int, x0: float, y0: float, x1: float, y1: float, out: Floats
) -> int:
    """Fill the edge table from a polygon's blocks; returns the number of edges.

    Coordinates in the table count from the window's middle.
    """
    count = 0
    middle_x, middle_y = 0.5 * (x0 + x1), 0.5 * (y0 + y1)
    left, right, top = x0 - middle_x, x1 - middle_x, y1 - middle_y
    run_from, run_to = 0.0, 0.0  # x of the first and last vertex of the current run above the window
    for number in range(first, end):
        block = blocks[number]
        if block.x0 >= x1 or block.x1 <= x0 or block.y1 < y0:
            continue
        step = block.last - block.first if block.y0 >= y1 else 1  # a block wholly above counts as one edge
        for k in range(block.first, block.last, step):
            x_from, x_to = xy[k, 0], xy[k + step, 0]
            if x_from == x_to or max(x_from, x_to) <= x0 or min(x_from, x_to) >= x1:
                continue
            y_from, y_to = xy[k, 1], xy[k + step, 1]
            if y_from < y0 and y_to < y0:
                continue
            if step > 1 or (y_from >= y1 and y_to >= y1):
                if x_from - middle_x != run_to:
                    count = _add_level(out, count, run_from, run_to, left, right, top)
                    run_from = x_from - middle_x
                run_to = x_to - middle_x
                continue
            slope = (y_to - y_from) / (x_to - x_from)
            edge_left = max(min(x_from, x_to), x0)
            out[_LEFT, count], out[_RIGHT, count] = edge_left - middle_x, min(max(x_from, x_to), x1) - middle_x
            out[_HEIGHT, count] = (y_from - middle_y) + slope * (edge_left - x_from)
            out[_SLOPE, count], out[_SIGN, count] = slope, -1.0 if x_from < x_to else 1.0
            count += 1
    return _add_level(out, count, run_from, run_to, left, right, top)


@kernel
def _add_level(
    out: Floats, count: int, run_from: float, run_to: float, left: float, right: float, height: float
) -> int:
    """Add the horizontal edge that stands for a run above the window, if any of it lies over the window."""
    run_left, run_right = max(min(run_from, run_to), left), min(max(run_from, run_to), right)
    if run_left >= run_right:
        return count
    out[_LEFT, count], out[_HEIGHT, count], out[_RIGHT, count] = run_left, height, run_right
    out[_SLOPE, count] = 0.0
    out[_SIGN, count] = -1.0 if run_from < run_to else 1.0
    return count + 1


@fast_kernel
def _sum_of_lower(edges_a: Floats, count_a: int, edges_b: Floats, count_b: int) -> float:
    """Σ Σ sign · sign · ∫ min over all pairs of the two edge tables.

    For two straight edges with ends (u_l, u_r) and (v_l, v_r) on a range of width w, min = (u + v − |u − v|)/2 gives
    ∫ min = w/4 · (u_l + u_r + v_l + v_r − D), D = |d_l| + |d_r| with d = u − v, and (d_l² + d_r²) / (|d_l| + |d_r|)
    if the edges cross. The inner loop has no branch, so that the compiler can vectorise it.
    """
    total = 0.0
    for e in range(count_a):
        left_e, height_e, right_e, slope_e = edges_a[0, e], edges_a[1, e], edges_a[2, e], edges_a[3, e]
        below_e = 0.0
        for f in range(count_b):
            left = max(left_e, edges_b[0, f])
            width = max(min(right_e, edges_b[2, f]) - left, 0.0)
            u_left = height_e + slope_e * (left - left_e)
            u_right = u_left + slope_e * width
            v_left = edges_b[1, f] + edges_b[3, f] * (left - edges_b[0, f])
            v_right = v_left + edges_b[3, f] * width
            d_left, d_right = u_left - v_left, u_right - v_right
            apart = abs(d_left) + abs(d_right)
            if d_left * d_right < 0.0:
                apart = (d_left * d_left + d_right * d_right) / (apart + 1e-300)
            below_e += edges_b[4, f] * width * (u_left + u_right + v_left + v_right - apart)
        total += edges_a[4, e] * below_e
    return 0.25 * total
