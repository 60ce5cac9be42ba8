"""Z-order: features near each other in the city become neighbours in memory (big layers: half the time)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BITS = 16
#: (shift, mask) that spread 16 bits apart, one free bit between any two.
_SPREAD = ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555))


def z_order(bounds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order of the envelopes' centres along the Z-order (Morton) curve.

    Args:
        bounds: envelopes (xmin, ymin, xmax, ymax), shape (n, 4); all finite.
    """
    if len(bounds) == 0:
        return np.zeros(0, np.int64)
    centre = (bounds[:, :2] + bounds[:, 2:]) / 2
    low = centre.min(axis=0)
    extent = float((centre.max(axis=0) - low).max())
    cell = ((centre - low) * ((2**_BITS - 1) / extent if extent > 0 else 0.0)).astype(np.uint64)
    for shift, mask in _SPREAD:
        cell = (cell | (cell << np.uint64(shift))) & np.uint64(mask)
    return np.argsort(cell[:, 0] | (cell[:, 1] << np.uint64(1)), kind="stable")
