"""The selection on the map: outlines of up to 5,000 features, beyond that plain fills of what is in view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QColor

from planner_app.plugin_api.viewport import Extent, Viewport
from planner_app.ui.canvas.background import Background
from planner_app.ui.canvas.outlines import OutlineStyle, draw_outlines
from planner_app.ui.canvas.picture import MapPicture

if TYPE_CHECKING:
    from planner_app.project import Project
    from planner_app.ui.session import SelectionModel

#: Outlined up to here (DESIGN.md); more are filled, read per view.
OUTLINED = 5_000
#: Most features of a large selection read for one view.
FILLED = 20_000
#: Features fetched at a time.
PORTION = 500
SETTLE_MS = 60
#: Selection colour: the light theme's accent, for the map is paper in both themes.
SELECTED = QColor("#1F5FAE")


@dataclass(frozen=True, slots=True)
class Outline:
    """A drawn selection. ``geometries``: shapely array of the whole selection if it was small enough to keep."""

    picture: MapPicture
    geometries: Any
    shortened: bool


class SelectionLayer(QObject):
    """Fetches the selected geometries and draws them off the UI thread; the picture moves with the map meanwhile."""

    updated = Signal()

    def __init__(self, selection: SelectionModel, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._background = background
        self._project: Project | None = None
        self._viewport: Viewport | None = None
        self._geometries: Any = None
        self._outline: Outline | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._draw)
        selection.changed.connect(self.reload)

    def set_project(self, project: Project | None) -> None:
        """Read from this project from now on."""
        self._project = project
        self.reload()

    def set_view(self, viewport: Viewport) -> None:
        """The window moved: draw again when the hand rests."""
        if viewport != self._viewport:
            self._viewport = viewport
            if self._outline is not None or self._selection.layer_ids():
                self._timer.start(SETTLE_MS)

    def reload(self) -> None:
        """The selection or its geometries changed."""
        self._geometries = None
        if self._project is None or not self._selection.layer_ids():
            self._background.drop("selection")
            self._timer.stop()
            self._outline = None
            self.updated.emit()
        else:
            self._timer.start(0)

    @property
    def picture(self) -> MapPicture | None:
        """What to paint, or None."""
        return self._outline.picture if self._outline is not None else None

    @property
    def shortened(self) -> bool:
        """True if there were too many to draw them all as they are."""
        return self._outline is not None and self._outline.shortened

    def _draw(self) -> None:
        viewport, project = self._viewport, self._project
        if viewport is None or project is None:
            return
        chosen = {layer: self._selection.fids(layer) for layer in self._selection.layer_ids()}
        many = sum(map(len, chosen.values())) > OUTLINED
        known = self._geometries
        style = OutlineStyle(SELECTED, filled=many)

        def work() -> Outline:
            geometries = known
            if geometries is None:
                geometries = read_geometries(project, chosen, viewport.extent() if many else None)
            image = draw_outlines(geometries, viewport, style)
            return Outline(MapPicture(image, viewport, None, opaque=False), None if many else geometries, many)

        self._background.run("selection", work, self._drawn)

    def _drawn(self, outline: Outline) -> None:
        self._outline = outline
        self._geometries = outline.geometries
        self.updated.emit()


def read_geometries(project: Project, chosen: dict[str, tuple[int, ...]], within: Extent | None) -> Any:
    """Geometries of the chosen features as a shapely array; with ``within`` at most 20,000 of those in that extent.

    Read in small portions: fetching a big result holds Python's lock for as long as its rows are made and freed.
    """
    import numpy as np
    import shapely

    found = [np.empty(0, dtype=object)]
    for layer_id, fids in chosen.items():
        wanted: Sequence[int] = fids
        if within is not None:
            inside = [
                project.read(layer_id, columns=[], bbox=within, fids=some, geometry=False).fids
                for some in portions(fids, 10 * PORTION)
            ]
            seen = np.concatenate(inside)
            wanted = seen[:: len(seen) // FILLED + 1].tolist()
        for some in portions(wanted, PORTION):
            found.append(shapely.from_wkb(project.read(layer_id, columns=[], fids=some).geometry))
    return np.concatenate(found)


def portions(fids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Slices of at most ``size``."""
    for start in range(0, len(fids), size):
        yield fids[start : start + size]


def feature_extent(project: Project, layer_id: str, fids: tuple[int, ...]) -> Extent | None:
    """Extent around features; None if none of them has a geometry. For worker threads."""
    import numpy as np
    import shapely

    if not fids:
        return None
    bounds = shapely.bounds(shapely.from_wkb(project.read(layer_id, columns=[], fids=fids).geometry)).reshape(-1, 4)
    bounds = bounds[~np.isnan(bounds[:, 0])]
    if not len(bounds):
        return None
    low, high = bounds.min(axis=0), bounds.max(axis=0)
    return float(low[0]), float(low[1]), float(high[2]), float(high[3])
