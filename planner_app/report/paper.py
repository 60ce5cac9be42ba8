"""A document as a list of blocks: the same content becomes PDF, HTML or DOCX, so that the three cannot disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from planner_app.domain.errors import PlannerError

Align = Literal["left", "right", "centre"]

#: Characters that neither XML nor a text layer may hold.
_ILLEGAL = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])


def printable(text: str) -> str:
    """The text without control characters and halves of surrogate pairs (they come from damaged drawings)."""
    return text.translate(_ILLEGAL).encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell. ``note``: a quiet second line; ``tone``: shown as a chip in a verdict's colour (its key)."""

    text: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; ``count`` stands behind it, quietly."""

    text: str
    count: str = ""
    level: Literal[2, 3] = 2


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. ``kind``: normal | note (small, quiet) | warning; ``lead``: bold words before it."""

    text: str
    kind: str = "normal"
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Banner:
    """The overall verdict in a frame. ``tone``: a verdict's key."""

    tone: str
    word: str
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """A form: label and value, two pairs a row; values longer than ``wide`` characters take a whole row."""

    lines: Sequence[tuple[str, str]]
    wide: int = 26

    def rows(self) -> list[list[tuple[str, str]]]:
        """Rows of one or two pairs; lines without a value are left out."""
        rows: list[list[tuple[str, str]]] = []
        for label, value in self.lines:
            if not value:
                continue
            short = sum(2 if ord(char) > 0x2E7F else 1 for char in value) <= self.wide
            if short and rows and len(rows[-1]) == 1 and rows[-1][0][0] and self._short(rows[-1][0][1]):
                rows[-1].append((label, value))
            else:
                rows.append([(label, value)])
        return rows

    def _short(self, value: str) -> bool:
        return sum(2 if ord(char) > 0x2E7F else 1 for char in value) <= self.wide


@dataclass(frozen=True, slots=True)
class Column:
    """A column; ``width``: its share of the table in percent, of all columns together 100."""

    head: str
    width: float
    align: Align = "left"


@dataclass(frozen=True, slots=True)
class Table:
    """A table; its head repeats on every page. ``empty``: the line that stands for no rows."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str | Cell]]
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, vector (``svg``) or PNG. ``width``: share of the text's width, 0 … 1."""

    caption: str
    svg: str = ""
    png: bytes = b""
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Item:
    """An entry with a title, a verdict or status, paragraphs and maybe a picture at its side."""

    title: str
    chip: Cell
    lines: Sequence[Text]
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """A box to sign in: empty lines where nobody has signed."""

    role: str
    lines: Sequence[tuple[str, str]]
    seal: str = ""


@dataclass(frozen=True, slots=True)
class Signatures:
    """Boxes side by side."""

    boxes: Sequence[Signature]


Block = Heading | Text | Banner | Facts | Table | Picture | Item | Signatures


@dataclass(frozen=True, slots=True)
class Paper:
    """A document.

    Attributes:
        over: who speaks or which project, above the title; under: number and date, below it.
        foot: at the foot of every page, beside the page number.
        mark: large grey word across every page (a draft, an outdated copy); empty for none.
        author: for the file's properties.
    """

    title: str
    blocks: Sequence[Block]
    over: str = ""
    under: str = ""
    foot: str = ""
    mark: str = ""
    author: str = ""


def paper_html(paper: Paper) -> str:
    """The document as one HTML file, also what its PDF is printed from."""
    from planner_app.report.document import render_html

    return printable(
        render_html(
            "paper.html",
            {
                "title": paper.title,
                "project": paper.over,
                "subtitle": paper.under,
                "foot": paper.foot,
                "paper": paper,
                "kind": lambda block: type(block).__name__.lower(),
                "is_cell": lambda value: isinstance(value, Cell),
            },
        )
    )


def write_paper(paper: Paper, path: Path) -> None:
    """Write a document as .pdf, .html or .docx; the suffix decides.

    Raises:
        PlannerError: ``report.format_unknown``, ``report.not_written``, ``report.text_layer``.
    """
    from planner_app.report.document import write_html, write_pdf

    suffix = path.suffix.casefold()
    if suffix == ".docx":
        from planner_app.report.word import write_docx

        write_docx(paper, path)
    elif suffix == ".html":
        write_html(paper_html(paper), path)
    elif suffix == ".pdf":
        write_pdf(paper_html(paper), path)
        _check_text_layer(paper, path)
    else:
        raise PlannerError("report.format_unknown", file=path.name, known=".pdf, .docx, .html")


def _check_text_layer(paper: Paper, path: Path) -> None:
    """The title and every table cell must be found again in the file's text: fonts exist whose digits look right and
    copy as something else, and such a document is worthless as evidence."""
    import pypdfium2

    with pypdfium2.PdfDocument(path) as document:
        found = "".join(_squeezed(page.get_textpage().get_text_range()) for page in document)
    cells = [
        cell.text if isinstance(cell, Cell) else cell
        for block in paper.blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
    ]
    for text in [paper.title, *cells]:
        for word in printable(text).split():
            # A long cell breaks over lines and pages with other columns between: its pieces are compared.
            if len(word) <= 12 and _squeezed(word) not in found:
                path.unlink(missing_ok=True)
                raise PlannerError("report.text_layer", file=path.name, text=word)


def _squeezed(text: str) -> str:
    """What is compared: letters and digits of Latin and Chinese. Breaks add and drop spaces and hyphens, and a
    character no font has is no reason to refuse a document."""
    import unicodedata

    folded = unicodedata.normalize("NFKC", text)
    return "".join(char for char in folded if char.isalnum() and (char < "\u0250" or "\u4e00" <= char <= "\u9fff"))
