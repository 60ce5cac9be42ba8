"""The last reading of each sensor, kept beside the readings by whoever adds some: no look through the readings' key.

Sensors lie in rows of 256 neighbours each, packed, so that adding a tick of 10,000 sensors rewrites forty short rows
and reading them all takes a millisecond. What :data:`planner_reading` holds is what counts: a later reading of a
sensor takes the place, an earlier or a known one changes nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TABLE: Final = "CREATE TABLE planner_reading_last (part INTEGER PRIMARY KEY, data BLOB NOT NULL)"
#: Sensors of one row have these bits of their number in common.
_SHIFT: Final = 8
#: Sensor, time (ms), value (NaN: none), quality; little endian, packed.
_ROW: Final = [("sensor", "<i8"), ("ts", "<i8"), ("value", "<f8"), ("quality", "i1")]

_SCAN: Final = (
    "SELECT wanted.value, last.ts, last.value, last.quality FROM json_each(?) AS wanted JOIN planner_reading AS last "
    "ON last.sensor = wanted.value AND last.ts = (SELECT max(ts) FROM planner_reading WHERE sensor = wanted.value)"
)
#: Sensors that have readings, found by leaps through the key.
SENSORS: Final = (
    "WITH RECURSIVE leap (sensor) AS (SELECT min(sensor) FROM planner_reading UNION ALL SELECT "
    "(SELECT min(sensor) FROM planner_reading WHERE sensor > leap.sensor) FROM leap "
    "WHERE leap.sensor IS NOT NULL) SELECT sensor FROM leap WHERE sensor IS NOT NULL"
)


def create_table(connection: sqlite3.Connection) -> None:
    """Migration 5: the table, filled from the readings there are."""
    connection.execute(TABLE)
    _put(connection, scan(connection, [int(row[0]) for row in connection.execute(SENSORS)]))


def scan(connection: sqlite3.Connection, sensors: list[int]) -> NDArray[np.void]:
    """Looked up in the readings themselves, for files that do not have the table yet."""
    import numpy as np

    rows = connection.execute(_SCAN, (json.dumps(sensors),)).fetchall()
    return np.array([(sensor, ts, np.nan if v is None else v, grade) for sensor, ts, v, grade in rows], _ROW)


def read(connection: sqlite3.Connection, sensors: list[int] | None = None) -> NDArray[np.void]:
    """The last readings of all sensors in order of their numbers, or of those named in the order named."""
    import numpy as np

    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'planner_reading_last'").fetchone():
        wanted = [int(row[0]) for row in connection.execute(SENSORS)] if sensors is None else sensors
        return scan(connection, wanted)
    if sensors is None:
        return _parts(connection, None)
    asked = np.asarray(sensors, np.int64)
    found = _parts(connection, np.unique(asked >> _SHIFT))
    at = np.searchsorted(found["sensor"], asked)
    at[at == len(found)] = 0
    picked: NDArray[np.void] = found[at[found["sensor"][at] == asked]] if len(found) else found
    return picked


def advance(connection: sqlite3.Connection, sensor: Any, ts: Any, value: Any, quality: Any) -> None:
    """Take up what was just added: the newest reading of each sensor that got some, in order of their numbers."""
    import numpy as np

    came = np.empty(len(ts), _ROW)
    came["sensor"], came["ts"], came["value"], came["quality"] = sensor, ts, value, quality
    known = _parts(connection, np.unique(came["sensor"] >> _SHIFT))
    at = np.searchsorted(known["sensor"], came["sensor"])
    there = np.zeros(len(came), bool)
    inside = at < len(known)
    there[inside] = known["sensor"][at[inside]] == came["sensor"][inside]
    later = there.copy()
    later[there] = came["ts"][there] > known["ts"][at[there]]
    if not later.any() and there.all():
        return
    known[at[later]] = came[later]
    if not there.all():
        known = np.concatenate([known, came[~there]])
        known = known[np.argsort(known["sensor"])]
    _put(connection, known)


def drop_before(connection: sqlite3.Connection, ts: int) -> None:
    """Sensors whose last reading is older have none any more."""
    known = _parts(connection, None)
    kept = known[known["ts"] >= ts]
    if len(kept) < len(known):
        connection.execute("DELETE FROM planner_reading_last")
        _put(connection, kept)


def _parts(connection: sqlite3.Connection, parts: NDArray[np.int64] | None) -> NDArray[np.void]:
    """What is kept in rows, all or those named; a copy that may be written."""
    import numpy as np

    which = "" if parts is None else "WHERE part IN (SELECT value FROM json_each(?)) "
    values: Iterable[Any] = () if parts is None else (json.dumps(parts.tolist()),)
    rows = connection.execute(f"SELECT data FROM planner_reading_last {which}ORDER BY part", tuple(values))
    return np.frombuffer(bytearray().join(row[0] for row in rows), _ROW)


def _put(connection: sqlite3.Connection, known: NDArray[np.void]) -> None:
    """Write whole rows; ``known`` in order of sensors."""
    import numpy as np

    part = known["sensor"] >> _SHIFT
    ends = np.flatnonzero(np.diff(part, append=part[-1:] + 1)) + 1
    first = np.append(0, ends[:-1])[: len(ends)]
    connection.executemany(
        "INSERT OR REPLACE INTO planner_reading_last VALUES (?, ?)",
        [(int(part[a]), known[a:b].tobytes()) for a, b in zip(first.tolist(), ends.tolist(), strict=True)],
    )
