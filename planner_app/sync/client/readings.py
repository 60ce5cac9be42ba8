"""Readings of sensors, both ways: append-only, by (sensor, time) once each, so that sending them twice is harmless."""

from __future__ import annotations

import sqlite3
from typing import Final

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress, check
from planner_app.project import Project, replica
from planner_app.project.readings import QUARTER
from planner_app.sync.transport import Transport

#: Quarter hours sent, and readings taken over, in one go.
_QUARTERS: Final = 400
_ROWS: Final = 20_000


def mark_all(connection: sqlite3.Connection) -> None:
    """The file has just got a server: it lacks all readings."""
    connection.execute(
        "INSERT OR IGNORE INTO planner_replica_reading (sensor, ts) SELECT DISTINCT sensor, ts / ?1 * ?1 - "
        "CASE WHEN ts < 0 AND ts % ?1 THEN ?1 ELSE 0 END FROM planner_reading",
        (QUARTER,),
    )


def send(project: Project, transport: Transport, progress: Progress) -> int:
    """Send what the server may lack; returns how many were new to it.

    Whoever may not send readings (a planner whose file has some) keeps them marked, and all else is synced.
    """
    new = 0
    while True:
        check(progress)
        with project.door.read() as connection:
            if kept(connection):  # asked under the same rights before
                return new
            key = replica.get(connection, "project")
            marks = connection.execute(
                "SELECT sensor, ts, turn FROM planner_replica_reading ORDER BY sensor, ts LIMIT ?", (_QUARTERS,)
            ).fetchall()
            rows = [
                row
                for sensor, ts, _ in marks
                for row in connection.execute(
                    "SELECT sensor, ts, value, quality FROM planner_reading WHERE sensor = ? AND ts >= ? AND ts < ?",
                    (sensor, ts, ts + QUARTER),
                )
            ]
        if not marks:
            return new
        if rows:
            try:
                new += transport.put_readings(key, rows)
            except PlannerError as error:
                if error.code != "sync.denied":
                    raise
                with project.door.write(relaxed=True) as connection:
                    replica.put(connection, readings_refused=replica.get(connection, "rights_stamp", "-"))
                return new
        with project.door.write(relaxed=True) as connection:
            # One that got more readings meanwhile has had another turn and stays marked.
            connection.executemany(
                "DELETE FROM planner_replica_reading WHERE sensor = ? AND ts = ? AND turn = ?", marks
            )
        progress.update(None, "stage.sync_readings")


def kept(connection: sqlite3.Connection) -> int:
    """Sensors whose readings stay in this file: the server takes none from this user, as long as his rights stay."""
    refused = replica.get(connection, "readings_refused")
    if not refused or refused != replica.get(connection, "rights_stamp", "-"):
        return 0
    return int(connection.execute("SELECT count(DISTINCT sensor) FROM planner_replica_reading").fetchone()[0])


def fetch(project: Project, transport: Transport, progress: Progress) -> int:
    """Take over what others sent; returns how many were new here."""
    with project.door.read() as connection:
        key, after = replica.get(connection, "project"), int(replica.get(connection, "readings_batch", "0"))
    new, waiting, last = 0, list[tuple[int, int, float | None, int]](), after
    for batch, sensor, ts, value, quality in transport.readings(key, after):
        if len(waiting) >= _ROWS:
            new += _keep(project, waiting, last - 1, progress)
            waiting = []
        waiting.append((sensor, ts, value, quality))
        last = batch
    if waiting:
        new += _keep(project, waiting, last, progress)
    return new


def _keep(project: Project, rows: list[tuple[int, int, float | None, int]], batch: int, progress: Progress) -> int:
    check(progress)
    sensors, times, values, grades = (list(column) for column in zip(*rows, strict=True))
    stored = project.readings.add(sensors, times, values, grades, from_server=True)
    with project.door.write(relaxed=True) as connection:
        replica.put(connection, readings_batch=max(0, batch))
    progress.update(None, "stage.sync_readings")
    return stored.new
