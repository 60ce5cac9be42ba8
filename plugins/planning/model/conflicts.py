"""Conflict check: where two plans give one piece of land different classes, how much, why, and what the rules say.

A *pair* is a feature of each plan whose interiors share ground; a *patch* is one contiguous spot of a pair
(:mod:`plugins.planning.model.spots`). Areas of patches add up to those of their pairs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Verdict
from planner_app.domain.layer import LayerInfo, PlanInfo, PlanKind
from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.plugin_api.model import Project
from plugins.planning.model.causes import classify, expired, successor
from plugins.planning.model.conflict_result import NO_CLASS, ConflictOptions, ConflictResult, DroppedPair, Patches
from plugins.planning.model.crosswalk import DIFFERENT, RELATED, SAME, UNKNOWN, LandClass, relate_all
from plugins.planning.model.matrix import DEFAULT, OUTSIDE, ConflictMatrix, load_matrix
from plugins.planning.model.plan_side import LayerField, PlanSide, read_side
from plugins.planning.model.spots import Spots, outside, split

#: Kinds of plan that give every piece of land a use.
_LAND_USE_PLANS = (PlanKind.MASTER, PlanKind.LAND_USE, PlanKind.DETAILED)


def run_conflicts(
    project: Project,
    a: LayerField,
    b: LayerField,
    options: ConflictOptions | None = None,
    progress: Progress | None = None,
) -> ConflictResult:
    """Compare two plan layers of a project.

    Raises:
        PlannerError: what :func:`read_side` and :func:`load_matrix` raise; ``planning.same_layer``,
            ``planning.option_wrong``.
        Cancelled: the person asked to stop; nothing was written.
    """
    options = options or ConflictOptions()
    progress = progress or NoProgress()
    for name, value in (("min-area", options.min_area), ("min-width", options.min_width)):
        if not value >= 0:
            raise PlannerError("planning.option_wrong", option=name, value=value)
    if not options.on:
        options = replace(options, on=date.today().isoformat())
    started = time.perf_counter()
    progress.update(0.0, "stage.conflicts_read")
    matrix = load_matrix(project, options.matrix or DEFAULT)
    side_a = read_side(project, a, options.on)
    check(progress)
    side_b = read_side(project, b, options.on)
    if side_a.layer.id == side_b.layer.id and side_a.field == side_b.field:
        raise PlannerError("planning.same_layer", layer=side_a.layer.name)
    result = compare(side_a, side_b, options, matrix, project.crs, SubProgress(progress, 0.1, 0.9))
    progress.update(0.9, "stage.conflicts_causes")
    _find_causes(project, result)
    result.seconds = time.perf_counter() - started
    progress.update(1.0)
    return result


def compare(
    a: PlanSide, b: PlanSide, options: ConflictOptions, matrix: ConflictMatrix, crs: str, progress: Progress
) -> ConflictResult:
    """Overlay two sides and judge every patch; causes are filled in by :func:`run_conflicts`."""
    from planner_app.compute import overlay

    judged = _Judged.of(a, b, matrix)
    found = overlay(
        a.geometry,
        b.geometry,
        class_a=a.class_index,
        class_b=b.class_index,
        keep=judged.wanted(options),
        min_area=options.min_area,
        min_width=options.min_width,
        progress=progress,
    )
    a.geometry, b.geometry = found.repaired_a.geoms, found.repaired_b.geoms
    spots = split(found.i, found.j, found.geometry, options.min_area, options.min_width)
    class_areas = found.matrix
    if options.matrix and PlanKind.GROWTH_BOUNDARY.value in (a.kind, b.kind):
        spots = spots.plus(_outside_boundaries(a, b, options))
        judged = _Judged.of(a, b, matrix)
        spots = spots.take(judged.wanted(options)[_classes(a, spots.i), _classes(b, spots.j)])
        missing = np.array([len(a.classes), len(b.classes)]) - class_areas.shape
        class_areas = np.pad(class_areas, [(0, int(missing[0])), (0, int(missing[1]))])
    lost = found.dropped
    dropped = [
        DroppedPair(int(a.fids[i]), int(b.fids[j]), _raw(a, i), _raw(b, j), float(area), float(width), str(why))
        for i, j, area, width, why in zip(lost.i, lost.j, lost.area, lost.width, lost.why, strict=True)
    ]
    sides = {"a": (a, found.repaired_a), "b": (b, found.repaired_b)}
    return ConflictResult(
        a=a,
        b=b,
        options=options,
        crs=crs,
        matrix=matrix,
        patches=_patches(spots, a, b, judged, crs),
        class_areas=class_areas,
        relations=judged.relations,
        dropped=dropped,
        repaired={key: [(int(side.fids[n]), why) for n, why in done.repaired] for key, (side, done) in sides.items()},
        rejected={key: [(int(side.fids[n]), why) for n, why in done.rejected] for key, (side, done) in sides.items()},
    )


@dataclass(slots=True)
class _Judged:
    """Every pair of classes judged once: relation, cell of the matrix, verdict, whether it is a conflict."""

    relations: NDArray[np.int8]
    cell: NDArray[np.int64]
    verdict: NDArray[np.object_]
    conflict: NDArray[np.bool_]

    @classmethod
    def of(cls, a: PlanSide, b: PlanSide, matrix: ConflictMatrix) -> _Judged:
        relations = relate_all(a.classes, b.classes)
        cell = matrix.judge(a.classes, a.kind, b.classes, b.kind, relations)
        conflict = np.array([one.conflict for one in matrix.cells] + [False])[cell]
        alike = (relations == SAME) | (relations == RELATED)
        silent = (cell < 0) & ~alike
        verdicts = np.array([one.verdict for one in matrix.cells] + [""], dtype=object)[cell]
        verdict = np.where(conflict, verdicts, Verdict.PASS.value)
        verdict[silent] = Verdict.CANNOT_JUDGE.value
        conflict |= silent & ((relations == UNKNOWN) | matrix.otherwise)
        return cls(relations, cell, verdict, conflict)

    def wanted(self, options: ConflictOptions) -> NDArray[np.bool_]:
        if options.every_pair:
            return np.ones(self.relations.shape, dtype=bool)
        return self.conflict if options.matrix else self.relations != SAME


def _classes(side: PlanSide, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The class of each row; row -1 is the last class, the land outside."""
    return np.append(side.class_index, len(side.classes) - 1)[rows]


def _raw(side: PlanSide, row: int) -> str:
    raw = side.classes[side.class_index[row]].raw
    return NO_CLASS if raw is None else raw


def _outside_boundaries(a: PlanSide, b: PlanSide, options: ConflictOptions) -> Spots:
    """What each side has outside the other's growth boundary; the boundary's side gets the class ``(outside)``."""
    none = np.zeros(0, dtype=np.int64)
    spots = Spots(none, none, np.zeros(0, dtype=object))
    for boundary, other in ((b, a), (a, b)):
        if boundary.kind != PlanKind.GROWTH_BOUNDARY.value:
            continue
        boundary.classes = [*boundary.classes, LandClass(OUTSIDE, boundary.standard)]
        found = outside(boundary.geometry, other.geometry, options.min_area, options.min_width)
        spots = spots.plus(found if boundary is b else Spots(found.j, found.i, found.geometry))
    return spots


def _patches(spots: Spots, a: PlanSide, b: PlanSide, judged: _Judged, crs: str) -> Patches:
    from planner_app.domain.area import ellipsoidal

    area = shapely.area(spots.geometry)
    order = np.argsort(-area, kind="stable")
    spots, area = spots.take(order), area[order]
    a_class, b_class = _classes(a, spots.i), _classes(b, spots.j)
    length = shapely.length(spots.geometry)
    return Patches(
        i=spots.i,
        j=spots.j,
        a_class=a_class,
        b_class=b_class,
        geometry=spots.geometry,
        area=area,
        area_ellipsoidal=ellipsoidal(spots.geometry, crs),
        width=2.0 * area / np.where(length > 0, length, np.inf),
        cause=np.zeros(len(area), dtype=np.int8),
        verdict=judged.verdict[a_class, b_class],
        cell=judged.cell[a_class, b_class],
    )


def _find_causes(project: Project, result: ConflictResult) -> None:
    """Fill in the cause of every patch."""
    patches = result.patches
    relation = result.relations[patches.a_class, patches.b_class]
    says_conflict = np.array([cell.conflict for cell in result.matrix.cells] + [False])[patches.cell]
    says_fine = (patches.cell >= 0) & ~says_conflict
    same = (relation == SAME) & ~says_conflict
    related = ((relation == RELATED) & ~says_conflict) | says_fine
    smaller = np.minimum(_feature_area(result.a, patches.i), _feature_area(result.b, patches.j))
    sliver = result.options.sliver.find(patches.area, shapely.length(patches.geometry), smaller)
    outdated = _outdated(project, result, "a") | _outdated(project, result, "b")
    patches.cause = classify(same, outdated, sliver, related)


def _feature_area(side: PlanSide, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    area = np.append(shapely.area(side.geometry), np.inf)  # row -1: the land outside has no end
    return np.asarray(np.where(np.isnan(area), np.inf, area)[rows])


def _outdated(project: Project, result: ConflictResult, key: Literal["a", "b"]) -> NDArray[np.bool_]:
    """Patches whose ground on this side is out of date.

    A feature whose own validity ended is. Of a plan that ended, or that a newer version follows, those patches are
    where a newer plan (:func:`_newer_layers`) says something else at the patch's inner point; if the project has no
    newer plan to ask, all of an ended plan's are.
    """
    patches, on = result.patches, result.options.on
    side, other = (result.a, result.b) if key == "a" else (result.b, result.a)
    rows, classes = (patches.i, patches.a_class) if key == "a" else (patches.j, patches.b_class)
    own = np.append(side.ended, False)[rows]
    ended = expired(side.plan, on)
    newer = _newer_layers(project, side, other, on)
    if not newer:
        return np.asarray(own | ended)
    result.newer[key] = "、".join(dict.fromkeys(plan.name for plan, _ in newer))
    points = shapely.point_on_surface(patches.geometry)
    changed = np.zeros(len(points), dtype=bool)
    for _, layer in newer:
        now = read_side(project, LayerField(layer.id), on)
        relations = relate_all(side.classes, now.classes)
        found, feature = shapely.STRtree(now.geometry).query(points, predicate="intersects")
        changed[found] |= relations[classes[found], now.class_index[feature]] == DIFFERENT
    return np.asarray(own | changed)


def _newer_layers(project: Project, side: PlanSide, other: PlanSide, on: str) -> list[tuple[PlanInfo, LayerInfo]]:
    """Layers that tell what holds today where a plan is out of date, with their plans.

    Those of the plan's successor; for a plan that ended without one, those of any newer plan in force that gives land
    its use, the one it is compared with excepted.
    """
    plans = project.plans()
    found = successor(side.plan, plans, on)
    chosen = [found] if found else []
    if not found and side.plan is not None and expired(side.plan, on):
        start = side.plan.valid_from
        chosen = [
            plan
            for plan in plans
            if plan.kind in _LAND_USE_PLANS and start < plan.valid_from <= on and not expired(plan, on)
        ]
    return [
        (plan, layer)
        for plan in chosen
        for layer in project.layers()
        if layer.plan_id == plan.id
        and layer.geometry == "polygon"
        and layer.class_field
        and layer.id not in (side.layer.id, other.layer.id)
    ]
