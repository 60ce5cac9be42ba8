"""A longitudinal profile: heights over chainage of ground, tunnel, pipes and what crosses them. Unknown stays None."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from plugins.tunnel.model.space.axis import station

Point = tuple[float, float | None]
"""(chainage, height); None where the height is unknown."""


@dataclass(frozen=True, slots=True)
class Run:
    """A pipe, cable or piece of tunnel along the profile.

    Attributes:
        kind: what runs in it (see ``kinds``), or ``tunnel``.
        points: (chainage, height) of a pipe's axis, of a tunnel's floor.
        outer_d: outer diameter; height of a tunnel's clear space; None if unknown.
    """

    code: str
    kind: str
    points: tuple[Point, ...]
    outer_d: float | None = None
    dn_mm: float | None = None
    material: str = ""
    profile: str = ""

    @property
    def from_m(self) -> float:
        """Chainage of its start."""
        return self.points[0][0]

    @property
    def to_m(self) -> float:
        """Chainage of its end."""
        return self.points[-1][0]


@dataclass(frozen=True, slots=True)
class Stop:
    """A node on the profile: manhole, valve, opening; ``label``: what it is."""

    code: str
    label: str
    m: float
    ground_z: float | None
    z: float | None


@dataclass(frozen=True, slots=True)
class Crossing:
    """A line that crosses the profile in plan. ``z``: of its axis."""

    line: str
    kind: str
    m: float
    z: float | None
    outer_d: float | None


@dataclass(frozen=True, slots=True)
class Profile:
    """What a profile shows.

    Attributes:
        subject: ``pipe`` or ``tunnel``.
        main: the line the profile follows, piece by piece; ``within``: lines that lie in the tunnel.
        ground: (chainage, height); xy: (chainage, x, y) of the line in plan, for a cursor on the map.
        notes: (code, params) of what is wrong or had to be assumed.
    """

    subject: str
    name: str
    main: tuple[Run, ...]
    ground: tuple[Point, ...]
    stops: tuple[Stop, ...]
    within: tuple[Run, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    xy: tuple[tuple[float, float, float], ...] = ()
    notes: tuple[tuple[str, dict[str, Any]], ...] = field(default=())

    @property
    def ends(self) -> tuple[float, float]:
        """First and last chainage."""
        return self.main[0].from_m, self.main[-1].to_m

    def run_at(self, m: float) -> Run | None:
        """The piece of the main line at a chainage."""
        return next((run for run in self.main if run.from_m - 1e-6 <= m <= run.to_m + 1e-6), None)

    def z(self, m: float) -> float | None:
        """Height of the main line at a chainage."""
        run = self.run_at(m)
        return None if run is None else between(run.points, m)

    def ground_z(self, m: float) -> float | None:
        """Height of the ground at a chainage."""
        return between(self.ground, m)

    def place(self, m: float) -> tuple[float, float] | None:
        """Where a chainage lies on the map."""
        x, y = between([(at, x) for at, x, _ in self.xy], m), between([(at, y) for at, _, y in self.xy], m)
        return None if x is None or y is None else (x, y)


def between(points: Sequence[Point], m: float) -> float | None:
    """A value between points; None outside them and beside unknown ones."""
    for (a, za), (b, zb) in pairwise(points):
        if a - 1e-6 <= m <= b + 1e-6:
            if m <= a + 1e-6 and za is not None:
                return za
            if m >= b - 1e-6:
                if zb is not None:
                    return zb
                continue
            if za is None or zb is None:
                return None
            return za + (zb - za) * (m - a) / (b - a)
    return points[0][1] if len(points) == 1 and abs(points[0][0] - m) < 1e-6 else None


def known_pieces(points: Sequence[Point]) -> Iterator[list[tuple[float, float]]]:
    """Stretches of points whose heights are known."""
    piece: list[tuple[float, float]] = []
    for m, z in points:
        if z is None:
            if len(piece) > 1:
                yield piece
            piece = []
        else:
            piece.append((m, z))
    if len(piece) > 1:
        yield piece


def slopes(points: Sequence[Point], tolerance: float = 0.05) -> list[tuple[float, float, float | None]]:
    """(from, to, slope) between the points where the slope changes by more than ``tolerance`` metres of height.

    The slope is a fraction, positive uphill; None where a height is unknown.
    """
    found: list[tuple[float, float, float | None]] = []
    stretch: list[tuple[float, float]] = []
    for (a, za), (b, zb) in pairwise(points):
        if b <= a:
            continue
        if za is None or zb is None:
            found += _straight(stretch, tolerance)
            stretch = []
            found.append((a, b, None))
        else:
            stretch = stretch or [(a, za)]
            stretch.append((b, zb))
    return found + _straight(stretch, tolerance)


def _straight(points: list[tuple[float, float]], tolerance: float) -> list[tuple[float, float, float | None]]:
    if len(points) < 2:
        return []
    (a, za), (b, zb) = points[0], points[-1]
    slope = (zb - za) / (b - a)
    off = [abs(za + slope * (m - a) - z) for m, z in points]
    worst = max(range(len(points)), key=off.__getitem__)
    if off[worst] <= tolerance:
        return [(a, b, slope)]
    return _straight(points[: worst + 1], tolerance) + _straight(points[worst:], tolerance)


def profile_rows(profile: Profile) -> list[dict[str, Any]]:
    """Everything on a profile by chainage: nodes, points where the line bends, crossings. Unknown values are None."""
    grades = [piece for run in profile.main for piece in slopes(run.points)]
    rows = [
        _row(profile, grades, "node", stop.m, stop.code, stop.label, z=stop.z, ground=stop.ground_z)
        for stop in profile.stops
    ]
    there = {round(stop.m, 3) for stop in profile.stops}
    for run in profile.main:
        for m, z in run.points:
            if round(m, 3) not in there:
                there.add(round(m, 3))
                rows.append(_row(profile, grades, "point", m, run.code, "", z=z))
    for one in profile.crossings:
        row = _row(profile, grades, "crossing", one.m, one.line, one.kind, z=profile.z(one.m))
        rows.append(row | {"crossing_z": one.z, "crossing_outer_d": one.outer_d, "gap_m": gap(profile, one)})
    return sorted(rows, key=lambda row: (row["m"], row["type"]))


def profile_csv(profile: Profile) -> bytes:
    """All rows as CSV with a byte order mark, so that spreadsheets read the Chinese; unknown cells are empty."""
    rows = profile_rows(profile)
    out = io.StringIO()
    writer = csv.writer(out)
    names = list(rows[0]) if rows else []
    writer.writerow(["station", *names])
    for row in rows:
        writer.writerow([station(row["m"]), *("" if row[name] is None else _plain(row[name]) for name in names)])
    return out.getvalue().encode("utf-8-sig")


def _plain(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


def _row(
    profile: Profile, grades: Sequence[tuple[float, float, float | None]], what: str, m: float, code: str, label: str,
    *, z: float | None, ground: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    ground = profile.ground_z(m) if ground is None else ground
    run = profile.run_at(m)
    place = profile.place(m)
    slope = next((slope for a, b, slope in grades if a - 1e-6 <= m < b - 1e-6), None)
    return {
        "m": m, "type": what, "code": code, "label": label, "ground_z": ground, "z": z,
        "depth_m": None if ground is None or z is None else ground - z, "slope": slope,
        "line": run.code if run else None, "dn_mm": run.dn_mm if run else None,
        "outer_d": run.outer_d if run else None, "material": run.material if run else "",
        "crossing_z": None, "crossing_outer_d": None, "gap_m": None,
        "x": place[0] if place else None, "y": place[1] if place else None,
    }  # fmt: skip


def gap(profile: Profile, one: Crossing) -> float | None:
    """Vertical gap (m) between the outer surfaces of the main line and a crossing; negative if they collide, None if a
    height or size is unknown."""
    run, z = profile.run_at(one.m), profile.z(one.m)
    if run is None or z is None or one.z is None or run.outer_d is None or one.outer_d is None:
        return None
    low, high = (z, z + run.outer_d) if run.kind == "tunnel" else (z - run.outer_d / 2, z + run.outer_d / 2)
    return max(one.z - one.outer_d / 2 - high, low - one.z - one.outer_d / 2)
