"""What part of a plane a window shows: of the map, of a drawing. Pure arithmetic; no Qt.

Map coordinates are (easting, northing) in metres of the project's CRS, a drawing's are its own units; screen
coordinates are logical pixels with y downwards. A viewport never changes: a gesture makes a new one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

Extent = tuple[float, float, float, float]

#: Scales are those of a 96 dpi screen, as QGIS Desktop shows them (not OGC 05-077r4's 0.28 mm pixel).
METRES_PER_PIXEL = 0.0254 / 96.0


@dataclass(frozen=True, slots=True)
class Viewport:
    """A window on the map.

    Attributes:
        x, y: map coordinates of the window's centre.
        resolution: map units per logical pixel.
        width, height: size in logical pixels.
        dpr: device pixels per logical pixel.
        least, most: how near and far one may zoom, as resolutions.
    """

    x: float = 0.0
    y: float = 0.0
    resolution: float = 1.0
    width: int = 1
    height: int = 1
    dpr: float = 1.0
    least: float = 1e-5
    most: float = 1e5

    def extent(self) -> Extent:
        """(xmin, ymin, xmax, ymax) of the window in map units."""
        half_w, half_h = self.width * self.resolution / 2, self.height * self.resolution / 2
        return self.x - half_w, self.y - half_h, self.x + half_w, self.y + half_h

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        """Logical pixel of a map point."""
        return (x - self.x) / self.resolution + self.width / 2, (self.y - y) / self.resolution + self.height / 2

    def to_map(self, px: float, py: float) -> tuple[float, float]:
        """Map point under a logical pixel."""
        return self.x + (px - self.width / 2) * self.resolution, self.y - (py - self.height / 2) * self.resolution

    def rectangle(self, extent: Extent) -> tuple[float, float, float, float]:
        """An extent on screen as (left, top, width, height) in logical pixels."""
        left, top = self.to_screen(extent[0], extent[3])
        return left, top, (extent[2] - extent[0]) / self.resolution, (extent[3] - extent[1]) / self.resolution

    def panned(self, dx: float, dy: float) -> Viewport:
        """The view after the picture was dragged by (dx, dy) pixels."""
        return replace(self, x=self.x - dx * self.resolution, y=self.y + dy * self.resolution)

    def zoomed(self, factor: float, px: float, py: float) -> Viewport:
        """The view ``factor`` times nearer (below 1: farther); the map point under pixel (px, py) stays there."""
        resolution = self._within(self.resolution / factor)
        x, y = self.to_map(px, py)
        return replace(
            self,
            x=x - (px - self.width / 2) * resolution,
            y=y + (py - self.height / 2) * resolution,
            resolution=resolution,
        )

    def resized(self, width: int, height: int, dpr: float) -> Viewport:
        """The same centre and resolution in a window of another size."""
        return replace(self, width=max(width, 1), height=max(height, 1), dpr=dpr)

    def fitted(self, extent: Extent, margin: float = 0.0) -> Viewport:
        """The view that shows an extent whole, with ``margin`` of its size left free in all.

        An extent without width and height (one point) is centred at the present resolution, at most 1 m per pixel.
        """
        xmin, ymin, xmax, ymax = extent
        resolution = max((xmax - xmin) / self.width, (ymax - ymin) / self.height) * (1 + margin)
        if not resolution > 0:
            resolution = min(self.resolution, 1.0)
        resolution = self._within(resolution)
        return replace(self, x=(xmin + xmax) / 2, y=(ymin + ymax) / 2, resolution=resolution)

    @property
    def scale(self) -> float:
        """Denominator of the scale on a 96 dpi screen."""
        return self.resolution / METRES_PER_PIXEL

    def scaled(self, denominator: float) -> Viewport:
        """The same centre at the scale 1 : denominator."""
        return replace(self, resolution=self._within(denominator * METRES_PER_PIXEL))

    def _within(self, resolution: float) -> float:
        return min(max(resolution, self.least), self.most)

    def same_view(self, other: Viewport, tolerance: float = 0.25) -> bool:
        """True if both show the same picture to within ``tolerance`` pixels anywhere in the window."""
        if (self.width, self.height, self.dpr) != (other.width, other.height, other.dpr):
            return False
        stretch = abs(self.resolution / other.resolution - 1.0) * max(self.width, self.height) / 2
        shift = math.hypot(self.x - other.x, self.y - other.y) / self.resolution
        return stretch + shift <= tolerance


def intersects(a: Extent, b: Extent) -> bool:
    """True if two extents share area."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def contains(outer: Extent, inner: Extent) -> bool:
    """True if ``inner`` lies within ``outer``."""
    return outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]


def united(extents: list[Extent]) -> Extent | None:
    """The extent around all of them; None for none."""
    if not extents:
        return None
    left, bottom, right, top = zip(*extents, strict=True)
    return min(left), min(bottom), max(right), max(top)
