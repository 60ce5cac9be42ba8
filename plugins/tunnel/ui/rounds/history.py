"""A defect's history: its grade over time as a chart, every examination with its photo below."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import button, label, px
from plugins.tunnel.model.operation.records import Defect, DefectStatus, Examination
from plugins.tunnel.model.operation.rows import GRADE_COLOURS
from plugins.tunnel.model.operation.sheets import local, place_text
from plugins.tunnel.model.operation.words import defect_status_word, defect_word, event_word, grade_word
from plugins.tunnel.ui.rounds.desk import OperationDesk
from plugins.tunnel.ui.rounds.fields import OperationDialog, scaled_picture

if TYPE_CHECKING:
    from collections.abc import Callable

_LEFT, _RIGHT, _TOP, _FOOT = 92.0, 16.0, 12.0, 24.0


class GradeChart(QWidget):
    """Grade over time: steps between examinations, a dot for each, a tick where it was repaired."""

    def __init__(self, desk: OperationDesk) -> None:
        super().__init__()
        self._desk = desk
        self.its: list[Examination] = []
        self.setMinimumHeight(px(130))
        desk.context.theme_changed.connect(self.update)

    def show_history(self, its: Sequence[Examination]) -> None:
        """Show these examinations, oldest first."""
        self.its = list(its)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(px(460), px(130))

    def points(self) -> list[QPointF]:
        """Where each examination stands."""
        times = [datetime.fromisoformat(one.time).timestamp() for one in self.its]
        if not times:
            return []
        first, last = times[0], times[-1]
        left, right = float(px(_LEFT)), self.width() - float(px(_RIGHT))
        span = last - first
        return [
            QPointF(left + (right - left) * ((t - first) / span if span else 0.5), self._level(one.grade))
            for t, one in zip(times, self.its, strict=True)
        ]

    def _level(self, grade: int) -> float:
        top, foot = float(px(_TOP)), self.height() - float(px(_FOOT))
        return foot - (foot - top) * (grade - 0.6) / 3.8

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = painter.font()
        font.setPixelSize(px(12))
        painter.setFont(font)
        colour = self._desk.context.colour
        line, ink, tertiary = QColor(colour("line")), QColor(colour("secondary")), QColor(colour("tertiary"))
        left, right = float(px(_LEFT)), float(self.width())
        for grade in (1, 2, 3, 4):
            y = self._level(grade)
            painter.setPen(QPen(line, 1))
            painter.drawLine(QPointF(left - px(6), y), QPointF(right, y))
            painter.setPen(ink)
            box = QRectF(0, y - px(9), left - px(12), px(18))
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, grade_word(grade))
        points = self.points()
        painter.setPen(QPen(QColor(colour("accent")), 2))
        for before, after in pairwise(points):
            painter.drawLine(before, QPointF(after.x(), before.y()))
            painter.drawLine(QPointF(after.x(), before.y()), after)
        for point, one in zip(points, self.its, strict=True):
            mended = one.event == "repaired"
            painter.setPen(QPen(QColor(colour("panel")), 2))
            painter.setBrush(QColor(colour("pass") if mended else GRADE_COLOURS[one.grade]))
            painter.drawEllipse(point, px(6), px(6))
            if mended:
                painter.setPen(QColor(colour("panel")))
                painter.drawText(QRectF(point.x() - 8, point.y() - 9, 16, 18), Qt.AlignmentFlag.AlignCenter, "✓")
        if self.its:
            painter.setPen(tertiary)
            foot = QRectF(left - px(6), self.height() - px(20), right - left, px(18))
            painter.drawText(foot, Qt.AlignmentFlag.AlignLeft, local(self.its[0].time)[:10])
            if len(self.its) > 1:
                painter.drawText(foot, Qt.AlignmentFlag.AlignRight, local(self.its[-1].time)[:10])


class Thumbnail(QLabel):
    """A photo, small; a click shows it whole."""

    def __init__(self, picture: QPixmap, clicked: Callable[[QPixmap], None]) -> None:
        super().__init__()
        self._whole, self._clicked = picture, clicked
        self.setPixmap(scaled_picture(picture, px(132), px(99)))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(tr("Click to enlarge"))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._clicked(self._whole)


class HistoryDialog(OperationDialog):
    """The history of one defect; it follows what is written while it is open."""

    def __init__(self, desk: OperationDesk, parent: QWidget | None, defect_id: str) -> None:
        super().__init__(desk, tr("Defect"), "", parent, 540)
        self._id = defect_id
        self.head, self.place = label("", "title", wrap=True), label("", "secondary", wrap=True)
        self.words = label("", wrap=True)
        self.chart = GradeChart(desk)
        self._list = QVBoxLayout()
        self._list.setSpacing(8)
        self._list.setContentsMargins(0, 0, 6, 0)
        inner = QWidget()
        inner.setLayout(self._list)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inner)
        for part in (self.head, self.place, self.words, self.chart):
            self.body.addWidget(part)
        self.body.addWidget(scroll, 1)
        self.entries: list[QFrame] = []
        desk.changed.connect(self.refresh)
        self.resize(px(560), px(640))
        self.refresh()

    def refresh(self) -> None:
        """Show the defect as it is now."""
        book = self.desk.shown.book if self.desk.shown is not None else None
        one = next((one for one in book.defects if one.id == self._id), None) if book is not None else None
        if one is None or book is None:
            return
        its = sorted((each for each in book.examinations if each.defect_id == one.id), key=lambda each: each.time)
        self._show_head(one)
        self.chart.show_history(its)
        for entry in self.entries:
            entry.deleteLater()
        while self._list.count():
            self._list.takeAt(0)
        self.entries = [self._entry(each) for each in reversed(its)]
        for entry in self.entries:
            self._list.addWidget(entry)
        self._list.addStretch(1)

    def _show_head(self, one: Defect) -> None:
        self.setWindowTitle(f"{one.number} {defect_word(one.code)}")
        status = defect_status_word(one.status)
        if one.status is DefectStatus.CLOSED:
            status += f" {local(one.closed_at)} {one.closed_by}"
        self.head.setText(f"{one.number} {defect_word(one.code)} · {grade_word(one.grade)} · {status}")
        self.place.setText(f"{place_text(one.tunnel, one.m, one.compartment)} {one.position}".strip())
        self.words.setText(one.text)
        self.words.setVisible(bool(one.text))

    def _entry(self, one: Examination) -> QFrame:
        frame = QFrame()
        frame.setProperty("look", "card")
        line = QHBoxLayout(frame)
        line.setContentsMargins(11, 9, 11, 9)
        line.setSpacing(10)
        column = QVBoxLayout()
        column.setSpacing(3)
        column.addWidget(label(f"{event_word(one.event)} · {grade_word(one.grade)}", "heading"))
        column.addWidget(label(f"{local(one.time)} {one.by}", "small"))
        if one.text:
            column.addWidget(label(one.text, wrap=True))
        column.addStretch(1)
        line.addLayout(column, 1)
        picture = self._photo(one.photo)
        if picture is not None:
            line.addWidget(Thumbnail(picture, partial(enlarge, self)), 0, Qt.AlignmentFlag.AlignTop)
        return frame

    def _photo(self, sha256: str) -> QPixmap | None:
        if not sha256:
            return None
        picture = QPixmap()
        try:
            picture.loadFromData(self.desk.project().read_attachment(sha256))
        except PlannerError as error:
            self.say(error)
        return None if picture.isNull() else picture

    def add_actions(self, *actions: tuple[str, Callable[[], None]]) -> None:
        """What can be done with the defect, at the foot."""
        for text, run in actions:
            knob = button(text, run)
            knob.setAutoDefault(False)
            self.box.addButton(knob, self.box.ButtonRole.ActionRole)


def enlarge(dialog: OperationDialog, picture: QPixmap) -> None:
    """Show a photo whole, in a window of its own."""
    whole = OperationDialog(dialog.desk, tr("Photo"), "", dialog, 320)
    shown = QLabel()
    room = dialog.screen().availableSize()
    shown.setPixmap(scaled_picture(picture, min(px(960), room.width() - 80), min(px(720), room.height() - 160)))
    whole.body.addWidget(shown)
    whole.show()
