"""How the server in memory makes a revision of what is staged, and what it refuses."""

from __future__ import annotations

import copy
import hashlib
import re
import uuid as uuids
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from planner_app.domain.layer import FieldInfo
from planner_app.sync import cells
from planner_app.sync.types import (
    DefChange,
    HistoryRow,
    LayerDef,
    LayerRight,
    PushHeader,
    PushResult,
    Refused,
    Revision,
    RowChange,
)
from tests.helpers.memory_city import City, Layer, Plan, Row, Stage

if TYPE_CHECKING:
    from tests.helpers.memory_server import MemoryTransport


class Commit:
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


def _locked(layer: LayerDef) -> bool:
    return layer.cells.get("locked", "").lower() not in ("", "0", "false")


def _is_uuid(text: Any) -> bool:
    try:
        return isinstance(text, str) and str(uuids.UUID(text)) == text
    except ValueError:
        return False


_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")


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
    """Whether a shape lies in a district, but for a centimetre."""
    return shape is not None and bool(
        shapely.covers(shapely.buffer(shapely.from_wkb(district), 0.01), shapely.from_wkb(shape))
    )
