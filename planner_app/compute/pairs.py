"""The two questions asked of a pair of features: how much do they share, and what shape is it.

These are the tasks that an executor runs: module-level functions on picklable arguments. The kernels answer where numba
is there, GEOS answers the rest, and everything where it is not; the results are the same.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app.compute.accelerated import kernels
from planner_app.compute.layer import Layer
from planner_app.compute.measure import mean_width
from planner_app.compute.repair import Geometries, polygonal_part

Index = NDArray[np.int64]
Floats = NDArray[np.float64]

#: A pair whose shared area is the whole feature, to this relative difference, is that feature.
WHOLE = 1e-10
#: Parts of less than this many m² are rounding of edges that coincide.
NO_AREA = 1e-9


def candidates(tree: shapely.STRtree, geoms: Geometries, first: int) -> tuple[Index, Index]:
    """Pairs (index of the geometry counted from ``first``, index in the tree) whose envelopes meet."""
    i, j = tree.query(geoms)
    return i + first, j


def shared_areas(a: Layer, b: Layer, i: Index, j: Index) -> Floats:
    """Area in m² of a[i] ∩ b[j] for each pair, shape (pairs,)."""
    compiled = kernels()
    if compiled is None:
        return np.asarray(np.nan_to_num(shapely.area(_by_geos(a, b, i, j))))  # None: nothing shared
    area: Floats = compiled.areas(a.rings(), b.rings(), i, j)
    return area


def patches(a: Layer, b: Layer, i: Index, j: Index, area: Floats) -> tuple[Geometries, Floats]:
    """The polygonal part of a[i] ∩ b[j] for each pair (None if there is none) and its mean width in m.

    Args:
        area: what :func:`shared_areas` says of these pairs.
    """
    compiled = kernels()
    area_a, area_b = a.area[i], b.area[j]
    whole_a = np.abs(area - area_a) <= WHOLE * area_a
    whole_b = ~whole_a & (np.abs(area - area_b) <= WHOLE * area_b)
    result = np.full(len(i), None, dtype=object)
    result[whole_a], result[whole_b] = a.geoms[i[whole_a]], b.geoms[j[whole_b]]
    rest = np.flatnonzero(~whole_a & ~whole_b)
    if compiled is not None:
        result[rest] = compiled.clip(a.rings(), b.rings(), i[rest], j[rest], area[rest])
        rest = rest[shapely.is_missing(result[rest])]
    result[rest] = _by_geos(a, b, i[rest], j[rest])
    return result, mean_width(area, shapely.length(result))


def prepare(repaired: Geometries, with_rings: bool) -> Layer:
    """The layer that pairs are taken from; ``with_rings`` makes what the kernels need at once."""
    layer = Layer.of(repaired)
    if with_rings and kernels() is not None:
        layer.rings()
    return layer


def _by_geos(a: Layer, b: Layer, i: Index, j: Index) -> Geometries:
    shared = polygonal_part(shapely.intersection(a.geoms[i], b.geoms[j]))
    several = np.flatnonzero(shapely.get_num_geometries(shared) > 1)
    for index, patch in zip(several, shared[several], strict=True):
        parts = shapely.get_parts(patch)
        real = parts[shapely.area(parts) >= NO_AREA]
        if len(real) < len(parts):
            shared[index] = shapely.multipolygons(real) if len(real) > 1 else (real[0] if len(real) else None)
    return shared
