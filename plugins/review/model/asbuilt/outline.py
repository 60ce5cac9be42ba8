"""How one outline stands to another: by how much it moved as a whole, and by how much its corners differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

#: Corners that agree on a movement within this (m) speak for it.
_AGREE = 0.03
#: A vertex nearer than this (m) to the straight line past it is no corner.
_STRAIGHT = 0.02


@dataclass(frozen=True, slots=True)
class OutlineShift:
    """Differences of two outlines, m.

    Attributes:
        dx, dy: movement of the building as a whole: that of most of its corners, of equally many the smaller one;
            where no two agree, the middle one. X is easting.
        corner: largest distance of a corner from where it was approved.
        residual: the same after the movement is taken off: what was built wider, deeper, cut or turned.
        worst: (approved, built) place of the corner behind ``corner``.
    """

    dx: float
    dy: float
    corner: float
    residual: float
    worst: tuple[tuple[float, float], tuple[float, float]]

    @property
    def distance(self) -> float:
        """Length of the movement."""
        return float(np.hypot(self.dx, self.dy))


def outline_shift(approved: BaseGeometry, built: BaseGeometry) -> OutlineShift:
    """Compare two outlines in the same axes, metres; holes (courtyards) count too."""
    ours, theirs = _corners(approved), _corners(built)
    middle = np.array(built.centroid.coords[0]) - np.array(approved.centroid.coords[0])
    # Corners are matched where they stand, or, if the building stands far off, after its middle is laid over.
    start = min((np.zeros(2), middle), key=lambda move: float(_nearest(ours + move, theirs)[1].sum()))
    at, _ = _nearest(ours + start, theirs)
    steps = theirs[at] - ours
    move = _common(steps)
    apart = np.hypot(steps[:, 0], steps[:, 1])
    rest = _rest(ours + move, theirs)
    lost, _ = _nearest(theirs - move, ours)
    new = np.hypot(*(theirs - move - ours[lost]).T)
    # A corner that only was added on an approved side lies no further off than that side.
    outside = shapely.distance(shapely.points(theirs - move), approved.boundary)
    residual = float(max(rest.max(), np.minimum(new, outside).max()))
    worst = int(apart.argmax())
    places = (tuple(ours[worst].tolist()), tuple(theirs[at[worst]].tolist()))
    return OutlineShift(
        float(move[0]), float(move[1]), max(float(apart.max()), residual), residual,
        ((places[0][0], places[0][1]), (places[1][0], places[1][1])),
    )  # fmt: skip


def _corners(shape: BaseGeometry) -> NDArray[np.float64]:
    plain = shape.simplify(_STRAIGHT)
    rings = [ring for part in shapely.get_parts(plain) for ring in (part.exterior, *part.interiors)]
    return np.concatenate([_turns(shapely.get_coordinates(ring)[:-1]) for ring in rings])


def _turns(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ring without vertices on a straight line, its first among them (which simplifying always keeps)."""
    if len(ring) < 4:
        return ring
    before, after = np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0)
    along = after - before
    length = np.hypot(along[:, 0], along[:, 1])
    off = np.abs(along[:, 0] * (ring - before)[:, 1] - along[:, 1] * (ring - before)[:, 0]) / np.maximum(length, 1e-9)
    kept = ring[off > _STRAIGHT]
    return kept if len(kept) >= 3 else ring


def _nearest(points: NDArray[np.float64], others: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """(index, distance) of the nearest of the others to each point."""
    tree = shapely.STRtree(shapely.points(others))
    at, distance = tree.query_nearest(shapely.points(points), return_distance=True, all_matches=False)
    return np.asarray(at[1]), np.asarray(distance)


def _rest(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    return _nearest(points, others)[1]


def _common(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """The movement most corners share."""
    gaps = np.hypot(*(steps[:, None, :] - steps[None, :, :]).transpose(2, 0, 1))
    votes = (gaps <= _AGREE).sum(axis=1)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    best = min(range(len(steps)), key=lambda n: (-votes[n], lengths[n]))
    if votes[best] < 2 or 3 * votes[best] < len(steps):
        return np.asarray(np.median(steps, axis=0))
    return np.asarray(np.mean(steps[gaps[best] <= _AGREE], axis=0))
