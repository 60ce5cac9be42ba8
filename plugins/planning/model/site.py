"""Where a site comes from: a layer or feature of the project, 界址点 TXT, a DXF outline, GeoJSON, a drawn polygon."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project, read_boundary_points

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

#: Layer names that hold the site's red line in drawings (the bureau's convention and its aliases).
SITE_LAYERS = ("YDHX", "用地红线", "A-REDL", "PLOT_BOUNDARY", "建设用地红线", "宗地")
#: Chord error in m to which arcs of a drawing are flattened.
_FLATTEN = 0.01
#: Ends of an outline closer than this in m are taken for closed, with a warning.
_CLOSE = 0.05
#: Parameters of a projection that a zone number in front of the easting follows from.
_GRID = ("False easting", "Longitude of natural origin")


@dataclass(frozen=True, slots=True)
class Site:
    """A site in the project's CRS.

    Attributes:
        name: what people call it; source: file or layer it came from.
        geometry: valid polygon or multipolygon, 2-D.
        notes: (code, params) of what was changed or looks odd: a repair, a closed gap, a stripped zone prefix.
    """

    name: str
    geometry: BaseGeometry
    source: str = ""
    notes: tuple[tuple[str, dict[str, Any]], ...] = field(default=())


def site_from_polygon(geometry: Any, name: str, source: str = "", notes: Sequence[Any] = ()) -> Site:
    """A site from a shapely polygon or WKB in the project's CRS; repaired where it has to be.

    Raises:
        PlannerError: ``planning.site_no_area``.
    """
    from planner_app.compute import repair

    shape = shapely.from_wkb(geometry) if isinstance(geometry, bytes) else geometry
    done = repair(np.array([shape], dtype=object))
    fixed = done.geoms[0]
    if fixed is None or not fixed.area > 0:
        raise PlannerError("planning.site_no_area", site=name)
    notes = [*notes, *(("planning.site_repaired", {"reason": reason}) for _, reason in done.repaired)]
    return Site(name, shapely.force_2d(fixed), source, tuple(notes))


def read_site(project: Project, wanted: str, *, feature: int | None = None, drawing_layer: str = "") -> Site:
    """A site from a file (.txt, .dxf, .geojson, .json, .wkb) or a layer of the project (all its features, or one).

    Args:
        project: the open project.
        wanted: path, or a layer's id or name; ``LAYER#FID`` is one feature of it.
        feature: fid of one feature of that layer.
        drawing_layer: layer of a drawing that holds the outline, where it is not one of :data:`SITE_LAYERS`.

    Raises:
        PlannerError: ``planning.site_*``, ``layer.unknown``, what the readers raise.
    """
    path = Path(wanted)
    if path.suffix and path.is_file():
        kind = path.suffix.casefold()
        if kind == ".txt":
            return _from_boundary_points(project, path)
        if kind == ".dxf":
            return _from_drawing(project, path, drawing_layer)
        if kind in (".geojson", ".json"):
            return _from_geojson(project, path)
        if kind == ".wkb":
            return site_from_polygon(path.read_bytes(), path.stem, path.name)
        raise PlannerError("planning.site_format", file=path.name)
    return _from_layer(project, wanted, feature)


def _from_layer(project: Project, wanted: str, feature: int | None) -> Site:
    name, mark, number = wanted.rpartition("#")
    if mark and number.isdigit() and feature is None:
        try:
            layer, feature = project.layer(name), int(number)
        except PlannerError:
            layer = project.layer(wanted)
    else:
        layer = project.layer(wanted)
    if layer.geometry != "polygon":
        raise PlannerError("planning.not_polygons", layer=layer.name, geometry=layer.geometry)
    table = project.read(layer.id, columns=[], fids=None if feature is None else [feature])
    shapes = shapely.from_wkb(table.geometry)
    shapes = shapes[~shapely.is_missing(shapes)]
    title = layer.name if feature is None else f"{layer.name} #{feature}"
    if not len(shapes):
        raise PlannerError("planning.site_no_area", site=title)
    whole = shapes[0] if len(shapes) == 1 else shapely.union_all(shapely.make_valid(shapes))
    return site_from_polygon(whole, title, layer.name)


def _from_boundary_points(project: Project, path: Path) -> Site:
    parcels = read_boundary_points(path)
    shapes = [shapely.from_wkb(parcel.wkb) for parcel in parcels]
    if not shapes:
        raise PlannerError("planning.site_no_area", site=path.name)
    whole = shapes[0] if len(shapes) == 1 else shapely.union_all(shapely.make_valid(np.array(shapes, dtype=object)))
    return _placed(project, whole, path, [])


def _from_drawing(project: Project, path: Path, wanted: str) -> Site:
    from ezdxf import path as curves
    from ezdxf import recover
    from ezdxf.lldxf.const import DXFError

    try:
        drawing, _ = recover.readfile(path)
    except (OSError, DXFError) as error:
        raise PlannerError("planning.site_drawing", file=path.name, detail=str(error)) from error
    outlines: dict[str, list[Any]] = {}
    notes: list[tuple[str, dict[str, Any]]] = []
    for entity in drawing.modelspace().query("LWPOLYLINE POLYLINE"):
        points = [(p.x, p.y) for p in curves.make_path(entity).flattening(_FLATTEN)]
        if len(points) < 3:
            continue
        gap = float(np.hypot(points[0][0] - points[-1][0], points[0][1] - points[-1][1]))
        if gap > _CLOSE:
            continue
        if gap > 1e-6:
            notes.append(("planning.site_gap", {"layer": entity.dxf.layer, "gap": gap}))
        outlines.setdefault(entity.dxf.layer, []).append(shapely.Polygon(points))
    chosen = {name: rings for name, rings in outlines.items() if _is_site_layer(name, wanted)}
    if not chosen and not wanted and sum(map(len, outlines.values())) == 1:
        chosen = outlines
    if not chosen:
        known = ", ".join(f"{name} ({len(rings)})" for name, rings in sorted(outlines.items())) or "—"
        raise PlannerError("planning.site_ambiguous", file=path.name, known=known)
    rings = [ring for found in chosen.values() for ring in found]
    notes = [note for note in notes if note[1]["layer"] in chosen]
    return _placed(project, _nested(rings), path, notes)


def _is_site_layer(name: str, wanted: str) -> bool:
    if wanted:
        return name.casefold() == wanted.casefold()
    return any(alias.casefold() in name.casefold() for alias in SITE_LAYERS)


def _nested(rings: Sequence[Any]) -> Any:
    """Rings as one polygon: a ring inside another is a hole in it (even-odd)."""
    ordered = sorted(shapely.make_valid(np.array(rings, dtype=object)), key=lambda ring: -ring.area)
    whole = ordered[0]
    for ring in ordered[1:]:
        if not any(shapely.equals(ring, other) for other in ordered[: ordered.index(ring)]):
            whole = shapely.symmetric_difference(whole, ring)
    return whole


def _from_geojson(project: Project, path: Path) -> Site:
    """GeoJSON in longitude and latitude (RFC 7946), in the CRS its ``crs`` member names, or else in the project's."""
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
        collection = data.get("features", [data])
        shapes = [shapely.from_geojson(json.dumps(one.get("geometry") or one)) for one in collection]
    except (ValueError, AttributeError, shapely.errors.ShapelyError) as error:
        raise PlannerError("planning.site_geojson", file=path.name, detail=str(error)) from error
    shapes = [shape for shape in shapes if shape is not None and shape.area > 0]
    if not shapes:
        raise PlannerError("planning.site_no_area", site=path.name)
    whole = shapes[0] if len(shapes) == 1 else shapely.union_all(shapely.make_valid(np.array(shapes, dtype=object)))
    named = str(data.get("crs", {}).get("properties", {}).get("name", "")) if isinstance(data.get("crs"), dict) else ""
    code = named.rpartition(":")[2]
    west, south, east, north = whole.bounds
    if code.isdigit() and f"EPSG:{code}" != project.crs:
        source = f"EPSG:{code}"
    elif "CRS84" in named or (not named and -180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        source = "EPSG:4326"
    else:
        return _placed(project, whole, path, [])
    from planner_app.domain.crs import transformer

    change = transformer(source, project.crs)
    moved = shapely.transform(whole, lambda xy: np.column_stack(change.transform(xy[:, 0], xy[:, 1])))
    return site_from_polygon(moved, path.stem, path.name, [("planning.site_moved", {"source": source})])


def _placed(project: Project, shape: Any, path: Path, notes: list[tuple[str, dict[str, Any]]]) -> Site:
    """Bring a survey's coordinates to the project's form of easting: with or without the zone number in front.

    Raises:
        PlannerError: ``planning.site_zone`` where the zone number is not that of the project's CRS.
    """
    from pyproj import CRS

    prefix = int(shape.bounds[0] // 1e6)
    operation = CRS(project.crs).coordinate_operation
    params = operation.params if operation else []
    values = {one.name: float(one.value) for one in params if one.name in _GRID}
    own = int(values.get("False easting", 0.0) // 1e6)
    if prefix != own and (prefix == 0 or own == 0) and max(prefix, own) <= 45:
        zone, meridian = max(prefix, own), values.get("Longitude of natural origin")
        if prefix and meridian is not None and meridian not in (3.0 * zone, 6.0 * zone - 3.0):
            raise PlannerError("planning.site_zone", file=path.name, zone=zone, crs=project.crs)
        shape = shapely.transform(shape, lambda xy: xy + np.array([(own - prefix) * 1e6, 0.0]))
        notes = [*notes, ("planning.site_prefix", {"zone": zone})]
    elif prefix != own and 13 <= prefix <= 45:
        raise PlannerError("planning.site_zone", file=path.name, zone=prefix, crs=project.crs)
    extent = project.extent(None)
    if extent is not None:
        west, south, east, north = shape.bounds
        away = max(extent[0] - east, west - extent[2], extent[1] - north, south - extent[3])
        if away > 0:
            notes = [*notes, ("planning.site_far", {"kilometres": away / 1000.0})]
    return site_from_polygon(shape, path.stem, path.name, notes)
