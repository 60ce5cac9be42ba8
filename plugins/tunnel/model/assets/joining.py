"""Adopted pipes and the city's networks: which end could hang on what, and joining them as one step.

A pipe adopted from a case stands in a network of its own, so that nothing flows into it from elsewhere. Its ends are
looked for at nodes and lines of the same kind; what is found is proposed, what is not is said with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from scipy.spatial import cKDTree

from planner_app.plugin_api.model import Project, Transaction
from plugins.tunnel.model import tables
from plugins.tunnel.model.assets.cjj61 import kind_of, major_of
from plugins.tunnel.model.assets.status import state_of
from plugins.tunnel.model.network.network import components
from plugins.tunnel.model.tables import LINE, NODE

#: An end within this of a node or line is taken to lie there, m: as-built plans state decimetres.
TOLERANCE = 1.0
#: What lies further away than this from an end is not named as the nearest, m.
REACH = 50.0
Key = tuple[str, str]
_CASE = "review:"


@dataclass(frozen=True, slots=True)
class Join:
    """One node of adopted pipes that could hang on the city's network.

    Attributes:
        node: (network, code) of the node that gives way; lines: codes of the adopted pipes that end there.
        target_node: code of the city's node; empty: ``target_line`` is cut at (``x``, ``y``), where a node is made.
        network: of the city's node or line, which all pipes come into that hang on this end.
        distance: between both, m.
    """

    case: str
    node: Key
    lines: tuple[str, ...]
    network: str
    target_node: str
    target_line: str
    x: float
    y: float
    distance: float


@dataclass(frozen=True, slots=True)
class Left:
    """An end that is not joined; ``code`` and ``params`` word the reason."""

    case: str
    node: Key
    lines: tuple[str, ...]
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What could be joined, the nearest first, and what could not."""

    joins: tuple[Join, ...] = ()
    left: tuple[Left, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """Lines and nodes of all networks: keys (network, code), majors, plan shapes (None: no place)."""

    line_fids: list[int]
    line_keys: list[Key]
    ends: list[tuple[Key, Key]]
    majors: list[str]
    states: list[str]
    cases: list[str]
    shapes: Any
    places: dict[Key, tuple[float, float]]


def read_rows(project: Project | Transaction) -> Rows | None:
    """All networks of a project; None where there are none."""
    lines, nodes = tables.find(project, LINE), tables.find(project, NODE)
    if lines is None or nodes is None:
        return None
    names = ["code", "network", "from_node", "to_node", "kind_code", "status", "source"]
    there = project.read(lines.id, columns=[one for one in names if lines.field(one) is not None])
    cell = {one: there.columns.get(one) or [None] * len(there) for one in names}
    network = [str(one or "") for one in cell["network"]]
    sources = [str(one or "") for one in cell["source"]]
    points = project.read(nodes.id, columns=["code", "network"])
    xy = shapely.get_coordinates(shapely.get_point(shapely.from_wkb(points.geometry), 0)) if len(points) else []
    placed = [at for at, wkb in enumerate(points.geometry) if wkb is not None]
    keys = [
        (str(n or ""), str(c or "")) for n, c in zip(points.columns["network"], points.columns["code"], strict=True)
    ]
    if len(placed) != len(xy):  # multi-points or empty ones: each by its own centre
        xy = [shapely.get_coordinates(shapely.centroid(shapely.from_wkb(points.geometry[at])))[0] for at in placed]
    return Rows(
        [int(fid) for fid in there.fids],
        [(n, str(code or "")) for n, code in zip(network, cell["code"], strict=True)],
        [
            ((n, str(a or "")), (n, str(b or "")))
            for n, a, b in zip(network, cell["from_node"], cell["to_node"], strict=True)
        ],
        [_major(kind, n) for kind, n in zip(cell["kind_code"], network, strict=True)],
        [state_of(one) for one in cell["status"]],
        [one.removeprefix(_CASE).rpartition("/")[0] if one.startswith(_CASE) else "" for one in sources],
        shapely.force_2d(shapely.from_wkb(there.geometry)),
        {keys[at]: (float(x), float(y)) for at, (x, y) in zip(placed, xy, strict=True)},
    )


def _major(kind: Any, network: str) -> str:
    return major_of(str(kind or "") or kind_of(network) or "")


def propose(project: Project, case: str = "", tolerance: float = TOLERANCE) -> Proposal:
    """Ends of adopted pipes (of one case or of all) and what they could be joined to.

    Args:
        tolerance: m.
    """
    rows = read_rows(project) if _any(project) else None
    mine = [at for at, one in enumerate(rows.cases) if one and case in ("", one)] if rows is not None else []
    if rows is None or not mine:
        return Proposal()
    found = _City(project, rows, set(mine), tolerance)
    joins, left = [], []
    for group, alone in found.groups():
        went, stayed = found.of_group(group, alone)
        joins += went
        left += stayed
    return Proposal(tuple(sorted(joins, key=lambda one: one.distance)), tuple(left))


def _any(project: Project) -> bool:
    """Whether there are adopted pipes at all: most changes of most projects need no look at their networks."""
    layer = tables.find(project, LINE)
    if layer is None or layer.field("source") is None:
        return False
    return len(project.read(layer.id, columns=[], where=f"\"source\" LIKE '{_CASE}%'", geometry=False)) > 0


class _City:
    """The networks with what is needed to look around."""

    def __init__(self, project: Project, rows: Rows, mine: set[int], tolerance: float) -> None:
        self.rows, self.mine, self.tolerance = rows, mine, tolerance
        number = {key: at for at, key in enumerate({key: 0 for pair in rows.ends for key in pair})}
        pairs = np.array([[number[a], number[b]] for a, b in rows.ends], np.int32).reshape(-1, 2)
        labels = components(len(number), pairs[:, 0], pairs[:, 1])
        self.part = [int(labels[a]) for a in pairs[:, 0]]
        self.at: dict[Key, list[int]] = {}
        for line, ends in enumerate(rows.ends):
            if rows.states[line] != "abandoned":
                for key in set(ends):
                    self.at.setdefault(key, []).append(line)
        self.node_keys = [key for key in rows.places if key in self.at]
        self.tree = cKDTree(np.array([rows.places[key] for key in self.node_keys], float).reshape(-1, 2))
        self.lines = shapely.STRtree(rows.shapes)
        self.in_tunnel = _placed(project)

    def groups(self) -> Iterable[tuple[list[int], bool]]:
        """(adopted lines that hang together, whether they hang on nothing else)."""
        rows = self.rows
        city = {self.part[line] for line in range(len(self.part)) if not rows.cases[line]}
        wanted = {self.part[line] for line in self.mine}
        by_part: dict[int, list[int]] = {}
        for line, part in enumerate(self.part):
            its = line in self.mine if part in city else bool(rows.cases[line])
            if part in wanted and its and rows.states[line] != "abandoned":
                by_part.setdefault(part, []).append(line)
        return [(lines, part not in city) for part, lines in by_part.items()]

    def of_group(self, group: list[int], alone: bool) -> tuple[list[Join], list[Left]]:
        """Joins and ends left of lines that hang together. All come into one network: that of the nearest."""
        rows = self.rows
        own = rows.line_keys[group[0]][0]
        ends = sorted({key for line in group for key in rows.ends[line] if set(self.at[key]) <= set(group)})
        looked = {key: self._look(key, group) for key in ends if key in rows.places}
        best = min((one for many in looked.values() for one in many[:1]), default=None, key=lambda one: one[0])
        network = own if not alone or best is None else best[1][0]
        joins, left = [], []
        for key in ends:
            its = tuple(rows.line_keys[line][1] for line in self.at[key])
            case = rows.cases[self.at[key][0]]
            near = [one for one in looked.get(key, []) if one[0] <= self.tolerance]
            fits = [one for one in near if one[1][0] == network and not one[4]]
            if fits:
                away, target, x, y, _, is_node = min(fits, key=lambda one: (not one[5], one[0]))
                node, line = (target[1], "") if is_node else ("", target[1])
                joins.append(Join(case, key, its, network, node, line, x, y, round(away, 3)))
            elif len(self.at[key]) == 1:
                left.append(Left(case, key, its, *self._why(key, near, looked.get(key, []), network)))
        return joins, left

    def _uncut(self, line: int) -> str:
        """Why a line may not be cut: code of the reason, or empty."""
        if self.rows.line_keys[line][1] in self.in_tunnel:
            return "tunnel.join_in_tunnel"
        # What is designed is compared with its drawing until it is built.
        return "tunnel.join_planned" if self.rows.cases[line] and self.rows.states[line] != "in_use" else ""

    def _look(self, key: Key, group: list[int]) -> list[tuple[float, Key, float, float, str, bool]]:
        """(distance, key, x, y, why it may not be cut, is a node) of what is near and of the same kind, the nearest
        first."""
        rows, (x, y), mine = self.rows, self.rows.places[key], set(group)
        majors = {rows.majors[line] for line in self.at[key]}
        found = []
        for at in self.tree.query_ball_point((x, y), self.tolerance):
            other = self.node_keys[at]
            if other != key and any(line not in mine and rows.majors[line] in majors for line in self.at[other]):
                px, py = rows.places[other]
                found.append((math.hypot(px - x, py - y), other, px, py, "", True))
        point = shapely.Point(x, y)
        for line in self.lines.query(point, predicate="dwithin", distance=REACH).tolist():
            shape = rows.shapes[line]
            if line in mine or rows.majors[line] not in majors or rows.states[line] == "abandoned":
                continue
            nearest = shapely.shortest_line(shape, point)
            (px, py), _ = shapely.get_coordinates(nearest).tolist()
            found.append((nearest.length, rows.line_keys[line], px, py, self._uncut(line), False))
        return sorted(found)

    def _why(self, key: Key, near: list[Any], seen: list[Any], network: str) -> tuple[str, dict[str, Any]]:
        if key not in self.rows.places:
            return "tunnel.join_no_place", {"node": key[1]}
        if near and near[0][4]:
            return near[0][4], {"line": near[0][1][1]}
        if near:
            return "tunnel.join_other_network", {"id": near[0][1][1], "network": near[0][1][0], "joined": network}
        if seen:
            told = {"id": seen[0][1][1], "away": round(seen[0][0], 2), "metres": self.tolerance}
            return "tunnel.join_too_far", told
        return "tunnel.join_nothing", {"metres": REACH}


def _placed(project: Project) -> set[str]:
    """Codes of lines that have a place in a tunnel: cutting one would leave the tunnel's sections wrong."""
    layer = next((one for one in project.layers() if one.role == "tunnel.line_placement"), None)
    if layer is None or layer.field("line") is None:
        return set()
    return {str(one) for one in project.read(layer.id, columns=["line"], geometry=False).columns["line"]}


def by_case(proposal: Proposal) -> dict[str, int]:
    """How many ends could be joined, by case."""
    found: dict[str, int] = {}
    for one in proposal.joins:
        found[one.case] = found.get(one.case, 0) + 1
    return found


def chosen(proposal: Proposal, nodes: Sequence[str]) -> tuple[Join, ...]:
    """The joins of these nodes (codes)."""
    return tuple(one for one in proposal.joins if one.node[1] in nodes)
