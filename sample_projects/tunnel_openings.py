"""What leads out of the tunnels: shafts and openings of every compartment, sumps, junctions, the control centre."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from sample_projects.tables import Rows, Table
from sample_projects.tunnel_sections import GROUND, ROOMS, TUNNEL, Level, Line, Room

#: Openings that stand every so many metres, as compartments with pipes, gas or cables have them.
_EVERY = {"投料口": 385.0, "逃生口": 195.0, "人员出入口": 1500.0}
_SIZES = {"投料口": "1.2×7.0", "人员出入口": "1.5×2.2", "逃生口": "φ1.0"}
#: Shafts of gas stand apart from everyone else's (GB 50838-2015 5.4.7: 10 m), m from the ends of a fire zone.
_SHAFT, _GAS_SHAFT = 20.0, 60.0


def tunnel_nodes(level: Level, lines: list[Line]) -> tuple[Table, dict[str, Any]]:
    """The nodes, and the stretch without a feed opening that is planted in the branch."""
    out = Rows(
        ("code", "text", "节点编号"), ("tunnel", "text", "管廊编号"), ("kind", "text", "节点类型"),
        ("m", "real", "里程（m）"), ("compartment", "text", "舱室类型"), ("clear_size", "text", "净尺寸（m）"),
        ("flood_sill_z", "real", "挡水门槛高程（m）"),
    )  # fmt: skip

    def add(line: Line, kind: str, m: float, room: str, aside: float = 0.0, size: str = "—", sill: float = 0.5) -> None:
        at = line.at(m, aside)
        code = f"JD{len(out.columns['code']) + 1:04d}"
        z = round(level.z(at, GROUND) + sill, 3)
        out.add(level.point(at, GROUND), code, line.code, kind, round(m, 2), room, size, z)

    gap: dict[str, Any] = {}
    for line in lines:
        for room in ROOMS[line.profile]:
            feeds = [m for kind, m in openings(line, room) if kind == "投料口"]
            missing = -1.0
            if line.kind == "branch" and room.kind == "综合":
                missing = feeds[2]
                gap = {"tunnel": line.code, "from_m": round(feeds[1], 2), "to_m": round(feeds[3], 2), "limit_m": 400}
            for kind, m in openings(line, room):
                if m != missing:
                    add(line, kind, m, room.kind, room.middle, _SIZES.get(kind, "1.0×1.0"), 0.55)
    trunk, branch = lines
    for kind, line, m in (
        ("端部井", trunk, 0.0), ("端部井", trunk, trunk.axis.length), ("交叉口", branch, 0.0),
        ("端部井", branch, branch.axis.length),
    ):  # fmt: skip
        add(line, kind, m, "综合")
    centre = float(trunk.axis.project(shapely.points(branch.at(0.0)))) - 60
    add(trunk, "监控中心", centre, "", 26.0, sill=0.8)
    made = out.table(
        "tunnel_node", "管廊节点", "point", plan=TUNNEL, class_field="kind", class_standard="text",
        source="管廊竣工测量", visible=False, look="nodes",
    )  # fmt: skip
    return made, gap


def openings(line: Line, room: Room) -> Iterator[tuple[str, float]]:
    """(kind, chainage) of what leads out of one compartment."""
    end = line.axis.length
    for kind, every in _EVERY.items():
        if kind != "人员出入口" or room.kind == "综合":
            yield from ((kind, float(m)) for m in np.arange(every * 0.4, end, every))
    away = _GAS_SHAFT if room.kind == "燃气" else _SHAFT
    for low, high in line.fire_zones():
        yield from (("通风口进", low + away), ("通风口排", high - away))
        if room.kind == "综合":
            yield "集水坑", (low + high) / 2
    if room.kind == "综合":
        yield from (("分支口", m) for m in line.stations[1:-1])
