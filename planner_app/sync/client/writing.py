"""The statements of one batch: what the server has, then what stays of the edits made here; two entries of the log."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from planner_app.domain.changeset import ChangeSet
from planner_app.domain.layer import LayerInfo
from planner_app.project import Project, capture, replica
from planner_app.project.sql import columns as column_list
from planner_app.project.sql import quote
from planner_app.sync.client.merging import Clash

PULL_COMMAND: Final = "sync_pull"
KEEP_COMMAND: Final = "keep_edits"


@dataclass(slots=True)
class Writes:
    """What one batch will write: deletes, updates and inserts as the server has them, then edits on top of those.

    Attributes:
        ghosts: (row, record) that the server had and this file has under another row: they come and go, so that the
            log knows that nothing is left of them.
        notes: conflicts to put on the list: (kind, record, cells, revision).
        settled: rows that turned out to be on the server as they are here.
        same: rows that are written and stay what they were for whoever looks at them.
        dirty: records that were edited here are among those written.
    """

    ghosts: list[tuple[int, str]] = field(default_factory=list)
    delete: list[int] = field(default_factory=list)
    update: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    insert: list[dict[str, Any]] = field(default_factory=list)
    again_delete: list[int] = field(default_factory=list)
    again_insert: list[dict[str, Any]] = field(default_factory=list)
    again_update: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    notes: list[tuple[str, str, Clash, int]] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    same: set[int] = field(default_factory=set)
    dirty: bool = False

    @property
    def changed(self) -> int:
        """How many records of the file become others."""
        made = [row.get("fid") for row in self.insert]
        rows = {*self.delete, *(fid for fid, _ in self.update), *(fid for fid in made if fid is not None)}
        return len(rows - self.same) + made.count(None)


@contextmanager
def lenient(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Read texts that are no UTF-8 (other programs can write them) instead of failing on the whole statement."""
    before, connection.text_factory = connection.text_factory, lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        yield connection
    finally:
        connection.text_factory = before


def write(project: Project, connection: sqlite3.Connection, layer: LayerInfo, writes: Writes) -> list[ChangeSet]:
    """Write a batch within the running transaction; returns what to tell the observers once it is committed."""
    told: list[ChangeSet] = []
    params = {"layer": layer.name, "layer_id": layer.id}
    with project.logged(connection, PULL_COMMAND, params, origin=replica.SYNC) as entry:
        connection.executemany(f"INSERT INTO {quote(layer.id)} (fid, uuid) VALUES (?, ?)", writes.ghosts)
        gone = [*(fid for fid, _ in writes.ghosts), *writes.delete]
        connection.executemany(f"DELETE FROM {quote(layer.id)} WHERE fid = ?", [(fid,) for fid in gone])
        _update(connection, layer.id, writes.update)
        _insert(connection, layer.id, writes.insert)
        for kind, uuid, clash, revision in writes.notes:
            note(connection, kind, layer.uuid, uuid, clash, revision)
    told.append(entry.changes)
    if writes.again_delete or writes.again_insert or writes.again_update:
        with project.logged(connection, KEEP_COMMAND, params, origin=replica.MERGE) as again:
            again_gone = [(fid,) for fid in writes.again_delete]
            connection.executemany(f"DELETE FROM {quote(layer.id)} WHERE fid = ?", again_gone)
            _insert(connection, layer.id, writes.again_insert)
            _update(connection, layer.id, writes.again_update)
        told.append(again.changes)
    if writes.settled:
        number = capture.number_of(connection, layer.id)
        connection.executemany(
            "DELETE FROM planner_replica_carry WHERE tbl = ? AND fid = ?", [(number, fid) for fid in writes.settled]
        )
    return told


def note(connection: sqlite3.Connection, kind: str, layer: str, uuid: str, clash: Clash, revision: int) -> None:
    """Put a conflict on the list."""
    values = (clash.base, clash.mine, clash.theirs)
    shown = (
        v.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if isinstance(v, str) else v for v in values
    )
    connection.execute(
        "INSERT INTO planner_replica_conflict (kind, layer, uuid, name, base, mine, theirs, bundle, revision) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (kind, layer, uuid, clash.column, *shown, clash.bundle, revision),
    )


def _update(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[int, dict[str, Any]]]) -> None:
    """Rows with the same columns share a statement; one that is named again is written after all before it."""
    alike: dict[tuple[str, ...], list[list[Any]]] = {}
    named: set[int] = set()

    def flush() -> None:
        for assignments, members in alike.items():
            connection.executemany(f"UPDATE {quote(table)} SET {', '.join(assignments)} WHERE fid = ?", members)
        alike.clear()
        named.clear()

    columns: dict[str, str] = {name: quote(name) for _, values in rows for name in values}
    for fid, values in rows:
        if fid in named:
            flush()
        named.add(fid)
        texts, bound = _bound(values)
        assignments = tuple(f"{columns[name]} = {text}" for name, text in zip(values, texts, strict=True))
        alike.setdefault(assignments, []).append([*bound, fid])
    flush()


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[dict[str, Any]]) -> None:
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[list[Any]]] = {}
    for values in rows:
        texts, bound = _bound(values)
        alike.setdefault((tuple(values), tuple(texts)), []).append(bound)
    for (names, texts), members in alike.items():
        statement = f"INSERT INTO {quote(table)} ({column_list(names)}) VALUES ({', '.join(texts)})"
        connection.executemany(statement, members)


def _bound(values: dict[str, Any]) -> tuple[Sequence[str], list[Any]]:
    """Placeholders and values; a text that is no UTF-8 goes in as the bytes it is."""
    bound = list(values.values())
    odd = [
        at
        for at, value in enumerate(bound)
        if isinstance(value, str) and not value.isascii() and any("\ud800" <= mark <= "\udfff" for mark in value)
    ]
    texts = ["?"] * len(bound)
    for at in odd:
        texts[at], bound[at] = "CAST(? AS TEXT)", bound[at].encode("utf-8", "surrogateescape")
    return texts, bound
