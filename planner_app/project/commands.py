"""Commands: a person's intent as a frozen value. Applying one is one transaction, one log entry, one undo step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from planner_app.domain.layer import FieldInfo, PlanInfo
from planner_app.project.features import Batch
from planner_app.project.transaction import Transaction


@dataclass(frozen=True)
class Command:
    """Base of all commands; plugins derive their own.

    Attributes:
        name: stable name in the log, worded under ``command.<name>``.
        join_seconds: see :meth:`joins`; pieces of one long job say a long time.
        automatic: what the program keeps by itself, as an alarm that readings raised. It stands in the history, but no
            person did it: undo passes over it.
    """

    name: ClassVar[str] = ""
    join_seconds: ClassVar[float] = 2.0
    automatic: ClassVar[bool] = False

    def params(self) -> dict[str, Any]:
        """Values for the wording and the log (JSON types)."""
        return {}

    def joins(self) -> str:
        """Commands of one name and the same key here that follow each other within ``join_seconds`` become one entry:
        a dragged opacity slider is one step. Empty: never."""
        return ""

    @abstractmethod
    def apply(self, tx: Transaction) -> None:
        """Do it. Whatever is raised rolls everything back."""


@dataclass(frozen=True)
class _LayerCommand(Command):
    layer_id: str

    def params(self) -> dict[str, Any]:
        return {"layer": self.layer_id}


@dataclass(frozen=True)
class EditCells(_LayerCommand):
    """Set one attribute of some features: ``values`` holds one value per fid."""

    name: ClassVar[str] = "edit_cells"
    fids: Sequence[int]
    column: str
    values: Sequence[Any]

    def params(self) -> dict[str, Any]:
        return {"layer": self.layer_id, "field": self.column, "count": len(self.fids)}

    def apply(self, tx: Transaction) -> None:
        tx.update(self.layer_id, self.fids, {self.column: self.values})


@dataclass(frozen=True)
class InsertFeatures(_LayerCommand):
    """Add features."""

    name: ClassVar[str] = "insert_features"
    wkb: Sequence[bytes | None]
    columns: Mapping[str, Sequence[Any]]

    def params(self) -> dict[str, Any]:
        return {"layer": self.layer_id, "count": len(Batch(self.wkb, self.columns))}

    def apply(self, tx: Transaction) -> None:
        tx.insert(self.layer_id, Batch(self.wkb, self.columns))


@dataclass(frozen=True)
class EditGeometry(_LayerCommand):
    """Replace geometries by fid."""

    name: ClassVar[str] = "edit_geometry"
    geometries: Mapping[int, bytes | None]

    def params(self) -> dict[str, Any]:
        return {"layer": self.layer_id, "count": len(self.geometries)}

    def apply(self, tx: Transaction) -> None:
        tx.update_geometry(self.layer_id, self.geometries)


@dataclass(frozen=True)
class DeleteFeatures(_LayerCommand):
    """Delete features."""

    name: ClassVar[str] = "delete_features"
    fids: Sequence[int]

    def params(self) -> dict[str, Any]:
        return {"layer": self.layer_id, "count": len(self.fids)}

    def apply(self, tx: Transaction) -> None:
        tx.delete(self.layer_id, self.fids)


@dataclass(frozen=True)
class RenameLayer(_LayerCommand):
    """Give a layer another name."""

    name: ClassVar[str] = "rename_layer"
    new_name: str

    def params(self) -> dict[str, Any]:
        return {"layer": self.layer_id, "name": self.new_name}

    def apply(self, tx: Transaction) -> None:
        tx.set_layer(self.layer_id, name=self.new_name)


_VIEW = frozenset({"visible", "opacity", "position"})


@dataclass(frozen=True)
class SetLayer(_LayerCommand):
    """Change registry values of a layer (``plan_id``, ``class_field``, ``visible``, ``opacity`` …)."""

    name: ClassVar[str] = "set_layer"
    values: Mapping[str, Any]

    def joins(self) -> str:
        return " ".join([self.layer_id, *sorted(self.values)]) if _VIEW.issuperset(self.values) else ""

    def params(self) -> dict[str, Any]:
        return {"layer": self.layer_id, "values": dict(self.values)}

    def apply(self, tx: Transaction) -> None:
        tx.set_layer(self.layer_id, **self.values)


@dataclass(frozen=True)
class SetStyle(_LayerCommand):
    """Give a layer a style (QML) and, if given, an opacity."""

    name: ClassVar[str] = "set_style"
    qml: str
    opacity: float | None = None

    def apply(self, tx: Transaction) -> None:
        tx.set_style(self.layer_id, self.qml)
        if self.opacity is not None:
            tx.set_layer(self.layer_id, opacity=self.opacity)


@dataclass(frozen=True)
class MoveLayer(_LayerCommand):
    """Move a layer in the drawing order (0 on top)."""

    name: ClassVar[str] = "move_layer"
    position: int

    def joins(self) -> str:
        return self.layer_id

    def params(self) -> dict[str, Any]:
        return {"layer": self.layer_id, "position": self.position}

    def apply(self, tx: Transaction) -> None:
        tx.move_layer(self.layer_id, self.position)


@dataclass(frozen=True)
class DropLayer(_LayerCommand):
    """Remove a layer (undoable: its table waits in the trash)."""

    name: ClassVar[str] = "drop_layer"

    def apply(self, tx: Transaction) -> None:
        tx.drop_layer(self.layer_id)


@dataclass(frozen=True)
class SetPlan(Command):
    """Register or change a plan."""

    name: ClassVar[str] = "set_plan"
    plan: PlanInfo

    def params(self) -> dict[str, Any]:
        return {"plan": self.plan.name}

    def apply(self, tx: Transaction) -> None:
        tx.set_plan(self.plan)


@dataclass(frozen=True)
class AddField(_LayerCommand):
    """Add an attribute to a layer."""

    name: ClassVar[str] = "add_field"
    field: FieldInfo

    def params(self) -> dict[str, Any]:
        return {"layer": self.layer_id, "field": self.field.name}

    def apply(self, tx: Transaction) -> None:
        tx.add_field(self.layer_id, self.field)
