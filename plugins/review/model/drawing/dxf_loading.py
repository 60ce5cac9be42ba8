"""A DXF file as a document: in whatever encoding, repaired where it can be, damaged entities left out by name."""

from __future__ import annotations

import io
import logging
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.text_encoding import fitting, known
from plugins.review.model.drawing.shapes import Collector, clean, counted

_BINARY = b"AutoCAD Binary DXF"
_ESCAPED = re.compile(r"\\U\+([0-9A-Fa-f]{4})")
_HALF_ESCAPED = re.compile(r"\\U\+(?![0-9A-Fa-f]{4})")
#: Share of damaged entities from which the rest is worth nothing.
_TOO_DAMAGED = 0.2
#: Group codes of the DXF reference by what their values are.
_FLOATS = ((10, 59), (110, 149), (210, 239), (460, 469), (1010, 1059))
_INTEGERS = ((60, 79), (90, 99), (160, 179), (270, 289), (370, 389), (400, 409), (420, 429), (440, 449), (1060, 1071))
_HANDLES = ((5, 5), (105, 105), (320, 369), (390, 399), (480, 481), (1005, 1005))
#: Kinds without which nothing after them can be placed; they stay, less their broken tags.
_STRUCTURE = frozenset({"SECTION", "ENDSEC", "TABLE", "ENDTAB", "BLOCK", "ENDBLK", "SEQEND", "EOF"})
#: What follows an entity and belongs to it, up to SEQEND.
_FOLLOWERS = {"POLYLINE": "VERTEX", "INSERT": "ATTRIB"}
_NEEDED = ("$ACADVER", "$DWGCODEPAGE", "$INSUNITS")
#: Stands for an entity that could not be loaded.
DAMAGED = "ACAD_DAMAGED"
_KIND = re.compile(r"[A-Z_][A-Z0-9_]*")


def load(path: Path, collector: Collector) -> Any:
    """The document, recovered if need be; what was done is noted.

    Raises:
        PlannerError: ``review.dxf_broken``, ``review.dxf_half``.
    """
    logging.getLogger("ezdxf").setLevel(logging.CRITICAL)  # what matters is in the notes
    raw = path.read_bytes()
    try:
        with _tolerant() as broken:
            if raw.startswith(_BINARY):
                from ezdxf.filemanagement import readfile

                document = readfile(path)
            else:
                document = _load_text(raw, path.name, collector, broken)
            if broken:
                collector.note("review.broken_entities", count=broken.total(), kinds=counted(broken))
            return document
    except (PlannerError, MemoryError):
        raise
    except Exception as error:  # damage shows itself in many ways
        detail = clean((str(error).strip().splitlines() or [type(error).__name__])[0])[:200]
        raise PlannerError("review.dxf_broken", file=path.name, detail=detail) from error


def _load_text(raw: bytes, name: str, collector: Collector, broken: Counter[str]) -> Any:
    from ezdxf.filemanagement import read

    encoding = dxf_encoding(raw)
    text = raw.decode(encoding, "surrogateescape")
    if not raw.rstrip()[-32:].endswith(b"EOF"):
        drawn = re.search(r"\n[ \t]*2[ \t]*\r?\n[ \t]*ENTITIES[ \t]*\r?\n", text)
        if drawn is None or not re.search(r"\n[ \t]*ENDSEC", text[drawn.end() :]):
            raise PlannerError("review.dxf_half", file=name)
        collector.note("review.dxf_cut_short")
    if not text.isascii():
        odd = sum("\udc80" <= letter <= "\udcff" for letter in text)
        if odd:
            collector.note("review.undecodable", count=odd, encoding=encoding)
    if "\\U+" in text:
        text = _ESCAPED.sub(_letter, text)
        text = _HALF_ESCAPED.sub("?U+", text)
    try:
        document = read(io.StringIO(text))
    except MemoryError:
        raise
    except Exception:  # the strict reader says why in many ways; the lenient one decides
        document = _recover(text, collector, broken)
    document.encoding = encoding
    return document


def _recover(text: str, collector: Collector, broken: Counter[str]) -> Any:
    """By ezdxf's repairs; if those fail, once more without the damaged entities."""
    from ezdxf import recover

    def attempt(lines: str) -> Any:
        broken.clear()
        plain = lines.encode("utf-8", "replace").decode("utf-8").encode("ascii", "dxfreplace")
        document, auditor = recover.read(io.BytesIO(plain))
        repairs = len(auditor.fixes) + len(auditor.errors)
        if repairs:
            collector.note("review.dxf_repaired", count=repairs)
        return document

    try:
        return attempt(text)
    except MemoryError:
        raise
    except Exception as error:  # see above
        lines, dropped, kept = without_damage(text)
        if not kept or dropped.total() > _TOO_DAMAGED * kept:
            raise error
    document = attempt(lines)
    broken += dropped
    return document


@contextmanager
def _tolerant() -> Iterator[Counter[str]]:
    """Have ezdxf leave out an entity it cannot load, rather than give up on the whole file; gives those by kind."""
    from ezdxf.entities import factory
    from ezdxf.entities.dxfentity import DXFTagStorage
    from ezdxf.lldxf import loader
    from ezdxf.lldxf.extendedtags import ExtendedTags

    broken: Counter[str] = Counter()
    strict = loader.load_dxf_entities

    def load_entities(entities: Iterable[Any], document: Any = None) -> Iterator[Any]:
        for tags in entities:
            try:
                yield factory.load(ExtendedTags(tags), document)
            except MemoryError:
                raise
            except Exception:  # damage shows itself in many ways
                broken[str(tags[0].value)] += 1
                placeholder = DXFTagStorage.load(ExtendedTags(tags), document)
                placeholder.DXFTYPE = DAMAGED
                yield placeholder

    loader.load_dxf_entities = load_entities  # type: ignore[assignment]
    try:
        yield broken
    finally:
        loader.load_dxf_entities = strict


def _letter(escaped: re.Match[str]) -> str:
    code = int(escaped[1], 16)
    return chr(code) if code >= 0xA0 and not 0xD800 <= code <= 0xDFFF else escaped[0]


def without_damage(text: str) -> tuple[str, Counter[str], int]:
    """The text without entities whose tags make no sense, how many went by kind, how many stayed.

    A polyline without one of its vertices would be another polyline, so it goes as a whole; so does a reference with
    its attributes.
    """
    lines = [line.rstrip("\r") for line in text.split("\n")]
    kept: list[str] = []
    dropped: Counter[str] = Counter()
    count, start, leader = 0, 0, ""
    at = _next_entity(lines, 0)
    while at < len(lines) - 1:
        kind = lines[at + 1].strip()
        good, bad, following = _entity(lines, at)
        if leader and kind != "SEQEND" and (bad or kind != _FOLLOWERS[leader]):
            dropped[leader] += 1
            del kept[start:]
            leader = ""
        elif leader and kind == "SEQEND":
            leader = ""
        if kind == "SECTION" and "HEADER" in (line.strip() for line in good[2:4]):
            dropped["HEADER"] += bad
            good, bad = _header(good), False
        if bad and kind not in _STRUCTURE:
            dropped[kind] += 1
        elif not (kind in ("VERTEX", "ATTRIB") and not leader):
            if kind in _FOLLOWERS and _has_followers(good):
                start, leader = len(kept), kind
            kept += good
            count += 1
        at = following
    return "\n".join(kept) + "\n", +dropped, count


def _header(lines: list[str]) -> list[str]:
    """A header of what is needed of it; the rest has defaults."""
    found = lines[:4]
    for at in range(4, len(lines) - 3, 2):
        if lines[at].strip() == "9" and lines[at + 1].strip() in _NEEDED and lines[at + 2].strip() in ("1", "3", "70"):
            found += lines[at : at + 4]
    return found


def _has_followers(lines: list[str]) -> bool:
    if lines[1].strip() == "POLYLINE":
        return True
    return any(lines[at].strip() == "66" and lines[at + 1].strip() == "1" for at in range(2, len(lines) - 1, 2))


def _next_entity(lines: list[str], at: int) -> int:
    while at < len(lines) - 1 and not (lines[at].strip() == "0" and _KIND.fullmatch(lines[at + 1].strip())):
        at += 1
    return at


def _entity(lines: list[str], at: int) -> tuple[list[str], bool, int]:
    """(its good lines, whether some were bad, where the next entity begins)."""
    good, bad = lines[at : at + 2], False
    style = lines[at + 1].strip() == "DIMSTYLE"  # where 5 is the name of a block
    at += 2
    while at < len(lines) - 1:
        try:
            code = int(lines[at])
        except ValueError:
            return good, True, _next_entity(lines, at)
        if code == 0:
            if _KIND.fullmatch(lines[at + 1].strip()):
                break
            return good, True, _next_entity(lines, at)
        if _makes_sense(code, lines[at + 1].strip()) or (style and code == 5):
            good += lines[at : at + 2]
        else:
            bad = True
        at += 2
    return good, bad, at


def _makes_sense(code: int, value: str) -> bool:
    if not -5 <= code <= 1071:
        return False
    try:
        if _within(code, _FLOATS):
            return math.isfinite(float(value))
        if _within(code, _INTEGERS):
            int(value)
        elif _within(code, _HANDLES):
            int(value, 16)
    except ValueError:
        return False
    return True


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)


def dxf_encoding(raw: bytes) -> str:
    """The encoding of a DXF's texts: its bytes decide; its header is a hint, often a wrong one."""
    if raw.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    # From the first letter beyond ASCII to the end of its line.
    lines = [found[0] for found, _ in zip(re.finditer(rb"[\x80-\xff][^\r\n]*", raw), range(20_000), strict=False)]
    page = re.search(rb"\$DWGCODEPAGE\s+3\s+([^\r\n]+)", raw[:200_000])
    name = page[1].decode("ascii", "replace").strip() if page else ""
    number = re.search(r"\d+$", name)
    stated = (known(number[0] if number[0] in ("936", "950") else f"cp{number[0]}") if number else "") or known(name)
    if not lines:
        return stated or "utf-8"
    if stated != "gb18030" and all(_is(line, "utf-8") for line in lines):
        return "utf-8"
    if stated in ("", "cp1252") and _looks_chinese(lines):
        return "gb18030"
    return fitting(lines, stated)


def _is(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _looks_chinese(lines: list[bytes]) -> bool:
    """True if all bytes beyond ASCII are characters of GB 2312, where Western text has single letters among ASCII."""
    return all(_is(line, "gb2312") for line in lines) and any(
        re.search(rb"[\xb0-\xf7][\xa1-\xfe]{3}", line) for line in lines
    )
