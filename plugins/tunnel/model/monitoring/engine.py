"""The alarm engine: every sensor's detectors fed in time order, alarms with their clause, live and in replay alike."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from planner_app.domain.progress import NoProgress, Progress, check
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.monitoring.csv_readings import AHEAD_MS
from plugins.tunnel.model.monitoring.detectors import (
    SIMPLE,
    Change,
    Cleared,
    Detector,
    Drift,
    Neighbours,
    Outlier,
    Raised,
    Usual,
)
from plugins.tunnel.model.monitoring.units import in_unit

#: Readings between two looks at the cancel button.
_STEP = 20_000
DAY = 86_400_000
#: Quarter hours that are read before a replay: some seconds of work.
_QUARTERS = 4_000_000


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor as the alarm engine knows it.

    ``m``: chainage; ``built``: edition of the design standard of its tunnel.
    """

    number: int
    code: str
    kind: str
    unit: str = ""
    tunnel: str = ""
    compartment: str = ""
    m: float | None = None
    due: date | None = None
    built: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of one sensor under one rule.

    Attributes:
        level: ``alarm`` (danger to people or plant), ``warning``, or ``fault`` (the sensor itself is in doubt).
        raised, cleared: Unix ms; ``cleared`` None while it lasts.
        value: at the moment of raising; ``worst``: furthest while it lasts; None for silence.
    """

    sensor: int
    code: str
    rule: str
    level: str
    raised: int
    cleared: int | None = None
    value: float | None = None
    worst: float | None = None
    unit: str = ""
    standard: str = ""
    clause: str = ""
    edition: str = ""
    confidence: str = ""

    @property
    def key(self) -> tuple[int, str, int]:
        """What names an alarm for good: its sensor, rule and moment."""
        return (self.sensor, self.rule, self.raised)


@dataclass(slots=True)
class _Watch:
    """One rule on one sensor."""

    rule: Rule
    detector: Detector
    open: Alarm | None = None


@dataclass(slots=True)
class AlarmEngine:
    """Judges readings of many sensors under dated rules.

    Args:
        sensors: who sends.
        rules: kinds ``tunnel.limit|rise|flatline|missing|outlier|drift|neighbours|calibration``; a rule's ``params``
            hold ``sensor_kind`` (and, if it is for some only, ``compartment``, ``built``), ``level`` and the detector's
            own.

    Attributes:
        alarms: all alarms raised so far, by key, in the order they were raised.
        unjudged: sensors whose unit has no way to that of a rule that speaks of them.
    """

    sensors: Sequence[Sensor]
    rules: Sequence[Rule]
    alarms: dict[tuple[int, str, int], Alarm] = field(default_factory=dict)
    unjudged: list[tuple[Sensor, Rule]] = field(default_factory=list)
    _watches: dict[int, list[_Watch]] = field(default_factory=dict)
    _last: dict[int, tuple[int, float]] = field(default_factory=dict)
    _by_number: dict[int, Sensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for sensor in self.sensors:
            self.watch(sensor)

    def watch(self, sensor: Sensor) -> None:
        """Judge one more sensor (it has no neighbours among those there already)."""
        self._by_number[sensor.number] = sensor
        self._watches[sensor.number] = watches = []
        for rule in self.rules:
            if applies(rule, sensor) and (rule.kind in SIMPLE or rule.kind == "tunnel.neighbours"):
                fitted = in_unit(rule, sensor.kind, sensor.unit)
                if fitted is None:
                    self.unjudged.append((sensor, rule))
                else:
                    watches.append(_Watch(fitted, self._detector(fitted, sensor)))

    def remembers(self, sensor: int) -> int:
        """How far back a sensor's detectors look beyond what they are fed (:meth:`prime`), ms; 0: not at all."""
        return max((one.length for one in self._memories(sensor)), default=0)

    def prime(self, sensor: int, ts: Sequence[int], values: Sequence[float]) -> None:
        """What a sensor showed before the first reading that is fed; nothing is judged."""
        for memory in self._memories(sensor):
            for when, value in zip(ts, values, strict=True):
                if not math.isnan(value):
                    memory.add(when, value)

    def _memories(self, sensor: int) -> list[Usual]:
        detectors = (watch.detector for watch in self._watches.get(sensor, ()))
        return [one.usual for one in detectors if isinstance(one, Outlier | Drift)]

    def standing(self, sensor: int, rule: str) -> Alarm | None:
        """The alarm that a rule on a sensor has open."""
        return next((one.open for one in self._watches.get(sensor, ()) if one.rule.id == rule), None)

    def resume(self, alarm: Alarm) -> bool:
        """Take over an alarm from before a restart; False if no rule watches for it any more."""
        for watch in self._watches.get(alarm.sensor, ()):
            if watch.rule.id == alarm.rule:
                watch.detector.resume()
                watch.open = self._keep(alarm)
                return True
        return False

    def _detector(self, rule: Rule, sensor: Sensor) -> Detector:
        own = {key: value for key, value in rule.params.items() if key not in _SELECTORS}
        if rule.kind == "tunnel.neighbours":
            within, fresh = float(own.pop("within_m", 400.0)), int(float(own.pop("fresh_s", 3600.0)) * 1000)
            near = [one.number for one in self.sensors if _is_neighbour(sensor, one, within)]

            def heard(ts: int) -> list[float]:
                known = (self._last.get(number) for number in near)
                return [value for at, value in filter(None, known) if ts - at <= fresh]

            return Neighbours(heard, **own)
        made: Detector = SIMPLE[rule.kind](**own)
        return made

    def feed(self, sensor: int, ts: int, value: float, quality: int = 0) -> list[Alarm]:
        """A reading; returns the alarms it raised or cleared."""
        changed = []
        for watch in self._watches.get(sensor, ()):
            if watch.open is not None and not math.isnan(value) and _worse(watch, value):
                watch.open = self._keep(replace(watch.open, worst=value))
            for change in watch.detector.feed(ts, value, quality):
                changed.append(self._note(sensor, watch, change))
        if not math.isnan(value) and quality < 2:
            self._last[sensor] = (ts, value)
        return changed

    def advance(self, now: int) -> list[Alarm]:
        """Time went by: silence is noticed."""
        return [
            self._note(sensor, watch, change)
            for sensor, watches in self._watches.items()
            for watch in watches
            for change in watch.detector.wait(now)
        ]

    def _note(self, number: int, watch: _Watch, change: Change) -> Alarm:
        sensor, rule = self._by_number[number], watch.rule
        if isinstance(change, Raised):
            watch.open = self._keep(
                Alarm(
                    number, sensor.code, rule.id, str(rule.params.get("level", "warning")),
                    change.ts, None, change.value,
                    change.value, sensor.unit, rule.standard, rule.clause, rule.edition, rule.confidence,
                )
            )  # fmt: skip
            return watch.open
        assert isinstance(change, Cleared)
        assert watch.open is not None
        done = self._keep(replace(watch.open, cleared=max(change.ts, watch.open.raised)))
        watch.open = None
        return done

    def _keep(self, alarm: Alarm) -> Alarm:
        self.alarms[alarm.key] = alarm
        return alarm


_SELECTORS = frozenset({"sensor_kind", "compartment", "level", "built"})


def applies(rule: Rule, sensor: Sensor) -> bool:
    """True if a rule speaks of this sensor: by kind, compartment and the edition its tunnel was built to."""
    kind, room, built = (rule.params.get(key, "") for key in ("sensor_kind", "compartment", "built"))
    kinds = [kind] if isinstance(kind, str) else kind
    return (
        ("" in kinds or sensor.kind in kinds)
        and (not room or sensor.compartment == room)
        and (not built or sensor.built == built)
    )


def beside(sensor: Sensor, other: Sensor) -> bool:
    """True for two of one kind in one compartment of a tunnel."""
    return (other.kind, other.tunnel, other.compartment) == (sensor.kind, sensor.tunnel, sensor.compartment)


def _is_neighbour(sensor: Sensor, other: Sensor, within: float) -> bool:
    return (
        other.number != sensor.number
        and beside(sensor, other)
        and sensor.m is not None
        and other.m is not None
        and abs(other.m - sensor.m) <= within
    )


def _worse(watch: _Watch, value: float) -> bool:
    assert watch.open is not None
    worst, low = watch.open.worst, watch.rule.params.get("low")
    if worst is None or watch.rule.kind not in ("tunnel.limit", "tunnel.rise"):
        return False
    falling = (low is not None and worst <= float(low)) or float(watch.rule.params.get("per_hour", 0)) < 0
    return value < worst if falling else value > worst


def calibration_alarms(sensors: Iterable[Sensor], rules: Iterable[Rule], on: date) -> list[Alarm]:
    """Sensors whose calibration was due on a day."""
    found = []
    for rule in rules:
        if rule.kind != "tunnel.calibration":
            continue
        for sensor in sensors:
            if sensor.due is not None and sensor.due <= on and applies(rule, sensor):
                raised = int(datetime(sensor.due.year, sensor.due.month, sensor.due.day, tzinfo=UTC).timestamp() * 1000)
                found.append(
                    Alarm(
                        sensor.number, sensor.code, rule.id, "fault", raised, None, None, None, sensor.unit,
                        rule.standard, rule.clause, rule.edition, rule.confidence,
                    )
                )  # fmt: skip
    return found


def replay(
    project: Project,
    sensors: Sequence[Sensor],
    rules: Sequence[Rule],
    *,
    start: int | None = None,
    end: int | None = None,
    engine: AlarmEngine | None = None,
    progress: Progress | None = None,
) -> AlarmEngine:
    """Judge stored readings as if they came now: the engine as it stands at ``end`` (ms; without it after the last
    one); ``engine``: one to go on with, of the same sensors and rules. What a wrong clock dates ahead of ours is not
    judged: it would make all others silent.

    Raises:
        Cancelled.
    """
    import numpy as np

    progress = progress or NoProgress()
    engine = engine or AlarmEngine(sensors, rules)
    if start is not None:
        _prime(project, engine, sensors, start, progress)
    known = round(time.time() * 1000) + AHEAD_MS
    known = known if end is None else min(end, known)
    series = {sensor.number: project.readings.read(sensor.number, start, known) for sensor in sensors}
    who = np.concatenate([np.full(len(one), number) for number, one in series.items()] or [np.empty(0, int)])
    if len(who):
        ts, value, quality = (np.concatenate([getattr(one, key) for one in series.values()]) for key in _PARTS)
        order = np.lexsort((who, ts))
        columns = [part[order].tolist() for part in (who, ts, value, quality)]
        for at, (sensor, when, shown, grade) in enumerate(zip(*columns, strict=True)):
            if at % _STEP == 0:
                check(progress)
                progress.update(at / len(order), "stage.tunnel_replay")
            engine.feed(sensor, when, shown, grade)
        engine.advance(end if end is not None else columns[1][-1])
    return engine


def _prime(project: Project, engine: AlarmEngine, sensors: Sequence[Sensor], start: int, progress: Progress) -> None:
    """What is usual is known from the quarter hours before the start, of as many days as there is time for."""
    long = {one.number: engine.remembers(one.number) for one in sensors}
    long = {number: length for number, length in long.items() if length}
    room = _QUARTERS // max(len(long), 1) * 900_000
    for number, length in long.items():
        check(progress)
        before = project.readings.quarters(number, start - min(length, room), start)
        engine.prime(number, before.ts.tolist(), before.mean.tolist())


_PARTS = ("ts", "value", "quality")


def at_time(alarms: Mapping[tuple[int, str, int], Alarm], when: int) -> list[Alarm]:
    """Alarms that stood at a time, newest first."""
    standing = [one for one in alarms.values() if one.raised <= when and (one.cleared is None or one.cleared > when)]
    return sorted(standing, key=lambda one: -one.raised)
