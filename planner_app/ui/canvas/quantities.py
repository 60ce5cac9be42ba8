"""Lengths, areas and positions as people read them on the map."""

from __future__ import annotations

import math

from planner_app.i18n import tr

SQUARE_METRES_PER_HECTARE = 10_000.0


def format_area(square_metres: float, like: float | None = None) -> str:
    """An area with its unit: m² below a hectare, hectares to the square metre up to 100 km², km² above.

    Args:
        like: choose the unit for this value, so that two figures side by side have the same.
    """
    size = abs(square_metres if like is None else like)
    if size < SQUARE_METRES_PER_HECTARE:
        return f"{square_metres:,.2f} m²"
    if size < 1e8:
        return f"{square_metres / SQUARE_METRES_PER_HECTARE:,.4f} ha"
    return f"{square_metres / 1e6:,.3f} km²"


def format_length(metres: float, like: float | None = None) -> str:
    """A length with its unit: to the millimetre below 100 m, to the centimetre below 10 km, else to the metre in km.

    Args:
        like: choose the unit for this value, so that two figures side by side have the same.
    """
    size = abs(metres if like is None else like)
    if size < 100:
        return f"{metres:,.3f} m"
    if size < 10_000:
        return f"{metres:,.2f} m"
    return f"{metres / 1000:,.3f} km"


def format_areas(planar: float, ellipsoidal: float) -> str:
    """An area on both bases in one line and one unit."""
    return _both(format_area(planar), format_area(ellipsoidal, planar))


def format_lengths(planar: float, ellipsoidal: float) -> str:
    """A length on both bases in one line and one unit."""
    return _both(format_length(planar), format_length(ellipsoidal, planar))


def _both(planar: str, ellipsoidal: str) -> str:
    return tr("{planar} (planar) · {ellipsoidal} (ellipsoidal)", planar=planar, ellipsoidal=ellipsoidal)


def round_length(metres: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is no longer than ``metres``."""
    if metres <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(metres))
    for step in (5.0, 2.0, 1.0):
        if step * power <= metres * (1 + 1e-9):
            return step * power
    return power


def format_scale_length(metres: float) -> str:
    """A round length under a scale bar: ``500 m``, ``2 km``, ``5 cm``."""
    if metres >= 1000:
        return f"{metres / 1000:g} km"
    if metres >= 1:
        return f"{metres:g} m"
    return f"{metres * 100:g} cm"


def format_position(x: float, y: float, crs: str, decimals: int = 2) -> str:
    """A map point as the CRS's people read it: X is north and Y east in Chinese projected systems.

    Args:
        x, y: easting and northing in map units.
        crs: ``EPSG:n``.
    """
    if is_northing_first(crs):
        return f"X {y:,.{decimals}f}   Y {x:,.{decimals}f} m"
    return f"E {x:,.{decimals}f}   N {y:,.{decimals}f} m"


def is_northing_first(crs: str) -> bool:
    """True for the Gauss-Krüger zones of CGCS2000, Xian 1980 and Beijing 1954, whose X axis points north."""
    code = crs.upper().removeprefix("EPSG:")
    number = int(code) if code.isdigit() else 0
    chinese = (
        (4491, 4554),  # CGCS2000 6° and 3° zones, with and without zone prefix
        (2327, 2390),  # Xian 1980
        (2401, 2442),  # Beijing 1954, 3°
        (21413, 21483),  # Beijing 1954, 6° zones
    )
    return any(first <= number <= last for first, last in chinese)
