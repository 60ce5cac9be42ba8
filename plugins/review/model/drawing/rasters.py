"""Pages of PDFs and pictures as pixels, made in a process of their own: a damaged file costs a tile, not the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from planner_app.compute.separate import Answers, Requests
    from planner_app.domain.progress import Progress

Clip = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax on the page in its own units (points, pixels), y up."""

#: Widest and highest picture that is made.
MOST_PIXELS = 16_000
_MOST_AREA = 80_000_000
#: Pixels per point.
_MOST_SCALE = 400.0
#: For one tile or page, s.
SECONDS = 60.0


class PageRasters:
    """Pictures of one file's pages. Keeps the file open between tiles; use as a context manager or close it.

    Not for several threads at once.
    """

    def __init__(self, path: Path, progress: Progress | None = None) -> None:
        from planner_app.compute.separate import Limits, SeparateProcess
        from plugins.review.model.drawing.intake import limits, sniff

        self._kind = sniff(path)
        self._path = path
        self._child = SeparateProcess(serve, path.name, progress, Limits(memory=limits().memory))
        self._child.send((path.resolve(), self._kind.value))

    def __enter__(self) -> PageRasters:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process behind it."""
        self._child.close()

    def render(self, page: int, width_px: int, clip: Clip | None = None) -> NDArray[np.uint8]:
        """A page, or a part of it, ``width_px`` wide.

        Returns:
            RGB, shape (height, width, 3), the first row at the top.

        Raises:
            PlannerError: ``review.no_pages``, ``review.pdf_page``, ``review.pdf_broken``, ``review.image_broken`` ….
            Cancelled.
        """
        import numpy as np

        from planner_app.compute.separate import Limits
        from plugins.review.model.drawing.intake import in_our_words, limits

        self._child.send((page, width_px, clip))
        try:
            shape, pixels = self._child.receive(SECONDS)
        except PlannerError as error:
            raise in_our_words(error, self._path, Limits(SECONDS, limits().memory)) from error
        if shape is None:
            code, params = pixels
            raise PlannerError(code, **params)
        return np.frombuffer(pixels, dtype=np.uint8).reshape(shape)


def render_page(
    path: Path, page: int, width_px: int, clip: Clip | None = None, progress: Progress | None = None
) -> NDArray[np.uint8]:
    """One picture; for many of one file keep a :class:`PageRasters`."""
    with PageRasters(path, progress) as rasters:
        return rasters.render(page, width_px, clip)


def serve(requests: Requests, answers: Answers) -> None:
    """The child: open one file, make pictures until nobody asks any more."""
    path, kind = requests()
    source: _Pdf | _Picture
    if kind == "pdf":
        source = _Pdf(path)
    elif kind == "image":
        source = _Picture(path)
    else:
        raise PlannerError("review.no_pages", file=path.name)
    while True:
        page, width, clip = requests()
        try:
            pixels = source.render(page, width, clip)
        except PlannerError as error:  # of this page; the next one may be whole
            answers((None, (error.code, error.params)))
        else:
            answers((pixels.shape, pixels.tobytes()))


def _frame(size: tuple[float, float], width_px: int, clip: Clip | None) -> tuple[Clip, int, int]:
    """The part of the page that is asked for, and the picture's size in pixels."""
    x0, y0, x1, y1 = clip or (0.0, 0.0, *size)
    wide, high = max(x1 - x0, 1e-6), max(y1 - y0, 1e-6)
    width = max(1, min(int(width_px), MOST_PIXELS))
    height = max(1, min(round(width * high / wide), MOST_PIXELS))
    if width * height > _MOST_AREA:
        shrink = (_MOST_AREA / (width * height)) ** 0.5
        width, height = max(1, int(width * shrink)), max(1, int(height * shrink))
    return (x0, y0, x1, y1), width, height


class _Pdf:
    def __init__(self, path: Path) -> None:
        from plugins.review.model.drawing.pdf import open_pdf

        self._path, self._document = path, open_pdf(path)
        self._open: tuple[int, Any] | None = None

    def render(self, number: int, width_px: int, clip: Clip | None) -> NDArray[np.uint8]:
        import numpy as np
        import pypdfium2
        import pypdfium2.raw as raw

        if not 1 <= number <= len(self._document):
            raise PlannerError("review.pdf_page", file=self._path.name, page=number, pages=len(self._document))
        if self._open is None or self._open[0] != number:
            if self._open is not None:
                self._open[1].close()
            try:
                self._open = (number, self._document[number - 1])
            except pypdfium2.PdfiumError as error:
                raise PlannerError("review.pdf_broken", file=self._path.name, detail=str(error)[:200]) from error
        page = self._open[1]
        size = page.get_size()
        (x0, _, x1, y1), width, height = _frame(size, width_px, clip)
        scale = min(width / (x1 - x0), _MOST_SCALE)
        bitmap = pypdfium2.PdfBitmap.new_native(width, height, raw.FPDFBitmap_BGR)
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        raw.FPDF_RenderPageBitmap(
            bitmap.raw, page.raw, round(-x0 * scale), round((y1 - size[1]) * scale), round(size[0] * scale),
            round(size[1] * scale), 0, raw.FPDF_ANNOT,
        )  # fmt: skip
        pixels = bitmap.to_numpy()[:, :, ::-1]
        return np.ascontiguousarray(pixels)


class _Picture:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: tuple[int, Any] | None = None

    def render(self, number: int, width_px: int, clip: Clip | None) -> NDArray[np.uint8]:
        import numpy as np
        from PIL import Image

        from plugins.review.model.drawing.image import open_image

        if self._open is None or self._open[0] != number:
            self._open = None
            with open_image(self._path, number) as image:
                self._open = (number, on_white(image))
        page = self._open[1]
        (x0, y0, x1, y1), width, height = _frame(page.size, width_px, clip)
        box = (x0, page.height - y1, x1, page.height - y0)
        inside = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], page.width), min(box[3], page.height))
        made = Image.new("RGB", (width, height), (255, 255, 255))
        if inside[0] < inside[2] and inside[1] < inside[3]:
            across, down = width / (x1 - x0), height / (y1 - y0)
            left, top = round((inside[0] - box[0]) * across), round((inside[1] - box[1]) * down)
            size = (
                max(1, min(width - left, round((inside[2] - inside[0]) * across))),
                max(1, min(height - top, round((inside[3] - inside[1]) * down))),
            )
            gap = None if across >= 0.5 else 3.0  # reduce() first where many pixels become one
            how = Image.Resampling.NEAREST if across > 2.0 else Image.Resampling.BILINEAR
            made.paste(page.resize(size, how, box=inside, reducing_gap=gap), (left, top))
        return np.asarray(made, dtype=np.uint8)


def on_white(image: Any) -> Any:
    """RGB of any picture; what is transparent is white, 16 bits become 8."""
    from PIL import Image

    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGB", image.size, (255, 255, 255))
        ground.paste(image, mask=image.getchannel("A"))
        return ground
    if image.mode.startswith("I"):
        image = image.convert("I")
        low, high = image.getextrema()
        return image.point(lambda value: (value - low) * (255.0 / max(high - low, 1))).convert("L").convert("RGB")
    return image.convert("RGB")
