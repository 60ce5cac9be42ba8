"""The cross section under the hand: pan, zoom, what is under the pointer, lines dragged from support to support."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Finding
from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.report.findings import verdict_word
from plugins.tunnel.model.space.moving import place_on
from plugins.tunnel.model.space.section import Placement, Section
from plugins.tunnel.ui.space.alarms import paint_in_section
from plugins.tunnel.ui.space.finding_list import counted
from plugins.tunnel.ui.space.looks import Looks, paint_card, paint_chip, scaled
from plugins.tunnel.ui.space.section_paint import Frame, Scene, bounds, paint_section
from plugins.tunnel.ui.space.section_words import hover_lines
from plugins.tunnel.ui.state import state_of

Judge = Callable[[Section], Sequence[Finding]]
#: A dragged line is caught by a support as near as this: metres, and pixels where they are more.
_CATCH_M, _CATCH_PX = 0.2, 12
#: Free places are rounded to this many decimals of a metre, with Alt to millimetres.
_FREE, _FINE = 2, 3


@dataclass(frozen=True, slots=True)
class Target:
    """Where a dragged line would come to lie. ``note``: why a support nearby did not take it."""

    x: float
    y: float
    support: str = ""
    compartment: str | None = None
    note: str = ""


class SectionCanvas(QWidget):
    """Shows a section and lets lines be dragged.

    Signals:
        selected(int): fid of the placement a person chose, 0 for none.
        previewed(object, object): section and findings while a line is dragged; None, None when that ends unchanged.
        dropped(int, object): a line was let go: its fid and the :class:`Target`.
    """

    selected = Signal(int)
    previewed = Signal(object, object)
    dropped = Signal(int, object)

    def __init__(self, context: PanelContext, judge: Judge) -> None:
        super().__init__()
        self._context, self._judge = context, judge
        self._looks = Looks(context)
        self.frame = Frame()
        self.scene: Scene | None = None
        self._whole: Scene | None = None  # as it is in the project, while another place is tried
        self._fitted = True
        self._hover: tuple[QPointF, object] | None = None
        self._press: tuple[QPointF, Placement | None] | None = None
        self._grab = (0.0, 0.0)
        self._dragged: Placement | None = None
        self.target: Target | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Cross section"))
        self.setMinimumSize(scaled(160), scaled(110))
        context.theme_changed.connect(self.update)
        self._state = state_of(context)
        self._state.marks_changed.connect(self.update)

    # what is shown

    def show_section(self, section: Section | None, findings: Sequence[Finding] = ()) -> None:
        """Show a section; a drag under way ends without a change. The view stays within one profile of a tunnel."""
        self._end()
        before = self.scene.section if self.scene else None
        if section is None:
            self.scene = None
        else:
            chosen = self.scene.chosen if self.scene else frozenset()
            self.scene = Scene(section, findings, chosen & {one.fid for one in section.placements})
            if before is None or bounds(before) != bounds(section):
                self._fitted = True
        if self._fitted:
            self.fit()
        self.update()

    def choose(self, fids: frozenset[int]) -> None:
        """Let lines stand out."""
        if self.scene is not None and fids != self.scene.chosen:
            self.scene.chosen = fids
            self.update()

    def fit(self) -> None:
        """Show the whole section."""
        self._fitted = True
        if self.scene is None or not self.width() or not self.height():
            return
        box, edge, foot = bounds(self.scene.section), scaled(16), scaled(42)
        wide, tall = max(self.width() - 2 * edge, 10), max(self.height() - edge - foot, 10)
        self.frame.scale = max(5.0, min(wide / max(box.width(), 0.1), tall / max(box.height(), 0.1), 600.0))
        self.frame.x = self.width() / 2 - box.center().x() * self.frame.scale
        self.frame.y = edge + (tall - box.height() * self.frame.scale) / 2 + box.bottom() * self.frame.scale
        self.update()

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Enlarge about a pixel, the middle without one."""
        spot = at if at is not None else QPointF(self.width() / 2, self.height() / 2)
        x, y = self.frame.back(spot.x(), spot.y())
        self.frame.scale = max(5.0, min(self.frame.scale * factor, 4000.0))
        self.frame.x, self.frame.y = spot.x() - x * self.frame.scale, spot.y() + y * self.frame.scale
        self._fitted = False
        self.update()

    # under the pointer

    def placement_at(self, spot: QPointF) -> Placement | None:
        """The line under a pixel; of several the one whose middle is nearest."""
        if self.scene is None:
            return None
        x, y = self.frame.back(spot.x(), spot.y())
        slack = 3 / self.frame.scale
        found = [
            (((x - u) ** 2 + (y - v) ** 2) ** 0.5, one)
            for one in self.scene.section.placements
            for u, v, r in self.scene.section.circles(one)
            if (x - u) ** 2 + (y - v) ** 2 <= (r + slack) ** 2
        ]
        return min(found, key=lambda pair: pair[0], default=(0.0, None))[1]

    def _thing_at(self, spot: QPointF) -> object:
        line = self.placement_at(spot)
        if line is not None or self.scene is None:
            return line
        x, y = self.frame.back(spot.x(), spot.y())
        for one in self.scene.section.supports:
            if abs(x - one.x) <= one.length / 2 and -0.1 - 6 / self.frame.scale <= y - one.y <= 3 / self.frame.scale:
                return one
        return None

    # the hand

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton) and self._press is None:
            left = event.button() == Qt.MouseButton.LeftButton
            self._press = (event.position(), self.placement_at(event.position()) if left else None)
            self._hover = None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._press is None:
            thing = self._thing_at(event.position())
            self._hover = (event.position(), thing) if thing is not None else None
            self.setCursor(
                Qt.CursorShape.OpenHandCursor if isinstance(thing, Placement) else Qt.CursorShape.ArrowCursor
            )
            self.update()
            return
        start, line = self._press
        moved = event.position() - start
        if self._dragged is None and moved.manhattanLength() < 4:
            return
        if line is None:
            self.frame.x += moved.x()
            self.frame.y += moved.y()
            self._press = (event.position(), None)
            self._fitted = False
            self.update()
            return
        if self._dragged is None and not self._start(start, line):
            return
        self._drag(event.position(), free=bool(event.modifiers() & Qt.KeyboardModifier.AltModifier))

    def _start(self, at: QPointF, line: Placement) -> bool:
        if self.scene is None or line.x is None or line.y is None:
            return False
        x, y = self.frame.back(at.x(), at.y())
        self._grab = (x - line.x, y - line.y)
        self._dragged, self._whole = line, self.scene
        self.selected.emit(line.fid)
        self.setCursor(Qt.CursorShape.ClosedHandCursor)
        return True

    def _drag(self, at: QPointF, *, free: bool) -> None:
        assert self._dragged is not None
        assert self._whole is not None
        x, y = self.frame.back(at.x(), at.y())
        target = self.target_for(self._dragged, x - self._grab[0], y - self._grab[1], free=free)
        moved = self._whole.section.moved(
            self._dragged.fid, target.x, target.y, support=target.support, compartment=target.compartment
        )
        self.target = target
        findings = self._judge(moved)
        ghost = self._dragged
        self.scene = Scene(moved, findings, frozenset({ghost.fid}), ghost, target.support)
        self.previewed.emit(moved, findings)
        self.update()

    def target_for(self, line: Placement, x: float, y: float, *, free: bool) -> Target:
        """Where a line held at (x, y) would lie: on the nearest support that takes it, else there."""
        whole = self._whole or self.scene
        assert whole is not None
        section, note = whole.section, ""
        if not free:
            low = y - (line.outer_d or 0.0) / 2
            near = []
            for one in section.supports:
                aside = max(0.0, abs(x - one.x) - one.length / 2)
                away = (aside**2 + (low - one.y) ** 2) ** 0.5
                if away <= max(_CATCH_M, _CATCH_PX / self.frame.scale):
                    near.append((away, one))
            for _, one in sorted(near, key=lambda pair: pair[0]):
                try:
                    u, v = place_on(section.moved(line.fid, x, y), line.fid, one.code)
                except PlannerError as error:
                    note = note or self._context.word(error)[0]
                else:
                    return Target(round(u, 4), round(v, 4), one.code, one.compartment or None, note)
        digits = _FINE if free else _FREE
        return Target(round(x, digits), round(y, digits), note=note)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._press is None:
            return
        line, dragged, target = self._press[1], self._dragged, self.target
        self._press = None
        if dragged is None:
            if event.button() == Qt.MouseButton.LeftButton:
                self.selected.emit(line.fid if line is not None else 0)
            return
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        whole, shown = self._whole, self.scene
        self._dragged = self._whole = self.target = None
        same = target is not None and (target.x, target.y) == (dragged.x, dragged.y)
        outside = (
            shown is None or not next(one for one in shown.section.placements if one.fid == dragged.fid).compartment
        )
        if target is None or same or outside:
            self.scene = whole
            self.previewed.emit(None, None)
        else:
            assert shown is not None
            self.scene = replace(shown, ghost=None, target="")  # until the project's own answer comes
            self.dropped.emit(dragged.fid, target)
        self.update()

    def cancel(self) -> bool:
        """Drop what is unfinished; False if there was nothing."""
        busy = self._dragged is not None
        self._end()
        return busy

    def _end(self) -> None:
        self._press = None
        if self._dragged is not None:
            self.scene = self._whole
            self._dragged = self._whole = self.target = None
            self.unsetCursor()
            self.previewed.emit(None, None)
            self.update()

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
            and self._dragged is not None
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.cancel():
            return
        if event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom(0.8 if event.key() == Qt.Key.Key_Minus else 1.25)
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self.scene is not None:
            self._step(1 if event.key() == Qt.Key.Key_Right else -1)
        else:
            super().keyPressEvent(event)

    def _step(self, by: int) -> None:
        """Choose the next line to the right or left."""
        assert self.scene is not None
        order = sorted(
            (one for one in self.scene.section.placements if one.known), key=lambda one: (one.x or 0.0, one.y)
        )
        at = next((n for n, one in enumerate(order) if one.fid in self.scene.chosen), -1 if by > 0 else 0)
        if order:
            self.selected.emit(order[(at + by) % len(order)].fid)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.placement_at(event.position()) is None:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.angleDelta().y():
            self.zoom(1.15 ** (event.angleDelta().y() / 120), event.position())
            event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = None
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._fitted:
            self.fit()

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self._looks.token("panel"))
        if self.scene is None:
            return
        paint_section(painter, self._looks, self.frame, self.scene)
        paint_in_section(painter, self._looks, self.frame, self.scene.section, self._state.marks)
        if self._dragged is not None and self.target is not None:
            self._paint_drag(painter)
        elif self._hover is not None:
            lines = hover_lines(self.scene, self._hover[1])
            paint_card(painter, self._looks, lines, self._hover[0], QRectF(self.rect()))

    def _paint_drag(self, painter: QPainter) -> None:
        assert self.scene is not None
        assert self.target is not None
        target = self.target
        inside = bool(next(one for one in self.scene.section.placements if one.fid == self._dragged_fid()).compartment)
        where = target.support or (tr("free place") if inside else tr("outside: nothing will be moved"))
        lines = [(f"{where} · x {target.x:.3f} · y {target.y:.3f}", "ink" if inside else "fail")]
        lines.append((counted(self.scene.findings), "secondary"))
        verdict = self.scene.verdicts().get(self._dragged_fid())
        if verdict is not None:
            lines.append((tr("this line: {verdict}", verdict=verdict_word(verdict.value)), verdict.value))
        if target.note:
            lines.append((target.note, "needs_certificate"))
        corner = QRectF(self.rect()).topLeft() - QPointF(8, 8)  # out of the hand's way
        paint_card(painter, self._looks, lines, corner, QRectF(self.rect()))
        spot = QPointF(self.width() / 2, self.height() - scaled(14))
        paint_chip(painter, self._looks, tr("Alt: place freely · Esc: leave it where it was"), spot, "secondary")

    def _dragged_fid(self) -> int:
        assert self._dragged is not None
        return self._dragged.fid
