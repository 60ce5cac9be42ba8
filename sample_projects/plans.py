"""The three area-wide plans: master plan, land-use plan, detailed zoning; and where they disagree."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import shapely

from planner_app.domain.layer import ClassStandard, PlanInfo, PlanKind
from sample_projects.blocks import Parcel, divide
from sample_projects.classes import DLTB, GB50137, MNR2023, RURAL_TO_MNR, master_code, survey_code
from sample_projects.countryside import EXPANSIONS, bricks
from sample_projects.coverage import dissolve, tile, unite
from sample_projects.curves import Drift, Geometry, outline, parts
from sample_projects.indicators import conditions
from sample_projects.names import RESERVOIR, RIVER, SEA, UNITS
from sample_projects.tables import Rows, Table, Town

MASTER = PlanInfo(
    "master_2035",
    PlanKind.MASTER,
    "总体规划 2035",
    "省人民政府",
    "2023 批复版",
    "2023-06-30",
    "2035-12-31",
    "滨海新城国土空间总体规划（2021—2035年）",
)
LAND_USE = PlanInfo(
    "land_use_2020",
    PlanKind.LAND_USE,
    "土地利用规划 2020",
    "省自然资源厅",
    "2017 调整完善版（过渡期沿用）",
    "2017-09-15",
    "",
    "滨海新城土地利用总体规划（2006—2020年）",
)
ZONING = PlanInfo(
    "zoning_2024",
    PlanKind.DETAILED,
    "控制性详细规划",
    "市人民政府",
    "2024 修编",
    "2024-03-12",
    "",
    "滨海新城控制性详细规划（2024年修编）",
)
ZONING_OLD = PlanInfo(
    "zoning_2016", PlanKind.DETAILED, "控规 2016（南塘单元）", "市人民政府", "2016 版", "2016-05-20", "2024-03-11",
    "南塘产业单元控制性详细规划（2016年）"
)  # fmt: skip

_SEA = "1110"  # the land survey stops at the coast

#: What the detailed zoning made of a class since the master plan.
_CHANGED = {
    "R2": ("B1", "A6", "G1", "B2"), "B1": ("R2", "B2"), "B2": ("R2", "B1"), "M1": ("W1", "M2"), "M2": ("M1",),
    "G1": ("R2", "B1", "S42"),
    "A35": ("B2", "R2"), "A31": ("A35", "R2"), "W1": ("M1",),
}  # fmt: skip
#: What the old land-use plan still has: works since moved out, waste land.
_FORMER = {
    "R2": ("0601", "1201", "0702"),
    "B1": ("0601", "0701", "0508"),
    "B2": ("0601", "0701"),
    "G1": ("1201", "0601", "0404"),
    "M1": ("0508", "1201"),
}


def master_plan(town: Town) -> Table:
    """Land-use of the master plan in codes of 用地用海 2023, a coverage of the whole area."""
    rng = np.random.default_rng([town.seed, 10])
    pieces = base_pieces(town)
    coarse = Rows(
        ("code", "text", "图斑编号"), ("class_code", "text", "用地用海代码"), ("class_name", "text", "用地用海名称"),
        ("name", "text", "名称"), ("area_ha", "real", "面积（公顷）"),
    )  # fmt: skip
    generalised: dict[int, str] = {}
    blocks: dict[int, list[int]] = defaultdict(list)
    for k, (_, parcel, _, _) in enumerate(pieces):
        if parcel is not None and parcel.kind == "block":
            blocks[parcel.block].append(k)
    for members in blocks.values():
        area: Counter[str] = Counter()
        for k in members:
            area[pieces[k][2]] += pieces[k][0].area
        main = area.most_common(1)[0][0]
        for k in members:
            small = pieces[k][0].area < 4200 and pieces[k][2] not in ("1401", "1402", "1403")
            generalised[k] = main if small else pieces[k][2]
    keys: list[tuple[Any, ...]] = []
    centres = np.array([(p.x, p.y) for p in shapely.point_on_surface(np.array([g for g, *_ in pieces], dtype=object))])
    groups = rng.uniform((-100, -300), (7000, 5600), (420, 2))
    nearest = ((centres[:, None, :] - groups[None]) ** 2).sum(-1).argmin(1)
    majority: dict[int, Counter[str]] = defaultdict(Counter)
    for k, (g, parcel, code, name) in enumerate(pieces):
        if parcel is None and not name:
            majority[int(nearest[k])][code] += g.area
    for k, (_, parcel, code, name) in enumerate(pieces):
        if parcel is not None:
            keys.append(
                ("town", generalised.get(k, code), parcel.name, parcel.block if parcel.kind == "block" else parcel.kind)
            )
        elif name:
            keys.append(("named", code, name, ""))
        else:
            group = int(nearest[k])
            keep = code in ("1704", "0301", "0602") or rng.random() < 0.7
            keys.append(("land", code if keep else majority[group].most_common(1)[0][0], "", group))
    merged = dissolve([g for g, *_ in pieces], keys)
    for number, ((_, code, name, _), shape) in enumerate(merged, start=1):
        shown = name if name not in ("防护", "滨水") else ""
        coarse.add(shape, f"GT{number:05d}", code, MNR2023[code], shown, round(shape.area / 1e4, 4))
    return coarse.table(
        "master_land_use", "规划用地", "polygon", plan=MASTER, class_field="class_code",
        class_standard=ClassStandard.MNR2023, source="总规用地.gdb", opacity=0.62,
    )  # fmt: skip


def base_pieces(town: Town) -> list[tuple[Geometry, Parcel | None, str, str]]:
    """(shape, parcel of the town or None, 用地用海 code, name) for the whole area as one clean coverage."""
    rows: list[tuple[Geometry, Parcel | None, str, str]] = []
    for parcel in town.parcels:
        rows.append((parcel.geometry, parcel, master_code(parcel.code, parcel.name), parcel.name))
    for road in town.network.roads:
        code = {"高速公路": "1202", "乡道": "0601"}.get(road.grade, "1202")
        for area in parts(road.area.difference(town.network.town), 20):
            rows.append((area, None, code, road.name))
    rows += [(g, None, RURAL_TO_MNR[code], name) for g, code, name in _waters(town)]
    for village in town.country.villages:
        if not village.in_town:
            grown = village.area.buffer(18 if len(village.name) % 2 else -6).intersection(town.terrain.border)
            rows.append((grown, None, "0703", village.name))
    rows += [(c.geometry, None, "0301", "") for c in town.country.forest]
    rows += [(c.geometry, None, RURAL_TO_MNR[c.code], "") for c in town.country.fields]
    rows.append((town.terrain.border, None, "0103", ""))
    tiles = tile([row[0] for row in rows])
    return [
        (part, parcel, code, name)
        for (_, parcel, code, name), shape in zip(rows, tiles, strict=True)
        for part in parts(shape, 1)
    ]


def _waters(town: Town) -> list[tuple[Geometry, str, str]]:
    """Water outside the town with its DLTB class and name."""
    t = town.terrain
    found = [
        (t.river, "1101", RIVER),
        (t.reservoir, "1103", RESERVOIR),
        (t.flats, "1105", f"{SEA}滩涂"),
        (t.sea, "1110", SEA),
    ]
    found += [(c.axis.buffer(c.width / 2, cap_style="flat"), "1107", c.name) for c in t.creeks]
    return [(g.intersection(t.border), code, name) for g, code, name in found]


def land_use_plan(town: Town) -> Table:
    """The land-use plan of 2020 in DLTB codes: same ground, digitised anew, without the latest expansions."""
    rng = np.random.default_rng([town.seed, 11])
    expansion = town.country.expansion
    shapely.prepare(expansion)
    rows: list[tuple[Geometry, str, str]] = []
    for road in town.network.roads:
        known = road.area if road.grade in ("主干路", "高速公路", "乡道") else road.area.difference(expansion)
        code = {"高速公路": "1003", "乡道": "1006"}.get(road.grade, "1004")
        rows += [(g, code, "") for g in parts(known, 20)]
    rows += [(g, code, "") for g, code, _ in _waters(town) if code != _SEA]
    rows.append((town.terrain.lake, "1102", ""))
    for village in town.country.villages:
        rows += [(g, "0702", village.name) for g in bricks(rng, village.area, rng.uniform(0, 1.5), 62, 84, 9)]
    rows += [(c.geometry, c.code, c.name) for c in town.country.forest]
    blocks: dict[int, list[tuple[Geometry, str]]] = defaultdict(list)
    for parcel in town.parcels:
        if parcel.kind == "road" or expansion.contains(shapely.points(parcel.centre)):
            continue
        code = survey_code(parcel.code, parcel.name)
        if parcel.kind == "block" and rng.random() < 0.055 and parcel.code in _FORMER:
            code = str(rng.choice(_FORMER[parcel.code]))
        blocks[parcel.block].append((parcel.geometry, code))
    for number, members in blocks.items():
        if number >= 0 and rng.random() < 0.6:
            merged = dissolve([g for g, _ in members], [c for _, c in members])
            rows += [(g, c, "") for c, g in merged]
        else:
            rows += [(g, c, "") for g, c in members]
    rows += [(c.geometry, c.code, c.name) for c in town.country.fields]
    rows.append((town.terrain.border.difference(town.terrain.sea), "0404", ""))
    drift = Drift(rng, 2.0, 1300, patchy=True)
    hosts = shapely.STRtree(np.array([v.area for v in town.country.villages], dtype=object))
    out = Rows(
        ("tbbh", "text", "图斑编号"), ("dlbm", "text", "地类编码"), ("dlmc", "text", "地类名称"),
        ("qsdwmc", "text", "权属单位名称"),
        ("tbmj", "real", "图斑面积（m²）"), ("valid_to", "date", "有效期至"), ("note", "text", "备注"),
    )  # fmt: skip
    shapes, about = [], []
    for (_, code, owner), shape in zip(rows, tile([r[0] for r in rows], 60), strict=True):
        for part in parts(shape, 1):
            shapes.append(part)
            about.append((code, owner))
    converted = outline(EXPANSIONS[2]).intersection(expansion)  # the southern works have their approval since
    shapely.prepare(converted)
    nearest = hosts.nearest(np.array(shapes, dtype=object))
    for number, (shape, (code, owner), host) in enumerate(
        zip(drift(np.array(shapes, dtype=object)), about, nearest, strict=True), 1
    ):
        rural = code[:2] in ("01", "02", "03", "04", "12") or code in ("0702", "1104", "1006")
        owner = (owner or town.country.villages[int(host)].name) + "集体" if rural else "国有"
        until, note = None, ""
        if code[:2] in ("01", "02") and converted.contains(shape.representative_point()):
            until, note = "2023-08-31", "已批农用地转用〔2023〕118号"
        elif code in ("0601", "1201") and shape.area < 15000 and rng.random() < 0.35:
            until, note = "2022-12-31", "已收储，另行供地"
        out.add(shape, f"{number:05d}", code, DLTB[code], owner, round(shape.area, 2), until, note)
    return out.table(
        "land_use_2020", "地类图斑", "polygon", plan=LAND_USE, class_field="dlbm", class_standard=ClassStandard.DLTB,
        source="DLTB_2020.shp", visible=False, opacity=0.7,
    )  # fmt: skip


_ZONING_FIELDS = (
    ("parcel_no", "text", "地块编号"), ("class_code", "text", "用地代码"), ("class_name", "text", "用地性质"),
    ("area_m2", "real", "用地面积（m²）"),
    ("far_max", "real", "容积率上限"), ("far_min", "real", "容积率下限"),
    ("density_max_pct", "real", "建筑密度上限（%）"),
    ("green_min_pct", "real", "绿地率下限（%）"), ("height_max_m", "real", "建筑限高（m）"),
    ("setback_m", "real", "建筑退界（m）"),
    ("parking", "text", "停车配建"), ("unit", "text", "管理单元"), ("approved", "date", "批准日期"),
    ("note", "text", "备注"),
)  # fmt: skip


def zoning(town: Town) -> Table:
    """The detailed zoning in force: every parcel with its conditions, in GB 50137 classes."""
    rng = np.random.default_rng([town.seed, 12])
    drift = Drift(rng, 0.8, 1700, patchy=True)
    out = Rows(*_ZONING_FIELDS)  # type: ignore[arg-type]
    members = [p for p in town.parcels if p.kind in ("block", "green")]
    shapes = drift(np.array([p.geometry for p in members], dtype=object))
    for parcel, shape in zip(members, shapes, strict=True):
        zoned = Parcel(
            shape, parcel.unit, parcel.district, parcel.block, parcel.kind, parcel.name, parcel.code, parcel.number
        )
        note = ""
        if parcel.kind == "block" and parcel.code in _CHANGED and rng.random() < 0.05:
            zoned.code = str(rng.choice(_CHANGED[parcel.code]))
            note = f"由{GB50137[parcel.code][0]}调整"
        limits = conditions(rng, zoned)
        out.add(
            shape, zoned.number, zoned.code, GB50137[zoned.code][0], round(shape.area, 2), limits.far_max,
            limits.far_min,
            limits.density_max, limits.green_min, limits.height_max, limits.setback, limits.parking,
            f"{zoned.unit} {UNITS[zoned.unit]}", ZONING.valid_from, note,
        )  # fmt: skip
    return out.table(
        "zoning_parcels", "地块指标", "polygon", plan=ZONING, class_field="class_code",
        class_standard=ClassStandard.GB50137, label_field="class_code", source="控规地块.gdb", visible=False,
        opacity=0.75,
    )  # fmt: skip


def zoning_2016(town: Town) -> Table:
    """The superseded zoning of the industrial unit: other parcels, heavier industry, some housing."""
    rng = np.random.default_rng([town.seed, 13])
    out = Rows(*_ZONING_FIELDS)  # type: ignore[arg-type]
    blocks: dict[int, list[Parcel]] = defaultdict(list)
    for parcel in town.parcels:
        if parcel.unit == "F" and parcel.kind == "block":
            blocks[parcel.block].append(parcel)
    drift = Drift(rng, 1.6, 900)
    number = 0
    for members in blocks.values():
        whole = unite(np.array([m.geometry for m in members], dtype=object))
        main = Counter(m.code for m in members).most_common(1)[0][0]
        for part in parts(whole, 50):
            for shape in parts(np.array(tile(divide(rng, part, 30000.0)), dtype=object), 50):
                number += 1
                code = str(rng.choice(["M2", "M2", "M1", "R2", "W1", "G1", main]))
                made = Parcel(drift(shape), "F", 0, 0, "block", "", code, f"NT-{number:03d}")
                limits = conditions(rng, made)
                out.add(
                    made.geometry, made.number, code, GB50137[code][0], round(made.geometry.area, 2), limits.far_max,
                    limits.far_min, limits.density_max, limits.green_min, limits.height_max, limits.setback,
                    limits.parking, f"F {UNITS['F']}", ZONING_OLD.valid_from, "",
                )  # fmt: skip
    return out.table(
        "zoning_2016", "地块指标（2016 版）", "polygon", plan=ZONING_OLD, class_field="class_code",
        class_standard=ClassStandard.GB50137, label_field="class_code", source="南塘控规2016.dwg", visible=False,
        opacity=0.75,
    )  # fmt: skip


def zoning_units(town: Town) -> Table:
    """Management units of the detailed zoning."""
    out = Rows(
        ("code", "text", "单元编号"),
        ("name", "text", "单元名称"),
        ("area_ha", "real", "面积（公顷）"),
        ("parcels", "integer", "地块数"),
    )
    for unit, name in UNITS.items():
        members = [p for p in town.parcels if p.unit == unit]
        shape = shapely.union_all([m.geometry for m in members])
        count = sum(p.kind == "block" for p in members)
        out.add(shape, f"BH-{unit}", name, round(shape.area / 1e4, 4), count)
    return out.table(
        "zoning_units",
        "管理单元",
        "polygon",
        plan=ZONING,
        label_field="name",
        visible=False,
        look="units",
        source="控规地块.gdb",
    )
