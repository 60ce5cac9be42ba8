"""Writing what the server has into a layer: batch by batch, each a short transaction and an entry of the log.

Records edited here are merged; whatever the server has of them is written by the entry of the sync, so that it is the
base from then on, and what stays of the edits is written again on top by an entry of its own. So the log alone always
tells what the server lacks, wherever this stops.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from planner_app.domain.changeset import ChangeSet
from planner_app.domain.layer import FieldInfo
from planner_app.domain.progress import Progress, check
from planner_app.project import Project, capture, replica
from planner_app.project.geometry import prepare
from planner_app.project.reading import FID_LIST, fid_text
from planner_app.project.registry import LayerRow
from planner_app.project.sql import columns as column_list
from planner_app.project.sql import quote
from planner_app.sync import cells
from planner_app.sync.client import outbox
from planner_app.sync.client.merging import Clash, bundles_of, merge, same
from planner_app.sync.client.outbox import Edited, Record
from planner_app.sync.client.writing import Writes, lenient, write
from planner_app.sync.transport import Pull
from planner_app.sync.types import GEOMETRY, RemoteRow, Scope

#: What one write transaction should take, in seconds; rows to begin with and at most.
_HOLD: Final = 0.25
_FIRST_BATCH: Final = 2000
_MOST_BATCH: Final = 10_000
_PAUSE: Final = 0.004


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record as the server has it, ready to be written: cells by column here, the geometry as a blob."""

    uuid: str
    revision: int
    gone: bool
    whole: bool
    cells: dict[str, Any]


class LayerWriter:
    """Takes over records of one layer.

    Args:
        layer: as it is here; columns: those shared with the server (name here → field there).
        since: log row to begin after when looking for edits.
        echo: what the file sent itself comes back among other changes.
    """

    def __init__(
        self,
        project: Project,
        layer: LayerRow,
        columns: Mapping[str, FieldInfo],
        since: int,
        progress: Progress,
        *,
        echo: bool = True,
    ) -> None:
        self._project, self._layer, self._progress = project, layer, progress
        self.uuid, self.table = layer.info.uuid, layer.info.id
        self._here = {there.name: (name, there.type) for name, there in columns.items()}
        self._bundles = bundles_of(columns)
        self._since, self._seq, self._echo = since, -1, echo
        self._edited: dict[int, Edited] = {}
        self._records: dict[str, Record] = {}
        self._new: set[int | None] = set()
        self._carried: set[int] = set()
        self._size = _FIRST_BATCH
        self._again: list[str] = []
        self._gone: dict[str, int] = {}
        self._told: list[ChangeSet] = []
        self.taken = 0

    # ---------------------------------------------------------------- whole streams

    def changes(self, pull: Pull, scope: Scope) -> None:
        """Take over what changed."""
        self._stream(pull.changes(self.uuid, scope), whole=False)
        self._finish(pull, scope)

    def everything(self, pull: Pull, scope: Scope) -> None:
        """Compare all records: after the layer was restored, or made on both sides."""
        seen: set[str] = set()
        self._stream(_noting(pull.rows(self.uuid, scope), seen), whole=True)
        self._drop_unseen(seen)
        self._finish(pull, scope)

    def keys(self, pull: Pull, scope: Scope) -> None:
        """Compare which records there are: after rights or the area changed."""
        seen = set(pull.keys(self.uuid, scope))
        self._drop_unseen(seen)
        self._again += seen - self._uuids()
        self._finish(pull, scope)

    def _finish(self, pull: Pull, scope: Scope) -> None:
        while self._again:
            wanted, self._again = self._again, []
            for start in range(0, len(wanted), _MOST_BATCH):
                self._stream(pull.rows(self.uuid, scope, wanted[start : start + _MOST_BATCH]), whole=True)
        if self._gone:
            # Edited here, but only out of the area: the server still has it. It is merged as it is there, and stays.
            there = list(pull.rows(self.uuid, Scope(), list(self._gone)))
            self._stream(there, whole=True)
            elsewhere = {row.uuid for row in there}
            self._keep({uuid: revision for uuid, revision in self._gone.items() if uuid not in elsewhere})

    def _stream(self, rows: Iterable[RemoteRow], *, whole: bool) -> None:
        source = iter(rows)
        while batch := list(islice(source, self._size)):
            check(self._progress)
            self._batch(self._decoded(batch, whole))

    def _drop_unseen(self, seen: set[str]) -> None:
        gone = [Incoming(uuid, 0, True, True, {}) for uuid in self._uuids() - seen]
        for start in range(0, len(gone), _FIRST_BATCH):
            self._batch(gone[start : start + _FIRST_BATCH])

    def _uuids(self) -> set[str]:
        with self._project.door.read() as connection:
            return {row[0] for row in connection.execute(f"SELECT uuid FROM {quote(self.table)}")}

    def _decoded(self, rows: Sequence[RemoteRow], whole: bool) -> list[Incoming]:
        shapes = [row.geometry for row in rows if row.geometry is not None]
        info = self._layer.info
        blobs = iter(
            prepare(shapes, info.geometry, info.srid, has_z=self._layer.has_z, multi=self._layer.multi).blobs
            if shapes
            else ()
        )
        found = []
        for row in rows:
            complete = whole or row.changed is None
            values: dict[str, Any] = dict.fromkeys(name for name, _ in self._here.values()) if complete else {}
            for name, text in row.cells.items():
                if name in self._here:
                    column, kind = self._here[name]
                    values[column] = cells.decode(text, kind)
            blob = next(blobs) if row.geometry is not None else None
            if info.geometry != "none" and (complete or (row.changed and GEOMETRY in row.changed)):
                values[GEOMETRY] = blob
            found.append(Incoming(row.uuid, row.revision, row.gone, complete, values))
        return found

    # ---------------------------------------------------------------- one batch

    def _batch(self, rows: Sequence[Incoming]) -> None:
        """Merge and write records in one transaction; adapts the batch to the time that it took."""
        with self._project.transaction(relaxed=True) as connection, lenient(connection):
            held = time.perf_counter()
            self._catch_up(connection)
            writes = self._decide(connection, rows)
            self._write(connection, writes)
            took = time.perf_counter() - held
        self._tell()
        if took > _HOLD or len(rows) == self._size:
            self._size = int(min(_MOST_BATCH, max(50, self._size * min(4.0, _HOLD / max(took, 1e-4)))))
        time.sleep(_PAUSE)

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        """Know the edits of this very moment: people go on working meanwhile."""
        end = outbox.end_of_log(connection)
        if self._seq < 0:
            start = max(outbox.acked(connection), self._since)
            self._edited = outbox.carried(connection, capture.number_of(connection, self.table))
            self._carried = set(self._edited)
            seen = outbox.advance(connection, self.table, self._edited, start) | self._carried
        elif end != self._seq:
            seen = outbox.advance(connection, self.table, self._edited, self._seq)
        else:
            return
        self._seq = end
        looked_at = {fid: self._edited[fid] for fid in seen if fid in self._edited}
        if moved := outbox.moved(connection, self.table, looked_at):
            self._part(connection, moved)
            seen |= outbox.advance(connection, self.table, self._edited, self._seq)
            self._seq = outbox.end_of_log(connection)
        outbox.refresh(connection, self.table, self._edited, seen, self._records)
        self._new = {record.fid for record in self._records.values() if not record.known}

    def _part(self, connection: sqlite3.Connection, moved: Sequence[int]) -> None:
        """Another program gave rows other identities: the record that a row was and the one it is get a row each."""
        slots = capture.slots(connection, self.table)
        writes = Writes()
        for fid in moved:
            row, old = self._row(connection, fid, None), self._edited[fid].old
            was = {name: old.get(slot, row[name]) for name, slot in slots.items()}
            writes.delete.append(fid)
            writes.insert.append({"fid": fid, **was})
            writes.again_delete.append(fid)
            writes.again_insert.append(row)
        for changes in write(self._project, connection, self._layer.info, writes):
            self._told.append(changes)

    def _decide(self, connection: sqlite3.Connection, rows: Sequence[Incoming]) -> Writes:
        writes = Writes()
        found = connection.execute(
            f"SELECT uuid, fid FROM {quote(self.table)} WHERE uuid IN {FID_LIST}",
            (replica.to_json([row.uuid for row in rows]),),
        )
        # A row that took another's identity is not the one.
        fids = {uuid: fid for uuid, fid in found if fid not in self._new}
        waiting = self._open_conflicts(connection)
        clean: list[tuple[int, Incoming]] = []
        for row in rows:
            record, fid = self._records.get(row.uuid), fids.get(row.uuid)
            if record is not None and not record.known and fid is not None:
                record = None  # a new row here has taken the identity of one that the server knows
            elif record is not None:
                fid = record.fid
            if row.gone:
                if record is None and fid is not None and not any(waiting.get(row.uuid, ())):
                    writes.delete.append(fid)
                elif fid is not None if record is None else record.known:
                    self._gone[row.uuid] = row.revision
            elif record is not None:
                self._edited_record(connection, writes, record, row)
            elif fid is not None and (self._echo or row.whole):
                clean.append((fid, row))
            elif fid is not None:
                writes.update.append((fid, row.cells))
            elif row.whole:
                writes.insert.append({"uuid": row.uuid, **row.cells})
            else:
                self._again.append(row.uuid)
        writes.update += self._differing(connection, clean)
        self._refresh_conflicts(connection, rows, waiting)
        return writes

    def _edited_record(self, connection: sqlite3.Connection, writes: Writes, record: Record, row: Incoming) -> None:
        if record.known and record.fid is not None and len(record.fids) == 1:
            fid, bundled = record.fid, (name for bundle in self._bundles for name in bundle)
            mine = self._row(connection, fid, {*record.base, *row.cells, *bundled})
            merged = merge(record.base, mine, row.cells, self._bundles)
            take = {name: value for name, value in merged.take.items() if not same(value, mine.get(name))}
            if merged.settle:
                if not take:
                    writes.same.add(fid)
                # Both wrote the same. Written once as it was and once as it is, it is the server's.
                writes.update.append((fid, {name: record.base[name] for name in merged.settle}))
                take |= {name: mine[name] for name in merged.settle}
            if take:
                writes.update.append((fid, take))
                writes.dirty = True
            writes.notes += [("cell", record.uuid, clash, row.revision) for clash in merged.clashes]
        elif not row.whole:
            self._again.append(row.uuid)
        elif record.fid is None:
            if any(not same(value, record.base.get(name)) for name, value in row.cells.items()):
                self._restore(connection, writes, record, row)
        else:
            self._rebase(connection, writes, record, row)

    def _restore(self, connection: sqlite3.Connection, writes: Writes, record: Record, row: Incoming) -> None:
        """Deleted here, edited there: it comes back, and somebody is told."""
        fid = record.fids[0]
        taken = connection.execute(f"SELECT 1 FROM {quote(self.table)} WHERE fid = ?", (fid,)).fetchone()
        writes.insert.append(({} if taken else {"fid": fid}) | {"uuid": row.uuid, **row.cells})
        writes.notes.append(("deleted_here", row.uuid, Clash("", None, None, None), row.revision))
        writes.dirty = True

    def _rebase(self, connection: sqlite3.Connection, writes: Writes, record: Record, row: Incoming) -> None:
        """Made on both sides, or moved to another row here: the server's record takes its place, edits go on top."""
        if record.fid is None:
            return
        mine = self._row(connection, record.fid, None)
        mine.pop("uuid")
        merged = merge(record.base, mine, row.cells, self._bundles, known=record.known)
        if record.known and not (merged.take or merged.settle):
            return
        if not record.known and all(same(value, mine.get(name)) for name, value in row.cells.items()):
            own = {name for name, value in mine.items() if name not in row.cells and value is not None}
            if record.fid in self._carried and record.seq == 0 and not own:
                writes.settled.append(record.fid)
                return
        fid = record.fids[0]
        writes.delete.append(record.fid)
        writes.insert.append({"fid": fid, "uuid": row.uuid, **row.cells})
        keep = {name: value for name, value in mine.items() if name in merged.keep or name not in row.cells}
        if keep:
            writes.again_update.append((fid, keep))
        writes.notes += [("cell", record.uuid, clash, row.revision) for clash in merged.clashes]
        writes.dirty = True

    def _keep(self, gone: Mapping[str, int]) -> None:
        """Edited here, deleted there: what was deleted goes, and the record as it is here is new to the server."""
        if not gone:
            return
        with self._project.transaction(relaxed=True) as connection, lenient(connection):
            self._catch_up(connection)
            writes = Writes(dirty=True)
            for uuid, revision in gone.items():
                record = self._records.get(uuid)
                fid = record.fid if record else None
                if record is None:
                    found = connection.execute(
                        f"SELECT fid FROM {quote(self.table)} WHERE uuid = ?", (uuid,)
                    ).fetchone()
                    fid = found[0] if found else None
                if fid is not None and (record is None or record.known):
                    writes.ghosts += [(other, uuid) for other in (record.fids if record else ()) if other != fid]
                    writes.delete.append(fid)
                    writes.again_insert.append({"fid": fid, **self._row(connection, fid, None)})
                    writes.same.add(fid)
                    writes.notes.append(("deleted_there", uuid, Clash("", None, None, None), revision))
                elif record is not None and record.known and not record.moved:
                    # Deleted on both sides: new to the server if it is brought back here, by an undo for instance.
                    writes.ghosts += [(other, uuid) for other in record.fids]
            self._write(connection, writes)
        self._tell()

    def _differing(
        self, connection: sqlite3.Connection, rows: Sequence[tuple[int, Incoming]]
    ) -> list[tuple[int, dict[str, Any]]]:
        """Of records not edited here, those that are not as the server has them."""
        alike: dict[frozenset[str], list[tuple[int, Incoming]]] = {}
        for fid, row in rows:
            alike.setdefault(frozenset(row.cells), []).append((fid, row))
        found: list[tuple[int, dict[str, Any]]] = []
        for names, members in alike.items():
            if not names:
                continue
            order = list(names)
            query = f"SELECT fid, {column_list(order)} FROM {quote(self.table)} WHERE fid IN {FID_LIST}"
            now = {row[0]: row[1:] for row in connection.execute(query, (fid_text(fid for fid, _ in members),))}
            for fid, row in members:
                values = [row.cells[name] for name in order]
                if not all(map(same, values, now[fid])):
                    found.append((fid, row.cells))
        return found

    def _row(self, connection: sqlite3.Connection, fid: int | None, names: Iterable[str] | None) -> dict[str, Any]:
        """Cells of a row, all with its UUID if not named."""
        live = capture.slots(connection, self.table)
        wanted = [name for name in live if names is None or name in set(names)]
        query = f"SELECT {column_list(wanted) or 'NULL'} FROM {quote(self.table)} WHERE fid = ?"
        return dict(zip(wanted, connection.execute(query, (fid,)).fetchone(), strict=False))

    # ---------------------------------------------------------------- conflicts

    def _open_conflicts(self, connection: sqlite3.Connection) -> dict[str, dict[str, list[int]]]:
        """Conflicts that wait, by record and column."""
        found: dict[str, dict[str, list[int]]] = {}
        for number, uuid, name in connection.execute(
            "SELECT id, uuid, name FROM planner_replica_conflict WHERE layer = ?", (self.uuid,)
        ):
            found.setdefault(uuid, {}).setdefault(name, []).append(number)
        return found

    def _refresh_conflicts(
        self, connection: sqlite3.Connection, rows: Sequence[Incoming], waiting: Mapping[str, dict[str, list[int]]]
    ) -> None:
        """What the server has now is what a waiting conflict shows as theirs."""
        for row in rows:
            for name, numbers in waiting.get(row.uuid, {}).items():
                if name in row.cells:
                    connection.executemany(
                        "UPDATE planner_replica_conflict SET theirs = ?, revision = ? WHERE id = ?",
                        [(row.cells[name], row.revision, number) for number in numbers],
                    )

    def _tell(self) -> None:
        told, self._told = self._told, []
        for changes in told:
            self._project.tell(changes)

    def _write(self, connection: sqlite3.Connection, writes: Writes) -> None:
        self._told += write(self._project, connection, self._layer.info, writes)
        for fid in writes.settled:
            self._edited.pop(fid, None)
        self.taken += writes.changed
        if not writes.dirty:  # nothing of this batch touches what was edited here
            self._seq = outbox.end_of_log(connection)


def _noting(rows: Iterable[RemoteRow], seen: set[str]) -> Iterator[RemoteRow]:
    for row in rows:
        seen.add(row.uuid)
        yield row
