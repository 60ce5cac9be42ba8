"""A polygon whose vertices can be moved, added and removed. Pure; every change makes a new one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Vertices this near (metres) are one corner shared by neighbours.
SHARED = 0.001


@dataclass(frozen=True, slots=True)
class Corner:
    """Address of a vertex; the edge of that number starts at it."""

    part: int
    ring: int
    index: int


@dataclass(frozen=True, slots=True)
class EditablePolygon:
    """Parts of rings of vertices, (n, 2) or (n, 3), without the closing one; ring 0 is the shell."""

    parts: tuple[tuple[NDArray[np.float64], ...], ...]

    @staticmethod
    def from_wkb(wkb: bytes) -> EditablePolygon:
        """Read a (multi)polygon, heights kept."""
        import shapely

        parts = []
        for polygon in shapely.get_parts([shapely.from_wkb(wkb)]):
            has_z = bool(shapely.has_z(polygon))
            rings = shapely.get_rings(polygon)
            parts.append(tuple(shapely.get_coordinates(ring, include_z=has_z)[:-1] for ring in rings))
        return EditablePolygon(tuple(parts))

    def to_wkb(self) -> bytes:
        """Write a multipolygon, as the project's tables hold them."""
        import shapely

        return shapely.to_wkb(self.geometry())  # type: ignore[no-any-return]

    def geometry(self) -> object:
        """As a shapely multipolygon."""
        import shapely

        return shapely.MultiPolygon([shapely.Polygon(rings[0], rings[1:]) for rings in self.parts])

    def problem(self) -> str:
        """Why this is no valid polygon: ``""`` (it is), ``crossing``, ``overlap``, ``outside``, ``other``."""
        import shapely

        geometry = self.geometry()
        if shapely.is_valid(geometry):
            return ""
        reason = str(shapely.is_valid_reason(geometry))
        for start, code in (
            ("Self-intersection", "crossing"),
            ("Ring Self-intersection", "crossing"),
            ("Too few points", "crossing"),
            ("Hole lies outside", "outside"),
            ("Holes are nested", "overlap"),
            ("Nested shells", "overlap"),
            ("Interior is disconnected", "crossing"),
        ):
            if reason.startswith(start):
                return code
        return "other"

    def area(self) -> float:
        """Planar area."""
        import shapely

        return float(shapely.area(self.geometry()))

    def bounds(self) -> tuple[float, float, float, float]:
        """Extent."""
        import shapely

        return tuple(map(float, shapely.bounds(self.geometry())))  # type: ignore[return-value]

    def rings(self) -> Iterator[tuple[int, int, NDArray[np.float64]]]:
        """(part, ring, vertices) of every ring."""
        for p, part in enumerate(self.parts):
            for r, ring in enumerate(part):
                yield p, r, ring

    def vertex(self, corner: Corner) -> tuple[float, float]:
        """Coordinates of a vertex."""
        x, y = self.parts[corner.part][corner.ring][corner.index][:2]
        return float(x), float(y)

    def nearest_vertex(self, x: float, y: float, tolerance: float) -> Corner | None:
        """The vertex nearest to a point within ``tolerance``."""
        import numpy as np

        best, found = tolerance, None
        for p, r, ring in self.rings():
            distance = np.hypot(ring[:, 0] - x, ring[:, 1] - y)
            index = int(distance.argmin())
            if distance[index] <= best:
                best, found = float(distance[index]), Corner(p, r, index)
        return found

    def nearest_edge(self, x: float, y: float, tolerance: float) -> tuple[Corner, float, float] | None:
        """The edge nearest to a point within ``tolerance`` and the point's foot on it."""
        import numpy as np

        best, found = tolerance, None
        point = np.array([x, y])
        for p, r, ring in self.rings():
            a, b = ring[:, :2], np.roll(ring[:, :2], -1, axis=0)
            along = b - a
            length2 = (along**2).sum(axis=1)
            t = np.clip(((point - a) * along).sum(axis=1) / np.where(length2 > 0, length2, 1.0), 0.0, 1.0)
            feet = a + along * t[:, None]
            distance = np.hypot(*(feet - point).T)
            index = int(distance.argmin())
            if distance[index] <= best:
                best = float(distance[index])
                found = (Corner(p, r, index), float(feet[index, 0]), float(feet[index, 1]))
        return found

    def contains(self, x: float, y: float) -> bool:
        """True if a point lies inside."""
        import shapely

        return bool(shapely.contains_xy(self.geometry(), x, y))

    def moved(self, corner: Corner, x: float, y: float) -> EditablePolygon:
        """With one vertex elsewhere."""
        ring = self.parts[corner.part][corner.ring].copy()
        ring[corner.index, :2] = x, y
        return self._with(corner, ring)

    def inserted(self, edge: Corner, x: float, y: float) -> EditablePolygon:
        """With a vertex on the edge that starts at ``edge``; its height is interpolated."""
        import numpy as np

        ring = self.parts[edge.part][edge.ring]
        a, b = ring[edge.index], ring[(edge.index + 1) % len(ring)]
        span = float(np.hypot(*(b[:2] - a[:2])))
        vertex = a + (b - a) * (float(np.hypot(x - a[0], y - a[1])) / span if span > 0 else 0.0)
        vertex[:2] = x, y
        return self._with(edge, np.insert(ring, edge.index + 1, vertex, axis=0))

    def removed(self, corner: Corner) -> EditablePolygon | None:
        """Without one vertex; a hole or part of three goes as a whole; None if nothing would be left."""
        import numpy as np

        ring = self.parts[corner.part][corner.ring]
        if len(ring) > 3:
            return self._with(corner, np.delete(ring, corner.index, axis=0))
        if corner.ring > 0:
            rings = self.parts[corner.part]
            return self._with_part(corner.part, rings[: corner.ring] + rings[corner.ring + 1 :])
        left = self.parts[: corner.part] + self.parts[corner.part + 1 :]
        return EditablePolygon(left) if left else None

    def translated(self, dx: float, dy: float) -> EditablePolygon:
        """Moved as a whole."""
        parts = []
        for part in self.parts:
            rings = [ring.copy() for ring in part]
            for ring in rings:
                ring[:, 0] += dx
                ring[:, 1] += dy
            parts.append(tuple(rings))
        return EditablePolygon(tuple(parts))

    def edge_between(self, a: tuple[float, float], b: tuple[float, float]) -> Corner | None:
        """The edge whose ends are those two points, in either direction."""
        import numpy as np

        for p, r, ring in self.rings():
            at_a = np.hypot(ring[:, 0] - a[0], ring[:, 1] - a[1]) <= SHARED
            at_b = np.hypot(ring[:, 0] - b[0], ring[:, 1] - b[1]) <= SHARED
            both = np.flatnonzero((at_a & np.roll(at_b, -1)) | (at_b & np.roll(at_a, -1)))
            if len(both):
                return Corner(p, r, int(both[0]))
        return None

    def _with(self, at: Corner, ring: NDArray[np.float64]) -> EditablePolygon:
        rings = self.parts[at.part]
        return self._with_part(at.part, (*rings[: at.ring], ring, *rings[at.ring + 1 :]))

    def _with_part(self, part: int, rings: tuple[NDArray[np.float64], ...]) -> EditablePolygon:
        return EditablePolygon((*self.parts[:part], rings, *self.parts[part + 1 :]))


def move_shared(
    neighbours: dict[int, EditablePolygon], old: tuple[float, float], new: tuple[float, float]
) -> dict[int, EditablePolygon]:
    """The neighbours that have a vertex at ``old``, with it moved to ``new``."""
    changed = {}
    for fid, polygon in neighbours.items():
        corner = polygon.nearest_vertex(*old, SHARED)
        if corner is not None:
            changed[fid] = polygon.moved(corner, *new)
    return changed


def insert_shared(
    neighbours: dict[int, EditablePolygon],
    a: tuple[float, float],
    b: tuple[float, float],
    new: tuple[float, float],
) -> dict[int, EditablePolygon]:
    """The neighbours that have the edge a-b, with a vertex ``new`` on it."""
    changed = {}
    for fid, polygon in neighbours.items():
        edge = polygon.edge_between(a, b)
        if edge is not None:
            changed[fid] = polygon.inserted(edge, *new)
    return changed


def remove_shared(neighbours: dict[int, EditablePolygon], old: tuple[float, float]) -> dict[int, EditablePolygon]:
    """The neighbours that have a vertex at ``old``, without it (one that would vanish stays as it is)."""
    changed = {}
    for fid, polygon in neighbours.items():
        corner = polygon.nearest_vertex(*old, SHARED)
        left = polygon.removed(corner) if corner is not None else None
        if left is not None:
            changed[fid] = left
    return changed
