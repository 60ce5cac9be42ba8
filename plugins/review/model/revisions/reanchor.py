"""Carrying issues over to a revision: each anchor is looked for in the newer drawing; what is not found is flagged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.affinity import translate
from shapely.geometry import mapping, shape

from plugins.review.model.cases.opened import OpenDrawing
from plugins.review.model.cases.records import Issue
from plugins.review.model.drawing.types import Entity
from plugins.review.model.revisions.diff import DrawingDiff, diff
from plugins.review.model.revisions.matching import anchor, boxes, shape_key

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

OK, MOVED, LOST = "ok", "moved", "lost"
#: An issue whose geometry covers more entities than this is judged by those nearest its middle.
_MOST_BELOW = 400
#: Movement on the ground that is none, m.
_STILL_M = 1e-3


@dataclass(frozen=True, slots=True)
class Carried:
    """What becomes of an issue in the newer drawing.

    Attributes:
        values: fields of the issue to set; ``anchor_state`` is among them.
        found, gone: how many of the things it was anchored to are there, and are not.
    """

    issue: Issue
    values: Mapping[str, Any]
    found: int = 0
    gone: int = 0

    @property
    def state(self) -> str:
        """ok | moved | lost."""
        return str(self.values["anchor_state"])


@dataclass(slots=True)
class _Newer:
    """The newer drawing with ways to find an entity of the older one in it."""

    before: OpenDrawing
    after: OpenDrawing
    found: DrawingDiff
    old: dict[str, Entity] = field(default_factory=dict)
    new: dict[str, Entity] = field(default_factory=dict)
    prints: dict[str, list[Entity]] = field(default_factory=lambda: defaultdict(list))
    shapes: dict[Any, list[Entity]] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.old = {one.handle: one for one in self.before.drawing.entities}
        self.new = {one.handle: one for one in self.after.drawing.entities}
        for one in self.after.drawing.entities:
            self.prints[one.fingerprint].append(one)
        self.changed = {one.handle for change in self.found.changed for one in change.before}

    def find(self, handle: str, fingerprint: str = "") -> Entity | None:
        """The entity a handle of the older drawing stands for now: matched, else alike."""
        if handle in self.found.handles:
            return self.new[self.found.handles[handle]]
        known = self.old.get(handle)
        if known is None:  # an insert named for its parts, a part named without its insert
            for part, now in self.found.handles.items():
                if part.startswith(f"{handle}/"):
                    return self.new.get(now.split("/", 1)[0], self.new[now])
                if part.endswith(f"/{handle}"):
                    return self.new[now]
        for wanted in filter(None, (fingerprint, known.fingerprint if known else "")):
            if len(self.prints[wanted]) == 1:
                return self.prints[wanted][0]
        return self._alike(known) if known is not None else None

    def _alike(self, known: Entity) -> Entity | None:
        """The only text of these words, on whatever page: sheets are renumbered between revisions."""
        if not known.text.strip():
            return None
        if not self.shapes:
            for one in self.after.drawing.entities:
                self.shapes.setdefault(one.text.strip(), []).append(one)
        alike = self.shapes.get(known.text.strip(), [])
        return alike[0] if len(alike) == 1 else None

    def ground(self, entity: Entity, opened: OpenDrawing) -> BaseGeometry | None:
        """The point an entity hangs on, in the project's CRS."""
        place = anchor(entity)
        if place is None or opened.to_project is None:
            return None
        return opened.to_project(shapely.Point(place * opened.plan.units.metres_per_unit))

    def step(self, old: Entity, new: Entity) -> tuple[float, float] | None:
        """How far an entity moved on the ground as a whole; None if it changed shape or is not placed."""
        start, end = self.ground(old, self.before), self.ground(new, self.after)
        tolerance = 1e-3 / self.after.plan.units.metres_per_unit
        if start is None or end is None or shape_key(old, tolerance) != shape_key(new, tolerance):
            return None
        return float(end.x - start.x), float(end.y - start.y)


def carry(
    issues: Iterable[Issue], before: OpenDrawing, after: OpenDrawing, found: DrawingDiff | None = None
) -> list[Carried]:
    """Anchor issues of one drawing in a newer one.

    Handles and GUIDs are followed by the match of the two drawings, then by fingerprint; geometry and quads go along
    with what lies under them. An issue of which nothing is found keeps its anchors in the older drawing and is lost.

    Args:
        found: the difference of the two, if it is known.
    """
    known = found or diff(before.drawing, after.drawing, metres_per_unit=after.plan.units.metres_per_unit)
    newer = _Newer(before, after, known)
    return [_carry(issue, newer) for issue in issues]


def _carry(issue: Issue, newer: _Newer) -> Carried:
    anchors = issue.anchors
    prints = [*anchors.fingerprints, *[""] * (len(anchors.handles) - len(anchors.fingerprints))]
    handles = [(one, newer.find(one, mark)) for one, mark in zip(anchors.handles, prints, strict=False)]
    guids = [(one, newer.find(one)) for one in anchors.guids]
    named = [*handles, *guids]
    below = [] if named else _below(issue, newer)
    pairs = [(newer.old.get(old), new) for old, new in named] if named else [(o, newer.find(o.handle)) for o in below]
    present = [(old, new) for old, new in pairs if new is not None]
    page_gone = bool(anchors.page) and not any(one.number == anchors.page for one in newer.after.drawing.pages)
    if (pairs and not present) or (page_gone and not present):
        return Carried(issue, {"anchor_state": LOST}, 0, len(pairs))
    changed = len(present) < len(pairs) or any(
        old is None or old.handle in newer.changed or old.handle not in newer.found.handles for old, _ in present
    )
    moved_by = _common_step(newer, present)
    geometry = anchors.geometry
    if geometry is not None and moved_by is not None and np.hypot(*moved_by) > _STILL_M:
        changed = True
        geometry = dict(mapping(translate(shape(geometry), *moved_by)))
    page, quad = _sheet(anchors.page, anchors.quad, present)
    changed |= (page, quad) != (anchors.page, anchors.quad)
    # Nothing under a quad to know it by (a scan): it stays where it was and someone must look.
    changed |= bool(anchors.quad) and not pairs
    new_handles = [new for _, new in handles if new is not None]
    made = replace(
        anchors,
        geometry=geometry,
        page=page,
        quad=quad,
        guids=tuple(new.handle for _, new in guids if new is not None),
        handles=tuple(new.handle for new in new_handles),
        fingerprints=tuple(new.fingerprint for new in new_handles),
    )
    values = {"drawing_id": newer.after.record.id, "anchors": made, "anchor_state": MOVED if changed else OK}
    return Carried(issue, values, len(present), len(pairs) - len(present))


def _below(issue: Issue, newer: _Newer) -> list[Entity]:
    """Entities of the older drawing that an issue's quad or geometry lies on."""
    anchors, before = issue.anchors, newer.before
    if anchors.quad:
        area: Any = shapely.MultiPoint(np.array(anchors.quad).reshape(-1, 2)).envelope
        entities = [one for one in newer.old.values() if one.page == anchors.page]
    elif anchors.geometry is not None and before.to_drawing is not None:
        scale = before.plan.units.metres_per_unit
        local = before.to_drawing(shape(anchors.geometry))
        area = shapely.transform(local, lambda points: points / scale)
        if not area.area > 0:  # a point or a line: what stands within a metre
            area = area.buffer(1.0 / scale)
        entities = [one for one in newer.old.values() if one.visible]
    else:
        return []
    if not entities or area.is_empty:
        return []
    found = boxes(entities)
    known = [at for at in range(len(entities)) if np.isfinite(found[at]).all()]
    index = shapely.STRtree(shapely.box(*found[known].T))
    hits = [known[at] for at in index.query(area, predicate="intersects")]
    # What is much larger than the remark (a frame, the site) is not what it is about.
    bounds = area.bounds
    most = 4.0 * max(bounds[2] - bounds[0], bounds[3] - bounds[1])
    small = [at for at in hits if max(found[at, 2] - found[at, 0], found[at, 3] - found[at, 1]) <= most]
    middle = np.array(area.centroid.coords[0])
    hits = sorted(small or hits, key=lambda at: float(np.hypot(*(found[at, :2] + found[at, 2:] - 2 * middle))))
    return [entities[at] for at in hits[:_MOST_BELOW]]


def _common_step(newer: _Newer, present: Sequence[tuple[Entity | None, Entity]]) -> tuple[float, float] | None:
    """The movement on the ground that most of the found entities share."""
    steps = [step for old, new in present if old is not None and (step := newer.step(old, new)) is not None]
    if not steps:
        return None
    middle = np.median(np.array(steps), axis=0)
    alike = np.hypot(*(np.array(steps) - middle).T) <= 0.01
    return (float(middle[0]), float(middle[1])) if 2 * alike.sum() > len(steps) else None


def _sheet(
    page: int, quad: tuple[float, ...], present: Sequence[tuple[Entity | None, Entity]]
) -> tuple[int, tuple[float, ...]]:
    """Page and quad, moved along with what lies under the quad."""
    steps = []
    for old, new in present:
        start, end = (anchor(old), anchor(new)) if old is not None else (None, None)
        if start is not None and end is not None and new.page:
            steps.append((new.page, *(end - start).tolist()))
    if not quad or not steps:
        return page, quad
    number = max({step[0] for step in steps}, key=[step[0] for step in steps].count)
    dx, dy = np.median(np.array([step[1:] for step in steps if step[0] == number]), axis=0)
    if abs(dx) + abs(dy) < 0.01:
        return int(number), quad
    moved = (np.array(quad).reshape(-1, 2) + np.array([dx, dy])).ravel()
    return int(number), tuple(float(value) for value in moved)
