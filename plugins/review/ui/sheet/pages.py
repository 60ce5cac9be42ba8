"""Pages of a PDF and pictures as they look in their file, drawn in parts as the view needs them."""

from __future__ import annotations

import math
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter

from plugins.review.ui.sheet.paint import Frame
from plugins.review.ui.sheet.scene import Extent

if TYPE_CHECKING:
    from planner_app.plugin_api.model import Project
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


def page_frame(page: Page, pixels: int) -> Frame:
    """All of a page, its longer side so many pixels."""
    scale = max(page.width, page.height) / pixels
    return Frame(0.0, page.height, scale, math.ceil(page.width / scale), math.ceil(page.height / scale))


def _overlap(a: Extent, b: Extent) -> Extent | None:
    low = max(a[0], b[0]), max(a[1], b[1])
    high = min(a[2], b[2]), min(a[3], b[3])
    return (*low, *high) if low[0] < high[0] and low[1] < high[1] else None
