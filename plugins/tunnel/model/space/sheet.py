"""A drawing on paper: millimetres, y up; written as SVG, PDF, PNG (one picture, Chinese set in Noto Sans CJK SC) and
DXF."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Literal

from planner_app.domain.errors import PlannerError

Point = tuple[float, float]
Colour = tuple[int, int, int]
Anchor = Literal["start", "middle", "end"]
INK: Colour = (29, 36, 48)
GREY: Colour = (120, 128, 140)
_FONTS = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC','WenQuanYi Micro Hei',sans-serif"
_MAX_PIXELS = 60_000_000


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line or, ``closed``, an area. Widths and dashes in mm."""

    layer: str
    points: tuple[Point, ...]
    closed: bool = False
    colour: Colour | None = INK
    width: float = 0.18
    fill: Colour | None = None
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Disc:
    """A circle, or an ellipse with ``ry``."""

    layer: str
    centre: Point
    radius: float
    colour: Colour | None = INK
    width: float = 0.18
    fill: Colour | None = None
    ry: float = 0.0


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text; ``size``: height of capitals in mm; ``at``: on the baseline; ``angle`` in degrees."""

    layer: str
    at: Point
    text: str
    size: float = 2.5
    colour: Colour = INK
    anchor: Anchor = "start"
    angle: float = 0.0
    bold: bool = False


@dataclass(slots=True)
class Sheet:
    """Paper of ``width`` × ``height`` mm.

    ``origin`` (mm on the sheet) and ``unit`` (drawing units per mm) say where a DXF has its zero and its measure;
    ``metres``: those units are metres (else millimetres of paper).
    """

    title: str
    width: float
    height: float
    origin: Point = (0.0, 0.0)
    unit: float = 1.0
    metres: bool = False
    items: list[Stroke | Disc | Label] = field(default_factory=list)

    def line(self, layer: str, *points: Point, colour: Colour | None = INK, width: float = 0.18,
             dash: tuple[float, ...] = ()) -> None:  # fmt: skip
        """Draw a line through points."""
        self.items.append(Stroke(layer, points, False, colour, width, None, dash))

    def area(self, layer: str, *points: Point, colour: Colour | None = INK, width: float = 0.18,
             fill: Colour | None = None) -> None:  # fmt: skip
        """Draw an area."""
        self.items.append(Stroke(layer, points, True, colour, width, fill))

    def circle(self, layer: str, centre: Point, radius: float, *, colour: Colour | None = INK, width: float = 0.18,
               fill: Colour | None = None, ry: float = 0.0) -> None:  # fmt: skip
        """Draw a circle (an ellipse with another radius upward)."""
        self.items.append(Disc(layer, centre, radius, colour, width, fill, ry))

    def text(self, layer: str, at: Point, text: str, size: float = 2.5, *, colour: Colour = INK,
             anchor: Anchor = "start", angle: float = 0.0, bold: bool = False) -> None:  # fmt: skip
        """Write a line of text; an empty one is left out."""
        if text:
            self.items.append(Label(layer, at, text, size, colour, anchor, angle, bold))


def text_width(text: str, size: float) -> float:
    """Width (mm) of a text: full for Chinese, 0.58 of it for the rest."""
    return sum(1.35 if ord(letter) > 0x2E7F else 0.8 for letter in text) * size


def fit(text: str, size: float, width: float) -> str:
    """A text cut to a width with an ellipsis."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…"


def wrap(text: str, size: float, width: float) -> list[str]:
    """A text in lines no wider than ``width`` mm; breaks anywhere in Chinese, between words elsewhere."""
    lines, line, word = [], "", ""
    for letter in [*text, "\0"]:
        breaks = letter == "\0" or letter == " " or ord(letter) > 0x2E7F
        if not breaks:
            word += letter
            continue
        if text_width(line + word, size) > width and line:
            lines.append(line.rstrip())
            line = ""
        line, word = line + word, ""
        if letter != "\0":
            if text_width(line + letter, size) > width and line and letter not in "，。；、）：":
                lines.append(line.rstrip())
                line = ""
            line += letter if line or letter != " " else ""
    return [*lines, line.rstrip()] if line.strip() else lines


def write_sheet(sheet: Sheet, path: Path, *, dpi: float = 150) -> None:
    """Write a sheet as .png, .pdf, .svg or .dxf by suffix.

    Raises:
        PlannerError: ``tunnel.format_unknown``, ``report.not_written``.
    """
    suffix = path.suffix.casefold()
    writer = {".svg": _svg_bytes, ".pdf": _pdf, ".dxf": _dxf}.get(suffix)
    if writer is None and suffix != ".png":
        raise PlannerError("tunnel.format_unknown", file=path.name, known=".png .pdf .svg .dxf")
    data = writer(sheet) if writer else _png(sheet, dpi)
    write_bytes(path, data)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file.

    Raises:
        PlannerError: ``report.not_written``.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise PlannerError("report.not_written", file=str(path), detail=error.strerror or str(error)) from error


def svg(sheet: Sheet) -> str:
    """The sheet as SVG, one user unit a millimetre."""
    w, h = sheet.width, sheet.height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w:g}mm" height="{h:g}mm" viewBox="0 0 {w:g} {h:g}">',
        f"<title>{escape(sheet.title)}</title>",
        f'<rect width="{w:g}" height="{h:g}" fill="#ffffff"/>',
    ]
    parts += [_svg_item(item, h) for item in sheet.items]
    return "\n".join([*parts, "</svg>"])


def _svg_item(item: Stroke | Disc | Label, h: float) -> str:
    if isinstance(item, Label):
        x, y = item.at[0], h - item.at[1]
        turn = f' transform="rotate({-item.angle:g} {x:.3f} {y:.3f})"' if item.angle else ""
        weight = ' font-weight="bold"' if item.bold else ""
        return (
            f'<text x="{x:.3f}" y="{y:.3f}" font-family="{_FONTS}" font-size="{item.size * 1.35:.3f}" '
            f'fill="{_hex(item.colour)}" text-anchor="{item.anchor}"{weight}{turn}>{escape(item.text)}</text>'
        )
    look = f'fill="{_hex(item.fill)}" stroke="{_hex(item.colour)}" stroke-width="{item.width:g}"'
    if isinstance(item, Disc):
        x, y = item.centre
        return (
            f'<ellipse cx="{x:.3f}" cy="{h - y:.3f}" rx="{item.radius:.3f}" ry="{item.ry or item.radius:.3f}" {look}/>'
        )
    if item.dash:
        look += f' stroke-dasharray="{" ".join(f"{one:g}" for one in item.dash)}"'
    points = " ".join(f"{x:.3f},{h - y:.3f}" for x, y in item.points)
    tag = "polygon" if item.closed else "polyline"
    return f'<{tag} points="{points}" {look} stroke-linejoin="round"/>'


def _hex(colour: Colour | None) -> str:
    return "none" if colour is None else "#{:02x}{:02x}{:02x}".format(*colour)


def _svg_bytes(sheet: Sheet) -> bytes:
    return svg(sheet).encode("utf-8")


def _pdf(sheet: Sheet) -> bytes:
    import tempfile

    from planner_app.report.document import write_pdf

    size = f"{sheet.width:g}mm {sheet.height:g}mm"
    page = f"@page {{ size: {size}; margin: 0 }} body {{ margin: 0 }} svg {{ display: block }}"
    html = (
        f'<html lang="zh-CN"><head><title>{escape(sheet.title)}</title><style>{page}</style></head>'
        f"<body>{svg(sheet)}</body></html>"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.pdf"
        write_pdf(html, path)
        return path.read_bytes()


def _png(sheet: Sheet, dpi: float) -> bytes:
    import io

    import pypdfium2

    scale = dpi / 72
    pixels = (sheet.width / 25.4 * dpi) * (sheet.height / 25.4 * dpi)
    if pixels > _MAX_PIXELS:
        scale *= (_MAX_PIXELS / pixels) ** 0.5
    document = pypdfium2.PdfDocument(_pdf(sheet))
    try:
        image = document[0].render(scale=scale).to_pil()
    finally:
        document.close()
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(dpi, dpi))
    return out.getvalue()


def _dxf(sheet: Sheet) -> bytes:
    """Layers as in the sheet; texts in a TrueType style that carries Chinese; unit and origin as the sheet says."""
    import io

    import ezdxf
    from ezdxf.enums import TextEntityAlignment as Align

    document: Any = ezdxf.new("R2010", setup=["linetypes"])  # type: ignore[attr-defined]
    document.header["$INSUNITS"] = 6 if sheet.metres else 4
    document.header["$MEASUREMENT"] = 1
    document.styles.new("HZ", dxfattribs={"font": "simhei.ttf"})
    space = document.modelspace()
    unit, (ox, oy) = sheet.unit, sheet.origin
    align = {"start": Align.LEFT, "middle": Align.CENTER, "end": Align.RIGHT}

    def at(point: Point) -> Point:
        return (point[0] - ox) * unit, (point[1] - oy) * unit

    for item in sheet.items:
        if item.layer not in document.layers:
            document.layers.add(item.layer)
        attributes: dict[str, object] = {"layer": item.layer}
        if isinstance(item, Label):
            attributes |= {"style": "HZ", "rotation": item.angle, "true_color": _rgb(item.colour)}
            space.add_text(item.text, height=item.size * unit, dxfattribs=attributes).set_placement(
                at(item.at), align=align[item.anchor]
            )
            continue
        if item.fill is not None:
            hatch = space.add_hatch(dxfattribs=attributes | {"true_color": _rgb(item.fill)})
            hatch.rgb = item.fill
            if isinstance(item, Stroke):
                hatch.paths.add_polyline_path([at(point) for point in item.points], is_closed=True)
            else:
                edge = hatch.paths.add_edge_path()
                ratio = (item.ry or item.radius) / item.radius
                long = ratio <= 1
                major = (item.radius * unit, 0) if long else (0, (item.ry or item.radius) * unit)
                edge.add_ellipse(at(item.centre), major_axis=major, ratio=ratio if long else 1 / ratio)
        if item.colour is None:
            continue
        attributes |= {"true_color": _rgb(item.colour), "lineweight": _weight(item.width)}
        if isinstance(item, Disc):
            if item.ry and abs(item.ry - item.radius) > 1e-9:
                long = item.ry <= item.radius
                major = (item.radius * unit, 0) if long else (0, item.ry * unit)
                ratio = item.ry / item.radius if long else item.radius / item.ry
                space.add_ellipse(at(item.centre), major_axis=major, ratio=max(ratio, 1e-6), dxfattribs=attributes)
            else:
                space.add_circle(at(item.centre), item.radius * unit, dxfattribs=attributes)
            continue
        if item.dash:
            attributes |= {"linetype": "DASHED", "ltscale": sum(item.dash) * unit / 0.75}
        space.add_lwpolyline([at(point) for point in item.points], close=item.closed, dxfattribs=attributes)
    out = io.StringIO()
    document.write(out)
    return out.getvalue().encode("utf-8")


def _rgb(colour: Colour) -> int:
    return (colour[0] << 16) | (colour[1] << 8) | colour[2]


def _weight(width: float) -> int:
    """The nearest line weight that DXF knows (hundredths of a millimetre)."""
    return min((13, 18, 25, 35, 50, 70), key=lambda one: abs(one - width * 100))
