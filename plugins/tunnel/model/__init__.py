"""The tunnel plugin without a window: networks, and what the other parts of the role add.

Heavy modules (NumPy, SciPy, shapely) load when a verb or a panel first needs them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from planner_app.plugin_api.model import LayerRole, ModelApi, Project, Setting, VerbContext


def register(api: ModelApi) -> None:
    """Register the role with the host."""
    from plugins.tunnel.model.clearance import verbs as clearance
    from plugins.tunnel.model.monitoring import verbs as monitoring
    from plugins.tunnel.model.network import verbs as network
    from plugins.tunnel.model.space import verbs as space

    for verb in (
        network.TRACE,
        network.ISOLATE,
        monitoring.READINGS,
        monitoring.ALARMS,
        monitoring.WATCH,
        monitoring.ACKNOWLEDGE,
    ):
        api.add_verb(verb)
    api.add_verb(clearance.CLEARANCE)
    for verb in (space.SECTION, space.PROFILE, space.PLACE):
        api.add_verb(verb)
    for file in sorted((api.folder / "rules").glob("*.toml")):
        api.add_rules(file)
    for table in ("tunnel", "tunnel_section", "compartment", "tunnel_node"):
        api.add_layer_role(LayerRole(f"tunnel.{table}", "Utility tunnels"))
    for table in ("support", "line_placement"):
        api.add_layer_role(LayerRole(f"tunnel.{table}", "Utility tunnels", hidden=True))
    api.add_layer_role(LayerRole("tunnel.net_node", "Utility tunnels"))
    api.add_layer_role(LayerRole("tunnel.net_line", "Utility tunnels"))
    api.add_layer_role(LayerRole("tunnel.valve", "Utility tunnels"))
    api.add_layer_role(LayerRole("tunnel.service_point", "Utility tunnels"))
    api.add_layer_role(LayerRole("tunnel.sensor", "Utility tunnels"))
    api.add_layer_role(LayerRole("tunnel.alarm", "Utility tunnels", hidden=True))
    api.add_headless(_headless)
    _register_assets(api)
    _register_operation(api)
    _register_shift(api)
    _register_analysis(api)


def _headless(context: VerbContext, project: Project, folder: Path) -> dict[str, Any]:
    from plugins.tunnel.model.headless import run_headless

    return run_headless(context, project, folder)


def _register_assets(api: ModelApi) -> None:
    """Imports, states, adopting, labels, services."""
    from plugins.tunnel.model.assets.verbs import VERBS

    for verb in VERBS:
        api.add_verb(verb)
    api.add_layer_role(LayerRole("tunnel.asset_event", "Utility tunnels", hidden=True))


def _register_operation(api: ModelApi) -> None:
    """Rounds, defects, work orders, field packages."""
    from plugins.tunnel.model.operation import field_verbs, order_verbs, verbs

    for verb in (verbs.ROUNDS, verbs.INSPECT, verbs.DEFECTS, order_verbs.ORDERS, field_verbs.FIELD):
        api.add_verb(verb)
    for table in ("defect", "work_order"):
        api.add_layer_role(LayerRole(f"tunnel.{table}", "Utility tunnels"))
    for table in ("inspection_plan", "inspection", "observation", "defect_examination", "field_conflict", "field_row"):
        api.add_layer_role(LayerRole(f"tunnel.{table}", "Utility tunnels", hidden=True))


def _register_shift(api: ModelApi) -> None:
    """The shift log, and what a desk that watches may choose."""
    from plugins.tunnel.model.monitoring import shift_verbs

    api.add_verb(shift_verbs.SHIFT)
    for table in ("shift_entry", "handover"):
        api.add_layer_role(LayerRole(f"tunnel.{table}", "Utility tunnels", hidden=True))
    api.add_setting(Setting("tunnel.alarm_sound", "Sound at a new alarm", True))
    api.add_setting(Setting("tunnel.alarm_badges", "Alarms on the map", True))
    api.add_setting(Setting("tunnel.zone", "Time zone of monitoring", "Asia/Shanghai"))
    api.add_setting(Setting("tunnel.city", "City whose alarm rules hold", ""))


def _register_analysis(api: ModelApi) -> None:
    """Emergencies; doors between compartments, equipment and planned works near tunnels."""
    from plugins.tunnel.model.clearance.work_table import AddWork
    from plugins.tunnel.model.emergency.verbs import EMERGENCY
    from plugins.tunnel.model.network.valves import SetOperable

    api.add_verb(EMERGENCY)
    api.add_command(SetOperable)
    api.add_command(AddWork)
    api.add_layer_role(LayerRole("tunnel.compartment_link", "Utility tunnels", hidden=True))
    api.add_layer_role(LayerRole("tunnel.equipment", "Utility tunnels"))
    api.add_layer_role(LayerRole("tunnel.external_work", "Utility tunnels"))
