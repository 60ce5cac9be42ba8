"""May people go in? Gas tests and the permit judged by dated rules before entry. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule, in_force
from plugins.tunnel.model.operation.records import GasTest

GASES = ("o2", "ch4", "h2s", "co")
LIMIT, AGE = "tunnel.entry.gas", "tunnel.entry.age"


def judge_entry(tests: Sequence[GasTest], rules: Sequence[Rule], at: datetime, city: str = "") -> list[Finding]:
    """One finding per rule and place tested; a gas nobody measured is ``cannot_judge``, never a pass.

    Args:
        tests: of the order; at each place the newest one that is not later than ``at`` counts.
        rules: of whatever kinds; :data:`LIMIT` (``gas``, ``low``, ``high``, ``inclusive``: the limit itself is well)
            and :data:`AGE` (``max_min``: minutes between test and entry) are judged.
        at: the moment of entry.
    """
    newest: dict[str, tuple[datetime, GasTest]] = {}
    for test in tests:
        when = _when(test.time)
        if when is not None and when <= at and (test.place not in newest or when >= newest[test.place][0]):
            newest[test.place] = (when, test)
    chosen = {rule.id: rule for rule in sorted(in_force(rules, at.date(), city), key=lambda rule: rule.city != "")}
    found: list[Finding] = []
    for rule in chosen.values():
        if rule.kind == LIMIT:
            found += [_gas(rule, place, test) for place, (_, test) in newest.items()] or [_missing(rule, "")]
        elif rule.kind == AGE:
            found += [_age(rule, place, when, at) for place, (when, _) in newest.items()] or [_missing(rule, "")]
    return found


def refusals(findings: Sequence[Finding], accepted: str = "") -> list[Finding]:
    """What forbids entry: whatever is missing, every blocking fail, and, unless the issuer of the permit has
    ``accepted`` them in writing, fails of rules that are not sure enough to block alone."""
    return [
        one
        for one in findings
        if one.verdict is Verdict.CANNOT_JUDGE or (one.verdict is Verdict.FAIL and (one.blocking or not accepted))
    ]


def covers_all_gases(rules: Sequence[Rule], on: date, city: str = "") -> bool:
    """True if there is a limit for each gas: without rules nobody may go in."""
    limits = {rule.params.get("gas") for rule in in_force(rules, on, city) if rule.kind == LIMIT}
    return limits >= set(GASES)


def _when(text: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.astimezone()


def _gas(rule: Rule, place: str, test: GasTest) -> Finding:
    value = getattr(test, rule.params["gas"], None)
    if value is None:
        return _missing(rule, place)
    low, high, inclusive = rule.params.get("low"), rule.params.get("high"), rule.params.get("inclusive", True)
    limit, fails = (low if low is not None else high), False
    for end, side in ((low, 1), (high, -1)):
        if end is not None and ((value - end) * side < 0 or (value == end and not inclusive)):
            limit, fails = end, True
    message = "tunnel.entry_gas_fails" if fails else "tunnel.entry_gas_passes"
    return _finding(rule, Verdict.FAIL if fails else Verdict.PASS, place, message, float(value), limit)


def _age(rule: Rule, place: str, when: datetime, at: datetime) -> Finding:
    minutes = (at - when).total_seconds() / 60
    most = float(rule.params["max_min"])
    verdict = Verdict.PASS if minutes <= most else Verdict.FAIL
    message = "tunnel.entry_age_passes" if verdict is Verdict.PASS else "tunnel.entry_age_fails"
    return _finding(rule, verdict, place, message, round(minutes, 1), most)


def _missing(rule: Rule, place: str) -> Finding:
    return _finding(rule, Verdict.CANNOT_JUDGE, place, "tunnel.entry_test_missing", None, None)


def _finding(
    rule: Rule, verdict: Verdict, place: str, message: str, measured: float | None, limit: float | None
) -> Finding:
    params: dict[str, Any] = {
        "title": rule.title, "title_zh": rule.title_zh, "place": place or "–", "measured": measured, "limit": limit,
        "unit": rule.unit, "standard": rule.standard, "clause": rule.clause,
    }  # fmt: skip
    return Finding(
        rule=rule.id, verdict=verdict, feature=place, measured=measured, limit=limit, unit=rule.unit,
        standard=rule.standard, clause=rule.clause, edition=rule.edition, confidence=rule.confidence,
        blocking=verdict is Verdict.FAIL and rule.may_block, message=message, params=params,
    )  # fmt: skip
