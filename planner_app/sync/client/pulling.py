"""One pull: check that it is the server that the file knows, merge registry and records, move the cursor."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress, SubProgress, check
from planner_app.project import Project, registry, replica
from planner_app.sync.client import adopting, definitions, outbox, received, standing
from planner_app.sync.client.applying import LayerWriter
from planner_app.sync.transport import Pull, Transport
from planner_app.sync.types import Head, Rights

#: So many log rows may pile up before what is not sent yet is written down and the log is left behind.
_LONG_LOG = 60_000


@dataclass(slots=True)
class Pulled:
    """What a pull brought: records and definitions written, where the server stands."""

    rows: int = 0
    revision: int = 0


def pull(project: Project, transport: Transport, progress: Progress) -> Pulled:
    """Merge everything that is new on the server.

    Raises:
        PlannerError: ``sync.history_changed``, ``sync.server_older`` and what the transport raises. Cancelled.
    """
    with project.door.read() as connection:
        key, cursor, chain = standing.place(connection)
        scope, compare = standing.scope(connection), standing.to_compare(connection)
    rights = transport.rights(key)
    changed = _remember_rights(project, rights)
    with transport.pull(key, cursor) as source:
        check_past(source.head, cursor, chain)
        done = Pulled(revision=source.head.revision)
        returned = compare & {one.uuid for one in _held(project, source)}
        if source.head.revision == cursor and not changed and cursor and not returned and not _fields_lost(project):
            _finish(project, source.head, compare)
            return done
        compare |= set(adopting.adopt_registry(project, source, scope))
        _try_again(project, source)
        missing = adopting.missing_layers(project, source, scope)
        held = _held(project, source)
        steps, taken = len(missing) + len(held), {layer.uuid for layer in missing}
        for number, layer in enumerate(missing):
            check(progress)
            part = SubProgress(progress, number / steps, (number + 1) / steps)
            done.rows += adopting.fetch_layer(project, source, layer, scope, part)
        for number, one in enumerate(held, len(missing)):
            progress.update(number / steps, "stage.sync_taking")
            writer = _writer(project, one.uuid, progress)
            if writer is None:
                continue
            if one.uuid in compare:
                writer.everything(source, scope)
            else:
                writer.changes(source, scope)
                if changed:
                    writer.keys(source, scope)
            done.rows += writer.taken
            taken.add(one.uuid)
        _finish(project, source.head, _passed_over(project, taken))
    if done.rows:
        project.door.settle()
    return done


def _fields_lost(project: Project) -> bool:
    """Was a field dropped here that the server has? (By an undo.) It comes back: fields are only ever added."""
    with project.door.read() as connection:
        here, known = definitions.layers_here(connection), definitions.known_layers(connection)
    return any(
        one.live and uuid in here and received.places(one.definition.fields, here[uuid].fields)
        for uuid, one in known.items()
    )


def _passed_over(project: Project, taken: set[str]) -> set[str]:
    """Layers that the server has or had, and whose changes this pull did not take."""
    with project.door.read() as connection:
        return set(definitions.known_layers(connection)) - taken


def check_past(head: Head, cursor: int, chain: str) -> None:
    """Refuse a server whose past is not what the file has seen.

    Raises:
        PlannerError: ``sync.server_older``, ``sync.history_changed``.
    """
    if head.revision < cursor:
        raise PlannerError("sync.server_older", revision=head.revision, seen=cursor)
    if cursor and chain and head.chain_at != chain:
        raise PlannerError("sync.history_changed", revision=cursor)


def _held(project: Project, source: Pull) -> list[definitions.Known]:
    """Layers of the file that the server has, before new ones are fetched."""
    there = {one.uuid for one in source.layers}
    with project.door.read() as connection:
        here, known = definitions.layers_here(connection), definitions.known_layers(connection)
    return [one for uuid, one in known.items() if uuid in here and one.live and uuid in there]


def _writer(project: Project, uuid: str, progress: Progress) -> LayerWriter | None:
    with project.door.read() as connection:
        known = definitions.known_layers(connection)[uuid]
        row = next((row for row in registry.read_layers(connection) if row.info.uuid == uuid), None)
        if row is None:  # dropped a moment ago
            return None
        columns = adopting.writer_columns(connection, known)
        echo = bool(replica.get(connection, "echo"))
    return LayerWriter(project, row, columns, known.since, progress, echo=echo)


def _remember_rights(project: Project, rights: Rights) -> bool:
    """Keep the user's rights in the file. True if they are others than at the last sync (not at the first)."""
    with project.door.read() as connection:
        stamp = replica.get(connection, "rights_stamp")
    if stamp == rights.stamp:
        return False
    with project.door.write(relaxed=True) as connection:
        standing.remember_rights(connection, rights)
        # What was refused may be allowed now.
        connection.execute("UPDATE planner_replica_quarantine SET seq = -1 WHERE refused")
    return bool(stamp)


def _try_again(project: Project, source: Pull) -> None:
    """What was refused in a layer whose definition has changed since (it is unlocked) may be allowed now."""
    keys = replica.to_json([one.key for one in source.definitions if one.kind == "layer"])
    query = "FROM planner_replica_quarantine WHERE refused AND seq <> -1 AND layer IN (SELECT value FROM json_each(?))"
    with project.door.read() as connection:
        held = connection.execute(f"SELECT 1 {query}", (keys,)).fetchone()
    if held:
        with project.door.write(relaxed=True) as connection:
            connection.execute(
                f"UPDATE planner_replica_quarantine SET seq = -1 WHERE id IN (SELECT id {query})", (keys,)
            )


def _finish(project: Project, head: Head, compare: set[str]) -> None:
    """Move the cursor, and leave the log behind if it has become long. With this all that was taken is on the disk."""
    with project.door.read() as connection:
        started = outbox.acked(connection)
        long = outbox.end_of_log(connection) - started > _LONG_LOG
    with project.door.write() as connection:
        replica.put(
            connection,
            cursor=head.revision,
            chain=head.chain,
            head=head.revision,
            last=standing.now(),
            offline_since="",
            waiting=0,
            echo="",
        )
        standing.remember_to_compare(connection, compare)
        if long:
            compact(connection)


def compact(connection: sqlite3.Connection) -> None:
    """Write down what is not sent yet, so that the log before this moment need not be read again."""
    tables = dict(connection.execute("SELECT table_name, since FROM planner_replica_layer").fetchall())
    edited = outbox.touched(connection, tables)
    connection.execute("DELETE FROM planner_replica_carry")
    for table, rows in edited.items():
        outbox.carry(connection, table, rows)
    replica.put(connection, acked=outbox.end_of_log(connection))
