"""Chainage along a tunnel's axis: a place for every M, and the M of a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app.domain.errors import PlannerError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of axis (LineString, Z where known) from one chainage to another."""

    shape: Any
    from_m: float
    to_m: float


@dataclass(frozen=True)
class Axis:
    """n points of a tunnel's axis. ``m``: float64 (n,), ascending; ``xyz``: (n, 3), z of the floor, NaN if unknown."""

    m: Floats
    xyz: Floats

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Axis:
        """Runs one behind the other; within each, chainage goes with length, so that its ends keep their M.

        Raises:
            PlannerError: ``tunnel.no_axis`` if no run has a length.
        """
        ms, points = [], []
        for run in sorted(runs, key=lambda run: run.from_m):
            if run.shape is None or run.shape.length <= 0:
                continue
            xyz = shapely.get_coordinates(run.shape, include_z=True)
            along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xyz[:, :2], axis=0).T))])
            ms.append(run.from_m + along / along[-1] * (run.to_m - run.from_m))
            points.append(xyz)
        if not ms:
            raise PlannerError("tunnel.no_axis")
        m, keep = np.unique(np.concatenate(ms).round(6), return_index=True)
        return cls(m, np.concatenate(points)[keep])

    @property
    def ends(self) -> tuple[float, float]:
        """First and last chainage."""
        return float(self.m[0]), float(self.m[-1])

    def at(self, m: float) -> tuple[float, float, float]:
        """x, y, z at a chainage; beyond the ends those of the end."""
        x, y, z = (float(np.interp(m, self.m, self.xyz[:, k])) for k in range(3))
        return x, y, z

    def right(self, m: float) -> tuple[float, float]:
        """Unit vector in plan to the right of the axis at a chainage."""
        k = int(np.clip(np.searchsorted(self.m, m, side="right") - 1, 0, len(self.m) - 2))
        dx, dy = (self.xyz[k + 1] - self.xyz[k])[:2]
        size = float(np.hypot(dx, dy)) or 1.0
        return float(dy) / size, -float(dx) / size

    def locate(self, x: float, y: float) -> tuple[float, float]:
        """(chainage, distance in plan) of the nearest place on the axis."""
        line = self.line
        along = shapely.line_locate_point(line, shapely.Point(x, y))
        return self.m_of(float(along)), float(shapely.distance(line, shapely.Point(x, y)))

    def m_of(self, along: float) -> float:
        """Chainage at a length along the axis in plan."""
        return float(np.interp(along, self._along, self.m))

    @cached_property
    def line(self) -> Any:
        """The axis in plan."""
        return shapely.linestrings(self.xyz[:, :2])

    @cached_property
    def _along(self) -> Floats:
        return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self.xyz[:, :2], axis=0).T))])


def station(m: float) -> str:
    """Chainage as written on sheets: ``K1+234.50``."""
    sign, m = ("-" if m < 0 else ""), abs(round(m, 2))
    return f"{sign}K{int(m // 1000)}+{m % 1000:06.2f}"


def parse_station(text: str) -> float:
    """Chainage (m) from ``1234.5`` or ``K1+234.5``.

    Raises:
        PlannerError: ``tunnel.chainage_unreadable``.
    """
    whole, plus, rest = text.strip().upper().removeprefix("K").partition("+")
    try:
        found = int(whole) * 1000 + float(rest) if plus else float(whole)
    except ValueError:
        raise PlannerError("tunnel.chainage_unreadable", text=text) from None
    if not np.isfinite(found):
        raise PlannerError("tunnel.chainage_unreadable", text=text)
    return found
