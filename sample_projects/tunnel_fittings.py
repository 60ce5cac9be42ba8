"""What stands in the tunnels besides pipes: fans, pumps, doors, lights and what feeds them; ways between compartments.

A fire zone of a compartment has fans for its air in an accident, two pumps in its sump, lights, a camera, a damper at
its exhaust; its distribution board hangs on a substation of the tunnel, and that on a 10 kV cable there.
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil

import shapely

from sample_projects.tables import Rows, Table
from sample_projects.tunnel_openings import openings
from sample_projects.tunnel_sections import GROUND, ROOMS, TUNNEL, Level, Line, Room

#: Fire zones that a substation feeds; air changes per hour in an accident (GB 50838-2015 7.2.2); m³/h of a sump pump.
_PER_STATION = 7
_AIR = {"燃气": 12.0}
_PUMP = 15.0
#: Hours that fire doors (class A) and the walls between compartments hold; height of a door's sill, m.
_DOOR_H, _WALL_H, _SILL = 1.5, 3.0, 0.15


def board(line: Line, low: float) -> str:
    """Code of the distribution board of the fire zone that begins at a chainage."""
    return f"{line.code}-PD-{round(low):04d}"


class Fittings:
    """Fills the tables of equipment and of ways between compartments."""

    def __init__(self, level: Level, lines: list[Line], networks: list[Table]) -> None:
        self._level, self._lines = level, lines
        self._cables = _cables({table.id: table for table in networks})
        self._equipment = Rows(
            ("code", "text", "设施编号"), ("kind", "text", "设施类型"), ("tunnel", "text", "管廊编号"),
            ("compartment", "text", "舱室类型"), ("m", "real", "里程（m）"), ("fed_by", "text", "供电来源"),
            ("rated_m3h", "real", "额定流量（m³/h）"), ("status", "text", "状态"),
        )  # fmt: skip
        self._links = Rows(
            ("code", "text", "连通编号"), ("a", "text", "一侧分区"), ("b", "text", "另一侧分区"),
            ("via", "text", "连通方式"), ("rating_h", "real", "耐火极限（h）"), ("openable", "boolean", "可开启"),
            ("m", "real", "里程（m）"), ("sill_z", "real", "门槛高程（m）"),
        )  # fmt: skip

    def tables(self) -> list[Table]:
        """Equipment and links."""
        for line in self._lines:
            zones = line.fire_zones()
            for group in range(0, len(zones), _PER_STATION):
                self._supply(line, zones[group : group + _PER_STATION])
            for room in ROOMS[line.profile]:
                for low, high in zones:
                    self._fit(line, room, low, high)
                for (low, m), _ in pairwise(zones):
                    self._door(line, room, low, m)
            for left, right in pairwise(ROOMS[line.profile]):
                for low, high in zones:
                    ends = _zone(line, left, low), _zone(line, right, low)
                    self._link(*ends, "墙", _WALL_H, False, (low + high) / 2, None)
        self._junction()
        about = {"plan": TUNNEL, "source": "管廊竣工测量"}
        return [
            self._equipment.table(
                "equipment", "附属设施", "point", visible=False, role="tunnel.equipment", class_field="kind",
                class_standard="text", look="nodes", **about,
            ),
            self._links.table("compartment_link", "舱室连通", "none", role="tunnel.compartment_link", **about),
        ]  # fmt: skip

    def _supply(self, line: Line, zones: list[tuple[float, float]]) -> None:
        """A substation in the middle of some fire zones, and a board in each."""
        room = next(one for one in ROOMS[line.profile] if one.kind == "综合")
        middle = zones[len(zones) // 2][0] + 12
        section = next(n for n, stop in enumerate(line.stations[1:], start=1) if middle <= stop)
        station = self._add(line, room, "变电所", middle, "BD", self._cables[f"{line.code}-{section:02d}"])
        for low, _ in zones:
            self._add(line, room, "配电箱", low + 6, "PD", station, code=board(line, low))

    def _fit(self, line: Line, room: Room, low: float, high: float) -> None:
        fed, middle = board(line, low), (low + high) / 2
        air = ceil(room.area * (high - low) * _AIR.get(room.kind, 6.0) / 500) * 500.0
        if room.kind == "燃气":
            self._add(line, room, "送风机", low + 60, "SF", fed, air)
        away = 60 if room.kind == "燃气" else 20
        self._add(line, room, "排风机", high - away, "PF", fed, air)
        self._add(line, room, "防火阀", high - away - 1, "FF", fed)
        for n in (1, 2):
            self._add(line, room, "排水泵", middle, f"SB{n}", fed, _PUMP)
        self._add(line, room, "照明", middle - 10, "ZM", fed)
        self._add(line, room, "摄像机", low + 8, "SX", fed)
        if room.kind == "电力":
            self._add(line, room, "灭火装置", middle + 10, "MH", fed)
        for opening, m in openings(line, room):
            if opening == "逃生口" and low <= m < high:
                self._add(line, room, "井盖", m, "JG", "")

    def _door(self, line: Line, room: Room, low: float, m: float) -> None:
        """The fire door at the end of a zone, and the way it is."""
        self._add(line, room, "防火门", m - 0.2, "FM", board(line, low))
        sill = self._level.z(line.at(m), _SILL)
        self._link(_zone(line, room, low), _zone(line, room, m), "防火门", _DOOR_H, True, m, sill)

    def _junction(self) -> None:
        """Where the branch begins at the trunk: stairs between the compartments of one kind."""
        trunk, branch = self._lines
        m = float(trunk.axis.project(shapely.points(branch.at(0.0))))
        low = next(low for low, high in trunk.fire_zones() if low <= m < high)
        own = {room.kind: room for room in ROOMS[trunk.profile]}
        for room in ROOMS[branch.profile]:
            ends = _zone(branch, room, 0.0), _zone(trunk, own[room.kind], low)
            self._link(*ends, "竖井", _DOOR_H, True, 0.0, self._level.z(branch.at(0.0), 1.2))

    def _add(
        self, line: Line, room: Room, kind: str, m: float, mark: str, fed: str, rate: float | None = None,
        code: str = "",
    ) -> str:  # fmt: skip
        up = {"井盖": GROUND, "排水泵": -0.8, "防火门": 0.0, "配电箱": 1.2, "变电所": 0.0}.get(kind, room.height - 0.3)
        code = code or f"{line.code}-{room.letter}-{mark}-{round(m):04d}"
        shape = self._level.point(line.at(m, room.middle), up)
        self._equipment.add(shape, code, kind, line.code, room.kind, round(m, 2), fed, rate, "in_use")
        return code

    def _link(self, a: str, b: str, via: str, hours: float, openable: bool, m: float, sill: float | None) -> None:
        code = f"LT{len(self._links.columns['code']) + 1:04d}"
        self._links.add(None, code, a, b, via, hours, openable, round(m, 2), sill)


def _zone(line: Line, room: Room, low: float) -> str:
    """Code of a compartment's fire zone."""
    return f"{line.code}-{room.letter}-{round(low):04d}"


def _cables(tables: dict[str, Table]) -> dict[str, str]:
    """The first 10 kV cable of each section."""
    lines, places = tables["net_line"].columns, tables["line_placement"].columns
    rating = dict(zip(lines["code"], lines["rating"], strict=True))
    found: dict[str, str] = {}
    for line, section in zip(places["line"], places["section"], strict=True):
        if rating[line] == "10 kV":
            found.setdefault(section, line)
    return found
