"""Papers as editable Word documents: real headings and tables, East Asian fonts, page numbers, alternative texts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.i18n import language, tr
from planner_app.report.paper import (
    Banner,
    Block,
    Cell,
    Facts,
    Heading,
    Item,
    Paper,
    Picture,
    Signatures,
    Table,
    Text,
    printable,
)

#: The Latin face and the East Asian one: both come with Word; other programs take the system's CJK sans for them.
_LATIN, _CJK = "Arial", "Microsoft YaHei"
_TEXT_MM = 176.0
#: Paragraphs that stand beside an item's picture.
_BESIDE = 8
_INK, _QUIET, _ACCENT = "1D2430", "5B6675", "1F5FAE"
_TONES = {
    "pass": "1F7A3D", "fail": "C0322B", "needs_certificate": "A86400", "cannot_judge": "66707D",
    "open": "C0322B", "closed": "1F7A3D", "waiting": "A86400",
}  # fmt: skip


def write_docx(paper: Paper, path: Path) -> None:
    """Write a document as .docx.

    Raises:
        PlannerError: ``report.not_written``.
    """
    from docx import Document

    document = Document()
    _prepare(document, paper)
    _head(document, paper)
    for block in paper.blocks:
        _block(document, block)
    memory = io.BytesIO()
    document.save(memory)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(memory.getvalue())
    except OSError as error:
        raise PlannerError("report.not_written", file=str(path), detail=error.strerror or str(error)) from error


def svg_png(svg: str, width_px: int = 1400) -> bytes:
    """A vector picture as PNG: set by the same engine as the PDF, so that its Chinese looks the same."""
    import logging
    import re
    import warnings

    import pypdfium2

    for name in ("weasyprint", "fontTools.subset", "fontTools.ttLib.ttFont"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import weasyprint
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    width, height = (float(box[1]), float(box[2])) if box else (1000.0, 620.0)
    page = (
        f"<style>@page {{ size: {width}px {height}px; margin: 0 }} body {{ margin: 0; font-family: 'Noto Sans CJK SC',"
        f" 'Microsoft YaHei', sans-serif }} svg {{ display: block; width: {width}px }}</style>{svg}"
    )
    data = weasyprint.HTML(string=page).write_pdf()
    with pypdfium2.PdfDocument(data) as document:
        sheet = document[0]
        picture = sheet.render(scale=width_px / sheet.get_width()).to_pil()
        memory = io.BytesIO()
        picture.convert("RGB").quantize(64).save(memory, "PNG", optimize=True)
    return memory.getvalue()


def _prepare(document: Any, paper: Paper) -> None:
    """Page, styles, running head and foot, properties."""
    from docx.enum.text import WD_TAB_ALIGNMENT
    from docx.shared import Mm, Pt, RGBColor

    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(17)
    section.top_margin, section.bottom_margin = Mm(20), Mm(19)
    for name, size, bold, before, after in (
        ("Normal", 9.5, False, 0, 3), ("Title", 20, True, 2, 2), ("Heading 1", 12, True, 14, 4),
        ("Heading 2", 10, True, 8, 2),
    ):  # fmt: skip
        style = document.styles[name]
        style.font.size, style.font.bold, style.font.italic = Pt(size), bold, False
        style.font.color.rgb = RGBColor.from_string(_INK)
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
        _fonts(style.element.get_or_add_rPr())
    for border in document.styles["Title"].element.findall(".//" + _w("pBdr")):
        border.getparent().remove(border)
    properties = document.core_properties
    properties.title, properties.author = printable(paper.title)[:255], printable(paper.author)[:255]
    properties.comments, properties.language = "", "zh-CN" if language() == "zh_CN" else "en"
    for part, words in ((section.header, f"{paper.title}\t{paper.over}"), (section.footer, f"{paper.foot}\t")):
        line = part.paragraphs[0]
        line.style.paragraph_format.tab_stops.clear_all()
        line.paragraph_format.tab_stops.add_tab_stop(Mm(_TEXT_MM), WD_TAB_ALIGNMENT.RIGHT)
        _run(line, words, 7.5, _QUIET)
    foot = section.footer.paragraphs[0]
    _field(foot, "PAGE")
    _run(foot, " / ", 7.5, _QUIET)
    _field(foot, "NUMPAGES")


def _head(document: Any, paper: Paper) -> None:
    from docx.shared import Pt

    if paper.over:
        _run(document.add_paragraph(), paper.over, 9, _QUIET)
    _run(document.add_paragraph(style="Title"), paper.title)
    under = document.add_paragraph()
    under.paragraph_format.space_after = Pt(10)
    _run(under, paper.under, 9, _QUIET)
    _line_below(under, _ACCENT)
    if paper.mark:
        _run(document.add_paragraph(), paper.mark, 14, _TONES["fail"], bold=True)


def _block(document: Any, block: Block) -> None:
    match block:
        case Heading():
            line = document.add_heading(level=1 if block.level == 2 else 2)
            _run(line, block.text)
            if block.count:
                _run(line, "  " + block.count, 9, _QUIET, bold=False)
        case Text():
            _paragraph(document.add_paragraph(), block)
        case Banner():
            line = document.add_paragraph()
            _run(line, block.word + "  ", 15, _TONES[block.tone], bold=True)
            _run(line, block.text, 9.5)
        case Facts():
            _facts(document, block)
        case Table():
            _table(document, block)
        case Picture():
            _picture(document, document.add_paragraph(), block, _TEXT_MM * block.width)
            caption = document.add_paragraph()
            _run(caption, block.caption, 8, _QUIET)
        case Item():
            _item(document, block)
        case Signatures():
            _signatures(document, block)


def _paragraph(line: Any, block: Text) -> None:
    small = block.kind == "note"
    if block.lead:
        _run(line, block.lead + " ", 8.5 if small else 9.5, bold=True)
    colour = _TONES["waiting"] if block.kind == "warning" else _QUIET if small else _INK
    _run(line, block.text, 8.5 if small else 9.5, colour)


def _facts(document: Any, block: Facts) -> None:
    rows = block.rows()
    if not rows:
        return
    widths = (30.0, _TEXT_MM / 2 - 30, 30.0, _TEXT_MM / 2 - 30)
    table = _grid(document, len(rows), widths)
    for at, row in enumerate(rows):
        cells = table.rows[at].cells
        if len(row) == 1:
            cells[1].merge(cells[3])
        for place, (label, value) in zip((0, 2), row, strict=False):
            _shade(cells[place])
            _run(_first(cells[place]), label, 8.5, _QUIET)
            _run(_first(cells[place + 1]), value, 9)
    _gap(document)


def _table(document: Any, block: Table) -> None:
    from docx.oxml import OxmlElement

    widths = [_TEXT_MM * column.width / 100 for column in block.columns]
    rows: Sequence[Sequence[str | Cell]] = block.rows
    table = _grid(document, 1 + max(len(rows), 1 if block.empty else 0), widths)
    head = table.rows[0]
    head._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for cell, column in zip(head.cells, block.columns, strict=True):
        _shade(cell)
        _run(_aligned(_first(cell), column.align), column.head, 8.5, _QUIET)
    if not rows and block.empty:
        merged = table.rows[1].cells[0].merge(table.rows[1].cells[-1])
        _run(_aligned(_first(merged), "centre"), block.empty, 9, _QUIET)
    grid = [list(row.cells) for row in table.rows[1 : 1 + len(rows)]]
    for cells, values in zip(grid, rows, strict=True):
        for cell, value, column in zip(cells, values, block.columns, strict=True):
            told = value if isinstance(value, Cell) else Cell(value)
            _run(_aligned(_first(cell), column.align), told.text, 8.5, _TONES.get(told.tone, _INK))
            if told.note:
                _run(_aligned(_first(cell, new=True), column.align), told.note, 7.5, _QUIET)
    _gap(document)


def _item(document: Any, block: Item) -> None:
    head = document.add_paragraph()
    head.paragraph_format.keep_with_next = True
    _run(head, block.title, 9.5, bold=True)
    if block.chip.text:
        _run(head, f"  [{block.chip.text}]", 9, _TONES.get(block.chip.tone, _INK), bold=True)
    place, first = document, False
    if block.picture:
        table = document.add_table(rows=1, cols=2)
        _widths(table, (_TEXT_MM - 66, 66.0))
        place, first = table.rows[0].cells[0], True
        side = table.rows[0].cells[1]
        _picture(document, side.paragraphs[0], block.picture, 62)
        if block.picture.caption:
            _run(side.add_paragraph(), block.picture.caption, 7.5, _QUIET)
    for at, line in enumerate(block.lines):
        if at == _BESIDE and block.picture:
            place = document  # a long thread goes on over the whole width
        _paragraph(place.paragraphs[0] if first else place.add_paragraph(), line)
        first = False
    if block.picture:
        _gap(document)


def _signatures(document: Any, block: Signatures) -> None:
    from docx.shared import Mm

    table = _grid(document, 1, [_TEXT_MM / len(block.boxes)] * len(block.boxes))
    table.rows[0].height = Mm(34)
    for cell, box in zip(table.rows[0].cells, block.boxes, strict=True):
        _run(_first(cell), box.role, 9.5, bold=True)
        for label, value in box.lines:
            line = cell.add_paragraph()
            _run(line, f"{label} ", 9, _QUIET)
            _run(line, value, 9)
        if box.seal:
            _run(cell.add_paragraph(), box.seal, 6.5, _QUIET)
    _gap(document)


# ------------------------------------------------------------------------ pieces of the file format


def _w(name: str) -> str:
    from docx.oxml.ns import qn

    return str(qn(f"w:{name}"))


def _fonts(properties: Any) -> None:
    """Faces of a run's or style's properties: without ``w:eastAsia`` Word sets Chinese in whatever it likes."""
    fonts = properties.get_or_add_rFonts()
    for name in list(fonts.attrib):
        if name.endswith("Theme"):
            del fonts.attrib[name]
    for name, face in (("ascii", _LATIN), ("hAnsi", _LATIN), ("cs", _LATIN), ("eastAsia", _CJK)):
        fonts.set(_w(name), face)


def _run(line: Any, text: str, size: float = 0, colour: str = "", *, bold: bool | None = None) -> Any:
    from docx.shared import Pt, RGBColor

    run = line.add_run(printable(text))
    _fonts(run._r.get_or_add_rPr())
    if size:
        run.font.size = Pt(size)
    if colour:
        run.font.color.rgb = RGBColor.from_string(colour)
    run.font.bold = bold
    return run


def _field(line: Any, code: str) -> None:
    """A field that Word fills in (``PAGE``, ``NUMPAGES``); 1 stands there until it does."""
    from docx.oxml import OxmlElement

    run = _run(line, "", 7.5, _QUIET)
    for kind in ("begin", "", "separate", "1", "end"):
        if kind in ("begin", "separate", "end"):
            mark = OxmlElement("w:fldChar")
            mark.set(_w("fldCharType"), kind)
        else:
            mark = OxmlElement("w:t" if kind else "w:instrText")
            mark.text = kind or f" {code} "
        run._r.append(mark)


def _grid(document: Any, rows: int, widths: Sequence[float]) -> Any:
    """A table with thin grey lines and some air in its cells."""
    from docx.oxml import OxmlElement

    table = document.add_table(rows=rows, cols=len(widths))
    borders, margins = OxmlElement("w:tblBorders"), OxmlElement("w:tblCellMar")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", "C9CFD6")):
            line.set(_w(name), value)
        borders.append(line)
    for side, twips in (("top", "45"), ("left", "90"), ("bottom", "30"), ("right", "90")):
        margin = OxmlElement(f"w:{side}")
        margin.set(_w("w"), twips)
        margin.set(_w("type"), "dxa")
        margins.append(margin)
    properties = table._tbl.tblPr
    look = properties.find(_w("tblLook"))  # the schema wants borders, layout, margins before it, in this order
    for element in (borders, margins):
        look.addprevious(element)
    _widths(table, widths)
    layout = properties.find(_w("tblLayout"))
    if layout is not None:
        margins.addprevious(layout)
    return table


def _widths(table: Any, widths: Sequence[float]) -> None:
    """Widths in mm on columns and cells (Word reads the cells, others the columns); rows do not break over pages."""
    from docx.oxml import OxmlElement
    from docx.shared import Mm, Pt

    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
    for row in table.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Mm(width)
            cell.paragraphs[0].paragraph_format.space_after = Pt(1)


def _first(cell: Any, *, new: bool = False) -> Any:
    from docx.shared import Pt

    line = cell.add_paragraph() if new else cell.paragraphs[0]
    line.paragraph_format.space_after = Pt(1)
    return line


def _aligned(line: Any, align: str) -> Any:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    sides = {"right": WD_ALIGN_PARAGRAPH.RIGHT, "centre": WD_ALIGN_PARAGRAPH.CENTER}
    line.alignment = sides.get(align, WD_ALIGN_PARAGRAPH.LEFT)
    return line


def _shade(cell: Any) -> None:
    from docx.oxml import OxmlElement

    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", "F4F5F7")):
        shade.set(_w(name), value)
    cell._tc.get_or_add_tcPr().append(shade)


def _line_below(line: Any, colour: str) -> None:
    from docx.oxml import OxmlElement

    borders, bottom = OxmlElement("w:pBdr"), OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "12"), ("space", "4"), ("color", colour)):
        bottom.set(_w(name), value)
    borders.append(bottom)
    line._p.get_or_add_pPr().append(borders)


def _gap(document: Any) -> None:
    """Two tables that touch become one in Word."""
    from docx.shared import Pt

    line = document.add_paragraph()
    line.paragraph_format.space_after = Pt(2)
    line.paragraph_format.line_spacing = Pt(4)


def _picture(document: Any, line: Any, block: Picture, width_mm: float) -> None:
    from docx.shared import Mm

    data = block.png or svg_png(block.svg)
    shape = line.add_run().add_picture(io.BytesIO(data), width=Mm(width_mm))
    if shape.height > Mm(150):
        shape.width, shape.height = round(shape.width * Mm(150) / shape.height), Mm(150)
    shape._inline.docPr.set("descr", printable(block.caption or tr("Picture")))
