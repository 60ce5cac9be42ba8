"""What a revision changed, entity by entity, in words a reviewer understands."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely

from plugins.review.model.drawing.types import Drawing, Entity, Note
from plugins.review.model.revisions.matching import TEXTS, Matching, Points, match

#: Rounding of fingerprints, m on the ground: less is no change.
SAME_M = 1e-4


@dataclass(frozen=True, slots=True)
class Change:
    """One entity, or one block, that was added, removed or changed.

    Attributes:
        handle: in the newer drawing where it is there, else in the older; of a change within a block definition the
            part's own handle, of an inserted block that moved as a whole the insert's.
        what: what changed; empty for added and removed.
        before, after: the entities it stands for, in each drawing.
        kinds: geometry, text, layer, value, visibility, kind, appearance.
    """

    handle: str
    what: tuple[Note, ...] = ()
    before: tuple[Entity, ...] = ()
    after: tuple[Entity, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DrawingDiff:
    """The differences of two drawings.

    Attributes:
        shift: (dx, dy) in m by which the whole drawing was moved; what moved with it is not listed.
        handles: handle in the older → handle in the newer, of every entity that is in both.
        unchanged: number of entities without any difference.
    """

    added: tuple[Change, ...]
    removed: tuple[Change, ...]
    changed: tuple[Change, ...]
    shift: tuple[float, float] | None = None
    renumbered: bool = False
    handles: Mapping[str, str] = field(default_factory=dict)
    unchanged: int = 0

    def touched(self) -> set[str]:
        """Handles of the older drawing that changed or went."""
        return {one.handle for change in (*self.removed, *self.changed) for one in change.before}


def diff(a: Drawing, b: Drawing, *, metres_per_unit: float | None = None) -> DrawingDiff:
    """Compare two drawings, the older first.

    Entities are told apart by handle and fingerprint, also where a program numbered all handles anew. Hidden layers
    count like the others: what was switched off is a change worth seeing.

    Args:
        metres_per_unit: how long a unit is on the ground; None: as the newer file's header claims.
    """
    scale = metres_per_unit or b.metres_per_unit or a.metres_per_unit or 1.0
    tolerance = SAME_M / scale
    matching = match(a, b, tolerance)
    changed, unchanged = [], 0
    for before, after in matching.pairs:
        what, kinds = compare(before, after, scale, matching.shift)
        if kinds:
            changed.append(Change(after.handle, tuple(what), (before,), (after,), tuple(kinds)))
        else:
            unchanged += 1
    order = {entity.handle: at for at, entity in enumerate(b.entities)}
    changed.sort(key=lambda change: order.get(change.handle, 0))
    added, removed, changed = _blocks(a, b, matching, changed)
    handles = {before.handle: after.handle for before, after in matching.pairs}
    shift = (matching.shift[0] * scale, matching.shift[1] * scale) if matching.shift else None
    return DrawingDiff(tuple(added), tuple(removed), tuple(changed), shift, matching.renumbered, handles, unchanged)


def compare(
    before: Entity, after: Entity, scale: float, shift: tuple[float, float] | None = None
) -> tuple[list[Note], list[str]]:
    """(what changed, of which kinds) between two states of an entity; empty if nothing did.

    Args:
        scale: metres per drawing unit; shift: movement of the whole drawing, in drawing units, that is no change.
    """
    what: list[Note] = []
    kinds: list[str] = []

    def add(kind: str, code: str, **params: object) -> None:
        kinds.append(kind)
        what.append((f"review.diff_{code}", params))

    if before.kind != after.kind:
        add("kind", "kind", before=before.kind, after=after.kind)
    if before.layer != after.layer:
        add("layer", "layer", before=before.layer, after=after.layer)
    if before.visible != after.visible:
        add("visibility", "shown" if after.visible else "hidden")
    if before.fingerprint and before.fingerprint == after.fingerprint and shift is None:
        return what, kinds
    if before.text != after.text:
        old, new = _different_part(before.text, after.text)
        add("text", "text", before=old, after=new)
    shape = _geometry(before, after, scale, shift)
    if shape is not None:
        add("geometry", shape[0], **shape[1])
    elif not np.isclose(before.value or 0.0, after.value or 0.0, rtol=0, atol=SAME_M / scale):
        add("value", "value", before=(before.value or 0.0) * scale, after=(after.value or 0.0) * scale)
    if before.kind in TEXTS and before.size > 0 and abs(after.size / before.size - 1) > 1e-3:
        add("appearance", "size", before=before.size * scale, after=after.size * scale)
    if before.kind in (*TEXTS, "INSERT") and abs((after.angle - before.angle + 180.0) % 360.0 - 180.0) > 0.01:
        add("appearance", "angle", before=before.angle, after=after.angle)
        kinds[-1] = "geometry" if before.kind == "INSERT" else kinds[-1]
    if not kinds and shift is None and before.fingerprint and np.array_equal(before.points, after.points):
        # Not of the rounding of its coordinates: an insert's scale, a hatch's pattern …
        add("geometry" if before.kind == "INSERT" else "appearance", "other")
    return what, kinds


def _different_part(before: str, after: str, most: int = 80) -> tuple[str, str]:
    """Where two texts differ, with a little around it; blanks of any length count as one."""
    old, new = " ".join(before.split()), " ".join(after.split())
    if old == new or max(len(old), len(new)) <= most:
        return old, new
    same = next((at for at, (x, y) in enumerate(zip(old, new, strict=False)) if x != y), min(len(old), len(new)))
    start = max(0, same - 16)
    cut = [("…" if start else "") + text[start : start + most] for text in (old, new)]
    return cut[0] + ("…" if len(old) > start + most else ""), cut[1] + ("…" if len(new) > start + most else "")


def _geometry(
    before: Entity, after: Entity, scale: float, shift: tuple[float, float] | None
) -> tuple[str, dict[str, object]] | None:
    """What happened to the shape, or None if nothing did."""
    move = np.zeros(2) if shift is None else np.array(shift)
    ours = [curve + move for curve in (before.points, *before.rings)]
    theirs = [after.points, *after.rings]
    # Beyond the rounding of fingerprints: a shift is only known to some of its roundings.
    same = SAME_M if shift is None else 5 * SAME_M
    flags: dict[str, object] = {}
    if before.closed != after.closed:
        return ("closed" if after.closed else "opened"), flags
    if [len(curve) for curve in ours] == [len(curve) for curve in theirs]:
        steps = np.concatenate([there - here for here, there in zip(ours, theirs, strict=True)] or [np.zeros((0, 2))])
        apart = np.abs(steps).max(axis=1) * scale  # as fingerprints are rounded: along each axis
        if not len(steps) or apart.max() <= same:
            return None
        if np.ptp(steps, axis=0).max() * scale <= same:
            dx, dy = (float(value) for value in steps[0] * scale)
            return "moved", {"dx": dx, "dy": dy, "distance": float(np.hypot(dx, dy))}
        most = float(np.hypot(steps[:, 0], steps[:, 1]).max()) * scale
        more: dict[str, object] = {"vertices": int((apart > same).sum()), "of": len(steps), "most": most}
        return _with_areas("vertices", more, before, after, scale)
    shapes = [_outline(curves) for curves in (ours, theirs)]
    if any(shape.is_empty for shape in shapes):
        return "reshaped", {"before": sum(map(len, ours)), "after": sum(map(len, theirs)), "most": 0.0}
    most = float(shapely.hausdorff_distance(shapes[0], shapes[1])) * scale
    if most <= same:  # another number of vertices along the same line
        return None
    more = {"before": sum(map(len, ours)), "after": sum(map(len, theirs)), "most": most}
    return _with_areas("reshaped", more, before, after, scale)


def _with_areas(
    code: str, params: dict[str, object], before: Entity, after: Entity, scale: float
) -> tuple[str, dict[str, object]]:
    """The same with areas where both enclose one."""
    areas = [_area(entity) * scale * scale for entity in (before, after)]
    if all(area > 0 for area in areas):
        return f"{code}_area", params | {"area_before": areas[0], "area_after": areas[1]}
    return code, params


def _area(entity: Entity) -> float:
    """Area enclosed, in square drawing units; holes of a hatch taken off by parity."""
    curves: Sequence[Points] = entity.rings or ((entity.points,) if entity.closed else ())
    found: shapely.Geometry = shapely.Polygon()
    for curve in curves:
        if len(curve) > 2:
            found = found.symmetric_difference(shapely.make_valid(shapely.Polygon(curve)))
    return float(found.area)


def _outline(curves: Iterable[Points]) -> shapely.Geometry:
    lines = [shapely.LineString(curve) for curve in curves if len(curve) > 1]
    points = [shapely.Point(curve[0]) for curve in curves if len(curve) == 1]
    return shapely.GeometryCollection([*lines, *points])


# ---------------------------------------------------------------- blocks


def _blocks(
    a: Drawing, b: Drawing, matching: Matching, changed: list[Change]
) -> tuple[list[Change], list[Change], list[Change]]:
    """Tell changes of blocks as one: an insert that came, went or moved as a whole; a part changed in its block.

    Parts of blocks have handles ``INSERT/PART``.
    """
    in_a, in_b = _sizes(a.entities), _sizes(b.entities)
    added = _whole(matching.added, in_b, in_a, old=False)
    removed = _whole(matching.removed, in_a, in_b, old=True)
    moved, rest = _moved_inserts(changed)
    changed = [*moved, *_distorted(_in_definition(rest, b), b)]
    return _in_definition(added, b), _in_definition(removed, a), changed


def _insert(handle: str) -> str:
    """The insert a handle belongs to; of anything else the handle itself."""
    return handle.split("/", 1)[0]


def _sizes(entities: Iterable[Entity]) -> Counter[str]:
    """Number of entities of each insert, itself included."""
    return Counter(_insert(entity.handle) for entity in entities)


def _whole(entities: list[Entity], sizes: Counter[str], other: Counter[str], *, old: bool) -> list[Change]:
    """Changes of entities that came or went; inserts of which nothing stays, as one."""
    groups: dict[str, list[Entity]] = defaultdict(list)
    for entity in entities:
        groups[_insert(entity.handle)].append(entity)
    found = []
    for insert, parts in groups.items():
        together = len(parts) == sizes[insert] and insert not in other
        for several in [parts] if together else [[part] for part in parts]:
            name = insert if together else several[0].handle
            found.append(Change(name, (), tuple(several) if old else (), () if old else tuple(several)))
    return found


def _moved_inserts(changed: list[Change]) -> tuple[list[Change], list[Change]]:
    """(inserts with the parts that went along, the other changes)."""
    parts: dict[str, list[Change]] = defaultdict(list)
    for change in changed:
        if "/" in change.handle:
            parts[_insert(change.handle)].append(change)
    moved, gone = [], set()
    for change in changed:
        if change.handle not in parts or "geometry" not in change.kinds:
            continue
        along = [part for part in parts[change.handle] if set(part.kinds) == {"geometry"} and _follows(part, change)]
        gone |= {change.handle, *(part.handle for part in along)}
        every = [change, *along]
        what = (*change.what, ("review.diff_with_parts", {"parts": len(along)})) if along else change.what
        before = tuple(one for part in every for one in part.before)
        after = tuple(one for part in every for one in part.after)
        moved.append(Change(change.handle, what, before, after, change.kinds))
    return moved, [change for change in changed if change.handle not in gone]


def _follows(part: Change, insert: Change) -> bool:
    """True if a part changed because its insert did: moved alike, or its insert was turned or scaled."""
    (code, step), (own, own_step) = insert.what[0], part.what[0]
    if code != "review.diff_moved" or len(insert.what) > 1:
        return True
    apart = [abs(step[axis] - own_step[axis]) for axis in ("dx", "dy")] if own == code else [np.inf]
    return max(apart) <= 5 * SAME_M


def _distorted(changes: list[Change], drawing: Drawing) -> list[Change]:
    """Inserts all of whose parts changed shape, and those of no other insert did: scaled or mirrored."""
    drawn = Counter(_insert(one.handle) for one in drawing.entities if "/" in one.handle and one.kind != "INSERT")
    parts: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if "/" in change.handle and set(change.kinds) == {"geometry"}:
            parts[_insert(change.handle)].append(change)
    found, gone = [], set()
    for insert, several in parts.items():
        if sum(part.after[0].kind != "INSERT" for part in several) == drawn[insert]:
            gone |= {part.handle for part in several}
            what: tuple[Note, ...] = (("review.diff_other", {}), ("review.diff_with_parts", {"parts": len(several)}))
            before = tuple(one for part in several for one in part.before)
            after = tuple(one for part in several for one in part.after)
            found.append(Change(insert, what, before, after, ("geometry",)))
    return [*(change for change in changes if change.handle not in gone), *found]


def _in_definition(changes: list[Change], drawing: Drawing) -> list[Change]:
    """One change for a part that changed alike in every insert of its block."""
    inserts = Counter(entity.handle.rsplit("/", 1)[1] for entity in drawing.entities if "/" in entity.handle)
    groups: dict[str, list[Change]] = defaultdict(list)
    found = []
    for change in changes:
        if "/" in change.handle:
            groups[change.handle.rsplit("/", 1)[1]].append(change)
        else:
            found.append(change)
    for part, several in groups.items():
        alike = len({(change.kinds, tuple(code for code, _ in change.what)) for change in several}) == 1
        if not alike or len(several) != inserts[part]:
            found += several
            continue
        before = tuple(one for change in several for one in change.before)
        after = tuple(one for change in several for one in change.after)
        what = several[0].what
        if len(several) > 1 and what:
            what = (*what, ("review.diff_in_block", {"inserts": len(several)}))
        found.append(Change(part, what, before, after, several[0].kinds))
    return found
