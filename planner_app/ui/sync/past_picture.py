"""Drawing the past: layers in their styles, labels where they fit, and marks on what is different now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

from planner_app.domain.style import MOST_LABELS, LayerStyle, StyleClass, from_qml
from planner_app.ui.canvas.outlines import fill_areas, screen_rings, to_polygon
from planner_app.ui.controls import swatch_colour

if TYPE_CHECKING:
    from planner_app.domain.layer import LayerInfo
    from planner_app.plugin_api.viewport import Viewport
    from planner_app.ui.sync.past import Past

#: How differences are drawn: changed since, gone since (they existed then), new since (they do not yet exist).
CHANGED, GONE, NEW = "#A05F00", "#C0322B", "#1F7A3D"
MARK = "#7A3FA0"
#: Logical pixels of a millimetre and of a point on a 96 dpi screen.
MM, POINT = 96 / 25.4, 96 / 72
_LINES = {
    "solid": Qt.PenStyle.SolidLine, "dash": Qt.PenStyle.DashLine, "dot": Qt.PenStyle.DotLine,
    "dash dot": Qt.PenStyle.DashDotLine, "dash dot dot": Qt.PenStyle.DashDotDotLine,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LayerLook:
    """How a layer's records are drawn; ``style`` is calm where the layer's own is not one of ours."""

    style: LayerStyle = field(default_factory=LayerStyle)
    opacity: float = 1.0

    @staticmethod
    def of(qml: str, layer: LayerInfo) -> LayerLook:
        """Of a layer's QML."""
        style = from_qml(qml) if qml else None
        if style is None or not style.classes:
            return LayerLook(LayerStyle(label_field=_foreign_label(qml)), layer.opacity)
        return LayerLook(style, layer.opacity * style.opacity)

    def place(self, value: str | None) -> int:
        """Which class a value of the class field belongs to."""
        classes = self.style.classes
        if self.style.kind == "categorised":
            rest = next((n for n, one in enumerate(classes) if one.value is None), len(classes) - 1)
            return next((n for n, one in enumerate(classes) if one.value is not None and one.value == value), rest)
        if self.style.kind == "graduated":
            try:
                number = float(value or "")
            except ValueError:
                return 0
            return next((n for n, one in enumerate(classes) if one.upper is None or number <= one.upper), 0)
        return 0


def _foreign_label(qml: str) -> str:
    """The field that another program's style writes at the features; "" for none or for an expression."""
    from xml.etree import ElementTree as ET

    try:
        root = ET.fromstring(qml or "<qgis/>")  # noqa: S314 - the project's own
    except ET.ParseError:
        return ""
    text = root.find("./labeling[@type='simple']/settings/text-style") if root.get("labelsEnabled") == "1" else None
    return text.get("fieldName", "") if text is not None and text.get("isExpression") == "0" else ""


@dataclass(frozen=True, slots=True)
class Shapes:
    """Records of a layer: geometries (a shapely array), their classes, their labels ("" for none)."""

    look: LayerLook
    geometries: Any
    classes: Any
    labels: Sequence[str]


def draw_past(past: Past, viewport: Viewport, family: str = "") -> QImage:
    """The picture of a window's size, on paper; ``family`` is the labels' font. Safe on any thread."""
    import numpy as np

    image = QImage(
        round(viewport.width * viewport.dpr), round(viewport.height * viewport.dpr),
        QImage.Format.Format_ARGB32_Premultiplied,
    )  # fmt: skip
    image.fill(QColor("#FBFBF9"))
    painter = QPainter(image)
    painter.scale(viewport.dpr, viewport.dpr)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for shapes in past.shapes:
        painter.setOpacity(shapes.look.opacity)
        for number, one in enumerate(shapes.look.style.classes):
            _draw(painter, shapes.geometries[shapes.classes == number], viewport, one)
    painter.setOpacity(1.0)
    for different, colour, line in (
        (past.new, NEW, "dash"),
        (past.changed, CHANGED, "solid"),
        (past.gone, GONE, "solid"),
    ):
        rings, dots = screen_rings(np.array(different, dtype=object), viewport)
        for pen in (QPen(QColor(255, 255, 255, 220), 5.5), QPen(QColor(colour), 2.6, _LINES[line])):
            _edges(painter, rings, pen)
            _dots(painter, dots, pen, 4.0)
    taken: list[QRectF] = []
    for shapes in reversed(past.shapes):  # the top layer's names come first
        _label(painter, shapes, viewport, family, taken)
    painter.setPen(QPen(QColor(MARK), 6))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(0, 0, viewport.width, viewport.height)
    painter.end()
    return image


def _colour(text: str, opacity: float = 1.0) -> QColor:
    colour = swatch_colour(text)
    colour.setAlphaF(opacity)
    return colour


def _draw(painter: QPainter, geometries: Any, viewport: Viewport, one: StyleClass) -> None:
    import shapely

    if not len(geometries):
        return
    rings, dots = screen_rings(geometries, viewport)
    polygons = [(to_polygon(points), what) for points, what in rings]
    pen = (
        QPen(_colour(one.stroke), max(one.stroke_width * MM, 0.5), _LINES[one.line])
        if one.stroke
        else QPen(Qt.PenStyle.NoPen)
    )
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(_colour(one.fill, one.fill_opacity) if one.fill else Qt.BrushStyle.NoBrush)
    fill_areas(painter, polygons)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for polygon, what in polygons:
        if not what:
            painter.drawPolyline(polygon)
    point = shapely.get_dimensions(geometries[0]) == 0  # else what is too small for a ring
    radius = max(one.size * MM / 2, 1.0) if point else 1.0
    _dots(painter, dots, QPen(_colour(one.fill or one.stroke or "#6B7584")), radius)


def _edges(painter: QPainter, rings: Any, pen: QPen) -> None:
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for points, _ in rings:
        painter.drawPolyline(to_polygon(points))


def _dots(painter: QPainter, dots: Any, pen: QPen, radius: float) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(pen.color())
    for x, y in dots.tolist():
        painter.drawEllipse(QPointF(x, y), radius, radius)


def _label(painter: QPainter, shapes: Shapes, viewport: Viewport, family: str, taken: list[QRectF]) -> None:
    """Names inside areas, beside points, at the middle of lines; where one would cover another it is left out."""
    import numpy as np
    import shapely

    style = shapes.look.style
    if not style.label_field or (style.label_min_scale and viewport.scale > style.label_min_scale):
        return
    view = shapely.box(*viewport.extent())
    named = np.array([bool(text) for text in shapes.labels], dtype=bool)
    named &= shapely.intersects(shapes.geometries, view)
    font = QFont(family) if family else QFont()
    font.setPixelSize(max(round(style.label_size * POINT), 1))
    font.setBold(style.label_bold)
    metrics, written = QFontMetricsF(font), 0
    frame = QRectF(0, 0, viewport.width, viewport.height)
    seen, said = (
        shapes.geometries[named],
        [text for text, is_named in zip(shapes.labels, named, strict=True) if is_named],
    )
    for shape, text in zip(shapely.intersection(shapely.make_valid(seen), view), said, strict=True):
        if written == MOST_LABELS:
            break
        if shape.is_empty:
            continue
        kind = shapely.get_dimensions(shape)
        anchor = shape.interpolate(0.5, normalized=True) if shape.geom_type == "LineString" else None
        point = anchor if anchor is not None else shape.representative_point()
        x, y = viewport.to_screen(point.x, point.y)
        width = metrics.horizontalAdvance(text)
        beside = width / 2 + 5 if kind == 0 else 0.0
        box = QRectF(x - width / 2 + beside, y - metrics.height() / 2, width, metrics.height())
        wide = (shape.bounds[2] - shape.bounds[0]) / viewport.resolution
        if not frame.contains(box) or (kind == 2 and wide < width / 2) or any(box.intersects(one) for one in taken):
            continue
        taken.append(box)
        written += 1
        path = QPainterPath()
        path.addText(box.left(), box.top() + metrics.ascent(), font, text)
        painter.strokePath(path, QPen(QColor(255, 255, 255, 220), 3.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.fillPath(path, _colour(style.label_colour))
