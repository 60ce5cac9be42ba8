"""Which entity is under the pointer, and which vertex is near enough to snap to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from plugins.review.ui.sheet.paint import Mask
from plugins.review.ui.sheet.scene import Curves, Points, Scene

#: Vertices looked at for one snap; in denser views the first ones count.
_MOST_VERTICES = 400_000


def pick(scene: Scene, shown: Mask, x: float, y: float, reach: float) -> int | None:
    """The entity under a point: the nearest line or text within ``reach``, else the smallest area around it."""
    at = np.array([x, y])
    best, nearest = None, reach
    for number in _near(scene.lines, shown, at, reach).tolist():
        away = distance(scene.lines.curve(number), at)
        if away <= nearest:
            best, nearest = int(scene.lines.entity[number]), away
    words = scene.words
    box = words.box
    close = (box[:, :2] <= at).all(axis=1) & (box[:, 2:] >= at).all(axis=1) & shown[words.entity]
    for number in np.flatnonzero(close):
        if _inside(words.corners(np.array([number]))[0], at):
            return int(words.entity[number])
    if best is not None:
        return best
    return _around(scene, shown, at)


def _near(curves: Curves, shown: Mask, at: Points, reach: float) -> NDArray[np.int64]:
    box = curves.box
    if not len(box):
        return np.empty(0, dtype=np.int64)
    touched = (box[:, :2] <= at + reach).all(axis=1) & (box[:, 2:] >= at - reach).all(axis=1)
    return np.flatnonzero(touched & shown[curves.entity])


def distance(points: Points, at: Points) -> float:
    """From a point to a polyline."""
    if len(points) == 1:
        return float(np.hypot(*(points[0] - at)))
    start, step = points[:-1], np.diff(points, axis=0)
    length = np.maximum((step**2).sum(axis=1), 1e-30)
    share = np.clip(((at - start) * step).sum(axis=1) / length, 0.0, 1.0)
    return float(np.sqrt((((start + step * share[:, None]) - at) ** 2).sum(axis=1).min()))


def _inside(ring: Points, at: Points) -> bool:
    """Even-odd test."""
    x, y = at
    (x0, y0), (x1, y1) = ring.T, np.roll(ring, -1, axis=0).T
    crosses = (y0 > y) != (y1 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        right = x < (x1 - x0) * (y - y0) / (y1 - y0) + x0
    return bool((crosses & right).sum() % 2)


def _around(scene: Scene, shown: Mask, at: Points) -> int | None:
    """The smallest filled area, else the smallest closed outline, around a point."""
    best: tuple[bool, float, int] | None = None
    for curves, filled in ((scene.fills, True), (scene.lines, False)):
        inside: dict[int, list[int]] = {}
        for number in _near(curves, shown, at, 0.0).tolist():
            ring = curves.curve(number)
            if filled or (len(ring) > 3 and np.array_equal(ring[0], ring[-1])):
                inside.setdefault(int(curves.entity[number]), []).append(number)
        for entity, numbers in inside.items():
            if sum(_inside(curves.curve(number), at) for number in numbers) % 2:
                box = curves.box[numbers]
                size = float((box[:, 2] - box[:, 0]).max() * (box[:, 3] - box[:, 1]).max())
                found = (not filled, size, entity)
                best = found if best is None or found < best else best
    return best[2] if best is not None else None


def snap(scene: Scene, shown: Mask, x: float, y: float, reach: float) -> tuple[float, float] | None:
    """The nearest vertex within ``reach``."""
    at, best, nearest = np.array([x, y]), None, reach
    for curves in (scene.lines, scene.fills):
        looked = 0
        for number in _near(curves, shown, at, reach).tolist():
            points = curves.curve(number)
            looked += len(points)
            if looked > _MOST_VERTICES:
                break
            away = np.hypot(*(points - at).T)
            vertex = int(away.argmin())
            if away[vertex] <= nearest:
                best, nearest = points[vertex], float(away[vertex])
    return None if best is None else (float(best[0]), float(best[1]))
