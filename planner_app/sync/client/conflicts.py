"""Cells that two people changed: what the file keeps of them, and the person's choice as a command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from planner_app.project import Command, Project, Transaction

#: ``cell``: both changed it, the server's value is shown. ``deleted_here``: deleted here, changed there; it is back.
#: ``deleted_there``: changed here, deleted (or out of reach) there; it was kept. ``layer``, ``plan``: a cell of the
#: registry.
ConflictKind = Literal["cell", "deleted_here", "deleted_there", "layer", "plan"]
Choice = Literal["mine", "theirs"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A cell, or a whole record, that waits for a choice.

    Attributes:
        layer: the layer's id here (empty for plans); layer_name: as people read it.
        uuid: of the record (of the layer, id of the plan for the registry); fid: its row here, None if it has none.
        column: the field, ``geom`` for the geometry, empty where the record as a whole is meant.
        base, mine, theirs: values as SQLite stores them, geometries as WKB. ``theirs`` is what the file shows.
        group: conflicts of columns that belong together (floor area and its ratio) have the same number, else 0.
        revision: the server's revision that brought ``theirs``.
    """

    id: int
    kind: ConflictKind
    layer: str
    layer_name: str
    uuid: str
    fid: int | None
    column: str
    base: Any
    mine: Any
    theirs: Any
    group: int
    revision: int


def conflicts(project: Project) -> list[Conflict]:
    """All that wait, in the order they came up."""
    raise NotImplementedError


@dataclass(frozen=True)
class ResolveConflicts(Command):
    """Settle conflicts: keep what the server has, write mine over it, or write edited values (by conflict id).

    The write is a normal edit, pushed by the next sync; undoing it brings the conflict back.
    """

    name: ClassVar[str] = "resolve_conflicts"
    ids: tuple[int, ...]
    choice: Choice
    values: Mapping[int, Any] = field(default_factory=dict)

    def params(self) -> dict[str, Any]:
        return {"count": len(self.ids), "choice": self.choice}

    def apply(self, tx: Transaction) -> None:
        raise NotImplementedError
