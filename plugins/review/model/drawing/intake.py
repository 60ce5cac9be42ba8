"""A drawing's file, whatever it is, read in a process of its own within limits of time and memory."""

from __future__ import annotations

import gc
import hashlib
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress
from plugins.review.model.drawing.types import Drawing, DrawingFormat, Note

if TYPE_CHECKING:
    from planner_app.compute.separate import Answers, Limits, Requests

#: Most time for one file, s. The slowest honest ones (IFC of 200 MB, DXF of half a million entities) take a minute.
SECONDS = 180.0
#: Most memory for one file, bytes; less on small machines (three quarters of what there is).
MEMORY = 4 << 30
#: Largest file, bytes.
LARGEST = 1 << 30
_HEAD = 4096
_SUFFIXES = {
    DrawingFormat.DXF: (".dxf",),
    DrawingFormat.DWG: (".dwg", ".dwt", ".dws"),
    DrawingFormat.PDF: (".pdf",),
    DrawingFormat.IFC: (".ifc",),
    DrawingFormat.IMAGE: (".png", ".jpg", ".jpeg", ".tif", ".tiff"),
}
#: What other files look like: (beginning, what it is).
_OTHERS = (
    (b"PK\x03\x04", "ZIP"), (b"Rar!", "RAR"), (b"7z\xbc\xaf", "7z"), (b"\x1f\x8b", "gzip"),
    (b"\xd0\xcf\x11\xe0", "OLE (Revit, MicroStation V8, Word, Excel)"), (b"GIF8", "GIF"), (b"BM", "BMP"),
    (b"RIFF", "WebP"), (b"8BPS", "Photoshop"), (b"%!PS", "PostScript"), (b"<", "XML / HTML"), (b"{", "JSON"),
    (b"\x08\x09\xfe\x02", "DGN"), (b"SQLite format 3", "SQLite / GeoPackage"),
    (b"\xff\xfe\xff\x0eS\0k\0e\0t\0c\0h\0U\0p", "SketchUp"),
)  # fmt: skip
_ARCHIVES = ("ZIP", "RAR", "7z", "gzip")
#: Errors of a DWG that another program may be able to read.
_SECOND_WAY = ("review.dwg_version", "review.dwg_broken", "review.dwg_empty", "review.reader_died", "review.unreadable")


def sniff(path: Path) -> DrawingFormat:
    """What a file is, by its content; its suffix decides nothing.

    Raises:
        PlannerError: ``review.no_such_file``, ``review.file_unreadable``, ``review.file_empty``, ``review.archive``,
            ``review.unknown_format``.
    """
    if not path.is_file():
        raise PlannerError("review.no_such_file", file=path.name)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise PlannerError("review.file_unreadable", file=path.name, detail=str(error.strerror or error)) from error
    if not head.strip(b"\0 \t\r\n"):
        raise PlannerError("review.file_empty", file=path.name)
    found = _by_content(head)
    if found is not None:
        return found
    looks = next((name for mark, name in _OTHERS if head.lstrip().startswith(mark)), "")
    if looks in _ARCHIVES:
        raise PlannerError("review.archive", file=path.name, looks=looks)
    suffix = path.suffix.casefold()
    if not looks and suffix == ".dxf" and re.search(rb"SECTION|\$ACADVER|ENTITIES|HEADER", head):
        return DrawingFormat.DXF  # its beginning is damaged; the reader will see
    raise PlannerError("review.unknown_format", file=path.name, looks=looks or ("text" if _is_text(head) else "?"))


def _by_content(head: bytes) -> DrawingFormat | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if b"%PDF-" in head[:1024]:
        return DrawingFormat.PDF
    if re.match(rb"AC10\d\d|AC[12]\.\d|MC0\.0", head):
        return DrawingFormat.DWG
    if head.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return DrawingFormat.IMAGE
    if re.match(rb"(?>/\*.*?\*/\s*)*+ISO-10303-21", text, re.DOTALL):
        return DrawingFormat.IFC
    if text.startswith(b"AutoCAD Binary DXF") or re.match(
        rb"(999[ \t]*\r?\n[^\n]*\n\s*)*0[ \t]*\r?\n[ \t]*SECTION", text
    ):
        return DrawingFormat.DXF
    return None


def _is_text(head: bytes) -> bool:
    return not re.search(rb"[\x00-\x08\x0e-\x1f]", head)


def limits() -> Limits:
    """What one file may take here."""
    from planner_app.compute.separate import Limits

    memory = MEMORY
    with suppress(AttributeError, ValueError, OSError):  # not known on this system
        memory = min(memory, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4)
    return Limits(SECONDS, memory)


def read_drawing(
    path: Path,
    progress: Progress | None = None,
    *,
    page: int = 0,
    metres_per_unit: float | None = None,
    oda_converter: str = "",
    within: Limits | None = None,
) -> Drawing:
    """Read a drawing.

    Args:
        path: the file; what it is, its content says.
        page: of a PDF or TIFF, from 1; 0: all.
        metres_per_unit: by which a DXF's or DWG's curves are flattened and fingerprints rounded, where a person or a
            reading knows better than the header.
        oda_converter: a person's ODA File Converter, for DWG files that cannot be read otherwise; if "" that of the
            variable ``PLANNER_ODA_CONVERTER`` or the path.
        within: limits; :func:`limits` if None.

    Raises:
        PlannerError: ``review.*``: what is wrong with the file.
        Cancelled: the reader has ended, nothing is left behind.
    """
    path, progress = Path(path), progress or NoProgress()
    kind = sniff(path)
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise PlannerError("review.file_too_large", file=path.name, size=size / 1e6, most=LARGEST / 1e6)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PlannerError("review.file_unreadable", file=path.name, detail=str(error.strerror or error)) from error
    within = within or limits()
    try:
        drawing = _read_apart(path, kind, progress, page, metres_per_unit, within)
    except PlannerError as error:
        from plugins.review.model.drawing import dwg

        program = dwg.converter(oda_converter)
        if kind is not DrawingFormat.DWG or error.code not in _SECOND_WAY or not program:
            raise
        with dwg.converted(path, program, progress, within.seconds or SECONDS) as made:
            read = _read_apart(made, DrawingFormat.DXF, progress, page, metres_per_unit, within)
        note: Note = ("review.dwg_converted", {"program": Path(program).name, "reason": error.code})
        drawing = replace(read, format=DrawingFormat.DWG, notes=(note, *read.notes))
    notes, count = list(drawing.notes), drawing.count or len(drawing.entities)
    suffix = path.suffix.casefold()
    if suffix not in _SUFFIXES[kind]:
        notes.insert(0, ("review.suffix", {"file": path.name, "format": kind.value.upper()}))
    return replace(drawing, name=path.name, sha256=sha256, notes=tuple(notes), count=count)


def _read_apart(
    path: Path, kind: DrawingFormat, progress: Progress, page: int, metres_per_unit: float | None, within: Limits
) -> Drawing:
    from planner_app.compute.separate import SeparateProcess
    from plugins.review.model.drawing.packing import unpack

    progress.update(None, "stage.drawing_read")
    try:
        with SeparateProcess(serve, path.name, progress, within) as child:
            child.send((path.resolve(), kind.value, page, metres_per_unit))
            while True:
                what, value = child.receive()
                if what == "drawing":
                    break
                progress.update(value, "stage.drawing_read")
    except PlannerError as error:
        raise in_our_words(error, path, within) from error
    return unpack(value)


def in_our_words(error: PlannerError, path: Path, within: Limits) -> PlannerError:
    """What the child process's end means for a drawing."""
    if error.code == "exchange.no_memory":
        return PlannerError("review.too_much_memory", file=path.name, limit=(within.memory or 0) / 1e9)
    if error.code == "exchange.too_slow":
        return PlannerError("review.too_slow", file=path.name, seconds=within.seconds)
    if error.code == "exchange.process_died":
        return PlannerError("review.reader_died", file=path.name, detail=error.params.get("detail", ""))
    return error


def serve(requests: Requests, answers: Answers) -> None:
    """The child: read one file, say how far it is, hand the drawing over."""
    from plugins.review.model.drawing.packing import pack

    path, kind, page, metres_per_unit = requests()
    gc.disable()  # a reader makes millions of objects that live as long as it does

    def report(fraction: float) -> None:
        answers(("progress", fraction))

    try:
        drawing = read_here(path, DrawingFormat(kind), page, metres_per_unit, report)
    except (PlannerError, MemoryError, BrokenPipeError, EOFError):
        raise
    except Exception as error:  # what no reader foresaw; the file is what differs
        detail = f"{type(error).__name__}: {error}"[:200].encode("utf-8", "replace").decode()
        raise PlannerError("review.unreadable", file=path.name, format=kind.upper(), detail=detail) from error
    answers(("drawing", pack(drawing)))


def read_here(
    path: Path,
    kind: DrawingFormat,
    page: int = 0,
    metres_per_unit: float | None = None,
    report: Callable[[float], None] = lambda fraction: None,
) -> Drawing:
    """Read in this process, without limits; see :func:`read_drawing`."""
    if kind is DrawingFormat.DXF:
        from plugins.review.model.drawing.dxf import read_dxf

        return read_dxf(path, report, metres_per_unit)
    if kind is DrawingFormat.DWG:
        from plugins.review.model.drawing.dwg import read_dwg

        return read_dwg(path, report, metres_per_unit)
    if kind is DrawingFormat.PDF:
        from plugins.review.model.drawing.pdf import read_pdf

        return read_pdf(path, page, report)
    if kind is DrawingFormat.IFC:
        from plugins.review.model.drawing.ifc import read_ifc

        return read_ifc(path)
    from plugins.review.model.drawing.image import read_image

    return read_image(path, page)
