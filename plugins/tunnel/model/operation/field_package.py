"""The field package: one file with what people need underground and what they write there, without this program.

``X.fieldpkg`` is a ZIP file (entries stored or deflated, none encrypted) with these entries and no others, the JSON in
UTF-8:

``manifest.json``
    ``{"format": "planner-fieldpkg", "version": 2, "id": uuid, "project": name, "crs": "EPSG:4549", "day": ISO date,
    "made_at": moment, "made_by": name, "base_sha256": SHA-256 of base.json}``
``about.json``
    For reading only: ``tunnels`` (code, name, from_m, to_m, compartments, ``axis``: [m, x, y, z] in the CRS),
    ``sections``, ``assets`` (table, code, kind, tunnel, m, compartment), ``rounds`` (plan, opens, due, state, covered),
    ``defect_codes`` and ``grades`` with their names. ``entry``: what a gas test before entry is judged by (kind, gas,
    low, high, inclusive, max_min, unit, title, standard, clause).
``base.json``
    What was handed out: ``{table: {uuid: {column: value}}}``. Never changed.
``data.json``
    The same, as the field has it now. New rows get a UUID (RFC 9562, lower case); rows are changed or added, never
    removed (a row left out is as it was). Tables people may write: inspection, observation, defect, defect_examination,
    work_order (its ``permit``, ``gas_tests``, ``steps``, ``status`` with an entry of ``life`` for each step taken,
    ``result`` and ``photo``; version 1 had no work orders).
    Columns are those of ``records.py``: moments ISO 8601 with zone, chainages m, photos the SHA-256 of an entry.
``media/<sha256>``
    Photos (JPEG, PNG, WebP), named by the SHA-256 of their content, in lower case.

Whoever writes a package replaces the file as a whole. ``number`` is given at the desk and stays empty in new rows.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

from planner_app.domain.errors import PlannerError
from plugins.tunnel.model.operation import tables
from plugins.tunnel.model.operation.rounds import photo_type
from plugins.tunnel.model.operation.tables import Table

FORMAT, VERSION = "planner-fieldpkg", 2
#: Tables of a package; those the field may write.
READ_ONLY: tuple[Table[Any], ...] = (tables.PLANS,)
WRITABLE: tuple[Table[Any], ...] = (
    tables.INSPECTIONS, tables.OBSERVATIONS, tables.DEFECTS, tables.EXAMINATIONS, tables.ORDERS,
)  # fmt: skip
BY_NAME = {table.name: table for table in (*READ_ONLY, *WRITABLE)}

Rows = dict[str, dict[str, dict[str, Any]]]
"""table → uuid → column → JSON value."""

_JSON = ("manifest.json", "about.json", "base.json", "data.json")
_MEDIA = re.compile(r"media/([0-9a-f]{64})")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MIB = 1 << 20
#: Bounds: bytes of the file, of its directory, of a JSON entry, of a photo, of all photos unpacked; entries; characters
#: of a text; columns of a row's nested value as JSON.
_FILE, _DIRECTORY, _TEXT_ENTRY, _PHOTO, _PHOTOS, _ENTRIES = 2 << 30, 8 * _MIB, 64 * _MIB, 64 * _MIB, 2 << 30, 20_000
_CHARACTERS, _NESTED = 20_000, 65_536


@dataclass
class Package:
    """A package as it was read, or as it will be written. ``media``: SHA-256 of every photo in the file ``path``;
    ``new_media``: photos to be added."""

    manifest: dict[str, Any]
    about: dict[str, Any]
    base: Rows
    data: Rows
    path: Path | None = None
    media: frozenset[str] = frozenset()
    new_media: dict[str, bytes] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Identity of the package."""
        return str(self.manifest["id"])

    def photo(self, sha256: str) -> bytes:
        """Content of a photo.

        Raises:
            PlannerError: ``tunnel.field_media`` if it is missing or its hash is another.
        """
        if sha256 in self.new_media:
            return self.new_media[sha256]
        if self.path is None or sha256 not in self.media:
            raise PlannerError("tunnel.field_media", file=self.path.name if self.path else "", sha256=sha256[:12])
        with _opened(self.path) as archive:
            return _photo(archive, self.path, sha256)


def new_package(project: str, crs: str, day: str, by: str, at: str, about: dict[str, Any], rows: Rows) -> Package:
    """A package to be handed out."""
    manifest = {
        "format": FORMAT, "version": VERSION, "id": str(uuid4()), "project": project, "crs": crs, "day": day,
        "made_at": at, "made_by": by, "base_sha256": "",
    }  # fmt: skip
    return Package(manifest, about, rows, json.loads(json.dumps(rows)))


# ---------------------------------------------------------------- reading


def read_package(path: Path) -> Package:
    """A package with everything in it checked: entries, bounds, hashes, tables, values.

    Raises:
        PlannerError: ``tunnel.field_unreadable`` (no such file, no package, damaged), ``tunnel.field_version``,
            ``tunnel.field_entry``, ``tunnel.field_large``, ``tunnel.field_hash``, ``tunnel.field_row``.
    """
    try:
        with _opened(path) as archive:
            names = _entries(archive, path)
            texts = {name: _text(archive, path, name) for name in _JSON}
            manifest = _object(texts["manifest.json"], path, "manifest.json")
            if manifest.get("format") != FORMAT:
                _unreadable(path, "manifest.json")
            if manifest.get("version") not in range(1, VERSION + 1):
                raise PlannerError("tunnel.field_version", file=path.name, version=manifest.get("version"))
            if not isinstance(manifest.get("id"), str) or not _UUID.fullmatch(manifest["id"]):
                _unreadable(path, "manifest.json: id")
            if hashlib.sha256(texts["base.json"]).hexdigest() != manifest.get("base_sha256"):
                raise PlannerError("tunnel.field_hash", file=path.name, entry="base.json")
            media = frozenset(found[1] for name in names if (found := _MEDIA.fullmatch(name)))
            for sha256 in media:
                _photo(archive, path, sha256)
            about = _object(texts["about.json"], path, "about.json")
            base, data = (_rows(_object(texts[name], path, name), path, name) for name in ("base.json", "data.json"))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, struct.error) as error:
        raise PlannerError("tunnel.field_unreadable", file=path.name, detail=str(error)) from error
    except OSError as error:
        raise PlannerError("tunnel.field_unreadable", file=path.name, detail=error.strerror or str(error)) from error
    return Package(manifest, about, base, data, path, media)


def _opened(path: Path) -> zipfile.ZipFile:
    """The archive, once its directory is known to be small: a ZIP of a few bytes may claim millions of entries."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size > _FILE:
            raise PlannerError("tunnel.field_large", file=path.name, entry=path.name, most=_FILE // _MIB)
        file.seek(max(0, size - 65_557))
        tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        _unreadable(path, "ZIP")
    count, directory = struct.unpack("<HI", tail[end + 10 : end + 16])
    if count > _ENTRIES or directory > _DIRECTORY or b"PK\x06\x07" in tail[max(0, end - 20) : end]:
        raise PlannerError("tunnel.field_large", file=path.name, entry="ZIP", most=_DIRECTORY // _MIB)
    return zipfile.ZipFile(path)


def _entries(archive: zipfile.ZipFile, path: Path) -> list[str]:
    """Names of the entries: known ones, each once, of bearable size."""
    names: list[str] = []
    total = 0
    for info in archive.infolist():
        if info.filename == "media/" and info.file_size == 0:
            continue
        known = info.filename in _JSON or _MEDIA.fullmatch(info.filename)
        if not known or info.filename in names or info.flag_bits & 1:
            raise PlannerError("tunnel.field_entry", file=path.name, entry=info.filename[:80])
        most = _TEXT_ENTRY if info.filename in _JSON else _PHOTO
        total += info.file_size
        if info.file_size > most or total > _PHOTOS:
            raise PlannerError("tunnel.field_large", file=path.name, entry=info.filename, most=most // _MIB)
        names.append(info.filename)
    for name in _JSON:
        if name not in names:
            _unreadable(path, name)
    return names


def _read(archive: zipfile.ZipFile, path: Path, name: str, most: int) -> bytes:
    """An entry's content; what it says of its size is not trusted."""
    with archive.open(name) as entry:
        data = entry.read(most + 1)
    if len(data) > most:
        raise PlannerError("tunnel.field_large", file=path.name, entry=name, most=most // _MIB)
    return data


def _text(archive: zipfile.ZipFile, path: Path, name: str) -> bytes:
    return _read(archive, path, name, _TEXT_ENTRY)


def _photo(archive: zipfile.ZipFile, path: Path, sha256: str) -> bytes:
    data = _read(archive, path, f"media/{sha256}", _PHOTO)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise PlannerError("tunnel.field_hash", file=path.name, entry=f"media/{sha256[:12]}…")
    if not photo_type(data):
        raise PlannerError("tunnel.field_entry", file=path.name, entry=f"media/{sha256[:12]}…")
    return data


def _object(data: bytes, path: Path, name: str) -> dict[str, Any]:
    def constant(text: str) -> NoReturn:
        raise ValueError(text)

    try:
        found = json.loads(data.decode("utf-8"), parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise PlannerError("tunnel.field_unreadable", file=path.name, detail=f"{name}: {error}") from error
    if not isinstance(found, dict):
        _unreadable(path, name)
    return found


def _unreadable(path: Path, what: str) -> NoReturn:
    raise PlannerError("tunnel.field_unreadable", file=path.name, detail=what)


def _rows(found: Mapping[str, Any], path: Path, name: str) -> Rows:
    """Rows of known tables with values of their columns' types; columns nobody knows are left out."""
    made: Rows = {}
    for table_name, its in found.items():
        table = BY_NAME.get(table_name)
        if table is None or not isinstance(its, dict):
            raise PlannerError("tunnel.field_entry", file=path.name, entry=f"{name}: {table_name[:80]}")
        made[table_name] = {}
        for uuid, values in its.items():
            if not _UUID.fullmatch(uuid) or not isinstance(values, dict):
                raise row_error(table, uuid, "uuid", uuid[:40])
            made[table_name][uuid] = {
                column: _value(table, uuid, column, value) for column, value in values.items() if column in table.kinds
            }
            try:
                table.from_plain(uuid, made[table_name][uuid])
            except PlannerError as error:
                raise row_error(table, uuid, "*", str(error.params.get("detail", ""))) from error
    return made


def _value(table: Table[Any], uuid: str, column: str, value: Any) -> Any:
    kind = table.column_type(column)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    well = (
        value is None
        or (kind == "text" and isinstance(value, str) and _is_text(value))
        or (kind == "integer" and isinstance(value, int) and number and abs(value) < 2**53)
        or (kind == "real" and number and abs(value) < 1e15 and math.isfinite(value))
        or (kind is None and isinstance(value, (list, dict)) and len(json.dumps(value)) <= _NESTED)
    )
    if not well:
        raise row_error(table, uuid, column, repr(value)[:40])
    return float(value) if kind == "real" and value is not None else value


def _is_text(value: str) -> bool:
    """Of bearable length, and what a database and XML can hold: no NUL, no halves of surrogate pairs."""
    return len(value) <= _CHARACTERS and "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)


def row_error(table: Table[Any], uuid: str, column: str, detail: str) -> PlannerError:
    """What is wrong with a row of a package."""
    return PlannerError(
        "tunnel.field_row", table=table.title, table_zh=table.title_zh, id=uuid[:40], column=column, detail=detail
    )


# ---------------------------------------------------------------- writing


def keep(package: Package, table: Table[Any], record: Any) -> None:
    """Write a record into the package's data; columns that others wrote and nobody knows here stay."""
    its = package.data.setdefault(table.name, {})
    its[record.id] = its.get(record.id, {}) | table.plain(record)


def write_package(package: Package, path: Path) -> None:
    """Write a package as a whole; the file appears complete or not at all, one that was there gives way.

    Raises:
        PlannerError: ``tunnel.field_not_written``.
    """
    base = json.dumps(package.base, ensure_ascii=False, sort_keys=True).encode()
    manifest = package.manifest | {"base_sha256": hashlib.sha256(base).hexdigest()}
    part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("manifest.json", _json(manifest))
            archive.writestr("about.json", _json(package.about))
            archive.writestr("base.json", base)
            archive.writestr("data.json", _json(package.data))
            for sha256 in sorted({*package.media, *package.new_media}):
                archive.writestr(f"media/{sha256}", package.photo(sha256), zipfile.ZIP_STORED)
        os.replace(part, path)
    except OSError as error:
        raise PlannerError("tunnel.field_not_written", file=str(path), detail=error.strerror or str(error)) from error
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    package.manifest, package.path = manifest, path
    package.media, package.new_media = package.media | set(package.new_media), {}


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False).encode()
