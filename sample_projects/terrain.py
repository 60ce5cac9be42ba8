"""The lie of the land: outer border, coast, river, lake, creeks, reservoir, hills and their forest."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from sample_projects.curves import (
    Array,
    Geometry,
    Noise,
    blob,
    clean,
    jitter,
    line,
    outline,
    parts,
    ribbon,
    spline,
)

#: Hills: centre, height (m), radius (m).
HILLS = (
    ((520.0, 4560.0), 168.0, 560.0),
    ((1150.0, 5000.0), 122.0, 430.0),
    ((1900.0, 5280.0), 90.0, 420.0),
    ((520.0, 620.0), 140.0, 480.0),
    ((1150.0, 330.0), 96.0, 360.0),
    ((4480.0, 1020.0), 58.0, 210.0),
    ((5480.0, 4960.0), 84.0, 330.0),
    ((2870.0, 3900.0), 40.0, 175.0),
)
CELL = 20.0
STREET = 5.4  # metres: how high the streets with tunnels lie at most; through hills they run in cuttings
FOREST_FOOT = 17.0  # metres above the plain where forest begins


@dataclass(frozen=True, slots=True)
class Creek:
    """A small watercourse in the town or the plain."""

    name: str
    axis: Geometry
    width: float


@dataclass(frozen=True, slots=True)
class Terrain:
    """Nature before the town. Local frame, metres; heights in 1985 datum."""

    border: Geometry
    sea: Geometry
    flats: Geometry
    coast: Geometry
    river: Geometry
    river_axis: Array
    lake: Geometry
    reservoir: Geometry
    creeks: tuple[Creek, ...]
    forest: tuple[Geometry, ...]
    grid_x: Array
    grid_y: Array
    height: Array

    @property
    def water(self) -> Geometry:
        """Sea, river, lakes and creeks together."""
        beds = [creek.axis.buffer(creek.width / 2, cap_style="flat") for creek in self.creeks]
        return shapely.union_all([self.sea, self.river, self.lake, self.reservoir, *beds]).intersection(self.border)

    def height_at(self, x: float, y: float) -> float:
        """Ground height (m) at a point, from the nearest grid node."""
        i = int(np.clip(round((y - self.grid_y[0]) / CELL), 0, len(self.grid_y) - 1))
        j = int(np.clip(round((x - self.grid_x[0]) / CELL), 0, len(self.grid_x) - 1))
        return float(self.height[i, j])


def make_terrain(seed: int) -> Terrain:
    """Terrain of about 33 km² for a seed."""
    rng = np.random.default_rng([seed, 1])
    border = outline(
        jitter(
            rng,
            [
                (90, 1000), (20, 2150), (-40, 3250), (60, 4350), (420, 5130), (1350, 5520), (2450, 5480), (3650, 5330),
                (4900, 5520), (6000, 5330), (6650, 4650), (6930, 3600), (6900, 2300), (6560, 1150), (5900, 330),
                (4750, -110), (3600, -40), (2450, -160), (1250, -150), (420, 190),
            ],
            25,
        )
    )  # fmt: skip
    coast_points = jitter(
        rng,
        [
            (6330, 5900), (6180, 5250), (6240, 4700), (6020, 4150), (6080, 3700), (6220, 3330), (6260, 2900),
            (6080, 2420), (5830, 1900), (5900, 1350), (5640, 820), (5330, 300), (5260, -400),
        ],
        22,
    )  # fmt: skip
    shore = spline(coast_points, step=25)
    wobble = Noise(rng, 260)
    shore[:, 0] += 16 * wobble(shore[:, 0], shore[:, 1])
    coast = shapely.linestrings(shore)
    sea = clean(shapely.polygons(np.concatenate([shore, [[9000, -400], [9000, 5900]]])))

    axis = spline(
        jitter(
            rng,
            [
                (-350, 1500), (450, 1900), (1250, 2060), (2100, 1800), (2850, 1420), (3600, 1480), (4250, 1930),
                (4850, 2480), (5500, 2830), (6150, 3080), (7100, 3180),
            ],
            20,
        ),
        step=25,
    )  # fmt: skip
    along = np.linspace(0, 1, len(axis))
    breadth = 48 + 26 * along + 90 * np.clip((along - 0.8) / 0.2, 0, 1) ** 2
    river = ribbon(axis, breadth + 6 * Noise(rng, 420)(axis[:, 0], axis[:, 1]))

    lake = outline(
        jitter(
            rng,
            [
                (3080, 2790), (3190, 2610), (3420, 2540), (3640, 2640), (3820, 2590), (3960, 2740), (3880, 2950),
                (3690, 3010), (3610, 3160), (3390, 3220), (3230, 3080),
            ],
            12,
        )
    )  # fmt: skip
    reservoir = outline(jitter(rng, [(330, 4010), (470, 3960), (560, 4060), (690, 4080), (640, 4200), (470, 4180)], 8))
    creeks = (
        Creek("月河", line(jitter(rng, [(3540, 2600), (3560, 2300), (3660, 2000), (3640, 1500)], 12)), 26),
        Creek(
            "听潮河", line(jitter(rng, [(3800, 2930), (4350, 3180), (4900, 3420), (5500, 3480), (6180, 3420)], 15)), 30
        ),
        Creek("凤溪", line(jitter(rng, [(620, 4130), (1200, 3800), (1850, 3650), (2500, 3330), (3240, 3000)], 15)), 18),
        Creek("南塘河", line(jitter(rng, [(1480, 560), (1850, 780), (2500, 760), (3250, 1000), (3560, 1450)], 15)), 20),
        Creek("盐塘河", line(jitter(rng, [(4020, 1750), (4650, 1500), (5200, 1350), (5880, 1300)], 15)), 22),
    )
    grid_x, grid_y = np.arange(-300, 7300, CELL), np.arange(-500, 5900, CELL)
    height = _height(rng, grid_x, grid_y, river, sea)
    forest = _forest(grid_x, grid_y, height, border, shapely.union_all([sea, river, reservoir]))
    outer = blob(rng, (6120, 1900), 520, stretch=1.7, turn=1.2)
    flats = outer.intersection(sea).intersection(border)
    return Terrain(
        border, sea.intersection(border), flats, coast, river.intersection(border).difference(sea), axis, lake,
        reservoir, creeks, tuple(forest), grid_x, grid_y, height,
    )  # fmt: skip


def _height(rng: np.random.Generator, grid_x: Array, grid_y: Array, river: Geometry, sea: Geometry) -> Array:
    """Heights (rows y, columns x): a coastal plain of 3 to 6 m with hills on it, sea floor below 0."""
    x, y = np.meshgrid(grid_x, grid_y)
    coarse, fine = Noise(rng, 900), Noise(rng, 260)
    height = 4.2 + 0.9 * coarse(x, y) + 0.25 * fine(x, y) - 0.00018 * (x - 3000)
    for (cx, cy), top, radius in HILLS:
        distance = np.hypot(x - cx, y - cy) * (1 + 0.16 * coarse(x, y) + 0.13 * fine(x, y))
        height += top * np.exp(-((distance / radius) ** 2) * 1.7)
    wet = shapely.contains_xy(shapely.union_all([river, sea]), x.ravel(), y.ravel()).reshape(x.shape)
    return np.where(wet, -2.5 + 0.4 * fine(x, y), height)


def _forest(grid_x: Array, grid_y: Array, height: Array, border: Geometry, water: Geometry) -> list[Geometry]:
    """Hills above the foot line as polygons."""
    from contourpy import contour_generator

    filled: Any = contour_generator(grid_x, grid_y, height, fill_type="OuterOffset").filled(FOREST_FOOT, 1e4)
    shapes = []
    for points, offsets in zip(filled[0], filled[1], strict=True):
        rings = [points[a:b] for a, b in pairwise(offsets)]
        shapes.append(clean(shapely.Polygon(rings[0], rings[1:])))
    whole = shapely.union_all(shapes).buffer(12).buffer(-12).simplify(1.2).intersection(border).difference(water)
    return parts(whole, 4000)


def contours(terrain: Terrain, cut: Geometry, step: float = 10.0) -> list[tuple[float, Geometry]]:
    """(height, line) of the contour lines every ``step`` metres, on land; ``cut``: streets in cuttings."""
    from contourpy import contour_generator

    height = terrain.height.copy()
    high = np.nonzero(height > STREET)
    away = shapely.distance(shapely.points(terrain.grid_x[high[1]], terrain.grid_y[high[0]]), cut)
    height[high] = np.minimum(height[high], STREET + 2 * np.maximum(away - 26, 0))
    generator = contour_generator(terrain.grid_x, terrain.grid_y, height)
    land = terrain.border.difference(shapely.union_all([terrain.sea, terrain.river.buffer(25)]))
    found = []
    for level in np.arange(step, float(terrain.height.max()), step):
        lines = [shapely.linestrings(points) for points in generator.lines(float(level)) if len(points) > 5]
        for curve in lines:
            kept = curve.simplify(1.0).intersection(land)
            found += [(float(level), g) for g in shapely.get_parts(kept) if g.length > 120]
    return found
