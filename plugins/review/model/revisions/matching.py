"""Which entity of one revision is which of the other.

By handle and fingerprint where a program kept the handles; by fingerprint where it numbered everything anew; by shape
where the whole drawing was moved; by kind, layer and place for what was edited and numbered anew.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from plugins.review.model.drawing.types import Drawing, DrawingFormat, Entity

Points = NDArray[np.float64]
TEXTS = frozenset({"TEXT", "MTEXT", "ATTRIB", "ATTDEF"})
#: Readers of these formats number objects as they come: a handle says nothing about another file.
_NUMBERED = (DrawingFormat.PDF, DrawingFormat.IMAGE)
#: A shift of the whole drawing is believed if so many entities, and this part of the unmatched, agree on it.
_FEWEST_SHIFTED, _SHARE_SHIFTED = 5, 0.5
#: Boxes of two entities that share this part of both are one thing reshaped.
_SAME_PLACE = 0.3
#: Equal shapes up to so many pairs are all compared; beyond, each with its nearest.
_MOST_PAIRS = 40_000
#: Where coordinates are cut into cells: no place that drawn numbers, which have few digits, fall on.
_OFFSET = 0.31830988618


@dataclass(slots=True)
class Matching:
    """Pairs of entities; ``shift``: (dx, dy) in drawing units by which the whole drawing was moved, or None."""

    pairs: list[tuple[Entity, Entity]]
    removed: list[Entity]
    added: list[Entity]
    shift: tuple[float, float] | None = None
    renumbered: bool = False


@dataclass(slots=True)
class _Open:
    """What is still without a counterpart, in drawing order."""

    a: dict[str, Entity]
    b: dict[str, Entity]
    pairs: list[tuple[Entity, Entity]] = field(default_factory=list)

    def pair(self, first: Entity, second: Entity) -> None:
        del self.a[first.handle], self.b[second.handle]
        self.pairs.append((first, second))

    def by_key(self, key_a: Callable[[Entity], Hashable], key_b: Callable[[Entity], Hashable]) -> None:
        """Pair those with equal keys in drawing order, the same layer first."""
        found: dict[Hashable, list[Entity]] = defaultdict(list)
        for entity in self.b.values():
            found[key_b(entity)].append(entity)
        for same_layer in (True, False):
            for first in list(self.a.values()):
                waiting = found.get(key_a(first))
                if not waiting:
                    continue
                at = next((n for n, one in enumerate(waiting) if one.layer == first.layer), None)
                at = at if same_layer else 0
                if at is not None:
                    self.pair(first, waiting.pop(at))


def match(a: Drawing, b: Drawing, tolerance: float) -> Matching:
    """Match the entities of two drawings.

    Args:
        tolerance: what counts as the same place, in drawing units.
    """
    left = _Open(by_handle(a.entities), by_handle(b.entities))
    numbered = a.format in _NUMBERED or b.format in _NUMBERED
    for handle, first in list(left.a.items()):
        second = left.b.get(handle)
        if second is not None and _print(first) == _print(second):
            left.pair(first, second)
    renumbered = numbered or _is_renumbered(left)
    if not renumbered:
        for handle, first in list(left.a.items()):
            second = left.b.get(handle)
            if second is not None and second.kind == first.kind and second.page == first.page:
                left.pair(first, second)
    left.by_key(_print, _print)
    shift = _common_shift(left, tolerance)
    if shift is not None and (renumbered := renumbered or _handles_lie(left)):
        _unpair_changed(left)
        _pair_shifted(left, shift, tolerance)
    _by_likeness(left, tolerance, np.zeros(2) if shift is None else np.array(shift))
    return Matching(left.pairs, list(left.a.values()), list(left.b.values()), shift, renumbered)


def by_handle(entities: Iterable[Entity]) -> dict[str, Entity]:
    """Entities by handle; a handle used twice gets a number, so that none is lost."""
    found: dict[str, Entity] = {}
    for entity in entities:
        if entity.handle not in found:
            found[entity.handle] = entity
            continue
        number = 2
        while f"{entity.handle}#{number}" in found:
            number += 1
        handle = f"{entity.handle}#{number}"
        found[handle] = replace(entity, handle=handle)
    return found


def _print(entity: Entity) -> Hashable:
    return entity.fingerprint or shape_key(entity, 1e-4, anchored=True)


def _is_renumbered(left: _Open) -> bool:
    """True if handles stand for other things now: what they stood for, and what they stand for, is found elsewhere."""
    common = [handle for handle in left.a if handle in left.b]
    if len(common) < 3:
        return False
    in_a = Counter(_print(one) for one in left.a.values())
    in_b = Counter(_print(one) for one in left.b.values())
    reused = sum(in_b[_print(left.a[handle])] > 0 and in_a[_print(left.b[handle])] > 0 for handle in common)
    return reused >= 3 and 2 * reused >= len(common)


def shape_key(entity: Entity, tolerance: float, *, anchored: bool = False) -> Hashable:
    """What an entity is and shows wherever it stands (``anchored``: where it stands too), rounded to a tolerance."""
    origin = anchor(entity)
    base = np.zeros(2) if anchored or origin is None else origin
    parts: list[Hashable] = [entity.kind, entity.text, entity.closed, entity.page if anchored else 0]
    for curve in (entity.points, *entity.rings):
        parts.append(_cells(curve - base, tolerance).tobytes() if len(curve) else b"")
    return tuple(parts)


def _cells(points: Points, size: float) -> NDArray[np.int64]:
    return np.floor(points / size + _OFFSET).astype(np.int64)


def anchor(entity: Entity) -> Points | None:
    """The point an entity hangs on: its first vertex."""
    for curve in (entity.points, *entity.rings):
        if len(curve):
            return np.asarray(curve[0], dtype=np.float64)
    return None


def _common_shift(left: _Open, tolerance: float) -> tuple[float, float] | None:
    """The displacement most edited entities share, if there is one: the whole drawing was moved."""
    edited = [pair for pair in left.pairs if _print(pair[0]) != _print(pair[1])]
    first = [one for one, _ in edited] + list(left.a.values())
    second = [two for _, two in edited] + list(left.b.values())
    if len(first) < _FEWEST_SHIFTED or 2 * len(first) < len(left.pairs) + len(left.a):
        return None
    ours, theirs = _unique_shapes(first, tolerance), _unique_shapes(second, tolerance)
    moves = []
    for key in ours.keys() & theirs.keys():
        start, end = anchor(ours[key]), anchor(theirs[key])
        if start is not None and end is not None:
            moves.append(end - start)
    if len(moves) < _FEWEST_SHIFTED:
        return None
    every = np.array(moves)
    cells = Counter(map(tuple, _cells(every, 10 * tolerance).tolist()))
    (best, count), *_ = cells.most_common(1)
    middle = (np.array(best) + 0.5 - _OFFSET) * 10 * tolerance
    if count < max(_FEWEST_SHIFTED, _SHARE_SHIFTED * len(moves)) or np.hypot(*middle) < 15 * tolerance:
        return None
    alike = every[np.abs(every - middle).max(axis=1) <= 15 * tolerance]
    dx, dy = np.median(alike, axis=0)
    return float(dx), float(dy)


def _unique_shapes(entities: Sequence[Entity], tolerance: float) -> dict[Hashable, Entity]:
    found: dict[Hashable, list[Entity]] = defaultdict(list)
    for entity in entities:
        found[shape_key(entity, tolerance)].append(entity)
    return {key: several[0] for key, several in found.items() if len(several) == 1}


def _handles_lie(left: _Open) -> bool:
    """True if pairs by handle are mostly of different shape: the drawing was moved and numbered anew."""
    edited = [pair for pair in left.pairs if _print(pair[0]) != _print(pair[1])]
    if not edited:
        return True
    alike = sum(shape_key(one, 1e-3) == shape_key(two, 1e-3) for one, two in edited)
    return 2 * alike < len(edited)


def _unpair_changed(left: _Open) -> None:
    kept = []
    for one, two in left.pairs:
        if _print(one) == _print(two):
            kept.append((one, two))
        else:
            left.a[one.handle], left.b[two.handle] = one, two
    left.pairs = kept


def _pair_shifted(left: _Open, shift: tuple[float, float], tolerance: float) -> None:
    """Pair what has the same shape and was moved with the whole drawing."""
    step = 20 * tolerance

    def key(move: tuple[float, float]) -> Callable[[Entity], Hashable]:
        def of(entity: Entity) -> Hashable:
            place = anchor(entity)
            where = None if place is None else tuple(_cells(place + move, step).tolist())
            return shape_key(entity, 10 * tolerance), where

        return of

    left.by_key(key(shift), key((0.0, 0.0)))


def _by_likeness(left: _Open, tolerance: float, shift: Points) -> None:
    """Pair what is left by kind, layer and place: moved without change of shape, rewritten in place, reshaped."""
    for kind, layer in sorted({(one.kind, one.layer) for one in left.a.values()}):
        ours = [one for one in left.a.values() if (one.kind, one.layer) == (kind, layer)]
        theirs = [one for one in left.b.values() if (one.kind, one.layer) == (kind, layer)]
        if ours and theirs:
            _same_shapes(left, ours, theirs, tolerance, shift)
            _same_places(
                left, shift, [o for o in ours if o.handle in left.a], [t for t in theirs if t.handle in left.b]
            )


def _same_shapes(left: _Open, ours: list[Entity], theirs: list[Entity], tolerance: float, shift: Points) -> None:
    """Pair equal shapes, nearest first."""
    groups: dict[Hashable, tuple[list[Entity], list[Entity]]] = defaultdict(lambda: ([], []))
    for side, entities in enumerate((ours, theirs)):
        for one in entities:
            if anchor(one) is not None:
                groups[one.page, shape_key(one, 10 * tolerance)][side].append(one)
    for first, second in groups.values():
        if not first or not second:
            continue
        starts = np.array([anchor(one) for one in first]) + shift
        ends = np.array([anchor(one) for one in second])
        if len(first) * len(second) <= _MOST_PAIRS:
            gaps = np.hypot(*(starts[:, None, :] - ends[None, :, :]).transpose(2, 0, 1)).ravel()
            order = np.argsort(gaps, kind="stable")
            pairs = zip(order // len(second), order % len(second), strict=True)
        else:
            tree = shapely.STRtree(shapely.points(ends))
            hits, gaps = tree.query_nearest(shapely.points(starts), return_distance=True, all_matches=False)
            order = np.argsort(gaps, kind="stable")
            pairs = zip(hits[0][order], hits[1][order], strict=True)
        for at, other in pairs:
            if first[at].handle in left.a and second[other].handle in left.b:
                left.pair(first[at], second[other])


def _same_places(left: _Open, shift: Points, ours: list[Entity], theirs: list[Entity]) -> None:
    """Pair what covers the same ground, most first; texts that stand where the other stood."""
    if not ours or not theirs:
        return
    boxes_a = boxes(ours, texts_by_place=True) + np.tile(shift, 2)
    boxes_b = boxes(theirs, texts_by_place=True)
    index = shapely.STRtree(shapely.box(*boxes_b.T))
    found = []
    for at, other in index.query(shapely.box(*boxes_a.T)).T:
        first, second = ours[at], theirs[other]
        if first.page == second.page and (share := shared(boxes_a[at], boxes_b[other])) >= _SAME_PLACE:
            found.append((share, first, second))
    for _, first, second in sorted(found, key=lambda one: -one[0]):
        if first.handle in left.a and second.handle in left.b:
            left.pair(first, second)


def boxes(entities: Sequence[Entity], *, texts_by_place: bool = False) -> NDArray[np.float64]:
    """Bounding boxes (n, 4) in drawing units; NaN for what has no place.

    Args:
        texts_by_place: a text counts as its height around where it begins, however long it is.
    """
    found = np.full((len(entities), 4), np.nan)
    for at, entity in enumerate(entities):
        if len(entity.box) == 4 and not texts_by_place:
            found[at] = entity.box
            continue
        curves = [curve for curve in (entity.points, *entity.rings) if len(curve)]
        if curves:
            every = np.concatenate(curves)
            low, high = every.min(axis=0), every.max(axis=0)
            # A text is its height around its place; a point, a level line have no width of their own.
            wide = max(entity.size, 1e-3 * float(np.hypot(*(high - low))), 1e-6)
            found[at] = (*(low - wide), *(high + wide))
    return found


def shared(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Common area of two boxes over that of both."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if not (width > 0 and height > 0):
        return 0.0
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return float(width * height / both)
