"""Text inside PDF files: a font with Chinese characters, cut down to what is written and embedded."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream, String

from plugins.review.model.exchange.fonts import chinese_font


class PdfFont:
    """One font for all texts written into a file.

    Where this computer has no Chinese TrueType font, the file names the reader's own (Adobe's STSong-Light), which
    every large viewer replaces by one it has.
    """

    def __init__(self, pdf: Pdf, texts: Iterable[str]) -> None:
        self._glyphs: dict[str, int] = {}
        self._widths: dict[str, float] = {}
        self.ascent, self.descent = 0.88, 0.24
        letters = sorted({letter for text in texts for letter in text if letter >= " "} | {" ", "?"})
        found = chinese_font()
        self.object: Object = self._embedded(pdf, letters, *found) if found is not None else self._named(pdf, letters)

    def width(self, text: str, size: float) -> float:
        """Length of a line of text."""
        return sum(self._widths.get(letter, 1.0) for letter in text) * size

    def code(self, text: str) -> str:
        """The operand of ``Tj``: letters the font has none of become a question mark."""
        unknown = self._glyphs.get("?", 0)
        return "<" + "".join(f"{self._glyphs.get(one, unknown):04X}" for one in text if one >= " ") + ">"

    def _embedded(self, pdf: Pdf, letters: list[str], path: Any, face: int) -> Object:
        subset, reader = import_module("fontTools.subset"), import_module("fontTools.ttLib")

        for name in ("fontTools.subset", "fontTools.ttLib.ttFont"):
            logging.getLogger(name).setLevel(logging.ERROR)  # both report every dropped table as a warning
        options = subset.Options()
        options.layout_features, options.hinting, options.notdef_outline = [], False, True
        options.drop_tables += ["GSUB", "GPOS", "GDEF", "FFTM"]
        with reader.TTFont(str(path), fontNumber=face, lazy=True) as font:
            cutter = subset.Subsetter(options)
            cutter.populate(text="".join(letters))
            cutter.subset(font)
            buffer = io.BytesIO()
            font.save(buffer)
        with reader.TTFont(io.BytesIO(buffer.getvalue())) as font:
            scale = 1.0 / font["head"].unitsPerEm
            mapping, metrics = font.getBestCmap(), font["hmtx"]
            widths = {font.getGlyphID(name): metrics[name][0] * scale for name in font.getGlyphOrder()}
            self._glyphs = {one: font.getGlyphID(mapping[ord(one)]) for one in letters if ord(one) in mapping}
            self._widths = {one: widths[glyph] for one, glyph in self._glyphs.items()}
            self.ascent, self.descent = font["hhea"].ascent * scale, -font["hhea"].descent * scale
            box = [round(getattr(font["head"], name) * scale * 1000) for name in ("xMin", "yMin", "xMax", "yMax")]
        descriptor = Dictionary(
            Type=Name.FontDescriptor, FontName=Name("/PLANRV+Redline"), Flags=4, FontBBox=Array(box), ItalicAngle=0,
            Ascent=round(self.ascent * 1000), Descent=-round(self.descent * 1000), CapHeight=700, StemV=80,
            FontFile2=Stream(pdf, buffer.getvalue(), Length1=len(buffer.getvalue())),
        )  # fmt: skip
        below = Dictionary(
            Type=Name.Font, Subtype=Name.CIDFontType2, BaseFont=Name("/PLANRV+Redline"), CIDToGIDMap=Name.Identity,
            CIDSystemInfo=Dictionary(Registry=String("Adobe"), Ordering=String("Identity"), Supplement=0), DW=1000,
            W=Array([0, Array([round(widths.get(glyph, 1.0) * 1000) for glyph in range(len(widths))])]),
            FontDescriptor=pdf.make_indirect(descriptor),
        )  # fmt: skip
        return pdf.make_indirect(
            Dictionary(
                Type=Name.Font, Subtype=Name.Type0, BaseFont=Name("/PLANRV+Redline"), Encoding=Name("/Identity-H"),
                DescendantFonts=Array([pdf.make_indirect(below)]),
                ToUnicode=Stream(pdf, self._to_unicode()),
            )
        )  # fmt: skip

    def _to_unicode(self) -> bytes:
        pairs = [f"<{glyph:04X}> <{one.encode('utf-16-be').hex()}>" for one, glyph in sorted(self._glyphs.items())]
        chunks = [pairs[at : at + 100] for at in range(0, len(pairs), 100)]
        body = "\n".join(f"{len(one)} beginbfchar\n" + "\n".join(one) + "\nendbfchar" for one in chunks)
        return (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
            "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
            f"{body}\nendcmap CMapName currentdict /CMap defineresource pop end end"
        ).encode()

    def _named(self, pdf: Pdf, letters: list[str]) -> Object:
        self._glyphs = {one: ord(one) for one in letters if ord(one) < 0x10000}
        self._widths = {one: 0.5 if ord(one) < 0x2000 else 1.0 for one in letters}
        below = Dictionary(
            Type=Name.Font, Subtype=Name.CIDFontType0, BaseFont=Name("/STSong-Light"), DW=1000,
            W=Array([1, 95, 500]),
            CIDSystemInfo=Dictionary(Registry=String("Adobe"), Ordering=String("GB1"), Supplement=4),
            FontDescriptor=Dictionary(
                Type=Name.FontDescriptor, FontName=Name("/STSong-Light"), Flags=4, ItalicAngle=0, Ascent=880,
                Descent=-120, CapHeight=880, StemV=93, FontBBox=Array([-25, -254, 1000, 880]),
            ),
        )  # fmt: skip
        return pdf.make_indirect(
            Dictionary(
                Type=Name.Font, Subtype=Name.Type0, BaseFont=Name("/STSong-Light-UniGB-UCS2-H"),
                Encoding=Name("/UniGB-UCS2-H"), DescendantFonts=Array([pdf.make_indirect(below)]),
            )
        )  # fmt: skip
