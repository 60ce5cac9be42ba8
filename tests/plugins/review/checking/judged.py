"""Subjects made by hand, and single rules judged on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import shapely

from planner_app.domain.finding import Finding
from planner_app.domain.rule import Rule
from plugins.review.model.checking.check import judge, rules_on, shipped_rules
from plugins.review.model.checking.types import Subject, Surroundings
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.indicators.measure import measure
from plugins.review.model.indicators.rule_sets import CityRules
from plugins.review.model.reading.types import SitePlan

TODAY = date(2026, 10, 1)
EAST, NORTH = 40_500_000.0, 3_250_000.0

RULES = shipped_rules()


def ground(shape: Any) -> Any:
    """A shape of the drawing where it lies in the project's CRS."""
    return shapely.affinity.translate(shape, EAST, NORTH)


def subject(
    plan: SitePlan,
    conditions: Conditions | None = None,
    *,
    on: date = TODAY,
    city: str = "",
    placed: bool = True,
    around: Surroundings | None = None,
    reports: Mapping[str, str] | None = None,
    zone: str = "",
) -> Subject:
    """A subject whose drawing lies at (EAST, NORTH)."""
    move: Callable[[Any], Any] | None = ground if placed else None
    rules = CityRules("default", climate_zone=zone) if zone else None
    indicators = measure(plan, on=on, city=city)
    return Subject(plan, indicators, conditions, on, city, move, around or Surroundings(), dict(reports or {}), rules)


def rule(rule_id: str, on: date = TODAY, city: str = "") -> Rule:
    """The shipped rule of that id in force on a day."""
    (found,) = [one for one in rules_on(RULES, on, city) if one.id == rule_id]
    return found


def judged(rule_id: str, about: Subject, **params: Any) -> list[Finding]:
    """What a shipped rule says; ``params`` change its parameters."""
    found = rule(rule_id, about.on, about.city)
    return judge(replace(found, params=found.params | params), about)


def one(rule_id: str, about: Subject, **params: Any) -> Finding:
    """The only finding of a rule."""
    found = judged(rule_id, about, **params)
    assert len(found) == 1, [(each.verdict, each.feature, each.message) for each in found]
    return found[0]


def told(finding: Finding) -> tuple[str, bool, bool]:
    """(verdict, borderline, blocking)."""
    return finding.verdict.value, finding.borderline, finding.blocking
