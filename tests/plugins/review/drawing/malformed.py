"""Files that no reader should trust: over 250 of them, the same ones for the same seed."""

from __future__ import annotations

import io
import itertools
import random
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from .paper import pdf

Make = Callable[[], bytes]

_CURVES = """  0
LINE
  5
A0
  8
0
 10
0.0
 20
0.0
 11
{x}
 21
1.0
  0
CIRCLE
  5
A1
  8
0
 10
5.0
 20
5.0
 40
{r}
  0
ARC
  5
A2
  8
0
 10
5.0
 20
5.0
 40
{r}
 50
{a}
 51
90.0
  0
TEXT
  5
A3
  8
0
 10
1.0
 20
1.0
 40
{h}
  1
{t}
"""


def dxf_text(entities: str, header: str = "  9\n$ACADVER\n  1\nAC1015\n", blocks: str = "") -> bytes:
    """A DXF of little more than its entities."""
    text = f"  0\nSECTION\n  2\nHEADER\n{header}  0\nENDSEC\n"
    if blocks:
        text += f"  0\nSECTION\n  2\nBLOCKS\n{blocks}  0\nENDSEC\n"
    return (text + f"  0\nSECTION\n  2\nENTITIES\n{entities}  0\nENDSEC\n  0\nEOF\n").encode()


def curves(x: object = 10.0, r: object = 3.0, a: object = 0.0, h: object = 2.0, t: str = "text") -> bytes:
    """A line, a circle, an arc and a text with odd values."""
    return dxf_text(_CURVES.format(x=x, r=r, a=a, h=h, t=t))


def dxf_document(version: str, fill: Callable[[Any, Any], None] | None = None, binary: bool = False) -> bytes:
    """A DXF by ezdxf with something of everything, or what ``fill`` draws."""
    from ezdxf.filemanagement import new

    document = new(version, setup=["dimstyles"])
    (fill or _everything)(document, document.modelspace())
    if binary:
        stream = io.BytesIO()
        document.write(stream, fmt="bin")
        return stream.getvalue()
    text = io.StringIO()
    document.write(text)
    return text.getvalue().encode(document.output_encoding, "dxfreplace")


def _everything(document: Any, space: Any) -> None:
    document.layers.add("YDHX-用地红线", color=1)
    block = document.blocks.new("SLOT")
    block.add_polyline2d([(0, 0), (2, 0), (2, 5)], close=True)
    block.add_attdef("NO", (1, 1), height=0.5)
    for x in range(12):
        space.add_line((x, 0), (x, 9), {"layer": "YDHX-用地红线"})
        space.add_polyline2d([(x, 0, 0.5), (x + 1, 0, 0), (x + 1, 5, 0)], format="xyb", close=True)
        reference = space.add_blockref("SLOT", (x * 3, 20))
        reference.add_attrib("NO", f"P{x}", (x * 3, 21))
    space.add_circle((5, 5), 2)
    space.add_arc((5, 5), 3, 0, 90)
    space.add_text("用地面积", height=2).set_placement((3, 3))
    space.add_polyline2d([(0, 0), (5, 0), (5, 5)], close=True)
    space.add_linear_dim(base=(0, -3), p1=(0, 0), p2=(20, 7), dimstyle="EZDXF").render()
    if document.dxfversion > "AC1009":
        space.add_lwpolyline([(0, 0, 0, 0, 0.5), (9, 0), (9, 5)], close=True)
        space.add_mtext("{\\H2x;经济}\\P技术")
        space.add_ellipse((50, 50), (20, 0), 0.5)
        space.add_spline([(0, 0), (10, 10), (20, 0), (30, 10)])
        hatch = space.add_hatch()
        hatch.paths.add_polyline_path([(0, 0), (10, 0), (10, 10)])
        hatch.paths.add_edge_path().add_arc((5, 5), 2, 0, 360)


def dwg_document() -> bytes:
    """A DWG R2000."""
    import ezdwg

    document = ezdwg.new()
    space = document.modelspace()
    for x in range(30):
        space.add_lwpolyline([(x, 0), (x + 1, 0), (x + 1, 5)], closed=True)
        space.add_text("用地", (x, 3), 2)
    block = document.blocks.new("B")
    block.add_line((0, 0), (1, 1))
    space.add_blockref("B", (5, 5))
    space.add_hatch([[(0, 0), (10, 0), (10, 10)]])
    with tempfile.TemporaryDirectory() as folder:
        document.save(Path(folder, "a.dwg"), strict=False)
        return Path(folder, "a.dwg").read_bytes()


def ifc_document() -> bytes:
    """A small IFC building."""
    from ..ifc.build import Model, rectangle

    model = Model()
    building = model.building()
    storey = model.storey(building, "1F", 0.0)
    model.walls(storey, rectangle(0, 0, 20, 10), 0.0, 3.0)
    model.body(storey, "IfcSlab", rectangle(0, 0, 20, 10), -0.2, 0.2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.ifc")
        model.write(path)
        data = path.read_bytes()
    number = itertools.count()
    return re.sub(rb"'[0-9A-Za-z_$]{22}'", lambda _: b"'%022d'" % next(number), data)  # GUIDs are made by chance


def picture(kind: str) -> bytes:
    """A noisy picture, so that damage hits something."""
    from PIL import Image

    noise = random.Random(5).randbytes(120 * 90 * 3)
    stream = io.BytesIO()
    Image.frombytes("RGB", (120, 90), noise).save(stream, kind)
    return stream.getvalue()


def encrypted() -> bytes:
    """A PDF that opens with a password only."""
    import pikepdf

    stream = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf(b"0 0 9 9 re S"))) as document:
        document.save(stream, encryption=pikepdf.Encryption(user="secret", owner="secret"))
    return stream.getvalue()


def cut(data: bytes, share: float) -> bytes:
    """What is left of a file that breaks off."""
    return data[: max(1, int(len(data) * share))]


def flipped(data: bytes, seed: int, count: int = 20, keep: int = 6) -> bytes:
    """A file with some bytes changed, all but the first few."""
    dice = random.Random(seed)
    spoilt = bytearray(data)
    for _ in range(count):
        spoilt[dice.randrange(keep, len(spoilt))] = dice.randrange(256)
    return bytes(spoilt)


def shuffled_lines(data: bytes, seed: int) -> bytes:
    """A text file with lines lost, doubled and swapped."""
    dice = random.Random(seed)
    lines = data.split(b"\n")
    for _ in range(12):
        at = dice.randrange(8, len(lines) - 1)
        action = dice.randrange(4)
        if action == 0:
            del lines[at]
        elif action == 1:
            lines.insert(at, lines[at])
        elif action == 2:
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
        else:
            lines[at] = dice.choice([b"", b"-1", b"1e400", b"nan", b"ENDSEC", b"\xff\xfe", b"9" * 400, b"  0"])
    return b"\n".join(lines)


def _png_bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(2_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _text_bomb() -> bytes:
    """A PNG whose comment unpacks to 300 MB."""
    data = picture("PNG")
    body = b"Comment\0\0" + zlib.compress(bytes(300_000_000), 9)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    return data[:33] + chunk + data[33:]


def _tiff_loop() -> bytes:
    """A TIFF whose list of pages leads back to its beginning."""
    entries = [(256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 200),
               (277, 3, 1, 1), (278, 3, 1, 8), (279, 4, 1, 64)]  # fmt: skip
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *one) for one in entries)
    return (b"II*\0" + struct.pack("<I", 8) + body + struct.pack("<I", 8)).ljust(400, b"\x7f")


def _zip_bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.ifc", bytes(200_000_000))
    return stream.getvalue()


def _block(name: str, content: str) -> str:
    return f"  0\nBLOCK\n  8\n0\n  2\n{name}\n 70\n0\n 10\n0.0\n 20\n0.0\n{content}  0\nENDBLK\n"


def _insert(name: str, more: str = "") -> str:
    return f"  0\nINSERT\n  8\n0\n  2\n{name}\n 10\n1.0\n 20\n1.0\n{more}"


_DOT = "  0\nPOINT\n  8\n0\n 10\n1.0\n 20\n2.0\n"


def _multiplying(levels: int, each: int) -> bytes:
    blocks = _block("B0", _DOT) + "".join(_block(f"B{n}", _insert(f"B{n - 1}") * each) for n in range(1, levels))
    return dxf_text(_insert(f"B{levels - 1}"), blocks=blocks)


def _ring(count: int, edges: bool = False) -> bytes:
    def fill(_: Any, space: Any) -> None:
        from math import cos, sin, tau

        points = [(500 * cos(tau * at / count), 500 * sin(tau * at / count)) for at in range(count)]
        path = space.add_hatch().paths
        if edges:
            edge_path = path.add_edge_path()
            for one, other in zip(points, [*points[1:], points[0]], strict=True):
                edge_path.add_line(one, other)
        else:
            path.add_polyline_path(points)

    return dxf_document("R2013", fill)


def _long_polyline(count: int) -> bytes:
    rows = "".join(f" 10\n{x}.5\n 20\n{x % 7}.25\n" for x in range(count))
    head = f"  0\nLWPOLYLINE\n  5\nFF\n100\nAcDbEntity\n  8\n0\n100\nAcDbPolyline\n 90\n{count}\n 70\n1\n"
    return dxf_text(head + rows)


def _spline(degree: int, knots: int, points: int) -> bytes:
    head = "  0\nSPLINE\n  5\nFF\n100\nAcDbEntity\n  8\n0\n100\nAcDbSpline\n"
    head += f" 70\n8\n 71\n{degree}\n 72\n{knots}\n 73\n{points}\n"
    body = "".join(f" 40\n{at}.0\n" for at in range(knots)) + "".join(
        f" 10\n{at}.0\n 20\n0.0\n" for at in range(points)
    )
    return dxf_text(_DOT + head + body)


def _only(kind: str) -> bytes:
    return dxf_text(f"  0\n{kind}\n  5\nFF\n100\nAcDbEntity\n  8\n0\n100\nAcDbX\n 40\n3.0\n")


def _special() -> Iterator[tuple[str, Make]]:
    """Damage with a purpose."""
    for number, value in enumerate(("nan", "inf", "1e308", "-1e400", "0x1F", "", "1,5", "9" * 5000)):
        yield f"value-{number}-x.dxf", partial(curves, x=value)
        yield f"value-{number}-r.dxf", partial(curves, r=value)
        yield f"value-{number}-a.dxf", partial(curves, a=value)
    yield "radius-0.dxf", partial(curves, r=0)
    yield "radius-negative.dxf", partial(curves, r=-3)
    yield "angle-huge.dxf", partial(curves, a=1e12)
    yield "height-nan.dxf", partial(curves, h="nan")
    yield "text-5-MB.dxf", partial(curves, t="中" * 1_700_000)
    yield "text-controls.dxf", partial(curves, t="a\x07b\x1b[31m\\U+0000\\U+D800%%")
    yield (
        "text-mtext-bomb.dxf",
        partial(dxf_text, "  0\nMTEXT\n  8\n0\n 10\n0\n 20\n0\n 40\n1\n  1\n" + "{\\H1x;" * 40_000 + "a\n"),
    )
    for version in ("AC9999", "AC1006", "AC1", "", "AC1021", "MC0.0"):
        yield f"version-{version}.dxf", partial(dxf_text, _DOT, f"  9\n$ACADVER\n  1\n{version}\n")
    yield "units-999.dxf", partial(dxf_text, _DOT, "  9\n$INSUNITS\n 70\n999\n")
    yield "units-x.dxf", partial(dxf_text, _DOT, "  9\n$INSUNITS\n 70\nx\n")
    yield "header-garbage.dxf", partial(dxf_text, _DOT, "  9\n$FOO\n 10\nbar\n" * 50)
    yield "no-entities.dxf", partial(dxf_text, "")
    yield "no-sections.dxf", lambda: b"  0\nSECTION\n  0\nEOF\n"
    yield "section-in-section.dxf", lambda: b"  0\nSECTION\n" * 20_000
    yield "paper-only.dxf", partial(dxf_document, "R2013", lambda d, s: d.layout("Layout1").add_line((0, 0), (1, 1)))
    for kind in ("TCH_WALL", "ACAD_PROXY_ENTITY", "REGION", "3DSOLID", "OLE2FRAME", "IMAGE", "INSERT", "HATCH",
                 "DIMENSION", "MULTILEADER", "ACAD_TABLE", "MLINE", "WIPEOUT"):  # fmt: skip
        yield f"only-{kind}.dxf", partial(_only, kind)
    yield "hatch-million.dxf", partial(_ring, 1_000_000)
    yield "hatch-edges.dxf", partial(_ring, 150_000, True)
    yield "polyline-million.dxf", partial(_long_polyline, 1_000_000)
    for degree, knots, points in ((0, 0, 0), (3, 2, 9), (30, 4, 3), (3, 0, 200), (10**6, 5, 5)):
        yield f"spline-{degree}-{knots}-{points}.dxf", partial(_spline, degree, knots, points)
    yield "block-itself.dxf", partial(dxf_text, _insert("A"), blocks=_block("A", _DOT + _insert("A")))
    yield (
        "block-circle.dxf",
        partial(dxf_text, _insert("A"), blocks=_block("A", _DOT + _insert("B")) + _block("B", _insert("A"))),
    )
    yield "block-deep.dxf", partial(_multiplying, 300, 1)
    yield "block-bomb.dxf", partial(_multiplying, 14, 10)
    yield "block-missing.dxf", partial(dxf_text, _insert("GONE"))
    yield (
        "block-grid.dxf",
        partial(dxf_text, _insert("A", " 70\n32767\n 71\n32767\n 44\n1\n 45\n1\n"), blocks=_block("A", _DOT)),
    )
    yield "block-flat.dxf", partial(dxf_text, _insert("A", " 41\n0\n 42\n0\n 43\n0\n"), blocks=_block("A", _DOT))
    yield (
        "block-infinite.dxf",
        partial(dxf_text, _DOT + _insert("A", " 41\n1e300\n 42\n1e300\n"), blocks=_block("A", _DOT)),
    )
    yield "handles-all-the-same.dxf", partial(dxf_text, _DOT.replace("  8\n", "  5\nAB\n  8\n") * 500)
    yield "returns-only.dxf", lambda: curves().replace(b"\n", b"\r")
    yield "utf16.dxf", lambda: curves().decode().encode("utf-16")
    yield "bom.dxf", lambda: b"\xef\xbb\xbf" + curves()
    yield "nul.dxf", lambda: curves().replace(b"text", b"te\0xt")
    yield "xref.dxf", partial(dxf_document, "R2013", _missing_xref)
    yield "dwg-header-only.dwg", lambda: b"AC1027" + bytes(200)
    for version in ("AC1009", "AC1040", "AC1.40", "AC1012", "AC1024"):
        yield f"dwg-{version}.dwg", partial(lambda name: name.encode() + random.Random(3).randbytes(60_000), version)
    yield "password.pdf", encrypted
    yield "bomb.pdf", lambda: pdf(b"0 0 m 9 9 l S\n" * 20_000_000, squeezed=True)
    yield "bomb-zeros.pdf", lambda: pdf(bytes(400_000_000), squeezed=True)
    yield "form-cycle.pdf", lambda: pdf(b"/X Do", resources=b"/XObject<</X 6 0 R>>", more=(_FORM,))
    yield "page-tree-cycle.pdf", lambda: pdf(b"").replace(b"/Kids[5 0 R]", b"/Kids[2 0 R]")
    yield "no-pages.pdf", lambda: pdf(b"").replace(b"/Kids[5 0 R]/Count 1", b"/Kids[]/Count 0")
    yield "count-lies.pdf", lambda: pdf(b"0 0 9 9 re S").replace(b"/Count 1", b"/Count 99999")
    yield "huge-box.pdf", lambda: pdf(b"0 0 9 9 re S", box="0 0 1e30 1e30")
    yield "flat-box.pdf", lambda: pdf(b"0 0 9 9 re S", box="0 0 0 0")
    yield "odd-rotation.pdf", lambda: pdf(b"0 0 9 9 re S", rotate=37)
    yield "blank.pdf", lambda: pdf(b"")
    yield "numbers.pdf", lambda: pdf(b"1e99 nan m 1 -inf l 99999999999999999999 3 l S 5 5 m 6 6 l S")
    yield "nesting.pdf", lambda: pdf(b"q " * 300_000 + b"0 0 9 9 re S")
    yield "no-table.pdf", lambda: re.sub(rb"(?s)xref.*?trailer", b"trailer", pdf(b"0 0 9 9 re S"))
    yield "header-only.pdf", lambda: b"%PDF-1.7\n"
    yield "bomb.png", partial(_png_bomb, 60_000, 60_000)
    yield "bomb-within-limits.png", partial(_png_bomb, 17_000, 17_000)
    yield "no-pixels.png", partial(_png_bomb, 0, 0)
    yield "comment-bomb.png", _text_bomb
    yield "loop.tif", _tiff_loop
    yield "zip-bomb.ifc", _zip_bomb
    yield "zip-bomb.dwg", _zip_bomb
    for suffix in ("dxf", "dwg", "pdf", "ifc", "png", "jpg", "tif", "xyz"):
        yield f"random.{suffix}", lambda: random.Random(11).randbytes(50_000)
        yield f"empty.{suffix}", lambda: b""
    yield "zeros.dwg", lambda: bytes(100_000)
    yield "page.dxf", lambda: b"<!DOCTYPE html><html><body>404</body></html>"
    yield "word.pdf", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000)
    yield "drawing.pdf", curves  # DXF by another name
    yield "sheet.dxf", lambda: pdf(b"0 0 9 9 re S")


_FORM = (
    b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R>>>>/Length 5>>stream\n/X Do\nendstream"
)


def _missing_xref(document: Any, space: Any) -> None:
    document.add_xref_def("c:\\no\\where.dwg", "X1")
    space.add_blockref("X1", (0, 0))
    space.add_line((0, 0), (1, 1))


def _spoilt() -> Iterator[tuple[str, Make]]:
    """Whole files, broken off and changed at many places."""
    sources: list[tuple[str, Make, int, int]] = [
        ("r2013.dxf", partial(dxf_document, "R2013"), 16, 10),
        ("r2000.dxf", partial(dxf_document, "R2000"), 6, 4),
        ("r12.dxf", partial(dxf_document, "R12"), 6, 4),
        ("binary.dxf", partial(dxf_document, "R2013", None, True), 8, 8),
        ("r2000.dwg", dwg_document, 14, 14),
        ("sheet.pdf", partial(pdf, b"BT /F1 9 Tf (1:500) Tj ET " + b"1 2 m 3 4 l S\n" * 300, pages=3), 10, 8),
        ("squeezed.pdf", partial(pdf, b"1 2 m 3 4 l S\n" * 3000, squeezed=True), 4, 8),
        ("noise.png", partial(picture, "PNG"), 6, 6),
        ("noise.jpg", partial(picture, "JPEG"), 6, 6),
        ("noise.tif", partial(picture, "TIFF"), 6, 6),
        ("house.ifc", ifc_document, 8, 8),
    ]
    for name, make, cuts, flips in sources:
        data = make()
        stem, suffix = name.split(".")
        for at in range(cuts):
            yield f"cut-{stem}-{at}.{suffix}", partial(cut, data, (at + 0.5) / cuts)
        for seed in range(flips):
            yield f"flip-{stem}-{seed}.{suffix}", partial(flipped, data, seed)
        if suffix in ("dxf", "ifc") and stem != "binary":
            for seed in range(flips):
                yield f"lines-{stem}-{seed}.{suffix}", partial(shuffled_lines, data, seed)


def corpus() -> list[tuple[str, Make]]:
    """(name, how to make it) of every file."""
    return [*_special(), *_spoilt()]
