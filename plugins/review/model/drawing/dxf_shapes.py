"""DXF entities as shapes in their own space: curves, areas, points. Blocks are the business of ``dxf_blocks``."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plugins.review.model.drawing.curves import arc, bulged, ellipse, without_repeats
from plugins.review.model.drawing.dxf_words import (
    WORDS,
    NotDrawn,
    attribute,
    dimension,
    leader_text,
    mtext,
    shortened,
    text,
)
from plugins.review.model.drawing.shapes import Points, Shape, text_box

#: Vertices of one area beyond which it is thinned: no plan needs them, and every overlay would suffer.
MOST_RING_VERTICES = 100_000
#: Edges of a boundary beyond which they are taken as following each other.
_MANY_EDGES = 20_000
#: Objects of other programs that AutoCAD itself cannot draw without them.
_FOREIGN = ("ACAD_PROXY_ENTITY", "TCH_", "TDB", "SWCAD", "PKPM", "HZ_", "AECC_", "AEC_")
#: What has no outline in the file that could be read, or none at all.
_SOLIDS = (
    "REGION", "3DSOLID", "BODY", "SURFACE", "PLANESURFACE", "EXTRUDEDSURFACE", "LOFTEDSURFACE", "REVOLVEDSURFACE",
    "SWEPTSURFACE", "NURBSURFACE", "MESH",
)  # fmt: skip
_Z = (0.0, 0.0, 1.0)


class Missing:
    """What was found and could not be drawn, by what a person has to do about it."""

    def __init__(self) -> None:
        self.foreign: Counter[str] = Counter()
        self.solids: Counter[str] = Counter()
        self.other: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self.pictures: Counter[str] = Counter()
        self.thinned: list[tuple[str, int]] = []
        self.cut = 0

    def add(self, kind: str) -> None:
        """Count one that there is no way to draw."""
        if kind.startswith(_FOREIGN):
            self.foreign[kind] += 1
        elif kind in _SOLIDS:
            self.solids[kind] += 1
        else:
            self.other[kind] += 1


class DxfShapes:
    """Turns entities into shapes.

    Args:
        tolerance: of chords, drawing units.
        look: gives colour and line width (``Shape.colour``, ``Shape.width``) of an entity's attributes.
    """

    def __init__(self, tolerance: float, look: Callable[[Any], tuple[str, float]]) -> None:
        self.tolerance, self.look = tolerance, look
        self.missing = Missing()

    def of(self, entity: Any, handle: str = "", depth: int = 0) -> Iterator[Shape]:
        """The shapes of an entity that is no block reference; what cannot be drawn is counted."""
        kind = entity.dxftype()
        make = _MAKERS.get(kind)
        handle = handle or entity.dxf.get("handle") or "0"
        try:
            if kind in WORDS:
                self.missing.cut += shortened(entity)
            if make is not None:
                made = make(self, entity)
            elif kind in _LEFT_OUT:
                return
            else:
                yield from self._parts(entity, kind, handle, depth)
                return
        except NotDrawn as nothing:
            if nothing.args:
                self.missing.add(nothing.args[0])
            return
        except Exception:  # damage shows itself in as many ways as there are attributes
            self.missing.broken[kind] += 1
            return
        if made is None:
            self.missing.broken[kind] += 1
            return
        made.handle, made.kind, made.layer = handle, kind, entity.dxf.get("layer", "0")
        made.colour, made.width = self.look(entity.dxf)
        made.visible = made.visible and not entity.dxf.get("invisible", 0)
        if kind in WORDS:
            x, y = made.points[0].tolist()
            made.box = text_box(x, y, made.text, made.size, made.angle)
        yield made

    def _parts(self, entity: Any, kind: str, handle: str, depth: int) -> Iterator[Shape]:
        """What an entity without a maker of its own consists of: multilines, proxies with graphics."""
        parts: list[Any] = []
        if kind not in _SOLIDS and depth < 3 and hasattr(entity, "virtual_entities"):
            try:
                parts = list(entity.virtual_entities())
            except Exception:  # broken proxy graphics
                parts = []
        if not parts:
            self.missing.add(kind)
            return
        layer = plain(entity).get("layer", "0")
        for number, part in enumerate(parts, start=1):
            if kind != "MLINE":
                part.dxf.layer = layer
            yield from self.of(part, f"{handle}/{number}", depth + 1)

    def _line(self, entity: Any) -> Shape:
        start, end = entity.dxf.start, entity.dxf.end
        return Shape("", "", "", np.array([[start.x, start.y], [end.x, end.y]]), z=start.z, z_end=end.z)

    def _lwpolyline(self, entity: Any) -> Shape | None:
        rows = np.asarray(entity.lwpoints.values, dtype=np.float64).reshape(-1, 5)
        closed = bool(entity.dxf.get("flags", 0) & 1)
        elevation = float(entity.dxf.get("elevation", 0.0))
        return self._polyline(rows[:, :2], rows[:, 4], closed, elevation, entity)

    def _old_polyline(self, entity: Any) -> Shape | None:
        flags = int(entity.dxf.get("flags", 0))
        if flags & 80:  # meshes
            raise NotDrawn("POLYLINE (mesh)")
        vertices = [one for one in entity.vertices if not one.dxf.get("flags", 0) & 16]  # 16: a spline's frame
        xyz = np.array([tuple(one.dxf.location) for one in vertices], dtype=np.float64).reshape(-1, 3)
        if flags & 8:
            return self._polyline(xyz[:, :2], np.zeros(len(xyz)), bool(flags & 1), 0.0, None, xyz[:, 2])
        bulges = np.array([one.dxf.get("bulge", 0.0) for one in vertices], dtype=np.float64)
        elevation = entity.dxf.get("elevation")
        return self._polyline(xyz[:, :2], bulges, bool(flags & 1), float(elevation.z) if elevation else 0.0, entity)

    def _polyline(
        self,
        xy: Points,
        bulges: NDArray[np.float64],
        closed: bool,
        z: float,
        entity: Any,
        heights: NDArray[np.float64] | None = None,
    ) -> Shape | None:
        if not len(xy):
            return None
        points = without_repeats(bulged(xy, bulges, closed, self.tolerance), closed)
        if len(points) > MOST_RING_VERTICES:
            points = self._thinned(entity, [points])[0]
        if heights is not None:
            z = float(heights[0])
        made = Shape("", "", "", points, closed=closed and len(points) > 2, z=z)
        made.z_end = None if heights is None else float(heights[-1])
        return self._in_world(made, entity) if entity is not None else made

    def _in_world(self, shape: Shape, entity: Any) -> Shape:
        """From the entity's own plane (OCS) to the world's."""
        extrusion = entity.dxf.get("extrusion", _Z)
        ux, uy, uz = extrusion
        if (ux, uy, uz) == _Z:
            return shape
        z = shape.z

        def moved(points: Points) -> Points:
            if abs(ux) < 1e-9 and abs(uy) < 1e-9 and uz < 0:  # seen from below
                return points * (-1.0, 1.0)
            ocs = entity.ocs()
            return np.array([tuple(ocs.to_wcs((x, y, z)))[:2] for x, y in points.tolist()]).reshape(-1, 2)

        if uz < 0:
            shape.angle = 180.0 - shape.angle
            shape.z = -z
        shape.points = moved(shape.points)
        shape.rings = tuple(moved(ring) for ring in shape.rings)
        return shape

    def _circle(self, entity: Any) -> Shape | None:
        return self._turn(entity, 0.0, 2.0 * math.pi)

    def _arc(self, entity: Any) -> Shape | None:
        start = math.radians(entity.dxf.start_angle)
        angle = math.fmod(math.radians(entity.dxf.end_angle) - start, 2.0 * math.pi)
        return self._turn(entity, start, angle + 2.0 * math.pi if angle <= 1e-12 else angle)

    def _turn(self, entity: Any, start: float, angle: float) -> Shape | None:
        centre, radius = entity.dxf.center, abs(float(entity.dxf.radius))
        if radius == 0.0:
            return None
        points = arc(centre.x, centre.y, radius, start, angle, self.tolerance)
        closed = math.isclose(angle, 2.0 * math.pi)
        return self._in_world(Shape("", "", "", points, closed=closed, z=centre.z), entity)

    def _ellipse(self, entity: Any) -> Shape | None:
        centre, major = entity.dxf.center, entity.dxf.major_axis
        minor = entity.minor_axis
        start = float(entity.dxf.get("start_param", 0.0))
        angle = math.fmod(float(entity.dxf.get("end_param", 2.0 * math.pi)) - start, 2.0 * math.pi)
        angle = angle + 2.0 * math.pi if angle <= 1e-9 else angle
        points = ellipse((centre.x, centre.y), (major.x, major.y), (minor.x, minor.y), start, angle, self.tolerance)
        return Shape("", "", "", points, closed=math.isclose(angle, 2.0 * math.pi), z=centre.z)

    def _spline(self, entity: Any) -> Shape | None:
        curve = entity.construction_tool()
        xyz = [tuple(point) for point in curve.flattening(self.tolerance, segments=4)]
        points = np.array(xyz, dtype=np.float64).reshape(-1, 3)
        closed = bool(entity.closed) or (len(points) > 3 and np.abs(points[0] - points[-1]).max() < 1e-9)
        return Shape("", "", "", without_repeats(points[:, :2], closed), closed=closed, z=float(points[0, 2]))

    def _corners(self, entity: Any) -> Shape:
        flat = entity.dxftype() != "3DFACE"
        order = ("vtx0", "vtx1", "vtx3", "vtx2") if flat else ("vtx0", "vtx1", "vtx2", "vtx3")
        xyz = np.array([tuple(entity.dxf.get(name, entity.dxf.vtx2)) for name in order], dtype=np.float64)
        made = Shape("", "", "", without_repeats(xyz[:, :2], True), closed=True, z=float(xyz[0, 2]))
        return self._in_world(made, entity) if flat else made

    def _point(self, entity: Any) -> Shape:
        place = entity.dxf.location
        return Shape("", "", "", np.array([[place.x, place.y]]), z=place.z)

    def _leader(self, entity: Any) -> Shape | None:
        xyz = np.array([tuple(one) for one in entity.vertices], dtype=np.float64).reshape(-1, 3)
        return Shape("", "", "", xyz[:, :2], z=float(xyz[0, 2])) if len(xyz) > 1 else None

    def _picture(self, entity: Any) -> Shape:
        """The frame of a picture; its content lies in another file."""
        definition = entity.image_def
        name = str(definition.dxf.get("filename", "")) if definition is not None else ""
        self.missing.pictures[name.replace("\\", "/").rsplit("/", 1)[-1] or "?"] += 1
        corners = np.array([(point.x, point.y) for point in entity.boundary_path_wcs()]).reshape(-1, 2)
        return Shape("", "", "", without_repeats(corners, True), closed=True, text=name)

    def _hatch(self, entity: Any) -> Shape | None:
        paths = [one for one in entity.paths if not one.path_type_flags & 8]  # 8: room left for a text
        outer = [one for one in paths if one.path_type_flags & 17]  # 1 external, 16 outermost
        if entity.dxf.get("hatch_style", 0) == 2 and outer:  # everything inside is filled
            paths = outer
        rings = [ring for path in paths for ring in self._rings(path) if len(ring) > 2]
        if not rings:
            return None
        if sum(map(len, rings)) > MOST_RING_VERTICES:
            rings = self._thinned(entity, rings)
        elevation = entity.dxf.get("elevation")
        made = Shape("", "", "", rings=tuple(rings), closed=True, z=float(elevation.z) if elevation else 0.0)
        return self._in_world(made, entity)

    def _thinned(self, entity: Any, rings: list[Points]) -> list[Points]:
        """Fewer vertices, and a note that it is so."""
        total = sum(map(len, rings))
        self.missing.thinned.append((entity.dxf.get("handle") or "?" if entity is not None else "?", total))
        keep = MOST_RING_VERTICES / total
        return [thinned(ring, max(4, int(keep * len(ring))), self.tolerance) for ring in rings]

    def _rings(self, path: Any) -> list[Points]:
        if hasattr(path, "vertices"):
            rows = np.array(path.vertices, dtype=np.float64).reshape(-1, 3)
            return [without_repeats(bulged(rows[:, :2], rows[:, 2], True, self.tolerance), True)]
        if len(path.edges) > _MANY_EDGES and all(edge.type == 1 for edge in path.edges):
            ends = [(edge.start.x, edge.start.y) for edge in path.edges]
            return [without_repeats(np.array(ends, dtype=np.float64), True)]
        return joined([self._edge(one) for one in path.edges[:_MANY_EDGES]])

    def _edge(self, edge: Any) -> Points:
        kind = int(edge.type)
        if kind == 1:
            return np.array([(edge.start.x, edge.start.y), (edge.end.x, edge.end.y)])
        if kind == 2:
            start, angle = _span(edge.start_angle, edge.end_angle)
            points = arc(edge.center.x, edge.center.y, float(edge.radius), start, angle, self.tolerance)
        elif kind == 3:
            start, angle = _span(math.degrees(edge.start_param), math.degrees(edge.end_param))
            major = (edge.major_axis.x, edge.major_axis.y)
            minor = (-major[1] * edge.ratio, major[0] * edge.ratio)
            points = ellipse((edge.center.x, edge.center.y), major, minor, start, angle, self.tolerance)
        else:
            curve = edge.construction_tool()
            return np.array([(p.x, p.y) for p in curve.flattening(self.tolerance, segments=4)]).reshape(-1, 2)
        if math.isclose(angle, 2.0 * math.pi):
            points = np.concatenate([points, points[:1]])
        return points if edge.ccw else points[::-1]


def plain(entity: Any) -> Any:
    """An entity's common attributes (layer, colour …), also of those that ezdxf keeps as mere tags."""
    return entity.graphic_properties() if hasattr(entity, "xtags") else entity.dxf


def _span(start: float, end: float) -> tuple[float, float]:
    """Radians of start and turn from degrees; equal ends are a full turn."""
    turn = math.fmod(end - start, 360.0)
    turn = turn + 360.0 if turn <= 1e-9 else turn
    return math.radians(start), math.radians(turn)


def joined(edges: Sequence[Points]) -> list[Points]:
    """Rings of edges that follow each other, whichever way round each is given."""
    rings: list[Points] = []
    chain: list[Points] = []
    count = 0
    size = max((float(np.ptp(one, axis=0).max()) for one in edges if len(one)), default=0.0)
    near = max(1e-9, 1e-6 * size)
    for given in edges:
        if not len(given):
            continue
        if chain:
            end = chain[-1][-1]
            to_start, to_end = np.abs(given[0] - end).max(), np.abs(given[-1] - end).max()
            if len(chain) == 1 and min(to_start, to_end) > near:  # the first edge may be the wrong way round
                other = chain[0][0]
                if min(np.abs(given[0] - other).max(), np.abs(given[-1] - other).max()) <= near:
                    chain[0] = chain[0][::-1]
                    to_start, to_end = np.abs(given[0] - other).max(), np.abs(given[-1] - other).max()
            chain.append(given if to_start <= to_end else given[::-1])
        else:
            chain, count = [given], 0
        count += len(given)
        if np.abs(chain[-1][-1] - chain[0][0]).max() <= near and count > 3:
            rings.append(without_repeats(np.concatenate(chain), True, near))
            chain = []
    if chain:
        rings.append(without_repeats(np.concatenate(chain), True, near))
    return rings


def thinned(ring: Points, most: int, tolerance: float) -> Points:
    """A ring with at most so many vertices: those nearer than the tolerance go first, then every so many."""
    along = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(ring, axis=0)).max(axis=1))])
    _, first = np.unique(np.floor(along / tolerance), return_index=True)
    ring = ring[first]
    return ring if len(ring) <= most else ring[np.linspace(0, len(ring) - 1, most).astype(int)]


_MAKERS: dict[str, Callable[[DxfShapes, Any], Shape | None]] = {
    "LINE": DxfShapes._line,
    "LWPOLYLINE": DxfShapes._lwpolyline,
    "POLYLINE": DxfShapes._old_polyline,
    "CIRCLE": DxfShapes._circle,
    "ARC": DxfShapes._arc,
    "ELLIPSE": DxfShapes._ellipse,
    "SPLINE": DxfShapes._spline,
    "SOLID": DxfShapes._corners,
    "TRACE": DxfShapes._corners,
    "3DFACE": DxfShapes._corners,
    "POINT": DxfShapes._point,
    "LEADER": DxfShapes._leader,
    "IMAGE": DxfShapes._picture,
    "HATCH": DxfShapes._hatch,
    "MPOLYGON": DxfShapes._hatch,
    "TEXT": lambda self, entity: self._in_world(text(entity), entity),
    "ATTRIB": lambda self, entity: self._in_world(attribute(entity), entity),
    "ATTDEF": lambda self, entity: self._in_world(attribute(entity), entity),
    "MTEXT": lambda self, entity: mtext(entity),
    "DIMENSION": lambda self, entity: dimension(entity),
    "ARC_DIMENSION": lambda self, entity: dimension(entity),
    "LARGE_RADIAL_DIMENSION": lambda self, entity: dimension(entity),
    "MULTILEADER": lambda self, entity: leader_text(entity),
    "MLEADER": lambda self, entity: leader_text(entity),
}
#: Not part of what is drawn: frames of views, masks, what is counted already.
_LEFT_OUT = frozenset({"VIEWPORT", "WIPEOUT", "SEQEND", "VERTEX", "ACAD_DAMAGED"})
