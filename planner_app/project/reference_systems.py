"""The few coordinate systems a project file needs, in place of the 6,000 SpatiaLite would write (1.5 s, 5 MB)."""

from __future__ import annotations

import math
import re
import sqlite3
from typing import Final

from planner_app.domain.errors import PlannerError

#: QGIS's own range for user-defined systems begins at 100000.
_FIRST_LOCAL: Final = 990001
#: Always there: what QGIS and base maps ask for.
_ALWAYS: Final = (4326, 4490, 3857)


def insert(connection: sqlite3.Connection, crs: str) -> tuple[int, str]:
    """Register a project's coordinate system (and a few common ones).

    Args:
        crs: ``EPSG:n`` or its bare number, or WKT or PROJ text of a local system.

    Returns:
        (srid, the crs as the project states it).

    Raises:
        PlannerError: ``project.crs_unknown``, ``crs.not_projected`` for degrees and feet.
    """
    for number in _ALWAYS:
        connection.execute("SELECT InsertEpsgSrid(?)", (number,)).fetchone()
    match = re.fullmatch(r"(?i)\s*(?:epsg\s*:{1,2})?\s*(\d+)\s*", crs)
    srid = int(match[1]) if match else _FIRST_LOCAL
    if match:
        known = connection.execute("SELECT 1 FROM spatial_ref_sys WHERE srid = ?", (srid,)).fetchone()
        if not known:
            connection.execute("SELECT InsertEpsgSrid(?)", (srid,)).fetchone()
            known = connection.execute("SELECT 1 FROM spatial_ref_sys WHERE srid = ?", (srid,)).fetchone()
        if known:
            unit = connection.execute("SELECT SridGetUnit(?)", (srid,)).fetchone()[0]
            if unit != "metre":
                raise PlannerError("crs.not_projected", crs=crs)
            return srid, f"EPSG:{srid}"
        crs = f"EPSG:{srid}"
    _insert_by_proj(connection, crs, srid, "epsg" if match else "planner")
    return srid, crs


def _insert_by_proj(connection: sqlite3.Connection, crs: str, srid: int, authority: str) -> None:
    """Register a system that SpatiaLite's list lacks, from PROJ's database or its own definition."""
    import warnings

    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        system = CRS.from_user_input(crs)
    except CRSError as error:
        raise PlannerError("project.crs_unknown", crs=crs, detail=str(error)) from error
    if not system.is_projected or any(not math.isclose(axis.unit_conversion_factor, 1.0) for axis in system.axis_info):
        raise PlannerError("crs.not_projected", crs=crs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PROJ text loses the datum's name; the WKT beside it keeps it
        proj_text = system.to_proj4()
    connection.execute(
        "INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, ref_sys_name, proj4text, srtext) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (srid, authority, srid, system.name, proj_text, system.to_wkt("WKT1_GDAL")),
    )
