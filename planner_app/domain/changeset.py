"""What a command did: undo step, audit entry, revision diff and sync unit are this one thing read by four readers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Operation = Literal["insert", "update", "delete"]


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row's change. ``old`` and ``new`` hold the changed cells (geometry as WKB bytes under ``geom``).

    An insert has an empty ``old``, a delete an empty ``new``.
    """

    table: str
    fid: int
    uuid: str
    operation: Operation
    old: dict[str, Any] = field(default_factory=dict)
    new: dict[str, Any] = field(default_factory=dict)

    def inverted(self) -> RowChange:
        """The change that takes this one back."""
        other: dict[Operation, Operation] = {"insert": "delete", "delete": "insert", "update": "update"}
        return RowChange(self.table, self.fid, self.uuid, other[self.operation], self.new, self.old)


@dataclass(frozen=True, slots=True)
class TableTouch:
    """How one table was touched. ``fids`` is None when there are too many to list (reload the layer)."""

    table: str
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    fids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """What one transaction did, as every view needs it to refresh.

    Attributes:
        id: number of the log entry, 0 where nothing was logged.
        command: the command's name (``edit_cells``, ``import_layer`` …); worded at the edge.
        params: values for the wording.
        touches: per layer table what happened; registry: layers, plans or styles changed (reload the layer tree).
    """

    id: int
    command: str
    params: dict[str, Any] = field(default_factory=dict)
    touches: tuple[TableTouch, ...] = ()
    registry: bool = False

    @property
    def rows(self) -> int:
        """Number of rows touched."""
        return sum(t.inserted + t.updated + t.deleted for t in self.touches)

    def tables(self) -> frozenset[str]:
        """The layer tables touched."""
        return frozenset(t.table for t in self.touches)
