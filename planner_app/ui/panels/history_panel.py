"""The history: what was done to the project, by whom and from where; each entry can be taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QAbstractItemView, QStackedWidget, QWidget

from planner_app.i18n import tr, word
from planner_app.plugin_api.widgets import PILL_ROLE
from planner_app.ui.controls import EmptyState, Notice, button, column, row
from planner_app.ui.session import Session
from planner_app.ui.tables import fit_columns, table_view

if TYPE_CHECKING:
    from planner_app.project import LogEntry

Index = QModelIndex | QPersistentModelIndex
_LIMIT = 500


def origin_text(origin: str) -> str:
    """Where an entry came from, in words."""
    return {
        "desktop": tr("this program"),
        "cli": tr("command line"),
        "foreign": tr("other program"),
        "sync": tr("city server"),
        "merge": tr("city server"),
        "auto": tr("by itself"),
    }.get(origin, origin)


def local_time(stamp: str) -> str:
    """A UTC time of the log in the computer's zone, to the second."""
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


class HistoryModel(QAbstractTableModel):
    """Log entries, newest first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: list[LogEntry] = []

    def show(self, entries: list[LogEntry]) -> None:
        """Show these entries."""
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.entries)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 6

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return (tr("No."), tr("Time"), tr("What"), tr("Rows"), tr("Who"), tr("State"))[section]
        if role == Qt.ItemDataRole.TextAlignmentRole and section == 3:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            who = f"{entry.user} · {origin_text(entry.origin)}" if entry.user else origin_text(entry.origin)
            state = tr("taken back") if entry.undone else tr("in force")
            return (
                str(entry.id), local_time(entry.time), word(f"command.{entry.command}", entry.params),
                f"{entry.rows:,}", who, state,
            )[index.column()]  # fmt: skip
        if role == PILL_ROLE and index.column() == 5:
            return "cannot_judge" if entry.undone else "pass"
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == 3:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.FontRole and entry.undone:
            font = QFont()
            font.setStrikeOut(True)
            return font if index.column() == 2 else None
        return None


class HistoryPanel(QWidget):
    """The log with a button that takes an entry back."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.model = HistoryModel(self)
        self.view = table_view(session.theme)
        self.view.setModel(self.model)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.selectionModel().currentChanged.connect(self._enable)
        self.notice = Notice(session.theme, closable=True)
        self.undo = button(tr("Take this entry back"), self._undo, "link")
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(session.theme, tr("Nothing has been changed in this project yet."), icon="history")
        )
        self._stack.addWidget(self.view)
        self.setLayout(column(row(self.notice), self._stack, spacing=0))
        self._fitted = False
        session.project_changed.connect(self.reload)
        session.data_changed.connect(self.reload)
        self.reload()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self.reload()

    def reload(self, *_: object) -> None:
        """Read the log again when it is looked at."""
        project = self.session.project
        if project is None:
            self.model.show([])
            self._stack.setCurrentIndex(0)
            return
        if not self.isVisible():
            return

        def show(entries: list[LogEntry]) -> None:
            if self.session.project is project:
                chosen = self._entry()
                self.model.show(entries)
                self._stack.setCurrentIndex(1 if entries else 0)
                if entries and not self._fitted:
                    self._fitted = True
                    fit_columns(self.view, self.session.theme, 420)
                for number, entry in enumerate(entries):
                    if chosen is not None and entry.id == chosen.id:
                        self.view.selectRow(number)
                self._enable()

        self.session.jobs.run(tr("Read the history"), lambda _p: project.log(_LIMIT), show, listed=False)

    def _entry(self) -> LogEntry | None:
        index = self.view.currentIndex()
        return self.model.entries[index.row()] if index.isValid() and index.row() < len(self.model.entries) else None

    def _enable(self, *_: object) -> None:
        entry = self._entry()
        self.undo.setEnabled(entry is not None and not entry.undone)

    def _undo(self) -> None:
        entry, project = self._entry(), self.session.project
        if entry is None or project is None:
            return
        self.notice.hide()

        def failed(error: Exception) -> None:
            text, hint = self.session.word(error)
            self.notice.show_text(text, "error", hint)

        title = tr("Take back entry {id}", id=entry.id)
        self.session.jobs.run(title, lambda _p: project.undo_entry(entry.id), lambda _r: self.reload(), failed)
