"""Lengths on the ellipsoid. Imports pyproj inside functions: first use takes 0.1 s and belongs off the UI thread."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@lru_cache(maxsize=8)
def _geographic(crs: str) -> tuple[Any, Any]:
    """(transformer to the CRS's own geographic system, its ellipsoid): one datum, so no shift is involved."""
    from pyproj import CRS, Transformer

    system = CRS.from_user_input(crs)
    return Transformer.from_crs(system, system.geodetic_crs, always_xy=True), system.get_geod()


def geodesic_lengths(points: NDArray[np.float64], crs: str) -> NDArray[np.float64]:
    """Geodesic distance in metres between consecutive points of an (n, 2) array of map coordinates.

    Source: Karney, Algorithms for geodesics (2013), by pyproj's ``Geod.inv``.
    """
    transformer, geod = _geographic(crs)
    lon, lat = transformer.transform(points[:, 0], points[:, 1])
    return geod.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2]  # type: ignore[no-any-return]


def ellipsoidal_length(geometry: Any, crs: str) -> float:
    """Length in metres of a shapely line on the ellipsoid, vertex to vertex."""
    import shapely

    return sum(float(geodesic_lengths(shapely.get_coordinates(p), crs).sum()) for p in shapely.get_parts([geometry]))
