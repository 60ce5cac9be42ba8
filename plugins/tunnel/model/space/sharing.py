"""Rules of what may lie in one compartment, on which side and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from plugins.tunnel.model.space.judged import TOUCH, State, finding
from plugins.tunnel.model.space.section import Compartment, Placement, is_cable, on_left


def _maybe(placement: Placement, kinds: Iterable[str]) -> bool:
    """True if a line whose medium is not known may be one of these."""
    kinds = set(kinds)
    return (
        placement.kind == "unknown"
        or (placement.kind == "heat" and bool(kinds & {"steam", "hot_water"}))
        or (placement.kind == "drainage" and bool(kinds & {"sewage", "rain", "combined"}))
    )


def _alone(rule: Rule, state: State) -> list[Finding]:
    """A kind of pipe lies in a compartment of its own."""
    wanted = set(rule.params["pipes"])
    found = []
    for room in state.section.compartments:
        lines = state.room(room)
        its = [one for one in lines if one.kind in wanted]
        unsure = [one for one in lines if one.kind not in wanted and _maybe(one, wanted)]
        others = [one for one in lines if one.kind not in wanted]
        if its and [one for one in others if one not in unsure]:
            known = [one for one in others if one not in unsure]
            found.append(finding(rule, state, Verdict.FAIL, "shared", room.code, lines=[*its, *known]))
        elif its and unsure:
            found.append(finding(rule, state, Verdict.CANNOT_JUDGE, "medium_unknown", room.code, lines=unsure))
        elif its:
            found.append(finding(rule, state, Verdict.PASS, "alone", room.code, lines=its))
        elif len(lines) > 1 and [one for one in unsure if one.kind != "unknown"]:
            found.append(finding(rule, state, Verdict.CANNOT_JUDGE, "medium_unknown", room.code, lines=unsure))
    return found


def _apart(rule: Rule, state: State) -> list[Finding]:
    """Two kinds of lines never share a compartment."""
    found = []
    for room in state.section.compartments:
        lines = state.room(room)
        a = [one for one in lines if one.kind in rule.params["a"]]
        b = [one for one in lines if one.kind in rule.params["b"]]
        unknown = [one for one in lines if one.kind == "unknown"]
        if a and b:
            found.append(finding(rule, state, Verdict.FAIL, "together", room.code, lines=[*a, *b]))
        elif (a or b) and unknown:
            found.append(finding(rule, state, Verdict.CANNOT_JUDGE, "medium_unknown", room.code, lines=unknown))
        elif a or b:
            found.append(finding(rule, state, Verdict.PASS, "apart", room.code, lines=[*a, *b]))
    return found


def _sides(rule: Rule, state: State) -> list[Finding]:
    """Power from a voltage on is not on telecom's side."""
    limit = float(rule.params["min_kv"])
    found = []
    for room in state.section.compartments:
        lines = state.room(room)
        telecom = [one for one in lines if one.kind == "telecom"]
        power = [one for one in lines if one.kind == "power" and (one.voltage_kv is None or one.voltage_kv >= limit)]
        if not telecom or not power:
            continue
        verdicts = []
        for cable in power:
            for line in telecom:
                sides = [on_left(state.section, room, one) for one in (cable, line)]
                same = None if None in sides else sides[0] == sides[1]
                if same is False:
                    verdicts.append((Verdict.PASS, "sides", cable, line))
                elif same and cable.voltage_kv is not None:
                    verdicts.append((Verdict.FAIL, "same_side", cable, line))
                elif cable.voltage_kv is None:
                    verdicts.append((Verdict.CANNOT_JUDGE, "voltage_unknown", cable, line))
                else:
                    verdicts.append((Verdict.CANNOT_JUDGE, "place_unknown", cable, line))
        found += _worst(rule, state, room, verdicts, limit=limit, unit="kV")
    return found


def _order(rule: Rule, state: State) -> list[Finding]:
    """On one side, lines of one kind lie below those of another."""
    found = []
    for room in state.section.compartments:
        lines = state.room(room)
        verdicts = []
        for low in (one for one in lines if one.kind in rule.params["below"]):
            for high in (one for one in lines if one.kind in rule.params["above"]):
                sides = [on_left(state.section, room, one) for one in (low, high)]
                if None in sides or low.y is None or high.y is None:
                    verdicts.append((Verdict.CANNOT_JUDGE, "place_unknown", low, high))
                elif sides[0] == sides[1]:
                    below = low.y < high.y
                    verdicts.append((Verdict.PASS if below else Verdict.FAIL, "below" if below else "above", low, high))
        found += _worst(rule, state, room, verdicts)
    return found


_GRAVITY = (Verdict.FAIL, Verdict.NEEDS_CERTIFICATE, Verdict.CANNOT_JUDGE, Verdict.PASS)


def _worst(
    rule: Rule, state: State, room: Compartment, verdicts: list[tuple[Verdict, str, Placement, Placement]], **more: Any
) -> list[Finding]:
    """One finding per compartment: the gravest verdict with all pairs that have it."""
    for verdict in _GRAVITY:
        its = [one for one in verdicts if one[0] is verdict]
        if its:
            lines = dict.fromkeys(line for _, _, a, b in its for line in (a, b))
            return [finding(rule, state, verdict, its[0][1], room.code, lines=lines, **more)]
    return []


def _drainage(rule: Rule, state: State) -> list[Finding]:
    """Only separate drainage enters; sewage runs at the floor, in the lower third of the compartment."""
    found = []
    for room in state.section.compartments:
        for one in state.room(room):
            if one.kind == "combined" and rule.params.get("separate"):
                found.append(finding(rule, state, Verdict.FAIL, "combined", room.code, lines=[one]))
            elif one.kind == "drainage":
                found.append(finding(rule, state, Verdict.CANNOT_JUDGE, "medium_unknown", room.code, lines=[one]))
            elif one.kind in ("rain", "sewage") and rule.params.get("separate"):
                found.append(finding(rule, state, Verdict.PASS, "separate", room.code, lines=[one]))
            elif one.kind == "sewage" and not rule.params.get("separate"):
                found.append(_at_floor(rule, state, room, one))
    return found


def _at_floor(rule: Rule, state: State, room: Compartment, one: Placement) -> Finding:
    if room.box is None or one.y is None or one.outer_d is None:
        return finding(rule, state, Verdict.CANNOT_JUDGE, "place_unknown", room.code, lines=[one])
    bottom = one.y - one.outer_d / 2 - room.box[1]
    limit = (room.box[3] - room.box[1]) * float(rule.params["lower_share"])
    beneath = [
        other
        for other in state.room(room)
        if other.fid != one.fid and other.x is not None and other.y is not None and other.outer_d and one.x is not None
        and abs(other.x - one.x) < (other.outer_d + one.outer_d) / 2 and other.y < one.y and not is_cable(other)
    ]  # fmt: skip
    good = bottom <= limit + TOUCH and not beneath
    return finding(
        rule, state, Verdict.PASS if good else Verdict.FAIL, "at_floor" if good else "not_at_floor", room.code,
        measured=bottom, limit=limit, lines=[one, *beneath],
    )  # fmt: skip


SHARING: Mapping[str, Callable[[Rule, State], list[Finding]]] = {
    "tunnel.section.alone": _alone,
    "tunnel.section.apart": _apart,
    "tunnel.section.sides": _sides,
    "tunnel.section.order": _order,
    "tunnel.section.drainage": _drainage,
}
