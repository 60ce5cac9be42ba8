"""Zip files and XML from strangers: bounded, without paths that lead out, without entities."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.parsers import expat

from planner_app.domain.errors import PlannerError

#: Most files in a BCF file, bytes of all of them unpacked, and of one XML file.
MOST_FILES, MOST_BYTES, MOST_XML = 20_000, 512 << 20, 32 << 20
#: Above this many bytes a file may not be packed tighter than this.
_PLAIN, _TIGHTEST = 16 << 20, 200
_DEEPEST = 60


@dataclass(slots=True)
class Archive:
    """The files of a zip file in memory's reach, by name; what is read counts against one limit.

    Raises:
        PlannerError: ``review.bcf_unreadable``, ``review.bcf_bomb``, ``review.bcf_unsafe_name``,
            ``review.bcf_encrypted``.
    """

    file: str
    zip: zipfile.ZipFile
    names: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    taken: int = 0

    @classmethod
    def open(cls, path: Path | bytes, name: str = "") -> Archive:
        """Look at the list of files; nothing is unpacked yet."""
        file = name or (path.name if isinstance(path, Path) else "")
        try:
            archive = cls(file, zipfile.ZipFile(io.BytesIO(path) if isinstance(path, bytes) else path))
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise PlannerError("review.bcf_unreadable", file=file, detail=str(error)) from error
        entries = archive.zip.infolist()
        total = sum(entry.file_size for entry in entries)
        if len(entries) > MOST_FILES or total > MOST_BYTES:
            raise PlannerError("review.bcf_bomb", file=file, files=len(entries), size=total)
        for entry in entries:
            name = archive._safe(entry.filename)
            twin = archive.names.get(name)
            if twin is not None and (twin.CRC, twin.file_size) != (entry.CRC, entry.file_size):
                raise PlannerError("review.bcf_unreadable", file=file, detail=f"“{name[:200]}” ×2")
            if entry.file_size > _PLAIN and entry.file_size > _TIGHTEST * max(1, entry.compress_size):
                raise PlannerError("review.bcf_bomb", file=file, files=len(entries), size=entry.file_size)
            if not entry.is_dir():
                archive.names[name] = entry
        return archive

    def close(self) -> None:
        """Close the file."""
        self.zip.close()

    def read(self, name: str, most: int = MOST_BYTES) -> bytes:
        """The content of a file that is in it."""
        entry = self.names[name]
        if entry.flag_bits & 1:
            raise PlannerError("review.bcf_encrypted", file=self.file, name=name)
        limit = min(most, MOST_BYTES - self.taken)
        try:
            with self.zip.open(entry) as source:
                data = source.read(limit + 1)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
            raise PlannerError("review.bcf_unreadable", file=f"{self.file}/{name}", detail=str(error)) from error
        if len(data) > limit:
            raise PlannerError("review.bcf_bomb", file=self.file, files=len(self.names), size=len(data))
        self.taken += len(data)
        return data

    def xml(self, name: str) -> Element:
        """The root of an XML file that is in it."""
        return safe_xml(self.read(name, MOST_XML), f"{self.file}/{name}")

    def find(self, folder: str, reference: str) -> str:
        """The name of what a file in ``folder`` refers to; "" where it is not in the archive."""
        reference = reference.strip().replace("\\", "/")
        found = posixpath.normpath(posixpath.join(folder, reference)) if reference else ""
        return found if found in self.names else ""

    def _safe(self, name: str) -> str:
        plain = name.replace("\\", "/")
        if plain.startswith("/") or ":" in plain or "\x00" in plain or ".." in plain.split("/"):
            raise PlannerError("review.bcf_unsafe_name", file=self.file, name=name[:200])
        return posixpath.normpath(plain)


def safe_xml(data: bytes, name: str) -> Element:
    """Parse XML that may declare neither a document type nor entities.

    Raises:
        PlannerError: ``review.bcf_xml_unsafe``, ``review.bcf_xml_broken``.
    """

    def refuse(*_: object) -> None:
        raise PlannerError("review.bcf_xml_unsafe", file=name)

    depth = 0

    def down(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise PlannerError("review.bcf_xml_broken", file=name, detail=f"> {_DEEPEST}")

    def up(*_: object) -> None:
        nonlocal depth
        depth -= 1

    scout = expat.ParserCreate()
    scout.StartElementHandler, scout.EndElementHandler = down, up
    scout.StartDoctypeDeclHandler = refuse
    scout.EntityDeclHandler = refuse
    try:
        scout.Parse(data, True)
        root = fromstring(data)  # noqa: S314 - the scout found neither document type nor entities
    except (expat.ExpatError, ParseError, ValueError, LookupError, RecursionError) as error:
        raise PlannerError("review.bcf_xml_broken", file=name, detail=str(error)) from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]  # some programs put everything into a namespace
    return root
