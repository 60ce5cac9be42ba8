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
from plugins.tunnel.model.monitoring.engine import DAY, Alarm, Sensor, beside, replay
from plugins.tunnel.model.monitoring.sensors import load_sensors, need_sensor
from plugins.tunnel.model.monitoring.units import need_conversion

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
    who, new, (stored, known, late) = keep(project, read, sensor, kind, unit, progress)
    alarms: list[Alarm] = []
    if stored:
        alarms = judge_period(project, who, rules, min(read.ts), max(read.ts), city=city, progress=progress)
        if alarms:
            project.execute(WriteAlarms(alarms))
    standing = sum(one.cleared is None for one in alarms)
    return TakenIn(who, new, stored, known, late, len(alarms), standing)


def keep(
    project: Project, read: CsvReadings, sensor: str, kind: str = "", unit: str = "", progress: Progress | None = None
) -> tuple[Sensor, bool, tuple[int, int, int]]:
    """Keep readings in the unit of their sensor: (sensor, whether it is new, rows (stored, known before, late)). Where
    nothing can be used no sensor is registered.

    Args:
        unit: of the values; what the file's head states without it, else the sensor's.

    Raises:
        PlannerError: ``tunnel.sensor_unnamed``, ``tunnel.sensor_twice``, ``tunnel.unit_other``, ``project.read_only``.
    """
    unit = unit or read.unit
    if not read.ts:
        return Sensor(0, sensor.strip(), kind, unit), False, (0, 0, 0)
    who, new = need_sensor(project, sensor, kind, unit)
    values = read.value
    if unit and who.unit and (way := need_conversion(who.kind, unit, who.unit)) != (1.0, 0.0):
        values = [value * way[0] + way[1] for value in read.value]
        read.notes.append(("tunnel.unit_converted", {"unit": unit, "other": who.unit, "count": len(values)}))
    stored = project.readings.add(who.number, read.ts, values, read.quality, progress)
    return who, new, (stored.new, stored.known, stored.late)


def judge_period(
    project: Project, sensor: Sensor, rules: Sequence[Rule], start: int, end: int, *, city: str = "",
    progress: Progress | None = None,
) -> list[Alarm]:  # fmt: skip
    """Alarms of a sensor that began within a period and of which no row tells."""
    known = in_force(rules, datetime.fromtimestamp(end / 1000, UTC).date(), city)
    near = [one for one in load_sensors(project) if beside(one, sensor)]
    # To the last reading, not to the end of the file: an alarm may be over by now.
    engine = replay(project, near, known, start=start - _WARM_UP, progress=progress)
    kept = Kept(kept_alarms(project, start))
    return [
        one
        for one in engine.alarms.values()
        if one.sensor == sensor.number and start <= one.raised <= end and kept.row_of(one) is None
    ]
