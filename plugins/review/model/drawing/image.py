"""Pictures of drawings: PNG, JPEG, TIFF. World files and GeoTIFF tags say where they lie; bombs are refused."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.shapes import Collector, Shape, clean
from plugins.review.model.drawing.types import Drawing, DrawingFormat, DrawingLayer, Georeference, Page

#: Pixels of one page: an A0 sheet at 400 dpi has 250 million. Decoded it takes up to 1.2 GB.
MOST_PIXELS = 300_000_000
MOST_PAGES = 200
_LAYER = "IMAGE"
_WORLD = {
    ".png": (".pgw", ".pngw"), ".jpg": (".jgw", ".jpgw"), ".jpeg": (".jgw", ".jpegw"), ".tif": (".tfw", ".tifw"),
    ".tiff": (".tfw", ".tiffw"),
}  # fmt: skip
_Six = tuple[float, float, float, float, float, float]


@contextmanager
def open_image(path: Path, page: int = 1) -> Iterator[Any]:
    """One page of a picture, not decoded yet.

    Raises:
        PlannerError: ``review.image_broken``, ``review.image_too_large``, ``review.pdf_page``.
    """
    Image.MAX_IMAGE_PIXELS = None  # the limit below is ours, and says so
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=("PNG", "JPEG", "TIFF")) as image:
                count = getattr(image, "n_frames", 1)
                if not 1 <= page <= count:
                    raise PlannerError("review.pdf_page", file=path.name, page=page, pages=count)
                if page > 1:
                    image.seek(page - 1)
                check_size(path, *image.size)
                yield image
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        IndexError,
        KeyError,
        TypeError,
    ) as error:
        raise PlannerError("review.image_broken", file=path.name, detail=clean(str(error))[:200]) from error


def check_size(path: Path, width: int, height: int) -> None:
    """Refuse what would fill the memory.

    Raises:
        PlannerError: ``review.image_too_large``.
    """
    if width * height > MOST_PIXELS:
        raise PlannerError("review.image_too_large", file=path.name, width=width, height=height, most=MOST_PIXELS / 1e6)


def read_image(path: Path, page: int = 0) -> Drawing:
    """A picture as a drawing: its pages, and a frame to measure in. Coordinates are pixels, y up.

    Raises:
        PlannerError: those of :func:`open_image`.
    """
    collector = Collector()
    pages = []
    facts: dict[str, str] = {}
    with open_image(path) as image:
        count = min(getattr(image, "n_frames", 1), MOST_PAGES)
        kind, size = str(image.format), image.size
        geotiff = _geotiff(image) if kind == "TIFF" else None
        dpi = image.info.get("dpi")
        with suppress(TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError):
            if dpi and 10.0 < float(dpi[0]) < 10_000.0:
                facts["dpi"] = f"{float(dpi[0]):.6g}"
    for number in range(1, count + 1):
        with open_image(path, number) as image:
            width, height = image.size
            if page in (0, number):
                image.load()  # a picture that ends too soon is told now
            pages.append(Page(number, float(width), float(height)))
        corners = np.array([(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)])
        collector.add(
            Shape(
                f"p{number}",
                "IMAGE",
                _LAYER,
                corners,
                closed=True,
                page=number,
                colour="#000000",
                visible=number == max(page, 1),
            )
        )
    world = _world_file(path)
    georeference, unit = None, None
    if world is not None:
        georeference, unit = _placed(world, size[1], "world_file", "")
    elif geotiff is not None:
        georeference, unit = _placed(geotiff[0], size[1], "geotiff", geotiff[1])
    return collector.finish(
        path.name, DrawingFormat.IMAGE, kind, {_LAYER: DrawingLayer(_LAYER)}, metres_per_unit=unit,
        georeference=georeference, pages=pages, properties=facts,
    )  # fmt: skip


def _placed(six: _Six, height: float, method: str, crs: str) -> tuple[Georeference | None, float | None]:
    """Georeference and metres per pixel.

    Args:
        six: A, D, B, E, C, F of a world file: X = A·column + B·row + C, Y = D·column + E·row + F for the centre of
            the pixel, rows counted from the top.
    """
    a, d, b, e, c, f = six
    unit = math.sqrt(abs(a * e - b * d))
    if not (unit > 0.0 and all(map(math.isfinite, six))):
        return None, None
    # column = x − ½, row = height − y − ½
    x0 = c - 0.5 * a + (height - 0.5) * b
    y0 = f - 0.5 * d + (height - 0.5) * e
    return Georeference(method, crs, (a / unit, -b / unit, x0, d / unit, -e / unit, y0)), unit


def _world_file(path: Path) -> _Six | None:
    suffixes = {one.casefold() for one in (*_WORLD.get(path.suffix.casefold(), ()), ".wld")}
    with suppress(OSError):
        for beside in sorted(path.parent.iterdir()):
            if beside.stem.casefold() == path.stem.casefold() and beside.suffix.casefold() in suffixes:
                with suppress(ValueError, UnicodeDecodeError):
                    values = [float(one.replace(",", ".")) for one in beside.read_text("ascii")[:2000].split()]
                    if len(values) >= 6:
                        return (values[0], values[1], values[2], values[3], values[4], values[5])
    return None


def _geotiff(image: Any) -> tuple[_Six, str] | None:
    """World file numbers and ``EPSG:n`` of GeoTIFF tags (OGC 19-008r4: 33550 scale, 33922 tie point, 34735 keys)."""
    try:
        tags = image.tag_v2
        scale, tie = tags.get(33550), tags.get(33922)
        if not scale or not tie or len(tie) < 6 or len(scale) < 2:
            return None
        keys = tags.get(34735) or ()
        stated = {keys[at]: keys[at + 3] for at in range(4, len(keys) - 3, 4) if keys[at + 1] == 0}
        code = int(stated.get(3072, 0))
        shift = 0.0 if stated.get(1025) == 2 else 0.5  # raster type: pixel is a point, or an area
        column, row, x, y = float(tie[0]), float(tie[1]), float(tie[3]), float(tie[4])
        a, e = float(scale[0]), -float(scale[1])
        six = (a, 0.0, 0.0, e, x + (shift - column) * a, y + (shift - row) * e)
        return six, f"EPSG:{code}" if 1024 <= code < 32767 else ""
    except (TypeError, ValueError, IndexError, KeyError, AttributeError):
        return None
