"""Views beside the map: a drawing, a profile. One at a time on tabs of their own; the map never goes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QStackedWidget, QTabBar, QWidget

from planner_app.i18n import tr
from planner_app.ui.controls import IconButton, column, line, row
from planner_app.ui.theme import Theme

if TYPE_CHECKING:
    from PySide6.QtCore import SignalInstance


class SideArea(QFrame):
    """Tabs over a stack of views, hidden while none is open.

    Signals:
        closed(key): the person closed a view.
        appeared(): the first view was opened.
        going(): the last view is about to go.
    """

    closed = Signal(str)
    appeared = Signal()
    going = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("dock")  # the same frame and tabs as the dock's
        self._theme = theme
        self._keys: list[str] = []
        self._views: dict[str, QWidget] = {}
        self.bar = QTabBar()
        self.bar.setDrawBase(False)
        self.bar.setExpanding(False)
        self.bar.setUsesScrollButtons(True)
        self.bar.setElideMode(Qt.TextElideMode.ElideRight)
        self.bar.currentChanged.connect(self._switched)
        self._stack = QStackedWidget()
        close = IconButton(theme, "x", tr("Close this view"), lambda: self._close(self.current()), size=14)
        head = row(spacing=4, margins=(8, 0, 8, 0))
        head.addWidget(self.bar, 1)
        head.addWidget(close)
        body = column(head, line(), spacing=0)
        body.addWidget(self._stack, 1)
        self.setLayout(body)
        self.setMinimumWidth(theme.px(240))
        self.setVisible(False)

    def sizeHint(self) -> QSize:
        """Comfortable for a drawing."""
        return QSize(self._theme.px(560), self._theme.px(600))

    def current(self) -> str:
        """Key of the view in front, "" if none is open."""
        index = self.bar.currentIndex()
        return self._keys[index] if 0 <= index < len(self._keys) else ""

    def open(self, key: str, title: str, view: QWidget) -> None:
        """Show a view and bring it to the front."""
        if key not in self._keys:
            if key not in self._views:
                self._views[key] = view
                self._stack.addWidget(view)
            self._keys.append(key)
            self.bar.addTab(title)
        self.bar.setCurrentIndex(self._keys.index(key))
        self._switched()
        if self.isHidden():
            self.setVisible(True)
            self.appeared.emit()

    def close_view(self, key: str) -> None:
        """Take a view away; asking again shows it as it was."""
        if key in self._keys:
            index = self._keys.index(key)
            if len(self._keys) == 1:
                self.going.emit()
            del self._keys[index]
            self.bar.removeTab(index)
            self._switched()
            self.setVisible(bool(self._keys))

    def is_open(self, key: str) -> bool:
        """True while the view has a tab."""
        return key in self._keys

    def set_title(self, key: str, title: str) -> None:
        """Rename a tab."""
        if key in self._keys:
            self.bar.setTabText(self._keys.index(key), title)

    def _close(self, key: str) -> None:
        self.close_view(key)
        self.closed.emit(key)

    def _switched(self, *_: object) -> None:
        view = self._views.get(self.current())
        if view is not None:
            self._stack.setCurrentWidget(view)


class SideViewHandle(QObject):
    """One plugin's view beside the map. See ``plugin_api.ui.SideView``."""

    if TYPE_CHECKING:
        closed: SignalInstance
    else:
        closed = Signal()

    def __init__(self, area: SideArea, key: str, title: str, widget: QWidget) -> None:
        super().__init__(area)
        self._area, self._key, self._title, self._widget = area, key, title, widget
        area.closed.connect(self._closed)

    def _closed(self, key: str) -> None:
        if key == self._key:
            self.closed.emit()

    def show(self) -> None:
        """Open it and bring it to the front."""
        self._area.open(self._key, self._title, self._widget)

    def hide(self) -> None:
        """Close it; the widget keeps its state."""
        self._area.close_view(self._key)

    def set_title(self, title: str) -> None:
        """Rename its tab."""
        self._title = title
        self._area.set_title(self._key, title)

    def visible(self) -> bool:
        """True while it is open, even behind another view."""
        return self._area.is_open(self._key)
