"""PDF: pages, vector paths and text runs, in points on the page as it is shown (y up)."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as raw

from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.curves import without_repeats
from plugins.review.model.drawing.shapes import NO_POINTS, Collector, Points, Shape, TooMuch, clean
from plugins.review.model.drawing.types import Drawing, DrawingFormat, DrawingLayer, Page

#: Entities and vertices beyond which the rest of a PDF stays a picture.
MOST_ENTITIES = 120_000
MOST_VERTICES = 3_000_000
MOST_PAGES = 2000
#: Characters of one page.
MOST_LETTERS = 400_000
#: Deviation of a flattened curve, points: 1 cm on the ground at 1:500.
FLATTEN_PT = 0.05
_LAYER = "PDF"
_DEEPEST_FORM = 12
#: Gap in em after which a text run ends.
_GAP_EM = 1.5

#: x' = a x + c y + e, y' = b x + d y + f, as PDF writes it.
_Matrix = tuple[float, float, float, float, float, float]
_Letter = tuple[str, Points, float, float]
"""(letter, origin and two corners of its box as shown, degrees, size)."""
_SAME: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def open_pdf(path: Path) -> Any:
    """The document.

    Raises:
        PlannerError: ``review.pdf_password``, ``review.pdf_broken``.
    """
    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD:
            raise PlannerError("review.pdf_password", file=path.name) from error
        raise PlannerError("review.pdf_broken", file=path.name, detail=clean(str(error))[:200]) from error


def read_pdf(path: Path, page: int = 0, report: Callable[[float], None] = lambda fraction: None) -> Drawing:
    """A PDF's pages, and what is drawn and written on one (``page`` from 1) or all of them (0).

    Raises:
        PlannerError: those of :func:`open_pdf`, ``review.pdf_page``, ``review.drawing_empty``.
    """
    document = open_pdf(path)
    count = len(document)
    if not 0 <= page <= count:
        raise PlannerError("review.pdf_page", file=path.name, page=page, pages=count)
    collector = Collector(MOST_ENTITIES, MOST_VERTICES)
    if count > MOST_PAGES:
        collector.note("review.pdf_pages", pages=count, kept=MOST_PAGES)
    pages, objects, pictures, broken = [], 0, 0, 0
    full = False
    for number in range(1, min(count, MOST_PAGES) + 1):
        report((number - 1) / count)
        try:
            one = document[number - 1]
        except pypdfium2.PdfiumError:
            broken += 1
            continue
        width, height = one.get_size()
        pages.append(Page(number, float(width), float(height), clean(document.get_page_label(number - 1) or "")))
        if full or page not in (0, number):
            continue
        reader = _PageReader(one, number)
        try:
            for shape in reader.shapes():
                collector.add(shape)
        except TooMuch:
            full = True
            collector.note("review.pdf_bounded", page=number, entities=len(collector.shapes))
        objects += reader.objects
        pictures += reader.large_pictures
        if reader.unreadable:
            collector.note("review.pdf_letters", page=number, count=reader.unreadable)
        one.close()
    if broken:
        collector.note("review.pdf_pages_broken", count=broken)
    if not pages:
        raise PlannerError("review.pdf_broken", file=path.name, detail="0 pages")
    if not collector.shapes:
        raise PlannerError("review.drawing_empty", file=path.name)
    if pictures and not any(shape.kind == "PATH" for shape in collector.shapes):
        collector.note("review.pdf_scan", count=pictures)
    facts = {key.casefold(): value for key, value in document.get_metadata_dict(skip_empty=True).items()}
    version = document.get_version()
    document.close()
    return collector.finish(
        path.name,
        DrawingFormat.PDF,
        f"{version // 10}.{version % 10}" if version else "",
        {_LAYER: DrawingLayer(_LAYER)},
        ground_unit=1.0 / 72.0,  # a grid of 0.007 pt
        pages=pages,
        properties=facts,
        count=objects,
    )


class _PageReader:
    """What is on one page.

    Attributes:
        objects: as the page counts them; large_pictures: that cover most of it; unreadable: letters whose font does
            not say what they are.
    """

    def __init__(self, page: Any, number: int) -> None:
        self._page, self._number = page, number
        self.objects = self.large_pictures = self.unreadable = 0
        left, bottom, right, top = page.get_bbox()
        self._rotation = int(page.get_rotation()) % 360
        width, height = right - left, top - bottom
        self._area = max(width * height, 1e-9)
        a, b, c, d, e, f = {
            0: (1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
            90: (0.0, -1.0, 1.0, 0.0, 0.0, width),
            180: (-1.0, 0.0, 0.0, -1.0, width, height),
            270: (0.0, 1.0, -1.0, 0.0, height, 0.0),
        }[self._rotation]
        self._shown: _Matrix = (a, b, c, d, e - a * left - c * bottom, f - b * left - d * bottom)
        """From the page's own space to the page as shown."""

    def shapes(self) -> Iterator[Shape]:
        """Paths and pictures in the order they are painted, then text."""
        page = self._page.raw
        count = raw.FPDFPage_CountObjects(page)
        for at in range(count):
            yield from self._object(raw.FPDFPage_GetObject(page, at), f"p{self._number}/{at + 1}", self._shown, 0)
        yield from self._text()

    def _object(self, item: Any, handle: str, outer: _Matrix, depth: int) -> Iterator[Shape]:
        self.objects += 1
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_PATH:
            yield from self._path(item, handle, outer)
        elif kind == raw.FPDF_PAGEOBJ_IMAGE:
            to = _then(_matrix(item), outer)
            points = np.array([_at(to, x, y) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))])
            (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
            self.large_pictures += (x1 - x0) * (y1 - y0) > 0.5 * self._area
            yield Shape(handle, "IMAGE", _LAYER, points, closed=True, page=self._number, colour="#000000")
        elif kind == raw.FPDF_PAGEOBJ_FORM and depth < _DEEPEST_FORM:
            inner = _then(_matrix(item), outer)
            for at in range(raw.FPDFFormObj_CountObjects(item)):
                yield from self._object(raw.FPDFFormObj_GetObject(item, at), f"{handle}.{at + 1}", inner, depth + 1)

    def _path(self, item: Any, handle: str, outer: _Matrix) -> Iterator[Shape]:
        fill, stroke = ctypes.c_int(), ctypes.c_int()
        raw.FPDFPath_GetDrawMode(item, fill, stroke)
        if not fill.value and not stroke.value:
            return
        to = _then(_matrix(item), outer)
        parts = [(without_repeats(points, closed), closed) for points, closed in _subpaths(item, to)]
        if not parts:
            return
        width = ctypes.c_float()
        raw.FPDFPageObj_GetStrokeWidth(item, width)
        scale = math.sqrt(abs(to[0] * to[3] - to[1] * to[2]))
        pen = width.value * scale * 25.4 / 72.0 if stroke.value else 0.0
        colour = _colour(item, bool(stroke.value))

        def shape(name: str, points: Points, rings: tuple[Points, ...], closed: bool) -> Shape:
            return Shape(
                name, "PATH", _LAYER, points, closed=closed, rings=rings, colour=colour, width=pen, page=self._number
            )

        if fill.value and len(parts) > 1:
            rings = tuple(points for points, _ in parts if len(points) > 2)
            if rings:
                yield shape(handle, NO_POINTS, rings, True)
            return
        for at, (points, closed) in enumerate(parts):
            name = handle if at == 0 else f"{handle}-{at + 1}"
            yield shape(name, points, (), (closed or bool(fill.value)) and len(points) > 2)

    def _text(self) -> Iterator[Shape]:
        page = raw.FPDFText_LoadPage(self._page.raw)
        if not page:
            return
        try:
            run: list[_Letter] = []
            runs = 0
            for letter in self._letters(page):
                if run and (letter is None or not _follows(run[-1], letter)):
                    runs += 1
                    yield from self._run(run, runs)
                    run = []
                if letter is not None and (run or not letter[0].isspace()):
                    run.append(letter)
            if run:
                yield from self._run(run, runs + 1)
        finally:
            raw.FPDFText_ClosePage(page)

    def _letters(self, page: Any) -> Iterator[_Letter | None]:
        """The page's letters; None where a line ends."""
        x, y = ctypes.c_double(), ctypes.c_double()
        sides = [ctypes.c_double() for _ in range(4)]
        for at in range(min(raw.FPDFText_CountChars(page), MOST_LETTERS)):
            code = raw.FPDFText_GetUnicode(page, at)
            if code in (10, 13):
                yield None
                continue
            if code in (0, 0xFFFD, 0xFFFE) or 0xE000 <= code <= 0xF8FF:
                self.unreadable += 1
            if not 0 < code < 0x110000 or 0xD800 <= code < 0xE000:
                continue
            raw.FPDFText_GetCharOrigin(page, at, x, y)
            box = raw.FS_RECTF()
            if raw.FPDFText_GetLooseCharBox(page, at, box):
                low, high = (box.left, box.bottom), (box.right, box.top)
            else:
                raw.FPDFText_GetCharBox(page, at, *sides)
                low, high = (sides[0].value, sides[2].value), (sides[1].value, sides[3].value)
            angle = -math.degrees(raw.FPDFText_GetCharAngle(page, at))  # it turns clockwise
            places = [_at(self._shown, *place) for place in ((x.value, y.value), low, high)]
            matrix = raw.FS_MATRIX()
            raw.FPDFText_GetMatrix(page, at, matrix)
            size = raw.FPDFText_GetFontSize(page, at) * math.hypot(matrix.c, matrix.d)
            yield chr(code), np.array(places), angle, size

    def _run(self, run: list[_Letter], number: int) -> Iterator[Shape]:
        text = "".join(letter for letter, *_ in run).strip()
        if not text:
            return
        corners = np.concatenate([points[1:] for _, points, *_ in run])
        low, high = corners.min(axis=0), corners.max(axis=0)
        angle = (run[0][2] - self._rotation + 180.0) % 360.0 - 180.0
        yield Shape(
            f"p{self._number}/t{number}",
            "TEXT",
            _LAYER,
            run[0][1][:1],
            text=text,
            size=run[0][3],
            angle=0.0 if abs(angle) < 1e-3 else angle,
            colour="#000000",
            page=self._number,
            box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        )


def _follows(before: _Letter, after: _Letter) -> bool:
    """True if a letter goes on in the line of the one before."""
    if abs(before[2] - after[2]) > 1.0:
        return False
    size = max(before[3], after[3], 1e-6)
    # Gap between the boxes along either axis: letters of a line touch, whichever way the line runs.
    (low, high), (first, last) = np.sort(before[1][1:], axis=0), np.sort(after[1][1:], axis=0)
    return bool(np.maximum(first - high, low - last).max() < _GAP_EM * size)


def _matrix(item: Any) -> _Matrix:
    found = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(item, found):
        return _SAME
    return (found.a, found.b, found.c, found.d, found.e, found.f)


def _at(to: _Matrix, x: float, y: float) -> tuple[float, float]:
    return (to[0] * x + to[2] * y + to[4], to[1] * x + to[3] * y + to[5])


def _then(first: _Matrix, second: _Matrix) -> _Matrix:
    a, b, c, d, e, f = second
    return (
        first[0] * a + first[1] * c, first[0] * b + first[1] * d, first[2] * a + first[3] * c,
        first[2] * b + first[3] * d, first[4] * a + first[5] * c + e, first[4] * b + first[5] * d + f,
    )  # fmt: skip


def _colour(item: Any, stroke: bool) -> str:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    get = raw.FPDFPageObj_GetStrokeColor if stroke else raw.FPDFPageObj_GetFillColor
    get(item, red, green, blue, alpha)
    return f"#{red.value & 255:02x}{green.value & 255:02x}{blue.value & 255:02x}"


def _subpaths(item: Any, to: _Matrix) -> Iterator[tuple[Points, bool]]:
    """Vertices of each part of a path where the matrix brings it, and whether it is closed."""
    points: list[tuple[float, float]] = []
    handles: list[tuple[float, float]] = []
    closed = False
    x, y = ctypes.c_float(), ctypes.c_float()
    for at in range(raw.FPDFPath_CountSegments(item)):
        segment = raw.FPDFPath_GetPathSegment(item, at)
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        kind = raw.FPDFPathSegment_GetType(segment)
        place = _at(to, x.value, y.value)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            if len(points) > 1:
                yield np.array(points), closed
            points, handles, closed = [place], [], False
        elif kind == raw.FPDF_SEGMENT_BEZIERTO and points:
            handles.append(place)
            if len(handles) == 3:
                points += _bezier(points[-1], *handles)
                handles = []
        else:
            points.append(place)
        closed = closed or bool(raw.FPDFPathSegment_GetClose(segment))
    if len(points) > 1:
        yield np.array(points), closed


def _bezier(*control: tuple[float, float]) -> list[tuple[float, float]]:
    """Vertices of a cubic curve after its start; deviation at most :data:`FLATTEN_PT`."""
    p = np.array(control)
    bend = max(np.abs(p[0] - 2 * p[1] + p[2]).max(), np.abs(p[1] - 2 * p[2] + p[3]).max())
    count = (
        min(200, max(1, math.ceil(math.sqrt(0.75 * math.sqrt(2.0) * bend / FLATTEN_PT)))) if math.isfinite(bend) else 1
    )
    t = (np.arange(1, count + 1) / count)[:, None]
    curve = (1 - t) ** 3 * p[0] + 3 * (1 - t) ** 2 * t * p[1] + 3 * (1 - t) * t**2 * p[2] + t**3 * p[3]
    return [(float(x), float(y)) for x, y in curve]
