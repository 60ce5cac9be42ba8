"""The tables operation is kept in, and how a record becomes a row and a row a record.

They are registered layers, so that capture, undo, history, QGIS Desktop and synchronisation see them. A table is found
by its role, whatever it is called; a record's id is its row's uuid. Nested values are JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import Any, Generic, TypeVar

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, FieldType, Geometry, LayerInfo
from planner_app.plugin_api.model import Batch
from plugins.tunnel.model.field_names import field_of
from plugins.tunnel.model.operation.records import (
    Conflict,
    Defect,
    DefectStatus,
    Examination,
    FieldRow,
    GasTest,
    Inspection,
    Observation,
    OrderStatus,
    Passed,
    Permit,
    Plan,
    Step,
    WorkOrder,
)

R = TypeVar("R")

#: Column types by the annotation of a record's field; every other annotation is JSON text.
_TYPES: dict[str, FieldType] = {
    "str": "text", "int": "integer", "float": "real", "float | None": "real",
    "DefectStatus": "text", "OrderStatus": "text",
}  # fmt: skip


def _texts(data: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in data)


def _many(kind: type[Any]) -> Callable[[Any], tuple[Any, ...]]:
    return lambda data: tuple(_nested(kind, one) for one in data)


def _nested(kind: type[Any], data: Mapping[str, Any]) -> Any:
    """A nested record; keys that a newer version wrote are left out, lists become tuples."""
    known = {one.name for one in fields(kind)}
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k in known})


#: How JSON text is read, by the annotation.
_READ: dict[str, Callable[[Any], Any]] = {
    "tuple[str, ...]": _texts,
    "tuple[Step, ...]": _many(Step),
    "tuple[GasTest, ...]": _many(GasTest),
    "tuple[Passed, ...]": _many(Passed),
    "Permit | None": lambda data: _nested(Permit, data),
    "DefectStatus": DefectStatus,
    "OrderStatus": OrderStatus,
}


def _plain(value: Any) -> Any:
    """A nested value as JSON takes it."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return value


@dataclass(frozen=True, slots=True)
class Table(Generic[R]):
    """One kind of record.

    Attributes:
        name: its table's id and, behind ``tunnel.``, its layer's role; title, title_zh: what people read.
        prefix: of its numbers (``QX-0001``), empty for tables without.
        hidden: nobody sees it as a table.
    """

    name: str
    record: type[R]
    title: str
    title_zh: str
    prefix: str = ""
    geometry: Geometry = "none"
    hidden: bool = True

    @property
    def role(self) -> str:
        """The layer's role."""
        return f"tunnel.{self.name}"

    @property
    def kinds(self) -> dict[str, str]:
        """Annotation of every column."""
        return {one.name: str(one.type) for one in fields(self.record) if one.name not in ("id", "wkb")}  # type: ignore[arg-type]

    def fields(self) -> tuple[FieldInfo, ...]:
        """Columns, in the record's order."""
        return tuple(field_of(self.name, name, _TYPES.get(kind, "text")) for name, kind in self.kinds.items())

    def cells(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values of a record's fields as columns take them.

        Raises:
            PlannerError: ``tunnel.field_unknown``.
        """
        kinds, found = self.kinds, {}
        for name, value in values.items():
            if name not in kinds:
                raise PlannerError("tunnel.field_unknown", field=name, table=self.name, known=", ".join(kinds))
            if kinds[name] not in _TYPES:
                # Numbers JSON has no name for would make the row unreadable for others.
                value = None if value is None else json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)
            found[name] = value.value if isinstance(value, StrEnum) else value
        return found

    def row(self, record: R) -> dict[str, Any]:
        """Every column of a record."""
        return self.cells({name: getattr(record, name) for name in self.kinds})

    def plain(self, record: R) -> dict[str, Any]:
        """Every column of a record as JSON values: nested ones as they are, not as text."""
        found = {name: _plain(getattr(record, name)) for name in self.kinds}
        return {name: value.value if isinstance(value, StrEnum) else value for name, value in found.items()}

    def from_plain(self, identity: str, values: Mapping[str, Any]) -> R:
        """The inverse of :meth:`plain`; columns nobody knows are left out."""
        kinds = self.kinds
        cells = {
            name: value if kinds[name] in _TYPES or value is None else json.dumps(value, allow_nan=False)
            for name, value in values.items()
            if name in kinds
        }
        return self.decode(identity, cells)

    def column_type(self, name: str) -> FieldType | None:
        """A column's type, None for nested values."""
        return _TYPES.get(self.kinds[name])

    def batch(self, records: Iterable[R]) -> Batch:
        """Rows to insert."""
        every: list[Any] = list(records)
        rows = [self.row(record) for record in every]
        columns = {name: [row[name] for row in rows] for name in self.kinds}
        wkb = [record.wkb for record in every] if self.geometry != "none" else []
        return Batch(wkb, columns, [record.id for record in every])

    def decode(self, identity: str, cells: Mapping[str, Any], wkb: bytes | None = None) -> R:
        """A record from its row; NULL cells take the field's default.

        Raises:
            PlannerError: ``tunnel.record_broken`` where another program left something unreadable.
        """
        kinds = self.kinds
        values: dict[str, Any] = {"id": identity}
        try:
            for name, value in cells.items():
                if value is None:
                    continue
                read = _READ.get(kinds[name])
                values[name] = value if read is None else read(value if kinds[name] in _TYPES else json.loads(value))
            if self.geometry != "none":
                values["wkb"] = wkb
            return self.record(**values)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PlannerError("tunnel.record_broken", table=self.name, id=identity, detail=str(error)) from error


PLANS: Table[Plan] = Table("inspection_plan", Plan, "Inspection plans", "巡检计划", "XJ-")
INSPECTIONS: Table[Inspection] = Table("inspection", Inspection, "Inspection rounds", "巡检记录", "XC-")
OBSERVATIONS: Table[Observation] = Table("observation", Observation, "Observations", "巡检所见")
DEFECTS: Table[Defect] = Table("defect", Defect, "Defects", "缺陷", "QX-", "point", hidden=False)
EXAMINATIONS: Table[Examination] = Table("defect_examination", Examination, "Examinations of defects", "缺陷复查")
ORDERS: Table[WorkOrder] = Table("work_order", WorkOrder, "Work orders", "工单", "GD-", "point", hidden=False)
CONFLICTS: Table[Conflict] = Table("field_conflict", Conflict, "Conflicts with the field", "外业冲突")
FIELD_ROWS: Table[FieldRow] = Table("field_row", FieldRow, "Rows from the field", "外业记录")
TABLES: tuple[Table[Any], ...] = (
    PLANS,
    INSPECTIONS,
    OBSERVATIONS,
    ORDERS,
    DEFECTS,
    EXAMINATIONS,
    CONFLICTS,
    FIELD_ROWS,
)

for _table in TABLES:  # a record must be readable from a row whose cells QGIS Desktop emptied
    assert all(
        one.default is not MISSING or one.default_factory is not MISSING or one.name == "id"
        for one in fields(_table.record)
    )


def layer_of(layers: Iterable[LayerInfo], role: str) -> LayerInfo | None:
    """The layer of a role, if there is one."""
    return next((layer for layer in layers if layer.role == role), None)
