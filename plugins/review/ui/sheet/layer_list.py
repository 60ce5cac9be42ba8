"""The layers of a drawing with their switches, compact enough to float."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import button, label
from plugins.review.ui import words
from plugins.review.ui.sheet.knobs import scaled
from plugins.review.ui.sheet.model import SheetModel

#: With fewer layers the list needs no filter.
_FILTERED = 12
_ROWS = 14


class LayerList(QWidget):
    """Check boxes by layer; what is switched here is switched on map and sheet."""

    def __init__(self, context: PanelContext, model: SheetModel) -> None:
        super().__init__()
        self._context, self._model = context, model
        self._filling = False
        self._turn = -1
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(tr("Filter layers"))
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(lambda _: self._narrow())
        self.list = QListWidget()
        self.list.setUniformItemSizes(True)
        self.list.setIconSize(QSize(14, 14))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemChanged.connect(self._switched)
        title = label(tr("Layers of the drawing"), "heading")
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 0, 0, 0)
        foot.addWidget(button(tr("All on"), lambda: self._all(True), "link"))
        foot.addWidget(button(tr("All off"), lambda: self._all(False), "link"))
        foot.addWidget(button(tr("As in the file"), self._as_in_file, "link"))
        foot.addStretch(1)
        body = QVBoxLayout(self)
        body.setContentsMargins(6, 4, 6, 2)
        body.setSpacing(4)
        for part in (title, self.filter, self.list):
            body.addWidget(part)
        body.addLayout(foot)
        self.setMinimumWidth(scaled(140))
        model.changed.connect(self._fill)
        model.look_changed.connect(self._tick)
        self._fill()

    def sizeHint(self) -> QSize:
        """Wide enough for usual names, less where there is no room."""
        return QSize(scaled(248), super().sizeHint().height())

    def _fill(self) -> None:
        shown = self._model.shown
        turn = shown.turn if shown is not None else 0
        if turn == self._turn:
            return
        self._turn, self._filling = turn, True
        self.list.clear()
        if shown is not None:
            colours = {layer.name: layer.colour for layer in shown.opened.drawing.layers}
            counts = {layer.name: layer.count for layer in shown.opened.drawing.layers}
            roles = {name: role for role, names in shown.opened.plan.roles.items() for name in names}
            for name in shown.sheet.layers:
                item = QListWidgetItem(_square(colours.get(name, "#000000")), name)
                item.setData(Qt.ItemDataRole.UserRole, name)
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
                role = words.role(str(roles[name])) if name in roles else ""
                about = tr("{count} entities", count=f"{counts.get(name, 0):,}")
                item.setToolTip(" · ".join(part for part in (name, role, about) if part))
                self.list.addItem(item)
        self.filter.setVisible(self.list.count() > _FILTERED)
        self.filter.clear()
        rows = min(max(self.list.count(), 1), _ROWS)
        self.list.setFixedHeight(rows * (self.list.sizeHintForRow(0) if self.list.count() else 22) + 4)
        self._filling = False
        self._tick()

    def _tick(self) -> None:
        self._filling = True
        for row in range(self.list.count()):
            item = self.list.item(row)
            on = item.data(Qt.ItemDataRole.UserRole) not in self._model.hidden
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self._filling = False

    def _switched(self, item: QListWidgetItem) -> None:
        if not self._filling:
            on = item.checkState() == Qt.CheckState.Checked
            self._model.set_layer([item.data(Qt.ItemDataRole.UserRole)], on)

    def _narrow(self) -> None:
        text = self.filter.text().strip().casefold()
        for row in range(self.list.count()):
            item = self.list.item(row)
            item.setHidden(text not in item.text().casefold())

    def _all(self, on: bool) -> None:
        """Every layer that the filter shows."""
        items = [self.list.item(row) for row in range(self.list.count())]
        self._model.set_layer([one.data(Qt.ItemDataRole.UserRole) for one in items if not one.isHidden()], on)

    def _as_in_file(self) -> None:
        shown = self._model.shown
        if shown is not None:
            self._model.set_layer(shown.sheet.layers, True)
            self._model.set_layer(shown.sheet.hidden, False)


def _square(colour: str) -> QIcon:
    image = QPixmap(14, 14)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setPen(QColor("#9AA3AE"))
    painter.setBrush(QColor(colour))
    painter.drawRect(2, 2, 10, 10)
    painter.end()
    return QIcon(image)
