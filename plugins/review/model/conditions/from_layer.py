"""Planning conditions of a parcel read from the detailed-zoning layers of a project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from planner_app.domain.layer import LayerInfo, PlanInfo, PlanKind
from planner_app.plugin_api.model import PlannerError, Project
from plugins.review.model.conditions.mapping import LIMITS, FieldMapping, mapping_of
from plugins.review.model.conditions.types import Conditions, EdgeSetback
from plugins.review.model.conditions.values import classes, day, number, parking, plain, setbacks, span

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_SIDES = {"setback_N": "N", "setback_E": "E", "setback_S": "S", "setback_W": "W", "setback_road": "road"}
#: A parcel is the site's own if it covers at least this part of it.
LEAST_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class DetailedLayer:
    """A layer of parcels with limits. ``current``: its plan is in force on the day asked for."""

    layer: LayerInfo
    plan: PlanInfo | None
    mapping: FieldMapping
    current: bool


def detailed_layers(project: Project, on: date | None = None) -> list[DetailedLayer]:
    """Layers with planning conditions per parcel: plans in force first, the newest before older ones.

    Layers of a detailed plan that have any limit; others if they have a parcel number and two limits.
    """
    day_text = (on or date.today()).isoformat()
    plans = {plan.id: plan for plan in project.plans()}
    found = []
    for layer in project.layers():
        if layer.geometry != "polygon" or layer.role:
            continue
        plan = plans.get(layer.plan_id)
        mapping = mapping_of(project, layer)
        limits = sum(key in mapping.fields for key in LIMITS)
        detailed = plan is not None and plan.kind is PlanKind.DETAILED
        if limits < (1 if detailed else 2) or (not detailed and "parcel" not in mapping.fields):
            continue
        start, end = (plan.valid_from, plan.valid_to) if plan else ("", "")
        current = (not start or start <= day_text) and (not end or day_text <= end)
        found.append(DetailedLayer(layer, plan, mapping, current))
    # Stable: within one plan the drawing order of the layers stays.
    found.sort(key=lambda one: one.plan.valid_from if one.plan else "", reverse=True)
    found.sort(key=lambda one: (not one.current, one.plan is None or one.plan.kind is not PlanKind.DETAILED))
    return found


def parcel_conditions(project: Project, layer_id: str, fid: int, mapping: FieldMapping | None = None) -> Conditions:
    """The conditions of one feature of a layer.

    Raises:
        PlannerError: ``layer.unknown``, ``review.parcel_gone`` if there is no such feature.
    """
    import shapely

    from planner_app.compute import repair

    layer = project.layer(layer_id)
    mapping = mapping or mapping_of(project, layer)
    table = project.read(layer.id, fids=[fid])
    if not len(table):
        raise PlannerError("review.parcel_gone", layer=layer.name, fid=fid)
    row = {name: values[0] for name, values in table.columns.items()}
    shape = repair(shapely.from_wkb(table.geometry)).geoms[0]
    plan = next((one for one in project.plans() if one.id == layer.plan_id), None)
    made = conditions_of_row(row, mapping, layer)
    extra = dict(made.extra)
    if plan is not None:
        extra["plan"] = f"{plan.name} {plan.version}".strip()
    return replace(
        made, issued=made.issued or (plan.valid_from if plan else ""), source="layer", layer_id=layer.id, fid=fid,
        wkb=bytes(shapely.to_wkb(shape, output_dimension=2)) if shape is not None else None, extra=extra,
    )  # fmt: skip


def conditions_of_row(row: dict[str, Any], mapping: FieldMapping, layer: LayerInfo) -> Conditions:
    """The conditions that a feature's values state. What cannot be judged goes to ``other`` as it stands."""

    def value(key: str) -> Any:
        return row.get(mapping.fields.get(key, ""))

    def label(key: str) -> str:
        info = layer.field(mapping.fields[key])
        return (info.alias or info.name) if info else key

    least, most = (mapping.ratio("far_max", one) for one in span(value("far_max")))
    stated = mapping.ratio("far_min", number(value("far_min")))
    sides, other = setbacks(value("setback"))
    rest = [f"{label('setback')}: {text}" for text in other]
    for key, side in _SIDES.items():
        metres = number(value(key))
        sides += (EdgeSetback(side, metres),) if metres is not None else ()
    places = parking(value("parking"))
    if places is None and number(value("parking")) is not None:
        rest.append(f"{label('parking')}: {plain(value('parking'))}")
    used = set(mapping.fields.values())
    extra = {
        (one.alias or one.name): plain(row[one.name])
        for one in layer.fields
        if one.name not in used and one.type != "blob" and plain(row.get(one.name))
    }
    return Conditions(
        parcel=plain(value("parcel")),
        number=plain(value("number")),
        issued=day(value("issued")),
        use=plain(value("use")),
        compatible=classes(value("compatible")),
        compatible_share=mapping.ratio("compatible_share", number(value("compatible_share"))),
        site_area_m2=mapping.area(number(value("site_area_m2"))),
        far_min=(stated if stated is not None else least) or None,  # 0 demands nothing
        far_max=most,
        density_max=mapping.ratio("density_max", number(value("density_max"))),
        green_min=mapping.ratio("green_min", number(value("green_min"))),
        height_max=number(value("height_max")),
        setbacks=sides,
        parking=places[0] if places else None,
        parking_per=places[1] if places else "",
        other=tuple(rest),
        extra=extra,
    )


def parcel_key(text: Any) -> str:
    """What two spellings of a parcel number have in common."""
    return plain(text).replace(" ", "").casefold()


def find_parcel(project: Project, parcel: str, on: date | None = None) -> Conditions | None:
    """The conditions of a parcel by its number; the plan in force on the day goes first.

    Raises:
        PlannerError: ``review.parcel_twice`` if several features of the layer bear that number.
    """
    wanted = parcel_key(parcel)
    for one in detailed_layers(project, on):
        name = one.mapping.fields.get("parcel")
        if name is None or not wanted:
            continue
        table = project.read(one.layer.id, columns=[name], geometry=False)
        hits = [
            fid
            for fid, text in zip(table.fids.tolist(), table.columns[name], strict=True)
            if parcel_key(text) == wanted
        ]
        if len(hits) > 1:
            raise PlannerError("review.parcel_twice", parcel=parcel, layer=one.layer.name, count=len(hits))
        if hits:
            return parcel_conditions(project, one.layer.id, hits[0], one.mapping)
    return None


def parcel_at(project: Project, geometry: BaseGeometry, on: date | None = None) -> Conditions | None:
    """The conditions of the parcel that covers most of a site (project CRS); the plan in force goes first."""
    import numpy as np
    import shapely

    from planner_app.compute import repair

    for one in detailed_layers(project, on):
        table = project.read(one.layer.id, columns=[], bbox=geometry.bounds)
        if not len(table):
            continue
        areas = np.nan_to_num(
            shapely.area(shapely.intersection(repair(shapely.from_wkb(table.geometry)).geoms, geometry))
        )
        best = int(np.argmax(areas))
        if areas[best] > LEAST_SHARE * geometry.area:
            return parcel_conditions(project, one.layer.id, int(table.fids[best]), one.mapping)
    return None


def parcel_numbers(project: Project, on: date | None = None) -> list[str]:
    """Numbers of every parcel with conditions, for a search box; sorted, each once."""
    found: set[str] = set()
    for one in detailed_layers(project, on):
        if name := one.mapping.fields.get("parcel"):
            found |= {plain(text) for text in project.read(one.layer.id, columns=[name], geometry=False).columns[name]}
    return sorted(found - {""})
