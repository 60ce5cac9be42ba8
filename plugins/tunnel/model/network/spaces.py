"""The rooms of tunnels as a graph: stretches of compartments between fire doors, and the ways from one to another.

A space is a fire zone where the project has them, else a compartment of a section. Ways come from the table
``compartment_link``; where it is missing they are derived: a fire door between zones that follow each other, an open
passage between compartments without zones, and a shaft where a node of one tunnel stands on another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import shapely
from shapely.ops import substring

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.network.epanet import kind_params
from plugins.tunnel.model.space.axis import Axis
from plugins.tunnel.model.space.load import load_tunnel, number, rows, text
from plugins.tunnel.model.space.tables import COMPARTMENT, FIRE_ZONE, PLACEMENT, SECTION, TUNNEL
from plugins.tunnel.model.tables import table_spec

Note = tuple[str, dict[str, Any]]
COMPARTMENT_LINK = table_spec(
    "compartment_link",
    "舱室连通",
    "none",
    "code a b via rating_h:real openable:boolean m:real sill_z:real",
)
#: Zones whose ends are so near to each other follow each other (m).
_TOUCH = 1.0
#: A node of one tunnel joins another whose axis passes so near (m): branches by their place, junctions by their name.
_JOINS = {"交叉口": 120.0, "junction": 120.0, "分支口": 15.0, "branch": 15.0}


@dataclass(frozen=True, slots=True)
class Space:
    """A stretch of one compartment.

    Attributes:
        table, fid: the record it is (``fire_zone`` or ``compartment``).
        area, height: clear cross section, m², and height, m; None where no outline is known.
        floor: z of the floor at both ends (m).
        rooms: codes of the compartments it runs through. shape: its line in plan, None where the axis is unknown.
        values: other fields of its record (``air_changes``, ``sump_pump_m3h``).
    """

    id: str
    tunnel: str
    kind: str
    from_m: float
    to_m: float
    table: str
    fid: int
    area: float | None = None
    floor: tuple[float | None, float | None] = (None, None)
    rooms: tuple[str, ...] = ()
    shape: Any = None
    values: tuple[tuple[str, float], ...] = ()
    height: float | None = None

    @property
    def length(self) -> float:
        """Length along the tunnel, m."""
        return self.to_m - self.from_m

    @property
    def volume(self) -> float | None:
        """Clear volume, m³."""
        return None if self.area is None else self.area * self.length

    def value(self, name: str) -> float | None:
        """A number of its record."""
        return dict(self.values).get(name)


@dataclass(frozen=True, slots=True)
class Link:
    """A way between spaces ``a`` and ``b`` (numbers).

    Attributes:
        via: door | wall | shaft | open. m: chainage in a's tunnel.
        sill: height water has to reach to pass (m); None: the floor there. stated: from the table, not derived.
    """

    a: int
    b: int
    via: str
    m: float
    rating_h: float | None = None
    openable: bool = True
    sill: float | None = None
    stated: bool = False


@dataclass(frozen=True)
class Spaces:
    """Spaces, the ways between them, which lines run in which, and what had to be left out or assumed."""

    items: Sequence[Space]
    links: Sequence[Link]
    lines: dict[int, tuple[str, ...]]
    axes: dict[str, Axis]
    notes: tuple[Note, ...]

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Number of each id."""
        return {one.id: at for at, one in enumerate(self.items)}

    @cached_property
    def beside(self) -> dict[int, list[tuple[int, Link]]]:
        """Spaces next to each, with the way that leads there; walls lead nowhere."""
        found: dict[int, list[tuple[int, Link]]] = {at: [] for at in range(len(self.items))}
        for link in self.links:
            if link.via != "wall":
                found[link.a].append((link.b, link))
                found[link.b].append((link.a, link))
        return found

    def find(self, name: str) -> list[int]:
        """Numbers of the space of that id, or of those that run through the compartment of that code.

        Raises:
            PlannerError: ``tunnel.compartment_unknown``, ``tunnel.no_spaces``.
        """
        if not self.items:
            raise PlannerError("tunnel.no_spaces")
        if name in self.numbers:
            return [self.numbers[name]]
        found = [at for at, one in enumerate(self.items) if name in one.rooms]
        if not found:
            known = ", ".join(one.id for one in self.items[:6])
            raise PlannerError("tunnel.compartment_unknown", id=name, known=known)
        return found

    def at(self, tunnel: str, kind: str, m: float | None) -> int | None:
        """The space of a kind of compartment (or of a compartment's code) at a chainage."""
        if m is None:
            return None
        for at, one in enumerate(self.items):
            named = not kind or kind in (one.kind, one.id) or kind in one.rooms
            if one.tunnel == tunnel and named and one.from_m - 0.01 <= m <= one.to_m + 0.01:
                return at
        return None

    def station(self, link: Link, at: int) -> float:
        """Chainage at which a way leaves a compartment, in that compartment's tunnel."""
        one, m = self.items[at], link.m
        home = self.items[link.a].tunnel
        if one.tunnel != home and home in self.axes and one.tunnel in self.axes:
            x, y, _ = self.axes[home].at(m)
            m = self.axes[one.tunnel].locate(x, y)[0]
        return min(max(m, one.from_m), one.to_m)

    def within(self, starts: Iterable[int], steps: int) -> dict[int, tuple[int, str]]:
        """Spaces at most ``steps`` ways from some, with how many and through what."""
        found = dict.fromkeys(starts, (0, ""))
        front = list(found)
        for step in range(1, steps + 1):
            reached = [(b, link.via) for a in front for b, link in self.beside[a] if b not in found]
            found |= {b: (step, via) for b, via in reached}
            front = list(dict(reached))
        return found

    def holding(self, lines: Iterable[str]) -> list[int]:
        """Spaces that lines (codes) run through."""
        wanted = set(lines)
        return [at for at, held in self.lines.items() if not wanted.isdisjoint(held)]


def load_spaces(project: Project) -> Spaces:
    """The spaces of a project; none where it has neither fire zones nor compartments."""
    notes: list[Note] = []
    section_of = {text(row["code"]): row for row in rows(project, SECTION)}
    rooms = [
        (text(section_of.get(text(row["section"]), {}).get("tunnel")), placed)
        for row in rows(project, COMPARTMENT, geometry=True)
        if (placed := _forward(row, notes)) is not None
    ]
    axes = _axes(project, notes)
    items = _zones(project, rooms, notes)
    zoned = {(one.tunnel, one.kind) for one in items}
    items += [
        _space(tunnel, text(row["kind"]), "compartment", row, [(tunnel, row)], notes)
        for tunnel, row in rooms
        if (tunnel, text(row["kind"])) not in zoned and number(row["from_m"]) is not None
    ]
    items = sorted((_placed(one, axes.get(one.tunnel)) for one in items), key=lambda o: (o.tunnel, o.kind, o.from_m))
    seen: dict[str, Space] = {}
    for one in items:
        if one.id in seen:
            notes.append(("tunnel.duplicate", {"id": one.id, "line": one.fid} | kind_params(one.table)))
        seen.setdefault(one.id, one)
    items = list(seen.values())
    unlinked = Spaces(items, (), {}, axes, ())
    layer = tables.find(project, COMPARTMENT_LINK)
    links = _derived(project, unlinked, notes) if layer is None else _stated(project, unlinked, notes)
    if items and layer is None:
        notes.append(("tunnel.links_derived", {"count": len(links)}))
    return Spaces(items, links, _lines(project, unlinked, section_of), axes, tuple(notes))


def _axes(project: Project, notes: list[Note]) -> dict[str, Axis]:
    found = {}
    for row in rows(project, TUNNEL):
        try:
            found[text(row["code"])] = load_tunnel(project, text(row["code"])).axis
        except PlannerError as error:
            notes.append((error.code, {"id": text(row["code"])} | dict(error.params)))
    return found


def _zones(project: Project, rooms: Sequence[tuple[str, Any]], notes: list[Note]) -> list[Space]:
    found = []
    for row in rows(project, FIRE_ZONE, geometry=True):
        if number(row["from_m"]) is None or number(row["to_m"]) is None:
            notes.append(("tunnel.row_unmeasured", {"id": text(row["code"])}))
            continue
        if (placed := _forward(row, notes)) is None:
            continue
        row = placed
        tunnel, kind = text(row["tunnel"]), text(row["compartment"])
        of_kind = [(t, room) for t, room in rooms if t == tunnel and kind in (text(room["kind"]), text(room["code"]))]
        found.append(_space(tunnel, kind, "fire_zone", row, of_kind, notes))
    return found


def _forward(row: Any, notes: list[Note]) -> Any | None:
    """A row whose chainages ascend, told where they had to be turned; None, told as well, for one without length."""
    low, high = number(row["from_m"]), number(row["to_m"])
    if low is None or high is None or low < high:
        return row
    about = {"id": text(row["code"]) or "–", "from_m": low, "to_m": high}
    if low == high:
        notes.append(("tunnel.row_no_stretch", about))
        return None
    notes.append(("tunnel.row_backwards", about))
    return dict(row) | {"from_m": high, "to_m": low}


def _space(tunnel: str, kind: str, table: str, row: Any, rooms: Sequence[tuple[str, Any]], notes: list[Note]) -> Space:
    low, high = float(row["from_m"]), number(row["to_m"])
    high = low if high is None else high
    areas: list[tuple[float, float]] = []
    codes, heights = [], []
    for _, room in rooms:
        a, b = number(room["from_m"]), number(room["to_m"])
        share = min(high, b if b is not None else high) - max(low, a if a is not None else low)
        if share > 0.01:
            codes.append(text(room["code"]))
            outline = _outline(text(room["outline"]))
            area = number(room["area_m2"]) or (float(outline.area) if outline is not None else None)
            if area:
                areas.append((share, area))
            if outline is not None:
                heights.append(float(outline.bounds[3] - outline.bounds[1]))
    total = sum(share for share, _ in areas)
    code = text(row["code"]) or f"{tunnel}-{kind}-{low:.0f}"
    if not total:
        notes.append(("tunnel.space_without_area", {"id": code}))
    names = ("air_changes", "sump_pump_m3h")
    values = tuple((name, value) for name in names if (value := number(row.get(name))) is not None)
    return Space(
        code, tunnel, kind, low, high, table, int(row["fid"]),
        sum(share * area for share, area in areas) / total if total else None,
        rooms=tuple(codes), shape=row["shape"], values=values, height=min(heights, default=None),
    )  # fmt: skip


def _outline(wkt: str) -> Any:
    shape = shapely.from_wkt(wkt, on_invalid="ignore") if wkt else None
    return None if shape is None or shape.is_empty else shape


def _placed(space: Space, axis: Axis | None) -> Space:
    """With its floor, and its line where the record has none."""
    if axis is None:
        return space
    ends = [axis.at(m)[2] for m in (space.from_m, space.to_m)]
    shape = space.shape
    if shape is None or shape.is_empty:
        along = [float(shapely.line_locate_point(axis.line, shapely.Point(*axis.at(m)[:2]))) for m in
                 (space.from_m, space.to_m)]  # fmt: skip
        shape = substring(axis.line, *along)
    low, high = (None if z != z else z for z in ends)
    return replace(space, floor=(low, high), shape=shapely.force_2d(shape))


def _derived(project: Project, spaces: Spaces, notes: list[Note]) -> list[Link]:
    links = []
    runs: dict[tuple[str, str], list[int]] = {}
    for at, one in enumerate(spaces.items):
        runs.setdefault((one.tunnel, one.kind), []).append(at)
    for run in runs.values():
        for a, b in pairwise(run):
            one, two = spaces.items[a], spaces.items[b]
            if abs(two.from_m - one.to_m) <= _TOUCH:
                via = "door" if one.table == two.table == "fire_zone" else "open"
                links.append(Link(a, b, via, one.to_m))
    for tunnel in spaces.axes:
        for node in load_tunnel(project, tunnel).nodes:
            reach = max((m for word, m in _JOINS.items() if word in node.kind.casefold()), default=0.0)
            if node.xy is None or not reach:
                continue
            for other, axis in spaces.axes.items():
                m, away = axis.locate(*node.xy)
                if other != tunnel and away <= reach:
                    links += _shafts(spaces, tunnel, node.m, other, m)
                    params = {"node": node.code, "a": tunnel, "b": other, "away": round(away, 1)}
                    notes.append(("tunnel.junction_taken", params))
    return links


def _shafts(spaces: Spaces, one: str, m: float, other: str, at: float) -> list[Link]:
    """Ways between the compartments of one kind of two tunnels that meet."""
    kinds = sorted({space.kind for space in spaces.items if space.tunnel == one})
    pairs = [(spaces.at(one, kind, m), spaces.at(other, kind, at)) for kind in kinds]
    return [Link(a, b, "shaft", m) for a, b in pairs if a is not None and b is not None]


def _stated(project: Project, spaces: Spaces, notes: list[Note]) -> list[Link]:
    """Ways of the table; a compartment that several zones run through stands for those that touch the other end."""
    links = []
    for row in rows(project, COMPARTMENT_LINK):
        name = text(row["code"]) or f"{row['a']} – {row['b']}"
        try:
            ends = [spaces.find(text(row[side])) for side in ("a", "b")]
        except PlannerError:
            notes.append(("tunnel.link_lost", {"id": name, "a": text(row["a"]) or "–", "b": text(row["b"]) or "–"}))
            continue
        m, openable = number(row["m"]), row["openable"]
        a, b = min(
            ((a, b) for a in ends[0] for b in ends[1] if a != b),
            key=lambda pair: _apart(spaces.items[pair[0]], spaces.items[pair[1]], m),
            default=(-1, -1),
        )
        if a < 0:
            notes.append(("tunnel.link_lost", {"id": name, "a": text(row["a"]), "b": text(row["b"])}))
            continue
        place = m if m is not None else min(spaces.items[a].to_m, spaces.items[b].to_m)
        via = text(row["via"]).casefold() or "door"
        via = {"门": "door", "防火门": "door", "墙": "wall", "防火墙": "wall", "竖井": "shaft", "井": "shaft"}.get(
            via, via
        )
        links.append(
            Link(
                a,
                b,
                via,
                place,
                number(row["rating_h"]),
                openable is None or bool(openable),
                number(row["sill_z"]),
                True,
            )
        )
    return links


def _apart(a: Space, b: Space, m: float | None) -> float:
    if a.tunnel != b.tunnel:
        return 0.0 if m is None else max(a.from_m - m, m - a.to_m, 0.0)
    gap = max(a.from_m, b.from_m) - min(a.to_m, b.to_m)
    return max(gap, 0.0) if m is None else max(a.from_m - m, m - a.to_m, 0.0) + max(b.from_m - m, m - b.to_m, 0.0)


def _lines(project: Project, spaces: Spaces, sections: dict[str, Any]) -> dict[int, tuple[str, ...]]:
    """Codes of the lines in each space."""
    held: dict[int, list[str]] = {}
    for row in rows(project, PLACEMENT):
        section = sections.get(text(row["section"]), {})
        low, high = (number(row[key]) if number(row[key]) is not None else number(section.get(key)) for key in
                     ("from_m", "to_m"))  # fmt: skip
        room = text(row["compartment"])
        for place, one in enumerate(spaces.items):
            if one.tunnel != text(section.get("tunnel")) or (room and room not in (one.kind, *one.rooms)):
                continue
            overlap = min(one.to_m, one.to_m if high is None else high) - max(
                one.from_m, one.from_m if low is None else low
            )
            if overlap > 0.01:
                held.setdefault(place, []).append(text(row["line"]))
    return {at: tuple(dict.fromkeys(codes)) for at, codes in held.items()}
