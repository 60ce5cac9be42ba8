"""Ask what lies at a point, across all visible layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QSizePolicy,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from planner_app.i18n import tr
from planner_app.plugin_api.viewport import Viewport
from planner_app.ui.canvas.feature_text import FeatureText, describe
from planner_app.ui.canvas.picking import pick
from planner_app.ui.controls import FloatingFrame
from planner_app.ui.theme import Theme
from planner_app.ui.tools import sketch
from planner_app.ui.tools.select import REACH
from planner_app.ui.tools.tool import Tool, ToolEvent

if TYPE_CHECKING:
    from planner_app.ui.canvas.map_canvas import MapCanvas

#: More things than this at one point are not listed.
MOST = 50


class IdentifyPopup(FloatingFrame):
    """What was found: one branch per feature with its size and attributes. ``chosen(layer id, fid)``."""

    chosen = Signal(str, int)
    zoom_asked = Signal(str, int)
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._canvas = parent
        self._heading = QLabel(self)
        self._heading.setProperty("look", "heading")
        close = QToolButton(self)
        close.setIcon(theme.icon("x", size=14))
        close.setToolTip(tr("Close"))
        close.clicked.connect(self.dismiss)
        self.tree = QTreeWidget(self)
        self.tree.setColumnCount(2)
        self.tree.setHeaderHidden(True)
        self.tree.setRootIsDecorated(True)
        self.tree.setFrameShape(QFrame.Shape.NoFrame)
        self.tree.setIndentation(14)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        self.tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.tree.currentItemChanged.connect(self._current)
        self.tree.itemDoubleClicked.connect(self._double)
        head = QHBoxLayout()
        head.setContentsMargins(theme.px(10), theme.px(4), theme.px(4), 0)
        self.log = QToolButton(self)
        self.log.setIcon(theme.icon("history", size=14))
        self.log.setToolTip(tr("What the city server knows of its past"))
        head.addWidget(self._heading, 1)
        head.addWidget(self.log)
        head.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, theme.px(5))
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self.tree)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_results(self, found: list[FeatureText], more: int, at: QPoint) -> None:
        """List features, the topmost opened and chosen, beside a point of the canvas."""
        if len(found) == 1 and not more:
            self._heading.setText(tr("1 object here"))
        else:
            self._heading.setText(tr("{count} objects here", count=len(found) + more))
        self.tree.clear()
        figures = self.theme.font(12, tabular=True)
        for text in found:
            item = QTreeWidgetItem(self.tree, [text.title, ""])
            item.setData(0, Qt.ItemDataRole.UserRole, (text.layer_id, text.fid))
            item.setFirstColumnSpanned(True)
            for size in text.size:
                child = QTreeWidgetItem(item, [size, ""])
                child.setFirstColumnSpanned(True)
            for name, value in text.values:
                child = QTreeWidgetItem(item, [name, value])
                child.setFont(1, figures)
                child.setToolTip(1, value)
        px = self.theme.px
        self.tree.setColumnWidth(0, px(130))
        rows = len(found) + (len(found[0].values) + len(found[0].size) if found else 0)
        width, height = px(360), px(60) + min(rows, 14) * px(27)
        parent = self._canvas
        self.resize(min(width, parent.width() - 16), min(height, parent.height() - 16))
        x = at.x() + 16 if at.x() + 16 + self.width() <= parent.width() else at.x() - 16 - self.width()
        self.move(max(x, 8), max(min(at.y() - 20, parent.height() - self.height() - 8), 8))
        self.show()
        self.raise_()
        first = self.tree.topLevelItem(0)
        if first is not None:
            first.setExpanded(True)
            self.tree.setCurrentItem(first)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside the list is no click on the map below."""
        event.accept()

    def dismiss(self) -> None:
        """Close it."""
        if not self.isHidden():
            self.hide()
            self.closed.emit()

    def _feature(self, item: QTreeWidgetItem | None) -> tuple[str, int] | None:
        while item is not None and item.parent() is not None:
            item = item.parent()
        return item.data(0, Qt.ItemDataRole.UserRole) if item is not None else None

    def _current(self, item: QTreeWidgetItem | None) -> None:
        feature = self._feature(item)
        if feature is not None:
            self.chosen.emit(*feature)

    def _double(self, item: QTreeWidgetItem) -> None:
        feature = self._feature(item)
        if feature is not None:
            self.zoom_asked.emit(*feature)


class IdentifyTool(Tool):
    """Click lists everything under the pointer; choosing one selects it."""

    cursor = Qt.CursorShape.WhatsThisCursor
    shows_hover = False

    def __init__(self, canvas: MapCanvas) -> None:
        super().__init__(canvas)
        self._popup: IdentifyPopup | None = None
        self._at: tuple[float, float] | None = None

    @property
    def popup(self) -> IdentifyPopup:
        """The result list, made when first needed."""
        if self._popup is None:
            self._popup = IdentifyPopup(self.canvas.session.theme, self.canvas)
            self._popup.chosen.connect(lambda layer, fid: self.canvas.session.selection.set(layer, [fid]))
            self._popup.zoom_asked.connect(lambda layer, fid: self.canvas.zoom_to_features(layer, [fid]))
            self._popup.closed.connect(self._forget)
            self._popup.log.clicked.connect(lambda *_: self.canvas.session.log_asked.emit())
        return self._popup

    def hint(self) -> str:
        return tr("Click to see what lies at a point, in all visible layers.")

    def press(self, event: ToolEvent) -> None:
        if not event.left:
            return
        project = self.canvas.session.project
        layers = {layer.id: layer for layer in self.canvas.visible_layers()}
        if project is None or not layers:
            return
        tolerance = REACH * self.canvas.viewport.resolution
        x, y, at = event.x, event.y, QPoint(round(event.px), round(event.py))
        self._at = (x, y)
        self.canvas.update()

        def work() -> tuple[list[FeatureText], int]:
            picked = pick(project, list(layers.values()), x, y, tolerance)
            hits = picked.drawn + picked.around
            texts = [describe(project, layers[layer], fid) for layer, fid in hits[:MOST]]
            return [t for t in texts if t is not None], max(len(hits) - MOST, 0)

        def done(result: tuple[list[FeatureText], int]) -> None:
            found, more = result
            if found:
                self.popup.log.setVisible(bool(self.canvas.session.sync.conninfo))
                self.popup.show_results(found, more, at)
            else:
                self.popup.dismiss()
                self.canvas.say("info", tr("Nothing here in the visible layers."))

        self.canvas.background.run("identify", work, done, self.canvas.report)

    def cancel(self) -> bool:
        shown = self._popup is not None and not self._popup.isHidden()
        if self._popup is not None:
            self._popup.dismiss()
        return shown

    def deactivate(self) -> None:
        self.canvas.background.drop("identify")
        self.cancel()
        self._forget()

    def _forget(self) -> None:
        self._at = None
        self.canvas.update()

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        if self._at is not None:
            x, y = viewport.to_screen(*self._at)
            painter.setPen(sketch.pen(sketch.PAPER, 4))
            painter.drawEllipse(round(x) - 5, round(y) - 5, 10, 10)
            painter.setPen(sketch.pen(sketch.INK, 2))
            painter.drawEllipse(round(x) - 5, round(y) - 5, 10, 10)
