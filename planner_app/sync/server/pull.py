"""Reading one state of a project: what changed since a revision, and whole layers under their policies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from planner_app.sync.server import copying, wire
from planner_app.sync.server.session import worded
from planner_app.sync.types import DefChange, Head, LayerDef, Operation, Page, RemoteRow, Scope

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

#: Rows that are read together in bulk.
_BATCH = 5000


class Registry:
    """The server's registry: definitions by UUID with where their records are."""

    def __init__(self, registry: dict[str, Any]) -> None:
        self.project = int(registry["id"])
        self.srid = int(registry["srid"])
        self.data: dict[str, dict[str, Any]] = {data["uuid"]: data for data in registry["layers"]}
        self.defs = {uuid: wire.layer_of(data) for uuid, data in self.data.items()}
        self.cells = {uuid: wire.Cells(layer.fields) for uuid, layer in self.defs.items()}
        self.since = {uuid: int(data["since"]) for uuid, data in self.data.items()}


class PostgresPull:
    """:class:`planner_app.sync.transport.Pull` in one transaction that sees one state."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        server: str,
        project: str,
        after: int,
        head: Head,
        registry: dict[str, Any],
    ) -> None:
        self._connection, self._server, self._project, self._after = connection, server, project, after
        self.head = head
        self._registry = registry
        self._layers = Registry(registry)
        self.layers: Sequence[LayerDef] = [
            self._layers.defs[uuid] for uuid, data in self._layers.data.items() if not data["retired"]
        ]
        self.definitions: Sequence[DefChange] = self._changed()

    def _changed(self) -> list[DefChange]:
        """Registry changes since, plans before the layers that name them."""
        made: list[DefChange] = []
        for data in sorted(self._registry["plans"], key=lambda d: d["changed"]):
            if self._is_news(data):
                made.append(DefChange("plan", data["id"], self._operation(data), dict(data["cells"])))
        for data in sorted(self._registry["layers"], key=lambda d: d["changed"]):
            if self._is_news(data):
                key = data["uuid"]
                made.append(DefChange("layer", key, self._operation(data), dict(data["cells"]), self._layers.defs[key]))
        return made

    def _is_news(self, data: dict[str, Any]) -> bool:
        return bool(data["changed"] > self._after and not (data["retired"] and data["made"] > self._after))

    def _operation(self, data: dict[str, Any]) -> Operation:
        return "delete" if data["retired"] else "insert" if data["made"] > self._after else "update"

    def _skip(self, layer: str, scope: Scope) -> bool:
        data = self._layers.data.get(layer)
        return data is None or data["retired"] or (scope.layers is not None and layer not in scope.layers)

    def changes(self, layer: str, scope: Scope) -> Iterator[RemoteRow]:
        """Records that changed since."""
        if self._skip(layer, scope):
            return
        # A layer that came whole after the asker last looked is not in the log one by one.
        if self._layers.since[layer] > self._after:
            yield from self.rows(layer, scope)
            return
        with worded(self._server), self._connection.cursor(binary=True) as cursor:
            box = None if scope.box is None else list(scope.box)
            values = (self._project, layer, self._after, self.head.revision, box)
            cursor.execute("SELECT * FROM planner.pull_changes(%s, %s, %s, %s, %s::double precision[])", values)
            row = self._layers.cells[layer].row
            for found in cursor:
                yield row(*found)

    def rows(self, layer: str, scope: Scope, uuids: Sequence[str] | None = None) -> Iterator[RemoteRow]:
        """Whole records as they are now."""
        for uuid, revision, geometry, *cells in self._read(layer, scope, "rev", "{}::text", "text", uuids):
            yield RemoteRow(uuid, revision, False, None, self._layers.cells[layer].whole(cells), geometry)

    def bulk(self, layer: str, scope: Scope) -> Iterator[Page]:
        """The same, fast and in no order, for a file's first filling."""
        if self._skip(layer, scope):
            return
        query, types = self._query(layer, scope, "", "", "", None)
        with worded(self._server), self._connection.cursor() as cursor, cursor.copy(query) as copy:
            for size, (uuids, shapes, *values) in copying.columns(copy, ["uuid", *types[1:]], _BATCH):
                yield Page(uuids, shapes, values, size)

    def keys(self, layer: str, scope: Scope) -> Iterator[str]:
        """UUIDs of all records in the scope that the user may see."""
        for (uuid,) in self._read(layer, scope, None, "", "", None):
            yield uuid

    def _read(
        self, layer: str, scope: Scope, revision: str | None, cast: str, cast_type: str, uuids: Sequence[str] | None
    ) -> Iterator[tuple[Any, ...]]:
        """COPY of a layer's table under its policies: uuid, then (unless ``revision`` is None) rev, WKB, fields."""
        if self._skip(layer, scope):
            return
        query, types = self._query(layer, scope, revision, cast, cast_type, uuids)
        with worded(self._server), self._connection.cursor() as cursor, cursor.copy(query) as copy:
            copy.set_types(types)
            yield from copy.rows()

    def _query(
        self, layer: str, scope: Scope, revision: str | None, cast: str, cast_type: str, uuids: Sequence[str] | None
    ) -> tuple[sql.Composed, list[str]]:
        """The COPY, and the types of its columns. In bulk (``revision`` is empty) UUIDs come as they are."""
        from psycopg import sql

        data, definition = self._layers.data[layer], self._layers.defs[layer]
        spatial = definition.geometry != "none"
        columns: list[sql.Composable] = [sql.SQL("uuid" if revision == "" else "uuid::text")]
        types = ["text"]
        if revision:
            columns, types = [*columns, sql.SQL("rev")], [*types, "int8"]
        if revision is not None:
            shape = sql.SQL("{}.ST_AsBinary(geom, 'NDR')").format(self._postgis) if spatial else sql.SQL("NULL::bytea")
            columns, types = [*columns, shape], [*types, "bytea"]
            for field in data["fields"]:
                how, kind = (cast, cast_type) if cast else _AS_SQLITE[field["type"]]
                columns.append(sql.SQL(how).format(sql.Identifier(field["column"])))
                types.append(kind)
        where: list[sql.Composable] = [sql.SQL("true")]
        if scope.box is not None and spatial:
            box = sql.SQL(", ").join(sql.Literal(float(edge)) for edge in scope.box)
            where.append(
                sql.SQL("(geom IS NULL OR (geom OPERATOR({postgis}.&&) {postgis}.ST_MakeEnvelope({box}, {srid}) "
                        "AND planner.in_box(geom, ARRAY[{box}]::double precision[])))").format(
                    postgis=self._postgis, box=box, srid=sql.Literal(self._layers.srid)
                )
            )  # fmt: skip
        if uuids is not None:
            where.append(sql.SQL("uuid = ANY ({}::uuid[])").format(sql.Literal([u for u in uuids if wire.is_uuid(u)])))
        table = sql.Identifier(f"project_{self._layers.project}", data["table"])
        query = sql.SQL("COPY (SELECT {} FROM {} WHERE {}{}) TO STDOUT (FORMAT BINARY)").format(
            sql.SQL(", ").join(columns), table, sql.SQL(" AND ").join(where),
            sql.SQL("" if revision == "" else " ORDER BY uuid"),
        )  # fmt: skip
        return query, types

    @cached_property
    def _postgis(self) -> Any:
        from psycopg import sql

        with worded(self._server):
            row = self._connection.execute(
                "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
                "WHERE e.extname = 'postgis'"
            ).fetchone()
        return sql.Identifier(row[0] if row else "public")


#: How a column is read so that its value is what SQLite keeps: (expression, type).
_AS_SQLITE = {
    "integer": ("{}", "int8"), "real": ("{}", "float8"), "text": ("{}", "text"), "datetime": ("{}", "text"),
    "boolean": ("{}::int", "int4"), "date": ("{}::text", "text"), "blob": ("{}", "bytea"),
}  # fmt: skip
