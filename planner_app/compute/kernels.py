"""The compiled kernels behind two plain functions on arrays. Importing this needs numba."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app.compute import area_kernel, clip_kernel
from planner_app.compute.jit import forget
from planner_app.compute.repair import Geometries
from planner_app.compute.rings import BLOCK, Rings, rings_of

__all__ = ["areas", "clip", "forget", "rings_of", "try_out"]

Index = NDArray[np.int64]
Floats = NDArray[np.float64]


def areas(a: Rings, b: Rings, i: Index, j: Index) -> Floats:
    """Area in m² of a[i] ∩ b[j] for each pair, shape (pairs,)."""
    out = np.empty(len(i))
    room_a, room_b = np.empty((5, _most_edges(a) + 1)), np.empty((5, _most_edges(b) + 1))
    area_kernel.shared_areas(a, b, i, j, room_a, room_b, out)
    return out


def clip(a: Rings, b: Rings, i: Index, j: Index, area: Floats) -> Geometries:
    """The shape of a[i] ∩ b[j] for each pair, shape (pairs,); None where the clipper left the pair to GEOS.

    Args:
        area: exact shared areas in m². Every shape given back is valid and has that area.
    """
    xy, ring_end, _, ring_pair, state = clip_kernel.clip_pairs(a, b, i, j, area)
    result = np.full(len(i), None, dtype=object)
    if len(ring_end) == 0:
        return result
    offsets = (np.concatenate([[0], ring_end]), np.arange(len(ring_end) + 1))
    polygons = shapely.from_ragged_array(shapely.GeometryType.POLYGON, xy, offsets)
    single = np.bincount(ring_pair, minlength=len(i))[ring_pair] == 1
    result[ring_pair[single]] = polygons[single]
    if not single.all():
        several, part_of = np.unique(ring_pair[~single], return_inverse=True)
        result[several] = shapely.multipolygons(polygons[~single], indices=part_of)
    check = np.flatnonzero(state == clip_kernel.TRACED)
    result[check[~shapely.is_valid(result[check])]] = None
    return result


def try_out() -> None:
    """Run every kernel once, which compiles it or loads it from disk.

    Raises:
        AssertionError: a kernel computes nonsense.
    """
    squares = np.array([shapely.box(0, 0, 2, 2), shapely.box(1, 1, 3, 3)], dtype=object)
    rings = rings_of(squares, shapely.bounds(squares))
    first, second = np.zeros(1, np.int64), np.ones(1, np.int64)
    area = areas(rings, rings, first, second)
    patch = clip(rings, rings, first, second, area)
    if area[0] != 1.0 or not shapely.equals(patch[0], shapely.box(1, 1, 2, 2)):
        raise AssertionError(f"the shared square is {patch[0]}, its area {area[0]}")


def _most_edges(rings: Rings) -> int:
    blocks = rings.geom["end_block"] - rings.geom["first_block"]
    return int(blocks.max(initial=0)) * BLOCK
