"""Desktops in tests: a project file with its syncer, and what two of them must have in common."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner_app.domain.layer import LayerInfo
from planner_app.project import DeleteFeatures, EditCells, EditGeometry, InsertFeatures, Project
from planner_app.sync.client.clone import clone
from planner_app.sync.client.definitions import LAYER_CELLS
from planner_app.sync.client.session import Syncer, SyncReport
from planner_app.sync.types import Scope
from tests.helpers.memory_server import MemoryServer, MemoryTransport
from tests.helpers.project_files import assert_whole, square


@dataclass
class Desk:
    """A project file and its syncer; the first layer is the one that is edited."""

    project: Project
    syncer: Syncer

    @property
    def transport(self) -> MemoryTransport:
        assert isinstance(self.syncer.transport, MemoryTransport)
        return self.syncer.transport

    @property
    def layer(self) -> LayerInfo:
        return self.project.layer("地块")

    def sync(self, **options: Any) -> SyncReport:
        return self.syncer.sync(**options)

    def fid(self, storeys: int) -> int:
        """The row of the parcel with so many storeys (of the ten at the beginning: its number)."""
        table = self.project.read(self.layer.id, columns=["storeys"], geometry=False)
        return int(table.fids[table.columns["storeys"].index(storeys)])

    def edit(self, number: int, /, **cells: Any) -> None:
        fid = self.fid(number)
        for column, value in cells.items():
            self.project.execute(EditCells(self.layer.id, [fid], column, [value]))

    def move(self, storeys: int, x: float) -> None:
        self.project.execute(EditGeometry(self.layer.id, {self.fid(storeys): square(x, 0)}))

    def insert(self, number: int, /, **cells: Any) -> None:
        values = {name: [value] for name, value in ({"storeys": number} | cells).items()}
        self.project.execute(InsertFeatures(self.layer.id, [square(20.0 * number, 50)], values))

    def delete(self, storeys: int) -> None:
        self.project.execute(DeleteFeatures(self.layer.id, [self.fid(storeys)]))

    def cell(self, storeys: int, column: str) -> Any:
        return self.project.read(self.layer.id, fids=[self.fid(storeys)]).columns[column][0]

    def storeys(self) -> list[int]:
        return sorted(self.project.read(self.layer.id, columns=["storeys"], geometry=False).columns["storeys"])


def cloned(server: MemoryServer, member: str, path: Path, name: str, scope: Scope | None = None) -> Desk:
    transport = server.connect(member)
    clone(transport, name, path, scope, server="memory")
    project = Project.open(path)
    return Desk(project, Syncer(project, transport))


def content(project: Project) -> dict[str, Any]:
    """Everything a project shares, bit for bit, whatever its tables and rows are called here."""
    found: dict[str, Any] = {}
    with closing(sqlite3.connect(project.path)) as connection:
        for uuid, table, *cells in connection.execute(
            f"SELECT uuid, id, {', '.join(name for name in LAYER_CELLS if name != 'style')} FROM planner_layer"
        ).fetchall():
            names = sorted(
                row[1] for row in connection.execute(f'PRAGMA table_info("{table}")') if row[1] not in ("fid",)
            )
            values = ", ".join(f'typeof("{name}") || \' \' || quote("{name}")' for name in names)
            rows = connection.execute(f'SELECT uuid, {values} FROM "{table}" ORDER BY uuid').fetchall()
            style = connection.execute(
                "SELECT styleQML FROM layer_styles WHERE f_table_name = ? "
                "ORDER BY useAsDefault DESC, update_time DESC, id DESC LIMIT 1",
                (table,),
            ).fetchone()
            found[uuid] = (cells, style, names, rows)
        found["plans"] = sorted(
            connection.execute("SELECT id, kind, name, authority, version FROM planner_plan").fetchall()
        )
    return found


def assert_alike(*desks: Desk) -> None:
    """All files hold the same, and are whole."""
    first = content(desks[0].project)
    for desk in desks:
        assert content(desk.project) == first
        assert_whole(desk.project)
