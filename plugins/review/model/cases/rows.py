"""Records as rows within a command's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo, NewLayer
from planner_app.i18n import language
from planner_app.plugin_api.model import Command, Project, Transaction
from plugins.review.model.cases import elements, tables
from plugins.review.model.cases.store import equals
from plugins.review.model.cases.tables import TABLES, Table

R = TypeVar("R")


@dataclass(frozen=True)
class PrepareReview(Command):
    """Make the tables of a review where they are missing."""

    name: ClassVar[str] = "review_prepare"

    def apply(self, tx: Transaction) -> None:
        if tables.layer_of(tx.layers(), elements.ROLE) is None:
            elements.make_layer(tx)
        for table in TABLES:
            layer_for(tx, table)


def prepare(project: Project) -> None:
    """Make the tables if this project has none yet: a step of its own, so that later ones can be undone alone."""
    roles = {layer.role for layer in project.layers()}
    if not roles.issuperset({elements.ROLE, *(table.role for table in TABLES)}):
        project.execute(PrepareReview())


def layer_for(tx: Transaction, table: Table[Any]) -> LayerInfo:
    """The table's layer; made, or given columns that came with a newer version, where needed."""
    layer = tables.layer_of(tx.layers(), table.role)
    if layer is None:
        title = table.title_zh if language() == "zh_CN" else table.title
        new = NewLayer(
            title, table.geometry, table.fields(), role=table.role, label_field=table.label,
            qml=elements.table_style(table),
        )  # fmt: skip
        return tx.create_layer(new, table=table.name)
    missing = [one for one in table.fields() if layer.field(one.name) is None]
    for one in missing:
        tx.add_field(layer.id, one)
    return tx.layer(layer.id) if missing else layer


def insert(tx: Transaction, table: Table[R], records: Iterable[R]) -> None:
    """Write new records."""
    batch = table.batch(records)
    if len(batch):
        tx.insert(layer_for(tx, table).id, batch)


def find(tx: Transaction, table: Table[R], identity: str) -> tuple[LayerInfo, int, R]:
    """(layer, fid, record) of a row.

    Raises:
        PlannerError: ``review.record_gone``.
    """
    layer = layer_for(tx, table)
    names = [one.name for one in table.fields()]
    found = tx.read(layer.id, columns=names, where=equals("uuid", identity))
    if not len(found):
        raise PlannerError("review.record_gone", table=table.name, id=identity)
    cells = {name: values[0] for name, values in found.columns.items()}
    return layer, int(found.fids[0]), table.decode(identity, cells, found.geometry[0])


def change(tx: Transaction, table: Table[R], identity: str, values: Mapping[str, Any]) -> R:
    """Set fields of a record (``wkb`` too); returns it as it is now."""
    layer, fid, record = find(tx, table, identity)
    plain = {name: value for name, value in values.items() if name != "wkb"}
    tx.update(layer.id, [fid], {name: [cell] for name, cell in table.cells(plain).items()})
    changed: R = replace(record, **dict(values))  # type: ignore[type-var]
    if table.area is not None:
        before, after = table.area(record), table.area(changed)
        if before != after:
            tx.update_geometry(layer.id, {fid: after})
    return changed


def remove(tx: Transaction, table: Table[R], where: str) -> None:
    """Delete the records a condition selects."""
    layer = layer_for(tx, table)
    fids = tx.read(layer.id, columns=[], where=where, geometry=False).fids.tolist()
    tx.delete(layer.id, fids)


def next_number(tx: Transaction, table: Table[Any], prefix: str) -> str:
    """The next number with a prefix: GA-0001 …"""
    layer = layer_for(tx, table)
    numbers = tx.read(layer.id, columns=["number"], geometry=False).columns["number"]
    tails = [str(one).removeprefix(prefix) for one in numbers]
    return f"{prefix}{max((int(tail) for tail in tails if tail.isdigit()), default=0) + 1:04d}"
