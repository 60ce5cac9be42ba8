"""Layers and the plans they belong to, as the registry of a project file describes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Geometry = Literal["polygon", "line", "point", "none"]
FieldType = Literal["integer", "real", "text", "date", "datetime", "boolean", "blob"]

#: Columns every layer table has beside its own; a source's field of that name is renamed at import.
RESERVED_COLUMNS = ("fid", "uuid", "geom")


class PlanKind(StrEnum):
    """Kinds of plan, as in ``planner import --plan KIND``."""

    MASTER = "master"
    LAND_USE = "land_use"
    DETAILED = "detailed"
    ECOLOGICAL_RED_LINE = "ecological_red_line"
    FARMLAND = "farmland"
    GROWTH_BOUNDARY = "growth_boundary"
    FORESTRY = "forestry"
    WATER = "water"
    TRANSPORT = "transport"
    MUNICIPAL = "municipal"
    OTHER = "other"


class ClassStandard(StrEnum):
    """The code list a class field speaks; codes need it as their namespace (0702 differs between two of them)."""

    GB50137 = "gb50137"  # GB 50137-2011 城市用地分类与规划建设用地标准
    MNR2023 = "mnr2023"  # 国土空间调查、规划、用途管制用地用海分类指南 (2023)
    DLTB = "dltb"  # GB/T 21010 as used by 三调 (DLTB.DLBM)
    TEXT = "text"  # free text, through a mapping table


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One attribute of a layer."""

    name: str
    type: FieldType
    alias: str = ""


@dataclass(frozen=True, slots=True)
class PlanInfo:
    """A plan: what layers are grouped by. Dates are ISO (YYYY-MM-DD) or empty when not known."""

    id: str
    kind: PlanKind
    name: str
    authority: str = ""
    version: str = ""
    valid_from: str = ""
    valid_to: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """A registered layer.

    Attributes:
        id: table name in the project file; stable.
        name: what people read.
        geometry: kind of geometry; tables without one are ``none``.
        srid: EPSG number of the coordinates (the project's).
        plan_id: the plan it belongs to, or empty.
        role: what a plugin made the layer for (``conflicts``, ``site`` …), or empty.
        class_field: attribute holding the land class or zone, or empty.
        class_standard: code list of ``class_field``, or empty.
        position: 0 is drawn on top.
        opacity: 0 to 1.
        source: file it came from; source_crs: that file's CRS (``EPSG:n`` or WKT).
        locked: edits are refused.
    """

    id: str
    uuid: str
    name: str
    geometry: Geometry
    srid: int
    fields: tuple[FieldInfo, ...] = ()
    plan_id: str = ""
    role: str = ""
    class_field: str = ""
    class_standard: str = ""
    label_field: str = ""
    position: int = 0
    visible: bool = True
    opacity: float = 1.0
    source: str = ""
    source_crs: str = ""
    locked: bool = False

    def field(self, name: str) -> FieldInfo | None:
        """The field of that name (exact, then case-insensitive), or None."""
        exact = next((f for f in self.fields if f.name == name), None)
        return exact or next((f for f in self.fields if f.name.casefold() == name.casefold()), None)


@dataclass(frozen=True, slots=True)
class NewLayer:
    """What a layer to be created looks like; the store chooses id and uuid.

    ``has_z``: an empty layer keeps heights; layers that are filled when they are made follow their first features.
    """

    name: str
    geometry: Geometry
    fields: tuple[FieldInfo, ...] = ()
    plan: PlanInfo | None = None
    role: str = ""
    class_field: str = ""
    class_standard: str = ""
    label_field: str = ""
    source: str = ""
    source_crs: str = ""
    qml: str = ""
    visible: bool = True
    opacity: float = 1.0
    extra: dict[str, str] = field(default_factory=dict)
    has_z: bool = False
