"""The review plugin without a window: drawings, readings, indicators, checks, cases, opinions and their verbs.

Heavy modules (ezdxf, ifcopenshell, WeasyPrint) load when a verb or a panel first needs them.
"""

from __future__ import annotations

from planner_app.plugin_api.model import ModelApi


def register(api: ModelApi) -> None:
    """Register the role with the host."""
    for file in sorted((api.folder / "rules").glob("*.toml")):
        api.add_rules(file)
