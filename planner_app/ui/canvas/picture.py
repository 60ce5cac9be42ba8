"""Pictures of the map that were drawn before, kept to be shown again at once, moved and scaled under the hand.

Painting a 1600 x 1000 picture scaled and smoothed costs about 2 ms, so a gesture can afford it on every event.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter, QRegion

from planner_app.plugin_api.viewport import Extent, Viewport, intersects

#: Bytes of pictures kept: about 24 views of a 1600 x 1000 window, 6 of one with two device pixels each way.
CACHE_BYTES = 160_000_000
CONTENTS_PER_VIEW = 4


@dataclass(frozen=True, slots=True)
class MapPicture:
    """A picture and where it lies.

    Attributes:
        image: pixels, in device pixels.
        viewport: the view it was drawn for.
        content: what was drawn (layers, their opacity and revision).
        opaque: False for partial and selection pictures, whose empty pixels let older ones show through.
    """

    image: QImage
    viewport: Viewport
    content: Hashable
    opaque: bool = True

    @property
    def extent(self) -> Extent:
        """Map extent the picture covers."""
        return self.viewport.extent()


class PictureCache:
    """Finished pictures, least recently used first out, found by view and content."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._pictures: list[MapPicture] = []

    def __len__(self) -> int:
        return len(self._pictures)

    def put(self, picture: MapPicture) -> None:
        """Keep a finished picture; of one view only the last few contents (a layer off and on, an edit undone)."""
        same = [p for p in self._pictures if p.viewport.same_view(picture.viewport)]
        dropped = [p for p in same if p.content == picture.content] or same[: 1 - CONTENTS_PER_VIEW]
        self._pictures = [p for p in self._pictures if all(p is not d for d in dropped)]
        self._pictures.append(picture)
        total = 0
        for index in range(len(self._pictures) - 1, -1, -1):
            total += self._pictures[index].image.sizeInBytes()
            if total > self._limit and index < len(self._pictures) - 1:
                del self._pictures[: index + 1]
                break

    def find(self, viewport: Viewport, content: Hashable) -> MapPicture | None:
        """The finished picture of exactly this view and content, now the most recently used."""
        for index in range(len(self._pictures) - 1, -1, -1):
            picture = self._pictures[index]
            if picture.content == content and picture.viewport.same_view(viewport):
                self._pictures.append(self._pictures.pop(index))
                return picture
        return None

    def near(self, viewport: Viewport, content: Hashable, limit: int = 6) -> list[MapPicture]:
        """Pictures of the same content that show part of the view, those nearest to its scale first."""
        extent = viewport.extent()
        found = [p for p in self._pictures if p.content == content and intersects(p.extent, extent)]

        def poorness(picture: MapPicture) -> float:
            octaves = math.log2(picture.viewport.resolution / viewport.resolution)
            away = math.hypot(picture.viewport.x - viewport.x, picture.viewport.y - viewport.y)
            # A finer picture has all the detail; a coarser one is blurred, so it counts as twice as far off.
            return (2 * octaves if octaves > 0 else -octaves) + away / (viewport.resolution * viewport.width)

        return sorted(found, key=poorness)[:limit]

    def clear(self) -> None:
        """Forget everything."""
        self._pictures.clear()


def paint_pictures(painter: QPainter, viewport: Viewport, pictures: Iterable[MapPicture]) -> None:
    """Paint pictures into the window, the first on top; each pixel of an opaque picture is painted once.

    What a picture on top hides is clipped away below it, so that many old pictures cost no more than one.
    """
    window = QRegion(0, 0, viewport.width, viewport.height)
    free = window
    planned: list[tuple[MapPicture, QRectF, QRegion]] = []
    for picture in pictures:
        if free.isEmpty():
            break
        target = target_rectangle(viewport, picture)
        visible = free.intersected(QRegion(_inner(target) if picture.opaque else target.toAlignedRect()))
        if visible.isEmpty():
            continue
        planned.append((picture, target, visible))
        if picture.opaque:
            free = free.subtracted(visible)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    for picture, target, visible in reversed(planned):
        painter.setClipRegion(visible)
        painter.drawImage(*_cropped(target, picture.image, viewport))
    painter.restore()


def target_rectangle(viewport: Viewport, picture: MapPicture) -> QRectF:
    """Where a picture lies in the window, in logical pixels; on whole device pixels where its scale fits."""
    left, top, width, height = viewport.rectangle(picture.extent)
    if abs(width * viewport.dpr - picture.image.width()) < 0.5:
        left, top = round(left * viewport.dpr) / viewport.dpr, round(top * viewport.dpr) / viewport.dpr
        width, height = picture.image.width() / viewport.dpr, picture.image.height() / viewport.dpr
    return QRectF(left, top, width, height)


def _inner(target: QRectF) -> QRect:
    """The whole pixels of a rectangle: half-covered edges would let a seam of the ground show."""
    left, top = math.ceil(target.left() - 1e-6), math.ceil(target.top() - 1e-6)
    right, bottom = math.floor(target.right() + 1e-6), math.floor(target.bottom() + 1e-6)
    limit = 1 << 20
    left, top, right, bottom = (max(-limit, min(limit, v)) for v in (left, top, right, bottom))
    return QRect(left, top, max(right - left, 0), max(bottom - top, 0))


def _cropped(target: QRectF, image: QImage, viewport: Viewport) -> tuple[QRectF, QImage, QRectF]:
    """Cut target and source to the window: Qt's raster engine loses precision on targets of millions of pixels."""
    window = QRectF(-2, -2, viewport.width + 4, viewport.height + 4)
    shown = target.intersected(window)
    sx, sy = image.width() / target.width(), image.height() / target.height()
    source = QRectF(
        (shown.x() - target.x()) * sx, (shown.y() - target.y()) * sy, shown.width() * sx, shown.height() * sy
    )
    return shown, image, source
