"""The sealed opinion: one JSON file with everything an opinion says and everything it was computed from.

::

    {"format": "planner.review.opinion", "schema": 1,
     "content": {…},            what is sealed
     "seal": "…",               SHA-256 of the content's canonical form (:mod:`canonical`)
     "parts": {"findings[3]": "…"},   SHA-256 of every entry of the content: they name what was changed
     "files": {"…": {"name", "size", "data"}},   drawings and pictures by SHA-256 (the content names it), gzip + base64
     "signatures": [{…}],       who signed the seal; each holds the seal and a hash of itself and those before it
     "checksum": "…"}           SHA-256 of all the above: any changed byte is seen, in what is not sealed too

The seal proves that nothing was changed since somebody wrote the seal's hash down: on the printed opinion, in the
project's signatures. It is no personal electronic signature: nobody's key is behind it.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import io
import json
import platform
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from planner_app import __version__
from planner_app.domain.errors import PlannerError
from plugins.review.model.cases.records import SignOff
from plugins.review.model.checking.types import Check
from plugins.review.model.drawing.types import Note
from plugins.review.model.opinion.canonical import canonical, digest, parts, plain
from plugins.review.model.opinion.sections import record_json, sections, without
from plugins.review.model.opinion.types import Opinion, Subject

FORMAT, SCHEMA = "planner.review.opinion", 1
#: Bytes of a drawing that is embedded at most; a larger one is named by its hash and stays in the project.
MOST_EMBEDDED = 64 << 20
_MOST_FILE, _PIECE = 1 << 30, 1 << 20
_MODEL = Path(__file__).resolve().parents[1]
_HASH_FIELDS = ("role", "name", "verdict", "time", "remark", "seal")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed opinion in memory.

    Attributes:
        content: JSON types; seal: its SHA-256; files: (name, bytes) by SHA-256; signatures: as in the file.
    """

    content: Mapping[str, Any]
    seal: str
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    signatures: tuple[Mapping[str, Any], ...] = ()

    @property
    def signed(self) -> bool:
        """Somebody has signed."""
        return bool(self.signatures)


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a sealed opinion is unchanged. ``problems``: what is not as it was sealed, as notes."""

    ok: bool
    seal: str
    number: str = ""
    made: str = ""
    program: str = ""
    signatures: tuple[Mapping[str, Any], ...] = ()
    problems: tuple[Note, ...] = ()


def seal(opinion: Opinion) -> Sealed:
    """Seal an opinion."""
    content = sealed_content(opinion)
    files = {
        sha: (_file_name(opinion, sha), data)
        for sha, data in opinion.inputs.drawings.items()
        if len(data) <= MOST_EMBEDDED
    }
    for number, shot in enumerate(opinion.shots, start=1):
        suffix = "svg" if shot.media.endswith("svg+xml") else "png"
        files[hashlib.sha256(shot.data).hexdigest()] = (f"{shot.kind}-{shot.key or number}.{suffix}", shot.data)
    return sign_sealed(Sealed(content, digest(content), files), opinion.signoffs)


def sign_sealed(sealed: Sealed, signoffs: Sequence[SignOff]) -> Sealed:
    """The same opinion with these signatures; those under another seal are left out."""
    signatures: list[dict[str, Any]] = []
    before = sealed.seal
    for one in signoffs:
        if one.seal == sealed.seal:
            entry = {name: getattr(one, name) for name in _HASH_FIELDS}
            before = digest([before, entry])
            signatures.append(entry | {"hash": before})
    return replace(sealed, signatures=tuple(signatures))


def _file_name(opinion: Opinion, sha256: str) -> str:
    records = [opinion.subject.record, *([opinion.approved.record] if opinion.approved else [])]
    return next((one.file_name for one in records if one.sha256 == sha256), sha256)


def sealed_content(opinion: Opinion) -> dict[str, Any]:
    """What is sealed, as JSON types; the same for the same opinion whether or not its files are embedded."""
    inputs, check = opinion.inputs, opinion.check
    content = {
        "about": {
            "kind": opinion.kind, "number": opinion.number, "made": opinion.made, "made_by": opinion.made_by,
            "project": opinion.project, "crs": opinion.crs, "supersedes": opinion.supersedes, "program": program(),
        },
        **subject_json(opinion.subject),
        **sections(
            opinion.case, opinion.subject.record, opinion.chain, opinion.threads, opinion.markups, opinion.reports
        ),
        "conditions": opinion.conditions,
        "approved": subject_json(opinion.approved) if opinion.approved else None,
        "as_built": opinion.as_built,
        "check": check_json(check),
        "findings": check.findings,
        "rows": check.rows,
        "rules": plain(inputs.rules, exact=True),
        "conventions": plain(list(inputs.conventions.values()), exact=True),
        "area_rules": plain(inputs.rule_sets.area, exact=True),
        "city_rules": plain(inputs.rule_sets.cities, exact=True),
        "surroundings": plain(inputs.surroundings, exact=True),
        "context": {"city": inputs.city, "answers": inputs.answers, "parcel_areas": inputs.parcel_areas},
        "settings": inputs.settings,
        "pictures": [
            {"kind": shot.kind, "key": shot.key, "media": shot.media, "sha256": hashlib.sha256(shot.data).hexdigest()}
            for shot in opinion.shots
        ],
    }  # fmt: skip
    made: dict[str, Any] = plain(content)
    made["inputs"] = {
        "drawing": opinion.subject.record.sha256,
        "approved_drawing": opinion.approved.record.sha256 if opinion.approved else None,
        "parcel": _hash(made["surroundings"]["parcel"] or (made["conditions"] or {}).get("wkb")),
        "transformation": _hash(made["settings"]),
        **{
            key: _hash(made[key])
            for key in ("conditions", "rules", "area_rules", "city_rules", "surroundings", "conventions")
        },
    }
    return made


def _hash(data: Any) -> str | None:
    """SHA-256 of an input; None where there is none."""
    return digest(data) if data else None


def subject_json(subject: Subject) -> dict[str, Any]:
    """One drawing as read and measured."""
    plan, indicators = subject.plan, subject.indicators
    return {
        "drawing": record_json(subject.record),
        "reading": reading_json(subject),
        "repairs": plain(plan.repairs),
        "indicators": plain(indicators.values),
        "buildings": plain(indicators.buildings),
        "setbacks": plain(indicators.setbacks),
        "spacings": plain(indicators.spacings),
        "measured": plain(without(indicators, "values", "buildings", "setbacks", "spacings")),
    }


def check_json(check: Check) -> dict[str, Any]:
    """The check beside its findings and rows."""
    return without(check, "findings", "rows")


def reading_json(subject: Subject) -> dict[str, Any]:
    """How the drawing was understood; its elements as a count and a hash."""
    elements = plain(subject.plan.elements)
    return {
        **without(subject.plan, "elements", "repairs"),
        "elements": len(elements),
        "elements_sha256": digest(elements),
        "entities": subject.entities,
        "drawing_notes": plain(subject.drawing_notes),
    }


def program() -> dict[str, str]:
    """What computed the result: the program and the libraries whose versions may move a last digit."""
    from importlib.metadata import PackageNotFoundError, version

    import shapely

    found = {"name": "planner", "version": __version__, "code": _code(), "python": platform.python_version()}
    for name in ("shapely", "numpy", "pyproj", "ezdxf", "ezdwg", "ifcopenshell", "pypdfium2"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found | {"geos": shapely.geos_version_string}


@cache
def _code() -> str:
    """SHA-256 over the review's own code: two builds of one version may read an arc in different steps."""
    found = hashlib.sha256()
    for path in sorted(_MODEL.rglob("*.py")):
        found.update(path.relative_to(_MODEL).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


# ---------------------------------------------------------------- as a file


def sealed_bytes(sealed: Sealed) -> bytes:
    """The sealed opinion as a file's content."""
    envelope = {
        "format": FORMAT,
        "schema": SCHEMA,
        "content": sealed.content,
        "seal": sealed.seal,
        "parts": parts(sealed.content),
        "files": {sha: _packed(name, data) for sha, (name, data) in sealed.files.items()},
        "signatures": list(sealed.signatures),
    }
    return _layout({**envelope, "checksum": digest(envelope)})


def _layout(envelope: Mapping[str, Any]) -> bytes:
    text = json.dumps(envelope, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    return (text + "\n").encode("utf-8")


def _packed(name: str, data: bytes) -> dict[str, Any]:
    packed = gzip.compress(data, 9, mtime=0)
    return {"name": name, "size": len(data), "data": base64.b64encode(packed).decode("ascii")}


def read_sealed(source: Path | bytes) -> Sealed:
    """A sealed opinion from its file, unchanged or refused.

    Raises:
        PlannerError: ``review.seal_unreadable``, ``review.seal_foreign``, ``review.seal_newer``,
            ``review.seal_broken``.
    """
    envelope, problems, _ = _examine(source)
    if problems:
        named = ", ".join(str(params.get("part", params.get("file", ""))) or code for code, params in problems[:6])
        raise PlannerError("review.seal_broken", file=_name(source), parts=named)
    files = {sha: (str(entry["name"]), _unpacked(entry)) for sha, entry in envelope["files"].items()}
    return Sealed(envelope["content"], envelope["seal"], files, tuple(envelope["signatures"]))


def verify_sealed(source: Path | bytes, *, expected: str = "") -> Verification:
    """Whether a sealed opinion is what was sealed; any changed byte is found and the entry named.

    Args:
        source: the file or its content.
        expected: the seal as printed on the opinion or kept elsewhere; empty: the file is only checked in itself.

    Raises:
        PlannerError: ``review.seal_unreadable``, ``review.seal_foreign`` (no sealed opinion at all),
            ``review.seal_newer`` (made by a later version).
    """
    envelope, problems, _ = _examine(source)
    found = str(envelope.get("seal", ""))
    if expected and expected.strip().lower() != found:
        problems.append(("review.seal_other", {"expected": expected.strip().lower(), "seal": found}))
    content = envelope.get("content")
    about = content.get("about") if isinstance(content, dict) else None
    about = about if isinstance(about, dict) else {}
    signatures = envelope.get("signatures")
    made_with = about.get("program")
    return Verification(
        not problems,
        found,
        str(about.get("number", "")),
        str(about.get("made", "")),
        str(made_with.get("version", "")) if isinstance(made_with, dict) else "",
        tuple(one for one in signatures if isinstance(one, dict)) if isinstance(signatures, list) else (),
        tuple(problems),
    )


def _name(source: Path | bytes) -> str:
    return source.name if isinstance(source, Path) else "JSON"


def _examine(source: Path | bytes) -> tuple[dict[str, Any], list[Note], bytes]:
    """(what stands in the file, what is wrong with it, its bytes)."""
    name = _name(source)
    try:
        if isinstance(source, Path) and source.stat().st_size > _MOST_FILE:
            raise PlannerError("review.seal_foreign", file=name)
        raw = source.read_bytes() if isinstance(source, Path) else source
    except OSError as error:
        raise PlannerError("review.seal_unreadable", file=name, detail=error.strerror or str(error)) from error
    try:
        envelope = json.loads(raw)
    except (ValueError, RecursionError) as error:
        if FORMAT.encode() not in raw and not raw.startswith(b'{\n "checksum": "'):
            raise PlannerError("review.seal_foreign", file=name) from error
        at = getattr(error, "lineno", getattr(error, "start", 0))
        return {}, [("review.seal_torn", {"line": at})], raw
    if not isinstance(envelope, dict) or envelope.get("format") != FORMAT:
        if FORMAT.encode() not in raw:
            raise PlannerError("review.seal_foreign", file=name)
        return envelope if isinstance(envelope, dict) else {}, [("review.seal_part", {"part": "format"})], raw
    if isinstance(envelope.get("schema"), int) and envelope["schema"] > SCHEMA:
        raise PlannerError("review.seal_newer", file=name, schema=envelope["schema"])
    try:
        return envelope, _problems(envelope, raw), raw
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        return envelope, [("review.seal_part", {"part": str(error)[:80]})], raw


def _problems(envelope: Mapping[str, Any], raw: bytes) -> list[Note]:
    content, problems = envelope["content"], list[Note]()
    named = {str(key): str(value) for key, value in envelope["parts"].items()}
    now = parts(content)
    for part in dict.fromkeys([*named, *now]):
        if part not in now:
            problems.append(("review.seal_part_gone", {"part": part}))
        elif part not in named:
            problems.append(("review.seal_part_added", {"part": part}))
        elif named[part] != now[part]:
            problems.append(("review.seal_part", {"part": part}))
    if digest(content) != envelope["seal"]:
        if not problems:
            problems.append(("review.seal_part", {"part": "seal"}))
    elif problems:  # the content is what was sealed: the list of its parts was changed
        problems = [("review.seal_part", {"part": "parts"})]
    for sha, entry in envelope["files"].items():
        try:
            good = hashlib.sha256(_unpacked(entry)).hexdigest() == sha
        except (ValueError, KeyError, TypeError):
            good = False
        if not good:
            name = entry.get("name", sha) if isinstance(entry, Mapping) else sha
            problems.append(("review.seal_file", {"file": str(name), "sha256": sha}))
    before = envelope["seal"]
    for number, entry in enumerate(envelope["signatures"], start=1):
        before = digest([before, {key: entry[key] for key in _HASH_FIELDS}])
        if entry["hash"] != before or entry["seal"] != envelope["seal"] or len(entry) != len(_HASH_FIELDS) + 1:
            problems.append(("review.seal_signature", {"number": number, "name": str(entry["name"])}))
    rest = {key: value for key, value in envelope.items() if key != "checksum"}
    if not problems and (digest(rest) != envelope["checksum"] or _layout(envelope) != raw):
        problems.append(("review.seal_frame", {}))
    return problems


def _unpacked(entry: Mapping[str, Any]) -> bytes:
    """The file behind an entry; never more than it says, whatever the packed data hold."""
    size = int(entry["size"])
    try:
        packed = base64.b64decode(entry["data"], validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            data = bytearray()
            while len(data) <= size and (piece := file.read(_PIECE)):
                data += piece
    except (zlib.error, EOFError, OSError) as error:
        raise ValueError(str(error)) from error
    if len(data) != size:
        raise ValueError("size")
    return bytes(data)


__all__ = [
    "FORMAT", "MOST_EMBEDDED", "SCHEMA", "Sealed", "Verification", "canonical", "program", "read_sealed", "seal",
    "sealed_bytes", "sealed_content", "sign_sealed", "subject_json", "verify_sealed",
]  # fmt: skip
