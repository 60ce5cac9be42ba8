"""The sync panel: how the project stands, the sync, then what waits for a choice, rights and revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QCheckBox, QMenu, QProgressBar, QTabBar, QWidget

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import KeyFigures, TaskPage
from planner_app.ui.controls import ElidedLabel, IconButton, Notice, ThemedIcon, button, column, label, row
from planner_app.ui.status_bar import stage_text
from planner_app.ui.sync.address import ServerAddress
from planner_app.ui.sync.audit import revisions_of
from planner_app.ui.sync.conflict_list import ConflictList
from planner_app.ui.sync.disputes import Dispute, Held, read_waiting
from planner_app.ui.sync.held_list import HeldList
from planner_app.ui.sync.revision_list import RevisionList
from planner_app.ui.sync.rights import role_word
from planner_app.ui.sync.rights_list import RightsList
from planner_app.ui.sync.status import LOOKS, short_time, state_sentence, state_word
from planner_app.ui.sync.words import tls_look

if TYPE_CHECKING:
    from planner_app.sync.client.conflicts import Conflict
    from planner_app.sync.client.session import SyncReport
    from planner_app.sync.types import Revision
    from planner_app.ui.sync.room import SyncRoom

CONFLICTS, HELD, REVISIONS, RIGHTS = range(4)
#: Another address, user or password may help against these.
ADDRESS_ERRORS = frozenset(
    f"sync.{code}"
    for code in (
        "login_failed", "login_unknown", "login_closed", "no_connect", "not_admitted", "not_a_member", "denied",
        "password_needed", "certificate", "no_database", "no_server", "service_unknown", "bad_dsn",
    )
)  # fmt: skip


class SyncPanel(TaskPage):
    """The panel; what it shows comes from the session's service, what it does goes through the room."""

    def __init__(self, room: SyncRoom) -> None:
        super().__init__()
        self.room, self.session, self.service = room, room.session, room.session.sync
        self.disputes: list[Dispute] = []
        self.held: list[Held] = []
        self._kind = ""
        self._counts: tuple[str, int, int] = ("", 0, 0)
        self._build()
        self.service.changed.connect(self.refresh)
        self.service.synced.connect(self._synced)
        self.service.failed.connect(self._failed)
        self.session.project_changed.connect(self.reload)
        self.session.data_changed.connect(self.reload)
        self.session.theme.changed.connect(self.refresh)
        self.reload()

    # parts

    def _build(self) -> None:
        theme = self.session.theme
        self.icon = ThemedIcon(theme, "monitor", 18, "secondary")
        self.word = label("", "heading")
        self.menu = IconButton(theme, "ellipsis", tr("Server, attachments, evidence …"), self._menu)
        self.tls = ThemedIcon(theme, "lock", 14, "pass")
        self.server = ElidedLabel("", "secondary")
        self.sentence = label("", "small", wrap=True)
        where = row(self.tls, spacing=6)
        where.addWidget(self.server, 1)
        head = QWidget()
        head.setLayout(column(row(self.icon, self.word, None, self.menu), where, self.sentence, spacing=5))
        self.local = QWidget()
        self.connect_button = button(tr("Connect to a city server…"), self.room.connect_server, "primary")
        self.clone_button = button(tr("Open a project of the server…"), self.room.open_from_server)
        self.local.setLayout(
            column(
                label(
                    tr(
                        "Several people can work on one project: each on a file of their own, offline as long as they "
                        "like. The city server keeps what everyone did, who did it and when; what two people changed "
                        "alike is decided by people, nothing is overwritten."
                    ),
                    "secondary", wrap=True,
                ),
                row(self.connect_button, None), row(self.clone_button, None), spacing=10,
            )
        )  # fmt: skip
        self.sync_button = button(tr("Sync now"), self.service.sync_now, "primary")
        self.sync_button.setToolTip("F5")
        self.sign_in = button(tr("Sign in again…"), self.room.connect_server)
        self.automatic = QCheckBox(tr("Automatically"))
        self.automatic.setToolTip(tr("When edits pause and every minute; quietly while the server cannot be reached"))
        self.automatic.clicked.connect(lambda *_: self.service.set_automatic(self.automatic.isChecked()))
        self.knobs = QWidget()
        self.knobs.setLayout(row(self.sync_button, self.sign_in, None, self.automatic, spacing=8))
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.stage = ElidedLabel("", "small")
        self.stop = IconButton(theme, "x", tr("Cancel"), self.service.cancel, size=14)
        self.running = QWidget()
        inner = row(self.bar, self.stop, spacing=6)
        self.running.setLayout(column(inner, self.stage, spacing=2))
        self.notice = Notice(theme, closable=True)
        self.figures = KeyFigures(4)
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        for title in ("", "", tr("History"), tr("Rights")):
            self.tabs.addTab(title)
        self.tabs.currentChanged.connect(lambda _: self._show_tab())
        self.conflicts = ConflictList(self.session)
        self.conflicts.chosen.connect(self.room.show_dispute)
        self.conflicts.settle.connect(self.settle)
        self.conflicts.reshape.connect(self.reshape)
        self.conflicts.complained.connect(self._failed)
        self.held_list = HeldList()
        self.held_list.chosen.connect(lambda held: self.room.on_map.show_record(held.entry.layer, held.entry.fid))
        self.held_list.fix.connect(self.fix)
        self.revisions = RevisionList(self.room)
        self.rights = RightsList(self.session)
        self.rights.district.connect(self.room.on_map.show_district)
        self.add(
            head, self.local, self.running, self.knobs, self.notice, self.figures, self.tabs, self.conflicts,
            self.held_list, self.revisions, self.rights,
        )  # fmt: skip
        self.all_mine = button(tr("All mine"), lambda: self._settle_all("mine"))
        self.all_theirs = button(tr("All theirs"), lambda: self._settle_all("theirs"))
        self.foot = QWidget()
        self.foot_text = label("", "small", wrap=True)
        foot = row(spacing=6)
        foot.addWidget(self.foot_text, 1)
        foot.addWidget(self.all_mine)
        foot.addWidget(self.all_theirs)
        self.foot.setLayout(foot)
        self.set_foot(self.foot)

    # showing

    def reload(self, *_: object) -> None:
        """Read what waits, off the UI thread."""
        project, backend = self.session.project, self.service.backend
        if project is None or not self.service.conninfo:
            self._read(([], []))
            return

        def done(found: tuple[list[Dispute], list[Held]]) -> None:
            if self.session.project is project:
                self._read(found)

        self.room.canvas.background.run("sync-waiting", lambda: read_waiting(project, backend), done)

    def _read(self, found: tuple[list[Dispute], list[Held]]) -> None:
        if found != (self.disputes, self.held):
            self.disputes, self.held = found
            self.conflicts.show_disputes(self.disputes)
            self.held_list.show_held(self.held)
            self.room.show_table(self.disputes)
            self._ask_who()
        self.refresh()

    def _ask_who(self) -> None:
        """Whose edits the others' are; the server knows, and without a line the number of the revision must do."""
        project, who = self.room.project_uuid(), self.conflicts.who
        wanted = {one.revision for dispute in self.disputes for one in dispute.conflicts if one.revision} - who.keys()
        if not wanted or not project:
            return

        def told(found: dict[int, Revision]) -> None:
            self.conflicts.tell_who(
                {
                    number: tr("{user}, {time}, revision {number}", user=one.user, time=short_time(one.time),
                               number=f"{number:,}")
                    for number, one in found.items()
                }
            )  # fmt: skip

        self.service.ask(lambda transport: revisions_of(transport, project, wanted), told, lambda _error: None)

    def refresh(self) -> None:
        """Show the state as it is now."""
        service, status, theme = self.service, self.service.status, self.session.theme
        icon, token = LOOKS[status.kind]
        self.icon.set_icon(icon, token)
        self.word.setText(state_word(status))
        connected = bool(service.conninfo) and self.session.project is not None
        self.local.setVisible(not connected)
        for part in (self.server, self.tls, self.menu, self.knobs, self.figures, self.tabs):
            part.setVisible(connected)
        self.sentence.setVisible(connected and status.kind not in ("synced", "syncing"))
        self.sentence.setText(state_sentence(status))
        self._show_server()
        running = status.kind == "syncing"
        self.running.setVisible(connected and running)
        self.stage.setText(stage_text(status.stage))
        self.bar.setRange(0, 0 if status.fraction is None else 1000)
        self.bar.setValue(round((status.fraction or 0) * 1000))
        self.sync_button.setEnabled(not running)
        self.sign_in.setVisible(status.error is not None and status.error.code in ADDRESS_ERRORS)
        self.automatic.setChecked(service.automatic)
        waiting = (status.to_push, status.to_pull, status.conflicts, status.quarantined)
        tokens = ("", "", "needs_certificate", "fail")
        self.figures.set(
            [
                (f"{count:,}", caption)
                for count, caption in zip(
                    waiting, (tr("to push"), tr("to pull"), tr("conflicts"), tr("held back")), strict=True
                )
            ],
            [token if count else "" for token, count in zip(tokens, waiting, strict=True)],
        )
        if status.kind == "stopped" and status.error is not None and self._kind != "stopped":
            self._failed(status.error)
        elif self._kind == "stopped" and status.kind != "stopped":
            self.notice.hide()
        if status.kind == "syncing" and self._kind != "syncing" and service.asked:
            self.notice.hide()  # what was said of the sync before
        elif self._kind == "synced" and status.kind in ("ahead", "behind"):
            self.notice.hide()  # it is no longer the newest
        self._kind = status.kind
        counts = (self.service.conninfo, status.conflicts, status.quarantined)
        if counts != self._counts:  # another server, or more or less that waits
            self._counts = counts
            self.reload()
        count = sum(len(one.conflicts) for one in self.disputes)
        self.tabs.setTabText(CONFLICTS, tr("Conflicts: {count}", count=f"{count:,}"))
        self.tabs.setTabText(HELD, tr("{count} held back", count=f"{len(self.held):,}"))
        self.word.setStyleSheet(f"color: {theme.colour(token)};" if token != "secondary" else "")  # noqa: S105
        self._show_tab()

    def _show_server(self) -> None:
        if not self.service.conninfo:
            return
        address = ServerAddress.of(self.service.conninfo)
        icon, token, sentence = tls_look(address)
        self.tls.set_icon(icon, token)
        self.tls.setToolTip(sentence)
        role = role_word(self.service.rights.role) if self.service.rights is not None else ""
        who = tr("{user} ({role})", user=address.user, role=role) if address.user and role else address.user or role
        self.server.setText(" · ".join(filter(None, (address.label(), who))))

    def _show_tab(self) -> None:
        connected = bool(self.service.conninfo) and self.session.project is not None
        current = self.tabs.currentIndex() if connected else -1
        parts: tuple[Any, ...] = (self.conflicts, self.held_list, self.revisions, self.rights)
        for place, part in enumerate(parts):
            part.setVisible(place == current)
        shown = self.conflicts.shown() if current == CONFLICTS else []
        self.foot.setVisible(len(shown) > 1)
        self.foot_text.setText(tr("Records: {count}", count=f"{len(shown):,}"))
        if current == RIGHTS:
            self.rights.refresh()
        if current == REVISIONS:
            self.revisions.refresh()
        if current != CONFLICTS:
            self.room.show_dispute(None)
        if current != RIGHTS:
            self.room.on_map.show_district(None, "")

    def open_tab(self, tab: int) -> None:
        """Bring a tab to the front."""
        self.tabs.setCurrentIndex(tab)

    def _synced(self, report: SyncReport, asked: bool) -> None:
        if not asked:
            return
        parts = [
            tr("{count} sent", count=f"{report.pushed:,}") if report.pushed else "",
            tr("{count} taken over", count=f"{report.pulled:,}") if report.pulled else "",
            tr("{count} in conflict", count=len(report.conflicts)) if report.conflicts else "",
            tr("{count} held back", count=len(report.quarantined)) if report.quarantined else "",
        ]
        nothing = tr("Nothing was new here or there.")
        if not report.revision:
            nothing = tr("The project is on the server, empty so far.")
        told = tr(", ").join(filter(None, parts)) or nothing
        if report.conflicts or report.quarantined:
            self.open_tab(CONFLICTS if report.conflicts else HELD)
        level = "warning" if report.conflicts or report.quarantined else "success"
        hint = tr("Revision {number}, {seconds} s", number=report.revision, seconds=f"{report.seconds:.1f}")
        self.notice.show_text(told, level, hint)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, PlannerError) and error.code == "sync.offline":
            self.notice.hide()  # the head says it, since when, and what waits
            return
        text, hint = self.session.word(error)
        self.notice.show_text(text, "error", hint)

    # doing

    def settle(self, ids: list[int], side: str, values: dict[int, Any]) -> bool:
        """What a person chose, as one command that can be undone; False if it was refused."""
        from planner_app.sync.client.conflicts import ResolveConflicts

        command = ResolveConflicts(tuple(ids), "mine" if side == "mine" else "theirs", values)
        if self.session.execute(command, self) is None:
            return False
        self.service.refresh()
        self.reload()
        return True

    def reshape(self, dispute: Dispute, conflict: Conflict, side: str) -> None:
        """Take one side of a geometry, then edit its vertices, the other side in view."""
        alike = [one.id for one in dispute.conflicts if conflict.group and one.group == conflict.group]
        if self.settle(alike or [conflict.id], side, {}):
            self.room.edit_shape(conflict, side)

    def _settle_all(self, side: str) -> None:
        ids = [one.id for dispute in self.conflicts.shown() for one in dispute.conflicts]
        self.settle(ids, side, {})
        self.session.say(tr("{count} chosen. Undo (Ctrl+Z) brings the conflicts back.", count=f"{len(ids):,}"))

    def fix(self, ids: list[int], fix: Any) -> None:
        """Apply a fix to records held back."""
        from planner_app.sync.client.quarantine import FixQuarantined

        if self.session.execute(FixQuarantined(tuple(ids), fix), self) is not None:
            self.service.refresh()
            self.reload()

    def _menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.room.commands.fill(menu, ["sync.connect", "sync.clone", "-", "sync.revisions", "sync.evidence"])
        menu.popup(self.menu.mapToGlobal(QPoint(0, self.menu.height())))
