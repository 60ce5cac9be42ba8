"""Records that do not go out: refused by the server, or no value of their column's type. The others go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from planner_app.project import Command, Project, Transaction

#: ``clear``: empty the cell; ``convert``: write the value the column's type makes of it; ``repair``: make the geometry
#: valid; ``discard``: take the record back to what the server has; ``retry``: send it once more with the next push.
Fix = Literal["clear", "convert", "repair", "discard", "retry"]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record held back.

    Attributes:
        layer: the layer's id here (empty for plans); layer_name: as people read it.
        uuid, fid: the record (the layer's or plan's own for the registry); fid None: it was deleted here.
        code, params: why, as a coded message (``sync.wrong_value``, ``sync.refused_district`` …).
        refused: the server refused it (else it never was sent).
        fixes: what can be done with one click; editing the record is always the other way.
    """

    id: int
    layer: str
    layer_name: str
    uuid: str
    fid: int | None
    code: str
    params: Mapping[str, str]
    refused: bool
    fixes: tuple[Fix, ...]


def quarantine(project: Project) -> list[Quarantined]:
    """All records held back."""
    raise NotImplementedError


@dataclass(frozen=True)
class FixQuarantined(Command):
    """Apply a fix to records held back; a normal edit (``retry`` writes nothing)."""

    name: ClassVar[str] = "fix_quarantined"
    ids: tuple[int, ...]
    fix: Fix

    def params(self) -> dict[str, Any]:
        return {"count": len(self.ids), "fix": self.fix}

    def apply(self, tx: Transaction) -> None:
        raise NotImplementedError
