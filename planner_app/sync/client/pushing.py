"""One push: freeze, send, commit, and what becomes true here once the server has taken it."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.project import Project, registry, replica
from planner_app.project.sql import quote
from planner_app.sync.client import definitions, outbox, outgoing, standing
from planner_app.sync.client.outgoing import Freeze, Held
from planner_app.sync.client.whole import whole_pages
from planner_app.sync.client.writing import lenient
from planner_app.sync.transport import Transport
from planner_app.sync.types import Page, PushHeader, PushResult


@dataclass(slots=True)
class Pushed:
    """What a push did. ``behind``: nothing, others were faster; ``more``: revisions of others lie in between."""

    rows: int = 0
    behind: bool = False
    more: bool = False


def frozen(project: Project) -> Freeze:
    """What would be sent now."""
    with project.door.read() as connection, lenient(connection):
        connection.execute("BEGIN")
        try:
            return outgoing.freeze(connection)
        finally:
            connection.execute("ROLLBACK")


def recover(project: Project, transport: Transport) -> None:
    """Ask what became of a push whose answer was lost."""
    with project.door.read() as connection:
        row = connection.execute("SELECT push_id, seq, seen, definitions FROM planner_replica_push").fetchone()
        key = replica.get(connection, "project")
    if row is not None:
        push_id, seq, seen, became = row
        result = transport.result(key, push_id)
        if result is not None:
            acknowledge(project, push_id, seq, seen, became, result)


def _withdraw(project: Project, transport: Transport) -> bool:
    """Give up a push that was broken off: what lies there under its name is thrown away, so that a commit that is still
    on its way finds nothing. True if it had got through after all; then it is acknowledged."""
    with project.door.read() as connection:
        row = connection.execute("SELECT push_id, seq, seen, definitions FROM planner_replica_push").fetchone()
        key = replica.get(connection, "project")
    if row is None:
        return False
    transport.stage(PushHeader(row[0], key, "", row[2], 0, "withdrawn"), [], [], NoProgress())
    result = transport.result(key, row[0])
    if result is None:
        with project.door.write(relaxed=True) as connection:
            connection.execute("DELETE FROM planner_replica_push")
        return False
    acknowledge(project, row[0], row[1], row[2], row[3], result)
    return True


def push(project: Project, transport: Transport, progress: Progress, message: str = "") -> Pushed:
    """Send what was edited since the last push; everything the server has was merged before.

    Raises:
        PlannerError: what the transport raises; whether the push was taken is found out by :func:`recover`. Cancelled.
    """
    made = frozen(project)
    digest = outgoing.digest(made.definitions, made.rows)
    resumed = _resumable(project, made, digest)
    if not resumed and _withdraw(project, transport):
        return Pushed(behind=True)
    if made.empty:
        _nothing(project, made)
        return Pushed()
    header = _header(project, made, digest, resumed, message)
    check(progress)
    transport.stage(header, made.definitions, made.rows, SubProgress(progress, 0.0, 0.5))
    sent = 0
    for number, layer in enumerate(made.whole):
        part = SubProgress(progress, 0.5 + 0.4 * number / len(made.whole), 0.5 + 0.4 * (number + 1) / len(made.whole))
        counted = _counted(whole_pages(project.door, layer, made.held))
        transport.stage_layer(header, layer, counted, part)
        sent += counted.rows
    check(progress)
    with project.door.write() as connection:  # on the disk, with the push's name, before the server may take it
        _hold_back(connection, made.held, whole=True)
    result = transport.commit(header)
    if result.behind:
        with project.door.write(relaxed=True) as connection:
            connection.execute("DELETE FROM planner_replica_push")
        return Pushed(behind=True)
    acknowledge(project, header.push_id, made.seq, header.seen, made.became, result)
    refused = len(result.refused)
    more = result.revision not in (0, header.seen, header.seen + 1)
    return Pushed(len(made.definitions) + len(made.rows) + sent - refused, more=more)


def _resumable(project: Project, made: Freeze, digest: str) -> str:
    """The name of a push that was broken off, if this one says the same: what arrived of it need not be sent again.

    No layer that goes out whole may have been edited since: rows are counted where sending goes on.
    """
    with project.door.read() as connection:
        before = connection.execute("SELECT push_id, seq, digest FROM planner_replica_push").fetchone()
        if before is None or before[2] != digest or made.empty:
            return ""
        edited = connection.execute(
            "SELECT 1 FROM planner_log WHERE seq > ? AND tbl IN (SELECT number FROM planner_capture "
            "WHERE table_name IN (SELECT value FROM json_each(?))) LIMIT 1",
            (before[1], replica.to_json([layer.table for layer in made.whole])),
        ).fetchone()
        return "" if edited else str(before[0])


def _header(project: Project, made: Freeze, digest: str, resumed: str, message: str) -> PushHeader:
    with project.door.write(relaxed=True) as connection:
        key, seen, _ = standing.place(connection)
        client, push_id = replica.get(connection, "client_id"), resumed or str(uuid.uuid4())
        connection.execute("DELETE FROM planner_replica_push")
        connection.execute(
            "INSERT INTO planner_replica_push VALUES (?, ?, ?, ?, ?)", (push_id, made.seq, seen, digest, made.became)
        )
    return PushHeader(push_id, key, client, seen, len(made.rows), digest, made.why, message)


class _counted:  # noqa: N801 - an iterator that counts
    def __init__(self, pages: Iterable[Page]) -> None:
        self._pages, self.rows = iter(pages), 0

    def __iter__(self) -> _counted:
        return self

    def __next__(self) -> Page:
        page = next(self._pages)
        self.rows += len(page.uuids)
        return page


def _nothing(project: Project, made: Freeze) -> None:
    """Nothing to send: edits came to nothing, or wait in quarantine."""
    with project.door.write(relaxed=True) as connection, lenient(connection):
        _hold_back(connection, made.held, whole=True)
        if made.seq > outbox.acked(connection):
            _carry_over(connection, made.seq, set(), {}, set())
            replica.put(connection, acked=made.seq)


def _hold_back(connection: sqlite3.Connection, held: Iterable[Held], *, whole: bool) -> None:
    """Put records into quarantine; ``whole``: those not named are out of it.

    A record keeps its number as long as it is held back, and no other ever gets it: people name it in the fixes.
    """
    named = list(held)
    found = connection.execute("SELECT id, layer, uuid FROM planner_replica_quarantine")
    there = {(layer, record): number for number, layer, record in found}
    last = max([int(replica.get(connection, "held_last", "0")), *there.values()])
    before = {tuple(key): number for key, number in json.loads(replica.get(connection, "held_before", "[]"))}
    if whole:
        wanted = {(one.layer, one.uuid) for one in named}
        gone = {key: number for key, number in there.items() if key not in wanted}
        connection.executemany(
            "DELETE FROM planner_replica_quarantine WHERE id = ?", [(number,) for number in gone.values()]
        )
        if gone or before:  # what is sent once more may come back
            replica.put(connection, held_before=replica.to_json(list(gone.items())))
    rows = []
    for one in named:
        key = (one.layer, one.uuid)
        last += key not in there and key not in before
        number = there.get(key) or before.get(key) or last
        params = replica.to_json(_texts(one.params))
        rows.append((number, one.layer, one.uuid, one.fid, one.code, params, int(one.refused), one.seq))
    connection.executemany(
        "INSERT OR REPLACE INTO planner_replica_quarantine (id, layer, uuid, fid, code, params, refused, seq) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    if there or rows:
        replica.put(connection, held_last=last)


def _texts(params: Mapping[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in params.items()}


def acknowledge(project: Project, push_id: str, seq: int, seen: int, became: str, result: PushResult) -> None:
    """The server took a push: what it holds is clean here, what it refused waits in quarantine."""
    with project.door.write(relaxed=True) as connection, lenient(connection):
        if not connection.execute("SELECT 1 FROM planner_replica_push WHERE push_id = ?", (push_id,)).fetchone():
            return
        changes = json.loads(became)
        refused = {(one.layer, one.uuid): one for one in result.refused}
        fresh, added = _take_definitions(connection, changes, {key for key, record in refused if not record})
        _carry_over(connection, seq, fresh, added, set(refused))
        held = []
        for (layer, record), one in refused.items():
            fid, at = _found(connection, layer, record, seq)
            params = dict(one.params)
            if not record:
                params["_change"] = next((change[5] for change in changes if change[1] == layer), "")
            held.append(Held(layer, record, fid, one.code, params, at, refused=True))
        _hold_back(connection, held, whole=False)
        values: dict[str, object] = {"acked": seq}
        if result.revision == seen + 1:  # nobody else in between: nothing to be pulled
            values |= {"cursor": result.revision, "chain": result.chain, "head": result.revision}
        elif result.revision:
            values["echo"] = 1
        replica.put(connection, **values)
        connection.execute("DELETE FROM planner_replica_push")


def _take_definitions(
    connection: sqlite3.Connection, changes: Sequence[Sequence[Any]], refused: set[str]
) -> tuple[set[str], dict[str, list[str]]]:
    """Remember the registry as the server has it now; returns the layers (by UUID) that are new to it, and the fields
    that others have got."""
    known = definitions.known_layers(connection)
    fresh: set[str] = set()
    added: dict[str, list[str]] = {}
    for kind, key, operation, cells, text, _ in changes:
        if key in refused:
            continue
        if kind == "plan" and operation == "delete":
            connection.execute("DELETE FROM planner_replica_plan WHERE id = ?", (key,))
        elif kind == "plan":
            definitions.remember_plan(connection, key, definitions.known_plans(connection).get(key, {}) | cells)
        elif operation == "delete":
            definitions.remember_layer(connection, known[key].definition, known[key].table, live=False)
        else:
            layer = definitions.from_json(text)
            if key in known:  # fields that only the server has stay known
                there = known[key].definition.fields
                names = {field.name.casefold() for field in there}
                new = [field for field in layer.fields if field.name.casefold() not in names]
                added[key] = [field.name for field in new]
                layer = replace(layer, fields=(*there, *new))
            else:
                fresh.add(key)
                standing.widen_scope(connection, key)
            definitions.remember_layer(connection, layer, layer.table)
    return fresh, added


def _carry_over(
    connection: sqlite3.Connection,
    seq: int,
    fresh: set[str],
    added: dict[str, list[str]],
    refused: set[tuple[str, str]],
) -> None:
    """Records that were not taken stay edited, though the log before the push is done with."""
    waiting: dict[str, set[str]] = {}
    unsent = standing.to_compare(connection)
    for layer, record, fid, before in connection.execute(
        "SELECT layer, uuid, fid, refused FROM planner_replica_quarantine"
    ):
        if record:
            waiting.setdefault(layer, set()).add(record if fid is None else str(fid))
        elif before:  # its definition was refused once: its records were not sent
            unsent.add(layer)
    for layer, record in refused:
        waiting.setdefault(layer, set()).add(record)
    known, here = definitions.known_layers(connection), definitions.layers_here(connection)
    tables = {
        one.table: one.since
        for layer, one in known.items()
        if not one.live or layer in unsent or layer in waiting or layer not in here
    }
    edited = outbox.touched(connection, tables, seq)
    connection.execute("DELETE FROM planner_replica_carry")
    for layer, one in known.items():
        rows = edited.get(one.table, {})
        if not one.live or layer in unsent or layer not in here:  # in the trash its edits wait with it
            outbox.carry(connection, one.table, rows)
        elif layer in fresh and layer in waiting:
            outbox.carry(connection, one.table, _unknown(connection, one.table, waiting[layer]))
        elif layer in waiting:
            outbox.backfill(connection, one.table, rows, added.get(layer, ()))
            kept = {
                fid
                for record in outbox.records(connection, one.table, rows).values()
                if record.uuid in waiting[layer] or any(str(fid) in waiting[layer] for fid in record.fids)
                for fid in record.fids
            }
            outbox.carry(connection, one.table, {fid: row for fid, row in rows.items() if fid in kept})


def _unknown(connection: sqlite3.Connection, table: str, names: set[str]) -> dict[int, outbox.Edited]:
    rows = connection.execute(
        f"SELECT fid FROM {quote(table)} WHERE uuid IN (SELECT value FROM json_each(?1)) OR CAST(fid AS TEXT) IN "
        "(SELECT value FROM json_each(?1))",
        (replica.to_json(sorted(names)),),
    )
    return {fid: outbox.Edited(False, True) for (fid,) in rows}


def _found(connection: sqlite3.Connection, layer: str, record: str, seq: int) -> tuple[int | None, int]:
    """(row here, log row it is compared with) of a refused record."""
    table = next((row.info.id for row in registry.read_layers(connection) if row.info.uuid == layer), "")
    if not table or not record:
        return None, seq
    row = connection.execute(f"SELECT fid FROM {quote(table)} WHERE uuid = ?", (record,)).fetchone()
    return (row[0] if row else None), seq
