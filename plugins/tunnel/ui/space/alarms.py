"""Standing alarms where they are: in their compartment of the section, at their chainage of the profile."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from planner_app.i18n import tr
from plugins.tunnel.model.space.axis import station
from plugins.tunnel.model.space.profile import Profile
from plugins.tunnel.model.space.section import Section
from plugins.tunnel.ui.space.looks import Looks, paint_chip, scaled
from plugins.tunnel.ui.space.profile_paint import View
from plugins.tunnel.ui.space.section_paint import Frame
from plugins.tunnel.ui.state import Mark

_TOKENS = {"alarm": "fail", "warning": "needs_certificate", "fault": "cannot_judge"}
_GRAVEST = tuple(_TOKENS)


def in_section(marks: Iterable[Mark], section: Section) -> list[Mark]:
    """Alarms along the stretch of tunnel that has this section, the gravest and nearest to the cut first."""
    here = [
        one
        for one in marks
        if one.tunnel == section.tunnel and (one.m is None or section.from_m <= one.m <= section.to_m)
    ]
    return sorted(here, key=lambda one: (_rank(one), 0.0 if one.m is None else abs(one.m - section.m)))


def rooms(marks: Iterable[Mark], section: Section) -> dict[str, list[Mark]]:
    """Alarms by the code of their compartment; ``""`` for those whose compartment the section does not have."""
    found: dict[str, list[Mark]] = {}
    for one in in_section(marks, section):
        room = next((r for r in section.compartments if one.compartment in (r.code, r.kind)), None)
        found.setdefault(room.code if room else "", []).append(one)
    return found


def paint_in_section(painter: QPainter, looks: Looks, frame: Frame, section: Section, marks: Iterable[Mark]) -> None:
    """A chip at the head of each compartment: the gravest alarm, where along the tunnel, how many more."""
    boxes = {room.code: room.box for room in section.compartments if room.box}
    for code, its in rooms(marks, section).items():
        box = boxes.get(code)
        if box is None:
            left, right = (edge(b[i] for b in boxes.values()) for edge, i in ((min, 0), (max, 2))) if boxes else (0, 0)
            at = frame.at((left + right) / 2, max((b[3] for b in boxes.values()), default=0.0))
            middle, width = QPointF(at.x(), at.y() - scaled(30)), float("inf")
        else:
            at = frame.at((box[0] + box[2]) / 2, box[3])
            middle = QPointF(at.x(), at.y() + scaled(52))
            width = (box[2] - box[0]) * frame.scale
        painter.setFont(looks.font(12, bold=True))
        metrics = QFontMetricsF(painter.font())
        more = f"  +{len(its) - 1}" if len(its) > 1 else ""  # pipes stay in sight below a single chip
        room = max(width - scaled(16) - metrics.horizontalAdvance(more), scaled(60))
        short = metrics.elidedText(_text(its[0]), Qt.TextElideMode.ElideRight, room)
        paint_chip(painter, looks, short + more, middle, _TOKENS[its[0].level])


def paint_in_profile(
    painter: QPainter, looks: Looks, view: View, profile: Profile, tunnel: str, marks: Iterable[Mark]
) -> None:
    """A signed disc at the chainage of each alarm of a tunnel, between its floor and its roof."""
    for one in sorted(marks, key=_rank, reverse=True):  # the gravest on top
        run = None if one.m is None or one.tunnel != tunnel else profile.run_at(one.m)
        z = None if run is None or one.m is None else profile.z(one.m)
        if run is None or z is None or one.m is None:
            continue
        at = QPointF(view.x(one.m), view.y(z + (run.outer_d or 0.0) / 2))
        if not view.picture.contains(at):
            continue
        radius = scaled(8)
        painter.setPen(QPen(looks.token("panel"), 1.5))
        painter.setBrush(looks.token(_TOKENS[one.level]))
        painter.drawEllipse(at, radius, radius)
        painter.setFont(looks.font(11, bold=True))
        painter.setPen(looks.token("panel"))
        ground = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
        painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, "!" if one.level != "fault" else "?")


def _rank(one: Mark) -> int:
    return _GRAVEST.index(one.level)


def _text(one: Mark) -> str:
    where = "" if one.m is None else f" · {station(one.m)}"
    return f"{tr('Replay')} · {one.text}{where}" if one.past else f"{one.text}{where}"
