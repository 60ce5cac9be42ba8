"""One map window's pictures, as the engine sends them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from planner_app.domain.errors import PlannerError
from planner_app.protocol.pixels import BYTES_PER_PIXEL, PixelFile, new_file

if TYPE_CHECKING:
    from planner_app.engine_client.client import EngineClient

Extent = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class LayerDraw:
    """A layer to draw and its opacity, 0 to 1."""

    id: str
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """A picture wanted: map extent in the project's CRS, size in device pixels, layers with the top one first."""

    extent: Extent
    width: int
    height: int
    dpr: float = 1.0
    layers: Sequence[LayerDraw] = field(default_factory=tuple)
    labels: bool = True


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a view; ``image`` is a copy of its own with the request's device pixel ratio."""

    image: QImage
    extent: Extent
    request_id: int
    seconds: float = 0.0


class RenderFailure(PlannerError):  # noqa: N818 - a PlannerError that knows its request
    """A render failed; ``request_id`` tells which."""

    def __init__(self, request_id: int, error: PlannerError) -> None:
        super().__init__(error.code, **error.params)
        self.request_id = request_id


class RenderView(QObject):
    """Asks for pictures of one view; the newest request supersedes the older ones, whose pictures never arrive.

    Signals:
        partial(Picture), finished(Picture), failed(RenderFailure).
    """

    partial = Signal(object)
    finished = Signal(object)
    failed = Signal(object)

    def __init__(self, client: EngineClient, name: str) -> None:
        super().__init__(client)
        self._client, self._name = client, name
        self._pixels = PixelFile(new_file(name))
        self._current = 0
        self._request: RenderRequest | None = None

    def render(self, request: RenderRequest) -> int:
        """Ask for a picture; returns the request's number."""
        self._request = request
        self._reserve(request.width * request.height * BYTES_PER_PIXEL)
        params = {
            "view": self._name,
            "pixels": str(self._pixels.path),
            "extent": list(request.extent),
            "width": request.width,
            "height": request.height,
            "dpi": 96.0 * request.dpr,
            "layers": [{"id": layer.id, "opacity": layer.opacity} for layer in request.layers],
            "labels": request.labels,
        }
        number = 0

        def done(answer: dict[str, Any]) -> None:
            self._done(number, answer)

        def failed(error: PlannerError) -> None:
            if number == self._current:
                self.failed.emit(RenderFailure(number, error))

        number = self._client.request("render", params, done, failed, resend=lambda: self._request is request)
        self._current = number
        return number

    def _reserve(self, picture_bytes: int) -> None:
        """Make room for pictures; a memory folder that is full is left for the disk."""
        try:
            self._pixels.reserve(picture_bytes)
        except OSError:
            self._pixels.remove()
            self._pixels = PixelFile(new_file(self._name, in_memory=False))
            self._pixels.reserve(picture_bytes)

    def show_partial(self, announced: dict[str, Any]) -> None:
        """A partial picture was announced."""
        if announced.get("request") == self._current and (image := self._read(announced)) is not None:
            self.partial.emit(self._picture(image))

    def _done(self, number: int, answer: dict[str, Any]) -> None:
        if number != self._current or answer.get("superseded"):
            return
        image = self._read(answer.get("picture", {}))
        if image is None:
            self.failed.emit(RenderFailure(number, PlannerError("engine.no_picture")))
            return
        self.finished.emit(self._picture(image, float(answer.get("seconds", 0.0))))

    def _picture(self, image: QImage, seconds: float = 0.0) -> Picture:
        request = self._request
        if request is None:
            raise AssertionError("a picture nobody asked for")
        image.setDevicePixelRatio(request.dpr)
        return Picture(image, request.extent, self._current, seconds)

    def _read(self, picture: dict[str, Any]) -> QImage | None:
        """Copy a picture out of its slot."""
        if not picture:
            return None
        width, height, stride = picture["width"], picture["height"], picture["stride"]
        try:
            pixels = self._pixels.read(picture["slot"], picture["slot_bytes"], stride * height)
        except ValueError:
            return None
        shared = QImage(pixels, width, height, stride, QImage.Format.Format_ARGB32_Premultiplied)
        copied = shared.copy()
        del shared
        pixels.release()
        return copied

    def close(self) -> None:
        """Delete the pixel file."""
        self._pixels.remove()
