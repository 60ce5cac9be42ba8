"""Surveyed pipe tables 管线成果表: a table of points with one of lines, or both joined in one, as drafts of a network.

In a joined table every row is a point seen along one line: its code, the code of the point the line leads to, the
line's attributes and its level here. Each line stands there twice, once from each end; what is blank is as above.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project, into_project
from plugins.tunnel.model.assets import cells, cjj61
from plugins.tunnel.model.assets.draft import FAR, Draft, DraftLine, DraftNode, pair_key
from plugins.tunnel.model.assets.mapping import Mapping, TableMapping, plain, role_of
from plugins.tunnel.model.assets.table_file import RawTable
from plugins.tunnel.model.clearance.words import word_of

#: Depths beyond this are in another unit, m.
_DEEP = 30.0
#: Ground minus depth and a stated level may differ by this, m.
_AGREE = 0.1
_TEXTS = ("material", "laying", "owner")


@dataclass(slots=True)
class Row:
    """Cells of a row by meaning."""

    cells: dict[str, str]
    where: str
    table: TableMapping

    def text(self, meaning: str) -> str:
        return self.cells.get(meaning, "")


@dataclass(slots=True)
class End:
    """A line's level at one end, as told: depth and height, None where not."""

    depth: float | None = None
    z: float | None = None


def recognised_mapping(tables: Sequence[RawTable]) -> Mapping:
    """The mapping that the tables' heads suggest; empty where none can be used."""
    found = []
    for table in tables:
        columns = table.recognised()
        role = role_of(columns)
        if role:
            found.append(TableMapping(columns, role, table.sheet, cjj61.kind_of_table(table.sheet)))
    return Mapping(tuple(found))


def survey_draft(project: Project, tables: Sequence[RawTable], mapping: Mapping, network: str) -> Draft:
    """The network that the tables tell, in the project's CRS; rows with something wrong are its faults.

    Raises:
        PlannerError: ``tunnel.survey_not_recognised`` if no table holds points, ``tunnel.mapping_column``.
    """
    draft = Draft(network)
    rows = {role: list(_rows(tables, mapping, role)) for role in ("points", "joined", "lines")}
    points = rows["points"] + rows["joined"]
    if not points:
        heads = "; ".join(f"{table.sheet}: {', '.join(table.heads)}" for table in tables)
        raise PlannerError("tunnel.survey_not_recognised", heads=heads[:600])
    _points(project, draft, points, mapping)
    reader = LineReader(draft, mapping, [*rows["joined"], *rows["lines"]])
    for row in rows["joined"]:
        reader.joined(row)
    for row in rows["lines"]:
        reader.line(row)
    reader.finish()
    draft.check()
    return draft


def _rows(tables: Sequence[RawTable], mapping: Mapping, role: str) -> Iterator[Row]:
    for table in tables:
        how = mapping.table(table.sheet)
        if how is None or how.role != role:
            continue
        place = {plain(head): at for at, head in enumerate(table.heads)}
        missing = [head for head in how.columns.values() if plain(head) not in place]
        if missing:
            raise PlannerError("tunnel.mapping_column", sheet=table.sheet, columns=", ".join(missing))
        at = {meaning: place[plain(head)] for meaning, head in how.columns.items()}
        for number, row in zip(table.numbers, table.rows, strict=True):
            yield Row({meaning: row[column] for meaning, column in at.items()}, f"{table.sheet}:{number}", how)


def _points(project: Project, draft: Draft, rows: Sequence[Row], mapping: Mapping) -> None:
    north = np.array([_nan(cells.number(row.text("x"))) for row in rows])
    east = np.array([_nan(cells.number(row.text("y"))) for row in rows])
    frame = cells.frame_of(north, east, project.crs, mapping.crs, mapping.xy)
    draft.notes += list(frame.notes)
    if frame.swap:
        north, east = east, north
    north, east = north * frame.scale, east * frame.scale
    middle = (float(np.nanmedian(east)), float(np.nanmedian(north))) if np.isfinite(east * north).any() else (0, 0)
    with np.errstate(invalid="ignore"):
        far = np.hypot(east - middle[0], north - middle[1]) > (FAR if frame.metres else FAR / 111_000)
    x, y = into_project(frame.crs, project).transform(east, north)
    code = ""
    for at, row in enumerate(rows):
        above = code if row.table.role == "joined" else ""
        code = row.text("code") or row.text("start") or above
        if row.table.role == "joined" and not row.text("x") and not row.text("y") and code in draft.nodes:
            continue  # one more line at the point above
        if not code:
            draft.reject(row.where, "tunnel.row_no_code")
        elif not math.isfinite(x[at] + y[at]):
            shown = f"{row.text('x') or '–'}, {row.text('y') or '–'}"
            draft.reject(row.where, "tunnel.row_no_place", id=code, values=shown)
        elif far[at]:
            shown = f"{row.text('x')}, {row.text('y')}"
            draft.reject(row.where, "tunnel.row_far", id=code, values=shown, km=FAR / 1000)
        else:
            draft.add_node(node_of(draft, row, code, float(x[at]), float(y[at])))


def node_of(draft: Draft, row: Row, code: str, x: float, y: float) -> DraftNode:
    ground = cells.number(row.text("ground_z"))
    if ground is not None and (math.isnan(ground) or not -500 < ground < 9000):
        draft.mend(row.where, "tunnel.row_value", id=code, field="ground_z", value=row.text("ground_z"))
        ground = None
    kind = cjj61.kind_of(row.text("kind"), row.table.kind, cjj61.kind_of_table(row.table.sheet), code)
    extra = row.text("appurtenance")
    return DraftNode(
        code, x, y, _nan(ground), kind, row.text("feature"), extra, cjj61.is_source(extra), row.where
    )  # fmt: skip


class LineReader:
    """Collects lines, each from one row or from the two that see it from its ends; reads attributes and levels."""

    def __init__(self, draft: Draft, mapping: Mapping, rows: Sequence[Row]) -> None:
        self._draft, self._mapping = draft, mapping
        self._point = ""
        self._lines: dict[tuple[str, str, str], tuple[DraftLine, dict[str, End]]] = {}
        self._single: list[tuple[DraftLine, dict[str, End]]] = []
        self._depth_scale = self._unit(rows, ("depth", "depth1", "depth2"), mapping.depth_unit, self._depth_unit)
        self._dn_scale = self._unit(rows, ("dn",), mapping.dn_unit, self._dn_unit)

    def _unit(self, rows: Sequence[Row], meanings: Sequence[str], unit: str, guess: Any) -> float:
        if unit != "auto":
            to_metres = {"mm": 0.001, "cm": 0.01, "m": 1.0}[unit]
            return to_metres * (1000.0 if meanings == ("dn",) else 1.0)
        values = [abs(_value(row.text(one), one)) for row in rows for one in meanings if row.text(one)]
        known = [value for value in values if math.isfinite(value) and value > 0]
        scale, code = guess(float(np.median(known)) if known else None)
        if code:
            self._draft.notes.append((code, {"count": len(known)}))
        return float(scale)

    @staticmethod
    def _depth_unit(middle: float | None) -> tuple[float, str]:
        if middle is None or middle <= _DEEP:
            return 1.0, ""
        return (0.001, "tunnel.depths_mm") if middle >= 300 else (0.01, "tunnel.depths_cm")

    @staticmethod
    def _dn_unit(middle: float | None) -> tuple[float, str]:
        return (1000.0, "tunnel.diameters_m") if middle is not None and middle < 10 else (1.0, "")

    def joined(self, row: Row) -> None:
        """A row of a joined table."""
        self._point = row.text("code") or row.text("start") or self._point
        here, there = self._point, row.text("end")
        if not there:
            return  # a point of its own, or the point's first row before its lines
        end = self.end(row, "depth", "z", here)
        values = self.values(row, here, there)
        key = pair_key(here, there, str(values["kind_code"]))
        known = self._lines.get(key)
        if known is None:
            line = DraftLine(row.text("line_code"), here, there, (), values, row.where)
            self._lines[key] = (line, {here: end})
        elif here in known[1]:
            self._draft.reject(row.where, "tunnel.row_line_twice", id=f"{here}-{there}", first=known[0].where)
        else:
            known[1][here] = end
            self._compare(known[0], values, row)

    def line(self, row: Row) -> None:
        """A row of a table of lines."""
        start, finish = row.text("start") or row.text("code"), row.text("end")
        line = DraftLine(row.text("line_code"), start, finish, (), self.values(row, start, finish), row.where)
        ends = {start: self.end(row, "depth1", "z1", start), finish: self.end(row, "depth2", "z2", finish)}
        self._single.append((line, ends))

    def _compare(self, line: DraftLine, values: dict[str, Any], row: Row) -> None:
        """Attributes of a line told from both ends should be the same; what only the second says is taken."""
        for name, value in values.items():
            first = line.values.get(name)
            if first in (None, ""):
                line.values[name] = value
            elif value not in (None, "", first) and name != "kind_code":
                told = f"{first} / {value}"
                self._draft.mend(row.where, "tunnel.row_ends_differ", id=f"{line.start}-{line.end}", field=name,
                                 value=told, first=line.where)  # fmt: skip

    def values(self, row: Row, *codes: str) -> dict[str, Any]:
        named = row.table.kind or cjj61.kind_of_table(row.table.sheet)
        kind = cjj61.kind_of(row.text("kind"), named, *codes) or "BM"
        code = next(filter(None, codes), "–")
        values: dict[str, Any] = {"kind_code": kind, "status": "in_use", **self._size(row, code)}
        for name in _TEXTS:
            values[name] = row.text(name) or None
        stated = row.text("status")
        if stated:
            values["status"] = cjj61.status_of(stated) or None
            if not cjj61.status_of(stated):
                self._draft.mend(row.where, "tunnel.row_value", id=code, field="status", value=stated)
        if kind in ("DL", "GD", "LD", "XH", "DC") and row.text("voltage"):
            values["rating"] = _with_unit(row.text("voltage"), "kV")
        else:
            unit = "kPa" if "kpa" in row.table.columns.get("pressure", "").casefold() else "MPa"
            values["rating"] = row.text("rating") or _with_unit(row.text("pressure"), unit) or None
        count = cells.number(row.text("cables") or row.text("holes"))
        values["cables"] = None if count is None or math.isnan(count) else int(count)
        values["year"] = cells.year(row.text("year"))
        if row.text("year") and values["year"] is None:
            self._draft.mend(row.where, "tunnel.row_value", id=code, field="year", value=row.text("year"))
        return values

    def _size(self, row: Row, code: str) -> dict[str, Any]:
        text = row.text("dn")
        found = cells.size(text)
        if found is None:
            return {"dn_mm": None, "shape": None}
        value = found.value * self._dn_scale
        if 0 < value < 10 and self._dn_scale == 1.0 and not float(value).is_integer():
            self._draft.mend(row.where, "tunnel.row_diameter_m", id=code, value=text)
            value *= 1000
        if value > 20_000 and 20 <= found.value <= 20_000:  # one of millimetres in a column of metres
            self._draft.mend(row.where, "tunnel.row_diameter_mm", id=code, value=text)
            value = found.value
        if not 0 < value <= 20_000:
            self._draft.mend(row.where, "tunnel.row_value", id=code, field="dn", value=text)
            return {"dn_mm": None, "shape": None}
        return {"dn_mm": round(value), "shape": f"{found.shape} {found.text}".strip()}

    def end(self, row: Row, depth_name: str, z_name: str, code: str) -> End:
        depth, z = cells.number(row.text(depth_name)), cells.number(row.text(z_name))
        if depth is not None:
            depth *= self._depth_scale
            told = row.text(depth_name)
            if math.isnan(depth):
                self._draft.mend(row.where, "tunnel.row_value", id=code, field="depth", value=told)
                depth = None
            elif depth < 0:
                self._draft.mend(row.where, "tunnel.row_depth_negative", id=code, value=told)
                depth = None
            elif depth > _DEEP:
                self._draft.mend(row.where, "tunnel.row_depth_unit", id=code, value=told)
                depth = depth / 1000 if 300 <= depth <= _DEEP * 1000 else None
        if z is not None and (math.isnan(z) or not -500 < z < 9000):
            self._draft.mend(row.where, "tunnel.row_value", id=code, field="z", value=row.text(z_name))
            z = None
        node = self._draft.nodes.get(code)
        ground = node.ground_z if node is not None else math.nan
        if depth is not None and z is not None and abs(ground - depth - z) > _AGREE:
            by = abs(ground - depth - z)
            self._draft.mend(row.where, "tunnel.row_levels", id=code, depth=depth, z=z, ground=ground, metres=by)
        if not math.isnan(ground):
            z = ground - depth if z is None and depth is not None else z
            if depth is None and z is not None and not self.above_ground(row, code, z):
                depth = max(ground - z, 0.0)
        return End(depth, z)

    def above_ground(self, row: Row, code: str, z: float) -> bool:
        """Whether a level lies above the ground at a point; said of lines that are not laid so."""
        node = self._draft.nodes.get(code)
        ground = node.ground_z if node is not None else math.nan
        if not z > ground + _AGREE:
            return False
        if word_of("laying", row.text("laying")) != "above":
            by = round(z - ground, 3)
            self._draft.mend(row.where, "tunnel.row_above_ground", id=code, z=z, ground=ground, metres=by)
        return True

    def finish(self) -> None:
        """Hand the lines over to the draft, with levels and their reference."""
        one_sided = 0
        for (line, ends), joined in [(one, True) for one in self._lines.values()] + [(o, False) for o in self._single]:
            first, second = ends.get(line.start, End()), ends.get(line.end, End())
            one_sided += joined and len(ends) < 2
            reference = self.reference(line)
            line.values |= {"z_ref": reference, "z1": _rounded(first.z), "z2": _rounded(second.z),
                            "depth1": _rounded(first.depth), "depth2": _rounded(second.depth)}  # fmt: skip
            self._draft.lines.append(line)
        if one_sided:
            self._draft.notes.append(("tunnel.lines_one_sided", {"count": one_sided}))

    def reference(self, line: DraftLine) -> str:
        """What levels and depths speak of: as the mapping or the heads say, else CJJ 61: drains inside at the bottom,
        everything else at the top."""
        if self._mapping.z_ref != "auto":
            return self._mapping.z_ref
        how = self._mapping.table(line.where.rpartition(":")[0])
        heads = "".join(
            how.columns.get(one, "") for one in ("depth", "z", "depth1", "depth2", "z1", "z2")
        ) if how else ""  # fmt: skip
        top, bottom = "管顶" in heads, "管底" in heads or "内底" in heads or "(底)" in heads or "（底）" in heads
        if "中心" in heads or "管中" in heads:
            return "axis"
        if top != bottom:
            return "top" if top else "invert"
        return "invert" if line.values["kind_code"] in ("PS", "YS", "WS", "HS") else "top"


def _nan(value: float | None) -> float:
    return math.nan if value is None else value


def _value(text: str, meaning: str) -> float:
    if meaning == "dn":
        found = cells.size(text)
        return math.nan if found is None else found.value
    return _nan(cells.number(text))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _with_unit(text: str, unit: str) -> str:
    """``10`` → ``10 kV``; words stay as they are."""
    value = cells.number(text)
    return text if value is None or math.isnan(value) or not text.strip()[-1:].isdigit() else f"{text} {unit}"
