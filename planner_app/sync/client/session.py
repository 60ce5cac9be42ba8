"""One project file and one server: register, pull, push, both; how the file stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from planner_app.domain.progress import Progress
from planner_app.project import Project
from planner_app.sync.client.conflicts import Conflict
from planner_app.sync.client.quarantine import Quarantined
from planner_app.sync.transport import Transport
from planner_app.sync.types import Rights, Scope

Resolve = Literal["ask", "ours", "theirs"]
StateKind = Literal["synced", "ahead", "behind", "conflicts", "offline", "unregistered"]


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did: records (and definitions) sent and taken over, what waits for a person, where the file stands.

    ``bytes``: of the records' content, both ways. A dry run counts what would be done.
    """

    pushed: int = 0
    pulled: int = 0
    conflicts: tuple[Conflict, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    revision: int = 0
    bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class SyncState:
    """How a file stands, as far as it knows itself.

    Attributes:
        kind: the first of ``unregistered``, ``conflicts``, ``offline`` (the last try found no server), ``behind``,
            ``ahead``, ``synced`` that is true.
        to_push: records changed here and not yet sent; to_pull: as the last look at the server counted them.
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
    raise NotImplementedError


def rights(project: Project) -> Rights | None:
    """The user's rights as the last sync learnt them, layers by their UUID; None where the file has no server."""
    raise NotImplementedError


def scope(project: Project) -> Scope:
    """What the file holds of the project on the server."""
    raise NotImplementedError


class Syncer:
    """Syncs an open project over a transport; used by one thread, which may be another than the project's other users'.

    Every method may be cancelled or cut off at any point; calling it again goes on where it stopped. They raise what
    the transport raises and ``sync.history_changed`` (the server's past is not what this file has seen),
    ``sync.server_older`` (it was set back behind this file), ``sync.other_project`` (registered elsewhere).

    Args:
        server: the address to remember in the file; never with a password.
    """

    def __init__(self, project: Project, transport: Transport, *, server: str = "") -> None:
        self.project, self.transport, self.server = project, transport, server

    def register(self) -> None:
        """Make the project known to the server; nothing if it is."""
        raise NotImplementedError

    def look(self) -> SyncState:
        """Ask the server how far it is, without taking anything over."""
        raise NotImplementedError

    def pull(self, progress: Progress | None = None) -> SyncReport:
        """Merge what the server has."""
        raise NotImplementedError

    def push(self, progress: Progress | None = None, *, message: str = "") -> SyncReport:
        """Pull, then send what was changed here."""
        raise NotImplementedError

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
        raise NotImplementedError

    def fetch_attachment(self, sha256: str, progress: Progress | None = None) -> None:
        """Bring an attachment's content into the file, if it is not there; goes on after a cut.

        Raises:
            PlannerError: ``attachment.missing`` if the server does not have it either.
        """
        raise NotImplementedError
