"""One side of a comparison: a plan layer read into arrays, with its classes carried over to the 2023 guide."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo, PlanInfo
from planner_app.plugin_api.model import Project
from plugins.planning.model.causes import END_FIELDS, ended
from plugins.planning.model.crosswalk import (
    MAPPING_SETTING,
    Crosswalk,
    LandClass,
    guess_standard,
    read_mapping,
    standard,
)

#: More distinct values than a class list can have: a wrong field (an id, a name) was chosen.
MOST_CLASSES = 2_000


@dataclass(frozen=True, slots=True)
class LayerField:
    """``L:F``: a layer (id or name), its class field (empty: the registered one), and the field's standard if named."""

    layer: str
    field: str = ""
    standard: str = ""

    @classmethod
    def parse(cls, text: str, project: Project) -> LayerField:
        """From ``layer:field``; the last colon separates unless a layer has that whole name."""
        layer, colon, name = text.rpartition(":")
        if not colon or any(text in (one.id, one.name) for one in project.layers()):
            return cls(text)
        return cls(layer, name)


@dataclass(slots=True)
class PlanSide:
    """A plan layer in memory.

    Attributes:
        fids, uuids, geometry: one per feature, shape (n,); geometry as shapely objects, None where there is none.
        classes: the distinct classes; class_index: which of them each feature has, shape (n,).
        ended: features whose own validity ended before the day of the check, shape (n,).
        content: SHA-256 of fids, class values and geometries, by which a later run sees that they changed.
    """

    layer: LayerInfo
    plan: PlanInfo | None
    field: str
    standard: str
    fids: NDArray[np.int64]
    uuids: list[str]
    geometry: NDArray[np.object_]
    classes: list[LandClass]
    class_index: NDArray[np.int64]
    ended: NDArray[np.bool_]
    content: str

    @property
    def kind(self) -> str:
        """The plan's kind, ``other`` for a layer of no plan."""
        return self.plan.kind.value if self.plan else "other"

    def unmapped(self) -> list[str]:
        """Values that neither the crosswalk nor the project's table explains, sorted."""
        return sorted(land.raw for land in self.classes if land.raw is not None and not land.mapped)


def plan_of(project: Project, layer: LayerInfo) -> PlanInfo | None:
    """The plan a layer belongs to, or None."""
    return next((plan for plan in project.plans() if plan.id == layer.plan_id), None)


def read_side(project: Project, wanted: LayerField, on: str) -> PlanSide:
    """Read one side.

    Args:
        project: the open project.
        wanted: layer and class field.
        on: ISO day on which features' own ends of validity are judged.

    Raises:
        PlannerError: ``layer.unknown``, ``planning.not_polygons``, ``planning.field_missing`` (naming the fields),
            ``planning.too_many_classes``.
    """
    layer = project.layer(wanted.layer)
    if layer.geometry != "polygon":
        raise PlannerError("planning.not_polygons", layer=layer.name, geometry=layer.geometry)
    name = wanted.field or layer.class_field
    chosen = layer.field(name) if name else None
    if chosen is None:
        known = ", ".join(one.name for one in layer.fields)
        raise PlannerError("planning.field_missing", layer=layer.name, field=name or "?", known=known)
    end_field = next((one.name for one in layer.fields if one.name.casefold() in END_FIELDS), "")
    columns = [chosen.name, "uuid", *([end_field] if end_field and end_field != chosen.name else [])]
    table = project.read(layer.id, columns=columns)
    values = table.columns[chosen.name]
    if wanted.standard:
        code_list = standard(wanted.standard).id
    elif chosen.name == layer.class_field and layer.class_standard:
        code_list = standard(layer.class_standard).id
    else:
        code_list = guess_standard(chosen.name, values)
    crosswalk = Crosswalk(read_mapping(project.setting(MAPPING_SETTING, "")))
    classes, rows = crosswalk.classify_all(values, code_list)
    if len(classes) > MOST_CLASSES:
        raise PlannerError("planning.too_many_classes", layer=layer.name, field=chosen.name, classes=len(classes))
    ends: list[Any] = table.columns[end_field] if end_field else [None] * len(rows)
    return PlanSide(
        layer=layer,
        plan=plan_of(project, layer),
        field=chosen.name,
        standard=code_list,
        fids=np.asarray(table.fids, dtype=np.int64),
        uuids=[str(value or "") for value in table.columns["uuid"]],
        geometry=shapely.from_wkb(table.geometry),
        classes=classes,
        class_index=np.asarray(rows, dtype=np.int64),
        ended=ended(ends, on) if end_field else np.zeros(len(rows), dtype=bool),
        content=_digest(table.fids, values, table.geometry),
    )


def _digest(fids: NDArray[np.int64], values: list[Any], geometry: NDArray[np.object_]) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(fids).tobytes())
    digest.update("\x1f".join(map(str, values)).encode())
    for wkb in geometry:
        digest.update(wkb or b"\x00")
    return digest.hexdigest()
