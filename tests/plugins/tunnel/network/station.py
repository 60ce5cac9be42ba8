"""Two tunnels that meet, with fire zones, pipes, valves, customers, sensors, openings and buildings, made by hand.

T1 runs east for 600 m, its floor falling from 0 to −3 m; zones of 200 m in the gas room (G) and the room of all (Z).
T2 leaves it northwards at 300 m, 200 m long, with one zone of Z.
"""

from __future__ import annotations

from typing import Any

import shapely

from planner_app.domain.layer import NewLayer
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.monitoring.sensors import SENSOR
from plugins.tunnel.model.network.spaces import COMPARTMENT_LINK
from plugins.tunnel.model.space import tables as space
from plugins.tunnel.model.tables import LINE, NODE, SERVICE, VALVE, TableSpec
from tests.plugins.tunnel.clearance.towns import add, at, box, layer

ROOM_G, ROOM_Z = "POLYGON ((2 0, 2 3, 4 3, 4 0, 2 0))", "POLYGON ((-2 0, -2 3, 2 3, 2 0, -2 0))"


def table(project: Project, spec: TableSpec | NewLayer, *rows: dict[str, Any]) -> str:
    """A layer of rows; ``at``: its shape."""
    return add(project, spec, [(row.get("at"), {k: v for k, v in row.items() if k != "at"}) for row in rows])


def point(x: float, y: float, z: float = 6.0) -> Any:
    """A place from the tunnel's western end."""
    return shapely.get_point(at((x, y, z), (x + 1, y, z)), 0)


def tunnels(project: Project, *, zones: bool = True) -> None:
    """Tunnels, sections, rooms, zones and openings."""
    one, two = at((0, 0, 0.0), (600, 0, -3.0)), at((300, 4, -1.5), (300, 204, -0.5))
    table(
        project, space.TUNNEL,
        {"code": "T1", "name": "东路", "from_m": 0.0, "to_m": 600.0, "at": one},
        {"code": "T2", "name": "北路", "from_m": 0.0, "to_m": 200.0, "at": two},
    )  # fmt: skip
    table(
        project, space.SECTION,
        {"code": "T1-1", "tunnel": "T1", "from_m": 0.0, "to_m": 600.0, "at": one},
        {"code": "T2-1", "tunnel": "T2", "from_m": 0.0, "to_m": 200.0, "at": two},
    )  # fmt: skip
    rooms = [
        ("T1-1", "G", "燃气", ROOM_G, 600.0),
        ("T1-1", "Z", "综合", ROOM_Z, 600.0),
        ("T2-1", "Z", "综合", ROOM_Z, 200.0),
    ]
    table(
        project, space.COMPARTMENT,
        *({"code": f"{s}-{letter}", "section": s, "kind": kind, "from_m": 0.0, "to_m": to, "outline": outline}
          for s, letter, kind, outline, to in rooms),
    )  # fmt: skip
    if zones:
        spans = [("T1", k, a) for k in "GZ" for a in (0, 200, 400)] + [("T2", "Z", 0)]
        table(
            project, space.FIRE_ZONE,
            *({"code": f"{t}-{k}{a // 200 + 1}", "tunnel": t, "compartment": {"G": "燃气", "Z": "综合"}[k],
               "from_m": float(a), "to_m": a + 200.0} for t, k, a in spans),
        )  # fmt: skip
    nodes = [("E1", "逃生口", 20, "", 5.0), ("E2", "人员出入口", 580, "", 2.0), ("V1", "通风口进", 100, "", 4.0)]
    table(
        project, space.TUNNEL_NODE,
        *({"code": c, "tunnel": "T1", "kind": kind, "m": float(m), "compartment": room, "flood_sill_z": sill,
           "at": point(m, 0)} for c, kind, m, room, sill in nodes),
        {"code": "X1", "tunnel": "T2", "kind": "交叉口", "m": 0.0, "compartment": "", "at": point(300, 4)},
    )  # fmt: skip


def pipes(project: Project) -> None:
    """A gas main along T1 with valves at 200 and 400 m and a buried branch to two customers; a water main in Z."""

    def node(code: str, network: str, x: float, y: float, source: bool = False) -> dict[str, Any]:
        return {"code": code, "network": network, "source": source, "ground_z": 6.0, "at": point(x, y)}

    def line(code: str, network: str, a: str, b: str, *ends: tuple[float, ...]) -> dict[str, Any]:
        kind = {"gas": "RQ", "water": "JS"}[network]
        return {"code": code, "network": network, "kind_code": kind, "from_node": a, "to_node": b, "dn_mm": 300,
                "status": "in_use", "at": at(*ends)}  # fmt: skip

    table(
        project, NODE,
        node("g0", "gas", 0, 3, True), node("g1", "gas", 200, 3), node("g2", "gas", 400, 3), node("g3", "gas", 600, 3),
        node("g4", "gas", 400, 60), node("w0", "water", 0, 0, True), node("w1", "water", 600, 0),
    )  # fmt: skip
    table(
        project, LINE,
        line("G1", "gas", "g0", "g1", (0, 3), (200, 3)), line("G2", "gas", "g1", "g2", (200, 3), (400, 3)),
        line("G3", "gas", "g2", "g3", (400, 3), (600, 3)), line("G4", "gas", "g2", "g4", (400, 3), (400, 60)),
        line("W1", "water", "w0", "w1", (0, 0), (600, 0)),
    )  # fmt: skip
    table(
        project, space.PLACEMENT,
        *({"line": f"G{n + 1}", "section": "T1-1", "compartment": "燃气", "from_m": n * 200.0, "to_m": n * 200.0 + 200,
           "x": 3.0, "y": 1.0, "outer_d": 0.3} for n in range(3)),
        {"line": "W1", "section": "T1-1", "compartment": "综合", "from_m": 0.0, "to_m": 600.0, "x": 0.0, "y": 1.0},
    )  # fmt: skip
    table(
        project, VALVE,
        {"code": "v1", "network": "gas", "node": "g1", "line": "G2", "is_open": True, "operable": True,
         "at": point(200, 3)},
        {"code": "v2", "network": "gas", "node": "g2", "line": "G2", "is_open": True, "operable": True,
         "at": point(400, 3)},
    )  # fmt: skip
    table(
        project, SERVICE,
        {"code": "s1", "network": "gas", "node": "g4", "customer_count": 40, "critical": False, "name": "P-07",
         "at": point(400, 60)},
        {"code": "s2", "network": "gas", "node": "g3", "customer_count": 1, "critical": True, "name": "医院",
         "at": point(600, 3)},
    )  # fmt: skip
    table(
        project, SENSOR,
        {"sensor_id": 7, "code": "CH4-300", "kind": "ch4", "tunnel": "T1", "compartment": "燃气", "m": 300.0},
        {"sensor_id": 8, "code": "LOST", "kind": "ch4", "tunnel": "T1", "compartment": "燃气", "m": 4000.0},
    )  # fmt: skip
    table(
        project, layer("建筑", "polygon", name="text", parcel_no="text"),
        {"name": "一号楼", "parcel_no": "P-07", "at": box(380, 70, 400, 90)},
        {"name": "二号楼", "parcel_no": "P-07", "at": box(420, 70, 440, 90)},
        {"name": "门诊楼", "parcel_no": "P-99", "at": box(590, 30, 610, 50)},
        {"name": "远处", "parcel_no": "P-98", "at": box(900, 30, 910, 50)},
    )  # fmt: skip


def links(project: Project, *rows: dict[str, Any]) -> None:
    """The table of ways."""
    table(project, COMPARTMENT_LINK, *rows)
