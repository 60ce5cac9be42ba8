"""Deciding conflicts: which plan yields on a patch, and on what ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Command, Transaction

ROLE = "planning.conflicts"
DECISIONS = ("a_yields", "b_yields", "no_conflict", "pending")
"""甲让, 乙让, 无冲突, 待定. A patch nobody looked at has none."""
DECISION_FIELDS = ("decision", "ground", "decided_by", "decided_at")


@dataclass(frozen=True)
class DecideConflicts(Command):
    """Decide some patches of a result layer. An empty decision takes earlier ones back.

    Attributes:
        decision: one of :data:`DECISIONS`, or empty; ground: free text; by: who decides.

    Raises:
        PlannerError: ``planning.decision_unknown``; when applied, ``planning.not_conflicts``.
    """

    name: ClassVar[str] = "planning_decide"
    layer_id: str
    fids: Sequence[int]
    decision: str
    ground: str = ""
    by: str = ""

    def __post_init__(self) -> None:
        if self.decision and self.decision not in DECISIONS:
            raise PlannerError("planning.decision_unknown", decision=self.decision, known=", ".join(DECISIONS))

    def params(self) -> dict[str, Any]:
        return {"layer": self.layer_id, "decision": self.decision, "count": len(self.fids)}

    def apply(self, tx: Transaction) -> None:
        layer = tx.layer(self.layer_id)
        if layer.role != ROLE:
            raise PlannerError("planning.not_conflicts", layer=layer.name)
        when = datetime.now(UTC).isoformat(timespec="seconds") if self.decision else ""
        values = (self.decision, self.ground if self.decision else "", self.by if self.decision else "", when)
        columns = {name: [value] * len(self.fids) for name, value in zip(DECISION_FIELDS, values, strict=True)}
        tx.update(self.layer_id, self.fids, columns)
