"""Rings that lines, arcs and open polylines make together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from plugins.review.model.reading.ledger import SLIVER, handle_key

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry


_SMALL = 1500
_MOST_CROSSINGS = 1_000_000


@dataclass(frozen=True, slots=True)
class Piece:
    """An open curve in local metres."""

    points: NDArray[np.float64]
    handle: str
    layer: str


@dataclass(frozen=True, slots=True)
class JoinedRing:
    """Pieces in the order in which they make a ring; ``gap``: the widest between two of them, m."""

    points: NDArray[np.float64]
    handles: tuple[str, ...]
    gap: float


def join_rings(pieces: Sequence[Piece], gap: float) -> list[JoinedRing]:
    """Rings in which every piece meets exactly one other at each end (within ``gap`` m), smallest handle first.

    All vertices stay where they are drawn; the steps between the pieces close the gaps.
    """
    nodes = _nodes(pieces, gap)
    at: dict[int, list[int]] = defaultdict(list)
    for number, (start, end) in enumerate(nodes):
        at[start].append(number)
        at[end].append(number)
    rings: list[JoinedRing] = []
    seen: set[int] = set()
    for first in sorted(range(len(pieces)), key=lambda n: handle_key(pieces[n].handle)):
        if first in seen or nodes[first][0] == nodes[first][1]:
            continue
        way, node, number = [(first, False)], nodes[first][1], first
        closed = False
        while len(at[node]) == 2:
            following = next((n for n in at[node] if n != number), number)
            if following == first:
                closed = node == nodes[first][0]
                break
            start, end = nodes[following]
            if start == end or following in seen:
                break
            way.append((following, start != node))
            node, number = (end if start == node else start), following
        if closed and len(way) > 1:
            seen.update(n for n, _ in way)
            parts = [pieces[n].points[::-1] if back else pieces[n].points for n, back in way]
            steps = [float(np.hypot(*(b[0] - a[-1]))) for a, b in zip(parts, parts[1:] + parts[:1], strict=True)]
            handles = tuple(sorted((pieces[n].handle for n, _ in way), key=handle_key))
            rings.append(JoinedRing(np.concatenate(parts), handles, max(steps)))
    return rings


def _nodes(pieces: Sequence[Piece], gap: float) -> list[tuple[int, int]]:
    """Numbers of the places where each piece begins and ends; ends within ``gap`` of each other are one place."""
    ends = np.concatenate([piece.points[[0, -1]] for piece in pieces])
    # Ends at the very same place are one from the start: a hundred lines from one point make no 10,000 pairs. Where
    # thousands crowd within a gap (a drawing in the wrong unit), so are those within a tenth of it.
    crowd = np.unique(np.floor(ends / gap), axis=0, return_counts=True)[1]
    grid = 1e-6 if (crowd.astype(float) ** 2).sum() < 5e6 else gap / 10
    places, number = np.unique(np.round(ends / grid) * grid, axis=0, return_inverse=True)
    parent = list(range(len(places)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    dots = shapely.points(places)
    for a, b in shapely.STRtree(dots).query(dots, predicate="dwithin", distance=gap).T.tolist():
        if a < b:
            parent[root(b)] = root(a)
    roots = [root(k) for k in np.ravel(number).tolist()]
    return list(zip(roots[::2], roots[1::2], strict=True))


def tangled(courses: Sequence[NDArray[np.float64]]) -> bool:
    """True if courses cross each other so often that finding all crossings would take minutes and gigabytes.

    Estimated from the boxes that 200 of their segments meet. Small ones are never called tangled.
    """
    count = sum(len(course) - 1 for course in courses)
    if count < _SMALL:
        return False
    ends = np.concatenate([np.hstack([course[:-1], course[1:]]) for course in courses])
    boxes = shapely.box(
        np.minimum(ends[:, 0], ends[:, 2]), np.minimum(ends[:, 1], ends[:, 3]),
        np.maximum(ends[:, 0], ends[:, 2]), np.maximum(ends[:, 1], ends[:, 3]),
    )  # fmt: skip
    tree = shapely.STRtree(boxes)
    met = [len(tree.query(box)) for box in boxes[:: max(count // 200, 1)]]
    # Each meets itself and its two neighbours anyway.
    return (float(np.mean(met)) - 3) * count / 2 > _MOST_CROSSINGS


def walls(pieces: Sequence[Piece], gap: float, *, faces: bool) -> list[tuple[BaseGeometry, tuple[str, ...]]]:
    """Areas that lines enclose which branch or meet in the middle: a row of parking places, two parcels with one edge.

    Args:
        faces: each enclosed face by itself; otherwise neighbouring faces are one area.

    Returns:
        (polygon, handles of the pieces along its edge) in the order of the handles.
    """
    lines = shapely.linestrings(
        np.concatenate([piece.points for piece in pieces]),
        indices=np.repeat(np.arange(len(pieces)), [len(piece.points) for piece in pieces]),
    )
    found = shapely.get_parts(shapely.polygonize([shapely.union_all([*lines, *_bridges(pieces, gap)])]))
    found = found[shapely.area(found) > SLIVER]
    if not len(found):
        return []
    if not faces:
        found = shapely.get_parts(shapely.union_all(found))
    tree = shapely.STRtree(lines)
    made: list[tuple[Any, tuple[str, ...]]] = []
    for face in found:
        edge = face.exterior
        near = tree.query(edge, predicate="intersects").tolist()
        on = [k for k in near if shapely.intersection(edge, lines[k]).length > 0]
        handles = sorted({pieces[k].handle for k in on}, key=handle_key)
        made.append((face, tuple(handles)))
    made = [one for one in made if one[1]]
    # Faces between the same lines are told apart by where they lie along them, not by the file's order.
    made.sort(
        key=lambda one: ([handle_key(h) for h in one[1]], round(one[0].area, 3), *shapely.get_coordinates(one[0])[0])
    )
    return made


def _bridges(pieces: Sequence[Piece], gap: float) -> list[BaseGeometry]:
    """Short lines between ends that lie within ``gap`` of each other."""
    nodes = [node for pair in _nodes(pieces, gap) for node in pair]
    ends = np.concatenate([piece.points[[0, -1]] for piece in pieces])
    together: dict[int, list[int]] = defaultdict(list)
    for end, node in enumerate(nodes):
        together[node].append(end)
    bridges = []
    for same in together.values():
        for other in same[1:]:
            if (ends[other] != ends[same[0]]).any():
                bridges.append(shapely.LineString(ends[[same[0], other]]))
    return bridges
