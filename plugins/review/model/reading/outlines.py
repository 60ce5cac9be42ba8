"""From curves and hatches to outlines: gaps closed, pieces joined, rings combined, crossings mended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from plugins.review.model.drawing.types import Entity
from plugins.review.model.reading.chains import Piece, join_rings, walls
from plugins.review.model.reading.ledger import GAP, SAME, SLIVER, Ledger, handle_key

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from plugins.review.model.reading.convention import LayerMatch

_CURVES_NOT = {"TEXT", "MTEXT", "ATTRIB", "ATTDEF", "POINT", "DIMENSION", "INSERT", "LEADER", "MULTILEADER", "HATCH"}


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
    items = sorted(items, key=lambda item: handle_key(item[0].handle))
    curves = [item for item in items if is_curve(item[0])]
    rings, pieces = _close(curves, ledger)
    joined, loose = _join(pieces, ledger, faces=faces, lines_count=lines_count, join=join)
    outlines = _areas(rings + joined, ledger)
    outlines += _hatches([item for item in items if item[0].rings], ledger)
    outlines.sort(key=lambda outline: handle_key(outline.handles[0]))
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
        if join and len(rest) > 1:
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
    sound: list[_Ring] = []
    for ring in rings:
        xy = ring[0]
        if len(xy) < 3 or (len(xy) == 3 and (xy[0] == xy[-1]).all()):
            ledger.enter("sliver", ring[1], ring[2], shapely.Point(xy[0]), area_m2=0.0)
        else:
            sound.append(ring)
    if not sound:
        return []
    counts = [len(ring[0]) for ring in sound]
    polygons = shapely.polygons(
        shapely.linearrings(
            np.concatenate([ring[0] for ring in sound]), indices=np.repeat(np.arange(len(sound)), counts)
        )
    )
    outlines = []
    for ring, polygon, valid, area in zip(
        sound, polygons, shapely.is_valid(polygons).tolist(), shapely.area(polygons).tolist(), strict=True
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
    valid = shapely.make_valid(polygon, method="structure", keep_collapsed=False)
    valid = areal(valid)
    if valid.area <= SLIVER:
        return valid
    # A spike or a vertex drawn twice changes nothing worth speaking of.
    if abs(valid.area - polygon.area) <= SLIVER and valid.geom_type == "Polygon":
        return valid
    where = shapely.Point(_crossing(polygon))
    if ledger.enter("self_crossing", handles, layer, where, before_m2=polygon.area, after_m2=valid.area):
        return valid
    return None


def _crossing(polygon: BaseGeometry) -> NDArray[np.float64]:
    """The first place where the ring crosses itself."""
    ring = shapely.node(shapely.LineString(polygon.exterior.coords))
    ends = shapely.get_coordinates([shapely.get_point(part, 0) for part in shapely.get_parts(ring)])
    known = {tuple(xy) for xy in shapely.get_coordinates(polygon.exterior).tolist()}
    found: NDArray[np.float64] = next((xy for xy in ends if tuple(xy.tolist()) not in known), ends[0])
    return found


def areal(geometry: BaseGeometry) -> BaseGeometry:
    """The polygons of a geometry: what collapsed to lines and points is dropped."""
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        return geometry
    parts = [part for part in shapely.get_parts(geometry) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts) if parts else shapely.Polygon()


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
        area, holes = _even_odd(rings)
        if holes > SLIVER:
            where = area.envelope
            if not ledger.enter("hatch_ring", [entity.handle], entity.layer, where, rings=len(rings), area_m2=holes):
                area = areal(shapely.union_all([areal(shapely.make_valid(shapely.Polygon(ring))) for ring in rings]))
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
    if len(rings) == 1:
        polygon = shapely.Polygon(rings[0])
        return (polygon if polygon.is_valid else areal(shapely.make_valid(polygon))), 0.0
    area = areal(shapely.make_valid(shapely.Polygon(rings[0], list(rings[1:])), method="linework"))
    total = sum(shapely.Polygon(ring).area for ring in rings)
    return area, max(total - area.area, 0.0) / 2


def same_ring(a: BaseGeometry, b: BaseGeometry, tolerance: float) -> bool:
    """True if two rings run along each other everywhere, whatever their direction and start."""
    bounds = zip(a.bounds, b.bounds, strict=True)
    if any(abs(p - q) > tolerance for p, q in bounds):
        return False
    return bool(shapely.hausdorff_distance(a, b) <= tolerance)
