"""The review plugin without a window: drawings, readings, indicators, checks, cases, opinions and their verbs.

Heavy modules (ezdxf, ifcopenshell, WeasyPrint) load when a verb or a panel first needs them.
"""

from __future__ import annotations

from planner_app.plugin_api.model import LayerRole, ModelApi


def register(api: ModelApi) -> None:
    """Register the role with the host."""
    from plugins.review.model.cases.commands import COMMANDS

    for file in sorted((api.folder / "rules").glob("*.toml")):
        api.add_rules(file)
    for command in COMMANDS:
        api.add_command(command)
    for role, title in (("case", "Review case"), ("drawing", "Reviewed drawing"), ("element", "Reviewed design")):
        api.add_layer_role(LayerRole(f"review.{role}", title, icon="drawing"))
    api.add_layer_role(LayerRole("review.issue", "Review issue", icon="issue"))
    for role in ("comment", "markup", "signoff", "report"):
        api.add_layer_role(LayerRole(f"review.{role}", "Part of a review", hidden=True))
