"""How redlines look in a PDF: the operators of an annotation's own appearance, in points as the page is shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from plugins.review.model.exchange.pdf_text import PdfFont
from plugins.review.model.exchange.redlines import Redline
from plugins.review.model.exchange.shapes import Point, arrow_head, cloud, middle, ticks, wrapped

#: Points per pixel of a mark's style.
POINT = 0.75
#: Widest line of a text, in heights of its letters.
_WIDEST = 28
#: Size of a photo, points at scale 1.
_PHOTO = (120.0, 90.0)


@dataclass(slots=True)
class Look:
    """Operators, and the box they stay in. ``picture``: (name, x, y, width, height) of an image to place."""

    operators: list[str] = field(default_factory=list)
    x0: float = math.inf
    y0: float = math.inf
    x1: float = -math.inf
    y1: float = -math.inf
    picture: tuple[float, float, float, float] | None = None

    def reach(self, points: Iterable[Point], margin: float = 0.0) -> None:
        """The box includes these points."""
        for x, y in points:
            self.x0, self.y0 = min(self.x0, x - margin), min(self.y0, y - margin)
            self.x1, self.y1 = max(self.x1, x + margin), max(self.y1, y + margin)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(xmin, ymin, xmax, ymax)."""
        return self.x0, self.y0, self.x1, self.y1


def draw(mark: Redline, font: PdfFont, scale: float) -> Look:
    """A redline's look. ``scale``: of line widths and texts on this page."""
    look, width, points = Look(), mark.width * POINT * scale, mark.points
    size = mark.size * POINT * scale
    look.operators += [_rgb(mark.colour, "RG"), "1 J 1 j"]
    if mark.kind == "cloud":
        curves = list(cloud(points))
        path = [_move(curves[0][0])] if curves else []
        path += [f"{_xy(first)} {_xy(second)} {_xy(end)} c" for _, first, second, end in curves]
        look.reach((point for curve in curves for point in curve), 2 * width)
        _stroke(look, [*path, "h"], width)
    elif mark.kind in ("rectangle", "polygon", "area"):
        look.reach(points, 2 * width)
        if mark.kind != "rectangle":
            look.operators += ["q /GSfill gs", _rgb(mark.colour, "rg"), *_line(points), "h f Q"]
        _stroke(look, [*_line(points), "h"], width)
        if mark.measured:
            _boxed(look, font, [mark.measured], middle(points), size, mark.colour, centred=True)
    elif mark.kind in ("text", "label"):
        lines = _lines(font, mark.text or " ", size)
        at = points[0] if mark.kind == "text" else (points[0][0], points[0][1] + size * (1.3 * len(lines) + 0.4))
        _boxed(look, font, lines, at, size, mark.colour)
    elif mark.kind == "callout":
        lines = _lines(font, mark.text or " ", size)
        box = _boxed(look, font, lines, points[-1], size, mark.colour, centred=True, frame=width * 0.7)
        if len(points) > 1:
            start = _nearest(box, points[0])
            head = arrow_head(start, points[0], (9.0 + 2.0 * mark.width) * POINT * scale)
            look.reach([points[0], *head], 2 * width)
            _stroke(look, [*_line([start, points[0]]), *_line(head)], width)
    elif mark.kind == "stamp":
        _stamp(look, font, mark, size)
    elif mark.kind == "photo":
        _photo(look, font, mark, size, scale)
    else:
        look.reach(points, 2 * width)
        path = _line(points)
        if mark.kind == "arrow" and len(points) > 1:
            head = arrow_head(points[0], points[1], (9.0 + 2.0 * mark.width) * POINT * scale)
            look.reach(head, width)
            path += _line(head)
        elif mark.kind == "dimension" and len(points) > 1:
            for pair in ticks(points[0], points[1], 5.0 * scale):
                look.reach(pair, width)
                path += _line(pair)
        elif len(points) == 1:
            (x, y), r = points[0], 4.0 * scale
            look.reach([(x - r, y - r), (x + r, y + r)], width)
            path = [*_line([(x - r, y), (x + r, y)]), *_line([(x, y - r), (x, y + r)])]
        _stroke(look, path, width)
        if mark.measured:
            _boxed(look, font, [mark.measured], middle(points[:2]), size, mark.colour, centred=True)
    return look


def _lines(font: PdfFont, text: str, size: float) -> list[str]:
    return wrapped(text, _WIDEST * size, lambda line: font.width(line, size))


def _stroke(look: Look, path: Sequence[str], width: float) -> None:
    """White under the colour: red on red stays readable."""
    look.operators += ["q 1 1 1 RG", f"{width + 1.6:.3f} w", *path, "S Q", f"{width:.3f} w", *path, "S"]


def _boxed(
    look: Look,
    font: PdfFont,
    lines: Sequence[str],
    at: Point,
    size: float,
    colour: str,
    *,
    centred: bool = False,
    frame: float = 0.0,
) -> tuple[float, float, float, float]:
    """Lines of text on white, from their upper left corner or round their middle; returns the box."""
    pad, step = size * 0.35, size * 1.3
    wide = max(font.width(line, size) for line in lines) + 2 * pad
    tall = step * len(lines) + pad
    left, top = (at[0] - wide / 2, at[1] + tall / 2) if centred else at
    box = (left, top - tall, left + wide, top)
    look.reach([box[:2], box[2:]], frame + 1.0)
    rectangle = f"{_xy((left, top - tall))} {wide:.3f} {tall:.3f} re"
    look.operators += ["q /GSpaper gs 1 1 1 rg", rectangle, "f Q"]
    if frame:
        look.operators += [f"{frame:.3f} w", rectangle, "S"]
    _write(look, font, lines, (left + pad, top - pad / 2 - size * 0.95), size, step, colour)
    return box


def _write(look: Look, font: PdfFont, lines: Sequence[str], at: Point, size: float, step: float, colour: str) -> None:
    look.operators += ["BT", _rgb(colour, "rg"), f"/F {size:.3f} Tf {step:.3f} TL {_xy(at)} Td"]
    look.operators += [f"{font.code(line)} Tj T*" for line in lines]
    look.operators.append("ET")


def _stamp(look: Look, font: PdfFont, mark: Redline, size: float) -> None:
    title, foot = mark.text or " ", " ".join(part for part in (mark.author, mark.time[:10]) if part)
    small, pad = size * 0.62, size * 0.6
    wide = max(font.width(title, size), font.width(foot, small)) + 2 * pad
    tall = size * 1.3 + (small * 1.4 if foot else 0.0) + pad
    (x, y) = mark.points[0]
    left, bottom = x - wide / 2, y - tall / 2
    look.reach([(left, bottom), (left + wide, bottom + tall)], 2.0)
    rectangle = f"{_xy((left, bottom))} {wide:.3f} {tall:.3f} re"
    inner = f"{_xy((left + 2.6, bottom + 2.6))} {wide - 5.2:.3f} {tall - 5.2:.3f} re"
    look.operators += ["q /GSpaper gs 1 1 1 rg", rectangle, "f Q 1.7 w", rectangle, "S 0.7 w", inner, "S"]
    top = bottom + tall - pad / 2 - size
    _write(look, font, [title], (x - font.width(title, size) / 2, top), size, size, mark.colour)
    if foot:
        at = (x - font.width(foot, small) / 2, top - small * 1.4)
        _write(look, font, [foot], at, small, small, mark.colour)


def _photo(look: Look, font: PdfFont, mark: Redline, size: float, scale: float) -> None:
    """A pin, the picture beside it, its caption."""
    (x, y), r = mark.points[0], 7.0 * scale
    wide, tall = _PHOTO[0] * scale, _PHOTO[1] * scale
    left, bottom = x + r, y + r
    look.reach([(x - r, y - r), (left + wide, bottom + tall)], 3.0)
    look.operators += [_rgb(mark.colour, "rg"), *_line([(x, y), (x - r, y + 2 * r), (x + r, y + 2 * r)]), "h f"]
    frame = f"{_xy((left, bottom))} {wide:.3f} {tall:.3f} re"
    look.operators += ["q 0.93 0.94 0.96 rg", frame, "f Q"]
    look.picture = (left, bottom, wide, tall)
    look.operators += [f"q {wide:.3f} 0 0 {tall:.3f} {_xy((left, bottom))} cm /Photo Do Q" if mark.picture else ""]
    look.operators += [f"{1.2 * scale:.3f} w", frame, "S"]
    if mark.text:
        _boxed(look, font, _lines(font, mark.text, size), (left, bottom - 1.0), size, mark.colour)


def _nearest(box: tuple[float, float, float, float], at: Point) -> Point:
    """The middle of the side of a box that looks to a point."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    dx, dy = at[0] - x, at[1] - y
    if abs(dx) * (box[3] - box[1]) > abs(dy) * (box[2] - box[0]):
        return (box[2] if dx > 0 else box[0]), y
    return x, (box[3] if dy > 0 else box[1])


def _line(points: Sequence[Point]) -> list[str]:
    return [_move(points[0]), *(f"{_xy(point)} l" for point in points[1:])] if points else []


def _move(point: Point) -> str:
    return f"{_xy(point)} m"


def _xy(point: Sequence[float]) -> str:
    return f"{point[0]:.3f} {point[1]:.3f}"


def rgb(colour: str) -> tuple[float, float, float]:
    """Parts of ``#rrggbb``, 0 to 1."""
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _rgb(colour: str, operator: str) -> str:
    return " ".join(f"{part:.4f}" for part in rgb(colour)) + f" {operator}"
