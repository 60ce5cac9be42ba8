"""Pictures that are drawn anew when the view settles; the old ones move with the hand meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from PySide6.QtCore import QObject, QRectF, QTimer, Signal
from PySide6.QtGui import QImage, QPainter

from planner_app.plugin_api.ui import PanelContext
from plugins.review.ui.sheet.paint import Frame, Look, Picture, paint_picture, render
from plugins.review.ui.sheet.scene import Scene

Draw = Callable[[Frame, Callable[[], bool]], QImage | None]
"""(what to show, whether it is still wanted) → a picture; called on a worker thread."""
ToScreen = Callable[[float, float], tuple[float, float]]

#: The hand rests when the view has not changed for this long.
SETTLE_MS = 70
#: Drawn beyond each edge, so that a short pan shows no blank stripe.
MARGIN = 0.12


class LivePicture(QObject):
    """Keeps one picture up to date.

    Args:
        key: names its work; another with the same key takes its place.

    Signals:
        updated(): there is a new picture.
        failed(Exception): it could not be drawn; it is tried again when the view or the content changes.
    """

    updated = Signal()
    failed = Signal(object)

    def __init__(self, context: PanelContext, key: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context, self._key = context, key
        self._frame: Frame | None = None
        self._content: Hashable = None
        self._draw: Draw | None = None
        self._margin = MARGIN
        self.picture: Picture | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.timeout.connect(self._start)

    def want(self, frame: Frame, content: Hashable, draw: Draw, *, margin: float = MARGIN) -> None:
        """Say what is to be seen now; called with every paint. ``content`` changes when the picture would."""
        if frame == self._frame and content == self._content:
            return
        another = content != self._content
        self._frame, self._content, self._draw, self._margin = frame, content, draw, margin
        if another and self.picture is not None and self.picture.content != content:
            self._settle.start(0)
        elif not self._covers(frame):
            self._settle.start(0 if self.picture is None else SETTLE_MS)

    def clear(self) -> None:
        """Show nothing."""
        self._settle.stop()
        self._frame = self._content = self._draw = self.picture = None

    @property
    def ready(self) -> bool:
        """True when the picture shows what was asked for."""
        return self.picture is not None and self._frame is not None and self._covers(self._frame)

    def paint(self, painter: QPainter, to_screen: ToScreen, opacity: float = 1.0) -> None:
        """The newest picture there is, where it belongs now."""
        if self.picture is not None:
            paint_picture(painter, self.picture, to_screen, opacity)

    def _covers(self, frame: Frame) -> bool:
        picture = self.picture
        if picture is None or picture.content != self._content or picture.frame.ratio != frame.ratio:
            return False
        if abs(picture.frame.resolution / frame.resolution - 1.0) * max(frame.width, frame.height) > 0.5:
            return False
        have, want = picture.frame.extent, frame.extent
        return have[0] <= want[0] and have[1] <= want[1] and have[2] >= want[2] and have[3] >= want[3]

    def _start(self) -> None:
        frame, content, draw = self._frame, self._content, self._draw
        if frame is None or draw is None:
            return
        wide = frame.widened(self._margin)

        def work() -> QImage | None:
            return draw(wide, lambda: self._frame == frame and self._content == content)

        def done(image: QImage | None) -> None:
            if image is not None and content == self._content:
                self.picture = Picture(image, wide, content)
                self.updated.emit()

        self._context.in_background(self._key, work, done, self.failed.emit)


class Layered:
    """The pictures of one surface: the drawing, or the older and the newer revision with a line between them."""

    def __init__(self, context: PanelContext, name: str, owner: QObject, updated: Callable[[], None]) -> None:
        self.pictures = {part: LivePicture(context, f"{name}-{part}", owner) for part in ("old", "new")}
        for picture in self.pictures.values():
            picture.updated.connect(updated)

    def paint(
        self,
        painter: QPainter,
        scenes: list[tuple[Scene, Look, str]],
        content: Hashable,
        frame: Frame,
        to_screen: ToScreen,
        swipe: float | None,
        opacity: float = 1.0,
    ) -> None:
        """What there is to see now; what is missing is drawn in the background."""
        parts = {part for _, _, part in scenes}
        for part, picture in self.pictures.items():
            if part not in parts:
                picture.clear()
        split = None if swipe is None or "old" not in parts else frame.width * swipe
        for scene, look, part in scenes:
            picture = self.pictures[part]
            picture.want(frame, content, lambda wide, wanted, s=scene, k=look: render(s, wide, k, wanted))  # type: ignore[misc]
            painter.save()
            if split is not None:
                left, right = (-1e4, split) if part == "old" else (split, 1e5)
                painter.setClipRect(QRectF(left, -1e4, right - left, 1e5))
            picture.paint(painter, to_screen, opacity)
            painter.restore()

    @property
    def ready(self) -> bool:
        """True when nothing is being drawn."""
        return self.pictures["new"].ready
