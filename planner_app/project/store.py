"""The project file as the rest of the program sees it."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import replace as replace_fields
from pathlib import Path
from typing import Any, TypeVar

from planner_app.domain.changeset import ChangeSet, RowChange, TableTouch
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo, NewLayer, PlanInfo
from planner_app.domain.progress import NoProgress, Progress
from planner_app.project import (
    attachments,
    bulk,
    changelog,
    effects,
    lifecycle,
    reading,
    registry,
    spatial,
    undo,
    verify,
)
from planner_app.project.attachments import Attachment
from planner_app.project.changelog import LogEntry
from planner_app.project.commands import Command
from planner_app.project.connection import Door, patiently
from planner_app.project.features import Batch, FeatureTable
from planner_app.project.journal import Entry, changes_after, ends, fields_adopted, now, schema_version
from planner_app.project.readings import Readings
from planner_app.project.rights import Rights
from planner_app.project.sql import quote
from planner_app.project.transaction import Transaction
from planner_app.project.undo import Reversal

T = TypeVar("T")
Observer = Callable[[ChangeSet, object], None]


@dataclass(slots=True)
class _Seen:
    """What is kept of the file until someone commits: registry, counts, orders of attribute tables."""

    version: int
    layers: list[LayerInfo]
    plans: list[PlanInfo]
    counts: dict[str, int] = field(default_factory=dict)
    orders: dict[tuple[Any, ...], list[int]] = field(default_factory=dict)


class Project:
    """An open project file. Reading is thread-safe; writing takes turns.

    Attributes:
        path: the file; name: the project's name; crs: ``EPSG:n`` (or WKT of a local system); srid: its number here.
        user: who is working; origin: ``desktop`` or ``cli``.
        readings: what the sensors measured.
    """

    def __init__(self, door: Door, *, user: str, origin: str) -> None:
        """Use :meth:`create` or :meth:`open`."""
        self._door = door
        self.path = door.path
        self.user, self.origin = user, origin
        self.session = uuid.uuid4().hex
        self._observers: list[Observer] = []
        self._cache: _Seen | None = None
        self._cache_lock = threading.Lock()
        self._joining: tuple[str, int, float] | None = None
        with door.read() as connection:
            meta = dict(connection.execute("SELECT key, value FROM planner_meta").fetchall())
            self._polled_seq, self._polled_txn = ends(connection)
            self._polled_schema = schema_version(connection)
            self._polled_fields = fields_adopted(connection)
        self._polled_version = door.data_version()
        self._fields_changed = False
        self.name: str = meta["name"]
        self.crs: str = meta["crs"]
        self.srid = int(meta["srid"])
        self.readings = Readings(door)

    @staticmethod
    def create(path: str | os.PathLike[str], crs: str, name: str | None = None) -> Project:
        """Make a new, empty project file and open it.

        Args:
            crs: ``EPSG:n``, or WKT or PROJ text of a local system.

        Raises:
            PlannerError: ``project.exists``, ``project.crs_unknown``, ``project.no_spatialite``,
                ``project.cannot_write``.
        """
        target = Path(path)
        lifecycle.create(target, crs, name or target.stem)
        return Project.open(target)

    @staticmethod
    def open(path: str | os.PathLike[str], *, user: str = "", origin: str = "cli", alone: bool = False) -> Project:
        """Open a project file; an older one is copied and then migrated.

        Args:
            alone: nobody else knows the file yet (see :class:`Door`).

        Raises:
            PlannerError: ``project.missing``, ``project.not_a_project``, ``project.newer``, ``project.no_spatialite``.
        """
        door = lifecycle.open_door(Path(path), alone=alone)
        try:
            return Project(door, user=user or lifecycle.user_name(), origin=origin)
        except BaseException:
            door.close()
            raise

    def close(self) -> None:
        """Close the file; it is whole in one file again unless another program still has it open."""
        self._door.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # ---------------------------------------------------------------- registry

    def layers(self) -> list[LayerInfo]:
        """All layers in drawing order, position 0 on top."""
        return list(self._seen().layers)

    def layer(self, ref: str) -> LayerInfo:
        """A layer by id or name.

        Raises:
            PlannerError: ``layer.unknown`` naming the known ones, ``layer.ambiguous`` if two have that name.
        """
        layers = self._seen().layers
        for layer in layers:
            if layer.id == ref:
                return layer
        named = [layer for layer in layers if layer.name == ref]
        if len(named) > 1:
            raise PlannerError("layer.ambiguous", layer=ref, ids=", ".join(layer.id for layer in named))
        if not named:
            raise PlannerError("layer.unknown", layer=ref, known=", ".join(layer.name for layer in layers))
        return named[0]

    def plans(self) -> list[PlanInfo]:
        """All plans in the order they were made."""
        return list(self._seen().plans)

    def count(self, layer_id: str) -> int:
        """Number of features of a layer."""
        seen, table = self._seen(), self._table(layer_id)
        if table not in seen.counts:
            seen.counts[table] = self._with(
                lambda c: int(c.execute(f"SELECT count(*) FROM {quote(table)}").fetchone()[0])
            )
        return seen.counts[table]

    def extent(self, layer_id: str | None = None) -> reading.Box | None:
        """Bounding box (xmin, ymin, xmax, ymax) of a layer or of all, exact; None where there is no geometry."""
        wanted = self.layers() if layer_id is None else [self.layer(layer_id)]
        boxes = self._with(lambda c: [spatial.extent(c, one.id) for one in wanted if one.geometry != "none"])
        found = [box for box in boxes if box is not None]
        if not found:
            return None
        west, south, east, north = zip(*found, strict=True)
        return (min(west), min(south), max(east), max(north))

    def style(self, layer_id: str) -> str:
        """QML of a layer's default style, empty if it has none."""
        table = self._table(layer_id)
        return self._with(lambda c: registry.read_style(c, table))

    def extra(self, layer_id: str) -> dict[str, str]:
        """Registry values of a layer beyond those of LayerInfo (what plugins keep with their layers)."""
        table = self._table(layer_id)
        rows = self._with(registry.read_layers)
        return next(dict(row.extra) for row in rows if row.info.id == table)

    def setting(self, key: str, default: str = "") -> str:
        """A value kept in the file: city parameters, edited crosswalks, matrices (JSON or TOML text)."""
        row = self._with(lambda c: c.execute("SELECT value FROM planner_setting WHERE key = ?", (key,)).fetchone())
        return default if row is None else str(row[0])

    def set_setting(self, key: str, value: str) -> None:
        """Keep a value in the file. Not a command: not in the log, not undoable."""
        with self._door.write() as connection:
            connection.execute(
                "INSERT INTO planner_setting VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, value),
            )

    # ---------------------------------------------------------------- reading

    def read(
        self,
        layer_id: str,
        *,
        columns: Sequence[str] | None = None,
        bbox: reading.Box | None = None,
        fids: Sequence[int] | None = None,
        where: str = "",
        geometry: bool = True,
        limit: int | None = None,
    ) -> FeatureTable:
        """Features of a layer in fid order (see :func:`reading.read`)."""
        layer = self.layer(layer_id)
        return self._with(
            lambda c: reading.read(
                c, layer, columns=columns, bbox=bbox, fids=fids, where=where, geometry=geometry, limit=limit
            )
        )

    def fid_list(
        self,
        layer_id: str,
        *,
        order_by: str = "",
        descending: bool = False,
        filter_text: str = "",
        where: str = "",
    ) -> list[int]:
        """Fids behind the attribute table in its order; its length is the table's. Kept until someone writes."""
        layer, seen = self.layer(layer_id), self._seen()
        key = (layer.id, order_by, descending, filter_text, where)
        if key not in seen.orders:
            if len(seen.orders) > 8:
                seen.orders.clear()
            seen.orders[key] = self._with(
                lambda c: reading.fid_list(
                    c, layer, order_by=order_by, descending=descending, filter_text=filter_text, where=where
                )
            )
        return seen.orders[key]

    def rows(
        self,
        layer_id: str,
        *,
        offset: int,
        limit: int,
        order_by: str = "",
        descending: bool = False,
        filter_text: str = "",
        where: str = "",
    ) -> list[tuple[Any, ...]]:
        """A page of the attribute table: (fid, every field in the layer's order)."""
        layer = self.layer(layer_id)
        order = self.fid_list(layer.id, order_by=order_by, descending=descending, filter_text=filter_text, where=where)
        return self._with(lambda c: reading.rows_by_fid(c, layer, order[offset : offset + limit]))

    def pick(self, x: float, y: float, tolerance: float, layer_ids: Sequence[str]) -> list[tuple[str, int]]:
        """(layer id, fid) of what lies within ``tolerance`` project units of a point; the top layer first."""
        wanted = {self._table(ref) for ref in layer_ids}
        layers = [layer for layer in self.layers() if layer.id in wanted]
        return self._with(lambda c: reading.pick(c, layers, x, y, tolerance))

    # ---------------------------------------------------------------- writing

    def execute(self, command: Command, initiator: object = None) -> ChangeSet:
        """Apply a command as one transaction and tell the observers.

        Raises:
            PlannerError: whatever the command refuses; nothing is written then.
        """
        params = self._named(command.params())
        joins = f"{command.name} {command.joins()}" if command.joins() else ""
        origin = changelog.AUTOMATIC if command.automatic else ""
        with self._entry(command.name, params, joins, command.join_seconds, origin) as (connection, txn):
            command.apply(Transaction(connection))
        return self._notify(txn.changes, initiator)

    def add_layer(
        self,
        new: NewLayer,
        batches: Iterable[Batch],
        progress: Progress | None = None,
        *,
        command: str = "add_layer",
        params: dict[str, Any] | None = None,
        replace: str = "",
        finish: Callable[[NewLayer], NewLayer] | None = None,
        initiator: object = None,
    ) -> LayerInfo:
        """Make a layer and fill it. Other programs can write meanwhile; nothing is seen of it until it is whole.

        Args:
            batches: features in the project's CRS; read lazily, checked, written in short transactions.
            command, params: how the log names it.
            replace: id or name of a layer that goes to the trash; the new one takes its place.
            finish: called when all features are in, to fill in what only they tell (style, class standard).

        Raises:
            PlannerError: ``field.*``, ``geometry.*`` for what cannot be stored, ``layer.no_right``. Cancelled: nothing
                is left.
        """
        replaced = self._table(replace) if replace else ""
        self._check_adding(new, replaced)
        filled = bulk.fill(self._door, new, self.srid, batches, progress or NoProgress())
        shown = {"layer": new.name, "count": filled.rows} | (params or {})
        try:
            new = finish(new) if finish is not None else new
            with self._entry(command, shown) as (connection, txn):
                bulk.register(connection, new, filled, self.srid, replace_id=replaced)
                txn.rows = filled.rows
        except BaseException:
            bulk.discard(self._door, filled.name)
            raise
        touch = TableTouch(filled.name, inserted=filled.rows)
        self._notify(replace_fields(txn.changes, touches=(*txn.changes.touches, touch)), initiator)
        return self.layer(filled.name)

    def _check_adding(self, new: NewLayer, replaced: str) -> None:
        """Refuse a layer that the project's server would not take, before it is filled."""
        with self._door.read() as connection:
            allowed = Rights(connection)
        allowed.check_adding(new.name)
        if new.plan is not None and new.plan not in self.plans():
            allowed.check_plans(new.plan.name)
        if replaced:
            allowed.check_registry(self.layer(replaced))

    def can_undo(self) -> str | None:
        """Name of the command that :meth:`undo` would take back."""
        return self._next(redo=False)

    def can_redo(self) -> str | None:
        """Name of the command that :meth:`redo` would do again."""
        return self._next(redo=True)

    def undo(self, initiator: object = None) -> ChangeSet | None:
        """Take back the newest command of this session (desktop) or of any (command line); None if there is none.

        Raises:
            PlannerError: ``project.undo_conflict`` if later edits stand on it.
        """
        return self._step(initiator, redo=False)

    def redo(self, initiator: object = None) -> ChangeSet | None:
        """Do again what was undone last, unless a new command followed."""
        return self._step(initiator, redo=True)

    def undo_entry(self, entry_id: int, initiator: object = None) -> ChangeSet:
        """Take back any entry of the log, those of other programs included; of an undo: do it again.

        Raises:
            PlannerError: ``project.entry_unknown``, ``project.already_undone``, ``project.undo_conflict``,
                ``project.undo_gone``.
        """
        self._adopt()
        entry_id, root = self._with(lambda c: undo.target(c, entry_id))
        return self._take_back(entry_id, root, initiator)

    # ---------------------------------------------------------------- attachments

    def attach(self, source: Path | bytes, *, name: str, media_type: str = "", progress: Progress | None = None) -> str:
        """Keep a file in the project; the same content is kept once. Not a command: not in the log, not undoable.

        Returns:
            Its SHA-256, by which records name it.

        Raises:
            PlannerError: ``attachment.unreadable``, ``project.read_only``. Cancelled: nothing is left.
        """
        return attachments.attach(self._door, source, name, media_type, progress or NoProgress())

    def attachment(self, sha256: str) -> Attachment:
        """Name, type and size of an attachment.

        Raises:
            PlannerError: ``attachment.missing``.
        """
        return attachments.get(self._door, sha256)[1]

    def attachments(self) -> list[Attachment]:
        """All attachments in the order they were added."""
        return attachments.every(self._door)

    def read_attachment(self, sha256: str) -> bytes:
        """An attachment's content, checked against its hash.

        Raises:
            PlannerError: ``attachment.missing``, ``attachment.damaged``.
        """
        return b"".join(attachments.content(self._door, sha256))

    def write_attachment(self, sha256: str, dest: Path) -> Path:
        """Write an attachment to a file, or into a folder under its own name; whole or not at all.

        Raises:
            PlannerError: ``attachment.missing``, ``attachment.damaged``, ``attachment.not_written``.
        """
        return attachments.write_out(self._door, sha256, dest)

    # ---------------------------------------------------------------- log

    def log(self, limit: int | None = 100) -> list[LogEntry]:
        """Entries, newest first; what other programs wrote is grouped by table and by pauses over two seconds."""
        self._adopt()
        return self._with(lambda c: changelog.entries(c, limit))

    def rows_of(self, entry_id: int) -> list[RowChange]:
        """What an entry did, row by row (geometry as WKB under ``geom``).

        Raises:
            PlannerError: ``project.entry_unknown``.
        """
        self._adopt()

        def rows(connection: sqlite3.Connection) -> list[RowChange]:
            span = changelog.span_of(connection, entry_id)
            if span is None:
                raise PlannerError("project.entry_unknown", entry=entry_id)
            return effects.row_changes(connection, span)

        return self._with(rows)

    # ---------------------------------------------------------------- others

    def subscribe(self, callback: Observer) -> Callable[[], None]:
        """Be told of every change of this session: ``callback(changes, initiator)`` on the thread that made it.

        Returns:
            A function that ends the subscription.
        """
        self._observers.append(callback)
        return lambda: self._observers.remove(callback) if callback in self._observers else None

    def poll(self) -> list[ChangeSet]:
        """What other programs and sessions committed since the last look; cheap if nothing."""
        version = self._door.data_version()
        if version == self._polled_version and not self._fields_changed:
            return []
        self._polled_version = version
        self.look_at_tables()
        self._adopt()
        news = self._with(self._news)
        if self._fields_changed:
            self._fields_changed = False
            news.append(ChangeSet(0, "foreign_edit", registry=True))
        return news

    def look_at_tables(self) -> None:
        """Take over fields that other programs added, dropped or renamed since the last look; the next poll tells."""
        version = self._with(schema_version)
        if version != self._polled_schema and not self._door.read_only:
            self._polled_schema = version
            lifecycle.repair_capture(self._door)  # another session may have done that already
            known, self._polled_fields = self._polled_fields, self._with(fields_adopted)
            self._fields_changed |= known != self._polled_fields

    def save_copy(self, dest: str | os.PathLike[str], progress: Progress | None = None) -> None:
        """Write a whole, self-contained copy (DELETE journal mode) through the backup API.

        Raises:
            PlannerError: ``project.copy_onto_itself``, ``project.cannot_write``. Cancelled: nothing is left.
        """
        lifecycle.save_copy(self._door, Path(dest), progress or NoProgress())

    def verify(self, progress: Progress | None = None) -> list[verify.CheckResult]:
        """Check the whole file: SQLite, spatial indexes, registry, identities, log (see ``verify``)."""
        return verify.verify(self._door, progress or NoProgress())

    # ---------------------------------------------------------------- the sync's way in

    @property
    def door(self) -> Door:
        """The file's connections."""
        return self._door

    @contextmanager
    def transaction(self, *, relaxed: bool = False) -> Iterator[sqlite3.Connection]:
        """A write transaction before which the edits of others have become entries (see :meth:`Door.write`)."""
        with self._door.write(relaxed=relaxed) as connection:
            changelog.adopt(connection)
            yield connection

    @contextmanager
    def logged(
        self, connection: sqlite3.Connection, command: str, params: dict[str, Any], *, joins: str = "", origin: str = ""
    ) -> Iterator[Entry]:
        """An entry of the log within the running transaction: what is written in the body belongs to it.

        Args:
            joins: key of a command of view state that continues the entry before it.
            origin: of the entry, if not the project's own.
        """
        before = connection.execute("SELECT coalesce(max(seq), 0) FROM planner_log").fetchone()[0]
        entry = Entry(self._joined(connection, joins), command, params)
        text = json.dumps(params, ensure_ascii=False, default=str)
        if entry.id:
            entry.joined = True
            connection.execute("UPDATE planner_txn SET params = ? WHERE id = ?", (text, entry.id))
        else:
            cursor = connection.execute(
                "INSERT INTO planner_txn (time, user, origin, session, command, params) VALUES (?, ?, ?, ?, ?, ?)",
                (now(), self.user, origin or self.origin, self.session, command, text),
            )
            entry.id = int(cursor.lastrowid or 0)
        connection.execute("UPDATE planner_state SET txn = ?", (entry.id,))
        yield entry
        connection.execute("UPDATE planner_state SET txn = NULL")
        last = connection.execute("SELECT coalesce(max(seq), 0) FROM planner_log").fetchone()[0]
        if last == before and not entry.joined:
            entry.changes = ChangeSet(entry.id if entry.kept else 0, command, params)
            if not entry.kept:
                connection.execute("DELETE FROM planner_txn WHERE id = ?", (entry.id,))
            return
        entry.written = True
        connection.execute(
            "UPDATE planner_txn SET first_seq = CASE WHEN first_seq = 0 THEN ? ELSE first_seq END, last_seq = ? "
            "WHERE id = ?",
            (before + 1, last, entry.id),
        )
        connection.execute(
            "UPDATE planner_txn SET rows = coalesce(?, (SELECT count(*) FROM (SELECT DISTINCT tbl, fid "
            "FROM planner_log WHERE seq BETWEEN first_seq AND last_seq AND txn = ?))) WHERE id = ?",
            (entry.rows, entry.id, entry.id),
        )
        entry.changes = changes_after(connection, entry.id, command, params, before, "txn IS NOT NULL")

    def tell(self, changes: ChangeSet, initiator: object = None) -> None:
        """Tell the observers of what an entry did, once it is committed."""
        self._notify(changes, initiator)

    # ---------------------------------------------------------------- inside

    def _with(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._door.read() as connection:
            return patiently(lambda: work(connection), self.path)

    def _seen(self) -> _Seen:
        version = self._door.data_version()
        with self._cache_lock:
            if self._cache is not None and self._cache.version == version:
                return self._cache
        layers = [row.info for row in self._with(registry.read_layers)]
        seen = _Seen(version, layers, self._with(registry.read_plans))
        with self._cache_lock:
            self._cache = seen
        return seen

    def _table(self, ref: str) -> str:
        return self.layer(ref).id

    def _named(self, params: dict[str, Any]) -> dict[str, Any]:
        """Params with the layer's name for people, its id beside it."""
        ref = params.get("layer")
        named = next((one for one in self._seen().layers if one.id == ref), None)
        return params | {"layer": named.name, "layer_id": named.id} if named else params

    @contextmanager
    def _entry(
        self, command: str, params: dict[str, Any], joins: str = "", join_seconds: float = 0.0, origin: str = ""
    ) -> Iterator[tuple[sqlite3.Connection, Entry]]:
        with (
            self.transaction() as connection,
            self.logged(connection, command, params, joins=joins, origin=origin) as entry,
        ):
            yield connection, entry
        if entry.written:
            self._joining = (joins, entry.id, time.monotonic() + join_seconds) if joins else None

    def _joined(self, connection: sqlite3.Connection, joins: str) -> int:
        """The entry that a command of view state continues, or 0."""
        if not joins or self._joining is None:
            return 0
        key, entry_id, until = self._joining
        newest = connection.execute("SELECT id, undone_by FROM planner_txn ORDER BY id DESC LIMIT 1").fetchone()
        fresh = time.monotonic() < until
        return entry_id if key == joins and fresh and newest == (entry_id, None) else 0

    def _next(self, *, redo: bool) -> str | None:
        found = self._with(lambda c: undo.undoable(c, self._stack(), redo=redo))
        return found[1] if found else None

    def _stack(self) -> str:
        """Whose commands undo takes back: this session's on the desktop, everyone's on the command line."""
        return self.session if self.origin == "desktop" else ""

    def _step(self, initiator: object, *, redo: bool) -> ChangeSet | None:
        self._adopt()
        with self._door.read() as connection:
            found = patiently(lambda: undo.undoable(connection, self._stack(), redo=redo), self.path)
            if found is None:
                return None
            entry_id = found[0]
            if redo:
                (entry_id,) = connection.execute(
                    "SELECT undone_by FROM planner_txn WHERE id = ?", (found[0],)
                ).fetchone()
        return self._take_back(entry_id, found[0], initiator)

    def _take_back(self, entry_id: int, root: int, initiator: object) -> ChangeSet:
        """Revert an entry; ``root`` is the command it is about (an undo's own root when redoing)."""
        with self._door.read() as reader:
            command, params = reader.execute("SELECT command, params FROM planner_txn WHERE id = ?", (root,)).fetchone()
        name = "undo" if entry_id == root else "redo"
        about = {"entry": root, "command": command, "params": json.loads(params)}
        reversal = self._with(lambda c: self._reversal(c, entry_id))
        with self._entry(name, about) as (connection, txn):
            if undo.end_of_log(connection) != reversal.seq:  # someone wrote since
                reversal = self._reversal(connection, entry_id)
            undo.apply(connection, reversal)
            txn.kept = True  # even if it wrote nothing: the command it takes back had no effect either
            connection.execute("UPDATE planner_txn SET undoes = ? WHERE id = ?", (root, txn.id))
            connection.execute(
                "UPDATE planner_txn SET undone_by = ? WHERE id = ?", (txn.id if name == "undo" else None, root)
            )
        return self._notify(txn.changes, initiator)

    def _reversal(self, connection: sqlite3.Connection, entry_id: int) -> Reversal:
        span = changelog.span_of(connection, entry_id)
        if span is None:
            raise PlannerError("project.entry_unknown", entry=entry_id)
        return undo.plan(connection, span)

    def _adopt(self) -> None:
        """Make entries of what other programs wrote, if anything."""
        waiting = self._with(
            lambda c: c.execute(
                "SELECT 1 FROM planner_log WHERE txn IS NULL AND seq > "
                "(SELECT coalesce(max(last_seq), 0) FROM planner_txn) LIMIT 1"
            ).fetchone()
        )
        if waiting and not self._door.read_only:
            with self.transaction():
                pass

    def _news(self, connection: sqlite3.Connection) -> list[ChangeSet]:
        """Entries of others since the last look."""
        seq, txn = self._polled_seq, self._polled_txn
        news = []
        for entry in reversed(changelog.entries(connection, where="last_seq > ? OR id > ?", values=(seq, txn))):
            if entry.session == self.session:
                continue
            span = changelog.span_of(connection, entry.id)
            if span is None or span.last == 0:
                continue
            condition = "txn IS NULL AND tbl = ?" if span.foreign else "txn = ?"
            value = span.tbl if span.foreign else span.id
            news.append(
                changes_after(
                    connection, entry.id, entry.command, entry.params, max(seq, span.first - 1),
                    f"{condition} AND seq <= ?", (value, span.last),
                )
            )  # fmt: skip
        self._polled_seq, self._polled_txn = ends(connection)
        return news

    def _notify(self, changes: ChangeSet, initiator: object) -> ChangeSet:
        if changes.id:
            for observer in list(self._observers):
                observer(changes, initiator)
        return changes
