"""Names of the rule kinds, for registering them without loading their code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner_app.plugin_api.model import RuleKind

if TYPE_CHECKING:
    from planner_app.domain.finding import Finding
    from planner_app.domain.rule import Rule
    from plugins.review.model.checking.types import Subject

#: Kind → English title (``tr``).
TITLES = {
    "review.red_line": "Site within its parcel",
    "review.site_area": "Site area against the deed",
    "review.topology": "Sound outlines",
    "review.use": "Main and compatible uses",
    "review.indicator": "Indicator against the planning conditions",
    "review.height": "Height of every building",
    "review.height_surface": "Height under a surface",
    "review.setback": "Setback of every building to every side",
    "review.encroachment": "Reaching over a line",
    "review.underground": "Basement within the site",
    "review.fire_separation": "Fire separation",
    "review.city_spacing": "Spacing of buildings",
    "review.parking": "Parking places",
    "review.declared": "Declared against measured",
    "review.declared_sums": "Declared values among one another",
    "review.floors": "Floor areas against footprints",
    "review.housing_table": "Housing limits by climate zone",
    "review.control_line": "Control line",
    "review.facility": "Facility within reach",
    "review.certificate": "Report made elsewhere",
}


def _judge(rule: Rule, subject: Subject) -> list[Finding]:
    from plugins.review.model.checking.check import judge

    return judge(rule, subject)


def rule_kinds() -> list[RuleKind]:
    """The kinds to register with the host; ``judge`` gets the rule and a :class:`Subject`."""
    return [RuleKind(kind, title, _judge) for kind, title in TITLES.items()]
