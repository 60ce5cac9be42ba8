"""Areas on a declared basis: planar in the project's CRS, ellipsoidal on the CRS's own ellipsoid, or land survey's.

Planar is the shoelace formula over the coordinates as they are. Ellipsoidal is the area of the geodesic polygon
(C. F. F. Karney, Algorithms for geodesics, J. Geodesy 87, 2013), as PROJ and PostGIS compute it. Land surveys in China
sum trapezoids between each edge and a meridian (国土调查办发〔2008〕32号).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

    def of_ring(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> float:
        return abs(float(geod.polygon_area_perimeter(lon, lat)[0]))

    return _by_rings(_shapes(geometries), to_degrees, of_ring)


def land_survey(geometries: Geometries, crs: str) -> NDArray[np.float64]:
    """Area of each polygon as the Chinese land surveys compute it, m²; 0 for a missing one.

    Each edge and a meridian enclose a trapezoid between two parallels, whose area on the ellipsoid is a series in
    the sines of the latitude difference (国土调查办发〔2008〕32号, also the theoretical area of map sheets). An edge is
    straight in longitude and latitude here, a geodesic in :func:`ellipsoidal`: they differ by up to
    some 1e-5 at edges of 1 km and 1e-4 at 10 km.

    Args:
        geometries: WKB or shapely geometries, shape (n,).
        crs: their CRS, ``EPSG:n`` or WKT.
    """
    geod, to_degrees = _ellipsoid(crs)
    e2 = geod.f * (2.0 - geod.f)
    e4, e6, e8 = e2**2, e2**3, e2**4
    terms = (
        1 + 3 / 6 * e2 + 30 / 80 * e4 + 35 / 112 * e6 + 630 / 2304 * e8,
        -(1 / 6 * e2 + 15 / 80 * e4 + 21 / 112 * e6 + 420 / 2304 * e8),
        3 / 80 * e4 + 7 / 112 * e6 + 180 / 2304 * e8,
        -(1 / 112 * e6 + 45 / 2304 * e8),
        5 / 2304 * e8,
    )

    def of_ring(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> float:
        # Longitudes from the ring's own meridian: any one will do, and a near one keeps the digits.
        away, north = np.radians(lon - lon[0]), np.radians(lat)
        mean_away = (away[1:] + away[:-1]) / 2.0
        difference, middle = np.diff(north), (north[1:] + north[:-1]) / 2.0
        odd = range(1, 10, 2)
        band = sum(term * np.sin(k * difference / 2.0) * np.cos(k * middle) for k, term in zip(odd, terms, strict=True))
        return abs(float((2.0 * geod.b**2 * mean_away * band).sum()))

    return _by_rings(_shapes(geometries), to_degrees, of_ring)


def _by_rings(
    shapes: NDArray[np.object_],
    to_degrees: Transformer | None,
    of_ring: Callable[[NDArray[np.float64], NDArray[np.float64]], float],
) -> NDArray[np.float64]:
    """Area of each polygon from those of its rings (longitude, latitude in degrees), holes taken off."""
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
    areas = np.array([of_ring(lon[start:end], lat[start:end]) for start, end in zip(starts, ends, strict=True)])
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
