"""A layer as the overlay works on it: valid, two-dimensional, in Z-order, without the rows that have no area."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app.compute.order import z_order
from planner_app.compute.repair import Geometries

if TYPE_CHECKING:
    from planner_app.compute.rings import Rings

Index = NDArray[np.int64]


@dataclass(slots=True)
class Layer:
    """Polygons in Z-order.

    Attributes:
        geoms: valid 2-D polygons and multipolygons, shape (n,).
        row: index of each in the caller's array.
        bounds: envelopes (xmin, ymin, xmax, ymax), shape (n, 4).
        area: m², shape (n,).
    """

    geoms: Geometries
    row: Index
    bounds: NDArray[np.float64]
    area: NDArray[np.float64]
    _rings: Rings | None = field(default=None, repr=False)

    @classmethod
    def of(cls, repaired: Geometries) -> Layer:
        """From the caller's geometries after repair (None where nothing is left)."""
        row = np.flatnonzero(~shapely.is_missing(repaired))
        bounds = shapely.bounds(repaired[row])
        order = z_order(bounds)
        row, bounds = row[order], bounds[order]
        geoms = repaired[row]
        if shapely.has_z(geoms).any():
            geoms = shapely.force_2d(geoms)
        return cls(geoms, row, bounds, shapely.area(geoms))

    def __len__(self) -> int:
        return len(self.geoms)

    def rings(self) -> Rings:
        """The layer as the kernels see it (made once; needs numba)."""
        if self._rings is None:
            from planner_app.compute.rings import rings_of

            self._rings = rings_of(self.geoms, self.bounds)
        return self._rings

    def take(self, index: Index) -> Layer:
        """The features at ``index``, in that order."""
        return Layer(self.geoms[index], self.row[index], self.bounds[index], self.area[index])
