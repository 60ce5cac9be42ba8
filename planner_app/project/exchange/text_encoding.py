"""Which encoding a text is in: UTF-8 if it decodes strictly, else a Chinese code page if that does, else a guess."""

from __future__ import annotations

import struct
from pathlib import Path

from planner_app.domain.errors import PlannerError

#: Language driver ids of dBASE files that Chinese programs write.
_LDID = {0x4D: "gbk", 0x7A: "gbk", 0x4F: "big5", 0x78: "big5"}
_MOST_BYTES = 4_000_000
#: What .cpg files and people write → Python's name; empty: says nothing.
_ALIASES = {
    "ansi 936": "gbk", "936": "gbk", "cp936": "gbk", "gb2312": "gb18030", "gbk": "gb18030", "65001": "utf-8",
    "utf8": "utf-8", "oem": "", "system": "",
}  # fmt: skip


def detect(data: bytes) -> str:
    """``utf-8``, ``gb18030`` or whatever fits best; plain ASCII is ``utf-8``."""
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    for encoding in ("utf-8", "gb18030"):
        if _decodes(data, encoding):
            return encoding
    from charset_normalizer import from_bytes

    best = from_bytes(data[:200_000]).best()
    return str(best.encoding) if best is not None else "gb18030"


def _decodes(data: bytes, encoding: str) -> bool:
    """True if the bytes are that encoding; a character cut off at the very end does not count against it."""
    for cut in range(4):
        try:
            data[: len(data) - cut].decode(encoding)
        except UnicodeDecodeError as error:
            if error.start < len(data) - 4:
                return False
            continue
        return True
    return False


def known(encoding: str) -> str:
    """Python's name of an encoding a person or a .cpg file names; empty if there is none."""
    import codecs

    name = encoding.strip().strip("\x00").casefold()
    name = _ALIASES.get(name, name)
    try:
        return codecs.lookup(name).name if name else ""
    except LookupError:
        return ""


def read_text(path: Path, encoding: str = "") -> tuple[str, str]:
    """A text file and the encoding it was read in.

    Raises:
        PlannerError: ``import.encoding_unknown``, ``import.encoding_wrong``.
    """
    data = path.read_bytes()
    chosen = known(encoding) if encoding else detect(data)
    if not chosen:
        raise PlannerError("import.encoding_unknown", encoding=encoding)
    try:
        return data.decode(chosen), chosen
    except UnicodeDecodeError as error:
        raise PlannerError("import.encoding_wrong", file=path.name, encoding=chosen, at=error.start) from error


def dbf_encoding(shapefile: Path) -> tuple[str, str]:
    """(encoding of a Shapefile's attributes, encoding its .cpg or header wrongly names or "").

    The bytes decide: a named encoding in which they make no text is overruled.
    """
    dbf = next(
        (file for file in shapefile.parent.glob(f"{shapefile.stem}.*") if file.suffix.casefold() == ".dbf"), None
    )
    if dbf is None:
        return "", ""
    header, texts = _dbf_texts(dbf)
    cpg = next(
        (file for file in shapefile.parent.glob(f"{shapefile.stem}.*") if file.suffix.casefold() == ".cpg"), None
    )
    named = known(cpg.read_text(encoding="ascii", errors="ignore")) if cpg is not None else ""
    named = named or known(_LDID.get(header, ""))
    if named and all(_decodes(text, named) for text in texts[:5000]):
        return named, ""
    found = detect(b"\n".join(texts))
    return found, named


def _dbf_texts(dbf: Path) -> tuple[int, list[bytes]]:
    """(language driver id, field names and text cells as raw bytes) of the first megabytes of a dBASE file."""
    with dbf.open("rb") as file:
        data = file.read(_MOST_BYTES)
    if len(data) < 33:
        return 0, []
    records, head, width = struct.unpack_from("<IHH", data, 4)
    texts: list[bytes] = []
    columns: list[tuple[int, int]] = []
    at, offset = 32, 1
    while at + 32 <= min(head, len(data)) and data[at] != 0x0D:
        name, kind, length = data[at : at + 11].split(b"\0")[0], data[at + 11 : at + 12], data[at + 16]
        texts.append(name)
        if kind == b"C":
            length += data[at + 17] << 8
            columns.append((offset, length))
        offset += length
        at += 32
    for record in range(min(records, 20_000)):
        start = head + record * width
        if start + width > len(data):
            break
        texts += [data[start + left : start + left + size].rstrip(b" \0") for left, size in columns]
    return data[29], [text for text in texts if any(byte > 127 for byte in text)]
