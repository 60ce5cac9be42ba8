"""Layer tables as SpatiaLite and QGIS know them: columns, geometry registration, R-tree, statistics.

A table is registered by its row in ``geometry_columns`` and its triggers; a layer in the trash or still being filled
has neither, so that QGIS does not list it as a layer.
"""

from __future__ import annotations

import re
import sqlite3
import struct
from typing import Final

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import RESERVED_COLUMNS, FieldInfo, FieldType, Geometry
from planner_app.project.geometry import box_of
from planner_app.project.sql import literal, quote

SQL_TYPES: Final[dict[FieldType, str]] = {
    "integer": "INTEGER",
    "real": "DOUBLE",
    "text": "TEXT",
    "date": "DATE",
    "datetime": "DATETIME",
    "boolean": "BOOLEAN",
    "blob": "BLOB",
}
_TYPE_NUMBERS: Final[dict[Geometry, int]] = {"point": 1, "line": 2, "polygon": 3, "none": 0}
_TYPE_NAMES: Final = {1: "POINT", 4: "MULTIPOINT", 5: "MULTILINESTRING", 6: "MULTIPOLYGON"}
_CELL = struct.Struct(">q4f")  # of an R-tree node: id, xmin, xmax, ymin, ymax
_EPOCH = "0000-01-01T00:00:00.000Z"
_NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"


def field_type(declared: str) -> FieldType:
    """The field type of a declared SQL type (fields QGIS added, files others made)."""
    word = declared.upper().split("(")[0].strip()
    for names, kind in (
        (("BOOLEAN", "BOOL"), "boolean"),
        (("DATETIME", "TIMESTAMP"), "datetime"),
        (("DATE",), "date"),
        (("BLOB",), "blob"),
    ):
        if word in names:
            return kind  # type: ignore[return-value]
    if "INT" in word:
        return "integer"
    if any(part in word for part in ("REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL")):
        return "real"
    return "text"


def geometry_type(geometry: Geometry, multi: bool, has_z: bool) -> int:
    """SpatiaLite's number of a layer's geometry type (6 MULTIPOLYGON, 1006 MULTIPOLYGON Z …)."""
    number = _TYPE_NUMBERS[geometry] + (3 if multi or geometry != "point" else 0)
    return number + (1000 if has_z else 0)


def table_name(connection: sqlite3.Connection, name: str) -> str:
    """A table name made from a layer's name: readable in QGIS, lower case, never used in this file before."""
    stem = re.sub(r"[^\w]+", "_", name.strip().lower()).strip("_")[:40] or "layer"
    if stem[0].isdigit() or re.match(
        r"(planner|sqlite|idx|log|geometry|spatial|views|virts|rl2|sql|layer_styles)", stem
    ):
        stem = "layer_" + stem
    taken = {
        row[0].lower()
        for row in connection.execute(
            "SELECT name FROM sqlite_master UNION SELECT table_name FROM planner_column "
            "UNION SELECT table_name FROM planner_capture"
        )
    }
    number, candidate = 1, stem
    while candidate in taken or f"idx_{candidate}_geom" in taken:
        number += 1
        candidate = f"{stem}_{number}"
    return candidate


def check_fields(fields: tuple[FieldInfo, ...]) -> None:
    """Refuse field names SQLite or the layer table cannot take.

    Raises:
        PlannerError: ``field.reserved``, ``field.twice``, ``field.empty``.
    """
    seen: set[str] = set()
    for field in fields:
        folded = field.name.lower()
        if not field.name.strip() or "\x00" in field.name:
            raise PlannerError("field.empty", field=field.name)
        if folded in (*RESERVED_COLUMNS, "rowid", "oid", "_rowid_"):
            raise PlannerError("field.reserved", field=field.name)
        if folded in seen:
            raise PlannerError("field.twice", field=field.name)
        seen.add(folded)


def create_table(connection: sqlite3.Connection, table: str, geometry: Geometry, fields: tuple[FieldInfo, ...]) -> None:
    """Create a layer's table and its uuid index, unregistered and without triggers."""
    parts = ["fid INTEGER PRIMARY KEY AUTOINCREMENT", "uuid TEXT"]
    parts += [f"{quote(field.name)} {SQL_TYPES[field.type]}" for field in fields]
    if geometry != "none":
        parts.append(f"geom {_TYPE_NAMES[geometry_type(geometry, geometry != 'point', False)]}")
    connection.execute(f"CREATE TABLE {quote(table)} ({', '.join(parts)})")
    connection.execute(f"CREATE INDEX {quote(f'planner_{table}_uuid')} ON {quote(table)} (uuid)")


def register(
    connection: sqlite3.Connection, table: str, geometry: Geometry, srid: int, *, multi: bool, has_z: bool
) -> None:
    """Make a filled table a layer for SpatiaLite and QGIS: metadata, statistics and triggers. Its R-tree exists."""
    if geometry == "none":
        return
    number = geometry_type(geometry, multi, has_z)
    connection.execute(
        "INSERT INTO geometry_columns VALUES (?, 'geom', ?, ?, ?, 1)", (table, number, 3 if has_z else 2, srid)
    )
    connection.execute("INSERT INTO geometry_columns_auth VALUES (?, 'geom', 0, 0)", (table,))
    connection.execute(
        f"INSERT INTO geometry_columns_time VALUES (?, 'geom', '{_EPOCH}', '{_EPOCH}', '{_EPOCH}')", (table,)
    )
    box = extent(connection, table) or (None, None, None, None)
    connection.execute(
        f"INSERT INTO geometry_columns_statistics VALUES (?, 'geom', {_NOW}, (SELECT count(*) FROM {quote(table)}), "
        "?, ?, ?, ?)",
        (table, *box),
    )
    for statement in _triggers(table):
        connection.execute(statement)


def _triggers(table: str) -> list[str]:
    """The triggers SpatiaLite 5 makes for a geometry column with an R-tree, in its words.

    ``RebuildGeometryTriggers`` would try to make the R-tree again and complain on standard error that it exists.
    """
    t, index, text = quote(table), quote(f"idx_{table}_geom"), literal(table)
    this = f"Lower(f_table_name) = Lower({text}) AND Lower(f_geometry_column) = Lower('geom')"
    refused = literal(f"{table}.geom violates Geometry constraint [geom-type or SRID not allowed]")
    constraint = (
        f"SELECT RAISE(ROLLBACK, {refused}) WHERE (SELECT geometry_type FROM geometry_columns WHERE {this} "
        'AND GeometryConstraints(NEW."geom", geometry_type, srid) = 1) IS NULL;'
    )
    align = (
        f"DELETE FROM {index} WHERE pkid=NEW.ROWID; "
        f'SELECT RTreeAlign({literal(f"idx_{table}_geom")}, NEW.ROWID, NEW."geom");'
    )

    def touch(column: str) -> str:
        return f"UPDATE geometry_columns_time SET {column} = {_NOW} WHERE {this};"

    bodies = {
        "ggi": (f"BEFORE INSERT ON {t}", constraint),
        "ggu": (f'BEFORE UPDATE OF "geom" ON {t}', constraint),
        "tmi": (f"AFTER INSERT ON {t}", touch("last_insert")),
        "tmu": (f"AFTER UPDATE ON {t}", touch("last_update")),
        "tmd": (f"AFTER DELETE ON {t}", touch("last_delete")),
        "gii": (f"AFTER INSERT ON {t}", align),
        "giu": (f'AFTER UPDATE OF "geom" ON {t}', align),
        "gid": (f"AFTER DELETE ON {t}", f"DELETE FROM {index} WHERE pkid=OLD.ROWID;"),
    }
    made = []
    for prefix, (event, body) in bodies.items():
        name = quote(f"{prefix}_{table}_geom")
        made.append(f"DROP TRIGGER IF EXISTS {name}")
        made.append(f"CREATE TRIGGER {name} {event}\nFOR EACH ROW BEGIN\n{body}\nEND")
    return made


def unregister(connection: sqlite3.Connection, table: str) -> None:
    """Take a table out of SpatiaLite's and QGIS's sight; rows, R-tree and capture stay for a redo."""
    for metadata in (
        "geometry_columns_auth",
        "geometry_columns_time",
        "geometry_columns_statistics",
        "geometry_columns_field_infos",
        "geometry_columns",
    ):
        connection.execute(f"DELETE FROM {metadata} WHERE lower(f_table_name) = ?", (table.lower(),))


def extent(connection: sqlite3.Connection, table: str) -> tuple[float, float, float, float] | None:
    """Exact bounding box of a layer (xmin, ymin, xmax, ymax), or None if it has no geometry.

    The R-tree finds the few features at each edge (its own numbers are rounded to 32 bits: metres, at Chinese
    northings); the headers of their geometries give the exact value.
    """
    index = quote(f"idx_{table}_geom")
    edges = _root_box(connection, table)
    if edges is None:
        return None
    box: list[float] = []
    for side, column, best in ((0, "xmin", min), (1, "ymin", min), (2, "xmax", max), (3, "ymax", max)):
        found: list[float] = []
        edge: float | None = edges[side]
        while not found and edge is not None:
            headers = connection.execute(
                f"SELECT substr(geom, 1, 38) FROM {quote(table)} WHERE geom IS NOT NULL AND fid IN "
                f"(SELECT pkid FROM {index} WHERE {column} {'<=' if best is min else '>='} ?)",
                (edge,),
            )
            found = [box_of(header)[side] for (header,) in headers]
            if not found:  # the root was loose: ask all leaves
                exact = connection.execute(f"SELECT {best.__name__}({column}) FROM {index}").fetchone()[0]
                edge = exact if exact != edge else None
        if not found:
            return None
        box.append(best(found))
    return (box[0], box[1], box[2], box[3])


def _root_box(connection: sqlite3.Connection, table: str) -> tuple[float, float, float, float] | None:
    """Bounding box of an R-tree's root node (xmin, ymin, xmax, ymax), in its own 32-bit floats."""
    row = connection.execute(f"SELECT data FROM {quote(f'idx_{table}_geom_node')} WHERE nodeno = 1").fetchone()
    count = int.from_bytes(row[0][2:4], "big") if row else 0
    if not count:
        return None
    cells = [_CELL.unpack_from(row[0], 4 + 24 * at) for at in range(count)]
    return (min(c[1] for c in cells), min(c[3] for c in cells), max(c[2] for c in cells), max(c[4] for c in cells))
