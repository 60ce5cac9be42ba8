"""What is judged along a tunnel, from a project's tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from planner_app.plugin_api.model import Finding, Project, Rule
from plugins.tunnel.model.space.kinds import line_kind
from plugins.tunnel.model.space.load import Row, Tunnel, among, lines_of, load_tunnel, number, rows, text
from plugins.tunnel.model.space.openings import Along, Room, Zone, judge_along
from plugins.tunnel.model.space.tables import COMPARTMENT, FIRE_ZONE, PLACEMENT

#: Pieces of a compartment that lie nearer (m) than this are one.
_MEET = 0.5


@dataclass
class _Piece:
    name: str
    low: float
    high: float
    codes: set[str] = field(default_factory=set)
    media: set[str] = field(default_factory=set)


def load_along(project: Project, tunnel: Tunnel) -> Along:
    """Compartments joined through the sections, openings and fire zones of a tunnel."""
    ends = tunnel.axis.ends
    spans = {text(row["code"]): (number(row["from_m"]), number(row["to_m"])) for row in tunnel.sections}
    codes = list(spans)
    kinds = _kinds(project, codes)
    pieces: list[_Piece] = []
    for row in rows(project, COMPARTMENT, among("section", codes)) if codes else ():
        section, code, kind = text(row["section"]), text(row["code"]), text(row["kind"])
        stated = (number(row["from_m"]), number(row["to_m"]))
        low, high = (
            one if one is not None else other if other is not None else end
            for one, other, end in zip(stated, spans[section], ends, strict=True)
        )
        media = kinds.get((section, code), set()) | kinds.get((section, kind), set())
        pieces.append(_Piece(kind or code, low, high, {code}, media))
    joined: list[_Piece] = []
    for piece in sorted(pieces, key=lambda one: (one.name, one.low)):
        last = joined[-1] if joined else None
        if last is not None and last.name == piece.name and piece.low <= last.high + _MEET:
            last.high = max(last.high, piece.high)
            last.codes |= piece.codes
            last.media |= piece.media
        else:
            joined.append(piece)
    found = []
    for one in sorted(joined, key=lambda one: (one.low, one.name)):
        media = one.media or ({line_kind("", one.name)} - {"unknown"})
        found.append(Room(one.name, one.low, one.high, frozenset(one.codes), frozenset(media)))
    year = number(tunnel.row["built_year"])
    return Along(
        tunnel.code, tuple(found), tuple(tunnel.nodes), _zones(project, tunnel.code),
        text(tunnel.row["built_edition"]), None if year is None else int(year), tunnel.axis,
    )  # fmt: skip


def _kinds(project: Project, sections: list[str]) -> dict[tuple[str, str], set[str]]:
    """Kinds of lines by (section, compartment as the placement states it)."""
    there: list[Row] = rows(project, PLACEMENT, among("section", sections)) if sections else []
    lines = lines_of(project, [text(row["line"]) for row in there])
    found: dict[tuple[str, str], set[str]] = {}
    for row in there:
        line = lines.get(text(row["line"]), {})
        kind = line_kind(text(line.get("kind_code")), text(line.get("network")))
        found.setdefault((text(row["section"]), text(row["compartment"])), set()).add(kind)
    return found


def _zones(project: Project, tunnel: str) -> tuple[Zone, ...]:
    zones = []
    for row in rows(project, FIRE_ZONE, among("tunnel", [tunnel])):
        low, high = number(row["from_m"]), number(row["to_m"])
        if low is not None and high is not None:
            zones.append(Zone(text(row["code"]), text(row["compartment"]), min(low, high), max(low, high)))
    return tuple(zones)


def judge_tunnel(
    project: Project, code: str, rules: Sequence[Rule], ends: tuple[float, float] | None = None, city: str = ""
) -> list[Finding]:
    """Findings along a tunnel by today's knowledge of it; with ``ends`` those that concern that stretch.

    Raises:
        PlannerError: ``tunnel.no_table``, ``tunnel.tunnel_unknown``, ``tunnel.no_axis``.
    """
    found = judge_along(load_along(project, load_tunnel(project, code)), rules, today=date.today(), city=city)
    return [one for one in found if ends is None or _within(one, ends)]


def _within(finding: Finding, ends: tuple[float, float]) -> bool:
    params = finding.params or {}
    return "from_m" not in params or (params["from_m"] <= ends[1] and params["to_m"] >= ends[0])
