"""A cross section judged by the rules its tunnel was built to. Pure; a section takes well below 10 ms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from plugins.tunnel.model.space.edition import edition_day, rules_of
from plugins.tunnel.model.space.judged import State
from plugins.tunnel.model.space.room_rules import ROOM
from plugins.tunnel.model.space.section import Section
from plugins.tunnel.model.space.sharing import SHARING
from plugins.tunnel.model.space.supports import SUPPORTS

KINDS: Mapping[str, Callable[[Rule, State], list[Finding]]] = {**SHARING, **ROOM, **SUPPORTS}


def judge_section(section: Section, rules: Sequence[Rule], *, today: date, city: str = "") -> list[Finding]:
    """Findings of every rule that was in force when the tunnel was built.

    Args:
        rules: of whatever kinds; ``tunnel.section.*`` are judged. A city's rule takes the place of the national one
            of its id.
        today: counts for tunnels that state neither edition nor year.

    A rule's ``params.strength`` is ``must`` (应, 必须) or ``should`` (宜): a fail of the latter warns and never blocks.
    """
    on = edition_day(section.built, section.year) or today
    mine = [rule for rule in rules if rule.kind in KINDS]
    chosen = rules_of(mine, on, city)
    if mine and not any(rule.standard for rule in chosen):
        found = [_no_rules(section, on)]
    else:
        found = []
    state = State(section)
    for rule in chosen:
        found += KINDS[rule.kind](rule, state)
    return found


def _no_rules(section: Section, on: date) -> Finding:
    return Finding(
        rule="tunnel.section.edition", verdict=Verdict.CANNOT_JUDGE, feature=section.code, edition=section.built,
        message="tunnel.section.no_rules", params={"built": section.built or str(on.year), "fids": []},
    )  # fmt: skip
