"""A cross section on the screen: structure, supports with what they carry, lines in their colours, what was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from planner_app.domain.finding import Finding, Verdict
from planner_app.i18n import tr
from planner_app.report.findings import verdict_word
from plugins.tunnel.model.space.kinds import NAMES
from plugins.tunnel.model.space.section import Placement, Section, aisle
from plugins.tunnel.model.space.section_sheet import WALL, room_name, structure
from plugins.tunnel.model.space.supports import carried, occupancy
from plugins.tunnel.ui.space.looks import SIGNS, Looks, mixed, paint_sign, rings_path, scaled, worst

_BAD = (Verdict.FAIL, Verdict.NEEDS_CERTIFICATE, Verdict.CANNOT_JUDGE)


@dataclass(slots=True)
class Frame:
    """Metres of the section → pixels: ``x``, ``y`` where the section's zero stands, ``scale`` in pixels per metre."""

    scale: float = 60.0
    x: float = 0.0
    y: float = 0.0

    def at(self, x: float, y: float) -> QPointF:
        """Where a place of the section stands."""
        return QPointF(self.x + x * self.scale, self.y - y * self.scale)

    def back(self, px: float, py: float) -> tuple[float, float]:
        """The place of the section under a pixel."""
        return (px - self.x) / self.scale, (self.y - py) / self.scale


@dataclass(slots=True)
class Scene:
    """What is shown. ``chosen``: fids that stand out; ``ghost``: where a dragged line was; ``target``: the support it
    would lie on."""

    section: Section
    findings: Sequence[Finding] = ()
    chosen: frozenset[int] = frozenset()
    ghost: Placement | None = None
    target: str = ""

    def verdicts(self) -> dict[int, Verdict]:
        """The gravest verdict by line; lines that only passed are not in it."""
        found: dict[int, list[Verdict]] = {}
        for one in self.findings:
            if one.verdict in _BAD:
                for fid in (one.params or {}).get("fids", ()):
                    found.setdefault(fid, []).append(one.verdict)
        return {fid: bad for fid, its in found.items() if (bad := worst(its)) is not None}

    def of_feature(self, code: str, rules: Iterable[str] = ()) -> Verdict | None:
        """The gravest verdict of a support or compartment by some rules (all without), None if it only passed."""
        wanted = {f"section.{rule}" for rule in rules}
        found = [one.verdict for one in self.findings if one.feature == code and (not wanted or one.rule in wanted)]
        return worst([one for one in found if one in _BAD])


def bounds(section: Section) -> QRectF:
    """What there is to see, in metres (y up)."""
    boxes = [room.box for room in section.compartments if room.box]
    circles = [circle for one in section.placements for circle in section.circles(one)]
    wall = section.wall or WALL
    xs = [x for box in boxes for x in (box[0] - wall, box[2] + wall)] + [
        x + s * r for x, _, r in circles for s in (-1, 1)
    ]
    ys = [y for box in boxes for y in (box[1] - wall, box[3] + wall)] + [
        y + s * r for _, y, r in circles for s in (-1, 1)
    ]
    if not xs:
        return QRectF(-2, 0, 4, 3)
    return QRectF(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


def paint_section(painter: QPainter, looks: Looks, frame: Frame, scene: Scene) -> None:
    """Everything but the hover card and what a hand is doing."""
    taken: list[QRectF] = []
    _structure(painter, looks, frame, scene, taken)
    _supports(painter, looks, frame, scene, taken)
    if scene.ghost is not None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(looks.token("secondary"), 1, Qt.PenStyle.DashLine))
        for x, y, r in scene.section.circles(scene.ghost):
            painter.drawEllipse(frame.at(x, y), r * frame.scale, r * frame.scale)
    _lines(painter, looks, frame, scene, taken)
    _dimensions(painter, looks, frame, scene.section)


def _structure(painter: QPainter, looks: Looks, frame: Frame, scene: Scene, taken: list[QRectF]) -> None:
    concrete = mixed(looks.token("panel"), looks.token("ink"), 0.16)
    painter.setPen(QPen(looks.token("secondary"), 1.4))
    painter.setBrush(concrete)
    painter.drawPath(rings_path(structure(scene.section), frame.at))
    for room in scene.section.compartments:
        if room.box is None:
            continue
        painter.setPen(QPen(looks.token("secondary"), 1))
        painter.setBrush(looks.token("panel"))
        painter.drawPath(rings_path(room.outline, frame.at))
        low, high = frame.at(room.box[0], room.box[1]), frame.at(room.box[2], room.box[3])
        width = high.x() - low.x()
        size = f"{room.box[2] - room.box[0]:.2f} × {room.box[3] - room.box[1]:.2f}"
        middle = (low.x() + high.x()) / 2
        name = room_name(room.kind) or room.code
        _text(painter, looks, [name], QPointF(middle, high.y() + 17), "ink", bold=True, width=width, taken=taken)
        _text(painter, looks, [size], QPointF(middle, high.y() + 33), "secondary", width=width, taken=taken)
        way = aisle(scene.section, room)
        if way is None or way.width <= 0:
            continue
        verdict = scene.of_feature(room.code, ("aisle", "clear_height"))
        token = verdict.value if verdict else "secondary"
        a, b = frame.at(way.left, room.box[1]), frame.at(way.right, room.box[1])
        y = a.y() - 9
        _measure(painter, looks.token(token), a.x(), b.x(), y)
        clear = f"{way.width:.2f}"
        sign, said = (f" {SIGNS[verdict]}", f" {verdict_word(verdict.value)}") if verdict else ("", "")
        words = [tr("aisle {width}", width=clear) + said, clear + said, clear + sign]
        foot = QPointF((a.x() + b.x()) / 2, y - 4)
        _text(painter, looks, words, foot, token, width=width - 6, taken=taken, walls=(low.x() + 3, high.x() - 3))


def _measure(painter: QPainter, colour: QColor, left: float, right: float, y: float) -> None:
    """A dimension line with strokes at its ends."""
    painter.setPen(QPen(colour, 1))
    painter.drawLine(QPointF(left, y), QPointF(right, y))
    for x in (left, right):
        painter.drawLine(QPointF(x - 3, y + 3), QPointF(x + 3, y - 3))


def _text(
    painter: QPainter, looks: Looks, words: Sequence[str], foot: QPointF, token: str, *, bold: bool = False,
    width: float = 1e9, taken: list[QRectF] | None = None, walls: tuple[float, float] = (-1e9, 1e9),
) -> None:  # fmt: skip
    """The first of some wordings that fits, centred over a point (moved between walls); nothing if none does."""
    painter.setFont(looks.font(12 if bold else 11, bold=bold))
    m = QFontMetricsF(painter.font())
    for text in words:
        wide = m.horizontalAdvance(text)
        if wide <= width:
            left = max(min(foot.x() - wide / 2, walls[1] - wide), walls[0])
            painter.setPen(looks.token(token))
            painter.drawText(QPointF(left, foot.y()), text)
            if taken is not None:
                taken.append(QRectF(left, foot.y() - m.ascent(), wide, m.height()))
            return


def _supports(painter: QPainter, looks: Looks, frame: Frame, scene: Scene, taken: list[QRectF]) -> None:
    """Brackets, filled as far as they are taken."""
    lines = [box for one in scene.section.placements for box in _boxes(frame, scene.section, one)]
    shares = {support.code: occupancy(support, lines) for support, lines in carried(scene.section)}
    steel = mixed(looks.token("panel"), looks.token("ink"), 0.45)
    for one in scene.section.supports:
        a, b = frame.at(one.x - one.length / 2, one.y), frame.at(one.x + one.length / 2, one.y)
        box = QRectF(a.x(), a.y(), b.x() - a.x(), max(4.0, 0.05 * frame.scale))
        verdict = scene.of_feature(one.code)
        share = shares.get(one.code, 0.0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(mixed(looks.token("panel"), looks.token("ink"), 0.22))
        painter.drawRect(box)
        painter.setBrush(looks.token(verdict.value) if verdict else steel)
        painter.drawRect(QRectF(box.left(), box.top(), box.width() * min(share, 1.0), box.height()))
        if one.code == scene.target:
            painter.setPen(QPen(looks.token("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box.adjusted(-2, -2, 2, 2))
        room = scene.section.compartment(one.compartment)
        if frame.scale < 30 or room is None or room.box is None:
            continue
        label = f"{share:.0%}" + (f" {verdict_word(verdict.value)}" if verdict is not None else "")
        painter.setFont(looks.font(11))
        painter.setPen(looks.token(verdict.value if verdict else "secondary"))
        m = QFontMetricsF(painter.font())
        on_right = one.x > (room.box[0] + room.box[2]) / 2  # the label stands at the end over the aisle
        wide = m.horizontalAdvance(label)
        place = QRectF(box.left() - wide - 5 if on_right else box.right() + 5, box.center().y() - m.height() / 2, wide,
                       m.height())  # fmt: skip
        if share or not any(place.intersects(other) for other in (*lines, *taken)):  # what is empty looks empty
            taken.append(place)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, label)


def _boxes(frame: Frame, section: Section, one: Placement) -> list[QRectF]:
    """The circles of a line in pixels."""
    return [QRectF(frame.at(x - r, y + r), frame.at(x + r, y - r)) for x, y, r in section.circles(one)]


def _lines(painter: QPainter, looks: Looks, frame: Frame, scene: Scene, taken: list[QRectF]) -> None:
    verdicts = scene.verdicts()
    for one in sorted(scene.section.placements, key=lambda one: one.fid in scene.chosen):
        boxes = _boxes(frame, scene.section, one)
        if not boxes:
            continue
        outline, fill = looks.line(one.kind)
        around = QRectF(boxes[0])
        for box in boxes[1:]:
            around = around.united(box)
        if one.fid in scene.chosen:
            painter.setPen(QPen(looks.token("accent"), 2))
            painter.setBrush(looks.token("accent", 0.18))
            painter.drawRoundedRect(around.adjusted(-5, -5, 5, 5), 6, 6)
        painter.setPen(QPen(outline, 1.5 if boxes[0].width() > 8 else 1))
        painter.setBrush(fill)
        for box in boxes:
            painter.drawEllipse(box)
        verdict = verdicts.get(one.fid)
        if verdict is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(looks.token(verdict.value), 2, Qt.PenStyle.DashLine))
            painter.drawRoundedRect(around.adjusted(-3, -3, 3, 3), 5, 5)
            paint_sign(painter, looks, verdict, around.topRight() + QPointF(4, -4))
        room = scene.section.compartment(one.compartment)
        walls = (frame.at(room.box[0], 0).x(), frame.at(room.box[2], 0).x()) if room and room.box else (-1e9, 1e9)
        _label(painter, looks, one, around, walls, taken)


def _label(
    painter: QPainter, looks: Looks, one: Placement, around: QRectF, walls: tuple[float, float], taken: list[QRectF]
) -> None:
    """Kind and size within a large pipe, else above and between the walls, where nothing else is written."""
    painter.setFont(looks.font(11))
    m = QFontMetricsF(painter.font())
    size = f"DN{one.dn_mm:.0f}" if one.count == 1 and one.dn_mm else one.rating if one.count > 1 else ""
    for text in (f"{tr(NAMES[one.kind])} {size}".strip(), size):
        wide = m.horizontalAdvance(text)
        if text and one.count == 1 and wide + 6 <= around.width():
            box = QRectF(around.center().x() - wide / 2, around.center().y() - m.height() / 2, wide, m.height())
        elif text and wide <= max(around.width() * 1.8, scaled(70)):
            left = min(max(around.center().x() - wide / 2, walls[0] + 3), max(walls[1] - wide - 3, walls[0] + 3))
            box = QRectF(left, around.top() - m.height() - 3, wide, m.height())
        else:
            continue
        if not any(box.intersects(other) for other in taken):
            taken.append(box)
            painter.setPen(looks.token("ink"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
            return


def _dimensions(painter: QPainter, looks: Looks, frame: Frame, section: Section) -> None:
    """A chain of widths below the structure, heights of floor and ground under it."""
    boxes = [room.box for room in section.compartments if room.box]
    if not boxes:
        return
    xs = sorted({round(x, 4) for box in boxes for x in (box[0], box[2])})
    low = min(box[1] for box in boxes) - (section.wall or WALL)
    y = frame.at(0, low).y() + scaled(14)
    for a, b in pairwise(xs):
        left, right = frame.at(a, 0).x(), frame.at(b, 0).x()
        _measure(painter, looks.token("secondary"), left, right, y)
        _text(painter, looks, [f"{b - a:.2f}"], QPointF((left + right) / 2, y - 3), "secondary", width=right - left - 6)
    levels = [(tr("floor"), section.at[2] if section.at else None), (tr("ground"), section.ground_z)]
    words = [f"{name} {tr('unknown') if z is None or z != z else f'{z:.3f}'}" for name, z in levels]
    middle = (frame.at(xs[0], 0).x() + frame.at(xs[-1], 0).x()) / 2
    _text(painter, looks, [" · ".join(words)], QPointF(middle, y + scaled(17)), "secondary")
