"""The table 申报 / 实测 / 规定: a row per indicator, and one per side or pair that is too near."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from planner_app.domain.finding import Finding, Verdict
from plugins.review.model.checking.judging import gravest
from plugins.review.model.checking.limits import INDICATOR_TITLES
from plugins.review.model.checking.types import Row, Subject
from plugins.review.model.indicators.measure import UNITS
from plugins.review.model.indicators.types import KEYS

SETBACK_TITLES = {
    "N": "Setback north", "NE": "Setback north-east", "E": "Setback east", "SE": "Setback south-east",
    "S": "Setback south", "SW": "Setback south-west", "W": "Setback west", "NW": "Setback north-west",
    "road": "Setback from the road",
}  # fmt: skip
_SIGNS = {"<=": "≤", ">=": "≥", "=": "="}
_SPACING = ("review.fire_separation", "review.city_spacing")


def rows_of(subject: Subject, findings: Sequence[Finding], kinds: dict[str, str]) -> list[Row]:
    """The rows of a check.

    Args:
        kinds: rule id → rule kind.
    """
    by_key: dict[str, list[Finding]] = {}
    for one in findings:
        by_key.setdefault(str((one.params or {}).get("key", "")), []).append(one)
    rows = []
    for key in KEYS:
        about = by_key.get(key, [])
        least = [one for one in about if one.rule == "review.far_min"]
        rows.append(_indicator_row(subject, key, [one for one in about if one not in least], kinds))
        rows += [_row_of(one, "far_min", "Floor area ratio, least", subject) for one in least]
    setbacks = [one for one in findings if kinds.get(one.rule) == "review.setback"]
    spacings = [one for one in findings if kinds.get(one.rule) in _SPACING]
    for one in setbacks:
        bearing = str((one.params or {}).get("bearing", (one.params or {}).get("side", "")))
        rows.append(_row_of(one, "setback", SETBACK_TITLES.get(bearing, "Setback"), subject, ">="))
    for one in spacings:
        title = "Fire separation" if kinds.get(one.rule) == "review.fire_separation" else "Spacing"
        rows.append(_row_of(one, "spacing", title, subject, ">="))
    return rows


def _indicator_row(subject: Subject, key: str, about: Sequence[Finding], kinds: dict[str, str]) -> Row:
    """One row from what the rules say of an indicator: the limit from one, the declared value from another."""
    indicator = subject.indicators.values[key]
    limits = [one for one in about if kinds.get(one.rule) != "review.declared"]
    verdict = gravest([one.verdict for one in about])
    deciding = next((one for one in [*limits, *about] if one.verdict is verdict), None)
    bound = next((one for one in limits if one.limit is not None), None)
    measured = None if indicator.basis == "text" else indicator.value
    declared = subject.plan.declared.get(key)
    if declared is None and indicator.basis == "text":
        declared = indicator.value
    return Row(
        key=key,
        title=INDICATOR_TITLES[key][0],
        declared=declared,
        measured=measured,
        limit=bound.limit if bound else None,
        relation=_SIGNS.get(str((bound.params or {}).get("relation", "")), "") if bound else "",
        unit=UNITS[key],
        verdict=verdict,
        borderline=any(one.borderline for one in about if one.verdict is verdict),
        blocking=any(one.blocking for one in about),
        clause=_clause(deciding),
        handles=indicator.handles,
        evidence=next((one.evidence for one in about if one.evidence and one.verdict is verdict), None),
        feature=deciding.feature if deciding and key == "height_m" else "",
        rule=deciding.rule if deciding else "",
    )


def _row_of(one: Finding, key: str, title: str, subject: Subject, relation: str = "") -> Row:
    params: dict[str, Any] = dict(one.params or {})
    building = next((b for b in subject.indicators.buildings if b.name == params.get("building")), None)
    return Row(
        key=key, title=title, declared=one.declared, measured=one.measured, limit=one.limit,
        relation=_SIGNS.get(str(params.get("relation", relation)), "") if one.limit is not None else "",
        unit=one.unit, verdict=one.verdict, borderline=one.borderline, blocking=one.blocking, clause=_clause(one),
        handles=building.handles if building else (), evidence=one.evidence, feature=one.feature, rule=one.rule,
    )  # fmt: skip


def _clause(one: Finding | None) -> str:
    return "" if one is None else f"{one.standard} {one.clause}".strip()


def overall(findings: Sequence[Finding]) -> Verdict:
    """The gravest verdict of all."""
    return gravest([one.verdict for one in findings])
