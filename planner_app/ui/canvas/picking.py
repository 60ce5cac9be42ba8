"""What a person means by a point on the map: the R-tree's hits, less the insides of areas drawn as outlines only.

A growth boundary lies on top of a whole town; pointing into it means the parcel one sees there, not the boundary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner_app.domain.layer import LayerInfo
    from planner_app.project import Project

Feature = tuple[str, int]
#: A fill fainter than this is not seen as one.
_SEEN = 0.05


@dataclass(frozen=True, slots=True)
class Picked:
    """Features at a point, topmost first: those drawn there, and those whose unfilled inside it is."""

    drawn: list[Feature]
    around: list[Feature]


def pick(project: Project, layers: Sequence[LayerInfo], x: float, y: float, tolerance: float) -> Picked:
    """Features within ``tolerance`` metres of a point. For worker threads."""
    hollow = {layer.id for layer in layers if layer.geometry == "polygon" and is_hollow(project.style(layer.id))}
    drawn: list[Feature] = []
    around: list[Feature] = []
    for layer_id, fid in project.pick(x, y, tolerance, [layer.id for layer in layers]):
        inside = layer_id in hollow and not _on_outline(project, layer_id, fid, x, y, tolerance)
        (around if inside else drawn).append((layer_id, fid))
    return Picked(drawn, around)


@lru_cache(maxsize=64)
def is_hollow(qml: str) -> bool:
    """True if a polygon layer's style leaves the insides of all classes empty; False for a style not one of ours."""
    from planner_app.domain.style import from_qml

    style = from_qml(qml) if qml else None
    return style is not None and all(not one.fill or one.fill_opacity < _SEEN for one in style.classes)


def _on_outline(project: Project, layer_id: str, fid: int, x: float, y: float, tolerance: float) -> bool:
    import shapely

    table = project.read(layer_id, columns=[], fids=[fid])
    if not len(table):
        return False
    outline = shapely.boundary(shapely.from_wkb(table.geometry[0]))
    return bool(shapely.dwithin(outline, shapely.Point(x, y), tolerance))
