"""Polygons as flat arrays for the kernels: oriented rings, cut into blocks of edges with envelopes.

Blocks are what keeps an enormous polygon cheap: a kernel that looks at a small window skips 32 edges at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app.compute.jit import kernel
from planner_app.compute.repair import Geometries

Index = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Edges per block.
BLOCK = 32


class Rings(NamedTuple):
    """Rings of a layer; shells run anticlockwise, holes clockwise, first vertex repeated at the end.

    Attributes:
        xy: vertices, shape (vertices, 2).
        ring_start: first vertex of each ring, shape (rings + 1,).
        geom_start: first ring of each geometry, shape (geometries + 1,).
        bounds: envelopes (xmin, ymin, xmax, ymax), shape (geometries, 4).
        block_start: first block of each ring, shape (rings + 1,).
        block_box: envelopes of the blocks, shape (blocks, 4). Block k of a ring holds its edges 32k … 32k + 31.
    """

    xy: Floats
    ring_start: Index
    geom_start: Index
    bounds: Floats
    block_start: Index
    block_box: Floats


def rings_of(geoms: Geometries, bounds: Floats) -> Rings:
    """Flatten valid 2-D polygons and multipolygons.

    Args:
        geoms: shape (n,), no None; bounds: their envelopes, shape (n, 4).
    """
    plain = (shapely.get_type_id(geoms) == shapely.GeometryType.POLYGON) & (shapely.get_num_interior_rings(geoms) == 0)
    # Rings are looked at one by one only where there is more than one: that halves the time of shapely.to_ragged_array.
    parts, geom_of_part = shapely.get_parts(geoms[~plain], return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    count = np.ones(len(geoms), np.int64)
    count[~plain] = np.bincount(geom_of_part[part_of_ring], minlength=int((~plain).sum()))
    of_plain = np.repeat(plain, count)

    length = np.empty(len(of_plain), np.int64)
    length[of_plain] = shapely.get_num_coordinates(geoms[plain])
    length[~of_plain] = shapely.get_num_coordinates(rings)
    shell = np.ones(len(of_plain), np.bool_)
    shell[~of_plain] = np.diff(part_of_ring, prepend=-1) != 0

    xy = np.ascontiguousarray(shapely.get_coordinates(geoms))
    ring_start = np.concatenate([[0], np.cumsum(length)])
    block_start = np.concatenate([[0], np.cumsum(np.maximum(length + (BLOCK - 2), 0) // BLOCK)])
    block_box = np.empty((int(block_start[-1]), 4))
    _orient(xy, ring_start, shell)
    _measure_blocks(xy, ring_start, block_start, block_box)
    return Rings(xy, ring_start, np.concatenate([[0], np.cumsum(count)]), bounds, block_start, block_box)


@kernel
def _orient(xy: Floats, ring_start: Index, shell: NDArray[np.bool_]) -> None:
    """Turn rings in place: shells anticlockwise, holes clockwise."""
    for ring in range(len(ring_start) - 1):
        first, end = ring_start[ring], ring_start[ring + 1]
        doubled = 0.0
        for k in range(first, end - 1):
            doubled += (xy[k, 0] - xy[first, 0]) * (xy[k + 1, 1] - xy[first, 1])
            doubled -= (xy[k + 1, 0] - xy[first, 0]) * (xy[k, 1] - xy[first, 1])
        if (doubled > 0) != shell[ring]:
            low, high = first, end - 1
            while low < high:
                x, y = xy[low, 0], xy[low, 1]
                xy[low, 0], xy[low, 1] = xy[high, 0], xy[high, 1]
                xy[high, 0], xy[high, 1] = x, y
                low += 1
                high -= 1


@kernel
def _measure_blocks(xy: Floats, ring_start: Index, block_start: Index, block_box: Floats) -> None:
    for ring in range(len(ring_start) - 1):
        for block in range(block_start[ring], block_start[ring + 1]):
            first = ring_start[ring] + BLOCK * (block - block_start[ring])
            last = min(first + BLOCK, ring_start[ring + 1] - 1)
            low_x, low_y, high_x, high_y = np.inf, np.inf, -np.inf, -np.inf
            for k in range(first, last + 1):
                low_x, high_x = min(low_x, xy[k, 0]), max(high_x, xy[k, 0])
                low_y, high_y = min(low_y, xy[k, 1]), max(high_y, xy[k, 1])
            block_box[block, 0], block_box[block, 1] = low_x, low_y
            block_box[block, 2], block_box[block, 3] = high_x, high_y
