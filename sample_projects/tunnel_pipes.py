"""Pipes and cables in the tunnel and the buried laterals from it: nodes, lines, placements, valves, customers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely

from sample_projects.curves import Array, Geometry
from sample_projects.tables import Rows, Table
from sample_projects.tunnel_laterals import Laterals
from sample_projects.tunnel_sections import GROUND, PLACES, ROOMS, TUNNEL, Level, Line, Place

PIPED = ("water", "reclaimed", "gas")
OWNERS = {
    "water": "滨海水务集团", "reclaimed": "滨海水务集团", "gas": "滨海燃气公司", "power": "滨海供电公司",
    "telecom": "滨海通信基础设施公司",
}  # fmt: skip


class Networks:
    """Fills the tables of the networks section by section.

    Attributes:
        seized: code of the valve that cannot be worked, planted for those who isolate a pipe.
    """

    def __init__(self, level: Level, rng: np.random.Generator, lines: list[Line]) -> None:
        self.level, self._rng, self._lines = level, rng, lines
        self._stations: dict[tuple[str, int, int], str] = {}
        self.seized = ""
        self._nodes = Rows(
            ("code", "text", "管点编号"), ("network", "text", "管线类别"), ("feature_code", "text", "特征代码"),
            ("ground_z", "real", "地面高程（m）"), ("source", "boolean", "水源/气源"),
        )  # fmt: skip
        self._pipes = Rows(
            ("code", "text", "管段编号"), ("network", "text", "管线类别"), ("kind_code", "text", "管类代码"),
            ("from_node", "text", "起点"), ("to_node", "text", "终点"), ("shape", "text", "截面"),
            ("dn_mm", "integer", "公称直径（mm）"), ("material", "text", "材质"), ("laying", "text", "埋设方式"),
            ("z_ref", "text", "高程基准"), ("z1", "real", "起点高程（m）"), ("z2", "real", "终点高程（m）"),
            ("depth1", "real", "起点埋深（m）"), ("depth2", "real", "终点埋深（m）"), ("rating", "text", "压力/电压"),
            ("cables", "integer", "根数"), ("status", "text", "状态"), ("year", "integer", "敷设年份"),
            ("owner", "text", "权属单位"),
        )  # fmt: skip
        self._places = Rows(
            ("line", "text", "管段编号"), ("section", "text", "区段编号"), ("compartment", "text", "舱室类型"),
            ("from_m", "real", "起点里程（m）"), ("to_m", "real", "终点里程（m）"), ("x", "real", "x（m）"),
            ("y", "real", "y（m）"), ("outer_d", "real", "外径（m）"),
        )  # fmt: skip
        self._valves = Rows(
            ("code", "text", "阀门编号"), ("node", "text", "管点编号"), ("network", "text", "管线类别"),
            ("type", "text", "类型"), ("normally_open", "boolean", "常开"), ("is_open", "boolean", "当前开启"),
            ("operable", "boolean", "可操作"), ("last_exercised", "date", "最近启闭"),
            ("dn_mm", "integer", "公称直径（mm）"),
        )  # fmt: skip
        self._customers = Rows(
            ("code", "text", "用户点编号"), ("line", "text", "管段编号"), ("network", "text", "管线类别"),
            ("customer_count", "integer", "用户数"), ("critical", "boolean", "重要用户"), ("name", "text", "用户"),
        )  # fmt: skip

    def tables(self) -> list[Table]:
        """Valves, customers, nodes, lines and placements."""
        for line in self._lines:
            for k, place in enumerate(PLACES[line.profile]):
                self._place_along(line, k, place)
        self._join_branch()
        for line in self._lines:
            Laterals(self, line, self.level, self._stations).lay(PLACES[line.profile])
        self._old_main()
        about = {"plan": TUNNEL, "source": "管线普查 2023", "visible": False}
        kinds = {"class_field": "network", "class_standard": "text"}
        return [
            self._valves.table("valve", "阀门", "point", look="valves", **kinds, **about),
            self._customers.table("service_point", "用户点", "point", look="nodes", **about),
            self._nodes.table("net_node", "管点", "point", look="dots", **about),
            self._pipes.table("net_line", "管线", "line", look="pipes", **kinds, **about),
            self._places.table("line_placement", "入廊位置", "none", role="tunnel.line_placement", **about),
        ]

    def node(self, network: str, xy: Array, up: float, feature: str, source: bool = False) -> str:
        """Add a node; returns its code."""
        code = f"GD{len(self._nodes.columns['code']) + 1:05d}"
        self._nodes.add(self.level.point(xy, up), code, network, feature, self.level.z(xy, GROUND), source)
        return code

    def pipe(
        self, shape: Geometry, place: Place, ends: tuple[str, str], laying: str, year: int, status: str = "in_use"
    ) -> str:
        """Add a line between two nodes; returns its code."""
        code = f"GX{len(self._pipes.columns['code']) + 1:05d}"
        xyz = shapely.get_coordinates(shape, include_z=True)[[0, -1]]
        z1, z2 = (round(float(z), 3) for z in xyz[:, 2])
        depth1, depth2 = (round(self.level.z(p[:2], GROUND) - float(p[2]), 3) for p in xyz)
        self._pipes.add(
            shape, code, place.network, place.kind_code, *ends, "圆形", place.dn_mm, place.material, laying, "axis",
            z1, z2, depth1, depth2, place.rating, place.count, status, year, OWNERS[place.network],
        )  # fmt: skip
        return code

    def valve(self, node: str, xy: Array, up: float, place: Place, operable: bool = True) -> str:
        """Add a valve at a node; returns its code."""
        code = f"FM{len(self._valves.columns['code']) + 1:04d}"
        kind = "球阀" if place.network == "gas" else "蝶阀" if place.dn_mm >= 300 else "闸阀"
        year, month, day = self._rng.choice([2023, 2024]), self._rng.integers(1, 10), self._rng.integers(1, 28)
        exercised = f"{year}-{month:02d}-{day:02d}"
        shape = self.level.point(xy, up)
        self._valves.add(shape, code, node, place.network, kind, True, True, operable, exercised, place.dn_mm)
        return code

    def _place_along(self, line: Line, k: int, place: Place) -> None:
        """One pipe or cable through the whole tunnel, with a valve at each inner station."""
        piped, last = place.network in PIPED, len(line.stations) - 1
        for n, m in enumerate(line.stations):
            end = n in (0, last)
            source = line.kind == "trunk" and piped and (n == 0 or (end and place.network == "water"))
            xy = line.at(m, place.x)
            feature = "源点" if source else "阀门" if piped and not end else "管点"
            node = self._stations[line.code, k, n] = self.node(place.network, xy, place.y, feature, source)
            if piped and not end:
                stuck = place.network == "water" and line.kind == "trunk" and n == 3
                valve = self.valve(node, xy, place.y, place, not stuck)
                self.seized = valve if stuck else self.seized
        room = next(r for r in ROOMS[line.profile] if r.letter == place.room)
        for n, (low, high) in enumerate(pairwise(line.stations)):
            ends = self._stations[line.code, k, n], self._stations[line.code, k, n + 1]
            code = self.pipe(self.level.run(line, low, high, place.x, place.y), place, ends, "管廊", 2021)
            self._places.add(
                None, code, f"{line.code}-{n + 1:02d}", room.kind, round(low, 2), round(high, 2), place.x, place.y,
                place.outer,
            )  # fmt: skip

    def _join_branch(self) -> None:
        """Connect the branch's pipes to the trunk's nearest station."""
        trunk, branch = self._lines
        m = trunk.axis.project(shapely.points(branch.at(0.0)))
        station = int(np.argmin([abs(s - m) for s in trunk.stations]))
        for kb, place in enumerate(PLACES[branch.profile]):
            kt, over = next((k, p) for k, p in enumerate(PLACES[trunk.profile]) if p.network == place.network)
            a, b = trunk.at(trunk.stations[station], over.x), branch.at(0.0, place.x)
            ends = self._stations[trunk.code, kt, station], self._stations[branch.code, kb, 0]
            self.pipe(self.level.straight(a, over.y, b, place.y), place, ends, "管廊", 2021)

    def customer(self, xy: Array, line: str, network: str, count: int, critical: bool, name: str) -> None:
        """Add a service point at a line's end."""
        code = f"YH{len(self._customers.columns['code']) + 1:04d}"
        self._customers.add(self.level.point(xy, GROUND), code, line, network, count, critical, name)

    def _old_main(self) -> None:
        """A main of grey iron under the carriageway, out of use since the tunnel was opened."""
        line, up = self._lines[0], GROUND - 1.8
        old = Place("water", "JS", "", 0.0, 0.0, 0.22, 200, "灰口铸铁", "0.4 MPa")
        stops = [1100.0, 1240.0, 1380.0]
        nodes = [self.node("water", line.at(m, 14.0), up, "管点") for m in stops]
        for (low, high), ends in zip(pairwise(stops), pairwise(nodes), strict=True):
            self.pipe(self.level.run(line, low, high, 14.0, up), old, ends, "直埋", 1998, "abandoned")
