"""Where a file stands with its server: what it remembers, read without a connection."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime

from planner_app.domain.errors import PlannerError
from planner_app.project import replica
from planner_app.sync.types import LayerRight, Rights, Scope


def now() -> str:
    """The time as the file keeps it; for people, nothing is decided by it."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def place(connection: sqlite3.Connection) -> tuple[str, int, str]:
    """(the project's UUID on the server, revision that the file holds, chain value there).

    Raises:
        PlannerError: ``sync.unregistered``.
    """
    key = replica.get(connection, "project")
    if not key:
        raise PlannerError("sync.unregistered")
    return key, int(replica.get(connection, "cursor", "0")), replica.get(connection, "chain")


def scope(connection: sqlite3.Connection) -> Scope:
    """What the file holds of the project."""
    values = json.loads(replica.get(connection, "scope", "{}"))
    layers, box = values.get("layers"), values.get("box")
    return Scope(None if layers is None else frozenset(layers), None if box is None else tuple(box))


def remember_scope(connection: sqlite3.Connection, held: Scope) -> None:
    """Keep what the file holds of the project."""
    layers = None if held.layers is None else sorted(held.layers)
    replica.put(connection, scope=replica.to_json({"layers": layers, "box": held.box}))


def widen_scope(connection: sqlite3.Connection, layer: str) -> None:
    """A layer made here belongs to what the file holds."""
    held = scope(connection)
    if held.layers is not None and layer not in held.layers:
        remember_scope(connection, Scope(held.layers | {layer}, held.box))


def to_compare(connection: sqlite3.Connection) -> set[str]:
    """Layers (by UUID) whose changes on the server were passed over while the file did not hold them: once it does,
    all their records are compared, and before that nothing of them is sent."""
    return set(json.loads(replica.get(connection, "compare", "[]")))


def remember_to_compare(connection: sqlite3.Connection, layers: Iterable[str]) -> None:
    """Keep which layers must be compared."""
    replica.put(connection, compare=replica.to_json(sorted(layers)))


def rights(connection: sqlite3.Connection) -> Rights | None:
    """The user's rights as the last sync learnt them."""
    stamp = replica.get(connection, "rights_stamp")
    if not stamp:
        return None
    rows = connection.execute("SELECT layer, read, write, columns, district FROM planner_replica_right")
    layers = {
        row[0]: LayerRight(
            row[0], bool(row[1]), bool(row[2]), None if row[3] is None else frozenset(json.loads(row[3])), row[4]
        )
        for row in rows
    }
    add = replica.get(connection, "rights_add_layers") == "1"
    return Rights(replica.get(connection, "rights_role"), stamp, add, layers)  # type: ignore[arg-type]


def remember_rights(connection: sqlite3.Connection, found: Rights) -> None:
    """Keep the user's rights."""
    replica.put(connection, rights_stamp=found.stamp, rights_role=found.role, rights_add_layers=int(found.add_layers))
    connection.execute("DELETE FROM planner_replica_right")
    connection.executemany(
        "INSERT INTO planner_replica_right VALUES (?, ?, ?, ?, ?)",
        [
            (
                one.layer, int(one.read), int(one.write),
                None if one.columns is None else replica.to_json(sorted(one.columns)), one.district,
            )
            for one in found.layers.values()
        ],
    )  # fmt: skip
