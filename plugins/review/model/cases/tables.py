"""The tables a review is kept in, and how a record becomes a row and a row a record.

They are registered layers, so that capture, undo, history, QGIS Desktop and synchronisation see them. A table is found
by its role, whatever it is called; a record's id is its row's uuid. Nested values are JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Generic, TypeVar

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, FieldType, Geometry, LayerInfo
from planner_app.plugin_api.model import Batch
from plugins.review.model.cases.records import (
    Anchors,
    Case,
    CaseStatus,
    Comment,
    DrawingRecord,
    Issue,
    IssueStatus,
    Markup,
    OutsideReport,
    SignOff,
)
from plugins.review.model.conditions.types import conditions_from_json, conditions_json
from plugins.review.model.drawing.placement import placement_from_json, placement_json
from plugins.review.model.reading.types import options_from_json, options_json

R = TypeVar("R")


def anchors_json(anchors: Anchors) -> dict[str, Any]:
    """As kept with an issue."""
    return {
        "geometry": anchors.geometry,
        "handles": list(anchors.handles),
        "fingerprints": list(anchors.fingerprints),
        "page": anchors.page,
        "quad": list(anchors.quad),
        "guids": list(anchors.guids),
    }


def anchors_from_json(data: Mapping[str, Any]) -> Anchors:
    """The inverse of :func:`anchors_json`; missing keys take their defaults."""
    return Anchors(
        geometry=data.get("geometry"),
        handles=tuple(data.get("handles") or ()),
        fingerprints=tuple(data.get("fingerprints") or ()),
        page=int(data.get("page") or 0),
        quad=tuple(float(value) for value in data.get("quad") or ()),
        guids=tuple(data.get("guids") or ()),
    )


def _points_json(points: Iterable[tuple[float, float]]) -> list[list[float]]:
    return [[float(x), float(y)] for x, y in points]


def _points(data: Iterable[Any]) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in data)


#: Fields kept as JSON text: (to JSON, from JSON).
_JSON: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "conditions": (conditions_json, conditions_from_json),
    "options": (options_json, options_from_json),
    "placement": (placement_json, placement_from_json),
    "summary": (dict, dict),
    "anchors": (anchors_json, anchors_from_json),
    "points": (_points_json, _points),
    "style": (dict, dict),
}
_STATUS: dict[type, type[StrEnum]] = {Case: CaseStatus, Issue: IssueStatus}
_INTEGERS: dict[type, tuple[str, ...]] = {DrawingRecord: ("revision",), Issue: ("number",), Markup: ("page",)}
#: Fields that are no column: the row's uuid and its geometry.
_ELSEWHERE = ("id", "wkb")


def _case_area(case: Case) -> bytes | None:
    return case.conditions.wkb if case.conditions else None


def _drawing_area(record: DrawingRecord) -> bytes | None:
    return record.wkb


def _issue_point(issue: Issue) -> bytes | None:
    """Where an issue is shown: a point on its geometry."""
    if not issue.anchors.geometry:
        return None
    import shapely
    from shapely.geometry import shape

    place = shape(issue.anchors.geometry).representative_point()
    return None if place.is_empty else bytes(shapely.to_wkb(place, output_dimension=2))


@dataclass(frozen=True, slots=True)
class Table(Generic[R]):
    """One kind of record.

    Attributes:
        name: its table's name and the last part of its role; title, title_zh: what people read.
        area: the geometry a record is shown with, WKB in the project's CRS.
    """

    name: str
    record: type[R]
    title: str
    title_zh: str
    geometry: Geometry = "none"
    area: Callable[[R], bytes | None] | None = None
    label: str = ""

    @property
    def role(self) -> str:
        """The layer's role."""
        return f"review.{self.name.removeprefix('review_')}"

    def fields(self) -> tuple[FieldInfo, ...]:
        """Columns, in the record's order."""
        integers = _INTEGERS.get(self.record, ())
        made = []
        for one in fields(self.record):  # type: ignore[arg-type]
            if one.name not in _ELSEWHERE:
                kind: FieldType = "integer" if one.name in integers else "text"
                made.append(FieldInfo(one.name, kind))
        return tuple(made)

    def cells(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values of a record's fields as columns take them.

        Raises:
            PlannerError: ``review.field_unknown``.
        """
        known = {one.name for one in self.fields()}
        found = {}
        for name, value in values.items():
            if name not in known:
                raise PlannerError("review.field_unknown", field=name, table=self.name, known=", ".join(sorted(known)))
            if name in _JSON:
                # Numbers JSON has no name for would make the row unreadable for others.
                found[name] = (
                    None if value is None else json.dumps(_JSON[name][0](value), ensure_ascii=False, allow_nan=False)
                )
            else:
                found[name] = value.value if isinstance(value, StrEnum) else value
        return found

    def batch(self, records: Iterable[R]) -> Batch:
        """Rows to insert."""
        every = list(records)
        names = [one.name for one in self.fields()]
        rows = [self.cells({name: getattr(record, name) for name in names}) for record in every]
        columns = {name: [row[name] for row in rows] for name in names}
        area = self.area
        wkb = [area(record) for record in every] if area is not None else []
        return Batch(wkb, columns, [record.id for record in every])  # type: ignore[attr-defined]

    def decode(self, identity: str, cells: Mapping[str, Any], wkb: bytes | None) -> R:
        """A record from its row; NULL cells take the field's default.

        Raises:
            PlannerError: ``review.record_broken`` where another program left something unreadable.
        """
        values: dict[str, Any] = {"id": identity}
        try:
            for name, value in cells.items():
                if value is None:
                    continue
                if name in _JSON:
                    values[name] = _JSON[name][1](json.loads(value))
                elif name == "status" and self.record in _STATUS:
                    values[name] = _STATUS[self.record](value)
                else:
                    values[name] = value
            if self.record is DrawingRecord:
                values["wkb"] = wkb
            for one in fields(self.record):  # type: ignore[arg-type]
                if one.name not in values and one.name in _NEEDED.get(self.record, ()):
                    values[one.name] = 0 if one.name in _INTEGERS.get(self.record, ()) else ""
            return self.record(**values)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PlannerError("review.record_broken", table=self.name, id=identity, detail=str(error)) from error


def _needed(record: type) -> tuple[str, ...]:
    """Fields without a default: an empty text in QGIS becomes NULL and must come back as one."""
    from dataclasses import MISSING

    return tuple(
        one.name
        for one in fields(record)
        if one.default is MISSING and one.default_factory is MISSING and one.name not in (*_JSON, "id")
    )


CASES: Table[Case] = Table("review_case", Case, "Review cases", "审查案件", "polygon", _case_area, "number")
DRAWINGS: Table[DrawingRecord] = Table(
    "review_drawing", DrawingRecord, "Reviewed drawings", "审查图纸", "polygon", _drawing_area, "number"
)
ISSUES: Table[Issue] = Table("review_issue", Issue, "Review issues", "审查意见", "point", _issue_point, "number")
COMMENTS: Table[Comment] = Table("review_comment", Comment, "Replies to review issues", "审查意见回复")
MARKUPS: Table[Markup] = Table("review_markup", Markup, "Mark-up", "批注")
SIGNOFFS: Table[SignOff] = Table("review_signoff", SignOff, "Signatures", "会签")
REPORTS: Table[OutsideReport] = Table("review_report", OutsideReport, "Reports made elsewhere", "外部专项报告")
TABLES: tuple[Table[Any], ...] = (CASES, DRAWINGS, ISSUES, COMMENTS, MARKUPS, SIGNOFFS, REPORTS)
_NEEDED: dict[type, tuple[str, ...]] = {table.record: _needed(table.record) for table in TABLES}


def layer_of(layers: Iterable[LayerInfo], role: str) -> LayerInfo | None:
    """The layer of a role, if there is one."""
    return next((layer for layer in layers if layer.role == role), None)
