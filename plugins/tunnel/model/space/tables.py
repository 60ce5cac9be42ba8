"""The tables of tunnels in space."""

from __future__ import annotations

from planner_app.domain.layer import FieldInfo, Geometry
from plugins.tunnel.model.tables import TableSpec


def _spec(table: str, name: str, geometry: Geometry, fields: str) -> TableSpec:
    pairs = (part.partition(":") for part in fields.split())
    return TableSpec(table, name, geometry, tuple(FieldInfo(field, kind) for field, _, kind in pairs))  # type: ignore[arg-type]


TUNNEL = _spec(
    "tunnel", "综合管廊", "line",
    "code:text name:text kind:text method:text profile:text from_m:real to_m:real built_edition:text status:text "
    "built_year:integer",
)  # fmt: skip
SECTION = _spec(
    "tunnel_section",
    "管廊区段",
    "line",
    "code:text tunnel:text from_m:real to_m:real profile:text status:text wall_m:real",
)
COMPARTMENT = _spec(
    "compartment",
    "管廊舱室",
    "line",
    "code:text section:text kind:text from_m:real to_m:real outline:text area_m2:real",
)
SUPPORT = _spec(
    "support", "支架", "none",
    "code:text section:text compartment:text side:text level:integer x:real y:real length_m:real capacity_kg:real",
)  # fmt: skip
PLACEMENT = _spec(
    "line_placement", "入廊位置", "none",
    "line:text section:text compartment:text from_m:real to_m:real x:real y:real outer_d:real support:text",
)  # fmt: skip
TUNNEL_NODE = _spec(
    "tunnel_node", "管廊节点", "point",
    "code:text tunnel:text kind:text m:real compartment:text clear_size:text flood_sill_z:real",
)  # fmt: skip
FIRE_ZONE = _spec(
    "fire_zone", "防火分区", "line", "code:text tunnel:text compartment:text from_m:real to_m:real length_m:real"
)
