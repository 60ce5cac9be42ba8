"""A revision as a picture: the layers as they were then, and where that differs from what the file holds now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from planner_app.sync import cells
from planner_app.sync.types import Revision, Scope
from planner_app.ui.canvas.outlines import screen_rings, to_polygon
from planner_app.ui.controls import swatch_colour

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from planner_app.domain.layer import LayerInfo
    from planner_app.project import Project
    from planner_app.sync.transport import Transport
    from planner_app.sync.types import RemoteRow
    from planner_app.ui.canvas.viewport import Viewport

Box = tuple[float, float, float, float]
#: More records than this are not fetched for one view: the person is asked to zoom in.
MOST = 20_000
#: How differences are drawn: changed since, gone since (they existed then), new since (they do not yet exist).
CHANGED, GONE, NEW = "#A05F00", "#C0322B", "#1F7A3D"
MARK = "#7A3FA0"


@dataclass(frozen=True, slots=True)
class Past:
    """A place as it was after a revision.

    Attributes:
        shapes: (shapely array, how it is drawn) from the lowest layer up.
        changed, gone, new: geometries of records that are different now, no more, or only now (as they are now).
        shortened: there was more than could be shown.
    """

    revision: Revision
    box: Box
    shapes: tuple[tuple[NDArray[np.object_], Look], ...]
    changed: tuple[Any, ...] = ()
    gone: tuple[Any, ...] = ()
    new: tuple[Any, ...] = ()
    shortened: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """How records of a class are drawn: colours (empty: none) and opacity from 0 to 1."""

    fill: str = "#D5DAE1"
    stroke: str = "#6B7584"
    opacity: float = 1.0


@dataclass(slots=True)
class _Looks:
    by_class: dict[str, Look] = field(default_factory=dict)
    name: str = ""
    other: Look = field(default_factory=Look)

    def of(self, value: str | None) -> Look:
        return self.by_class.get(value or "", self.other)


def read_past(
    transport: Transport, project_id: str, project: Project, layers: Sequence[LayerInfo], revision: Revision, box: Box
) -> Past:
    """Fetch what these layers (top first) were in a box and compare it with the file. For the line's thread.

    Raises:
        PlannerError: what the transport raises.
    """
    import numpy as np
    import shapely

    shapes: list[tuple[Any, Look]] = []
    changed: list[Any] = []
    gone: list[Any] = []
    new: list[Any] = []
    left, shortened = MOST, False
    for layer in reversed([one for one in layers if one.geometry != "none"]):
        looks = _looks(project, layer)
        groups: dict[Look, list[bytes]] = {}
        present = _present(project, layer, box)
        for row in transport.as_of(project_id, layer.uuid, revision.revision, Scope(box=box)):
            left -= 1
            if left < 0:
                shortened = True
                break
            if row.gone or row.geometry is None:
                continue
            groups.setdefault(looks.of(row.cells.get(looks.name)), []).append(row.geometry)
            now = present.pop(row.uuid, None)
            if now is None:
                if not _elsewhere(project, layer, row.uuid):
                    gone.append(row.geometry)
                    continue
                changed.append(row.geometry)
            elif not _same(row, now, layer):
                changed.append(row.geometry)
        else:
            new += [geometry for geometry, _ in present.values() if geometry is not None]
        shapes += [(shapely.from_wkb(np.array(wkb, object)), look) for look, wkb in groups.items()]
    different = [tuple(shapely.from_wkb(some)) for some in (changed, gone, new)]
    return Past(revision, box, tuple(shapes), different[0], different[1], different[2], shortened)


def _present(project: Project, layer: LayerInfo, box: Box) -> dict[str, tuple[bytes | None, dict[str, Any]]]:
    table = project.read(layer.id, columns=["uuid", *(info.name for info in layer.fields)], bbox=box)
    names = [info.name for info in layer.fields]
    return {
        uuid: (table.geometry[number], {name: table.columns[name][number] for name in names})
        for number, uuid in enumerate(table.columns["uuid"])
    }


def _elsewhere(project: Project, layer: LayerInfo, uuid: str) -> bool:
    """True if the record lies outside the box now."""
    quoted = uuid.replace("'", "''")
    return len(project.read(layer.id, columns=[], where=f"uuid = '{quoted}'", geometry=False, limit=1)) > 0


def _same(row: RemoteRow, now: tuple[bytes | None, dict[str, Any]], layer: LayerInfo) -> bool:
    geometry, values = now
    if geometry != row.geometry:
        return False
    for info in layer.fields:
        try:
            text = cells.encode(values.get(info.name), info.type)
        except cells.WrongCellError:
            return False
        if text != row.cells.get(info.name):
            return False
    return True


def _looks(project: Project, layer: LayerInfo) -> _Looks:
    from planner_app.domain.style import StyleClass, from_qml

    qml = project.style(layer.id)
    style = from_qml(qml) if qml else None
    if style is None or not style.classes:
        return _Looks(other=Look(opacity=layer.opacity))
    opacity = layer.opacity * style.opacity

    def look(one: StyleClass) -> Look:
        return Look(one.fill, one.stroke, opacity * one.fill_opacity)

    if style.kind != "categorised":
        return _Looks(other=look(style.classes[0]))
    rest = next((look(one) for one in style.classes if one.value is None), Look(opacity=opacity))
    return _Looks({one.value: look(one) for one in style.classes if one.value is not None}, style.field, rest)


def draw_past(past: Past, viewport: Viewport) -> QImage:
    """The picture of a window's size, on paper. Safe on any thread."""
    import numpy as np

    image = QImage(
        round(viewport.width * viewport.dpr), round(viewport.height * viewport.dpr),
        QImage.Format.Format_ARGB32_Premultiplied,
    )  # fmt: skip
    image.fill(QColor("#FBFBF9"))
    painter = QPainter(image)
    painter.scale(viewport.dpr, viewport.dpr)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for geometries, look in past.shapes:
        painter.setOpacity(look.opacity)
        _draw(painter, geometries, viewport, QPen(_colour(look.stroke, "#6B7584"), 0.8), look.fill)
    painter.setOpacity(1.0)
    for different, colour, style in (
        (past.new, NEW, Qt.PenStyle.DashLine), (past.changed, CHANGED, Qt.PenStyle.SolidLine),
        (past.gone, GONE, Qt.PenStyle.SolidLine),
    ):  # fmt: skip
        array = np.array(different, dtype=object)
        _draw(painter, array, viewport, QPen(QColor(255, 255, 255, 220), 5.5), "")
        _draw(painter, array, viewport, QPen(QColor(colour), 2.6, style), "")
    painter.setPen(QPen(QColor(MARK), 6))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(0, 0, viewport.width, viewport.height)
    painter.end()
    return image


def _colour(text: str, other: str) -> QColor:
    return swatch_colour(text) if text else QColor(other)


def _draw(painter: QPainter, geometries: Any, viewport: Viewport, pen: QPen, fill: str) -> None:
    if not len(geometries):
        return
    rings, dots = screen_rings(geometries, viewport)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    for points, closed in rings:
        polygon = to_polygon(points)
        if closed and fill:
            painter.setBrush(_colour(fill, "#D5DAE1"))
            painter.drawPolygon(polygon)
        else:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(polygon)
    if len(dots):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_colour(fill, "#6B7584") if fill else pen.color())
        for x, y in dots.tolist():
            painter.drawEllipse(QPointF(x, y), 2.5, 2.5)
