"""Control points of a drawing: read from a table, fitted by least squares, doubted where they do not agree."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.placement import ControlPoint, Matrix
from plugins.review.model.drawing.types import Note

#: A free scale farther from 1 than this is no surveying: other units, a wrong point, a resized plan.
SCALE_TOLERANCE = 1e-3
#: Points nearer than this are one, m.
SAME_M = 0.005
#: Residual above which a fit is remarked upon, m.
REMARKABLE_M = 0.05
_MOST_BYTES = 2_000_000
_HEADS = (
    ("name", r"name|id|no|nr|point|pt|点号|点名|编号|序号|控制点"),
    ("east", r"e|east(ing)?(_?m)?|ground_?e(ast)?|.*东.*"),
    ("north", r"n|north(ing)?(_?m)?|ground_?n(orth)?|.*北.*"),
    ("x", r"x|.*(drawing|local|dwg|cad|from|source).*x.*|x_?(drawing|local|dwg|cad|from|source)|图.*x.*"),
    ("y", r"y|.*(drawing|local|dwg|cad|from|source).*y.*|y_?(drawing|local|dwg|cad|from|source)|图.*y.*"),
)


@dataclass(frozen=True, slots=True)
class Fit:
    """A plane similarity from (x, y) to (east, north).

    Attributes:
        scale: applied; free: what least squares would like it to be; residuals: per point, m; rms: of used ones.
    """

    matrix: Matrix
    scale: float
    free: float
    residuals: tuple[float, ...]
    rms: float


def read_control_csv(path: Path) -> list[ControlPoint]:
    """Control points of a table: [name,] x, y in the drawing, easting, northing; head line or not, any separator.

    Columns are taken by their heads where those say what they are, else in that order.

    Raises:
        PlannerError: ``review.control_file``, ``review.control_line``, ``review.control_empty``, ``import.encoding_*``.
    """
    from planner_app.domain.text_encoding import read_text

    path = Path(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise PlannerError("review.control_file", file=path.name, detail=f"> {_MOST_BYTES / 1e6:.0f} MB")
        text, _ = read_text(path)
    except OSError as error:
        raise PlannerError("review.control_file", file=path.name, detail=str(error.strerror or error)) from error
    text = text.replace("，", ",").replace("；", ";").replace("\0", "")
    columns: dict[str, int] = {}
    points: list[ControlPoint] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        cells = _cells(line)
        if not points and not columns and sum(_number(cell) is not None for cell in cells) < 4:
            columns = _columns(cells)
            if not columns:
                columns = {"": 0}  # a head that says nothing: by order
            continue
        values = _values(cells, columns)
        if values is None:
            raise PlannerError("review.control_line", file=path.name, line=number, text=line.strip()[:80])
        name, x, y, east, north = values
        points.append(ControlPoint(x, y, east, north, name or str(len(points) + 1)))
    if not points:
        raise PlannerError("review.control_empty", file=path.name)
    return points


def _cells(line: str) -> list[str]:
    for mark in ("\t", ";", ","):
        if mark in line:
            cells = next(csv.reader([line], delimiter=mark, skipinitialspace=True), [])
            break
    else:
        cells = line.split()
    return [cell.strip().strip("\ufeff") for cell in cells]


def _number(cell: str) -> float | None:
    text = cell.replace(" ", "")
    if re.fullmatch(r"[+-]?\d+,\d+", text):
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _columns(heads: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for at, head in enumerate(heads):
        plain = re.sub(r"[\s()（）\[\]:：.]", "", head).casefold()
        for name, pattern in _HEADS:
            if name not in found and re.fullmatch(pattern, plain):
                found[name] = at
                break
    return found if {"x", "y", "east", "north"} <= set(found) else {}


def _values(cells: Sequence[str], columns: dict[str, int]) -> tuple[str, float, float, float, float] | None:
    if "x" in columns:
        if max(columns.values()) >= len(cells):
            return None
        numbers = [_number(cells[columns[key]]) for key in ("x", "y", "east", "north")]
        name = cells[columns["name"]] if "name" in columns else ""
    else:
        filled = [cell for cell in cells if cell]
        if len(filled) < 4:
            return None
        name = filled[0] if len(filled) > 4 else ""
        numbers = [_number(cell) for cell in (filled[1:5] if len(filled) > 4 else filled)]
    x, y, east, north = numbers
    if x is None or y is None or east is None or north is None:
        return None
    return name, x, y, east, north


def distinct(points: Sequence[ControlPoint]) -> tuple[list[ControlPoint], list[Note]]:
    """The points without repetitions.

    Raises:
        PlannerError: ``review.control_duplicate`` for one place in the drawing with two on the ground or the other
            way round, ``review.control_points`` for fewer than two.
    """
    kept: list[ControlPoint] = []
    repeated: list[str] = []
    for point in points:
        for other in kept:
            here = math.hypot(point.x - other.x, point.y - other.y)
            there = math.hypot(point.east - other.east, point.north - other.north)
            if here <= SAME_M and there <= SAME_M:
                repeated.append(point.name)
                break
            if (here <= SAME_M or there <= SAME_M) and point.used and other.used:
                raise PlannerError(
                    "review.control_duplicate", point=point.name, other=other.name, here=here, there=there
                )
        else:
            kept.append(point)
    if sum(point.used for point in kept) < 2:
        raise PlannerError("review.control_points", count=sum(point.used for point in kept))
    return kept, ([("review.control_repeated", {"names": ", ".join(repeated[:20])})] if repeated else [])


def fit(points: Sequence[ControlPoint], *, free_scale: bool = False) -> Fit:
    """Least-squares plane similarity through the points in use (Helmert: shift, rotation, and a scale if allowed).

    With u, v the points less their centroids, the rotation is atan2(Σ u×v, Σ u·v), the free scale √((Σ u·v)² +
    (Σ u×v)²) / Σ u²; the rotation is the same whether the scale is free or 1.
    """
    table = np.array([(p.x, p.y, p.east, p.north) for p in points], dtype=np.float64)
    used = np.array([p.used for p in points], dtype=bool)
    centre = table[used].mean(axis=0)
    u, v = table[used, :2] - centre[:2], table[used, 2:] - centre[2:]
    dot, cross = float((u * v).sum()), float((u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).sum())
    spread = float((u * u).sum())
    free = math.hypot(dot, cross) / spread if spread > 0.0 else 1.0
    scale = free if free_scale else 1.0
    turn = math.atan2(cross, dot)
    a, b = scale * math.cos(turn), scale * math.sin(turn)
    matrix = (
        a,
        -b,
        float(centre[2] - a * centre[0] + b * centre[1]),
        b,
        a,
        float(centre[3] - b * centre[0] - a * centre[1]),
    )
    made = np.column_stack([
        centre[2] + a * (table[:, 0] - centre[0]) - b * (table[:, 1] - centre[1]),
        centre[3] + b * (table[:, 0] - centre[0]) + a * (table[:, 1] - centre[1]),
    ])  # fmt: skip
    away: NDArray[np.float64] = np.hypot(*(made - table[:, 2:]).T)
    rms = float(np.sqrt((away[used] ** 2).mean()))
    return Fit(matrix, scale, free, tuple(float(one) for one in away), rms)


def swapped_ground(points: Sequence[ControlPoint]) -> list[ControlPoint]:
    """With east and north the other way round."""
    return [replace(point, east=point.north, north=point.east) for point in points]


def swapped_drawing(points: Sequence[ControlPoint]) -> list[ControlPoint]:
    """With x and y the other way round."""
    return [replace(point, x=point.y, y=point.x) for point in points]


def is_mirrored(points: Sequence[ControlPoint]) -> bool:
    """True if the points fit each other's mirror image far better: two columns stand the wrong way round."""
    if sum(point.used for point in points) < 3:
        return False
    as_given, mirrored = fit(points, free_scale=True), fit(swapped_ground(points), free_scale=True)
    return mirrored.rms < 0.1 * as_given.rms and as_given.rms > REMARKABLE_M


def outlier(points: Sequence[ControlPoint], found: Fit) -> tuple[ControlPoint, float, float] | None:
    """The one point that does not fit: (point, how far it lies from where the others put it, their rms in m)."""
    used = [at for at, point in enumerate(points) if point.used]
    if len(used) < 3 or found.rms <= REMARKABLE_M:
        return None
    best: tuple[float, int, float] | None = None
    for at in used:
        others = fit(
            [replace(point, used=point.used and here != at) for here, point in enumerate(points)],
            free_scale=found.scale != 1.0 and len(used) > 3,
        )
        if best is None or others.rms < best[0]:
            best = (others.rms, at, others.residuals[at])
    assert best is not None
    rms, at, away = best
    return (points[at], away, rms) if rms < 0.2 * found.rms and away > 5.0 * max(rms, 0.01) else None
