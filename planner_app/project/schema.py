"""Names and definitions of the tables that every project file has beside SpatiaLite's own."""

from __future__ import annotations

from typing import Final

#: "PLAN" in ASCII, kept in the file's header: how a project file is told from any other SQLite file.
APPLICATION_ID: Final = 0x504C414E

#: Registry tables whose rows are captured like a layer's, so that renaming, styling and ordering can be undone.
#: Their slots in the change log are the positions below; a migration only ever adds at the end.
#: table → (key column, captured columns)
REGISTRY: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "planner_plan": (
        "fid",
        ("id", "kind", "name", "authority", "version", "valid_from", "valid_to", "source"),
    ),
    "planner_layer": (
        "fid",
        (
            "id", "uuid", "name", "geometry", "srid", "plan_id", "role", "class_field", "class_standard", "label_field",
            "position", "visible", "opacity", "source", "source_crs", "locked", "extra", "has_z", "multi",
        ),
    ),
    "planner_column": ("fid", ("table_name", "slot", "name", "type", "alias", "live")),
    "layer_styles": (
        "id",
        (
            "f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column", "styleName", "styleQML",
            "styleSLD", "useAsDefault", "description", "owner", "ui", "update_time",
        ),
    ),
    "planner_replica_conflict": (
        "id", ("kind", "layer", "uuid", "name", "base", "mine", "theirs", "bundle", "revision")
    ),
}  # fmt: skip

#: How many old values and mask bits the log starts with; both grow with the widest layer.
LOG_SLOTS: Final = 32
#: Bits per mask column (SQLite integers are signed and 64 bits wide).
MASK_BITS: Final = 60

TABLES: Final = """
CREATE TABLE planner_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE planner_setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE planner_migration (
    version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied TEXT NOT NULL, backup TEXT NOT NULL DEFAULT ''
);
CREATE TABLE planner_plan (
    fid INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    authority TEXT NOT NULL DEFAULT '',
    version TEXT NOT NULL DEFAULT '',
    valid_from TEXT NOT NULL DEFAULT '',
    valid_to TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL DEFAULT ''
);
CREATE TABLE planner_layer (
    fid INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    uuid TEXT NOT NULL,
    name TEXT NOT NULL,
    geometry TEXT NOT NULL,
    srid INTEGER NOT NULL,
    plan_id TEXT NOT NULL DEFAULT '',
    role TEXT NOT NULL DEFAULT '',
    class_field TEXT NOT NULL DEFAULT '',
    class_standard TEXT NOT NULL DEFAULT '',
    label_field TEXT NOT NULL DEFAULT '',
    position INTEGER NOT NULL DEFAULT 0,
    visible INTEGER NOT NULL DEFAULT 1,
    opacity REAL NOT NULL DEFAULT 1.0,
    source TEXT NOT NULL DEFAULT '',
    source_crs TEXT NOT NULL DEFAULT '',
    locked INTEGER NOT NULL DEFAULT 0,
    extra TEXT NOT NULL DEFAULT '{}',
    has_z INTEGER NOT NULL DEFAULT 0,
    multi INTEGER NOT NULL DEFAULT 1
);
-- One row per column a layer table has or had. Its slot is where the change log keeps the column's old values. Slots
-- are never given to another column, so that old entries stay readable.
CREATE TABLE planner_column (
    fid INTEGER PRIMARY KEY AUTOINCREMENT,
    table_name TEXT NOT NULL,
    slot INTEGER NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    alias TEXT NOT NULL DEFAULT '',
    live INTEGER NOT NULL DEFAULT 1,
    UNIQUE (table_name, slot)
);
-- Tables whose changes are captured, by the number their log rows carry, with the columns their triggers were made for.
CREATE TABLE planner_capture (
    number INTEGER PRIMARY KEY AUTOINCREMENT, table_name TEXT NOT NULL UNIQUE, columns TEXT NOT NULL
);
-- Tables an import is filling. Whoever opens the file sweeps those whose maker is gone.
CREATE TABLE planner_pending (
    table_name TEXT PRIMARY KEY, host TEXT NOT NULL, process TEXT NOT NULL, heartbeat REAL NOT NULL
) WITHOUT ROWID;
-- The transaction being written. Only its own writer ever sees it set: a row whose txn is NULL was written by others.
CREATE TABLE planner_state (id INTEGER PRIMARY KEY CHECK (id = 1), txn INTEGER);
INSERT INTO planner_state VALUES (1, NULL);
CREATE TABLE planner_txn (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time TEXT NOT NULL,
    user TEXT NOT NULL,
    origin TEXT NOT NULL,
    session TEXT NOT NULL,
    command TEXT NOT NULL,
    params TEXT NOT NULL DEFAULT '{}',
    tbl INTEGER,
    first_seq INTEGER NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL DEFAULT 0,
    rows INTEGER NOT NULL DEFAULT 0,
    last_at REAL,
    undoes INTEGER,
    undone_by INTEGER
);
CREATE INDEX planner_txn_last_seq ON planner_txn (last_seq);
"""

#: As QGIS 3.40 makes it in a SpatiaLite file when the first style is saved.
LAYER_STYLES: Final = (
    "CREATE TABLE layer_styles(id INTEGER PRIMARY KEY AUTOINCREMENT,f_table_catalog varchar(256),"
    "f_table_schema varchar(256),f_table_name varchar(256),f_geometry_column varchar(256),styleName text,"
    "styleQML text,styleSLD text,useAsDefault boolean,description text,owner varchar(30),ui text,"
    "update_time timestamp DEFAULT CURRENT_TIMESTAMP)"
)


def log_table() -> str:
    """The change log: one row per changed row. ``v0`` … have no type, so that doubles and blobs keep their bits."""
    values = ", ".join(f"v{slot}" for slot in range(LOG_SLOTS))
    return (
        "CREATE TABLE planner_log (seq INTEGER PRIMARY KEY, txn INTEGER, tbl INTEGER, fid INTEGER, op INTEGER, "
        f"at REAL, mask0 INTEGER, {values})"
    )
