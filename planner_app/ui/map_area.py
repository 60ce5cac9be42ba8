"""The map with what floats on it: tools at its top left, zoom at its top right, messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from planner_app.i18n import tr
from planner_app.ui.controls import FloatingFrame, IconButton, column, line, row
from planner_app.ui.floating import Floats
from planner_app.ui.notify import MessageBar
from planner_app.ui.theme import Theme

if TYPE_CHECKING:
    from planner_app.plugin_api.ui import Edge
    from planner_app.ui.canvas.map_canvas import MapCanvas
    from planner_app.ui.tools.tool import ToolInfo


class ToolBar(FloatingFrame):
    """The tools of the map, one of them down."""

    def __init__(self, theme: Theme, tools: Sequence[ToolInfo], choose: Callable[[str], None], parent: QWidget) -> None:
        super().__init__(theme, parent)
        self.buttons: dict[str, IconButton] = {}
        self._tools, self._tips = {tool.id: tool for tool in tools}, dict[str, str]()
        parts = row(spacing=2, margins=(4, 4, 4, 4))
        group = tools[0].group if tools else ""
        for tool in tools:
            if tool.group != group:
                group = tool.group
                parts.addSpacing(3)
                parts.addWidget(line(vertical=True))
                parts.addSpacing(3)
            tip = f"{tool.title} ({tool.shortcut})" if tool.shortcut else tool.title
            made = IconButton(theme, tool.icon, tip, partial(choose, tool.id), checkable=True)
            made.setFixedSize(theme.px(30), theme.px(28))
            self.buttons[tool.id], self._tips[tool.id] = made, tip
            parts.addWidget(made)
        self.setLayout(parts)

    def refuse(self, group: str, why: str) -> None:
        """Switch a group's tools off with a reason, or on."""
        for tool_id, knob in self.buttons.items():
            if self._tools[tool_id].group == group:
                knob.setEnabled(not why)
                knob.setToolTip(f"{self._tips[tool_id]}\n{why}" if why else self._tips[tool_id])

    def mark(self, tool_id: str) -> None:
        """Show which tool is in use."""
        for name, knob in self.buttons.items():
            knob.setChecked(name == tool_id)


class ZoomBar(FloatingFrame):
    """Zoom in, out, everything; views before and after."""

    def __init__(self, theme: Theme, canvas: MapCanvas, parent: QWidget) -> None:
        super().__init__(theme, parent)
        parts = column(spacing=2, margins=(4, 4, 4, 4))
        for icon, tip, handler in (
            ("plus", tr("Zoom in (+)"), canvas.zoom_in),
            ("minus", tr("Zoom out (-)"), canvas.zoom_out),
            ("maximize", tr("Zoom to everything (Ctrl+0)"), canvas.zoom_full),
            ("arrow-left", tr("Previous view (Alt+Left)"), canvas.view_back),
            ("arrow-right", tr("Next view (Alt+Right)"), canvas.view_forward),
        ):
            made = IconButton(theme, icon, tip, handler, size=16)
            made.setFixedSize(theme.px(28), theme.px(28))
            parts.addWidget(made)
        self.setLayout(parts)


class MapArea(QWidget):
    """Holds the canvas and keeps what floats in its corners."""

    def __init__(self, theme: Theme, canvas: MapCanvas) -> None:
        super().__init__()
        self.setObjectName("maparea")
        self.canvas = canvas
        self.setLayout(column(canvas, spacing=0))
        self.theme = theme
        self.tools = self._tool_bar()
        self.zoom = ZoomBar(theme, canvas, self)
        self.floats = Floats(theme, self, self._taken)
        self.messages = MessageBar(theme, self, self.floats.foot)
        self.floats.arranged = self.messages.place
        self._keep_room()
        canvas.tool_changed.connect(lambda tool_id: self.tools.mark(tool_id))
        for signal in (
            canvas.session.current_layer_changed, canvas.session.layers_changed, canvas.session.sync.changed,
        ):  # fmt: skip
            signal.connect(self._refuse_edits)
        canvas.message.connect(lambda level, text: self.messages.say(level, text))

    def _tool_bar(self) -> ToolBar:
        made = ToolBar(self.theme, self.canvas.tool_infos(), self.canvas.set_tool, self)
        made.mark(self.canvas.tool_id)
        made.adjustSize()
        made.move(4, 4)
        return made

    def _refuse_edits(self, *_: object) -> None:
        """Tools that edit the current layer are off where it may not be edited, and say why."""
        self.tools.refuse("edit", self.canvas.refusal())

    def rebuild_tools(self) -> None:
        """Show the tools again: a plugin added some."""
        self.tools.deleteLater()
        self.tools = self._tool_bar()
        self.tools.show()
        self._refuse_edits()
        self._keep_room()
        self.floats.arrange()

    def _keep_room(self) -> None:
        """Tools and zoom stand beside each other, however narrow the map."""
        width = self.tools.sizeHint().width() + self.zoom.sizeHint().width()
        self.setMinimumSize(max(self.theme.px(320), width), self.theme.px(200))

    def _taken(self, edge: Edge) -> int:
        """Pixels of tools and zoom at the top of an edge."""
        corner = self.tools if edge == "left" else self.zoom
        return corner.y() + corner.height() - 8

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.zoom.adjustSize()
        self.zoom.move(self.width() - self.zoom.width() - 4, 4)
        for part in (self.tools, self.zoom):
            part.raise_()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, True)
