"""What a chart of readings shows: one curve per sensor with its gaps as gaps, limits with their clause, alarm spans.

Short periods show every reading; long or dense ones the quarter hours with their lowest and highest reading.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from planner_app.domain.errors import PlannerError
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.monitoring.alarm_table import KeptAlarm
from plugins.tunnel.model.monitoring.detectors import BAD
from plugins.tunnel.model.monitoring.engine import Sensor, applies
from plugins.tunnel.model.monitoring.units import in_unit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUARTER = 900_000
_HOUR = 3_600_000
#: Beyond so many readings quarter hours are shown.
_MOST = 20_000
#: A pause longer than this many usual intervals is a gap.
_PAUSE = 1.75


@dataclass(frozen=True, slots=True)
class LimitLine:
    """A limit that an alarm rule sets. ``high``: the alarm lies above it."""

    value: float
    high: bool
    level: str
    rule: str
    source: str


@dataclass(frozen=True, slots=True)
class Curve:
    """A sensor's readings in a period.

    Attributes:
        ts: Unix ms (n,); value (n,), NaN for none; low, high: the same for raw readings, else the range within each
            quarter hour; quality (n,).
        pieces: (first, end) places of stretches without a gap or a missing or bad reading between.
        raw: every reading is shown; usual: ms between two readings.
        spans: alarms within the period.
    """

    sensor: Sensor
    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    quality: NDArray[np.int8]
    pieces: Sequence[tuple[int, int]]
    raw: bool
    usual: int
    limits: Sequence[LimitLine] = ()
    spans: Sequence[KeptAlarm] = ()

    def at(self, ts: int) -> int | None:
        """Place of the reading nearest to a time, None where the nearest is further away than a gap."""
        import numpy as np

        if not len(self.ts):
            return None
        place = int(np.searchsorted(self.ts, ts))
        around = [one for one in (place - 1, place) if 0 <= one < len(self.ts)]
        nearest = min(around, key=lambda one: abs(int(self.ts[one]) - ts))
        return nearest if abs(int(self.ts[nearest]) - ts) <= max(self.usual, QUARTER) * _PAUSE else None


def curve(
    project: Project, sensor: Sensor, start: int, end: int, rules: Sequence[Rule] = (), alarms: Sequence[KeptAlarm] = ()
) -> Curve:
    """A sensor's curve for start ≤ time < end (ms)."""
    import numpy as np

    raw = _expected(project, sensor.number, start, end) <= _MOST
    if raw:
        series = project.readings.read(sensor.number, start, end)
        ts, value, quality = series.ts, series.value.copy(), series.quality
        value[quality >= BAD] = np.nan
        low = high = value
    else:
        quarters = project.readings.quarters(sensor.number, start, end)
        ts, value, low, high = quarters.ts + QUARTER // 2, quarters.mean, quarters.low, quarters.high
        quality = np.zeros(len(ts), np.int8)
    usual = int(np.median(np.diff(ts))) if len(ts) > 2 else QUARTER
    spans = [
        one
        for one in alarms
        if one.alarm.sensor == sensor.number and one.alarm.raised < end and (one.alarm.cleared or end) >= start
    ]
    return Curve(
        sensor, ts, value, low, high, quality, _pieces(ts, value, usual), raw, usual, limit_lines(sensor, rules), spans
    )


def _expected(project: Project, sensor: int, start: int, end: int) -> float:
    """Readings in a period, as dense as in the hour before its end or before the sensor's last one."""
    if end - start > 40 * 24 * _HOUR:
        return float("inf")
    latest = project.readings.latest([sensor]).ts
    if not len(latest) or int(latest[0]) < start:
        return 0.0
    last = min(end, int(latest[0]) + 1)
    return len(project.readings.read(sensor, last - _HOUR, last)) * (last - start) / _HOUR


def _pieces(ts: NDArray[np.int64], value: NDArray[np.float64], usual: int) -> list[tuple[int, int]]:
    import numpy as np

    good = ~np.isnan(value)
    places = np.flatnonzero(good)
    if not len(places):
        return []
    far = (np.diff(places) > 1) | (np.diff(ts[places]) > usual * _PAUSE)
    cuts = np.flatnonzero(far) + 1
    return [(int(part[0]), int(part[-1]) + 1) for part in np.split(places, cuts)]


def limit_lines(sensor: Sensor, rules: Sequence[Rule]) -> list[LimitLine]:
    """Limits of the rules that judge a sensor's values."""
    found = []
    for rule in rules:
        fitted = in_unit(rule, sensor.kind, sensor.unit)
        if rule.kind != "tunnel.limit" or not applies(rule, sensor) or fitted is None:
            continue
        source = f"{rule.standard} {rule.clause}".strip()
        for name, high in (("high", True), ("low", False)):
            if name in fitted.params:
                level = str(rule.params.get("level", "warning"))
                found.append(LimitLine(float(fitted.params[name]), high, level, rule.id, source))
    return found


def write_curves(path: Path, curves: Sequence[Curve], here: tzinfo) -> int:
    """Write the readings of curves as CSV: time with zone, sensor, value, lowest, highest, unit, quality; the rows.

    Raises:
        PlannerError: ``report.not_written``.
    """
    rows = 0
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["time", "sensor", "value", "low", "high", "unit", "quality"])
            for one in curves:
                parts = (one.ts, one.value, one.low, one.high, one.quality)
                for ts, *values, quality in zip(*(part.tolist() for part in parts), strict=True):
                    when = datetime.fromtimestamp(ts / 1000, here).isoformat(timespec="seconds")
                    cells = ["" if value != value else f"{value:.10g}" for value in values]
                    writer.writerow([when, one.sensor.code, *cells, one.sensor.unit, quality])
                    rows += 1
    except OSError as error:
        raise PlannerError("report.not_written", file=str(path), detail=error.strerror or str(error)) from error
    return rows
