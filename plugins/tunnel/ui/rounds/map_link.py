"""Operation on the map: routes that are due, what is chosen, and picking a place along a tunnel with one click."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from shiboken6 import isValid

from planner_app.i18n import tr
from plugins.tunnel.model.space.axis import station
from plugins.tunnel.ui.rounds.desk import PLAN, OperationDesk, piece

ToScreen = Callable[[float, float], tuple[float, float]]
#: Theme token of a round's state.
TOKENS = {"overdue": "fail", "due": "needs_certificate", "done": "pass", "coming": "cannot_judge", "missed": "fail"}


class RoutesOnMap(QObject):
    """Routes of rounds due and overdue while the page is in front; the chosen one stands out.

    Args:
        shown: says whether the page is in front; routes: whether its tab of rounds is.
    """

    def __init__(self, desk: OperationDesk, shown: Callable[[], bool], routes: Callable[[], bool]) -> None:
        super().__init__(desk)
        self._desk, self._shown, self._routes = desk, shown, routes
        desk.context.map.add_overlay(self.paint)
        for signal in (desk.changed, desk.chosen_changed, desk.context.theme_changed):
            signal.connect(desk.context.map.update_overlays)

    def paint(self, painter: QPainter, to_screen: ToScreen) -> None:
        """The overlay."""
        desk = self._desk
        if desk.shown is None or not self._shown():
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = desk.record()
        states = ("due", "overdue") if self._routes() else ()
        standings = [one for state in states for one in desk.shown.book.standings if one.state.value == state]
        if desk.chosen[0] == PLAN and chosen is not None:
            standings = [chosen]  # others would hide which one it is
        wide = desk.chosen[0] == PLAN and chosen is not None
        for one in standings:
            axis = desk.shown.axes.get(one.plan.tunnel)
            if axis is None:
                continue
            line = [QPointF(*to_screen(x, y)) for x, y in piece(axis, one.plan.from_m, one.plan.to_m)]
            # The map is light in both themes: an edge in the frame's colour keeps the line apart from it.
            for token, width in (("panel", 8.0), (TOKENS[one.state.value], 4.5)):
                pen = QPen(QColor(desk.context.colour(token)), width + (2.0 if wide else 0.0))
                pen.setCapStyle(Qt.PenCapStyle.RoundCap)
                pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
                painter.setPen(pen)
                painter.drawPolyline(QPolygonF(line))
            if wide:
                self._ends(painter, line, one.plan.from_m, one.plan.to_m)
        if desk.chosen[0] not in ("", PLAN) and chosen is not None and chosen.m is not None:
            axis = desk.shown.axes.get(chosen.tunnel)
            if axis is not None:
                self._ring(painter, QPointF(*to_screen(*axis.at(chosen.m)[:2])), station(chosen.m))

    def _ends(self, painter: QPainter, line: list[QPointF], from_m: float, to_m: float) -> None:
        for spot, m in ((line[0], from_m), (line[-1], to_m)):
            self._chip(painter, spot, station(m))

    def _ring(self, painter: QPainter, spot: QPointF, text: str) -> None:
        painter.setPen(QPen(QColor(self._desk.context.colour("accent")), 2.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(spot, 11, 11)
        self._chip(painter, spot, text)

    def _chip(self, painter: QPainter, spot: QPointF, text: str) -> None:
        width = painter.fontMetrics().horizontalAdvance(text) + 12
        box = QRectF(spot.x() - width / 2, spot.y() - 36, width, 20)
        painter.setPen(QPen(QColor(self._desk.context.colour("line")), 1))
        painter.setBrush(QColor(self._desk.context.colour("panel")))
        painter.drawRoundedRect(box, 5, 5)
        painter.setPen(QColor(self._desk.context.colour("ink")))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


class PickPlace:
    """A map tool for a single click near a tunnel; see ``MapView.use_tool``. Esc leaves it."""

    cursor = Qt.CursorShape.CrossCursor
    snaps = False

    def __init__(self, desk: OperationDesk, picked: Callable[[str, float], None]) -> None:
        self._desk, self._picked = desk, picked
        self._near: tuple[str, float] | None = None

    def hint(self) -> str:
        """What the click means."""
        if self._near is not None:
            return f"{self._near[0]} {station(self._near[1])}"
        return tr("Click at the tunnel; Esc leaves")

    def move(self, event: Any) -> None:
        """Say where the click would be."""
        self._near = self._place(event.x, event.y)
        self._desk.context.map.update_overlays()

    def press(self, event: Any) -> None:
        """Take the place; a click far from every tunnel is none."""
        if event.left and (found := self._place(event.x, event.y)) is not None:
            self._desk.context.map.use_tool(None)
            self._picked(*found)

    def paint(self, painter: QPainter, to_screen: ToScreen) -> None:
        """A dot where the click would be."""
        if self._near is None or self._desk.shown is None:
            return
        axis = self._desk.shown.axes.get(self._near[0])
        if axis is not None:
            painter.setPen(QPen(QColor(self._desk.context.colour("panel")), 2))
            painter.setBrush(QColor(self._desk.context.colour("accent")))
            painter.drawEllipse(QPointF(*to_screen(*axis.at(self._near[1])[:2])), 6, 6)

    def _place(self, x: float, y: float) -> tuple[str, float] | None:
        west, _, east, _ = self._desk.context.map.extent()
        reach = max(20.0, (east - west) / 60)
        return self._desk.places().nearest(x, y, within=reach) if isValid(self._desk) else None
