"""Taking over the registry: plans, layers, their fields, styles and names; new layers with all their records."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, Final

from planner_app.domain.layer import LayerInfo, NewLayer, PlanInfo, PlanKind
from planner_app.domain.progress import Progress, check
from planner_app.project import Batch, Project, bulk, capture, registry, replica, spatial
from planner_app.project.sql import columns as column_list
from planner_app.project.sql import quote
from planner_app.project.transaction import add_column
from planner_app.sync.client import definitions, outbox, received
from planner_app.sync.client.definitions import Known
from planner_app.sync.client.merging import Clash, merge
from planner_app.sync.client.writing import PULL_COMMAND, note
from planner_app.sync.transport import Pull
from planner_app.sync.types import LayerDef, Page, Scope

ADOPT_COMMAND: Final = "sync_registry"


def adopt_registry(project: Project, pull: Pull, scope: Scope) -> list[str]:
    """Merge the registry; returns layers (by UUID) whose records must all be compared.

    Layers that are new here are made by :func:`fetch_layer`.
    """
    retired = {one.key for one in pull.definitions if one.kind == "layer" and one.operation == "delete"}
    with (
        project.transaction(relaxed=True) as connection,
        project.logged(connection, ADOPT_COMMAND, {}, origin=replica.SYNC) as entry,
    ):
        _plans(connection, pull)
        compare = _layers(connection, pull, scope, retired)
        for one in pull.definitions:
            if one.kind == "plan" and one.operation == "delete":
                _drop_plan(connection, one.key, pull.head.revision)
    project.tell(entry.changes)
    return compare


def _plans(connection: sqlite3.Connection, pull: Pull) -> None:
    here, known = definitions.plans_here(connection), definitions.known_plans(connection)
    for one in pull.definitions:
        if one.kind != "plan" or one.operation == "delete":
            continue
        base = known.get(one.key)
        theirs = received.plan(dict.fromkeys(definitions.PLAN_CELLS, "") | (base or {}) | dict(one.cells))
        mine = here.get(one.key)
        if mine is None and base is not None and same_cells(base, theirs):
            continue  # deleted here, and nothing new there
        if mine is None:
            registry.write_plan(connection, _plan(one.key, theirs))
            if base is not None:
                note(connection, "plan", "", one.key, Clash("", None, None, None), pull.head.revision)
        else:
            merged = _merge_cells(connection, "plan", one.key, base, mine, theirs, pull.head.revision)
            registry.write_plan(connection, _plan(one.key, mine | merged))
        definitions.remember_plan(connection, one.key, theirs)


def same_cells(a: Mapping[str, str | None], b: Mapping[str, str | None]) -> bool:
    """Equal but for cells that are empty on both sides."""
    return all((a.get(name) or "") == (b.get(name) or "") for name in {*a, *b})


def _plan(key: str, cells_: Mapping[str, str]) -> PlanInfo:
    return PlanInfo(key, PlanKind(cells_["kind"]), **{n: v for n, v in cells_.items() if n != "kind"})


def _drop_plan(connection: sqlite3.Connection, key: str, revision: int) -> None:
    mine, base = definitions.plans_here(connection).get(key), definitions.known_plans(connection).get(key)
    connection.execute("DELETE FROM planner_replica_plan WHERE id = ?", (key,))
    used = connection.execute("SELECT 1 FROM planner_layer WHERE plan_id = ?", (key,)).fetchone()
    if mine is None:
        return
    if used or (base is not None and mine != base):  # still needed, or edited here: it goes back to the server
        note(connection, "plan", "", key, Clash("", None, None, None), revision)
    else:
        connection.execute("DELETE FROM planner_plan WHERE id = ?", (key,))


def _merge_cells(
    connection: sqlite3.Connection,
    kind: str,
    key: str,
    base: Mapping[str, str] | None,
    mine: Mapping[str, str],
    theirs: Mapping[str, str],
    revision: int,
) -> dict[str, str]:
    """Cells of a definition to be written; clashes are put on the list, and the server's value is what is written.

    Each of a layer's extra values is merged by itself; if one clashes, all of them are one conflict.
    """
    was, here, there = ({} if side is None else _spread(side) for side in (base, mine, theirs))
    there |= {name: None for name in was if name.startswith(_EXTRA) and name not in there}
    names = was.keys() | here.keys()
    edited = {name: was.get(name) for name in names if here.get(name) != was.get(name)} if base is not None else {}
    merged = merge(edited, {name: here.get(name) for name in names}, there, known=base is not None)
    extra = [clash for clash in merged.clashes if clash.column.startswith(_EXTRA)]
    taken = {name: value or "" for name, value in merged.take.items() if not name.startswith(_EXTRA)}
    if "extra" in mine:
        taken["extra"] = _gathered(here | merged.take)
    if extra:
        own = _gathered(here | merged.take | {clash.column: clash.mine for clash in extra})
        old = None if base is None else base.get("extra")
        note(connection, kind, key, key, Clash("extra", old, own, taken["extra"]), revision)
    for clash in merged.clashes:
        if clash not in extra:
            note(connection, kind, key if kind == "layer" else "", key, clash, revision)
    return {name: value for name, value in taken.items() if value != mine.get(name)}


#: Before the names of extra values among a layer's cells.
_EXTRA: Final = "extra:"


def _spread(cells: Mapping[str, str | None]) -> dict[str, str | None]:
    """Cells with the extra values as cells of their own; empty ones are None."""
    values = json.loads(cells.get("extra") or "{}")
    plain = {name: value or None for name, value in cells.items() if name != "extra"}
    return plain | {_EXTRA + name: value for name, value in values.items()}


def _gathered(cells: Mapping[str, str | None]) -> str:
    """The extra values of spread cells as the registry stores them."""
    values = {name.removeprefix(_EXTRA): value for name, value in cells.items() if name.startswith(_EXTRA)}
    return registry.extra_text({name: value for name, value in values.items() if value is not None})


def _layers(connection: sqlite3.Connection, pull: Pull, scope: Scope, retired: set[str]) -> list[str]:
    here, known = definitions.layers_here(connection), definitions.known_layers(connection)
    compare: list[str] = []
    there = {one.uuid: received.layer(one) for one in pull.layers if scope.layers is None or one.uuid in scope.layers}
    for uuid, layer in there.items():
        mine, was = here.get(uuid), known.get(uuid)
        if mine is None:
            if was is not None and not was.live and _table_exists(connection, was.table):
                _bring_back(connection, layer, was)
                compare.append(uuid)
            continue  # deleted here and not yet sent, or to be fetched
        base = was.definition if was is not None else None
        merged = _merge_cells(
            connection, "layer", uuid, base.cells if base else None, mine.cells, layer.cells, pull.head.revision
        )
        _write_cells(connection, mine, merged)
        _add_fields(connection, mine, layer)
        definitions.remember_layer(connection, layer, mine.table)
        if was is None:
            _join(connection, mine)
        if was is None or not was.live or received.places(was.definition.fields, mine.fields):
            compare.append(uuid)  # a field that was dropped here came back empty
    for uuid, one in known.items():
        if uuid in here and one.live and uuid not in there and (scope.layers is None or uuid in scope.layers):
            _leave(connection, here[uuid], one, uuid in retired, pull.head.revision)
        elif uuid not in here and one.live and uuid in retired:
            definitions.remember_layer(connection, one.definition, one.table, live=False)
    return compare


def _table_exists(connection: sqlite3.Connection, table: str) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None


def _write_cells(connection: sqlite3.Connection, layer: LayerDef, values: Mapping[str, Any]) -> None:
    plain = {name: value for name, value in values.items() if name not in ("style", "locked")}
    if "locked" in values:
        plain["locked"] = int(values["locked"] == "true")
    if plain:
        assignments = ", ".join(f"{quote(name)} = ?" for name in plain)
        connection.execute(f"UPDATE planner_layer SET {assignments} WHERE uuid = ?", (*plain.values(), layer.uuid))
    if values.get("style"):
        info = LayerInfo(layer.table, layer.uuid, values.get("name", layer.cells["name"]), layer.geometry, 0)
        registry.write_style(connection, info, values["style"])


def _add_fields(connection: sqlite3.Connection, mine: LayerDef, theirs: LayerDef) -> None:
    for number in received.places(theirs.fields, mine.fields):
        row = registry.add_column_row(connection, mine.table, theirs.fields[number], live=False)
        connection.execute("UPDATE planner_column SET live = 1 WHERE fid = ?", (row,))
        add_column(connection, mine.table, theirs.fields[number])


def _join(connection: sqlite3.Connection, mine: LayerDef) -> None:
    """A layer made on both sides: all its records here are new to the server until they are compared."""
    connection.execute(
        "UPDATE planner_replica_layer SET since = ? WHERE uuid = ?", (outbox.end_of_log(connection), mine.uuid)
    )
    fids = connection.execute(f"SELECT fid FROM {quote(mine.table)}").fetchall()
    outbox.carry(connection, mine.table, {fid: outbox.Edited(False, True) for (fid,) in fids})


def _bring_back(connection: sqlite3.Connection, layer: LayerDef, was: Known) -> None:
    """A layer that was retired is a layer again: its table still waits in the file."""
    row = {
        "id": was.table, "uuid": layer.uuid, "name": layer.cells["name"], "geometry": layer.geometry,
        "srid": int(connection.execute("SELECT value FROM planner_meta WHERE key = 'srid'").fetchone()[0]),
        "position": connection.execute("SELECT coalesce(min(position), 1) - 1 FROM planner_layer").fetchone()[0],
        "has_z": int(layer.has_z), "multi": int(layer.multi),
    }  # fmt: skip
    names = column_list(row)
    connection.execute(f"INSERT INTO planner_layer ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
    spatial.register(connection, was.table, layer.geometry, row["srid"], multi=layer.multi, has_z=layer.has_z)
    mine = definitions.layers_here(connection)[layer.uuid]
    _write_cells(connection, mine, layer.cells)
    _add_fields(connection, mine, layer)
    definitions.remember_layer(connection, layer, was.table)


def _leave(connection: sqlite3.Connection, mine: LayerDef, was: Known, retired: bool, revision: int) -> None:
    """A layer that was retired, or may not be read any more, goes; not if it was edited here: then it is kept."""
    edited = outbox.touched(connection, {was.table: was.since}) or mine.cells != was.definition.cells
    if edited and retired:
        definitions.remember_layer(connection, was.definition, was.table, live=False)
        note(connection, "layer", mine.uuid, mine.uuid, Clash("", None, None, None), revision)
    elif not edited:
        spatial.unregister(connection, was.table)
        connection.execute("DELETE FROM planner_layer WHERE uuid = ?", (mine.uuid,))
        definitions.remember_layer(connection, was.definition, was.table, live=False)


def discard_definition(connection: sqlite3.Connection, key: str) -> None:
    """Take a layer or plan back to what the server has of it; fields that were added stay."""
    here, known = definitions.layers_here(connection).get(key), definitions.known_layers(connection).get(key)
    if here is not None and known is not None and known.live:
        cells = known.definition.cells
        _write_cells(connection, here, {n: cells[n] for n in here.cells if n in cells and here.cells[n] != cells[n]})
    elif here is not None:
        spatial.unregister(connection, here.table)
        connection.execute("DELETE FROM planner_layer WHERE uuid = ?", (key,))
    elif known is not None and known.live and _table_exists(connection, known.table):
        _bring_back(connection, known.definition, known)
    else:
        _discard_plan(connection, key)


def _discard_plan(connection: sqlite3.Connection, key: str) -> None:
    theirs = definitions.known_plans(connection).get(key)
    if theirs is not None:
        registry.write_plan(connection, _plan(key, theirs))
    elif not connection.execute("SELECT 1 FROM planner_layer WHERE plan_id = ?", (key,)).fetchone():
        connection.execute("DELETE FROM planner_plan WHERE id = ?", (key,))


def missing_layers(project: Project, pull: Pull, scope: Scope) -> list[LayerDef]:
    """Layers of the server that the file should hold and does not."""
    with project.door.read() as connection:
        here, known = definitions.layers_here(connection), definitions.known_layers(connection)
    return [
        received.layer(one)
        for one in pull.layers
        if one.uuid not in here
        and (scope.layers is None or one.uuid in scope.layers)
        and not (one.uuid in known and known[one.uuid].live and known[one.uuid].table)
    ]


def fetch_layer(project: Project, pull: Pull, layer: LayerDef, scope: Scope, progress: Progress) -> int:
    """Make a layer of the server's with all its records; seen by nobody until it is whole. Returns their number."""
    values, places = layer.cells, received.places(layer.fields)
    fields = tuple(layer.fields[number] for number in places)
    new = NewLayer(
        values["name"], layer.geometry, fields, role=values["role"], class_field=values["class_field"],
        class_standard=values["class_standard"], label_field=values["label_field"], source=values["source"],
        source_crs=values["source_crs"], qml=values["style"], extra=json.loads(values["extra"]),
    )  # fmt: skip
    batches = _batches(pull.bulk(layer.uuid, scope), layer, places, progress)
    filled = bulk.fill(
        project.door, new, project.srid, batches, progress, table=layer.table.strip("_"), known_as=layer.uuid,
        shape=(layer.multi, layer.has_z),
    )  # fmt: skip
    try:
        with (
            project.transaction(relaxed=True) as connection,
            project.logged(connection, PULL_COMMAND, {"layer": new.name}, origin=replica.SYNC) as entry,
        ):
            bulk.register(connection, new, filled, project.srid)
            connection.execute(
                "UPDATE planner_layer SET plan_id = ?, locked = ? WHERE uuid = ?",
                (values["plan_id"], int(values["locked"] == "true"), layer.uuid),
            )
            definitions.remember_layer(connection, layer, filled.name)
            entry.rows = filled.rows
    except BaseException:
        bulk.discard(project.door, filled.name)
        raise
    project.tell(entry.changes)
    return filled.rows


def _batches(pages: Iterator[Page], layer: LayerDef, places: list[int], progress: Progress) -> Iterator[Batch]:
    for page in pages:
        check(progress)
        columns = {layer.fields[number].name: page.columns[number] for number in places}
        yield Batch(page.shapes if layer.geometry != "none" else (), columns, page.uuids)


def writer_columns(connection: sqlite3.Connection, known: Known) -> dict[str, Any]:
    """Columns of a layer here that the server has too."""
    here = definitions.layers_here(connection)[known.uuid]
    live = capture.slots(connection, known.table)
    return definitions.columns(known.definition, [field for field in here.fields if field.name in live])
