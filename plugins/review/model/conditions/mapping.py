"""Which field of a detailed-zoning layer holds what: found by names, kept in the project, editable."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner_app.domain.layer import LayerInfo
from planner_app.plugin_api.model import PlannerError, Project
from plugins.review.model.conditions.values import number, plain
from plugins.review.model.indicators.rule_sets import words

SETTING = "review.conditions.mapping"
#: What a field may hold, in the order of a form.
KEYS = (
    "parcel", "use", "compatible", "compatible_share", "site_area_m2", "far_max", "far_min", "density_max",
    "green_min", "height_max", "setback", "setback_N", "setback_E", "setback_S", "setback_W", "setback_road",
    "parking", "number", "issued",
)  # fmt: skip
LIMITS = ("far_max", "far_min", "density_max", "green_min", "height_max")
_RATIOS = {"density_max": 1.0, "green_min": 1.0, "compatible_share": 1.0, "far_max": 20.0, "far_min": 20.0}
UNITS = ("fraction", "percent", "m2", "ha", "mu")
_AREAS = {"m2": 1.0, "ha": 10_000.0, "mu": 2_000.0 / 3.0}


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """``fields``: key of :data:`KEYS` → field; ``units``: key → one of :data:`UNITS` where it matters."""

    fields: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def ratio(self, key: str, value: float | None) -> float | None:
        """A ratio as a fraction."""
        return value / 100.0 if value is not None and self.units.get(key) == "percent" else value

    def area(self, value: float | None) -> float | None:
        """The site's area in m²."""
        return None if value is None else value * _AREAS.get(self.units.get("site_area_m2", "m2"), 1.0)


def guess_mapping(layer: LayerInfo, columns: Mapping[str, Sequence[Any]]) -> FieldMapping:
    """The mapping that a layer's field names and values suggest.

    Args:
        columns: values of some features by field name, by which per cent and fractions are told apart.
    """
    table = words("fields")
    free = {one.name: [_bare(one.name), _bare(one.alias)] for one in layer.fields if one.type != "blob"}
    found: dict[str, str] = {}
    for whole in (True, False):
        for key in KEYS:
            if key in found:
                continue
            best = min(
                ((rank, name) for name, texts in free.items() if (rank := _rank(table[key], texts, whole)) is not None),
                default=None,
            )
            if best is not None:
                found[key] = best[1]
                del free[best[1]]
    for key in KEYS:  # names that say little, where nothing says more
        little = table[key].get("last", ())
        name = next((name for word in little for name, texts in free.items() if word in texts), "")
        if name and key not in found:
            found[key] = name
            del free[name]
    if "use" not in found and layer.class_field:
        found["use"] = layer.class_field
    units = {key: unit for key, name in found.items() if (unit := _unit(layer, key, name, columns.get(name, ())))}
    return FieldMapping(found, units)


def _bare(text: str) -> str:
    return re.sub(r"[(（\[].*?[)）\]]|[\s_\-]", "", plain(text)).casefold()


def _rank(entry: Mapping[str, Any], texts: Sequence[str], whole: bool) -> int | None:
    names = entry["names"] if whole else entry["parts"]
    hits = [n for n, name in enumerate(names) for text in texts if text and (text == name if whole else name in text)]
    if not whole and any(word in text for word in entry.get("without", ()) for text in texts):
        return None
    return min(hits, default=None)


def _unit(layer: LayerInfo, key: str, name: str, values: Sequence[Any]) -> str:
    info = layer.field(name)
    text = f"{name} {info.alias if info else ''}".casefold()
    if key == "site_area_m2":
        return "ha" if "公顷" in text or re.search(r"(?:_|\b)ha\b", text) else "mu" if "亩" in text else "m2"
    if key not in _RATIOS:
        return ""
    numbers = [one for one in map(number, values) if one is not None]
    said = any(word in text for word in ("%", "％", "pct", "percent")) or any("%" in plain(one) for one in values)
    return "percent" if said or max(numbers, default=0.0) > _RATIOS[key] else "fraction"


def mapping_of(project: Project, layer: LayerInfo) -> FieldMapping:
    """The mapping kept for a layer, else the one its names and values suggest."""
    kept = _kept(project).get(layer.id)
    if kept is not None:
        return FieldMapping(dict(kept["fields"]), dict(kept["units"]))
    return guess_mapping(layer, project.read(layer.id, geometry=False, limit=500).columns)


def keep_mapping(project: Project, layer: LayerInfo, mapping: FieldMapping | None) -> None:
    """Keep a layer's mapping in the project; None forgets it.

    Raises:
        PlannerError: ``review.mapping_field`` (a field the layer does not have), ``review.mapping_key``.
    """
    kept = _kept(project)
    if mapping is None:
        kept.pop(layer.id, None)
    else:
        for key, name in mapping.fields.items():
            if key not in KEYS or mapping.units.get(key, "m2") not in UNITS:
                raise PlannerError("review.mapping_key", key=key, unit=mapping.units.get(key, ""))
            if layer.field(name) is None:
                known = ", ".join(one.name for one in layer.fields)
                raise PlannerError("review.mapping_field", layer=layer.name, field=name, known=known)
        kept[layer.id] = {"fields": dict(mapping.fields), "units": dict(mapping.units)}
    project.set_setting(SETTING, json.dumps(kept, ensure_ascii=False))


def _kept(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.setting(SETTING, "{}"))
    return found
