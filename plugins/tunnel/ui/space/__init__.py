"""Cross section and longitudinal profile in the bottom dock, linked with the map."""

from __future__ import annotations

from planner_app.plugin_api.ui import PanelContext
from plugins.tunnel.ui.state import TunnelState


def install(context: PanelContext, state: TunnelState) -> None:
    """Offer ``section(code, m)`` and ``profile(tunnel)`` to the role's pages and the palette."""
