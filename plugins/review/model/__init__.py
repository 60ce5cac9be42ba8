"""The review plugin without a window: drawings, readings, indicators, checks, cases, opinions and their verbs.

Heavy modules (ezdxf, ifcopenshell, WeasyPrint) load when a verb or a panel first needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner_app.plugin_api.model import LayerRole, ModelApi, RuleKind

if TYPE_CHECKING:
    from planner_app.domain.finding import Finding
    from planner_app.domain.rule import Rule

_AS_BUILT = {
    "buildings": "Buildings as approved", "storeys": "Storeys as approved", "height": "Height as approved",
    "position": "Position as approved", "outline": "Outline as approved", "area": "Areas as approved",
    "ratio": "Ratios as approved", "green": "Green as approved", "setback": "Setbacks as approved",
    "parking": "Parking as approved",
}  # fmt: skip


def _judge_as_built(rule: Rule, facts: Any) -> list[Finding]:
    from plugins.review.model.asbuilt.judges import JUDGES

    return JUDGES[rule.kind](rule, facts)


#: Layers people see → icon.
_LAYERS = {
    "case": "clipboard-check",
    "drawing": "clipboard-check",
    "element": "clipboard-check",
    "pipe": "clipboard-check",
    "issue": "message-square",
}


def register(api: ModelApi) -> None:
    """Register the role with the host."""
    from plugins.review.model.asbuilt.accept import AcceptAsBuilt
    from plugins.review.model.cases.commands import COMMANDS
    from plugins.review.model.checking.kinds import rule_kinds
    from plugins.review.model.checking.verbs import RULES
    from plugins.review.model.headless import run_headless
    from plugins.review.model.opinion.verbs import VERBS as OPINION_VERBS
    from plugins.review.model.verbs import VERBS

    for verb in (*VERBS, *OPINION_VERBS, RULES):
        api.add_verb(verb)
    for rule_kind in rule_kinds():
        api.add_rule_kind(rule_kind)
    for kind, title in _AS_BUILT.items():
        api.add_rule_kind(RuleKind(f"asbuilt.{kind}", title, _judge_as_built))
    for file in sorted((api.folder / "rules").glob("*.toml")):
        api.add_rules(file)
    for command in (*COMMANDS, AcceptAsBuilt):
        api.add_command(command)
    for role, icon in _LAYERS.items():
        api.add_layer_role(LayerRole(f"review.{role}", "Drawing review", icon=icon))
    for role in ("comment", "markup", "signoff", "report"):
        api.add_layer_role(LayerRole(f"review.{role}", "Part of a review", hidden=True))
    api.add_headless(run_headless)
