"""The dock page of the server's log: revisions at the left, what the chosen one changed at the right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QPushButton, QSplitter, QStackedWidget, QTableView, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import restyle
from planner_app.sync.types import HistoryRow, Revision
from planner_app.ui.controls import ElidedLabel, EmptyState, IconButton, Notice, button, column, row
from planner_app.ui.sync.audit import (
    MOST_ROWS,
    Change,
    History,
    Subject,
    origin,
    read_changes,
    read_changes_of,
    read_history,
    why,
)
from planner_app.ui.sync.audit_models import ChangeModel, RevisionModel
from planner_app.ui.sync.outline_overlay import Outline
from planner_app.ui.sync.status import long_time
from planner_app.ui.tables import SortFilterModel, fit_columns, table_view

if TYPE_CHECKING:
    from planner_app.ui.sync.room import SyncRoom


class HistoryPage(QWidget):
    """Asks the server over the reading line; what it shows stays while another question is under way."""

    def __init__(self, room: SyncRoom) -> None:
        super().__init__()
        self.room, self.session = room, room.session
        self.history: History | None = None
        self._asked = 0
        self._outlines: list[Outline] = []
        theme = self.session.theme
        self.subject = Subject()
        self.kinds = {
            "all": button(tr("All revisions"), lambda: self.ask(Subject()), "chosen"),
            "record": button(tr("Selected feature"), self.room.history_of_feature, "quiet"),
            "place": button(tr("Place on the map…"), self.room.history_of_place, "quiet"),
        }
        self.about = ElidedLabel("", "secondary")
        self.again = IconButton(
            theme, "refresh-cw", tr("Ask the server again"), lambda: self.ask(self.subject), size=14
        )
        self.notice = Notice(theme, closable=True)
        self.revisions, self.changes = RevisionModel(self.session.layers, self), ChangeModel(self)
        self.left = self._table(self.revisions, QAbstractItemView.SelectionMode.SingleSelection)
        self.right = self._table(self.changes, QAbstractItemView.SelectionMode.SingleSelection)
        self.left.selectionModel().currentRowChanged.connect(lambda *_: self._revision_chosen())
        self.right.doubleClicked.connect(lambda *_: self._record_chosen())
        self.older = button(tr("Older ones…"), self._older, "link")
        left = QWidget()
        left.setLayout(column(self.left, row(self.older, None), spacing=0))
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        self.detail = ElidedLabel("", "small")
        right = QWidget()
        right.setLayout(column(row(self.detail, margins=(10, 4, 8, 2)), self.right, spacing=0))
        split.addWidget(left)
        split.addWidget(right)
        split.setSizes([300, 440])
        split.setStretchFactor(0, 2)
        split.setStretchFactor(1, 3)
        self._empty = EmptyState(theme, "", icon="history")
        self._next_step: Callable[[], None] = lambda: self.ask(self.subject)
        self._empty.clicked.connect(lambda: self._next_step())
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(split)
        head = row(*self.kinds.values(), spacing=4, margins=(8, 5, 8, 5))
        head.addSpacing(8)
        head.addWidget(self.about, 1)
        head.addWidget(self.again)
        body = column(head, spacing=0)
        body.addLayout(row(self.notice, margins=(8, 0, 8, 0)))
        body.addWidget(self._stack, 1)
        self.setLayout(body)
        self._fitted = False
        self.session.project_changed.connect(self.clear)
        self.session.sync.synced.connect(lambda *_: self._synced())
        self.clear()

    def _table(self, model: RevisionModel | ChangeModel, mode: QAbstractItemView.SelectionMode) -> QTableView:
        view = table_view(self.session.theme)
        proxy = SortFilterModel(view)
        proxy.setSourceModel(model)
        view.setModel(proxy)
        view.setSelectionMode(mode)
        view.setSortingEnabled(True)
        proxy.sort(-1)
        view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        return view

    def buttons(self) -> list[QWidget]:
        """What stands at the right of the tabs."""
        made: list[QPushButton] = []
        knobs: tuple[tuple[str, Callable[[], None]], ...] = (
            (tr("Show on the map"), self.room.travel), (tr("Restore…"), self.room.restore),
            (tr("Evidence…"), self.room.export_evidence),
        )  # fmt: skip
        for text, handler in knobs:
            made.append(button(text, handler, "link"))
        self.travel_button, self.restore_button, self.evidence_button = made
        self._enable()
        return [self._filter(), *made]

    def _filter(self) -> QLineEdit:
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(tr("Filter rows"))
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._filtered)
        return self.filter

    def _filtered(self, text: str) -> None:
        for view in (self.left,) if self.subject.kind == "all" else (self.left, self.right):
            proxy = view.model()
            assert isinstance(proxy, SortFilterModel)
            proxy.setFilterFixedString(text)

    # asking

    def clear(self) -> None:
        """Nothing asked yet."""
        self.history = None
        self._outlines = []
        self._asked += 1
        self.revisions.show([])
        self.changes.show([])
        self.notice.hide()
        self._say_empty(tr("The log of the city server appears here."))

    def _say_empty(self, text: str, button_text: str = "", step: Callable[[], None] | None = None) -> None:
        """Say why there is nothing, with a button for the next step."""
        self._empty.set(text, button_text)
        if step is not None:
            self._next_step = step
        self._stack.setCurrentIndex(0)

    def ask(self, subject: Subject, *, before: int = 0, choose: int = 0) -> None:
        """Read the log of something, then choose a revision (0: the one that was chosen, or the newest)."""
        project = self.room.project_uuid()
        self.subject = subject
        for kind, knob in self.kinds.items():
            restyle(knob, "chosen" if kind == subject.kind else "quiet")
        self.about.setText(subject.name)
        self.notice.hide()
        if not project:
            self._say_empty(
                tr("This project is not connected to a city server."), tr("Connect to a city server…"),
                self.room.connect_server,
            )  # fmt: skip
            return
        if not self.revisions.rows:
            self._say_empty(tr("Asking the server…"))
        self._asked += 1
        number = self._asked

        def done(history: History) -> None:
            if number == self._asked:
                self._show(history, choose, add=before > 0)

        def failed(error: Exception) -> None:
            if number == self._asked:
                text, hint = self.session.word(error)
                self.notice.show_text(text, "error", hint)
                if self._stack.currentIndex() == 0:
                    self._say_empty(
                        tr("The log stands on the server; without a connection it cannot be read."),
                        tr("Ask the server again"), lambda: self.ask(self.subject),
                    )  # fmt: skip

        self.session.sync.ask(lambda transport: read_history(transport, project, subject, before=before), done, failed)

    def _synced(self) -> None:
        if self.isVisible() and not self.revisions.rows:
            self.ask(self.subject)

    def _older(self) -> None:
        if self.revisions.rows:
            self.ask(self.subject, before=min(one.revision for one in self.revisions.rows))

    def _show(self, history: History, choose: int, *, add: bool) -> None:
        before = self.revision()
        wanted = choose or (before.revision if before is not None else 0)
        rows = [*self.revisions.rows, *history.revisions] if add else list(history.revisions)
        self.history = history
        with QSignalBlocker(self.left.selectionModel()):
            self.revisions.show(rows)
        self.older.setVisible(history.more and history.subject.kind == "all")
        if not rows:
            self.changes.show([])
            if history.subject.kind == "all":
                sync = self.session.sync
                self._say_empty(tr("Nothing was pushed to the server yet."), tr("Sync now"), sync.sync_now)
            else:
                nothing = tr("The server's log has nothing about this.")
                self._say_empty(nothing, tr("All revisions"), lambda: self.ask(Subject()))
            self._enable()
            return
        self._stack.setCurrentIndex(1)
        if not self._fitted:
            self._fitted = True
            fit_columns(self.left, self.session.theme)
        self._select(next((number for number, one in enumerate(rows) if one.revision == wanted), 0))
        self._revision_chosen()

    def _select(self, number: int) -> None:
        proxy = self.left.model()
        assert isinstance(proxy, SortFilterModel)
        index = proxy.mapFromSource(self.revisions.index(number, 0))
        with QSignalBlocker(self.left.selectionModel()):
            self.left.setCurrentIndex(index)
        self.left.scrollTo(index)

    def step(self, by: int) -> None:
        """Choose the revision before (1) or after (-1) the chosen one."""
        revision = self.revision()
        numbers = [one.revision for one in self.revisions.rows]
        if revision is not None and 0 <= numbers.index(revision.revision) + by < len(numbers):
            self._select(numbers.index(revision.revision) + by)
            self._revision_chosen()

    def shown_history(self) -> History | None:
        """What the page shows, all pages of it."""
        if self.history is None or not self.revisions.rows:
            return None
        return replace(self.history, revisions=tuple(self.revisions.rows))

    # choosing

    def revision(self) -> Revision | None:
        """The chosen revision."""
        index = self.left.currentIndex()
        proxy = self.left.model()
        if not index.isValid() or not isinstance(proxy, SortFilterModel):
            return None
        number = proxy.mapToSource(index).row()
        return self.revisions.rows[number] if number < len(self.revisions.rows) else None

    def change(self) -> Change | None:
        """The chosen change."""
        index = self.right.currentIndex()
        proxy = self.right.model()
        if not index.isValid() or not isinstance(proxy, SortFilterModel):
            return None
        return self.changes.rows[proxy.mapToSource(index).row()]  # type: ignore[no-any-return]

    def _revision_chosen(self) -> None:
        revision, project, history = self.revision(), self.room.project_uuid(), self.history
        self._enable()
        if revision is None or history is None:
            self.changes.show([])
            self.detail.setText("")
            return
        if history.subject.kind != "all":
            self._show_changes(revision, history.changes(revision.revision))
        else:
            self.session.sync.ask(
                lambda transport: read_changes(transport, project, revision.revision),
                lambda rows: self._show_changes(revision, rows),
                lambda error: self.notice.show_text(*_error(self.session.word(error))),
            )
        self.room.travel_follow(revision)

    def _show_changes(self, revision: Revision, rows: list[HistoryRow]) -> None:
        if self.revision() != revision:
            return
        project, layers = self.session.project, {layer.uuid: layer for layer in self.session.layers()}
        if project is None:
            return
        listed = tr("only the first {count} records are listed", count=f"{MOST_ROWS:,}")
        facts = (
            tr("Revision {number}", number=f"{revision.revision:,}"),
            listed if len(rows) >= MOST_ROWS else "", long_time(revision.time), revision.user,
            origin(revision), why(revision, self.session.layers()), tr("Records: {count}", count=f"{revision.rows:,}"),
        )  # fmt: skip
        self.detail.setText(" · ".join(filter(None, facts)))

        def show(changes: list[Change]) -> None:
            if self.revision() == revision:
                self.changes.show(changes)
                fit_columns(self.right, self.session.theme)
                self.right.setColumnHidden(1, self.subject.kind == "record")  # it is always the same

        background = self.room.canvas.background
        background.run("sync-changes", lambda: read_changes_of(project, rows, layers), show)
        outlines = []
        for one in rows[:200]:
            if one.geometry_before is not None and one.geometry_before != one.geometry_after:
                outlines.append(Outline("", "#66707E", one.geometry_before, dashed=True))
            if one.geometry_after is not None:
                outlines.append(Outline("", "#7A3FA0", one.geometry_after))
        self._outlines = outlines
        self.room.on_map.show_changes(outlines if self.isVisible() else [])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.room.on_map.show_changes(self._outlines)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.room.on_map.show_changes([])

    def _record_chosen(self) -> None:
        change = self.change()
        if change is not None:
            self.room.on_map.show_uuid(change.row.layer, change.row.uuid, change.row)

    def _enable(self) -> None:
        chosen = self.revision() is not None
        if hasattr(self, "travel_button"):
            self.travel_button.setEnabled(chosen)
            self.restore_button.setEnabled(chosen)
            self.evidence_button.setEnabled(bool(self.revisions.rows))


def _error(worded: tuple[str, str]) -> tuple[str, str, str]:
    return worded[0], "error", worded[1]
