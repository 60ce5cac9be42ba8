"""The table of planned works near tunnels (外部作业), and the command that adds one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from planner_app.plugin_api.model import Batch, Command, Transaction
from plugins.tunnel.model import tables
from plugins.tunnel.model.tables import table_spec

EXTERNAL_WORK = table_spec(
    "external_work",
    "外部作业",
    "polygon",
    "code name depth_m:real method applicant status starts:date ends:date",
    label_field="name",
)


#: What lies below a planned work stays visible.
_SHEER = 0.5


@dataclass(frozen=True)
class AddWork(Command):
    """A planned work near tunnels, drawn on the map; ``title`` with a number behind it is its name."""

    name: ClassVar[str] = "tunnel_add_work"
    wkb: bytes
    title: str

    def params(self) -> dict[str, Any]:
        return {"title": self.title}

    def apply(self, tx: Transaction) -> None:
        new = tables.find(tx, EXTERNAL_WORK) is None
        layer = tables.ensure(tx, EXTERNAL_WORK, ("name",))
        if new:
            tx.set_layer(layer.id, opacity=_SHEER)
        number = len(tx.read(layer.id, columns=[], geometry=False)) + 1
        tx.insert(layer.id, Batch([self.wkb], {"name": [f"{self.title} {number}"]}))
