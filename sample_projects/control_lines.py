"""Lines that bind: ecological red line, permanent farmland, growth boundary, forestry, water, green and yellow lines.

Each is drawn by another authority on its own map, so each crosses the master plan somewhere, as it does in life.
"""

from __future__ import annotations

import numpy as np
import shapely

from planner_app.domain.layer import ClassStandard, PlanInfo, PlanKind
from sample_projects.classes import DLTB, GB50137
from sample_projects.coverage import dissolve, tile
from sample_projects.curves import Drift, Geometry, blob, outline, parts, rounded
from sample_projects.names import HILLS as HILL_NAMES
from sample_projects.names import RESERVOIR, RIVER
from sample_projects.tables import Rows, Table, Town
from sample_projects.terrain import HILLS

ECOLOGY = PlanInfo(
    "ecological_red_line",
    PlanKind.ECOLOGICAL_RED_LINE,
    "生态保护红线",
    "省人民政府",
    "2022 启用版",
    "2022-09-30",
    "2035-12-31",
    "“三区三线”划定成果",
)
FARMLAND = PlanInfo(
    "permanent_farmland",
    PlanKind.FARMLAND,
    "永久基本农田",
    "市自然资源和规划局",
    "2022 启用版",
    "2022-09-30",
    "2035-12-31",
    "“三区三线”划定成果",
)
BOUNDARY = PlanInfo(
    "growth_boundary",
    PlanKind.GROWTH_BOUNDARY,
    "城镇开发边界",
    "省人民政府",
    "2022 启用版",
    "2022-09-30",
    "2035-12-31",
    "“三区三线”划定成果",
)
FORESTRY = PlanInfo(
    "forestry",
    PlanKind.FORESTRY,
    "林地保护利用规划",
    "市林业局",
    "2021—2035",
    "2021-12-01",
    "2035-12-31",
    "林地“一张图”2021",
)
WATER = PlanInfo(
    "water_protection",
    PlanKind.WATER,
    "水源与河湖保护",
    "市水利局、市生态环境局",
    "2019 版",
    "2019-11-08",
    "",
    "饮用水水源保护区划与河湖蓝线规划",
)
MUNICIPAL = PlanInfo(
    "municipal", PlanKind.MUNICIPAL, "绿地与市政专项规划", "市住房和城乡建设局", "2021—2035", "2021-07-20",
    "2035-12-31", "绿地系统与市政设施专项规划"
)  # fmt: skip


def ecological_red_line(town: Town) -> Table:
    """Hill cores, reservoir, estuary and wetlands. The wetlands reach into works, two hill feet into housing."""
    rng = np.random.default_rng([town.seed, 20])
    t = town.terrain
    out = Rows(
        ("code", "text", "编号"), ("name", "text", "名称"), ("zone", "text", "管控分区"),
        ("function", "text", "主导功能"), ("area_ha", "real", "面积（公顷）"),
    )  # fmt: skip
    found: list[tuple[str, str, str, Geometry]] = []
    for forest in t.forest:
        x, y = forest.representative_point().coords[0]
        k = min(range(len(HILLS)), key=lambda n: np.hypot(HILLS[n][0][0] - x, HILLS[n][0][1] - y))
        small = forest.area < 300_000
        core = forest.buffer(38 if small else -55)
        for part in parts(rounded(core, 25).simplify(1.5), 20000):
            found.append((f"{HILL_NAMES[k]}生态保护区", "一般控制区", "水源涵养与水土保持", part))
    found.append((f"{RESERVOIR}水源保护区", "核心保护区", "水源涵养", t.reservoir.buffer(150)))
    found.append(("东湾滨海湿地", "核心保护区", "生物多样性维护", t.flats.buffer(-12)))
    found.append(
        (
            "澜江河口湿地",
            "一般控制区",
            "海岸防护",
            blob(rng, (6350, 3080), 260, stretch=1.5, turn=0.3).intersection(t.border),
        )
    )
    wet = outline(rng.normal([(5250, 1430), (5480, 1220), (5820, 1180), (5960, 1330), (5830, 1480), (5500, 1470)], 12))
    found.append(("盐塘河口湿地", "一般控制区", "生物多样性维护", wet.intersection(t.border)))
    south = outline(
        rng.normal([(2120, 830), (2400, 830), (2760, 850), (2980, 930), (2900, 800), (2500, 660), (2180, 690)], 10)
    )
    found.append(("南塘河湿地", "一般控制区", "洪水调蓄", south))
    coast = t.coast.buffer(46).intersection(shapely.box(5700, 4300, 6800, 5600)).intersection(t.border)
    found.append(("望海岬海岸防护林", "一般控制区", "海岸防护", max(parts(coast), key=lambda g: g.area)))
    taken: Geometry = shapely.Polygon()
    for number, (name, zone, function, shape) in enumerate(found, start=1):
        own = shape.intersection(t.border).difference(taken)
        taken = taken.union(own)
        for part in parts(own, 2000):
            out.add(part, f"STHX-{number:02d}", name, zone, function, round(part.area / 1e4, 4))
    return out.table(
        "ecological_red_line", "生态保护红线", "polygon", plan=ECOLOGY, class_field="zone", class_standard="text",
        label_field="name", source="STBHHX.shp", look="ecology",
    )  # fmt: skip


def permanent_farmland(town: Town) -> Table:
    """Groups of good fields; a dozen of them lie where the master plan extends the town."""
    rng = np.random.default_rng([town.seed, 21])
    fields = [c for c in town.country.fields if c.code in ("0101", "0103")]
    centres = np.array([c.geometry.representative_point().coords[0] for c in fields])
    seeds = rng.uniform((-50, -200), (6300, 5600), (260, 2))
    group = ((centres[:, None, :] - seeds[None]) ** 2).sum(-1).argmin(1)
    inside = shapely.contains_xy(town.network.town, centres[:, 0], centres[:, 1])
    edge = {int(g) for g in group[inside]}
    chosen = {int(g) for g in np.unique(group) if rng.random() < (0.42 if int(g) in edge else 0.74)}
    shapes = tile([c.geometry for c in fields], 20)
    kept = [
        (s, int(g), c.name) for s, g, c in zip(shapes, group, fields, strict=True) if int(g) in chosen and s is not None
    ]
    merged = dissolve([s for s, _, _ in kept], [g for _, g, _ in kept])
    owner = {g: name for _, g, name in kept}
    dry: dict[int, float] = {}
    for field, g in zip(fields, group, strict=True):
        dry[int(g)] = dry.get(int(g), 0.0) + float(field.geometry.area) * (1 if field.code == "0103" else -1)
    drift = Drift(rng, 1.2, 1500, patchy=True)
    out = Rows(
        ("code", "text", "保护图斑编号"), ("dlbm", "text", "地类编码"), ("dlmc", "text", "地类名称"),
        ("village", "text", "责任村"), ("quality", "integer", "耕地质量等别"), ("area_mu", "real", "面积（亩）"),
        ("area_m2", "real", "面积（m²）"),
    )  # fmt: skip
    number = 0
    for key, shape in merged:
        if shape.area < 6500:
            continue
        number += 1
        moved = drift(shape)
        code, quality = "0103" if dry[key] > 0 else "0101", int(rng.integers(4, 8))
        out.add(
            moved, f"YN{number:04d}", code, DLTB[code], owner[key], quality, round(moved.area * 3 / 2000, 2),
            round(moved.area, 2),
        )  # fmt: skip
    return out.table(
        "permanent_farmland", "永久基本农田", "polygon", plan=FARMLAND, class_field="dlbm",
        class_standard=ClassStandard.DLTB, source="YJJBNTTB.shp", look="farmland", opacity=0.85,
    )  # fmt: skip


def growth_boundary(town: Town) -> Table:
    """The town's boundary, cut back at two fringes, with two small areas of its own outside."""
    rng = np.random.default_rng([town.seed, 22])
    bites = [
        blob(rng, (1390, 3150), 200, stretch=2.4, turn=1.5),
        blob(rng, (4250, 5010), 190, stretch=3, turn=-0.1),
        blob(rng, (3500, 40), 150, stretch=3.4, turn=0.02),
    ]
    main = town.network.town.difference(shapely.union_all(bites))
    main = max(parts(main.buffer(-45).buffer(90).buffer(-45)), key=lambda g: g.area)
    main = Drift(rng, 1.4, 1100)(shapely.segmentize(main.simplify(0.8), 120))
    land = town.terrain.border.difference(town.terrain.sea)
    tourism = blob(rng, (5960, 4620), 120, stretch=1.6, turn=1.2).intersection(land).difference(main)
    harbour = blob(rng, (5480, 560), 135, stretch=1.8, turn=0.9).intersection(land).difference(main.buffer(10))
    out = Rows(
        ("code", "text", "编号"),
        ("name", "text", "名称"),
        ("zone", "text", "分区"),
        ("area_ha", "real", "面积（公顷）"),
    )
    rows = (
        (main, "滨海新城主城区", "集中建设区"),
        (tourism, "望海岬旅游服务区", "特别用途区"),
        (harbour, "盐灶渔港", "弹性发展区"),
    )
    for number, (shape, name, zone) in enumerate(rows, start=1):
        part = max(parts(shape), key=lambda g: g.area, default=None)
        if part is None:  # another seed's coast may leave no room for the harbour
            continue
        out.add(part, f"CZ-{number:02d}", name, zone, round(part.area / 1e4, 4))
    return out.table(
        "growth_boundary", "城镇开发边界", "polygon", plan=BOUNDARY, class_field="zone",
        class_standard=ClassStandard.TEXT, source="CZKFBJ.shp", look="growth",
    )  # fmt: skip


def forestry(town: Town) -> Table:
    """Forest compartments 小班, shelter belts and groves; roads and housing stand on some of them."""
    rng = np.random.default_rng([town.seed, 23])
    t = town.terrain
    belts = [
        (
            "沿海防护林",
            t.coast.buffer(34)
            .difference(t.sea)
            .intersection(shapely.box(5000, -200, 7000, 2450))
            .difference(shapely.union_all([t.river.buffer(60)])),
        ),
        ("沿海防护林", t.coast.buffer(30).difference(t.sea).intersection(shapely.box(5000, 3450, 7000, 4500))),
        ("江堤防护林", t.river.buffer(34).difference(t.river).intersection(shapely.box(-100, 1000, 1900, 2600))),
    ]
    groves = [blob(rng, c, r, stretch=1.5, turn=rng.uniform(0, 3)) for c, r in (
        ((1820, 3420), 74), ((2280, 4560), 88), ((3780, 4860), 70), ((4980, 4620), 82), ((5540, 3760), 60),
        ((1760, 1500), 66),
        ((2560, 1120), 54), ((3760, 1180), 64), ((5560, 2140), 80), ((4480, 260), 74), ((2850, 4560), 62),
        ((5480, 2900), 52),
    )]  # fmt: skip
    hill_count = len(town.country.forest)
    shapes = [c.geometry for c in town.country.forest]
    kinds = ["公益林" if rng.random() < 0.62 else "商品林" for _ in shapes]
    names = [c.name for c in town.country.forest]
    for name, belt in belts:
        for part in parts(belt.intersection(t.border), 400):
            shapes.append(part)
            kinds.append("公益林")
            names.append(name)
    shapes += groves
    kinds += ["商品林"] * len(groves)
    names += ["零星林地"] * len(groves)
    drift = Drift(rng, 1.5, 1000, patchy=True)
    out = Rows(
        ("code", "text", "小班号"), ("class_code", "text", "林地类别代码"), ("class_name", "text", "林地类别"),
        ("species", "text", "优势树种"),
        ("level", "integer", "保护等级"), ("owner", "text", "权属"), ("area_ha", "real", "面积（公顷）"),
    )  # fmt: skip
    number = 0
    for k, (shape, kind, name) in enumerate(zip(tile(shapes), kinds, names, strict=True)):
        for part in parts(shape, 60):
            number += 1
            moved = drift(part)
            level = 1 if kind == "公益林" and rng.random() < 0.2 else 2 if kind == "公益林" else int(rng.integers(3, 5))
            species = str(
                rng.choice(
                    ["马尾松", "杉木", "木荷", "毛竹", "香樟"] if k < hill_count else ["木麻黄", "水杉", "香樟", "乌桕"]
                )
            )
            code = "0301" if kind == "公益林" or rng.random() < 0.7 else "0307"
            out.add(moved, f"{number:04d}", code, kind, species, level, name, round(moved.area / 1e4, 4))
    return out.table(
        "forestry", "林地小班", "polygon", plan=FORESTRY, class_field="class_code", class_standard="dltb",
        source="LD_2021.shp",
        visible=False, look="forestry",
    )  # fmt: skip


def water_protection(town: Town) -> Table:
    """Protection zones of the reservoir and of the river intake; the second-grade zone holds planned housing."""
    t = town.terrain
    intake = t.river.intersection(shapely.box(-100, 1000, 1750, 2600))
    creek = next(c for c in t.creeks if c.name == "凤溪").axis.intersection(shapely.box(0, 3000, 1700, 4400))
    first = shapely.union_all([intake.buffer(55), t.reservoir.buffer(120)])
    second = shapely.union_all([intake.buffer(330), t.reservoir.buffer(420), creek.buffer(130)]).buffer(60).buffer(-60)
    third = outline(
        [(40, 3500), (60, 4500), (420, 5130), (1250, 5400), (1500, 4900), (1250, 4200), (1000, 3600), (500, 3420)]
    )
    out = Rows(
        ("code", "text", "编号"),
        ("name", "text", "名称"),
        ("zone", "text", "保护区级别"),
        ("area_ha", "real", "面积（公顷）"),
    )
    taken: Geometry = shapely.Polygon()
    number = 0
    for zone, shape in (("一级保护区", first), ("二级保护区", second), ("准保护区", third)):
        for part in parts(shape.simplify(0.6).intersection(t.border).difference(taken), 500):
            number += 1
            name = RESERVOIR if part.centroid.y > 3200 else f"{RIVER}取水口"
            out.add(part, f"SY-{number:02d}", f"{name}{zone}", zone, round(part.area / 1e4, 4))
        taken = taken.union(shape.simplify(0.6))
    return out.table(
        "water_protection", "水源保护区", "polygon", plan=WATER, class_field="zone", class_standard="text",
        label_field="name",
        source="水源保护区划.dwg", visible=False, look="water_zones",
    )  # fmt: skip


def blue_line(town: Town) -> Table:
    """Blue lines of rivers and lakes, reach by reach."""
    rng = np.random.default_rng([town.seed, 24])
    t = town.terrain
    drift = Drift(rng, 0.8, 900)
    bodies = [(RIVER, t.river.buffer(18)), ("月湖", t.lake.buffer(12)), (RESERVOIR, t.reservoir.buffer(10))]
    bodies += [(c.name, c.axis.buffer(c.width / 2 + 6, cap_style="flat")) for c in t.creeks]
    reaches = shapely.voronoi_polygons(
        shapely.multipoints(rng.uniform((0, 0), (6800, 5400), (26, 2))), extend_to=t.border
    )
    out = Rows(
        ("code", "text", "编号"),
        ("name", "text", "河湖名称"),
        ("width_m", "real", "控制宽度（m）"),
        ("area_ha", "real", "面积（公顷）"),
    )
    taken: Geometry = shapely.Polygon()
    number = 0
    for name, body in bodies:
        own = body.intersection(t.border).difference(t.sea).difference(taken)
        taken = taken.union(own)
        own = own.simplify(0.3) if name == RIVER else own
        pieces = [own.intersection(cell) for cell in parts(reaches)] if name == RIVER else [own]
        for part in parts(np.array(pieces, dtype=object), 900):
            number += 1
            width = round(2 * part.area / part.length, 1)
            out.add(drift(part), f"LX-{number:02d}", name, width, round(part.area / 1e4, 4))
    return out.table(
        "blue_line",
        "城市蓝线",
        "polygon",
        plan=WATER,
        label_field="name",
        source="河湖蓝线.dwg",
        visible=False,
        look="blue",
    )


def green_line(town: Town) -> Table:
    """Green lines of the green space plan: parks as it has them, some of them built over by the later zoning."""
    rng = np.random.default_rng([town.seed, 25])
    drift = Drift(rng, 1.0, 900, patchy=True)
    keys, shapes = [], []
    for parcel in town.parcels:
        park = parcel.code in ("G1", "G2", "G3") and parcel.geometry.area > 2500 and rng.random() > 0.05
        wished = parcel.code in ("R2", "B1", "M1") and rng.random() < 0.012
        if park or wished:
            label = GB50137[parcel.code if park else "G1"][0]
            shapes.append(parcel.geometry)
            keys.append(
                (
                    label,
                    parcel.name if parcel.kind == "green" and parcel.name not in ("滨水", "防护") else "",
                    parcel.district // 2,
                )
            )
    out = Rows(
        ("code", "text", "编号"),
        ("name", "text", "名称"),
        ("class_name", "text", "绿地类别"),
        ("area_ha", "real", "面积（公顷）"),
    )
    number = 0
    for (label, name, _), shape in dissolve(shapes, keys):
        if shape.area < 4500:
            continue
        number += 1
        shown = f"{name}公园" if name else ""
        out.add(drift(shape), f"LV-{number:03d}", shown, label, round(shape.area / 1e4, 4))
    return out.table(
        "green_line",
        "城市绿线",
        "polygon",
        plan=MUNICIPAL,
        class_field="class_name",
        class_standard="text",
        source="绿线.dwg",
        look="green",
    )


def yellow_line(town: Town) -> Table:
    """Yellow lines: sites of municipal works, from the municipal plan."""
    rng = np.random.default_rng([town.seed, 26])
    drift = Drift(rng, 0.6, 700)
    out = Rows(("code", "text", "编号"), ("name", "text", "设施类别"), ("area_m2", "real", "面积（m²）"))
    members = [p for p in town.parcels if p.code[0] == "U" or p.code == "S41"]
    for number, parcel in enumerate(members, start=1):
        shape = drift(parcel.geometry)
        out.add(shape, f"HX-{number:02d}", GB50137[parcel.code][0], round(shape.area, 2))
    return out.table(
        "yellow_line",
        "城市黄线",
        "polygon",
        plan=MUNICIPAL,
        label_field="name",
        source="市政设施.dwg",
        visible=False,
        look="yellow",
    )
