"""A site plan as read from a drawing: elements with roles, repairs, declared values.

Metres in the drawing's own coordinates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from plugins.review.model.drawing.types import Note

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


class Role(StrEnum):
    """What a layer of a site plan holds."""

    SITE = "site"  # 用地红线
    ROAD_LINE = "road_line"  # 道路红线
    BUILD_TO = "build_to"  # 建筑控制线
    FOOTPRINT = "footprint"  # 建筑基底
    BASEMENT = "basement"  # 地下室外轮廓
    FLOOR_AREA = "floor_area"  # 各层建筑面积
    HEIGHT = "height"  # 建筑高度
    GREEN = "green"  # 绿地
    PARKING = "parking"  # 停车位
    DECLARED = "declared"  # 经济技术指标表
    ROAD = "road"  # 内部道路, DLSS
    VEGETATION = "vegetation"  # ZBTZ of a survey
    CONTROL_POINT = "control_point"  # KZD of a survey
    BALCONY = "balcony"
    PIPE = "pipe"  # 给水, 污水, 燃气 … lines of a utility design or survey
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Element:
    """One thing that counts.

    Attributes:
        geometry: valid polygon(s); a line for road and build-to lines that are not closed; a point for a height text.
        handles: entities it was made of.
        building: name from the layer or a text inside the outline (``2号楼``, ``BLK_1``), "" where none is known.
        floor: 1, 2 … above ground, −1, −2 … below; None if the drawing does not say. ``floors``: how many
            alike it stands for.
        coefficient: part of the area that counts as floor area (1, 0.5, 0) where the layer says so; else None.
        counts_far: 计容 / 不计容 where the layer says so; else None.
        kind: subtype: of green ``集中`` ``宅旁`` ``道路`` ``屋顶``; of floor area ``balcony`` or ``deduct``; of a
            height "" (a building's) or ``road_distance`` (eDCR's MAX_HEIGHT_CAL, a distance in plan that limits the
            height and is none itself); of parking ``accessible``;
            of a pipe the abbreviation of CJJ 61 (``JS``).
        value: a height in m; of a parking lot the number of places written in it; of a pipe its diameter in mm.
        measured: false where ``value`` comes from a text (declared), true from a dimension or geometry.
        storeys, storeys_below: of a footprint, as a text inside or beside it says (``18F/-1F``); None if none says.
        levels: of a pipe at its first and last point, m (None: not said there); level_ref: top | invert | axis | bottom
            where a text says what they speak of; level_from: curve (its own Z) | text | "".
    """

    role: Role
    geometry: BaseGeometry
    handles: tuple[str, ...]
    layer: str = ""
    building: str = ""
    floor: int | None = None
    floors: int = 1
    coefficient: float | None = None
    counts_far: bool | None = None
    kind: str = ""
    value: float | None = None
    measured: bool = True
    text: str = ""
    storeys: int | None = None
    storeys_below: int | None = None
    levels: tuple[float | None, float | None] = (None, None)
    level_ref: str = ""
    level_from: str = ""


@dataclass(frozen=True, slots=True)
class Repair:
    """An entry of the repair ledger: what was done to read the drawing, reversible by the reviewer.

    Attributes:
        id: stable over re-readings of the same file (kind and handles).
        kind: closed_gap | joined | dropped_duplicate | hatch_ring | self_crossing | sliver | merged_overlap |
            cut_overlap | site_hole | tangled (crosses itself too often to be mended, left out) | flattened (Z ≠ 0) |
            open_outline (left out because it is open by more than a gap; taking this back closes it all the same).
        handle: the entity; layer: its layer.
        detail: note with what was done and how large it is (gap in m, area in m²).
        where: place to zoom to, in metres in the drawing's coordinates.
        undone: the reviewer took it back: the drawing was read without it.
    """

    id: str
    kind: str
    handle: str
    layer: str
    detail: Note
    where: BaseGeometry | None = None
    undone: bool = False


@dataclass(frozen=True, slots=True)
class UnitCheck:
    """How drawing units became metres.

    ``source``: what decided: person | known_length | parcel | declared | dimension_text | parking | coordinates |
    text_size | scale_text | header | assumed.
    """

    metres_per_unit: float
    source: str
    header: float | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """What people decided about reading a drawing; kept with the drawing (JSON).

    Attributes:
        convention: name of a layer convention, "" to find the best match.
        aliases: layer name → role, on top of the convention, for this drawing.
        region: (xmin, ymin, xmax, ymax) in drawing units of the site plan; None: found by itself.
        metres_per_unit: set by the person; None: found by itself.
        known_length: (handle of a dimension or line, its true length in m) by which units are checked; None: none.
        undone_repairs: ids of repairs taken back.
    """

    convention: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    region: tuple[float, float, float, float] | None = None
    metres_per_unit: float | None = None
    known_length: tuple[str, float] | None = None
    undone_repairs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SitePlan:
    """A drawing as understood. All geometry in metres in the drawing's own axes (units applied, not moved, not
    reprojected).

    Attributes:
        roles: role → layer names found for it (``review import``'s ``layers``).
        unread: layers that no role claims, with their entity counts.
        declared: values of the indicator table by indicator key (``site_area_m2`` …; ratios as fractions);
            ``declared_handles`` says which entity each came from, ``declared_texts`` how it is written (number and
            unit: ``30.5%``).
        regions: candidate site-plan regions in drawing units, best first; ``region`` the one used (None: the
            whole drawing).
    """

    elements: tuple[Element, ...]
    convention: str
    units: UnitCheck
    roles: Mapping[str, tuple[str, ...]]
    unread: Mapping[str, int]
    repairs: tuple[Repair, ...]
    declared: Mapping[str, float]
    declared_handles: Mapping[str, str]
    declared_texts: Mapping[str, str] = field(default_factory=dict)
    region: tuple[float, float, float, float] | None = None
    regions: tuple[tuple[float, float, float, float], ...] = ()
    notes: tuple[Note, ...] = ()

    def of(self, *roles: Role) -> list[Element]:
        """Elements of these roles."""
        return [element for element in self.elements if element.role in roles]


def options_json(options: ReadingOptions) -> dict[str, Any]:
    """As kept with the drawing."""
    return {
        "convention": options.convention,
        "aliases": dict(options.aliases),
        "region": list(options.region) if options.region else None,
        "metres_per_unit": options.metres_per_unit,
        "known_length": list(options.known_length) if options.known_length else None,
        "undone_repairs": list(options.undone_repairs),
    }


def options_from_json(data: Mapping[str, Any]) -> ReadingOptions:
    """The inverse of :func:`options_json`; missing keys take their defaults."""
    region, known = data.get("region"), data.get("known_length")
    return ReadingOptions(
        convention=str(data.get("convention", "")),
        aliases={str(key): str(value) for key, value in dict(data.get("aliases") or {}).items()},
        region=(float(region[0]), float(region[1]), float(region[2]), float(region[3])) if region else None,
        metres_per_unit=data.get("metres_per_unit"),
        known_length=(str(known[0]), float(known[1])) if known else None,
        undone_repairs=tuple(str(one) for one in data.get("undone_repairs") or ()),
    )
