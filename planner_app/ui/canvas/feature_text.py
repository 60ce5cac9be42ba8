"""What a feature says about itself: its name, its class, its size on both area bases."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from planner_app.i18n import tr
from planner_app.ui.canvas.quantities import format_areas, format_lengths, format_position

if TYPE_CHECKING:
    from planner_app.domain.layer import LayerInfo
    from planner_app.project import Project

#: Names of fields that people call things by, tried in this order where no label field is set.
NAME_FIELDS = ("name", "名称", "mc", "dkmc", "地块编号", "地块号", "编号", "bh", "number", "code", "id")
#: Attributes shown on the hover card beside the class.
CARD_ATTRIBUTES = 3


@dataclass(frozen=True, slots=True)
class FeatureText:
    """A feature in words.

    Attributes:
        title: layer and name.
        lines: class, a few attributes, size.
        values: every attribute as (alias or name, text).
    """

    layer_id: str
    fid: int
    title: str
    lines: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    size: tuple[str, ...] = field(default=())


def describe(project: Project, layer: LayerInfo, fid: int) -> FeatureText | None:
    """Read a feature and put it in words; None if it is gone. For worker threads: imports shapely and pyproj."""
    table = project.read(layer.id, fids=[fid])
    if not len(table):
        return None
    values = {name: column[0] for name, column in table.columns.items()}
    labels = class_labels(project, layer)
    attributes: list[tuple[str, str]] = []
    lines: list[str] = []
    name = feature_name(layer, values)
    for info in layer.fields:
        text = shown(values.get(info.name))
        if info.name == layer.class_field and text:
            label = labels.get(text, "")
            text = f"{text} {label}" if label and label != text else text
            lines.insert(0, f"{info.alias or info.name}{tr(': ')}{text}")
        elif text and text != name and len(lines) < CARD_ATTRIBUTES and info.type != "blob":
            lines.append(f"{info.alias or info.name}{tr(': ')}{text}")
        attributes.append((info.alias or info.name, text))
    size = sizes(table.geometry[0], project.crs)
    return FeatureText(
        layer.id, fid, f"{layer.name} {name or fid}", (*lines[: CARD_ATTRIBUTES + 1], *size), tuple(attributes), size
    )


def feature_name(layer: LayerInfo, values: dict[str, Any]) -> str:
    """What people call a feature: its label field, else a field of a telling name, else ""."""
    return next((text for name in name_fields(layer) if (text := shown(values.get(name)))), "")


def name_fields(layer: LayerInfo) -> list[str]:
    """Fields that may hold what people call a feature, best first; many have the same class, so that is none."""
    folded = {word.casefold(): f.name for f in reversed(layer.fields) for word in (f.alias, f.name) if word}
    found = [folded[n] for n in NAME_FIELDS if n in folded]
    names = [layer.label_field, *found] if layer.label_field else found
    return [name for name in dict.fromkeys(names) if name != layer.class_field]


def class_labels(project: Project, layer: LayerInfo) -> dict[str, str]:
    """Class code to label as the layer's style words it; empty for a style that is not one of ours."""
    qml = project.style(layer.id) if layer.class_field else ""
    return _labels(qml, layer.class_field) if qml else {}


@lru_cache(maxsize=32)
def _labels(qml: str, field_name: str) -> dict[str, str]:
    from planner_app.domain.style import from_qml

    style = from_qml(qml)
    if style is None or style.kind != "categorised" or style.field != field_name:
        return {}
    return {one.value: one.label for one in style.classes if one.value and one.label}


def shown(value: Any) -> str:
    """A cell as text: no trailing zeros, thousands separated only for real numbers."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else f"{value:g}"
    if isinstance(value, bytes):
        return tr("{count} bytes", count=len(value))
    return str(value).strip()


def sizes(wkb: bytes | None, crs: str) -> tuple[str, ...]:
    """Size of a geometry: area on both bases, length on both, or position."""
    import shapely

    geometry = shapely.from_wkb(wkb)
    if geometry is None or geometry.is_empty:
        return (tr("no geometry"),)
    if geometry.area > 0:
        from planner_app.domain.area import ellipsoidal, planar

        return (format_areas(float(planar([wkb])[0]), float(ellipsoidal([wkb], crs)[0])),)
    if geometry.length > 0:
        from planner_app.ui.canvas.geodesy import ellipsoidal_length

        return (format_lengths(geometry.length, ellipsoidal_length(geometry, crs)),)
    point = geometry.centroid
    return (format_position(point.x, point.y, crs, 3),)
