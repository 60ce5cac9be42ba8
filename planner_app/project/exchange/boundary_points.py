"""界址点 TXT: the boundary-point exchange file of land offices.

``[属性描述]`` states 坐标系, 几度分带, 带号; ``[地块坐标]`` has a line per parcel ending in ``@`` (points, hectares,
number, name, kind, sheet, use, class), then points ``J1,1,X,Y``: name, ring, X north, Y east. Ring 1 is the outline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from planner_app.domain.crs import GAUSS_KRUGER
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo
from planner_app.domain.text_encoding import read_text
from planner_app.project.exchange.source import SAMPLE_ROWS, Chunk, SourceInfo, SourceLayer

_FIELDS = (
    FieldInfo("number", "text", "地块编号"),
    FieldInfo("name", "text", "地块名称"),
    FieldInfo("area_ha", "real", "地块面积（公顷）"),
    FieldInfo("use", "text", "地块用途"),
    FieldInfo("class_code", "text", "地类编码"),
    FieldInfo("sheet", "text", "图幅号"),
)
#: What a system's name contains → its datum.
_FAMILIES = {"2000": "cgcs2000", "80": "xian80", "54": "beijing54"}


@dataclass(frozen=True, slots=True)
class BoundaryParcel:
    """A parcel: WKB polygon, x east and y north as in the file (zone number before the easting or not)."""

    number: str
    name: str
    wkb: bytes
    area_ha: float | None = None
    use: str = ""
    class_code: str = ""
    sheet: str = ""


@dataclass(slots=True)
class _Parcel:
    head: list[str]
    line: int
    rings: dict[str, list[tuple[float, float]]]


def read_boundary_points(path: Path, encoding: str = "") -> list[BoundaryParcel]:
    """The parcels of a file.

    Raises:
        PlannerError: ``import.boundary_line`` naming the line, ``import.boundary_ring``, ``import.boundary_empty``.
    """
    return _parse(path, encoding)[0]


def _parse(path: Path, encoding: str) -> tuple[list[BoundaryParcel], dict[str, str], str]:
    text, used = read_text(path, encoding)
    facts: dict[str, str] = {}
    parcels: list[_Parcel] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip().replace("，", ",")
        if not line or line.startswith("["):
            continue
        if "=" in line and "," not in line.split("=", 1)[0]:
            key, _, value = line.partition("=")
            facts[key.strip()] = value.strip()
        elif line.endswith("@"):
            parcels.append(_Parcel([part.strip() for part in line[:-1].split(",")], number, {}))
        else:
            _point(path, number, line, parcels)
    found = [_polygon(path, parcel, order) for order, parcel in enumerate(parcels, start=1) if parcel.rings]
    if not found:
        raise PlannerError("import.boundary_empty", file=path.name)
    return found, facts, used


def _point(path: Path, number: int, line: str, parcels: list[_Parcel]) -> None:
    parts = [part.strip() for part in re.split(r"[,\t ]+", line) if part.strip()]
    try:
        ring, north, east = (parts[1], float(parts[2]), float(parts[3])) if len(parts) >= 4 else (
            "1", float(parts[1]), float(parts[2])
        )  # fmt: skip
    except (IndexError, ValueError) as error:
        raise PlannerError("import.boundary_line", file=path.name, line=number, text=line[:60]) from error
    if not (np.isfinite(north) and np.isfinite(east)):
        raise PlannerError("import.boundary_line", file=path.name, line=number, text=line[:60])
    if not parcels:
        parcels.append(_Parcel([], number, {}))
    parcels[-1].rings.setdefault(ring, []).append((east, north))


def _polygon(path: Path, parcel: _Parcel, order: int) -> BoundaryParcel:
    rings = []
    for name, points in parcel.rings.items():
        distinct = list(dict.fromkeys(points))
        if len(distinct) < 3:
            raise PlannerError("import.boundary_ring", file=path.name, line=parcel.line, ring=name)
        rings.append(shapely.Polygon(points))
    whole = rings[0]
    for ring in rings[1:]:
        if shapely.is_valid(whole) and shapely.is_valid(ring):
            whole = whole.difference(ring) if whole.contains(ring.representative_point()) else whole.union(ring)
        else:
            whole = shapely.Polygon(whole.exterior, [*whole.interiors, ring.exterior])
    head = [*parcel.head, *[""] * (8 - len(parcel.head))]
    try:
        area: float | None = float(head[1])
    except ValueError:
        area = None
    title = head[3] or head[2] or f"{path.stem} {order}"
    return BoundaryParcel(head[2] or str(order), title, shapely.to_wkb(whole), area, head[6], head[7], head[5])


def stated_crs(facts: dict[str, str], easting: float) -> str | None:
    """``EPSG:n`` of what ``[属性描述]`` says; None where it does not say enough."""
    family = next((key for key in _FAMILIES if key in facts.get("坐标系", "")), None)
    width = re.search(r"\d+", facts.get("几度分带", ""))
    zone = re.search(r"\d+", facts.get("带号", ""))
    if family is None or width is None or int(width.group()) not in (3, 6):
        return None
    with_zone, without, first = GAUSS_KRUGER[_FAMILIES[family]][int(width.group())]
    prefix = int(easting // 1e6) if easting > 1e6 else 0
    number = prefix or (int(zone.group()) if zone else 0)
    if not first <= number <= first + (20 if int(width.group()) == 3 else 10):
        return None
    return f"EPSG:{(with_zone if prefix else without) + number - first}"


class BoundarySource:
    """A boundary-point file as a layer of parcels."""

    def __init__(self, path: Path, encoding: str = "") -> None:
        self.path = path
        self._parcels, self._facts, self._encoding = _parse(path, encoding)
        self._shapes = shapely.from_wkb([parcel.wkb for parcel in self._parcels])

    def info(self) -> SourceInfo:
        """One layer of polygons."""
        bounds = tuple(float(value) for value in shapely.total_bounds(self._shapes))
        rows = tuple(tuple(values) for values in zip(*self._columns().values(), strict=True))
        crs = stated_crs(self._facts, bounds[0])
        layer = SourceLayer(
            self.path.stem, "polygon", len(self._parcels), _FIELDS, crs, bounds, rows[:SAMPLE_ROWS]  # type: ignore[arg-type]
        )  # fmt: skip
        return SourceInfo(self.path, "界址点 TXT", (layer,), self._encoding)

    def _columns(self) -> dict[str, list[Any]]:
        return {info.name: [getattr(parcel, info.name) for parcel in self._parcels] for info in _FIELDS}

    def read(self, layer: SourceLayer) -> Iterator[Chunk]:
        """All parcels."""
        yield Chunk(1, self._shapes, self._columns())
