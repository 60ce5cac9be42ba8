"""Blocks between the streets, green strips along water and motorway, and their division into parcels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from sample_projects.coverage import tile
from sample_projects.curves import Geometry, direction, line_parts, parts, rounded
from sample_projects.names import HILLS as HILL_NAMES
from sample_projects.roads import Network, Road
from sample_projects.terrain import HILLS, Terrain

#: Centres of the management units (local frame); a block belongs to the nearest one, distance divided by the weight.
UNIT_CENTRES = {
    "A": ((3480.0, 2850.0), 1.05),
    "B": ((2050.0, 3050.0), 1.1),
    "C": ((3350.0, 4450.0), 1.3),
    "D": ((5250.0, 3550.0), 1.25),
    "E": ((2500.0, 1500.0), 1.0),
    "F": ((3000.0, 380.0), 1.1),
    "G": ((5100.0, 1250.0), 1.2),
}
PARCEL_AREA = {"A": 8800.0, "B": 13000.0, "C": 14500.0, "D": 10800.0, "E": 11500.0, "F": 21000.0, "G": 20000.0}
NORTH_BANK, SOUTH_BANK = "ABCD", "EFG"


@dataclass(slots=True)
class Parcel:
    """A parcel of the town: geometry, where it is, and what stands on it (filled in by ``land_use``)."""

    geometry: Geometry
    unit: str
    district: int
    block: int
    kind: str = "block"  # block | green | water | road
    name: str = ""
    code: str = ""
    number: str = ""

    @property
    def centre(self) -> tuple[float, float]:
        """A point inside."""
        point = self.geometry.representative_point()
        return float(point.x), float(point.y)


def unit_at(terrain: Terrain, x: float, y: float) -> str:
    """Letter of the management unit at a point: the river divides, otherwise the nearest weighted centre."""
    bank = NORTH_BANK if y > np.interp(x, terrain.river_axis[:, 0], terrain.river_axis[:, 1]) else SOUTH_BANK

    def far(unit: str) -> float:
        (cx, cy), weight = UNIT_CENTRES[unit]
        return float(np.hypot(x - cx, y - cy)) / weight

    return min(bank, key=far)


def make_parcels(seed: int, terrain: Terrain, network: Network) -> tuple[list[Parcel], list[Geometry]]:
    """(parcels of the town with its roads, water and green strips as a clean coverage; outlines of the districts)."""
    rng = np.random.default_rng([seed, 3])
    river, lake = terrain.river, terrain.lake
    beds = [(c.name, c.axis.buffer(c.width / 2, cap_style="flat")) for c in terrain.creeks]
    motorway = network.named("滨海高速").area
    strips = shapely.union_all(
        [river.buffer(118), lake.buffer(62)]
        + [c.axis.buffer(c.width / 2 + 24, cap_style="flat") for c in terrain.creeks]
    )
    shelter = motorway.buffer(50)
    water = shapely.union_all([river, lake, *(bed for _, bed in beds)])
    free = network.town.difference(network.surface).difference(water)
    green = free.intersection(strips)
    hills = [(name, g) for name, g in _hills(terrain) if network.town.intersects(g)]
    hill_land = shapely.union_all([g for _, g in hills])
    blocks = [
        piece
        for block in parts(free.difference(strips).difference(shelter).difference(hill_land), 60)
        for piece in parts(rounded(block, 9.0), 1)
        if piece.buffer(-16).area > 300
    ]
    districts = _districts(network)
    pieces: list[Parcel] = []
    for road in network.roads:
        for area in parts(road.area.intersection(network.town), 20):
            pieces.append(_piece(terrain, area, districts, "road", road.name))
    for name, bed in [("澜江", river), ("月湖", lake), *beds]:
        for area in parts(bed.intersection(network.town).difference(network.surface), 20):
            pieces.append(_piece(terrain, area, districts, "water", name))
    cut: list[Geometry] = []
    for number, block in enumerate(blocks):
        unit = unit_at(terrain, *_xy(block))
        for parcel in divide(rng, block, PARCEL_AREA[unit]):
            made = _piece(terrain, parcel, districts, "block")
            made.block, made.unit = number, unit
            pieces.append(made)
            cut.append(parcel)
    for name, hill in hills:
        for area in parts(free.intersection(hill), 20):
            pieces.append(_piece(terrain, area, districts, "green", name))
    free = free.difference(hill_land)
    rest = free.difference(shapely.union_all(cut).buffer(0.001))
    for area in parts(rest.intersection(shelter), 20):
        pieces.append(_piece(terrain, area, districts, "green", "防护"))
    for area in _cut_long(
        rng,
        green.difference(hill_land).union(rest).difference(shelter).difference(shapely.union_all(cut)),
        network.roads,
    ):
        pieces.append(_piece(terrain, area, districts, "green", "滨水"))
    tiles = tile([p.geometry for p in pieces])
    made_parcels = []
    for parcel, geometry in zip(pieces, tiles, strict=True):
        for part in parts(geometry, 25):
            made_parcels.append(Parcel(part, parcel.unit, parcel.district, parcel.block, parcel.kind, parcel.name))
    return made_parcels, districts


def _xy(geometry: Geometry) -> tuple[float, float]:
    point = geometry.representative_point()
    return float(point.x), float(point.y)


def _piece(terrain: Terrain, area: Geometry, districts: list[Geometry], kind: str, name: str = "") -> Parcel:
    x, y = _xy(area)
    point = shapely.points(x, y)
    near = np.argmin(shapely.distance(np.array(districts, dtype=object), point))
    return Parcel(area, unit_at(terrain, x, y), int(near), -1, kind, name)


def _hills(terrain: Terrain) -> list[tuple[str, Geometry]]:
    """Wooded hills with the name of the nearest summit."""
    named = []
    for forest in terrain.forest:
        x, y = _xy(forest)
        nearest = min(range(len(HILLS)), key=lambda k: np.hypot(HILLS[k][0][0] - x, HILLS[k][0][1] - y))
        named.append((HILL_NAMES[nearest], forest))
    return named


def _districts(network: Network) -> list[Geometry]:
    """Districts 街区: what main and secondary roads enclose."""
    main = [g for r in network.roads if r.grade in ("主干路", "次干路") for g in r.lines]
    lines = shapely.union_all(np.array([*main, *line_parts(network.town.boundary)], dtype=object), grid_size=0.01)
    faces = parts(shapely.polygonize([lines]), 2000)
    inside = [f for f in faces if network.town.contains(f.representative_point())]
    return sorted(inside, key=lambda f: (-round(f.centroid.y / 400), f.centroid.x))


def _cut_long(rng: np.random.Generator, area: Geometry, roads: list[Road]) -> list[Geometry]:
    """Green strips in pieces of a few hectares."""
    found = []
    for strip in parts(area, 60):
        found += divide(rng, strip, 26000.0, thinnest=0.0)
    return found


def divide(rng: np.random.Generator, block: Geometry, target: float, thinnest: float = 26.0) -> list[Geometry]:
    """Divide a block across its longer side, again and again, into parcels of about ``target`` m².

    Cuts stand a few degrees off the square and off the middle; parts thinner than ``thinnest`` metres are not made.
    """
    done, todo = [], [block]
    while todo:
        shape = todo.pop()
        area = shape.area
        if area < target * rng.lognormal(0.15, 0.42) or area < 2400:
            done.append(shape)
            continue
        cut = next((c for c in (_halves(rng, shape) for _ in range(4)) if _good(c, thinnest)), None)
        if cut is None:
            done.append(shape)
        else:
            todo += cut
    return done


def _good(cut: list[Geometry], thinnest: float) -> bool:
    return len(cut) > 1 and min(g.area for g in cut) > 900 and not any(g.buffer(-thinnest / 2).is_empty for g in cut)


def _halves(rng: np.random.Generator, shape: Geometry) -> list[Geometry]:
    """The shape cut once across its longer side."""
    axis, length, breadth = direction(shape)
    share = rng.uniform(0.24, 0.36) if rng.random() < 0.18 else rng.uniform(0.38, 0.62)
    centre = np.asarray(shapely.oriented_envelope(shape).centroid.coords[0])
    at = centre + axis * length * (share - 0.5)
    turn = rng.normal(0, 0.05)
    across = np.array([-axis[1], axis[0]])
    across = across * np.cos(turn) + axis * np.sin(turn)
    reach = breadth * 1.5 + 50
    knife = shapely.linestrings([at - across * reach, at + across * reach])
    faces = parts(shapely.polygonize([shapely.union_all([shape.boundary, knife])]))
    return [g for g in faces if shape.contains(g.representative_point())]
