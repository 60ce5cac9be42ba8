"""Colours, type and small pictures that section and profile share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QApplication, QToolButton

from planner_app.domain.finding import Verdict
from planner_app.plugin_api.ui import PanelContext
from plugins.tunnel.model.space.kinds import colour

#: Order of gravity and the sign that stands beside the colour.
SIGNS: dict[Verdict, str] = {
    Verdict.FAIL: "✕", Verdict.NEEDS_CERTIFICATE: "!", Verdict.CANNOT_JUDGE: "?", Verdict.PASS: "✓",
}  # fmt: skip
GRAVITY = list(SIGNS)


def scaled(size: float) -> int:
    """Pixels of a size drawn for 13 px text, at the size of the text in use."""
    return round(size * max(1.0, QApplication.font().pixelSize() / 13.0))


class Looks:
    """The theme's colours and fonts for a painter."""

    def __init__(self, context: PanelContext) -> None:
        self._context = context

    def token(self, name: str, alpha: float = 1.0) -> QColor:
        """A colour of the theme."""
        found = QColor(self._context.colour(name))
        found.setAlphaF(alpha)
        return found

    @property
    def dark(self) -> bool:
        """The dark theme is in use."""
        return self.token("panel").lightness() < 128

    def line(self, kind: str) -> tuple[QColor, QColor]:
        """(outline, fill) of a kind of line: the standard's colour, made to show on the theme's ground."""
        pure, ground = QColor(*colour(kind)), self.token("panel")
        outline = QColor(pure)
        if not self.dark and pure.lightness() > 80:
            outline = pure.darker(135)
        elif self.dark and pure.lightness() < 90:
            outline = mixed(pure, QColor("#FFFFFF"), 0.5)
        return outline, mixed(ground, pure, 0.45)

    def font(self, size: float = 12.0, *, bold: bool = False) -> QFont:
        """The window's font with figures of equal width."""
        font = QFont(QApplication.font())
        font.setPixelSize(scaled(size))
        font.setFeature(QFont.Tag("tnum"), 1)
        if bold:
            font.setWeight(QFont.Weight.DemiBold)
        return font


def mixed(a: QColor, b: QColor, share: float) -> QColor:
    """``share`` of b in a."""
    return QColor(*(round(p + (q - p) * share) for p, q in zip(a.getRgb()[:3], b.getRgb()[:3], strict=True)))  # type: ignore[index]


def worst(verdicts: Sequence[Verdict]) -> Verdict | None:
    """The gravest of some verdicts."""
    return min(verdicts, key=GRAVITY.index, default=None)


def paint_card(painter: QPainter, looks: Looks, lines: Sequence[tuple[str, str]], at: QPointF, bounds: QRectF) -> None:
    """A floating card beside a point, inside ``bounds``: a title, then lines as (text, token)."""
    fonts = [looks.font(13, bold=True), *[looks.font(12)] * (len(lines) - 1)]
    metrics = [QFontMetricsF(font) for font in fonts]
    pad, widest = scaled(10), scaled(380)
    texts = [m.elidedText(t, Qt.TextElideMode.ElideRight, widest) for m, (t, _) in zip(metrics, lines, strict=True)]
    width = max(m.horizontalAdvance(t) for m, t in zip(metrics, texts, strict=True)) + 2 * pad
    height = sum(m.height() + 2 for m in metrics) + 2 * pad - 4
    x, y = at.x() + 14, at.y() + 14
    x = at.x() - 14 - width if x + width > bounds.right() else x
    y = at.y() - 14 - height if y + height > bounds.bottom() else y
    box = QRectF(max(x, bounds.left() + 2), max(y, bounds.top() + 2), width, height)
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    for spread in (5, 4, 3, 2, 1):
        painter.setBrush(QColor(0, 0, 0, 5))
        painter.drawRoundedRect(box.adjusted(-spread, -spread + 2, spread, spread + 2), 6 + spread, 6 + spread)
    painter.setPen(QPen(looks.token("line"), 1))
    painter.setBrush(looks.token("panel"))
    painter.drawRoundedRect(box, 6, 6)
    top = box.top() + pad - 2
    for font, m, text, (_, token) in zip(fonts, metrics, texts, lines, strict=True):
        painter.setFont(font)
        painter.setPen(looks.token(token))
        painter.drawText(QPointF(box.left() + pad, top + m.ascent()), text)
        top += m.height() + 2
    painter.restore()


def paint_chip(painter: QPainter, looks: Looks, text: str, middle: QPointF, token: str) -> None:
    """A word on its own ground, centred on a point."""
    painter.setFont(looks.font(12, bold=True))
    m = QFontMetricsF(painter.font())
    box = QRectF(0, 0, m.horizontalAdvance(text) + 12, m.height() + 4)
    box.moveCenter(middle)
    painter.setPen(QPen(looks.token(token), 1))
    painter.setBrush(looks.token("panel"))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(looks.token(token))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def paint_sign(painter: QPainter, looks: Looks, verdict: Verdict, middle: QPointF) -> None:
    """The sign of a verdict in a disc, for what is marked by colour too."""
    painter.setPen(QPen(looks.token("panel"), 1.5))
    painter.setBrush(looks.token(verdict.value))
    r = scaled(7)
    painter.drawEllipse(middle, r, r)
    painter.setFont(looks.font(10, bold=True))
    painter.setPen(looks.token("panel"))
    painter.drawText(QRectF(middle.x() - r, middle.y() - r, 2 * r, 2 * r), Qt.AlignmentFlag.AlignCenter, SIGNS[verdict])


def rings_path(rings: Sequence[Sequence[tuple[float, float]]], at: Callable[[float, float], QPointF]) -> QPainterPath:
    """Rings as one path, holes left open."""
    path = QPainterPath()
    for ring in rings:
        points = [at(x, y) for x, y in ring]
        if points:
            path.moveTo(points[0])
            for point in points[1:]:
                path.lineTo(point)
            path.closeSubpath()
    return path


class Knob(QToolButton):
    """A tool button with a line icon that follows the theme."""

    def __init__(
        self, context: PanelContext, icon: str, tip: str, clicked: Callable[[], None], *, checkable: bool = False
    ) -> None:
        super().__init__()
        self._context, self._name = context, icon
        self.setAutoRaise(True)
        self.setCheckable(checkable)
        self.setFixedSize(scaled(28), scaled(28))
        self.setIconSize(QSize(scaled(18), scaled(18)))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.clicked.connect(lambda *_: clicked())
        context.theme_changed.connect(self._retint)
        self._retint()

    def _retint(self) -> None:
        self.setIcon(self._context.icon(self._name))
