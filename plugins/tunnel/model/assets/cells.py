"""What cells of survey tables say: numbers in full or half width, diameters and cross sections, years, coordinates."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner_app.domain.crs import is_chinese_projected, zone_crs, zone_of, zone_prefix

#: Written where there is nothing to say.
_NOTHING = frozenset({"", "-", "--", "—", "——", "/", "\\", "无", "不明", "null", "none", "n/a", "*"})
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|[-+]?\.\d+")
#: A comma before decimals, as spreadsheets in Europe write: not one between groups of three digits.
_DECIMAL_COMMA = re.compile(r"[-+]?(?:\d+,(?!\d{3}(?!\d))\d+|(?:0|\d{4,}),\d+)\D*$")
_SECTION = re.compile(r"(\d+(?:\.\d+)?)\s*[×xX*＊]\s*(\d+(?:\.\d+)?)")
#: An easting of a Gauss-Krüger zone without and with its number, and a northing in China, m.
_EAST, _EAST_ZONE, _NORTH = (1e5, 1e6), (1.3e7, 4.7e7), (1.8e6, 6.2e6)
#: CGCS2000 in degrees.
_GEOGRAPHIC = "EPSG:4490"
#: Longitudes and latitudes in China, °; a survey spans less than this of them.
_LONGITUDE, _LATITUDE, _SPAN = (73.0, 136.0), (3.0, 54.0), 2.0


def number(text: str) -> float | None:
    """The number in a cell; None if it is empty; NaN if what stands there is none."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain.casefold() in _NOTHING:
        return None
    plain = plain.replace(",", "." if _DECIMAL_COMMA.match(plain) else "")
    found = _NUMBER.match(plain)
    rest = plain[found.end() :].strip().casefold() if found else plain
    if found is None or (rest and rest not in ("m", "米", "mm", "cm", "kv", "kpa", "mpa", "年", "条", "根", "孔")):
        return math.nan
    value = float(found[0])
    return value if math.isfinite(value) else math.nan


@dataclass(frozen=True, slots=True)
class Size:
    """A cross section: its nominal diameter or larger side, and its shape in words."""

    value: float
    shape: str
    text: str = ""


def size(text: str) -> Size | None:
    """``400``, ``DN400``, ``φ0.4``, ``800×600``; None if the cell is empty; a NaN value if it says nothing known."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain.casefold() in _NOTHING:
        return None
    if box := _SECTION.search(plain):
        return Size(max(float(box[1]), float(box[2])), "矩形", f"{box[1]}×{box[2]}")
    found = _NUMBER.search(re.sub(r"^(dn|de|d|φ|ø|Φ)\s*", "", plain, flags=re.IGNORECASE))
    return Size(float(found[0]) if found else math.nan, "圆形")


def year(text: str) -> int | None:
    """The year in ``2018``, ``2018-06``, ``2018年6月``; None if there is none."""
    found = re.search(r"(?<!\d)(1[89]\d\d|20\d\d)", unicodedata.normalize("NFKC", text))
    return int(found[0]) if found else None


@dataclass(frozen=True, slots=True)
class Frame:
    """How two columns of coordinates are to be taken: swapped, in metres times ``scale`` or degrees, in which CRS."""

    swap: bool
    scale: float
    crs: str
    metres: bool = True
    notes: tuple[tuple[str, dict[str, Any]], ...] = ()


def frame_of(north: Any, east: Any, project_crs: str, crs: str, xy: str) -> Frame:
    """How a survey's X (said to be north) and Y are to be read.

    Args:
        north, east: float arrays of the columns X and Y; NaN where a cell holds no number.
        crs: the file's, empty if nobody said; xy: ``auto``, ``north_east`` or ``east_north``.
    """
    notes: list[tuple[str, dict[str, Any]]] = []
    x, y = (float(np.nanmedian(one)) if np.isfinite(one).any() else 0.0 for one in (north, east))
    scale = 1.0
    if (degrees := _degrees(north, east, x, y, xy)) is not None and is_chinese_projected(project_crs):
        notes.append(("tunnel.coordinates_degrees", {"crs": crs or _GEOGRAPHIC}))
        return Frame(degrees, 1.0, crs or _GEOGRAPHIC, False, tuple(notes))
    if max(abs(x), abs(y)) > 1e8:  # millimetres
        scale = 0.001
        x, y = x * scale, y * scale
        notes.append(("tunnel.coordinates_mm", {}))
    swap = xy == "east_north"
    if xy == "auto" and _within(y, _NORTH) and (_within(x, _EAST) or _within(x, _EAST_ZONE)) and not _within(x, _NORTH):
        swap = True
        notes.append(("tunnel.xy_swapped", {}))
    easting = x if swap else y
    if not crs and is_chinese_projected(project_crs):
        zone, prefixed = zone_of(project_crs)
        if _within(easting, _EAST_ZONE) and not prefixed:
            crs = zone_crs(zone_prefix(easting), project_crs, prefixed=True)
            notes.append(("tunnel.zone_number", {"zone": zone_prefix(easting), "crs": crs}))
        elif _within(easting, _EAST) and prefixed:
            crs = zone_crs(zone, project_crs, prefixed=False)
            notes.append(("tunnel.zone_number", {"zone": zone, "crs": crs}))
    return Frame(swap, scale, crs or project_crs, notes=tuple(notes))


def _degrees(north: Any, east: Any, x: float, y: float, xy: str) -> bool | None:
    """Whether columns of degrees stand the other way round; None if they hold no degrees of a place in China."""
    spans = [float(np.nanmax(one) - np.nanmin(one)) if np.isfinite(one).any() else _SPAN for one in (north, east)]
    if max(spans) >= _SPAN:
        return None
    if _within(x, _LATITUDE) and _within(y, _LONGITUDE):
        return xy == "east_north"
    return True if _within(y, _LATITUDE) and _within(x, _LONGITUDE) else None


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] < value < limits[1]
