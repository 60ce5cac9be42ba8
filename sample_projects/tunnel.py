"""A utility tunnel under 滨江大道 with a branch under 新城大道: structure, pipes at their supports, valves and sensors.

Tables and words follow the data model that the tunnel work uses: chainage in metres from the western end, cross
section x to the right and y up from the middle of the floor, heights in the 1985 datum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from planner_app.domain.layer import PlanInfo, PlanKind
from sample_projects.curves import Array, Geometry, line_parts
from sample_projects.tables import Rows, Table, Town

TUNNEL = PlanInfo(
    "utility_tunnel", PlanKind.OTHER, "综合管廊与管线", "滨海新城管廊运营公司", "2021 竣工", "2021-10-28", "", "管廊竣工测量与运维台账"
)
EDITION = "GB 50838-2015"


@dataclass(frozen=True, slots=True)
class Room:
    """A compartment of a cross section: kind, letter, left and right wall (m), clear height (m)."""

    kind: str
    letter: str
    left: float
    right: float
    height: float


@dataclass(frozen=True, slots=True)
class Place:
    """What lies where in the cross section: network, room, x and y of the axis (m), outer diameter (m), the rest as text."""

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
    "P3": (Room("燃气", "G", -4.35, -2.25, 3.0), Room("综合", "Z", -2.0, 1.6, 3.0), Room("电力", "D", 1.85, 4.35, 3.0)),
    "P2": (Room("综合", "Z", -2.6, 0.8, 2.8), Room("电力", "D", 1.05, 3.2, 2.8)),
}
PLACES = {
    "P3": (
        Place("gas", "RQ", "G", -3.3, 0.75, 0.426, 400, "无缝钢管", "中压A 0.4 MPa"),
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


def floor_z(town: Town, x: float, y: float) -> float:
    """Height of the tunnel floor: 6.4 m under a plain smoothed to between 3.6 and 5.4 m."""
    return float(np.clip(town.terrain.height_at(x, y), 3.6, 5.4)) - 6.4


def make_tunnel(town: Town) -> tuple[list[Table], dict[str, Any]]:
    """All tables of the tunnel, and what is known to be wrong with it (for those who test the tunnel work)."""
    rng = np.random.default_rng([town.seed, 50])
    lines = _lines(town)
    return _Writer(town, rng, lines).tables()


def _lines(town: Town) -> list[Line]:
    """Axes beside the centreline of the two roads, from west to east and from south to north."""
    found = []
    for code, name, kind, profile, road, aside, box in (
        ("GL01", "滨江大道管廊", "trunk", "P3", "滨江大道", 11.0, (1750, 1000, 5250, 4000)),
        ("GL02", "新城大道管廊", "branch", "P2", "新城大道", -10.0, (2000, 1690, 4000, 4020)),
    ):
        centre = shapely.line_merge(shapely.union_all(town.network.named(road).lines))
        inside = max(line_parts(centre.intersection(shapely.box(*box))), key=lambda g: g.length)
        xy = shapely.get_coordinates(inside)
        backward = xy[0][0] > xy[-1][0] if code == "GL01" else xy[0][1] > xy[-1][1]
        axis = max(line_parts(shapely.linestrings(xy[::-1] if backward else xy).offset_curve(aside)), key=lambda g: g.length)
        axis = axis.simplify(0.2)
        number = round(axis.length / 520)
        stations = [float(m) for m in np.linspace(0, axis.length, number + 1).round(2)]
        stations[-1] = float(axis.length)
        found.append(Line(code, name, kind, profile, axis, stations))
    return found


class _Writer:
    """Fills the tables of the tunnel one after the other."""

    def __init__(self, town: Town, rng: np.random.Generator, lines: list[Line]) -> None:
        self.town, self.rng, self.lines = town, rng, lines
        self.nodes: dict[tuple[str, int, int], str] = {}
        self.truth: dict[str, Any] = {}
        self.sensor_rows: list[tuple[int, str, str, str, float]] = []

    def z(self, xy: Array, up: float = 0.0) -> float:
        """Height of something ``up`` metres above the tunnel floor at a place."""
        return round(floor_z(self.town, float(xy[0]), float(xy[1])) + up, 3)

    def point(self, xy: Array, up: float = 0.0) -> Geometry:
        """A point with height."""
        return shapely.points(round(float(xy[0]), 3), round(float(xy[1]), 3), self.z(xy, up))

    def run(self, line: Line, low: float, high: float, aside: float, up: float) -> Geometry:
        """A line with heights along the tunnel between two chainages."""
        count = max(2, int((high - low) / 25) + 1)
        xy = np.array([line.at(m, aside) for m in np.linspace(low, high, count)])
        z = np.array([self.z(p, up) for p in xy])
        return shapely.linestrings(np.column_stack([xy.round(3), z]))

    def tables(self) -> tuple[list[Table], dict[str, Any]]:
        """Every table, those with the most to see first."""
        made = [self._sensors(), self._tunnel_nodes(), *self._networks(), *self._structure()]
        return made, self.truth

    def _structure(self) -> list[Table]:
        tunnels = Rows(
            ("code", "text", "管廊编号"), ("name", "text", "管廊名称"), ("kind", "text", "类型"), ("method", "text", "工法"),
            ("profile", "text", "断面"), ("from_m", "real", "起点里程（m）"), ("to_m", "real", "终点里程（m）"),
            ("built_edition", "text", "设计标准"), ("status", "text", "状态"), ("built_year", "integer", "建成年份"),
        )  # fmt: skip
        sections = Rows(
            ("code", "text", "区段编号"), ("tunnel", "text", "管廊编号"), ("from_m", "real", "起点里程（m）"), ("to_m", "real", "终点里程（m）"),
            ("profile", "text", "断面"), ("status", "text", "状态"),
        )  # fmt: skip
        rooms = Rows(
            ("code", "text", "舱室编号"), ("section", "text", "区段编号"), ("kind", "text", "舱室类型"), ("from_m", "real", "起点里程（m）"),
            ("to_m", "real", "终点里程（m）"), ("outline", "text", "断面轮廓（m）"), ("area_m2", "real", "净断面积（m²）"),
        )  # fmt: skip
        zones = Rows(
            ("code", "text", "防火分区编号"), ("tunnel", "text", "管廊编号"), ("compartment", "text", "舱室类型"), ("from_m", "real", "起点里程（m）"),
            ("to_m", "real", "终点里程（m）"), ("length_m", "real", "长度（m）"), ("sump_pump_m3h", "real", "排水泵（m³/h）"),
            ("air_changes", "real", "正常换气（次/h）"),
        )  # fmt: skip
        supports = Rows(
            ("code", "text", "支架编号"), ("section", "text", "区段编号"), ("compartment", "text", "舱室类型"), ("side", "text", "侧"),
            ("level", "integer", "层"), ("x", "real", "x（m）"), ("y", "real", "y（m）"), ("length_m", "real", "长度（m）"),
            ("capacity_kg", "real", "承载（kg）"),
        )  # fmt: skip
        for line in self.lines:
            method = "明挖现浇"
            whole = self.run(line, 0, line.axis.length, 0, 0)
            tunnels.add(whole, line.code, line.name, line.kind, method, line.profile, 0.0, round(line.axis.length, 2), EDITION, "in_use", 2021)
            for n, (low, high) in enumerate(zip(line.stations[:-1], line.stations[1:], strict=True), start=1):
                section = f"{line.code}-{n:02d}"
                sections.add(self.run(line, low, high, 0, 0), section, line.code, round(low, 2), round(high, 2), line.profile, "in_use")
                for room in ROOMS[line.profile]:
                    outline = f"POLYGON(({room.left} 0,{room.right} 0,{room.right} {room.height},{room.left} {room.height},{room.left} 0))"
                    middle = (room.left + room.right) / 2
                    rooms.add(
                        self.run(line, low, high, middle, 0), f"{section}-{room.letter}", section, room.kind, round(low, 2),
                        round(high, 2), outline, round((room.right - room.left) * room.height, 3),
                    )  # fmt: skip
                    for level in range(1, 4 if room.kind == "电力" else 3):
                        side = "右" if room.kind != "燃气" else "左"
                        x = room.right - 0.3 if side == "右" else room.left + 0.3
                        supports.add(
                            None, f"{section}-{room.letter}-{level}", section, room.kind, side, level, round(x, 3),
                            round(0.6 + 0.5 * (level - 1), 3), 0.6, 250.0,
                        )  # fmt: skip
            for room in ROOMS[line.profile]:
                for low, high in self.fire_zones(line):
                    code = f"{line.code}-{room.letter}-{round(low):04d}"
                    zones.add(
                        self.run(line, low, high, (room.left + room.right) / 2, 0), code, line.code, room.kind, round(low, 2),
                        round(high, 2), round(high - low, 2), 30.0, 6.0 if room.kind == "燃气" else 2.0,
                    )  # fmt: skip
        about = {"plan": TUNNEL, "source": "管廊竣工测量"}
        return [
            tunnels.table("tunnel", "综合管廊", "line", label_field="name", look="tunnel", **about),
            sections.table("tunnel_section", "管廊区段", "line", visible=False, look="thin", **about),
            rooms.table("compartment", "管廊舱室", "line", visible=False, look="thin", **about),
            zones.table("fire_zone", "防火分区", "line", visible=False, look="thin", **about),
            supports.table("support", "支架", "none", visible=False, **about),
        ]

    def fire_zones(self, line: Line) -> list[tuple[float, float]]:
        """Fire zones of at most 200 m, as built under the 2015 edition."""
        number = int(np.ceil(line.axis.length / 196))
        cuts = np.linspace(0, line.axis.length, number + 1)
        return [(float(a), float(b)) for a, b in zip(cuts[:-1], cuts[1:], strict=True)]

    def _tunnel_nodes(self) -> Table:
        out = Rows(
            ("code", "text", "节点编号"), ("tunnel", "text", "管廊编号"), ("kind", "text", "节点类型"), ("m", "real", "里程（m）"),
            ("compartment", "text", "舱室类型"), ("clear_size", "text", "净尺寸（m）"), ("flood_sill_z", "real", "挡水门槛高程（m）"),
        )  # fmt: skip
        number = 0
        for line in self.lines:
            spacing = {"通风口进": 200.0, "通风口排": 200.0, "投料口": 385.0, "逃生口": 195.0, "人员出入口": 1500.0, "集水坑": 200.0, "分支口": 300.0}
            for kind, every in spacing.items():
                stations = np.arange(every * 0.4, line.axis.length, every)
                if line.code == "GL02" and kind == "投料口" and len(stations) > 3:
                    stations = np.delete(stations, 2)
                    self.truth["feed_opening_gap"] = {"tunnel": line.code, "from_m": round(float(stations[1]), 2), "to_m": round(float(stations[2]), 2), "limit_m": 400}
                for m in stations:
                    number += 1
                    at = line.at(float(m), 2.0)
                    sill = round(self.z(at, 6.4) + 0.55, 3)
                    size = {"投料口": "1.2×7.0", "人员出入口": "1.5×2.2", "逃生口": "φ1.0"}.get(kind, "1.0×1.0")
                    out.add(self.point(at, 6.4), f"JD{number:04d}", line.code, kind, round(float(m), 2), "综合", size, sill)
        trunk, branch = self.lines
        for kind, line, m in (("端部井", trunk, 0.0), ("端部井", trunk, trunk.axis.length), ("交叉口", branch, 0.0), ("端部井", branch, branch.axis.length)):
            number += 1
            at = line.at(m)
            out.add(self.point(at, 6.4), f"JD{number:04d}", line.code, kind, round(m, 2), "综合", "—", round(self.z(at, 6.4) + 0.5, 3))
        centre = trunk.at(trunk.axis.project(shapely.points(branch.at(0.0))) - 60, 26)
        out.add(self.point(centre, 6.8), f"JD{number + 1:04d}", trunk.code, "监控中心", 0.0, "", "—", round(self.z(centre, 7.2), 3))
        return out.table(
            "tunnel_node", "管廊节点", "point", plan=TUNNEL, class_field="kind", class_standard="text", source="管廊竣工测量", visible=False,
            look="nodes",
        )  # fmt: skip

    def _networks(self) -> list[Table]:
        """Pipes and cables section by section, their nodes, valves, customers and places on the supports."""
        nodes = Rows(
            ("code", "text", "管点编号"), ("network", "text", "管线类别"), ("feature_code", "text", "特征代码"), ("ground_z", "real", "地面高程（m）"),
            ("source", "boolean", "水源/气源"),
        )  # fmt: skip
        pipes = Rows(
            ("code", "text", "管段编号"), ("network", "text", "管线类别"), ("kind_code", "text", "管类代码"), ("from_node", "text", "起点"),
            ("to_node", "text", "终点"), ("shape", "text", "截面"), ("dn_mm", "integer", "公称直径（mm）"), ("material", "text", "材质"),
            ("laying", "text", "埋设方式"), ("z_ref", "text", "高程基准"), ("z1", "real", "起点高程（m）"), ("z2", "real", "终点高程（m）"),
            ("depth1", "real", "起点埋深（m）"), ("depth2", "real", "终点埋深（m）"), ("rating", "text", "压力/电压"), ("cables", "integer", "根数"),
            ("status", "text", "状态"), ("year", "integer", "敷设年份"),
        )  # fmt: skip
        places = Rows(
            ("line", "text", "管段编号"), ("section", "text", "区段编号"), ("compartment", "text", "舱室类型"), ("from_m", "real", "起点里程（m）"),
            ("to_m", "real", "终点里程（m）"), ("x", "real", "x（m）"), ("y", "real", "y（m）"), ("outer_d", "real", "外径（m）"),
        )  # fmt: skip
        valves = Rows(
            ("code", "text", "阀门编号"), ("node", "text", "管点编号"), ("network", "text", "管线类别"), ("type", "text", "类型"),
            ("normally_open", "boolean", "常开"), ("is_open", "boolean", "当前开启"), ("operable", "boolean", "可操作"),
            ("last_exercised", "date", "最近启闭"), ("dn_mm", "integer", "公称直径（mm）"),
        )  # fmt: skip
        customers = Rows(
            ("code", "text", "用户点编号"), ("line", "text", "管段编号"), ("network", "text", "管线类别"), ("customer_count", "integer", "用户数"),
            ("critical", "boolean", "重要用户"), ("name", "text", "用户"),
        )  # fmt: skip
        self._n = self._p = 0

        def node(network: str, xy: Array, up: float, feature: str, source: bool = False) -> str:
            self._n += 1
            code = f"GD{self._n:05d}"
            nodes.add(self.point(xy, up), code, network, feature, self.z(xy, 6.4), source)
            return code

        def pipe(shape: Geometry, place: Place, a: str, b: str, laying: str, year: int) -> str:
            self._p += 1
            code = f"GX{self._p:05d}"
            z = shapely.get_coordinates(shape, include_z=True)
            ground = [self.z(z[k, :2], 6.4) for k in (0, -1)]
            depth = [round(g - float(z[k, 2]), 3) for g, k in zip(ground, (0, -1), strict=True)]
            pipes.add(
                shape, code, place.network, place.kind_code, a, b, "圆形", place.dn_mm, place.material, laying, "axis",
                round(float(z[0, 2]), 3), round(float(z[-1, 2]), 3), depth[0], depth[1], place.rating, place.count, "in_use", year,
            )  # fmt: skip
            return code

        def valve(at: str, xy: Array, up: float, place: Place, operable: bool = True) -> str:
            code = f"FM{len(valves.columns['code']) + 1:04d}"
            kind = "球阀" if place.network == "gas" else "蝶阀" if place.dn_mm >= 300 else "闸阀"
            day = f"{2023 + int(self.rng.random() < 0.6)}-{int(self.rng.integers(1, 10)):02d}-{int(self.rng.integers(1, 28)):02d}"
            valves.add(self.point(xy, up), code, at, place.network, kind, True, True, operable, day, place.dn_mm)
            return code

        piped = ("water", "reclaimed", "gas")
        seized = ""
        for line in self.lines:
            for k, place in enumerate(PLACES[line.profile]):
                for n, m in enumerate(line.stations):
                    ends = n in (0, len(line.stations) - 1)
                    source = place.network in piped and line.kind == "trunk" and n == 0
                    source = source or (place.network == "water" and line.kind == "trunk" and ends)
                    xy = line.at(m, place.x)
                    feature = "源点" if source else "阀门" if place.network in piped and not ends else "管点"
                    self.nodes[line.code, k, n] = node(place.network, xy, place.y, feature, source)
                    if place.network in piped and not ends:
                        stuck = place.network == "water" and line.kind == "trunk" and n == 3
                        made = valve(self.nodes[line.code, k, n], xy, place.y, place, not stuck)
                        seized = made if stuck else seized
                for n, (low, high) in enumerate(zip(line.stations[:-1], line.stations[1:], strict=True)):
                    code = pipe(
                        self.run(line, low, high, place.x, place.y), place, self.nodes[line.code, k, n],
                        self.nodes[line.code, k, n + 1], "管廊", 2021,
                    )  # fmt: skip
                    room = next(r for r in ROOMS[line.profile] if r.letter == place.room)
                    places.add(
                        None, code, f"{line.code}-{n + 1:02d}", room.kind, round(low, 2), round(high, 2), place.x, place.y, place.outer
                    )
        self.truth["seized_valve"] = seized
        self._join_branch(pipe)
        self._customers(node, pipe, valve, customers, piped)
        about = {"plan": TUNNEL, "source": "管线普查 2023", "visible": False}
        return [
            valves.table("valve", "阀门", "point", class_field="network", class_standard="text", look="valves", **about),
            customers.table("service_point", "用户点", "point", look="nodes", **about),
            nodes.table("net_node", "管点", "point", look="dots", **about),
            pipes.table("net_line", "管线", "line", class_field="network", class_standard="text", look="pipes", **about),
            places.table("line_placement", "入廊位置", "none", **about),
        ]

    def _join_branch(self, pipe: Any) -> None:
        """Connect the branch's pipes to the trunk's nearest station."""
        trunk, branch = self.lines
        m = trunk.axis.project(shapely.points(branch.at(0.0)))
        station = int(np.argmin([abs(s - m) for s in trunk.stations]))
        for kb, place in enumerate(PLACES[branch.profile]):
            kt = next(k for k, p in enumerate(PLACES[trunk.profile]) if p.network == place.network)
            over = PLACES[trunk.profile][kt]
            a, b = trunk.at(trunk.stations[station], over.x), branch.at(0.0, place.x)
            shape = shapely.linestrings([(*a.round(3), self.z(a, over.y)), (*b.round(3), self.z(b, place.y))])
            pipe(shape, place, self.nodes[trunk.code, kt, station], self.nodes[branch.code, kb, 0], "管廊", 2021)

    def _customers(self, node: Any, pipe: Any, valve: Any, customers: Rows, piped: tuple[str, ...]) -> None:
        """Buried laterals from the stations to the parcels on both sides, each with a valve and a customer."""
        blocks = [p for p in self.town.parcels if p.kind == "block" and p.code[0] in "RABM"]
        points = shapely.points([p.centre for p in blocks])
        tree = shapely.STRtree(points)
        used: set[int] = set()
        for line in self.lines:
            for n, m in enumerate(line.stations[1:-1], start=1):
                for k, place in enumerate(PLACES[line.profile]):
                    if place.network not in piped or (place.network == "reclaimed" and n % 2):
                        continue
                    start = line.at(m, place.x)
                    for host in tree.query(shapely.points(start), predicate="dwithin", distance=330):
                        parcel = blocks[int(host)]
                        key = int(host) * 10 + piped.index(place.network)
                        if key in used or len([u for u in used if u // 10 == int(host)]) > 1:
                            continue
                        used.add(key)
                        end = np.array(parcel.centre)
                        gate = start + (end - start) * 0.25
                        small = Place(place.network, place.kind_code, "", 0, 0, 0.22, 200, "PE100", place.rating)
                        up = 5.2  # buried 1.2 m under the street
                        a = node(place.network, gate, up, "阀门")
                        b = node(place.network, end, up, "进户点")
                        first = shapely.linestrings([(*start.round(3), self.z(start, place.y)), (*gate.round(3), self.z(gate, up))])
                        second = shapely.linestrings([(*gate.round(3), self.z(gate, up)), (*end.round(3), self.z(end, up))])
                        pipe(first, small, self.nodes[line.code, k, n], a, "直埋", 2021)
                        code = pipe(second, small, a, b, "直埋", 2022)
                        valve(a, gate, up, small)
                        count = int(parcel.geometry.area / (28 if parcel.code[0] == "R" else 900)) + 1
                        number = len(customers.columns["code"]) + 1
                        customers.add(
                            self.point(end, 6.4), f"YH{number:04d}", code, place.network, count, parcel.code in ("A5", "A33"), parcel.number
                        )
                        break

    def _sensors(self) -> Table:
        out = Rows(
            ("sensor_id", "integer", "传感器号"), ("code", "text", "编号"), ("kind", "text", "类型"), ("unit", "text", "单位"),
            ("tunnel", "text", "管廊编号"), ("compartment", "text", "舱室类型"), ("m", "real", "里程（m）"), ("range_min", "real", "量程下限"),
            ("range_max", "real", "量程上限"), ("calibrated_on", "date", "检定日期"), ("due", "date", "检定到期"),
        )  # fmt: skip
        number = 0
        overdue = []
        for line in self.lines:
            for n, (low, high) in enumerate(self.fire_zones(line)):
                if n % 2 == (line.kind == "branch"):
                    continue
                for room in ROOMS[line.profile]:
                    for kind, unit, least, most in SENSORS[room.kind]:
                        number += 1
                        m = float(low + (high - low) * self.rng.uniform(0.3, 0.7))
                        late = number % 37 == 0
                        day = "2023-08-15" if late else f"2024-0{int(self.rng.integers(3, 9))}-12"
                        if late:
                            overdue.append(number)
                        year = int(day[:4]) + 1
                        xy = line.at(m, (room.left + room.right) / 2)
                        up = 0.1 if kind == "level" else 2.6
                        code = f"{line.code}-{room.letter}-{kind.upper()}-{round(m):04d}"
                        out.add(self.point(xy, up), number, code, kind, unit, line.code, room.kind, round(m, 2), least, most, day, f"{year}{day[4:]}")
                        self.sensor_rows.append((number, kind, line.code, room.kind, m))
        self.truth["calibration_overdue"] = overdue
        self.town.extra["sensors"] = self.sensor_rows
        return out.table(
            "sensor", "传感器", "point", plan=TUNNEL, class_field="kind", class_standard="text", source="管廊监控系统", visible=False,
            look="sensors",
        )  # fmt: skip
