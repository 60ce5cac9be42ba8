"""A utility tunnel under 滨江大道 with a branch under 新城大道: structure, nodes and sensors.

Tables and words follow the data model that the tunnel work uses: chainage in metres from the western end, cross
section x to the right and y up from the middle of the floor, heights in the 1985 datum.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from sample_projects.tables import Rows, Table, Town
from sample_projects.tunnel_fittings import Fittings, board
from sample_projects.tunnel_openings import tunnel_nodes
from sample_projects.tunnel_pipes import Networks
from sample_projects.tunnel_sections import EDITION, ROOMS, SENSORS, TUNNEL, Level, Line, tunnel_lines


def make_tunnel(town: Town) -> tuple[list[Table], dict[str, Any]]:
    """All tables of the tunnel, and what is known to be wrong with it (for those who test the tunnel work)."""
    rng = np.random.default_rng([town.seed, 50])
    return _Writer(town, rng, tunnel_lines(town)).tables()


class _Writer:
    """Fills the tables of the tunnel one after the other."""

    def __init__(self, town: Town, rng: np.random.Generator, lines: list[Line]) -> None:
        self.town, self.rng, self.lines, self.level = town, rng, lines, Level(town)
        self.truth: dict[str, Any] = {}
        self.sensor_rows: list[tuple[int, str, str, str, float]] = []

    def tables(self) -> tuple[list[Table], dict[str, Any]]:
        """Every table, those with the most to see first."""
        networks = Networks(self.level, self.rng, self.lines)
        sensors = self._sensors()
        piped = networks.tables()
        nodes, self.truth["feed_opening_gap"] = tunnel_nodes(self.level, self.lines)
        fitted = Fittings(self.level, self.lines, piped).tables()
        made = [sensors, nodes, *fitted, *piped, *self._structure()]
        self.truth["seized_valve"] = networks.seized
        return made, self.truth

    def _structure(self) -> list[Table]:
        tunnels = Rows(
            ("code", "text", "管廊编号"), ("name", "text", "管廊名称"), ("kind", "text", "类型"),
            ("method", "text", "工法"),
            ("profile", "text", "断面"), ("from_m", "real", "起点里程（m）"), ("to_m", "real", "终点里程（m）"),
            ("built_edition", "text", "设计标准"), ("status", "text", "状态"), ("built_year", "integer", "建成年份"),
        )  # fmt: skip
        sections = Rows(
            ("code", "text", "区段编号"), ("tunnel", "text", "管廊编号"), ("from_m", "real", "起点里程（m）"),
            ("to_m", "real", "终点里程（m）"),
            ("profile", "text", "断面"), ("status", "text", "状态"),
        )  # fmt: skip
        rooms = Rows(
            ("code", "text", "舱室编号"), ("section", "text", "区段编号"), ("kind", "text", "舱室类型"),
            ("from_m", "real", "起点里程（m）"),
            ("to_m", "real", "终点里程（m）"), ("outline", "text", "断面轮廓（m）"),
            ("area_m2", "real", "净断面积（m²）"),
        )  # fmt: skip
        zones = Rows(
            ("code", "text", "防火分区编号"), ("tunnel", "text", "管廊编号"), ("compartment", "text", "舱室类型"),
            ("from_m", "real", "起点里程（m）"),
            ("to_m", "real", "终点里程（m）"), ("length_m", "real", "长度（m）"),
            ("sump_pump_m3h", "real", "排水泵（m³/h）"),
            ("air_changes", "real", "正常换气（次/h）"),
        )  # fmt: skip
        supports = Rows(
            ("code", "text", "支架编号"), ("section", "text", "区段编号"), ("compartment", "text", "舱室类型"),
            ("side", "text", "侧"),
            ("level", "integer", "层"), ("x", "real", "x（m）"), ("y", "real", "y（m）"),
            ("length_m", "real", "长度（m）"),
            ("capacity_kg", "real", "承载（kg）"),
        )  # fmt: skip
        for line in self.lines:
            tunnels.add(
                self.level.run(line, 0, line.axis.length, 0, 0), line.code, line.name, line.kind, "明挖现浇",
                line.profile, 0.0, round(line.axis.length, 2), EDITION, "in_use", 2021,
            )  # fmt: skip
            for n, (low, high) in enumerate(pairwise(line.stations), start=1):
                section = f"{line.code}-{n:02d}"
                sections.add(
                    self.level.run(line, low, high, 0, 0), section, line.code, round(low, 2), round(high, 2),
                    line.profile, "in_use",
                )  # fmt: skip
                for room in ROOMS[line.profile]:
                    outline = shapely.box(room.left, 0, room.right, room.height).normalize().wkt
                    rooms.add(
                        self.level.run(line, low, high, room.middle, 0), f"{section}-{room.letter}", section, room.kind,
                        round(low, 2), round(high, 2), outline, round(room.area, 3),
                    )  # fmt: skip
                    for level in range(1, 4 if room.kind == "电力" else 3):
                        side = "右" if room.kind != "燃气" else "左"
                        x = room.right - 0.3 if side == "右" else room.left + 0.3
                        supports.add(
                            None, f"{section}-{room.letter}-{level}", section, room.kind, side, level, round(x, 3),
                            round(0.6 + 0.5 * (level - 1), 3), 0.6, 250.0,
                        )  # fmt: skip
            for room in ROOMS[line.profile]:
                for low, high in line.fire_zones():
                    code = f"{line.code}-{room.letter}-{round(low):04d}"
                    zones.add(
                        self.level.run(line, low, high, room.middle, 0), code, line.code, room.kind,
                        round(low, 2), round(high, 2), round(high - low, 2), 30.0, 6.0 if room.kind == "燃气" else 2.0,
                    )  # fmt: skip
        about = {"plan": TUNNEL, "source": "管廊竣工测量"}
        return [
            tunnels.table("tunnel", "综合管廊", "line", label_field="name", look="tunnel", **about),
            sections.table("tunnel_section", "管廊区段", "line", visible=False, look="thin", **about),
            rooms.table("compartment", "管廊舱室", "line", visible=False, look="thin", **about),
            zones.table("fire_zone", "防火分区", "line", visible=False, look="thin", **about),
            supports.table("support", "支架", "none", role="tunnel.support", **about),
        ]

    def _sensors(self) -> Table:
        out = Rows(
            ("sensor_id", "integer", "传感器号"), ("code", "text", "编号"), ("kind", "text", "类型"),
            ("unit", "text", "单位"),
            ("tunnel", "text", "管廊编号"), ("compartment", "text", "舱室类型"), ("m", "real", "里程（m）"),
            ("range_min", "real", "量程下限"),
            ("range_max", "real", "量程上限"), ("calibrated_on", "date", "检定日期"), ("due", "date", "检定到期"),
            ("fed_by", "text", "供电来源"),
        )  # fmt: skip
        number = 0
        overdue = []
        for line in self.lines:
            for n, (low, high) in enumerate(line.fire_zones()):
                if n % 3 != (1 if line.kind == "branch" else 0):
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
                        xy = line.at(m, room.middle)
                        up = 0.1 if kind == "level" else 2.6
                        code = f"{line.code}-{room.letter}-{kind.upper()}-{round(m):04d}"
                        out.add(
                            self.level.point(xy, up), number, code, kind, unit, line.code, room.kind, round(m, 2),
                            least, most, day, f"{year}{day[4:]}", board(line, low),
                        )  # fmt: skip
                        self.sensor_rows.append((number, kind, line.code, room.kind, m))
        self.truth["calibration_overdue"] = overdue
        self.town.extra["sensors"] = self.sensor_rows
        return out.table(
            "sensor", "传感器", "point", plan=TUNNEL, class_field="kind", class_standard="text", source="管廊监控系统",
            visible=False,
            look="sensors",
        )  # fmt: skip
