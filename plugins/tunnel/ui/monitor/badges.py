"""Standing alarms as badges on the map: of one size at every scale, near ones joined under the worst."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPolygonF

from planner_app.i18n import tr
from plugins.tunnel.model.monitoring import words
from plugins.tunnel.model.monitoring.alarm_table import KeptAlarm
from plugins.tunnel.model.monitoring.standing import LEVELS
from plugins.tunnel.ui.monitor.live import Live

_NEAR, _RADIUS = 24.0, 11.0


@dataclass(slots=True)
class Badge:
    """Alarms that stand so near that they share a badge; the worst first. ``x``, ``y``: pixels."""

    x: float
    y: float
    alarms: list[KeptAlarm]


class Badges(QObject):
    """Draws above the map while its setting says so."""

    def __init__(self, live: Live) -> None:
        super().__init__(live)
        self._live = live
        live.context.map.add_overlay(self.paint, above=True)
        live.changed.connect(live.context.map.update_overlays)
        live.chosen_changed.connect(live.context.map.update_overlays)
        live.context.theme_changed.connect(live.context.map.update_overlays)

    def gather(self, to_screen: Callable[[float, float], tuple[float, float]]) -> list[Badge]:
        """The badges of a view."""
        found: list[Badge] = []
        sensors = self._live.overview.sensors
        for one in self._live.standing():
            state = sensors.get(one.alarm.sensor)
            if state is None or state.x is None or state.y is None:
                continue
            x, y = to_screen(state.x, state.y)
            near = next((b for b in found if abs(b.x - x) < _NEAR and abs(b.y - y) < _NEAR), None)
            if near is None:
                found.append(Badge(x, y, [one]))
            else:
                near.alarms.append(one)
        return found

    def paint(self, painter: QPainter, to_screen: Callable[[float, float], tuple[float, float]]) -> None:
        """The overlay."""
        live = self._live
        if live.past is None and not live.context.setting("tunnel.alarm_badges"):
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(painter.font())
        font.setPixelSize(12)
        font.setBold(True)
        painter.setFont(font)
        for badge in reversed(self.gather(to_screen)):
            self._badge(painter, badge)
        if live.past is not None:
            _, south, east, _ = live.context.map.extent()
            self._frame(painter, *to_screen(east, south))

    def _badge(self, painter: QPainter, badge: Badge) -> None:
        live, worst = self._live, badge.alarms[0]
        level = worst.alarm.level
        colour = QColor(live.context.colour(words.TOKENS.get(level, "cannot_judge")))
        panel, ink = QColor(live.context.colour("panel")), QColor(live.context.colour("ink"))
        noted = all(one.ack_by for one in badge.alarms)
        centre = QPointF(badge.x, badge.y)
        if any(one.alarm.sensor == live.sensor for one in badge.alarms) and live.selected():
            painter.setPen(QPen(QColor(live.context.colour("accent")), 2.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(centre, _RADIUS + 5, _RADIUS + 5)
            self._label(painter, badge, panel, ink)
        painter.setPen(QPen(colour if noted else panel, 2))
        painter.setBrush(panel if noted else colour)  # what nobody took note of is filled
        painter.drawPolygon(_shape(centre, level)) if level != "fault" else painter.drawEllipse(
            centre, _RADIUS, _RADIUS
        )
        painter.setPen(colour if noted else panel)
        sign = str(len(badge.alarms)) if len(badge.alarms) > 1 else "?" if level == "fault" else "!"
        lower = 2.5 if level == "alarm" else 0.0
        painter.drawText(QRectF(badge.x - 12, badge.y - 10 + lower, 24, 20), Qt.AlignmentFlag.AlignCenter, sign)

    def _label(self, painter: QPainter, badge: Badge, panel: QColor, ink: QColor) -> None:
        worst = next(one for one in badge.alarms if one.alarm.sensor == self._live.sensor)
        value = words.number(worst.alarm.value, worst.alarm.unit) if worst.alarm.value is not None else ""
        text = " ".join(part for part in (words.level_word(worst.alarm.level), worst.alarm.code, value) if part)
        width = painter.fontMetrics().horizontalAdvance(text) + 14
        box = QRectF(badge.x + _RADIUS + 8, badge.y - 11, width, 22)
        painter.setPen(QPen(QColor(self._live.context.colour("line")), 1))
        painter.setBrush(panel)
        painter.drawRoundedRect(box, 5, 5)
        painter.setPen(ink)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _frame(self, painter: QPainter, width: float, height: float) -> None:
        """Nobody must take a replay for what is: a frame around the map and its time at the foot."""
        live = self._live
        colour = QColor(live.context.colour("needs_certificate"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 4))
        painter.drawRect(QRectF(2, 2, width - 4, height - 4))
        text = tr("Replay {time}: not what is now", time=words.clock(live.when, live.here))
        box_width = painter.fontMetrics().horizontalAdvance(text) + 24
        box = QRectF((width - box_width) / 2, height - 34, box_width, 24)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(QColor(live.context.colour("panel")))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def badges_of(live: Live) -> Badges:
    """The window's badges; made when first asked for."""
    return live.findChild(Badges) or Badges(live)


def _shape(centre: QPointF, level: str) -> QPolygonF:
    """Levels differ by shape, not by colour alone: a triangle for an alarm, a diamond for a warning."""
    r = _RADIUS + 2
    if level == LEVELS[0]:
        points = [(0, -r), (r, r * 0.8), (-r, r * 0.8)]
    else:
        points = [(0, -r), (r, 0), (0, r), (-r, 0)]
    return QPolygonF([centre + QPointF(x, y) for x, y in points])
