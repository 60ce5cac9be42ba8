"""Building an opinion: the drawing is checked, and everything that was said about it is gathered, at one moment."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project, RenderMap
from plugins.review.model.cases import store
from plugins.review.model.cases.opened import OpenDrawing, parcel_area
from plugins.review.model.cases.records import Case
from plugins.review.model.cases.workflow import CheckedDrawing, check_drawing
from plugins.review.model.drawing.types import DrawingFormat
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
from plugins.review.model.opinion.types import DESIGN, Inputs, Opinion, Shot, Subject, Thread
from plugins.review.model.reading.convention import load_conventions

if TYPE_CHECKING:
    from plugins.review.model.cases.records import Markup

#: Pixels of the map picture and of a sheet's width; sheets shown at most.
MAP_SIZE, _SHEET_WIDTH, _MOST_SHEETS = (1500, 950), 1600, 6


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
    checked = check_drawing(
        project, drawing_ref, rules=rules, parcel=parcel, on=on, progress=SubProgress(progress, 0.0, 0.7)
    )
    case, record = checked.case, checked.opened.record
    if case is None:
        raise PlannerError("review.opinion_no_case", drawing=record.number)
    chain = store.revisions(project, record)
    threads, markups = said(project, case, chain)
    number, supersedes = next_number(project, record, case.number)
    check(progress)
    progress.update(0.72, "stage.review_pictures")
    shots = _shots(checked, threads, markups)
    shots += _sheets(project, checked.opened, threads)
    check(progress)
    progress.update(0.85, "stage.review_map")
    shots += _map(project, checked.opened, render_map)
    made = Opinion(
        kind=DESIGN,
        number=number,
        made=store.now(),
        made_by=project.user,
        project=project.name,
        crs=project.crs,
        case=case,
        conditions=checked.conditions,
        subject=subject_of(checked),
        check=checked.check,
        inputs=_inputs(project, checked, case, rules),
        chain=tuple(chain),
        threads=tuple(threads),
        markups=tuple(markups),
        reports=tuple(store.reports(project, case.id)),
        shots=tuple(shots),
        supersedes=supersedes,
    )
    progress.update(1.0)
    return made


def subject_of(checked: CheckedDrawing) -> Subject:
    """A checked drawing as an opinion keeps it."""
    opened = checked.opened
    return Subject(opened.record, opened.plan, checked.indicators, opened.drawing.notes, len(opened.drawing.entities))


def _inputs(project: Project, checked: CheckedDrawing, case: Case, rules: Sequence[Rule]) -> Inputs:
    record = checked.opened.record
    drawings = {}
    if project.attachment(record.sha256).size <= MOST_EMBEDDED:
        drawings[record.sha256] = project.read_attachment(record.sha256)
    return Inputs(
        conventions=load_conventions(project),
        rules=tuple(rules),
        rule_sets=checked.rule_sets,
        city=checked.subject.city,
        surroundings=checked.subject.surroundings,
        answers=dict(checked.subject.reports),
        parcel_area=parcel_area(case),
        settings=_settings(project),
        drawings=drawings,
    )


def _settings(project: Project) -> dict[str, str]:
    """Settings by which coordinates move."""
    from planner_app.domain.crs import SETTING

    kept = project.setting(SETTING)
    return {SETTING: kept} if kept else {}


# ---------------------------------------------------------------- pictures


def _shots(checked: CheckedDrawing, threads: Sequence[Thread], markups: Sequence[Markup]) -> list[Shot]:
    """The site, and close views of findings and issues that have a place on it."""
    opened = checked.opened
    made = scene(opened.drawing, opened.plan, checked.indicators, checked.subject.surroundings, opened.to_project)
    found = against(checked.check.findings)
    numbered = [(str(at), one) for at, one in enumerate(found, start=1)]
    whole = site_shot(made, numbered, [one for one in markups if one.drawing_id in ("", opened.record.id)])
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


def _sheets(project: Project, opened: OpenDrawing, threads: Sequence[Thread]) -> list[Shot]:
    """Pages of a PDF or an image that something was said about, the first one at least."""
    record = opened.record
    if opened.drawing.format not in (DrawingFormat.PDF, DrawingFormat.IMAGE):
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
