"""Keeps the open project and its server in step: at once when asked, else after edits pause, quietly when offline."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.ui.sync.address import ServerAddress
from planner_app.ui.sync.backend import Backend, CityServer
from planner_app.ui.sync.line import Line
from planner_app.ui.sync.status import SyncStatus

if TYPE_CHECKING:
    from planner_app.domain.changeset import ChangeSet
    from planner_app.domain.progress import Progress
    from planner_app.project import Project
    from planner_app.sync.client.session import SyncReport, SyncState
    from planner_app.sync.transport import Transport
    from planner_app.sync.types import Rights
    from planner_app.ui.jobs import Job
    from planner_app.ui.session import Session

#: Edits rest for so long before they are pushed, and wait no longer than that while they go on.
PAUSE_MS, PATIENCE_SECONDS = 4_000, 30.0
#: How often the server is asked for what others did; the first time after opening, when the map stands.
WATCH_MS, FIRST_MS = 60_000, 1_500
#: Waiting after a broken line: doubled each time, up to the last, give or take a fifth.
BACKOFF_SECONDS = (5.0, 300.0)
#: Errors that pass by themselves: tried again, quietly.
PASSING = ("sync.offline", "sync.server_busy", "sync.server_full", "sync.too_many_tries", "sync.stage_incomplete")
#: Entries that a sync itself makes: no reason for another.
OWN_COMMANDS = ("sync_", "keep_edits")
#: A sync that nobody asked for is shown in the status bar once it takes this long.
SHOW_AFTER_MS = 1_000


class SyncService(QObject):
    """One per session. All its methods are for the UI thread and return at once.

    Signals:
        changed(): :attr:`status` or :attr:`rights` are others.
        synced(SyncReport, bool): a sync ended; True if a person had asked for it.
        failed(Exception): a sync that a person had asked for failed.
    """

    changed = Signal()
    synced = Signal(object, bool)
    failed = Signal(object)

    def __init__(self, session: Session, backend: Backend | None = None) -> None:
        super().__init__(session)
        self.session, self.backend = session, backend or CityServer()
        self.status = SyncStatus()
        self.state: SyncState | None = None
        self.rights: Rights | None = None
        self._line, self._reader = Line("sync", self), Line("read", self)
        self._passwords: dict[str, str] = {}
        self._project: Project | None = None
        self._conninfo = ""
        self._job: Job | None = None
        self._asked = self._again = False
        self._offline_since = ""
        self._tries = 0
        self._stopped: PlannerError | None = None
        self._edited_at = 0.0
        self._reading = self._read_again = False
        self._pause, self._retry = (self._timer(lambda: self._start(asked=False)) for _ in range(2))
        self._watch = self._timer(self._watched)
        self._show, self._look = self._timer(self._show_job), self._timer(self._read_state)
        for line in (self._line, self._reader):
            line.failed.connect(self._line_failed)
            line.worked.connect(self._line_worked)
        session.project_changed.connect(self._project_changed)
        session.data_changed.connect(self._edited)

    def _timer(self, slot: Callable[[], object]) -> QTimer:
        made = QTimer(self)
        made.setSingleShot(True)
        made.timeout.connect(slot)
        return made

    # what is known

    @property
    def conninfo(self) -> str:
        """Connection string of the project's server, without a password; "" for a local file."""
        return self._conninfo

    def label(self) -> str:
        """What people call the project's server."""
        return ServerAddress.of(self._conninfo).label() if self._conninfo else ""

    @property
    def automatic(self) -> bool:
        """Sync without being asked: the person's setting."""
        return bool(self.session.settings.sync.get("automatic", True))

    def set_automatic(self, on: bool) -> None:
        """Switch it and keep that."""
        self.session.settings.sync["automatic"] = on
        self.session.settings.save()
        self._rest()
        self._later(0)
        self.changed.emit()

    def busy(self) -> bool:
        """True while a sync runs."""
        return self._job is not None

    @property
    def asked(self) -> bool:
        """True while a sync runs that a person asked for."""
        return self._job is not None and self._asked

    # doing

    def use(self, conninfo: str, password: str | None = None) -> None:
        """Speak to this server from now on (the next sync keeps its address in the file), with this password."""
        self.remember(conninfo, password)
        self._conninfo = conninfo
        backend, known = self.backend, self._passwords
        open_ = (lambda: backend.connect(conninfo, known.get(conninfo))) if conninfo else None
        self._line.connect_by(open_)
        self._reader.connect_by(open_)
        self._stopped = None

    def remember(self, conninfo: str, password: str | None) -> None:
        """Keep a password in memory until the program ends; the keyring is the dialog's business."""
        if password is not None:
            self._passwords[conninfo] = password

    def sync_now(self) -> None:
        """A person asks."""
        if self._job is None:
            self._start(asked=True)
        else:
            self._asked = self._again = True

    def cancel(self) -> None:
        """Stop the running sync; what it had done so far stays, the rest follows with the next one."""
        self._again = False
        if self._job is not None:
            self._job.cancel()

    def ask(
        self, work: Callable[[Transport], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """Read from the server beside any sync; the answer of a project that was closed meanwhile is dropped."""
        project = self._project
        self._reader.ask(
            work,
            lambda result: done(result) if project is self._project else None,
            lambda error: failed(error) if project is self._project else None,
        )

    def wait(self, work: Callable[[Transport], Any], progress: Progress) -> Any:
        """As :meth:`ask`, for a job's thread.

        Raises:
            PlannerError: what the transport raises. Cancelled.
        """
        return self._reader.wait(work, progress.is_cancelled)

    def refresh(self) -> None:
        """Read anew how the project stands (soon; many calls are one)."""
        if not self._look.isActive():
            self._look.start(200)

    def shutdown(self) -> None:
        """Cancel and let go of the lines; nothing starts afterwards."""
        self.cancel()
        self._rest()
        self._project = None
        self._line.close()
        self._reader.close()

    # following the session

    def _project_changed(self) -> None:
        self.cancel()
        self._rest()
        self._job, self._asked, self._again = None, False, False
        self._project = self.session.project
        self._offline_since, self._tries, self._edited_at = "", 0, 0.0
        self.state = self.rights = None
        self.use("")
        self._set(SyncStatus())
        self._read_state()

    def _edited(self, change: ChangeSet, _initiator: object) -> None:
        if not self._conninfo or change.command.startswith(OWN_COMMANDS):
            return
        self.refresh()
        if not self.automatic or self._stopped is not None or self._retry.isActive():
            return
        now = time.monotonic()
        self._edited_at = self._edited_at or now
        left = PATIENCE_SECONDS - (now - self._edited_at)
        self._pause.start(max(0, min(PAUSE_MS, round(left * 1000))))

    def _rest(self) -> None:
        for timer in (self._pause, self._retry, self._watch, self._show, self._look):
            timer.stop()

    # one sync

    def _start(self, *, asked: bool) -> None:
        project, server = self._project, self._conninfo
        if project is None or not server:
            return
        if self._job is not None:
            self._again = True
            return
        if not asked and (not self.automatic or self._stopped is not None):
            return
        self._rest()
        self._asked, self._again, self._edited_at = asked, False, 0.0
        backend, path, line = self.backend, Path(project.path), self._line

        def work(progress: Job) -> SyncReport:
            return line.wait(
                lambda transport: backend.sync(path, project.user, server, transport, progress), progress.is_cancelled
            )

        def done(report: SyncReport) -> None:
            if self._job is job:
                self._ended()
                self._good(report)

        def failed(error: Exception) -> None:
            if self._job is job:
                self._ended()
                self._bad(error)

        job = self.session.jobs.run(tr("Sync"), work, done, failed, listed=asked)
        self._job = job
        job.changed.connect(lambda: self._progress(job))
        if not asked:
            self._show.start(SHOW_AFTER_MS)
        self._show_status()

    def _show_job(self) -> None:
        if self._job is not None:
            self.session.jobs.show(self._job)

    def _progress(self, job: Job) -> None:
        if self._job is job and job.state == "cancelled":
            self._ended()
            self._forget_unregistered()
            self._show_status()
            self._later(WATCH_MS)
        elif self._job is job and job.is_active():
            self._show_status()

    def _ended(self) -> None:
        self._job = None
        self._show.stop()
        self.session.poll()
        self._read_state()

    def _good(self, report: SyncReport) -> None:
        self._stopped = None
        self._line_worked()
        self.synced.emit(report, self._asked)
        if self._again:
            self._start(asked=self._asked)
        else:
            self._later(WATCH_MS)

    def _bad(self, error: Exception) -> None:
        if isinstance(error, PlannerError) and error.code in PASSING:
            self._line_failed(error)
            shortest, longest = BACKOFF_SECONDS
            seconds = min(shortest * 2**self._tries, longest) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
            self._tries += 1
            if self.automatic:
                self._retry.start(round(seconds * 1000))
        elif isinstance(error, PlannerError):
            self._stopped = error  # nothing that trying again would change
        else:
            self.session.show_error(error)
            self._stopped = PlannerError("sync.stopped", detail=type(error).__name__)
        if self._stopped is not None:
            self._forget_unregistered()
        self._show_status()
        if self._asked:
            self.failed.emit(error)

    def _forget_unregistered(self) -> None:
        """A project that did not get onto the server is a local file as before."""
        if self.state is not None and self.state.kind == "unregistered":
            self.use("")  # had it got there after all, the state that is being read names the server

    def _later(self, milliseconds: int) -> None:
        if self._stopped is None and self._conninfo:
            self._watch.start(milliseconds)

    def _watched(self) -> None:
        """The next sync; where a person syncs by hand only a look at how many changes wait there."""
        project, server, backend = self._project, self._conninfo, self.backend
        if self.automatic or project is None:
            self._start(asked=False)
            return
        path = Path(project.path)

        def over(_result: object) -> None:
            self._read_state()
            self._later(WATCH_MS)

        self.ask(lambda transport: backend.look(path, project.user, server, transport), over, over)

    # how it stands

    def _line_failed(self, error: PlannerError) -> None:
        if error.code == "sync.offline" and not self._offline_since and self._conninfo:
            self._offline_since = datetime.now(UTC).isoformat(timespec="seconds")
            self._show_status()

    def _line_worked(self) -> None:
        self._tries = 0
        if self._offline_since:
            self._offline_since = ""
            self._show_status()

    def _read_state(self) -> None:
        project, backend = self._project, self.backend
        if project is None:
            return
        if self._reading:
            self._read_again = True
            return
        self._reading, self._read_again = True, False

        def work(_progress: object) -> tuple[SyncState, Rights | None]:
            return backend.state(project), backend.rights(project)

        def over(read: tuple[SyncState, Rights | None] | None) -> None:
            self._reading = False
            if read is not None and self._project is project:
                self._take(*read)
            if self._read_again or (read is None and self._project is not project):
                self._read_state()

        # Failed: the file was closed under it, or is busy; the next look tells.
        self.session.jobs.run(tr("Sync"), work, over, lambda _error: over(None), listed=False)

    def _take(self, state: SyncState, rights: Rights | None) -> None:
        first = self.state is None
        rights_changed = rights != self.rights
        self.state, self.rights = state, rights
        if state.server and not self._conninfo:
            self.use(state.server)
        if first and state.kind == "offline":
            self._offline_since = state.offline_since
        if first and self._job is None:
            self._later(FIRST_MS)
        if not self._show_status() and rights_changed:
            self.changed.emit()

    def _show_status(self) -> bool:
        shown = SyncStatus() if self.state is None else SyncStatus.of(self.state)
        if self._job is not None:
            shown = replace(shown, kind="syncing", fraction=self._job.fraction, stage=self._job.stage)
        elif self._stopped is not None:
            shown = replace(shown, kind="stopped", error=self._stopped)
        elif self._offline_since:
            shown = replace(shown, kind="offline", since=self._offline_since)
        return self._set(shown)

    def _set(self, status: SyncStatus) -> bool:
        if status == self.status:
            return False
        self.status = status
        self.changed.emit()
        return True
