"""Reading or placing a drawing anew: its outline, its figures and what the map shows of it follow, as one command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.plugin_api.model import Project
from plugins.review.model.cases.commands import SetPlacement, SetReading
from plugins.review.model.cases.context import measure_opened, parcel_shape, summary
from plugins.review.model.cases.elements import ElementRow, element_rows
from plugins.review.model.cases.opened import (
    OpenDrawing,
    assemble,
    case_of,
    open_drawing,
    parcel_area,
    read_plan,
)
from plugins.review.model.cases.records import Case
from plugins.review.model.drawing.placement import ControlPoint, Placement
from plugins.review.model.reading.types import ReadingOptions, SitePlan


def reread(project: Project, ref: str, options: ReadingOptions, progress: Progress | None = None) -> OpenDrawing:
    """Read a drawing with other options; outline, summary and the map's elements follow, as one command.

    Where the drawing's units come out different, a place that depended on them is looked for again.
    """
    progress = progress or NoProgress()
    before = open_drawing(project, ref, SubProgress(progress, 0.0, 0.5))
    record, case = before.record, case_of(project, before.record)
    plan = read_plan(project, before.drawing, options, parcel_area(case), SubProgress(progress, 0.5, 0.9))
    placement = before.placement
    if plan.units.metres_per_unit != before.plan.units.metres_per_unit:
        placement = _placed_in_other_units(project, before, plan, case)
    changed = replace(record, options=options, placement=placement)
    after = assemble(project, changed, before.drawing, plan, placement)
    indicators = measure_opened(project, after, case)
    check(progress)
    rows = rows_of(after)
    project.execute(
        SetReading(
            record.id, options, placement if placement != before.placement else None, file=record.file_name,
            summary=summary(before.drawing, plan, indicators), wkb=after.outline(), elements=rows,
        )
    )  # fmt: skip
    return open_drawing(project, record.id, progress)


def _placed_in_other_units(project: Project, before: OpenDrawing, plan: SitePlan, case: Case | None) -> Placement:
    from plugins.review.model.drawing.placing import place

    ratio = plan.units.metres_per_unit / before.plan.units.metres_per_unit
    points = [replace(one, x=one.x * ratio, y=one.y * ratio) for one in before.placement.points]
    crs = before.placement.crs if before.placement.method == "crs" else ""
    parcel = parcel_shape(case.conditions if case is not None else None)
    return place(before.drawing, plan.units.metres_per_unit, project, crs=crs, control=points, parcel=parcel)


def place_drawing(
    project: Project,
    ref: str,
    *,
    placement: Placement | None = None,
    crs: str = "",
    control: Sequence[ControlPoint] = (),
    allow_scale: bool = False,
    progress: Progress | None = None,
) -> OpenDrawing:
    """Place a drawing: as given, else by CRS or control points, else as it says itself; one command."""
    from plugins.review.model.drawing.placing import place

    progress = progress or NoProgress()
    before = open_drawing(project, ref, SubProgress(progress, 0.0, 0.8))
    record, case = before.record, case_of(project, before.record)
    if placement is None:
        parcel = parcel_shape(case.conditions if case is not None else None)
        placement = place(
            before.drawing, before.plan.units.metres_per_unit, project, crs=crs, control=control,
            allow_scale=allow_scale, parcel=parcel,
        )  # fmt: skip
    after = assemble(project, record, before.drawing, before.plan, placement)
    check(progress)
    rows = rows_of(after)
    command = SetPlacement(record.id, placement, file=record.file_name, wkb=after.outline(), elements=rows)
    project.execute(command)
    return open_drawing(project, record.id, progress)


def rows_of(opened: OpenDrawing) -> list[ElementRow]:
    """What the map shows of a drawing; nothing while it is not placed."""
    return element_rows(opened.plan, opened.to_project) if opened.to_project is not None else []
