"""Site plans of three projects as DXF by the bureau's layer convention: a clean one, a faulty one, and one as built.

Beside them stands ``truth.json``: the indicators measured from the geometry and every fault planted on purpose.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely import affinity

from sample_projects.curves import Geometry, parts
from sample_projects.names import estate_names
from sample_projects.site_design import Design, House, _grid, choose_parcels, design, moved
from sample_projects.tables import CRS, Table, Town

METRES, MILLIMETRES = 6, 4


def write_drawings(town: Town, zoning: Table, folder: Path) -> dict[str, Any]:
    """Write the drawings and the truth about them.

    Returns:
        What ``truth.json`` says: per file the parcel, limits, indicators and planted faults.
    """
    rng = np.random.default_rng([town.seed, 60])
    names = estate_names(rng)
    first, second, third = choose_parcels(town, zoning, 3)
    folder.mkdir(parents=True, exist_ok=True)
    truth: dict[str, Any] = {"crs": CRS, "files": {}}

    clean = design(town, zoning, first, f"{next(names)}一期")
    _write(clean, folder / "01_clean.dxf", declared=clean.indicators())
    truth["files"]["01_clean.dxf"] = _about(clean, clean.indicators(), clean.indicators(), [])

    bad = design(town, zoning, second, f"{next(names)}二期", surplus=0.05)
    declared, faults, extra = _spoil(bad)
    _write(bad, folder / "02_faulty.dxf", declared=declared, units=MILLIMETRES, **extra)
    truth["files"]["02_faulty.dxf"] = _about(bad, bad.indicators(), declared, faults)

    approved = design(town, zoning, third, f"{next(names)}三期")
    _write(approved, folder / "03_approved.dxf", declared=approved.indicators(), site_layer="A-REDL")
    truth["files"]["03_approved.dxf"] = _about(approved, approved.indicators(), approved.indicators(), [])
    built, changes = _as_built(approved, rng)
    _write_survey(built, folder / "03_asbuilt.dxf")
    truth["files"]["03_asbuilt.dxf"] = _about(built, built.indicators(), {}, changes) | {"approved": "03_approved.dxf"}

    (folder / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return truth


def _about(
    made: Design, measured: dict[str, Any], declared: dict[str, Any], faults: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "project": made.project, "parcel": made.parcel, "limits": made.limits, "indicators": measured,
        "declared": declared,
        "faults": faults,
    }  # fmt: skip


def _spoil(made: Design) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """Plant faults in a design (in place). Returns what the drawing declares, the faults, how to draw some of them."""
    honest = made.indicators()
    faults: list[dict[str, Any]] = []
    victim = _push_out(made)
    outside = victim.outline.difference(made.build_to)
    measured = made.indicators()
    faults.append(
        {
            "kind": "setback",
            "building": victim.name,
            "limit_m": made.limits["setback_m"],
            "measured_m": measured["setback_m"],
            "encroachment_m2": float(outside.area),
        }
    )
    clear = victim.outline.buffer(1.5, join_style="mitre")
    beds = [_grid(part) for g in [*made.green["集中"], *made.green["宅旁"]] for part in parts(g.difference(clear), 60)]
    wanted = made.limits["green_min_pct"] / 100 * float(made.site.area) * 0.55
    kept: list[Geometry] = []
    for bed in sorted(beds, key=lambda g: g.area):
        if not len(bed.interiors) and sum(g.area for g in kept) + bed.area < wanted:
            kept.append(bed)
    made.green = {"集中": kept[-1:], "宅旁": kept[:-1], "道路": []}
    measured = made.indicators()
    twice = max(made.green["宅旁"], key=lambda g: g.area)
    faults.append(
        {
            "kind": "green_short",
            "limit": made.limits["green_min_pct"] / 100,
            "measured": measured["green_ratio"],
            "declared": 0.355,
        }
    )
    faults.append({"kind": "green_counted_twice", "area_m2": float(twice.area)})
    tall = made.houses[0]
    said = tall.height
    tall.height = round(made.limits["height_max_m"] + 1.6, 2)
    faults.append(
        {
            "kind": "height_over",
            "building": tall.name,
            "limit_m": made.limits["height_max_m"],
            "measured_m": tall.height,
            "text_m": said,
        }
    )
    faults.append(
        {
            "kind": "far_over",
            "limit": made.limits["far_max"],
            "measured": measured["far"],
            "declared": round(made.limits["far_max"] - 0.02, 2),
        }
    )
    faults.append({"kind": "open_ring", "building": made.houses[-1].name, "gap_m": 0.03})
    faults.append({"kind": "duplicate_footprint", "building": made.houses[0].name})
    faults.append({"kind": "parking_layer_empty"})
    faults.append({"kind": "units_header_wrong", "insunits": MILLIMETRES})
    made.stalls, made.underground = [], []
    declared = honest | {"far": round(made.limits["far_max"] - 0.02, 2), "green_ratio": 0.355, "height_m": said}
    declared["far_area_m2"] = declared["far"] * declared["site_area_m2"]
    declared["green_m2"] = declared["green_ratio"] * declared["site_area_m2"]
    return (
        declared,
        faults,
        {
            "gap_in": made.houses[-1].name,
            "twice": [made.houses[0].outline],
            "green_twice": [twice],
            "height_text": {tall.name: said},
        },
    )


def _push_out(made: Design) -> House:
    """Push the building nearest to the build-to line over it by 0.6 m; it keeps clear of its neighbours."""

    def gap(house: House) -> float:
        return float(made.build_to.exterior.distance(house.outline))

    k = min(range(len(made.houses)), key=lambda n: gap(made.houses[n]))
    house = made.houses[k]
    near, edge = shapely.get_coordinates(shapely.shortest_line(house.outline, made.build_to.exterior))
    way = (edge - near) / max(float(np.hypot(*(edge - near))), 1e-9)
    shift = (gap(house) + 0.6) * way
    made.houses[k] = moved(house, float(shift[0]), float(shift[1]))
    return made.houses[k]


def _as_built(approved: Design, rng: np.random.Generator) -> tuple[Design, list[dict[str, Any]]]:
    """What was surveyed: the usual centimetres off, one block moved, one made larger, one taller, less green."""
    changes: list[dict[str, Any]] = []
    houses = []
    last = len(approved.houses) - 1
    for n, house in enumerate(approved.houses):
        dx, dy = rng.normal(0, 0.015, 2)
        made = moved(house, float(dx), float(dy))
        if n == 0:
            made = moved(made, 0.32, 0.18)
            changes.append({"kind": "moved", "building": house.name, "distance_m": float(np.hypot(0.32, 0.18))})
        if n == min(1, last):
            grown = _grid(made.outline.buffer(0.22, join_style="mitre"))
            changes.append(
                {
                    "kind": "enlarged",
                    "building": house.name,
                    "footprint_more_m2": float(grown.area - house.outline.area),
                }
            )
            made.outline = grown
        if n == min(2, last):
            made.height = round(made.height + 0.45, 2)
            changes.append({"kind": "taller", "building": house.name, "more_m": 0.45})
        houses.append(made)
    kept = {
        kind: [g for k, g in enumerate(shapes) if kind != "宅旁" or k % 5] for kind, shapes in approved.green.items()
    }
    lost = sum(g.area for s in approved.green.values() for g in s) - sum(g.area for s in kept.values() for g in s)
    changes.append({"kind": "green_less", "area_m2": float(lost)})
    built = Design(
        approved.project, approved.parcel, approved.limits, approved.site, approved.build_to, houses,
        approved.basement, kept,
        approved.stalls, approved.underground, approved.roads, approved.red_lines,
    )  # fmt: skip
    return built, changes


class _Sheet:
    """A DXF document with the layers it needs."""

    def __init__(self, units: int) -> None:
        from ezdxf.filemanagement import new

        self.doc: Any = new("R2010", setup=True)
        self.doc.header["$INSUNITS"] = units
        self.doc.header["$MEASUREMENT"] = 1
        self.doc.styles.add("HZ", font="simhei.ttf")
        self.space: Any = self.doc.modelspace()

    def layer(self, name: str, colour: int, linetype: str = "CONTINUOUS") -> str:
        """The layer, made at first use."""
        if name not in self.doc.layers:
            self.doc.layers.add(name, color=colour, linetype=linetype)
        return name

    def ring(self, shape: Geometry, layer: str, *, gap: float = 0.0) -> None:
        """The outer ring of an area; with ``gap`` the last point stops that many metres short and it is left open."""
        xy = shapely.get_coordinates(shape.exterior)[:-1]
        if gap:
            back = xy[0] - xy[-1]
            xy = np.concatenate([xy, [xy[0] - back / np.hypot(*back) * gap]])
        self.space.add_lwpolyline([tuple(p) for p in xy.tolist()], close=not gap, dxfattribs={"layer": layer})

    def path(self, shape: Geometry, layer: str) -> None:
        """An open line."""
        self.space.add_lwpolyline(
            [tuple(p) for p in shapely.get_coordinates(shape).tolist()], dxfattribs={"layer": layer}
        )

    def text(self, words: str, at: tuple[float, float], layer: str, height: float = 2.5) -> None:
        """A line of text."""
        entity = self.space.add_text(words, height=height, dxfattribs={"layer": layer, "style": "HZ"})
        entity.set_placement(at)

    def dimension(self, a: tuple[float, float], b: tuple[float, float], layer: str, angle: float) -> None:
        """A linear dimension between two points."""
        made = self.space.add_linear_dim(
            base=(a[0] + 3, a[1] + 3), p1=a, p2=b, angle=angle, dxfattribs={"layer": layer}
        )
        made.render()

    def save(self, path: Path) -> None:
        """Write the file with fixed dates and ids, so that equal seeds give equal drawings."""
        from ezdxf._options import options

        before = options.write_fixed_meta_data_for_testing
        options.write_fixed_meta_data_for_testing = True
        try:
            self.doc.saveas(path)
        finally:
            options.write_fixed_meta_data_for_testing = before


def _write(
    made: Design, path: Path, *, declared: dict[str, Any], units: int = METRES, site_layer: str = "YDHX-用地红线",
    gap_in: str = "",
    twice: list[Geometry] | None = None, green_twice: list[Geometry] | None = None,
    height_text: dict[str, float] | None = None,
) -> None:  # fmt: skip
    sheet = _Sheet(units)
    sheet.ring(made.site, sheet.layer(site_layer, 1, "DASHDOT"))
    sheet.ring(made.build_to, sheet.layer("JZKZX-建筑控制线", 5, "DASHED"))
    for line in made.red_lines:
        sheet.path(line, sheet.layer("DLHX-道路红线", 30))
    sheet.ring(made.basement, sheet.layer("DXS-外轮廓", 8, "DASHED"))
    sheet.ring(made.basement, sheet.layer("MJ-地下室-B01-全-不计容", 8))
    for house in made.houses:
        ground = sheet.layer(f"JZJD-{house.name}-建筑基底", 7)
        sheet.ring(house.outline, ground, gap=0.03 if house.name == gap_in else 0.0)
        for floor in range(1, house.storeys + 1):
            sheet.ring(house.outline, sheet.layer(f"MJ-{house.name}-F{floor:02d}-全-计容", 4))
            if floor > 1:
                for balcony in house.balconies:
                    sheet.ring(balcony, sheet.layer(f"MJ-{house.name}-F{floor:02d}-半-计容", 6))
        x, y = house.outline.centroid.coords[0]
        heights = sheet.layer(f"GD-{house.name}", 2)
        sheet.dimension((x + 26, y), (x + 26, y + house.height), heights, 90)
        said = (height_text or {}).get(house.name, house.height)
        sheet.text(f"{house.name}楼 {house.storeys}F H={said:.2f}", (x - 12, y - 1), sheet.layer("ZJ-注记", 7))
    for shape in twice or []:
        sheet.ring(shape, f"JZJD-{made.houses[0].name}-建筑基底")
    for kind, shapes in made.green.items():
        for shape in shapes:
            sheet.ring(shape, sheet.layer(f"LD-{kind}", 3))
    for shape in green_twice or []:
        sheet.ring(shape, "LD-宅旁")
    sheet.layer("TCW", 9)
    for shape in made.stalls:
        sheet.ring(shape, "TCW")
    for shape in made.underground:
        sheet.ring(shape, sheet.layer("TCW-B01", 9))
    for shape in made.roads:
        sheet.path(shape.exterior, sheet.layer("DL-内部道路", 8))
    a, b = _first_wall(made.houses[0])
    sheet.dimension(a, b, sheet.layer("BZ-标注", 2), float(np.degrees(np.arctan2(b[1] - a[1], b[0] - a[0]))))
    _table(sheet, made, declared)
    sheet.save(path)


def _first_wall(house: House) -> tuple[tuple[float, float], tuple[float, float]]:
    """The ends of the longest wall: a known length by which units are checked."""
    xy = shapely.get_coordinates(house.outline.exterior)
    run = np.hypot(*np.diff(xy, axis=0).T)
    k = int(np.argmax(run))
    return (float(xy[k, 0]), float(xy[k, 1])), (float(xy[k + 1, 0]), float(xy[k + 1, 1]))


def _table(sheet: _Sheet, made: Design, declared: dict[str, Any]) -> None:
    """The table of indicators that the designer declares, at the lower right of the site."""
    layer = sheet.layer("JJZB-经济技术指标", 7)
    rows = [
        ("项目名称", made.project), ("地块编号", made.parcel), ("用地面积（m²）", f"{declared['site_area_m2']:.2f}"),
        ("总建筑面积（m²）", f"{declared['gfa_m2']:.2f}"), ("计容建筑面积（m²）", f"{declared['far_area_m2']:.2f}"),
        ("容积率", f"{declared['far']:.2f}"), ("建筑基底面积（m²）", f"{declared['footprint_m2']:.2f}"),
        ("建筑密度（%）", f"{declared['density'] * 100:.2f}"), ("绿地率（%）", f"{declared['green_ratio'] * 100:.2f}"),
        ("建筑高度（m）", f"{declared['height_m']:.2f}"), ("总户数（户）", f"{declared['households']}"),
        ("机动车停车位（个）", f"{declared['parking']}"),
    ]  # fmt: skip
    x, y = made.site.bounds[2] + 45, made.site.bounds[3]
    for n, (title, value) in enumerate(rows):
        top = y - n * 6.0
        sheet.path(shapely.linestrings([(x, top + 4.5), (x + 110, top + 4.5)]), layer)
        sheet.text(title, (x + 2, top), layer)
        sheet.text(value, (x + 62, top), layer)


def _write_survey(built: Design, path: Path) -> None:
    """An as-built survey on CASS layers: buildings with storeys and height, roads, planting, control points."""
    sheet = _Sheet(METRES)
    for house in built.houses:
        sheet.ring(house.outline, sheet.layer("JMD", 6))
        x, y = house.outline.centroid.coords[0]
        sheet.text(f"砼{house.storeys}", (x - 6, y), "JMD", 2.0)
        sheet.text(f"{house.name} H={house.height:.2f}", (x - 6, y - 4), "JMD", 2.0)
        for balcony in house.balconies:
            sheet.ring(balcony, sheet.layer("JMD-阳台", 6))
    for road in built.roads:
        sheet.path(road.exterior, sheet.layer("DLSS", 4))
        for hole in road.interiors:
            sheet.path(hole, "DLSS")
    for shapes in built.green.values():
        for shape in shapes:
            sheet.ring(shape, sheet.layer("ZBTZ", 3))
    for shape in built.stalls:
        sheet.ring(shape, sheet.layer("DLSS-停车", 9))
    x0, y0, x1, y1 = built.site.bounds
    for n, (x, y) in enumerate(((x0 - 12, y0 - 9), (x1 + 14, y0 - 6), (x1 + 9, y1 + 13)), start=1):
        layer = sheet.layer("KZD", 1)
        sheet.space.add_point((round(x, 3), round(y, 3)), dxfattribs={"layer": layer})
        sheet.text(f"BH{n:03d}", (x + 1.5, y), layer, 2.0)
    sheet.ring(affinity.translate(built.site, 0, 0), sheet.layer("JZD-界址线", 1))
    sheet.save(path)
