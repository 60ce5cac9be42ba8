"""From curves and hatches to outlines: gaps closed, pieces joined, rings combined, crossings mended."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from plugins.review.model.drawing.types import Entity
from plugins.review.model.reading.chains import Piece, join_rings, tangled, walls
from plugins.review.model.reading.ledger import FINE, GAP, SAME, SLIVER, Ledger, handle_key

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from plugins.review.model.reading.convention import LayerMatch

_CURVES_NOT = {"TEXT", "MTEXT", "ATTRIB", "ATTDEF", "POINT", "DIMENSION", "INSERT", "LEADER", "MULTILEADER", "HATCH"}


_HAIR = 5e-5  # half the width of a splinter, m
_POLYGON = 3  # as shapely.get_type_id has it


@dataclass(slots=True)
class Outline:
    """An area as drawn, in local metres, valid.

    Attributes:
        hatch: from a hatch, whose rings are in ``rings`` (they may be drawn as outlines too).
        twice: a duplicate that the reviewer wants counted: it is not merged with what it lies on.
    """

    geometry: BaseGeometry
    handles: tuple[str, ...]
    layer: str
    match: LayerMatch
    hatch: bool = False
    rings: tuple[BaseGeometry, ...] = ()
    twice: bool = False


@dataclass(slots=True)
class OpenLine:
    """A curve that bounds nothing, in local metres."""

    geometry: BaseGeometry
    handles: tuple[str, ...]
    layer: str
    match: LayerMatch


Item = tuple[Entity, "LayerMatch"]


def is_curve(entity: Entity) -> bool:
    """True for what has a course of its own: lines, arcs, polylines, circles, solids."""
    return len(entity.points) > 1 and entity.kind not in _CURVES_NOT


def read_outlines(
    items: Sequence[Item], ledger: Ledger, *, faces: bool = False, lines_count: bool = False, join: bool = True
) -> tuple[list[Outline], list[OpenLine]]:
    """Outlines and open lines of the entities of one role.

    Args:
        items: entities with what their layers say, in drawing units.
        faces: pieces that enclose several neighbouring areas make one outline of each (parking places), not one of all.
        lines_count: an open line is no fault here (build-to lines), it is given back as it is.
        join: whether several pieces may make a ring (not road lines, which meet at every corner).

    Returns:
        Outlines in the order of their handles; lines that are open by more than a gap.
    """
    items = sorted(items, key=lambda item: ledger.rank(item[0].handle))
    curves = [item for item in items if is_curve(item[0])]
    rings, pieces = _close(curves, ledger)
    joined, loose = _join(pieces, ledger, faces=faces, lines_count=lines_count, join=join)
    outlines = _areas(rings + joined, ledger)
    outlines += _hatches([item for item in items if item[0].rings], ledger)
    outlines.sort(key=lambda outline: ledger.rank(outline.handles[0]))
    return outlines, loose


_Ring = tuple["NDArray[np.float64]", tuple[str, ...], str, "LayerMatch"]


def _close(curves: Sequence[Item], ledger: Ledger) -> tuple[list[_Ring], list[tuple[Piece, LayerMatch]]]:
    """Curves that are rings by themselves (a gap closed if need be), and the rest."""
    if not curves:
        return [], []
    counts = np.array([len(entity.points) for entity, _ in curves])
    ends = np.cumsum(counts)
    points = ledger.frame.local(np.concatenate([entity.points for entity, _ in curves]))
    gaps = np.hypot(*(points[ends - 1] - points[ends - counts]).T)
    rings: list[_Ring] = []
    pieces: list[tuple[Piece, LayerMatch]] = []
    for (entity, match), end, count, gap in zip(curves, ends.tolist(), counts.tolist(), gaps.tolist(), strict=True):
        xy = points[end - count : end]
        closes = entity.closed or (gap <= SAME and count > 2)
        if not closes and gap <= GAP and count > 2:
            where = shapely.Point(xy[0])
            closes = ledger.enter("closed_gap", [entity.handle], entity.layer, where, gap_m=gap)
        if closes:
            rings.append((xy, (entity.handle,), entity.layer, match))
        else:
            pieces.append((Piece(xy, entity.handle, entity.layer), match))
    return rings, pieces


def _join(
    pieces: Sequence[tuple[Piece, LayerMatch]], ledger: Ledger, *, faces: bool, lines_count: bool, join: bool
) -> tuple[list[_Ring], list[OpenLine]]:
    """Rings that several pieces on one layer make together, and what is left over."""
    by_layer: dict[str, list[Piece]] = defaultdict(list)
    matches: dict[str, LayerMatch] = {}
    for piece, match in pieces:
        by_layer[piece.layer].append(piece)
        matches[piece.layer] = match
    rings: list[_Ring] = []
    loose: list[OpenLine] = []
    for layer, here in by_layer.items():
        match, used = matches[layer], set[str]()
        found = join_rings(here, GAP) if join and len(here) > 1 else []
        for ring in found:
            where = shapely.Point(ring.points[0])
            if ledger.enter("joined", ring.handles, layer, where, pieces=len(ring.handles), gap_m=ring.gap):
                rings.append((ring.points, ring.handles, layer, match))
                used.update(ring.handles)
        taken = {handle for ring in found for handle in ring.handles}
        # One whose own gap was not to be closed is not closed by the back door.
        rest = [piece for piece in here if piece.handle not in taken and not _own_gap(piece)]
        if join and len(rest) > 1 and not tangled([piece.points for piece in rest]):
            areas = walls(rest, GAP, faces=faces)
            handles = sorted({h for _, names in areas for h in names}, key=handle_key)
            if areas:
                where = shapely.union_all([area for area, _ in areas]).envelope
                if ledger.enter("joined", handles, layer, where, pieces=len(handles), gap_m=0.0):
                    rings += [
                        (xy, names, layer, match)
                        for area, names in areas
                        for xy in [shapely.get_coordinates(area.exterior)]
                    ]
                    used.update(handles)
        left = [piece for piece in here if piece.handle not in used]
        opened, lines = _open(left, match, ledger, lines_count=lines_count)
        rings += opened
        loose += lines
    return rings, loose


def _own_gap(piece: Piece) -> bool:
    return len(piece.points) > 2 and float(np.hypot(*(piece.points[-1] - piece.points[0]))) <= GAP


def _open(
    pieces: Sequence[Piece], match: LayerMatch, ledger: Ledger, *, lines_count: bool
) -> tuple[list[_Ring], list[OpenLine]]:
    """Outlines that stay open are left out and said; taking that back closes them across the gap."""
    rings: list[_Ring] = []
    lines: list[OpenLine] = []
    for piece in pieces:
        if not np.ptp(piece.points, axis=0).any():
            continue
        if len(piece.points) > 2 and not lines_count:
            ends = piece.points[[-1, 0]]
            gap, where = float(np.hypot(*(ends[1] - ends[0]))), shapely.LineString(ends)
            if not ledger.enter("open_outline", [piece.handle], piece.layer, where, gap_m=gap):
                rings.append((piece.points, (piece.handle,), piece.layer, match))
                continue
        lines.append(OpenLine(shapely.LineString(piece.points), (piece.handle,), piece.layer, match))
    return rings, lines


def _areas(rings: Sequence[_Ring], ledger: Ledger) -> list[Outline]:
    """Polygons of rings; those that cross themselves are mended, those without area dropped."""
    whole: list[_Ring] = []
    for ring in rings:
        xy = ring[0]
        if len(xy) < 3 or (len(xy) == 3 and (xy[0] == xy[-1]).all()):
            ledger.enter("sliver", ring[1], ring[2], shapely.Point(xy[0]), area_m2=0.0)
        else:
            whole.append(ring)
    if not whole:
        return []
    counts = [len(ring[0]) for ring in whole]
    polygons = shapely.polygons(
        shapely.linearrings(
            np.concatenate([ring[0] for ring in whole]), indices=np.repeat(np.arange(len(whole)), counts)
        )
    )
    outlines = []
    for ring, polygon, valid, area in zip(
        whole, polygons, shapely.is_valid(polygons).tolist(), shapely.area(polygons).tolist(), strict=True
    ):
        mended = polygon if valid else mend(polygon, ring[1], ring[2], ledger)
        if mended is None:
            continue
        if (area if valid else mended.area) <= SLIVER:
            ledger.enter("sliver", ring[1], ring[2], shapely.Point(ring[0][0]), area_m2=mended.area)
            continue
        outlines.append(Outline(mended, ring[1], ring[2], ring[3]))
    return outlines


def mend(polygon: BaseGeometry, handles: tuple[str, ...], layer: str, ledger: Ledger) -> BaseGeometry | None:
    """An outline that crosses itself as what it encloses; None if that was taken back (it can't be counted then)."""
    if tangled([shapely.get_coordinates(polygon.exterior)]):
        ledger.enter("tangled", handles, layer, polygon.envelope, vertices=shapely.get_num_coordinates(polygon))
        return None
    valid = sound(polygon)
    if valid.area <= SLIVER:
        return valid
    # A spike or a vertex drawn twice changes nothing worth speaking of.
    if abs(valid.area - polygon.area) <= SLIVER and valid.geom_type == "Polygon":
        return valid
    where = _crossing(polygon)
    if ledger.enter("self_crossing", handles, layer, where, before_m2=polygon.area, after_m2=valid.area):
        return valid
    return None


def _crossing(polygon: BaseGeometry) -> BaseGeometry:
    """The first place where the ring crosses itself: ``Self-intersection[20 20]``."""
    place = re.search(r"\[(\S+) (\S+)\]", shapely.is_valid_reason(polygon))
    return shapely.Point(float(place[1]), float(place[2])) if place else shapely.Point(polygon.exterior.coords[0])


def areal(geometry: BaseGeometry) -> BaseGeometry:
    """The polygons of a geometry: what collapsed to lines and points is dropped."""
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        return geometry
    parts = shapely.get_parts(shapely.get_parts(geometry))
    parts = parts[shapely.get_type_id(parts) == _POLYGON]
    together = shapely.multipolygons(parts) if len(parts) > 1 else parts[0] if len(parts) else shapely.Polygon()
    return together if together.is_valid else shapely.union_all(parts)


def cut(shape: BaseGeometry, away: BaseGeometry) -> BaseGeometry:
    """What is left of an area without another, without the splinters of edges that run along each other."""
    try:
        left = areal(shapely.difference(shape, away))
    except shapely.errors.GEOSException:
        left = areal(shapely.difference(sound(shape), sound(away)))
    inner = shapely.buffer(left, -_HAIR, join_style="mitre", mitre_limit=20)
    return areal(shapely.buffer(inner, _HAIR, join_style="mitre", mitre_limit=20))


def unite(shapes: Sequence[BaseGeometry]) -> BaseGeometry:
    """Areas as one. Of hundreds without the grid, which takes ten times as long."""
    try:
        return areal(shapely.union_all(shapes, grid_size=FINE if len(shapes) < 200 else None))
    except shapely.errors.GEOSException:
        return areal(shapely.union_all([sound(shape) for shape in shapes]))


def _hatches(items: Sequence[Item], ledger: Ledger) -> list[Outline]:
    """Areas of hatches: rings by the even-odd rule, rings drawn twice once."""
    outlines = []
    for entity, match in items:
        rings: list[BaseGeometry] = []
        for points in entity.rings:
            xy = ledger.frame.local(points)
            if len(xy) > 2 and not (len(xy) == 3 and (xy[0] == xy[-1]).all()):
                rings.append(shapely.LinearRing(xy))
        rings = _once(rings)
        if not rings:
            ledger.enter("sliver", [entity.handle], entity.layer, None, area_m2=0.0)
            continue
        courses = [shapely.get_coordinates(ring) for ring in rings]
        if (len(rings) > 1 or not shapely.Polygon(rings[0]).is_valid) and tangled(courses):
            where = shapely.box(*shapely.total_bounds(rings))
            ledger.enter("tangled", [entity.handle], entity.layer, where, vertices=sum(map(len, courses)))
            continue
        area, holes = _even_odd(rings)
        if holes > SLIVER:
            where = area.envelope
            if not ledger.enter("hatch_ring", [entity.handle], entity.layer, where, rings=len(rings), area_m2=holes):
                area = unite([sound(shapely.Polygon(ring)) for ring in rings])
        if area.area <= SLIVER:
            ledger.enter("sliver", [entity.handle], entity.layer, area.envelope, area_m2=area.area)
            continue
        outlines.append(Outline(area, (entity.handle,), entity.layer, match, hatch=True, rings=tuple(rings)))
    return outlines


def _once(rings: Sequence[BaseGeometry]) -> list[BaseGeometry]:
    """Rings without those that repeat another: twice the same ring is one ring, not none."""
    if len(rings) < 2:
        return list(rings)
    left = shapely.bounds(rings)[:, 0]
    order = np.argsort(left, kind="stable").tolist()
    dropped: set[int] = set()
    for place, k in enumerate(order):
        for other in order[place + 1 :]:
            if left[other] - left[k] > SAME or k in dropped:
                break
            if other not in dropped and same_ring(rings[k], rings[other], SAME):
                dropped.add(other)
    return [ring for k, ring in enumerate(rings) if k not in dropped]


def _even_odd(rings: Sequence[BaseGeometry]) -> tuple[BaseGeometry, float]:
    """(area by the even-odd rule, how much the rings overlap in m²)."""
    shapes = [sound(shapely.Polygon(ring)) for ring in rings]
    shapes = [shape for shape in shapes if shape.area > 0]
    total = sum(shape.area for shape in shapes)
    if len(shapes) == len(rings) > 2:
        try:
            area = areal(shapely.make_valid(shapely.Polygon(rings[0], list(rings[1:])), method="linework"))
            return area, max(total - area.area, 0.0) / 2
        except shapely.errors.GEOSException:
            pass  # rings that touch each other in odd ways: pair by pair then
    while len(shapes) > 1:
        pairs = [shapely.symmetric_difference(a, b) for a, b in zip(shapes[::2], shapes[1::2], strict=False)]
        shapes = pairs + shapes[2 * len(pairs) :]
    area = areal(shapes[0]) if shapes else shapely.Polygon()
    return area, max(total - area.area, 0.0) / 2


def sound(polygon: BaseGeometry) -> BaseGeometry:
    """Polygons made valid: what their rings enclose, once. Lines and points are given back as they are."""
    if polygon.is_valid or polygon.geom_type not in ("Polygon", "MultiPolygon"):
        return polygon
    made = areal(shapely.make_valid(polygon, method="structure", keep_collapsed=False))
    if made.is_valid:
        return made
    # So far from the origin that crossings cannot be written exactly: on the grid that can be.
    return areal(shapely.set_precision(made, float(np.abs(made.bounds).max()) * 1e-12))


def same_ring(a: BaseGeometry, b: BaseGeometry, tolerance: float) -> bool:
    """True if two rings run along each other everywhere, whatever their direction and start."""
    bounds = zip(a.bounds, b.bounds, strict=True)
    if any(abs(p - q) > tolerance for p, q in bounds):
        return False
    return bool(shapely.hausdorff_distance(a, b) <= tolerance)
