"""The protocol in plain Python: what any carrier must do, simple enough to be believed. Lines can be cut anywhere."""

from __future__ import annotations

import copy
import hashlib
import re
import threading
import uuid as uuids
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo
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
    Refused,
    RemoteRow,
    Revision,
    Rights,
    Role,
    RowChange,
    Scope,
    ServerInfo,
)

_OWN_ROLES = {"planner": ("", "planning."), "reviewer": ("review.",), "operator": ("tunnel.",)}


@dataclass(frozen=True)
class Row:
    """A record: texts of all fields that are not NULL, WKB; when it was made and last changed."""

    cells: dict[str, str]
    geometry: bytes | None
    made: int
    revision: int


@dataclass
class Layer:
    definition: LayerDef
    rows: dict[str, Row] = field(default_factory=dict)
    made: int = 0
    changed: int = 0
    retired: bool = False


@dataclass
class Plan:
    cells: dict[str, str | None]
    made: int = 0
    changed: int = 0
    retired: bool = False


@dataclass
class Stage:
    owner: str
    digest: str
    definitions: list[DefChange] = field(default_factory=list)
    rows: list[RowChange] = field(default_factory=list)
    layers: dict[str, list[tuple[str, bytes | None, list[object]]]] = field(default_factory=dict)


@dataclass
class City:
    """A project on the server."""

    definition: ProjectDef
    revision: int = 0
    chains: list[str] = field(default_factory=lambda: [""])
    layers: dict[str, Layer] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    log: list[HistoryRow] = field(default_factory=list)
    lay: dict[tuple[int, str, str], bytes | None] = field(default_factory=dict)  # where a changed record lay
    defined: list[tuple[int, str, str]] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    pushes: dict[str, tuple[str, PushResult]] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)
    blobs: dict[str, Blob] = field(default_factory=dict)
    pieces: dict[str, dict[int, bytes]] = field(default_factory=dict)
    readings: dict[tuple[int, int], tuple[float | None, int, int]] = field(default_factory=dict)
    batch: int = 0


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
                city.pushes[push.push_id] = (self.member, _Commit(self, city, push, staged).result())
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

    def bulk(self, layer: str, scope: Scope) -> Iterator[tuple[str, bytes | None, Sequence[object]]]:
        fields = self._city.layers[layer].definition.fields
        for row in self.rows(layer, scope):
            yield row.uuid, row.geometry, [cells.decode(row.cells[one.name], one.type) for one in fields]

    def keys(self, layer: str, scope: Scope) -> Iterator[str]:
        self._transport._call("keys")
        yield from sorted(self._seen(layer, scope))


class _Commit:
    """Makes a revision of what is staged."""

    def __init__(self, transport: MemoryTransport, city: City, push: PushHeader, staged: Stage) -> None:
        self._transport, self._city, self._push, self._staged = transport, city, push, staged
        self._next = city.revision + 1
        self._refused: list[Refused] = []
        self._log: list[HistoryRow] = []
        self._bulk = 0

    def result(self) -> PushResult:
        city, push = self._city, self._push
        locked = {k for k, one in city.layers.items() if _locked(one.definition)}
        defined = len(city.defined)
        for one in self._staged.definitions:
            code = self._define(one)
            if code:
                known = "sync.refused_right" if code == "right" else "sync.refused_definition"
                self._refused.append(Refused(one.key, "", known, {"reason": code}))
        found: set[tuple[str, str]] = set()
        for row in self._staged.rows:
            code, reason = self._row(row, locked, found)
            if code:
                self._refused.append(Refused(row.layer, row.uuid, code, {"reason": reason} if reason else {}))
        applied = len(self._log)
        if not applied and len(city.defined) == defined:
            return PushResult(refused=tuple(self._refused))
        city.log += self._log
        text = repr((push, self._log, city.defined[defined:]))
        chain = hashlib.sha256(f"{city.chains[-1]}{text}".encode()).hexdigest()
        city.chains.append(chain)
        city.revision = self._next
        moment = datetime.now(UTC).isoformat(timespec="microseconds")
        city.revisions.append(
            Revision(
                self._next, chain, moment, self._transport.member, "memory", push.client_id, push.message, applied,
                push.why,
            )
        )  # fmt: skip
        return PushResult(False, self._next, chain, applied, tuple(self._refused))

    def _define(self, one: DefChange) -> str:
        city, role = self._city, self._transport._role
        if one.kind == "plan":
            if role not in ("planner", "admin"):
                return "right"
            plan = city.plans.get(one.key)
            before = copy.deepcopy(plan)
            if one.operation == "delete":
                if plan is None or plan.retired:
                    return ""
                plan.retired = True
            elif plan is None:
                plan = city.plans[one.key] = Plan(dict(one.cells), self._next)
            else:
                plan.cells |= one.cells
                plan.retired = False
            if before != plan:
                plan.changed = self._next
                city.defined.append((self._next, "plan", one.key))
            return ""
        return self._define_layer(one)

    def _define_layer(self, one: DefChange) -> str:
        city, there = self._city, self._city.layers.get(one.key)
        was = there.definition.cells.get("role", "") if there else one.cells.get("role") or ""
        wanted = one.cells.get("role") or was
        for role in (was, wanted):
            right = self._transport._right(one.key, role)
            if not right.write or right.columns is not None:
                return "right"
        if there is None:
            if one.operation == "delete":
                return ""
            if one.operation != "insert" or one.layer is None:
                return "unknown"
            made = replace(one.layer, cells={k: v or "" for k, v in ({**one.layer.cells, **one.cells}).items()})
            there = city.layers[one.key] = Layer(made, made=self._next)
            self._fill(there)
        elif one.operation == "delete":
            if there.retired:
                return ""
            there.retired = True
        else:
            if one.key in self._staged.layers:
                return "exists"
            fault = self._widen(there, one.layer) if one.layer is not None else ""
            if fault:
                return fault
            cells_ = {**there.definition.cells, **{k: v or "" for k, v in one.cells.items()}}
            there.definition = replace(there.definition, cells=cells_)
            there.retired = False
        there.changed = self._next
        city.defined.append((self._next, "layer", one.key))
        return ""

    def _widen(self, there: Layer, wanted: LayerDef) -> str:
        have = there.definition
        if (wanted.geometry, wanted.has_z, wanted.multi) != (have.geometry, have.has_z, have.multi):
            return "geometry"
        known = {one.name: one.type for one in have.fields}
        for one in wanted.fields:
            if known.get(one.name, one.type) != one.type:
                return f"field_type:{one.name}"
        more = tuple(one for one in wanted.fields if one.name not in known)
        there.definition = replace(have, fields=(*have.fields, *more))
        return ""

    def _fill(self, layer: Layer) -> None:
        """The rows of a layer that came whole."""
        of = layer.definition
        for key, wkb, values in self._staged.layers.get(of.uuid, []):
            texts: dict[str, str | None] = {}
            code, reason = ("", "") if _is_uuid(key) else ("sync.refused_uuid", "")
            for one, value in zip(of.fields, values, strict=True):
                try:
                    texts[one.name] = cells.encode(value, one.type)
                except cells.WrongCellError:
                    code, reason = "sync.refused_value", one.name
            if not code and key in layer.rows:
                code = "sync.refused_twice"
            if not code and wkb is not None:
                code, reason = _geometry_fault(wkb, of)
            if code:
                self._refused.append(Refused(of.uuid, key, code, {"reason": reason}))
                continue
            row = Row({n: t for n, t in texts.items() if t is not None}, wkb, self._next, self._next)
            layer.rows[key] = row
            self._city.lay[self._next, of.uuid, key] = wkb
            self._log.append(HistoryRow(self._next, of.uuid, key, "insert", {}, row.cells, None, wkb))

    def _row(self, row: RowChange, locked: set[str], found: set[tuple[str, str]]) -> tuple[str, str]:
        if not _is_uuid(row.uuid):
            return "sync.refused_uuid", ""
        there = self._city.layers.get(row.layer)
        if there is None or there.retired:
            return "sync.refused_layer", ""
        if (row.layer, row.uuid) in found:
            return "sync.refused_twice", ""
        found.add((row.layer, row.uuid))
        of, now = there.definition, there.rows.get(row.uuid)
        right = self._transport._right(row.layer, of.cells.get("role", ""))
        if not right.write:
            return "sync.refused_right", ""
        if row.layer in locked and _locked(of):
            return "sync.refused_locked", ""
        if row.operation == "delete":
            texts: dict[str, str | None] = {}
        else:
            fault = _cells_fault(row.cells, of.fields)
            if fault[0]:
                return fault
            if row.has_geometry and row.geometry is not None:
                fault = _geometry_fault(row.geometry, of)
                if fault[0]:
                    return fault
            texts = dict(row.cells)
        if now is None and row.operation == "update":
            return "sync.refused_gone", ""
        return self._change(row, there, now, texts, right)

    def _change(
        self, row: RowChange, there: Layer, now: Row | None, texts: Mapping[str, str | None], right: LayerRight
    ) -> tuple[str, str]:
        before = dict(now.cells) if now else {}
        if row.operation == "delete":
            if now is None:
                return "", ""
            after, shape = {}, None
        elif row.operation == "insert":
            after, shape = {n: t for n, t in texts.items() if t is not None}, row.geometry if row.has_geometry else None
        else:
            assert now is not None
            after = {n: t for n, t in {**before, **texts}.items() if t is not None}
            shape = row.geometry if row.has_geometry else now.geometry
        types = {one.name: one.type for one in there.definition.fields}
        after = {n: cells.encode(cells.decode(t, types[n]), types[n]) or "" for n, t in after.items()}
        names = {n for n in {*before, *after} if before.get(n) != after.get(n)}
        old = now.geometry if now else None
        moved = old != shape
        if now is not None and row.operation != "delete" and not names and not moved:
            return "", ""
        if right.columns is not None:
            touched = names | ({"geom"} if moved else set())
            if now is None or row.operation == "delete" or not touched <= right.columns:
                return "sync.refused_column", ""
        if right.district is not None and there.definition.geometry != "none":
            shapes = [
                s for s, counts in ((old, now is not None), (shape, moved and row.operation != "delete")) if counts
            ]
            if not all(_covered(right.district, s) for s in shapes):
                return "sync.refused_district", ""
        kind = "insert" if now is None else "delete" if row.operation == "delete" else "update"
        if kind == "delete":
            del there.rows[row.uuid]
        else:
            there.rows[row.uuid] = Row(after, shape, now.made if now else self._next, self._next)
        self._city.lay[self._next, row.layer, row.uuid] = old or shape
        self._log.append(
            HistoryRow(
                self._next, row.layer, row.uuid, kind,  # type: ignore[arg-type]
                {} if kind == "insert" else {n: before.get(n) for n in names},
                {} if kind == "delete" else {n: after.get(n) for n in names},
                old if moved else None, shape if moved else None,
            )
        )  # fmt: skip
        return "", ""


def _head(city: City, at: int) -> Head:
    return Head(city.revision, city.chains[-1], city.chains[at] if at < len(city.chains) else "")


def _behind(city: City, staged: Stage, seen: int) -> bool:
    wanted = {(row.layer, row.uuid) for row in staged.rows}
    defined = {(one.kind, one.key) for one in staged.definitions}
    return any(r.revision > seen and (r.layer, r.uuid) in wanted for r in city.log) or any(
        number > seen and (kind, key) in defined for number, kind, key in city.defined
    )


def _changed(row: HistoryRow) -> set[str]:
    names = {*row.before, *row.after}
    return names | {"geom"} if row.geometry_before != row.geometry_after else names


def _locked(layer: LayerDef) -> bool:
    return layer.cells.get("locked", "").lower() not in ("", "0", "false")


def _is_uuid(text: Any) -> bool:
    try:
        return isinstance(text, str) and str(uuids.UUID(text)) == text
    except ValueError:
        return False


def _cells_fault(texts: Mapping[str, str | None], fields: Sequence[FieldInfo]) -> tuple[str, str]:
    types = {one.name: one.type for one in fields}
    for name, text in texts.items():
        if name not in types:
            return "sync.refused_field", name
        if text is not None and not _fits(text, types[name]):
            return "sync.refused_value", name
    return "", ""


def _fits(text: str, kind: str) -> bool:
    """What reads as another text than it is (1_000, " 5", 1e999) was never written by ``cells.encode``."""
    try:
        value = cells.decode(text, kind)  # type: ignore[arg-type]
        again = cells.encode(value, kind)  # type: ignore[arg-type]
    except (ValueError, OverflowError, cells.WrongCellError):
        return False
    if kind != "real" or text.endswith("Infinity"):
        return again == text
    vanished = value == 0 and set(text.split("e")[0]) & set("123456789")
    return bool(_NUMBER.fullmatch(text)) and abs(value) != float("inf") and not vanished


_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")


def _geometry_fault(wkb: bytes, of: LayerDef) -> tuple[str, str]:
    try:
        shape = shapely.from_wkb(wkb)
        again = shapely.to_wkb(shape, flavor="iso", byte_order=1)
    except shapely.errors.GEOSException:
        return "sync.refused_geometry", "unreadable"
    if not wkb or again != wkb:  # an unknown byte order is read as the usual one
        return "sync.refused_geometry", "unreadable"
    wanted = {"point": 0, "line": 1, "polygon": 3}.get(of.geometry, -1)
    kind = {0: 4, 1: 5, 3: 6}.get(wanted, -1) if of.multi else wanted
    if shape is None or shapely.get_type_id(shape) != kind:
        return "sync.refused_geometry", "type"
    if shape.is_empty:
        return "sync.refused_geometry", "empty"
    if bool(shape.has_z) != of.has_z:
        return "sync.refused_geometry", "type"
    if not np.isfinite(shapely.get_coordinates(shape, include_z=of.has_z)).all():
        return "sync.refused_geometry", "not_finite"
    return "", ""


def _covered(district: bytes, shape: bytes | None) -> bool:
    return shape is not None and bool(
        shapely.covers(shapely.buffer(shapely.from_wkb(district), 0.01), shapely.from_wkb(shape))
    )


def _in_box(shape: bytes | None, box: tuple[float, float, float, float] | None) -> bool:
    if box is None or shape is None:
        return True
    west, south, east, north = shapely.bounds(shapely.from_wkb(shape))
    return bool(west <= box[2] and east >= box[0] and south <= box[3] and north >= box[1])


def _touched(row: HistoryRow, lay: bytes | None, box: tuple[float, float, float, float]) -> bool:
    shapes = (row.geometry_before, row.geometry_after, lay)
    return any(shape is not None and _in_box(shape, box) for shape in shapes)
