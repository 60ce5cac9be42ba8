"""Which rules count for a tunnel: those of the edition it was built to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from planner_app.domain.rule import Rule, in_force

_YEAR = re.compile(r"(?:19|20)\d\d")


def rules_of(rules: Iterable[Rule], on: date, city: str) -> list[Rule]:
    """Rules in force on a day; a city's own takes the place of the national one of its id."""
    return list(
        {rule.id: rule for rule in sorted(in_force(rules, on, city), key=lambda rule: rule.city != "")}.values()
    )


def edition_day(built: str, year: int | None) -> date | None:
    """The day whose rules count: the end of the year of the edition (its last number of four digits, ``GB/T
    50838-2015 (2024)`` → 2024), else of the year of building; None if neither is known."""
    years = [int(found) for found in _YEAR.findall(built.replace("50838", ""))]
    if years:
        return date(max(years), 12, 31)
    return date(year, 12, 31) if year else None
