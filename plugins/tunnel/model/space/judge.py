"""A cross section judged by the rules its tunnel was built to. Pure; a section takes well below 10 ms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from plugins.tunnel.model.space.edition import edition_day, rules_of
from plugins.tunnel.model.space.section import Aisle, Compartment, Placement, Section, aisle, depth, is_cable, on_left

#: Lengths (m) nearer than this are equal: placements are written in millimetres.
_TOUCH = 0.0005
_HAIR = 1e-9


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
    state = _State(section)
    for rule in chosen:
        found += KINDS[rule.kind](rule, state)
    return found


class _State:
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


def _finding(
    rule: Rule,
    state: _State,
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
    items = list(lines)
    blocking = verdict is Verdict.FAIL and rule.may_block and sure and rule.params.get("strength") != "should"
    near = measured is not None and limit is not None and abs(measured - limit) <= 2 * _TOUCH
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


def _no_rules(section: Section, on: date) -> Finding:
    return Finding(
        rule="tunnel.section.edition", verdict=Verdict.CANNOT_JUDGE, feature=section.code, edition=section.built,
        message="tunnel.section.no_rules", params={"built": section.built or str(on.year), "fids": []},
    )  # fmt: skip


def _maybe(placement: Placement, kinds: Iterable[str]) -> bool:
    """True if a line whose medium is not known may be one of these."""
    kinds = set(kinds)
    return (
        placement.kind == "unknown"
        or (placement.kind == "heat" and bool(kinds & {"steam", "hot_water"}))
        or (placement.kind == "drainage" and bool(kinds & {"sewage", "rain", "combined"}))
    )


def _alone(rule: Rule, state: _State) -> list[Finding]:
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
            found.append(_finding(rule, state, Verdict.FAIL, "shared", room.code, lines=[*its, *known]))
        elif its and unsure:
            found.append(_finding(rule, state, Verdict.CANNOT_JUDGE, "medium_unknown", room.code, lines=unsure))
        elif its:
            found.append(_finding(rule, state, Verdict.PASS, "alone", room.code, lines=its))
        elif len(lines) > 1 and [one for one in unsure if one.kind != "unknown"]:
            found.append(_finding(rule, state, Verdict.CANNOT_JUDGE, "medium_unknown", room.code, lines=unsure))
    return found


def _apart(rule: Rule, state: _State) -> list[Finding]:
    """Two kinds of lines never share a compartment."""
    found = []
    for room in state.section.compartments:
        lines = state.room(room)
        a = [one for one in lines if one.kind in rule.params["a"]]
        b = [one for one in lines if one.kind in rule.params["b"]]
        unknown = [one for one in lines if one.kind == "unknown"]
        if a and b:
            found.append(_finding(rule, state, Verdict.FAIL, "together", room.code, lines=[*a, *b]))
        elif (a or b) and unknown:
            found.append(_finding(rule, state, Verdict.CANNOT_JUDGE, "medium_unknown", room.code, lines=unknown))
        elif a or b:
            found.append(_finding(rule, state, Verdict.PASS, "apart", room.code, lines=[*a, *b]))
    return found


def _sides(rule: Rule, state: _State) -> list[Finding]:
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


def _order(rule: Rule, state: _State) -> list[Finding]:
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
    rule: Rule, state: _State, room: Compartment, verdicts: list[tuple[Verdict, str, Placement, Placement]], **more: Any
) -> list[Finding]:
    """One finding per compartment: the gravest verdict with all pairs that have it."""
    for verdict in _GRAVITY:
        its = [one for one in verdicts if one[0] is verdict]
        if its:
            lines = dict.fromkeys(line for _, _, a, b in its for line in (a, b))
            return [_finding(rule, state, verdict, its[0][1], room.code, lines=lines, **more)]
    return []


def _drainage(rule: Rule, state: _State) -> list[Finding]:
    """Only separate drainage enters; sewage runs at the floor, in the lower third of the compartment."""
    found = []
    for room in state.section.compartments:
        for one in state.room(room):
            if one.kind == "combined" and rule.params.get("separate"):
                found.append(_finding(rule, state, Verdict.FAIL, "combined", room.code, lines=[one]))
            elif one.kind == "drainage":
                found.append(_finding(rule, state, Verdict.CANNOT_JUDGE, "medium_unknown", room.code, lines=[one]))
            elif one.kind in ("rain", "sewage") and rule.params.get("separate"):
                found.append(_finding(rule, state, Verdict.PASS, "separate", room.code, lines=[one]))
            elif one.kind == "sewage" and not rule.params.get("separate"):
                found.append(_at_floor(rule, state, room, one))
    return found


def _at_floor(rule: Rule, state: _State, room: Compartment, one: Placement) -> Finding:
    if room.box is None or one.y is None or one.outer_d is None:
        return _finding(rule, state, Verdict.CANNOT_JUDGE, "place_unknown", room.code, lines=[one])
    bottom = one.y - one.outer_d / 2 - room.box[1]
    limit = (room.box[3] - room.box[1]) * float(rule.params["lower_share"])
    beneath = [
        other
        for other in state.room(room)
        if other.fid != one.fid and other.x is not None and other.y is not None and other.outer_d and one.x is not None
        and abs(other.x - one.x) < (other.outer_d + one.outer_d) / 2 and other.y < one.y and not is_cable(other)
    ]  # fmt: skip
    good = bottom <= limit + _TOUCH and not beneath
    return _finding(
        rule, state, Verdict.PASS if good else Verdict.FAIL, "at_floor" if good else "not_at_floor", room.code,
        measured=bottom, limit=limit, lines=[one, *beneath],
    )  # fmt: skip


def _height(rule: Rule, state: _State) -> list[Finding]:
    """Clear height in the middle of the aisle."""
    limit = float(rule.params["min_m"])
    found = []
    for room in state.section.compartments:
        way = state.aisle(room)
        if way is None:
            found.append(_finding(rule, state, Verdict.CANNOT_JUDGE, "no_outline", room.code, limit=limit))
            continue
        good = way.height >= limit - _HAIR
        found.append(
            _finding(
                rule, state, Verdict.PASS if good else Verdict.FAIL, "high" if good else "low", room.code,
                measured=way.height, limit=limit,
            )
        )  # fmt: skip
    return found


def _aisle(rule: Rule, state: _State) -> list[Finding]:
    """Clear width of the aisle between what stands on both sides, or between it and the wall."""
    found = []
    for room in state.section.compartments:
        way, unplaced = state.aisle(room), [one for one in state.room(room) if not one.known]
        if way is None:
            found.append(_finding(rule, state, Verdict.CANNOT_JUDGE, "no_outline", room.code))
            continue
        limit = float(rule.params["two_sided_m" if way.sides == 2 else "one_sided_m"])
        params: dict[str, Any] = {"measured": way.width, "limit": limit, "sides": way.sides}
        if way.width < limit - _HAIR:
            found.append(_finding(rule, state, Verdict.FAIL, "narrow", room.code, **params))
        elif unplaced:
            found.append(
                _finding(rule, state, Verdict.CANNOT_JUDGE, "aisle_unsure", room.code, lines=unplaced, **params)
            )
        else:
            found.append(_finding(rule, state, Verdict.PASS, "wide", room.code, **params))
    return found


def _inside(rule: Rule, state: _State) -> list[Finding]:
    """Every line lies within the clear space of its compartment."""
    rooms = {room.code: room for room in state.section.compartments}
    found, good = [], []
    for one in state.section.placements:
        room = rooms.get(one.compartment)
        if room is None:
            found.append(
                _finding(rule, state, Verdict.FAIL, "no_compartment", one.line, lines=[one], stated=one.stated or "–")
            )
        elif not one.known:
            found.append(_finding(rule, state, Verdict.CANNOT_JUDGE, "place_unknown", one.line, lines=[one]))
        elif not room.outline:
            found.append(_finding(rule, state, Verdict.CANNOT_JUDGE, "no_outline", room.code, lines=[one]))
        else:
            least = min(depth(room.outline, x, y) - r for x, y, r in state.circles[one.fid])
            if least < -_TOUCH:
                sure = one.count == 1 and not one.nominal
                found.append(
                    _finding(rule, state, Verdict.FAIL, "outside", one.line, measured=-least, limit=0.0, lines=[one],
                             sure=sure, room=room.code)
                )  # fmt: skip
            else:
                good.append(one)
    if good and not found:
        found.append(_finding(rule, state, Verdict.PASS, "all_inside", state.section.code, lines=good))
    return found


def _overlap(rule: Rule, state: _State) -> list[Finding]:
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
            if deep > _TOUCH:
                sure = one.count == other.count == 1 and not one.nominal and not other.nominal
                found.append(
                    _finding(rule, state, Verdict.FAIL, "overlap", one.line, measured=deep, limit=0.0,
                             lines=[one, other], sure=sure, a=one.line, b=other.line)
                )  # fmt: skip
    if known and not found:
        found.append(_finding(rule, state, Verdict.PASS, "no_overlap", state.section.code))
    return found


def _load(rule: Rule, state: _State) -> list[Finding]:
    """Weight on every support that carries something, against its capacity; estimated where it is not stated."""
    span, densities = float(rule.params["span_m"]), rule.params["density_kg_m3"]
    found = []
    for support, lines in carried(state.section):
        if support.capacity_kg is None:
            found.append(_finding(rule, state, Verdict.CANNOT_JUDGE, "capacity_unknown", support.code, lines=lines))
            continue
        weights = [_weight(one, densities) for one in lines]
        if any(weight is None for weight, _ in weights):
            found.append(_finding(rule, state, Verdict.CANNOT_JUDGE, "weight_unknown", support.code, lines=lines))
            continue
        load = sum(weight for weight, _ in weights if weight is not None) * span
        stated = all(said for _, said in weights)
        good = load <= support.capacity_kg + _HAIR
        over = Verdict.FAIL if stated else Verdict.NEEDS_CERTIFICATE
        code = ("carries" if good else "overloaded") if stated else ("carries_estimated" if good else "load_estimated")
        found.append(
            _finding(rule, state, Verdict.PASS if good else over, code, support.code, measured=load,
                     limit=support.capacity_kg, lines=lines, span=span)
        )  # fmt: skip
    return found


def _weight(one: Placement, densities: Mapping[str, float]) -> tuple[float | None, bool]:
    """(kg/m of the whole bundle, whether it is stated)."""
    if one.weight_kg_m is not None:
        return one.weight_kg_m * one.count, True
    density = densities.get(one.kind)
    if density is None or one.outer_d is None:
        return None, False
    return 3.141592653589793 / 4 * one.outer_d**2 * float(density) * one.count, False


def _occupancy(rule: Rule, state: _State) -> list[Finding]:
    """What lies on a support fits on its length side by side; more means a second layer, to be justified."""
    limit = float(rule.params["max_share"])
    found = []
    for support, lines in carried(state.section):
        share = occupancy(support, lines)
        good = share <= limit + _HAIR
        verdict, code = (Verdict.PASS, "fits") if good else (Verdict.NEEDS_CERTIFICATE, "stacked")
        found.append(
            _finding(rule, state, verdict, code, support.code, measured=share, limit=limit, unit="", lines=lines)
        )
    return found


def carried(section: Section) -> list[tuple[Any, list[Placement]]]:
    """(support, lines on it) of every support that carries something."""
    on: dict[str, list[Placement]] = {}
    for one in section.placements:
        support = section.support_of(one)
        if support is not None:
            on.setdefault(support.code, []).append(one)
    return [(support, on[support.code]) for support in section.supports if support.code in on]


def occupancy(support: Any, lines: Sequence[Placement]) -> float:
    """Share of a support's length taken by outer diameters side by side; above 1 if they need a second layer."""
    return (
        sum((one.outer_d or 0.0) * one.count for one in lines) / support.length if support.length > 0 else float("inf")
    )


KINDS: dict[str, Callable[[Rule, _State], list[Finding]]] = {
    "tunnel.section.alone": _alone,
    "tunnel.section.apart": _apart,
    "tunnel.section.sides": _sides,
    "tunnel.section.order": _order,
    "tunnel.section.drainage": _drainage,
    "tunnel.section.height": _height,
    "tunnel.section.aisle": _aisle,
    "tunnel.section.inside": _inside,
    "tunnel.section.overlap": _overlap,
    "tunnel.section.load": _load,
    "tunnel.section.occupancy": _occupancy,
}
