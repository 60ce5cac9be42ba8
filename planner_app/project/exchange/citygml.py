"""CityGML 2.0 (PLATEAU among others), read directly.

GDAL's GML reader takes the first face of a solid for the whole, mixes axis orders within one file and refuses
polyhedral surfaces. Here each kind of city object is a layer; a feature's geometry is that of its lowest level of
detail: outlines of solids and surfaces seen from above, lines and points with their height.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, FieldType
from planner_app.project.exchange.source import CHUNK_ROWS, SAMPLE_ROWS, Chunk, SourceInfo, SourceLayer
from planner_app.project.exchange.vector import commonest

Element = ElementTree.Element
_GML_ID = re.compile(r"\{http://www\.opengis\.net/gml[^}]*\}id")
_LOD = re.compile(r"lod(\d)")
_MEMBERS = ("cityObjectMember", "featureMember", "featureMembers")
#: Parts of a feature that are not its own attributes.
_NOT_ATTRIBUTES = ("boundedBy", "consistsOfBuildingPart", "outerBuildingInstallation", "interiorRoom", "address")


def is_city_model(path: Path) -> bool:
    """True if a GML file's head names CityGML."""
    with path.open("rb") as file:
        return b"opengis.net/citygml/" in file.read(20_000)


class CityModelSource:
    """A CityGML file; a layer for each kind of city object."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._crs: str | None = None
        self._north_first = False
        self._lists: dict[str, dict[str, str]] = {}
        self._features: dict[str, list[tuple[Any, dict[str, str]]]] = {}
        self._fields: dict[str, tuple[FieldInfo, ...]] = {}
        try:
            self._parse()
        except ElementTree.ParseError as error:
            raise PlannerError("import.unreadable", file=path.name, detail=str(error)) from error
        if not self._features:
            raise PlannerError("import.no_layers", file=path.name)

    def _parse(self) -> None:
        depth = 0
        for event, element in ElementTree.iterparse(self.path, ("start", "end")):  # noqa: S314 - expat bounds entities
            name = _local(element)
            if event == "start":
                depth += name in _MEMBERS
            elif name == "Envelope" and not depth:
                self._place(element.get("srsName", ""))
            elif name in _MEMBERS:
                depth -= 1
                for feature in element:
                    self._take(feature)
                element.clear()

    def _place(self, srs: str) -> None:
        """CRS and axis order: URNs and http names mean the registry's order, ``EPSG:n`` traditionally x, y."""
        from planner_app.domain.crs import authority_code, parse_crs

        numbers = re.findall(r"\d+", srs.split("EPSG")[-1]) if "EPSG" in srs else []
        if not numbers:
            return
        crs = parse_crs(f"EPSG:{numbers[-1]}")
        if crs.is_compound:
            crs = crs.sub_crs_list[0]
        if crs.is_geographic and len(crs.axis_info) == 3:
            crs = crs.to_2d()
        self._crs = authority_code(crs)
        self._north_first = srs.startswith(("http", "urn")) and crs.axis_info[0].direction.casefold() == "north"

    def _take(self, feature: Element) -> None:
        attributes = {"gml_id": next((value for key, value in feature.attrib.items() if _GML_ID.match(key)), "")}
        self._attributes(feature, attributes)
        shape = self._geometry(feature)
        heights = self._heights(feature)
        if heights.any():
            attributes |= {"z_min": repr(float(heights.min())), "z_max": repr(float(heights.max()))}
        self._features.setdefault(_local(feature), []).append((shape, attributes))

    # attributes

    def _attributes(self, element: Element, found: dict[str, str]) -> None:
        for child in element:
            name = _local(child)
            if name.endswith("Attribute") and child.get("name"):  # generic attribute: the name is data
                self._keep(found, str(child.get("name")), "".join(child.itertext()).strip())
            elif name in _NOT_ATTRIBUTES or _LOD.match(name):
                continue
            elif len(child):
                self._attributes(child, found)
            elif (text := (child.text or "").strip()) and "gml" not in child.tag.split("}")[0].rsplit("/", 1)[-1]:
                self._keep(found, name, text)
                if label := self._label(child.get("codeSpace", ""), text):
                    self._keep(found, f"{name}_name", label)
            elif text and name in ("name", "description"):
                self._keep(found, name, text)

    @staticmethod
    def _keep(found: dict[str, str], name: str, text: str) -> None:
        if text:
            found[name] = f"{found[name]}, {text}" if name in found else text

    def _label(self, code_space: str, code: str) -> str:
        """What a code means, if its list lies where the file says or in ``codelists`` beside it."""
        if not code_space:
            return ""
        if code_space not in self._lists:
            places = (self.path.parent / code_space, self.path.parent / "codelists" / Path(code_space).name)
            file = next((place for place in places if place.is_file()), None)
            self._lists[code_space] = _code_list(file) if file is not None else {}
        return self._lists[code_space].get(code, "")

    # geometry

    def _geometry(self, feature: Element) -> Any:
        """The shape at the lowest level of detail that has one, None if there is none."""
        levels: dict[int, list[Element]] = {}
        for element in feature.iter():
            if found := _LOD.match(_local(element)):
                levels.setdefault(int(found[1]), []).append(element)
        for level in sorted(levels):
            containers = levels[level]
            faces = [rings for one in containers for rings in self._polygons(one)]
            if faces:
                return _seen_from_above(faces)
            lines = [xyz for one in containers for xyz in self._positions(one, ("LineString", "LineStringSegment"), 2)]
            if lines:
                return _heighted(shapely.multilinestrings([shapely.linestrings(xyz) for xyz in lines]))
            points = [xyz for one in containers for xyz in self._positions(one, ("Point",), 1)]
            if points:
                made = [shapely.points(xyz[0]) for xyz in points]
                return _heighted(made[0] if len(made) == 1 else shapely.multipoints(made))
        return None

    def _heights(self, feature: Element) -> Any:
        """Heights of all coordinates of all levels that are not zero (which stands for unknown)."""
        parts = [xyz[:, 2] for xyz in self._positions(feature, ("LinearRing", "LineString", "LineStringSegment"), 1)]
        heights = np.concatenate(parts) if parts else np.empty(0)
        return heights[heights != 0.0]

    def _polygons(self, container: Element) -> Iterator[list[Any]]:
        for polygon in container.iter():
            if _local(polygon) in ("Polygon", "PolygonPatch", "Triangle", "Rectangle"):
                rings = list(self._positions(polygon, ("LinearRing",), 4))
                if rings:
                    yield rings

    def _positions(self, element: Element, kinds: tuple[str, ...], least: int) -> Iterator[Any]:
        """Coordinates (n, 3) east, north, height of each part of those kinds."""
        for part in element.iter():
            if _local(part) not in kinds:
                continue
            texts = [one.text or "" for one in part.iter() if _local(one) in ("posList", "pos")]
            flat = np.array(" ".join(texts).split(), dtype=float)
            if len(flat) % 3 == 0 and len(flat) >= 3 * least:
                xyz = flat.reshape(-1, 3)
                yield xyz[:, [1, 0, 2]] if self._north_first else xyz

    # as a source

    def info(self) -> SourceInfo:
        """Layers with fields typed by their values."""
        layers = []
        for name, features in self._features.items():
            fields = self._fields[name] = _typed([attributes for _, attributes in features])
            shapes = _array([shape for shape, _ in features])
            bounds = shapely.total_bounds(shapes)
            extent = (float(bounds[0]), float(bounds[1]), float(bounds[2]), float(bounds[3]))
            columns = _columns(features[:SAMPLE_ROWS], fields)
            sample = tuple(zip(*columns.values(), strict=True))
            known = extent if np.isfinite(bounds).all() else None
            layers.append(SourceLayer(name, commonest(shapes), len(features), fields, self._crs, known, sample))
        warnings = (("import.city_model_flat", {"file": self.path.name}),)
        return SourceInfo(self.path, "CityGML", tuple(layers), "", warnings)

    def read(self, layer: SourceLayer) -> Iterator[Chunk]:
        """Features of a kind."""
        features = self._features[layer.name]
        for start in range(0, len(features), CHUNK_ROWS):
            part = features[start : start + CHUNK_ROWS]
            yield Chunk(start + 1, _array([shape for shape, _ in part]), _columns(part, layer.fields))


def _local(element: Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _array(shapes: list[Any]) -> Any:
    made = np.empty(len(shapes), dtype=object)
    made[:] = shapes
    return made


def _heighted(shape: Any) -> Any:
    """The shape, in two dimensions if all heights are zero (as files without heights write them)."""
    heights = shapely.get_coordinates(shape, include_z=True)[:, 2]
    return shape if heights.any() else shapely.force_2d(shape)


def _seen_from_above(faces: list[list[Any]]) -> Any:
    """Faces as one flat polygon; upright ones vanish, those above each other melt. A single face stays as it is."""
    made = [shapely.Polygon(rings[0][:, :2], [ring[:, :2] for ring in rings[1:]]) for rings in faces]
    if len(made) == 1:
        return made[0]
    flat = shapely.make_valid(_array(made))
    # Upright faces have only rounding errors for an area.
    extent = shapely.total_bounds(flat)
    lying = shapely.area(flat) > 1e-9 * max((extent[2] - extent[0]) * (extent[3] - extent[1]), 1e-30)
    return shapely.union_all(flat[lying]) if lying.any() else None


def _code_list(file: Path) -> dict[str, str]:
    try:
        root = ElementTree.parse(file).getroot()  # noqa: S314 - expat bounds entities
    except ElementTree.ParseError:
        return {}
    found = {}
    for definition in root.iter():
        if _local(definition) == "Definition":
            texts = {_local(child): (child.text or "").strip() for child in definition}
            found[texts.get("name", "")] = texts.get("description", "")
    return found


def _typed(rows: list[dict[str, str]]) -> tuple[FieldInfo, ...]:
    counts = Counter(name for row in rows for name in row)
    return tuple(FieldInfo(name, _type([row[name] for row in rows if name in row])) for name in counts)


def _type(cells: list[str]) -> FieldType:
    if any(re.fullmatch(r"-?0\d+", cell) for cell in cells):
        return "text"
    if all(re.fullmatch(r"-?\d{1,18}", cell) for cell in cells):
        return "integer"
    if all(re.fullmatch(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", cell) for cell in cells):
        return "real"
    return "date" if all(re.fullmatch(r"\d{4}-\d\d-\d\d", cell) for cell in cells) else "text"


def _columns(features: list[tuple[Any, dict[str, str]]], fields: tuple[FieldInfo, ...]) -> dict[str, list[Any]]:
    convert: dict[str, Any] = {"integer": int, "real": float}
    return {
        info.name: [
            None if (text := attributes.get(info.name)) is None else convert.get(info.type, str)(text)
            for _, attributes in features
        ]
        for info in fields
    }
