"""Taking a field package in: merged row by row by UUID and cell by cell, so that nothing of either side is lost.

Each cell has three values: what was handed out (or last taken in from the same package), what the field says, what the
desk says. Changed on one side only: that side counts. Changed on both and different: a conflict, kept with both values
until a person decides. A row the desk deleted and the field changed is one conflict, too. Grade and dates of a defect
follow from its examinations, which both sides only add to. Work orders: ``field_orders``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, check
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Command, Project, Transaction
from plugins.tunnel.model.operation import field_orders, rows, tables
from plugins.tunnel.model.operation.defects import newest_of
from plugins.tunnel.model.operation.field_package import BY_NAME, WRITABLE, Package, row_error
from plugins.tunnel.model.operation.forms import a_moment
from plugins.tunnel.model.operation.places import Places
from plugins.tunnel.model.operation.records import GRADES, Conflict, DefectStatus, FieldRow
from plugins.tunnel.model.operation.tables import Table

Cells = dict[str, Any]
#: Cells that follow from the examinations of a defect.
_DERIVED = ("grade", "first_seen", "last_seen")
GONE = "*"


@dataclass(frozen=True)
class TakeIn(Command):
    """Merge a package's rows; ``inserts``: (table, uuid, cells), ``updates`` likewise with the changed cells only."""

    name: ClassVar[str] = "tunnel_take_in"
    package: str
    inserts: tuple[tuple[str, str, Cells], ...] = ()
    updates: tuple[tuple[str, str, Cells], ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    taken: tuple[FieldRow, ...] = ()
    points: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[tuple[str, dict[str, Any]], ...] = ()

    @property
    def empty(self) -> bool:
        """True if there is nothing to take in."""
        return not self.taken

    def params(self) -> dict[str, Any]:
        return {"new": len(self.inserts), "changed": len(self.updates), "conflicts": len(self.conflicts)}

    def apply(self, tx: Transaction) -> None:
        by_name = {table.name: table for table in WRITABLE}
        for name, uuid, cells in self.inserts:
            record = by_name[name].from_plain(uuid, cells)
            rows.insert(tx, by_name[name], [replace(record, wkb=self.points[uuid]) if uuid in self.points else record])
        for name, uuid, cells in self.updates:
            _update(tx, by_name[name], uuid, cells, self.points.get(uuid))
        examined = [cells["defect_id"] for name, _, cells in self.inserts if name == tables.EXAMINATIONS.name]
        for uuid in dict.fromkeys(str(one) for one in examined):
            _follow(tx, uuid)
        for name, uuid, cells in (*self.inserts, *self.updates):
            if name == tables.ORDERS.name and "status" in cells:
                field_orders.close_defects(tx, uuid)
        _replace(tx, tables.CONFLICTS, self.conflicts, ("package", "table_name", "row", "column_name"), undecided=True)
        _replace(tx, tables.FIELD_ROWS, self.taken, ("package", "table_name", "row"))


@dataclass(frozen=True)
class DecideConflict(Command):
    """A person decides a conflict: the desk's value (``ours``) or the field's (``theirs``)."""

    name: ClassVar[str] = "tunnel_decide_conflict"
    conflict_id: str
    keep: str
    by: str
    points: Mapping[str, bytes] = field(default_factory=dict)

    def params(self) -> dict[str, Any]:
        return {"keep": self.keep, "by": self.by}

    def apply(self, tx: Transaction) -> None:
        one = rows.find(tx, tables.CONFLICTS, self.conflict_id)[2]
        if one.decided:
            raise PlannerError("tunnel.conflict_decided", by=one.decided_by)
        if self.keep == "theirs":
            table = next(table for table in WRITABLE if table.name == one.table_name)
            theirs = json.loads(one.theirs)
            if one.column_name != GONE:
                status = table is tables.ORDERS and one.column_name == "status"
                cells = {one.column_name: theirs} | (field_orders.life_of(tx, one) if status else {})
                _update(tx, table, one.row, cells, self.points.get(one.row))
                if status:
                    field_orders.close_defects(tx, one.row)
            elif not _known(tx, table, one.row):
                record = table.from_plain(one.row, theirs)
                place = {"wkb": self.points.get(one.row)} if table.geometry != "none" else {}
                rows.insert(tx, table, [replace(record, **place)])
        decided = {"decided": self.keep, "decided_by": self.by, "decided_at": rows.now()}
        rows.change(tx, tables.CONFLICTS, self.conflict_id, decided)


def decide(project: Project, conflict: Conflict, keep: str, by: str) -> DecideConflict:
    """The command for a decision.

    Raises:
        PlannerError: ``tunnel.keep_wrong``, and those of a place for a defect that comes back.
    """
    if keep not in ("ours", "theirs"):
        raise PlannerError("tunnel.keep_wrong", keep=keep)
    points = {}
    table = next(table for table in WRITABLE if table.name == conflict.table_name)
    if table.geometry != "none" and keep == "theirs":
        theirs = json.loads(conflict.theirs)
        row = theirs if conflict.column_name == GONE else {conflict.column_name: theirs}
        if conflict.column_name != GONE:
            now = rows.one(project, table, conflict.row)
            row = {"tunnel": now.tunnel, "m": now.m} | row
        if row.get("tunnel") and row.get("m") is not None:
            points[conflict.row] = Places(project).wkb(str(row["tunnel"]), float(row["m"]))
    return DecideConflict(conflict.id, keep, by, points)


def take_in(
    project: Project, package: Package, progress: Progress | None = None, rules: Sequence[Rule] | None = None
) -> TakeIn:
    """The command that merges a package; its photos are kept at once (they are known by their content).

    Args:
        rules: of kinds ``tunnel.entry.*``: work that began against them is told in the notes; None: nothing is told.

    Raises:
        PlannerError: ``tunnel.field_row`` naming the first row that cannot be kept, ``tunnel.field_crs``,
            ``tunnel.field_media``.
    """
    progress, places = progress or NoProgress(), Places(project)
    if package.manifest.get("crs") != project.crs:
        raise PlannerError("tunnel.field_crs", theirs=str(package.manifest.get("crs")), ours=project.crs)
    before = {(one.table_name, one.row): json.loads(one.taken) for one in rows.read(project, tables.FIELD_ROWS)
              if one.package == package.id}  # fmt: skip
    inserts: list[tuple[str, str, Cells]] = []
    updates: list[tuple[str, str, Cells]] = []
    conflicts: list[Conflict] = []
    taken: list[FieldRow] = []
    notes: list[tuple[str, dict[str, Any]]] = []
    ours = {table.name: {one.id: table.plain(one) for one in rows.read(project, table)} for table in WRITABLE}
    new_seen = {
        str(row.get("defect_id"))
        for uuid, row in package.data.get(tables.EXAMINATIONS.name, {}).items()
        if uuid not in package.base.get(tables.EXAMINATIONS.name, {})
    }
    for table in WRITABLE:
        name = table.name
        for uuid, theirs in package.data.get(name, {}).items():
            check(progress)
            base = before.get((name, uuid), package.base.get(name, {}).get(uuid))
            if base is not None and all(base.get(key) == value for key, value in theirs.items()):
                continue
            _check(places, package, table, uuid, theirs, ours, base or {})
            if table is tables.ORDERS and rules is not None:
                notes += field_orders.entry_notes(table.from_plain(uuid, theirs), base or {}, rules)
            taken.append(FieldRow(rows.new_id(), package.id, name, uuid, json.dumps(theirs, ensure_ascii=False)))
            mine = ours[name].get(uuid)
            if mine is None and base is None:
                inserts.append((name, uuid, {key: value for key, value in theirs.items() if key != "number"}))
            elif mine is None:
                conflicts.append(_conflict(package, table, uuid, GONE, base, None, theirs))
            else:
                skipped = {"number", *(_DERIVED if table is tables.DEFECTS and uuid in new_seen else ())}
                skipped |= field_orders.TOGETHER if table is tables.ORDERS else set()
                changed, both = _cells(table, base or {}, theirs, mine, skipped)
                if table is tables.ORDERS:
                    more, decided = field_orders.order_cells(base or {}, theirs, mine)
                    changed, both = changed | more, both + decided
                updates += [(name, uuid, changed)] if changed else []
                conflicts += [
                    _conflict(package, table, uuid, key, (base or {}).get(key), mine.get(key), theirs[key])
                    for key in both
                ]
    points: dict[str, bytes] = {}
    for name, uuid, changed in (*inserts, *updates):
        if "m" in changed or "tunnel" in changed:
            row = ours[name].get(uuid, {}) | changed
            if BY_NAME[name].geometry != "none" and row.get("tunnel") and row.get("m") is not None:
                points[uuid] = places.wkb(str(row["tunnel"]), float(row["m"]))
    cells = [one for _, _, one in (*inserts, *updates)]
    kept = [json.loads(one.theirs) for one in conflicts if one.column_name == GONE]
    photos = {one["photo"] for one in (*cells, *kept) if one.get("photo")}
    photos |= {json.loads(one.theirs) for one in conflicts if one.column_name == "photo"}
    for sha256 in sorted(photos):
        check(progress)
        _keep_photo(project, package, sha256)
    return TakeIn(package.id, tuple(inserts), tuple(updates), tuple(conflicts), tuple(taken), points, tuple(notes))


def _cells(table: Table[Any], base: Cells, theirs: Cells, mine: Cells, skipped: set[str]) -> tuple[Cells, list[str]]:
    """(cells that only the field changed, columns both changed)."""
    changed: Cells = {}
    both: list[str] = []
    for key, value in theirs.items():
        if key in skipped or key not in table.kinds or value in (mine.get(key), base.get(key)):
            continue
        if mine.get(key) == base.get(key):
            changed[key] = value
        else:
            both.append(key)
    return changed, both


def _conflict(package: Package, table: Table[Any], uuid: str, column: str, *values: Any) -> Conflict:
    base, ours, theirs = (json.dumps(value, ensure_ascii=False) for value in values)
    return Conflict(rows.new_id(), package.id, table.name, uuid, column, base, ours, theirs, rows.now())


def _keep_photo(project: Project, package: Package, sha256: str) -> None:
    if sha256 in package.media or sha256 in package.new_media:
        project.attach(package.photo(sha256), name=f"{sha256[:12]}.jpg")
        return
    try:
        project.attachment(sha256)
    except PlannerError as error:
        raise PlannerError(
            "tunnel.field_media", file=package.path.name if package.path else "", sha256=sha256[:12]
        ) from error


def _check(
    places: Places,
    package: Package,
    table: Table[Any],
    uuid: str,
    theirs: Cells,
    ours: Mapping[str, Mapping[str, Cells]],
    base: Cells,
) -> None:
    """A row must be one that the desk itself would keep."""
    record = table.from_plain(uuid, theirs)
    column = "tunnel"
    try:
        if hasattr(record, "tunnel") and (record.tunnel or table is not tables.ORDERS):
            places.axis(record.tunnel)
            for column in ("m", "from_m", "to_m"):
                if getattr(record, column, None) is not None:
                    places.check(record.tunnel, getattr(record, column))
        for column in ("time", "started", "ended", "first_seen", "last_seen"):
            if getattr(record, column, ""):
                a_moment(getattr(record, column))
        column = "grade"
        if hasattr(record, "grade") and record.grade not in ((0, *GRADES) if table is tables.OBSERVATIONS else GRADES):
            raise PlannerError("tunnel.grade_wrong", grade=record.grade)
        checks = list(field_orders.order_checks(record, base)) if table is tables.ORDERS else []
        for column, fits in checks:  # noqa: B007 - the handler below names it
            fits()
        for column, other in (("inspection_id", tables.INSPECTIONS), ("defect_id", tables.DEFECTS)):
            ref = getattr(record, column, "")
            if ref and ref not in ours[other.name] and ref not in package.data.get(other.name, {}):
                raise PlannerError("tunnel.record_gone", table=other.title, table_zh=other.title_zh, id=ref)
    except PlannerError as error:
        from planner_app.i18n import word_error

        raise row_error(table, uuid, column, word_error(error)[0]) from error


# ---------------------------------------------------------------- in the transaction


def _known(tx: Transaction, table: Table[Any], uuid: str) -> bool:
    layer = rows.layer_for(tx, table)
    return len(tx.read(layer.id, columns=[], where=rows.equals("uuid", uuid), geometry=False)) > 0


def _update(tx: Transaction, table: Table[Any], uuid: str, cells: Cells, point: bytes | None) -> None:
    whole = table.from_plain(uuid, table.plain(rows.find(tx, table, uuid)[2]) | cells)
    values = {key: getattr(whole, key) for key in cells}
    rows.change(tx, table, uuid, values | ({"wkb": point} if point is not None else {}))


def _follow(tx: Transaction, defect_id: str) -> None:
    """Grade and last day of a defect follow from its examinations; a closed one that was seen later is open again."""
    if not _known(tx, tables.DEFECTS, defect_id):
        return
    defect = rows.find(tx, tables.DEFECTS, defect_id)[2]
    newest = newest_of(tx, defect_id)
    values: Cells = {"grade": newest.grade, "last_seen": newest.time}
    if defect.status is DefectStatus.CLOSED and newest.time > defect.closed_at:
        values |= {"status": DefectStatus.OPEN, "closed_at": "", "closed_by": ""}
    rows.change(tx, tables.DEFECTS, defect_id, values)


def _replace(
    tx: Transaction, table: Table[Any], records: tuple[Any, ...], keys: tuple[str, ...], *, undecided: bool = False
) -> None:
    """Write records in the place of those with the same keys."""
    if not records:
        return
    layer = rows.layer_for(tx, table)
    for one in records:
        where = " AND ".join(rows.equals(key, getattr(one, key)) for key in keys)
        old = [
            rows.find(tx, table, uuid)[1]
            for uuid in tx.read(layer.id, columns=["uuid"], where=where, geometry=False).columns["uuid"]
            if not (undecided and rows.find(tx, table, uuid)[2].decided)
        ]
        tx.delete(layer.id, old)
    rows.insert(tx, table, records)
