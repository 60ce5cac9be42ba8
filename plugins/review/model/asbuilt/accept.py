"""Accepting an as-built survey: the base map shows what was built, the case is done; one command, one undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, FieldType, LayerInfo, PlanKind
from planner_app.plugin_api.model import Batch, Command, Project, Transaction
from plugins.review.model.cases.commands import SetCase
from plugins.review.model.cases.records import CaseStatus

if TYPE_CHECKING:
    from plugins.review.model.asbuilt.types import AsBuilt

#: What is written of a building: (meaning, type, names a layer may have for it; the first is used for a new field).
_FIELDS: tuple[tuple[str, FieldType, tuple[str, ...]], ...] = (
    ("name", "text", ("name", "名称", "楼名", "楼号", "building", "jzwmc", "mc")),
    ("storeys", "integer", ("storeys", "floors", "层数", "地上层数", "cs", "fwcs", "num_floors")),
    ("height", "real", ("height_m", "height", "高度", "建筑高度", "gd", "jzgd")),
    ("footprint", "real", ("footprint_m2", "基底面积", "占地面积", "jdmj")),
    ("floor_area", "real", ("floor_area_m2", "建筑面积", "jzmj")),
    ("source", "text", ("source", "来源", "数据来源")),
)
#: Meanings for which a missing field is made; the others are written where the layer has one.
_MADE = ("name", "storeys", "height", "source")
_SAME_BUILDING = 0.3
_STANDS_IN_THE_WAY = 0.5


@dataclass(frozen=True, slots=True)
class BuiltRow:
    """A building as it will stand in the base map: polygon WKB in the project's CRS; ``fid``: the row it replaces."""

    wkb: bytes
    name: str
    storeys: int | None
    height: float | None
    footprint: float
    floor_area: float | None
    fid: int | None = None


@dataclass(frozen=True)
class AcceptAsBuilt(Command):
    """Write as-built buildings into the base map and set the case to built.

    Attributes:
        layer_id: the base map's building layer; empty where only pipes were designed and built: they are not of the
            base map, and who runs the networks takes them over.
        rows: buildings; those with ``fid`` keep their row with its uuid and other attributes.
        gone: rows of what stood there or was planned.
        source: what the rows say they come from (drawing number and file).

    Raises:
        PlannerError: ``layer.locked``, ``feature.unknown`` where the base map changed meanwhile.
    """

    name: ClassVar[str] = "review_accept_as_built"
    layer_id: str
    rows: Sequence[BuiltRow]
    gone: Sequence[int]
    case_id: str
    source: str
    case_number: str = field(default="")

    def params(self) -> dict[str, Any]:
        changed = sum(row.fid is not None for row in self.rows)
        return {
            "layer": self.layer_id, "case": self.case_number, "changed": changed,
            "added": len(self.rows) - changed, "removed": len(self.gone),
        }  # fmt: skip

    def apply(self, tx: Transaction) -> None:
        if self.layer_id:
            self._write(tx)
        SetCase(self.case_id, {"status": CaseStatus.BUILT}).apply(tx)

    def _write(self, tx: Transaction) -> None:
        layer = tx.layer(self.layer_id)
        names = fields_of(layer)
        for meaning, kind, known in _FIELDS:
            if meaning in _MADE and meaning not in names:
                tx.add_field(layer.id, FieldInfo(known[0], kind))
                names[meaning] = known[0]
        tx.delete(layer.id, list(self.gone))
        kept = [row for row in self.rows if row.fid is not None]
        new = [row for row in self.rows if row.fid is None]
        fids = [row.fid for row in kept if row.fid is not None]
        tx.update_geometry(layer.id, {fid: row.wkb for fid, row in zip(fids, kept, strict=True)})
        for row, fid in zip(kept, fids, strict=True):  # what the survey does not say stays as it was
            told = {name: [value] for name, value in self._cells(row, names).items() if value is not None}
            tx.update(layer.id, [fid], told)
        if new:
            cells = [self._cells(row, names) for row in new]
            columns = {name: [one[name] for one in cells] for name in cells[0]}
            tx.insert(layer.id, Batch([row.wkb for row in new], columns))

    def _cells(self, row: BuiltRow, names: dict[str, str]) -> dict[str, Any]:
        values: dict[str, Any] = {
            "name": row.name or None, "storeys": row.storeys, "height": row.height, "footprint": row.footprint,
            "floor_area": row.floor_area, "source": self.source,
        }  # fmt: skip
        return {names[meaning]: value for meaning, value in values.items() if meaning in names}


def fields_of(layer: LayerInfo) -> dict[str, str]:
    """Meaning → name of the layer's field for it; fields of another type are not used."""
    found = {}
    for meaning, kind, names in _FIELDS:
        fitting = {"text": ("text",), "integer": ("integer", "real"), "real": ("real",)}[kind]
        for name in names:
            info = layer.field(name)
            if info is not None and info.type in fitting:
                found[meaning] = info.name
                break
    return found


def building_layers(project: Project) -> list[LayerInfo]:
    """Layers that may be the base map's buildings, the likeliest first: of no plan's making, named so, with heights."""
    kinds = {plan.id: plan.kind for plan in project.plans()}
    polygons = [
        one
        for one in project.layers()
        if one.geometry == "polygon" and not one.role and kinds.get(one.plan_id, PlanKind.OTHER) is PlanKind.OTHER
    ]

    def likely(layer: LayerInfo) -> int:
        named = any(word in f"{layer.name} {layer.id}".casefold() for word in ("建筑", "房屋", "building", "jmd"))
        has = fields_of(layer)
        return 4 * named + 2 * ("storeys" in has) + ("height" in has)

    return sorted((one for one in polygons if likely(one) >= 2), key=likely, reverse=True)


def plan_acceptance(project: Project, found: AsBuilt, layer_id: str = "") -> AcceptAsBuilt:
    """What accepting would write, to be shown and then executed.

    A building of the base map is the same as one of the survey if they share most of their ground. Others that stand
    in the way of it, or within the site without being surveyed, are gone. Where neither drawing has buildings but the
    survey has pipes, nothing is written but the case's new state.

    Args:
        found: the comparison that is accepted.
        layer_id: id or name of the building layer; empty: the likeliest.

    Raises:
        PlannerError: ``review.not_placed``, ``review.no_building_layer``, ``review.nothing_built``.
    """
    import shapely

    from plugins.review.model.reading.types import Role

    facts = found.facts
    survey = facts.survey
    if survey.to_project is None:
        raise PlannerError("review.not_placed", drawing=survey.record.number)
    buildings = [pair.built for pair in facts.pairs if pair.built is not None]
    if not facts.pairs and survey.plan.of(Role.PIPE):
        return AcceptAsBuilt("", (), (), *_case_of(project, found))
    if layer_id:
        layer = project.layer(layer_id)
    else:
        known = building_layers(project)
        if not known:
            raise PlannerError("review.no_building_layer")
        layer = known[0]
    if not buildings:
        raise PlannerError("review.nothing_built", drawing=survey.record.number)
    shapes = [shapely.force_2d(survey.to_project(one.geometry)) for one in buildings]
    sites = [survey.to_project(one.geometry) for one in survey.plan.of(Role.SITE)]
    if not sites and facts.approved.to_project is not None:
        sites = [facts.approved.to_project(one.geometry) for one in facts.approved.plan.of(Role.SITE)]
    ground = shapely.union_all([*shapes, *sites])
    table = project.read(layer.id, columns=[], bbox=ground.bounds)
    there = {
        fid: shapely.make_valid(shape)
        for fid, shape in zip(table.fids.tolist(), shapely.from_wkb(table.geometry), strict=True)
        if shape is not None and not shape.is_empty
    }
    same = _same_buildings(shapes, there)
    gone = [
        fid
        for fid, shape in there.items()
        if fid not in same.values() and shape.intersection(ground).area >= _STANDS_IN_THE_WAY * shape.area > 0
    ]
    rows = [
        BuiltRow(
            bytes(shapely.to_wkb(shape)), one.name if not one.name.startswith("(") else "",
            one.storeys or one.stated_storeys, one.height_m or one.stated_height_m, one.footprint_m2, one.gfa_m2,
            same.get(at),
        )
        for at, (one, shape) in enumerate(zip(buildings, shapes, strict=True))
    ]  # fmt: skip
    return AcceptAsBuilt(layer.id, rows, gone, *_case_of(project, found))


def _case_of(project: Project, found: AsBuilt) -> tuple[str, str, str]:
    """The case's id, what its rows come from, its number."""
    from plugins.review.model.cases import store

    case, survey = store.case(project, found.facts.approved.record.case_id), found.facts.survey.record
    return case.id, f"{survey.number} {survey.file_name}", case.number


def _same_buildings(shapes: Sequence[Any], there: dict[int, Any]) -> dict[int, int]:
    """Number of a built shape → fid of the same building in the base map: the best common ground first."""
    ranked = []
    for at, shape in enumerate(shapes):
        for fid, other in there.items():
            common = shape.intersection(other).area if shape.intersects(other) else 0.0
            if common > _SAME_BUILDING * shape.union(other).area:
                ranked.append((common, at, fid))
    same: dict[int, int] = {}
    for _, at, fid in sorted(ranked, reverse=True):
        if at not in same and fid not in same.values():
            same[at] = fid
    return same
