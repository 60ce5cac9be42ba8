"""Shapes of redlines: corners, clouds, arrow heads, ticks; in any unit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

Point = tuple[float, float]
Curve = tuple[Point, Point, Point, Point]
"""Start, two handles, end of a Bézier curve."""

#: Bumps of a cloud for a square one; a long one has more.
_BUMPS = 20


def corners(points: Sequence[Point]) -> tuple[Point, ...]:
    """The four corners of a box given by two, going round."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)


def sides(points: Sequence[Point]) -> list[tuple[Point, Point]]:
    """Sides of a ring."""
    return list(zip(points, [*points[1:], points[0]], strict=True))


def bumps(points: Sequence[Point]) -> Iterator[tuple[Point, Point, float]]:
    """(start, end, which way is out: +1 to the right of the way, −1 to the left) of each bump along a ring."""
    around = sum(math.dist(a, b) for a, b in sides(points))
    if not around > 0:
        return
    twice_area = sum(a[0] * b[1] - b[0] * a[1] for a, b in sides(points))
    outward = 1.0 if twice_area > 0 else -1.0
    longer = around / (4.0 * math.sqrt(max(abs(twice_area) / 2.0, 1e-9)))
    bump = around / (_BUMPS * min(max(longer, 1.0), 3.0))
    for a, b in sides(points):
        count = max(1, round(math.dist(a, b) / bump))
        step = ((b[0] - a[0]) / count, (b[1] - a[1]) / count)
        for number in range(count):
            start = (a[0] + step[0] * number, a[1] + step[1] * number)
            yield start, (start[0] + step[0], start[1] + step[1]), outward


def cloud(points: Sequence[Point]) -> Iterator[Curve]:
    """A cloud's bumps as curves."""
    for start, end, outward in bumps(points):
        dx, dy = end[0] - start[0], end[1] - start[1]
        out = (dy * outward * 0.62, -dx * outward * 0.62)
        first = (start[0] + out[0] - dx * 0.12, start[1] + out[1] - dy * 0.12)
        second = (start[0] + out[0] + dx * 1.12, start[1] + out[1] + dy * 1.12)
        yield start, first, second, end


def cloud_reach(points: Sequence[Point]) -> float:
    """How far a cloud's bumps stand out."""
    first = next(bumps(points), None)
    return 0.47 * math.dist(first[0], first[1]) if first is not None else 0.0


def arrow_head(tail: Point, tip: Point, size: float) -> tuple[Point, Point, Point]:
    """One barb, the tip, the other barb."""
    length = math.dist(tail, tip)
    if not length > 0:
        return tip, tip, tip
    size = min(size, length * 0.6)
    ux, uy = (tail[0] - tip[0]) / length, (tail[1] - tip[1]) / length
    made = []
    for turn in (0.42, -0.42):
        cos, sin = math.cos(turn), math.sin(turn)
        made.append((tip[0] + (ux * cos - uy * sin) * size, tip[1] + (ux * sin + uy * cos) * size))
    return made[0], tip, made[1]


def ticks(a: Point, b: Point, half: float) -> tuple[tuple[Point, Point], tuple[Point, Point]]:
    """Short lines across both ends of a dimension."""
    length = math.dist(a, b)
    ax, ay = (-(b[1] - a[1]) / length * half, (b[0] - a[0]) / length * half) if length > 0 else (0.0, half)
    first, second = ((p[0] - ax, p[1] - ay) for p in (a, b))
    return (first, (a[0] + ax, a[1] + ay)), (second, (b[0] + ax, b[1] + ay))


def middle(points: Sequence[Point]) -> Point:
    """The middle of a line; of an area its centre of gravity."""
    if len(points) > 2:
        x0, y0 = points[0]
        area = x = y = 0.0
        for a, b in sides(points):
            px, py, qx, qy = a[0] - x0, a[1] - y0, b[0] - x0, b[1] - y0
            cross = px * qy - qx * py
            area, x, y = area + cross, x + (px + qx) * cross, y + (py + qy) * cross
        if abs(area) > 1e-12:
            return x0 + x / (3 * area), y0 + y / (3 * area)
    return sum(p[0] for p in points) / len(points), sum(p[1] for p in points) / len(points)


def wrapped(text: str, width: float, measure: object) -> list[str]:
    """Lines of a text no wider than ``width`` by ``measure(text)``; broken between any two characters if need be."""
    assert callable(measure)
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for letter in paragraph:
            if line and measure(line + letter) > width:
                head, space, tail = line.rpartition(" ")
                keep = bool(space) and letter.isascii() and not letter.isspace() and len(tail) < 16
                lines.append(head if keep else line)
                line = (tail if keep else "") + letter
            else:
                line += letter
        lines.append(line)
    return lines
