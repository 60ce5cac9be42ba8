"""What every reader gives: which layers a file has, and their features in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, Geometry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Rows shown before an import.
SAMPLE_ROWS = 20
#: Features handed over at a time.
CHUNK_ROWS = 4_000

#: (easting, northing) columns of a table, or its one column of WKT.
TableGeometry = tuple[str, str] | str | None


@dataclass(frozen=True, slots=True)
class SourceLayer:
    """A layer of a foreign file.

    Attributes:
        geometry: its kind; the commonest where the file mixes kinds.
        features: -1 where the format does not tell before reading.
        crs: ``EPSG:n`` or WKT; None where the file states none.
        extent: (xmin, ymin, xmax, ymax) in its own CRS, None where not known.
        sample: values of the first rows, in the order of ``fields``.
        class_field, class_standard: what looks like its class field, may be empty.
    """

    name: str
    geometry: Geometry
    features: int
    fields: tuple[FieldInfo, ...]
    crs: str | None
    extent: tuple[float, float, float, float] | None = None
    sample: tuple[tuple[Any, ...], ...] = ()
    class_field: str = ""
    class_standard: str = ""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """A foreign file, looked into.

    Attributes:
        format: what people call it (Shapefile, GeoPackage …).
        encoding: of its attributes, empty where the format fixes it.
        warnings: (code, params) of what looks odd.
    """

    path: Path
    format: str
    layers: tuple[SourceLayer, ...]
    encoding: str = ""
    warnings: tuple[tuple[str, dict[str, Any]], ...] = ()


@dataclass(slots=True)
class Chunk:
    """Some features: geometries in the source's CRS (shapely or WKB, None allowed) and values by field name, all of n.

    Attributes:
        first: number of the first feature in the source, from 1.
        faults: by position in this chunk, why a row has no geometry (code), where the reader knows.
    """

    first: int
    geometry: NDArray[np.object_]
    columns: dict[str, list[Any]] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)


class Source(Protocol):
    """A file that was opened."""

    def info(self) -> SourceInfo:
        """What is in it."""

    def read(self, layer: SourceLayer) -> Iterator[Chunk]:
        """Its features in order."""


#: Suffixes each reader takes.
SUFFIXES = {
    "vector": (
        ".shp", ".gpkg", ".geojson", ".json", ".topojson", ".gml", ".xml", ".kml", ".fgb", ".tab", ".mif", ".sqlite",
        ".gdb",
    ),
    "archive": (".zip",),
    "drawing": (".dxf",),
    "table": (".csv",),
    "boundary": (".txt",),
}  # fmt: skip


def open_here(path: Path, encoding: str = "", csv_xy: TableGeometry = None) -> Source:
    """Open a foreign file in this process, by its suffix (see ``reader.SeparateSource`` for the usual way).

    Raises:
        PlannerError: ``import.no_file``, ``import.empty_file``, ``import.format_unknown`` and what the readers raise.
    """
    if not path.exists():
        raise PlannerError("import.no_file", file=str(path))
    if path.is_file() and path.stat().st_size == 0:
        raise PlannerError("import.empty_file", file=path.name)
    suffix = path.suffix.casefold()
    if suffix in (".gml", ".xml"):
        from planner_app.project.exchange.citygml import CityModelSource, is_city_model

        if is_city_model(path):
            return CityModelSource(path)
    if suffix in SUFFIXES["vector"]:
        from planner_app.project.exchange.vector import VectorSource

        return VectorSource(path, encoding)
    if suffix in SUFFIXES["archive"]:
        from planner_app.project.exchange.archive import ArchiveSource

        return ArchiveSource(path, encoding)
    if suffix in SUFFIXES["drawing"]:
        from planner_app.project.exchange.drawing import DrawingSource

        return DrawingSource(path, encoding)
    if suffix in SUFFIXES["table"]:
        from planner_app.project.exchange.table import TableSource

        return TableSource(path, encoding, csv_xy)
    if suffix in SUFFIXES["boundary"]:
        from planner_app.project.exchange.boundary_points import BoundarySource

        return BoundarySource(path, encoding)
    known = ", ".join(sorted(suffix for group in SUFFIXES.values() for suffix in group))
    raise PlannerError("import.format_unknown", file=path.name, known=known)
