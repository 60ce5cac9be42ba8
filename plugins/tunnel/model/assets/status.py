"""An asset's life: planned → building → in use → abandoned, by whom and when, as one undoable step each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo
from planner_app.plugin_api.model import Batch, Command, Project, Transaction
from plugins.tunnel.model import tables
from plugins.tunnel.model.assets import cjj61
from plugins.tunnel.model.field_names import field_of
from plugins.tunnel.model.tables import EVENT

#: State → what people call it: English, Chinese.
WORDS = {
    "planned": ("planned", "规划"),
    "building": ("being built", "在建"),
    "in_use": ("in use", "在用"),
    "abandoned": ("abandoned", "废弃"),
}
STATES = tuple(WORDS)
#: From where to where. What was built may be taken back into use; nothing becomes planned again.
_NEXT = {
    "planned": ("building", "abandoned"),
    "building": ("in_use", "abandoned"),
    "in_use": ("abandoned",),
    "abandoned": ("in_use",),
}


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of an asset's history. ``time``: ISO 8601 UTC; ``was`` and ``now``: states, or empty."""

    code: str
    was: str
    now: str
    by: str
    time: str
    note: str = ""
    source: str = ""


def state_of(value: Any) -> str:
    """One of :data:`STATES`; what is not said is taken as in use, as surveys show what is there."""
    return cjj61.status_of(str(value or "")) or "in_use"


def worded(**states: str) -> dict[str, str]:
    """States as parameters of a message, in both languages."""
    english = {name: WORDS[state][0] if state in WORDS else state for name, state in states.items()}
    return english | {f"{name}_zh": WORDS[state][1] for name, state in states.items() if state in WORDS}


def next_states(state: str) -> tuple[str, ...]:
    """Where an asset can go from a state."""
    return _NEXT.get(state, ())


@dataclass(frozen=True)
class SetStatus(Command):
    """Change the state of assets of one table.

    Attributes:
        layer_id: the table's layer; fids: its rows.
        by: who says so; time: when, ISO 8601 UTC; note: why (needed to take something back into use).

    Raises:
        PlannerError: ``tunnel.status_unknown``, ``tunnel.status_wrong``, ``tunnel.status_reason``,
            ``tunnel.status_nobody``.
    """

    name: ClassVar[str] = "tunnel_set_status"
    layer_id: str
    fids: Sequence[int]
    status: str
    by: str
    time: str = ""
    note: str = ""
    source: str = ""

    def params(self) -> dict[str, Any]:
        return {"layer": self.layer_id, **worded(status=self.status), "count": len(self.fids), "by": self.by}

    def apply(self, tx: Transaction) -> None:
        if self.status not in STATES:
            raise PlannerError(
                "tunnel.status_unknown",
                status=self.status,
                known=", ".join(STATES),
                known_zh="、".join(f"{name}（{WORDS[name][1]}）" for name in STATES),
            )
        if not self.by.strip():
            raise PlannerError("tunnel.status_nobody")
        layer = tx.layer(self.layer_id)
        if layer.field("status") is None:
            tx.add_field(layer.id, field_of(layer.id, "status"))
            layer = tx.layer(layer.id)
        names = [name for name in ("code", "status", "uuid") if name == "uuid" or layer.field(name) is not None]
        found = tx.read(layer.id, columns=names, fids=list(self.fids), geometry=False)
        if len(found) != len(set(self.fids)):
            gone = sorted(set(self.fids) - {int(fid) for fid in found.fids})
            raise PlannerError("feature.unknown", layer=layer.name, fid=gone[0])
        codes = found.columns.get("code") or [str(fid) for fid in found.fids]
        events, changed = [], []
        for fid, code, value, uuid in zip(
            found.fids, codes, found.columns["status"], found.columns["uuid"], strict=True
        ):
            was = state_of(value)
            if was == self.status and value:
                continue
            if was != self.status and self.status not in _NEXT[was]:
                raise PlannerError("tunnel.status_wrong", id=code or int(fid), **worded(was=was, now=self.status))
            if (was, self.status) == ("abandoned", "in_use") and not self.note.strip():
                raise PlannerError("tunnel.status_reason", id=code or int(fid))
            changed.append(int(fid))
            events.append((str(uuid), Event(str(code or fid), was, self.status, self.by, self.time or now(), self.note,
                                            self.source)))  # fmt: skip
        tx.update(layer.id, changed, {"status": [self.status] * len(changed)})
        write_events(tx, layer, events)


def now() -> str:
    """The time as kept: ISO 8601, UTC, seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_events(tx: Transaction, layer: LayerInfo, events: Sequence[tuple[str, Event]]) -> None:
    """Add (uuid of the asset, event) entries to the history."""
    if not events:
        return
    log = tables.ensure(tx, EVENT)
    columns: Mapping[str, list[Any]] = {
        "asset_table": [layer.role.removeprefix("tunnel.") or layer.id] * len(events),
        "asset": [uuid for uuid, _ in events],
        **{name: [getattr(event, name) for _, event in events] for name in Event.__slots__},
    }
    tx.insert(log.id, Batch((), columns))


def history(project: Project, layer_id: str, fid: int) -> list[Event]:
    """An asset's entries, newest first."""
    log = tables.find(project, EVENT)
    if log is None:
        return []
    uuid = project.read(layer_id, columns=["uuid"], fids=[fid], geometry=False).columns["uuid"][0]
    names = list(Event.__slots__)
    found = project.read(log.id, columns=names, where=f"\"asset\" = '{uuid}'", geometry=False)
    made = [Event(*(str(value or "") for value in row)) for row in zip(*found.columns.values(), strict=True)]
    return made[::-1]
