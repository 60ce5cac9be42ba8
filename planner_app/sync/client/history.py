"""Bringing back what a record, a place or a layer was after a revision, as a new command that can be undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from planner_app.domain.changeset import ChangeSet
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo
from planner_app.project import Batch, Command, Project, Transaction
from planner_app.sync import cells
from planner_app.sync.client import standing
from planner_app.sync.client.definitions import columns as shared_columns
from planner_app.sync.client.definitions import known_layers
from planner_app.sync.client.merging import same
from planner_app.sync.transport import Transport
from planner_app.sync.types import RemoteRow, Scope

_Then = Mapping[str, tuple[dict[str, Any], bytes | None]]


@dataclass(frozen=True)
class RestoreRevision(Command):
    """Write records as they were after a revision.

    Attributes:
        cells: column → (rows here, values); geometry: by row; made: records that are gone here; drop: rows that were
            not there then.
    """

    name: ClassVar[str] = "restore_revision"
    layer_id: str
    revision: int
    cells: Mapping[str, tuple[Sequence[int], Sequence[Any]]] = field(default_factory=dict)
    geometry: Mapping[int, bytes | None] = field(default_factory=dict)
    made: Batch | None = None
    drop: Sequence[int] = ()

    def params(self) -> dict[str, Any]:
        touched = {*self.geometry, *self.drop, *(fid for fids, _ in self.cells.values() for fid in fids)}
        count = len(touched) + (len(self.made) if self.made else 0)
        return {"layer": self.layer_id, "revision": self.revision, "count": count}

    def apply(self, tx: Transaction) -> None:
        tx.delete(self.layer_id, self.drop)
        for column, (fids, values) in self.cells.items():
            tx.update(self.layer_id, fids, {column: values})
        if self.geometry:
            tx.update_geometry(self.layer_id, self.geometry)
        if self.made is not None:
            tx.insert(self.layer_id, self.made)


def restore(
    project: Project,
    transport: Transport,
    layer: str,
    revision: int,
    *,
    uuids: list[str] | None = None,
    scope: Scope | None = None,
) -> ChangeSet:
    """Write the records of a layer as they were after a revision: those named, those in the area then or now, or all.

    Records that did not exist then are deleted.

    Args:
        layer: the layer's id here.

    Raises:
        PlannerError: ``layer.unknown``, ``layer.locked``, ``layer.no_right``, ``sync.revision_unknown``,
            ``sync.no_history`` for one that the server does not have.
    """
    info = project.layer(layer)
    with project.door.read() as connection:
        key, _, _ = standing.place(connection)
        known = known_layers(connection).get(info.uuid)
    if known is None:
        raise PlannerError("sync.no_history", layer=info.name)
    if not 1 <= revision <= transport.head(key).revision:
        raise PlannerError("sync.revision_unknown", revision=revision)
    box = scope.box if scope is not None else None
    found = {row.uuid: row for row in transport.as_of(key, info.uuid, revision, Scope(box=box))}
    here = _here(project, info, box)
    if uuids is not None:
        wanted = set(uuids)
        here = {uuid: fid for uuid, fid in _here(project, info, None).items() if uuid in wanted}
        found = {uuid: row for uuid, row in found.items() if uuid in wanted}
    elif box is not None:
        elsewhere = here.keys() - found.keys()  # in the area now, perhaps in another place then
        if elsewhere:
            everywhere = transport.as_of(key, info.uuid, revision, Scope())
            found |= {row.uuid: row for row in everywhere if row.uuid in elsewhere}
        here |= {uuid: fid for uuid, fid in _here(project, info, None).items() if uuid in found}
    names = {there.name: (name, there.type) for name, there in shared_columns(known.definition, info.fields).items()}
    return project.execute(_command(project, info, revision, {u: _decoded(r, names) for u, r in found.items()}, here))


def _here(project: Project, info: LayerInfo, box: tuple[float, float, float, float] | None) -> dict[str, int]:
    table = project.read(info.id, columns=["uuid"], bbox=box, geometry=False)
    return dict(zip(table.columns["uuid"], table.fids.tolist(), strict=True))


def _decoded(row: RemoteRow, names: Mapping[str, tuple[str, Any]]) -> tuple[dict[str, Any], bytes | None]:
    values = {names[n][0]: cells.decode(text, names[n][1]) for n, text in row.cells.items() if n in names}
    return values, row.geometry


def _command(project: Project, info: LayerInfo, revision: int, then: _Then, here: Mapping[str, int]) -> RestoreRevision:
    table = project.read(info.id, columns=["uuid", *(one.name for one in info.fields)], fids=sorted(here.values()))
    changed: dict[str, tuple[list[int], list[Any]]] = {}
    shapes: dict[int, bytes | None] = {}
    for at, (fid, uuid) in enumerate(zip(table.fids.tolist(), table.columns["uuid"], strict=True)):
        if uuid not in then:
            continue
        values, shape = then[uuid]
        for name, value in values.items():
            if not same(value, table.columns[name][at]):
                fids, cells_ = changed.setdefault(name, ([], []))
                fids.append(fid)
                cells_.append(value)
        if info.geometry != "none" and shape != table.geometry[at]:
            shapes[fid] = shape
    gone = {uuid: row for uuid, row in then.items() if uuid not in here}
    made = None
    if gone:
        columns = {f.name: [values.get(f.name) for values, _ in gone.values()] for f in info.fields}
        wkb = [shape for _, shape in gone.values()] if info.geometry != "none" else ()
        made = Batch(wkb, columns, list(gone))
    drop = [fid for uuid, fid in here.items() if uuid not in then]
    return RestoreRevision(info.id, revision, changed, shapes, made, drop)
