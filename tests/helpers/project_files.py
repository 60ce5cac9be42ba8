"""Parcels to fill project files with, a foreign program (plain sqlite3 with mod_spatialite), and bit-exact looks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import shapely

from planner_app.domain.layer import FieldInfo
from planner_app.project import Batch, Project
from planner_app.project.connection import connect

FIELDS = (
    FieldInfo("code", "text"),
    FieldInfo("far", "real"),
    FieldInfo("storeys", "integer"),
    FieldInfo("photo", "blob"),
)


def square(x: float, y: float, size: float = 10.0) -> bytes:
    """WKB of a square, as drawn in a CGCS2000 zone."""
    return bytes(shapely.to_wkb(shapely.box(500_000 + x, 3_500_000 + y, 500_000 + x + size, 3_500_000 + y + size)))


def parcels(count: int) -> Batch:
    """``count`` squares in a row with codes, ratios and storeys."""
    return Batch(
        [square(20.0 * n, 0) for n in range(count)],
        {
            "code": [f"R{n % 3}" for n in range(count)],
            "far": [0.1 * n for n in range(count)],
            "storeys": list(range(count)),
            "photo": [bytes([n % 256, 0, 255]) for n in range(count)],
        },
    )


@contextmanager
def foreign(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program's connection; everything in the ``with`` is committed statement by statement."""
    with closing(connect(path, spatial=True)) as connection:
        yield connection


def everything(project: Project, table: str) -> list[tuple[object, ...]]:
    """All rows of a table with their storage classes: equal only if every bit is."""
    with closing(sqlite3.connect(project.path)) as connection:
        names = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
        cells = ", ".join(f'typeof("{name}"), quote("{name}"), "{name}"' for name in names)
        rows = connection.execute(f'SELECT {cells} FROM "{table}" ORDER BY 3').fetchall()
    return [tuple(value.hex() if isinstance(value, float) else value for value in row) for row in rows]


def assert_whole(project: Project) -> None:
    """Every check of verify passes."""
    faults = [result for result in project.verify() if not result.ok]
    assert not faults, faults
