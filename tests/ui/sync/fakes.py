"""A server made by hand: states, conflicts, records held back, a log; and a line that hangs, breaks or refuses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import check
from planner_app.project import Project
from planner_app.sync.client.conflicts import Conflict
from planner_app.sync.client.quarantine import Quarantined
from planner_app.sync.client.session import SyncReport, SyncState
from planner_app.sync.types import (
    Head,
    HistoryRow,
    LayerDef,
    LayerRight,
    ProjectDef,
    RemoteRow,
    Revision,
    Rights,
    Role,
    ServerInfo,
    Why,
)

CONNINFO = "host=gis.example.cn port=5432 dbname=planner user=wang sslmode=verify-full"
PROJECT = "11111111-1111-4111-8111-111111111111"


def revision(number: int, user: str = "wang", why: str = "edit_cells", rows: int = 3, message: str = "") -> Revision:
    params = '{"layer": "规划用地", "count": 3, "field": "far"}'
    return Revision(
        number, f"{number:064x}", f"2026-10-{number % 28 + 1:02d}T06:02:11+00:00", user, "10.20.0.14", "c1", message,
        rows, (Why(why, params, "", rows),),
    )  # fmt: skip


@dataclass
class FakeTransport:
    """Answers from lists."""

    backend: FakeBackend
    closed: bool = False

    def hello(self) -> ServerInfo:
        self.backend.work(None)
        return ServerInfo("1", 1, "wang", self.backend.role, tuple(self.backend.projects))

    def revisions(self, _project: str, *, before: int = 0, limit: int = 100) -> list[Revision]:
        self.backend.work(None)
        found = [one for one in self.backend.revisions if not before or one.revision < before]
        return found[:limit]

    def history(self, _project: str, **asked: Any) -> list[HistoryRow]:
        self.backend.work(None)
        return [
            row
            for row in self.backend.rows
            if asked.get("revision") in (0, None, row.revision)
            and (not asked.get("uuid") or row.uuid == asked["uuid"])
            and (not asked.get("layer") or row.layer == asked["layer"])
        ]

    def as_of(self, _project: str, layer: str, _revision: int, _scope: Any) -> Iterator[RemoteRow]:
        yield from self.backend.past.get(layer, [])

    def head(self, _project: str, at: int = 0) -> Head:
        return Head(len(self.backend.revisions), f"{len(self.backend.revisions):064x}", f"{at:064x}")

    @contextmanager
    def pull(self, _project: str, _after: int) -> Iterator[Any]:
        rows = {one.uuid: self.backend.past.get(one.uuid, []) for one in self.backend.layers}
        yield SimpleNamespace(layers=self.backend.layers, rows=lambda layer, _scope: iter(rows[layer]))

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeBackend:
    """See ``planner_app.ui.sync.backend.Backend``. ``fail``: the next work's error; ``hold``: work waits for it."""

    standing: SyncState = field(default_factory=lambda: SyncState("unregistered"))
    user_rights: Rights | None = None
    waiting: list[Conflict] = field(default_factory=list)
    held: list[Quarantined] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    rows: list[HistoryRow] = field(default_factory=list)
    past: dict[str, list[RemoteRow]] = field(default_factory=dict)
    layers: list[LayerDef] = field(default_factory=list)
    projects: list[ProjectDef] = field(default_factory=list)
    fail: Exception | None = None
    hold: threading.Event | None = None
    syncs: int = 0
    looks: int = 0
    running: int = 0
    most_running: int = 0
    transports: list[FakeTransport] = field(default_factory=list)
    passwords: list[tuple[str, str | None]] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    threads: set[int] = field(default_factory=set)
    cloned: list[Any] = field(default_factory=list)
    attachment: bytes = b""
    role: Role = "planner"

    def state(self, _project: Any) -> SyncState:
        return self.standing

    def rights(self, _project: Any) -> Rights | None:
        return self.user_rights

    def conflicts(self, _project: Any) -> list[Conflict]:
        return list(self.waiting)

    def quarantine(self, _project: Any) -> list[Quarantined]:
        return list(self.held)

    def project_uuid(self, _project: Any) -> str:
        return PROJECT

    def keep_password(self, conninfo: str, password: str) -> None:
        self.kept[conninfo] = password

    def connect(self, conninfo: str, password: str | None) -> Any:
        self.passwords.append((conninfo, password))
        if isinstance(self.fail, PlannerError) and self.fail.code in ("sync.denied", "sync.login_failed"):
            raise self.fail
        self.transports.append(FakeTransport(self))
        return self.transports[-1]

    def work(self, progress: Any) -> None:
        self.threads.add(threading.get_ident())
        while self.hold is not None and not self.hold.wait(0.01):
            if progress is not None:
                progress.update(0.5, "opening")
                check(progress)
        if self.fail is not None:
            raise self.fail

    def sync(self, path: Path, user: str, server: str, transport: Any, progress: Any) -> SyncReport:
        self.syncs += 1
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            self.work(progress)
        finally:
            self.running -= 1
        self.standing = replace(self.standing, kind="synced", to_push=0, to_pull=0, server=server)
        return SyncReport(pushed=2, pulled=5, revision=len(self.revisions), seconds=0.4)

    def look(self, path: Path, user: str, server: str, transport: Any) -> None:
        self.looks += 1

    def fetch(self, path: Path, sha256: str, transport: Any, progress: Any) -> None:
        self.work(progress)
        with Project.open(path) as project:
            assert project.attach(self.attachment, name="site.dwg") == sha256

    def clone(self, conninfo: str, password: str | None, name: str, path: Path, scope: Any, progress: Any) -> None:
        self.cloned.append((conninfo, password, name, path, scope))
        self.work(progress)
        Project.create(path, "EPSG:4549", name).close()


def uuids(project: Project, layer_id: str) -> list[str]:
    return list(project.read(layer_id, columns=["uuid"], geometry=False).columns["uuid"])


def busy_town(project: Project) -> FakeBackend:
    """A server for the town of the fixtures: conflicts of every kind, records held back, a log of three revisions."""
    layers = {layer.name: layer for layer in project.layers()}
    plan, farm = layers["规划用地"], layers["农田"]
    ids = uuids(project, plan.id)
    before = shapely.box(500000, 2860000, 500080, 2860080)
    mine = shapely.union(before, shapely.box(500080, 2860020, 500110, 2860060))
    theirs = shapely.difference(before, shapely.box(500000, 2860050, 500040, 2860080))
    wkb = [shapely.to_wkb(shapely.MultiPolygon([one])) for one in (before, mine, theirs)]

    def cell(number: int, fid: int, column: str, values: tuple[Any, Any, Any], group: int = 0, **more: Any) -> Conflict:
        layer = more.pop("layer", plan)
        return Conflict(
            number, more.pop("kind", "cell"), layer.id, layer.name, ids[fid - 1], fid, column, *values, group, 2
        )

    waiting = [
        cell(1, 1, "geom", (wkb[0], wkb[1], wkb[2])),
        cell(2, 1, "far", (0.0, 2.0, 2.2), 1),
        cell(3, 1, "floors", (0, 18, 20), 1),
        cell(4, 2, "name", ("地块 0001", "滨江小学", "滨江九年一贯制学校（初中部与小学部合建，含地下车库出入口）")),
        cell(5, 3, "", (None, None, None), kind="deleted_here"),
        cell(6, 4, "code", ("R2", None, "B1")),
        cell(7, 1, "class_standard", ("gb50137", "mnr2023", "dltb"), kind="layer", layer=farm),
    ]
    held = [
        Quarantined(1, plan.id, plan.name, ids[7], 8, "ui.not_a_number", {"text": "约3.5", "field": "容积率"}, False,
                    ("convert", "clear", "discard")),
        Quarantined(2, plan.id, plan.name, ids[8], 9, "ui.not_a_number", {"text": "未知", "field": "容积率"}, False,
                    ("convert", "clear", "discard")),
        Quarantined(3, farm.id, farm.name, "x", 2, "ui.not_a_date", {"text": "昨天", "field": "approved"}, True,
                    ("discard", "retry")),
    ]  # fmt: skip
    revisions = [
        revision(3, "li"), revision(2, "wang", message="二环以内容积率统一核对"), revision(1, "wang", "add_layer", 86),
    ]  # fmt: skip
    rows = [
        HistoryRow(3, plan.uuid, ids[0], "update", {"far": "0.0"}, {"far": "2.2"}, wkb[0], wkb[2]),
        HistoryRow(2, plan.uuid, ids[1], "update", {"name": "旧名"}, {"name": "地块 0001"}),
        HistoryRow(2, plan.uuid, "dead", "delete", {"name": "已撤地块"}, {}, wkb[1], None),
        HistoryRow(1, plan.uuid, ids[0], "insert", {}, {"name": "地块 0000", "far": "0.0"}, None, wkb[0]),
    ]
    past = [RemoteRow(ids[0], 1, cells={"code": "R2", "name": "地块 0000"}, geometry=wkb[0]),
            RemoteRow("dead", 1, cells={"code": "G1"}, geometry=wkb[1])]  # fmt: skip
    rights = Rights(
        "planner", "s1", True,
        {
            plan.uuid: LayerRight(plan.uuid, True, True, frozenset({"far", "name"})),
            farm.uuid: LayerRight(farm.uuid, True, False),
            layers["地类图斑"].uuid: LayerRight(layers["地类图斑"].uuid, True, True, None, wkb[1]),
            layers["建筑"].uuid: LayerRight(layers["建筑"].uuid, True, True),
        },
    )  # fmt: skip
    state = SyncState("conflicts", 4, 0, 7, 3, "2026-10-03T06:02:11+00:00", "", CONNINFO, 3)
    defs = [
        LayerDef(one.uuid, one.id, one.geometry, False, True, one.fields, {"name": one.name}) for one in layers.values()
    ]
    there = [ProjectDef(PROJECT, "滨海新城", "EPSG:4549")]
    return FakeBackend(state, rights, waiting, held, revisions, rows, {plan.uuid: past}, defs, there)
