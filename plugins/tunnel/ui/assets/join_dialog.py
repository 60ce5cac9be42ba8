"""Joining adopted pipes to the city's networks: what is proposed, what is left and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from planner_app.i18n import tr, word
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import TaskDialog, label, px

if TYPE_CHECKING:
    from plugins.tunnel.model.assets.joining import Join, Left, Proposal


class JoinDialog(TaskDialog):
    """Ends to choose from; a click shows the place."""

    def __init__(self, context: PanelContext, found: Proposal, parent: QWidget | None = None) -> None:
        super().__init__(context, tr("Join adopted pipes"), tr("Join"), parent)
        self._found = found
        self.ends, self.left = QListWidget(), QListWidget()
        for one in found.joins:
            item = QListWidgetItem(_join_text(one))
            item.setCheckState(Qt.CheckState.Checked)
            self.ends.addItem(item)
        for rest in found.left:
            self.left.addItem(_left_text(rest))
        self.ends.currentRowChanged.connect(self._show)
        told = tr("Ends of adopted pipes near nodes and lines of their kind. A line that is met on its way is "
                  "cut there. It is one step to undo.")  # fmt: skip
        self.body.addWidget(label(told, "secondary", wrap=True))
        for box in (self.ends, self.left):
            box.setProperty("look", "boxed")
            box.setWordWrap(True)
        self.body.addWidget(self.ends, 2)
        if found.left:
            self.body.addWidget(label(tr("{count} ends stay as they are", count=len(found.left)), "heading"))
            self.body.addWidget(self.left, 1)
        self.resize(px(560), px(440))

    def _show(self, at: int) -> None:
        if 0 <= at < len(self._found.joins):
            one = self._found.joins[at]
            self.context.map.zoom_to_extent((one.x - 60, one.y - 40, one.x + 60, one.y + 40))

    def chosen(self) -> tuple[Join, ...]:
        """The checked ends."""
        checked = (self.ends.item(at).checkState() == Qt.CheckState.Checked for at in range(self.ends.count()))
        return tuple(one for one, on in zip(self._found.joins, checked, strict=True) if on)

    def apply(self) -> None:
        """Join what is checked."""
        from plugins.tunnel.model.assets.weaving import JoinPipes

        project, ends, user = self.context.project, self.chosen(), self.context.user
        if project is None or not ends:
            self.accept()
            return

        def work(_progress: object) -> object:
            return project.execute(JoinPipes(ends, user))

        def done(_entry: object) -> None:
            self.context.notify(tr("{count} ends joined to the network", count=len(ends)), level="success")
            self.accept()

        self.run(tr("Joining pipes"), work, done)


def _join_text(one: Join) -> str:
    told = {"lines": ", ".join(one.lines), "network": one.network or "–", "away": f"{one.distance:.2f}"}
    if one.target_node:
        return tr("{lines} to node {node} of {network}, {away} m", node=one.target_node, **told)
    return tr("{lines} into line {line} of {network}, which is cut there, {away} m", line=one.target_line, **told)


def _left_text(one: Left) -> str:
    return f"{', '.join(one.lines)} · {one.node[1]} · {word(one.code, dict(one.params))}"
