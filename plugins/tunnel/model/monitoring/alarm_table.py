"""Alarms kept in the project: what machines raised and cleared, and who took note of it.

A row stands for a time in which one rule held on one sensor. A judgement made again (after a restart, in a replay) may
see the same time begin elsewhere, so rows and alarms of one sensor and rule that overlap in time are the same alarm.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, ClassVar

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo, NewLayer
from planner_app.plugin_api.model import Batch, Command, Project, Transaction
from plugins.tunnel.model.field_names import fields_of
from plugins.tunnel.model.monitoring.engine import Alarm

ROLE, TABLE = "tunnel.alarm", "tunnel_alarm"
_JUDGED = fields_of(
    TABLE,
    "sensor:integer code rule level raised:datetime cleared:datetime value:real worst:real unit standard clause "
    "edition confidence",
)
_NOTED = fields_of(TABLE, "ack_by ack_at:datetime ack_remark")
FIELDS = (*_JUDGED, *_NOTED)
assert [one.name for one in _JUDGED] == [one.name for one in fields(Alarm)]


@dataclass(frozen=True, slots=True)
class KeptAlarm:
    """A row: the alarm and who acknowledged it, when (ISO 8601, UTC) and with which remark."""

    fid: int
    alarm: Alarm
    ack_by: str = ""
    ack_at: str = ""
    ack_remark: str = ""


def kept_alarms(project: Project | Transaction, since: int | None = None) -> list[KeptAlarm]:
    """The rows in the order they were made; with ``since`` (Unix ms) only those that stood then or later."""
    layer = _find(project)
    if layer is None:
        return []
    names = [one.name for one in FIELDS]
    where = "" if since is None else f'"cleared" IS NULL OR "cleared" >= \'{_text(since)}\''
    found = project.read(layer.id, columns=names, where=where, geometry=False)
    return [
        _kept(int(fid), dict(zip(names, row, strict=True)))
        for fid, *row in zip(found.fids, *(found.columns[name] for name in names), strict=True)
    ]


def _kept(fid: int, row: dict[str, Any]) -> KeptAlarm:
    judged = {name: row[name] for name in (one.name for one in _JUDGED)}
    texts = {one.name: row[one.name] or "" for one in (*_JUDGED, *_NOTED) if one.type == "text"}
    judged |= {name: text for name, text in texts.items() if name in judged}
    judged |= {"raised": _moment(row["raised"]) or 0, "cleared": _moment(row["cleared"])}
    return KeptAlarm(fid, Alarm(**judged), texts["ack_by"], str(row["ack_at"] or ""), texts["ack_remark"])


def same(one: Alarm, other: Alarm) -> bool:
    """True if both speak of one time of one rule on one sensor."""
    if (one.sensor, one.rule) != (other.sensor, other.rule):
        return False
    begins = max(one.raised, other.raised)
    return all(alarm.cleared is None or alarm.cleared >= begins for alarm in (one, other))


class Kept:
    """The rows of a project by sensor and rule, so that the row of an alarm is found at once."""

    def __init__(self, rows: Iterable[KeptAlarm]) -> None:
        self._rows: dict[tuple[int, str], list[KeptAlarm]] = {}
        for row in rows:
            self._rows.setdefault((row.alarm.sensor, row.alarm.rule), []).append(row)

    def row_of(self, alarm: Alarm) -> KeptAlarm | None:
        """The row that is this alarm: with its very moment, else the newest that overlaps it."""
        found = [row for row in self._rows.get((alarm.sensor, alarm.rule), ()) if same(row.alarm, alarm)]
        exact = [row for row in found if row.alarm.raised == alarm.raised]
        wanted = exact or found
        return wanted[-1] if wanted else None


@dataclass(frozen=True)
class WriteAlarms(Command):
    """Keep what the engine raised, cleared or saw getting worse: new alarms become rows, known ones are updated."""

    name: ClassVar[str] = "tunnel_alarms"
    automatic: ClassVar[bool] = True  # a collector goes on changing these rows: as a person's step it would bar undo
    alarms: Sequence[Alarm]

    def params(self) -> dict[str, Any]:
        return {"count": len(self.alarms)}

    def apply(self, tx: Transaction) -> None:
        layer = _layer(tx)
        kept = Kept(kept_alarms(tx, min((one.raised for one in self.alarms), default=0)))
        new: list[Alarm] = []
        for alarm in self.alarms:
            row = kept.row_of(alarm)
            if row is None:
                new.append(alarm)
                continue
            changed: dict[str, list[Any]] = {
                "cleared": [_text(alarm.cleared)],
                "worst": [alarm.worst if alarm.worst is not None else row.alarm.worst],
            }
            if changed != {"cleared": [_text(row.alarm.cleared)], "worst": [row.alarm.worst]}:
                tx.update(layer, [row.fid], changed)
        if new:
            _insert(tx, layer, new)


@dataclass(frozen=True)
class AcknowledgeAlarm(Command):
    """Somebody takes note of an alarm; one that nobody kept yet becomes a row.

    Attributes:
        by: name of the person; at: ISO 8601 with zone; remark: what was seen or done.

    Raises:
        PlannerError: ``tunnel.alarm_nobody`` without a name, ``tunnel.alarm_acknowledged`` if somebody was first.
    """

    name: ClassVar[str] = "tunnel_acknowledge"
    alarm: Alarm
    by: str
    at: str
    remark: str = ""

    def params(self) -> dict[str, Any]:
        return {"sensor": self.alarm.code, "rule": self.alarm.rule, "by": self.by}

    def apply(self, tx: Transaction) -> None:
        if not self.by.strip():
            raise PlannerError("tunnel.alarm_nobody", sensor=self.alarm.code)
        layer = _layer(tx)
        row = Kept(kept_alarms(tx, self.alarm.raised)).row_of(self.alarm)
        if row is not None and row.ack_by:
            raise PlannerError("tunnel.alarm_acknowledged", sensor=self.alarm.code, by=row.ack_by, at=row.ack_at)
        fid = row.fid if row is not None else _insert(tx, layer, [self.alarm])[0]
        tx.update(layer, [fid], {"ack_by": [self.by.strip()], "ack_at": [self.at], "ack_remark": [self.remark]})


def merge_kept(
    project: Project, judged: Sequence[Alarm], sensors: Collection[int]
) -> list[tuple[Alarm, KeptAlarm | None]]:
    """Alarms of a replay of some sensors with the rows that tell of them; rows that the replay does not see (their
    readings were pruned, a rule changed) stand by themselves."""
    rows = [row for row in kept_alarms(project) if row.alarm.sensor in sensors]
    kept = Kept(rows)
    pairs = [(alarm, kept.row_of(alarm)) for alarm in judged]
    return pairs + [(row.alarm, row) for row in rows if not any(same(row.alarm, one) for one in judged)]


def _find(project: Project | Transaction) -> LayerInfo | None:
    return next((layer for layer in project.layers() if layer.role == ROLE), None)


def _layer(tx: Transaction) -> str:
    found = _find(tx)
    if found is None:
        found = tx.create_layer(NewLayer("监测报警", "none", FIELDS, role=ROLE, label_field="code"), table=TABLE)
    return found.id


def _insert(tx: Transaction, layer: str, alarms: Sequence[Alarm]) -> list[int]:
    columns = {one.name: [getattr(alarm, one.name) for alarm in alarms] for one in _JUDGED}
    columns["raised"] = [_text(alarm.raised) for alarm in alarms]
    columns["cleared"] = [_text(alarm.cleared) for alarm in alarms]
    return tx.insert(layer, Batch([None] * len(alarms), columns))


def _text(ts: int | None) -> str | None:
    return None if ts is None else datetime.fromtimestamp(ts / 1000, UTC).isoformat(timespec="milliseconds")


def _moment(text: Any) -> int | None:
    if not text:
        return None
    when = datetime.fromisoformat(str(text))
    return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
