"""Readings of a file into the project, judged at once: alarms they raise become rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from planner_app.domain.progress import Progress
from planner_app.domain.rule import Rule, in_force
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.monitoring.alarm_table import Kept, WriteAlarms, kept_alarms
from plugins.tunnel.model.monitoring.csv_readings import CsvReadings
from plugins.tunnel.model.monitoring.engine import DAY, Alarm, Sensor, replay
from plugins.tunnel.model.monitoring.sensors import load_sensors, need_sensor

#: What the detectors see before the first new reading.
_WARM_UP = 2 * DAY


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of a file: rows ``stored``, ``known`` before, ``late`` (older than what was pruned); ``alarms`` that
    are new rows now, ``standing`` of them."""

    sensor: Sensor
    new_sensor: bool
    stored: int
    known: int
    late: int
    alarms: int
    standing: int


def take_in(
    project: Project, read: CsvReadings, sensor: str, rules: Sequence[Rule], *, kind: str = "", unit: str = "",
    city: str = "", progress: Progress | None = None,
) -> TakenIn:  # fmt: skip
    """Keep the readings of a sensor (registered if it is new) and the alarms they raise.

    Raises:
        PlannerError: ``tunnel.sensor_twice``, ``project.read_only``. Cancelled: what was stored stays.
    """
    who, new = need_sensor(project, sensor, kind, unit)
    stored = project.readings.add(who.number, read.ts, read.value, read.quality, progress)
    alarms: list[Alarm] = []
    if stored.new:
        alarms = judge_period(project, who, rules, min(read.ts), max(read.ts), city=city, progress=progress)
        if alarms:
            project.execute(WriteAlarms(alarms))
    standing = sum(one.cleared is None for one in alarms)
    return TakenIn(who, new, stored.new, stored.known, stored.late, len(alarms), standing)


def judge_period(
    project: Project, sensor: Sensor, rules: Sequence[Rule], start: int, end: int, *, city: str = "",
    progress: Progress | None = None,
) -> list[Alarm]:  # fmt: skip
    """Alarms of a sensor that began within a period and of which no row tells."""
    known = in_force(rules, datetime.fromtimestamp(end / 1000, UTC).date(), city)
    near = [
        one
        for one in load_sensors(project)
        if (one.kind, one.tunnel, one.compartment) == (sensor.kind, sensor.tunnel, sensor.compartment)
    ]
    # To the last reading, not to the end of the file: an alarm may be over by now.
    engine = replay(project, near, known, start=start - _WARM_UP, progress=progress)
    kept = Kept(kept_alarms(project, start))
    return [
        one
        for one in engine.alarms.values()
        if one.sensor == sensor.number and start <= one.raised <= end and kept.row_of(one) is None
    ]
