"""Decides when to ask the engine for a picture, so that a hand on the mouse never waits for one and never floods it.

A request goes out shortly after the last movement; during a long gesture now and then; the newest supersedes. A view
seen before is answered from the cache without a request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from PySide6.QtCore import QObject, QTimer, Signal, SignalInstance

from planner_app.plugin_api.viewport import Extent, Viewport, contains
from planner_app.ui.canvas.picture import MapPicture, PictureCache

#: A gesture's events are 8–16 ms apart; a pause of 40 ms means that the hand rests.
SETTLE_MS = 40
#: In a gesture without a pause, ask this often,
THROTTLE_S = 0.3
#: but give a running render this long, or a slow map would never get past its first partial picture.
PATIENCE_S = 0.9


class Renderer(Protocol):
    """What the scheduler needs of ``planner_app.engine_client.RenderView``."""

    partial: SignalInstance
    finished: SignalInstance
    failed: SignalInstance

    def render(self, request: Any) -> int: ...


@dataclass(slots=True)
class _Running:
    number: int
    viewport: Viewport
    content: Hashable
    started: float


class RenderScheduler(QObject):
    """Keeps the pictures of one map window.

    Signals:
        updated(): there is something new to paint.
        rendering_changed(bool): a render started or ended.
        failed(object): a render failed; the error.
    """

    updated = Signal()
    rendering_changed = Signal(bool)
    failed = Signal(object)

    def __init__(self, make_request: Callable[[Viewport], Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_request = make_request
        self._renderer: Renderer | None = None
        self.cache = PictureCache()
        self.requests = 0
        self._wanted: tuple[Viewport, Hashable] | None = None
        self._running: _Running | None = None
        self._partial: MapPicture | None = None
        self._latest: MapPicture | None = None
        self._backdrop: MapPicture | None = None
        self._full_extent: Extent | None = None
        self._unasked_since = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)

    def set_renderer(self, renderer: Renderer | None) -> None:
        """The engine's view to draw with; None while there is no engine."""
        if self._renderer is not None:
            for signal, slot in self._slots(self._renderer):
                signal.disconnect(slot)
        self._renderer = renderer
        self._set_running(None)
        if renderer is not None:
            for signal, slot in self._slots(renderer):
                signal.connect(slot)

    def _slots(self, renderer: Renderer) -> Sequence[tuple[SignalInstance, Callable[[Any], None]]]:
        return (
            (renderer.partial, self._on_partial),
            (renderer.finished, self._on_finished),
            (renderer.failed, self._on_failed),
        )

    def set_full_extent(self, extent: Extent | None) -> None:
        """The extent of everything: a picture that covers it becomes the backdrop."""
        self._full_extent = extent

    def want(self, viewport: Viewport, content: Hashable, *, at_once: bool = False) -> None:
        """Show this view of this content soon. Never renders synchronously.

        Args:
            content: identity of what is drawn; None: nothing (no layers), so nothing is asked for.
            at_once: ask without waiting for the hand to rest (a jump, a toggled layer, a repaired engine).
        """
        self._wanted = (viewport, content)
        nothing_to_ask = content is None or self._renderer is None
        if nothing_to_ask or self.cache.find(viewport, content) is not None or self._is_running(viewport, content):
            self._timer.stop()
        elif at_once:
            self._timer.start(0)
        else:
            now = time.monotonic()
            if not self._timer.isActive():
                self._unasked_since = now
            patient = self._running is None or now - self._running.started > PATIENCE_S
            overdue = now - self._unasked_since > THROTTLE_S
            self._timer.start(0 if overdue and patient else SETTLE_MS)

    def has_renderer(self) -> bool:
        """True while there is an engine to ask."""
        return self._renderer is not None

    def is_final(self) -> bool:
        """True if the finished picture of the wanted view is there."""
        return self._wanted is not None and self.cache.find(*self._wanted) is not None

    def is_rendering(self) -> bool:
        """True while a request is with the engine."""
        return self._running is not None

    def pictures(self, viewport: Viewport, content: Hashable) -> list[MapPicture]:
        """What to paint for a view, top first: the finished picture alone, or the best of what there is."""
        if content is None:
            return []
        exact = self.cache.find(viewport, content)
        if exact is not None:
            return [exact]
        found = self.cache.near(viewport, content)
        if self._partial is not None and self._partial.content == content:
            found.insert(0, self._partial)
        for old in (self._latest, self._backdrop):
            if old is not None and all(old is not p for p in found):
                found.append(old)
        return found

    def clear(self) -> None:
        """Forget every picture: another project."""
        self._timer.stop()
        self.cache.clear()
        self._wanted = self._partial = self._latest = self._backdrop = None
        self._set_running(None)

    def _is_running(self, viewport: Viewport, content: Hashable) -> bool:
        running = self._running
        return running is not None and running.content == content and running.viewport.same_view(viewport)

    def _ask(self) -> None:
        if self._wanted is None or self._renderer is None:
            return
        viewport, content = self._wanted
        if self.cache.find(viewport, content) is not None or self._is_running(viewport, content):
            return
        request = self._make_request(viewport)
        self.requests += 1
        if self._partial is not None and self._partial.content != content:
            self._partial = None
        self._set_running(_Running(self._renderer.render(request), viewport, content, time.monotonic()))

    def _set_running(self, running: _Running | None) -> None:
        changed = (running is None) != (self._running is None)
        self._running = running
        if changed:
            self.rendering_changed.emit(running is not None)

    def _on_partial(self, picture: Any) -> None:
        running = self._running
        if running is not None and picture.request_id == running.number and not picture.image.isNull():
            self._partial = MapPicture(picture.image, running.viewport, running.content, opaque=False)
            self.updated.emit()

    def _on_finished(self, picture: Any) -> None:
        running = self._running
        if running is None or picture.request_id != running.number:
            return
        done = MapPicture(picture.image, running.viewport, running.content)
        self.cache.put(done)
        self._latest, self._partial = done, None
        if self._covers_everything(running.viewport):
            self._backdrop = done
        self._set_running(None)
        self.updated.emit()
        if self._wanted is not None and not self._timer.isActive():
            self.want(*self._wanted)

    def _on_failed(self, error: Any) -> None:
        if self._running is None or getattr(error, "request_id", self._running.number) != self._running.number:
            return
        self._set_running(None)
        self.failed.emit(error)

    def _covers_everything(self, viewport: Viewport) -> bool:
        return self._full_extent is not None and contains(viewport.extent(), self._full_extent)
