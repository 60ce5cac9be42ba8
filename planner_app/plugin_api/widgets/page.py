"""The skeleton of a task panel, its tabs and its form."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from planner_app.plugin_api.widgets.basics import GUTTER, label


class TaskPage(QWidget):
    """A panel's page: its parts scroll as one, the foot (what can be done with the selection) stays in view."""

    def __init__(self) -> None:
        super().__init__()
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        inner = QWidget()
        self._parts = QVBoxLayout(inner)
        self._parts.setContentsMargins(GUTTER, 8, GUTTER, GUTTER)
        self._parts.setSpacing(12)
        self._parts.addStretch(1)
        self._scroll.setWidget(inner)
        self._scroll.verticalScrollBar().rangeChanged.connect(self._bar_changed)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self._scroll, 1)

    def add(self, *parts: QWidget) -> None:
        """Add parts below those that are there."""
        for part in parts:
            self._parts.insertWidget(self._parts.count() - 1, part)

    def set_foot(self, foot: QWidget) -> None:
        """What stays in view at the lower edge while it is shown."""
        rule = QFrame()
        rule.setProperty("look", "line")
        holder = _Foot(foot, rule)
        self._column.addWidget(holder)

    def _bar_changed(self, lowest: int, highest: int) -> None:
        """The bar stands in the gutter, so that everything keeps its width and its right edge."""
        bar = self._scroll.verticalScrollBar().sizeHint().width() if highest > lowest else 0
        margins = self._parts.contentsMargins()
        margins.setRight(max(GUTTER - bar, 0))
        self._parts.setContentsMargins(margins)


def tab_bar(*titles: str) -> QTabBar:
    """Tabs as they look in a panel."""
    made = QTabBar()
    made.setDrawBase(False)
    made.setExpanding(False)
    for title in titles:
        made.addTab(title)
    return made


class TabbedPages(QWidget):
    """Pages on tabs, one of them open; each is made when it is first opened.

    Args:
        makers: title and maker of each page. None is open until :meth:`open` was called.
    """

    def __init__(self, makers: Sequence[tuple[str, Callable[[], QWidget]]]) -> None:
        super().__init__()
        self._makers = [make for _, make in makers]
        self.pages: dict[int, QWidget] = {}
        self._stack = QStackedWidget()
        self.tabs = tab_bar(*(title for title, _ in makers))
        self.tabs.currentChanged.connect(self.open)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.tabs)
        column.addWidget(self._stack, 1)

    def open(self, place: int) -> None:
        """Show a page."""
        if place not in self.pages:
            self.pages[place] = self._makers[place]()
            self._stack.addWidget(self.pages[place])
        self._stack.setCurrentWidget(self.pages[place])
        self.tabs.setCurrentIndex(place)


class _Foot(QWidget):
    """A rule above the foot; both hidden together."""

    def __init__(self, foot: QWidget, rule: QWidget) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        padded = QVBoxLayout()
        padded.setContentsMargins(GUTTER, 10, GUTTER, GUTTER - 2)
        padded.addWidget(foot)
        column.addWidget(rule)
        column.addLayout(padded)
        self._foot = foot
        foot.installEventFilter(self)
        self.setVisible(foot.isVisibleTo(self))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.HideToParent, QEvent.Type.ShowToParent):
            self.setVisible(event.type() == QEvent.Type.ShowToParent)
        return super().eventFilter(watched, event)


class Form(QWidget):
    """Inputs at the top of a panel: captions on the left, all in one column."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(1, 1)

    def add(self, caption: str, widget: QWidget, *, tall: bool = False) -> QLabel:
        """Add a row; returns its caption, which stands at the first line of a ``tall`` widget."""
        row = self._grid.rowCount()
        text = label(caption, "secondary")
        text.setBuddy(widget)
        if tall:
            text.setContentsMargins(0, 5, 0, 0)
        self._grid.addWidget(text, row, 0, Qt.AlignmentFlag.AlignTop if tall else Qt.AlignmentFlag.AlignVCenter)
        self._grid.addWidget(widget, row, 1)
        return text

    def add_row(self, caption: str, *widgets: QWidget) -> None:
        """Add a row of buttons, with a caption unless it is empty."""
        line = QHBoxLayout()
        line.setSpacing(8)
        for widget in widgets:
            line.addWidget(widget)
        line.addStretch(1)
        row = self._grid.rowCount()
        if caption:
            self._grid.addWidget(label(caption, "secondary"), row, 0)
        self._grid.addLayout(line, row, 1)

    def add_buttons(self, *buttons: QWidget) -> None:
        """Add a row of buttons under the inputs."""
        self.add_row("", *buttons)
