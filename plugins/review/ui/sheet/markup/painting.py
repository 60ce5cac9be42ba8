"""Marks drawn: casings, boxes, stamps, photos, badges, handles. Where they are is said in :mod:`~.shapes`."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from plugins.review.model.cases.records import Markup
from plugins.review.ui.sheet.live import ToScreen
from plugins.review.ui.sheet.markup.board import MarkBoard
from plugins.review.ui.sheet.markup.shapes import (
    AREAS,
    PIN,
    Drawn,
    Outline,
    colour_of,
    font_of,
    lines_of,
    outline,
    small_font,
    stamp_lines,
    width_of,
)
from plugins.review.ui.sheet.paint import drawing_font

_PAPER = QColor(255, 255, 255, 225)


def paint_marks(painter: QPainter, board: MarkBoard, surface: str, to_screen: ToScreen, draft: Markup | None) -> None:
    """All marks of a surface; ``draft`` stands for the one that is being dragged."""
    for mark in board.seen(surface):
        drawn = board.drawn(draft if draft is not None and draft.id == mark.id else mark, surface)
        if drawn is not None:
            chosen = mark.id == board.selected or (bool(mark.issue_id) and mark.issue_id == board.state.issue_id)
            paint_mark(painter, drawn, to_screen, selected=chosen)


def paint_mark(painter: QPainter, drawn: Drawn, to_screen: ToScreen, *, selected: bool = False) -> Outline:
    """Draw a mark; returns its shape."""
    mark, shape = drawn.mark, outline(drawn, to_screen)
    colour, width = colour_of(mark), width_of(mark)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if selected:
        glow = QColor("#1F5FAE")
        glow.setAlphaF(0.28)
        painter.setPen(_pen(glow, width + 9))
        painter.drawPath(shape.path)
        for box in shape.boxes:
            painter.setPen(_pen(glow, 6))
            painter.drawRoundedRect(box, 4, 4)
    if mark.kind in AREAS:
        fill = QColor(colour)
        fill.setAlphaF(0.10)
        painter.fillPath(shape.path, fill)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_pen(_PAPER, width + 2.4))  # a casing: red on red roofs stays readable
    painter.drawPath(shape.path)
    painter.setPen(_pen(colour, width))
    painter.drawPath(shape.path)
    _paint_boxes(painter, drawn, shape, colour, to_screen)
    if drawn.badge:
        _paint_badge(painter, shape.bounds, drawn.badge, colour)
    painter.restore()
    return shape


def paint_handles(painter: QPainter, shape: Outline) -> None:
    """What a selected mark can be dragged by."""
    painter.save()
    painter.setPen(_pen(QColor("#1F5FAE"), 1.5))
    painter.setBrush(QColor("#FFFFFF"))
    for handle in shape.handles:
        painter.drawRect(QRectF(handle.x() - 3.5, handle.y() - 3.5, 7, 7))
    if not shape.handles:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor("#1F5FAE"), 1.2, Qt.PenStyle.DashLine))
        painter.drawRect(shape.bounds.adjusted(-4, -4, 4, 4))
    painter.restore()


def _pen(colour: QColor, width: float) -> QPen:
    return QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)


def _paint_boxes(painter: QPainter, drawn: Drawn, shape: Outline, colour: QColor, to_screen: ToScreen) -> None:
    mark, font = drawn.mark, font_of(drawn.mark)
    painter.setFont(font)
    if mark.kind == "stamp" and shape.boxes:
        _paint_stamp(painter, mark, shape.boxes[0], colour, font)
        return
    if mark.kind == "photo" and shape.boxes:
        _paint_photo(painter, drawn, shape.boxes, colour, QPointF(*to_screen(*drawn.points[0])))
        return
    for box in shape.boxes:
        painter.setBrush(_PAPER)
        painter.setPen(_pen(colour, max(1.2, width_of(mark) * 0.7)) if mark.kind == "callout" else Qt.PenStyle.NoPen)
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(colour)
        _write(painter, box, drawn.measured if mark.kind in ("dimension", "area") else mark.text)


def _write(painter: QPainter, box: QRectF, text: str) -> None:
    metrics = QFontMetricsF(painter.font())
    for number, line in enumerate(lines_of(text)):
        painter.drawText(QPointF(box.left() + 6, box.top() + 3 + metrics.ascent() + number * metrics.height()), line)


def _paint_stamp(painter: QPainter, mark: Markup, box: QRectF, colour: QColor, font: QFont) -> None:
    title, foot = stamp_lines(mark)
    painter.setBrush(_PAPER)
    painter.setPen(_pen(colour, 2.2))
    painter.drawRoundedRect(box, 5, 5)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_pen(colour, 0.9))
    painter.drawRoundedRect(box.adjusted(3.5, 3.5, -3.5, -3.5), 3, 3)
    height = QFontMetricsF(font).height()
    painter.drawText(QRectF(box.left(), box.top() + 6, box.width(), height), Qt.AlignmentFlag.AlignCenter, title)
    painter.setFont(small_font(font))
    rest = QRectF(box.left(), box.top() + 6 + height, box.width(), box.bottom() - box.top() - height - 12)
    painter.drawText(rest, Qt.AlignmentFlag.AlignCenter, foot)


def _paint_photo(painter: QPainter, drawn: Drawn, boxes: Sequence[QRectF], colour: QColor, at: QPointF) -> None:
    pin = QPainterPath(at)
    pin.cubicTo(at + QPointF(-PIN * 1.5, -PIN * 1.3), at + QPointF(-PIN, -PIN * 2.3), at + QPointF(0, -PIN * 2.3))
    pin.cubicTo(at + QPointF(PIN, -PIN * 2.3), at + QPointF(PIN * 1.5, -PIN * 1.3), at)
    painter.setPen(_pen(_PAPER, 1.5))
    painter.setBrush(colour)
    painter.drawPath(pin)
    painter.setBrush(QColor("#FFFFFF"))
    painter.drawEllipse(at + QPointF(0, -PIN * 1.45), 2.6, 2.6)
    picture = boxes[1]
    painter.setPen(_pen(QColor("#FFFFFF"), 5))
    painter.setBrush(QColor("#E4E8EE"))
    painter.drawRect(picture)
    if drawn.thumb is not None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(picture, drawn.thumb)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_pen(colour, 1.2))
    painter.drawRect(picture.adjusted(-3, -3, 3, 3))
    if len(boxes) > 2:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_PAPER)
        painter.drawRoundedRect(boxes[2], 4, 4)
        painter.setPen(colour)
        _write(painter, boxes[2], drawn.mark.text)


def _paint_badge(painter: QPainter, bounds: QRectF, number: str, colour: QColor) -> None:
    """The number of the issue a mark belongs to, at its upper right."""
    font = drawing_font(12)
    font.setWeight(QFont.Weight.Bold)
    width = max(18.0, QFontMetricsF(font).horizontalAdvance(number) + 10)
    box = QRectF(bounds.right() - width / 2, bounds.top() - 9, width, 18)
    painter.setPen(_pen(QColor("#FFFFFF"), 1.5))
    painter.setBrush(colour)
    painter.drawRoundedRect(box, 9, 9)
    painter.setFont(font)
    painter.setPen(QColor("#FFFFFF"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, number)
