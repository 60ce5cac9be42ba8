"""A past period as it was: alarms that stood and readings that were known at each moment of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress
from planner_app.domain.rule import Rule, in_force
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.monitoring.alarm_table import KeptAlarm, merge_kept
from plugins.tunnel.model.monitoring.engine import DAY, replay
from plugins.tunnel.model.monitoring.standing import SensorState, order, sensor_states

#: Longest period, and what the detectors see before it.
LONGEST, _WARM_UP = 92 * DAY, 2 * DAY
#: A reading older than this is not shown as the one known at a moment.
_KNOWN = 6 * 3_600_000


@dataclass(frozen=True, slots=True)
class Past:
    """A period from ``start`` to ``end`` (ms). ``alarms``: those that stood within it, by time of raising.

    ``ts``, ``value``: readings by sensor, in time order.
    """

    start: int
    end: int
    rules: Mapping[str, Rule]
    sensors: Mapping[int, SensorState]
    alarms: Sequence[KeptAlarm]
    ts: Mapping[int, Sequence[int]]
    value: Mapping[int, Sequence[float]]

    def standing(self, when: int) -> list[KeptAlarm]:
        """Alarms that stood at a moment, as one knew them then: not yet cleared, acknowledged only if so by then."""
        found = []
        for one in self.alarms:
            alarm = one.alarm
            if alarm.raised <= when and (alarm.cleared is None or alarm.cleared > when):
                acked = _moment(one.ack_at)
                known = one if acked is not None and acked <= when else KeptAlarm(one.fid, alarm)
                found.append(replace(known, alarm=replace(alarm, cleared=None, worst=None)))
        return sorted(found, key=order)

    def states(self, when: int) -> dict[int, SensorState]:
        """The sensors as they were known at a moment."""
        worst: dict[int, str] = {}
        for one in self.standing(when):
            worst.setdefault(one.alarm.sensor, one.alarm.level)
        made = {}
        for number, state in self.sensors.items():
            times = self.ts.get(number, ())
            place = bisect_right(times, when) - 1
            known = place >= 0 and when - times[place] <= _KNOWN
            value = self.value[number][place] if known else float("nan")
            made[number] = replace(
                state, ts=times[place] if place >= 0 else None, value=None if value != value else value,
                silent=not known, level=worst.get(number, ""),
            )  # fmt: skip
        return made


def past(
    project: Project, rules: Sequence[Rule], start: int, end: int, *, city: str = "", progress: Progress | None = None
) -> Past:
    """Read and judge a period, under the rules of its last day.

    Raises:
        PlannerError: ``tunnel.period_wrong`` (empty, or longer than :data:`LONGEST`), ``tunnel.period_empty``.
        Cancelled.
    """
    if not 0 < end - start <= LONGEST:
        raise PlannerError("tunnel.period_wrong", days=LONGEST // DAY)
    known = in_force(rules, datetime.fromtimestamp(end / 1000, UTC).date(), city)
    states = sensor_states(project)
    ts: dict[int, list[int]] = {}
    value: dict[int, list[float]] = {}
    for number in states:
        series = project.readings.read(number, start - _KNOWN, end)
        ts[number], value[number] = series.ts.tolist(), series.value.tolist()
    if not any(times and times[-1] >= start for times in ts.values()):
        raise PlannerError("tunnel.period_empty")
    sensors = [one.sensor for one in states.values()]
    engine = replay(project, sensors, known, start=start - _WARM_UP, end=end, progress=progress)
    pairs = merge_kept(project, list(engine.alarms.values()), set(states))
    calibration = {rule.id for rule in known if rule.kind == "tunnel.calibration"}
    alarms = [
        replace(row or KeptAlarm(0, alarm), alarm=alarm)
        for alarm, row in pairs
        if alarm.raised < end and (alarm.cleared is None or alarm.cleared >= start) and alarm.rule not in calibration
    ]
    alarms.sort(key=lambda one: one.alarm.raised)
    return Past(start, end, {rule.id: rule for rule in known}, states, alarms, ts, value)


def _moment(text: str) -> int | None:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
