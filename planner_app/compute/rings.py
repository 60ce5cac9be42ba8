"""Polygons as flat arrays for the kernels: oriented rings, cut into blocks of edges with envelopes.

Blocks are what keeps an enormous polygon cheap: a kernel that looks at a small window skips 32 edges at a time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app.compute.jit import kernel
from planner_app.compute.repair import Geometries

Index = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Edges per block.
BLOCK = 32

_BOX = [("x0", np.float64), ("y0", np.float64), ("x1", np.float64), ("y1", np.float64)]
_GEOM = np.dtype(
    [("first_ring", np.int64), ("end_ring", np.int64), ("first_block", np.int64), ("end_block", np.int64), *_BOX]
)
_RING = np.dtype([("first", np.int64), ("end", np.int64)])
_BLOCK = np.dtype([("first", np.int64), ("last", np.int64), ("ring", np.int64), *_BOX])

#: A structured array; kernels read its fields as attributes of an element.
Records = Any


class Rings(NamedTuple):
    """Rings of a layer; shells run anticlockwise, holes clockwise, first vertex repeated at the end.

    Kernels hand on the arrays, never this tuple: numba counts references to a tuple's arrays wherever it is touched,
    and threads would fight over these counters.

    Attributes:
        xy: vertices, shape (vertices, 2).
        ring: first, end: its vertices, the end not included.
        block: up to 32 edges of one ring from vertex ``first`` to vertex ``last``, their ring and envelope.
        geom: first and end of its rings and of its blocks, and its envelope.
    """

    xy: Floats
    ring: Records
    block: Records
    geom: Records


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
    ring, geom = np.empty(len(length), _RING), np.empty(len(geoms), _GEOM)
    ring["end"] = np.cumsum(length)
    ring["first"] = ring["end"] - length
    geom["end_ring"] = np.cumsum(count)
    geom["first_ring"] = geom["end_ring"] - count
    block_end = np.cumsum(np.maximum(length + (BLOCK - 2), 0) // BLOCK)
    geom["end_block"] = block_end[geom["end_ring"] - 1]
    geom["first_block"] = np.concatenate([[0], geom["end_block"][:-1]])
    for side, name in enumerate(("x0", "y0", "x1", "y1")):
        geom[name] = bounds[:, side]
    block = np.empty(int(block_end[-1]) if len(block_end) else 0, _BLOCK)
    _orient(xy, ring, shell)
    _measure_blocks(xy, ring, block)
    return Rings(xy, ring, block, geom)


@kernel
def _orient(xy: Floats, rings: Records, shell: NDArray[np.bool_]) -> None:
    """Turn rings in place: shells anticlockwise, holes clockwise."""
    for ring in range(len(rings)):
        first, end = rings[ring].first, rings[ring].end
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
def _measure_blocks(xy: Floats, rings: Records, blocks: Records) -> None:
    block = 0
    for ring in range(len(rings)):
        for first in range(rings[ring].first, rings[ring].end - 1, BLOCK):
            last = min(first + BLOCK, rings[ring].end - 1)
            x0, y0, x1, y1 = np.inf, np.inf, -np.inf, -np.inf
            for k in range(first, last + 1):
                x0, x1 = min(x0, xy[k, 0]), max(x1, xy[k, 0])
                y0, y1 = min(y0, xy[k, 1]), max(y1, xy[k, 1])
            entry = blocks[block]
            entry.first, entry.last, entry.ring = first, last, ring
            entry.x0, entry.y0, entry.x1, entry.y1 = x0, y0, x1, y1
            block += 1
