"""Outside the town: fields in curved strips, ponds, orchards, forest, villages; and fields the town will take."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from sample_projects.curves import Array, Geometry, Noise, blob, faces_of, line_parts, outline, parts
from sample_projects.names import VILLAGES
from sample_projects.roads import Network
from sample_projects.terrain import Terrain

#: Villages: centre, radius (m); the last four stand inside the growth boundary.
VILLAGE_SITES = (
    ((380.0, 3060.0), 125.0), ((720.0, 2390.0), 110.0), ((760.0, 3500.0), 105.0), ((270.0, 2680.0), 92.0),
    ((870.0, 1640.0), 120.0), ((560.0, 1440.0), 90.0), ((2680.0, 5240.0), 95.0), ((3420.0, 5180.0), 84.0),
    ((4900.0, 5210.0), 96.0), ((5960.0, 4620.0), 74.0), ((5510.0, 560.0), 82.0), ((2050.0, 60.0), 84.0),
    ((2420.0, 3560.0), 120.0), ((4720.0, 3700.0), 110.0), ((2700.0, 1340.0), 92.0), ((4680.0, 4400.0), 112.0),
)  # fmt: skip

#: Land that the master plan takes for the town while the land-use plan still has it as fields.
EXPANSIONS = (
    ((1250, 2560), (1240, 3300), (1460, 3780), (1700, 3620), (1660, 3100), (1720, 2620)),
    ((2380, 5050), (3300, 5050), (4700, 5100), (4600, 4830), (3500, 4850), (2500, 4700)),
    ((2200, 0), (2300, 330), (3100, 290), (3900, 330), (4500, 220), (4500, -50), (3300, -50)),
    ((5350, 350), (5250, 1000), (5420, 1500), (5900, 1500), (5800, 700)),
)

#: Directions (radians) of the field strips about a few places.
_STRIPS = (
    ((600, 3000), 0.35), ((500, 1500), -0.25), ((1500, 3400), 0.1), ((1900, 400), 0.9), ((3400, 5200), -0.12),
    ((5200, 4900), 0.5), ((5600, 1000), 1.15), ((3300, 100), 0.15), ((900, 2300), -0.1), ((4000, 2600), 0.2),
)  # fmt: skip


@dataclass(slots=True)
class Cell:
    """A piece of countryside with its DLTB class; ``name`` is the village that owns or is it."""

    geometry: Geometry
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Village:
    """A village: name, built-up outline, and whether the town has grown around it."""

    name: str
    area: Geometry
    in_town: bool


@dataclass(frozen=True, slots=True)
class Countryside:
    """All that is not town, and the fields under the expansions."""

    villages: list[Village]
    fields: list[Cell]
    forest: list[Cell]
    expansion: Geometry


def make_countryside(seed: int, terrain: Terrain, network: Network) -> Countryside:
    """The countryside for a seed."""
    rng = np.random.default_rng([seed, 5])
    expansion = shapely.union_all([outline(p) for p in EXPANSIONS]).intersection(network.town)
    outside_roads = shapely.union_all([r.area for r in network.roads if r.area is not None])
    villages = _villages(rng, terrain, network, outside_roads)
    dry = terrain.border.difference(terrain.water)
    forest_land = shapely.union_all(terrain.forest)
    open_land = (
        dry.difference(network.town.difference(expansion))
        .difference(forest_land)
        .difference(shapely.union_all([v.area for v in villages]))
    )
    fields = _fields(rng, open_land.difference(outside_roads.difference(expansion)), terrain, villages)
    forest = [
        Cell(g, "0301", _nearest(villages, g)) for g in bricks(rng, forest_land, 0.4, 105, 150, 60) if g.area > 200
    ]
    for cell in forest:
        draw = rng.random()
        cell.code = "0301" if draw < 0.7 else "0307" if draw < 0.85 else "0305" if draw < 0.96 else "0202"
    return Countryside(villages, fields, forest, expansion)


def _villages(rng: np.random.Generator, terrain: Terrain, network: Network, roads: Geometry) -> list[Village]:
    made = []
    for name, (centre, radius) in zip(VILLAGES, VILLAGE_SITES, strict=True):
        at = rng.normal(centre, 14)
        shape = blob(rng, (at[0], at[1]), radius * 1.15, stretch=rng.uniform(1, 1.9), turn=rng.uniform(0, 3))
        inside = network.town.contains(shape.centroid)
        cut = shape.difference(terrain.water.buffer(8)).difference(shapely.union_all(terrain.forest))
        cut = cut.intersection(terrain.border)
        cut = cut if inside else cut.difference(roads).difference(network.town.buffer(4))
        made.append(Village(name, max(parts(cut), key=lambda g: g.area), inside))
    return made


def _nearest(villages: list[Village], geometry: Geometry) -> str:
    return min(villages, key=lambda v: float(v.area.distance(geometry))).name


def _fields(rng: np.random.Generator, land: Geometry, terrain: Terrain, villages: list[Village]) -> list[Cell]:
    """Fields with their crops. Ponds near the coast and the creeks, orchards and tea at the foot of the hills."""
    centres = shapely.multipoints([p for p, _ in _STRIPS])
    regions = parts(shapely.voronoi_polygons(centres, extend_to=terrain.border.envelope.buffer(500)))
    crops, patches = Noise(rng, 700), Noise(rng, 240)
    forest = shapely.union_all(terrain.forest)
    creeks = shapely.union_all([c.axis for c in terrain.creeks])
    shapely.prepare(forest)
    shapely.prepare(creeks)
    cells = []
    for region in regions:
        angle = next(a for p, a in _STRIPS if region.contains(shapely.points(p)))
        for part in parts(land.intersection(region), 30):
            for shape in bricks(rng, part, angle, 43, 104, 26):
                if shape.area < 40:
                    continue
                point = shape.representative_point()
                tone, detail = float(crops(point.x, point.y)), float(patches(point.x, point.y))
                near_hill, near_creek = forest.distance(point), creeks.distance(point)
                salt = terrain.coast.distance(point) < 620 and point.y < 1700
                if near_hill < 130 and tone + detail > -0.1:
                    code = "0201" if detail > 0.05 else "0202" if near_hill < 80 else "0103"
                elif (salt and detail > -0.35) or (near_creek < 120 and detail > 0.55):
                    code = "1104"
                elif detail > 0.92:
                    code = str(rng.choice(["1202", "0404", "0201"]))
                else:
                    code = "0103" if tone > 0.45 else "0101"
                cells.append(Cell(shape, code, ""))
    hosts = shapely.STRtree(np.array([v.area for v in villages], dtype=object))
    for cell, k in zip(cells, hosts.nearest(np.array([c.geometry for c in cells], dtype=object)), strict=True):
        cell.name = villages[int(k)].name
    return cells


def bricks(
    rng: np.random.Generator, land: Geometry, angle: float, depth: float, length: float, bend: float
) -> list[Geometry]:
    """Land cut into rows of unequal bricks, turned by ``angle`` and bent by up to about ``bend`` metres."""
    if land.is_empty:
        return []
    x0, y0, x1, y1 = land.bounds
    centre, reach = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), np.hypot(x1 - x0, y1 - y0) / 2 + 2 * length
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    wave_a, wave_b = Noise(rng, 620), Noise(rng, 620)

    def placed(uv: Array) -> Array:
        xy: Array = uv @ turn + centre
        wave: Array = np.stack([wave_a(xy[:, 0], xy[:, 1]), wave_b(xy[:, 0], xy[:, 1])], -1)
        return xy + bend * wave

    rows = [-reach]
    while rows[-1] < reach:
        rows.append(rows[-1] + depth * rng.uniform(0.6, 1.5))
    u = np.arange(-reach, reach + 20, 20.0)
    lines = [shapely.linestrings(placed(np.stack([u, np.full(len(u), v)], -1))) for v in rows]
    for low, high in pairwise(rows):
        cuts = -reach + np.cumsum(length * rng.lognormal(0, 0.38, int(3 * reach / length)))
        for c in cuts[cuts < reach]:
            v = np.array([low - 1.5, (low + high) / 2, high + 1.5])
            lines.append(shapely.linestrings(placed(np.stack([c + rng.normal(0, 1.5, 3), v], -1))))
    shapely.prepare(land)
    near = [g for g in lines if land.intersects(g)]
    inside = line_parts(shapely.intersection(np.array(near, dtype=object), land)) if near else []
    faces = faces_of([*inside, *line_parts(land.boundary)])
    return [f for f in faces if land.contains(f.representative_point())]
