"""Carrying issues over to a revision: each anchor is looked for in the newer drawing; what is not found is flagged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import translate
from shapely.geometry import mapping, shape

from plugins.review.model.cases.opened import OpenDrawing
from plugins.review.model.cases.records import Issue
from plugins.review.model.drawing.types import Entity
from plugins.review.model.revisions.diff import DrawingDiff, diff
from plugins.review.model.revisions.matching import anchor, boxes, by_handle, shape_key, shared

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


@dataclass(frozen=True, slots=True)
class _Thing:
    """What an issue is anchored to in both drawings; ``handle``: what it is called in the newer one."""

    old: Entity | None
    new: Entity | None
    handle: str
    weight: float = 1.0


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
        self.old, self.new = by_handle(self.before.drawing.entities), by_handle(self.after.drawing.entities)
        for one in self.new.values():
            self.prints[one.fingerprint].append(one)
        self.changed = {one.handle for change in self.found.changed for one in change.before}

    def find(self, handle: str, fingerprint: str = "") -> _Thing:
        """What a handle of the older drawing stands for, then and now: matched, else alike."""
        known = self.old.get(handle)
        if handle in self.found.handles:
            return _Thing(known, self.new[self.found.handles[handle]], self.found.handles[handle])
        if known is None:  # an insert named for its parts, a part named without its insert
            for part, now in self.found.handles.items():
                if part.endswith(f"/{handle}"):
                    return _Thing(self.old[part], self.new[now], now.rsplit("/", 1)[1])
                if part.startswith(f"{handle}/"):
                    return _Thing(self.old[part], self.new[now], now.split("/", 1)[0])
        for wanted in filter(None, (fingerprint, known.fingerprint if known else "")):
            if len(self.prints[wanted]) == 1:
                return _Thing(known, self.prints[wanted][0], self.prints[wanted][0].handle)
        alike = self._alike(known) if known is not None else None
        return _Thing(known, alike, alike.handle if alike is not None else "")

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
    handles = [newer.find(one, mark) for one, mark in zip(anchors.handles, prints, strict=False)]
    guids = [newer.find(one) for one in anchors.guids]
    things = [*handles, *guids] or _below(issue, newer)
    present = [one for one in things if one.new is not None]
    page_gone = bool(anchors.page) and not any(one.number == anchors.page for one in newer.after.drawing.pages)
    if (things or page_gone) and not present:
        return Carried(issue, {"anchor_state": LOST}, 0, len(things))
    changed = len(present) < len(things) or any(
        one.old is None or one.old.handle in newer.changed or one.old.handle not in newer.found.handles
        for one in present
    )
    geometry, moved_by = anchors.geometry, _common_step(newer, present)
    if geometry is not None and moved_by is not None and np.hypot(*moved_by) > _STILL_M:
        changed = True
        geometry = dict(mapping(translate(shape(geometry), *moved_by)))
    page, quad = _sheet(anchors.page, anchors.quad, present)
    changed |= (page, quad) != (anchors.page, anchors.quad)
    # Nothing under a quad to know it by (a scan): it stays where it was and someone must look.
    changed |= bool(anchors.quad) and not things
    made = replace(
        anchors,
        geometry=geometry,
        page=page,
        quad=quad,
        guids=tuple(one.handle for one in guids if one.new is not None),
        handles=tuple(one.handle for one in handles if one.new is not None),
        fingerprints=tuple(one.new.fingerprint for one in handles if one.new is not None),
    )
    values = {"drawing_id": newer.after.record.id, "anchors": made, "anchor_state": MOVED if changed else OK}
    return Carried(issue, values, len(present), len(things) - len(present))


def _below(issue: Issue, newer: _Newer) -> list[_Thing]:
    """What an issue's quad or geometry lies on in the older drawing: what it touches, and the smallest outline
    around it."""
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
    near = [known[at] for at in index.query(area, predicate="intersects")]
    own = np.array(area.bounds)
    near = sorted(near, key=lambda at: -shared(own, found[at]))[:_MOST_BELOW]
    touched, around = [], []
    for at in near:
        drawn, outline = _drawn(entities[at], found[at])
        if drawn.intersects(area):
            touched.append(at)
        elif outline is not None and outline.contains(area):
            around.append((float(outline.area), at))
    chosen = touched + [at for _, at in sorted(around)[:1]]
    return [replace(newer.find(entities[at].handle), weight=1e-6 + shared(own, found[at])) for at in chosen]


def _drawn(entity: Entity, box: NDArray[np.float64]) -> tuple[BaseGeometry, BaseGeometry | None]:
    """(what is drawn of an entity, the area it encloses)."""
    if entity.text or len(entity.points) == 1:
        return shapely.box(*box), None
    curves = [curve for curve in (entity.points, *entity.rings) if len(curve) > 1]
    closed = entity.closed or bool(entity.rings)
    rings = [np.vstack([curve, curve[:1]]) if closed else curve for curve in curves]
    lines = shapely.multilinestrings([shapely.linestrings(ring) for ring in rings])
    areas = [shapely.make_valid(shapely.Polygon(ring)) for ring in rings if closed and len(ring) > 3]
    return lines, max(areas, key=lambda area: float(area.area), default=None)


def _common_step(newer: _Newer, present: Sequence[_Thing]) -> tuple[float, float] | None:
    """The movement on the ground of most of what an issue lies on; what fills it best counts most."""
    moves = [
        (step, one.weight)
        for one in present
        if one.old is not None and one.new is not None and (step := newer.step(one.old, one.new)) is not None
    ]
    if not moves:
        return None
    steps, weights = np.array([step for step, _ in moves]), np.array([weight for _, weight in moves])
    alike = np.hypot(*(steps[:, None, :] - steps[None, :, :]).transpose(2, 0, 1)) <= 0.01
    best = int((alike @ weights).argmax())
    dx, dy = np.average(steps[alike[best]], axis=0, weights=weights[alike[best]])
    return float(dx), float(dy)


def _sheet(page: int, quad: tuple[float, ...], present: Sequence[_Thing]) -> tuple[int, tuple[float, ...]]:
    """Page and quad, moved along with what lies under the quad."""
    steps = []
    for one in present:
        start, end = (anchor(each) if each is not None else None for each in (one.old, one.new))
        if start is not None and end is not None and one.new is not None and one.new.page:
            steps.append((one.new.page, *(end - start).tolist()))
    if not quad or not steps:
        return page, quad
    number = max({step[0] for step in steps}, key=[step[0] for step in steps].count)
    dx, dy = np.median(np.array([step[1:] for step in steps if step[0] == number]), axis=0)
    if abs(dx) + abs(dy) < 0.01:
        return int(number), quad
    moved = (np.array(quad).reshape(-1, 2) + np.array([dx, dy])).ravel()
    return int(number), tuple(float(value) for value in moved)
