"""What is there and what moves there: roads of the transport plan, water, heights, cadastre, place names."""

from __future__ import annotations

import numpy as np
import shapely

from planner_app.domain.layer import PlanInfo, PlanKind
from sample_projects.classes import GB50137
from sample_projects.coverage import tile
from sample_projects.curves import Drift, Geometry, line, parts
from sample_projects.names import HILLS as HILL_NAMES
from sample_projects.names import LAKE, RESERVOIR, RIVER, SEA, estate_names, firm_names
from sample_projects.roads import GRADES
from sample_projects.tables import Rows, Table, Town
from sample_projects.terrain import HILLS, contours
from sample_projects.tunnel_sections import ROADS

TRANSPORT = PlanInfo(
    "transport",
    PlanKind.TRANSPORT,
    "综合交通规划",
    "市交通运输局",
    "2021—2035",
    "2022-04-18",
    "2035-12-31",
    "滨海新城综合交通规划",
)
BASE = PlanInfo(
    "base_map",
    PlanKind.OTHER,
    "现状",
    "市自然资源和规划局",
    "2024 基础测绘",
    "2024-06-30",
    "",
    "1:500 地形图、地籍数据库",
)

#: Roads that the transport plan alone has, or has wider than the other plans do.
_PLANNED = (
    ("山海大道（规划）", 44.0, [(2560, 4700), (2250, 5080), (1650, 5020), (900, 4760), (300, 4420), (40, 4300)]),
)
_WIDER = {"海晏大道": 52.0, "创业大道": 50.0, "石桥路": 36.0}


def road_red_lines(town: Town) -> Table:
    """Land between the red lines, road by road; three roads are wider here than in the master plan."""
    rng = np.random.default_rng([town.seed, 30])
    drift = Drift(rng, 0.6, 1200, patchy=True)
    out = Rows(
        ("name", "text", "道路名称"), ("grade", "text", "道路等级"), ("width_m", "real", "红线宽度（m）"),
        ("state", "text", "状态"),
        ("area_m2", "real", "面积（m²）"),
    )  # fmt: skip
    areas: list[tuple[Geometry, str, str, float]] = []
    for road in town.network.roads:
        width = _WIDER.get(road.name, road.width)
        shape = road.area
        if width > road.width:
            more = shapely.union_all([g.buffer(width / 2, quad_segs=6) for g in road.lines]).intersection(
                town.terrain.border
            )
            shape = shape.union(more)
        areas.append((shape, road.name, road.grade, width))
    for name, width, points in _PLANNED:
        band = line(points).buffer(width / 2, cap_style="flat").intersection(town.terrain.border)
        areas.append((band, name, "主干路", width))
    areas.sort(key=lambda a: (-a[3], a[1]))
    for own, (_, name, grade, width) in zip(tile([a[0] for a in areas]), areas, strict=True):
        kept = parts(own, 40)
        if own is None or not kept:
            continue
        state = "规划" if "规划" in name or town.country.expansion.contains(own.representative_point()) else "现状"
        whole = drift(shapely.multipolygons(kept))
        out.add(whole, name, grade, width, state, round(whole.area, 2))
    return out.table(
        "road_red_lines", "道路红线", "polygon", plan=TRANSPORT, class_field="grade", class_standard="text",
        source="道路红线.dwg",
        visible=False, look="road_red",
    )  # fmt: skip


def road_centrelines(town: Town) -> Table:
    """Centrelines with name, grade, width, lanes and speed."""
    out = Rows(
        ("name", "text", "道路名称"), ("grade", "text", "道路等级"), ("width_m", "real", "红线宽度（m）"),
        ("lanes", "integer", "车道数"),
        ("speed_kmh", "integer", "设计速度（km/h）"), ("length_m", "real", "长度（m）"),
    )  # fmt: skip
    for road in town.network.roads:
        _, lanes, speed = GRADES[road.grade]
        centre = shapely.multilinestrings(shapely.get_parts(road.centreline).tolist())
        out.add(centre, road.name, road.grade, _WIDER.get(road.name, road.width), lanes, speed, round(centre.length, 2))
    for name, width, points in _PLANNED:
        centre = line(points).intersection(town.terrain.border)
        out.add(centre, name, "主干路", width, 6, 60, round(centre.length, 2))
    return out.table(
        "road_centrelines", "道路中心线", "line", plan=TRANSPORT, class_field="grade", class_standard="text",
        label_field="name",
        source="路网.dwg", look="road_lines",
    )  # fmt: skip


def water_bodies(town: Town) -> Table:
    """River, lake, reservoir, creeks and sea as surveyed."""
    t = town.terrain
    out = Rows(
        ("name", "text", "名称"),
        ("kind", "text", "类别"),
        ("level_m", "real", "常水位（m）"),
        ("area_ha", "real", "面积（公顷）"),
    )
    rows: list[tuple[str, str, float, Geometry]] = [
        (SEA, "海域", 0.2, t.sea), (RIVER, "河流", 1.6, t.river), (LAKE, "湖泊", 1.9, t.lake),
        (RESERVOIR, "水库", 46.5, t.reservoir),
    ]  # fmt: skip
    rows += [(c.name, "河流", 1.8, c.axis.buffer(c.width / 2, cap_style="flat")) for c in t.creeks]
    taken: Geometry = shapely.Polygon()
    for name, kind, level, shape in rows:
        own = shape.intersection(t.border).difference(taken)
        taken = taken.union(shape)
        whole = shapely.multipolygons(parts(own, 30))
        out.add(whole, name, kind, level, round(whole.area / 1e4, 4))
    return out.table(
        "water_bodies", "水系", "polygon", plan=BASE, label_field="name", source="DLG_500.gdb", look="water"
    )


def contour_lines(town: Town) -> Table:
    """Contour lines every 10 m."""
    out = Rows(("height_m", "real", "高程（m）"), ("major", "boolean", "计曲线"))
    cut = shapely.union_all([town.network.named(road).centreline for road in ROADS])
    for height, curve in contours(town.terrain, cut):
        out.add(curve, height, height % 50 == 0)
    return out.table("contours", "等高线", "line", plan=BASE, source="DLG_500.gdb", look="contours")


def cadastre(town: Town) -> Table:
    """Parcels as registered today in the built-up town, a little off the zoning, with owner and use."""
    rng = np.random.default_rng([town.seed, 31])
    drift = Drift(rng, 0.3, 500)
    estates, firms = estate_names(rng), firm_names(rng)
    out = Rows(
        ("zddm", "text", "宗地代码"), ("owner", "text", "权利人"), ("use", "text", "现状用途"),
        ("right_type", "text", "权利性质"),
        ("year", "integer", "登记年份"), ("area_m2", "real", "宗地面积（m²）"),
    )  # fmt: skip
    number = 0
    for parcel in town.parcels:
        inside = town.country.expansion.contains(shapely.points(parcel.centre))
        if parcel.kind != "block" or parcel.code[0] == "G" or inside or rng.random() < 0.24:
            continue
        number += 1
        shape = drift(parcel.geometry)
        letter = parcel.code[0]
        owner = (
            f"{next(estates)}业主"
            if letter == "R"
            else f"{next(firms)}有限公司"
            if letter in "MWB"
            else "滨海新城管理委员会"
        )
        right = "划拨" if letter in "ASU" else "出让"
        year = int(rng.integers(2004, 2024))
        out.add(shape, f"350999{number:05d}GB", owner, GB50137[parcel.code][0], right, year, round(shape.area, 2))
    for village in town.country.villages:
        number += 1
        out.add(
            village.area,
            f"350999{number:05d}JA",
            f"{village.name}村民委员会",
            "农村宅基地",
            "集体",
            2012,
            round(village.area.area, 2),
        )
    return _without_overlaps(out).table(
        "existing_parcels",
        "现状宗地",
        "polygon",
        plan=BASE,
        label_field="",
        source="地籍数据库",
        visible=False,
        look="cadastre",
    )


def _without_overlaps(rows: Rows) -> Rows:
    """Cut from earlier rows what lies under later ones (villages yield nothing); what vanishes is dropped."""
    shapes = np.array(rows.shapes, dtype=object)
    a, b = shapely.STRtree(shapes).query(shapes, predicate="overlaps")
    kept = Rows(*((f.name, f.type, f.alias) for f in rows.fields))
    for k, shape in enumerate(shapes):
        later = shapes[b[(a == k) & (b > k)]]
        rest = parts(shape.difference(shapely.union_all(later)), 60) if len(later) else [shape]
        covered = any(other.contains(shape) for other in shapes[-16:] if other is not shape)
        if rest and not covered:
            kept.add(max(rest, key=lambda g: g.area), *(rows.columns[f.name][k] for f in rows.fields))
    return kept


def place_names(town: Town) -> Table:
    """Names for the map: villages, hills, waters, quarters; ``rank`` 1 is shown first."""
    t = town.terrain
    out = Rows(("name", "text", "名称"), ("kind", "text", "类别"), ("rank", "integer", "级别"))
    for village in town.country.villages:
        out.add(village.area.representative_point(), village.name, "村庄", 3)
    for name, ((x, y), height, _) in zip(HILL_NAMES, HILLS, strict=True):
        out.add(shapely.points(x, y), f"{name} {height + 4:.0f} m", "山峰", 2)
    out.add(t.lake.representative_point(), LAKE, "水系", 1)
    out.add(t.reservoir.representative_point(), RESERVOIR, "水系", 3)
    for x, y in ((620.0, 1960.0), (3060.0, 1425.0), (5200.0, 2690.0)):
        out.add(shapely.points(x, y), RIVER, "水系", 1)
    out.add(shapely.points(6500.0, 2700.0), SEA, "水系", 1)
    quarters = (
        ("月湖中心区", 3470, 3420), ("江北新区", 2050, 3050), ("北山科教城", 3350, 4500), ("海湾商务区", 5150, 3800),
        ("江南生活区", 2050, 1330),
        ("南塘产业园", 3250, 560), ("盐塘物流园", 5050, 1080),
    )  # fmt: skip
    for name, x, y in quarters:
        out.add(shapely.points(float(x), float(y)), name, "片区", 1)
    return out.table(
        "place_names",
        "地名",
        "point",
        plan=BASE,
        class_field="kind",
        class_standard="text",
        label_field="name",
        source="地名数据库",
        look="places",
    )
