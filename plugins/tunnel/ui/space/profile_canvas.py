"""The profile under the hand: zoom and pan along the line, a cursor that the map follows, a click opens the section."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from planner_app.domain.finding import Finding
from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from plugins.tunnel.model.space.axis import station
from plugins.tunnel.model.space.kinds import NAMES
from plugins.tunnel.model.space.profile import Profile, between, gap
from plugins.tunnel.ui.space.alarms import paint_in_profile
from plugins.tunnel.ui.space.looks import Looks, paint_card, scaled
from plugins.tunnel.ui.space.profile_paint import (
    Stretch,
    View,
    band_rows,
    heights_in,
    number,
    paint_profile,
    row_height,
    slope_pieces,
)
from plugins.tunnel.ui.state import state_of

#: How much taller heights are drawn than lengths.
EXAGGERATIONS = (1, 2, 5, 10, 15, 20, 30, 50, 75, 100, 150, 200, 500)
_LABELS = 58  # pixels above the ground for the names of nodes


class ProfileCanvas(QWidget):
    """Shows a profile.

    Signals:
        cursor_moved(object): chainage under the pointer, None when it leaves.
        clicked(float): chainage of a click.
    """

    cursor_moved = Signal(object)
    clicked = Signal(float)

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._looks = Looks(context)
        self.view = View()
        self.profile: Profile | None = None
        self.tunnel = ""  # its code, where the profile is a tunnel's
        self.findings: Sequence[Finding] = ()
        self._slopes: list[Stretch] = []
        self.mark: float | None = None
        self.exaggeration = 0  # 0: as much as there is room for
        self._fitted = True
        self._lift = 0.0  # pixels the picture was pulled up
        self._press: QPointF | None = None
        self._dragging = False
        self._pointer: QPointF | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Longitudinal profile"))
        self.setMinimumSize(scaled(220), scaled(150))
        self._state = state_of(context)
        self._state.marks_changed.connect(self.update)
        context.theme_changed.connect(self.update)

    def show_profile(self, profile: Profile | None, findings: Sequence[Finding] = (), *, keep: bool = False) -> None:
        """Show a profile; ``keep`` the stretch that is in view (the same line, read anew)."""
        self.profile, self.findings = profile, findings
        self._slopes = slope_pieces(profile) if profile is not None else []
        if not keep:
            self.mark, self._fitted, self._lift = None, True, 0.0
        self._arrange()

    def fit(self) -> None:
        """Show the whole line."""
        self._fitted, self._lift = True, 0.0
        self._arrange()

    def show_span(self, low: float, high: float) -> None:
        """Show a stretch with some of what lies beside it."""
        wide = max(high - low, 20.0) * 1.3
        self.view.across = self.view.picture.width() / wide
        self.view.m = (low + high - wide) / 2
        self._fitted = False
        self._arrange()

    def zoom(self, factor: float, at: float | None = None) -> None:
        """Enlarge the lengths about a pixel, the middle without one."""
        if self.profile is None:
            return
        spot = self.view.picture.center().x() if at is None else at
        m = self.view.m_at(spot)
        self.view.across *= factor
        self._fitted = False
        self._limit()
        self.view.m = m - (spot - self.view.picture.left()) / self.view.across
        self._arrange()

    def set_exaggeration(self, times: int) -> None:
        """Draw heights so many times taller than lengths; 0: as there is room."""
        self.exaggeration, self._lift = times, 0.0
        self._arrange()

    def set_cursor(self, m: float | None) -> None:
        """Put the cursor at a chainage; None takes it away."""
        if m is not None and self.profile is not None:
            low, high = self.profile.ends
            m = min(max(m, low), high)
        if m != self.mark:
            self.mark = m
            self.update()

    def times(self) -> float:
        """How many times taller heights are drawn than lengths."""
        return self.view.up / self.view.across

    # the frame

    def _limit(self) -> None:
        assert self.profile is not None
        low, high = self.profile.ends
        least = self.view.picture.width() / max(high - low, 1.0) * 0.9
        self.view.across = min(max(self.view.across, least), 400.0)

    def _arrange(self) -> None:
        """Lay out picture and band, keep the line in reach, choose the scale of heights."""
        self.update()
        if self.profile is None or self.width() < 10:
            return
        view, tall = self.view, row_height() * len(band_rows(self.profile))
        left = scaled(92)
        foot = max(self.height() - tall - 1, scaled(60))
        view.picture = QRectF(left, 4, max(self.width() - left - scaled(10), 20), foot - 10)
        view.band = QRectF(0, foot, self.width() - scaled(10), tall)
        low, high = self.profile.ends
        if self._fitted:
            view.across = view.picture.width() / max(high - low, 1.0) * 0.96
            view.m = (low + high) / 2 - view.picture.width() / view.across / 2
        self._limit()
        slack = 0.1 * view.picture.width() / view.across
        wide = view.picture.width() / view.across
        view.m = min(max(view.m, low - slack), max(high + slack - wide, low - slack))
        if wide >= high - low:
            view.m = (low + high - wide) / 2
        heights = heights_in(self.profile, *view.span) or heights_in(self.profile, low, high) or [0.0, 5.0]
        least, most = min(heights), max(heights)
        view.names = view.picture.height() >= scaled(150)
        above, below = scaled(_LABELS) if view.names else scaled(6), scaled(24)
        room = max(view.picture.height() - above - below, 20.0)
        fits = [one for one in EXAGGERATIONS if (most - least) * one * view.across <= room]
        view.up = (self.exaggeration or (fits[-1] if fits else 1)) * view.across
        view.z = (least + most) / 2 - ((view.picture.height() - above + below) / 2 + self._lift) / view.up

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    # the hand

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._press, self._dragging = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.profile is None:
            return
        self._pointer = event.position()
        if self._press is not None:
            moved = event.position() - self._press
            if not self._dragging and moved.manhattanLength() < 4:
                return
            self._dragging, self._press = True, event.position()
            self.view.m -= moved.x() / self.view.across
            self._fitted = False
            if self.exaggeration:
                self._lift -= moved.y()
            self._arrange()
            return
        low, high = self.profile.ends
        m = self.view.m_at(event.position().x())
        inside = event.position().x() >= self.view.picture.left() and low - 1e-6 <= m <= high + 1e-6
        self.set_cursor(m if inside else None)
        self.cursor_moved.emit(self.mark)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._press = self._press, None
        left = event.button() == Qt.MouseButton.LeftButton
        if left and pressed is not None and not self._dragging and self.mark is not None:
            self.clicked.emit(self.mark)
        self._dragging = False

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.mark is None:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.profile is None:
            return
        turn = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or (turn.x() and not turn.y()):
            self.view.m -= (turn.x() or turn.y()) * 0.5 / self.view.across
            self._fitted = False
            self._arrange()
        elif turn.y():
            self.zoom(1.15 ** (turn.y() / 120), event.position().x())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move the cursor by a pixel's worth of line, with Shift by ten; Enter opens the section."""
        if self.profile is None:
            return
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            by = (10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1) / self.view.across
            start = self.mark if self.mark is not None else self.profile.ends[0]
            self.set_cursor(start + (by if event.key() == Qt.Key.Key_Right else -by))
            self.cursor_moved.emit(self.mark)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.mark is not None:
            self.clicked.emit(self.mark)
        elif event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom(0.8 if event.key() == Qt.Key.Key_Minus else 1.25)
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.set_cursor(None)
        self.cursor_moved.emit(None)

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self._looks.token("panel"))
        if self.profile is None:
            return
        paint_profile(painter, self._looks, self.view, self.profile, self.findings, self._slopes)
        paint_in_profile(painter, self._looks, self.view, self.profile, self.tunnel, self._state.marks)
        if self.mark is None:
            return
        x = self.view.x(self.mark)
        if not self.view.picture.left() <= x <= self.view.picture.right():
            return
        painter.setPen(QPen(self._looks.token("accent"), 1.4))
        painter.drawLine(QPointF(x, self.view.picture.top()), QPointF(x, self.view.band.bottom()))
        for z in (self.profile.ground_z(self.mark), self.profile.z(self.mark)):
            if z is not None:
                painter.setBrush(self._looks.token("panel"))
                painter.drawEllipse(QPointF(x, self.view.y(z)), 3.5, 3.5)
        spot = self._pointer if self._pointer is not None else QPointF(x, self.view.picture.top() + 6)
        paint_card(painter, self._looks, self.readout(self.mark), spot, QRectF(self.rect()))

    def readout(self, m: float) -> list[tuple[str, str]]:
        """What stands at a chainage, line by line as (text, token)."""
        assert self.profile is not None
        profile, run = self.profile, self.profile.run_at(m)
        ground, z = profile.ground_z(m), profile.z(m)
        level = tr("floor") if profile.subject == "tunnel" else tr("axis")
        found = [(f"{station(m)} · {run.code}" if run is not None else station(m), "ink")]
        found.append((f"{tr('ground')} {number(ground)} · {level} {number(z)}", "secondary"))
        size = 0.0 if run is None or run.outer_d is None else run.outer_d
        if ground is not None and z is not None and size:
            over = ground - z - (size if profile.subject == "tunnel" else size / 2)
            found.append((tr("cover {m} m", m=f"{over:.2f}"), "secondary"))
        slope = next((slope for a, b, _, slope in self._slopes if a <= m <= b), None)
        if slope is not None:
            found.append((tr("slope {slope} ‰", slope=f"{slope * 1000:+.1f}"), "secondary"))
        near = 6 / self.view.across
        for stop in profile.stops:
            if abs(stop.m - m) <= near:
                found.append((f"{stop.code} {stop.label}", "accent"))
        for one in profile.crossings:
            if abs(one.m - m) <= near:
                space = gap(profile, one)
                words = tr("height unknown") if one.z is None else number(one.z)
                apart = "" if space is None else " · " + tr("gap {m} m", m=f"{space:.2f}")
                found.append((f"{tr('crosses')}: {one.line} {tr(NAMES[one.kind])} · {words}{apart}", "accent"))
        if self._pointer is not None:
            for line in profile.within:
                at = between(line.points, m)
                if at is not None and abs(self.view.y(at) - self._pointer.y()) <= 4:
                    found.append((f"{line.code} {tr(NAMES[line.kind])} · {at:.3f}", "accent"))
        return found[:10]
