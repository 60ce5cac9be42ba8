"""Commands of the window's own views, each one transaction like any other command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from planner_app.project import Command

if TYPE_CHECKING:
    from planner_app.project import Transaction


@dataclass(frozen=True)
class ArrangeLayers(Command):
    """Put the layers into this drawing order (ids, top first)."""

    name: ClassVar[str] = "arrange_layers"
    order: tuple[str, ...]

    def params(self) -> dict[str, Any]:
        return {"layers": len(self.order)}

    def apply(self, tx: Transaction) -> None:
        for position, layer_id in enumerate(self.order):
            tx.move_layer(layer_id, position)


@dataclass(frozen=True)
class ShowLayers(Command):
    """Show or hide several layers at once."""

    name: ClassVar[str] = "show_layers"
    layer_ids: tuple[str, ...]
    visible: bool

    def params(self) -> dict[str, Any]:
        return {"layers": len(self.layer_ids), "visible": self.visible}

    def apply(self, tx: Transaction) -> None:
        for layer_id in self.layer_ids:
            tx.set_layer(layer_id, visible=self.visible)


@dataclass(frozen=True)
class EditFeature(Command):
    """Set several attributes of one feature."""

    name: ClassVar[str] = "edit_feature"
    layer_id: str
    layer_name: str
    fid: int
    values: dict[str, Any]

    def params(self) -> dict[str, Any]:
        return {"layer": self.layer_name, "fid": self.fid, "fields": ", ".join(self.values)}

    def apply(self, tx: Transaction) -> None:
        tx.update(self.layer_id, [self.fid], {column: [value] for column, value in self.values.items()})


@dataclass(frozen=True)
class AssignPlan(Command):
    """Say which plan a layer belongs to and which attribute holds its classes."""

    name: ClassVar[str] = "assign_plan"
    layer_id: str
    layer_name: str
    plan: Any  # PlanInfo | None
    values: dict[str, Any]

    def params(self) -> dict[str, Any]:
        return {"layer": self.layer_name}

    def apply(self, tx: Transaction) -> None:
        if self.plan is not None:
            tx.set_plan(self.plan)
        tx.set_layer(self.layer_id, **self.values)
