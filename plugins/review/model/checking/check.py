"""A check: every rule in force on the permit's day judged, and the table made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from planner_app.domain.finding import Finding
from planner_app.domain.rule import Rule, in_force, parse_rules
from plugins.review.model.checking import declared, distances, limits, lines, uses
from plugins.review.model.checking.kinds import TITLES
from plugins.review.model.checking.rows import overall, rows_of
from plugins.review.model.checking.types import Check, Subject
from plugins.review.model.drawing.types import Note

RULES = Path(__file__).resolve().parents[2] / "rules"

_KINDS: Mapping[str, Callable[[Rule, Subject], list[Finding]]] = {
    "review.red_line": lines.judge_red_line,
    "review.site_area": limits.judge_site_area,
    "review.topology": declared.judge_topology,
    "review.use": uses.judge_use,
    "review.indicator": limits.judge_indicator,
    "review.height": limits.judge_height,
    "review.height_surface": limits.judge_surface,
    "review.setback": distances.judge_setback,
    "review.encroachment": distances.judge_encroachment,
    "review.underground": distances.judge_underground,
    "review.fire_separation": distances.judge_fire,
    "review.city_spacing": distances.judge_city_spacing,
    "review.parking": limits.judge_parking,
    "review.declared": declared.judge_declared,
    "review.declared_sums": declared.judge_sums,
    "review.floors": declared.judge_floors,
    "review.housing_table": limits.judge_housing,
    "review.control_line": lines.judge_line,
    "review.facility": lines.judge_facility,
    "review.certificate": uses.judge_certificate,
}
assert set(_KINDS) == set(TITLES)


def judge(rule: Rule, subject: Subject) -> list[Finding]:
    """Findings of one rule of a kind ``review.*``."""
    return _KINDS[rule.kind](rule, subject)


def check(subject: Subject, rules: Sequence[Rule]) -> Check:
    """Judge a drawing by every rule in force on ``subject.on``.

    Args:
        rules: of whatever kinds; those of this plugin's checks are judged. A city's rule takes the place of the
            national one of its id.
    """
    chosen = rules_on(rules, subject.on, subject.city)
    findings = [one for rule in chosen for one in judge(rule, subject)]
    late = {rule.id for rule in rules if rule.kind in _KINDS} - {rule.id for rule in chosen}
    national = {rule.id: rule for rule in rules if rule.id in late and not rule.city}
    notes: list[Note] = [
        ("review.rule_not_in_force", {"rule": rule.title, "rule_zh": rule.title_zh, "date": subject.on.isoformat()})
        for rule in national.values()
    ]
    kinds = {rule.id: rule.kind for rule in chosen}
    return Check(
        findings=tuple(findings),
        rows=tuple(rows_of(subject, findings, kinds)),
        verdict=overall(findings),
        on=subject.on,
        rule_set=tuple(rule_json(rule) for rule in chosen),
        notes=(*subject.surroundings.notes, *notes),
    )


def rules_on(rules: Sequence[Rule], on: date, city: str = "") -> list[Rule]:
    """The rules of this plugin's checks in force on a day, in their order; a city's before the national of its id."""
    mine = [rule for rule in rules if rule.kind in _KINDS]
    chosen = {rule.id: rule for rule in sorted(in_force(mine, on, city), key=lambda rule: rule.city != "")}
    order = dict.fromkeys(rule.id for rule in mine)
    return [chosen[name] for name in order if name in chosen]


def shipped_rules() -> list[Rule]:
    """The rules that come with the plugin (the host hands them to verbs and panels)."""
    files = sorted(RULES.glob("*.toml"))
    return [rule for file in files for rule in parse_rules(file.read_text(encoding="utf-8"), file.name)]


def rule_json(rule: Rule) -> dict[str, Any]:
    """A rule as sealed with an opinion: plain values, dates in ISO."""
    data = asdict(rule)
    return data | {key: data[key].isoformat() if data[key] else None for key in ("valid_from", "valid_to")}
