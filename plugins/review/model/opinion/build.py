"""Building an opinion: the drawing is checked, and everything that was said about it is gathered, at one moment."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project, RenderMap
from plugins.review.model.asbuilt.compare import as_built_json, compare_as_built, rules_for
from plugins.review.model.cases import store
from plugins.review.model.cases.opened import OpenDrawing, case_of, parcel_area
from plugins.review.model.cases.records import Case, DrawingRecord
from plugins.review.model.cases.workflow import check_drawing
from plugins.review.model.checking.types import Check, Surroundings
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.drawing.types import DrawingFormat
from plugins.review.model.indicators.rule_sets import RuleSets, load_rule_sets
from plugins.review.model.indicators.types import Indicators
from plugins.review.model.opinion.document import against
from plugins.review.model.opinion.pictures import (
    COLOURS,
    MOST_VIEWS,
    close_shot,
    issue_shape,
    scene,
    shape_of,
    site_shot,
)
from plugins.review.model.opinion.seal import MOST_EMBEDDED
from plugins.review.model.opinion.sections import said
from plugins.review.model.opinion.signing import next_number
from plugins.review.model.opinion.types import AS_BUILT, DESIGN, Inputs, Opinion, Shot, Subject, Thread
from plugins.review.model.reading.convention import load_conventions
from plugins.review.model.reading.types import Role

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from plugins.review.model.cases.records import Markup

#: Pixels of the map picture and of a sheet's width; sheets shown at most.
MAP_SIZE, _SHEET_WIDTH, _MOST_SHEETS = (1500, 950), 1600, 6
_SHEETS = (DrawingFormat.PDF, DrawingFormat.IMAGE)


def build_opinion(
    project: Project,
    drawing_ref: str,
    *,
    rules: Sequence[Rule],
    render_map: RenderMap | None = None,
    approved: str = "",
    parcel: str = "",
    on: date | None = None,
    progress: Progress | None = None,
) -> Opinion:
    """Build the opinion on a drawing.

    Args:
        drawing_ref: number, id, hash or file name of the drawing; an as-built survey gives an as-built opinion.
        rules: the edition in use.
        render_map: how to get a map picture; None or an empty answer: the opinion has only its own drawings.
        approved: the approved drawing an as-built survey is compared with; empty: the newest site plan of its case.
        parcel, on: as for :func:`check_drawing`.

    Raises:
        PlannerError: what checking refuses; ``review.opinion_no_case``. Cancelled.
    """
    progress = progress or NoProgress()
    record = store.drawing(project, drawing_ref)
    work = SubProgress(progress, 0.0, 0.7)
    if record.kind == "as_built":
        judged = _judge_as_built(project, record, rules, approved, on, work)
    else:
        judged = _judge_design(project, record, rules, parcel, on, work)
    case, record = judged.case, judged.subject.record
    chain = store.revisions(project, record)
    threads, markups = said(project, case, chain)
    number, supersedes = next_number(project, record, case.number)
    check(progress)
    progress.update(0.72, "stage.review_pictures")
    shots = _shots(judged, threads, markups)
    shots += _sheets(project, judged.opened, threads)
    check(progress)
    progress.update(0.85, "stage.review_map")
    shots += _map(project, judged.opened, render_map)
    made = Opinion(
        kind=AS_BUILT if judged.approved is not None else DESIGN,
        number=number,
        made=store.now(),
        made_by=project.user,
        project=project.name,
        crs=project.crs,
        case=case,
        conditions=judged.conditions,
        subject=judged.subject,
        check=judged.check,
        inputs=_inputs(project, judged),
        approved=judged.approved,
        as_built=judged.as_built,
        chain=tuple(chain),
        threads=tuple(threads),
        markups=tuple(markups),
        reports=tuple(store.reports(project, case.id)),
        shots=tuple(shots),
        supersedes=supersedes,
    )
    progress.update(1.0)
    return made


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the check of a design and the comparison of a survey have in common."""

    opened: OpenDrawing
    case: Case
    conditions: Conditions | None
    subject: Subject
    check: Check
    rules: tuple[Rule, ...]
    rule_sets: RuleSets
    city: str
    surroundings: Surroundings
    answers: Mapping[str, str]
    approved: Subject | None = None
    as_built: Any = None
    reference: OpenDrawing | None = None


def _judge_design(
    project: Project, record: DrawingRecord, rules: Sequence[Rule], parcel: str, on: date | None, progress: Progress
) -> _Judged:
    own = [one for one in rules if not one.kind.startswith("asbuilt.")]
    checked = check_drawing(project, record.id, rules=own, parcel=parcel, on=on, progress=progress)
    given = checked.subject
    return _Judged(
        checked.opened, _case(checked.case, record), checked.conditions,
        _subject(checked.opened, checked.indicators), checked.check, tuple(own), checked.rule_sets, given.city,
        given.surroundings, dict(given.reports),
    )  # fmt: skip


def _judge_as_built(
    project: Project, record: DrawingRecord, rules: Sequence[Rule], approved: str, on: date | None, progress: Progress
) -> _Judged:
    reference = approved or _approved(project, record)
    found = compare_as_built(
        project, reference, record.id, rules=[one for one in rules if one.kind.startswith("asbuilt.")], on=on,
        progress=progress,
    )  # fmt: skip
    facts = found.facts
    chosen = tuple(rules_for(project, [one for one in rules if one.kind.startswith("asbuilt.")], found.on, found.city))
    return _Judged(
        facts.survey, _case(case_of(project, facts.survey.record), record), facts.conditions,
        _subject(facts.survey, facts.after), Check(found.findings, (), found.verdict, found.on, notes=found.notes),
        chosen, load_rule_sets(project), found.city, Surroundings(), {}, _subject(facts.approved, facts.before),
        as_built_json(found), facts.approved,
    )  # fmt: skip


def _approved(project: Project, survey: DrawingRecord) -> str:
    """The newest site plan of the survey's case.

    Raises:
        PlannerError: ``review.opinion_no_approved``.
    """
    plans = [one for one in store.drawings(project, survey.case_id) if one.kind == "site_plan"]
    if not plans:
        raise PlannerError("review.opinion_no_approved", drawing=survey.number)
    return plans[-1].id


def _case(case: Case | None, record: DrawingRecord) -> Case:
    if case is None:
        raise PlannerError("review.opinion_no_case", drawing=record.number)
    return case


def _subject(opened: OpenDrawing, indicators: Indicators) -> Subject:
    """A drawing as an opinion keeps it."""
    return Subject(opened.record, opened.plan, indicators, opened.drawing.notes, len(opened.drawing.entities))


def _inputs(project: Project, judged: _Judged) -> Inputs:
    drawings = {}
    for one in (judged.subject, judged.approved):
        if one is not None and project.attachment(one.record.sha256).size <= MOST_EMBEDDED:
            drawings[one.record.sha256] = project.read_attachment(one.record.sha256)
    areas = {
        one.record.sha256: parcel_area(case_of(project, one.record))
        for one in (judged.subject, judged.approved)
        if one is not None
    }
    return Inputs(
        conventions=load_conventions(project),
        rules=judged.rules,
        rule_sets=judged.rule_sets,
        city=judged.city,
        surroundings=judged.surroundings,
        answers=judged.answers,
        parcel_areas=areas,
        settings=_settings(project),
        drawings=drawings,
    )


def _settings(project: Project) -> dict[str, str]:
    """Settings by which coordinates move."""
    from planner_app.domain.crs import SETTING

    kept = project.setting(SETTING)
    return {SETTING: kept} if kept else {}


# ---------------------------------------------------------------- pictures


def _shots(judged: _Judged, threads: Sequence[Thread], markups: Sequence[Markup]) -> list[Shot]:
    """The site, and close views of findings and issues that have a place on it."""
    opened = judged.opened
    made = scene(
        opened.drawing, opened.plan, judged.subject.indicators, judged.surroundings, opened.to_project,
        _approved_outlines(judged),
    )  # fmt: skip
    found = against(judged.check.findings)
    numbered = [(str(at), one) for at, one in enumerate(found, start=1)]
    sheet = opened.drawing.format in _SHEETS and not opened.plan.elements  # its page says more than its lines
    whole = (
        None
        if sheet
        else site_shot(made, numbered, [one for one in markups if one.drawing_id in ("", opened.record.id)])
    )
    shots = [whole] if whole is not None else []
    for number, finding in numbered:
        evidence = shape_of(finding.evidence)
        if evidence is not None and len(shots) <= MOST_VIEWS:
            shots.append(close_shot(made, "finding", number, evidence, COLOURS[finding.verdict]))
    for thread in threads:
        place = issue_shape(thread.issue)
        if place is not None and len(shots) <= 2 * MOST_VIEWS:
            own = [one for one in markups if one.issue_id == thread.issue.id]
            shots.append(close_shot(made, "issue", str(thread.issue.number), place, "#1F5FAE", own))
    return shots


def _approved_outlines(judged: _Judged) -> list[BaseGeometry]:
    """Footprints as approved, where both drawings lie on the map."""
    reference = judged.reference
    if reference is None or reference.to_project is None or judged.opened.to_project is None:
        return []
    return [reference.to_project(one.geometry) for one in reference.plan.of(Role.FOOTPRINT)]


def _sheets(project: Project, opened: OpenDrawing, threads: Sequence[Thread]) -> list[Shot]:
    """Pages of a PDF or an image that something was said about, the first one at least."""
    record = opened.record
    if opened.drawing.format not in _SHEETS:
        return []
    from PIL import Image

    from plugins.review.model.drawing.rasters import render_page

    known = [page.number for page in opened.drawing.pages] or [1]
    spoken = {one.issue.anchors.page for one in threads if one.issue.drawing_id == record.id}
    wanted = [page for page in known if page == known[0] or page in spoken][:_MOST_SHEETS]
    shots = []
    with tempfile.TemporaryDirectory(prefix="planner-sheet-") as folder:
        path = project.write_attachment(record.sha256, Path(folder) / (Path(record.file_name).name or "sheet"))
        for page in wanted:
            memory = io.BytesIO()
            Image.fromarray(render_page(path, page, _SHEET_WIDTH)).save(memory, "PNG", optimize=True)
            shots.append(Shot("sheet", "image/png", memory.getvalue(), str(page)))
    return shots


def _map(project: Project, opened: OpenDrawing, render_map: RenderMap | None) -> list[Shot]:
    site = opened.site()
    if render_map is None or opened.to_project is None or site is None:
        return []
    west, south, east, north = opened.to_project(site).bounds
    margin = 0.35 * max(east - west, north - south, 20.0)
    picture = render_map(project, (west - margin, south - margin, east + margin, north + margin), MAP_SIZE)
    return [Shot("map", "image/png", picture)] if picture else []
