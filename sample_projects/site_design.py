"""Lays out a housing project on a real parcel of the detailed zoning: buildings, green, parking, basement."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import shapely
from shapely import affinity

from sample_projects.buildings import _NOTCHED, body, rows_in, south_turn
from sample_projects.curves import Array, Geometry, direction, parts
from sample_projects.tables import Table, Town, to_world

STOREY = 2.95
PARAPET = 1.2
BALCONY = (7.2, 1.5)
STALL = (2.5, 5.3)
FLAT = 108.0  # m² of floor area per household


@dataclass(slots=True)
class House:
    """One building: ground outline, storeys, height in metres above the ground, balcony outline of each upper floor."""

    name: str
    outline: Geometry
    storeys: int
    height: float
    balconies: list[Geometry]


@dataclass(slots=True)
class Design:
    """A project on its parcel, in EPSG:4549 coordinates. Areas in m², limits as the zoning states them."""

    project: str
    parcel: str
    limits: dict[str, float]
    site: Geometry
    build_to: Geometry
    houses: list[House]
    basement: Geometry
    green: dict[str, list[Geometry]]
    stalls: list[Geometry]
    underground: list[Geometry]
    roads: list[Geometry]
    red_lines: list[Geometry] = field(default_factory=list)

    def indicators(self) -> dict[str, Any]:
        """True indicators from the geometry: balconies count half, the basement does not count for the FAR."""
        area = float(self.site.area)
        footprint = float(shapely.union_all([h.outline for h in self.houses]).area)
        above = sum(
            h.outline.area * h.storeys + 0.5 * sum(b.area for b in h.balconies) * (h.storeys - 1) for h in self.houses
        )
        green = sum(float(g.area) for shapes in self.green.values() for g in shapes)
        return {
            "site_area_m2": area, "footprint_m2": footprint, "density": footprint / area, "far_area_m2": float(above),
            "far": float(above) / area, "gfa_m2": float(above) + float(self.basement.area), "green_m2": green,
            "green_ratio": green / area,
            "height_m": max(h.height for h in self.houses), "basement_m2": float(self.basement.area),
            "setback_m": min(float(self.site.exterior.distance(h.outline)) for h in self.houses),
            "setback_with_balconies_m": min(
                float(self.site.exterior.distance(g)) for h in self.houses for g in (h.outline, *h.balconies)
            ),
            "parking": len(self.stalls) + len(self.underground), "households": self.households,
            "buildings": [
                {"name": h.name, "footprint_m2": float(h.outline.area), "storeys": h.storeys, "height_m": h.height}
                for h in self.houses
            ],
        }  # fmt: skip

    @property
    def households(self) -> int:
        """Flats, from the floor area."""
        return int(sum(h.outline.area * h.storeys for h in self.houses) / FLAT)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where buildings can stand on a site, and how high."""

    site: Geometry
    limits: dict[str, float]
    build_to: Geometry
    turn: float
    size: tuple[float, float]
    outlines: list[Geometry]
    top: int

    @property
    def per_storey(self) -> float:
        """Floor area of one storey of all buildings (m²), balconies at half."""
        return float(sum(g.area for g in self.outlines)) + 0.5 * len(self.outlines) * 2 * BALCONY[0] * BALCONY[1]

    @property
    def capacity(self) -> float:
        """Share of the permitted floor area that the site takes at full height."""
        return self.top * self.per_storey / (self.limits["far_max"] * float(self.site.area))


def _layout(zoning: Table, row: int) -> _Layout:
    site = to_world([zoning.shapes[row]])[0]
    limits = {
        key: float(zoning.columns[key][row])
        for key in ("far_max", "density_max_pct", "green_min_pct", "height_max_m", "setback_m")
    }
    build_to = site.buffer(-limits["setback_m"], join_style="mitre").simplify(0.02)
    build_to = max(parts(build_to), key=lambda g: g.area)
    room = build_to.buffer(-BALCONY[1] - 0.3, join_style="mitre")
    turn = south_turn(site)
    top = int((limits["height_max_m"] - PARAPET) / STOREY)
    size = (34.0, 14.4) if top > 7 else (36.0, 12.2)
    gap = (13.0, 20.0) if top < 8 else (13.0, 26.0)
    outlines = rows_in(room, turn, size, gap, lambda at: body(_NOTCHED, at, *size, turn))
    most = limits["density_max_pct"] / 100 * site.area * 0.96
    kept = [_grid(g) for g in outlines][: int(most / (size[0] * size[1]))]
    return _Layout(site, limits, build_to, turn, size, kept, top)


def choose_parcels(town: Town, zoning: Table, number: int) -> list[int]:
    """Rows of the zoning fit for a housing project: R2, compact, roomy, no village on them, far apart if may be."""
    villages = shapely.union_all([v.area for v in town.country.villages])
    fit: list[tuple[float, int]] = []
    for k, (shape, code) in enumerate(zip(zoning.shapes, zoning.columns["class_code"], strict=True)):
        if code != "R2" or not 12000 < shape.area < 36000 or villages.intersects(shape):
            continue
        _, length, breadth = direction(shape)
        layout = _layout(zoning, k)
        if len(layout.outlines) > 3:
            roomy = 1.0 if layout.capacity > 1.1 and breadth > 95 else 0.0
            fit.append((roomy + float(shape.area) / (length * breadth) + float(shape.area) / 60000, k))
    chosen: list[int] = []
    for apart in (500.0, 200.0, 0.0):
        for _, k in sorted(fit, reverse=True):
            if len(chosen) < number and all(zoning.shapes[k].distance(zoning.shapes[c]) > apart for c in chosen):
                chosen.append(k)
    return chosen


def design(town: Town, zoning: Table, row: int, project: str, *, surplus: float = 0.0) -> Design:
    """A project that keeps every limit of its parcel.

    Args:
        surplus: share by which the floor area overshoots the limit on purpose (0 for a clean project).
    """
    plan = _layout(zoning, row)
    count = len(plan.outlines)
    allowed = plan.limits["far_max"] * float(plan.site.area) * (0.985 + surplus)
    storeys = min(plan.top, int(allowed / plan.per_storey))
    spare = int((allowed - storeys * plan.per_storey) / (plan.per_storey / count)) if storeys < plan.top else 0
    houses = []
    for n, outline in enumerate(plan.outlines, start=1):
        own = storeys + (1 if n <= spare else 0)
        houses.append(
            House(f"{n}#", outline, own, round(own * STOREY + PARAPET, 2), _balconies(outline, plan.turn, plan.size))
        )
    parcel = str(zoning.columns["parcel_no"][row])
    made = Design(
        project, parcel, plan.limits, plan.site, plan.build_to, houses, _basement(plan.build_to), {}, [], [], []
    )
    made.red_lines = _red_lines(town, plan.site)
    _open_space(made, plan.turn)
    return made


def _grid(shape: Geometry) -> Geometry:
    """The shape on the millimetre grid that the drawing has."""
    return shapely.transform(shape, lambda xy: np.round(xy, 3))


def _balconies(outline: Geometry, turn: float, size: tuple[float, float]) -> list[Geometry]:
    """Two balconies on the south wall, outside the main structure."""
    centre = np.array(outline.centroid.coords[0])
    found = []
    for side in (-1, 1):
        x, y = side * size[0] * 0.33, -size[1] / 2 - BALCONY[1] / 2
        at = centre + _turned(np.array([x, y]), turn)
        shape = body(((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)), at, *BALCONY, turn)
        found.append(_grid(max(parts(shape.difference(outline)), key=lambda g: g.area)))
    return found


def _turned(v: Array, turn: float) -> Array:
    return np.array([np.cos(turn) * v[0] - np.sin(turn) * v[1], np.sin(turn) * v[0] + np.cos(turn) * v[1]])


def _basement(build_to: Geometry) -> Geometry:
    return _grid(max(parts(build_to.buffer(-2.0, join_style="mitre").simplify(0.05)), key=lambda g: g.area))


def _red_lines(town: Town, site: Geometry) -> list[Geometry]:
    """Road red lines beside the parcel."""
    border = to_world([town.network.surface.boundary])[0]
    near = border.intersection(site.buffer(45))
    return [g.simplify(0.05) for g in shapely.get_parts(shapely.line_merge(near)) if g.length > 25]


def _open_space(made: Design, turn: float) -> None:
    """Ring road, paths, parking on the surface and underground, and green on what is left (in place)."""
    site = made.site
    bodies = shapely.union_all([h.outline for h in made.houses] + [b for h in made.houses for b in h.balconies])
    outer, inner = site.buffer(-3.2, join_style="mitre"), site.buffer(-7.6, join_style="mitre")
    ring = outer.difference(inner)
    middle = np.array(site.centroid.coords[0])
    gate = shapely.linestrings([middle, middle + 400 * _turned(np.array([0.0, 1.0]), turn)]).buffer(4.0)
    made.roads = parts(ring, 10)
    made.stalls = _stalls(inner, bodies, gate)
    paths = []
    for house in made.houses:
        centre = np.array(house.outline.centroid.coords[0])
        up = _turned(np.array([0.0, 1.0]), turn)
        paths.append(shapely.linestrings([centre - 400 * up, centre + 400 * up]).buffer(1.1))
    hard = shapely.union_all(
        [bodies.buffer(1.5, join_style="mitre"), gate, *paths, *[s.buffer(0.3) for s in made.stalls]]
    )
    beds = [_grid(g) for g in parts(inner.buffer(-0.4).difference(hard).buffer(-0.6).buffer(0.6).simplify(0.03), 60)]
    beds = [g for g in beds if not len(g.interiors)]
    beds.sort(key=lambda g: -g.area)
    strip = parts(site.buffer(-0.3).difference(outer.buffer(0.2)).difference(gate), 30)
    strip = [_grid(g) for g in strip if not len(g.interiors)]
    made.green = {"集中": beds[:1], "宅旁": beds[1:], "道路": strip}
    wanted = max(0, int(made.households * 1.05) + 1 - len(made.stalls))
    made.underground = _underground(made.basement, turn, wanted)


def _stalls(inner: Geometry, bodies: Geometry, gate: Geometry) -> list[Geometry]:
    """Perpendicular stalls along the inner edge of the ring road."""
    ring = inner.exterior
    found: list[Geometry] = []
    blocked = shapely.union_all([bodies.buffer(2.2), gate])
    for m in np.arange(6.0, ring.length - 6.0, STALL[0] + 0.02):
        if (m // 42) % 2:
            continue
        a, b = ring.interpolate(m), ring.interpolate(m + 0.5)
        d = np.array([b.x - a.x, b.y - a.y])
        d /= np.hypot(*d)
        for normal in (np.array([-d[1], d[0]]), np.array([d[1], -d[0]])):
            p = np.array([a.x, a.y]) + 0.05 * normal
            corners = [p, p + d * STALL[0], p + d * STALL[0] + normal * STALL[1], p + normal * STALL[1]]
            shape = _grid(shapely.polygons(np.array(corners)))
            if (
                inner.contains(shape)
                and not blocked.intersects(shape)
                and not any(shape.intersects(o) for o in found[-3:])
            ):
                found.append(shape)
                break
    return found


def _underground(basement: Geometry, turn: float, wanted: int) -> list[Geometry]:
    """Stalls in double rows with 6 m aisles, as many as wanted or fit on one level (two levels if need be)."""
    centre = tuple(basement.centroid.coords[0])
    level = affinity.rotate(basement, -np.degrees(turn), origin=centre).buffer(-1.0)
    x0, y0, x1, y1 = level.bounds
    boxes, y, step = [], y0 + 1, 0
    while y + STALL[1] < y1:
        xs = np.arange(x0 + 1, x1 - STALL[0], STALL[0])
        boxes += [shapely.box(x, y, x + STALL[0], y + STALL[1]) for x in xs]
        y += STALL[1] + (6.0 if step % 2 else 0.0)
        step += 1
    shapely.prepare(level)
    inside = [b for b in boxes if level.contains(b)][:wanted]
    return [_grid(affinity.rotate(b, np.degrees(turn), origin=centre)) for b in inside]


def moved(house: House, dx: float, dy: float) -> House:
    """The building shifted by metres."""
    shift = [affinity.translate(g, dx, dy) for g in (house.outline, *house.balconies)]
    return replace(house, outline=_grid(shift[0]), balconies=[_grid(g) for g in shift[1:]])
