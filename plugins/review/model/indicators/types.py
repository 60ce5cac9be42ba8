"""Measured indicators. Lengths in m, areas in m², ratios as fractions; None where the drawing cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plugins.review.model.drawing.types import Note

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

#: Keys in the order they are shown; also those of ``declared`` and of the command line.
KEYS = (
    "site_area_m2", "footprint_m2", "gfa_m2", "far_area_m2", "far", "density", "green_m2", "green_ratio", "height_m",
    "parking",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Indicator:
    """One measured value.

    Attributes:
        handles: entities it was measured from; geometry: their polygons in metres in the drawing's axes, for the map.
        basis: rule set or formula it was measured by (``GB/T 50353-2013``; code of a note), for the table's
            last column.
        notes: what was left out or assumed; the reason where ``value`` is None.
        partial: parts of the project could not be measured; the value is what is there at least.
        sure: false where it rests on rules nobody has checked against print (:attr:`Rule.may_block`): it cannot block.
    """

    key: str
    value: float | None
    unit: str
    handles: tuple[str, ...] = ()
    geometry: BaseGeometry | None = None
    basis: str = ""
    notes: tuple[Note, ...] = ()
    partial: bool = False
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Building:
    """One building.

    Attributes:
        height_source: dimension | text | model | "" (unknown); a text is declared, not measured.
        stated_height_m, stated_storeys: what a text says, beside what was measured.
        use: residential, retail, … as texts say (``rules/words/uses.toml``), "" where none does.
        outline: what distances are measured from: ``geometry``, with balconies where the city's policy counts them.
    """

    name: str
    geometry: BaseGeometry
    footprint_m2: float
    storeys: int | None = None
    height_m: float | None = None
    height_source: str = ""
    gfa_m2: float | None = None
    far_area_m2: float | None = None
    handles: tuple[str, ...] = ()
    stated_height_m: float | None = None
    stated_storeys: int | None = None
    use: str = ""
    outline: BaseGeometry | None = None


@dataclass(frozen=True, slots=True)
class Setback:
    """Shortest distance of a building to one edge of the site (or to a road or build-to line).

    ``edge``: number of the edge, counted along the boundary from its northernmost point, clockwise; ``bearing``: the
    side it faces (N, NE, E …) as seen from the site; ``to``: site | road_line | build_to; ``line``: shortest
    connection.
    A building that crosses the line has a negative distance: how far it reaches over.
    """

    building: str
    edge: int
    bearing: str
    to: str
    distance_m: float
    edge_geometry: BaseGeometry
    line: BaseGeometry


@dataclass(frozen=True, slots=True)
class Spacing:
    """Shortest distance between two buildings."""

    a: str
    b: str
    distance_m: float
    line: BaseGeometry


@dataclass(frozen=True, slots=True)
class Indicators:
    """All that was measured. ``values`` has every key of :data:`KEYS`."""

    values: Mapping[str, Indicator]
    buildings: tuple[Building, ...]
    setbacks: tuple[Setback, ...]
    spacings: tuple[Spacing, ...]
    green_by_kind: Mapping[str, float] = field(default_factory=dict)
    area_rules: str = ""
    far_rules: str = ""
    notes: tuple[Note, ...] = ()

    def value(self, key: str) -> float | None:
        """A measured value, or None."""
        return self.values[key].value
