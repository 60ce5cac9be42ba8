"""The loop of planning, building and running: a pipe approved in review becomes a planned asset, and its as-built
survey makes it one in use.

Review's records are layers of the same project, read by their roles: cases (number, status), drawings (case, kind,
revision) and the pipes of each drawing in the project's CRS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import shapely

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Batch, Command, Project, Transaction
from plugins.tunnel.model import tables
from plugins.tunnel.model.assets.draft import Draft, DraftLine, join_ends, line_shape
from plugins.tunnel.model.assets.pipe import Pipe, level_note, levels_of, single
from plugins.tunnel.model.assets.status import Event, now, write_events
from plugins.tunnel.model.tables import LINE, NODE

_APPROVED = ("approved", "built")
#: What people call the other states of a case: English, Chinese.
_OPEN = {"open": ("under review", "审查中"), "returned": ("returned", "退回修改"), "rejected": ("rejected", "未通过")}
#: A surveyed line is a designed one if most of it runs within this distance, m.
_BESIDE = 5.0
_MOST = 0.5
#: A surveyed line this near to an asset all along is that asset, m.
_IDENTICAL = 0.02
_SURVEYED = ("material", "laying", "z_ref", "z1", "z2", "depth1", "depth2", "rating", "cables", "year", "owner")


@dataclass(frozen=True, slots=True)
class CasePipes:
    """What a case has for the register.

    Attributes:
        number, title, status: of the case; drawing: number of its newest design, survey: of its as-built survey.
        new: approved pipes that are no assets yet; moved: planned assets that a newer revision changed.
        built: (asset's fid, surveyed pipe or None, deviation in m) of planned assets that the accepted survey shows.
        extra: surveyed pipes that were not in the design; missing: codes of planned assets that the survey lacks.
    """

    number: str
    title: str
    status: str
    drawing: str
    survey: str = ""
    new: tuple[Pipe, ...] = ()
    moved: tuple[Pipe, ...] = ()
    built: tuple[tuple[int, Pipe, float], ...] = ()
    extra: tuple[Pipe, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def waiting(self) -> int:
        """How many pipes adopting would touch."""
        return len(self.new) + len(self.moved) + len(self.built) + len(self.extra)

    @property
    def levels(self) -> dict[str, int]:
        """How many of the surveyed pipes have levels from ``table``, ``curve`` or ``text``, and how many ``none``."""
        found = Counter(pipe.levels or "none" for pipe in (*(pipe for _, pipe, _ in self.built), *self.extra))
        return dict(found)


def waiting_cases(project: Project, case: str = "") -> list[CasePipes]:
    """Approved and built cases with pipes, in order of their numbers; those with nothing to do included.

    Args:
        case: number of one case.

    Raises:
        PlannerError: ``tunnel.case_unknown``, ``tunnel.case_open`` (of a case asked for by its number).
    """
    cases, drawings, pipes = (_rows(project, f"review.{name}") for name in ("case", "drawing", "pipe"))
    if case:
        named = [one for one in cases if case in (one["number"], one["uuid"])]
        if not named:
            known = ", ".join(str(one["number"]) for one in cases)
            raise PlannerError("tunnel.case_unknown", case=case, known=known or "–")
        if named[0]["status"] not in _APPROVED:
            en, zh = _OPEN.get(named[0]["status"], (named[0]["status"], ""))
            raise PlannerError("tunnel.case_open", case=case, status=en, status_zh=zh)
        cases = named
    assets = _assets(project)
    found = [
        _case(one, [d for d in drawings if d["case_id"] == one["uuid"]], pipes, assets)
        for one in sorted(cases, key=lambda one: str(one["number"]))
        if one["status"] in _APPROVED
    ]
    return [one for one in found if one is not None]


def _rows(project: Project, role: str) -> list[dict[str, Any]]:
    layer = next((one for one in project.layers() if one.role == role), None)
    if layer is None:
        return []
    names = ["uuid", *(one.name for one in layer.fields if one.type != "blob")]
    table = project.read(layer.id, columns=names, geometry=role.endswith("pipe"))
    rows = [dict(zip(table.columns, values, strict=True)) for values in zip(*table.columns.values(), strict=True)]
    for row, wkb in zip(rows, table.geometry, strict=True):
        row["wkb"] = wkb
    return rows


def _assets(project: Project) -> list[dict[str, Any]]:
    """Lines that came from a review: those whose source names a case."""
    layer = tables.find(project, LINE)
    if layer is None or layer.field("source") is None:
        return []
    table = project.read(layer.id, where="\"source\" LIKE 'review:%'")
    rows = [dict(zip(table.columns, values, strict=True)) for values in zip(*table.columns.values(), strict=True)]
    for row, fid, wkb in zip(rows, table.fids, table.geometry, strict=True):
        row |= {"fid": int(fid), "shape": shapely.force_2d(shapely.from_wkb(wkb))}
    whole: dict[str, dict[str, Any]] = {}
    for row in rows:  # one that was cut where another pipe joins it is still one pipe of its drawing
        first = whole.setdefault(str(row["source"]), row)
        if first is not row:
            first["shape"] = shapely.line_merge(shapely.union(first["shape"], row["shape"]))
    return list(whole.values())


def _case(
    case: Mapping[str, Any], drawings: Sequence[Mapping[str, Any]], pipes: Sequence[Mapping[str, Any]],
    assets: Sequence[Mapping[str, Any]],
) -> CasePipes | None:  # fmt: skip
    number = str(case["number"])
    replaced = {one["replaces"] for one in drawings if one["replaces"]}
    current = [one for one in drawings if one["uuid"] not in replaced]
    designs = [one for one in current if one["kind"] == "site_plan"]
    surveys = [one for one in current if one["kind"] == "as_built"]
    design = max(designs, key=lambda one: str(one["number"]), default=None)
    survey = max(surveys, key=lambda one: str(one["number"]), default=None)
    designed = _pipes(number, design, pipes)
    if not designed:
        return None
    mine = [one for one in assets if str(one["source"]).startswith(f"review:{number}/")]
    there = {str(one["source"]): one for one in mine}
    new = tuple(pipe for pipe in designed if pipe.key not in there)
    moved = tuple(
        Pipe(pipe.key, pipe.kind_code, pipe.dn_mm, pipe.shape, pipe.label, there[pipe.key]["fid"])
        for pipe in designed
        if pipe.key in there
        and there[pipe.key]["status"] == "planned"
        and not pipe.shape.equals_exact(single(there[pipe.key]["shape"]), 0.001)
    )
    head = (number, str(case["title"] or ""), str(case["status"]), str(design["number"] if design else ""))
    if case["status"] != "built" or survey is None:
        return CasePipes(*head, "", new, moved)
    surveyed = _pipes(number, survey, pipes, "as-built ")
    found = CasePipes(*head, str(survey["number"]), new, moved)
    return found if new else _surveyed(found, mine, surveyed)  # designed pipes come first


def _surveyed(case: CasePipes, mine: Sequence[Mapping[str, Any]], surveyed: Sequence[Pipe]) -> CasePipes:
    """The case with what its survey shows and is not in the register already."""
    planned = [one for one in mine if one["status"] in ("planned", "building")]
    known = [single(one["shape"]) for one in mine if one["status"] == "in_use"]
    fresh = [pipe for pipe in surveyed if not any(_same(pipe.shape, shape) for shape in known)]
    built, extra = _matched(planned, fresh)
    missing = tuple(str(one["code"]) for one in planned if one["fid"] not in {fid for fid, _, _ in built})
    return replace(case, built=tuple(built), extra=tuple(extra), missing=missing)


def _pipes(
    number: str, drawing: Mapping[str, Any] | None, pipes: Sequence[Mapping[str, Any]], what: str = ""
) -> list[Pipe]:
    """The pipes of a drawing; keys do not name the drawing, so that a revision finds what an earlier one brought."""
    if drawing is None:
        return []
    return [
        Pipe(f"review:{number}/{what}{one['handle']}", str(one["kind_code"] or "BM"), one["dn_mm"],
             single(shapely.force_2d(shapely.from_wkb(one["wkb"]))), str(one["label"] or ""), None, levels_of(one),
             str(one.get("z_from") or ""))
        for one in pipes
        if one["drawing"] == drawing["number"] and one["wkb"] is not None
    ]  # fmt: skip


def _same(a: Any, b: Any) -> bool:
    return bool(shapely.hausdorff_distance(shapely.force_2d(a), shapely.force_2d(b)) < _IDENTICAL)


def _matched(
    planned: Sequence[Mapping[str, Any]], surveyed: Sequence[Pipe]
) -> tuple[list[tuple[int, Pipe, float]], list[Pipe]]:
    """Each planned asset with the surveyed pipe that is it, best first; and the surveyed ones that are none."""
    ranked = []
    for asset in planned:
        shape = single(asset["shape"])
        near = shape.buffer(_BESIDE)
        for at, pipe in enumerate(surveyed):
            same = pipe.kind_code[:2] == str(asset["kind_code"] or "")[:2] and pipe.shape.length
            share = pipe.shape.intersection(near).length / pipe.shape.length if same else 0.0
            if share >= _MOST:
                ranked.append((-share, float(shapely.hausdorff_distance(shape, pipe.shape)), asset["fid"], at))
    built: dict[int, tuple[int, float]] = {}
    taken: set[int] = set()
    for _, away, fid, at in sorted(ranked):
        if fid not in built and at not in taken:
            built[fid] = (at, away)
            taken.add(at)
    shapes = {asset["fid"]: single(asset["shape"]) for asset in planned}
    pairs = [(fid, surveyed[at].along(shapes[fid]), away) for fid, (at, away) in built.items()]
    return pairs, [pipe for at, pipe in enumerate(surveyed) if at not in taken]


@dataclass(frozen=True)
class AdoptPipes(Command):
    """Make assets of a case's pipes, and assets in use of those its accepted survey shows."""

    name: ClassVar[str] = "tunnel_adopt"
    case: CasePipes
    by: str

    def joins(self) -> str:
        return self.case.number

    def params(self) -> dict[str, Any]:
        return {"case": self.case.number, "new": len(self.case.new), "built": len(self.case.built)}

    def apply(self, tx: Transaction) -> None:
        layer = tables.ensure(tx, LINE, [one.name for one in LINE.fields])
        time = now()
        taken = {str(code) for code in tx.read(layer.id, columns=["code"], geometry=False).columns["code"]}
        added = [(pipe, "planned", self.case.drawing) for pipe in self.case.new]
        added += [(pipe, "in_use", self.case.survey) for pipe in self.case.extra]
        uuids = self._insert(tx, layer.id, added, taken)
        events = [
            (
                uuid,
                Event(
                    code,
                    "",
                    state,
                    self.by,
                    time,
                    level_note(pipe) if state == "in_use" else "",
                    f"{self.case.number} / {drawing}",
                ),
            )
            for (pipe, state, drawing), (code, uuid) in zip(added, uuids, strict=True)
        ]
        moved = [(pipe.fid or 0, pipe, "planned", "planned", 0.0) for pipe in self.case.moved]
        moved += [(fid, pipe, "planned", "in_use", away) for fid, pipe, away in self.case.built]
        for fid, pipe, was, state, away in moved:
            row = tx.read(layer.id, columns=["uuid", "code", "status"], fids=[fid], geometry=False).columns
            tx.update_geometry(layer.id, {fid: bytes(shapely.to_wkb(pipe.shape))})
            cells: dict[str, list[Any]] = {"status": [state], "length_m": [round(pipe.shape.length, 3)]}
            if pipe.dn_mm:
                cells["dn_mm"] = [pipe.dn_mm]
            if state == "in_use":
                cells |= {"deviation_m": [round(away, 3)], **_told(tx, layer.id, pipe)}
            tx.update(layer.id, [fid], cells)
            drawing = self.case.survey if state == "in_use" else self.case.drawing
            note = f"{away:.2f} m; {level_note(pipe)}" if state == "in_use" else ""
            was = str(row["status"][0] or was)
            told = Event(str(row["code"][0]), was, state, self.by, time, note, f"{self.case.number} / {drawing}")
            events.append((str(row["uuid"][0]), told))
        write_events(tx, layer, events)

    def _insert(
        self, tx: Transaction, layer_id: str, added: Sequence[tuple[Pipe, str, str]], taken: set[str]
    ) -> list[tuple[str, str]]:
        """(code, uuid) of the new lines; their ends become nodes of a network named after the case."""
        if not added:
            return []
        network = self.case.number
        draft = Draft(network)
        nodes = tables.ensure(tx, NODE, ["code", "network"])
        old = tx.read(nodes.id, columns=["code", "network"], geometry=False).columns
        numbers = [str(c) for c, n in zip(old["code"], old["network"], strict=True) if n == network]
        codes = _free(network, len(added), taken)
        lines = [
            DraftLine(code, "", "", [(x, y, 0.0) for x, y in shapely.get_coordinates(pipe.shape)])
            for code, (pipe, _, _) in zip(codes, added, strict=True)
        ]
        join_ends(draft, lines, f"{network}-{len(numbers)}P")
        points = list(draft.nodes.values())
        tx.insert(nodes.id, Batch(
            [bytes(shapely.to_wkb(shapely.points(node.x, node.y))) for node in points],
            {"code": [node.code for node in points], "network": [network] * len(points)},
        ))  # fmt: skip
        columns: dict[str, list[Any]] = {
            "code": codes, "network": [network] * len(added),
            "from_node": [line.start for line in lines], "to_node": [line.end for line in lines],
            "kind_code": [pipe.kind_code for pipe, _, _ in added], "dn_mm": [pipe.dn_mm for pipe, _, _ in added],
            "status": [state for _, state, _ in added], "source": [pipe.key for pipe, _, _ in added],
            "length_m": [round(pipe.shape.length, 3) for pipe, _, _ in added],
            **{name: [pipe.values.get(name) for pipe, _, _ in added] for name in _SURVEYED},
        }  # fmt: skip
        wkb = [bytes(shapely.to_wkb(pipe.shape)) for pipe, _, _ in added]
        fids = tx.insert(layer_id, Batch(wkb, columns))
        found = tx.read(layer_id, columns=["uuid"], fids=fids, geometry=False)
        return [(code, str(uuid)) for code, uuid in zip(codes, found.columns["uuid"], strict=True)]


def _told(tx: Transaction, layer_id: str, pipe: Pipe) -> dict[str, list[Any]]:
    """Columns that a survey's table fills; what it does not say stays as designed."""
    layer = tx.layer(layer_id)
    return {
        name: [pipe.values[name]]
        for name in _SURVEYED
        if pipe.values.get(name) is not None and layer.field(name) is not None
    }


def _free(prefix: str, count: int, taken: set[str]) -> list[str]:
    """Codes ``GA-0001-01`` … that are not taken."""
    made: list[str] = []
    number = 0
    while len(made) < count:
        number += 1
        code = f"{prefix}-{number:02d}"
        if code not in taken:
            made.append(code)
    return made


def adopt(project: Project, case: str = "", by: str = "", survey: Draft | None = None) -> list[CasePipes]:
    """Adopt what waits, of all cases or of one; returns the steps that were taken. Doing it again does nothing.

    Args:
        case: number of one case; by: who adopts (the project's user).
        survey: an as-built survey as a table, for the case named: with levels, where the drawing has none.

    Raises:
        PlannerError: ``tunnel.case_unknown``, ``tunnel.case_open``, ``tunnel.case_without_pipes``.
    """
    done = []
    found = waiting_cases(project, case)
    if case and not found:
        raise PlannerError("tunnel.case_without_pipes", case=case)
    for number in [one.number for one in found]:
        for _ in range(3):  # design, then its survey
            one = waiting_cases(project, number)[0]
            one = one if survey is None or one.new else _with_table(project, one, survey)
            if not one.waiting:
                break
            project.execute(AdoptPipes(one, by or project.user))
            done.append(one)
    return done


def _with_table(project: Project, case: CasePipes, survey: Draft) -> CasePipes:
    mine = [one for one in _assets(project) if str(one["source"]).startswith(f"review:{case.number}/")]
    pipes = [
        Pipe(f"review:{case.number}/as-built {line.code}", str(line.values.get("kind_code") or "BM"),
             line.values.get("dn_mm"), line_shape(survey, line), line.code, None, line.values,
             "table" if line.values.get("z1") is not None or line.values.get("z2") is not None else "")
        for line in survey.lines
    ]  # fmt: skip
    near = [pipe for pipe in pipes if any(pipe.shape.distance(one["shape"]) < _BESIDE for one in mine)]
    return _surveyed(replace(case, survey=survey.network, moved=()), mine, near)
