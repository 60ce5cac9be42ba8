"""Pictures into files: for reports, the command line and printing. Drawn beside the views, in jobs of their own."""

from __future__ import annotations

import time
from pathlib import Path

from qgis.core import Qgis, QgsMapRendererParallelJob
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtGui import QColor, QImage, QPainter

from planner_app.engine.errors import EngineError
from planner_app.engine.layers import LayerSet
from planner_app.engine.render import map_settings
from planner_app.engine.reply import Reply
from planner_app.protocol import framing

#: Side of a picture; QImage takes 32,767, and the memory grows with the square.
MOST_PIXELS = 20_000


class Snapshots:
    """Draws layers with their labels into a PNG."""

    def __init__(self, layers: LayerSet) -> None:
        self._layers = layers
        self._jobs: dict[int, tuple[QgsMapRendererParallelJob, Reply]] = {}

    def start(self, params: framing.Message, number: int, answer: Reply) -> None:
        """Draw ``layers`` (default all, bottom last) of ``extent`` into ``out``; answers when the file is written.

        Raises:
            EngineError: ``engine.picture_size``, ``engine.no_layer``, later ``engine.not_written``.
        """
        if not (0 < params["width"] <= MOST_PIXELS and 0 < params["height"] <= MOST_PIXELS):
            raise EngineError("engine.picture_size", width=params["width"], height=params["height"], most=MOST_PIXELS)
        started = time.monotonic()
        drawn = []
        wanted = params.get("layers") or [{"id": layer_id} for layer_id in self._layers.order]
        for one in wanted:
            entry = self._layers.get(one["id"])
            # Clones: an opacity of this picture must not change the map, labels belong to this one job.
            layer = (entry.labels or entry.layer).clone()
            layer.setRenderer(entry.layer.renderer().clone())
            layer.setOpacity(entry.opacity * one.get("opacity", 1.0))
            drawn.append(layer)
        settings = map_settings(drawn, params, self._layers)
        settings.setFlag(Qgis.MapSettingsFlag.DrawLabeling, bool(params.get("labels", True)))
        settings.setBackgroundColor(QColor(params.get("background", "#FFFFFF")))
        job = QgsMapRendererParallelJob(settings)
        self._jobs[number] = (job, answer)

        def finished() -> None:
            if number not in self._jobs:
                return
            image = _opaque(job.renderedImage(), params.get("background", "#FFFFFF"))
            QTimer.singleShot(0, lambda: self._jobs.pop(number, None))  # not deleted inside its own signal
            if image.save(params["out"], "PNG"):
                answer({"out": params["out"], "seconds": time.monotonic() - started})
            else:
                answer.fail(EngineError("engine.not_written", file=params["out"]))

        job.finished.connect(finished)
        job.start()

    def cancel(self, number: int) -> None:
        """Stop a picture; nothing is written."""
        job, _answer = self._jobs.pop(number, (None, None))
        if job is not None:
            job.cancel()

    def close(self) -> None:
        """The project is closed: stop every picture and say so."""
        while self._jobs:
            _number, (job, answer) = self._jobs.popitem()
            job.cancel()
            answer.fail(EngineError("engine.project_closed", file=Path(self._layers.path).name))


def _opaque(image: QImage, background: str) -> QImage:
    picture = QImage(image.size(), QImage.Format.Format_RGB32)
    picture.fill(QColor(background))
    painter = QPainter(picture)
    painter.drawImage(0, 0, image)
    painter.end()
    return picture
