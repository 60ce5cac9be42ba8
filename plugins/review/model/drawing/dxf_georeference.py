"""Where a DXF says it lies: its GEODATA."""

from __future__ import annotations

import math
from typing import Any

from plugins.review.model.drawing.shapes import Collector
from plugins.review.model.drawing.types import Georeference, Note


def georeference(space: Any, header: float | None, collector: Collector) -> Georeference | None:
    """GEODATA of the model space, if it names a coordinate system.

    A point of the drawing moves from ``design_point`` to ``reference_point``, turned until ``north_direction`` points
    up and scaled by ``horizontal_unit_scale`` (metres per unit).

    Args:
        header: metres per unit by the header, for comparison.
    """
    try:
        data = space.get_geodata()
    except Exception:  # damage shows itself in many ways
        data = None
    if data is None:
        return None
    dxf = data.dxf
    try:
        code, east_first = data.get_crs()
        source, target, north = dxf.design_point, dxf.reference_point, dxf.north_direction
        scale = float(dxf.get("horizontal_unit_scale", 1.0)) or 1.0
        turn = math.pi / 2.0 - math.atan2(north.y, north.x)
    except Exception:  # no EPSG code among its names, or damaged
        collector.note("review.geodata_unknown")
        return None
    if not all(map(math.isfinite, (*source, *target, scale, turn))):
        collector.note("review.geodata_unknown")
        return None
    cos, sin = math.cos(turn), math.sin(turn)
    x, y = source.x * scale, source.y * scale
    matrix = (cos, -sin, target.x - cos * x + sin * y, sin, cos, target.y - sin * x - cos * y)
    suspicion: Note | None = None
    if not east_first or dxf.get("coordinate_type", 1) == 3:
        suspicion = ("review.geodata_unusual", {"crs": f"EPSG:{code}"})
    elif header is not None and not math.isclose(header, scale, rel_tol=1e-4):
        suspicion = ("review.geodata_unit", {"header": header, "geodata": scale})
    return Georeference("geodata", f"EPSG:{code}", matrix, suspicion)
