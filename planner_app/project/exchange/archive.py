"""ZIP archives: unpacked into a folder of their own, then read as what they hold."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from planner_app.domain.errors import PlannerError
from planner_app.project.exchange.source import SUFFIXES, Chunk, Source, SourceInfo, SourceLayer, open_here

#: Unpacked size above which an archive is refused, bytes.
MOST_BYTES = 20_000_000_000
_READABLE = {*SUFFIXES["vector"], *SUFFIXES["drawing"], *SUFFIXES["table"]} - {".xml"}


class ArchiveSource:
    """The files of an archive, each with its layers."""

    def __init__(self, path: Path, encoding: str = "") -> None:
        self.path = path
        self._folder = tempfile.TemporaryDirectory(prefix="planner-import-")
        root = Path(self._folder.name)
        try:
            self._unpack(root)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise PlannerError("import.unreadable", file=path.name, detail=str(error)) from error
        found = [file for file in sorted(root.rglob("*")) if file.suffix.casefold() in _READABLE]
        files = [file for file in found if ".gdb" not in {parent.suffix.casefold() for parent in file.parents}]
        if not files:
            raise PlannerError("import.archive_empty", file=path.name, known=", ".join(sorted(_READABLE)))
        self._sources = {file: open_here(file, encoding) for file in files}
        self._owner: dict[str, tuple[Source, SourceLayer]] = {}

    def _unpack(self, root: Path) -> None:
        with zipfile.ZipFile(self.path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if sum(member.file_size for member in members) > MOST_BYTES:
                raise PlannerError("import.archive_too_large", file=self.path.name, gigabytes=MOST_BYTES / 1e9)
            for member in members:
                name = PurePosixPath(_name(member).replace("\\", "/"))
                if name.is_absolute() or ".." in name.parts or name.parts[0] == "__MACOSX":
                    continue
                target = root.joinpath(*name.parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as packed, target.open("wb") as out:
                    shutil.copyfileobj(packed, out)

    def info(self) -> SourceInfo:
        """All layers of all files."""
        infos = {file: source.info() for file, source in self._sources.items()}
        layers = []
        for file, info in infos.items():
            for layer in info.layers:
                taken = layer.name in self._owner
                shown = replace(layer, name=f"{file.stem} {layer.name}" if taken else layer.name)
                self._owner[shown.name] = (self._sources[file], layer)
                layers.append(shown)
        warnings = tuple(warning for info in infos.values() for warning in info.warnings)
        first = next(iter(infos.values()))
        return SourceInfo(self.path, f"{first.format} (ZIP)", tuple(layers), first.encoding, warnings)

    def read(self, layer: SourceLayer) -> Iterator[Chunk]:
        """Features of one of the layers."""
        source, own = self._owner[layer.name]
        yield from source.read(own)


def _name(member: zipfile.ZipInfo) -> str:
    """A member's name; without the UTF-8 flag Chinese programs write GBK, which zipfile takes for code page 437."""
    if member.flag_bits & 0x800:
        return member.filename
    raw = member.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename
