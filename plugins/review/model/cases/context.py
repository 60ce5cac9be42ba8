"""What a drawing is measured and judged by: the case's conditions, its parcel, its permit's date."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project
from plugins.review.model.cases.opened import OpenDrawing, layer_names
from plugins.review.model.cases.records import Case
from plugins.review.model.drawing.types import Drawing, Note
from plugins.review.model.indicators.types import KEYS
from plugins.review.model.reading.types import SitePlan

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from plugins.review.model.conditions.types import Conditions
    from plugins.review.model.indicators.types import Indicators


def conditions_for(
    project: Project, case: Case | None, parcel: str, on: date | None = None
) -> tuple[Conditions | None, list[Note]]:
    """Conditions known before the drawing is read: the case's own, else those of its parcel.

    Args:
        parcel: number of a parcel, "" for the case's; on: day whose detailed plan goes first (the permit's).
    """
    if case is not None and case.conditions is not None:
        return case.conditions, []
    number = parcel or (case.parcel if case is not None else "")
    if not number:
        return None, []
    from plugins.review.model.conditions.from_layer import find_parcel

    found = find_parcel(project, number, on or permit_day(case))
    return found, [] if found is not None else [("review.parcel_not_found", {"parcel": number})]


def parcel_shape(conditions: Conditions | None) -> BaseGeometry | None:
    """The parcel's polygon in the project's CRS, if it is known."""
    if conditions is None or not conditions.wkb:
        return None
    import shapely

    return shapely.from_wkb(conditions.wkb)


def parcel_below(project: Project, opened: OpenDrawing, on: date | None = None) -> Conditions | None:
    """Conditions of the parcel a placed drawing's site covers most of."""
    site = opened.site()
    if opened.to_project is None or site is None:
        return None
    from plugins.review.model.conditions.from_layer import parcel_at

    return parcel_at(project, opened.to_project(site), on)


def measure_opened(
    project: Project, opened: OpenDrawing, case: Case | None, on: date | None = None, city: str = ""
) -> Indicators:
    """Measure a drawing by the floor-area rules of its permit's date and its city, the project's own among them."""
    from plugins.review.model.indicators.measure import measure
    from plugins.review.model.indicators.rule_sets import load_rule_sets

    city = city or (case.city if case is not None else "")
    return measure(opened.plan, opened.drawing, on=on or permit_day(case), city=city, rule_sets=load_rule_sets(project))


def permit_day(case: Case | None) -> date:
    """The day whose rules hold for a case: its permit's, else today.

    Raises:
        PlannerError: ``review.date_wrong``.
    """
    text = case.permit_date if case is not None else ""
    try:
        return date.fromisoformat(text) if text else date.today()
    except ValueError as error:
        raise PlannerError("review.date_wrong", value=text) from error


def summary(drawing: Drawing, plan: SitePlan, indicators: Indicators) -> dict[str, Any]:
    """What lists show of a reading without opening the drawing again."""
    return {
        "entities": len(drawing.entities),
        "convention": plan.convention,
        "layers": layer_names(plan),
        "unread": dict(plan.unread),
        "repairs": len(plan.repairs),
        "metres_per_unit": plan.units.metres_per_unit,
        "indicators": {key: indicators.value(key) for key in KEYS},
        "declared": dict(plan.declared),
    }
