"""Cross section and longitudinal profile in the bottom dock, linked with the map."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from planner_app.plugin_api.ui import PanelContext
from plugins.tunnel.ui.state import TunnelState

if TYPE_CHECKING:
    from plugins.tunnel.ui.space.desk import SpaceDesk


def install(context: PanelContext, state: TunnelState) -> None:
    """Offer ``section(code, m)``, ``profile(tunnel)`` and ``path_profile(a, b)`` to the role's pages and the palette.

    All arguments may be left out. The pages are made when first asked for.
    """
    for name in ("section", "profile", "path_profile"):
        state.commands[name] = partial(_run, name, context, state)


def _run(name: str, context: PanelContext, state: TunnelState, *arguments: object, **named: object) -> None:
    getattr(desk_of(context, state), name)(*arguments, **named)


def desk_of(context: PanelContext, state: TunnelState) -> SpaceDesk:
    """The window's section and profile; made when first asked for."""
    from plugins.tunnel.ui.space.desk import SpaceDesk

    found = state.findChild(SpaceDesk)
    return found if found is not None else SpaceDesk(context, state)
