"""The tables of tunnels in space."""

from __future__ import annotations

from plugins.tunnel.model.tables import table_spec

TUNNEL = table_spec(
    "tunnel", "综合管廊", "line",
    "code name kind method profile from_m:real to_m:real built_edition status built_year:integer",
)  # fmt: skip
SECTION = table_spec(
    "tunnel_section", "管廊区段", "line", "code tunnel from_m:real to_m:real profile status wall_m:real"
)
COMPARTMENT = table_spec(
    "compartment", "管廊舱室", "line", "code section kind from_m:real to_m:real outline area_m2:real"
)
SUPPORT = table_spec(
    "support", "支架", "none",
    "code section compartment side level:integer x:real y:real length_m:real capacity_kg:real",
)  # fmt: skip
PLACEMENT = table_spec(
    "line_placement", "入廊位置", "none",
    "line section compartment from_m:real to_m:real x:real y:real outer_d:real support",
)  # fmt: skip
TUNNEL_NODE = table_spec(
    "tunnel_node", "管廊节点", "point", "code tunnel kind m:real compartment clear_size flood_sill_z:real"
)
FIRE_ZONE = table_spec(
    "fire_zone", "防火分区", "line",
    "code tunnel compartment from_m:real to_m:real length_m:real sump_pump_m3h:real air_changes:real",
)  # fmt: skip
