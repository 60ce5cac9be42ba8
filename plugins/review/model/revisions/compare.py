"""Two drawings of a project side by side: entities, elements, indicators, and the issues a revision touches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.plugin_api.model import Project
from plugins.review.model.cases import store
from plugins.review.model.cases.context import measure_opened
from plugins.review.model.cases.opened import OpenDrawing, case_of, open_drawing
from plugins.review.model.indicators.types import KEYS
from plugins.review.model.reading.types import Element, Role
from plugins.review.model.revisions.diff import DrawingDiff, diff
from plugins.review.model.revisions.reanchor import Carried, carry

#: Roles whose elements are compared; the others are read into these or say nothing of a design.
_ROLES = (
    Role.SITE, Role.ROAD_LINE, Role.BUILD_TO, Role.FOOTPRINT, Role.BASEMENT, Role.FLOOR_AREA, Role.HEIGHT, Role.GREEN,
    Role.PARKING,
)  # fmt: skip
#: Differences of areas (m²) and heights (m) that are rounding; of less than 1: that part of it.
_SAME = 1e-3
#: An outline that strays less than this from where it was has not moved, m (curves are flattened to 5 mm).
_STAYS = 0.01


@dataclass(frozen=True, slots=True)
class ElementChange:
    """An element that came (``before`` None), went (``after`` None), has another size or lies elsewhere.

    ``size_before``, ``size_after``: area in m², a line's length in m, a height's value in m; ``moved``: how far its
    outline is from where it was (Hausdorff distance, m), 0 where the size tells the change.
    """

    role: str
    name: str
    before: Element | None
    after: Element | None
    size_before: float | None
    size_after: float | None
    moved: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a revision changed.

    ``indicators``: (key, before, after) of all that differ; ``issues``: of the older drawing, as they would be carried.
    """

    before: OpenDrawing
    after: OpenDrawing
    diff: DrawingDiff
    elements: tuple[ElementChange, ...]
    indicators: tuple[tuple[str, float | None, float | None], ...]
    issues: tuple[Carried, ...]

    def touched(self) -> list[Carried]:
        """Issues that the revision touches: what they are anchored to changed, moved or went."""
        return [one for one in self.issues if one.state != "ok"]


def compare_drawings(project: Project, a: str, b: str, progress: Progress | None = None) -> Comparison:
    """Compare two drawings of a project, the older first.

    Raises:
        PlannerError: ``review.drawing_unknown``, what opening refuses.
        Cancelled.
    """
    progress = progress or NoProgress()
    before = open_drawing(project, a, SubProgress(progress, 0.0, 0.4))
    after = open_drawing(project, b, SubProgress(progress, 0.4, 0.8))
    found = diff(before.drawing, after.drawing, metres_per_unit=after.plan.units.metres_per_unit)
    check(progress)
    measured = [measure_opened(project, one, case_of(project, one.record)) for one in (before, after)]
    values = [(key, measured[0].value(key), measured[1].value(key)) for key in KEYS]
    issues = store.issues(project, drawing_id=before.record.id)
    progress.update(1.0)
    return Comparison(
        before, after, found, tuple(compare_elements(before, after, found)),
        tuple(row for row in values if not _equal(row[1], row[2])), tuple(carry(issues, before, after, found)),
    )  # fmt: skip


def compare_elements(before: OpenDrawing, after: OpenDrawing, found: DrawingDiff) -> list[ElementChange]:
    """Elements that differ, matched by the entities they are made of, then by role, building and floor."""
    changes: list[ElementChange] = []
    for role in _ROLES:
        ours, theirs = before.plan.of(role), after.plan.of(role)
        by_handle = {handle: at for at, one in enumerate(theirs) for handle in one.handles}
        taken: dict[int, int] = {}
        for at, one in enumerate(ours):
            hits = [by_handle[now] for old in one.handles if (now := found.handles.get(old)) in by_handle]
            if hits and hits[0] not in taken.values():
                taken[at] = hits[0]
        _by_name(ours, theirs, taken)
        for at, one in enumerate(ours):
            other = theirs[taken[at]] if at in taken else None
            sizes = _size(one), (_size(other) if other is not None else None)
            if other is None or not _equal(*sizes):
                changes.append(ElementChange(role.value, _name(one), one, other, *sizes))
            elif (moved := _moved(one, other, found.shift)) > _STAYS:
                changes.append(ElementChange(role.value, _name(one), one, other, *sizes, moved))
        for at in sorted(set(range(len(theirs))) - set(taken.values())):
            changes.append(ElementChange(role.value, _name(theirs[at]), None, theirs[at], None, _size(theirs[at])))
    return changes


def _by_name(ours: Sequence[Element], theirs: Sequence[Element], taken: dict[int, int]) -> None:
    free = {
        (one.building, one.floor, one.kind): at
        for at, one in reversed(list(enumerate(theirs)))
        if at not in taken.values() and (one.building or one.kind)
    }
    for at, one in enumerate(ours):
        key = (one.building, one.floor, one.kind)
        if at not in taken and key in free:
            taken[at] = free.pop(key)


def _name(element: Element) -> str:
    floor = "" if element.floor is None else f"F{element.floor}" if element.floor > 0 else f"B{-element.floor}"
    return " ".join(part for part in (element.building, floor, element.kind) if part)


def _moved(before: Element, after: Element, shift: tuple[float, float] | None) -> float:
    """How far an outline is from where it was, in a drawing that moved as a whole by ``shift`` (m).

    Texts of heights may stand anywhere.
    """
    if before.role is Role.HEIGHT:
        return 0.0
    was, now = before.geometry, after.geometry
    if shift:
        from shapely.affinity import translate

        was = translate(was, *shift)
    if was.equals(now):
        return 0.0
    return float(was.hausdorff_distance(now))


def _size(element: Element) -> float | None:
    if element.role is Role.HEIGHT or element.geometry.geom_type in ("Point", "MultiPoint"):
        return element.value
    area = float(element.geometry.area)
    return area * element.floors if area > 0 else float(element.geometry.length)


def _equal(a: float | None, b: float | None) -> bool:
    return (
        a == b
        if a is None or b is None
        else abs(a - b) <= _SAME * 1e-3
        if max(abs(a), abs(b)) < 1
        else abs(a - b) <= _SAME
    )
