"""The protocol in plain Python: what any carrier must do, simple enough to be believed. Lines can be cut anywhere."""

from __future__ import annotations

import copy
import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice

import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress, check
from planner_app.sync import cells
from planner_app.sync.types import (
    PROTOCOL,
    Blob,
    DefChange,
    Head,
    HistoryRow,
    LayerDef,
    LayerRight,
    Page,
    ProjectDef,
    PushHeader,
    PushResult,
    RemoteRow,
    Revision,
    Rights,
    Role,
    RowChange,
    Scope,
    ServerInfo,
)
from tests.helpers.memory_city import City, Layer, Row, Stage
from tests.helpers.memory_commit import Commit

_OWN_ROLES = {"planner": ("", "planning."), "reviewer": ("review.",), "operator": ("tunnel.",)}


@dataclass
class MemoryServer:
    """Projects, members and exceptions from their roles' rights, by (member, layer)."""

    members: dict[str, Role] = field(default_factory=dict)
    exceptions: dict[tuple[str, str], LayerRight] = field(default_factory=dict)
    sight: dict[tuple[str, str], bytes] = field(default_factory=dict)
    projects: dict[str, City] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def connect(self, member: str) -> MemoryTransport:
        return MemoryTransport(self, member)

    def copy(self) -> MemoryServer:
        return MemoryServer(dict(self.members), dict(self.exceptions), dict(self.sight), copy.deepcopy(self.projects))


def _offline() -> PlannerError:
    return PlannerError("sync.offline", server="memory")


class MemoryTransport:
    """A member's connection.

    Attributes:
        fuse: steps until the line breaks (None: it holds); every call, and every row on its way, is one.
        calls: names of the calls made.
        hook: called with the name of each step, to do something in between.
    """

    def __init__(self, server: MemoryServer, member: str) -> None:
        self.server, self.member = server, member
        self.fuse: int | None = None
        self.steps = 0
        self.calls: list[str] = []
        self.hook: Callable[[str], None] = lambda name: None

    def _step(self, name: str) -> None:
        self.steps += 1
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                raise _offline()
        self.hook(name)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        self._step(name)

    @property
    def _role(self) -> Role:
        if self.member not in self.server.members:
            raise PlannerError("sync.denied", server="memory")
        return self.server.members[self.member]

    def _city(self, project: str) -> City:
        if project not in self.server.projects:
            raise PlannerError("sync.project_unknown", server="memory", name=project)
        return self.server.projects[project]

    def _right(self, layer: str, role: str) -> LayerRight:
        own = self._role == "admin" or any(
            role == prefix if not prefix else role.startswith(prefix) for prefix in _OWN_ROLES.get(self._role, ())
        )
        return self.server.exceptions.get((self.member, layer), LayerRight(layer, True, own))

    # ------------------------------------------------------------ projects

    def hello(self) -> ServerInfo:
        self._call("hello")
        known = tuple(city.definition for city in self.server.projects.values())
        return ServerInfo("memory", PROTOCOL, self.member, self._role, known)

    def register(self, project: ProjectDef) -> None:
        self._call("register")
        with self.server.lock:
            if project.uuid in self.server.projects:
                return
            if self._role == "viewer":
                raise PlannerError("sync.denied", server="memory")
            if any(city.definition.name == project.name for city in self.server.projects.values()):
                raise PlannerError("sync.name_taken", server="memory", name=project.name)
            self.server.projects[project.uuid] = City(project)

    def rights(self, project: str) -> Rights:
        self._call("rights")
        city = self._city(project)
        layers = {
            key: self._right(key, one.definition.cells.get("role", ""))
            for key, one in city.layers.items()
            if not one.retired
        }
        mine = sorted(
            (repr(v), v.columns and sorted(v.columns))
            for (m, _), v in self.server.exceptions.items()
            if m == self.member
        )
        sight = sorted((k, v) for k, v in self.server.sight.items() if k[0] == self.member)
        stamp = hashlib.sha256(repr((self._role, mine, sight)).encode()).hexdigest()
        return Rights(self._role, stamp, self._role != "viewer", layers)

    def head(self, project: str, at: int = 0) -> Head:
        self._call("head")
        return _head(self._city(project), at)

    # ------------------------------------------------------------ push

    def _stage(self, push: PushHeader) -> Stage:
        city = self._city(push.project)
        staged = city.stages.get(push.push_id)
        if staged is None or staged.digest != push.digest:
            staged = city.stages[push.push_id] = Stage(self.member, push.digest)
        if staged.owner != self.member:
            raise PlannerError("sync.denied", server="memory")
        return staged

    def stage(
        self, push: PushHeader, definitions: Sequence[DefChange], rows: Iterable[RowChange], progress: Progress
    ) -> None:
        self._call("stage")
        with self.server.lock:
            staged = self._stage(push)
            staged.definitions = list(definitions)
        for number, row in enumerate(rows):
            check(progress)
            self._step("stage row")
            if number >= len(staged.rows):
                staged.rows.append(row)

    def stage_layer(
        self,
        push: PushHeader,
        layer: LayerDef,
        pages: Iterable[Page],
        progress: Progress,
    ) -> None:
        self._call("stage_layer")
        with self.server.lock:
            there = self._stage(push).layers.setdefault(layer.uuid, [])
        for number, (key, wkb, values) in enumerate(row for page in pages for row in page.rows()):
            check(progress)
            self._step("stage_layer row")
            if number >= len(there):
                there.append((key, wkb, list(values)))

    def commit(self, push: PushHeader) -> PushResult:
        self._call("commit")
        with self.server.lock:
            city = self._city(push.project)
            if push.push_id not in city.pushes:
                staged = city.stages.get(push.push_id)
                if staged is None or staged.digest != push.digest or len(staged.rows) != push.rows:
                    raise PlannerError("sync.stage_incomplete", server="memory")
                if _behind(city, staged, push.seen):
                    return PushResult(behind=True)
                city.pushes[push.push_id] = (self.member, Commit(self, city, push, staged).result())
                del city.stages[push.push_id]
            owner, result = city.pushes[push.push_id]
        if owner != self.member:
            raise PlannerError("sync.denied", server="memory")
        self._step("commit answered")
        return result

    def result(self, project: str, push_id: str) -> PushResult | None:
        self._call("result")
        found = self._city(project).pushes.get(push_id)
        return found[1] if found is not None and found[0] == self.member else None

    # ------------------------------------------------------------ pull

    @contextmanager
    def pull(self, project: str, after: int) -> Iterator[MemoryPull]:
        self._call("pull")
        with self.server.lock:
            city = self._city(project)
            frozen = replace(
                city, layers={k: replace(v, rows=dict(v.rows)) for k, v in city.layers.items()},
                plans=copy.deepcopy(city.plans), log=list(city.log), chains=list(city.chains),
            )  # fmt: skip
        yield MemoryPull(self, frozen, after)

    # ------------------------------------------------------------ attachments, readings

    def blob_pieces(self, project: str, sha256: str) -> set[int] | None:
        self._call("blob_pieces")
        city = self._city(project)
        return None if sha256 in city.blobs else set(city.pieces.get(sha256, {}))

    def put_piece(self, project: str, sha256: str, number: int, data: bytes) -> None:
        self._call("put_piece")
        self._city(project).pieces.setdefault(sha256, {})[number] = data

    def finish_blob(self, project: str, blob: Blob) -> None:
        self._call("finish_blob")
        city = self._city(project)
        parts = city.pieces.get(blob.sha256, {})
        content = b"".join(parts[number] for number in sorted(parts))
        if hashlib.sha256(content).hexdigest() != blob.sha256:
            city.pieces.pop(blob.sha256, None)
            raise PlannerError("sync.blob_wrong", server="memory", sha256=blob.sha256)
        city.blobs[blob.sha256] = blob

    def blobs(self, project: str) -> list[Blob]:
        self._call("blobs")
        return list(self._city(project).blobs.values())

    def get_piece(self, project: str, sha256: str, number: int) -> bytes:
        self._call("get_piece")
        city = self._city(project)
        if sha256 not in city.blobs:
            raise PlannerError("sync.blob_missing", server="memory", sha256=sha256)
        return city.pieces[sha256][number]

    def put_readings(self, project: str, rows: Sequence[tuple[int, int, float | None, int]]) -> int:
        self._call("put_readings")
        city = self._city(project)
        with self.server.lock:
            fresh = {(s, ts): (value, quality, city.batch + 1) for s, ts, value, quality in rows}
            new = {key: row for key, row in fresh.items() if key not in city.readings}
            city.batch += bool(new)
            city.readings |= new
        self._step("put_readings answered")
        return len(new)

    def readings(self, project: str, after: int) -> Iterator[tuple[int, int, int, float | None, int]]:
        self._call("readings")
        rows = self._city(project).readings.items()
        yield from sorted((b, s, t, v, q) for (s, t), (v, q, b) in list(rows) if b > after)

    # ------------------------------------------------------------ audit

    def revisions(self, project: str, *, before: int = 0, limit: int = 100) -> list[Revision]:
        self._call("revisions")
        found = reversed(self._city(project).revisions)
        return [one for one in found if not before or one.revision < before][:limit]

    def history(
        self,
        project: str,
        *,
        revision: int = 0,
        layer: str = "",
        uuid: str = "",
        box: tuple[float, float, float, float] | None = None,
        limit: int = 200,
    ) -> list[HistoryRow]:
        self._call("history")
        found = sorted(self._city(project).log, key=lambda row: (-row.revision, row.layer, row.uuid))
        return [
            row
            for row in found
            if (not revision or row.revision == revision)
            and (not layer or row.layer == layer)
            and (not uuid or row.uuid == uuid)
            and (box is None or _touched(row, self._city(project).lay[row.revision, row.layer, row.uuid], box))
        ][:limit]

    def as_of(self, project: str, layer: str, revision: int, scope: Scope) -> Iterator[RemoteRow]:
        self._call("as_of")
        city = self._city(project)
        if layer not in city.layers or (scope.layers is not None and layer not in scope.layers):
            return
        state = {key: (dict(row.cells), row.geometry) for key, row in city.layers[layer].rows.items()}
        for row in reversed(city.log):
            if row.layer != layer or row.revision <= revision:
                continue
            if row.operation == "insert":
                del state[row.uuid]
                continue
            values, shape = state.get(row.uuid, ({}, None))
            if row.operation == "delete":
                values, shape = {}, row.geometry_before
            for name, text in row.before.items():
                values[name] = text
            state[row.uuid] = (values, row.geometry_before if "geom" in _changed(row) else shape)
        names = [one.name for one in city.layers[layer].definition.fields]
        for key, (values, shape) in sorted(state.items()):
            if _in_box(shape, scope.box):
                yield RemoteRow(key, revision, False, None, {name: values.get(name) for name in names}, shape)

    def close(self) -> None:
        return None


class MemoryPull:
    """One state of a project."""

    def __init__(self, transport: MemoryTransport, city: City, after: int) -> None:
        self._transport, self._city, self._after = transport, city, after
        self.head = _head(city, after)

    def _readable(self, key: str) -> Layer | None:
        one = self._city.layers.get(key)
        if one is None or not self._transport._right(key, one.definition.cells.get("role", "")).read:
            return None
        return one

    @property
    def layers(self) -> list[LayerDef]:
        return [one.definition for key, one in self._city.layers.items() if self._readable(key) and not one.retired]

    @property
    def definitions(self) -> list[DefChange]:
        found: list[DefChange] = []
        for key, plan in sorted(self._city.plans.items(), key=lambda item: item[1].changed):
            if plan.changed > self._after and not (plan.retired and plan.made > self._after):
                operation = "delete" if plan.retired else "insert" if plan.made > self._after else "update"
                found.append(DefChange("plan", key, operation, dict(plan.cells)))
        for key, one in sorted(self._city.layers.items(), key=lambda item: item[1].changed):
            if one.changed > self._after and self._readable(key) and not (one.retired and one.made > self._after):
                operation = "delete" if one.retired else "insert" if one.made > self._after else "update"
                found.append(DefChange("layer", key, operation, dict(one.definition.cells), one.definition))
        return found

    def _seen(self, layer: str, scope: Scope) -> dict[str, Row]:
        one = self._readable(layer)
        if one is None or one.retired or (scope.layers is not None and layer not in scope.layers):
            return {}
        area = self._transport.server.sight.get((self._transport.member, layer))
        return {
            key: row
            for key, row in one.rows.items()
            if _in_box(row.geometry, scope.box)
            and (area is None or (row.geometry and shapely.intersects(*shapely.from_wkb([area, row.geometry]))))
        }

    def changes(self, layer: str, scope: Scope) -> Iterator[RemoteRow]:
        self._transport._call("changes")
        if self._readable(layer) is None or (scope.layers is not None and layer not in scope.layers):
            return
        seen = self._seen(layer, scope)
        changed: dict[str, set[str]] = {}
        for row in self._city.log:
            if row.layer == layer and row.revision > self._after:
                changed.setdefault(row.uuid, set()).update(_changed(row))
        for key in sorted(changed):
            self._transport._step("changes row")
            now = seen.get(key)
            if now is None:
                yield RemoteRow(key, self._city.revision, gone=True)
            elif now.made > self._after:
                yield self._whole(layer, key, now)
            else:
                names = changed[key]
                values = {name: now.cells.get(name) for name in names if name != "geom"}
                shape = now.geometry if "geom" in names else None
                yield RemoteRow(key, now.revision, False, frozenset(names), values, shape)

    def _whole(self, layer: str, key: str, row: Row) -> RemoteRow:
        names = [one.name for one in self._city.layers[layer].definition.fields]
        return RemoteRow(key, row.revision, False, None, {n: row.cells.get(n) for n in names}, row.geometry)

    def rows(self, layer: str, scope: Scope, uuids: Sequence[str] | None = None) -> Iterator[RemoteRow]:
        self._transport._call("rows")
        for key, row in sorted(self._seen(layer, scope).items()):
            if uuids is None or key in uuids:
                self._transport._step("rows row")
                yield self._whole(layer, key, row)

    def bulk(self, layer: str, scope: Scope) -> Iterator[Page]:
        fields, rows = self._city.layers[layer].definition.fields, self.rows(layer, scope)
        while some := list(islice(rows, 7)):
            yield Page.of(
                (row.uuid, row.geometry, [cells.decode(row.cells[one.name], one.type) for one in fields])
                for row in some
            )

    def keys(self, layer: str, scope: Scope) -> Iterator[str]:
        self._transport._call("keys")
        yield from sorted(self._seen(layer, scope))


def _head(city: City, at: int) -> Head:
    return Head(city.revision, city.chains[-1], city.chains[at] if at < len(city.chains) else "")


def _behind(city: City, staged: Stage, seen: int) -> bool:
    wanted = {(row.layer, row.uuid) for row in staged.rows}
    defined = {(one.kind, one.key) for one in staged.definitions}
    return any(r.revision > seen and (r.layer, r.uuid) in wanted for r in city.log) or any(
        number > seen and (kind, key) in defined for number, kind, key in city.defined
    )


def _in_box(shape: bytes | None, box: tuple[float, float, float, float] | None) -> bool:
    if box is None or shape is None:
        return True
    west, south, east, north = shapely.bounds(shapely.from_wkb(shape))
    return bool(west <= box[2] and east >= box[0] and south <= box[3] and north >= box[1])


def _touched(row: HistoryRow, lay: bytes | None, box: tuple[float, float, float, float]) -> bool:
    shapes = (row.geometry_before, row.geometry_after, lay)
    return any(shape is not None and _in_box(shape, box) for shape in shapes)


def _changed(row: HistoryRow) -> set[str]:
    """Names of the fields a change of the log touched."""
    names = {*row.before, *row.after}
    return names | {"geom"} if row.geometry_before != row.geometry_after else names
