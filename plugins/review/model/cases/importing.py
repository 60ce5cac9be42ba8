"""Taking a drawing into the project."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.plugin_api.model import Project
from plugins.review.model.cases import opened as opening
from plugins.review.model.cases import store
from plugins.review.model.cases.commands import AddDrawing, prepare
from plugins.review.model.cases.context import (
    conditions_for,
    measure_opened,
    parcel_below,
    parcel_shape,
    permit_day,
    summary,
)
from plugins.review.model.cases.opened import OpenDrawing, open_drawing
from plugins.review.model.cases.records import Case, CaseStatus, DrawingRecord
from plugins.review.model.cases.rereading import place_drawing, reread, rows_of
from plugins.review.model.drawing.placement import ControlPoint, Placement
from plugins.review.model.drawing.types import Drawing, Note
from plugins.review.model.reading.types import ReadingOptions, SitePlan

if TYPE_CHECKING:
    from plugins.review.model.conditions.types import Conditions
    from plugins.review.model.indicators.types import Indicators
    from plugins.review.model.revisions.reanchor import Carried

KINDS = ("site_plan", "as_built", "other")
#: ``replaces`` that means the newest drawing of the same kind in the case.
LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes:
        again: the file was in the case before: this is that drawing.
        notes: what the import itself has to say, beside the notes of drawing, reading, placement and indicators.
        carried: what became of the issues of the revision this drawing replaces.
    """

    record: DrawingRecord
    case: Case
    opened: OpenDrawing
    indicators: Indicators
    again: bool = False
    notes: tuple[Note, ...] = ()
    carried: tuple[Carried, ...] = ()

    def all_notes(self) -> list[Note]:
        """Notes of every step, each once, in the order of the work."""
        plan, every = self.opened.plan, []
        for part in (
            self.notes, self.opened.drawing.notes, plan.units.notes, plan.notes, self.opened.placement.notes,
            self.indicators.notes,
        ):  # fmt: skip
            every += [note for note in part if note not in every]
        return every


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked of an import."""

    parcel: str
    convention: str
    crs: str
    control: tuple[ControlPoint, ...]
    kind: str
    city: str
    title: str
    permit_date: str
    region: tuple[float, float, float, float] | None
    metres_per_unit: float | None
    allow_scale: bool

    @property
    def day(self) -> date | None:
        """The permit's day, if it was given.

        Raises:
            PlannerError: ``review.date_wrong``.
        """
        return permit_day(Case("", "", "", permit_date=self.permit_date)) if self.permit_date else None

    @property
    def reading(self) -> dict[str, Any]:
        """Reading options that were given."""
        given = {"convention": self.convention, "region": self.region, "metres_per_unit": self.metres_per_unit}
        return {name: value for name, value in given.items() if value}


@dataclass(slots=True)
class _Target:
    """Where an import goes: a case that is there or one to be opened, the drawing it revises, notes on the way."""

    case: Case | None
    replaced: DrawingRecord | None = None
    notes: list[Note] = field(default_factory=list)


def import_drawing(
    project: Project,
    path: Path,
    *,
    parcel: str = "",
    convention: str = "",
    crs: str = "",
    control: Path | Sequence[ControlPoint] | None = None,
    case: str = "",
    kind: str = "",
    replaces: str = "",
    city: str = "",
    title: str = "",
    permit_date: str = "",
    region: tuple[float, float, float, float] | None = None,
    metres_per_unit: float | None = None,
    allow_scale: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """Take a drawing into the project: parse, read, place, measure, and keep it with its case as one command.

    The same file again in the same case gives the drawing that is there; what was asked of it (convention, CRS,
    region …) is applied to it.

    Args:
        path: DXF, DWG, PDF, IFC or image.
        parcel: number of a parcel of the detailed zoning plan; a case of it is continued, else opened.
        crs: ``EPSG:n`` the drawing's coordinates are in; control: CSV of control points, or the points themselves.
        case: the case it belongs to (see :func:`store.case`); empty: the parcel's, else a new one.
        kind: one of :data:`KINDS`; empty: a survey by its convention, else a site plan.
        replaces: the drawing it is a revision of, or :data:`LATEST`.
        region: of the site plan in drawing units; metres_per_unit: set by the person.

    Raises:
        PlannerError: ``review.file_missing``, ``review.case_unknown``, ``review.drawing_unknown``,
            ``review.kind_unknown``, ``review.nothing_to_replace``, ``review.file_changed``, and what reading and
            placing refuse. Nothing is written then.
        Cancelled: nothing is written.
    """
    progress = progress or NoProgress()
    if kind and kind not in KINDS:
        raise PlannerError("review.kind_unknown", kind=kind, known=", ".join(KINDS))
    wish = _Wish(
        parcel, convention, crs, _control(control), kind, city, title, permit_date, region, metres_per_unit, allow_scale
    )
    digest = store.file_digest(path)
    target = _target(project, wish, case, replaces, digest)
    existing = _same_file(project, target, digest, anywhere=not (case or parcel or replaces))
    if existing is not None:
        return _again(project, existing, wish, progress)
    drawing = opening.parse_file(path, SubProgress(progress, 0.0, 0.6))
    check(progress)
    conditions, parcel_notes = conditions_for(project, target.case, wish.parcel, wish.day)
    case_then = target.case or Case("", "", "", wish.parcel, conditions=conditions)
    options = _options(wish, target.replaced)
    reading = SubProgress(progress, 0.6, 0.75)
    plan = opening.read_plan(project, drawing, options, opening.parcel_area(case_then), reading)
    check(progress)
    placement, placing_notes = _place(project, drawing, plan, wish, target.replaced, conditions)
    record = DrawingRecord(
        store.new_id(), "", "", title or path.stem, path.name, drawing.sha256, drawing.format.value,
        kind=kind or _kind(plan, target.replaced), options=options, placement=placement, imported_by=project.user,
        imported_at=store.now(),
    )  # fmt: skip
    opened = opening.assemble(project, record, drawing, plan, placement)
    progress.update(0.8, "stage.review_measure")
    case_now = target.case
    opens_case = case_now is None
    if case_now is None:
        case_now = _new_case(project, wish, opened, conditions, path)
        if case_now.parcel and not wish.parcel:
            parcel_notes = [*parcel_notes, ("review.parcel_by_place", {"parcel": case_now.parcel or "–"})]
        known = _open_case_of(project, case_now.parcel) if case_now.parcel else None
        case_now, opens_case = (known, False) if known is not None else (case_now, True)
        area = opening.parcel_area(case_now)
        if area != opening.parcel_area(case_then):  # the parcel it lies on says how large the site must be
            plan = opening.read_plan(project, drawing, options, area, reading)
            if plan.units.metres_per_unit != opened.plan.units.metres_per_unit:
                placement, placing_notes = _place(project, drawing, plan, wish, target.replaced, case_now.conditions)
                record = replace(record, placement=placement)
            opened = opening.assemble(project, record, drawing, plan, placement)
    if target.replaced is None and replaces == LATEST:
        target.replaced = _latest(project, case_now, record.kind)
    indicators = measure_opened(project, opened, case_now)
    check(progress)
    record = replace(record, case_id=case_now.id, wkb=opened.outline(), summary=summary(drawing, plan, indicators))
    if target.replaced is not None:
        chain = store.revisions(project, target.replaced)
        record = replace(record, replaces=target.replaced.id, revision=max(one.revision for one in chain) + 1)
    opened = replace(opened, record=record)
    carried = _carry(project, target.replaced, opened, SubProgress(progress, 0.85, 0.9))
    rows = rows_of(opened)
    check(progress)
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    kept = project.attach(path, name=path.name, media_type=media_type, progress=SubProgress(progress, 0.9, 0.98))
    if kept != drawing.sha256:
        raise PlannerError("review.file_changed", file=str(path))
    prepare(project)
    reanchored = {one.issue.id: one.values for one in carried}
    project.execute(AddDrawing(record, case_now if opens_case else None, rows, reanchored))
    now_open = open_drawing(project, record.id, SubProgress(progress, 0.98, 1.0))
    notes = (*target.notes, *parcel_notes, *placing_notes, *_carried_notes(carried))
    case_kept = next(one for one in store.cases(project) if one.id == case_now.id)
    return Imported(now_open.record, case_kept, now_open, indicators, notes=notes, carried=carried)


def _control(control: Path | Sequence[ControlPoint] | None) -> tuple[ControlPoint, ...]:
    if isinstance(control, Path):
        from plugins.review.model.drawing.placing import read_control_csv

        return tuple(read_control_csv(control))
    return tuple(control or ())


def _target(project: Project, wish: _Wish, case: str, replaces: str, digest: str) -> _Target:
    """Where the drawing goes, as far as the arguments say; the case is None where one must be opened."""
    found = store.case(project, case) if case else None
    if found is None and wish.parcel:
        found = _open_case_of(project, wish.parcel)
    target = _Target(found)
    if replaces and replaces != LATEST:
        target.replaced = store.drawing(project, replaces)
        if found is not None and found.id != target.replaced.case_id:
            raise PlannerError("review.replaces_elsewhere", drawing=target.replaced.number, case=found.number)
        target.case = opening.case_of(project, target.replaced)
    elif replaces and found is not None:
        target.replaced = _latest(project, found, wish.kind, digest)
    return target


def _latest(project: Project, case: Case, kind: str, digest: str = "") -> DrawingRecord:
    """The newest drawing of a kind in a case."""
    every = store.drawings(project, case.id)
    found = [one for one in every if one.kind == (kind or "site_plan") and one.sha256 != digest]
    if not found and any(one.sha256 == digest for one in every):
        return every[-1]  # the file itself, imported again: there is nothing to do
    if not found:
        raise PlannerError("review.nothing_to_replace", case=case.number, kind=kind or "site_plan")
    return found[-1]


def _open_case_of(project: Project, parcel: str) -> Case | None:
    """The case that is open on a parcel; finished ones are not continued, but for their as-built check."""
    from plugins.review.model.conditions.from_layer import parcel_key

    wanted = parcel_key(parcel)
    found = [one for one in store.cases(project) if parcel_key(one.parcel) == wanted]
    return next((one for one in reversed(found) if one.status is not CaseStatus.REJECTED), None)


def _same_file(project: Project, target: _Target, digest: str, *, anywhere: bool) -> DrawingRecord | None:
    """The same file in the case it goes to; without a case, parcel or revision asked for, in any."""
    if target.case is None and not anywhere:
        return None
    every = store.drawings(project, target.case.id if target.case is not None else "")
    return next((one for one in reversed(every) if one.sha256 == digest), None)


def _again(project: Project, record: DrawingRecord, wish: _Wish, progress: Progress) -> Imported:
    """The drawing that is there, read and placed anew where something was asked of it."""
    if wish.reading:
        reread(project, record.id, replace(record.options, **wish.reading), SubProgress(progress, 0.0, 0.7))
    if wish.crs or wish.control:
        place_drawing(
            project, record.id, crs=wish.crs, control=wish.control, allow_scale=wish.allow_scale,
            progress=SubProgress(progress, 0.7, 0.8),
        )  # fmt: skip
    opened = open_drawing(project, record.id, SubProgress(progress, 0.8, 0.95))
    case = opening.case_of(project, record)
    if case is None:
        raise PlannerError("review.record_gone", table="review_case", id=record.case_id)
    note: Note = ("review.imported_before", {"drawing": record.number, "case": case.number, "file": record.file_name})
    return Imported(opened.record, case, opened, measure_opened(project, opened, case), again=True, notes=(note,))


def _options(wish: _Wish, replaced: DrawingRecord | None) -> ReadingOptions:
    """A revision is read as its predecessor was, but for what is asked now."""
    base = replaced.options if replaced is not None else ReadingOptions()
    return replace(base, **wish.reading)


def _kind(plan: SitePlan, replaced: DrawingRecord | None) -> str:
    if replaced is not None:
        return replaced.kind
    return "as_built" if plan.convention.casefold().startswith(("cass", "survey")) else "site_plan"


def _place(
    project: Project, drawing: Drawing, plan: SitePlan, wish: _Wish, replaced: DrawingRecord | None,
    conditions: Conditions | None,
) -> tuple[Placement, list[Note]]:  # fmt: skip
    """Where the drawing lies: as asked, as it says itself, else as the revision before it."""
    from plugins.review.model.drawing.placing import place

    metres = plan.units.metres_per_unit
    parcel = parcel_shape(conditions)
    before = replaced.placement if replaced is not None else Placement()
    if not (wish.crs or wish.control) and before.method in ("control", "by_hand", "parcel"):
        return before, [("review.placed_as_before", {"drawing": replaced.number if replaced else ""})]
    crs = wish.crs or (before.crs if before.method == "crs" and not wish.control else "")
    found = place(drawing, metres, project, crs=crs, control=wish.control, allow_scale=wish.allow_scale, parcel=parcel)
    return found, []


def _new_case(project: Project, wish: _Wish, opened: OpenDrawing, conditions: Conditions | None, path: Path) -> Case:
    """The case a drawing opens: its parcel as given, else the one it lies on."""
    if conditions is None and not wish.parcel:
        conditions = parcel_below(project, opened, wish.day)
    others = [one.city for one in store.cases(project) if one.city]
    city = wish.city or (conditions.city if conditions is not None else "") or (others[-1] if others else "")
    parcel = conditions.parcel if conditions is not None else wish.parcel
    return Case(
        store.new_id(), "", wish.title or path.stem, parcel, city=city, permit_date=wish.permit_date,
        conditions=conditions, created_by=project.user, created_at=store.now(),
    )  # fmt: skip


def _carry(
    project: Project, replaced: DrawingRecord | None, opened: OpenDrawing, progress: Progress
) -> tuple[Carried, ...]:
    """Issues of the replaced drawing, anchored in the new one."""
    if replaced is None:
        return ()
    from plugins.review.model.revisions.reanchor import carry

    carried: list[Carried] = []
    for one in store.revisions(project, replaced):  # what was lost in an earlier revision may be back
        issues = store.issues(project, drawing_id=one.id)
        if issues:
            carried += carry(issues, open_drawing(project, one.id, progress), opened)
    return tuple(carried)


def _carried_notes(carried: Sequence[Carried]) -> list[Note]:
    if not carried:
        return []
    counts: Mapping[str, int] = {
        state: sum(one.values["anchor_state"] == state for one in carried) for state in ("ok", "moved", "lost")
    }
    return [("review.issues_carried", {"count": len(carried), **counts})]
