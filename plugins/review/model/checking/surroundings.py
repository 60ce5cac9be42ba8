"""What the project knows around a site: control lines, road lines, neighbours, height surfaces, facilities, its parcel.

Layers are recognised by their names, their plans' names or kinds (``rules/words/lines.toml``). What was searched is
told, so that a kind of line without a layer is "cannot judge" and never a pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from planner_app.domain.layer import LayerInfo, PlanInfo, PlanKind
from planner_app.plugin_api.model import Project
from plugins.review.model.checking.types import Surroundings
from plugins.review.model.conditions.from_layer import parcel_at
from plugins.review.model.conditions.values import number
from plugins.review.model.drawing.types import Note
from plugins.review.model.indicators.names import use_in
from plugins.review.model.indicators.rule_sets import words

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

#: How far around the site lines and neighbours matter, and facilities (m).
NEAR, REACH = 120.0, 1_000.0
#: Of each class so many parcels are kept: the nearest decides.
EACH = 2
#: A building with more than this part of it on the site is what the design replaces, no neighbour.
REPLACED = 0.5
_NOT_LINES = ("building", "height_surface")


def look_around(project: Project, site_geometry: BaseGeometry) -> Surroundings:
    """Search the project around a site.

    Args:
        site_geometry: the site in the project's CRS.
    """
    layers = _recognised(project)
    box = shapely.box(*site_geometry.bounds).buffer(NEAR).bounds
    lines: list[tuple[str, str, Any]] = []
    surfaces: list[tuple[str, Any, float]] = []
    for kind, found in layers.items():
        for layer in found:
            if kind == "height_surface":
                surfaces += _surfaces(project, layer, box)
            elif kind not in _NOT_LINES:
                lines += [(layer.name, kind, shape) for shape in _shapes(project, layer, box)]
    neighbours, uses, replaced = _neighbours(project, layers.get("building", []), site_geometry, box)
    facilities, classed = _facilities(project, site_geometry)
    parcel = parcel_at(project, site_geometry)
    searched = [*layers, *(["facility"] if classed else []), *(["parcel"] if parcel is not None else [])]
    notes: list[Note] = [("review.neighbours_on_site", {"count": replaced})] if replaced else []
    return Surroundings(
        lines=tuple(lines),
        neighbours=tuple(neighbours),
        parcel=shapely.from_wkb(parcel.wkb) if parcel is not None and parcel.wkb is not None else None,
        searched=tuple(searched),
        layers={kind: tuple(layer.name for layer in found) for kind, found in layers.items()},
        surfaces=tuple(surfaces),
        facilities=tuple(facilities),
        neighbour_uses=tuple(uses),
        notes=tuple(notes),
    )


def _recognised(project: Project) -> dict[str, list[LayerInfo]]:
    """Layers by kind, those that are empty or made by a role left out."""
    table = words("lines")
    plans = {plan.id: plan for plan in project.plans()}
    found: dict[str, list[LayerInfo]] = defaultdict(list)
    for layer in project.layers():
        if layer.role or layer.geometry not in ("polygon", "line"):
            continue
        kind = _kind(layer, plans.get(layer.plan_id), table)
        if kind == "height_surface" and _field(layer, table[kind]["fields"]) is None:
            continue
        if kind and (layer.geometry == "polygon" or kind not in _NOT_LINES) and project.count(layer.id):
            found[kind].append(layer)
    return dict(found)


def _kind(layer: LayerInfo, plan: PlanInfo | None, table: Mapping[str, Any]) -> str:
    for name in (layer.name, plan.name if plan else ""):
        folded = name.casefold()
        hits = [
            (len(word), kind)
            for kind, entry in table.items()
            for word in entry["names"]
            if word.casefold() in folded and not any(other in folded for other in entry.get("without", ()))
        ]
        if hits:
            return max(hits)[1]
    # A plan's kind speaks for its areas only: a line may be anything, a centre line is no red line.
    if plan is None or layer.geometry != "polygon":
        return ""
    return next((kind for kind, entry in table.items() if plan.kind.value in entry["plan_kinds"]), "")


def _field(layer: LayerInfo, names: list[str]) -> str | None:
    wanted = [name.casefold() for name in names]
    ranked = [
        (wanted.index(text), one.name)
        for one in layer.fields
        for text in (one.name.casefold(), _bare(one.alias))
        if text in wanted
    ]
    return min(ranked)[1] if ranked else None


def _bare(alias: str) -> str:
    return alias.casefold().split("（")[0].split("(")[0].strip()


def _read(project: Project, layer: LayerInfo, box: Any, columns: list[str]) -> tuple[Any, dict[str, list[Any]]]:
    """Sound shapes near the site and their values."""
    from planner_app.compute import repair

    table = project.read(layer.id, columns=columns, bbox=box)
    shapes = shapely.force_2d(shapely.from_wkb(table.geometry))
    if layer.geometry == "polygon":
        shapes = repair(shapes).geoms
    there = np.flatnonzero(~shapely.is_missing(shapes))
    return shapes[there], {name: [values[k] for k in there] for name, values in table.columns.items()}


def _shapes(project: Project, layer: LayerInfo, box: Any) -> list[Any]:
    """Shapes of a layer; areas cut off at the box (a city's whole road network is one polygon), lines whole."""
    shapes = _read(project, layer, box, [])[0]
    if layer.geometry == "polygon":
        shapes = shapely.intersection(shapes, shapely.box(*box))
    return [shape for shape in shapes if not shape.is_empty]


def _surfaces(project: Project, layer: LayerInfo, box: Any) -> list[tuple[str, Any, float]]:
    field = _field(layer, words("lines")["height_surface"]["fields"]) or ""
    shapes, columns = _read(project, layer, box, [field])
    values = [number(value) for value in columns[field]]
    cut = shapely.intersection(shapes, shapely.box(*box))
    return [(layer.name, shape, value) for shape, value in zip(cut, values, strict=True) if value is not None]


def _neighbours(
    project: Project, layers: list[LayerInfo], site: BaseGeometry, box: Any
) -> tuple[list[tuple[str, Any, float | None]], list[str], int]:
    """(neighbours, their uses, how many buildings stand on the site itself)."""
    entry = words("lines")["building"]
    found: list[tuple[str, Any, float | None]] = []
    uses: list[str] = []
    replaced = 0
    for layer in layers:
        height, name, use = (_field(layer, entry[key]) for key in ("fields", "names_in", "uses_in"))
        shapes, columns = _read(project, layer, box, list(dict.fromkeys(one for one in (height, name, use) if one)))
        on_site = shapely.area(shapely.intersection(shapes, site)) > REPLACED * shapely.area(shapes)
        replaced += int(on_site.sum())
        for k in np.flatnonzero(~on_site):
            title = str(columns[name][k] or "") if name else ""
            metres = number(columns[height][k]) if height else None
            found.append((title or f"{layer.name} {k + 1}", shapes[k], metres if metres and metres > 0 else None))
            uses.append(use_in(str(columns[use][k] or "")) if use else "")
    return found, uses, replaced


def _facilities(project: Project, site: BaseGeometry) -> tuple[list[tuple[str, str, Any]], bool]:
    """The nearest parcels of each class in detailed plans within reach, and whether there is such a plan at all."""
    box = shapely.box(*site.bounds).buffer(REACH).bounds
    plans = {plan.id: plan for plan in project.plans()}
    found: list[tuple[float, tuple[str, str, Any]]] = []
    classed = False
    for layer in project.layers():
        plan = plans.get(layer.plan_id)
        if layer.geometry != "polygon" or layer.role or not layer.class_field or plan is None:
            continue
        if plan.kind is not PlanKind.DETAILED or (plan.valid_to and plan.valid_to < date.today().isoformat()):
            continue
        classed = True
        shapes, values = _read(project, layer, box, [layer.class_field])
        for shape, code in zip(shapes, values[layer.class_field], strict=True):
            if code and (away := float(shape.distance(site))) <= REACH:
                found.append((away, (layer.name, str(code), shape)))
    kept: dict[str, int] = defaultdict(int)
    nearest = []
    for _, one in sorted(found, key=lambda each: each[0]):
        if kept[one[1]] < EACH:
            kept[one[1]] += 1
            nearest.append(one)
    return nearest, classed
