"""What a reader of any format makes of a file: entities on layers, in the drawing's own units and coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

Note = tuple[str, dict[str, Any]]
"""(code, params): worded at the edge from ``i18n/messages``."""


class DrawingFormat(StrEnum):
    """What a drawing's file is."""

    DXF = "dxf"
    DWG = "dwg"
    PDF = "pdf"
    IFC = "ifc"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class Entity:
    """One thing in a drawing. Coordinates in drawing units, x to the right (easting), y up (northing).

    Attributes:
        handle: unique in the drawing and stable between its revisions: the DXF handle; for a part of a block
            ``INSERT-HANDLE/PART-HANDLE`` (nested: more parts); the GUID of an IFC product. The block reference itself
            is there too: kind INSERT, its place in ``points``, the block's name in ``text``.
        kind: DXF type name (LWPOLYLINE, HATCH, TEXT, DIMENSION …), IFC class, or PATH of a PDF.
        points: float64 (n, 2). A curve's vertices, arcs flattened to 1 cm on the ground; a point's place or where
            a text's first line begins; the two measured points of a dimension. Empty for hatches.
        closed: the curve is declared closed (its last vertex is not repeated).
        rings: boundary rings of a hatch, each (n, 2), as drawn: outer rings and holes in any order.
        text: plain text without formatting codes.
            Of a dimension the text that overrides its value, else "".
        value: what a dimension measures, in drawing units (from its geometry, never from an overriding text); None
            for angles.
        size: text height in drawing units; angle: degrees, counter-clockwise.
        colour: ``#rrggbb`` as drawn on white; width: lineweight in mm, 0 for the thinnest.
        z: elevation of the first vertex; z_end: of the last one of a line or 3D polyline, None for all else.
        page: page of a PDF, from 1; 0 elsewhere.
        fingerprint: hash of what it is and shows (geometry rounded to 0.1 mm on the ground, text, layer left
            out); equal
            entities have equal fingerprints.
        visible: false on a frozen or switched-off layer or if invisible itself. Readings and indicators use visible
            entities only.
        tag: name of a block attribute (kind ATTRIB), whose value is ``text``.
        box: of a text: (xmin, ymin, xmax, ymax); its width is an estimate where the file does not say (DXF). Empty
            for all else.
    """

    handle: str
    kind: str
    layer: str
    points: NDArray[np.float64]
    closed: bool = False
    rings: tuple[NDArray[np.float64], ...] = ()
    text: str = ""
    value: float | None = None
    size: float = 0.0
    angle: float = 0.0
    colour: str = "#000000"
    width: float = 0.0
    z: float = 0.0
    page: int = 0
    fingerprint: str = ""
    visible: bool = True
    tag: str = ""
    box: tuple[float, ...] = ()
    z_end: float | None = None


@dataclass(frozen=True, slots=True)
class DrawingLayer:
    """A layer of a drawing. ``hidden``: frozen or off in the file."""

    name: str
    colour: str = "#000000"
    hidden: bool = False
    count: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a PDF or an image. Size in points (PDF) or pixels (image); entities of a PDF lie in this box, y up."""

    number: int
    width: float
    height: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Georeference:
    """Where a file says it lies.

    ``method``: ``geodata`` (DXF), ``map_conversion`` or ``site_latlon`` (IFC), ``world_file`` or ``geotiff`` (images).

    Attributes:
        crs: ``EPSG:n`` or "".
        matrix: a, b, c, d, e, f: (x', y') = (a x + b y + c, d x + e y + f) from metres in the file to metres
            in ``crs``;
            None where the coordinates in the file already are those of ``crs``.
        suspicion: why it must not be trusted silently (an authoring tool's default, …); None if nothing is odd.
    """

    method: str
    crs: str
    matrix: tuple[float, float, float, float, float, float] | None = None
    suspicion: Note | None = None


@dataclass(frozen=True, slots=True)
class Storey:
    """A storey of an IFC building, in metres.

    Attributes:
        envelope: ground area enclosed by walls (openings disabled), polygons; None if it could not be found.
        above: a real storey; false for datums such as T/FDN, foundations, roofs without rooms.
        building: name of its building in ``Drawing.buildings``, unique in the file.
        source: what the envelope was made of: walls | openings (doors and windows were needed to close it) | slab |
            columns | spaces; "" without an envelope.
        below_ground: its floor lies below the site's grade by more than half its height.
        void_m2: part of the envelope without a floor of this storey (atrium, stairwell); 0 where floors are unknown.
        outside_m2: floor outside the envelope (balconies, terraces, canopies).
        notes: doubts (envelope with and without doors and windows differs by more than 2 %, …).
    """

    guid: str
    name: str
    elevation: float
    height: float | None
    envelope: BaseGeometry | None
    above: bool = True
    building: str = ""
    spaces_m2: float = 0.0
    source: str = ""
    below_ground: bool = False
    void_m2: float = 0.0
    outside_m2: float = 0.0
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class IfcBuilding:
    """A building of an IFC file, in metres of the file's own height.

    Attributes:
        top: highest point of walls, roofs and slabs (parapet, ridge); ``top_guid``: the product it belongs to.
        grade: site grade at the building; ``grade_source``: terrain (modelled ground) | attribute
            (ElevationOfTerrain) | floor (assumed: the ground floor, since the file says nothing).
        height: top − grade.
    """

    guid: str
    name: str
    top: float | None = None
    top_guid: str = ""
    grade: float | None = None
    grade_source: str = ""

    @property
    def height(self) -> float | None:
        """Building height in m."""
        return None if self.top is None or self.grade is None else self.top - self.grade


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing as read. Never changed; what people decide about it (region, units, repairs) is kept beside it.

    Attributes:
        metres_per_unit: as the file's header claims (DXF INSUNITS, IFC units); None if it claims nothing. May lie.
        extent: (xmin, ymin, xmax, ymax) of the visible entities, or None.
        storeys, buildings: of an IFC file.
        properties: what else the file says of itself (author, program, title).
        notes: what was skipped, repaired while reading, or looks odd: named and counted, never silent.
        count: entities as the authoring program counts them: blocks not taken apart, what cannot be drawn included.
    """

    name: str
    sha256: str
    format: DrawingFormat
    version: str
    entities: tuple[Entity, ...]
    layers: tuple[DrawingLayer, ...]
    metres_per_unit: float | None = None
    georeference: Georeference | None = None
    pages: tuple[Page, ...] = ()
    storeys: tuple[Storey, ...] = ()
    buildings: tuple[IfcBuilding, ...] = ()
    extent: tuple[float, float, float, float] | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    count: int = 0
