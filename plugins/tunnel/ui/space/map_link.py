"""Section and profile on the map: marks where they stand, follows the pointer near a tunnel, picks nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPointF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from plugins.tunnel.model import tables
from plugins.tunnel.model.space.axis import Axis, station
from plugins.tunnel.model.tables import NODE
from plugins.tunnel.ui.space.looks import Looks, paint_chip, scaled

if TYPE_CHECKING:
    from plugins.tunnel.ui.space.desk import SpaceDesk

ToScreen = Callable[[float, float], tuple[float, float]]
#: The pointer is at a tunnel as near as this: metres on the ground, pixels where they are more.
_NEAR_M, _NEAR_PX = 12.0, 12.0


class MapLink(QObject):
    """One per window. Quiet while neither page is in front."""

    def __init__(self, context: PanelContext, desk: SpaceDesk) -> None:
        super().__init__(desk)
        self._context, self._desk, self._state = context, desk, desk.state
        self._looks = Looks(context)
        self._metres_per_pixel = 1.0
        self._pointing = False
        self.place: tuple[str, float] | None = None
        context.map.add_overlay(self._paint)
        context.map.cursor_moved.connect(self._moved)
        self._state.pointed.connect(self._pointed)

    def update(self) -> None:
        """Paint the marks anew."""
        self._context.map.update_overlays()

    # from the map

    def _moved(self, x: float, y: float) -> None:
        section, profile = self._desk.visible("section"), self._desk.visible("profile")
        if not (section or profile):
            return
        reach = max(_NEAR_M, _NEAR_PX * self._metres_per_pixel)
        page = self._desk.profile_page
        path = page.path_axis() if page is not None and profile else None
        if page is not None and path is not None:
            m, away = path.locate(x, y)
            page.canvas.set_cursor(m if away <= reach else None)
            self.update()
            return
        only = page.tunnel if page is not None and profile else ""
        near = []
        for code, axis in (self._desk.catalogue.axes if self._desk.catalogue else {}).items():
            if not only or code == only:
                m, away = axis.locate(x, y)
                near.append((away, code, m))
        best = min(near, default=None)
        if best is not None and best[0] <= reach:
            self._pointing = True
            self._state.point(best[1], best[2])
        elif self._pointing:
            self._pointing = False
            self._state.point("", 0.0)

    def _pointed(self, tunnel: str, m: float) -> None:
        self.place = (tunnel, m) if tunnel else None
        self.update()

    # on the map

    def _paint(self, painter: QPainter, to_screen: ToScreen) -> None:
        self._metres_per_pixel = _metres_per_pixel(to_screen)
        catalogue = self._desk.catalogue
        axes = catalogue.axes if catalogue is not None else {}
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        section, profile = self._desk.section_page, self._desk.profile_page
        standing: tuple[str, float] | None = None
        if section is not None and section.shown is not None and self._desk.visible("section"):
            cut = section.shown.section
            standing = (cut.tunnel, cut.m)
            if cut.tunnel in axes:
                self._paint_place(painter, to_screen, axes[cut.tunnel], cut.m, f"{cut.code} {station(cut.m)}")
        if profile is not None and self._desk.visible("profile"):
            path = profile.path_axis()
            if path is not None:
                self._paint_line(painter, to_screen, path)
                if profile.canvas.mark is not None:
                    self._paint_dot(painter, to_screen, path, profile.canvas.mark)
                return
            if profile.tunnel in axes:
                self._paint_line(painter, to_screen, axes[profile.tunnel])
        shown = standing is not None or self._desk.visible("profile")
        if shown and self.place is not None and self.place != standing and self.place[0] in axes:
            self._paint_dot(painter, to_screen, axes[self.place[0]], self.place[1])

    def _paint_line(self, painter: QPainter, to_screen: ToScreen, axis: Axis) -> None:
        painter.setPen(QPen(self._looks.token("accent", 0.55), 4, c=Qt.PenCapStyle.RoundCap))
        painter.drawPolyline(QPolygonF([QPointF(*to_screen(float(x), float(y))) for x, y, _ in axis.xyz]))

    def _paint_dot(self, painter: QPainter, to_screen: ToScreen, axis: Axis, m: float) -> None:
        x, y, _ = axis.at(m)
        spot = QPointF(*to_screen(x, y))
        painter.setPen(QPen(self._looks.token("panel"), 2))
        painter.setBrush(self._looks.token("accent"))
        painter.drawEllipse(spot, scaled(5.5), scaled(5.5))
        paint_chip(painter, self._looks, station(m), spot + QPointF(0, -scaled(20)), "accent")

    def _paint_place(self, painter: QPainter, to_screen: ToScreen, axis: Axis, m: float, title: str) -> None:
        """A stroke across the tunnel where the section is cut."""
        x, y, _ = axis.at(m)
        right = axis.right(m)
        spot = QPointF(*to_screen(x, y))
        there = QPointF(*to_screen(x + right[0], y + right[1])) - spot
        size = (there.x() ** 2 + there.y() ** 2) ** 0.5 or 1.0
        arm = there * (max(scaled(13), 6 * size) / size)
        for token, width in (("panel", 5), ("accent", 2.5)):
            painter.setPen(QPen(self._looks.token(token), width, c=Qt.PenCapStyle.RoundCap))
            painter.drawLine(spot - arm, spot + arm)
        paint_chip(painter, self._looks, title, spot + QPointF(0, -abs(arm.y()) - scaled(16)), "accent")


def _metres_per_pixel(to_screen: ToScreen) -> float:
    return 1000.0 / max(abs(to_screen(1000.0, 0.0)[0] - to_screen(0.0, 0.0)[0]), 1e-6)


class NodePick:
    """A map tool: two clicks on nodes of a network. Esc takes the first back, then leaves."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, context: PanelContext, picked: Callable[[str, str], None]) -> None:
        self._context, self._picked = context, picked
        self._looks = Looks(context)
        self._first: tuple[str, float, float] | None = None
        self._metres_per_pixel = 1.0
        self._missed = False

    def press(self, event: Any) -> None:
        """Take the node under the pointer."""
        if not event.left:
            return
        found = self._node_at(event.x, event.y)
        self._missed = found is None
        if found is not None and self._first is None:
            self._first = found
        elif found is not None and self._first is not None and found[0] != self._first[0]:
            first = self._first[0]
            self._context.map.use_tool(None)
            self._picked(first, found[0])
            return
        self._context.map.update_overlays()

    def _node_at(self, x: float, y: float) -> tuple[str, float, float] | None:
        import shapely

        project = self._context.project
        layer = tables.find(project, NODE) if project is not None else None
        if project is None or layer is None or layer.field("code") is None:
            return None
        r = 12 * self._metres_per_pixel
        table = project.read(layer.id, columns=["code"], bbox=(x - r, y - r, x + r, y + r))
        shapes = shapely.from_wkb(table.geometry)
        found = [
            (((one.x - x) ** 2 + (one.y - y) ** 2) ** 0.5, str(code), float(one.x), float(one.y))
            for one, code in zip(shapes, table.columns["code"], strict=True)
            if one is not None and not one.is_empty and code
        ]
        away, code, px, py = min(found, default=(r + 1, "", 0.0, 0.0))
        return (code, px, py) if away <= r else None

    def cancel(self) -> bool:
        """Take the first node back; False if there is none."""
        had, self._first = self._first is not None, None
        return had

    def hint(self) -> str:
        """What to do next."""
        if self._missed:
            return tr("There is no node here: zoom in and click a manhole, a valve or an end of a line")
        if self._first is None:
            return tr("Profile: click the first node of a network")
        return tr("From {code}: click the last node", code=self._first[0])

    def paint(self, painter: QPainter, to_screen: ToScreen) -> None:
        """Mark the first node."""
        self._metres_per_pixel = _metres_per_pixel(to_screen)
        if self._first is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self._looks.token("accent"), 2.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(*to_screen(*self._first[1:])), scaled(9), scaled(9))
