"""A pane that shows the map and moves: view, history, pictures. Tools, selection and cards are the canvas's.

A gesture only changes the viewport and asks for a repaint; nothing here waits for a render, a query or a file.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QColor, QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.plugin_api.viewport import Extent, Viewport, united
from planner_app.ui.canvas.background import Background
from planner_app.ui.canvas.content import MapContent
from planner_app.ui.canvas.picture import paint_pictures
from planner_app.ui.canvas.render_scheduler import RenderScheduler
from planner_app.ui.canvas.selection_layer import feature_extent
from planner_app.ui.canvas.view_history import History

if TYPE_CHECKING:
    from planner_app.domain.changeset import ChangeSet
    from planner_app.domain.layer import LayerInfo
    from planner_app.ui.session import Session

PAPER = QColor("#FFFFFF")
#: After this long without movement a view becomes one to go back to.
REMEMBER_MS = 600
FULL_MARGIN = 0.05
#: States of an engine that answers nothing; stopping it also ends its views. Not started yet counts as stopped too.
ENGINE_GONE = ("stopped", "failed", "missing")
#: A single point or a tiny feature is shown with this much around it, in metres.
SMALLEST_ZOOM = 40.0


class MapPane(QWidget):
    """Shows the project's visible layers.

    Signals:
        view_changed(): after a pan, zoom or resize.
        history_changed(): previous/next view became possible or not.
        rendering_changed(bool): the engine draws for this map, or stopped.
        message(level, text): something to say; level info|success|warning|error.
    """

    view_changed = Signal()
    history_changed = Signal()
    rendering_changed = Signal(bool)
    message = Signal(str, str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.viewport = Viewport(width=self.width(), height=self.height())
        self.history = History()
        self.background = Background(self)
        self.content = MapContent(session)
        self.scheduler = RenderScheduler(self._request, self)
        self._unfitted = True
        self._whole: Viewport | None = None
        self._engine_state = ""
        self._remember = QTimer(self)
        self._remember.setSingleShot(True)
        self._remember.setInterval(REMEMBER_MS)
        self._remember.timeout.connect(self._remember_view)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(200, 150)
        session.project_changed.connect(self._open_project)
        session.data_changed.connect(self._take_change)
        self.scheduler.updated.connect(self.update)
        self.scheduler.rendering_changed.connect(self.rendering_changed)
        self.scheduler.failed.connect(self._render_failed)
        if session.engine is not None:
            session.engine.state_changed.connect(self._engine_changed)
            if session.engine.state not in ENGINE_GONE[1:]:
                self.scheduler.set_renderer(session.engine.view("map"))

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(900, 640)

    # project, data, engine

    def _open_project(self) -> None:
        self.scheduler.clear()
        self.history.clear()
        self.content.reload()
        self._unfitted = True
        self._layers_reloaded()
        self._fit_first()
        self.history_changed.emit()

    def _take_change(self, change: ChangeSet, _initiator: object) -> None:
        drawn_anew = self.session.project is not None and self.content.changed(change)
        self.update()
        if drawn_anew:
            self._layers_reloaded()
            self._fit_first()
            self._show(at_once=True)

    def _layers_reloaded(self) -> None:
        self.scheduler.set_full_extent(self.content.extent())
        self.update()

    def _fit_first(self) -> None:
        """Show everything when a project gets its first extent."""
        if self._unfitted and self.content.extent() is not None and self.width() > 1:
            self._unfitted = False
            self.zoom_full()

    def _engine_changed(self, state: str) -> None:
        engine = self.session.engine
        if engine is None or state in ENGINE_GONE:
            self.scheduler.set_renderer(None)
        elif not self.scheduler.has_renderer():
            self.scheduler.set_renderer(engine.view("map"))
        # From busy to ready is the end of some request: asking again then would repeat one that fails for ever.
        returned, self._engine_state = self._engine_state != "busy", state
        if state == "ready" and returned:
            self._show(at_once=True)
        self.update()

    def _render_failed(self, error: object) -> None:
        if isinstance(error, Exception):
            self.report(error)
        self.update()

    def _request(self, viewport: Viewport) -> Any:
        from planner_app.engine_client import LayerDraw, RenderRequest

        layers = [LayerDraw(layer.id, layer.opacity) for layer in self.content.visible]
        return RenderRequest(
            extent=viewport.extent(),
            width=round(viewport.width * viewport.dpr),
            height=round(viewport.height * viewport.dpr),
            dpr=viewport.dpr,
            layers=layers,
        )

    # view

    def extent(self) -> Extent:
        """Map extent of the window."""
        return self.viewport.extent()

    def scale(self) -> float:
        """Denominator of the scale."""
        return self.viewport.scale

    def set_scale(self, denominator: float) -> None:
        """Show the same centre at 1 : denominator."""
        if denominator > 0:
            self._go(self.viewport.scaled(denominator))

    def set_viewport(self, viewport: Viewport, *, at_once: bool = False) -> None:
        """Show another view; part of a gesture unless ``at_once``."""
        if viewport == self.viewport:
            return
        self.viewport = viewport
        self._show(at_once=at_once)
        self._remember.start()
        self.update()
        self.view_changed.emit()

    def _go(self, viewport: Viewport) -> None:
        """Jump to a view and remember both ends."""
        self._remember_view()
        self.set_viewport(viewport, at_once=True)
        self._remember_view()

    def _show(self, at_once: bool = False) -> None:
        self.scheduler.want(self.viewport, self.shown_content, at_once=at_once)

    @property
    def shown_content(self) -> Hashable:
        """Identity of what is drawn; None while there is nothing to draw."""
        return self.content.key if self.session.project is not None and not self._unfitted else None

    def _remember_view(self) -> None:
        self._remember.stop()
        if not self._unfitted:
            self.history.push(self.viewport)
            self.history_changed.emit()

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture by pixels."""
        self.set_viewport(self.viewport.panned(dx, dy))

    def zoom_about(self, factor: float, px: float, py: float) -> None:
        """Zoom in by ``factor`` with the map point under (px, py) held."""
        self.set_viewport(self.viewport.zoomed(factor, px, py))

    def centre_on(self, x: float, y: float) -> None:
        """Move a map point to the middle."""
        px, py = self.viewport.to_screen(x, y)
        self.set_viewport(self.viewport.panned(self.width() / 2 - px, self.height() / 2 - py), at_once=True)

    def zoom_in(self) -> None:
        """Twice as near."""
        self.zoom_about(2.0, self.width() / 2, self.height() / 2)

    def zoom_out(self) -> None:
        """Twice as far."""
        self.zoom_about(0.5, self.width() / 2, self.height() / 2)

    def zoom_full(self) -> None:
        """Show everything that is visible (everything there is, if nothing is)."""
        extent = self.content.extent()
        if extent is not None:
            self._whole = self.viewport.fitted(extent, FULL_MARGIN)
            self._go(self._whole)

    def zoom_to_extent(self, extent: Extent, margin: float = 0.15) -> None:
        """Show an extent with ``margin`` of its size left free; a tiny one is shown with its surroundings."""
        x, y = (extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2
        half = max(extent[2] - extent[0], extent[3] - extent[1], SMALLEST_ZOOM) / 2
        tiny = max(extent[2] - extent[0], extent[3] - extent[1]) < SMALLEST_ZOOM and margin > 0
        self._unfitted = False
        self._go(self.viewport.fitted((x - half, y - half, x + half, y + half) if tiny else extent, margin))

    def zoom_to_layer(self, layer_id: str) -> None:
        """Show a layer whole."""
        project = self.session.project
        extent = project.extent(layer_id) if project is not None else None
        if extent is None:
            self.say("info", tr("This layer has no geometry to show."))
        else:
            self.zoom_to_extent(extent, FULL_MARGIN)

    def zoom_to_features(self, layer_id: str, fids: Sequence[int]) -> None:
        """Show features; their geometry is read off the UI thread."""
        self._zoom_to({layer_id: tuple(fids)})

    def zoom_to_selection(self) -> None:
        """Show the selection."""
        selection = self.session.selection
        self._zoom_to({layer: selection.fids(layer) for layer in selection.layer_ids()})

    def _zoom_to(self, features: dict[str, tuple[int, ...]]) -> None:
        project = self.session.project
        if project is None or not features:
            return

        def work() -> Extent | None:
            found = [feature_extent(project, layer, fids) for layer, fids in features.items()]
            return united([extent for extent in found if extent is not None])

        def done(extent: Extent | None) -> None:
            if extent is not None:
                self.zoom_to_extent(extent, 0.6)

        self.background.run("zoom", work, done, self.report)

    def view_back(self) -> None:
        """The previous view."""
        self._remember_view()
        self._return_to(self.history.back())

    def view_forward(self) -> None:
        """The next view."""
        self._return_to(self.history.forward())

    def _return_to(self, view: Viewport | None) -> None:
        if view is not None:
            self.set_viewport(view.resized(self.width(), self.height(), self.devicePixelRatioF()), at_once=True)
            self._remember.stop()
            self.history_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the centre and resolution."""
        self.resized()

    def resized(self) -> None:
        """The window or its pixel ratio changed: keep centre and resolution; a map shown whole stays whole."""
        whole = self.viewport == self._whole
        view = self.viewport.resized(self.width(), self.height(), self.devicePixelRatioF())
        if view != self.viewport:
            if whole and (extent := self.content.extent()) is not None:
                view = self._whole = view.fitted(extent, FULL_MARGIN)
            self.viewport = view
            self._fit_first()
            self._show()
            self.update()
            self.view_changed.emit()

    def point(self, position: QPointF) -> tuple[float, float]:
        """Map point under a widget position."""
        return self.viewport.to_map(position.x(), position.y())

    # layers

    def visible_layers(self) -> list[LayerInfo]:
        """Layers with a geometry that are switched on, topmost first."""
        return self.content.visible

    def visible_layer_ids(self) -> list[str]:
        """Their ids."""
        return [layer.id for layer in self.content.visible]

    # painting and saying

    def paint_map(self, painter: QPainter, area: QRectF) -> None:
        """Paper and the best pictures of the view there are."""
        painter.fillRect(area, PAPER)
        if self.shown_content is not None:
            paint_pictures(painter, self.viewport, self.scheduler.pictures(self.viewport, self.shown_content))

    def say(self, level: str, text: str) -> None:
        """Say something in the message bar."""
        self.message.emit(level, text)

    def report(self, error: Exception) -> None:
        """Word an error and say it."""
        if isinstance(error, PlannerError):
            sentence, hint = self.session.word(error)
            self.say("error", f"{sentence} {hint}".strip())
        else:
            self.session.show_error(error)

    # end

    def close_canvas(self) -> None:
        """Stop background work; called once when the window closes."""
        self.scheduler.set_renderer(None)
        self.background.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop background work."""
        self.close_canvas()
        super().closeEvent(event)
