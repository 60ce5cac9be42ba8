"""What a project and the city server tell each other, whatever carries it.

Cells travel as text that gives back the same bits (:mod:`planner_app.sync.cells`), geometries as WKB, records by UUID.
A layer's UUID names it everywhere; its table's name is a matter of each file and of the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from planner_app.domain.layer import FieldInfo, Geometry

Operation = Literal["insert", "update", "delete"]
Role = Literal["viewer", "planner", "reviewer", "operator", "admin"]
#: Version of what is said here; a server that speaks another refuses, and says which program is too old.
PROTOCOL = 1
#: Name of the geometry among a row's changed columns.
GEOMETRY = "geom"


@dataclass(frozen=True, slots=True)
class ProjectDef:
    """A project as it is registered. ``crs``: ``EPSG:n`` or WKT of a local system."""

    uuid: str
    name: str
    crs: str


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Who answers and as whom we speak. ``projects``: those this user may see."""

    version: str
    protocol: int
    user: str
    role: Role
    projects: tuple[ProjectDef, ...] = ()


@dataclass(frozen=True, slots=True)
class LayerDef:
    """A layer's definition.

    Attributes:
        uuid: names it everywhere; table: the name it has where it comes from (a wish elsewhere).
        fields: its own attributes in order; they are only ever added (a retired one stays, empty for new rows).
        cells: ``name plan_id role class_field class_standard label_field source source_crs locked extra style``;
            ``locked`` is ``true`` or ``false``, ``extra`` a JSON object, ``style`` QML. All are there for an insert.
    """

    uuid: str
    table: str
    geometry: Geometry
    has_z: bool
    multi: bool
    fields: tuple[FieldInfo, ...] = ()
    cells: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DefChange:
    """A change of the registry: a plan (``key``: its id) or a layer (``key``: its UUID).

    ``cells``: changed ones as text (all of them for an insert). ``layer``: for a layer's insert its definition with
    all fields, for an update one with the fields to add (``fields``) or none. A delete retires; nothing is dropped.
    """

    kind: Literal["plan", "layer"]
    key: str
    operation: Operation
    cells: Mapping[str, str | None] = field(default_factory=dict)
    layer: LayerDef | None = None


@dataclass(frozen=True, slots=True)
class RowChange:
    """A record's change on its way to the server; at most one per record and push.

    ``cells``: changed attributes as text, None for NULL (all that are not NULL for an insert). ``geometry``: WKB, or
    None for NULL; it counts only with ``has_geometry``. An insert says the whole record, also of one that is there.
    """

    layer: str
    uuid: str
    operation: Operation
    cells: Mapping[str, str | None] = field(default_factory=dict)
    geometry: bytes | None = None
    has_geometry: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some whole records of a layer by columns: UUIDs, WKB, values of all fields as SQLite stores them.

    A column of numbers without NULL may be an array of type "d" or "q". ``size``: about how many bytes they are.
    """

    uuids: Sequence[str]
    shapes: Sequence[bytes | None]
    columns: Sequence[Sequence[object]]
    size: int = 0

    @staticmethod
    def of(rows: Iterable[tuple[str, bytes | None, Sequence[object]]], fields: int = 0) -> Page:
        """A page of single records. ``fields``: how many values each has, should there be none."""
        made = list(rows)
        shapes = [row[1] for row in made]
        columns: list[Sequence[object]] = list(zip(*(row[2] for row in made), strict=True)) if made else [()] * fields
        return Page([row[0] for row in made], shapes, columns, sum(len(shape or b"") + 36 for shape in shapes))

    def rows(self) -> Iterator[tuple[str, bytes | None, Sequence[object]]]:
        """Record by record."""
        values: Iterable[Sequence[object]] = zip(*self.columns, strict=True) if self.columns else [()] * len(self.uuids)
        return zip(self.uuids, self.shapes, values, strict=True)

    def rest(self, start: int) -> Page:
        """Without the first records."""
        return Page(self.uuids[start:], self.shapes[start:], [column[start:] for column in self.columns], self.size)


@dataclass(frozen=True, slots=True)
class RemoteRow:
    """A record as the server has it now, for somebody who last looked some revisions ago.

    ``gone``: deleted, out of the asker's rights or out of the asker's area. ``changed``: columns that changed since
    (``geom`` among them), None: all (a new record). ``cells`` and ``geometry`` hold the changed ones.
    """

    uuid: str
    revision: int
    gone: bool = False
    changed: frozenset[str] | None = None
    cells: Mapping[str, str | None] = field(default_factory=dict)
    geometry: bytes | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """A command behind a push, for the audit: its name, parameters (JSON), time (claimed by the client) and rows."""

    command: str
    params: str
    time: str
    rows: int


@dataclass(frozen=True, slots=True)
class PushHeader:
    """One push. ``push_id``: a UUID that makes a retry harmless. ``seen``: the revision merged into what is pushed.

    ``rows``: how many :class:`RowChange` are staged. ``digest``: the sender's mark of the content; what is staged under
    the same id with another mark is thrown away.
    """

    push_id: str
    project: str
    client_id: str
    seen: int
    rows: int
    digest: str
    why: tuple[Why, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A record or definition that the server does not take: ``code`` (``sync.refused_*``) and parameters tell why."""

    layer: str
    uuid: str
    code: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PushResult:
    """What became of a push.

    Attributes:
        behind: nothing was taken: others changed some of its records after ``seen``; pull, merge, push again.
        revision, chain: of the revision made (0 and empty if nothing changed).
        applied: records changed. refused: those that were not; the others were.
    """

    behind: bool = False
    revision: int = 0
    chain: str = ""
    applied: int = 0
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What a file holds of a project: layers by UUID (None: all) and an area (xmin, ymin, xmax, ymax).

    A record is in the area if its extent touches it (borders count), or if it has no geometry.
    """

    layers: frozenset[str] | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class LayerRight:
    """What the user may do with a layer. ``columns``: the only ones that may be changed (None: all).

    ``district``: WKB of the area that records must lie in to be changed; None: anywhere.
    """

    layer: str
    read: bool
    write: bool
    columns: frozenset[str] | None = None
    district: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rights:
    """All rights of the user in a project. ``stamp`` changes when somebody changes them; ``add_layers``: may he."""

    role: Role
    stamp: str
    add_layers: bool
    layers: Mapping[str, LayerRight] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Revision:
    """An entry of the audit: who, when (the server's clock, ISO 8601 UTC), from where, why, how much."""

    revision: int
    chain: str
    time: str
    user: str
    address: str
    client_id: str
    message: str
    rows: int
    why: tuple[Why, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A record's change in a revision: the changed cells before and after, as text; geometries as WKB."""

    revision: int
    layer: str
    uuid: str
    operation: Operation
    before: Mapping[str, str | None]
    after: Mapping[str, str | None]
    geometry_before: bytes | None = None
    geometry_after: bytes | None = None


@dataclass(frozen=True, slots=True)
class Blob:
    """An attachment's head. ``chunks``: how many pieces of 1 MiB it has."""

    sha256: str
    name: str
    media_type: str
    size: int
    chunks: int


@dataclass(frozen=True, slots=True)
class Head:
    """Where a project stands: newest revision, its chain value, and the chain value at the revision asked about."""

    revision: int
    chain: str
    chain_at: str


Layers = Sequence[LayerDef]
