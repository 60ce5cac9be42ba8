"""What the server in memory keeps of a project."""

from __future__ import annotations

from dataclasses import dataclass, field

from planner_app.sync.types import (
    Blob,
    DefChange,
    HistoryRow,
    LayerDef,
    ProjectDef,
    PushResult,
    Revision,
    RowChange,
)


@dataclass(frozen=True)
class Row:
    """A record: texts of all fields that are not NULL, WKB; when it was made and last changed."""

    cells: dict[str, str]
    geometry: bytes | None
    made: int
    revision: int


@dataclass
class Layer:
    definition: LayerDef
    rows: dict[str, Row] = field(default_factory=dict)
    made: int = 0
    changed: int = 0
    retired: bool = False


@dataclass
class Plan:
    cells: dict[str, str | None]
    made: int = 0
    changed: int = 0
    retired: bool = False


@dataclass
class Stage:
    owner: str
    digest: str
    definitions: list[DefChange] = field(default_factory=list)
    rows: list[RowChange] = field(default_factory=list)
    layers: dict[str, list[tuple[str, bytes | None, list[object]]]] = field(default_factory=dict)


@dataclass
class City:
    """A project on the server."""

    definition: ProjectDef
    revision: int = 0
    chains: list[str] = field(default_factory=lambda: [""])
    layers: dict[str, Layer] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    log: list[HistoryRow] = field(default_factory=list)
    lay: dict[tuple[int, str, str], bytes | None] = field(default_factory=dict)  # where a changed record lay
    defined: list[tuple[int, str, str]] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    pushes: dict[str, tuple[str, PushResult]] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)
    blobs: dict[str, Blob] = field(default_factory=dict)
    pieces: dict[str, dict[int, bytes]] = field(default_factory=dict)
    readings: dict[tuple[int, int], tuple[float | None, int, int]] = field(default_factory=dict)
    batch: int = 0
