"""Areas on a declared basis: planar in the project's CRS, or ellipsoidal on the CRS's own ellipsoid.

Planar is the shoelace formula over the coordinates as they are. Ellipsoidal is the area of the geodesic polygon
(C. F. F. Karney, Algorithms for geodesics, J. Geodesy 87, 2013), as PROJ and PostGIS compute it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pyproj import Geod, Transformer

Geometries = Sequence[Any] | NDArray[np.object_]


def _shapes(geometries: Geometries) -> NDArray[np.object_]:
    """WKB (bytes, None) or shapely geometries as an array of shapely geometries."""
    array = np.empty(len(geometries), dtype=object)
    array[:] = list(geometries)
    raw = np.fromiter((isinstance(one, bytes | bytearray | memoryview) for one in array), bool, len(array))
    if raw.any():
        array[raw] = shapely.from_wkb([bytes(one) for one in array[raw]])
    return array


def planar(geometries: Geometries) -> NDArray[np.float64]:
    """Area of each polygon in the plane of its coordinates, m²; 0 for a missing one.

    Args:
        geometries: WKB or shapely geometries, shape (n,), metres.
    """
    areas: NDArray[np.float64] = shapely.area(_shapes(geometries))
    return np.nan_to_num(areas, nan=0.0)


def ellipsoidal(geometries: Geometries, crs: str) -> NDArray[np.float64]:
    """Area of each polygon on the ellipsoid of its CRS, m²; 0 for a missing one.

    Edges are geodesics between the vertices, holes are taken off. No datum is changed: coordinates are only turned into
    longitude and latitude of the same CRS.

    Args:
        geometries: WKB or shapely geometries, shape (n,).
        crs: their CRS, ``EPSG:n`` or WKT.
    """
    geod, to_degrees = _ellipsoid(crs)
    shapes = _shapes(geometries)
    result = np.zeros(len(shapes))
    polygonal = np.isin(shapely.get_type_id(shapes), (3, 6))
    rows = np.flatnonzero(polygonal & ~shapely.is_empty(shapes))
    if not len(rows):
        return result
    parts, part_of = shapely.get_parts(shapes[rows], return_index=True)
    rings, ring_of = shapely.get_rings(parts, return_index=True)
    first = np.ones(len(rings), dtype=bool)
    first[1:] = ring_of[1:] != ring_of[:-1]
    xy, of = shapely.get_coordinates(rings, return_index=True)
    lon, lat = xy[:, 0], xy[:, 1]
    if to_degrees is not None:
        lon, lat = to_degrees.transform(lon, lat)
    ends = np.cumsum(np.bincount(of, minlength=len(rings)))
    starts = np.concatenate(([0], ends[:-1]))
    bounds = zip(starts, ends, strict=True)
    areas = np.array([abs(geod.polygon_area_perimeter(lon[start:end], lat[start:end])[0]) for start, end in bounds])
    signed = np.where(first, areas, -areas)
    np.add.at(result, rows[part_of[ring_of]], signed)
    return result


@lru_cache(maxsize=16)
def _ellipsoid(crs: str) -> tuple[Geod, Transformer | None]:
    """The CRS's ellipsoid and how to get longitude and latitude on it (None: they are it already)."""
    from pyproj import CRS, Transformer

    own = CRS.from_user_input(crs)
    geod = own.get_geod()
    if geod is None:
        from planner_app.domain.errors import PlannerError

        raise PlannerError("crs.no_ellipsoid", crs=crs)
    geographic = own.geodetic_crs
    if own.is_geographic or geographic is None:
        return geod, None
    return geod, Transformer.from_crs(own, geographic, always_xy=True)
