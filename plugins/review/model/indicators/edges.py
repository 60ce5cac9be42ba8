"""The sides of a site: its boundary divided where a person would see a corner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

BEARINGS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
#: Within one edge the boundary may turn by this much at a vertex, and by this much in all (degrees).
JOINT, SPREAD = 10.0, 30.0
#: A flattened arc turns at every vertex by no more than this; it has at least three chords of like length.
CHORD_TURN, CHORD_RATIO = 30.0, 2.0
#: A longer arc (a round site) is divided, so that each edge faces one way.
QUARTER = 100.0
#: Jogs smaller than this are none; an edge shorter than LEAST joins a neighbour it does not turn much against (m).
JOG, LEAST = 0.02, 2.0


@dataclass(frozen=True, slots=True)
class Edge:
    """One side. ``azimuth``: where it faces, degrees clockwise from north; ``bearing``: that as one of eight winds."""

    number: int
    geometry: BaseGeometry
    azimuth: float

    @property
    def bearing(self) -> str:
        """N, NE, E …"""
        return bearing_of(self.azimuth)


def bearing_of(azimuth: float) -> str:
    """The nearest of eight winds to an azimuth in degrees."""
    return BEARINGS[int((azimuth % 360.0 + 22.5) // 45.0) % 8]


def azimuth_between(a: BaseGeometry, b: BaseGeometry) -> float:
    """Direction from one point to another, degrees clockwise from north."""
    (x0, y0), (x1, y1) = shapely.get_coordinates(a)[0], shapely.get_coordinates(b)[0]
    return float(np.degrees(np.arctan2(x1 - x0, y1 - y0)) % 360.0)


def edges_of(area: BaseGeometry) -> list[Edge]:
    """The sides of an area, numbered from 1 along its boundary from the northernmost point, clockwise.

    Collinear vertices and gentle bends do not part an edge; a tight flattened arc (a rounded corner) is an edge of its
    own. Outer rings come first, the largest part before the others, then holes.

    Args:
        area: polygon(s) in metres.
    """
    parts = sorted(shapely.get_parts(shapely.normalize(area)), key=lambda part: -part.area)
    rings = [(part.exterior, False) for part in parts] + [(hole, True) for part in parts for hole in part.interiors]
    edges: list[Edge] = []
    for ring, hole in rings:
        for line in _sides(_clockwise(shapely.get_coordinates(ring), hole)):
            edges.append(Edge(len(edges) + 1, line, _faces(line)))
    return edges


def _clockwise(xy: NDArray[np.float64], hole: bool) -> NDArray[np.float64]:
    """Open ring without repeated vertices, ground of the site on its right, from its northernmost point on."""
    xy = xy[:-1]
    steps = np.hypot(*(xy - np.roll(xy, 1, axis=0)).T)
    xy = xy[steps > 1e-9]
    nxt = np.roll(xy, -1, axis=0)
    doubled = float((xy[:, 0] * nxt[:, 1] - nxt[:, 0] * xy[:, 1]).sum())
    if (doubled > 0) != hole:
        xy = xy[::-1]
    start = int(np.lexsort((xy[:, 0], -xy[:, 1]))[0])
    return np.roll(xy, -start, axis=0)


def _sides(ring: NDArray[np.float64]) -> list[Any]:
    """Lines into which a ring is divided; the edge that begins at (or runs over) the northernmost point is first."""
    kept = _without_jogs(ring)
    xy = ring[kept]
    vectors = np.roll(xy, -1, axis=0) - xy
    lengths = np.hypot(*vectors.T)
    headings = np.degrees(np.arctan2(vectors[:, 0], vectors[:, 1]))
    turns = _turn(headings, np.roll(headings, 1))  # turns[i]: at the first vertex of chord i
    count = len(xy)
    jumps = np.maximum(lengths, np.roll(lengths, 1)) / np.minimum(lengths, np.roll(lengths, 1))
    sharp = np.abs(turns) > CHORD_TURN
    start = int(np.argmax(np.where(sharp, 1e9 + np.abs(turns), jumps)))  # no edge runs over a corner or an arc's end
    order = [(start + i) % count for i in range(count)]
    runs = _absorb(_merge(_arcs(order, lengths, turns), headings, turns), lengths, turns)
    first = next(i for i, run in enumerate(runs) if 0 in run)
    lines = []
    for run in runs[first:] + runs[:first]:
        a, b = int(kept[run[0]]), int(kept[(run[-1] + 1) % count])
        b += 0 if b > a else len(ring)
        lines.append(shapely.linestrings(ring[np.arange(a, b + 1) % len(ring)]))
    return lines


def _without_jogs(ring: NDArray[np.float64]) -> NDArray[np.int64]:
    """Vertices that matter, ascending; all of them where fewer than three would be left."""
    plain = shapely.get_coordinates(shapely.simplify(shapely.polygons(ring), JOG))[:-1]
    at = {(x, y): i for i, (x, y) in enumerate(map(tuple, ring.tolist()))}
    kept = sorted({at[x, y] for x, y in map(tuple, plain.tolist())})
    return np.array(kept if len(kept) > 2 else range(len(ring)), dtype=np.int64)


def _absorb(runs: list[list[int]], lengths: NDArray[np.float64], turns: NDArray[np.float64]) -> list[list[int]]:
    """Give very short edges to the neighbour they turn least against, unless that is a corner."""
    while len(runs) > 3:
        sizes = [float(lengths[run].sum()) for run in runs]
        for i in sorted(range(len(runs)), key=sizes.__getitem__):
            here, after = abs(float(turns[runs[i][0]])), abs(float(turns[runs[(i + 1) % len(runs)][0]]))
            if sizes[i] < LEAST and min(here, after) <= CHORD_TURN:
                break
        else:
            return runs
        j = (i - 1 if here <= after else i + 1) % len(runs)
        joined = runs[j] + runs[i] if here <= after else runs[i] + runs[j]
        runs = [joined if k == j else run for k, run in enumerate(runs) if k != i]
    return runs


def _arcs(
    order: Sequence[int], lengths: NDArray[np.float64], turns: NDArray[np.float64]
) -> list[tuple[list[int], bool]]:
    """Chords in runs: (chords, whether they are a tight arc); every chord outside an arc is a run of its own."""
    runs: list[tuple[list[int], bool]] = []
    at = 0
    while at < len(order):
        run = [order[at]]
        bend = 0.0
        while at + len(run) < len(order):
            last, this = run[-1], order[at + len(run)]
            turn = float(turns[this])
            ratio = max(lengths[last], lengths[this]) / min(lengths[last], lengths[this])
            if not 0.3 < abs(turn) <= CHORD_TURN or turn * bend < 0 or ratio > CHORD_RATIO:
                break
            bend += turn
            run.append(this)
        if len(run) >= 3 and abs(bend) > SPREAD:
            pieces = int(np.ceil(abs(bend) / QUARTER))
            runs += [(part.tolist(), True) for part in np.array_split(np.array(run), pieces)]
            at += len(run)
        else:
            runs.append(([order[at]], False))
            at += 1
    return runs


def _merge(
    runs: list[tuple[list[int], bool]], headings: NDArray[np.float64], turns: NDArray[np.float64]
) -> list[list[int]]:
    """Join chords that run on nearly straight."""
    merged: list[list[int]] = []
    open_from: float | None = None  # heading of the first chord of the edge being extended
    low = high = 0.0
    for chords, arc in runs:
        away = 0.0 if open_from is None else float(_turn(headings[chords[0]], open_from))
        joins = open_from is not None and not arc and abs(float(turns[chords[0]])) <= JOINT
        if joins and max(high, away) - min(low, away) <= SPREAD:
            merged[-1] += chords
            low, high = min(low, away), max(high, away)
        else:
            merged.append(list(chords))
            open_from = None if arc else float(headings[chords[0]])
            low = high = 0.0
    return merged


def _turn(after: Any, before: Any) -> Any:
    """Change of heading in degrees, −180 … 180."""
    return (after - before + 180.0) % 360.0 - 180.0


def _faces(line: Any) -> float:
    """Azimuth of the outer side (the left) of an edge, by the line from its first to its last point."""
    xy = shapely.get_coordinates(line)
    along = xy[-1] - xy[0]
    if not np.hypot(*along):  # a whole ring without a corner
        along = xy[1] - xy[0]
    return float((np.degrees(np.arctan2(along[0], along[1])) - 90.0) % 360.0)
