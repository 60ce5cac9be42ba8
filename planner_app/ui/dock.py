"""The bottom dock: tabs for result tables of plugins, the attribute table, jobs and history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QAbstractItemModel, QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QStackedWidget, QTabBar, QWidget

from planner_app.i18n import tr
from planner_app.ui.controls import EmptyState, IconButton, button, column, line, row
from planner_app.ui.tables import SortFilterModel, fit_columns, select_rows, table_view
from planner_app.ui.theme import Theme


@dataclass(slots=True)
class _Tab:
    key: str
    page: QWidget
    actions: list[QWidget] = field(default_factory=list)


class Dock(QFrame):
    """Tabs over a stack of pages; the current page's own text buttons stand at the right of the tabs."""

    hide_clicked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("dock")
        self.theme = theme
        self._tabs: list[_Tab] = []
        self._role = ""
        self.bar = QTabBar()
        self.bar.setDrawBase(False)
        self.bar.setExpanding(False)
        self.bar.setUsesScrollButtons(True)
        self.bar.setElideMode(Qt.TextElideMode.ElideNone)
        self.bar.currentChanged.connect(self._switched)
        self._buttons = QWidget()
        self._button_row: QHBoxLayout = row(spacing=2)
        self._buttons.setLayout(self._button_row)
        self._pages = QStackedWidget()
        self._pages.setMinimumWidth(1)  # a wide page takes no room from the panels beside the map
        hide = IconButton(theme, "x", tr("Hide this panel (Ctrl+J)"), self.hide_clicked.emit, size=14)
        head = row(spacing=4, margins=(8, 0, 8, 0))
        head.addWidget(self.bar, 1)
        head.addWidget(self._buttons)
        head.addWidget(hide)
        body = column(head, line(), spacing=0)
        body.addWidget(self._pages, 1)
        self.setLayout(body)
        self.setMinimumHeight(theme.px(120))

    def add(self, key: str, title: str, page: QWidget, *, first: bool = False) -> None:
        """Add a tab (at the left with ``first``)."""
        place = sum(1 for tab in self._tabs if tab.key.startswith("plugin:")) if first else len(self._tabs)
        current = self.current()
        self._tabs.insert(place, _Tab(key, page))
        self._pages.addWidget(page)
        blocked = self.bar.blockSignals(True)
        self.bar.insertTab(place, _plain(title))
        self.bar.blockSignals(blocked)
        self.open(current or key)

    def current(self) -> str:
        """Key of the open tab, "" if there is none."""
        index = self.bar.currentIndex()
        return self._tabs[index].key if 0 <= index < len(self._tabs) else ""

    def open(self, key: str) -> None:
        """Bring a tab to the front."""
        for index, tab in enumerate(self._tabs):
            if tab.key == key:
                self.bar.setTabVisible(index, True)
                self.bar.setCurrentIndex(index)
                self._switched(index)

    def serve(self, plugin_id: str) -> None:
        """Show the tabs of the role whose panel is open; of other plugins' only the one in front."""
        self._role = plugin_id
        self._show_tabs()

    def _show_tabs(self) -> None:
        front = self.bar.currentIndex()
        for index, tab in enumerate(self._tabs):
            foreign = tab.key.startswith("plugin:") and self._role not in ("", tab.key.split(":")[1])
            self.bar.setTabVisible(index, index == front or not foreign)
        self.bar.setIconSize(self.bar.iconSize())  # Qt leaves the room of a hidden tab until something else changes
        self._fit()

    def set_title(self, key: str, title: str) -> None:
        """Rename a tab."""
        for index, tab in enumerate(self._tabs):
            if tab.key == key:
                self.bar.setTabText(index, _plain(title))
        self._fit()

    def set_buttons(self, key: str, buttons: Sequence[QWidget]) -> None:
        """Text buttons (or a filter) shown at the right while this tab is open."""
        for tab in self._tabs:
            if tab.key == key:
                for old in tab.actions:
                    if old not in buttons:
                        old.deleteLater()
                tab.actions = list(buttons)
        self._switched(self.bar.currentIndex())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The filter field gives way to the tabs where the dock is narrow."""
        for number in range(self._button_row.count()):
            item = self._button_row.itemAt(number)
            field = item.widget() if item is not None else None
            if isinstance(field, QLineEdit):
                others = self._buttons.sizeHint().width() - field.width()
                spare = self.width() - self.bar.sizeHint().width() - others - self.theme.px(48)
                field.setFixedWidth(max(self.theme.px(64), min(self.theme.px(180), spare)))

    def _switched(self, index: int) -> None:
        if not 0 <= index < len(self._tabs):
            return
        tab = self._tabs[index]
        self._pages.setCurrentWidget(tab.page)
        while self._button_row.count():
            item = self._button_row.takeAt(0)
            shown = item.widget() if item is not None else None
            if shown is not None:
                shown.setParent(None)
        for knob in tab.actions:
            self._button_row.addWidget(knob)
            knob.show()
        self._show_tabs()


class DockPageHandle:
    """A plugin's own widget in the dock. See ``plugin_api.ui.DockPage``."""

    def __init__(self, dock: Dock, key: str, title: str, widget: QWidget, reveal: Callable[[float], None]) -> None:
        self._dock, self._key, self._reveal = dock, key, reveal
        dock.add(key, title, widget, first=True)

    def show(self, share: float = 0.0) -> None:
        """Bring the tab to the front; the dock is opened and grows to ``share`` if it was smaller."""
        self._dock.open(self._key)
        self._reveal(share)

    def visible(self) -> bool:
        """True while it is the tab in front of an open dock."""
        return self._dock.isVisible() and self._dock.current() == self._key

    def set_title(self, title: str) -> None:
        """Rename the tab."""
        self._dock.set_title(self._key, title)

    def set_actions(self, actions: Sequence[tuple[str, str, Callable[[], None]]]) -> None:
        """Text buttons at the right of the tab bar: (id, title, handler)."""
        self._dock.set_buttons(self._key, action_buttons(actions))


def _plain(title: str) -> str:
    """A title as it is to read: Qt takes a single ampersand for the mark of a shortcut."""
    return title.replace("&", "&&")


def action_buttons(actions: Sequence[tuple[str, str, Callable[[], None]]]) -> list[QPushButton]:
    """Text buttons of (id, title, handler)."""
    made = []
    for action_id, title, handler in actions:
        knob = button(title, handler, "link")
        knob.setObjectName(action_id)
        made.append(knob)
    return made


class DockTableView(QWidget):
    """A plugin's table in the dock: sortable, filterable, selection by source rows. See ``plugin_api.ui.DockTable``."""

    row_activated = Signal(int)
    current_changed = Signal(list)
    cell_clicked = Signal(int, int)

    def __init__(self, dock: Dock, key: str, title: str, reveal: Callable[[], None]) -> None:
        super().__init__()
        self._dock, self._key, self._reveal = dock, key, reveal
        theme = dock.theme
        self.view = table_view(theme)
        self.proxy = SortFilterModel(self)
        self.view.setModel(self.proxy)
        self.view.setSortingEnabled(True)
        self.view.clicked.connect(lambda at: self.cell_clicked.emit(self.proxy.mapToSource(at).row(), at.column()))
        self.view.doubleClicked.connect(lambda index: self.row_activated.emit(self.proxy.mapToSource(index).row()))
        self.view.installEventFilter(self)
        self.view.selectionModel().selectionChanged.connect(self._on_selection)
        self._quiet = False
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(tr("Filter rows"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setFixedWidth(theme.px(180))
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(150)
        self._delay.timeout.connect(lambda: self.proxy.setFilterFixedString(self.filter.text()))
        self.filter.textChanged.connect(lambda _: self._delay.start())
        self._empty = EmptyState(theme, tr("Nothing here yet."))
        self._on_empty: Callable[[], None] | None = None
        self._empty.clicked.connect(self._empty_clicked)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.view)
        self.setLayout(column(self._stack, spacing=0))
        self._actions: list[QPushButton] = []
        self._fitted = False
        dock.add(key, title, self, first=True)
        dock.set_buttons(key, [self.filter])

    # plugin_api.ui.DockTable

    def set_model(self, model: QAbstractItemModel) -> None:
        """Show this model's rows."""
        old = self.proxy.sourceModel()
        if old is not None:
            old.disconnect(self)
        self.proxy.setSourceModel(model)
        # The view sorts by column 0 as soon as sorting is on; the model's own order stays until a head is clicked.
        self.proxy.sort(-1)
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        model.modelReset.connect(self._refresh)
        model.rowsInserted.connect(self._refresh)
        model.rowsRemoved.connect(self._refresh)
        self._fitted = False
        self._refresh()

    def set_title(self, title: str) -> None:
        """Rename the tab."""
        self._dock.set_title(self._key, title)

    def select_rows(self, rows: Sequence[int]) -> None:
        """Select source rows and scroll to the first; does not report back through ``current_changed``."""
        source = self.proxy.sourceModel()
        if source is None or list(rows) == self.selected_rows():
            return
        found = [self.proxy.mapFromSource(source.index(number, 0)) for number in rows]
        self._quiet = True
        select_rows(self.view, [index for index in found if index.isValid()])
        self._quiet = False

    def selected_rows(self) -> list[int]:
        """Selected source rows, in order."""
        return sorted(self.proxy.mapToSource(index).row() for index in self.view.selectionModel().selectedRows())

    def show(self) -> None:
        """Bring the tab to the front; the dock is opened if it was hidden."""
        self._dock.open(self._key)
        self._reveal()

    def set_empty(self, text: str, button: str = "", on_click: Callable[[], None] | None = None) -> None:
        """What stands here while the model has no rows."""
        self._empty.set(text, button)
        self._on_empty = on_click

    def set_actions(self, actions: Sequence[tuple[str, str, Callable[[], None]]]) -> None:
        """Text buttons at the right of the tab bar: (id, title, handler)."""
        self._actions = action_buttons(actions)
        self._dock.set_buttons(self._key, [self.filter, *self._actions])
        self._refresh()

    # inner

    def _refresh(self, *_: object) -> None:
        filled = self.proxy.sourceModel() is not None and self.proxy.sourceModel().rowCount() > 0
        self._stack.setCurrentIndex(1 if filled else 0)
        self.filter.setEnabled(filled)
        if filled and not self._fitted:
            self._fitted = True
            fit_columns(self.view, self._dock.theme)

    def _on_selection(self) -> None:
        if not self._quiet:
            self.current_changed.emit(self.selected_rows())

    def _empty_clicked(self) -> None:
        if self._on_empty is not None:
            self._on_empty()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            and self.view.currentIndex().isValid()
        ):
            self.row_activated.emit(self.proxy.mapToSource(self.view.currentIndex()).row())
            return True
        return False
