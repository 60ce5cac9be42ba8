"""Draws views: one parallel job per view for the layers, one for the labels, partial pictures on the way.

Each view keeps two caches of QGIS, so that toggling one layer redraws neither the others nor all labels.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.core import Qgis, QgsMapLayer, QgsMapRendererCache, QgsMapRendererParallelJob, QgsMapSettings, QgsRectangle
from qgis.PyQt.QtCore import QObject, QSize, QTimer
from qgis.PyQt.QtGui import QColor, QImage, QPainter

from planner_app.engine.layers import LayerSet
from planner_app.engine.reply import Reply
from planner_app.protocol import framing
from planner_app.protocol.pixels import PixelFile

#: QGIS's names for the labels in its cache (``QgsMapRendererJob::LABEL_CACHE_ID``, ``LABEL_PREVIEW_CACHE_ID``).
_LABEL_PICTURES = ("_labels_", "_preview_labels_")

_FIRST_PARTIAL_MS = 120
_PARTIAL_MS = 200


def map_settings(layers: list[QgsMapLayer], params: framing.Message, layer_set: LayerSet) -> QgsMapSettings:
    """Settings of a picture: ``extent`` [xmin, ymin, xmax, ymax], ``width``, ``height`` in pixels, ``dpi``."""
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(layer_set.crs)
    settings.setOutputSize(QSize(int(params["width"]), int(params["height"])))
    settings.setExtent(QgsRectangle(*params["extent"]))
    # The offscreen platform says 100 dpi where a screen has 96: always say it ourselves.
    settings.setOutputDpi(float(params.get("dpi", 96.0)))
    settings.setBackgroundColor(QColor(0, 0, 0, 0))
    settings.setOutputImageFormat(QImage.Format.Format_ARGB32_Premultiplied)
    for flag in (
        Qgis.MapSettingsFlag.Antialiasing,
        Qgis.MapSettingsFlag.UseRenderingOptimization,
        Qgis.MapSettingsFlag.RenderPartialOutput,
        Qgis.MapSettingsFlag.UseAdvancedEffects,
    ):
        settings.setFlag(flag, True)
    settings.setFlag(Qgis.MapSettingsFlag.DrawEditingInfo, False)
    return settings


class _Pass:
    """One job of a view: the layers, or the labels."""

    def __init__(self, settings: QgsMapSettings, cache: QgsMapRendererCache, ended: Callable[[_Pass], None]) -> None:
        # The job would do this itself; done first it tells which layers have to be drawn.
        cache.updateParameters(settings.visibleExtent(), settings.mapToPixel())
        if not settings.testFlag(Qgis.MapSettingsFlag.DrawLabeling):
            # A job without labels keeps the picture that it set aside for them, never cleared: whatever stood in that
            # memory before would be laid over the next picture.
            for key in _LABEL_PICTURES:
                cache.clearCacheImage(key)
        self.drawn = [layer for layer in settings.layers() if not cache.hasCacheImage(layer.id())]
        self.job = QgsMapRendererParallelJob(settings)
        self.job.setCache(cache)
        self.job.finished.connect(lambda: ended(self))
        self.job.start()

    def image(self) -> QImage:
        return self.job.renderedImage()


class _View(QObject):
    """What one map window is shown."""

    def __init__(self, name: str, layers: LayerSet, send: Callable[[framing.Message], None]) -> None:
        super().__init__()
        self._name, self._layers, self._send = name, layers, send
        self.cache, self.label_cache = QgsMapRendererCache(), QgsMapRendererCache()
        self.drawn: Counter[str] = Counter()
        self.labelled = 0
        self._pixels: PixelFile | None = None
        self._running: _Pass | None = None
        self._retired: list[_Pass] = []
        self._base: QImage | None = None
        self.number = 0
        self._params: framing.Message = {}
        self._answer: Reply | None = None
        self._started = 0.0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._partial)

    def render(self, params: framing.Message, number: int, answer: Reply) -> None:
        """Start a picture; one that runs is superseded."""
        self.cancel()
        self.number, self._params, self._answer = number, params, answer
        self._started = time.monotonic()
        path = Path(params["pixels"])
        if self._pixels is None or self._pixels.path != path:
            if self._pixels is not None:
                self._pixels.close()
            self._pixels = PixelFile(path)
        self._draw_layers()

    def again(self) -> None:
        """A layer changed under the picture that is being drawn: begin anew, or it would cache what is out of date."""
        if self._running is not None:
            self._retire()
            self._draw_layers()

    def _draw_layers(self) -> None:
        params = self._params
        self._base = None
        drawn = []
        for wanted in params["layers"]:
            entry = self._layers.entries.get(wanted["id"])
            if entry is None:
                continue  # dropped while the request was on its way
            opacity = entry.opacity * wanted.get("opacity", 1.0)
            # The cached picture is opaque, opacity is applied where the layers are put together: no redraw.
            entry.layer.setOpacity(opacity)
            drawn.append(entry.layer)
        settings = map_settings(drawn, params, self._layers)
        settings.setFlag(Qgis.MapSettingsFlag.DrawLabeling, False)
        self._running = _Pass(settings, self.cache, lambda ended: self._ended(ended, self._layers_done))
        missing = {layer.id() for layer in self._running.drawn}
        self.drawn.update(
            wanted["id"]
            for wanted in params["layers"]
            if wanted["id"] in self._layers.entries and self._layers.entries[wanted["id"]].layer.id() in missing
        )
        self._timer.start(_FIRST_PARTIAL_MS)

    def cancel(self) -> None:
        """Stop what runs without waiting for it; its request is answered as superseded."""
        self._retire()
        answer, self._answer = self._answer, None
        if answer is not None:
            answer({"superseded": True})

    def close(self) -> None:
        """Stop what runs and wait for its threads, which hold the project file."""
        self.cancel()
        for retired in self._retired:
            retired.job.waitForFinished()
        self.cache.clear()
        self.label_cache.clear()
        self.drawn.clear()
        self.labelled = 0

    def remove_pixels(self) -> None:
        """Nobody is left who would read and delete the pictures."""
        if self._pixels is not None:
            self._pixels.remove()
            self._pixels = None

    def _retire(self) -> None:
        self._timer.stop()
        running, self._running = self._running, None
        if running is not None:
            self._retired.append(running)
            running.job.cancelWithoutBlocking()

    def _ended(self, ended: _Pass, proceed: Callable[[], None]) -> None:
        """A job is through: go on if it is the one that counts. It is not deleted inside its own signal."""
        QTimer.singleShot(0, lambda: self._retired.remove(ended) if ended in self._retired else None)
        if ended is not self._running:
            return
        self._retired.append(ended)
        try:
            proceed()
        except Exception as error:  # the request must be answered whatever happened
            self._retire()
            answer, self._answer = self._answer, None
            if answer is not None:
                answer.fail(error)

    def _layers_done(self) -> None:
        if self._running is None:
            return
        self._base = self._running.image()
        labelled = self._label_layers()
        if not labelled:
            self._finish(self._base)
            return
        self._publish(self._base, final=False)
        settings = map_settings(labelled, self._params, self._layers)
        settings.setFlag(Qgis.MapSettingsFlag.DrawLabeling, True)
        self._running = _Pass(settings, self.label_cache, lambda ended: self._ended(ended, self._labels_done))
        self.labelled += bool(self._running.drawn)

    def _label_layers(self) -> list[QgsMapLayer]:
        """Layers that have labels at this scale."""
        if not self._params.get("labels", True):
            return []
        scale = map_settings([], self._params, self._layers).scale()
        found = []
        for wanted in self._params["layers"]:
            entry = self._layers.entries.get(wanted["id"])
            if entry is None or entry.labels is None or not entry.labels.labelsEnabled():
                continue
            if not entry.labels.isInScaleRange(scale):
                continue
            settings = entry.labels.labeling().settings()
            small = settings.scaleVisibility and settings.minimumScale > 0 and scale > settings.minimumScale
            large = settings.scaleVisibility and settings.maximumScale > 0 and scale < settings.maximumScale
            if not small and not large:
                found.append(entry.labels)
        return found

    def _labels_done(self) -> None:
        if self._running is None or self._base is None:
            return
        picture = QImage(self._base)
        painter = QPainter(picture)
        painter.drawImage(0, 0, self._running.image())
        painter.end()
        self._finish(picture)

    def _partial(self) -> None:
        self._timer.setInterval(_PARTIAL_MS)
        if self._running is not None and self._base is None:
            self._publish(self._running.image(), final=False)

    def _finish(self, image: QImage) -> None:
        self._timer.stop()
        self._running = None
        answer, self._answer = self._answer, None
        self._base = None
        picture = self._publish(image, final=True)
        if answer is not None:
            answer({"picture": picture, "seconds": time.monotonic() - self._started})

    def _publish(self, image: QImage, final: bool) -> framing.Message:
        """Put a picture into the pixel file; partial ones are announced, the final one goes with the answer."""
        if image.isNull() or self._pixels is None:
            return {}
        if image.format() != QImage.Format.Format_ARGB32_Premultiplied:
            image = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
        length = image.sizeInBytes()
        bits = image.constBits()
        bits.setsize(length)
        slot = self._pixels.write(memoryview(bits), length)
        picture = {
            "view": self._name,
            "request": self.number,
            "slot": slot,
            "slot_bytes": length,
            "width": image.width(),
            "height": image.height(),
            "stride": image.bytesPerLine(),
            "final": final,
        }
        if not final:
            self._send(framing.notification("picture", picture))
        return picture


class Renderer:
    """All views."""

    def __init__(self, layers: LayerSet, send: Callable[[framing.Message], None]) -> None:
        self._layers, self._send = layers, send
        self._views: dict[str, _View] = {}

    def render(self, params: framing.Message, number: int, answer: Reply) -> None:
        """Draw a view; see :class:`_View`."""
        name = params["view"]
        if name not in self._views:
            self._views[name] = _View(name, self._layers, self._send)
        self._views[name].render(params, number, answer)

    def cancel(self, number: int) -> None:
        """Cancel the request of that number if it still runs."""
        for view in self._views.values():
            if view.number == number:
                view.cancel()

    def invalidate(self, ids: list[str]) -> None:
        """These layers look different: their cached pictures are worth nothing."""
        for layer_id in ids:
            entry = self._layers.entries.get(layer_id)
            if entry is not None:
                entry.layer.triggerRepaint()
                if entry.labels is not None:
                    entry.labels.triggerRepaint()
        if ids:
            for view in self._views.values():
                view.again()

    def close(self) -> None:
        """The project is closed: stop everything, forget all pictures."""
        for view in self._views.values():
            view.close()

    def remove_pixels(self) -> None:
        """The shell is gone: delete the files that it can no longer delete."""
        for view in self._views.values():
            view.remove_pixels()

    def statistics(self) -> dict[str, Any]:
        """How often each layer had to be drawn, and how often labels had to be placed."""
        drawn = sum((view.drawn for view in self._views.values()), Counter[str]())
        return {"drawn": dict(drawn), "labelled": sum(view.labelled for view in self._views.values())}
