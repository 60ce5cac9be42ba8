"""A longitudinal profile on the screen: the picture above, the band of data below, both by chainage."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from planner_app.domain.finding import Finding, Verdict
from planner_app.i18n import tr
from plugins.tunnel.model.space.axis import station
from plugins.tunnel.model.space.kinds import NAMES
from plugins.tunnel.model.space.profile import Profile, Run, Stop, known_pieces, slopes
from plugins.tunnel.model.space.profile_sheet import spans_of
from plugins.tunnel.ui.space.looks import Looks, mixed, scaled

GROUND, GROUND_DARK = QColor(121, 85, 45), QColor(190, 150, 105)
Stretch = tuple[float, float, str, float | None]
"""(from, to, words, slope)"""
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


@dataclass(slots=True)
class View:
    """Chainage and height → pixels. ``m`` at the picture's left edge, ``z`` at its foot, pixels per metre of both.

    ``names``: there is room for the names of nodes.
    """

    m: float = 0.0
    z: float = 0.0
    across: float = 1.0
    up: float = 10.0
    names: bool = True
    picture: QRectF = field(default_factory=lambda: QRectF(0, 0, 100, 100))
    band: QRectF = field(default_factory=lambda: QRectF(0, 100, 100, 100))

    def x(self, m: float) -> float:
        """Pixel of a chainage."""
        return self.picture.left() + (m - self.m) * self.across

    def y(self, z: float) -> float:
        """Pixel of a height."""
        return self.picture.bottom() - (z - self.z) * self.up

    def m_at(self, x: float) -> float:
        """Chainage of a pixel."""
        return self.m + (x - self.picture.left()) / self.across

    @property
    def span(self) -> tuple[float, float]:
        """Chainages at the picture's edges."""
        return self.m, self.m_at(self.picture.right())


def heights_in(profile: Profile, low: float, high: float) -> list[float]:
    """Known heights of everything between two chainages."""
    found = []
    for run in (*profile.main, *profile.within):
        up = (run.outer_d or 0.0) if run.kind == "tunnel" else (run.outer_d or 0.0) / 2
        down = 0.0 if run.kind == "tunnel" else (run.outer_d or 0.0) / 2
        for _, z in _clipped(run.points, low, high):
            if z is not None:
                found += [z - down, z + up]
    found += [z for _, z in _clipped(profile.ground, low, high) if z is not None]
    found += [one.z for one in profile.crossings if one.z is not None and low <= one.m <= high]
    return found + [one.ground_z for one in profile.stops if one.ground_z is not None and low <= one.m <= high]


def _clipped(points: Sequence[tuple[float, float | None]], low: float, high: float) -> list[tuple[float, float | None]]:
    """Points from the one before ``low`` to the one after ``high``."""
    first = next((n for n, (m, _) in enumerate(points) if m >= low), len(points))
    last = next((n for n in range(len(points) - 1, -1, -1) if points[n][0] <= high), -1)
    return list(points[max(0, first - 1) : last + 2])


def paint_profile(
    painter: QPainter, looks: Looks, view: View, profile: Profile, findings: Sequence[Finding],
    slopes_of: Sequence[Stretch],
) -> None:  # fmt: skip
    """Everything but the cursor. ``slopes_of``: :func:`slope_pieces` of the profile, worked out once."""
    painter.save()
    _grid(painter, looks, view)
    painter.setClipRect(view.picture)
    low, high = view.span
    _ground(painter, looks, view, profile)
    for run in profile.main:
        if run.to_m >= low and run.from_m <= high:
            _main(painter, looks, view, run)
    for run in profile.within:
        if run.to_m >= low and run.from_m <= high:
            for piece in known_pieces(_clipped(run.points, low, high)):
                painter.setPen(QPen(looks.line(run.kind)[0], 1.6))
                painter.drawPolyline(QPolygonF([QPointF(view.x(m), view.y(z)) for m, z in piece]))
    _stops(painter, looks, view, profile)
    _crossings(painter, looks, view, profile)
    _spans(painter, looks, view, findings)
    painter.restore()
    _band(painter, looks, view, profile, slopes_of)


def _grid(painter: QPainter, looks: Looks, view: View) -> None:
    step = next((one for one in _STEPS if one * view.up >= scaled(26)), _STEPS[-1])
    painter.setFont(looks.font(11))
    m = QFontMetricsF(painter.font())
    z = math.ceil(view.z / step) * step
    while view.y(z) > view.picture.top() + m.height() / 2:
        y = view.y(z)
        painter.setPen(QPen(looks.token("line"), 1))
        painter.drawLine(QPointF(view.picture.left(), y), QPointF(view.picture.right(), y))
        painter.setPen(looks.token("secondary"))
        label = f"{z:.1f}" if step < 1 else f"{z:.0f}"
        painter.drawText(QPointF(view.picture.left() - m.horizontalAdvance(label) - 6, y + m.ascent() / 2 - 1), label)
        z += step


def _ground(painter: QPainter, looks: Looks, view: View, profile: Profile) -> None:
    colour = GROUND_DARK if looks.dark else GROUND
    for piece in known_pieces(_clipped(profile.ground, *view.span)):
        points = [QPointF(view.x(m), view.y(z)) for m, z in piece]
        feet = [QPointF(points[-1].x(), view.picture.bottom()), QPointF(points[0].x(), view.picture.bottom())]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(mixed(looks.token("panel"), colour, 0.08))
        painter.drawPolygon(QPolygonF([*points, *feet]))
        painter.setPen(QPen(colour, 2))
        painter.drawPolyline(QPolygonF(points))


def _main(painter: QPainter, looks: Looks, view: View, run: Run) -> None:
    low, high = view.span
    points = _clipped(run.points, low, high)
    size = run.outer_d or 0.0
    down, up = (0.0, size) if run.kind == "tunnel" else (size / 2, size / 2)
    outline, fill = looks.line(run.kind)
    if run.kind == "tunnel":
        outline, fill = looks.token("secondary"), mixed(looks.token("panel"), looks.token("ink"), 0.07)
    for piece in known_pieces(points):
        under = [QPointF(view.x(m), view.y(z - down)) for m, z in piece]
        over = [QPointF(view.x(m), view.y(z + up)) for m, z in piece]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        if size * view.up > 2:
            painter.drawPolygon(QPolygonF([*under, *reversed(over)]))
        painter.setPen(QPen(outline, 1.6 if size * view.up > 2 else 2.4))
        painter.drawPolyline(QPolygonF(under))
        if size * view.up > 2:
            painter.drawPolyline(QPolygonF(over))
    for (a, za), (b, zb) in pairwise(points):
        if za is None or zb is None:
            y = view.picture.bottom() - 8
            painter.setPen(QPen(looks.token("cannot_judge"), 1.5, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(view.x(a), y), QPointF(view.x(b), y))
            _fitting(painter, looks, tr("height unknown"), view.x(a), view.x(b), y - 3, "cannot_judge")


def _fitting(painter: QPainter, looks: Looks, text: str, left: float, right: float, y: float, token: str) -> None:
    """Text centred between two pixels, left out where it does not fit."""
    painter.setFont(looks.font(11))
    wide = QFontMetricsF(painter.font()).horizontalAdvance(text)
    if wide + 4 <= right - left:
        painter.setPen(looks.token(token))
        painter.drawText(QPointF((left + right - wide) / 2, y), text)


def _stops(painter: QPainter, looks: Looks, view: View, profile: Profile) -> None:
    """Nodes: from the ground down to the line, named above the ground where there is room."""
    last, (low, high) = -math.inf, view.span
    painter.setFont(looks.font(11))
    height = QFontMetricsF(painter.font()).height()
    for stop in sorted(profile.stops, key=lambda one: one.m):
        if not low <= stop.m <= high:
            continue
        x, run = view.x(stop.m), profile.run_at(stop.m)
        top = stop.ground_z if stop.ground_z is not None else profile.ground_z(stop.m)
        foot = stop.z
        if foot is not None and run is not None and run.kind == "tunnel":
            foot += run.outer_d or 0.0
        painter.setPen(QPen(looks.token("secondary"), 1))
        if top is not None and foot is not None:
            for side in (-1.5, 1.5):
                painter.drawLine(QPointF(x + side, view.y(top)), QPointF(x + side, view.y(foot)))
            painter.drawLine(QPointF(x - 4, view.y(top)), QPointF(x + 4, view.y(top)))
        at = top if top is not None else foot
        if view.names and at is not None and x - last >= height:
            painter.save()
            painter.translate(x, view.y(at) - 5)
            painter.rotate(-90)
            painter.setPen(looks.token("ink"))
            painter.drawText(QPointF(0, height / 4), stop.label or stop.code)
            painter.restore()
            last = x


def _crossings(painter: QPainter, looks: Looks, view: View, profile: Profile) -> None:
    low, high = view.span
    for one in profile.crossings:
        if not low <= one.m <= high:
            continue
        x, (outline, fill) = view.x(one.m), looks.line(one.kind)
        painter.setPen(QPen(outline, 1.6))
        painter.setBrush(fill)
        if one.z is not None:
            r = (one.outer_d or 0.0) / 2
            painter.drawEllipse(QPointF(x, view.y(one.z)), max(3.0, r * view.across), max(4.0, r * view.up))
            continue
        ground = profile.ground_z(one.m)
        y = view.y(ground) + 14 if ground is not None else view.picture.bottom() - 24
        painter.drawEllipse(QPointF(x, y), 7, 7)
        painter.setPen(looks.token("ink"))
        painter.setFont(looks.font(11, bold=True))
        painter.drawText(QRectF(x - 7, y - 7, 14, 14), Qt.AlignmentFlag.AlignCenter, "?")


def _spans(painter: QPainter, looks: Looks, view: View, findings: Sequence[Finding]) -> None:
    """A dimension line at the foot of the picture per stretch that fails or needs a certificate."""
    ends: list[float] = []
    painter.setFont(looks.font(11, bold=True))
    m = QFontMetricsF(painter.font())
    for verdict, low, high, text in spans_of(findings):
        a, b = max(view.x(low), view.picture.left() + 4), min(view.x(high), view.picture.right() - 4)
        if b <= a:
            continue
        row = next((n for n, end in enumerate(ends) if end < a), len(ends))
        ends[row:] = [max(b, a + m.horizontalAdvance(text) + 8)]
        y = view.picture.bottom() - 6 - row * (m.height() + 3)
        style = Qt.PenStyle.SolidLine if verdict is Verdict.FAIL else Qt.PenStyle.DashLine
        painter.setPen(QPen(looks.token(verdict.value), 1.6, style))
        painter.drawLine(QPointF(a, y), QPointF(b, y))
        for x in (a, b):
            painter.drawLine(QPointF(x - 3, y + 3), QPointF(x + 3, y - 3))
        painter.drawText(QPointF(a + 6, y - 3), text)


@dataclass(frozen=True, slots=True)
class _Row:
    title: str
    value: Callable[[float, Stop | None], str] | None = None


def band_rows(profile: Profile) -> list[_Row]:
    """Rows of the band; those without ``value`` are drawn piece by piece (slope, section or size)."""
    tunnel = profile.subject == "tunnel"

    def ground(m: float, stop: Stop | None) -> float | None:
        return stop.ground_z if stop is not None and stop.ground_z is not None else profile.ground_z(m)

    def level(m: float, stop: Stop | None) -> float | None:
        return stop.z if stop is not None and stop.z is not None else profile.z(m)

    def over(m: float, stop: Stop | None) -> float | None:
        top, z, run = ground(m, stop), level(m, stop), profile.run_at(m)
        if top is None or z is None or run is None or run.outer_d is None:
            return None
        return top - z - (run.outer_d if tunnel else run.outer_d / 2)

    return [
        _Row(tr("Chainage"), lambda m, stop: station(m)),
        _Row(tr("Ground level"), lambda m, stop: number(ground(m, stop))),
        _Row(tr("Level of the floor") if tunnel else tr("Level of the axis"), lambda m, stop: number(level(m, stop))),
        _Row(tr("Cover over the roof") if tunnel else tr("Cover over the pipe"), lambda m, s: number(over(m, s), 2)),
        _Row(tr("Slope (‰)")),
        _Row(tr("Section") if tunnel else tr("Size and material")),
    ]


def number(value: float | None, digits: int = 3) -> str:
    """A number, ``unknown`` for None."""
    return tr("unknown") if value is None else f"{value:.{digits}f}"


def row_height() -> int:
    """Pixels of a row of the band."""
    return scaled(19)


def _band(painter: QPainter, looks: Looks, view: View, profile: Profile, slopes_of: Sequence[Stretch]) -> None:
    rows, tall = band_rows(profile), row_height()
    shown = _shown(profile, view, scaled(66))
    painter.setFont(looks.font(11))
    m = QFontMetricsF(painter.font())
    for n, row in enumerate(rows):
        top = view.band.top() + n * tall
        painter.setPen(QPen(looks.token("line"), 1))
        painter.drawLine(QPointF(view.band.left(), top), QPointF(view.band.right(), top))
        painter.setPen(looks.token("secondary"))
        foot = top + (tall + m.ascent() - m.descent()) / 2
        title = m.elidedText(row.title, Qt.TextElideMode.ElideRight, view.picture.left() - view.band.left() - 12)
        painter.drawText(QPointF(view.band.left() + 8, foot), title)
        painter.save()
        painter.setClipRect(QRectF(view.picture.left(), top, view.picture.width(), tall))
        if row.value is not None:
            for x, at, stop in shown:
                text = row.value(at, stop)
                painter.setPen(looks.token("cannot_judge" if text == tr("unknown") else "ink"))
                painter.drawText(QPointF(x - m.horizontalAdvance(text) / 2, foot), text)
        else:
            pieces = slopes_of if n == 4 else _size_pieces(profile)
            for a, b, text, slope in pieces:
                left, right = view.x(a), view.x(b)
                if right < view.picture.left() or left > view.picture.right():
                    continue
                painter.setPen(QPen(looks.token("line"), 1))
                painter.drawLine(QPointF(right, top), QPointF(right, top + tall))
                if slope is not None and abs(slope) > 5e-5:
                    rise = math.copysign(tall / 2 - 3, slope)
                    painter.drawLine(QPointF(left, top + tall / 2 + rise), QPointF(right, top + tall / 2 - rise))
                inner = max(left, view.picture.left()), min(right, view.picture.right())
                _fitting(painter, looks, text, *inner, foot, "ink")
        painter.restore()
    painter.setPen(QPen(looks.token("line"), 1))
    for x, _, _ in shown:
        if view.picture.left() <= x <= view.picture.right():
            painter.drawLine(QPointF(x, view.picture.bottom()), QPointF(x, view.picture.bottom() + 4))
    painter.drawLine(view.picture.bottomLeft(), QPointF(view.picture.left(), view.band.bottom()))


def slope_pieces(profile: Profile) -> list[Stretch]:
    """Stretches of one slope, its per mille as words."""
    points = [point for run in profile.main for point in run.points]
    return [(a, b, tr("unknown") if s is None else f"{s * 1000 + 0.0:+.1f}", s) for a, b, s in slopes(points)]


def _size_pieces(profile: Profile) -> list[Stretch]:
    found: list[Stretch] = []
    for run in profile.main:
        size = tr("size unknown") if run.dn_mm is None else f"DN{run.dn_mm:.0f}"
        words = (run.code, run.profile) if run.kind == "tunnel" else (tr(NAMES[run.kind]), size, run.material)
        text = " ".join(part for part in words if part)
        if found and found[-1][2] == text:
            found[-1] = (found[-1][0], run.to_m, text, None)
        else:
            found.append((run.from_m, run.to_m, text, None))
    return found


def _shown(profile: Profile, view: View, apart: float) -> list[tuple[float, float, Stop | None]]:
    """(x, chainage, node) of what the band says: ends, nodes, then even chainages where there is room."""
    low, high = max(view.span[0], profile.ends[0]), min(view.span[1], profile.ends[1])
    step = next((one for one in _STEPS if one >= 1 and one * view.across >= apart), _STEPS[-1])
    wanted: list[tuple[float, Stop | None]] = [(stop.m, stop) for stop in profile.stops if low <= stop.m <= high]
    ends = [(m, next((s for at, s in wanted if abs(at - m) < 0.01), None)) for m in (low, high)]
    even = [(float(k * step), None) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
    taken: list[tuple[float, float, Stop | None]] = []
    half = apart / 2
    for m, stop in [*ends, *wanted, *even]:
        x = view.x(m)
        x = min(max(x, view.picture.left() + half), view.picture.right() - half) if m in (low, high) else x
        if all(abs(x - other) >= apart for other, _, _ in taken):
            taken.append((x, m, stop))
    return taken
