"""The analysis page: four tasks, one in front; what it found stands on the map."""

from __future__ import annotations

from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import GUTTER, button, restyle
from plugins.tunnel.ui.analysis.clearance_page import ClearancePage
from plugins.tunnel.ui.analysis.desk import desk_of
from plugins.tunnel.ui.analysis.emergency_page import EmergencyPage
from plugins.tunnel.ui.analysis.isolate_page import IsolatePage
from plugins.tunnel.ui.analysis.trace_page import TracePage
from plugins.tunnel.ui.state import state_of

TASKS = ("trace", "isolate", "clearance", "emergency")


class AnalysisPage(QWidget):
    """Trace, isolate, clearances, emergencies."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._context = context
        self.state = state_of(context)
        self.desk = desk_of(self.state)
        self.trace, self.isolate = TracePage(self.desk), IsolatePage(self.desk)
        self.clearance, self.emergency = ClearancePage(self.desk), EmergencyPage(self.desk)
        self.task = TASKS[0]
        self.tasks: dict[str, TracePage | IsolatePage | ClearancePage | EmergencyPage] = {
            "trace": self.trace, "isolate": self.isolate, "clearance": self.clearance, "emergency": self.emergency,
        }  # fmt: skip
        self.buttons: dict[str, QPushButton] = {}
        line = QHBoxLayout()
        line.setContentsMargins(GUTTER, 0, GUTTER, 0)
        line.setSpacing(6)
        titles = (tr("Trace"), tr("Valves"), tr("Clearance"), tr("Emergency"))
        for name, title in zip(TASKS, titles, strict=True):
            self.buttons[name] = button(title, lambda name=name: self.open(name), "quiet")  # type: ignore[misc]
            line.addWidget(self.buttons[name])
        line.addStretch(1)
        self._stack = QStackedWidget()
        for page in self.tasks.values():
            self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self._stack, 1)
        self.desk.graph_changed.connect(self._graph_changed)
        self.state.project_changed.connect(self._project_changed)
        self.state.asset_changed.connect(self._asset_changed)
        context.theme_changed.connect(lambda: self.tasks[self.task].draw())
        self.open(self.task)

    def open(self, task: str) -> None:
        """Bring a task to the front."""
        if self.desk.picking:
            self._context.map.use_tool(None)
        before = self.tasks[self.task]
        place = "" if isinstance(before, ClearancePage) else before.place.place
        self.task = task
        for name, knob in self.buttons.items():
            restyle(knob, "chosen" if name == task else "quiet")
        self._stack.setCurrentWidget(self.tasks[task])
        following = self.tasks[task]
        if isinstance(following, TracePage | IsolatePage) and place and not following.place.place:
            following.place.set_place(place)
        if self.isVisible():
            self.tasks[task].draw()

    def ask(self, task: str, *arguments: str) -> None:
        """Open a task and, with a place, let it answer."""
        self.open(task)
        page = self.tasks[task]
        if arguments and arguments[0] and not isinstance(page, ClearancePage):
            page.ask(*arguments)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.tasks[self.task].draw()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing stays on the map behind another page."""
        super().hideEvent(event)
        if self.desk.picking:
            self._context.map.use_tool(None)
        self.desk.marks.show()

    def _graph_changed(self) -> None:
        for page in self.tasks.values():
            page.reset()

    def _project_changed(self) -> None:
        self.clearance.forget()
        for page in (self.trace, self.isolate, self.emergency):
            page.place.set_place("")

    def _asset_changed(self) -> None:
        """The asset selected elsewhere becomes the place of the task in front."""
        asset, ground = self.state.asset, self.desk.ground
        if asset is None or not self.isVisible() or self.task == "clearance":
            return
        if ground is None:
            self.desk.with_ground(lambda _: self._asset_changed(), lambda _: None)
            return
        reference = ground.of_record(asset.table.removeprefix("tunnel."), asset.fid, asset.code)
        page = self.tasks[self.task]
        if reference and not isinstance(page, ClearancePage) and page.place.place != reference:
            page.ask(reference)
