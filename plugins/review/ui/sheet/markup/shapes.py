"""Where marks stand and where they are hit: the same on map and sheet, in logical pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainterPath, QPainterPathStroker

from plugins.review.model.cases.records import Markup
from plugins.review.ui.sheet.live import ToScreen
from plugins.review.ui.sheet.paint import drawing_font

Place = tuple[float, float]

#: Two corners make these; everywhere else they are shown by all four, for they may stand turned.
CORNERED = frozenset({"cloud", "rectangle"})
#: Marks that carry a text of their own.
WORDED = frozenset({"text", "callout", "stamp", "photo"})
#: Marks with a filled outline.
AREAS = frozenset({"polygon", "area"})
#: Marks made point by point.
PATHS = frozenset({"line", "polygon", "area"})

DEFAULT_STYLE: dict[str, Any] = {"colour": "#C0322B", "width": 2, "size": 14}
#: Bumps of a cloud for a square one; a long one has more.
_BUMPS = 20
PIN = 9.0
_THUMB = QSizeF(96.0, 72.0)
#: How near a click must be, in pixels.
REACH = 7.0


@dataclass(frozen=True)
class Drawn:
    """A mark as it stands on one surface.

    Attributes:
        points: in the surface's coordinates; of cornered kinds all four corners.
        measured: what a dimension or an area reads, with its unit.
        badge: number of its issue; thumb: of a photo, if it has been loaded.
    """

    mark: Markup
    points: tuple[Place, ...]
    measured: str = ""
    badge: str = ""
    thumb: QImage | None = None


@dataclass(frozen=True)
class Outline:
    """A mark in pixels: its line, the boxes it fills, the points it can be dragged by."""

    path: QPainterPath
    boxes: tuple[QRectF, ...]
    handles: tuple[QPointF, ...]

    @property
    def bounds(self) -> QRectF:
        """Around all of it."""
        found = self.path.boundingRect()
        for box in self.boxes:
            found = found.united(box)
        return found

    def hit(self, at: QPointF) -> bool:
        """True if a click at this pixel means the mark."""
        if any(box.adjusted(-2, -2, 2, 2).contains(at) for box in self.boxes):
            return True
        stroker = QPainterPathStroker()
        stroker.setWidth(2 * REACH)
        return stroker.createStroke(self.path).contains(at)


def corners(points: Sequence[Place]) -> tuple[Place, ...]:
    """The four corners of a box given by two, going round."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)


def colour_of(mark: Markup) -> QColor:
    """A mark's colour; red if the record holds none that can be read."""
    colour = QColor(str(mark.style.get("colour", "")))
    return colour if colour.isValid() else QColor(str(DEFAULT_STYLE["colour"]))


def _number(mark: Markup, key: str, low: float, high: float) -> float:
    usual = DEFAULT_STYLE[key]
    try:
        value = float(mark.style.get(key, usual))
    except (TypeError, ValueError):
        value = float(usual)
    return min(max(value, low), high) if math.isfinite(value) else low


def width_of(mark: Markup) -> float:
    """A mark's line width in pixels."""
    return _number(mark, "width", 0.5, 12.0)


def font_of(mark: Markup) -> QFont:
    """The font of a mark's text."""
    font = drawing_font(_number(mark, "size", 8.0, 60.0))
    if mark.kind == "stamp":
        font.setWeight(QFont.Weight.Bold)
    return font


def outline(drawn: Drawn, to_screen: ToScreen) -> Outline:
    """A mark's shape in pixels."""
    mark = drawn.mark
    at = [QPointF(*to_screen(x, y)) for x, y in drawn.points]
    path = QPainterPath()
    if not at:
        return Outline(path, (), ())
    if mark.kind == "cloud":
        _add_cloud(path, at)
        return Outline(path, (), tuple(at))
    if mark.kind == "rectangle":
        _add_line(path, at, closed=True)
        return Outline(path, (), tuple(at))
    if mark.kind in AREAS:
        _add_line(path, at, closed=True)
        boxes = (_text_box(mark, drawn.measured, _middle(at)),) if drawn.measured else ()
        return Outline(path, boxes, tuple(at))
    if mark.kind == "freehand":
        _add_line(path, at)
        return Outline(path, (), ())
    if mark.kind == "arrow":
        _add_line(path, at[:2])
        _add_head(path, at, width_of(mark))
        return Outline(path, (), tuple(at[:2]))
    if mark.kind == "dimension":
        _add_line(path, at[:2])
        _add_ticks(path, at)
        boxes = (_text_box(mark, drawn.measured, _middle(at[:2])),) if drawn.measured else ()
        return Outline(path, boxes, tuple(at[:2]))
    if mark.kind == "callout":
        box = _text_box(mark, mark.text, at[-1])
        if len(at) > 1 and not box.contains(at[0]):
            _add_line(path, [at[0], _nearest(box, at[0])])
            _add_head(path, [_nearest(box, at[0]), at[0]], width_of(mark))
        return Outline(path, (box,), (at[0],) if len(at) > 1 else ())
    if mark.kind == "text":
        return Outline(path, (_text_box(mark, mark.text, at[0], centred=False),), ())
    if mark.kind == "stamp":
        return Outline(path, (_stamp_box(mark, at[0]),), ())
    if mark.kind == "photo":
        return Outline(path, _photo_boxes(drawn, at[0]), ())
    _add_line(path, at)  # a line, and kinds of a later version
    return Outline(path, (), tuple(at))


def _add_line(path: QPainterPath, at: Sequence[QPointF], *, closed: bool = False) -> None:
    path.moveTo(at[0])
    for point in at[1:]:
        path.lineTo(point)
    if closed:
        path.closeSubpath()


def _add_cloud(path: QPainterPath, at: Sequence[QPointF]) -> None:
    """Bumps along a polygon, outwards: their number follows from its shape, not from the zoom."""
    sides = list(zip(at, [*at[1:], at[0]], strict=True))
    lengths = [math.hypot(b.x() - a.x(), b.y() - a.y()) for a, b in sides]
    around = sum(lengths)
    if not around > 0:
        return
    twice_area = sum(a.x() * b.y() - b.x() * a.y() for a, b in sides)
    outward = 1.0 if twice_area > 0 else -1.0
    # As many bumps as a square of the same area would have, times how much longer the way round is.
    longer = around / (4.0 * math.sqrt(max(abs(twice_area) / 2.0, 1e-9)))
    bump = around / (_BUMPS * min(max(longer, 1.0), 3.0))
    path.moveTo(at[0])
    for (a, b), length in zip(sides, lengths, strict=True):
        count = max(1, round(length / bump))
        step = QPointF((b.x() - a.x()) / count, (b.y() - a.y()) / count)
        out = QPointF(step.y(), -step.x()) * (outward * 0.78)
        for number in range(count):
            start = a + step * number
            path.cubicTo(start + out - step * 0.2, start + step * 1.2 + out, start + step)
    path.closeSubpath()


def _add_head(path: QPainterPath, at: Sequence[QPointF], width: float) -> None:
    """The head of an arrow at its last point."""
    if len(at) < 2:
        return
    back = QPointF(at[0] - at[1])
    length = math.hypot(back.x(), back.y())
    if not length > 0:
        return
    size = min(9.0 + 2.0 * width, length * 0.6)
    unit = back / length
    for turn in (0.42, -0.42):
        cos, sin = math.cos(turn), math.sin(turn)
        path.moveTo(at[1])
        path.lineTo(at[1] + QPointF(unit.x() * cos - unit.y() * sin, unit.x() * sin + unit.y() * cos) * size)


def _add_ticks(path: QPainterPath, at: Sequence[QPointF]) -> None:
    if len(at) < 2:
        return
    along = QPointF(at[1] - at[0])
    length = math.hypot(along.x(), along.y())
    if length > 0:
        across = QPointF(-along.y(), along.x()) / length * 7.0
        for end in at[:2]:
            path.moveTo(end - across)
            path.lineTo(end + across)


def _middle(at: Sequence[QPointF]) -> QPointF:
    """The middle of a line; of an area its centre of gravity."""
    if len(at) > 2:
        area = x = y = 0.0
        origin = at[0]
        for a, b in zip(at, [*at[1:], at[0]], strict=True):
            p, q = a - origin, b - origin
            cross = p.x() * q.y() - q.x() * p.y()
            area, x, y = area + cross, x + (p.x() + q.x()) * cross, y + (p.y() + q.y()) * cross
        if abs(area) > 1e-9:
            return origin + QPointF(x, y) / (3.0 * area)
    return QPointF(sum(p.x() for p in at), sum(p.y() for p in at)) / len(at)


def _nearest(box: QRectF, at: QPointF) -> QPointF:
    """The middle of the side of a box that looks to a point."""
    centre = box.center()
    dx, dy = at.x() - centre.x(), at.y() - centre.y()
    if abs(dx) * box.height() > abs(dy) * box.width():
        return QPointF(box.right() if dx > 0 else box.left(), centre.y())
    return QPointF(centre.x(), box.bottom() if dy > 0 else box.top())


def lines_of(text: str) -> list[str]:
    """The lines of a mark's text; one with nothing in it still has a height."""
    return text.split("\n") if text else [" "]


def _text_box(mark: Markup, text: str, at: QPointF, *, centred: bool = True) -> QRectF:
    metrics = QFontMetricsF(font_of(mark))
    lines = lines_of(text)
    width = max(metrics.horizontalAdvance(line) for line in lines) + 12
    height = metrics.height() * len(lines) + 6
    left, top = (at.x() - width / 2, at.y() - height / 2) if centred else (at.x(), at.y())
    return QRectF(left, top, width, height)


def stamp_lines(mark: Markup) -> tuple[str, str]:
    """A stamp's words, and who put it when."""
    return mark.text, " ".join(part for part in (mark.author, mark.time[:10]) if part)


def small_font(font: QFont) -> QFont:
    """The font of a stamp's second line."""
    made = QFont(font)
    made.setPixelSize(max(9, round(font.pixelSize() * 0.62)))
    made.setWeight(QFont.Weight.Normal)
    return made


def _stamp_box(mark: Markup, at: QPointF) -> QRectF:
    font = font_of(mark)
    title, foot = stamp_lines(mark)
    large, small = QFontMetricsF(font), QFontMetricsF(small_font(font))
    width = max(large.horizontalAdvance(title), small.horizontalAdvance(foot)) + 24
    height = large.height() + (small.height() if foot else 0) + 12
    return QRectF(at.x() - width / 2, at.y() - height / 2, width, height)


def _photo_boxes(drawn: Drawn, at: QPointF) -> tuple[QRectF, ...]:
    """The pin, the picture above it, its caption."""
    pin = QRectF(at.x() - PIN, at.y() - 2 * PIN, 2 * PIN, 2 * PIN)
    size = _THUMB
    if drawn.thumb is not None:
        size = QSizeF(drawn.thumb.size().scaled(_THUMB.toSize(), Qt.AspectRatioMode.KeepAspectRatio))
    picture = QRectF(at.x() + PIN, at.y() - 2 * PIN - size.height(), size.width(), size.height())
    if not drawn.mark.text:
        return pin, picture
    caption = _text_box(drawn.mark, drawn.mark.text, picture.bottomLeft() + QPointF(0, 4), centred=False)
    return pin, picture, caption
