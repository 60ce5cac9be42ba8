"""Small IFC files made in the test: walls as extrusions or breps, any schema, any unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ifcopenshell
import ifcopenshell.guid

Point = tuple[float, float]
UNITS = {"m": 1.0, "mm": 0.001, "ft": 0.3048}


class Model:
    """An IFC file in the making. All lengths given in metres; written in ``unit`` ("" states none)."""

    def __init__(self, schema: str = "IFC4", unit: str = "m", brep: bool = False) -> None:
        self.file = ifcopenshell.file(schema=schema)
        self.per_metre = 1 / UNITS.get(unit, 1.0)
        self.brep = brep
        self.schema = schema
        self.parts: dict[Any, list[Any]] = {}
        self.inside: dict[Any, list[Any]] = {}
        self.owner = self._owner() if schema == "IFC2X3" else None
        self.context = self.make(
            "IfcGeometricRepresentationContext", None, "Model", 3, 1e-6, self.axes(), self.direction(0.0, 1.0)
        )
        units = [self._unit(unit)] if unit else []
        units.append(self.make("IfcSIUnit", None, "PLANEANGLEUNIT", None, "RADIAN"))
        assignment = self.make("IfcUnitAssignment", units)
        self.project = self.root("IfcProject", "Test", RepresentationContexts=[self.context], UnitsInContext=assignment)
        self.site = self.root("IfcSite", "Site", ObjectPlacement=self.placed(), CompositionType="ELEMENT")
        self.aggregate(self.project, self.site)

    def make(self, name: str, *values: Any, **named: Any) -> Any:
        """Any entity."""
        return self.file.create_entity(name, *values, **named)

    def root(self, name: str, title: str | None, **values: Any) -> Any:
        """An entity with a GUID."""
        values = {key: value for key, value in values.items() if value is not None}
        return self.make(
            name, GlobalId=ifcopenshell.guid.new(), OwnerHistory=self.owner, Name=title, **values
        )  # fmt: skip

    def building(self, name: str = "A", **values: Any) -> Any:
        """A building on the site."""
        made = self.root("IfcBuilding", name, ObjectPlacement=self.placed(), CompositionType="ELEMENT", **values)
        self.aggregate(self.site, made)
        return made

    def storey(self, building: Any, name: str, z: float, *, placed: bool = True) -> Any:
        """A storey; with ``placed`` false only its elevation says where it is."""
        made = self.root(
            "IfcBuildingStorey",
            name,
            ObjectPlacement=self.placed(z if placed else 0.0),
            CompositionType="ELEMENT",
            Elevation=z * self.per_metre,
        )
        self.aggregate(building, made)
        return made

    def wall(self, storey: Any, a: Point, b: Point, z: float, height: float, thick: float = 0.2, **values: Any) -> Any:
        """A straight wall on its axis from a to b."""
        length = math.dist(a, b)
        ux, uy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
        nx, ny = -uy * thick / 2, ux * thick / 2
        ring = [(a[0] + nx, a[1] + ny), (a[0] - nx, a[1] - ny), (b[0] - nx, b[1] - ny), (b[0] + nx, b[1] + ny)]
        return self.body(storey, values.pop("kind", "IfcWall"), ring, z, height, **values)

    def walls(self, storey: Any, corners: Sequence[Point], z: float, height: float, thick: float = 0.2) -> list[Any]:
        """Walls round a closed line of right angles whose outer face is ``corners`` (counter-clockwise)."""
        made, half = [], thick / 2
        count = len(corners)
        inner = [_inset(corners[k - 1], corners[k], corners[(k + 1) % count], half) for k in range(count)]
        for k in range(count):
            (ax, ay), (bx, by) = inner[k], inner[(k + 1) % count]
            length = math.dist((ax, ay), (bx, by))
            ux, uy = (bx - ax) / length, (by - ay) / length
            made.append(
                self.wall(
                    storey, (ax - ux * half, ay - uy * half), (bx + ux * half, by + uy * half), z, height, thick
                )
            )  # fmt: skip
        return made

    def body(
        self, storey: Any, kind: str, ring: Sequence[Point], z: float, height: float, name: str = "", **values: Any
    ) -> Any:
        """A prism over ``ring``, contained in a storey (a space is part of it)."""
        shape = self._brep(ring, z, height) if self.brep else self._extrusion(ring, z, height)
        form = "Brep" if self.brep else "SweptSolid"
        made = self.root(
            kind,
            name or kind,
            ObjectPlacement=self.placed(),
            Representation=self.make(
                "IfcProductDefinitionShape",
                Representations=[self.make("IfcShapeRepresentation", self.context, "Body", form, [shape])],
            ),
            **values,
        )
        if storey is not None:
            (self.parts if kind == "IfcSpace" else self.inside).setdefault(storey, []).append(made)
        return made

    def opening(self, wall: Any, ring: Sequence[Point], z: float, height: float) -> None:
        """An opening cut into a wall."""
        hole = self.body(None, "IfcOpeningElement", ring, z, height)
        self.root("IfcRelVoidsElement", None, RelatingBuildingElement=wall, RelatedOpeningElement=hole)

    def terrain(self, height: float, corners: Sequence[Point]) -> None:
        """Modelled ground on the site."""
        shape = self._extrusion(corners, height - 1.0, 1.0)
        self.site.Representation = self.make(
            "IfcProductDefinitionShape",
            Representations=[self.make("IfcShapeRepresentation", self.context, "Body", "SweptSolid", [shape])],
        )

    def place(self, latitude: Sequence[int], longitude: Sequence[int]) -> None:
        """Latitude and longitude of the site."""
        self.site.RefLatitude, self.site.RefLongitude = tuple(latitude), tuple(longitude)

    def map_conversion(self, crs: str, east: float, north: float, angle: float = 0.0, **values: Any) -> None:
        """IfcMapConversion (IFC4 and later) or ePSets (IFC2x3)."""
        cos, sin = math.cos(angle), math.sin(angle)
        if self.schema != "IFC2X3":
            target = self.make("IfcProjectedCRS", Name=crs, MapUnit=values.pop("unit", None))
            self.make("IfcMapConversion", self.context, target, east, north, 0.0, cos, sin, values.get("scale"))
            return
        numbers = {"Eastings": east, "Northings": north, "XAxisAbscissa": cos, "XAxisOrdinate": sin}
        for name, entries in (
            ("ePSet_MapConversion", {key: ("IfcReal", value) for key, value in numbers.items()}),
            ("ePSet_ProjectedCRS", {"Name": ("IfcLabel", crs)}),
        ):
            properties = [
                self.make("IfcPropertySingleValue", key, None, self.make(kind, value), None)
                for key, (kind, value) in entries.items()
            ]
            made = self.root("IfcPropertySet", name, HasProperties=properties)
            self.root("IfcRelDefinesByProperties", None, RelatedObjects=[self.site], RelatingPropertyDefinition=made)

    def aggregate(self, whole: Any, part: Any) -> None:
        """``part`` is a part of ``whole``."""
        self.parts.setdefault(whole, []).append(part)

    def write(self, path: Path) -> Path:
        """Relations are made here, once each."""
        for whole, members in self.parts.items():
            self.root("IfcRelAggregates", None, RelatingObject=whole, RelatedObjects=members)
        for storey, members in self.inside.items():
            self.root("IfcRelContainedInSpatialStructure", None, RelatingStructure=storey, RelatedElements=members)
        self.file.write(str(path))
        return path

    def axes(self, z: float = 0.0) -> Any:
        """An axis placement at a height."""
        return self.make("IfcAxis2Placement3D", self.point(0.0, 0.0, z))

    def placed(self, z: float = 0.0) -> Any:
        """A local placement at a height."""
        return self.make("IfcLocalPlacement", None, self.axes(z))

    def point(self, *values: float) -> Any:
        """A point in the file's unit."""
        return self.make("IfcCartesianPoint", [value * self.per_metre for value in values])

    def direction(self, *values: float) -> Any:
        """A direction."""
        return self.make("IfcDirection", list(values))

    def _extrusion(self, ring: Sequence[Point], z: float, height: float) -> Any:
        line = self.make("IfcPolyline", [self.point(*one) for one in (*ring, ring[0])])
        profile = self.make("IfcArbitraryClosedProfileDef", "AREA", None, line)
        return self.make(
            "IfcExtrudedAreaSolid", profile, self.axes(z), self.direction(0.0, 0.0, 1.0), height * self.per_metre
        )

    def _brep(self, ring: Sequence[Point], z: float, height: float) -> Any:
        low, high = ([self.point(x, y, level) for x, y in ring] for level in (z, z + height))
        count = len(ring)
        loops = [low[::-1], high]
        loops += [[low[k], low[(k + 1) % count], high[(k + 1) % count], high[k]] for k in range(count)]
        return self.solid(loops)

    def solid(self, loops: Sequence[Sequence[Any]]) -> Any:
        """A faceted brep of faces."""
        faces = [
            self.make("IfcFace", [self.make("IfcFaceOuterBound", self.make("IfcPolyLoop", list(loop)), True)])
            for loop in loops
        ]
        return self.make("IfcFacetedBrep", self.make("IfcClosedShell", faces))

    def _unit(self, unit: str) -> Any:
        if unit in ("m", "mm"):
            return self.make("IfcSIUnit", None, "LENGTHUNIT", "MILLI" if unit == "mm" else None, "METRE")
        metre = self.make("IfcSIUnit", None, "LENGTHUNIT", None, "METRE")
        exponents = self.make("IfcDimensionalExponents", 1, 0, 0, 0, 0, 0, 0)
        measure = self.make("IfcMeasureWithUnit", self.make("IfcLengthMeasure", 0.3048), metre)
        return self.make("IfcConversionBasedUnit", exponents, "LENGTHUNIT", "FOOT", measure)

    def _owner(self) -> Any:
        person, office = self.make("IfcPerson", FamilyName="T"), self.make("IfcOrganization", Name="T")
        both = self.make("IfcPersonAndOrganization", person, office)
        program = self.make("IfcApplication", office, "1", "Test", "test")
        return self.make("IfcOwnerHistory", both, program, None, "ADDED", None, None, None, 0)


def rectangle(x0: float, y0: float, x1: float, y1: float) -> list[Point]:
    """Corners counter-clockwise."""
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def _inset(before: Point, at: Point, after: Point, distance: float) -> Point:
    """The corner moved inwards (to the left of both edges) by ``distance``."""

    def left(a: Point, b: Point) -> Point:
        length = math.dist(a, b)
        return -(b[1] - a[1]) / length, (b[0] - a[0]) / length

    (px, py), (qx, qy) = left(before, at), left(at, after)
    return at[0] + distance * (px + qx), at[1] + distance * (py + qy)
