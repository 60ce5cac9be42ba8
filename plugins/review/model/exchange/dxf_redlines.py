"""Redlines as a layer of a DXF copy: clouds, polylines, arrows and texts that any CAD program edits."""

from __future__ import annotations

import codecs
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from planner_app.i18n import tr
from plugins.review.model.drawing.types import Drawing
from plugins.review.model.exchange.redlines import LAYER, Redline, Redlines
from plugins.review.model.exchange.shapes import Point, arrow_head, bumps, corners, middle, ticks, wrapped

#: Arc of a cloud's bump: bulge (tangent of a quarter of its angle).
_BUMP = 0.6
#: Text style with Chinese characters, made where the copy has none.
_STYLE = "PLANNER-REVIEW"


def draw_dxf(content: bytes | None, redlines: Redlines, drawing: Drawing, height: float) -> bytes:
    """A copy of a DXF with a layer of redlines; nothing else in it changes.

    Args:
        content: the original; None: a file with the redlines only, in the drawing's coordinates.
        height: of texts at their usual size, drawing units.

    Raises:
        PlannerError: ``review.dxf_broken``.
    """
    from ezdxf.filemanagement import new

    if content is None:
        document = new("R2010")
        document.header["$INSUNITS"] = _units(drawing)
        redlines.notes.append(("review.redlines_overlay", {"file": drawing.name}))
    else:
        document = _load(content, redlines)
    pen = _Pen(document, height)
    for mark in redlines.marks:
        pen.draw(mark)
    if redlines.elsewhere and drawing.extent is not None:
        _, _, right, top = drawing.extent
        text = "\n".join([tr("Without a place on this sheet:"), *redlines.elsewhere])
        pen.write(text, (right + 4 * height, top), height, "#C0322B")
    buffer = io.StringIO()
    document.write(buffer)
    if document.dxfversion >= "AC1021":
        return buffer.getvalue().encode("utf-8", "surrogateescape")
    # Older files are read in their code page; a letter it lacks is written by its number.
    return buffer.getvalue().encode(document.output_encoding, "planner-dxf")


def _by_number(error: UnicodeError) -> tuple[str, int]:
    """Letters as CAD programs write what a code page lacks; bytes that could not be read as they were."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join("?" if "\ud800" <= one <= "\udfff" else f"\\U+{ord(one):04X}" for one in letters), error.end


codecs.register_error("planner-dxf", _by_number)


def _load(content: bytes, redlines: Redlines) -> Any:
    from ezdxf.tools.codepage import codepage_to_encoding

    from plugins.review.model.drawing.dxf_loading import load
    from plugins.review.model.drawing.shapes import Collector

    collector = Collector()
    with tempfile.TemporaryDirectory(prefix="planner-redlines-") as folder:
        path = Path(folder) / "drawing.dxf"
        path.write_bytes(content)
        document = load(path, collector)
    redlines.notes += collector.notes
    if document.dxfversion < "AC1021":
        # Such files are read by their header's code page; where that has no Chinese letters, a version in UTF-8.
        document.encoding = {"gb18030": "gbk", "big5": "cp950"}.get(document.encoding, document.encoding)
        if document.encoding not in codepage_to_encoding.values() or not _holds(document.encoding, LAYER):
            document.dxfversion = "AC1021"
    return document


def _holds(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


class _Pen:
    """Draws into the model space, on a layer of its own."""

    def __init__(self, document: Any, height: float) -> None:
        self._space, self._height = document.modelspace(), height
        self._old = document.dxfversion <= "AC1009"
        layer = document.layers.get(LAYER) if LAYER in document.layers else document.layers.add(LAYER)
        layer.dxf.color = 1
        layer.on()
        layer.thaw()
        layer.unlock()
        if _STYLE not in document.styles:
            document.styles.add(_STYLE, font="simsun.ttf" if not self._old else "txt")

    def draw(self, mark: Redline) -> None:
        """One redline with its words."""
        if mark.kind == "label":
            return  # what a PDF writes beside a cloud stands below it here, with the thread
        points, size = mark.points, self._height * mark.size / 14.0
        if mark.kind == "cloud":
            self._cloud(points, mark)
        elif mark.kind in ("rectangle", "polygon", "area"):
            self._line(points, mark, closed=True)
        elif mark.kind in ("arrow", "dimension") and len(points) > 1:
            self._line(points[:2], mark)
            first, second = points[:2]
            ends: Sequence[Sequence[Point]] = ticks(first, second, size * 0.5)
            for end in (arrow_head(first, second, size),) if mark.kind == "arrow" else ends:
                self._line(end, mark)
        elif mark.kind == "callout" and len(points) > 1:
            self._line([points[0], points[-1]], mark)
            self._line(arrow_head(points[-1], points[0], size), mark)
        elif mark.kind == "stamp":
            self._stamp(mark, size)
        elif mark.kind not in ("text", "callout", "photo"):
            self._line(points, mark)
        if mark.kind == "photo":
            (x, y) = points[0]
            self._line(corners(((x - size, y), (x + size, y + 2 * size))), mark, closed=True)
        if mark.measured:
            self.write(mark.measured, middle(points if mark.kind == "area" else points[:2]), size, mark.colour)
        self._words(mark, size)

    def _words(self, mark: Redline, size: float) -> None:
        if mark.kind == "stamp":
            return
        at = mark.points[-1] if mark.kind == "callout" else mark.points[0]
        if mark.text:
            self.write(mark.text, at, size, mark.colour)
        # What a viewer of a PDF shows in a pop-up stands below the mark here, smaller.
        below = "\n".join(one for one in (mark.subject if mark.subject != mark.text else "", mark.thread) if one)
        if below:
            left, lowest = (min(point[axis] for point in mark.points) for axis in (0, 1))
            self.write(below, (left, lowest - 0.8 * size), size * 0.7, mark.colour)

    def _cloud(self, points: Sequence[Point], mark: Redline) -> None:
        rows = [(start[0], start[1], _BUMP * outward) for start, _, outward in bumps(points)]
        if len(rows) < 2:
            return
        if self._old:
            line = self._space.add_polyline2d([(x, y) for x, y, _ in rows], close=True, dxfattribs=_look(mark, True))
            for vertex, (_, _, bulge) in zip(line.vertices, rows, strict=True):
                vertex.dxf.bulge = bulge
        else:
            self._space.add_lwpolyline(rows, format="xyb", close=True, dxfattribs=_look(mark))

    def _line(self, points: Sequence[Point], mark: Redline, *, closed: bool = False) -> None:
        if len(points) == 1:
            self._space.add_point(points[0], dxfattribs=_look(mark, self._old))
        elif self._old:
            self._space.add_polyline2d(points, close=closed, dxfattribs=_look(mark, True))
        else:
            self._space.add_lwpolyline(points, close=closed, dxfattribs=_look(mark))

    def _stamp(self, mark: Redline, size: float) -> None:
        foot = " ".join(part for part in (mark.author, mark.time[:10]) if part)
        wide = max(_width(mark.text, size), _width(foot, 0.6 * size)) + 2 * size
        tall = 3.2 * size if foot else 2.2 * size
        (x, y) = mark.points[0]
        box = corners(((x - wide / 2, y - tall / 2), (x + wide / 2, y + tall / 2)))
        self._line(box, mark, closed=True)
        left = x - _width(mark.text, size) / 2
        self.write(mark.text, (left, y + tall / 2 - 0.5 * size), size, mark.colour)
        if foot:
            self.write(foot, (x - _width(foot, 0.6 * size) / 2, y - tall / 2 + 1.3 * size), 0.6 * size, mark.colour)

    def write(self, text: str, at: Point, height: float, colour: str) -> None:
        """Lines of text from their upper left corner."""
        lines = wrapped(text, 40 * height, lambda line: _width(line, height))
        look = {"layer": LAYER, "style": _STYLE} | ({} if self._old else {"true_color": _true(colour)})
        if self._old:
            for number, line in enumerate(lines):
                place = (at[0], at[1] - height * (1 + 1.5 * number))
                self._space.add_text(line, height=height, dxfattribs=look | {"insert": place, "color": 1})
            return
        escaped = "\\P".join(one.replace("\\", "\\\\").replace("{", "\\{").replace("}", "\\}") for one in lines)
        self._space.add_mtext(escaped, dxfattribs=look | {"insert": at, "char_height": height, "attachment_point": 1})


def _look(mark: Redline, old: bool = False) -> dict[str, Any]:
    if old:
        return {"layer": LAYER, "color": 1}
    return {"layer": LAYER, "true_color": _true(mark.colour), "lineweight": 35 if mark.width <= 2 else 50}


def _true(colour: str) -> int:
    return int(colour[1:], 16)


def _width(text: str, height: float) -> float:
    """Estimate: Chinese characters are as wide as high, others half of it."""
    return sum(height * (1.15 if ord(one) >= 0x2E80 else 0.65) for one in text)


def _units(drawing: Drawing) -> int:
    known = {0.001: 4, 0.01: 5, 1.0: 6, 0.0254: 1, 0.3048: 2}
    return next((code for metres, code in known.items() if drawing.metres_per_unit == metres), 0)
