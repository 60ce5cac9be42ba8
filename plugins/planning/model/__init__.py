"""The planning plugin without a window: verbs, rules, commands, reports.

Heavy modules (NumPy, shapely, reports) load when a verb or a panel first needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner_app.plugin_api.model import LayerRole, ModelApi, RuleKind, Setting

if TYPE_CHECKING:
    from planner_app.domain.finding import Finding
    from planner_app.domain.rule import Rule


def _judge(rule: Rule, seen: Any) -> list[Finding]:
    from plugins.planning.model.control_rules import judge_line

    return judge_line(rule, seen)


def register(api: ModelApi) -> None:
    """Register the role with the host."""
    from plugins.planning.model import verbs
    from plugins.planning.model.decide import DecideConflicts
    from plugins.planning.model.headless import run_headless

    api.add_verb(verbs.CONFLICTS)
    api.add_verb(verbs.CONTROL)
    api.add_rule_kind(RuleKind("planning.keep_clear", "Keep clear of a control line", _judge))
    api.add_rule_kind(RuleKind("planning.stay_within", "Stay within a boundary", _judge))
    for file in sorted((api.folder / "rules").glob("*.toml")):
        api.add_rules(file)
    api.add_layer_role(LayerRole("planning.conflicts", "Conflict patches", icon="conflict"))
    api.add_command(DecideConflicts)
    api.add_setting(Setting("planning.basis", "Basis of areas", "planar", ("planar", "ellipsoidal")))
    api.add_headless(run_headless)
