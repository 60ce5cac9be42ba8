"""The chart of readings: one band per unit, curves with their gaps, limits with their clause, alarm spans, hover."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from plugins.tunnel.model.monitoring import words
from plugins.tunnel.ui.monitor.chart_axes import band_range, curve_colour, thinned, time_ticks, value_ticks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from plugins.tunnel.model.monitoring.curves import Curve, LimitLine

_LEFT, _RIGHT, _TOP, _FOOT, _GAP = 58, 12, 8, 24, 10
_LEAST_MS, _MOST_MS = 10 * 60_000, 400 * 86_400_000
#: Points of a line handed to the painter at a time: the time that a jagged one takes grows with the square of it.
_PORTION, _FEW = 24, 400


@dataclass(slots=True)
class Band:
    """Curves of one unit between two heights (pixels) and two values."""

    unit: str
    curves: list[Curve]
    top: float
    bottom: float
    low: float
    high: float

    def y(self, value: float) -> float:
        """A value's pixel."""
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)


class ChartView(QWidget):
    """The drawing; the page around it chooses sensors and period.

    Signals:
        period_changed(start, end): the person zoomed with the wheel or dragged (Unix ms).
    """

    period_changed = Signal(object, object)

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._context = context
        self.curves: list[Curve] = []
        self.start, self.end = 0, 1
        self.here: tzinfo = UTC
        self.clock: int | None = None
        self.empty = ""
        self._hover: QPointF | None = None
        self._grip: tuple[float, int, int] | None = None
        self.setMouseTracking(True)
        self.setMinimumHeight(90)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        context.theme_changed.connect(self.update)

    def show_curves(self, curves: Sequence[Curve], start: int, end: int, here: tzinfo) -> None:
        """Show these over start … end."""
        self.curves, self.start, self.end, self.here = list(curves), start, end, here
        self.update()

    def set_clock(self, when: int | None) -> None:
        """A replay's clock: what comes after it is not shown."""
        if when != self.clock:
            self.clock = when
            self.update()

    def picture(self, title: str, scale: float = 2.0) -> QPixmap:
        """The chart as it is, with a title above it."""
        head = 28
        made = QPixmap(round(self.width() * scale), round((self.height() + head) * scale))
        made.setDevicePixelRatio(scale)
        made.fill(QColor(self._context.colour("panel")))
        painter = QPainter(made)
        painter.setFont(self._font(13))
        painter.setPen(QColor(self._context.colour("ink")))
        painter.drawText(QRectF(_RIGHT, 0, self.width() - 2 * _RIGHT, head), Qt.AlignmentFlag.AlignVCenter, title)
        painter.translate(0, head)
        hover, self._hover = self._hover, None
        self.draw(painter)
        self._hover = hover
        painter.end()
        return made

    # geometry

    def x_of(self, ts: float) -> float:
        """A moment's pixel."""
        width = max(self.width() - _LEFT - _RIGHT, 1)
        return _LEFT + (ts - self.start) / max(self.end - self.start, 1) * width

    def ts_at(self, x: float) -> int:
        """A pixel's moment."""
        width = max(self.width() - _LEFT - _RIGHT, 1)
        return round(self.start + (x - _LEFT) / width * (self.end - self.start))

    def bands(self) -> list[Band]:
        """One per unit, in the order of the curves."""
        units = list(dict.fromkeys(one.sensor.unit for one in self.curves))
        room = self.height() - _TOP - _FOOT - _GAP * (len(units) - 1)
        each = room / max(len(units), 1)
        made = []
        for at, unit in enumerate(units):
            curves = [one for one in self.curves if one.sensor.unit == unit]
            top = _TOP + at * (each + _GAP)
            made.append(Band(unit, curves, top, top + each, *band_range(curves)))
        return made

    def colour(self, curve: Curve) -> QColor:
        """A curve's colour: the first has the accent."""
        place = next((at for at, one in enumerate(self.curves) if one.sensor.number == curve.sensor.number), 0)
        return curve_colour(self._context, place)

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.draw(painter)
        painter.end()

    def draw(self, painter: QPainter) -> None:
        """Everything, with any painter."""
        painter.fillRect(QRectF(0, 0, self.width(), self.height()), QColor(self._context.colour("panel")))
        painter.setFont(self._font(11))
        if not self.curves:
            painter.setPen(QColor(self._context.colour("secondary")))
            painter.drawText(QRectF(0, 0, self.width(), self.height()), Qt.AlignmentFlag.AlignCenter, self.empty)
            return
        bands = self.bands()
        self._time_axis(painter, bands)
        for band in bands:
            painter.save()
            self._band(painter, band)
            painter.restore()
        if not any(one.pieces for one in self.curves):
            painter.setPen(QColor(self._context.colour("secondary")))
            area = QRectF(_LEFT, _TOP, self.width() - _LEFT - _RIGHT, self.height() - _TOP - _FOOT)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, tr("No readings in this period."))
        if self.clock is not None and self.start <= self.clock <= self.end:
            self._clock_line(painter)
        if self._hover is not None and self._grip is None:
            self._readout(painter, bands)

    def _font(self, size: int) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(size)
        return font

    def _time_axis(self, painter: QPainter, bands: Sequence[Band]) -> None:
        line, text = QColor(self._context.colour("line")), QColor(self._context.colour("secondary"))
        foot = self.height() - _FOOT
        for ts, label, strong in time_ticks(self.start, self.end, self.here, (self.width() - _LEFT - _RIGHT) // 86):
            x = self.x_of(ts)
            painter.setPen(QPen(line, 1, Qt.PenStyle.SolidLine if strong else Qt.PenStyle.DotLine))
            for band in bands:
                painter.drawLine(QPointF(x, band.top), QPointF(x, band.bottom))
            painter.setPen(text)
            left = min(max(x - 42, _LEFT - 30), self.width() - 84)
            painter.drawText(QRectF(left, foot + 4, 84, _FOOT - 4), Qt.AlignmentFlag.AlignHCenter, label)

    def _band(self, painter: QPainter, band: Band) -> None:
        context = self._context
        line, text = QColor(context.colour("line")), QColor(context.colour("secondary"))
        area = QRectF(_LEFT, band.top, self.width() - _LEFT - _RIGHT, band.bottom - band.top)
        for value, label in value_ticks(band.low, band.high, max(int(area.height() // 30), 2)):
            y = band.y(value)
            painter.setPen(QPen(line, 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(text)
            place = QRectF(0, y - 8, _LEFT - 6, 16)
            if y > band.top + 16 or not band.unit:
                painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, label)
        painter.drawText(QRectF(0, band.top - 4, _LEFT - 6, 16), Qt.AlignmentFlag.AlignRight, band.unit)
        painter.setClipRect(area.adjusted(0, -4, 0, 4))
        for curve in band.curves:
            self._spans(painter, band, curve)
        self._limits(painter, band)
        if self.clock is not None:
            until = min(max(self.x_of(self.clock), _LEFT), self.width() - _RIGHT)
            painter.setClipRect(QRectF(_LEFT, band.top - 4, until - _LEFT, area.height() + 8))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for curve in band.curves:
            self._curve(painter, band, curve)

    def _spans(self, painter: QPainter, band: Band, curve: Curve) -> None:
        for one in curve.spans:
            begin, end = one.alarm.raised, one.alarm.cleared or self.end
            if self.clock is not None:
                if begin > self.clock:
                    continue
                end = min(end, self.clock)
            colour = self._level(one.alarm.level)
            box = QRectF(self.x_of(begin), band.top, max(self.x_of(end) - self.x_of(begin), 2), band.bottom - band.top)
            painter.fillRect(QRectF(box.left(), box.top(), box.width(), 3), colour)
            colour.setAlpha(28)
            painter.fillRect(box, colour)

    def _limits(self, painter: QPainter, band: Band) -> None:
        """Lines with level, value and clause; of those far out of view the nearest is named at the edge."""
        limits = {(one.value, one.high): one for curve in band.curves for one in curve.limits}.values()
        for one in limits:
            if band.low <= one.value <= band.high:
                y = band.y(one.value)
                below = y - 14 < band.top
                painter.setPen(QPen(self._level(one.level), 1.2, Qt.PenStyle.DashLine))
                painter.drawLine(QPointF(_LEFT, y), QPointF(self.width() - _RIGHT, y))
                self._at_right(painter, one, band.unit, y + 12 if below else y - 4)
        above = min((one for one in limits if one.value > band.high), key=lambda one: one.value, default=None)
        below_all = max((one for one in limits if one.value < band.low), key=lambda one: one.value, default=None)
        for far, arrow, y in ((above, "↑ ", band.top + 12), (below_all, "↓ ", band.bottom - 4)):
            if far is not None:
                self._at_right(painter, far, band.unit, y, arrow)

    def _at_right(self, painter: QPainter, limit: LimitLine, unit: str, y: float, arrow: str = "") -> None:
        sign = "≥" if limit.high else "≤"
        value = f"{sign} {words.number(limit.value, unit)}"
        text = f"{arrow}{words.level_word(limit.level)} {value} · {words.source(limit.source)}"
        painter.setPen(self._level(limit.level))
        width = painter.fontMetrics().horizontalAdvance(text)
        painter.drawText(QPointF(self.width() - _RIGHT - width - 4, y), text)

    def _level(self, level: str) -> QColor:
        return QColor(self._context.colour(words.TOKENS.get(level, "cannot_judge")))

    def _curve(self, painter: QPainter, band: Band, curve: Curve) -> None:
        colour = self.colour(curve)
        for first, end in curve.pieces:
            part = slice(first, end)
            ts = curve.ts[part]
            if not len(ts) or ts[-1] < self.start - curve.usual or ts[0] > self.end + curve.usual:
                continue
            x = _LEFT + (ts - self.start) / max(self.end - self.start, 1) * max(self.width() - _LEFT - _RIGHT, 1)
            if not curve.raw:
                self._range(painter, x, self._ys(band, curve.low[part]), self._ys(band, curve.high[part]), colour)
            painter.setBrush(colour)
            if len(x) == 1:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.drawEllipse(QPointF(float(x[0]), band.y(float(curve.value[first]))), 2, 2)
                continue
            points = _points(*thinned(x, self._ys(band, curve.value[part])))
            painter.setPen(QPen(colour, 1.5 if len(points) < _FEW else 1.0))  # one pixel takes a quarter of the time
            for at in range(0, len(points) - 1, _PORTION):
                painter.drawPolyline(QPolygonF(points[at : at + _PORTION + 1]))
        self._suspect(painter, band, curve, colour)

    def _range(
        self, painter: QPainter, x: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64],
        colour: QColor,
    ) -> None:  # fmt: skip
        """Lowest to highest reading of each quarter hour, as bars side by side: one polygon of them takes 100 times as
        long to fill."""
        shade = QColor(colour)
        shade.setAlpha(60)
        wide = float(x[-1] - x[0]) / max(len(x) - 1, 1) or 2.0
        rows = zip(x.tolist(), low.tolist(), high.tolist(), strict=True)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shade)
        painter.drawRects([QRectF(at - wide / 2, top, wide, max(foot - top, 1.0)) for at, foot, top in rows])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _suspect(self, painter: QPainter, band: Band, curve: Curve, colour: QColor) -> None:
        """Readings that the sender itself doubts are ringed."""
        import numpy as np

        painter.setBrush(QColor(self._context.colour("panel")))
        painter.setPen(QPen(colour, 1.2))
        for place in np.flatnonzero((curve.quality == 1) & ~np.isnan(curve.value))[:400].tolist():
            painter.drawEllipse(QPointF(self.x_of(int(curve.ts[place])), band.y(float(curve.value[place]))), 3, 3)

    def _ys(self, band: Band, value: NDArray[np.float64]) -> NDArray[np.float64]:
        return band.bottom - (value - band.low) / (band.high - band.low) * (band.bottom - band.top)

    def _clock_line(self, painter: QPainter) -> None:
        assert self.clock is not None
        colour = QColor(self._context.colour("needs_certificate"))
        x = self.x_of(self.clock)
        painter.setPen(QPen(colour, 2))
        painter.drawLine(QPointF(x, _TOP), QPointF(x, self.height() - _FOOT))
        text = f"{tr('Replay')} {words.clock(self.clock, self.here)[5:]}"
        width = painter.fontMetrics().horizontalAdvance(text) + 12
        box = QRectF(min(x + 4, self.width() - width - 4), self.height() - _FOOT - 22, width, 18)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor(self._context.colour("panel")))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _readout(self, painter: QPainter, bands: Sequence[Band]) -> None:
        lines = self.read_at(self._hover.x()) if self._hover is not None else []
        if not lines or self._hover is None:
            return
        x = self._hover.x()
        painter.setPen(QPen(QColor(self._context.colour("tertiary")), 1))
        painter.drawLine(QPointF(x, _TOP), QPointF(x, self.height() - _FOOT))
        metrics = painter.fontMetrics()
        width = max(metrics.horizontalAdvance(text) for text, _ in lines) + 28
        height = len(lines) * 17 + 8
        left = x + 12 if x + 12 + width < self.width() else x - 12 - width
        box = QRectF(left, min(max(self._hover.y() - height / 2, 2), max(self.height() - height - 2, 2)), width, height)
        painter.setPen(QPen(QColor(self._context.colour("line")), 1))
        painter.setBrush(QColor(self._context.colour("panel")))
        painter.drawRoundedRect(box, 5, 5)
        for at, (text, colour) in enumerate(lines):
            y = box.top() + 4 + at * 17
            if colour is not None:
                painter.fillRect(QRectF(box.left() + 7, y + 5, 9, 9), colour)
            painter.setPen(QColor(self._context.colour("ink")))
            painter.drawText(QRectF(box.left() + 21, y, width, 18), Qt.AlignmentFlag.AlignVCenter, text)

    def read_at(self, x: float) -> list[tuple[str, QColor | None]]:
        """What stands under a pixel: the time, each curve's reading, alarms."""
        if not _LEFT <= x <= self.width() - _RIGHT:
            return []
        ts = self.ts_at(x)
        if self.clock is not None and ts > self.clock:
            return []
        lines: list[tuple[str, QColor | None]] = [(words.clock(ts, self.here), None)]
        for curve in self.curves:
            place = curve.at(ts)
            if place is None or math.isnan(float(curve.value[place])):
                lines.append((f"{curve.sensor.code}  {tr('no reading')}", self.colour(curve)))
                continue
            value = words.number(float(curve.value[place]), curve.sensor.unit)
            if not curve.raw:
                value += f" ({words.number(float(curve.low[place]))} … {words.number(float(curve.high[place]))})"
            when = datetime.fromtimestamp(int(curve.ts[place]) / 1000, self.here).strftime("%H:%M:%S")
            lines.append((f"{curve.sensor.code}  {value}  {when}", self.colour(curve)))
            for one in curve.spans:
                if one.alarm.raised <= ts < (one.alarm.cleared or self.end + 1):
                    text = f"{words.level_word(one.alarm.level)} {words.clause(one.alarm)}"
                    lines.append((text, self._level(one.alarm.level)))
        return lines

    # the hand

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is not None:
            x, start, end = self._grip
            shift = round((x - event.position().x()) / max(self.width() - _LEFT - _RIGHT, 1) * (end - start))
            self.start, self.end = start + shift, end + shift
        self._hover = event.position()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.curves:
            self._grip = (event.position().x(), self.start, self.end)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        grip, self._grip = self._grip, None
        self.unsetCursor()
        if grip is not None and (self.start, self.end) != grip[1:]:
            self.period_changed.emit(self.start, self.end)

    def leaveEvent(self, event: object) -> None:
        self._hover = None
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self.curves or not event.angleDelta().y():
            return
        middle = self.ts_at(event.position().x())
        length = (self.end - self.start) * (0.8 if event.angleDelta().y() > 0 else 1.25)
        length = min(max(length, _LEAST_MS), _MOST_MS)
        share = (middle - self.start) / max(self.end - self.start, 1)
        self.start = round(middle - share * length)
        self.end = round(self.start + length)
        self.update()
        self.period_changed.emit(self.start, self.end)


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[QPointF]:
    return [QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
