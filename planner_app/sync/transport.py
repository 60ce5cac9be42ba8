"""What carries a sync. PostgreSQL is one carrier; a gateway over HTTPS may become another.

All methods raise ``PlannerError``: ``sync.offline`` (no connection, or it broke; try again later), ``sync.denied`` (no
right), ``sync.not_a_member`` (logged in, but not let into the city server), ``sync.no_server`` (there is no planner
schema), ``sync.server_incomplete`` (parts of it are missing), ``sync.too_old`` and ``sync.server_too_old`` (protocol),
``sync.project_unknown``. Times come from the server; nothing is decided by a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from planner_app.domain.progress import Progress
from planner_app.sync.types import (
    Blob,
    DefChange,
    Head,
    HistoryRow,
    LayerDef,
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
)


class Pull(Protocol):
    """One state of a project, the same for all that is read through it."""

    head: Head
    layers: Sequence[LayerDef]
    """Definitions of all layers that the user may read and that are not retired, as they are now."""
    definitions: Sequence[DefChange]
    """Registry changes after the revision asked about (whole state of what changed), in order."""

    def changes(self, layer: str, scope: Scope) -> Iterator[RemoteRow]:
        """Records of a layer that changed after the revision asked about; also those that left sight or area."""

    def rows(self, layer: str, scope: Scope, uuids: Sequence[str] | None = None) -> Iterator[RemoteRow]:
        """Whole records as they are now: all in the scope, by key, or those named (absent ones are left out)."""

    def bulk(self, layer: str, scope: Scope) -> Iterator[Page]:
        """The same fast and in no order, for a file's first filling."""

    def keys(self, layer: str, scope: Scope) -> Iterator[str]:
        """UUIDs of all records in the scope that the user may see, to compare after rights changed."""


class Transport(Protocol):
    """A connection to a city server, used by one thread."""

    def hello(self) -> ServerInfo: ...

    def register(self, project: ProjectDef) -> None:
        """Make a project known.

        Raises:
            PlannerError: ``sync.name_taken`` by another project, ``sync.denied``. The same project again is nothing.
        """

    def rights(self, project: str) -> Rights: ...

    def head(self, project: str, at: int = 0) -> Head: ...

    # push: stage, then commit; a commit whose answer was lost is asked for by its id

    def stage(
        self, push: PushHeader, definitions: Sequence[DefChange], rows: Iterable[RowChange], progress: Progress
    ) -> None:
        """Send what is to be pushed; nothing of it shows before the commit. May be sent again after a cut."""

    def stage_layer(
        self,
        push: PushHeader,
        layer: LayerDef,
        pages: Iterable[Page],
        progress: Progress,
    ) -> None:
        """Send a whole new layer in bulk; part of the push. Sent again after a cut, the pages are the same."""

    def commit(self, push: PushHeader) -> PushResult: ...

    def result(self, project: str, push_id: str) -> PushResult | None:
        """What became of a push, or None if it never was committed."""

    def pull(self, project: str, after: int) -> AbstractContextManager[Pull]:
        """One snapshot to read changes after a revision from (0: everything)."""

    # attachments, in pieces of 1 MiB

    def blob_pieces(self, project: str, sha256: str) -> set[int] | None:
        """Numbers of the pieces the server has of an unfinished attachment; None: it is there whole."""

    def put_piece(self, project: str, sha256: str, number: int, data: bytes) -> None: ...

    def finish_blob(self, project: str, blob: Blob) -> None:
        """All pieces are there: let it count. Raises ``sync.blob_wrong`` if the content has another hash."""

    def blobs(self, project: str) -> list[Blob]: ...

    def get_piece(self, project: str, sha256: str, number: int) -> bytes: ...

    # readings of sensors: append-only, by (sensor, time) once each

    def put_readings(self, project: str, rows: Sequence[tuple[int, int, float | None, int]]) -> int:
        """(sensor, Unix ms, value, quality) …; returns how many were new."""

    def readings(self, project: str, after: int) -> Iterator[tuple[int, int, int, float | None, int]]:
        """(batch number, sensor, ms, value, quality) of batches after a number, in order."""

    # audit

    def revisions(self, project: str, *, before: int = 0, limit: int = 100) -> list[Revision]:
        """Newest first, older than ``before`` (0: from the newest)."""

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
        """Changes of one revision, of one record, or of a place on the map; newest first."""

    def as_of(self, project: str, layer: str, revision: int, scope: Scope) -> Iterator[RemoteRow]:
        """A layer's records as they were after a revision."""

    def close(self) -> None: ...
