"""EPANET input files (.inp): nodes, and pipes, pumps and valves as lines with their ids kept."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.text_encoding import read_text

#: Flow units of the file that mean US customary lengths (feet, inches); all others are SI (metres, millimetres).
_US_UNITS = frozenset({"CFS", "GPM", "MGD", "IMGD", "AFD"})
_FOOT, _INCH = 0.3048, 25.4
_SI_UNITS = frozenset({"LPS", "LPM", "MLD", "CMH", "CMD", "CMS"})
#: Words of a pipe's last column.
_STATUS = frozenset({"OPEN", "CLOSED", "CV"})
Note = tuple[str, dict[str, Any]]


@dataclass(slots=True)
class EpanetNode:
    """A junction, reservoir or tank; elevation in m; x, y as in the file, None where it gives none."""

    id: str
    kind: str
    elevation: float | None
    demand: float = 0.0
    x: float | None = None
    y: float | None = None


@dataclass(slots=True)
class EpanetLine:
    """A pipe, pump or valve. Length in m, nan where the file gives none that can be; diameter in mm; ``closed``: shut,
    and no control or rule ever opens it."""

    id: str
    kind: str
    start: str
    end: str
    length: float
    diameter: float | None
    closed: bool = False
    points: list[tuple[float, float]] = field(default_factory=list)


@dataclass(slots=True)
class EpanetFile:
    """What a file holds; ``notes`` name everything that was left out or changed."""

    title: str
    nodes: list[EpanetNode]
    lines: list[EpanetLine]
    notes: list[Note]


class _Rows:
    """The sections of a file: (line number, fields) with comments taken off."""

    def __init__(self, text: str) -> None:
        self.sections: dict[str, list[tuple[int, list[str]]]] = {}
        current: list[tuple[int, list[str]]] | None = None
        for number, line in enumerate(text.splitlines(), start=1):
            content = line.split(";", 1)[0].strip()
            if content.startswith("["):
                current = self.sections.setdefault(content.strip("[]").upper(), [])
            elif content and current is not None:
                current.append((number, content.split()))

    def of(self, name: str) -> list[tuple[int, list[str]]]:
        """Rows of a section; EPANET knows a section by its first four letters."""
        return [row for key, rows in self.sections.items() if key[:4] == name[:4] for row in rows]


def read_epanet(path: Path) -> EpanetFile:
    """Read a file.

    Raises:
        PlannerError: ``tunnel.inp_unreadable`` (no network in it), ``import.unreadable``.
    """
    try:
        rows = _Rows(read_text(path)[0])
    except OSError as error:
        raise PlannerError("import.unreadable", file=path.name, detail=error.strerror or str(error)) from error
    if not rows.of("JUNCTIONS") and not rows.of("RESERVOIRS"):
        raise PlannerError("tunnel.inp_unreadable", file=path.name, found=", ".join(list(rows.sections)[:6]) or "–")
    notes: list[Note] = []
    options = {row[0].upper(): row[1].upper() for _, row in rows.of("OPTIONS") if len(row) > 1}
    us = options.get("UNITS", "GPM") in _US_UNITS
    if "UNITS" not in options:
        notes.append(("tunnel.units_missing", {}))
    elif not us and options["UNITS"] not in _SI_UNITS:
        notes.append(("tunnel.units_unknown", {"units": options["UNITS"]}))
    foot, inch = (_FOOT, _INCH) if us else (1.0, 1.0)
    nodes = _nodes(rows, foot, notes)
    lines = _lines(rows, nodes, foot, inch, notes)
    _places(rows, nodes, lines, notes)
    title = " ".join(" ".join(row) for _, row in rows.of("TITLE"))[:200]
    return EpanetFile(title, list(nodes.values()), list(lines.values()), notes)


def _number(row: list[str], place: int) -> float | None:
    try:
        value = float(row[place])
    except (IndexError, ValueError):
        return None
    return value if math.isfinite(value) else None


class _Cells:
    """Numbers of one row; those that cannot be are named in the notes. ``kind``: what the row tells."""

    def __init__(self, row: list[str], line: int, kind: str, notes: list[Note]) -> None:
        self._row, self._line, self._kind, self._notes = row, line, kind, notes

    def number(self, place: int, code: str, *, above: float | None = None, needed: bool = False) -> float | None:
        """A number, greater than ``above``; None, and a note of that code, for what is none."""
        row, value = self._row, _number(self._row, place)
        if value is not None and (above is None or value > above):
            return value
        if needed or len(row) > place:
            text = row[place] if len(row) > place else "–"
            self._notes.append((code, {"id": row[0], "line": self._line, "value": text} | kind_params(self._kind)))
        return None


def kind_params(kind: str) -> dict[str, str]:
    """What a note says the thing is, in both languages."""
    words = {"node": "管点", "line": "管线", "pipe": "管段", "pump": "水泵", "valve": "阀门", "junction": "节点",
             "reservoir": "水库", "tank": "水池", "fire_zone": "防火分区", "compartment": "舱室"}  # fmt: skip
    return {"kind": kind.replace("_", " "), "kind_zh": words.get(kind, "")}


def _nodes(rows: _Rows, foot: float, notes: list[Note]) -> dict[str, EpanetNode]:
    nodes: dict[str, EpanetNode] = {}
    for section, kind in (("JUNCTIONS", "junction"), ("RESERVOIRS", "reservoir"), ("TANKS", "tank")):
        for number, row in rows.of(section):
            if row[0] in nodes:
                notes.append(("tunnel.duplicate", {"id": row[0], "line": number} | kind_params("node")))
                continue
            cells = _Cells(row, number, kind, notes)
            level = cells.number(1, "tunnel.level_wrong", needed=kind != "junction")
            nodes[row[0]] = EpanetNode(
                row[0],
                kind,
                None if level is None else level * foot,
                (cells.number(2, "tunnel.demand_wrong") or 0.0) if kind == "junction" else 0.0,
            )
    return nodes


def _lines(
    rows: _Rows, nodes: dict[str, EpanetNode], foot: float, inch: float, notes: list[Note]
) -> dict[str, EpanetLine]:
    lines: dict[str, EpanetLine] = {}
    status: dict[str, str] = {}
    for section, kind in (("PIPES", "pipe"), ("PUMPS", "pump"), ("VALVES", "valve")):
        for number, row in rows.of(section):
            problem = _problem(row, nodes, lines)
            if problem:
                missing = ", ".join(dict.fromkeys(node for node in row[1:3] if node not in nodes))
                notes.append((problem, {"id": row[0], "line": number, "nodes": missing} | kind_params(kind)))
                continue
            cells, length, diameter = _Cells(row, number, kind, notes), 0.0, None
            if kind == "pipe":
                stated = cells.number(3, "tunnel.length_wrong", above=0.0, needed=True)
                length = math.nan if stated is None else stated * foot
            if kind != "pump":
                diameter = cells.number(4 if kind == "pipe" else 3, "tunnel.diameter_wrong", above=0.0, needed=True)
            lines[row[0]] = EpanetLine(
                row[0], kind, row[1], row[2], length, None if diameter is None else diameter * inch
            )
            if kind == "pipe" and row[-1].upper() in _STATUS:
                status[row[0]] = row[-1].upper()
            if row[1] == row[2]:
                notes.append(("tunnel.loop", {"id": row[0], "line": number, "node": row[1]}))
    for number, row in rows.of("STATUS"):
        if len(row) > 1 and row[0] in lines:
            status[row[0]] = row[1].upper()
        else:
            notes.append(("tunnel.state_lost", {"id": row[0], "line": number}))
    moved = _controlled(rows)
    for name, word in status.items():
        if name in lines and word == "CLOSED" and lines[name].kind != "pump" and name not in moved:
            lines[name].closed = True
    return lines


def _problem(row: list[str], nodes: dict[str, EpanetNode], lines: dict[str, EpanetLine]) -> str:
    if len(row) < 3:
        return "tunnel.line_short"
    if row[0] in lines:
        return "tunnel.duplicate"
    return "" if row[1] in nodes and row[2] in nodes else "tunnel.line_orphan"


def _controlled(rows: _Rows) -> set[str]:
    """Lines that a control or rule opens or closes: their status at the start says nothing lasting."""
    found = set()
    for section in ("CONTROLS", "RULES"):
        for _, row in rows.of(section):
            words = [word.upper() for word in row]
            for key in ("LINK", "PIPE", "PUMP", "VALVE"):
                found |= {row[at + 1] for at, word in enumerate(words[:-1]) if word == key}
    return found


def _places(rows: _Rows, nodes: dict[str, EpanetNode], lines: dict[str, EpanetLine], notes: list[Note]) -> None:
    for number, row in rows.of("COORDINATES"):
        x, y = _number(row, 1), _number(row, 2)
        if row[0] not in nodes or x is None or y is None:
            notes.append(("tunnel.coordinate_lost", {"id": row[0], "line": number}))
            continue
        nodes[row[0]].x, nodes[row[0]].y = x, y
    vertices: dict[str, list[tuple[float, float]]] = {}
    for number, row in rows.of("VERTICES"):
        x, y = _number(row, 1), _number(row, 2)
        if row[0] not in lines or x is None or y is None:
            notes.append(("tunnel.coordinate_lost", {"id": row[0], "line": number}))
            continue
        vertices.setdefault(row[0], []).append((x, y))
    for line in lines.values():
        start, end = nodes[line.start], nodes[line.end]
        if start.x is None or start.y is None or end.x is None or end.y is None:
            continue
        line.points = [(start.x, start.y), *vertices.get(line.id, ()), (end.x, end.y)]
    lost = sum(node.x is None for node in nodes.values())
    if lost:
        notes.append(("tunnel.no_coordinates", {"count": lost, "of": len(nodes)}))


def read_valve_csv(path: Path) -> Iterator[tuple[int, str, str, str]]:
    """Rows ``valve,link,node`` of a file of isolation valves: (row number, valve, link, node). Ids may be written
    ``line:ID`` and ``node:ID``.

    Raises:
        PlannerError: ``tunnel.valves_head`` if the head names other columns, ``import.unreadable``.
    """
    try:
        lines = read_text(path)[0].splitlines()
    except OSError as error:
        raise PlannerError("import.unreadable", file=path.name, detail=error.strerror or str(error)) from error
    mark = max(",;\t", key=(lines[0] if lines else "").count)
    reader = csv.reader(lines, delimiter=mark)
    rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    head = [cell.casefold() for cell in rows[0][1]] if rows else []
    if not {"valve", "link", "node"} <= set(head):
        raise PlannerError("tunnel.valves_head", file=path.name, found=", ".join(head)[:200] or "–")
    kinds = (("valve", "valve:"), ("link", "line:"), ("node", "node:"))
    columns = [(head.index(name), prefix) for name, prefix in kinds]
    for number, row in rows[1:]:
        if any(row):
            cells = [row[place].removeprefix(prefix) if place < len(row) else "" for place, prefix in columns]
            yield number, cells[0], cells[1], cells[2]
