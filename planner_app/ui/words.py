"""Domain words of choosers: kinds of plan, class standards, geometry, field types."""

from __future__ import annotations

from planner_app.domain.layer import ClassStandard, PlanKind
from planner_app.i18n import tr


def plan_kinds() -> list[tuple[PlanKind, str]]:
    """Kinds of plan with their names."""
    return [
        (PlanKind.MASTER, tr("Master plan")),
        (PlanKind.LAND_USE, tr("Land-use plan or survey")),
        (PlanKind.DETAILED, tr("Detailed plan (zoning)")),
        (PlanKind.ECOLOGICAL_RED_LINE, tr("Ecological red line")),
        (PlanKind.FARMLAND, tr("Permanent basic farmland")),
        (PlanKind.GROWTH_BOUNDARY, tr("Urban growth boundary")),
        (PlanKind.FORESTRY, tr("Forestry plan")),
        (PlanKind.WATER, tr("Water protection")),
        (PlanKind.TRANSPORT, tr("Transport plan")),
        (PlanKind.MUNICIPAL, tr("Municipal utilities")),
        (PlanKind.OTHER, tr("Other plan")),
    ]


def class_standards() -> list[tuple[ClassStandard, str]]:
    """Code lists of land classes with their names."""
    return [
        (ClassStandard.GB50137, tr("GB 50137-2011 urban land use")),
        (ClassStandard.MNR2023, tr("Land and sea use classes 2023")),
        (ClassStandard.DLTB, tr("Third land survey (DLBM)")),
        (ClassStandard.TEXT, tr("Free text")),
    ]


def geometry_name(geometry: str) -> str:
    """A kind of geometry in words."""
    return {"polygon": tr("Areas"), "line": tr("Lines"), "point": tr("Points"), "none": tr("Table only")}.get(
        geometry, geometry
    )


def field_type_name(kind: str) -> str:
    """A field type in words."""
    return {
        "integer": tr("whole number"), "real": tr("number"), "text": tr("text"), "date": tr("date"),
        "datetime": tr("date and time"), "boolean": tr("yes or no"), "blob": tr("binary"),
    }.get(kind, kind)  # fmt: skip
