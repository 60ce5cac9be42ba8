"""What a command may do to the file. Everything it writes is one transaction and one entry of the log."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo, NewLayer, PlanInfo
from planner_app.project import capture, reading, registry, spatial
from planner_app.project.features import Batch, FeatureTable
from planner_app.project.geometry import prepare
from planner_app.project.identity import is_uuid, new_uuids
from planner_app.project.rights import PERSONAL, Rights
from planner_app.project.sql import columns as column_list
from planner_app.project.sql import marks, quote
from planner_app.project.values import to_sql


class Transaction:
    """Handed to :meth:`Command.apply`; valid only there.

    All methods raise ``layer.unknown`` for a layer that does not exist, ``layer.locked`` for edits of features of a
    locked one and ``layer.no_right`` (see ``rights``) for what the project's server would refuse; values and geometries
    are checked before anything is written (see ``values`` and ``geometry``).
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rights = Rights(connection)
        self._layers: dict[str, registry.LayerRow] | None = None

    # ---------------------------------------------------------------- reading

    def layers(self) -> list[LayerInfo]:
        """All layers as this transaction sees them."""
        return [row.info for row in self._rows().values()]

    def layer(self, layer_id: str) -> LayerInfo:
        """A layer by id."""
        return self._row(layer_id).info

    def plans(self) -> list[PlanInfo]:
        """All plans as this transaction sees them."""
        return registry.read_plans(self._connection)

    def read(self, layer_id: str, **selection: Any) -> FeatureTable:
        """Like :meth:`Project.read`, with this transaction's own changes."""
        return reading.read(self._connection, self.layer(layer_id), **selection)

    def style(self, layer_id: str) -> str:
        """QML of a layer."""
        return registry.read_style(self._connection, layer_id)

    # ---------------------------------------------------------------- features

    def insert(self, layer_id: str, batch: Batch) -> list[int]:
        """Insert features; returns their fids in order."""
        row = self._editable(layer_id)
        table, count = row.info.id, len(batch)
        names, vectors = column_vectors(row.info, batch)
        names, vectors = ["uuid", *names], [self._uuids(table, batch), *vectors]
        if row.info.geometry != "none":
            wkb = batch.wkb if len(batch.wkb) else [None] * count
            made = prepare(wkb, row.info.geometry, row.info.srid, has_z=row.has_z, multi=row.multi)
            names.append("geom")
            vectors.append(made.blobs)
        self._rights.check_rows(row.info, None, blobs=vectors[-1] if row.info.geometry != "none" else ())
        statement = f"INSERT INTO {quote(table)} ({column_list(names)}) VALUES ({marks(len(names))})"
        fids = []
        for values in zip(*vectors, strict=True):
            fids.append(int(self._connection.execute(statement, values).lastrowid or 0))
        return fids

    def update(self, layer_id: str, fids: Sequence[int], columns: Mapping[str, Sequence[Any]]) -> None:
        """Set attribute cells: for each column one value per fid.

        Raises:
            PlannerError: ``feature.unknown`` if a fid does not exist.
        """
        row = self._editable(layer_id)
        if not columns or not len(fids):
            return
        names, vectors = column_vectors(row.info, Batch((), columns), len(fids))
        self._rights.check_rows(row.info, names, fids)
        assignments = ", ".join(f"{quote(name)} = ?" for name in names)
        self._each(row.info, f"UPDATE {quote(row.info.id)} SET {assignments} WHERE fid = ?", [*vectors, fids])

    def update_geometry(self, layer_id: str, geometries: Mapping[int, bytes | None]) -> None:
        """Replace the geometries of features, by fid."""
        row = self._editable(layer_id)
        if row.info.geometry == "none":
            raise PlannerError("layer.no_geometry", layer=row.info.name)
        fids = list(geometries)
        made = prepare(list(geometries.values()), row.info.geometry, row.info.srid, has_z=row.has_z, multi=row.multi)
        self._rights.check_rows(row.info, ["geom"], fids, made.blobs)
        self._each(row.info, f"UPDATE {quote(row.info.id)} SET geom = ? WHERE fid = ?", [made.blobs, fids])

    def delete(self, layer_id: str, fids: Sequence[int]) -> None:
        """Delete features."""
        row = self._editable(layer_id)
        self._rights.check_rows(row.info, None, fids)
        self._each(row.info, f"DELETE FROM {quote(row.info.id)} WHERE fid = ?", [fids])

    def _each(self, layer: LayerInfo, statement: str, vectors: Sequence[Sequence[Any]]) -> None:
        """Run a statement per feature; the last vector holds the fids."""
        keys = [int(fid) for fid in vectors[-1]]
        if self._known(layer, keys) != len(set(keys)):
            missing = next(fid for fid in keys if not self._known(layer, [fid]))
            raise PlannerError("feature.unknown", layer=layer.name, fid=missing)
        self._connection.executemany(statement, zip(*vectors[:-1], keys, strict=True))

    def _known(self, layer: LayerInfo, fids: Sequence[int]) -> int:
        row = self._connection.execute(
            f"SELECT count(*) FROM {quote(layer.id)} WHERE fid IN {reading.FID_LIST}", (reading.fid_text(fids),)
        ).fetchone()
        return int(row[0])

    def _uuids(self, table: str, batch: Batch) -> list[str]:
        if batch.uuids is None:
            return new_uuids(len(batch))
        for uuid in batch.uuids:
            if not is_uuid(uuid):
                raise PlannerError("feature.uuid_wrong", uuid=uuid)
            if self._connection.execute(f"SELECT 1 FROM {quote(table)} WHERE uuid = ?", (uuid,)).fetchone():
                raise PlannerError("feature.uuid_taken", uuid=uuid)
        if len(set(batch.uuids)) != len(batch.uuids):
            raise PlannerError("feature.uuid_taken", uuid="")
        return list(batch.uuids)

    # ---------------------------------------------------------------- registry

    def set_layer(self, layer_id: str, **values: Any) -> None:
        """Change registry fields of a layer (name, plan_id, visible, opacity, …); other names go to its extra values.

        Raises:
            PlannerError: ``layer.value_wrong``.
        """
        row = self._row(layer_id)
        if values.keys() - PERSONAL:
            self._rights.check_registry(row.info)
        if "position" in values:
            self.move_layer(layer_id, int(values.pop("position")))
        known = registry.check_layer_values({k: v for k, v in values.items() if k in registry.SETTABLE})
        extra = {k: str(v) for k, v in values.items() if k not in registry.SETTABLE}
        if extra:
            known["extra"] = registry.extra_text(row.extra | extra)
        if known:
            self._connection.execute(
                f"UPDATE planner_layer SET {', '.join(f'{quote(k)} = ?' for k in known)} WHERE id = ?",
                (*known.values(), layer_id),
            )
        self._layers = None

    def move_layer(self, layer_id: str, position: int) -> None:
        """Move a layer to a place in the drawing order (0 on top)."""
        order = list(self._rows())
        self._row(layer_id)
        order.remove(layer_id)
        order.insert(max(0, min(position, len(order))), layer_id)
        for position, layer_id in enumerate(order):
            self._connection.execute(
                "UPDATE planner_layer SET position = ? WHERE id = ? AND position <> ?", (position, layer_id, position)
            )
        self._layers = None

    def set_style(self, layer_id: str, qml: str) -> None:
        """Set a layer's default style."""
        layer = self.layer(layer_id)
        self._rights.check_registry(layer)
        registry.write_style(self._connection, layer, qml)

    def set_plan(self, plan: PlanInfo) -> None:
        """Register a plan, or change the one of that id."""
        self._rights.check_plans(plan.name)
        registry.write_plan(self._connection, plan)

    def create_layer(self, new: NewLayer, *, table: str = "") -> LayerInfo:
        """Add an empty layer on top of the others; an undo puts its table into the trash, a redo brings it back.

        Layers with many features are made by :meth:`Project.add_layer`.

        Args:
            table: the id wished for; a number is added where it was used before. Empty: from the layer's name.

        Raises:
            PlannerError: ``field.reserved``, ``field.twice``, ``field.empty``.
        """
        from planner_app.project import bulk

        self._rights.check_adding(new.name)
        srid = self._connection.execute("SELECT value FROM planner_meta WHERE key = 'srid'").fetchone()[0]
        layer_id = bulk.create(self._connection, new, int(srid), table)
        self._layers = None
        return self.layer(layer_id)

    def drop_layer(self, layer_id: str) -> None:
        """Take a layer out of the project. Its table stays in the trash for an undo."""
        self._rights.check_registry(self._row(layer_id).info)
        spatial.unregister(self._connection, layer_id)
        self._connection.execute("DELETE FROM planner_layer WHERE id = ?", (layer_id,))
        self._layers = None

    def add_field(self, layer_id: str, field: FieldInfo) -> None:
        """Add an attribute to a layer.

        Raises:
            PlannerError: ``field.reserved``, ``field.twice``, ``field.empty``.
        """
        layer = self._editable(layer_id).info
        self._rights.check_registry(layer)
        spatial.check_fields((*layer.fields, field))
        row = registry.add_column_row(self._connection, layer_id, field, live=False)
        self._connection.execute("UPDATE planner_column SET live = 1 WHERE fid = ?", (row,))
        add_column(self._connection, layer_id, field)
        self._layers = None

    @property
    def connection(self) -> sqlite3.Connection:
        """For the sync's own commands: what is written through it is checked by nobody."""
        return self._connection

    # ---------------------------------------------------------------- inside

    def _rows(self) -> dict[str, registry.LayerRow]:
        if self._layers is None:
            self._layers = {row.info.id: row for row in registry.read_layers(self._connection)}
        return self._layers

    def _row(self, layer_id: str) -> registry.LayerRow:
        rows = self._rows()
        if layer_id not in rows:
            raise PlannerError("layer.unknown", layer=layer_id, known=", ".join(r.info.name for r in rows.values()))
        return rows[layer_id]

    def _editable(self, layer_id: str) -> registry.LayerRow:
        row = self._row(layer_id)
        if row.info.locked:
            raise PlannerError("layer.locked", layer=row.info.name)
        return row


def add_column(connection: sqlite3.Connection, table: str, field: FieldInfo) -> None:
    """Add a registered column to its table and let the triggers see it."""
    connection.execute(f"ALTER TABLE {quote(table)} ADD COLUMN {quote(field.name)} {spatial.SQL_TYPES[field.type]}")
    capture.start(connection, table)


def drop_column(connection: sqlite3.Connection, table: str, name: str) -> None:
    """Drop a column whose registry row is no longer live (its triggers would stop it otherwise)."""
    capture.stop(connection, table)
    connection.execute(f"ALTER TABLE {quote(table)} DROP COLUMN {quote(name)}")
    capture.start(connection, table)


def check_lengths(layer: LayerInfo, batch: Batch, rows: int) -> None:
    """Refuse a batch whose parts differ in length.

    Raises:
        PlannerError: ``batch.length``.
    """
    parts: dict[str, Sequence[Any]] = dict(batch.columns)
    if len(batch.wkb):
        parts["geom"] = batch.wkb
    if batch.uuids is not None:
        parts["uuid"] = batch.uuids
    for name, values in parts.items():
        if len(values) != rows:
            raise PlannerError("batch.length", layer=layer.name, field=name, rows=rows, found=len(values))


def column_vectors(
    layer: LayerInfo, batch: Batch, count: int | None = None, first_row: int = 0
) -> tuple[list[str], list[Sequence[Any]]]:
    """Exact names and SQLite-ready values of a batch's columns.

    Raises:
        PlannerError: ``field.unknown``, ``field.value_wrong``, ``batch.length`` if columns differ in length.
    """
    check_lengths(layer, batch, len(batch) if count is None else count)
    names = reading.field_names(layer, list(batch.columns))
    vectors: list[Sequence[Any]] = []
    for name, values in zip(names, batch.columns.values(), strict=True):
        field = layer.field(name)
        if field is None:  # uuid: an identity is not a cell
            raise PlannerError("field.reserved", field=name)
        vectors.append(to_sql(field, values, layer.name, first_row))
    return names, vectors
