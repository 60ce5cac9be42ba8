"""Along a tunnel: spacing, number and size of its openings, fire zones, by the rules it was built to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import hypot
from typing import Any

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from plugins.tunnel.model.space.axis import Axis, station
from plugins.tunnel.model.space.edition import edition_day, rules_of
from plugins.tunnel.model.space.load import TunnelNode

Span = tuple[float, float]
#: Chainages are written to the centimetre: spans that differ by less (m) are equal.
_TOUCH = 0.011
#: Rooms and fire zones of neighbouring sections that lie nearer (m) than this meet.
_MEET = 0.5
#: Fewer words for more places: a sentence names so many openings.
_NAMED = 4
_SIZE = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Room:
    """A compartment along the tunnel.

    Attributes:
        name: its kind (电力), as nodes and zones name it; codes: of its pieces by section.
        media: kinds of lines in it (see ``kinds``); of an empty one what its name says.
    """

    name: str
    from_m: float
    to_m: float
    codes: frozenset[str] = frozenset()
    media: frozenset[str] = frozenset()

    def named(self, text: str) -> bool:
        """True if a text names this compartment."""
        return text == self.name or text in self.codes


@dataclass(frozen=True, slots=True)
class Zone:
    """A fire zone."""

    code: str
    room: str
    from_m: float
    to_m: float


@dataclass(frozen=True)
class Along:
    """What is judged along a tunnel. ``axis``: for the places of findings; None if they are not wanted."""

    tunnel: str
    rooms: tuple[Room, ...]
    openings: tuple[TunnelNode, ...]
    zones: tuple[Zone, ...] = ()
    built: str = ""
    year: int | None = None
    axis: Axis | None = None


def judge_along(along: Along, rules: Sequence[Rule], *, today: date, city: str = "") -> list[Finding]:
    """Findings of every ``tunnel.along.*`` rule in force when the tunnel was built.

    What is not recorded is never a pass: a compartment without any opening of a kind cannot be judged. ``params`` hold
    ``from_m``, ``to_m`` of the stretch meant and ``fids`` (none).
    """
    on = edition_day(along.built, along.year) or today
    mine = [rule for rule in rules if rule.kind in KINDS]
    chosen = rules_of(mine, on, city)
    if mine and not chosen:
        return [
            Finding(
                rule="tunnel.along.edition", verdict=Verdict.CANNOT_JUDGE, feature=along.tunnel, edition=along.built,
                message="tunnel.along.no_rules", params={"built": along.built or str(on.year), "fids": []},
            )
        ]  # fmt: skip
    found = [finding for rule in chosen for finding in KINDS[rule.kind](rule, along)]
    if not along.rooms and mine:
        params = {"tunnel": along.tunnel, "fids": []}
        found.append(
            Finding(rule="tunnel.along.rooms", verdict=Verdict.CANNOT_JUDGE, feature=along.tunnel,
                    message="tunnel.along.no_rooms", params=params)
        )  # fmt: skip
    return found


def _finding(
    rule: Rule, along: Along, verdict: Verdict, message: str, *, feature: str = "", measured: float | None = None,
    limit: float | None = None, span: Span | None = None, **params: Any,
) -> Finding:  # fmt: skip
    blocking = verdict is Verdict.FAIL and rule.may_block and rule.params.get("strength") != "should"
    where: dict[str, Any] = {}
    if span is not None:
        where = {"from_m": span[0], "to_m": span[1], "from_station": station(span[0]), "to_station": station(span[1])}
    openings = "、".join(rule.params.get("openings", ())[:1])
    near = measured is not None and limit is not None and abs(measured - limit) <= _TOUCH
    return Finding(
        rule=rule.id, verdict=verdict, feature=feature or along.tunnel, measured=measured, limit=limit, unit=rule.unit,
        standard=rule.standard, clause=rule.clause, edition=rule.edition, confidence=rule.confidence,
        blocking=blocking, borderline=near, message=f"tunnel.along.{message}",
        params={"what": rule.title, "what_zh": openings or rule.title_zh, "measured": measured,
                "limit": limit, "fids": []} | where | params,
        evidence=_evidence(along.axis, span),
    )  # fmt: skip


def _evidence(axis: Axis | None, span: Span | None) -> dict[str, Any] | None:
    if axis is None or span is None:
        return None
    marks = [span[0], *(float(m) for m in axis.m if span[0] < m < span[1]), span[1]]
    return {"type": "LineString", "coordinates": [list(axis.at(m)[:2]) for m in marks]}


def _applies(room: Room, media: Sequence[str] | None) -> bool:
    """True if a rule for these media counts in a compartment; none named: those for which no other counts."""
    if media is None:
        return True
    if media:
        return bool(room.media & set(media))
    return not room.media & {"power", "gas", "steam", "hot_water", "heat"}


def _spacing(rule: Rule, along: Along) -> list[Finding]:
    """Openings of a kind are at most so far apart in every compartment."""
    kinds, limit = set(rule.params["openings"]), float(rule.params["max_m"])
    media = rule.params.get("media")
    found: list[Finding] = []
    for room in along.rooms:
        unsure = media == ["steam"] and "heat" in room.media and "steam" not in room.media
        if not unsure and not _applies(room, media):
            continue
        there = [(one.m, _leads_to(along, one, room)) for one in along.openings if one.kind in kinds]
        sure = sorted({m for m, leads in there if leads})
        every = sorted({m for m, leads in there if leads is not False})
        more: dict[str, Any] = {"feature": f"{along.tunnel} {room.name}", "room": room.name, "limit": limit}
        if not every:
            found.append(_finding(rule, along, Verdict.CANNOT_JUDGE, "none", span=(room.from_m, room.to_m), **more))
            continue
        wide = [span for span in pairwise(sure) if span[1] - span[0] > limit + _TOUCH]
        open_ends = [
            span
            for span in ((room.from_m, (sure or every)[0]), ((sure or every)[-1], room.to_m))
            if span[1] - span[0] > limit + _TOUCH
        ]
        widest = max(pairwise(sure), key=lambda span: span[1] - span[0], default=(room.from_m, room.to_m))
        if unsure:
            if wide or open_ends:
                size = widest[1] - widest[0]
                found.append(
                    _finding(rule, along, Verdict.CANNOT_JUDGE, "medium_unknown", measured=size, span=widest, **more)
                )
            continue
        for span in wide:
            helped = all(b - a <= limit + _TOUCH for a, b in pairwise([m for m in every if span[0] <= m <= span[1]]))
            verdict, message = (Verdict.CANNOT_JUDGE, "room_unknown") if helped else (Verdict.FAIL, "gap")
            found.append(_finding(rule, along, verdict, message, measured=span[1] - span[0], span=span, **more))
        for span in open_ends:
            size = span[1] - span[0]
            found.append(_finding(rule, along, Verdict.NEEDS_CERTIFICATE, "end", measured=size, span=span, **more))
        # Where no opening names its compartment, what is too far apart even if all lead there surely is.
        far = [] if sure else [span for span in pairwise(every) if span[1] - span[0] > limit + _TOUCH]
        for span in far:
            found.append(_finding(rule, along, Verdict.FAIL, "gap", measured=span[1] - span[0], span=span, **more))
        if not wide and not open_ends and not far:
            if sure:
                size = widest[1] - widest[0] if len(sure) > 1 else max(sure[0] - room.from_m, room.to_m - sure[0])
                found.append(_finding(rule, along, Verdict.PASS, "spaced", measured=size, span=widest, **more))
            else:
                size = max((b - a for a, b in pairwise(every)), default=0.0)
                found.append(
                    _finding(rule, along, Verdict.CANNOT_JUDGE, "room_unknown", measured=size,
                             span=(room.from_m, room.to_m), **more)
                )  # fmt: skip
    return found


def _leads_to(along: Along, opening: TunnelNode, room: Room) -> bool | None:
    """Whether an opening leads to a compartment; None if it names none and there are several."""
    here = [one for one in along.rooms if one.from_m - _MEET <= opening.m <= one.to_m + _MEET]
    if room not in here:
        return False
    named = [one for one in here if one.named(opening.compartment)]
    return room in named if named else True if len(here) == 1 else None


def _count(rule: Rule, along: Along) -> list[Finding]:
    """A tunnel has at least so many openings of a kind."""
    kinds, least = set(rule.params["openings"]), float(rule.params["min_count"])
    number = float(sum(one.kind in kinds for one in along.openings))
    if not number:
        return [_finding(rule, along, Verdict.CANNOT_JUDGE, "none_in_tunnel", limit=least)]
    good = number >= least
    return [
        _finding(rule, along, Verdict.PASS if good else Verdict.FAIL, "count" if good else "too_few", measured=number,
                 limit=least)
    ]  # fmt: skip


def _apart(rule: Rule, along: Along) -> list[Finding]:
    """Exhausts of the gas compartment stand away from openings of others, in plan."""
    rooms = [room for room in along.rooms if "gas" in room.media]
    if not rooms:
        return []
    limit = float(rule.params["min_m"])
    mine = [one for one in along.openings if any(room.named(one.compartment) for room in rooms)]
    exhausts = [one for one in mine if one.kind in rule.params["exhaust"]]
    others = [one for one in along.openings if one not in mine and one.kind in rule.params["others"]]
    if not exhausts:
        span = (rooms[0].from_m, rooms[-1].to_m)
        return [
            _finding(rule, along, Verdict.CANNOT_JUDGE, "none", room=rooms[0].name, limit=limit, span=span,
                     what_zh=rule.params["exhaust"][0])
        ]  # fmt: skip
    found, nearest = [], None
    for one in exhausts:
        lost = [other for other in (one, *others) if other.xy is None]
        if lost:
            found.append(_finding(rule, along, Verdict.CANNOT_JUDGE, "place_unknown", feature=one.code, limit=limit,
                                  span=(one.m, one.m), a=_names(lost)))  # fmt: skip
        for other in others:
            if one.xy is None or other.xy is None:
                continue
            away = hypot(one.xy[0] - other.xy[0], one.xy[1] - other.xy[1])
            if away < limit - _TOUCH:
                span = (min(one.m, other.m), max(one.m, other.m))
                found.append(_finding(rule, along, Verdict.FAIL, "near", feature=one.code, measured=away, limit=limit,
                                      span=span, a=one.code, b=other.code))  # fmt: skip
            if nearest is None or away < nearest[0]:
                nearest = (away, one, other)
    if not found and nearest is not None:
        away, one, other = nearest
        found.append(_finding(rule, along, Verdict.PASS, "away", feature=one.code, measured=away, limit=limit,
                              span=(one.m, one.m), a=one.code, b=other.code))  # fmt: skip
    return found


def clear_width(size: str) -> float | None:
    """The smaller number (m) of a clear size: ``1.2×7.0`` → 1.2, ``φ1.0`` → 1.0, ``φ1000`` → 1.0 (mm); None if none."""
    numbers = [float(one) for one in _SIZE.findall(size)]
    least = min(numbers, default=None)
    return None if not least else least / 1000 if least >= 100 else least


def _names(openings: Iterable[TunnelNode]) -> str:
    codes = list(dict.fromkeys(one.code for one in openings))
    return ", ".join(codes[:_NAMED]) + (f" … ({len(codes)})" if len(codes) > _NAMED else "")


def _size(rule: Rule, along: Along) -> list[Finding]:
    """Openings are wide enough; one finding for those that are, one for those that say nothing, one for each other."""
    limit = float(rule.params["min_m"])
    sizes = [(one, clear_width(one.size)) for one in along.openings if one.kind in rule.params["openings"]]
    found = []
    for one, width in sizes:
        if width is not None and width < limit - 1e-9:
            found.append(_finding(rule, along, Verdict.FAIL, "small", feature=one.code, measured=width, limit=limit,
                                  span=(one.m, one.m), a=one.code))  # fmt: skip
    silent = [one for one, width in sizes if width is None]
    if silent:
        found.append(_finding(rule, along, Verdict.CANNOT_JUDGE, "size_unknown", limit=limit, a=_names(silent),
                              span=(silent[0].m, silent[-1].m)))  # fmt: skip
    wide = [width for _, width in sizes if width is not None and width >= limit - 1e-9]
    if wide and len(wide) == len(sizes):
        found.append(_finding(rule, along, Verdict.PASS, "large", measured=min(wide), limit=limit, count=len(wide)))
    return found


def _zones(rule: Rule, along: Along) -> list[Finding]:
    """Fire zones of compartments with these media are short enough and leave nothing out."""
    limit = float(rule.params["max_m"])
    found = []
    for room in along.rooms:
        if not _applies(room, rule.params["media"]):
            continue
        more: dict[str, Any] = {"feature": f"{along.tunnel} {room.name}", "room": room.name, "limit": limit}
        its = sorted((zone for zone in along.zones if not zone.room or room.named(zone.room)), key=lambda z: z.from_m)
        its = [zone for zone in its if zone.to_m > room.from_m + _TOUCH and zone.from_m < room.to_m - _TOUCH]
        edge, good = room.from_m, True
        for low, high in [*((zone.from_m, zone.to_m) for zone in its), (room.to_m, room.to_m)]:
            if low - edge > _MEET:
                good = False
                found.append(_finding(rule, along, Verdict.CANNOT_JUDGE, "zone_missing", measured=low - edge,
                                      span=(edge, low), **more))  # fmt: skip
            edge = max(edge, high)
        for zone in its:
            if zone.to_m - zone.from_m > limit + _TOUCH:
                good = False
                found.append(_finding(rule, along, Verdict.FAIL, "zone_long", measured=zone.to_m - zone.from_m,
                                      span=(zone.from_m, zone.to_m), a=zone.code, **more))  # fmt: skip
        if good:
            longest = max(its, key=lambda zone: zone.to_m - zone.from_m)
            found.append(_finding(rule, along, Verdict.PASS, "zone_short", measured=longest.to_m - longest.from_m,
                                  span=(longest.from_m, longest.to_m), **more))  # fmt: skip
    return found


KINDS: dict[str, Callable[[Rule, Along], list[Finding]]] = {
    "tunnel.along.spacing": _spacing,
    "tunnel.along.count": _count,
    "tunnel.along.apart": _apart,
    "tunnel.along.size": _size,
    "tunnel.along.zone": _zones,
}
