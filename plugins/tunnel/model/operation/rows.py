"""Records as rows within a command's transaction, and reading them from a project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo, NewLayer
from planner_app.domain.style import LayerStyle, StyleClass, to_qml
from planner_app.i18n import language
from planner_app.plugin_api.model import Command, Project, Transaction
from plugins.tunnel.model.operation import tables
from plugins.tunnel.model.operation.tables import TABLES, Table
from plugins.tunnel.model.tables import plan_of

R = TypeVar("R")

#: Colours of defects by grade, on the map and in lists: grey-blue, amber, orange, red.
GRADE_COLOURS = {1: "#5B7FA6", 2: "#C9A400", 3: "#E07B00", 4: "#C0322B"}


def new_id() -> str:
    """An id for a new record."""
    return str(uuid4())


def now() -> str:
    """This moment as records keep it: ISO 8601, UTC, to the second."""
    return moment(datetime.now(UTC))


def moment(when: datetime) -> str:
    """A moment as records keep it; one without a zone is the desk's own time."""
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def day_of(text: str) -> date | None:
    """The day at this desk of a moment or a date; None for what is neither."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when.date() if when.tzinfo is None else when.astimezone().date()


def equals(column: str, value: str) -> str:
    """The condition ``column = value``; anything may stand in the value."""
    escaped = value.replace("'", "''").replace("\x00", "")
    return f"\"{column}\" = '{escaped}'"


def read(project: Project | Transaction, table: Table[R], where: str = "") -> list[R]:
    """Records of a table in the order they were made; none where the table is not there yet."""
    layer = tables.layer_of(project.layers(), table.role)
    if layer is None:
        return []
    names = [one.name for one in table.fields() if layer.field(one.name) is not None]
    found = project.read(layer.id, columns=["uuid", *names], where=where, geometry=table.geometry != "none")
    rows = zip(*(found.columns[name] for name in names), strict=True)
    shapes = found.geometry if table.geometry != "none" else [None] * len(found)
    return [
        table.decode(identity, dict(zip(names, row, strict=True)), wkb)
        for identity, wkb, row in zip(found.columns["uuid"], shapes, rows, strict=True)
    ]


def fids_of(project: Project, table: Table[Any]) -> dict[str, int]:
    """Fid by id: what the map's selection speaks of."""
    layer = tables.layer_of(project.layers(), table.role)
    if layer is None:
        return {}
    found = project.read(layer.id, columns=["uuid"], geometry=False)
    return dict(zip(found.columns["uuid"], (int(fid) for fid in found.fids), strict=True))


def one(project: Project | Transaction, table: Table[R], ref: str) -> R:
    """A record by its number, with or without prefix and zeros, or by its id.

    Raises:
        PlannerError: ``tunnel.record_unknown`` naming the known ones.
    """
    text = ref.strip()
    wanted = {text.casefold()}
    if text.isascii() and text.isdigit() and table.prefix:
        wanted.add(f"{table.prefix}{int(text):04d}".casefold())
    every: list[Any] = read(project, table)
    for record in every:
        if record.id == text.casefold() or (getattr(record, "number", "") or "–").casefold() in wanted:
            found: R = record
            return found
    known = [getattr(record, "number", record.id) for record in every][-20:]
    raise PlannerError(
        "tunnel.record_unknown", id=ref, table=table.title, table_zh=table.title_zh, known=", ".join(known) or "–"
    )  # fmt: skip


# ---------------------------------------------------------------- in a transaction


@dataclass(frozen=True)
class PrepareOperation(Command):
    """Make the tables of operation where they are missing."""

    name: ClassVar[str] = "tunnel_operation_prepare"

    def apply(self, tx: Transaction) -> None:
        for table in TABLES:
            layer_for(tx, table)


def prepare(project: Project) -> None:
    """Make the tables if this project has none yet: a step of its own, so that later ones can be undone alone."""
    roles = {layer.role for layer in project.layers()}
    if not roles.issuperset(table.role for table in TABLES):
        project.execute(PrepareOperation())


def layer_for(tx: Transaction, table: Table[Any]) -> LayerInfo:
    """The table's layer; made, or given columns that came with a newer version, where needed."""
    layer = tables.layer_of(tx.layers(), table.role)
    if layer is None:
        return tx.create_layer(replace(new_layer(table), plan=plan_of(tx)), table=table.name)
    missing = [one for one in table.fields() if layer.field(one.name) is None]
    for info in missing:
        tx.add_field(layer.id, info)
    return tx.layer(layer.id) if missing else layer


def new_layer(table: Table[Any]) -> NewLayer:
    """The layer as it is made."""
    title = table.title_zh if language() == "zh_CN" else table.title
    label = "number" if table.prefix else ""
    return NewLayer(title, table.geometry, table.fields(), role=table.role, label_field=label, qml=_style(table))


def _style(table: Table[Any]) -> str:
    """QML of what stands on the map: defects by grade, work orders as squares of one colour."""
    if table.geometry == "none":
        return ""
    if table is tables.DEFECTS:
        classes = [
            StyleClass(value=str(grade), label=str(grade), fill=colour, stroke="#FFFFFF", size=2.8, stroke_width=0.3)
            for grade, colour in GRADE_COLOURS.items()
        ]
        style = LayerStyle("categorised", "grade", classes, label_field="number", label_min_scale=5_000.0)
    else:
        # Mostly where a defect is: larger and below it, without a label that would cover the defect's.
        mark = StyleClass(fill="#1F5FAE", stroke="#FFFFFF", size=4.2, stroke_width=0.3, marker="square")
        style = LayerStyle(classes=(mark,))
    return to_qml(style, table.geometry)


def insert(tx: Transaction, table: Table[R], records: Iterable[R]) -> list[R]:
    """Write new records; those without a number get the next one. Returns them as written."""
    layer, written = layer_for(tx, table), list(records)
    if table.prefix and written:
        last = _last_number(tx, table, layer)
        for at, record in enumerate(written):
            if not getattr(record, "number", ""):
                last += 1
                written[at] = replace(record, number=f"{table.prefix}{last:04d}")  # type: ignore[type-var]
    batch = table.batch(written)
    if len(batch):
        tx.insert(layer.id, batch)
    return written


def _last_number(tx: Transaction, table: Table[Any], layer: LayerInfo) -> int:
    numbers = tx.read(layer.id, columns=["number"], geometry=False).columns["number"]
    tails = [re.fullmatch(re.escape(table.prefix) + r"(\d{1,9})", str(text)) for text in numbers]
    return max((int(found[1]) for found in tails if found), default=0)


def find(tx: Transaction, table: Table[R], identity: str) -> tuple[LayerInfo, int, R]:
    """(layer, fid, record) of a row.

    Raises:
        PlannerError: ``tunnel.record_gone``.
    """
    layer = layer_for(tx, table)
    names = list(table.kinds)
    found = tx.read(layer.id, columns=names, where=equals("uuid", identity), geometry=table.geometry != "none")
    if not len(found):
        raise PlannerError("tunnel.record_gone", table=table.title, table_zh=table.title_zh, id=identity)
    cells = {name: values[0] for name, values in found.columns.items()}
    wkb = found.geometry[0] if table.geometry != "none" else None
    return layer, int(found.fids[0]), table.decode(identity, cells, wkb)


def change(tx: Transaction, table: Table[R], identity: str, values: Mapping[str, Any]) -> R:
    """Set fields of a record (``wkb`` too); returns it as it is now."""
    layer, fid, record = find(tx, table, identity)
    plain = {name: value for name, value in values.items() if name != "wkb"}
    tx.update(layer.id, [fid], {name: [cell] for name, cell in table.cells(plain).items()})
    if "wkb" in values and table.geometry != "none":
        tx.update_geometry(layer.id, {fid: values["wkb"]})
    changed: R = replace(record, **dict(values))  # type: ignore[type-var]
    return changed
