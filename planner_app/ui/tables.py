"""Tables as they look everywhere: figures right-aligned and tabular, verdicts as pills, sorting by value.

What a model may answer beside the usual roles stands in ``planner_app.plugin_api.widgets``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from planner_app.plugin_api.widgets import PILL_ROLE, SORT_ROLE, SWATCH_ROLE, WIDTH_ROLE
from planner_app.ui.controls import swatch_colour
from planner_app.ui.theme import Theme

Index = QModelIndex | QPersistentModelIndex
_DIGITS = re.compile(r"(\d+)")


class CellDelegate(QStyledItemDelegate):
    """Draws pills and swatches; everything else as usual."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        pill = index.data(PILL_ROLE)
        swatch = index.data(SWATCH_ROLE)
        if not pill and not swatch:
            super().paint(painter, option, index)
            return
        opt = QStyleOptionViewItem(option)
        self.initStyleOption(opt, index)
        text = opt.text
        opt.text = ""
        style = opt.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, opt, painter, opt.widget)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = opt.rect.adjusted(self.theme.px(8), 0, -self.theme.px(4), 0)
        if swatch:
            edge = self.theme.px(11)
            square = QRectF(area.left(), area.center().y() - edge / 2 + 0.5, edge, edge)
            painter.setPen(QColor(0, 0, 0, 60))
            painter.setBrush(swatch_colour(str(swatch)))
            painter.drawRoundedRect(square, 2, 2)
            area.setLeft(area.left() + edge + self.theme.px(6))
        if pill:
            self._pill(painter, area, text, str(pill))
        else:
            painter.setPen(self.theme.qcolour("ink"))
            shown = opt.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        painter.restore()

    def _pill(self, painter: QPainter, area: QRect, text: str, token: str) -> None:
        font = self.theme.font(12)
        metrics = QFontMetrics(font)
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width() - self.theme.px(16))
        width = metrics.horizontalAdvance(shown) + self.theme.px(16)
        height = metrics.height() + 2
        box = QRectF(area.left() + 0.5, area.center().y() - height / 2 + 0.5, width, height)
        colour = self.theme.qcolour(token if token in self.theme.tokens else "cannot_judge")
        painter.setPen(colour)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, height / 2, height / 2)
        painter.setFont(font)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, shown)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        size = super().sizeHint(option, index)
        extra = 0
        if index.data(PILL_ROLE):
            extra += self.theme.px(14)
        if index.data(SWATCH_ROLE):
            extra += self.theme.px(17)
        return QSize(size.width() + extra, size.height())


class SortFilterModel(QSortFilterProxyModel):
    """Sorts by :data:`SORT_ROLE`, else by text with numbers inside it in order; filters over all columns."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFilterKeyColumn(-1)
        self.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)

    def lessThan(self, left: Index, right: Index) -> bool:
        return _sort_key(left) < _sort_key(right)


def _sort_key(index: Index) -> tuple[int, object]:
    value = index.data(SORT_ROLE)
    if isinstance(value, bool | int | float):
        return (1, float(value))
    if value is None:
        value = index.data(Qt.ItemDataRole.DisplayRole)
    if value is None or value == "":
        return (0, "")
    parts = _DIGITS.split(str(value).casefold())
    return (2, tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p))


def table_view(theme: Theme, look: str = "") -> QTableView:
    """A table view in the window's manner: no grid of boxes, one-pixel row lines, whole rows selected."""
    view = QTableView()
    if look:
        view.setProperty("look", look)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setItemDelegate(CellDelegate(theme, view))
    view.setFont(theme.font(tabular=True))
    view.setTabKeyNavigation(False)
    vertical = view.verticalHeader()
    vertical.setVisible(False)
    vertical.setDefaultSectionSize(theme.px(27))
    vertical.setMinimumSectionSize(theme.px(22))
    vertical.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    header = view.horizontalHeader()
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setMinimumSectionSize(theme.px(36))
    header.setSectionsMovable(True)
    header.setStretchLastSection(True)
    theme.changed.connect(view.viewport().update)
    return view


def select_rows(view: QTableView, rows: Sequence[QModelIndex]) -> None:
    """Select the rows of these indexes instead of what is selected, and bring the first into view."""
    selection = QItemSelection()
    for index in rows:
        selection.select(index, index)
    flag = QItemSelectionModel.SelectionFlag
    view.selectionModel().select(selection, flag.ClearAndSelect | flag.Rows)
    if rows:
        view.scrollTo(rows[0])


def fit_columns(view: QTableView, theme: Theme, widest: int = 260) -> None:
    """Give every column the width of its head and first rows, within bounds: the model's own, else ``widest``."""
    model = view.model()
    header = view.horizontalHeader()
    header.setResizeContentsPrecision(50)
    view.resizeColumnsToContents()
    for column in range(header.count()):
        most = model.headerData(column, Qt.Orientation.Horizontal, WIDTH_ROLE) or widest
        header.resizeSection(column, min(max(header.sectionSize(column) + theme.px(10), theme.px(56)), theme.px(most)))
    last = model.headerData(header.count() - 1, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole)
    # Figures at the far right edge would stand apart from their table.
    header.setStretchLastSection(not (last is not None and Qt.AlignmentFlag(last) & Qt.AlignmentFlag.AlignRight))
