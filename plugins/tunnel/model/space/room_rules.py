"""Rules of the room there is: height and width to walk, lines inside their compartment and clear of each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from plugins.tunnel.model.space.judged import HAIR, TOUCH, State, finding
from plugins.tunnel.model.space.section import depth


def _height(rule: Rule, state: State) -> list[Finding]:
    """Clear height in the middle of the aisle."""
    limit = float(rule.params["min_m"])
    found = []
    for room in state.section.compartments:
        way = state.aisle(room)
        if way is None:
            found.append(finding(rule, state, Verdict.CANNOT_JUDGE, "no_outline", room.code, limit=limit))
            continue
        good = way.height >= limit - HAIR
        found.append(
            finding(
                rule, state, Verdict.PASS if good else Verdict.FAIL, "high" if good else "low", room.code,
                measured=way.height, limit=limit,
            )
        )  # fmt: skip
    return found


def _aisle(rule: Rule, state: State) -> list[Finding]:
    """Clear width of the aisle between what stands on both sides, or between it and the wall."""
    found = []
    for room in state.section.compartments:
        way, unplaced = state.aisle(room), [one for one in state.room(room) if not one.known]
        if way is None:
            found.append(finding(rule, state, Verdict.CANNOT_JUDGE, "no_outline", room.code))
            continue
        limit = float(rule.params["two_sided_m" if way.sides == 2 else "one_sided_m"])
        params: dict[str, Any] = {"measured": way.width, "limit": limit, "sides": way.sides}
        if way.width < limit - HAIR:
            found.append(finding(rule, state, Verdict.FAIL, "narrow", room.code, **params))
        elif unplaced:
            found.append(
                finding(rule, state, Verdict.CANNOT_JUDGE, "aisle_unsure", room.code, lines=unplaced, **params)
            )
        else:
            found.append(finding(rule, state, Verdict.PASS, "wide", room.code, **params))
    return found


def _inside(rule: Rule, state: State) -> list[Finding]:
    """Every line lies within the clear space of its compartment."""
    rooms = {room.code: room for room in state.section.compartments}
    found, good = [], []
    for one in state.section.placements:
        room = rooms.get(one.compartment)
        if room is None:
            found.append(
                finding(rule, state, Verdict.FAIL, "no_compartment", one.line, lines=[one], stated=one.stated or "–")
            )
        elif not one.known:
            found.append(finding(rule, state, Verdict.CANNOT_JUDGE, "place_unknown", one.line, lines=[one]))
        elif not room.outline:
            found.append(finding(rule, state, Verdict.CANNOT_JUDGE, "no_outline", room.code, lines=[one]))
        else:
            least = min(depth(room.outline, x, y) - r for x, y, r in state.circles[one.fid])
            if least < -TOUCH:
                sure = one.count == 1 and not one.nominal
                found.append(
                    finding(rule, state, Verdict.FAIL, "outside", one.line, measured=-least, limit=0.0, lines=[one],
                             sure=sure, room=room.code)
                )  # fmt: skip
            else:
                good.append(one)
    if good and not found:
        found.append(finding(rule, state, Verdict.PASS, "all_inside", state.section.code, lines=good))
    return found


def _overlap(rule: Rule, state: State) -> list[Finding]:
    """No two lines take the same space."""
    known = [(one, state.circles[one.fid]) for one in state.section.placements if one.known]
    boxes = [
        (min(x - r for x, _, r in cs), min(y - r for _, y, r in cs), max(x + r for x, _, r in cs),
         max(y + r for _, y, r in cs))
        for _, cs in known
    ]  # fmt: skip
    found = []
    for i, (one, its) in enumerate(known):
        for k in range(i + 1, len(known)):
            a, b = boxes[i], boxes[k]
            if a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]:
                continue
            other, others = known[k]
            deep = max(r + s - ((x - u) ** 2 + (y - v) ** 2) ** 0.5 for x, y, r in its for u, v, s in others)
            if deep > TOUCH:
                sure = one.count == other.count == 1 and not one.nominal and not other.nominal
                found.append(
                    finding(rule, state, Verdict.FAIL, "overlap", one.line, measured=deep, limit=0.0,
                             lines=[one, other], sure=sure, a=one.line, b=other.line)
                )  # fmt: skip
    if known and not found:
        found.append(finding(rule, state, Verdict.PASS, "no_overlap", state.section.code))
    return found


ROOM: Mapping[str, Callable[[Rule, State], list[Finding]]] = {
    "tunnel.section.height": _height,
    "tunnel.section.aisle": _aisle,
    "tunnel.section.inside": _inside,
    "tunnel.section.overlap": _overlap,
}
