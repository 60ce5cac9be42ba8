"""What an import is about to store: nodes and lines as read, and every row that had something wrong with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from plugins.tunnel.model.assets.cjj61 import is_valve, major_of
from plugins.tunnel.model.field_names import alias_of

Xyz = tuple[float, float, float]
#: Two ends nearer than this are one place, m: surveys state millimetres.
SAME_PLACE = 0.01
#: What lies farther from the middle of all others can hardly belong to the survey, m.
FAR = 100_000.0
#: A line end within this of another line's end that it does not meet, m: most likely it should.
NEAR_MISS = 0.5


#: What surveys tell beside the columns of the tables.
_SURVEYED = {"dn": "管径", "depth": "埋深", "z": "管线高程"}


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that was left out or mended: where it stands, the reason's code and values; ``kept``: mended."""

    where: str
    code: str
    params: dict[str, Any] = field(default_factory=dict)
    kept: bool = False


@dataclass(slots=True)
class DraftNode:
    """A point of a network: easting, northing, height of the ground (NaN where not known)."""

    code: str
    x: float
    y: float
    ground_z: float = math.nan
    kind_code: str = ""
    feature: str = ""
    appurtenance: str = ""
    source: bool = False
    where: str = ""


@dataclass(slots=True)
class DraftLine:
    """A line between two nodes; ``points``: its course (x, y, z; z NaN where not known); ``values``: columns."""

    code: str
    start: str
    end: str
    points: Sequence[Xyz] = ()
    values: dict[str, Any] = field(default_factory=dict)
    where: str = ""


@dataclass(slots=True)
class Draft:
    """All an import brings, in the project's CRS; ``valves``: (valve, line, node) of a list of valves; ``notes``: what
    was assumed; ``faults``: rows that had something."""

    network: str
    nodes: dict[str, DraftNode] = field(default_factory=dict)
    lines: list[DraftLine] = field(default_factory=list)
    valves: list[tuple[str, str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def reject(self, where: str, code: str, **params: Any) -> None:
        """Leave a row out."""
        self.faults.append(Fault(where, code, params))

    def mend(self, where: str, code: str, **params: Any) -> None:
        """Keep a row without, or with a changed, value. ``field``: the column it is about."""
        if "field" in params:
            name = str(params["field"])
            params["field_zh"] = _SURVEYED.get(name) or alias_of("net_line", name).partition("（")[0]
        self.faults.append(Fault(where, code, params, kept=True))

    def add_node(self, node: DraftNode) -> None:
        """Take a point; one whose code is taken by another place is left out."""
        there = self.nodes.get(node.code)
        if there is None:
            self.nodes[node.code] = node
        elif math.hypot(there.x - node.x, there.y - node.y) > SAME_PLACE:
            away = math.hypot(there.x - node.x, there.y - node.y)
            self.reject(node.where, "tunnel.row_code_twice", id=node.code, first=there.where, metres=away)

    def valve_nodes(self) -> list[DraftNode]:
        """Points that are valves, where no list of valves says better."""
        listed = {node for _, _, node in self.valves}
        return [one for one in self.nodes.values() if is_valve(one.appurtenance) and one.code not in listed]

    def valve_count(self) -> int:
        """How many valves there are."""
        return len(self.valve_nodes()) + len({valve for valve, _, _ in self.valves})

    def check(self) -> None:
        """Leave out lines that lead nowhere, begin where they end, or are there twice; give each line its code."""
        kept: list[DraftLine] = []
        pairs: dict[tuple[str, str, str], str] = {}
        codes: dict[str, str] = {}
        used: set[str] = set()
        for line in self.lines:
            missing = [end or "–" for end in (line.start, line.end) if end not in self.nodes]
            kind = str(line.values.get("kind_code") or "")
            pair = pair_key(line.start, line.end, kind)
            line.code = line.code or f"{line.start}-{line.end}"
            if not line.start or not line.end:
                self.reject(line.where, "tunnel.row_end_missing", id=line.code, end=line.start or line.end or "–")
            elif line.start == line.end:
                self.reject(line.where, "tunnel.row_to_itself", id=line.start)
            elif missing:
                self.reject(line.where, "tunnel.row_orphan", id=line.code, nodes=", ".join(missing))
            elif not line.points and pair in pairs:
                self.reject(line.where, "tunnel.row_line_twice", id=line.code, first=pairs[pair])
            else:
                if line.code in codes:
                    free = next(f"{line.code}_{n}" for n in range(2, 10**6) if f"{line.code}_{n}" not in codes)
                    self.mend(line.where, "tunnel.row_code_changed", id=line.code, first=codes[line.code], new=free)
                    line.code = free
                codes[line.code] = pairs[pair] = line.where
                used |= {line.start, line.end}
                kept.append(line)
        self.lines = kept
        alone = [node.code for node in self.nodes.values() if node.code not in used]
        if alone:
            self.notes.append(("tunnel.nodes_alone", {"count": len(alone), "ids": ", ".join(alone[:8])}))


def pair_key(a: str, b: str, kind: str) -> tuple[str, str, str]:
    """A line between two nodes, whichever way it is written."""
    return (a, b, kind) if a <= b else (b, a, kind)


def join_ends(draft: Draft, lines: Sequence[DraftLine], prefix: str = "P") -> None:
    """Give lines without node codes their nodes: ends of one kind at one place are one, points there are it.

    A sewer's end above a water main's is another node. Ends that nearly meet are told, never moved.
    """
    import numpy as np
    from scipy.spatial import cKDTree

    if not lines:
        return
    known = list(draft.nodes.values())
    ends = np.array([point[:2] for line in lines for point in (line.points[0], line.points[-1])], float)
    places = np.vstack([np.array([(node.x, node.y) for node in known], float).reshape(-1, 2), ends])
    parent = np.arange(len(places))
    tree = cKDTree(places)

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = int(parent[at])
        return at

    kinds = [major_of(node.kind_code) for node in known]
    kinds += [major_of(str(line.values.get("kind_code") or "")) or "–" for line in lines for _ in range(2)]

    def alike(a: int, b: int) -> bool:
        return not kinds[a] or not kinds[b] or kinds[a] == kinds[b]

    for a, b in sorted(pair for pair in tree.query_pairs(SAME_PLACE) if alike(*pair)):
        first, second = sorted((root(a), root(b)))
        parent[second] = first
    names: dict[int, str] = {}
    for at, node in enumerate(known):
        names.setdefault(root(at), node.code)
    number = 0
    for at in range(len(known), len(places)):
        if root(at) not in names:
            number += 1
            while f"{prefix}{number}" in draft.nodes:
                number += 1
            names[root(at)] = f"{prefix}{number}"
            x, y = (float(value) for value in places[at])
            draft.add_node(DraftNode(f"{prefix}{number}", x, y, where=lines[(at - len(known)) // 2].where))
    for at, line in enumerate(lines):
        line.start, line.end = (names[root(len(known) + 2 * at + side)] for side in (0, 1))
    close = {tuple(sorted((names[root(a)], names[root(b)]))) for a, b in tree.query_pairs(NEAR_MISS) if alike(a, b)}
    misses = sorted(pair for pair in close if pair[0] != pair[1])
    if misses:
        shown = ", ".join(f"{a}–{b}" for a, b in misses[:8])
        draft.notes.append(("tunnel.near_misses", {"count": len(misses), "metres": NEAR_MISS, "pairs": shown}))


def line_shape(draft: Draft, line: DraftLine) -> Any:
    """A line's course; straight between its nodes where none is told. Without all heights it is flat."""
    import numpy as np
    import shapely

    points = line.points
    if not points:
        a, b = draft.nodes[line.start], draft.nodes[line.end]
        z1, z2 = line.values.get("z1"), line.values.get("z2")
        points = [(a.x, a.y, math.nan if z1 is None else z1), (b.x, b.y, math.nan if z2 is None else z2)]
    xyz = np.array(points, float)
    return shapely.linestrings(xyz[:, :2] if np.isnan(xyz[:, 2]).any() else xyz)
