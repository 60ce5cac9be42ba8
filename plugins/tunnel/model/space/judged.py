"""What every rule of a cross section works with: the section with what is asked of it, and how a finding is made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from plugins.tunnel.model.space.section import Aisle, Compartment, Placement, Section, aisle

#: Lengths (m) nearer than this are equal: placements are written in millimetres.
TOUCH = 0.0005
#: Rounding of computed lengths, m.
HAIR = 1e-9


class State:
    """A section with what several rules ask about it, worked out once."""

    def __init__(self, section: Section) -> None:
        self.section = section
        self.circles = {one.fid: section.circles(one) for one in section.placements}
        self._aisles: dict[str, Aisle | None] = {}
        x, y, _ = section.at or (float("nan"),) * 3
        known = section.at is not None and x == x and y == y
        self.evidence: dict[str, Any] | None = {"type": "Point", "coordinates": [x, y]} if known else None

    def room(self, room: Compartment) -> list[Placement]:
        """Lines in a compartment; abandoned ones are there, too."""
        return [one for one in self.section.placements if one.compartment == room.code]

    def aisle(self, room: Compartment) -> Aisle | None:
        """The compartment's aisle."""
        if room.code not in self._aisles:
            self._aisles[room.code] = aisle(self.section, room)
        return self._aisles[room.code]


def finding(
    rule: Rule,
    state: State,
    verdict: Verdict,
    message: str,
    feature: str,
    *,
    measured: float | None = None,
    limit: float | None = None,
    unit: str | None = None,
    lines: Iterable[Placement] = (),
    sure: bool = True,
    **params: Any,
) -> Finding:
    """A finding about a compartment, line or support (``feature``); ``sure`` False where a fail rests on estimates."""
    items = list(lines)
    blocking = verdict is Verdict.FAIL and rule.may_block and sure and rule.params.get("strength") != "should"
    near = measured is not None and limit is not None and abs(measured - limit) <= 2 * TOUCH
    return Finding(
        rule=rule.id, verdict=verdict, feature=feature, measured=measured, limit=limit,
        unit=rule.unit if unit is None else unit, standard=rule.standard, clause=rule.clause, edition=rule.edition,
        confidence=rule.confidence, blocking=blocking, borderline=near, message=f"tunnel.section.{message}",
        params={
            "title": rule.title, "title_zh": rule.title_zh, "feature": feature,
            "lines": ", ".join(one.line for one in items), "fids": [one.fid for one in items],
            "measured": measured, "limit": limit,
        } | params,
        evidence=state.evidence,
    )  # fmt: skip
