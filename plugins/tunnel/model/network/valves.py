"""What was found at a valve, written into its asset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Command, Project, Transaction
from plugins.tunnel.model import tables
from plugins.tunnel.model.tables import VALVE


@dataclass(frozen=True)
class SetOperable(Command):
    """Valves can, or cannot, be worked."""

    name: ClassVar[str] = "tunnel_valve_operable"
    fids: Sequence[int]
    valves: Sequence[str]
    operable: bool

    @classmethod
    def of(cls, project: Project, valves: Sequence[str], *, operable: bool) -> SetOperable:
        """The command for valves by their ids in the network (``NETWORK/ID`` where two networks share one).

        Raises:
            PlannerError: ``tunnel.no_table``, ``tunnel.id_unknown``.
        """
        layer = tables.need(project, VALVE)
        fids, rows = tables.columns(project, layer, ["code", "network"])
        found = []
        for valve in valves:
            network, _, code = valve.rpartition("/")
            mine = [
                int(fid)
                for fid, one, name in zip(fids, rows["code"], rows["network"], strict=True)
                if str(one) == valve or (network and str(one) == code and str(name) == network)
            ]
            if not mine:
                raise PlannerError("tunnel.id_unknown", id=f"valve:{valve}", nodes=0, lines=0)
            found += mine
        return cls(tuple(found), tuple(valves), operable)

    def params(self) -> dict[str, Any]:
        return {"valves": ", ".join(self.valves), "operable": self.operable}

    def apply(self, tx: Transaction) -> None:
        layer = tables.ensure(tx, VALVE, ("operable",))
        tx.update(layer.id, list(self.fids), {"operable": [self.operable] * len(self.fids)})
