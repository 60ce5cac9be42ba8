"""A window's context without a window, and a case with one drawing placed by a turn and a shift."""

from __future__ import annotations

from typing import Any

import shapely
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from shapely import affinity

from planner_app.project import Project
from plugins.review.model.cases import store
from plugins.review.model.cases.commands import AddDrawing, prepare
from plugins.review.model.cases.opened import OpenDrawing
from plugins.review.model.cases.records import Case, DrawingRecord
from plugins.review.model.drawing.placement import Placement
from plugins.review.model.drawing.types import Drawing
from plugins.review.model.reading.types import SitePlan, UnitCheck
from plugins.review.ui.state import ReviewState
from tests.helpers.panel_context import FakeContext
from tests.plugins.review_ui.sheet.drawings import EAST, NORTH, site

#: The drawing stands turned by this on the map, about its lower left corner, and shifted.
TURN, SHIFT = 30.0, (1000.0, 500.0)


def turned(geometry: Any) -> Any:
    """Metres of the drawing → project."""
    return affinity.translate(affinity.rotate(geometry, TURN, origin=(EAST, NORTH)), *SHIFT)


def turned_back(geometry: Any) -> Any:
    """The inverse."""
    back = affinity.translate(geometry, -SHIFT[0], -SHIFT[1])
    return affinity.rotate(back, -TURN, origin=(EAST, NORTH))


def opened(record: DrawingRecord, drawing: Drawing, *, placed: bool = True, metres: float = 1.0) -> OpenDrawing:
    """A drawing as the workflow hands it over."""
    plan = SitePlan((), "", UnitCheck(metres, "header"), {"site": ("YDHX-用地红线",)}, {}, (), {}, {})
    to, back = (turned, turned_back) if placed else (None, None)
    return OpenDrawing(record, drawing, plan, Placement("control" if placed else "none"), to, back)


class Desk:
    """A project with a case and a drawing, and the window's state on it."""

    def __init__(self, project: Project, drawing: Drawing | None = None, *, placed: bool = True) -> None:
        self.project = project
        self.context = FakeContext(project, (EAST + 900, NORTH + 400, EAST + 1100, NORTH + 550))
        prepare(project)
        self.state = ReviewState(self.context, self.context)  # type: ignore[arg-type]
        case = Case(store.new_id(), "", "港湾雅苑")
        outline = shapely.to_wkb(shapely.box(EAST, NORTH, EAST + 100, NORTH + 80))
        record = DrawingRecord(store.new_id(), "", case.id, "总平面图", "site.dxf", "0" * 64, "dxf", wkb=bytes(outline))
        project.execute(AddDrawing(record, case, [], {}))
        self.state.case = store.cases(project)[0]
        self.record = store.drawings(project)[0]
        self.show(drawing or site(), placed=placed)

    def show(self, drawing: Drawing, *, placed: bool = True, metres: float = 1.0) -> OpenDrawing:
        """Make a drawing the current one."""
        self.state.record = self.record
        self.state.opened = opened(self.record, drawing, placed=placed, metres=metres)
        self.state.drawing_changed.emit()
        return self.state.opened


def pixel(widget: Any, x: float, y: float) -> QColor:
    """The strongest colour about a place of the sheet."""
    px, py = widget.to_screen(EAST + x, NORTH + y)
    image = widget.grab().toImage()
    around = [image.pixelColor(round(px) + i, round(py) + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return min(around, key=lambda colour: colour.lightness())


def click(canvas: Any, x: float, y: float) -> None:
    px, py = canvas.to_screen(EAST + x, NORTH + y)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(round(px), round(py)))
