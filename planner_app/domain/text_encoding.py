"""Which encoding a text is in: the bytes decide, a name in a file is only a hint.

UTF-8 if it decodes strictly and makes sense, else a Chinese code page if that decodes, else a statistical guess.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Sequence
from pathlib import Path

from planner_app.domain.errors import PlannerError

#: Language driver ids of dBASE files that Chinese programs write.
_LDID = {0x4D: "gbk", 0x7A: "gbk", 0x4F: "big5", 0x78: "big5"}
#: What people and .cpg files call encodings, beside Python's own names.
_NAMES = {
    "ansi 936": "gb18030", "936": "gb18030", "cp936": "gb18030", "gb2312": "gb18030", "gbk": "gb18030",
    "ansi 950": "big5", "950": "big5", "65001": "utf-8", "utf8": "utf-8", "88591": "iso-8859-1",
    "oem": "", "system": "",
}  # fmt: skip
_MOST_BYTES = 4_000_000
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def detect(data: bytes) -> str:
    """``utf-8``, ``gb18030`` or whatever fits best; plain ASCII is ``utf-8``."""
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    return marked or fitting([data])


def known(encoding: str) -> str:
    """Python's name of an encoding a person or a .cpg file names; empty if there is none."""
    name = encoding.strip().strip("\x00\ufeff").casefold()
    name = _NAMES.get(name, name)
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
    chosen = named(encoding) if encoding else detect(data)
    if chosen == "utf-8" and data.startswith(codecs.BOM_UTF8):
        chosen = "utf-8-sig"
    try:
        return data.decode(chosen), chosen
    except UnicodeDecodeError as error:
        raise PlannerError("import.encoding_wrong", file=path.name, encoding=chosen, at=error.start) from error


def named(encoding: str) -> str:
    """Python's name of an encoding a person chose.

    Raises:
        PlannerError: ``import.encoding_unknown``.
    """
    chosen = known(encoding)
    if not chosen:
        raise PlannerError("import.encoding_unknown", encoding=encoding)
    return chosen


def fixed_width(data: bytes, encoding: str) -> str:
    """The text of a cell of fixed width: a character cut off at its end is dropped, other rubbish shows as �."""
    return codecs.getincrementaldecoder(encoding)("replace").decode(data)


def dbf_encoding(shapefile: Path) -> tuple[str, str]:
    """(encoding of a Shapefile's attributes, the other one that its .cpg or header wrongly names or "")."""
    beside = {file.suffix.casefold(): file for file in shapefile.parent.glob(f"{_escaped(shapefile.stem)}.*")}
    if ".dbf" not in beside:
        return "", ""
    header, texts = _dbf_texts(beside[".dbf"])
    stated = known(beside[".cpg"].read_text(encoding="ascii", errors="ignore")) if ".cpg" in beside else ""
    stated = stated or known(_LDID.get(header, ""))
    if not texts:
        return stated or "utf-8", ""
    found = fitting(texts, stated)
    return found, stated if stated and found != stated else ""


def _escaped(stem: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in stem)


def fitting(texts: Sequence[bytes], stated: str = "") -> str:
    """The encoding all texts are in, the stated one if it is possible.

    Chinese in UTF-8 often decodes as GBK too (into rubbish), hardly ever the other way round: 联通 in GBK is valid
    UTF-8, but no Chinese in it. So UTF-8 wins if it yields Chinese.
    """
    utf8 = all(_decodes(text, "utf-8") for text in texts)
    if utf8 and (stated in ("", "utf-8") or any(_has_chinese(text) for text in texts)):
        shadowed = not stated and not any(_has_chinese(text) for text in texts) and _all_chinese(texts)
        return "gb18030" if shadowed else "utf-8"
    for candidate in (stated, "gb18030"):
        if candidate and candidate != "utf-8" and all(_decodes(text, candidate) for text in texts):
            return candidate
    from charset_normalizer import from_bytes

    best = from_bytes(b"\n".join(texts)[:200_000]).best()
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


def _has_chinese(data: bytes) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in data.decode("utf-8", "ignore"))


def _all_chinese(texts: Sequence[bytes]) -> bool:
    """True if every letter beyond ASCII would be common Chinese in GBK."""
    letters = [letter for text in texts for letter in text.decode("gb18030", "replace") if letter > "\x7f"]
    return bool(letters) and all("\u4e00" <= letter <= "\u9fff" for letter in letters)


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
