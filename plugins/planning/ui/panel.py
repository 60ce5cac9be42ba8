"""The planner's task panel: two tasks, one of them open."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from plugins.planning.ui.conflict_page import ConflictPage
from plugins.planning.ui.site_page import SitePage


class PlanningPanel(QWidget):
    """Conflict check and site check. The second is made when it is first opened."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._context = context
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self._stack = QStackedWidget()
        self._makers: list[Callable[[PanelContext], QWidget]] = [ConflictPage, SitePage]
        self.pages: dict[int, QWidget] = {}
        for title in (tr("Conflict check"), tr("Site check")):
            self.tabs.addTab(title)
        self.tabs.currentChanged.connect(self.open)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.tabs)
        column.addWidget(self._stack, 1)
        self.open(0)

    def open(self, place: int) -> None:
        """Show a task."""
        if place not in self.pages:
            self.pages[place] = self._makers[place](self._context)
            self._stack.addWidget(self.pages[place])
        self._stack.setCurrentWidget(self.pages[place])
        self.tabs.setCurrentIndex(place)
