"""From the journal into the project file and the alarm engine: each reading once, each alarm a row."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress
from planner_app.domain.rule import Rule, in_force
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.monitoring.alarm_table import Kept, WriteAlarms, kept_alarms, same
from plugins.tunnel.model.monitoring.csv_readings import AHEAD_MS
from plugins.tunnel.model.monitoring.detectors import BAD
from plugins.tunnel.model.monitoring.engine import DAY, Alarm, AlarmEngine, Sensor, calibration_alarms, replay
from plugins.tunnel.model.monitoring.journal import Journal
from plugins.tunnel.model.monitoring.payloads import Sample
from plugins.tunnel.model.monitoring.sensors import RegisterSensors, load_sensors
from plugins.tunnel.model.monitoring.units import conversion, unit_of

#: Stored readings that the engine sees again at a start: longer than any shipped rule looks back, but not more of them
#: than a start can wait for.
_WARM_UP, _WARM_UP_READINGS = 2 * DAY, 2_000_000
_HOUR = 3_600_000
#: An alarm that only gets worse is written this often.
_WORSE_S = 60.0
#: Alarms per write transaction.
_BATCH = 200


@dataclass(slots=True)
class Tally:
    """What the file took since the start: readings ``stored``, ``known`` before, ``pruned`` (older than what was
    pruned), ``late`` (stored, but older than one that was judged); ``sensors`` registered; alarms."""

    stored: int = 0
    known: int = 0
    pruned: int = 0
    late: int = 0
    sensors: int = 0
    raised: int = 0
    cleared: int = 0


class Collector:
    """Keeps readings and alarms of one project. All methods from one thread.

    Args:
        rules: dated rules; those in force on the day judge.
        on_alarm: told of each alarm raised or cleared.
        on_unit: told once of each sensor and unit that cannot be brought into the sensor's (``tunnel.payload_unit``).

    Attributes:
        tally: what was kept; ``standing``: number of alarms not cleared.
    """

    def __init__(
        self, project: Project, rules: Sequence[Rule], city: str, journal: Journal,
        on_alarm: Callable[[Alarm], None], progress: Progress | None = None,
        on_unit: Callable[[PlannerError], None] | None = None,
    ) -> None:  # fmt: skip
        self.project, self._all_rules, self._city, self._journal = project, rules, city, journal
        self._on_alarm, self._on_unit = on_alarm, on_unit
        self._foreign: set[tuple[str, str]] = set()
        self.tally, self.standing = Tally(), 0
        self._written: dict[tuple[int, str, int], Alarm] = {}
        self._worse_at = time.monotonic()
        self._begin(progress)

    def _begin(self, progress: Progress | None = None) -> None:
        """Sensors, rules, and the engine as the stored readings leave it, with the alarms that stood."""
        self._day = datetime.now(UTC).date()
        self._rules = in_force(list(self._all_rules), self._day, self._city)
        self._take_sensors()
        self._calibration = frozenset(rule.id for rule in self._rules if rule.kind == "tunnel.calibration")
        now = round(time.time() * 1000)
        latest = self.project.readings.latest()
        self._fed = {
            int(number): ts
            for number, ts in zip(latest.sensor.tolist(), latest.ts.tolist(), strict=True)
            if ts <= now + AHEAD_MS
        }
        start = max(self._fed.values(), default=now) - self._warm_up()
        rows = kept_alarms(self.project, start)
        stood = [row.alarm for row in rows if row.alarm.cleared is None and row.alarm.rule not in self._calibration]
        engine = self._engine = AlarmEngine(self._sensors, self._rules)
        for alarm in stood:
            if alarm.raised < start:
                engine.resume(alarm)
        replay(self.project, self._sensors, self._rules, start=start, engine=engine, progress=progress)
        kept = Kept(rows)
        for alarm in engine.alarms.values():  # what the file tells already is no news
            row = kept.row_of(alarm)
            if row is not None and (row.alarm.cleared is None) == (alarm.cleared is None):
                self._written[alarm.key] = replace(alarm, worst=row.alarm.worst)
        found = list(engine.alarms.values())
        for alarm in stood:
            if engine.standing(alarm.sensor, alarm.rule) is not None or any(same(one, alarm) for one in found):
                continue
            if engine.resume(alarm):
                self._written[alarm.key] = alarm
            else:  # its rule or sensor is gone
                engine.alarms[alarm.key] = replace(alarm, cleared=max(now, alarm.raised))

    def _warm_up(self) -> int:
        """How far back stored readings are judged again, ms: by the density of the last hour."""
        some = list(self._fed.items())[:: max(1, len(self._fed) // 20)]
        hourly = sum(len(self.project.readings.read(number, ts - _HOUR, ts + 1)) for number, ts in some)
        every = hourly / max(len(some), 1) * len(self._fed)
        return min(_WARM_UP, int(_WARM_UP_READINGS / max(every, 1) * _HOUR))

    def _take_sensors(self) -> None:
        self._sensors: list[Sensor] = load_sensors(self.project)
        self._numbers = {str(one.number): one.number for one in self._sensors}
        self._numbers |= {one.code: one.number for one in reversed(self._sensors)}
        self._units = {one.number: (one.kind, one.unit) for one in self._sensors}

    def store(self) -> bool:
        """Take the oldest segment of the journal into the file and judge it; False if nothing waits.

        Raises:
            PlannerError: ``project.busy``, ``project.read_only`` …: the segment stays in the journal.
        """
        found = self._journal.oldest()
        if found is None:
            return False
        segment, samples = found
        if samples:
            self._register(samples)
            samples = [self._in_unit(one) for one in samples]
            numbers = [self._numbers[one.sensor] for one in samples]
            stored = self.project.readings.add(
                numbers,
                [one.ts for one in samples],
                [one.value for one in samples],
                [one.quality for one in samples],
            )
            self.tally.stored += stored.new
            self.tally.known += stored.known
            self.tally.pruned += stored.late
            self._judge(numbers, samples)
        self._journal.drop(segment)
        return True

    def _register(self, samples: Sequence[Sample]) -> None:
        new = {one.sensor: (one.sensor, one.kind, one.unit) for one in samples if one.sensor not in self._numbers}
        if not new:
            return
        before = {one.number for one in self._sensors}
        self._take_sensors()  # somebody else may have added it
        missing = [one for code, one in new.items() if code not in self._numbers]
        if missing:
            self.project.execute(RegisterSensors(missing, self.project.readings.sensors()))
            self.tally.sensors += len(missing)
            self._take_sensors()
        for sensor in self._sensors:
            if sensor.number not in before:
                self._engine.watch(sensor)

    def _in_unit(self, sample: Sample) -> Sample:
        """A reading in its sensor's unit; one that states none, or one that is not known, is taken as it is. One of
        another quantity says nothing about this one: kept as bad."""
        if not sample.unit:
            return sample
        kind, unit = self._units[self._numbers[sample.sensor]]
        way = (1.0, 0.0) if not unit or sample.unit == unit else conversion(kind, sample.unit, unit)
        if way is None:
            if (sample.sensor, sample.unit) not in self._foreign:
                self._foreign.add((sample.sensor, sample.unit))
                if self._on_unit is not None:
                    about = {"sensor": sample.sensor, "unit": sample.unit, "other": unit}
                    self._on_unit(PlannerError("tunnel.payload_unit", **about))
            return sample._replace(quality=BAD) if unit_of(sample.unit) and unit_of(unit) else sample
        if way == (1.0, 0.0):
            return sample
        return sample._replace(value=sample.value * way[0] + way[1], unit=unit)

    def _judge(self, numbers: Sequence[int], samples: Sequence[Sample]) -> None:
        """Feed the engine in time order; what comes again or late is not judged, nor what a wrong clock dates ahead."""
        limit = time.time() * 1000 + AHEAD_MS
        for at in sorted(range(len(samples)), key=lambda one: samples[one].ts):
            number, sample = numbers[at], samples[at]
            if sample.ts > limit:
                continue
            last = self._fed.get(number)
            if last is not None and sample.ts <= last:
                self.tally.late += sample.ts < last
                continue
            self._fed[number] = sample.ts
            for alarm in self._engine.feed(number, sample.ts, sample.value, sample.quality):
                self._tell(alarm)

    def silence(self, now: int) -> None:
        """Nothing waits and the broker is there: sensors that do not speak are silent indeed."""
        for alarm in self._engine.advance(now):
            self._tell(alarm)

    def _tell(self, alarm: Alarm) -> None:
        if alarm.cleared is None:
            self.tally.raised += 1
        else:
            self.tally.cleared += 1
        self._on_alarm(alarm)

    def keep_alarms(self, *, all_of_them: bool = False) -> None:
        """Write what changed: raised and cleared at once, getting worse once a minute (or now).

        Raises:
            PlannerError: the file cannot be written now; the same is tried again with the next call.
        """
        self._new_day()
        worse = all_of_them or time.monotonic() - self._worse_at > _WORSE_S
        alarms = self._engine.alarms
        self.standing = sum(one.cleared is None for one in alarms.values())
        changed = []
        for key, alarm in alarms.items():
            before = self._written.get(key)
            if before is None or before.cleared != alarm.cleared or (worse and before.worst != alarm.worst):
                changed.append(alarm)
        for start in range(0, len(changed), _BATCH):
            part = changed[start : start + _BATCH]
            self.project.execute(WriteAlarms(part))
            self._written |= {alarm.key: alarm for alarm in part}
        if worse:
            self._worse_at = time.monotonic()
        for key in [key for key, alarm in alarms.items() if alarm.cleared is not None]:
            del alarms[key]
            self._written.pop(key, None)

    def keep_calibration(self) -> None:
        """Write which calibrations are due today, and which no longer."""
        due = {alarm.key: alarm for alarm in calibration_alarms(self._sensors, self._rules, self._day)}
        rows = [row.alarm for row in kept_alarms(self.project) if row.alarm.rule in self._calibration]
        told = {alarm.key for alarm in rows if alarm.cleared is None}
        now = round(time.time() * 1000)
        changed = [alarm for key, alarm in due.items() if key not in told]
        changed += [replace(one, cleared=now) for one in rows if one.cleared is None and one.key not in due]
        for start in range(0, len(changed), _BATCH):
            self.project.execute(WriteAlarms(changed[start : start + _BATCH]))

    def _new_day(self) -> None:
        """Rules in force and calibrations due are those of the day."""
        today = datetime.now(UTC).date()
        if today != self._day:
            rules = in_force(list(self._all_rules), today, self._city)
            if rules != self._rules:
                self._written.clear()
                self._begin()
            self._day = today
            self._take_sensors()
            self.keep_calibration()
