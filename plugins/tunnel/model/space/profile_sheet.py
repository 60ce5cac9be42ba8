"""A longitudinal profile as a sheet (纵断面图): the picture above, the band of data below, both by chainage."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from planner_app.domain.finding import Finding, Verdict
from planner_app.i18n import tr
from planner_app.report.findings import verdict_word
from plugins.tunnel.model.space.axis import station
from plugins.tunnel.model.space.kinds import NAMES, colour
from plugins.tunnel.model.space.profile import Profile, Run, Stop, between, known_pieces, slopes
from plugins.tunnel.model.space.section_sheet import VERDICT_COLOURS
from plugins.tunnel.model.space.sheet import GREY, INK, Colour, Point, Sheet, fit, text_width

_HORIZONTAL = (100, 200, 500, 1000, 2000, 2500, 5000, 10_000, 20_000, 25_000, 50_000, 100_000, 200_000, 500_000)
_VERTICAL = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_LABELS = {"junction": "Pipe node", "reservoir": "Reservoir", "tank": "Water tank"}  # nodes of EPANET files
_WIDE, _TALL = 680.0, 130.0  # the picture's room in mm
_LEFT, _HEAD, _FOOT = 58.0, 34.0, 12.0
_PAD = 5.0  # the band reaches so far beyond the first and last chainage (mm), for their texts
_GROUND: Colour = (121, 85, 45)
_WALL: Colour = (90, 98, 110)
_UNKNOWN: Colour = (200, 30, 30)
_TEXT = 2.1
_STEP = 4.0  # texts of the band stand at least so far apart (mm)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Chainage and height → millimetres of the sheet."""

    low_m: float
    high_m: float
    low_z: float
    high_z: float
    h: int
    v: int
    left: float
    bottom: float

    def x(self, m: float) -> float:
        return self.left + (m - self.low_m) * 1000 / self.h

    def y(self, z: float) -> float:
        return self.bottom + (z - self.low_z) * 1000 / self.v

    @property
    def right(self) -> float:
        return self.x(self.high_m)

    @property
    def top(self) -> float:
        return self.y(self.high_z)


def draw_profile(profile: Profile, findings: Sequence[Finding] = ()) -> Sheet:
    """The profile's sheet; its DXF is in millimetres of paper at the scales written on it.

    Args:
        findings: those that fail or need a certificate are drawn over the stretch they speak of.
    """
    low, high = profile.ends
    heights = _heights(profile)
    h = next((one for one in _HORIZONTAL if (high - low) * 1000 / one <= _WIDE), _HORIZONTAL[-1])
    least, most = (min(heights), max(heights)) if heights else (0.0, 10.0)
    v = next((one for one in _VERTICAL if (most - least) * 1000 / one <= _TALL - 20), _VERTICAL[-1])
    tick = 10 * v / 1000
    low_z = math.floor((least - 0.6 * tick) / tick) * tick
    high_z = math.ceil((most + 0.6 * tick) / tick) * tick
    bands = _bands(profile)
    band = sum(one.height for one in bands)
    frame = _Frame(low, high, low_z, high_z, h, v, _LEFT, _FOOT + band + 6)
    sheet = Sheet(
        tr("Longitudinal profile {name}", name=profile.name),
        max(frame.right + 22, 190.0), frame.top + _HEAD, (frame.left, frame.bottom),
    )  # fmt: skip
    _border(sheet, frame, bool(heights))
    _legend(sheet, profile, frame)
    if heights:
        _ruler(sheet, frame)
    _ground(sheet, profile, frame)
    for run in profile.main:
        _main(sheet, run, frame)
    for run in profile.within:
        for piece in known_pieces(run.points):
            _line(sheet, run.kind, piece, frame, 0.35)
    _stops(sheet, profile, frame)
    _crossings(sheet, profile, frame)
    _findings(sheet, findings, frame)
    _band(sheet, profile, frame, bands)
    return sheet


def _heights(profile: Profile) -> list[float]:
    found = [z for _, z in profile.ground if z is not None]
    for run in (*profile.main, *profile.within):
        up = (run.outer_d or 0.0) if run.kind == "tunnel" else 0.0
        found += [value for _, z in run.points if z is not None for value in (z, z + up)]
    found += [one.z for one in profile.crossings if one.z is not None]
    return found + [stop.ground_z for stop in profile.stops if stop.ground_z is not None]


def _border(sheet: Sheet, frame: _Frame, known: bool) -> None:
    w, h = sheet.width, sheet.height
    sheet.area("FRAME", (5, 5), (w - 5, 5), (w - 5, h - 5), (5, h - 5), width=0.5)
    sheet.text("TITLE", (12, h - 14), sheet.title, 4.2, bold=True)
    scale = tr("horizontal 1:{h} · vertical 1:{v}", h=frame.h, v=frame.v)
    note = tr("Lengths and heights in metres, 1985 datum.")
    missing = "" if known else tr("No height is known.")
    sheet.text("TITLE", (12, h - 20), " · ".join(one for one in (scale, note, missing) if one), 2.5, colour=GREY)


def _legend(sheet: Sheet, profile: Profile, frame: _Frame) -> None:
    kinds = dict.fromkeys(run.kind for run in (*profile.main, *profile.within) if run.kind != "tunnel")
    kinds |= dict.fromkeys(one.kind for one in profile.crossings)
    x, y = 12.0, sheet.height - 26.5
    entries: list[tuple[str, Colour]] = [(tr("Ground line"), _GROUND)]
    if profile.subject == "tunnel":
        entries.append((tr("Tunnel"), _WALL))
    entries += [(tr(NAMES[kind]), _dark(colour(kind))) for kind in kinds]
    for name, rgb in entries:
        sheet.line("LEGEND", (x, y + 1), (x + 7, y + 1), colour=rgb, width=0.7)
        sheet.text("LEGEND", (x + 8.5, y), name, _TEXT)
        x += 13 + text_width(name, _TEXT)


def _dark(rgb: Colour) -> Colour:
    return rgb if sum(rgb) < 330 else (round(rgb[0] * 0.75), round(rgb[1] * 0.75), round(rgb[2] * 0.75))


def _ruler(sheet: Sheet, frame: _Frame) -> None:
    """The height scale: a bar in black and white, a faint line across at every step."""
    step = 10 * frame.v / 1000
    x = frame.left - 4
    for n in range(round((frame.high_z - frame.low_z) / step) + 1):
        z = frame.low_z + n * step
        y = frame.y(z)
        sheet.line("GRID", (frame.left, y), (frame.right, y), colour=(222, 226, 232), width=0.1)
        sheet.text("RULER", (x - 3.5, y - 0.8), f"{z:.2f}".rstrip("0").rstrip("."), _TEXT, anchor="end")
        if n:
            fill = INK if n % 2 else (255, 255, 255)
            below = y - 1000 / frame.v * step
            sheet.area("RULER", (x - 2, below), (x, below), (x, y), (x - 2, y), width=0.13, fill=fill)
    sheet.text("RULER", (x - 1, frame.top + 2.5), tr("Level (m)"), _TEXT, anchor="middle")


def _ground(sheet: Sheet, profile: Profile, frame: _Frame) -> None:
    for piece in known_pieces(profile.ground):
        points = [(frame.x(m), frame.y(z)) for m, z in piece]
        sheet.line("GROUND", *points, colour=_GROUND, width=0.5)
        x = points[0][0] + 3
        while x < points[-1][0]:  # short strokes below the line, as sheets mark the ground
            m = frame.low_m + (x - frame.left) * frame.h / 1000
            z = between(piece, m)
            if z is not None:
                sheet.line("GROUND", (x, frame.y(z)), (x - 1.4, frame.y(z) - 1.4), colour=_GROUND, width=0.1)
            x += 6


def _line(sheet: Sheet, kind: str, piece: Sequence[tuple[float, float]], frame: _Frame, width: float) -> None:
    points = [(frame.x(m), frame.y(z)) for m, z in piece]
    sheet.line(f"LINE_{kind.upper()}", *points, colour=_dark(colour(kind)), width=width)


def _main(sheet: Sheet, run: Run, frame: _Frame) -> None:
    """The line the profile follows with its size: a tunnel from floor to roof, a pipe from underside to top."""
    for piece in known_pieces(run.points):
        size = run.outer_d or 0.0
        low, high = (0.0, size) if run.kind == "tunnel" else (-size / 2, size / 2)
        under = [(frame.x(m), frame.y(z + low)) for m, z in piece]
        over = [(frame.x(m), frame.y(z + high)) for m, z in piece]
        if run.kind == "tunnel":
            if size:
                sheet.area("TUNNEL", *under, *reversed(over), colour=None, fill=(243, 245, 248))
                sheet.line("TUNNEL", *over, colour=_WALL, width=0.5)
            sheet.line("TUNNEL", *under, colour=_WALL, width=0.5)
            continue
        rgb = _dark(colour(run.kind))
        layer = f"LINE_{run.kind.upper()}"
        if size * 1000 / frame.v > 0.6:
            pale: Colour = tuple(round(255 - (255 - one) * 0.3) for one in rgb)  # type: ignore[assignment]
            sheet.area(layer, *under, *reversed(over), colour=rgb, width=0.25, fill=pale)
            sheet.line(
                "AXIS", *((frame.x(m), frame.y(z)) for m, z in piece), colour=rgb, width=0.1, dash=(3, 1, 0.5, 1)
            )
        else:
            _line(sheet, run.kind, piece, frame, 0.5)
    for (a, za), (b, zb) in zip(run.points, run.points[1:], strict=False):
        if za is None or zb is None:
            y = frame.bottom + 5
            sheet.line("UNKNOWN", (frame.x(a), y), (frame.x(b), y), colour=_UNKNOWN, width=0.35, dash=(2, 1.5))
            label = tr("height unknown")
            if text_width(label, _TEXT) < frame.x(b) - frame.x(a):
                middle = (frame.x(a) + frame.x(b)) / 2
                sheet.text("UNKNOWN", (middle, y + 1), label, _TEXT, colour=_UNKNOWN, anchor="middle")


def _stops(sheet: Sheet, profile: Profile, frame: _Frame) -> None:
    """Manholes, valves and openings: from the ground down to the line, named above the ground."""
    last = -math.inf
    for stop in sorted(profile.stops, key=lambda one: one.m):
        x = frame.x(stop.m)
        top = stop.ground_z if stop.ground_z is not None else profile.ground_z(stop.m)
        run = profile.run_at(stop.m)
        bottom = stop.z
        if bottom is not None and run is not None and run.kind == "tunnel":
            bottom += run.outer_d or 0.0
        if top is not None and bottom is not None:
            for side in (-0.5, 0.5):
                sheet.line("NODE", (x + side, frame.y(top)), (x + side, frame.y(bottom)), width=0.18)
            sheet.line("NODE", (x - 0.9, frame.y(top)), (x + 0.9, frame.y(top)), width=0.35)
        if x - last >= _STEP:
            at = frame.y(top if top is not None else bottom if bottom is not None else frame.low_z) + 2
            label = tr(_LABELS[stop.label]) if stop.label in _LABELS else stop.label or stop.code
            sheet.text("NODE", (x + 0.8, at), label, 1.9, angle=90)
            last = x


def _crossings(sheet: Sheet, profile: Profile, frame: _Frame) -> None:
    """What crosses, as its section at the sheet's scales; of unknown height at the ground with a question mark."""
    last = -math.inf
    for one in profile.crossings:
        x, rgb = frame.x(one.m), _dark(colour(one.kind))
        layer = f"CROSSING_{one.kind.upper()}"
        if one.z is None:
            ground = profile.ground_z(one.m)
            y = frame.y(ground) - 3.5 if ground is not None else frame.bottom + 10
            sheet.circle(layer, (x, y), 1.4, colour=rgb, width=0.25)
            sheet.text(layer, (x, y - 0.8), "?", _TEXT, colour=_UNKNOWN, anchor="middle")
        else:
            y = frame.y(one.z)
            size = one.outer_d or 0.0
            wide, tall = max(0.5, size / 2 * 1000 / frame.h), max(0.5, size / 2 * 1000 / frame.v)
            sheet.circle(layer, (x, y), wide, ry=tall, colour=rgb, width=0.3, fill=(255, 255, 255))
        if x - last >= 3.0:
            sheet.text(layer, (x + 1.2, y - 1.2), one.line, 1.6, colour=rgb, angle=-90)
            last = x


def _findings(sheet: Sheet, findings: Sequence[Finding], frame: _Frame) -> None:
    """A dimension line under the picture per stretch that fails or needs a certificate."""
    ends: list[float] = []  # right ends of the rows of lines
    for verdict, low, high, text in spans_of(findings):
        a, b = frame.x(max(low, frame.low_m)), frame.x(min(high, frame.high_m))
        row = next((n for n, end in enumerate(ends) if end < a), len(ends))
        ends[row:] = [max(b, a + text_width(text, 1.9))]
        y, rgb = frame.bottom + 1.5 + 3.6 * row, VERDICT_COLOURS[verdict]
        sheet.line("FINDING", (a, y), (b, y), colour=rgb, width=0.25)
        for x in (a, b):
            sheet.line("FINDING", (x - 0.8, y - 0.8), (x + 0.8, y + 0.8), colour=rgb, width=0.25)
        sheet.text("FINDING", (a + 0.8, y + 0.6), text, 1.9, colour=rgb)


def spans_of(findings: Sequence[Finding]) -> list[tuple[Verdict, float, float, str]]:
    """(verdict, from, to, words) of every stretch that fails or needs a certificate."""
    found: list[tuple[Verdict, float, float, str]] = []
    for one in findings:
        params = one.params or {}
        if one.verdict in (Verdict.FAIL, Verdict.NEEDS_CERTIFICATE) and "from_m" in params:
            limit = "" if one.limit is None else f" > {one.limit:g} {one.unit}"
            measured = "" if one.measured is None else f" {one.measured:.1f}"
            words = f"{params.get('openings', '')}{measured}{limit} {verdict_word(one.verdict.value)}".strip()
            found.append((one.verdict, float(params["from_m"]), float(params["to_m"]), words))
    return found


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the band: ``value`` at a stop or bend, upright; or ``draw`` for rows with pieces."""

    title: str
    height: float
    value: Callable[[float, Stop | None], str] | None = None
    draw: Callable[[Sheet, _Frame, float, float], None] | None = None


def _number(value: float | None, digits: int = 3) -> str:
    return tr("unknown") if value is None else f"{value:.{digits}f}"


def _bands(profile: Profile) -> list[_Row]:
    tunnel = profile.subject == "tunnel"

    def ground(m: float, stop: Stop | None) -> float | None:
        return stop.ground_z if stop is not None and stop.ground_z is not None else profile.ground_z(m)

    def level(m: float, stop: Stop | None) -> float | None:
        return stop.z if stop is not None and stop.z is not None else profile.z(m)

    def cover(m: float, stop: Stop | None) -> float | None:
        top, z, run = ground(m, stop), level(m, stop), profile.run_at(m)
        if top is None or z is None or run is None or run.outer_d is None:
            return None
        return top - z - (run.outer_d if tunnel else run.outer_d / 2)

    return [
        _Row(tr("Ground level"), 15, lambda m, stop: _number(ground(m, stop))),
        _Row(tr("Level of the floor") if tunnel else tr("Level of the axis"), 15, lambda m, s: _number(level(m, s))),
        _Row(tr("Cover over the roof") if tunnel else tr("Cover over the pipe"), 13,
             lambda m, stop: _number(cover(m, stop), 2)),
        _Row(tr("Slope ‰ / length"), 11, draw=lambda *at: _slope_row(profile, *at)),
        _Row(tr("Section") if tunnel else tr("Size and material"), 7, draw=lambda *at: _size_row(profile, *at)),
        _Row(tr("Chainage"), 22, lambda m, stop: station(m)),
        _Row(tr("Node"), 18, lambda m, stop: stop.code if stop is not None else ""),
    ]  # fmt: skip


def _band(sheet: Sheet, profile: Profile, frame: _Frame, rows: Sequence[_Row]) -> None:
    y = frame.bottom - 6
    left = 10.0
    shown, dropped = _shown(profile, frame)
    sheet.line("BAND", (left, y), (frame.right + _PAD, y), width=0.35)
    for row in rows:
        low = y - row.height
        sheet.text("BAND", (left + 2, (y + low) / 2 - 1), fit(row.title, 2.3, frame.left - _PAD - left - 3), 2.3)
        if row.draw is not None:
            row.draw(sheet, frame, y, low)
        elif row.value is not None:
            for x, m, stop in shown:
                text = row.value(m, stop)
                rgb = _UNKNOWN if text == tr("unknown") else INK
                sheet.text("BAND", (x + 0.9, low + 1.2), fit(text, _TEXT, row.height - 2), _TEXT, colour=rgb, angle=90)
                sheet.line("BAND", (x, y), (x, y - 1.2), width=0.13)
        y = low
        sheet.line("BAND", (left, y), (frame.right + _PAD, y), width=0.35 if row is rows[-1] else 0.18)
    for x in (left, frame.left - _PAD, frame.right + _PAD):
        sheet.line("BAND", (x, frame.bottom - 6), (x, y), width=0.35)
    for x, _, _ in shown:
        sheet.line("GRID", (x, frame.bottom - 6), (x, frame.bottom - 2), colour=GREY, width=0.1)
    if dropped:
        note = tr("{count} places too close to be labelled; all are in the CSV.", count=dropped)
        sheet.text("TITLE", (12, 7.5), note, 1.9, colour=GREY)


def _shown(profile: Profile, frame: _Frame) -> tuple[list[tuple[float, float, Stop | None]], int]:
    """(x, chainage, node) of what the band labels: nodes first, ends, then even chainages where there is room."""
    low, high = profile.ends
    steps = (5, 10, 20, 25, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
    step = next((one for one in steps if one * 1000 / frame.h >= 12), 50_000)
    wanted: list[tuple[float, Stop | None]] = [(stop.m, stop) for stop in profile.stops]
    even = [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
    taken: list[float] = []
    shown: list[tuple[float, float, Stop | None]] = []
    dropped = 0
    ends: list[tuple[float, Stop | None]] = [(low, None), (high, None)]
    first = [one for one in wanted if abs(one[0] - low) < 0.01 or abs(one[0] - high) < 0.01]
    for m, stop in [*first, *wanted, *ends, *((float(m), None) for m in even)]:
        x = frame.x(m)
        if any(abs(x - other) < _STEP for other in taken):
            dropped += stop is not None and all(one[2] is not stop for one in shown)
            continue
        taken.append(x)
        shown.append((x, m, stop))
    return sorted(shown, key=lambda one: one[0]), dropped


def _slope_row(profile: Profile, sheet: Sheet, frame: _Frame, top: float, low: float) -> None:
    """Slope over length in every piece, a stroke rising or falling with it."""
    points = [point for run in profile.main for point in run.points]
    for a, b, slope in slopes(points, max(0.05, 1.5 * frame.v / 1000)):
        xa, xb = frame.x(a), frame.x(b)
        sheet.line("BAND", (xb, top), (xb, low), width=0.13)
        if xb - xa < 2:
            continue
        tilt = 0.0 if slope is None or abs(slope) < 5e-5 else math.copysign((top - low) * 0.5 - 0.6, slope)
        middle = (top + low) / 2
        sheet.line("BAND", (xa, middle - tilt), (xb, middle + tilt), width=0.13, colour=GREY)
        upper = tr("unknown") if slope is None else f"{round(slope * 1000, 1) + 0.0:.1f}"
        rising = (slope or 0.0) > 0
        for text, y, at_left in ((upper, top - 3.3, rising), (f"{b - a:.1f}", low + 1, not rising)):
            if text_width(text, 1.9) < xb - xa:
                rgb = _UNKNOWN if slope is None and y > middle else INK
                x = xa + 0.8 if at_left else xb - 0.8
                sheet.text("BAND", (x, y), text, 1.9, colour=rgb, anchor="start" if at_left else "end")


def _size_row(profile: Profile, sheet: Sheet, frame: _Frame, top: float, low: float) -> None:
    """Profile of the tunnel, or size and material of the pipe, joined where they stay the same."""
    pieces: list[tuple[float, float, str]] = []
    for run in profile.main:
        if run.kind == "tunnel":
            text = " ".join(part for part in (run.code, run.profile) if part)
        else:
            size = tr("size unknown") if run.dn_mm is None else f"DN{run.dn_mm:.0f}"
            text = " ".join(part for part in (tr(NAMES[run.kind]), size, run.material) if part)
        if pieces and pieces[-1][2] == text:
            pieces[-1] = (pieces[-1][0], run.to_m, text)
        else:
            pieces.append((run.from_m, run.to_m, text))
    for a, b, text in pieces:
        xa, xb = frame.x(a), frame.x(b)
        sheet.line("BAND", (xb, top), (xb, low), width=0.13)
        at: Point = ((xa + xb) / 2, (top + low) / 2 - 0.8)
        sheet.text("BAND", at, fit(text, _TEXT, xb - xa - 1) if xb - xa > 4 else "", _TEXT, anchor="middle")
