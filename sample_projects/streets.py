"""Secondary streets as streamlines of a cross field: they run along and across the main roads and bend with them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import shapely

from sample_projects.curves import Array, Geometry

STEP = 8.0


class CrossField:
    """At each place the direction (modulo a right angle) of the roads and shores about it.

    Directions are averaged as (cos 4θ, sin 4θ), which does not tell a road from its crossing road: the four-fold
    field of street pattern generators (after Chen et al., Interactive procedural street modeling, 2008).
    """

    def __init__(self, lines: Sequence[tuple[Geometry, float]], bounds: tuple[float, float, float, float]) -> None:
        self._cell = 50.0
        self._x0, self._y0 = bounds[0], bounds[1]
        xs = np.arange(bounds[0], bounds[2] + self._cell, self._cell)
        ys = np.arange(bounds[1], bounds[3] + self._cell, self._cell)
        gx, gy = np.meshgrid(xs, ys)
        cosine, sine = np.full(gx.shape, 1e-4), np.zeros(gx.shape)
        for geometry, weight in lines:
            xy = shapely.get_coordinates(shapely.segmentize(geometry, 60))
            middle, run = (xy[1:] + xy[:-1]) / 2, np.diff(xy, axis=0)
            length = np.hypot(run[:, 0], run[:, 1])
            four = 4 * np.arctan2(run[:, 1], run[:, 0])
            for (mx, my), reach, angle in zip(middle, length * weight, four, strict=True):
                w = reach * np.exp(-np.hypot(gx - mx, gy - my) / 190)
                cosine += w * math.cos(angle)
                sine += w * math.sin(angle)
        size = np.hypot(cosine, sine)
        self._c, self._s = cosine / size, sine / size

    def direction(self, x: float, y: float, along: tuple[float, float]) -> tuple[float, float]:
        """Unit vector of the field nearest to ``along``."""
        u, v = (x - self._x0) / self._cell, (y - self._y0) / self._cell
        i, j = int(v), int(u)
        i, j = min(max(i, 0), self._c.shape[0] - 2), min(max(j, 0), self._c.shape[1] - 2)
        fu, fv = u - j, v - i
        weights = ((1 - fu) * (1 - fv), fu * (1 - fv), (1 - fu) * fv, fu * fv)
        nodes = ((i, j), (i, j + 1), (i + 1, j), (i + 1, j + 1))
        c = sum(w * self._c[n] for w, n in zip(weights, nodes, strict=True))
        s = sum(w * self._s[n] for w, n in zip(weights, nodes, strict=True))
        angle = math.atan2(s, c) / 4
        turn = round((math.atan2(along[1], along[0]) - angle) / (math.pi / 2))
        angle += turn * math.pi / 2
        return math.cos(angle), math.sin(angle)


class Tracer:
    """Traces streets that keep a distance from streets of their own direction."""

    def __init__(self, field: CrossField, allowed: Geometry, cell: float = 120.0) -> None:
        self._field, self._cell = field, cell
        self._samples: dict[tuple[int, int], list[tuple[float, float, float, float]]] = defaultdict(list)
        bounds = allowed.bounds
        self._x0, self._y0 = bounds[0], bounds[1]
        xs, ys = np.arange(bounds[0], bounds[2], 10.0), np.arange(bounds[1], bounds[3], 10.0)
        gx, gy = np.meshgrid(xs, ys)
        shapely.prepare(allowed)
        self._mask = shapely.contains_xy(allowed, gx.ravel(), gy.ravel()).reshape(gx.shape)

    def add(self, geometry: Geometry) -> None:
        """Count a line among the streets to keep away from."""
        xy = shapely.get_coordinates(shapely.segmentize(geometry, 16))
        self._add(xy)

    def _add(self, xy: Array) -> None:
        run = np.gradient(xy, axis=0)
        run /= np.maximum(np.hypot(run[:, 0], run[:, 1]), 1e-9)[:, None]
        for (x, y), (dx, dy) in zip(xy.tolist(), run.tolist(), strict=True):
            self._samples[int(x // self._cell), int(y // self._cell)].append((x, y, dx, dy))

    def _inside(self, x: float, y: float) -> bool:
        i, j = int((y - self._y0) / 10), int((x - self._x0) / 10)
        return 0 <= i < self._mask.shape[0] and 0 <= j < self._mask.shape[1] and bool(self._mask[i, j])

    def _crowded(self, x: float, y: float, d: tuple[float, float], distance: float) -> bool:
        reach = math.ceil(distance / self._cell)
        ci, cj, limit = int(x // self._cell), int(y // self._cell), distance * distance
        for i in range(ci - reach, ci + reach + 1):
            for j in range(cj - reach, cj + reach + 1):
                for px, py, dx, dy in self._samples.get((i, j), ()):
                    if (px - x) ** 2 + (py - y) ** 2 < limit and abs(dx * d[0] + dy * d[1]) > 0.72:
                        return True
        return False

    def trace(self, seeds: Array, apart: float, *, shortest: float, longest: float = 2600.0) -> list[Geometry]:
        """Streets ``apart`` metres from one another through the seeds that lie free enough."""
        found = []
        for x, y in seeds.tolist():
            if not self._inside(x, y):
                continue
            for first in ((1.0, 0.0), (0.0, 1.0)):
                start = self._field.direction(x, y, first)
                if self._crowded(x, y, start, apart):
                    continue
                ahead = self._joined(self._run(x, y, start, apart * 0.62, longest / 2), (x, y))
                back = self._joined(self._run(x, y, (-start[0], -start[1]), apart * 0.62, longest / 2), (x, y))
                xy = np.array([*back[::-1], (x, y), *ahead])
                if (len(xy) - 1) * STEP < shortest:
                    continue
                self._add(xy[::2])
                found.append(shapely.linestrings(xy).simplify(0.4))
        return found

    def _joined(self, points: list[tuple[float, float]], start: tuple[float, float]) -> list[tuple[float, float]]:
        """The points, led on to the next crossing street within 230 m if any: a street should not end loose."""
        a, (x, y) = ([start, *points])[-2:] if points else (start, start)
        d = (x - a[0], y - a[1])
        if d == (0.0, 0.0) or not self._inside(x, y):
            return points
        d = (d[0] / STEP, d[1] / STEP)
        more: list[tuple[float, float]] = []
        while len(more) * STEP < 230:
            d = self._field.direction(x, y, d)
            x, y = x + d[0] * STEP, y + d[1] * STEP
            more.append((x, y))
            if not self._inside(x, y):
                return points + more
            if self._crowded(x, y, d, 45):
                return points
            if self._touches(x, y, d):
                return [*points, *more, (x + d[0] * STEP, y + d[1] * STEP), (x + 2 * d[0] * STEP, y + 2 * d[1] * STEP)]
        return points

    def _touches(self, x: float, y: float, d: tuple[float, float]) -> bool:
        ci, cj = int(x // self._cell), int(y // self._cell)
        for i in (ci - 1, ci, ci + 1):
            for j in (cj - 1, cj, cj + 1):
                for px, py, dx, dy in self._samples.get((i, j), ()):
                    if (px - x) ** 2 + (py - y) ** 2 < 100 and abs(dx * d[0] + dy * d[1]) < 0.72:
                        return True
        return False

    def _run(
        self, x: float, y: float, d: tuple[float, float], apart: float, longest: float
    ) -> list[tuple[float, float]]:
        points: list[tuple[float, float]] = []
        while len(points) * STEP < longest:
            half = self._field.direction(x + d[0] * STEP / 2, y + d[1] * STEP / 2, d)
            if half[0] * d[0] + half[1] * d[1] < 0.8:
                break
            d, x, y = half, x + half[0] * STEP, y + half[1] * STEP
            points.append((x, y))
            if not self._inside(x, y) or (len(points) % 2 == 0 and self._crowded(x, y, d, apart)):
                break
        return points
