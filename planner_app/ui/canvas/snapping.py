"""Snapping to what is in view: segments collected off the UI thread, searched by brute force (0.3 ms for 120,000)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from planner_app.plugin_api.viewport import Extent, Viewport, contains
from planner_app.ui.canvas.background import Background

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from planner_app.project import Project

PIXELS = 10.0
#: With more segments than this in view nobody can aim at one of them.
MOST_SEGMENTS = 400_000
#: Features read per layer; the R-tree hands over those in view.
MOST_FEATURES = 20_000
SETTLE_MS = 120

Owner = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Snap:
    """Where the pointer snapped to: map coordinates, and whether on a vertex (else on an edge)."""

    x: float
    y: float
    vertex: bool


class SnapIndex:
    """Segments to snap to.

    Args:
        segments: (n, 4) array x1, y1, x2, y2; a point is a segment of no length.
        owners: (n,) index into ``names`` of the feature each belongs to.
        names: (layer, fid) of the features.
    """

    def __init__(self, segments: NDArray[np.float64], owners: NDArray[np.int64], names: list[Owner]) -> None:
        import numpy as np

        self.segments = segments
        self._owners = owners
        self._numbers = {name: number for number, name in enumerate(names)}
        self._low = np.minimum(segments[:, :2], segments[:, 2:])
        self._high = np.maximum(segments[:, :2], segments[:, 2:])

    def __len__(self) -> int:
        return len(self.segments)

    def nearest(self, x: float, y: float, tolerance: float, exclude: Iterable[Owner] = ()) -> Snap | None:
        """The nearest vertex within ``tolerance`` map units, else the nearest point of an edge, else None."""
        import numpy as np

        low, high = self._low, self._high
        close = (
            (low[:, 0] <= x + tolerance)
            & (high[:, 0] >= x - tolerance)
            & (low[:, 1] <= y + tolerance)
            & (high[:, 1] >= y - tolerance)
        )
        near = np.flatnonzero(close)
        banned = [self._numbers[name] for name in exclude if name in self._numbers]
        if banned:
            near = near[~np.isin(self._owners[near], banned)]
        if not len(near):
            return None
        segments = self.segments[near]
        ends = np.concatenate([segments[:, :2], segments[:, 2:]])
        distance = np.hypot(ends[:, 0] - x, ends[:, 1] - y)
        best = int(distance.argmin())
        if distance[best] <= tolerance:
            return Snap(float(ends[best, 0]), float(ends[best, 1]), True)
        along = segments[:, 2:] - segments[:, :2]
        length2 = (along**2).sum(axis=1)
        toward = np.array([x, y]) - segments[:, :2]
        t = np.clip((toward * along).sum(axis=1) / np.where(length2 > 0, length2, 1.0), 0.0, 1.0)
        feet = segments[:, :2] + along * t[:, None]
        distance = np.hypot(feet[:, 0] - x, feet[:, 1] - y)
        best = int(distance.argmin())
        if distance[best] <= tolerance:
            return Snap(float(feet[best, 0]), float(feet[best, 1]), False)
        return None


def build_index(features: Sequence[tuple[str, Any, Any]]) -> SnapIndex:
    """Index of features given as (layer, fids, WKB array)."""
    import numpy as np
    import shapely

    names: list[Owner] = []
    segments, owners = [np.empty((0, 4))], [np.empty(0, dtype=np.int64)]
    for layer_id, fids, wkb in features:
        geometries = shapely.from_wkb(np.asarray(wkb, dtype=object))
        parts, feature = shapely.get_parts(geometries, return_index=True)
        lines, part = shapely.get_rings(parts, return_index=True)
        other = np.flatnonzero(shapely.get_type_id(parts) != shapely.GeometryType.POLYGON)
        lines = np.concatenate([lines, parts[other]])
        owner_of_line = feature[np.concatenate([part, other])] + len(names)
        coordinates, line = shapely.get_coordinates(lines, return_index=True)
        follows = np.flatnonzero(line[1:] == line[:-1])
        alone = np.flatnonzero(np.bincount(line, minlength=len(lines))[line] == 1) if len(line) else line
        first, second = np.concatenate([follows, alone]), np.concatenate([follows + 1, alone])
        segments.append(np.hstack([coordinates[first], coordinates[second]]))
        owners.append(owner_of_line[line[first]])
        names += [(layer_id, int(fid)) for fid in fids]
    return SnapIndex(np.concatenate(segments), np.concatenate(owners), names)


class Snapper(QObject):
    """Keeps an index of what is in view while a tool wants it."""

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._project: Project | None = None
        self._layers: list[str] = []
        self._index: SnapIndex | None = None
        self._extent: Extent | None = None
        self._viewport: Viewport | None = None
        self.enabled = False
        self.crowded = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._build)

    def set_source(self, project: Project | None, layers: list[str]) -> None:
        """Project and visible layers to snap to; also called when their data changed."""
        self._project, self._layers = project, layers
        self._extent = None
        self.refresh()

    def set_enabled(self, enabled: bool) -> None:
        """Build indices only while a tool needs them."""
        self.enabled = enabled
        if not enabled:
            self._index, self._extent = None, None
            self._timer.stop()
        self.refresh()

    def set_view(self, viewport: Viewport) -> None:
        """The window moved."""
        self._viewport = viewport
        self.refresh()

    def refresh(self) -> None:
        """Build the index anew soon if the view left it."""
        if not self.enabled or self._project is None or self._viewport is None:
            return
        if self._extent is None or self.crowded or not contains(self._extent, self._viewport.extent()):
            self._timer.start(SETTLE_MS)

    def snap(self, x: float, y: float, exclude: Iterable[Owner] = ()) -> Snap | None:
        """The point to snap to within 10 px, or None (also while the index is being built)."""
        if self._index is None or self._viewport is None:
            return None
        return self._index.nearest(x, y, PIXELS * self._viewport.resolution, exclude)

    def _build(self) -> None:
        project, viewport, layers = self._project, self._viewport, list(self._layers)
        if project is None or viewport is None:
            return
        xmin, ymin, xmax, ymax = viewport.extent()
        dx, dy = (xmax - xmin) / 4, (ymax - ymin) / 4
        extent = (xmin - dx, ymin - dy, xmax + dx, ymax + dy)

        def work() -> tuple[SnapIndex | None, Extent]:
            found = []
            for layer_id in layers:
                table = project.read(layer_id, columns=[], bbox=extent, limit=MOST_FEATURES + 1)
                if len(table) > MOST_FEATURES:
                    return None, extent
                found.append((layer_id, table.fids, table.geometry))
            index = build_index(found)
            return (index if len(index) <= MOST_SEGMENTS else None), extent

        self._background.run("snapping", work, self._built)

    def _built(self, result: tuple[SnapIndex | None, Extent]) -> None:
        self._index, self._extent = result
        self.crowded = self._index is None
