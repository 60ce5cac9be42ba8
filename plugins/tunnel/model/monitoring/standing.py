"""What a desk sees of monitoring: sensors with their last reading, alarms that stand and stood, calibrations due.

While a collector runs, its rows are the truth. Without one the stored readings are judged here by the same engine, and
what nobody kept yet is shown beside the rows; acknowledging it makes it one.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from planner_app.domain.progress import Progress
from planner_app.domain.rule import Rule, in_force
from planner_app.plugin_api.model import Project
from plugins.tunnel.model import tables
from plugins.tunnel.model.monitoring.alarm_table import KeptAlarm, merge_kept
from plugins.tunnel.model.monitoring.engine import AlarmEngine, Sensor, calibration_alarms, replay
from plugins.tunnel.model.monitoring.heartbeat import Heartbeat, now_ms, read_heartbeat
from plugins.tunnel.model.monitoring.sensors import SENSOR, load_sensors

#: Levels, worst first.
LEVELS = ("alarm", "warning", "fault")
#: Readings that are judged for a window: some seconds of work.
_MOST = 600_000
_HOUR = 3_600_000
#: Data older than this are not of now: figures then speak of the moment of the last reading.
_FRESH = _HOUR


@dataclass(frozen=True, slots=True)
class SensorState:
    """A sensor and its last reading (``ts`` None: it never sent). ``fid``, ``x``, ``y``: its place on the map."""

    sensor: Sensor
    fid: int = 0
    x: float | None = None
    y: float | None = None
    ts: int | None = None
    value: float | None = None
    quality: int = 0
    silent: bool = False
    level: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """Monitoring at a moment.

    Attributes:
        now: the moment it speaks of (Unix ms): this one, or that of the last reading if the data are old.
        last: time of the last reading, None without any; stale: true if ``now`` is not the present.
        sensors: by number; rules: in force, by id.
        alarms: raised so far, standing ones first, worst and newest first; ``fid`` 0: nobody kept it yet.
        due: calibrations due.
    """

    now: int = 0
    last: int | None = None
    stale: bool = False
    sensors: Mapping[int, SensorState] = field(default_factory=dict)
    alarms: Sequence[KeptAlarm] = ()
    due: Sequence[KeptAlarm] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)
    collector: Heartbeat | None = None

    @property
    def standing(self) -> list[KeptAlarm]:
        """Alarms that are not over."""
        return [one for one in self.alarms if one.alarm.cleared is None]


class Monitor:
    """Follows a project: :meth:`look` again and again, from one thread at a time or several."""

    def __init__(self, project: Project, rules: Sequence[Rule], city: str = "") -> None:
        self._project, self._rules, self._city = project, list(rules), city
        self._lock = threading.Lock()
        self._engine: AlarmEngine | None = None
        self._fed: dict[int, int] = {}
        self._judged: tuple[list[Sensor], list[Rule]] = ([], [])

    def forget(self) -> None:
        """Judge everything anew with the next look: older readings came in."""
        with self._lock:
            self._engine = None

    def look(self, progress: Progress | None = None, *, today: date | None = None) -> Overview:
        """How it stands now.

        Raises:
            Cancelled.
        """
        with self._lock:
            return self._look(progress, today or datetime.now().astimezone().date())

    def _look(self, progress: Progress | None, today: date) -> Overview:
        project, present = self._project, now_ms()
        states = sensor_states(project)
        last = max(
            (one.ts for one in states.values() if one.ts is not None and one.ts <= present + _HOUR), default=None
        )
        beat = read_heartbeat(project)
        collecting = beat is not None and beat.alive(present)
        stale = not collecting and (last is None or present - last > _FRESH)
        now = last if stale and last is not None else present
        rules = in_force(self._rules, datetime.fromtimestamp(now / 1000, UTC).date(), self._city)
        sensors = [one.sensor for one in states.values()]
        judged: list[Any] = []
        if collecting:
            self._engine = None
        else:
            self._judge(sensors, rules, states, now, progress)
            assert self._engine is not None
            judged = list(self._engine.alarms.values())
        calibration = {rule.id for rule in rules if rule.kind == "tunnel.calibration"}
        judged += calibration_alarms(sensors, in_force(self._rules, today, self._city), today)
        pairs = merge_kept(project, judged, set(states))
        every = [replace(row or KeptAlarm(0, alarm), alarm=alarm) for alarm, row in pairs]
        alarms = sorted((one for one in every if one.alarm.rule not in calibration), key=order)
        due = [one for one in every if one.alarm.rule in calibration and one.alarm.cleared is None]
        by_rule = {rule.id: rule for rule in self._rules} | {rule.id: rule for rule in rules}
        return Overview(now, last, stale, _told(states, alarms, by_rule), alarms, due, by_rule, beat)

    def _judge(
        self, sensors: list[Sensor], rules: list[Rule], states: Mapping[int, SensorState], now: int,
        progress: Progress | None,
    ) -> None:  # fmt: skip
        """Feed the engine what is new; all of it the first time, and where sensors or rules changed."""
        late = any((one.ts or 0) < self._fed.get(number, 0) for number, one in states.items())
        if self._engine is None or self._judged != (sensors, rules) or late:
            start = replay_start(self._project, states)
            self._engine = replay(
                self._project, sensors, rules, start=start, end=now + 1, engine=None, progress=progress
            )
            self._judged = (sensors, rules)
        else:
            fresh = [
                one for one in states.values() if one.ts is not None and one.ts > self._fed.get(one.sensor.number, 0)
            ]
            rows = []
            for one in fresh:
                number = one.sensor.number
                series = self._project.readings.read(number, self._fed.get(number, 0) + 1, now + 1)
                parts = (series.ts.tolist(), series.value.tolist(), series.quality.tolist())
                rows += [(ts, number, value, grade) for ts, value, grade in zip(*parts, strict=True)]
            for ts, number, value, grade in sorted(rows, key=lambda row: row[:2]):
                self._engine.feed(number, ts, value, grade)
            self._engine.advance(now)
        self._fed = {number: one.ts for number, one in states.items() if one.ts is not None}


def order(kept: KeptAlarm) -> tuple[bool, int, int]:
    """Standing ones first, worst first, newest first."""
    alarm = kept.alarm
    grade = LEVELS.index(alarm.level) if alarm.level in LEVELS else len(LEVELS)
    return (alarm.cleared is not None, grade if alarm.cleared is None else 0, -alarm.raised)


def sensor_states(project: Project) -> dict[int, SensorState]:
    """The project's sensors with their place and their last reading, by number."""
    sensors = load_sensors(project)
    layer = tables.find(project, SENSOR)
    if layer is None or not sensors:
        return {}
    found = project.read(layer.id, columns=["sensor_id"])
    places: dict[int, tuple[int, float | None, float | None]] = {}
    for fid, number, wkb in zip(found.fids, found.columns["sensor_id"], found.geometry, strict=True):
        if number is not None:
            places[int(number)] = (int(fid), *_xy(wkb))
    latest = project.readings.latest([one.number for one in sensors])
    parts = (latest.sensor.tolist(), latest.ts.tolist(), latest.value.tolist(), latest.quality.tolist())
    last = {number: (ts, value, grade) for number, ts, value, grade in zip(*parts, strict=True)}
    made = {}
    for sensor in sensors:
        ts, value, quality = last.get(sensor.number, (None, None, 0))
        known = None if value is None or value != value else value
        made[sensor.number] = SensorState(
            sensor, *places.get(sensor.number, (0, None, None)), ts=ts, value=known, quality=quality
        )
    return made


def _xy(wkb: bytes | None) -> tuple[float | None, float | None]:
    """A point's place from its WKB, with or without Z and SRID, of either byte order."""
    if wkb is None or len(wkb) < 21:
        return None, None
    mark = "<" if wkb[0] == 1 else ">"
    kind = struct.unpack_from(mark + "I", wkb, 1)[0]
    x, y = struct.unpack_from(mark + "dd", wkb, 9 if kind & 0x20000000 else 5)
    return float(x), float(y)


def _told(
    states: Mapping[int, SensorState], alarms: Sequence[KeptAlarm], rules: Mapping[str, Rule]
) -> dict[int, SensorState]:
    """Sensors with the worst level that stands on them, and whether they are silent."""
    worst: dict[int, str] = {}
    silent = {number for number, one in states.items() if one.ts is None}
    for one in alarms:
        if one.alarm.cleared is None:
            worst.setdefault(one.alarm.sensor, one.alarm.level)  # worst first
            if one.alarm.rule in rules and rules[one.alarm.rule].kind == "tunnel.missing":
                silent.add(one.alarm.sensor)
    return {
        number: replace(one, silent=number in silent, level=worst.get(number, "")) for number, one in states.items()
    }


def replay_start(project: Project, states: Mapping[int, SensorState], most: int = _MOST) -> int | None:
    """From when stored readings can be judged in some seconds, by how densely some sensors sent lately; None: all."""
    span = project.readings.span()
    if span is None:
        return None
    some = [one for one in states.values() if one.ts is not None][:: max(1, len(states) // 20)]
    day = 24 * _HOUR
    daily = sum(len(project.readings.read(one.sensor.number, (one.ts or 0) - day, (one.ts or 0) + 1)) for one in some)
    every = daily / max(len(some), 1) * len(states)
    start = span[1] - int(most / max(every, 1.0) * day)
    return start if start > span[0] else None
