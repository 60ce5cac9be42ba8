"""Rounds due: what a plan asks for, what was walked, what is late. Pure; nothing of it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule, in_force
from plugins.tunnel.model.operation.records import Inspection, Plan
from plugins.tunnel.model.operation.rows import day_of

#: A stretch shorter than this (m) that nobody walked is no gap.
_GAP = 1.0


class RoundState(StrEnum):
    """Where a round stands on a day."""

    DONE = "done"
    DUE = "due"
    OVERDUE = "overdue"
    MISSED = "missed"
    COMING = "coming"


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a plan: to be walked from ``opens`` to ``due``, both days included.

    ``covered``: share of the route walked in every compartment, 0 … 1; ``inspections``: ids of what was walked.
    """

    plan: Plan
    number: int
    opens: date
    due: date
    state: RoundState
    covered: float = 0.0
    inspections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """A plan on a day. ``now``: the round that is open, None before the start and after the end; ``late``: the one
    before it, where nobody walked it and the open one is not done either; ``last``: day of the last walk."""

    plan: Plan
    now: Round | None
    late: Round | None
    last: date | None

    @property
    def state(self) -> RoundState:
        """Overdue before due before done."""
        if self.late is not None:
            return RoundState.OVERDUE
        return self.now.state if self.now is not None else RoundState.COMING

    @property
    def due(self) -> date | None:
        """The day by which somebody must walk; after a round is done that of the next one."""
        if self.late is not None:
            return self.late.due
        if self.now is None:
            return day_of(self.plan.start) if not self.plan.ended else None
        step = timedelta(days=self.plan.every_days if self.now.state is RoundState.DONE else 0)
        end = day_of(self.plan.ended) if self.plan.ended else None
        due = self.now.due + step
        return None if end is not None and self.now.state is RoundState.DONE and due > end else due


def rounds(plan: Plan, inspections: Iterable[Inspection], on: date, since: date | None = None) -> list[Round]:
    """Rounds that opened by a day, oldest first; with ``since`` only those due then or later.

    A round walked in parts counts once its parts cover the route in every compartment of the plan.
    """
    start, end = day_of(plan.start), day_of(plan.ended) if plan.ended else None
    if start is None or plan.every_days < 1:
        return []
    walked: dict[int, list[Inspection]] = {}
    for one in inspections:
        day = day_of(one.started)
        if one.plan_id == plan.id and day is not None and start <= day <= on:
            walked.setdefault((day - start).days // plan.every_days, []).append(one)
    newest = (min(on, end or on) - start).days // plan.every_days
    first = 0 if since is None else max(0, (since - start).days // plan.every_days)
    found: list[Round] = []
    for number in range(first, newest + 1):
        opens = start + timedelta(days=number * plan.every_days)
        due = opens + timedelta(days=plan.every_days - 1)
        its = walked.get(number, [])
        share = coverage(plan, its)
        if share >= 1.0:
            state = RoundState.DONE
        elif due >= on and not (end is not None and end < on):
            state = RoundState.DUE
        else:
            state = RoundState.MISSED
        found.append(Round(plan, number, opens, due, state, share, tuple(one.id for one in its)))
    return found


def standing(plan: Plan, inspections: Sequence[Inspection], on: date) -> Standing:
    """Where a plan stands on a day."""
    its = [one for one in inspections if one.plan_id == plan.id]
    days = [day for one in its if (day := day_of(one.started)) is not None and day <= on]
    recent = rounds(plan, its, on, on - timedelta(days=2 * plan.every_days))
    over = bool(plan.ended) and (day_of(plan.ended) or on) < on
    now = recent[-1] if recent and not over else None
    late = None
    if now is not None and now.state is not RoundState.DONE and len(recent) > 1:
        before = recent[-2]
        if before.state is RoundState.MISSED:
            late = Round(
                plan, before.number, before.opens, before.due, RoundState.OVERDUE, before.covered, before.inspections
            )
    return Standing(plan, now, late, max(days, default=None))


def coverage(plan: Plan, walked: Iterable[Inspection]) -> float:
    """Share of a plan's route that was walked, of the compartment walked least; gaps below a metre are none."""
    length = plan.to_m - plan.from_m
    spans: dict[str, list[tuple[float, float]]] = {name: [] for name in plan.compartments or ("",)}
    for one in walked:
        for name, its in spans.items():
            if not one.compartments or name in one.compartments:
                low, high = max(min(one.from_m, one.to_m), plan.from_m), min(max(one.from_m, one.to_m), plan.to_m)
                its += [(low, high)] if low < high else []
    shares = []
    for its in spans.values():
        reached, gap = plan.from_m, 0.0
        for low, high in sorted(its):
            gap += low - reached if low - reached > _GAP else 0.0
            reached = max(reached, high)
        gap += plan.to_m - reached if plan.to_m - reached > _GAP else 0.0
        shares.append(1.0 - gap / length if length > 0 else float(bool(its)))
    return max(min(shares), 0.0)


def judge_plan(plan: Plan, rules: Sequence[Rule], on: date, city: str = "") -> list[Finding]:
    """Whether a plan's rounds are as frequent as rules of kind ``tunnel.patrol`` want; a city's rule replaces the
    national one of its id. ``compartments`` in a rule limits it to plans that go there."""
    chosen = {rule.id: rule for rule in sorted(in_force(rules, on, city), key=lambda rule: rule.city != "")}
    found = []
    for rule in chosen.values():
        kinds = set(rule.params.get("compartments", ()))
        if rule.kind != "tunnel.patrol" or rule.params.get("where") != "inside":
            continue
        if kinds and plan.compartments and not kinds & set(plan.compartments):
            continue
        most = float(rule.params["max_days"])
        fails = plan.every_days > most
        params = {
            "title": rule.title, "title_zh": rule.title_zh, "measured": plan.every_days, "limit": int(most),
            "standard": rule.standard, "clause": rule.clause,
        }  # fmt: skip
        found.append(
            Finding(
                rule.id, Verdict.FAIL if fails else Verdict.PASS, feature=plan.number or plan.name,
                measured=float(plan.every_days), limit=most, unit=rule.unit, standard=rule.standard,
                clause=rule.clause, edition=rule.edition, confidence=rule.confidence,
                blocking=fails and rule.may_block,
                message="tunnel.patrol_fails" if fails else "tunnel.patrol_passes", params=params,
            )
        )  # fmt: skip
    return found
