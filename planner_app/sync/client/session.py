"""One project file and one server: register, pull, push, both; how the file stands."""

from __future__ import annotations

import random
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Final, Literal, cast

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, SubProgress
from planner_app.project import Project, replica
from planner_app.sync.client import definitions, escaped, files, looks, outbox, pulling, pushing, readings, standing
from planner_app.sync.client.conflicts import Choice, Conflict, ResolveConflicts, conflicts
from planner_app.sync.client.quarantine import Quarantined, quarantine
from planner_app.sync.client.traffic import Metered
from planner_app.sync.transport import Transport
from planner_app.sync.types import ProjectDef, Rights, Scope

#: How often a push is tried while others push the same records.
_TRIES: Final = 12

Resolve = Literal["ask", "ours", "theirs"]
StateKind = Literal["synced", "held", "ahead", "behind", "conflicts", "offline", "unregistered"]


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did: records (and definitions) sent and taken over, what waits for a person, where the file stands.

    ``bytes``: content sent and received, as :class:`~planner_app.sync.client.traffic.Metered` counts it. A dry run says
    what would be done and counts no bytes. ``pulled`` counts what changed in the file. ``settled``: conflicts that
    ``resolve`` decided, and for whom. ``readings_kept``: sensors whose readings stay here, since the user's role sends
    none.
    """

    pushed: int = 0
    pulled: int = 0
    conflicts: tuple[Conflict, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    revision: int = 0
    bytes: int = 0
    seconds: float = 0.0
    settled: tuple[tuple[Conflict, Choice], ...] = ()
    readings_kept: int = 0


@dataclass(frozen=True, slots=True)
class SyncState:
    """How a file stands, as far as it knows itself.

    Attributes:
        kind: the first of ``unregistered``, ``conflicts``, ``offline`` (the last try found no server), ``behind``,
            ``ahead``, ``held`` (all that is not on the server is held back), ``synced`` that is true.
        to_push: records changed here that the next sync sends; to_pull: as the last look at the server counted them.
        quarantined: records and definitions held back; they count in ``to_push`` only once a fix was chosen.
        last: when it was last in step with the server, ISO 8601 UTC; offline_since: the first failed try after that.
        server: address without password; revision: the server's that the file holds.
    """

    kind: StateKind
    to_push: int = 0
    to_pull: int = 0
    conflicts: int = 0
    quarantined: int = 0
    last: str = ""
    offline_since: str = ""
    server: str = ""
    revision: int = 0


def state(project: Project) -> SyncState:
    """How a file stands; cheap, without a connection."""
    with project.door.read() as connection:
        if not replica.is_replica(connection):
            return SyncState("unregistered")

        def number(table: str) -> int:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

        conflicts_, held = number("planner_replica_conflict"), number("planner_replica_quarantine")
        rows = number("planner_replica_quarantine WHERE uuid <> '' AND seq <> -1")
        waiting = {row[0] for row in connection.execute(
            "SELECT layer FROM planner_replica_quarantine WHERE uuid = '' AND code <> 'sync.field_type' AND seq <> -1"
        )}  # fmt: skip
        registry = sum(change.key not in waiting for change in definitions.changes(connection))
        ahead = max(0, outbox.count(connection) - rows) + registry
        behind = int(replica.get(connection, "waiting", "0"))
        offline = replica.get(connection, "offline_since")
        kinds: list[tuple[object, StateKind]] = [
            (conflicts_, "conflicts"), (offline, "offline"), (behind, "behind"), (ahead, "ahead"), (held, "held"),
        ]  # fmt: skip
        kind: StateKind = next((kind for true, kind in kinds if true), "synced")
        return SyncState(
            kind, ahead, behind, conflicts_, held, replica.get(connection, "last"), offline,
            replica.get(connection, "server"), int(replica.get(connection, "cursor", "0")),
        )  # fmt: skip


def rights(project: Project) -> Rights | None:
    """The user's rights as the last sync learnt them, layers by their UUID; None where the file has no server."""
    with project.door.read() as connection:
        return standing.rights(connection) if replica.is_replica(connection) else None


def scope(project: Project) -> Scope:
    """What the file holds of the project on the server."""
    with project.door.read() as connection:
        return standing.scope(connection) if replica.is_replica(connection) else Scope()


class Syncer:
    """Syncs an open project over a transport; used by one thread, which may be another than the project's other users'.

    Every method may be cancelled or cut off at any point; calling it again goes on where it stopped. They raise what
    the transport raises and ``sync.history_changed`` (the server's past is not what this file has seen),
    ``sync.server_older`` (it was set back behind this file), ``sync.too_many_tries`` (others pushed the same records
    again and again).

    Args:
        server: the address to remember in the file once it is seen to be the right one; never with a password.
        name: what the project is called from its registration on, if not as before.
    """

    def __init__(self, project: Project, transport: Transport, *, server: str = "", name: str = "") -> None:
        self.project, self.transport, self.server, self.name = project, transport, server, name

    def register(self) -> None:
        """Make the project known to the server; nothing if it is.

        Raises:
            PlannerError: ``sync.may_not_register``, ``sync.registered_already`` where another name was given,
                ``sync.name_taken``, ``sync.project_name``.
        """
        with self._offline_noted():
            with self.project.door.read() as connection:
                meta = dict(connection.execute("SELECT key, value FROM planner_meta").fetchall())
                known, client = replica.get(connection, "project"), replica.get(connection, "client_id")
            name = self.name or meta["name"]
            if known and name != meta["name"]:
                raise PlannerError("sync.registered_already", project=meta["name"])
            if not known:
                try:
                    self.transport.register(ProjectDef(meta["uuid"], name, meta["crs"]))
                except PlannerError as error:
                    if error.code != "sync.denied":
                        raise
                    raise PlannerError("sync.may_not_register", project=name) from None
                name = self._name_there(meta["uuid"], name)
                if self.transport.head(meta["uuid"]).revision == 0:
                    looks.note(self.project)
            with self.project.door.write(relaxed=True) as connection:
                replica.put(connection, project=meta["uuid"], client_id=client or uuid.uuid4())
                if not known:
                    replica.put(connection, server=self.server)
                    readings.mark_all(connection)
                    connection.execute("UPDATE planner_meta SET value = ? WHERE key = 'name'", (name,))
                    self.project.name = name

    def look(self) -> SyncState:
        """Ask the server how far it is, without taking anything over."""
        with self._offline_noted():
            with self.project.door.read() as connection:
                key, cursor, chain = standing.place(connection)
            head = self.transport.head(key, cursor)
            pulling.check_past(head, cursor, chain)
            with self.project.door.write(relaxed=True) as connection:
                replica.put(connection, head=head.revision, waiting=head.revision - cursor, offline_since="")
        return state(self.project)

    def pull(self, progress: Progress | None = None) -> SyncReport:
        """Merge what the server has."""
        return self._do(progress, pushing_too=False)

    def push(self, progress: Progress | None = None, *, message: str = "") -> SyncReport:
        """Pull, then send what was changed here."""
        return self._do(progress, message=message)

    def sync(
        self,
        progress: Progress | None = None,
        resolve: Resolve = "ask",
        *,
        dry_run: bool = False,
        message: str = "",
    ) -> SyncReport:
        """Both, with attachments and readings; registers the project first if need be.

        Args:
            resolve: conflicts wait for a person (``ask``), or mine (``ours``) or the server's (``theirs``) wins.
            dry_run: only say what would be done.
        """
        if dry_run:
            return self._dry_run(progress or NoProgress(), resolve)
        self.register()
        return self._do(progress, resolve=resolve, message=message, everything=True)

    def fetch_attachment(self, sha256: str, progress: Progress | None = None) -> None:
        """Bring an attachment's content into the file, if it is not there; goes on after a cut.

        Raises:
            PlannerError: ``attachment.missing`` if the server does not have it either.
        """
        with self._offline_noted():
            files.fetch(self.project, self.transport, sha256, progress or NoProgress())

    # ---------------------------------------------------------------- inside

    def _do(
        self,
        progress: Progress | None,
        *,
        resolve: Resolve = "ask",
        message: str = "",
        pushing_too: bool = True,
        everything: bool = False,
    ) -> SyncReport:
        started, progress = time.perf_counter(), progress or NoProgress()
        total, meter = SyncReport(), Metered(self.transport)
        line = cast(Transport, meter)
        with self._offline_noted():
            self.project.look_at_tables()
            pushing.recover(self.project, line)
            escaped.recall(self.project, line)
            for attempt in range(_TRIES):
                part = SubProgress(progress, 0.0 if not attempt else 0.4, 0.5)
                taken = pulling.pull(self.project, line, part)
                self._remember_server()
                total = replace(total, pulled=total.pulled + taken.rows)
                if not pushing_too:
                    break
                if resolve != "ask":
                    total = replace(total, settled=total.settled + _resolve(self.project, resolve))
                if everything and not attempt:
                    self._send_files(line, SubProgress(progress, 0.5, 0.6))
                sent = self._push(line, SubProgress(progress, 0.6, 0.9), message)
                total = replace(total, pushed=total.pushed + sent.rows)
                if not sent.behind and not (sent.rows and (sent.more or self._to_compare())):
                    break
                if not sent.behind:
                    continue
                # Somebody else was faster on the same records. Whoever waits longer meets nobody.
                time.sleep(random.uniform(0.0, 0.05 * 2 ** min(attempt, 5)))  # noqa: S311
            else:
                raise PlannerError("sync.too_many_tries", tries=_TRIES)
            if everything:
                self._fetch_heads(line, progress)
        with self.project.door.read() as connection:
            cursor, kept = int(replica.get(connection, "cursor", "0")), readings.kept(connection)
        progress.update(1.0)
        return replace(
            total, conflicts=tuple(conflicts(self.project)), quarantined=tuple(quarantine(self.project)),
            revision=cursor, bytes=meter.bytes, seconds=time.perf_counter() - started, readings_kept=kept,
        )  # fmt: skip

    def _push(self, line: Transport, progress: Progress, message: str) -> pushing.Pushed:
        try:
            return pushing.push(self.project, line, progress, message)
        except PlannerError as error:
            if error.code != "sync.under_way":
                raise
            return pushing.Pushed(behind=True)  # another program is sending the same from this file: look again

    def _to_compare(self) -> bool:
        """Did this push bring back a layer whose records must be looked at before they are sent?"""
        with self.project.door.read() as connection:
            here = definitions.layers_here(connection)
            return bool(standing.to_compare(connection) & here.keys())

    def _send_files(self, line: Transport, progress: Progress) -> None:
        files.send(self.project, line, progress)
        readings.send(self.project, line, progress)

    def _fetch_heads(self, line: Transport, progress: Progress) -> None:
        files.heads(self.project, line)
        readings.fetch(self.project, line, progress)

    def _dry_run(self, progress: Progress, resolve: Resolve) -> SyncReport:
        """The pull on a copy of the file; what would be sent of that."""
        started = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="planner-sync-") as folder:
            path = Path(folder) / "copy.planner"
            self.project.save_copy(path, SubProgress(progress, 0.0, 0.3))
            with Project.open(path) as copy:
                taken = pulling.Pulled()
                settled: tuple[tuple[Conflict, Choice], ...] = ()
                if state(copy).kind != "unregistered":
                    taken = pulling.pull(copy, self.transport, SubProgress(progress, 0.3, 0.9))
                if resolve != "ask":
                    settled = _resolve(copy, resolve)
                made = pushing.frozen(copy)
                rows = len(made.definitions) + len(made.rows) + sum(copy.count(one.table) for one in made.whole)
                return SyncReport(
                    rows, taken.rows, tuple(conflicts(copy)), tuple(quarantine(copy)), taken.revision,
                    seconds=time.perf_counter() - started, settled=settled,
                )  # fmt: skip

    def _name_there(self, key: str, name: str) -> str:
        """What the server calls the project: a copy of the file may have been there before."""
        there = next((one.name for one in self.transport.hello().projects if one.uuid == key), name)
        if self.name and there != self.name:
            raise PlannerError("sync.registered_already", project=there)
        return there

    def _remember_server(self) -> None:
        with self.project.door.read() as connection:
            known = replica.get(connection, "server")
        if self.server and self.server != known:
            with self.project.door.write(relaxed=True) as connection:
                replica.put(connection, server=self.server)

    @contextmanager
    def _offline_noted(self) -> Iterator[None]:
        try:
            yield
        except PlannerError as error:
            if error.code == "sync.offline":
                note_offline(self.project)
            raise


def note_offline(project: Project) -> None:
    """Remember since when the file's server cannot be reached."""
    if not project.door.read_only:
        with project.door.write(relaxed=True) as connection:
            if replica.is_replica(connection) and not replica.get(connection, "offline_since"):
                replica.put(connection, offline_since=standing.now())


def _resolve(project: Project, resolve: Resolve) -> tuple[tuple[Conflict, Choice], ...]:
    """Settle what waits, and tell what was; what cannot be settled so (the layer is locked by now) goes on waiting."""
    waiting = conflicts(project)
    choice: Choice = "mine" if resolve == "ours" else "theirs"
    # Deleted here since: whoever did that has decided, and there is nothing to write into.
    gone = tuple(one.id for one in waiting if one.kind == "cell" and one.fid is None)
    records: dict[tuple[str, str], list[int]] = {}
    for one in waiting:
        if one.id not in gone:
            records.setdefault((one.layer, one.uuid), []).append(one.id)
    if gone:
        project.execute(ResolveConflicts(gone, "theirs"))
    if records:
        try:
            project.execute(ResolveConflicts(tuple(chain.from_iterable(records.values())), choice))
        except PlannerError:
            for ids in records.values():
                with suppress(PlannerError):
                    project.execute(ResolveConflicts(tuple(ids), choice))
    left = {one.id for one in conflicts(project)} if waiting else set()
    return tuple((one, "theirs" if one.id in gone else choice) for one in waiting if one.id not in left)
