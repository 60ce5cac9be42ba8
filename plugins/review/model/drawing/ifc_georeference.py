"""Where an IFC file says it lies: map conversion (IFC4, ePSets of IFC2x3), else the site's latitude and longitude."""

from __future__ import annotations

import contextlib
import math
from typing import Any

from planner_app.domain.crs import authority_code, parse_crs
from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.ifc_structure import get, of_class
from plugins.review.model.drawing.types import Georeference, Note

#: Places that authoring tools write when nobody told them where the site is (latitude, longitude).
DEFAULTS = {
    (42.36, -71.06): "Boston", (51.50, -0.13): "London", (0.0, 0.0): "0, 0", (39.90, 116.40): "Beijing",
    (47.50, 19.05): "Budapest", (48.14, 11.57): "Munich", (52.52, 13.40): "Berlin",
}  # fmt: skip
_MAP_UNITS = {"METRE": 1.0, "METER": 1.0, "M": 1.0, "MILLIMETRE": 0.001, "FOOT": 0.3048, "US SURVEY FOOT": 1200 / 3937}
_NEAR = 0.03  # degrees: the same city's default in another version


def read_georeference(file: Any, scale: float) -> tuple[Georeference | None, dict[str, str], list[Note]]:
    """The georeference, what the file states of its place as properties, and notes.

    Args:
        scale: metres per unit of length.
    """
    properties: dict[str, str] = {}
    north = _true_north(file)
    if north is not None:
        properties["true_north"] = f"{math.degrees(math.atan2(north[0], north[1])):.4f}°"
    place = _latitude_longitude(file)
    if place is not None:
        properties["latitude"], properties["longitude"] = (f"{value:.6f}" for value in place)
    conversion = _map_conversion(file, scale)
    if conversion is not None:
        return conversion, properties, _disagreement(conversion, place)
    if place is None:
        return None, properties, [("review.ifc_not_placed", {})]
    return _from_latitude(file, place, north, scale), properties, []


def _map_conversion(file: Any, scale: float) -> Georeference | None:
    values: dict[str, Any] = {}
    crs_name, unit, factor = "", None, 1.0
    for conversion in of_class(file, "IfcMapConversion"):
        names = ("Eastings", "Northings", "XAxisAbscissa", "XAxisOrdinate", "Scale", "FactorX")
        values = {name: get(conversion, name) for name in names}
        target = get(conversion, "TargetCRS")
        crs_name, unit = str(get(target, "Name") or ""), _unit_scale(get(target, "MapUnit"))
        factor = _number(values["FactorX"]) or 1.0
        break
    else:
        sets = _property_sets(file)
        values = sets.get("epset_mapconversion", {})
        target = sets.get("epset_projectedcrs", {})
        crs_name = str(target.get("Name") or "")
        unit = {
            "METRE": 1.0,
            "METER": 1.0,
            "M": 1.0,
            "MILLIMETRE": 0.001,
            "FOOT": 0.3048,
            "US SURVEY FOOT": 1200 / 3937,
        }.get(str(target.get("MapUnit") or "").upper())
    east, north = _number(values.get("Eastings")), _number(values.get("Northings"))
    if east is None or north is None:
        return None
    across, along = _number(values.get("XAxisAbscissa")), _number(values.get("XAxisOrdinate"))
    length = math.hypot(across or 0.0, along or 0.0)
    cos, sin = (across / length, along / length) if length and across is not None and along is not None else (1.0, 0.0)
    suspicion: Note | None = None
    map_unit = unit or scale
    if unit is None and scale != 1.0 and max(abs(east), abs(north)) * scale < 1e5 < max(abs(east), abs(north)):
        map_unit = 1.0  # metres written into a file in millimetres or feet, no map unit stated
        suspicion = ("review.ifc_map_unit", {"east": east, "north": north})
    grid = (_number(values.get("Scale")) or 1.0) * factor * map_unit / scale
    if not 0.99 < grid < 1.01:
        # Programs that leave out the scale between the file's units and the map's; no grid has such a factor.
        suspicion, grid = ("review.ifc_map_scale", {"scale": grid}), 1.0
    crs = _crs(crs_name)
    if not crs:
        suspicion = ("review.ifc_crs_missing", {"crs": crs_name})
    elif not any((east, north)):
        suspicion = ("review.ifc_map_zero", {"crs": crs})
    k_cos, k_sin = grid * cos, grid * sin
    return Georeference(
        "map_conversion", crs, (k_cos, -k_sin, east * map_unit, k_sin, k_cos, north * map_unit), suspicion
    )


def _disagreement(conversion: Georeference, place: tuple[float, float] | None) -> list[Note]:
    """A note where the map conversion and the site's latitude and longitude are more than 1 km apart."""
    from pyproj import Geod, Transformer
    from pyproj.exceptions import ProjError

    if place is None or not conversion.crs or conversion.matrix is None or _default(place):
        return []
    try:
        back = Transformer.from_crs(conversion.crs, "EPSG:4326", always_xy=True)
        longitude, latitude, *_ = back.transform(conversion.matrix[2], conversion.matrix[5])
    except ProjError:
        return []
    if not math.isfinite(longitude) or not math.isfinite(latitude):
        return [("review.ifc_outside_crs", {"crs": conversion.crs})]
    _, _, apart = Geod(ellps="GRS80").inv(longitude, latitude, place[1], place[0])
    return [("review.ifc_places_differ", {"crs": conversion.crs, "km": apart / 1000})] if apart > 1000 else []


def _default(place: tuple[float, float]) -> str:
    """Whose default a place is; "" if nobody's."""
    latitude, longitude = place
    near = (name for (lat, lon), name in DEFAULTS.items() if max(abs(latitude - lat), abs(longitude - lon)) < _NEAR)
    return next(near, "")


def _from_latitude(
    file: Any, place: tuple[float, float], north: tuple[float, float] | None, scale: float
) -> Georeference | None:
    """By the site's latitude and longitude: good to tens of metres at best, so never without a suspicion."""
    from pyproj import CRS, Proj, Transformer

    latitude, longitude = place
    known = _default(place)
    chinese = 73.5 <= longitude <= 135 and 18 <= latitude <= 54
    utm = (32600 if latitude >= 0 else 32700) + int((longitude + 180) // 6) % 60 + 1
    crs = CRS.from_epsg(4534 + round(longitude / 3) - 25 if chinese else utm)
    forward = Transformer.from_crs("EPSG:4490" if chinese else "EPSG:4326", crs, always_xy=True)
    east, north_at = forward.transform(longitude, latitude)
    if not math.isfinite(east) or not math.isfinite(north_at):
        return None
    convergence = math.radians(Proj(crs).get_factors(longitude, latitude).meridian_convergence)
    ahead = math.atan2(north[1], north[0]) if north else math.pi / 2
    turn = math.pi / 2 - ahead + convergence  # true north lies left of grid north, east of the meridian
    cos, sin = math.cos(turn), math.sin(turn)
    x, y = _site_origin(file, scale)
    note = "review.ifc_default_place" if known else "review.ifc_site_place"
    suspicion: Note = (note, {"latitude": latitude, "longitude": longitude, "place": known})
    return Georeference(
        "site_latlon",
        authority_code(crs),
        (cos, -sin, east - cos * x + sin * y, sin, cos, north_at - sin * x - cos * y),
        suspicion,
    )


def _site_origin(file: Any, scale: float) -> tuple[float, float]:
    from ifcopenshell.util.placement import get_local_placement

    for site in of_class(file, "IfcSite"):
        with contextlib.suppress(RecursionError, RuntimeError, AttributeError, TypeError, ValueError):
            matrix = get_local_placement(site.ObjectPlacement)
            return float(matrix[0][3]) * scale, float(matrix[1][3]) * scale
    return 0.0, 0.0


def _latitude_longitude(file: Any) -> tuple[float, float] | None:
    for site in of_class(file, "IfcSite"):
        latitude, longitude = (_degrees(get(site, name)) for name in ("RefLatitude", "RefLongitude"))
        if latitude is not None and longitude is not None and abs(latitude) <= 90 and abs(longitude) <= 180:
            return latitude, longitude
    return None


def _degrees(parts: Any) -> float | None:
    """Degrees, minutes, seconds, millionths of seconds: each carries the sign."""
    if not isinstance(parts, tuple) or len(parts) < 3:
        return None
    degrees, minutes, seconds, *rest = (float(one) for one in parts)
    return degrees + minutes / 60 + (seconds + (rest[0] if rest else 0.0) / 1e6) / 3600


def _true_north(file: Any) -> tuple[float, float] | None:
    for context in of_class(file, "IfcGeometricRepresentationContext"):
        if context.is_a() == "IfcGeometricRepresentationContext":
            ratios = get(get(context, "TrueNorth"), "DirectionRatios")
            if ratios and len(ratios) >= 2 and any(ratios[:2]):
                return float(ratios[0]), float(ratios[1])
    return None


def _property_sets(file: Any) -> dict[str, dict[str, Any]]:
    """ePSets of the site or the project by lower-case name."""
    found: dict[str, dict[str, Any]] = {}
    for one in of_class(file, "IfcPropertySet"):
        name = str(get(one, "Name") or "").lower()
        if name.startswith("epset_"):
            properties = found.setdefault(name, {})
            for entry in get(one, "HasProperties") or ():
                properties[str(get(entry, "Name"))] = get(get(entry, "NominalValue"), "wrappedValue")
    return found


def _unit_scale(unit: Any) -> float | None:
    from ifcopenshell.util.unit import get_unit_scale

    if unit is None:
        return None
    with contextlib.suppress(RuntimeError, AttributeError, KeyError, TypeError):
        return float(get_unit_scale(unit))
    return None


def _number(value: Any) -> float | None:
    try:
        number = float(getattr(value, "wrappedValue", value))
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _crs(name: str) -> str:
    if not name.strip():
        return ""
    try:
        return authority_code(parse_crs(name))
    except PlannerError:
        return ""
