"""A city server over PostgreSQL's own protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress, check
from planner_app.sync.server import packing, wire
from planner_app.sync.server.pull import PostgresPull, Registry
from planner_app.sync.server.session import label, open_connection, parameters, worded
from planner_app.sync.transport import Pull
from planner_app.sync.types import (
    PROTOCOL,
    Blob,
    DefChange,
    Head,
    HistoryRow,
    LayerDef,
    LayerRight,
    Page,
    ProjectDef,
    PushHeader,
    PushResult,
    RemoteRow,
    Revision,
    Rights,
    RowChange,
    Scope,
    ServerInfo,
    Why,
)

#: Readings per statement; batches asked for at first.
_READINGS = 25_000
_BATCHES = 64
#: How often three seconds are spent waiting for readers of a table that gets a new field.
_PREPARE_TRIES = 10
#: A commit that takes longer is given up, so that the others get their turn.
_COMMIT_MS = 300_000


class PostgresTransport:
    """:class:`planner_app.sync.transport.Transport` on PostgreSQL.

    Args:
        dsn: conninfo, URI or ``service=…``; password: if libpq finds none itself.

    Raises:
        PlannerError: as :func:`planner_app.sync.server.session.open_connection`.
    """

    def __init__(self, dsn: str, password: str | None = None) -> None:
        self.server = label(parameters(dsn))
        self._connection = open_connection(dsn, password)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _one(self, statement: str, *values: Any) -> Any:
        """The single value of a statement."""
        with worded(self.server):
            row = self._connection.execute(statement.encode(), values, binary=True).fetchone()
        return None if row is None else row[0]

    def _run(self, statement: str) -> None:
        with worded(self.server):
            self._connection.execute(statement.encode())

    def hello(self) -> ServerInfo:
        """Who answers and as whom we speak."""
        said = self._one("SELECT planner.hello()")
        if said["protocol"] != PROTOCOL:
            code = "sync.too_old" if said["protocol"] > PROTOCOL else "sync.server_too_old"
            raise PlannerError(code, server=self.server, ours=PROTOCOL, theirs=said["protocol"])
        if said["role"] is None:
            raise PlannerError("sync.not_a_member", server=self.server)
        projects = tuple(ProjectDef(p["uuid"], p["name"], p["crs"]) for p in said["projects"])
        return ServerInfo(str(said["version"]), said["protocol"], said["user"], said["role"], projects)

    def register(self, project: ProjectDef) -> None:
        """Make a project known."""
        self._answer(
            self._one("SELECT planner.register(%s, %s, %s)", project.uuid, project.name, project.crs), project.name
        )

    def _answer(self, said: dict[str, Any], name: str = "") -> dict[str, Any]:
        if "error" in said:
            given = {key: value for key, value in said.items() if key != "error"}
            raise PlannerError(said["error"], **({"server": self.server, "name": name} | given))
        return said

    def rights(self, project: str) -> Rights:
        """What the user may do."""
        said = self._one("SELECT planner.my_rights(%s)", project)
        layers = {
            r["layer"]: LayerRight(
                r["layer"], r["read"], r["write"], None if r["columns"] is None else frozenset(r["columns"]),
                None if r["district"] is None else bytes.fromhex(r["district"]),
            )
            for r in said["layers"]
        }  # fmt: skip
        return Rights(said["role"], said["stamp"], said["add_layers"], layers)

    def head(self, project: str, at: int = 0) -> Head:
        """Where a project stands."""
        return Head(**self._one("SELECT planner.head(%s, %s)", project, at))

    # push

    def stage(
        self, push: PushHeader, definitions: Sequence[DefChange], rows: Iterable[RowChange], progress: Progress
    ) -> None:
        """Send what is to be pushed, in pieces that are there once sent: after a cut it goes on behind them."""
        from psycopg.types.json import Jsonb

        wanted = Jsonb([wire.definition_json(d) for d in definitions])
        there = self._begin(push, wanted)
        pending: list[tuple[Any, ...]] = []
        size = 0
        for ordinal, (weight, row) in enumerate(wire.stage_rows(UUID(push.push_id), rows, 1), 1):
            if ordinal <= there:
                continue
            pending.append(row)
            size += weight
            if len(pending) == wire.CHUNK_ROWS or size > wire.CHUNK_BYTES:
                check(progress)
                self._copy(f"planner.stage ({wire.STAGE_COLUMNS})", wire.STAGE_TYPES, pending)
                progress.update(min(1.0, ordinal / max(push.rows, 1)), "stage.sync_upload")
                pending, size = [], 0
        if pending:
            self._copy(f"planner.stage ({wire.STAGE_COLUMNS})", wire.STAGE_TYPES, pending)
        if any(d.layer is not None and d.layer.fields for d in definitions):
            self._prepare(push)

    def _begin(self, push: PushHeader, definitions: Any = None) -> int:
        there = self._one(
            "SELECT planner.stage_begin(%s, %s, %s, %s)", push.push_id, push.project, push.digest, definitions
        )
        if there < 0:
            raise PlannerError("sync.denied", server=self.server)
        return int(there)

    def _prepare(self, push: PushHeader) -> None:
        """Columns to be: made before the commit, since a slow reader of the table can be in the way."""
        for _ in range(_PREPARE_TRIES):
            if self._one("SELECT planner.stage_fields(%s)", push.push_id):
                return
        raise PlannerError("sync.server_busy", server=self.server)

    def _copy(self, target: str, types: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        from psycopg.copy import QueuedLibpqWriter

        command = f"COPY {target} FROM STDIN (FORMAT BINARY)".encode()
        with (
            worded(self.server),
            self._connection.cursor() as cursor,
            # Sent by a thread of its own while the next rows are made.
            cursor.copy(command, writer=QueuedLibpqWriter(cursor)) as copy,
        ):
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def _copy_packed(self, command: bytes, rows: Sequence[bytes]) -> None:
        with self._connection.cursor() as cursor, cursor.copy(command) as copy:
            for part in (packing.HEAD, *rows, packing.TAIL):
                copy.write(part)

    def stage_layer(
        self,
        push: PushHeader,
        layer: LayerDef,
        pages: Iterable[Page],
        progress: Progress,
    ) -> None:
        """Send a whole new layer; after a cut it goes on behind the rows that are there."""
        from psycopg.types.json import Jsonb

        self._begin(push)
        begun = self._answer(
            self._one("SELECT planner.stage_layer_begin(%s, %s)", push.push_id, Jsonb(wire.layer_json(layer)))
        )
        if "refused" in begun or begun["ready"]:
            return  # the commit says why
        srid = int(self._one("SELECT planner.registry(%s)", push.project)["srid"])
        packer = packing.Packer(layer, srid)
        command = f'COPY planner_stage."{begun["table"]}" FROM STDIN (FORMAT BINARY)'.encode()
        made = packing.pieces(packer, pages, int(begun["rows"]), wire.CHUNK_BYTES)
        # Each piece is there once sent; the next one is made while the server takes it.
        with worded(self.server), ThreadPoolExecutor(1) as sender:
            sent = None
            for piece in made:
                check(progress)
                if sent is not None:
                    sent.result()
                sent = sender.submit(self._copy_packed, command, piece)
                progress.update(None, "stage.sync_upload")
            if sent is not None:
                sent.result()
        faults = Jsonb([{"uuid": u, "code": c, "reason": r} for u, c, r in packer.faults])
        self._answer(self._one("SELECT planner.stage_layer_end(%s, %s, %s)", push.push_id, layer.uuid, faults))

    def commit(self, push: PushHeader) -> PushResult:
        """Make a revision of what is staged."""
        from psycopg.types.json import Jsonb

        for _ in range(3):
            self._run(f"SET statement_timeout = {_COMMIT_MS}")
            said = self._answer(
                self._one(
                    "SELECT planner.commit_push(%s, %s, %s, %s, %s, %s, %s, %s)", push.push_id, push.project,
                    push.client_id, push.seen, push.rows, push.digest, Jsonb(wire.why_json(push.why)), push.message,
                )
            )  # fmt: skip
            self._run("SET statement_timeout = 0")
            if said.get("behind"):
                return PushResult(behind=True)
            if not said.get("again"):
                return wire.result_of(said)
            self._prepare(push)
        raise PlannerError("sync.server_busy", server=self.server)

    def result(self, project: str, push_id: str) -> PushResult | None:
        """What became of a push."""
        said = self._one("SELECT planner.push_result(%s, %s)", project, push_id)
        return None if said is None else wire.result_of(said)

    @contextmanager
    def pull(self, project: str, after: int) -> Iterator[Pull]:
        """One snapshot to read from."""
        import psycopg

        with worded(self.server):
            self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            head = self.head(project, after)
            yield PostgresPull(
                self._connection, self.server, project, after, head, self._one("SELECT planner.registry(%s)", project)
            )
        finally:
            try:
                self._connection.execute("ROLLBACK")
            except psycopg.Error:
                self._connection.close()  # it broke; the next call says so
        self._one("SELECT planner.note_client(%s, %s)", project, head.revision)

    # attachments

    def blob_pieces(self, project: str, sha256: str) -> set[int] | None:
        """Pieces the server has of an unfinished attachment."""
        there = self._one("SELECT planner.blob_pieces(%s, %s)", project, sha256)
        return None if there is None else set(there)

    def put_piece(self, project: str, sha256: str, number: int, data: bytes) -> None:
        """Send a piece."""
        self._said(self._one("SELECT planner.put_piece(%s, %s, %s, %b)", project, sha256, number, data), sha256)

    def finish_blob(self, project: str, blob: Blob) -> None:
        """Count an attachment in."""
        self._said(
            self._one(
                "SELECT planner.finish_blob(%s, %s, %s, %s, %s, %s)", project, blob.sha256, blob.name, blob.media_type,
                blob.size, blob.chunks,
            ),
            blob.sha256,
        )  # fmt: skip

    def _said(self, code: str, sha256: str) -> None:
        if code:
            raise PlannerError(code, server=self.server, sha256=sha256)

    def blobs(self, project: str) -> list[Blob]:
        """Heads of all attachments."""
        with worded(self.server):
            return [Blob(*row) for row in self._connection.execute("SELECT * FROM planner.blobs(%s)", (project,))]

    def get_piece(self, project: str, sha256: str, number: int) -> bytes:
        """A piece of an attachment.

        Raises:
            PlannerError: ``sync.blob_missing``.
        """
        piece = self._one("SELECT planner.get_piece(%s, %s, %s)", project, sha256, number)
        if piece is None:
            raise PlannerError("sync.blob_missing", server=self.server, sha256=sha256)
        return bytes(piece)

    # readings

    def put_readings(self, project: str, rows: Sequence[tuple[int, int, float | None, int]]) -> int:
        """Send readings; each (sensor, time) counts once."""
        new = 0
        for start in range(0, len(rows), _READINGS):
            sensor, ts, value, quality = (list(part) for part in zip(*rows[start : start + _READINGS], strict=True))
            made = self._one(
                "SELECT planner.put_readings(%s, %b::bigint[], %b::bigint[], %b::double precision[], %b::smallint[])",
                project, sensor, ts, value, quality,
            )  # fmt: skip
            if made < 0:
                raise PlannerError("sync.denied" if made == -1 else "sync.server_busy", server=self.server)
            new += made
        return new

    def readings(self, project: str, after: int) -> Iterator[tuple[int, int, int, float | None, int]]:
        """Readings of batches after a number."""
        last, step = int(self._one("SELECT planner.reading_batches(%s)", project)), _BATCHES
        while after < last:
            until = min(after + step, last)
            with worded(self.server):
                rows = self._connection.execute(
                    "SELECT * FROM planner.readings(%s, %s, %s)", (project, after, until), binary=True
                ).fetchall()
            yield from rows
            step = max(1, min(step * 2 if len(rows) < 2 * _READINGS else step // 2, 100_000))
            after = until

    # audit

    def revisions(self, project: str, *, before: int = 0, limit: int = 100) -> list[Revision]:
        """Revisions, newest first."""
        made = []
        for r in self._one("SELECT planner.revisions(%s, %s, %s)", project, before, limit):
            why = tuple(Why(w["command"], w["params"], w["time"], w["rows"]) for w in r.pop("why"))
            made.append(Revision(**r, why=why))
        return made

    def history(
        self,
        project: str,
        *,
        revision: int = 0,
        layer: str = "",
        uuid: str = "",
        box: tuple[float, float, float, float] | None = None,
        limit: int = 200,
    ) -> list[HistoryRow]:
        """Changes of a revision, a record or a place; a layer that came whole counts as inserts of its records."""
        layers = Registry(self._one("SELECT planner.registry(%s)", project))
        with worded(self.server):
            found = self._connection.execute(
                "SELECT * FROM planner.history(%s, %s, %s, %s, %s::double precision[], %s)",
                (project, revision, layer or None, uuid or None, None if box is None else list(box), limit),
                binary=True,
            ).fetchall()
        made = []
        for number, of, record, operation, slots, before, after, *geometries in found:
            old, new = ({} if side is None else layers.cells[str(of)].some(side, slots) for side in (before, after))
            made.append(HistoryRow(number, str(of), str(record), operation, old, new, *geometries))
        for key, since in layers.since.items():
            wanted = (uuid and layer in ("", key) and not revision) or revision == since
            if since and wanted and (not layer or layer == key) and len(made) < limit:
                made += self._arrivals(project, key, layers.cells[key], since, uuid, box, limit - len(made))
        return made

    def _arrivals(
        self, project: str, layer: str, names: wire.Cells, since: int, uuid: str,
        box: tuple[float, float, float, float] | None, limit: int,
    ) -> list[HistoryRow]:  # fmt: skip
        with worded(self.server):
            found = self._connection.execute(
                "SELECT * FROM planner.as_of(%s, %s, %s, %s::double precision[], %s) LIMIT %s",
                (project, layer, since, None if box is None else list(box), uuid or None, limit),
                binary=True,
            ).fetchall()
        rows = []
        for record, _, cells, geometry in found:
            after = {name: cell for name, cell in names.whole(cells).items() if cell is not None}
            rows.append(HistoryRow(since, layer, str(record), "insert", {}, after, None, geometry))
        return rows

    def as_of(self, project: str, layer: str, revision: int, scope: Scope) -> Iterator[RemoteRow]:
        """A layer as it was."""
        if scope.layers is not None and layer not in scope.layers:
            return
        layers = Registry(self._one("SELECT planner.registry(%s)", project))
        if layer not in layers.defs:
            return
        whole = layers.cells[layer].whole
        with worded(self.server), self._connection.cursor(binary=True) as cursor:
            values = (project, layer, revision, None if scope.box is None else list(scope.box))
            cursor.execute("SELECT * FROM planner.as_of(%s, %s, %s, %s::double precision[])", values)
            for record, number, cells, geometry in cursor:
                yield RemoteRow(str(record), number, False, None, whole(cells), geometry)
