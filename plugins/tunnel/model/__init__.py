"""The tunnel plugin without a window: networks, and what the other parts of the role add.

Heavy modules (NumPy, SciPy, shapely) load when a verb or a panel first needs them.
"""

from __future__ import annotations

from planner_app.plugin_api.model import LayerRole, ModelApi


def register(api: ModelApi) -> None:
    """Register the role with the host."""
    from plugins.tunnel.model.network import verbs

    for verb in (verbs.IMPORT, verbs.TRACE, verbs.ISOLATE):
        api.add_verb(verb)
    api.add_layer_role(LayerRole("tunnel.net_node", "Nodes of pipes"))
    api.add_layer_role(LayerRole("tunnel.net_line", "Pipes and cables"))
    api.add_layer_role(LayerRole("tunnel.valve", "Valves"))
    api.add_layer_role(LayerRole("tunnel.service_point", "Service points"))
