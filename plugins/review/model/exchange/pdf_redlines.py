"""Redlines as annotations in a copy of a PDF: real ones, which every viewer shows, lists and answers."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import datetime

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream, String

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from plugins.review.model.exchange.pdf_look import POINT, Look, draw, rgb
from plugins.review.model.exchange.pdf_text import PdfFont
from plugins.review.model.exchange.redlines import LAYER, Redline, Redlines
from plugins.review.model.exchange.shapes import Point

#: Kind of mark → subtype of annotation.
_KINDS = {
    "cloud": "Polygon", "rectangle": "Square", "polygon": "Polygon", "area": "Polygon", "line": "PolyLine",
    "arrow": "Line", "dimension": "Line", "freehand": "Ink", "text": "FreeText", "label": "FreeText",
    "callout": "FreeText", "stamp": "Stamp", "photo": "Stamp",
}  # fmt: skip
#: Area of an A3 sheet, pt²: larger sheets get larger letters.
_A3 = 842.0 * 1191.0
Matrix = tuple[float, float, float, float, float, float]


def draw_pdf(content: bytes, redlines: Redlines, file: str) -> bytes:
    """A copy of a PDF with annotations; pages and everything else in it stay as they are.

    Raises:
        PlannerError: ``review.pdf_password``, ``review.pdf_broken``.
    """
    try:
        pages = _frames(content)
        with pikepdf.open(io.BytesIO(content)) as pdf:
            if _signed(pdf):
                redlines.notes.append(("review.redlines_signed", {"file": file}))
            _annotate(pdf, pages, redlines)
            buffer = io.BytesIO()
            pdf.save(buffer, deterministic_id=True)
    except pikepdf.PasswordError as error:
        raise PlannerError("review.pdf_password", file=file) from error
    except (pikepdf.PdfError, pypdfium2.PdfiumError, RecursionError) as error:
        raise PlannerError("review.pdf_broken", file=file, detail=str(error)[:200]) from error
    return buffer.getvalue()


class _Frame:
    """How a page is shown: from points as shown (y up, origin at the lower left of what is seen) to its own space."""

    def __init__(self, box: Sequence[float], rotation: int) -> None:
        left, bottom, right, top = box
        turned = rotation in (90, 270)
        self.width, self.height = (top - bottom, right - left) if turned else (right - left, top - bottom)
        self.matrix: Matrix = {
            0: (1.0, 0.0, 0.0, 1.0, left, bottom),
            90: (0.0, 1.0, -1.0, 0.0, right, bottom),
            180: (-1.0, 0.0, 0.0, -1.0, right, top),
            270: (0.0, -1.0, 1.0, 0.0, left, top),
        }[rotation]
        self.scale = min(max(math.sqrt(self.width * self.height / _A3), 0.8), 2.5)

    def to_page(self, point: Point) -> Point:
        a, b, c, d, e, f = self.matrix
        return a * point[0] + c * point[1] + e, b * point[0] + d * point[1] + f

    def rect(self, box: Sequence[float]) -> Array:
        (x0, y0), (x1, y1) = self.to_page((box[0], box[1])), self.to_page((box[2], box[3]))
        return _numbers([min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)])


def _frames(content: bytes) -> list[_Frame]:
    document = pypdfium2.PdfDocument(content)
    try:
        return [_Frame(page.get_bbox(), int(page.get_rotation()) % 360) for page in document]
    finally:
        document.close()


def _signed(pdf: Pdf) -> bool:
    form = pdf.Root.get("/AcroForm")
    return isinstance(form, Dictionary) and bool(int(form.get("/SigFlags", 0)) & 1)


def _annotate(pdf: Pdf, frames: Sequence[_Frame], redlines: Redlines) -> None:
    marks = list(redlines.marks)
    if redlines.elsewhere:
        marks.append(_list(redlines.elsewhere, frames[0]))
    font = PdfFont(pdf, [text for one in marks for text in (one.text, one.measured, one.author, one.time)])
    paper, fill = (pdf.make_indirect(Dictionary(Type=Name.ExtGState, ca=value)) for value in (0.88, 0.10))
    states = Dictionary(GSpaper=paper, GSfill=fill)
    for mark in marks:
        number = mark.page or 1
        if number > min(len(frames), len(pdf.pages)):
            redlines.notes.append(("review.redlines_page", {"page": number, "pages": len(pdf.pages)}))
            continue
        frame, page = frames[number - 1], pdf.pages[number - 1]
        sound = bool(mark.points) and all(math.isfinite(value) for point in mark.points for value in point)
        look = draw(mark, font, frame.scale) if sound else Look()
        if not all(map(math.isfinite, look.box)):
            redlines.notes.append(("review.redlines_mark", {"kind": mark.kind}))
            continue
        made = pdf.make_indirect(_annotation(mark, look, frame, page.obj))
        resources = Dictionary(Font=Dictionary(F=font.object), ExtGState=states)
        if mark.picture and (photo := _photo(pdf, mark.picture)) is not None:
            resources.XObject = Dictionary(Photo=photo)
        made.AP = Dictionary(N=_appearance(pdf, look, frame, resources))
        added = [made]
        if mark.thread or mark.subject:
            popup = Dictionary(
                Type=Name.Annot, Subtype=Name.Popup, Parent=made, Open=False, F=28,
                Rect=frame.rect((frame.width - 190, look.box[3] - 120, frame.width - 10, look.box[3])),
            )  # fmt: skip
            made.Popup = pdf.make_indirect(popup)
            added.append(made.Popup)
        if "/Annots" in page.obj and isinstance(page.obj.Annots, Array):
            page.obj.Annots = pdf.make_indirect(Array([*page.obj.Annots, *added]))
        else:
            page.obj.Annots = pdf.make_indirect(Array(added))


def _annotation(mark: Redline, look: Look, frame: _Frame, page: Object) -> Dictionary:
    kind = _KINDS.get(mark.kind, "PolyLine")
    said = "\n".join(part for part in (mark.text if kind != "FreeText" else "", mark.thread) if part)
    made = Dictionary(
        Type=Name.Annot, Subtype=Name(f"/{kind}"), P=page, F=4, Rect=frame.rect(look.box), NM=String(mark.id or ""),
        T=String(mark.author or LAYER), Subj=String(mark.subject or LAYER), C=_numbers(rgb(mark.colour)),
        Contents=String(mark.text if kind == "FreeText" else said), CA=1.0,
        BS=Dictionary(W=round(mark.width * POINT * frame.scale, 3), S=Name.S),
    )  # fmt: skip
    if (when := _date(mark.time)) is not None:
        made.M = made.CreationDate = String(when)
    points = [frame.to_page(point) for point in mark.points]
    flat = _numbers([value for point in points for value in point])
    if kind in ("Polygon", "PolyLine"):
        made.Vertices = flat
        if mark.kind == "cloud":
            made.BE, made.IT = Dictionary(S=Name.C, I=1), Name.PolygonCloud
        elif mark.kind == "area" and mark.measured:
            made.IT = Name.PolygonDimension
    elif kind == "Line":
        made.L = _numbers([value for point in (points * 2)[:2] for value in point])
        if mark.kind == "arrow":
            made.LE, made.IT = Array([Name("/None"), Name.OpenArrow]), Name.LineArrow
        else:
            made.LE, made.IT = Array([Name.Butt, Name.Butt]), Name.LineDimension
            made.Contents = String("\n".join(part for part in (mark.measured, said) if part))
    elif kind == "Ink":
        made.InkList = Array([flat])
    elif kind == "FreeText":
        size = mark.size * POINT * frame.scale
        red, green, blue = rgb(mark.colour)
        made.DA = String(f"{red:.3f} {green:.3f} {blue:.3f} rg /Helv {size:.1f} Tf")
        made.IT = Name.FreeTextCallout if mark.kind == "callout" else Name.FreeText
        if mark.kind == "callout" and len(points) > 1:
            made.CL = _numbers([*points[0], *points[-1]])
            made.LE = Name.OpenArrow
    elif kind == "Stamp":
        made.Name = Name.Draft
    return made


def _appearance(pdf: Pdf, look: Look, frame: _Frame, resources: Dictionary) -> Stream:
    """The look as a form: drawn as the page is shown, turned into the page's own space by its matrix."""
    form = Stream(pdf, "\n".join(one for one in look.operators if one).encode("ascii"))
    form.Type, form.Subtype, form.FormType = Name.XObject, Name.Form, 1
    form.BBox, form.Matrix, form.Resources = _numbers(look.box), _numbers(frame.matrix), resources
    return form


def _photo(pdf: Pdf, data: bytes) -> Object | None:
    """An image of at most 1200 pixels, as JPEG."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            small = image.convert("RGB")
            small.thumbnail((1200, 1200))
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    photo = Stream(pdf, buffer.getvalue())
    photo.Type, photo.Subtype, photo.ColorSpace = Name.XObject, Name.Image, Name.DeviceRGB
    photo.Width, photo.Height, photo.BitsPerComponent, photo.Filter = small.width, small.height, 8, Name.DCTDecode
    return pdf.make_indirect(photo)


def _list(lines: Sequence[str], frame: _Frame) -> Redline:
    """What has no place of its own, at the sheet's upper left."""
    text = "\n".join([tr("Without a place on this sheet:"), *lines])
    margin = 18.0 * frame.scale
    return Redline("text", ((margin, frame.height - margin),), 1, text, size=12.0, id="list")


def _numbers(values: Sequence[float]) -> Array:
    return Array([round(float(value), 4) for value in values])


def _date(time: str) -> str | None:
    try:
        return datetime.fromisoformat(time).strftime("D:%Y%m%d%H%M%SZ")
    except ValueError:
        return None
