"""The tunnel's alignment and cross sections: compartments, what lies where in them, heights."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from planner_app.domain.layer import PlanInfo, PlanKind
from sample_projects.curves import Array, Geometry, line_parts
from sample_projects.tables import Town
from sample_projects.terrain import STREET

TUNNEL = PlanInfo(
    "utility_tunnel",
    PlanKind.OTHER,
    "综合管廊与管线",
    "滨海新城管廊运营公司",
    "2021 竣工",
    "2021-10-28",
    "",
    "管廊竣工测量与运维台账",
)
EDITION = "GB 50838-2015"
ROADS = ("滨江大道", "新城大道")
GROUND = 6.4  # metres from the tunnel floor to the ground


@dataclass(frozen=True, slots=True)
class Room:
    """A compartment of a cross section: kind, letter, left and right wall (m), clear height (m)."""

    kind: str
    letter: str
    left: float
    right: float
    height: float

    @property
    def middle(self) -> float:
        """Distance of its middle from the axis, m."""
        return (self.left + self.right) / 2

    @property
    def area(self) -> float:
        """Clear cross section, m²."""
        return (self.right - self.left) * self.height


@dataclass(frozen=True, slots=True)
class Place:
    """What lies where in a cross section: room, x and y of the axis, outer diameter (m), pressure or voltage."""

    network: str
    kind_code: str
    room: str
    x: float
    y: float
    outer: float
    dn_mm: int
    material: str
    rating: str
    count: int = 1


#: Cross sections. Kind codes are the pipe kinds of CJJ 61-2017.
ROOMS = {
    "P3": (Room("燃气", "G", -4.5, -2.25, 3.0), Room("综合", "Z", -2.0, 1.6, 3.0), Room("电力", "D", 1.85, 4.35, 3.0)),
    "P2": (Room("综合", "Z", -2.6, 0.8, 2.8), Room("电力", "D", 1.05, 3.2, 2.8)),
}
PLACES = {
    "P3": (
        Place("gas", "RQ", "G", -3.6, 0.75, 0.426, 400, "无缝钢管", "中压A 0.4 MPa"),
        Place("water", "JS", "Z", -1.15, 0.75, 0.82, 800, "球墨铸铁", "1.0 MPa"),
        Place("reclaimed", "ZS", "Z", -1.3, 1.75, 0.325, 300, "球墨铸铁", "0.6 MPa"),
        Place("telecom", "DX", "Z", 1.25, 1.5, 0.1, 100, "光缆桥架", "", 12),
        Place("telecom", "DX", "Z", 1.25, 2.0, 0.1, 100, "光缆桥架", "", 8),
        Place("power", "GD", "D", 2.15, 0.6, 0.12, 120, "YJLW 电缆", "110 kV", 3),
        Place("power", "GD", "D", 4.05, 1.1, 0.09, 90, "YJV 电缆", "10 kV", 6),
        Place("power", "GD", "D", 4.05, 1.7, 0.09, 90, "YJV 电缆", "10 kV", 6),
    ),
    "P2": (
        Place("water", "JS", "Z", -1.9, 0.7, 0.63, 600, "球墨铸铁", "1.0 MPa"),
        Place("reclaimed", "ZS", "Z", -2.05, 1.6, 0.219, 200, "球墨铸铁", "0.6 MPa"),
        Place("telecom", "DX", "Z", 0.5, 1.6, 0.1, 100, "光缆桥架", "", 10),
        Place("power", "GD", "D", 2.9, 0.9, 0.09, 90, "YJV 电缆", "10 kV", 6),
    ),
}  # fmt: skip
SENSORS = {
    "综合": (("o2", "%", 0.0, 30.0), ("temp", "℃", -20.0, 60.0), ("rh", "%", 0.0, 100.0), ("level", "m", 0.0, 2.0)),
    "电力": (("temp", "℃", -20.0, 60.0), ("cable_temp", "℃", 0.0, 120.0)),
    "燃气": (("ch4", "%LEL", 0.0, 100.0), ("o2", "%", 0.0, 30.0)),
}


@dataclass(slots=True)
class Line:
    """One tunnel: its axis in the plane, cross section, and chainages of its sections."""

    code: str
    name: str
    kind: str
    profile: str
    axis: Geometry
    stations: list[float]

    def at(self, m: float, aside: float = 0.0) -> Array:
        """The point at a chainage, ``aside`` metres to the right of the axis."""
        a, b = self.axis.interpolate(max(m - 1, 0)), self.axis.interpolate(min(m + 1, self.axis.length))
        d = np.array([b.x - a.x, b.y - a.y])
        d /= np.hypot(*d)
        p = self.axis.interpolate(m)
        return np.array([p.x + d[1] * aside, p.y - d[0] * aside])

    def fire_zones(self) -> list[tuple[float, float]]:
        """Chainages of fire zones of at most 200 m, as built under the 2015 edition."""
        cuts = np.linspace(0, self.axis.length, int(np.ceil(self.axis.length / 196)) + 1)
        return [(float(a), float(b)) for a, b in pairwise(cuts)]


@dataclass(frozen=True, slots=True)
class Level:
    """Heights along the tunnels: the floor lies 6.4 m under a plain smoothed to between 3.6 and 5.4 m."""

    town: Town

    def z(self, xy: Array, up: float = 0.0) -> float:
        """Height (m) of something ``up`` metres above the tunnel floor at a place; the ground is at ``GROUND``."""
        ground = float(np.clip(self.town.terrain.height_at(float(xy[0]), float(xy[1])), 3.6, STREET))
        return round(ground - GROUND + up, 3)

    def point(self, xy: Array, up: float = 0.0) -> Geometry:
        """A point with height."""
        return shapely.points(round(float(xy[0]), 3), round(float(xy[1]), 3), self.z(xy, up))

    def run(self, line: Line, low: float, high: float, aside: float, up: float) -> Geometry:
        """A line with heights along the tunnel between two chainages."""
        count = max(2, int((high - low) / 25) + 1)
        xy = np.array([line.at(m, aside) for m in np.linspace(low, high, count)])
        return shapely.linestrings(np.column_stack([xy.round(3), [self.z(p, up) for p in xy]]))

    def straight(self, a: Array, up_a: float, b: Array, up_b: float) -> Geometry:
        """A straight line with heights."""
        return shapely.linestrings([(*a.round(3), self.z(a, up_a)), (*b.round(3), self.z(b, up_b))])


def tunnel_lines(town: Town) -> list[Line]:
    """Axes beside the centreline of the two roads, from west to east and from south to north."""
    found = []
    for code, name, kind, profile, road, aside, box in (
        ("GL01", "滨江大道管廊", "trunk", "P3", ROADS[0], 11.0, (1750, 1000, 5250, 4000)),
        ("GL02", "新城大道管廊", "branch", "P2", ROADS[1], -10.0, (2000, 1690, 4000, 4020)),
    ):
        centre = shapely.line_merge(shapely.union_all(town.network.named(road).lines))
        inside = max(line_parts(centre.intersection(shapely.box(*box))), key=lambda g: g.length)
        xy = shapely.get_coordinates(inside)
        backward = xy[0][0] > xy[-1][0] if code == "GL01" else xy[0][1] > xy[-1][1]
        axis = max(
            line_parts(shapely.linestrings(xy[::-1] if backward else xy).offset_curve(aside)), key=lambda g: g.length
        )
        axis = axis.simplify(0.2)
        number = round(axis.length / 520)
        stations = [float(m) for m in np.linspace(0, axis.length, number + 1).round(2)]
        stations[-1] = float(axis.length)
        found.append(Line(code, name, kind, profile, axis, stations))
    trunk, branch = found
    meet = float(trunk.axis.project(shapely.points(branch.at(0.0))))
    nearest = min(range(1, len(trunk.stations) - 1), key=lambda n: abs(trunk.stations[n] - meet))
    trunk.stations[nearest] = round(meet, 2)  # the branch leaves from a station
    return found
