"""The two questions asked of a pair of features: how much do they share, and what shape is it.

These are the tasks that an executor runs: module-level functions on picklable arguments.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app.compute.layer import Layer
from planner_app.compute.repair import Geometries, polygonal_part

Index = NDArray[np.int64]
Floats = NDArray[np.float64]


def shared_areas(a: Layer, b: Layer, i: Index, j: Index) -> Floats:
    """Area in m² of a[i] ∩ b[j] for each pair, shape (pairs,)."""
    return np.nan_to_num(shapely.area(_by_geos(a, b, i, j)))  # None: nothing shared


def patches(a: Layer, b: Layer, i: Index, j: Index, area: Floats) -> Geometries:
    """The polygonal part of a[i] ∩ b[j] for each pair (None if there is none), shape (pairs,).

    Args:
        area: what :func:`shared_areas` says of these pairs.
    """
    return _by_geos(a, b, i, j)


def _by_geos(a: Layer, b: Layer, i: Index, j: Index) -> Geometries:
    return polygonal_part(shapely.intersection(a.geoms[i], b.geoms[j]))
