"""The road network: named main roads by hand, streets between them, and the land they take between the red lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely

from sample_projects.curves import Array, Geometry, jitter, line, line_parts, outline, parts, spline
from sample_projects.names import RoadNames
from sample_projects.streets import CrossField, Tracer
from sample_projects.terrain import Terrain

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

#: Grade: (width between the road red lines in m, lanes, design speed in km/h). GB 50220 grades.
GRADES = {
    "高速公路": (42.0, 6, 100),
    "主干路": (44.0, 6, 60),
    "次干路": (30.0, 4, 40),
    "支路": (20.0, 2, 30),
    "乡道": (8.0, 2, 30),
}
RANK = list(GRADES)
CORNER = 14.0  # metres: radius of the red line at crossings


@dataclass(slots=True)
class Road:
    """One named road: centreline pieces, grade and the area between its red lines."""

    name: str
    grade: str
    width: float
    lines: list[Geometry] = field(default_factory=list)
    area: Geometry = None

    @property
    def centreline(self) -> Geometry:
        """All pieces as one line geometry."""
        return shapely.line_merge(shapely.union_all(self.lines))


@dataclass(frozen=True, slots=True)
class Network:
    """Roads and the town they open up."""

    roads: list[Road]
    town: Geometry
    """the town within the growth boundary, water included"""
    surface: Geometry
    """all land between road red lines, corners rounded"""
    junctions: list[tuple[float, float]]

    def named(self, name: str) -> Road:
        """The road of that name."""
        return next(road for road in self.roads if road.name == name)


def make_network(seed: int, terrain: Terrain) -> Network:
    """The whole network for a seed."""
    rng = np.random.default_rng([seed, 2])
    town = _town(rng, terrain)
    main = _main_roads(rng, terrain, town)
    ring = next(r for r in main if r.name == "环城大道").lines[0]
    keep_off = shapely.union_all(
        [terrain.river.buffer(46), terrain.sea.buffer(60), terrain.lake.buffer(60)]
        + [g.buffer(6) for g in terrain.forest]
    )
    allowed = town.buffer(-25).difference(keep_off)
    shores = [(shapely.linestrings(terrain.river_axis), 0.5), (terrain.coast, 0.4)]
    weighted = [(g, 1.0) for r in main for g in r.lines] + shores
    tracer = Tracer(CrossField(weighted, terrain.border.bounds), allowed)
    for road in main:
        for piece in road.lines:
            tracer.add(piece)
    creek_banks = [
        g
        for c in terrain.creeks
        for g in (c.axis.offset_curve(c.width / 2 + 30), c.axis.offset_curve(-c.width / 2 - 30))
    ]
    for bank in creek_banks:
        tracer.add(bank)
    seeds = _seeds(rng, allowed)
    names = RoadNames(rng)
    found = [("次干路", g) for g in tracer.trace(seeds, 330, shortest=420)]
    works = shapely.union_all([outline(p) for p in WORKS])
    fine = Tracer.trace(
        tracer, seeds[~shapely.contains_xy(works, seeds[:, 0], seeds[:, 1])], 168, shortest=210, longest=1300
    )
    found += [("支路", g) for g in fine]
    found += [("支路", g) for g in tracer.trace(seeds, 265, shortest=260, longest=1300)]
    roads = list(main)
    for grade, curve in found:
        xy = shapely.get_coordinates(curve)
        run = np.abs(xy[-1] - xy[0])
        roads.append(Road(names.next(bool(run[1] > run[0])), grade, GRADES[grade][0], [curve]))
    _node(roads, town)
    for road in _country_roads(rng, terrain):
        roads.append(road)
    roads = [road for road in roads if road.lines]
    surface = _surface(roads, terrain, ring)
    junctions = _junctions(roads)
    return Network(roads, town, surface, junctions)


#: Main roads beside those along the river: name, grade, control points in the local frame.
MAIN_ROADS = (
    ("新城大道", "主干路", (
        (3050, 5600), (3080, 4700), (2960, 4300), (2700, 3400), (2760, 2500), (3000, 1900), (3060, 1100),
        (3150, 300), (3100, -300),
    )),
    ("海晏大道", "主干路", (
        (4450, 5600), (4480, 4700), (4330, 3900), (4150, 3100), (4230, 2450), (4480, 1900), (4150, 1350),
        (4050, 700), (4150, -300),
    )),
    ("凤鸣大道", "主干路", (
        (1175, 3840), (1650, 4000), (2450, 4160), (3250, 4080), (4300, 4120), (5200, 4100), (6120, 4200),
    )),
    ("云帆大道", "主干路", (
        (1075, 2690), (1500, 2800), (2150, 2900), (2720, 2960),
    )),
    ("东湾大道", "主干路", (
        (4130, 2900), (4700, 3060), (5250, 3260), (5700, 3560), (6090, 3760),
    )),
    ("滨海大道", "主干路", (
        (5500, 5300), (5820, 4550), (5720, 3900), (5800, 3300), (5780, 2850), (5480, 2250), (5330, 1600),
        (5240, 900), (4850, 250), (4700, -200),
    )),
    ("创业大道", "主干路", (
        (1400, 1180), (1750, 1080), (2500, 1000), (3100, 760), (4080, 640), (5240, 880),
    )),
    ("石桥路", "次干路", (
        (2180, 4720), (2150, 4100), (2050, 3400), (2120, 2500), (2260, 1900), (2330, 1300), (2450, 600),
        (2500, 100),
    )),
    ("滨海高速", "高速公路", (
        (900, 5750), (1350, 4700), (1180, 3900), (1080, 3000), (1180, 1900), (1480, 1000), (1780, 350),
        (1850, -350),
    )),
)  # fmt: skip

#: Industrial districts keep large blocks.
WORKS = (
    ((2150, 150), (2350, 640), (3000, 700), (3900, 560), (4300, 300), (3900, 60), (2700, 80)),
    ((4300, 1500), (4900, 1900), (5700, 1900), (5750, 1000), (5200, 500), (4700, 700)),
)


def _town(rng: np.random.Generator, terrain: Terrain) -> Geometry:
    """The town within its growth boundary: about 20 km² with its water."""
    shape = outline(
        jitter(
            rng,
            [
                (1480, 2150), (1330, 2900), (1500, 3650), (1900, 4250), (2550, 4780), (3400, 4980), (4300, 4960),
                (5100, 4700), (5700, 4350), (6080, 3900), (6280, 3300), (6180, 2600), (5760, 1900), (5700, 1100),
                (5150, 420), (4300, 120), (3300, 60), (2400, 180), (1900, 700), (1600, 1400),
            ],
            30,
        )
    )  # fmt: skip
    hills = shapely.union_all([g.buffer(14) for g in terrain.forest if not shape.buffer(-150).contains(g)])
    land = shape.difference(terrain.sea).difference(hills)
    return max(parts(land.buffer(-20).buffer(20)), key=lambda g: g.area)


def _main_roads(rng: np.random.Generator, terrain: Terrain, town: Geometry) -> list[Road]:
    """The roads that the master plan names; local coordinates of their control points, moved a little by the seed."""
    river = shapely.linestrings(terrain.river_axis).simplify(4)
    widen = town.buffer(60).union(shapely.box(1090, 1000, 2200, 3000))

    def road(name: str, grade: str, points: Sequence[tuple[float, float]]) -> Road:
        return Road(name, grade, GRADES[grade][0], [line(jitter(rng, points, 16))])

    def along(name: str, offset: float) -> Road:
        curve = shapely.segmentize(river.offset_curve(offset), 120)
        smooth = line(shapely.get_coordinates(curve.simplify(25)), 20)
        inside = max(line_parts(smooth.intersection(widen)), key=lambda g: g.length)
        return Road(name, "主干路", GRADES["主干路"][0], [inside])

    ring = town.difference(terrain.sea.buffer(570)).buffer(-330, quad_segs=8).buffer(60).simplify(40)
    ring = max(parts(ring), key=lambda g: g.area)
    ring_points = shapely.get_coordinates(shapely.segmentize(ring.exterior, 500))[:-1]
    ring_curve = spline(ring_points, closed=True)
    lake_ring = spline(shapely.get_coordinates(terrain.lake.buffer(130).simplify(35).exterior)[:-1], closed=True)
    roads = [
        Road("环城大道", "主干路", 50.0, [shapely.linestrings(np.concatenate([ring_curve, ring_curve[:1]]))]),
        along("滨江大道", 205.0),
        along("江南大道", -230.0),
        Road("环湖路", "次干路", 32.0, [shapely.linestrings(np.concatenate([lake_ring, lake_ring[:1]]))]),
        *(road(name, grade, points) for name, grade, points in MAIN_ROADS),
    ]
    for r in roads:
        r.lines = [
            g for piece in r.lines for g in line_parts(piece.intersection(terrain.border).difference(terrain.sea))
        ]
    return roads


def _seeds(rng: np.random.Generator, allowed: Geometry) -> Array:
    """Random places in the town, in the order in which streets are tried there."""
    x0, y0, x1, y1 = allowed.bounds
    points: Array = rng.uniform((x0, y0), (x1, y1), (2600, 2))
    inside = shapely.contains_xy(allowed, points[:, 0], points[:, 1])
    kept: Array = points[inside]
    return kept


def _node(roads: list[Road], town: Geometry) -> None:
    """Cut roads at crossings, drop loose ends of streets and streets that would leave tiny blocks (in place)."""
    edge_of_town = line_parts(town.buffer(-24).exterior)
    sources = np.array([g for road in roads for g in road.lines] + edge_of_town, dtype=object)
    owner = np.array([k for k, road in enumerate(roads) for _ in road.lines] + [len(roads)] * len(edge_of_town))
    edges = np.array(line_parts(shapely.union_all(sources, grid_size=0.01)), dtype=object)
    middle = shapely.line_interpolate_point(edges, 0.5, normalized=True)
    pairs = shapely.STRtree(sources).query(middle, predicate="dwithin", distance=0.5)
    best = np.full(len(edges), 10**6)
    np.minimum.at(best, pairs[0], owner[pairs[1]])
    keep = best < 10**6
    edges, best = edges[keep], best[keep]
    rank = np.array([RANK.index(roads[k].grade) if k < len(roads) else -1 for k in best])
    alive = _prune(edges, rank, np.ones(len(edges), bool))
    for _ in range(8):
        alive, changed = _merge_small_blocks(edges, rank, alive)
        alive = _prune(edges, rank, alive)
        if not changed:
            break
    for k, road in enumerate(roads):
        mine = edges[alive & (best == k)]
        road.lines = line_parts(shapely.line_merge(shapely.union_all(mine))) if len(mine) else []


def _prune(edges: Geometry, rank: Integers, alive: Booleans) -> Booleans:
    """Edges without the loose ends of streets; of main roads only stumps under 120 m go."""
    alive = alive.copy()
    length = shapely.length(edges)
    ends = np.round(np.stack([shapely.get_coordinates(shapely.get_point(edges, k)) for k in (0, -1)], 1), 1)
    _, node = np.unique(ends.reshape(-1, 2), axis=0, return_inverse=True)
    node = node.reshape(-1, 2)
    while True:
        degree = np.bincount(node[alive].ravel(), minlength=int(node.max()) + 1)
        loose = alive & (degree[node] == 1).any(1) & ((rank >= 2) | (length < 120))
        if not loose.any():
            return alive
        alive[loose] = False


def _merge_small_blocks(edges: Geometry, rank: Integers, alive: Booleans) -> tuple[Booleans, bool]:
    """Take away the least street around each block that is too small or too thin."""
    index = np.flatnonzero(alive)
    faces = np.array(parts(shapely.polygonize(edges[index])), dtype=object)
    core = shapely.area(shapely.buffer(faces, -32))
    bad = np.flatnonzero(((shapely.area(faces) < 11000) | (core < 500)) & (shapely.area(faces) < 40000))
    if not len(bad):
        return alive, False
    middle = shapely.line_interpolate_point(edges[index], 0.5, normalized=True)
    face, edge = shapely.STRtree(middle).query(faces[bad], predicate="dwithin", distance=0.05)
    alive, touched, changed = alive.copy(), set(), False
    for k in range(len(bad)):
        around = [e for e in index[edge[face == k]] if rank[e] >= 2]
        if not around or any(e in touched for e in around):
            continue
        touched.update(around)
        weakest = max(around, key=lambda e: (int(rank[e]), float(edges[e].length)))
        alive[weakest] = False
        changed = True
    return alive, changed


def _country_roads(rng: np.random.Generator, terrain: Terrain) -> list[Road]:
    """Lanes between the villages outside the town."""
    lanes = [
        ("石塘线", [(150, 2500), (600, 2760), (1080, 2700)]),
        ("上凤线", [(120, 3500), (560, 3420), (900, 3420), (1420, 3500)]),
        ("江堤路", [(80, 2260), (480, 2330), (820, 2480), (1100, 2440), (1480, 2440)]),
        ("南陈线", [(60, 1420), (640, 1560), (1000, 1500), (1300, 1320), (1640, 1280)]),
        ("岭脚线", [(1000, 1500), (1150, 1150), (1430, 820), (1620, 420)]),
        ("北垟线", [(2520, 5420), (2640, 5120), (3060, 5080), (3800, 5160), (4460, 5120), (5000, 5020)]),
        ("盐场路", [(5300, 820), (5500, 620), (5420, 320)]),
    ]
    made = []
    for name, points in lanes:
        curve = line(jitter(rng, points, 18), 15).intersection(terrain.border)
        made.append(Road(name, "乡道", GRADES["乡道"][0], line_parts(curve)))
    return made


def _surface(roads: list[Road], terrain: Terrain, ring: Geometry) -> Geometry:
    """Set every road's area between red lines (no overlaps, higher grades first) and return them together."""
    town = [r for r in roads if r.grade not in ("乡道", "高速公路")]
    bands = {id(r): shapely.union_all([g.buffer(r.width / 2, quad_segs=6) for g in r.lines]) for r in roads}
    united = shapely.union_all([bands[id(r)] for r in town])
    filled = united.buffer(CORNER, quad_segs=5).buffer(-CORNER, quad_segs=5).simplify(0.15).intersection(terrain.border)
    filled = filled.difference(terrain.sea)
    lanes = [bands[id(r)].intersection(terrain.border) for r in roads if r not in town]
    surface = shapely.union_all([filled, *lanes])
    taken = None
    for road in sorted(roads, key=lambda r: (-r.width, RANK.index(r.grade), r.name)):
        reach = bands[id(road)].buffer(CORNER * 0.6, quad_segs=3) if road in town else bands[id(road)]
        own = reach.intersection(surface)
        if taken is not None:
            own = own.difference(taken)
        taken = own if taken is None else shapely.union_all([taken, own])
        road.area = shapely.union_all(parts(own, 30))
    return surface


def _junctions(roads: list[Road]) -> list[tuple[float, float]]:
    """Places where two roads meet."""
    curves = np.array([g for r in roads for g in r.lines], dtype=object)
    a, b = shapely.STRtree(curves).query(curves, predicate="intersects")
    met = shapely.get_parts(shapely.intersection(curves[a[a < b]], curves[b[a < b]]))
    xy = shapely.get_coordinates(met[shapely.get_type_id(met) == 0]).round(1)
    return [(float(x), float(y)) for x, y in np.unique(xy, axis=0)]
