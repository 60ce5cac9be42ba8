"""A cross section drawn to scale: structure, supports, lines in their standard colours, a schedule, what was found."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import shapely

from planner_app.domain.finding import Finding, Verdict
from planner_app.i18n import tr
from planner_app.report.findings import finding_message, verdict_word
from plugins.tunnel.model.space.axis import station
from plugins.tunnel.model.space.kinds import NAMES, colour
from plugins.tunnel.model.space.section import Placement, Section, aisle
from plugins.tunnel.model.space.sheet import GREY, INK, Colour, Point, Sheet, fit, text_width, wrap
from plugins.tunnel.model.space.supports import carried, occupancy

_SCALES = (10, 20, 25, 50, 100, 200)
WALL = 0.3  # thickness (m) of the structure's outer walls as drawn where it is not known
_TABLE = 160.0
_MARGIN = 12.0
_ROW = 5.0
_CONCRETE: Colour = (226, 228, 232)
_RED: Colour = (200, 30, 30)
_AMBER: Colour = (176, 110, 0)
_GREEN: Colour = (20, 120, 60)
VERDICT_COLOURS: dict[Verdict, Colour] = {
    Verdict.FAIL: _RED, Verdict.NEEDS_CERTIFICATE: _AMBER, Verdict.CANNOT_JUDGE: GREY, Verdict.PASS: _GREEN,
}  # fmt: skip


class _Frame:
    """Metres of the section → millimetres of the sheet."""

    def __init__(self, origin: Point, scale: int) -> None:
        self.origin, self.mm = origin, 1000 / scale

    def at(self, x: float, y: float) -> Point:
        return self.origin[0] + x * self.mm, self.origin[1] + y * self.mm


def draw_section(section: Section, findings: Sequence[Finding] = ()) -> Sheet:
    """The section's sheet; its DXF is in metres with the section's own coordinates (x right, y up)."""
    boxes = [room.box for room in section.compartments if room.box]
    circles = [circle for one in section.placements for circle in section.circles(one)]
    xs = [x for box in boxes for x in (box[0], box[2])] + [x + s * r for x, _, r in circles for s in (-1, 1)]
    ys = [y for box in boxes for y in (box[1], box[3])] + [y + s * r for _, y, r in circles for s in (-1, 1)]
    wall = section.wall or WALL
    left, right = (min(xs) - wall, max(xs) + wall) if xs else (-1.0, 1.0)
    low, high = (min(ys) - wall, max(ys) + wall) if ys else (0.0, 3.0)
    scale = next((one for one in _SCALES if (right - left) * 1000 / one <= 230), _SCALES[-1])
    wide, tall = (right - left) * 1000 / scale, (high - low) * 1000 / scale
    numbers = {one.fid: n for n, one in enumerate(section.placements, start=1)}
    rows = _lines_of_findings(findings)
    table_height = 16 + _ROW * (len(section.placements) + 1) + 12 + 4.4 * len(rows)
    picture = max(wide, 90.0) + 30
    height = max(tall + 78, table_height + 30) + _MARGIN
    frame = _Frame((_MARGIN + 22 - left * 1000 / scale + (picture - 30 - wide) / 2, 34 - low * 1000 / scale), scale)
    top = height - 24
    frame.origin = (frame.origin[0], frame.origin[1] + max(0.0, (top - 30 - tall - 34) / 2))
    sheet = Sheet(
        tr("Cross section {code} at {station}", code=section.code, station=station(section.m)),
        _MARGIN * 2 + picture + 8 + _TABLE, height, frame.origin, scale / 1000, True,
    )  # fmt: skip
    _border(sheet, section, scale)
    _structure(sheet, section, frame)
    _supports(sheet, section, frame)
    _lines(sheet, section, frame, numbers, findings)
    _dimensions(sheet, section, frame, low)
    x = _MARGIN + picture + 8
    y = _schedule(sheet, section, numbers, x, top, findings)
    _findings(sheet, rows, x, y - 6)
    return sheet


def _border(sheet: Sheet, section: Section, scale: int) -> None:
    w, h = sheet.width, sheet.height
    sheet.area("FRAME", (5, 5), (w - 5, 5), (w - 5, h - 5), (5, h - 5), width=0.5)
    sheet.text("TITLE", (_MARGIN, h - 15), sheet.title, 4.2, bold=True)
    parts = [
        f"1:{scale}",
        tr("profile {profile}", profile=section.profile) if section.profile else "",
        tr("from {low} to {high}", low=station(section.from_m), high=station(section.to_m)),
        tr("built to {edition}", edition=section.built or tr("unknown")),
    ]
    sheet.text("TITLE", (_MARGIN, h - 21), " · ".join(part for part in parts if part), 2.5, colour=GREY)
    note = tr("Lengths in metres; heights in the 1985 datum. The thickness of the structure is schematic.")
    if section.wall is not None:
        note = tr("Lengths in metres; heights in the 1985 datum.")
    sheet.text("TITLE", (_MARGIN, 8.5), note, 2.1, colour=GREY)


def structure(section: Section) -> list[list[Point]]:
    """Outer edges of the structure around the compartments, in metres of the section."""
    shapes = [shapely.Polygon(room.outline[0], room.outline[1:]) for room in section.compartments if room.outline]
    outer = shapely.union_all([shape.buffer(section.wall or WALL, join_style="mitre") for shape in shapes])
    return [list(part.exterior.coords[:-1]) for part in shapely.get_parts(outer) if not part.is_empty]


def _structure(sheet: Sheet, section: Section, frame: _Frame) -> None:
    for ring in structure(section):
        sheet.area("STRUCTURE", *(frame.at(*xy) for xy in ring), width=0.5, fill=_CONCRETE)
    for room in section.compartments:
        for number, edge in enumerate(room.outline):
            fill = (255, 255, 255) if number == 0 else _CONCRETE
            sheet.area("COMPARTMENT", *(frame.at(*xy) for xy in edge), width=0.35, fill=fill)
        if room.box is None:
            continue
        x, y = frame.at((room.box[0] + room.box[2]) / 2, room.box[3])
        wide, tall = room.box[2] - room.box[0], room.box[3] - room.box[1]
        sheet.text("COMPARTMENT", (x, y - 4.6), room_name(room.kind), 2.8, anchor="middle", bold=True)
        sheet.text("COMPARTMENT", (x, y - 8.2), f"{wide:.2f} × {tall:.2f}", 2.1, colour=GREY, anchor="middle")
        way = aisle(section, room)
        if way is not None and way.width > 0:
            a, b = frame.at(way.left, room.box[1]), frame.at(way.right, room.box[1])
            level = a[1] + 3.2
            sheet.line("AISLE", (a[0], level), (b[0], level), colour=GREY, width=0.13)
            for x_end in (a[0], b[0]):
                sheet.line("AISLE", (x_end, level - 1), (x_end, level + 1), colour=GREY, width=0.13)
            label = tr("aisle {width}", width=f"{way.width:.2f}")
            sheet.text("AISLE", ((a[0] + b[0]) / 2, level + 0.9), label, 2.1, colour=GREY, anchor="middle")


def room_name(kind: str) -> str:
    """A compartment's kind as it is titled: 电力 → 电力舱."""
    return kind if not kind or kind.endswith(("舱", "compartment")) or kind.isascii() else f"{kind}舱"


def _supports(sheet: Sheet, section: Section, frame: _Frame) -> None:
    loads = {support.code: occupancy(support, lines) for support, lines in carried(section)}
    for one in section.supports:
        a, b = frame.at(one.x - one.length / 2, one.y), frame.at(one.x + one.length / 2, one.y)
        drop = 0.04 * frame.mm
        sheet.area("SUPPORT", a, b, (b[0], b[1] - drop), (a[0], a[1] - drop), colour=(70, 80, 95), width=0.18,
                   fill=(170, 178, 190))  # fmt: skip
        if one.code in loads:
            label = f"{loads[one.code]:.0%}"
            sheet.text("SUPPORT", ((a[0] + b[0]) / 2, a[1] - drop - 2.4), label, 1.8, colour=GREY, anchor="middle")


def _pale(rgb: Colour) -> Colour:
    """Four tenths of a colour on white: fills under outlines in the full colour."""
    r, g, b = (round(255 - (255 - one) * 0.4) for one in rgb)
    return r, g, b


def _ink(rgb: Colour) -> Colour:
    """The colour for outlines: bright standard colours darkened so that they show on white."""
    return rgb if sum(rgb) < 330 else (round(rgb[0] * 0.7), round(rgb[1] * 0.7), round(rgb[2] * 0.7))


def _lines(sheet: Sheet, section: Section, frame: _Frame, numbers: dict[int, int], findings: Sequence[Finding]) -> None:
    wrong = {
        fid: finding.verdict
        for finding in findings
        if finding.verdict in (Verdict.FAIL, Verdict.NEEDS_CERTIFICATE)
        for fid in (finding.params or {}).get("fids", ())
    }
    for one in section.placements:
        circles = section.circles(one)
        rgb = colour(one.kind)
        for x, y, r in circles:
            sheet.circle(
                f"LINE_{one.kind.upper()}", frame.at(x, y), r * frame.mm, colour=_ink(rgb), width=0.25, fill=_pale(rgb)
            )
        if one.x is None or one.y is None or not circles:
            continue
        reach = max(((x - one.x) ** 2 + (y - one.y) ** 2) ** 0.5 + r for x, y, r in circles) * frame.mm
        centre = frame.at(one.x, one.y)
        if one.fid in wrong:
            sheet.circle("FINDING", centre, reach + 0.8, colour=VERDICT_COLOURS[wrong[one.fid]], width=0.45)
        if len(circles) == 1 and reach > 2.6:
            spot = centre
        else:
            highest = max(y + r for _, y, r in circles)
            spot = (centre[0], frame.at(0, highest)[1] + 2.8)
        sheet.circle("NUMBER", spot, 1.9, colour=INK, width=0.13, fill=(255, 255, 255))
        sheet.text("NUMBER", (spot[0], spot[1] - 0.85), str(numbers[one.fid]), 1.9, anchor="middle")


def _dimensions(sheet: Sheet, section: Section, frame: _Frame, low: float) -> None:
    rooms = [room for room in section.compartments if room.box]
    if not rooms:
        return
    xs = sorted({round(x, 4) for room in rooms if room.box for x in (room.box[0], room.box[2])})
    y = frame.at(0, low)[1] - 8
    _chain(sheet, [(frame.at(x, 0)[0], x) for x in xs], y)
    box = rooms[0].box
    assert box is not None
    x = frame.at(box[0] - (section.wall or WALL), 0)[0] - 6
    a, b = frame.at(0, box[1])[1], frame.at(0, box[3])[1]
    sheet.line("DIMENSION", (x, a), (x, b), width=0.13)
    for end in (a, b):
        sheet.line("DIMENSION", (x - 1, end - 1), (x + 1, end + 1), width=0.25)
        sheet.line("DIMENSION", (x - 1.5, end), (x + 4, end), width=0.13)
    sheet.text("DIMENSION", (x - 1, (a + b) / 2), f"{box[3] - box[1]:.2f}", 2.1, anchor="middle", angle=90)
    levels = [(tr("floor"), section.at[2] if section.at else None), (tr("ground"), section.ground_z)]
    shown = [f"{name} {tr('unknown') if z is None or z != z else f'{z:.3f}'}" for name, z in levels]
    middle = (frame.at(xs[0], 0)[0] + frame.at(xs[-1], 0)[0]) / 2
    sheet.text("LEVEL", (middle, y - 8), " · ".join(shown), 2.5, anchor="middle")


def _chain(sheet: Sheet, marks: list[tuple[float, float]], y: float) -> None:
    """A chain of dimensions: (place on the sheet, value in metres)."""
    sheet.line("DIMENSION", (marks[0][0], y), (marks[-1][0], y), width=0.13)
    for x, _ in marks:
        sheet.line("DIMENSION", (x - 1, y - 1), (x + 1, y + 1), width=0.25)
        sheet.line("DIMENSION", (x, y - 1.5), (x, y + 4), width=0.13)
    for (a, va), (b, vb) in pairwise(marks):
        label = f"{vb - va:.2f}"
        above = text_width(label, 2.1) < b - a
        sheet.text("DIMENSION", ((a + b) / 2, y + 0.8 if above else y - 3.2), label, 2.1, anchor="middle")


_COLUMNS = (
    (9.0, "Item no."), (20.0, "Line code"), (42.0, "Kind and size"), (27.0, "Rating"), (25.0, "x, y (m)"),
    (22.0, "Support"), (15.0, "Judged as"),
)  # fmt: skip


def _schedule(
    sheet: Sheet, section: Section, numbers: dict[int, int], x: float, top: float, findings: Sequence[Finding]
) -> float:
    sheet.text("TABLE", (x, top + 1.5), tr("Pipes and cables"), 3, bold=True)
    worst = _worst(findings)
    rows = [[tr(title) for _, title in _COLUMNS]]
    for one in section.placements:
        support = section.support_of(one)
        place = tr("unknown") if one.x is None or one.y is None else f"{one.x:.3f}, {one.y:.3f}"
        rows.append(
            [
                str(numbers[one.fid]), one.line, spec(one), one.rating or "—", place,
                support.code if support else "—", "",
            ]
        )  # fmt: skip
    y = top - 1.5
    for n, row in enumerate(rows):
        left = x
        for (width, _), cell in zip(_COLUMNS, row, strict=True):
            sheet.text("TABLE", (left + 1, y - 3.5), fit(cell, 2.1, width - 1.5), 2.1, bold=n == 0)
            left += width
        if n:
            verdict = worst.get(section.placements[n - 1].fid)
            word = verdict_word(verdict.value) if verdict else "—"
            sheet.text("TABLE", (left - 14, y - 3.5), word, 2.1, colour=VERDICT_COLOURS[verdict] if verdict else GREY)
        sheet.line("TABLE", (x, y), (x + _TABLE, y), width=0.25 if n < 2 else 0.1, colour=INK if n < 2 else GREY)
        y -= _ROW
    sheet.line("TABLE", (x, y), (x + _TABLE, y), width=0.25)
    return y


def spec(one: Placement) -> str:
    """A line's kind, number and size in words: ``110 kV`` is not among them."""
    name = tr(NAMES[one.kind])
    size = tr("size unknown") if one.outer_d is None else f"⌀{one.outer_d * 1000:.0f}"
    if one.nominal and one.dn_mm:
        size = f"DN{one.dn_mm:.0f}"
    return f"{name} {one.count}×{size}" if one.count > 1 else f"{name} {size}"


def _worst(findings: Sequence[Finding]) -> dict[int, Verdict]:
    order = list(VERDICT_COLOURS)
    worst: dict[int, Verdict] = {}
    for finding in findings:
        for fid in (finding.params or {}).get("fids", ()):
            if fid not in worst or order.index(finding.verdict) < order.index(worst[fid]):
                worst[fid] = finding.verdict
    return worst


_Line = tuple[str, str, Colour]


def _lines_of_findings(findings: Sequence[Finding]) -> list[_Line]:
    """(verdict, text, colour) by line of print: what needs a look first, then how many passed."""
    rows: list[_Line] = []
    for verdict in (Verdict.FAIL, Verdict.NEEDS_CERTIFICATE, Verdict.CANNOT_JUDGE):
        for one in (one for one in findings if one.verdict is verdict):
            source = f"（{one.standard} {one.clause}）" if one.standard else ""
            lines = wrap(finding_message(one) + source, 2.1, _TABLE - 22)
            rows += [
                (verdict_word(verdict.value) if n == 0 else "", line, VERDICT_COLOURS[verdict])
                for n, line in enumerate(lines)
            ]
    passed = sum(one.verdict is Verdict.PASS for one in findings)
    if findings:
        rows.append((verdict_word("pass"), tr("{count} checks", count=passed), _GREEN))
    return rows


def _findings(sheet: Sheet, rows: list[_Line], x: float, y: float) -> None:
    if rows:
        sheet.text("FINDING", (x, y - 2), tr("Checks"), 3, bold=True)
    y -= 4
    for verdict, text, rgb in rows:
        y -= 4.4
        sheet.text("FINDING", (x, y), verdict, 2.1, colour=rgb, bold=True)
        sheet.text("FINDING", (x + 20, y), text, 2.1)
