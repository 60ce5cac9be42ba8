"""A window's context without a window, and a case with one drawing placed by a turn and a shift."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import shapely
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QWidget
from shapely import affinity

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress
from planner_app.i18n import word_error
from planner_app.project import Project
from plugins.review.model.cases import store
from plugins.review.model.cases.commands import AddDrawing, prepare
from plugins.review.model.cases.opened import OpenDrawing
from plugins.review.model.cases.records import Case, DrawingRecord
from plugins.review.model.drawing.placement import Placement
from plugins.review.model.drawing.types import Drawing
from plugins.review.model.reading.types import SitePlan, UnitCheck
from plugins.review.ui.state import ReviewState
from tests.plugins.review_ui.sheet.drawings import EAST, NORTH, site

#: The drawing stands turned by this on the map, about its lower left corner, and shifted.
TURN, SHIFT = 30.0, (1000.0, 500.0)


class FakeMap(QObject):
    """A map of 800 by 600 pixels; overlays are painted by hand."""

    view_changed = Signal()
    cursor_moved = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self.box = (EAST + 900, NORTH + 400, EAST + 1100, NORTH + 550)
        self.overlays: list[Any] = []
        self.updates = 0
        self.tool: Any = None
        self.shown: list[Any] = []

    def extent(self) -> Any:
        return self.box

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        xmin, _, xmax, ymax = self.box
        scale = 800 / (xmax - xmin)
        return (x - xmin) * scale, (ymax - y) * scale

    def add_overlay(self, paint: Any) -> object:
        self.overlays.append(paint)
        return paint

    def update_overlays(self) -> None:
        self.updates += 1

    def zoom_to_extent(self, extent: Any, margin: float = 0.15) -> None:
        self.shown.append(extent)

    def pan(self, dx: float, dy: float) -> None:
        xmin, ymin, xmax, ymax = self.box
        metres = (xmax - xmin) / 800
        self.box = (xmin - dx * metres, ymin + dy * metres, xmax - dx * metres, ymax + dy * metres)

    def use_tool(self, factory: Callable[[], Any] | None) -> None:
        before, self.tool = self.tool, None
        if before is not None:
            before.deactivate()
        self.tool = factory() if factory is not None else None


class Frame(QObject):
    """A floating frame or a side view."""

    closed = Signal()

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self.widget, self.on, self.title = widget, False, ""

    def show(self) -> None:
        self.on = True

    def hide(self) -> None:
        self.on = False

    def visible(self) -> bool:
        return self.on

    def set_title(self, title: str) -> None:
        self.title = title


class FakeContext(QObject):
    """Jobs and background work run at once, or wait in ``waiting`` while ``held``."""

    project_changed = Signal()
    data_changed = Signal(object, object)
    theme_changed = Signal()

    def __init__(self, project: Project) -> None:
        super().__init__()
        self.project: Project | None = project
        self.user = "小王"
        self.map = FakeMap()
        self.floating: list[Frame] = []
        self.side: dict[str, Frame] = {}
        self.answer: Path | None = None
        self.held = False
        self.waiting: dict[str, Callable[[], None]] = {}
        self.said: list[str] = []
        project.subscribe(lambda changes, initiator: self.data_changed.emit(changes, initiator))

    def execute(self, command: Any, initiator: Any = None) -> Any:
        assert self.project is not None
        return self.project.execute(command, initiator)

    def run_job(self, title: str, work: Any, done: Any, failed: Any = None) -> None:
        done(work(NoProgress()))

    def in_background(self, key: str, work: Any, done: Any, failed: Any = None) -> None:
        def run() -> None:
            try:
                answer = work()
            except PlannerError as error:
                if failed is None:
                    raise
                failed(error)
            else:
                done(answer)

        if self.held:
            self.waiting[key] = run
        else:
            run()

    def add_floating(self, widget: QWidget, edge: str = "left", over: QWidget | None = None) -> Frame:
        self.floating.append(Frame(widget))
        return self.floating[-1]

    def add_side_view(self, view_id: str, title: str, widget: QWidget) -> Frame:
        return self.side.setdefault(view_id, Frame(widget))

    def rules(self, prefix: str) -> list[Any]:
        return []

    def word(self, error: PlannerError) -> tuple[str, str]:
        return word_error(error)

    def ask_open(self, title: str, patterns: str) -> Path | None:
        return self.answer

    def colour(self, token: str) -> str:
        return "#336699"

    def icon(self, name: str) -> QIcon:
        return QIcon()


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
        self.project, self.context = project, FakeContext(project)
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
