"""Buildings on the parcels that are built up: slabs and towers in estates, campuses, halls, village houses."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import shapely
from shapely import affinity

from sample_projects.base_map import BASE
from sample_projects.blocks import Parcel
from sample_projects.curves import Array, Geometry, direction
from sample_projects.names import estate_names, firm_names
from sample_projects.tables import Rows, Table, Town

Form = tuple[tuple[float, float], ...]

#: Local outlines (metres, about the origin): corner points of a body in units of its length and depth.
_SLAB: Form = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))
_NOTCHED: Form = (
    (-0.5, -0.5), (-0.2, -0.5), (-0.2, -0.34), (0.2, -0.34), (0.2, -0.5), (0.5, -0.5), (0.5, 0.5), (0.08, 0.5),
    (0.08, 0.36), (-0.08, 0.36),
    (-0.08, 0.5), (-0.5, 0.5),
)  # fmt: skip
_STEPPED: Form = ((-0.5, -0.5), (0.0, -0.5), (0.0, -0.3), (0.5, -0.3), (0.5, 0.5), (0.0, 0.5), (0.0, 0.3), (-0.5, 0.3))
_ANGLE: Form = ((-0.5, -0.5), (0.5, -0.5), (0.5, -0.12), (-0.14, -0.12), (-0.14, 0.5), (-0.5, 0.5))
_COURT: Form = (
    (-0.5, -0.5),
    (0.5, -0.5),
    (0.5, 0.5),
    (0.24, 0.5),
    (0.24, -0.16),
    (-0.24, -0.16),
    (-0.24, 0.5),
    (-0.5, 0.5),
)
_POINT: Form = (
    (-0.5, -0.28), (-0.22, -0.28), (-0.22, -0.5), (0.22, -0.5), (0.22, -0.28), (0.5, -0.28), (0.5, 0.28), (0.22, 0.28),
    (0.22, 0.5),
    (-0.22, 0.5), (-0.22, 0.28), (-0.5, 0.28),
)  # fmt: skip


def body(form: Form, at: Array, length: float, depth: float, turn: float) -> Geometry:
    """An outline of the given form, size (m) and direction (radians) about a point."""
    xy = np.array(form) * (length, depth)
    c, s = np.cos(turn), np.sin(turn)
    return shapely.polygons(xy @ np.array([[c, s], [-s, c]]) + at)


def south_turn(parcel: Geometry) -> float:
    """Direction of the long walls in a parcel: its own, brought within 25° of east-west so that rooms face south."""
    axis, _, _ = direction(parcel)
    angle = float(np.arctan2(axis[1], axis[0]))
    angle = (angle + np.pi / 4) % (np.pi / 2) - np.pi / 4
    return float(np.clip(angle, -0.44, 0.44))


def rows_in(
    site: Geometry, turn: float, size: tuple[float, float], gap: tuple[float, float], make: Callable[[Array], Geometry]
) -> list[Geometry]:
    """Bodies in rows that fill the site: each row as many as its own width takes.

    Args:
        size: length along the row and depth of a body in metres.
        gap: clear distance between bodies of a row and between rows in metres.
    """
    if site.is_empty:
        return []
    (length, depth), (side, between) = size, gap
    centre = np.array(site.centroid.coords[0])
    level = affinity.rotate(site, -np.degrees(turn), origin=tuple(centre))
    x0, y0, x1, y1 = level.bounds
    c, s = np.cos(turn), np.sin(turn)
    shapely.prepare(site)
    found = []
    rows = max(1, int((y1 - y0 + between) // (depth + between)))
    pitch = (y1 - y0) / rows
    for i in range(rows):
        y = y0 + (i + 0.5) * pitch
        low, high = x0, x1
        for edge in (y - depth / 2 + 0.3, y + depth / 2 - 0.3):
            chord = level.intersection(shapely.linestrings([(x0 - 1, edge), (x1 + 1, edge)]))
            widest = max(shapely.get_parts(chord), key=lambda g: g.length, default=None)
            if widest is None:
                low = high
                break
            low, high = max(low, widest.bounds[0]), min(high, widest.bounds[2])
        number = int((high - low + side) // (length + side))
        if number < 1:
            continue
        space = (high - low - number * length) / number
        for j in range(number):
            d = np.array([low + space / 2 + length / 2 + j * (length + space), y]) - centre
            shape = make(centre + np.array([c * d[0] - s * d[1], s * d[0] + c * d[1]]))
            if site.contains(shape):
                found.append(shape)
    return found


def buildings(town: Town) -> Table:
    """Buildings with storeys, height, use and year; none on parcels still to be built."""
    rng = np.random.default_rng([town.seed, 40])
    estates, firms = estate_names(rng), firm_names(rng)
    out = Rows(
        ("code", "text", "建筑编号"), ("name", "text", "名称"), ("use", "text", "用途"), ("storeys", "integer", "层数"),
        ("height_m", "real", "高度（m）"), ("structure", "text", "结构"), ("year", "integer", "建成年份"),
        ("footprint_m2", "real", "基底面积（m²）"),
        ("floor_area_m2", "real", "建筑面积（m²）"), ("parcel_no", "text", "所在地块"),
    )  # fmt: skip
    villages = shapely.union_all([v.area.buffer(8) for v in town.country.villages])
    expansion = town.country.expansion
    number = 0

    def add(
        shape: Geometry, name: str, use: str, storeys: int, storey: float, structure: str, year: int, parcel: str
    ) -> None:
        nonlocal number
        number += 1
        floor = round(shape.area * storeys * float(rng.uniform(0.97, 1.0)), 1)
        out.add(
            shape, f"JZ{number:05d}", name, use, storeys, round(storeys * storey + 1.2, 1), structure, year,
            round(shape.area, 2), floor, parcel,
        )  # fmt: skip

    for parcel in town.parcels:
        centre = shapely.points(parcel.centre)
        if parcel.kind != "block" or expansion.contains(centre) or villages.intersects(parcel.geometry):
            continue
        if rng.random() < {"D": 0.14, "G": 0.2, "F": 0.1}.get(parcel.unit, 0.05):
            continue
        year = int(np.clip(rng.normal(2014, 5), 1998, 2024))
        for shape, use, storeys, storey, name in _on_parcel(rng, parcel, estates, firms):
            structure = (
                "钢结构"
                if use in ("厂房", "仓库", "体育馆")
                else "框剪"
                if storeys > 8
                else "框架"
                if use != "住宅"
                else "砖混"
            )
            add(shape, name, use, storeys, storey, structure, year, parcel.number)
    for village in town.country.villages:
        for shape in _houses(rng, village.area):
            if rng.random() < 0.07:
                continue
            storeys = int(rng.choice([1, 2, 3, 4], p=[0.16, 0.34, 0.36, 0.14]))
            add(shape, village.name, "村民住宅", storeys, 3.2, "砖混", int(rng.integers(1982, 2021)), "")
    return out.table("buildings", "建筑", "polygon", plan=BASE, source="DLG_500.gdb", look="buildings")


_Found = list[tuple[Geometry, str, int, float, str]]


def _on_parcel(rng: np.random.Generator, parcel: Parcel, estates: Iterator[str], firms: Iterator[str]) -> _Found:
    """(outline, use, storeys, storey height, name) of the buildings of one parcel."""
    site, turn, code = parcel.geometry.buffer(-6.5, quad_segs=2), south_turn(parcel.geometry), parcel.code
    if site.is_empty:
        return []
    if code in ("R1", "R2"):
        return _estate(rng, site, turn, parcel, next(estates))
    if code in ("M1", "M2", "W1"):
        return _works(rng, site, parcel, next(firms))
    if code in ("B1", "B2", "B3", "A1", "A5", "A35"):
        return _centre(rng, site, turn, code)
    if code in ("A31", "A33", "R22", "A2", "A4", "A6"):
        return _campus(rng, site, turn, code)
    if code[0] in "US" or code == "B41":
        length = float(np.clip(np.sqrt(site.area) * 0.55, 10, 46))
        shapes = rows_in(
            site, turn, (length, length * 0.5), (12.0, 14.0), lambda at: body(_SLAB, at, length, length * 0.5, turn)
        )
        return [(g, "市政设施" if code[0] == "U" else "交通设施", int(rng.integers(1, 3)), 4.0, "") for g in shapes[:4]]
    return []


def _estate(rng: np.random.Generator, site: Geometry, turn: float, parcel: Parcel, name: str) -> _Found:
    """Housing: villas, walk-up slabs, mid-rise slabs or point towers, by unit and chance; rows spaced for the sun."""
    chance = rng.random()
    high = parcel.unit in "AD"
    if parcel.code == "R1":
        form, length, depth, storeys, gap = _STEPPED, 17.0, 12.0, 3, (8.0, 13.0)
    elif chance < (0.4 if high else 0.14):
        form, length, depth, storeys, gap = _POINT, 25.0, 21.0, int(rng.integers(22, 34)), (16.0, 38.0)
    elif chance < (0.75 if high else 0.44):
        form, length, depth, storeys, gap = _NOTCHED, 34.0, 14.5, int(rng.integers(11, 19)), (11.0, 30.0)
    else:
        form, length, depth, storeys, gap = _NOTCHED, 34.0, 12.0, 6, (7.0, 16.0)
    shapes = rows_in(site, turn, (length, depth), gap, lambda at: body(form, at, length, depth, turn))
    found: _Found = []
    for n, shape in enumerate(shapes, start=1):
        own = storeys if storeys < 8 else int(np.clip(storeys + rng.integers(-2, 3), 8, 33))
        found.append((shape, "住宅", own, 2.95, f"{name}{n}号楼"))
    if not found:
        shape = body(_SLAB, np.array(site.representative_point().coords[0]), 26.0, 12.0, turn)
        if site.contains(shape):
            found.append((shape, "住宅", 6, 2.95, name))
    return found


def _works(rng: np.random.Generator, site: Geometry, parcel: Parcel, name: str) -> _Found:
    axis, _, breadth = direction(site)
    turn = float(np.arctan2(axis[1], axis[0]))
    depth = float(np.clip(breadth * rng.uniform(0.26, 0.42), 16, 54))
    length = depth * float(rng.uniform(1.4, 2.2))
    use = "仓库" if parcel.code == "W1" else "厂房"
    form = _SLAB if rng.random() < 0.75 else _ANGLE
    shapes = rows_in(site, turn, (length, depth), (14.0, 14.0), lambda at: body(form, at, length, depth, turn))
    found: _Found = [
        (g, use, int(rng.choice([1, 1, 2, 3, 4])), 6.0, f"{name}{n}号{use}") for n, g in enumerate(shapes, start=1)
    ]
    if not found:
        shape = body(_SLAB, np.array(site.representative_point().coords[0]), 34.0, 18.0, turn)
        if site.contains(shape):
            found.append((shape, use, 2, 6.0, name))
    return found


def _centre(rng: np.random.Generator, site: Geometry, turn: float, code: str) -> _Found:
    """A podium with towers, or courts and slabs for offices and hospitals."""
    found: _Found = []
    use = {"B1": "商业", "B2": "办公", "B3": "文娱", "A1": "行政办公", "A5": "医疗", "A35": "科研"}[code]
    size = float(np.sqrt(site.area))
    if code in ("B1", "B2") and rng.random() < 0.62:
        podium = site.buffer(-float(rng.uniform(2, 9)), join_style="mitre").simplify(1.2)
        if podium.geom_type == "Polygon" and podium.area > 500 and code == "B1":
            found.append((podium, use, int(rng.integers(3, 6)), 4.8, ""))
            return found
        width = float(rng.uniform(30, 44))
        form = _SLAB if rng.random() < 0.4 else _POINT if rng.random() < 0.5 else _STEPPED
        shapes = rows_in(
            site, turn, (width, width * 0.86), (20.0, 22.0), lambda at: body(form, at, width, width * 0.86, turn)
        )
        return [
            (g, use, int(rng.integers(14, 42)) if code == "B2" else int(rng.integers(8, 24)), 4.1, "") for g in shapes
        ]
    length = float(np.clip(size * 0.46, 24, 72))
    form = (_ANGLE, _COURT, _SLAB, _STEPPED)[int(rng.integers(0, 4))]
    depth = length * (0.72 if form in (_ANGLE, _COURT) else 0.36)
    shapes = rows_in(site, turn, (length, depth), (14.0, 15.0), lambda at: body(form, at, length, depth, turn))
    low, high = {"A5": (6, 18), "A1": (5, 12), "A35": (5, 14), "B2": (6, 18)}.get(code, (3, 7))
    return [(g, use, int(rng.integers(low, high)), 4.0, "") for g in shapes]


def _campus(rng: np.random.Generator, site: Geometry, turn: float, code: str) -> _Found:
    """Teaching wings, courts and a hall; the rest of the site stays open."""
    use = {"A31": "高校", "A33": "教学", "R22": "幼儿园", "A2": "文化", "A4": "体育馆", "A6": "养老"}[code]
    size = float(np.sqrt(site.area))
    length = float(
        np.clip(size * {"A31": 0.36, "A33": 0.4, "R22": 0.46, "A2": 0.56, "A4": 0.5, "A6": 0.46}[code], 18, 95)
    )
    form = {"A33": _COURT, "A31": (_ANGLE, _COURT, _SLAB)[int(rng.integers(0, 3))], "A2": _STEPPED, "A4": _POINT}.get(
        code, _ANGLE
    )
    depth = length * {"A31": 0.6, "A33": 0.62, "A2": 0.7, "A4": 0.8}.get(code, 0.66)
    gap = 34.0 if code in ("A31", "A33") else 16.0
    shapes = rows_in(site, turn, (length, depth), (gap * 0.6, gap), lambda at: body(form, at, length, depth, turn))
    if code == "A33" and len(shapes) > 3:
        shapes = shapes[: max(3, len(shapes) * 2 // 3)]  # the playing field takes the rest
    storeys = {"A31": (4, 7), "A33": (4, 6), "R22": (2, 4), "A2": (2, 5), "A4": (1, 3), "A6": (4, 7)}[code]
    return [(g, use, int(rng.integers(*storeys)), 3.8, "") for g in shapes]


def _houses(rng: np.random.Generator, area: Geometry) -> list[Geometry]:
    """Village houses: rows that bend with the outline, none quite like its neighbour."""
    site, turn = area.buffer(-3), float(rng.uniform(-0.5, 0.5))

    def house(at: Array) -> Geometry:
        length, depth = rng.uniform(9.5, 15), rng.uniform(8, 11.5)
        form = _ANGLE if rng.random() < 0.25 else _SLAB
        return body(form, at + rng.normal(0, 0.9, 2), float(length), float(depth), turn + float(rng.normal(0, 0.05)))

    rows = rows_in(site, turn, (12.5, 10.0), (3.2, 4.6), house)
    kept: list[Geometry] = []
    for shape in rows:
        if not any(shape.intersects(other) for other in kept[-24:]):
            kept.append(shape)
    return kept
