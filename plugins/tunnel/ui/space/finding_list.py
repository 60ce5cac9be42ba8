"""Findings below one another: verdict as a pill, sentence, clause. Redrawn at the pace of a dragging hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from planner_app.domain.finding import Finding
from planner_app.plugin_api.ui import PanelContext
from planner_app.report.findings import finding_message, verdict_word
from plugins.tunnel.ui.space.looks import GRAVITY, Looks, scaled

Index = QModelIndex | QPersistentModelIndex


def clause_of(finding: Finding) -> str:
    """Standard and clause, ``—`` for what only geometry says."""
    return f"{finding.standard} {finding.clause}".strip() or "—"


def counted(findings: Sequence[Finding]) -> str:
    """``Fail 2 · Pass 12``."""
    numbers = Counter(one.verdict for one in findings)
    return " · ".join(f"{verdict_word(verdict.value)} {numbers[verdict]}" for verdict in GRAVITY if numbers[verdict])


class _Model(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self.findings: list[Finding] = []

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.findings)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        one = self.findings[index.row()]
        return f"{verdict_word(one.verdict.value)} {clause_of(one)} {finding_message(one)}"

    def set(self, findings: Sequence[Finding]) -> None:
        new = sorted(findings, key=lambda one: GRAVITY.index(one.verdict))
        if len(new) == len(self.findings):
            self.findings = new
            self.dataChanged.emit(self.index(0), self.index(max(0, len(new) - 1)))
        else:
            self.beginResetModel()
            self.findings = new
            self.endResetModel()


class _Delegate(QStyledItemDelegate):
    def __init__(self, looks: Looks, view: QListView) -> None:
        super().__init__(view)
        self._looks, self._view = looks, view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        width = self._view.viewport().width()
        text = QFontMetricsF(self._looks.font(12)).boundingRect(
            QRectF(0, 0, width - scaled(24), 4000), int(Qt.TextFlag.TextWordWrap), self._message(index)
        )
        return QSize(width, round(text.height()) + scaled(36))

    def _message(self, index: Index) -> str:
        model = index.model()
        assert isinstance(model, _Model)
        return finding_message(model.findings[index.row()])

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, _Model)
        one, looks = model.findings[index.row()], self._looks
        box: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, looks.token("accent_ground"))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(box, looks.token("hover"))
        painter.setFont(looks.font(11))
        word = verdict_word(one.verdict.value)
        left, top = box.left() + scaled(12), box.top() + scaled(7)
        pill = QRectF(left + 0.5, top + 0.5, QFontMetricsF(painter.font()).horizontalAdvance(word) + 14, scaled(18))
        painter.setPen(QPen(looks.token(one.verdict.value), 1))
        painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, word)
        painter.setPen(looks.token("secondary"))
        beside = QRectF(pill.right() + 8, pill.top(), box.right() - pill.right() - 16, pill.height())
        clause = QFontMetricsF(painter.font()).elidedText(clause_of(one), Qt.TextElideMode.ElideRight, beside.width())
        painter.drawText(beside, Qt.AlignmentFlag.AlignVCenter, clause)
        painter.setFont(looks.font(12))
        painter.setPen(looks.token("ink"))
        text = QRectF(left, pill.bottom() + 3, box.width() - scaled(24), box.height())
        painter.drawText(text, int(Qt.TextFlag.TextWordWrap), finding_message(one))
        painter.setPen(looks.token("line"))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        painter.restore()


class FindingList(QListView):
    """What was judged, the gravest first.

    Signals:
        chosen(Finding or None): the finding a person chose.
    """

    chosen = Signal(object)

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._model = _Model()
        self.setModel(self._model)
        self.setItemDelegate(_Delegate(Looks(context), self))
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # its coming would wrap all texts anew
        self.setMouseTracking(True)
        self.setMinimumWidth(scaled(180))
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen.emit(self.current()))
        context.theme_changed.connect(self.viewport().update)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def set(self, findings: Sequence[Finding]) -> None:
        """Show these; a selection stays while their number does."""
        self._model.set(findings)
        self.scheduleDelayedItemsLayout()

    def findings(self) -> list[Finding]:
        """What is shown, in its order."""
        return list(self._model.findings)

    def current(self) -> Finding | None:
        """The chosen one."""
        rows = self.selectionModel().selectedIndexes()
        return self._model.findings[rows[0].row()] if rows else None
