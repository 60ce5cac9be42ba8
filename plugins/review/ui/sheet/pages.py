"""Pages of a PDF and pictures as they look in their file, drawn in parts as the view needs them."""

from __future__ import annotations

import math
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from plugins.review.ui.sheet.live import LivePicture, ToScreen
from plugins.review.ui.sheet.paint import Frame
from plugins.review.ui.sheet.scene import Extent

if TYPE_CHECKING:
    from planner_app.plugin_api.model import Project
    from planner_app.plugin_api.ui import PanelContext
    from plugins.review.model.cases.records import DrawingRecord
    from plugins.review.model.drawing.rasters import PageRasters
    from plugins.review.model.drawing.types import Page


class PagePictures:
    """Draws parts of a drawing's pages; its file is taken out of the project when first needed.

    Methods may be called on any thread; pictures are made one at a time.
    """

    def __init__(self, project: Project, record: DrawingRecord) -> None:
        self._project, self._record = project, record
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._rasters: PageRasters | None = None
        self._closed = False

    def draw(self, page: Page, frame: Frame, wanted: Callable[[], bool]) -> QImage | None:
        """The part of a page within a frame on transparent ground; None once it is no longer wanted.

        Raises:
            PlannerError: ``attachment.*``, ``review.*`` where the file cannot be drawn.
        """
        width, height = round(frame.width * frame.ratio), round(frame.height * frame.ratio)
        image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        clip = _overlap(frame.extent, (0.0, 0.0, page.width, page.height))
        if clip is None:
            return image
        scale = frame.ratio / frame.resolution
        with self._lock:
            if self._closed or not wanted():
                return None
            width = max(1, round((clip[2] - clip[0]) * scale))
            pixels = self._opened().render(page.number, width, clip)
        part = QImage(pixels.data, pixels.shape[1], pixels.shape[0], pixels.strides[0], QImage.Format.Format_RGB888)
        painter = QPainter(image)
        left, top = (clip[0] - frame.west) * scale, (frame.north - clip[3]) * scale
        if abs(part.width() - (clip[2] - clip[0]) * scale) > 1.5:  # the file was not drawn as large as asked
            painter.scale((clip[2] - clip[0]) * scale / part.width(), (clip[3] - clip[1]) * scale / part.height())
            left, top = left * part.width() / width, top * part.width() / width
        painter.drawImage(round(left), round(top), part)
        painter.end()
        return image

    def close(self) -> None:
        """End the process behind it and remove the file."""
        self._closed = True
        threading.Thread(target=self._close, name="pages-close", daemon=True).start()

    def _close(self) -> None:
        with self._lock:
            if self._rasters is not None:
                self._rasters.close()
                self._rasters = None
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None

    def _opened(self) -> PageRasters:
        if self._rasters is None:
            from plugins.review.model.drawing.rasters import PageRasters

            self._folder = tempfile.TemporaryDirectory(prefix="planner-sheet-")
            name = Path(self._record.file_name).name or f"drawing.{self._record.format}"
            path = self._project.write_attachment(self._record.sha256, Path(self._folder.name) / name)
            self._rasters = PageRasters(path)
        return self._rasters


class LivePage(QObject):
    """A page on its paper in a view that moves: sharp where the view rests, all of it coarsely until then.

    Signals:
        updated(): there is a new picture.
        failed(Exception): it could not be drawn.
    """

    updated = Signal()
    failed = Signal(object)

    def __init__(self, context: PanelContext, parent: QObject) -> None:
        super().__init__(parent)
        self._seen, self._whole = LivePicture(context, "page", self), LivePicture(context, "page-whole", self)
        for picture in (self._seen, self._whole):
            picture.updated.connect(self.updated)
            picture.failed.connect(self.failed)

    @property
    def ready(self) -> bool:
        """True when the picture shows the view as it is."""
        return self._seen.ready

    def clear(self) -> None:
        """Forget the pictures."""
        self._seen.clear()
        self._whole.clear()

    def paint(
        self, painter: QPainter, page: Page, turn: int, pages: PagePictures, frame: Frame, to_screen: ToScreen
    ) -> None:
        """The page where it lies within a frame; ``turn``: of the drawing it belongs to."""
        left, top = to_screen(0.0, page.height)
        paper = QRectF(left, top, page.width / frame.resolution, page.height / frame.resolution)
        painter.fillRect(paper, QColor("#FFFFFF"))
        painter.save()
        painter.setClipRect(paper)
        content = (turn, page.number)
        self._whole.want(page_frame(page, 1200), content, lambda part, wanted: pages.draw(page, part, wanted))
        self._seen.want(frame, content, lambda part, wanted: pages.draw(page, part, wanted))
        if not self._seen.ready:
            self._whole.paint(painter, to_screen)
        self._seen.paint(painter, to_screen)
        painter.restore()
        painter.setPen(QPen(QColor("#9AA3AE"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(paper)


def page_frame(page: Page, pixels: int) -> Frame:
    """All of a page, its longer side so many pixels."""
    scale = max(page.width, page.height) / pixels
    return Frame(0.0, page.height, scale, math.ceil(page.width / scale), math.ceil(page.height / scale))


def _overlap(a: Extent, b: Extent) -> Extent | None:
    low = max(a[0], b[0]), max(a[1], b[1])
    high = min(a[2], b[2]), min(a[3], b[3])
    return (*low, *high) if low[0] < high[0] and low[1] < high[1] else None
