"""Rules as dated data. A rule's kind is code, its limit and clause are TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from planner_app.domain.errors import PlannerError


@dataclass(frozen=True, slots=True)
class Rule:
    """One dated rule.

    Attributes:
        kind: name of the rule kind (code) that judges it.
        params: that kind's parameters, units in their names (``min_area_m2``).
        confidence: ``high`` | ``medium`` | ``low``; evidence: ``found`` | ``memory`` | ``computed``.
        city: empty for national rules; confirmed: the city has checked it against the printed standard.
    """

    id: str
    kind: str
    title: str
    title_zh: str
    params: dict[str, Any] = field(default_factory=dict)
    unit: str = ""
    standard: str = ""
    clause: str = ""
    edition: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    city: str = ""
    confidence: str = "low"
    evidence: str = "memory"
    confirmed: bool = False

    def in_force(self, on: date) -> bool:
        """True if the rule is valid on that day; both ends count, a missing end is open."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)

    @property
    def may_block(self) -> bool:
        """Only what was found with high confidence (or computed), or what the city confirmed, blocks."""
        return self.confirmed or (self.confidence == "high" and self.evidence in ("found", "computed"))


def parse_rules(text: str, where: str) -> list[Rule]:
    """Read ``[[rule]]`` tables.

    Raises:
        PlannerError: ``rule.file_broken`` (not TOML) or ``rule.field_wrong`` (a field missing or of the wrong type).
    """
    try:
        tables = tomllib.loads(text).get("rule", [])
    except tomllib.TOMLDecodeError as error:
        raise PlannerError("rule.file_broken", file=where, detail=str(error)) from error
    rules = []
    for number, table in enumerate(tables, start=1):
        try:
            rules.append(Rule(**table))
        except TypeError as error:
            raise PlannerError(
                "rule.field_wrong", file=where, rule=table.get("id", number), detail=str(error)
            ) from error
        for end in (rules[-1].valid_from, rules[-1].valid_to):
            if end is not None and not isinstance(end, date):
                raise PlannerError("rule.field_wrong", file=where, rule=rules[-1].id, detail=f"not a date: {end!r}")
    return rules


def in_force(rules: Iterable[Rule], on: date, city: str = "") -> list[Rule]:
    """Rules valid on a day for a city: national ones and that city's own."""
    return [rule for rule in rules if rule.in_force(on) and rule.city in ("", city)]
