"""Adding a layer with many features: short batches into an unregistered table, then one short transaction.

Between batches the write lock is free, so that QGIS or a second window saves meanwhile; if the maker dies, is
cancelled or fails, nothing of it is ever seen and its table is swept.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo, NewLayer
from planner_app.domain.progress import Progress, check
from planner_app.project import capture, identity, registry, replica, rtree, spatial
from planner_app.project.connection import Door
from planner_app.project.features import Batch
from planner_app.project.geometry import Prepared, prepare
from planner_app.project.sql import columns as column_list
from planner_app.project.sql import marks, quote
from planner_app.project.transaction import check_lengths, column_vectors

if TYPE_CHECKING:
    import numpy as np

#: What one write transaction should take, in seconds, and the most it may hold.
_HOLD = 0.2
_MOST_ROWS = 20_000
_MOST_BYTES = 16_000_000
#: How long the lock stays free between batches: other writers look for it every 0.1 s at worst.
_PAUSE = 0.005


@dataclass(slots=True)
class FilledTable:
    """A table with all its rows, not yet registered."""

    name: str
    uuid: str
    rows: int
    multi: bool
    has_z: bool


@dataclass(slots=True)
class _Filling:
    """State of one import while its batches come in."""

    door: Door
    info: LayerInfo
    fids: list[int] = field(default_factory=list)
    boxes: list[np.ndarray[Any, Any]] = field(default_factory=list)
    rows: int = 0
    size: int = 1000
    multi: bool = False
    has_z: bool = False
    #: dimensions of the batches written so far, to even them out if they differ
    shapes: set[tuple[bool, bool]] = field(default_factory=set)
    forced: tuple[bool, bool] | None = None


def fill(
    door: Door,
    new: NewLayer,
    srid: int,
    batches: Iterable[Batch],
    progress: Progress,
    *,
    table: str = "",
    known_as: str = "",
    shape: tuple[bool, bool] | None = None,
) -> FilledTable:
    """Create a table and fill it.

    Args:
        table: the name wished for; a number is added where it was used before. Empty: from the layer's name.
        known_as: the layer's UUID, if it has one.
        shape: whether geometries are multi and have Z, if that is to be so whatever comes.

    Raises:
        PlannerError: what ``values`` and ``geometry`` refuse, ``field.*`` for impossible field names.
        Cancelled: the person stopped it; nothing is left.
    """
    spatial.check_fields(new.fields)
    with door.write() as connection:
        table = spatial.table_name(connection, table or new.name)
        spatial.create_table(connection, table, new.geometry, new.fields)
        connection.execute(
            "INSERT INTO planner_pending VALUES (?, ?, ?, ?)",
            (table, identity.host(), identity.this_process(), time.time()),
        )
    info = LayerInfo(
        id=table, uuid=known_as or str(uuid.uuid4()), name=new.name, geometry=new.geometry, srid=srid, fields=new.fields
    )
    filling = _Filling(door, info, multi=new.geometry in ("line", "polygon"), forced=shape)
    if shape is not None:
        filling.multi, filling.has_z = shape
    try:
        for batch in batches:
            check(progress)
            for part in _slices(batch, filling):
                _write(filling, part)
                check(progress)
        _even_out(filling)
        _index(filling)
        check(progress)
    except BaseException:
        with suppress(PlannerError, sqlite3.Error):
            discard(door, table)
        raise
    return FilledTable(table, info.uuid, filling.rows, filling.multi, filling.has_z)


def _slices(batch: Batch, filling: _Filling) -> Iterator[Batch]:
    """Parts of a batch that each fit one short transaction."""
    start, count = 0, len(batch)
    check_lengths(filling.info, batch, count)
    while start < count:
        stop, size = start, 0
        limit = min(count, start + filling.size)
        while stop < limit and (size < _MOST_BYTES or stop == start):
            if len(batch.wkb):
                size += len(batch.wkb[stop] or b"")
            stop += 1
        yield Batch(
            batch.wkb[start:stop],
            {name: values[start:stop] for name, values in batch.columns.items()},
            None if batch.uuids is None else batch.uuids[start:stop],
        )
        start = stop


def _write(filling: _Filling, batch: Batch) -> None:
    """Write one part: everything is prepared before the lock is taken."""
    info, count = filling.info, len(batch)
    names, vectors = column_vectors(info, batch, first_row=filling.rows)
    uuids = identity.new_uuids(count) if batch.uuids is None else list(batch.uuids)
    fids = range(filling.rows + 1, filling.rows + count + 1)
    names, vectors = ["fid", "uuid", *names], [fids, uuids, *vectors]
    if info.geometry != "none":
        wkb = batch.wkb if len(batch.wkb) else [None] * count
        multi, has_z = filling.forced or (None, None)
        made: Prepared = prepare(wkb, info.geometry, info.srid, multi=multi, has_z=has_z, first_row=filling.rows)
        names.append("geom")
        vectors.append(made.blobs)
        filling.boxes.append(made.boxes)
        if any(blob is not None for blob in made.blobs):
            filling.shapes.add((made.multi, made.has_z))
        if filling.forced is None:
            filling.multi |= made.multi
            filling.has_z |= made.has_z
    statement = f"INSERT INTO {quote(info.id)} ({column_list(names)}) VALUES ({marks(len(names))})"
    rows = list(zip(*vectors, strict=True))
    with filling.door.write(relaxed=True) as connection:
        held = time.perf_counter()
        connection.executemany(statement, rows)
        connection.execute("UPDATE planner_pending SET heartbeat = ? WHERE table_name = ?", (time.time(), info.id))
    took = time.perf_counter() - held
    filling.fids.extend(fids)
    filling.rows += count
    if count == filling.size or took > _HOLD:
        filling.size = int(min(_MOST_ROWS, max(100, filling.size * min(4.0, _HOLD / max(took, 1e-4)))))
    _pause(filling.door)


def _pause(door: Door) -> None:
    """Leave the lock to others for a moment."""
    if not door.alone:
        time.sleep(_PAUSE)


def _even_out(filling: _Filling) -> None:
    """Give all geometries the same type and dimension where batches differed (a point layer's first multipoint …)."""
    if len(filling.shapes) < 2:
        return
    value = "geom"
    if filling.multi:
        value = f"CastToMulti({value})"
    value = f"CastToXYZ({value})" if filling.has_z else f"CastToXY({value})"
    for first in range(1, filling.rows + 1, 2000):
        with filling.door.write(relaxed=True) as connection:
            connection.execute(
                f"UPDATE {quote(filling.info.id)} SET geom = {value} WHERE fid BETWEEN ? AND ? AND geom IS NOT NULL",
                (first, first + 1999),
            )
        _pause(filling.door)


def _index(filling: _Filling) -> None:
    """Build the R-tree from the boxes seen on the way."""
    import numpy as np

    if filling.info.geometry == "none":
        return
    boxes = np.concatenate(filling.boxes) if filling.boxes else np.empty((0, 4))
    present = np.isfinite(boxes).all(axis=1)
    with filling.door.write(relaxed=True) as connection:
        rtree.create(connection, filling.info.id)
        rtree.fill(connection, filling.info.id, np.array(filling.fids, dtype=np.int64)[present], boxes[present])


def create(connection: sqlite3.Connection, new: NewLayer, srid: int, table: str = "") -> str:
    """Make an empty layer within the running transaction. Returns its table's name.

    Args:
        table: the name wished for; a number is added where it was used before. Empty: from the layer's name. A layer
            with a name wished for is the same layer in every copy of the project.

    Raises:
        PlannerError: ``field.*`` for impossible field names.
    """
    spatial.check_fields(new.fields)
    name = spatial.table_name(connection, table or new.name)
    spatial.create_table(connection, name, new.geometry, new.fields)
    if new.geometry != "none":
        rtree.create(connection, name)
    multi = new.geometry in ("line", "polygon")
    known_as = replica.layer_uuid(connection, name) if table else str(uuid.uuid4())
    register(connection, new, FilledTable(name, known_as, 0, multi, new.has_z), srid)
    return name


def register(
    connection: sqlite3.Connection, new: NewLayer, filled: FilledTable, srid: int, *, replace_id: str = ""
) -> None:
    """Make a filled table a layer on top of the others; runs inside the entry's transaction.

    Args:
        replace_id: a layer that goes to the trash; the new one takes its place in the drawing order.
    """
    if new.plan is not None:
        registry.write_plan(connection, new.plan)
    position = connection.execute("SELECT coalesce(min(position), 1) - 1 FROM planner_layer").fetchone()[0]
    if replace_id:
        position = connection.execute("SELECT position FROM planner_layer WHERE id = ?", (replace_id,)).fetchone()[0]
        spatial.unregister(connection, replace_id)
        connection.execute("DELETE FROM planner_layer WHERE id = ?", (replace_id,))
    values = {
        "id": filled.name, "uuid": filled.uuid, "name": new.name, "geometry": new.geometry, "srid": srid,
        "plan_id": new.plan.id if new.plan else "", "role": new.role, "class_field": new.class_field,
        "class_standard": new.class_standard, "label_field": new.label_field, "position": position,
        "visible": int(new.visible), "opacity": new.opacity, "source": new.source, "source_crs": new.source_crs,
        "extra": registry.extra_text(new.extra), "has_z": int(filled.has_z), "multi": int(filled.multi),
    }  # fmt: skip
    connection.execute(
        f"INSERT INTO planner_layer ({column_list(values)}) VALUES ({marks(len(values))})", tuple(values.values())
    )
    _register_columns(connection, filled.name, new)
    capture.start(connection, filled.name)
    spatial.register(connection, filled.name, new.geometry, srid, multi=filled.multi, has_z=filled.has_z)
    if new.qml:
        info = LayerInfo(id=filled.name, uuid=filled.uuid, name=new.name, geometry=new.geometry, srid=srid)
        registry.write_style(connection, info, new.qml)
    connection.execute("DELETE FROM planner_pending WHERE table_name = ?", (filled.name,))


def _register_columns(connection: sqlite3.Connection, table: str, new: NewLayer) -> None:
    registry.add_column_row(connection, table, FieldInfo("uuid", "text"), live=True, kind="uuid")
    if new.geometry != "none":
        registry.add_column_row(connection, table, FieldInfo("geom", "blob"), live=True, kind="geom")
    for column in new.fields:
        registry.add_column_row(connection, table, column, live=True)


def discard(door: Door, table: str) -> None:
    """Remove an unregistered table and all that belongs to it, a bit at a time if it is large."""
    while True:
        with door.write() as connection:
            if not connection.execute("SELECT 1 FROM planner_pending WHERE table_name = ?", (table,)).fetchone():
                return
            exists = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
            if exists:
                gone = connection.execute(
                    f"DELETE FROM {quote(table)} WHERE fid IN (SELECT fid FROM {quote(table)} LIMIT 20000)"
                ).rowcount
                if gone == 20000:
                    continue
            connection.execute(f"DROP TABLE IF EXISTS {quote(f'idx_{table}_geom')}")
            connection.execute(f"DROP TABLE IF EXISTS {quote(table)}")
            connection.execute("DELETE FROM planner_pending WHERE table_name = ?", (table,))
            return


def discard_all(connection: sqlite3.Connection) -> None:
    """Remove every unfinished import from a copy, where nobody will finish it."""
    for (table,) in connection.execute("SELECT table_name FROM planner_pending").fetchall():
        connection.execute(f"DROP TABLE IF EXISTS {quote(f'idx_{table}_geom')}")
        connection.execute(f"DROP TABLE IF EXISTS {quote(table)}")
    connection.execute("DELETE FROM planner_pending")


def sweep(door: Door) -> list[str]:
    """Remove tables of imports whose maker is gone. Returns their names."""
    with door.read() as reader:
        pending = reader.execute("SELECT table_name, host, process, heartbeat FROM planner_pending").fetchall()
    swept = []
    for table, host, process, heartbeat in pending:
        if identity.is_orphan(host, process, heartbeat):
            discard(door, table)
            swept.append(table)
    return swept
