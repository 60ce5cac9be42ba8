"""Readings of sensors: append-only, outside the change log and undo, by (sensor, time) once each.

Raw readings lie in one table without rowid, 24 bytes a row. Quarter hours are summed up in a second table, which serves
charts of long periods and outlives the raw readings; those that new readings made stale are marked and summed up again
when somebody looks (or prunes), so that storing stays fast and a reading delivered twice never counts twice.
Times are Unix milliseconds (UTC).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, check
from planner_app.project import latest, replica
from planner_app.project.connection import Door, patiently

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Length of a summed-up period, ms.
QUARTER = 900_000
#: Readings per write transaction: far below the second that a lock may be held.
_BATCH = 50_000
#: Stale quarter hours summed up per write transaction.
_STALE_BATCH = 400
_PAUSE = 0.002
#: Setting of the file: readings before this time were pruned.
_PRUNED = "readings.pruned"
#: Quality of a reading.
GOOD, SUSPECT, BAD = 0, 1, 2

TABLES = (
    "CREATE TABLE planner_reading (sensor INTEGER NOT NULL, ts INTEGER NOT NULL, value REAL, "
    "quality INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (sensor, ts)) WITHOUT ROWID",
    # good: number of readings that are neither bad nor missing; the other figures speak of those.
    "CREATE TABLE planner_reading_quarter (sensor INTEGER NOT NULL, ts INTEGER NOT NULL, rows INTEGER NOT NULL, "
    "good INTEGER NOT NULL, low REAL, high REAL, mean REAL, PRIMARY KEY (sensor, ts)) WITHOUT ROWID",
    "CREATE TABLE planner_reading_stale (sensor INTEGER NOT NULL, ts INTEGER NOT NULL, PRIMARY KEY (sensor, ts)) "
    "WITHOUT ROWID",
)
_INSERT = "INSERT OR IGNORE INTO planner_reading VALUES (?, ?, ?, ?)"
_SUM_UP = (
    f"SELECT sensor, ?2, count(*), count(CASE WHEN quality < {BAD} THEN value END), "
    f"min(CASE WHEN quality < {BAD} THEN value END), max(CASE WHEN quality < {BAD} THEN value END), "
    f"avg(CASE WHEN quality < {BAD} THEN value END) FROM planner_reading "
    "WHERE sensor = ?1 AND ts >= ?2 AND ts < ?3 GROUP BY sensor"
)


def create_tables(connection: sqlite3.Connection) -> None:
    """Migration 3."""
    for statement in TABLES:
        connection.execute(statement)


@dataclass(frozen=True, slots=True)
class Stored:
    """What :meth:`Readings.add` did.

    ``new``: rows kept; ``known``: their (sensor, time) was there already and stays as it is; ``late``: older than what
    was pruned, so that nobody can tell whether they are known: not kept.
    """

    new: int
    known: int
    late: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """Readings of one sensor in time order: ``ts`` int64 (n,) ms, ``value`` float64 (n,) with NaN for none, ``quality``
    int8 (n,)."""

    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True)
class Quarters:
    """Quarter hours of one sensor: start ``ts`` (n,) ms, number of ``good`` readings, ``low``, ``high``, ``mean``
    (NaN where none is good)."""

    ts: NDArray[np.int64]
    good: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    mean: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Latest:
    """The last readings of n sensors: ``sensor`` and ``ts`` int64 (n,), ``value`` float64 (n,) with NaN for none,
    ``quality`` int8 (n,)."""

    sensor: NDArray[np.int64]
    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int8]


class Readings:
    """The readings of an open project (``Project.readings``)."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def add(
        self,
        sensors: int | Sequence[int] | NDArray[np.int64],
        ts: Sequence[int] | NDArray[np.int64],
        values: Sequence[float | None] | NDArray[np.float64],
        quality: int | Sequence[int] | NDArray[Any] = GOOD,
        progress: Progress | None = None,
        *,
        from_server: bool = False,
    ) -> Stored:
        """Keep readings; n times and values, one sensor or n, one quality or n. NaN is kept as missing.

        Written in short transactions: after a kill or a cancel what came before is there, and adding the same again is
        harmless. ``from_server``: they need not be sent there.

        Raises:
            PlannerError: ``reading.length`` if the parts differ in length, ``project.read_only``. Cancelled.
        """
        import numpy as np

        progress = progress or NoProgress()
        when = np.asarray(ts, np.int64)
        count = len(when)
        value = np.asarray([np.nan if v is None else v for v in values] if isinstance(values, list) else values, float)
        sensor = np.broadcast_to(np.asarray(sensors, np.int64), count) if np.ndim(sensors) == 0 else np.asarray(sensors)
        grade = np.broadcast_to(np.asarray(quality, np.int64), count) if np.ndim(quality) == 0 else np.asarray(quality)
        if not len(value) == len(sensor) == len(grade) == count:
            raise PlannerError("reading.length", times=count, values=len(value))
        fresh = when >= self._pruned()
        late = count - int(np.count_nonzero(fresh))
        if late:
            sensor, when, value, grade = (part[fresh] for part in (sensor, when, value, grade))
            count -= late
        new = 0
        for start in range(0, count, _BATCH):
            check(progress)
            part = slice(start, start + _BATCH)
            new += self._add_batch(sensor[part], when[part], value[part], grade[part], from_server)
            progress.update(min(1.0, (start + _BATCH) / count), "stage.readings")
            if start + _BATCH < count:
                time.sleep(_PAUSE)  # let other writers in
        return Stored(new, count - new, late)

    def _add_batch(self, sensor: Any, ts: Any, value: Any, quality: Any, from_server: bool) -> int:
        import numpy as np

        # By sensor and time, as the table lies: half the work for it. Of two with the same the first counts.
        order = np.lexsort((ts, sensor))
        who, when, value, quality = sensor[order], ts[order], value[order], quality[order]
        value = np.where(np.isfinite(value), value, np.nan)
        shown = value.tolist()
        for place in np.flatnonzero(np.isnan(value)).tolist():
            shown[place] = None
        quarter = when // QUARTER * QUARTER
        change = who[1:] != who[:-1]
        first = np.append(True, change | (quarter[1:] != quarter[:-1]))
        quarters = list(zip(who[first].tolist(), quarter[first].tolist(), strict=True))
        once = np.flatnonzero(np.append(True, change | (when[1:] != when[:-1])))
        newest = once[np.append(who[once][1:] != who[once][:-1], True)]
        with self._door.write() as connection:
            before = connection.total_changes
            connection.executemany(_INSERT, zip(who.tolist(), when.tolist(), shown, quality.tolist(), strict=True))
            new = connection.total_changes - before
            if new:
                connection.executemany("INSERT OR IGNORE INTO planner_reading_stale VALUES (?, ?)", quarters)
                latest.advance(connection, who[newest], when[newest], value[newest], quality[newest])
                if not from_server:
                    replica.mark_readings(connection, quarters)
        return new

    def read(self, sensor: int, start: int | None = None, end: int | None = None) -> Series:
        """Raw readings of a sensor with start ≤ time < end."""
        import numpy as np

        low, high = _range(start, end)
        rows = self._rows(
            "SELECT ts, value, quality FROM planner_reading WHERE sensor = ? AND ts >= ? AND ts < ? ORDER BY ts",
            (sensor, low, high),
        )
        if not rows:
            return Series(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int8))
        ts, value, quality = zip(*rows, strict=True)
        return Series(np.array(ts, np.int64), np.array(value, float), np.array(quality, np.int8))

    def quarters(self, sensor: int, start: int | None = None, end: int | None = None) -> Quarters:
        """Quarter hours that overlap start ≤ time < end, summed up from all readings there are."""
        import numpy as np

        low, high = _range(start, end)
        low = (low // QUARTER) * QUARTER
        self.sum_up(sensor)
        rows = self._rows(
            "SELECT ts, good, low, high, mean FROM planner_reading_quarter WHERE sensor = ? AND ts >= ? AND ts < ? "
            "ORDER BY ts",
            (sensor, low, high),
        )
        table = np.array(rows, float).reshape(-1, 5)
        return Quarters(
            table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2], table[:, 3], table[:, 4]
        )

    def latest(self, sensors: Sequence[int] | None = None) -> Latest:
        """The last reading of each sensor that has one, of those named or of all."""
        import numpy as np

        wanted = None if sensors is None else [int(sensor) for sensor in sensors]
        with self._door.read() as connection:
            rows = patiently(lambda: latest.read(connection, wanted), self._door.path)
        columns = (rows[name] for name in ("sensor", "ts", "value", "quality"))
        return Latest(*(np.ascontiguousarray(column) for column in columns))

    def sensors(self) -> list[int]:
        """Sensors that have readings, found by leaps through the key."""
        return [int(row[0]) for row in self._rows(latest.SENSORS)]

    def span(self, sensor: int | None = None) -> tuple[int, int] | None:
        """First and last time of a sensor's readings, or of all; None if there are none."""
        if sensor is not None:
            first, last = self._rows("SELECT min(ts), max(ts) FROM planner_reading WHERE sensor = ?", (sensor,))[0]
            return None if first is None else (int(first), int(last))
        spans = [found for one in self.sensors() if (found := self.span(one)) is not None]
        return (min(low for low, _ in spans), max(high for _, high in spans)) if spans else None

    def count(self, sensor: int | None = None) -> int:
        """Number of raw readings."""
        if sensor is None:
            return int(self._rows("SELECT count(*) FROM planner_reading")[0][0])
        return int(self._rows("SELECT count(*) FROM planner_reading WHERE sensor = ?", (sensor,))[0][0])

    def sum_up(self, sensor: int | None = None, progress: Progress | None = None) -> None:
        """Sum up again the quarter hours that new readings made stale. In a file that cannot be written nothing is done
        and what was summed up before is what there is."""
        where, values = ("WHERE sensor = ?", (sensor,)) if sensor is not None else ("", ())
        while not self._door.read_only:
            check(progress or NoProgress())
            stale = self._rows(f"SELECT sensor, ts FROM planner_reading_stale {where} LIMIT {_STALE_BATCH}", values)
            if not stale:
                return
            with self._door.write() as connection:
                for one, ts in stale:
                    connection.execute(
                        f"INSERT OR REPLACE INTO planner_reading_quarter {_SUM_UP}", (one, ts, ts + QUARTER)
                    )
                connection.executemany("DELETE FROM planner_reading_stale WHERE sensor = ? AND ts = ?", stale)

    def prune(self, before: int, progress: Progress | None = None) -> int:
        """Drop raw readings older than a time (rounded down to a quarter hour); their quarter hours stay.

        Returns:
            How many went.
        """
        before = (before // QUARTER) * QUARTER
        self.sum_up(progress=progress)
        gone = 0
        with self._door.write() as connection:
            connection.execute(
                "INSERT INTO planner_setting VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = "
                "max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))",
                (_PRUNED, str(before)),
            )
            latest.drop_before(connection, before)
        for sensor in self.sensors():
            while True:
                check(progress or NoProgress())
                with self._door.write() as connection:
                    dropped = connection.execute(
                        "DELETE FROM planner_reading WHERE sensor = ?1 AND ts < ?2 AND ts <= coalesce((SELECT ts FROM "
                        "planner_reading WHERE sensor = ?1 ORDER BY ts LIMIT 1 OFFSET ?3), ?2)",
                        (sensor, before, _BATCH),
                    ).rowcount
                gone += dropped
                if dropped <= 0:
                    break
                time.sleep(_PAUSE)
        return gone

    def _pruned(self) -> int:
        rows = self._rows("SELECT value FROM planner_setting WHERE key = ?", (_PRUNED,))
        return int(rows[0][0]) if rows else -(1 << 62)

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._door.read() as connection:
            return patiently(lambda: connection.execute(statement, values).fetchall(), self._door.path)


def _range(start: int | None, end: int | None) -> tuple[int, int]:
    return (-(1 << 62) if start is None else int(start), (1 << 62) if end is None else int(end))
