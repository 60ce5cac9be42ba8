"""What the window needs of ``planner_app.sync``, loaded when a project first has to do with a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from planner_app.domain.progress import Progress
    from planner_app.project import Project
    from planner_app.sync.client.conflicts import Conflict
    from planner_app.sync.client.quarantine import Quarantined
    from planner_app.sync.client.session import SyncReport, SyncState
    from planner_app.sync.transport import Transport
    from planner_app.sync.types import Rights, Scope


class Backend(Protocol):
    """What takes a project is quick and needs no connection; the rest is for the line's thread."""

    def state(self, project: Project) -> SyncState:
        """How the project stands; its server's address without a password."""

    def rights(self, project: Project) -> Rights | None:
        """What the user may do; None for a project without a server."""

    def conflicts(self, project: Project) -> list[Conflict]:
        """Cells and records that wait for a choice."""

    def quarantine(self, project: Project) -> list[Quarantined]:
        """Records held back."""

    def project_uuid(self, project: Project) -> str:
        """What names the project on the server, and would on one it is not on yet."""

    def keep_password(self, conninfo: str, password: str) -> None:
        """Put a password into the computer's keyring."""

    def connect(self, conninfo: str, password: str | None) -> Transport:
        """A connection; without a password the one kept for that address."""

    def sync(self, path: Path, user: str, server: str, transport: Transport, progress: Progress) -> SyncReport:
        """Both ways, over a project of its own: the window's may be closed meanwhile."""

    def look(self, path: Path, user: str, server: str, transport: Transport) -> None:
        """Ask how far the server is and keep that in the file; takes nothing over."""

    def fetch(self, path: Path, sha256: str, transport: Transport, progress: Progress) -> None:
        """Bring an attachment's content into the file."""

    def clone(
        self, conninfo: str, password: str | None, name: str, path: Path, scope: Scope, progress: Progress
    ) -> None:
        """Fetch a project into a new file, over a connection of its own."""


class CityServer:
    """The real one."""

    def state(self, project: Project) -> SyncState:
        from planner_app.sync.client.session import state

        return state(project)

    def rights(self, project: Project) -> Rights | None:
        from planner_app.sync.client.session import rights

        return rights(project)

    def conflicts(self, project: Project) -> list[Conflict]:
        from planner_app.sync.client.conflicts import conflicts

        return conflicts(project)

    def quarantine(self, project: Project) -> list[Quarantined]:
        from planner_app.sync.client.quarantine import quarantine

        return quarantine(project)

    def project_uuid(self, project: Project) -> str:
        with project.door.read() as connection:
            found = connection.execute("SELECT value FROM planner_meta WHERE key = 'uuid'").fetchone()
        return str(found[0]) if found else ""

    def keep_password(self, conninfo: str, password: str) -> None:
        from planner_app.sync.secrets import keep

        keep(conninfo, password)

    def connect(self, conninfo: str, password: str | None) -> Transport:
        from planner_app.sync.connecting import connect

        return connect(conninfo, password)

    def sync(self, path: Path, user: str, server: str, transport: Transport, progress: Progress) -> SyncReport:
        from planner_app.project import Project
        from planner_app.sync.client.session import Syncer

        with Project.open(path, user=user, origin="desktop") as project:
            return Syncer(project, transport, server=server).sync(progress)

    def look(self, path: Path, user: str, server: str, transport: Transport) -> None:
        from planner_app.project import Project
        from planner_app.sync.client.session import Syncer

        with Project.open(path, user=user, origin="desktop") as project:
            Syncer(project, transport, server=server).look()

    def fetch(self, path: Path, sha256: str, transport: Transport, progress: Progress) -> None:
        from planner_app.project import Project
        from planner_app.sync.client.session import Syncer

        with Project.open(path, origin="desktop") as project:
            Syncer(project, transport).fetch_attachment(sha256, progress)

    def clone(
        self, conninfo: str, password: str | None, name: str, path: Path, scope: Scope, progress: Progress
    ) -> None:
        from planner_app.sync.client.clone import clone

        transport = self.connect(conninfo, password)
        try:
            clone(transport, name, path, scope, progress, server=conninfo)
        finally:
            transport.close()
