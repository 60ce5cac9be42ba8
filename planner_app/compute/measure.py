"""Small measures of patches: mean width, single parts, distances between layers."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app.compute.repair import Geometries


def mean_width(area: NDArray[np.float64], perimeter: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean width in metres, 2·area / perimeter: exact for a long strip, half a square's side, 0 without perimeter."""
    return np.divide(2.0 * area, perimeter, out=np.zeros(len(area)), where=perimeter > 0)


def explode(geoms: Geometries) -> tuple[Geometries, NDArray[np.int64]]:
    """Single parts of each geometry and, per part, the index of the geometry it came from."""
    parts, index = shapely.get_parts(geoms, return_index=True)
    return parts, index.astype(np.int64)


def distances(
    a: Geometries, b: Geometries, within: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs (i in a, j in b) not farther apart than ``within`` metres, and their distance (0 where they touch)."""
    i, j = shapely.STRtree(b).query(a, predicate="dwithin", distance=within)
    return i.astype(np.int64), j.astype(np.int64), shapely.distance(a[i], b[j])
