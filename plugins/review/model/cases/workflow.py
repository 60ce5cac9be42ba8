"""The work on a drawing from the file to the check: the one service that verbs and window share.

Everything long reports its progress and can be cancelled; nothing is written until all of it is known, and then as
one command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project
from plugins.review.model.cases import store
from plugins.review.model.cases.commands import OpenCase, prepare
from plugins.review.model.cases.context import (
    conditions_for,
    measure_opened,
    parcel_below,
    parcel_shape,
    permit_day,
)
from plugins.review.model.cases.importing import KINDS as KINDS
from plugins.review.model.cases.importing import LATEST as LATEST
from plugins.review.model.cases.importing import Imported as Imported
from plugins.review.model.cases.importing import import_drawing as import_drawing
from plugins.review.model.cases.opened import OpenDrawing as OpenDrawing
from plugins.review.model.cases.opened import case_of
from plugins.review.model.cases.opened import open_drawing as open_drawing
from plugins.review.model.cases.records import Case
from plugins.review.model.cases.rereading import place_drawing as place_drawing
from plugins.review.model.cases.rereading import reread as reread
from plugins.review.model.drawing.types import Note

if TYPE_CHECKING:
    from plugins.review.model.checking.types import Check, Subject
    from plugins.review.model.conditions.types import Conditions
    from plugins.review.model.indicators.rule_sets import RuleSets
    from plugins.review.model.indicators.types import Indicators


@dataclass(frozen=True, slots=True)
class CheckedDrawing:
    """A drawing with its conditions, what was measured and what the rules say.

    ``subject``: all that the rules were given; ``rule_sets``: by which floor area was measured.
    """

    opened: OpenDrawing
    conditions: Conditions | None
    indicators: Indicators
    check: Check
    subject: Subject
    rule_sets: RuleSets
    case: Case | None = None
    notes: tuple[Note, ...] = ()


def open_case(project: Project, case: Case) -> Case:
    """Open a case; it gets its number."""
    prepare(project)
    case = replace(case, created_by=case.created_by or project.user, created_at=case.created_at or store.now())
    project.execute(OpenCase(case))
    return store.case(project, case.id)


def check_drawing(
    project: Project,
    ref: str,
    *,
    rules: Sequence[Rule],
    parcel: str = "",
    on: date | None = None,
    city: str = "",
    progress: Progress | None = None,
) -> CheckedDrawing:
    """Check a drawing against its parcel's conditions and the rules in force.

    Args:
        parcel: number of a parcel of the detailed zoning plan; empty: the case's conditions, its parcel's, or those
            of the parcel the drawing lies on.
        on: day whose rules hold; None: the case's permit date, else today.

    Raises:
        PlannerError: ``review.parcel_unknown``, what opening refuses.
        Cancelled.
    """
    from plugins.review.model.checking.check import check as judge
    from plugins.review.model.checking.surroundings import look_around
    from plugins.review.model.checking.types import Subject, Surroundings
    from plugins.review.model.indicators.rule_sets import load_rule_sets

    progress = progress or NoProgress()
    opened = open_drawing(project, ref, SubProgress(progress, 0.0, 0.7))
    case = case_of(project, opened.record)
    day = on or permit_day(case)
    conditions, notes = _conditions_of(project, opened, case, parcel, day)
    city = city or (case.city if case is not None else "") or (conditions.city if conditions is not None else "")
    progress.update(0.75, "stage.review_measure")
    indicators = measure_opened(project, opened, case, day, city)
    check(progress)
    surroundings, site = Surroundings(), opened.site()
    if opened.to_project is not None and site is not None:
        surroundings = look_around(project, opened.to_project(site))
    approved = parcel_shape(conditions)
    if approved is not None:
        surroundings = replace(surroundings, parcel=approved)
    check(progress)
    progress.update(0.9, "stage.review_check")
    sets = load_rule_sets(project)
    answers = {one.serves: one.title for one in store.reports(project, case.id if case else "-") if one.serves}
    subject = Subject(
        opened.plan, indicators, conditions, day, city, opened.to_project, surroundings, answers, sets.city(city, day)
    )
    result = judge(subject, rules)
    progress.update(1.0)
    return CheckedDrawing(opened, conditions, indicators, result, subject, sets, case, tuple(notes))


def _conditions_of(
    project: Project, opened: OpenDrawing, case: Case | None, parcel: str, day: date
) -> tuple[Conditions | None, list[Note]]:
    """The conditions a check goes by, and what to say about where they come from."""
    if parcel:
        from plugins.review.model.conditions.from_layer import find_parcel

        found = find_parcel(project, parcel, day)
        if found is None and case is not None and case.conditions is not None:
            found = case.conditions if case.conditions.parcel.casefold() == parcel.casefold() else None
        if found is None:
            raise PlannerError("review.parcel_unknown", parcel=parcel)
        return found, []
    known, notes = conditions_for(project, case, "", day)
    if known is not None:
        return known, notes
    below = parcel_below(project, opened, day)
    if below is not None:
        return below, [*notes, ("review.parcel_by_place", {"parcel": below.parcel or "–"})]
    return None, [*notes, ("review.no_conditions", {})]
