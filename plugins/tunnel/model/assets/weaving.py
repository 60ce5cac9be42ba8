"""Joining adopted pipes to the city's networks: the command behind what :mod:`joining` proposes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import shapely

from planner_app.domain.layer import LayerInfo
from planner_app.i18n import word
from planner_app.plugin_api.model import Batch, Command, Transaction
from plugins.tunnel.model import tables
from plugins.tunnel.model.assets.joining import Join, Key
from plugins.tunnel.model.assets.status import Event, now, state_of, write_events
from plugins.tunnel.model.tables import LINE, NODE, SERVICE, VALVE

#: Levels and depths at both ends of a line: what a cut interpolates.
_LEVELS = (("z1", "z2"), ("depth1", "depth2"))


@dataclass(frozen=True)
class JoinPipes(Command):
    """Hang ends of adopted pipes on nodes and lines of the city; lines that an end meets on their way are cut there.

    The pipes come into the city's network with all that hangs on them. Networks hang together by their codes: no pipe
    is moved from where it was designed or measured.
    """

    name: ClassVar[str] = "tunnel_join_pipes"
    ends: tuple[Join, ...]
    by: str

    def params(self) -> dict[str, Any]:
        cases = ", ".join(dict.fromkeys(one.case for one in self.ends))
        return {"count": len(self.ends), "cut": sum(not one.target_node for one in self.ends), "case": cases}

    def apply(self, tx: Transaction) -> None:
        weaver = _Weaver(tx)
        for one in self.ends:
            weaver.join(one)
        weaver.write(self.by)


@dataclass(slots=True)
class _Line:
    """A line as it becomes: ``of``: index of the line it was cut from; ``changed``: columns that are others now."""

    fid: int
    network: str
    code: str
    a: Key
    b: Key
    shape: Any
    cells: dict[str, Any]
    changed: set[str] = field(default_factory=set)
    of: int | None = None
    moved: bool = False
    notes: list[str] = field(default_factory=list)


class _Weaver:
    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.layer, self.nodes = tables.need(tx, LINE), tables.need(tx, NODE)  # type: ignore[arg-type]
        self.names = [one.name for one in self.layer.fields if one.type != "blob"]
        table = tx.read(self.layer.id, columns=self.names)
        self.lines: list[_Line] = []
        for fid, wkb, cells in zip(table.fids, table.geometry, zip(*table.columns.values(), strict=True), strict=True):
            row = dict(zip(table.columns, cells, strict=True))
            net = str(row.get("network") or "")
            a, b = ((net, str(row.get(name) or "")) for name in ("from_node", "to_node"))
            shape = None if wkb is None else shapely.from_wkb(wkb)
            self.lines.append(_Line(int(fid), net, str(row.get("code") or ""), a, b, shape, row))
        self.at: dict[Key, set[int]] = {}
        for number, line in enumerate(self.lines):
            for end in (line.a, line.b):
                self.at.setdefault(end, set()).add(number)
        self.line_codes = {(one.network, one.code) for one in self.lines}
        points = tx.read(self.nodes.id, columns=["code", "network"], geometry=False)
        self.node_fid = {  # by what nodes are called now
            (str(net or ""), str(code or "")): int(fid)
            for fid, net, code in zip(points.fids, points.columns["network"], points.columns["code"], strict=True)
        }
        self.node_at: dict[Key, Key] = {}  # where a node that was read has gone
        self.line_at: dict[Key, list[int]] = {}  # pieces of a line that was cut or renamed
        self.new_nodes: dict[Key, tuple[float, float]] = {}
        self.was = {fid: key for key, fid in self.node_fid.items()}
        self.gone: list[int] = []

    # what becomes of one end

    def join(self, one: Join) -> None:
        """Hang one end on its target."""
        node = self._now(one.node)
        if one.target_node:
            target = self._now((one.network, one.target_node))
        else:
            target = self._cut((one.network, one.target_line), one.x, one.y)
        if node == target:  # the other side's end was hung here already
            return
        if node[0] != target[0]:
            node = self._into(node, target[0])
        for number in sorted(self.at.pop(node, set())):
            line = self.lines[number]
            for side, end, column in (("a", line.a, "from_node"), ("b", line.b, "to_node")):
                if end == node:
                    setattr(line, side, target)
                    line.changed.add(column)
            self.at.setdefault(target, set()).add(number)
            line.notes.append(word("tunnel.join_note", {"node": target[1], "network": target[0]}))
        if node in self.node_fid:
            self.gone.append(self.node_fid.pop(node))
        self.node_at[node] = target

    def _now(self, key: Key) -> Key:
        while key in self.node_at:
            key = self.node_at[key]
        return key

    def _into(self, node: Key, network: str) -> Key:
        """All that hangs on a node comes into another network; returns the node as it is called there."""
        front, seen = [node], {node}
        numbers: set[int] = set()
        while front:
            for number in self.at.get(front.pop(), set()):
                numbers.add(number)
                for end in (self.lines[number].a, self.lines[number].b):
                    if end not in seen:
                        seen.add(end)
                        front.append(end)
        called = {}
        for old in sorted(seen):
            new = (network, _free(old[1], lambda code: (network, code) in self.node_fid or (network, code) in self.at))
            called[old] = new
            self.at[new] = self.at.pop(old, set())
            self.node_at[old] = new
            if old in self.node_fid:
                self.node_fid[new] = self.node_fid.pop(old)
        for number in sorted(numbers):
            line = self.lines[number]
            before = (line.network, line.code)
            line.code = _free(line.code, lambda code: (network, code) in self.line_codes)
            line.network, line.a, line.b = network, called[line.a], called[line.b]
            line.changed |= {"network", "code", "from_node", "to_node"}
            self.line_codes.add((network, line.code))
            self.line_at[before] = self.line_at.pop(before, [number])
        return called[node]

    def _cut(self, key: Key, x: float, y: float) -> Key:
        """A new node on a line, which becomes two lines there."""
        pieces = self.line_at.setdefault(
            key, [at for at, one in enumerate(self.lines) if (one.network, one.code) == key]
        )
        point = shapely.Point(x, y)
        number = min(pieces, key=lambda at: shapely.distance(shapely.force_2d(self.lines[at].shape), point))
        line = self.lines[number]
        net = line.network
        shape = shapely.get_parts(line.shape)[0]
        plan = shapely.force_2d(shape)
        share = float(shapely.line_locate_point(plan, point, normalized=True))
        node = (net, _free(f"{line.code}-J", lambda code: (net, code) in self.node_fid or (net, code) in self.at))
        self.new_nodes[node] = (x, y)
        code = _free(line.code, lambda code: (net, code) in self.line_codes)
        self.line_codes.add((net, code))
        rest = _Line(0, net, code, node, line.b, None, dict(line.cells), of=number)
        from shapely.ops import substring

        line.shape, rest.shape = (substring(shape, *part, normalized=True) for part in ((0, share), (share, 1)))
        line.moved = True
        for low, high in _LEVELS:
            z1, z2 = line.cells.get(low), line.cells.get(high)
            between = None if z1 is None or z2 is None else round(z1 + (z2 - z1) * share, 3)
            line.cells[high], rest.cells[low] = between, between
        length = line.cells.get("length_m") or float(plan.length)
        line.cells["length_m"], rest.cells["length_m"] = round(length * share, 3), round(length * (1 - share), 3)
        line.changed |= {"to_node", "length_m", "z2", "depth2"}
        self.lines.append(rest)
        other = len(self.lines) - 1
        self.at[line.b].discard(number)
        if line.a == line.b:
            self.at[line.b].add(number)
        self.at[line.b].add(other)
        self.at[node] = {number, other}
        line.b = node
        pieces.append(other)
        note = word("tunnel.join_cut_note", {"node": node[1], "line": line.code, "other": code})
        line.notes.append(note)
        rest.notes.append(note)
        return node

    # writing

    def write(self, by: str) -> None:
        """Everything that is another now, in as few statements as may be."""
        tx, layer = self.tx, self.layer
        changed = [one for one in self.lines if one.fid and one.changed]
        for one in self.lines:
            one.cells |= {"network": one.network, "code": one.code, "from_node": one.a[1], "to_node": one.b[1]}
        for name in [name for name in self.names if any(name in one.changed for one in changed)]:
            its = [one for one in changed if name in one.changed]
            tx.update(layer.id, [one.fid for one in its], {name: [one.cells.get(name) for one in its]})
        moved = {one.fid: bytes(shapely.to_wkb(one.shape)) for one in self.lines if one.fid and one.moved}
        if moved:
            tx.update_geometry(layer.id, moved)
        new = [one for one in self.lines if not one.fid]
        if new:
            own = [name for name in self.names if name != "uuid"]
            fids = tx.insert(layer.id, Batch(
                [bytes(shapely.to_wkb(one.shape)) for one in new],
                {name: [one.cells.get(name) for one in new] for name in own},
            ))  # fmt: skip
            for one, fid in zip(new, fids, strict=True):
                one.fid = int(fid)
        self._write_nodes()
        for spec in (VALVE, SERVICE):
            self._write_fittings(tables.find(tx, spec))
        self._tell(by)

    def _write_nodes(self) -> None:
        tx = self.tx
        tx.delete(self.nodes.id, self.gone)
        moved = [(fid, key) for key, fid in self.node_fid.items() if self.was[fid] != key]
        if moved:
            cells = {"network": [key[0] for _, key in moved], "code": [key[1] for _, key in moved]}
            tx.update(self.nodes.id, [fid for fid, _ in moved], cells)
        if self.new_nodes:
            keys = list(self.new_nodes)
            tx.insert(self.nodes.id, Batch(
                [bytes(shapely.to_wkb(shapely.points(*self.new_nodes[key]))) for key in keys],
                {"code": [key[1] for key in keys], "network": [key[0] for key in keys]},
            ))  # fmt: skip

    def _write_fittings(self, layer: LayerInfo | None) -> None:
        """Valves and service points go with the line and node they hang on."""
        if layer is None or any(layer.field(name) is None for name in ("network", "line", "node")):
            return
        table = self.tx.read(layer.id, columns=["network", "line", "node"])
        fids: list[int] = []
        cells: dict[str, list[Any]] = {"network": [], "line": [], "node": []}
        rows = zip(*(table.columns[name] for name in ("network", "line", "node")), strict=True)
        for fid, wkb, (net, code, node) in zip(table.fids, table.geometry, rows, strict=True):
            key, at = (str(net or ""), str(code or "")), (str(net or ""), str(node or ""))
            now_node = self._now(at) if node else at
            pieces = [self.lines[one] for one in self.line_at.get(key, [])] if code else []
            if len(pieces) > 1 and node:
                pieces = [one for one in pieces if now_node in (one.a, one.b)] or pieces
            elif len(pieces) > 1 and wkb is not None:
                place = shapely.force_2d(shapely.from_wkb(wkb))
                pieces.sort(key=lambda one: float(shapely.distance(shapely.force_2d(one.shape), place)))
            network = pieces[0].network if pieces else now_node[0]
            told = (network, pieces[0].code if pieces else code, now_node[1] if node else node)
            if told != (str(net or ""), code, node):
                fids.append(int(fid))
                for name, value in zip(cells, told, strict=True):
                    cells[name].append(value)
        if fids:
            self.tx.update(layer.id, fids, cells)

    def _tell(self, by: str) -> None:
        told = [one for one in self.lines if one.notes]
        found = self.tx.read(self.layer.id, columns=["uuid"], fids=[one.fid for one in told], geometry=False)
        uuids: Mapping[int, str] = dict(zip((int(fid) for fid in found.fids), found.columns["uuid"], strict=True))
        time, events = now(), []
        for one in told:
            state = state_of(one.cells.get("status"))
            events += [(uuids[one.fid], Event(one.code, state, state, by, time, note)) for note in one.notes]
        write_events(self.tx, self.layer, events)


def _free(code: str, taken: Any) -> str:
    """The code, or the first of ``code-2``, ``code-3`` … that is not taken."""
    if not taken(code):
        return code
    return next(f"{code}-{n}" for n in range(2, 10**6) if not taken(f"{code}-{n}"))
