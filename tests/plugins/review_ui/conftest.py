"""The review's panel on a real project file and the real model, with a context that stands in for the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import shapely
from PySide6.QtCore import QAbstractItemModel, QObject, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, NewLayer, PlanInfo, PlanKind
from planner_app.domain.progress import NoProgress
from planner_app.domain.rule import Rule, parse_rules
from planner_app.i18n import add_folder, word_error
from planner_app.project import Batch, Project
from plugins.review.model.cases import opened as opening
from plugins.review.ui.panel import ReviewPanel
from tests.plugins.review.drawings import EAST, NORTH, write_plan

RULES = Path(__file__).resolve().parents[3] / "plugins" / "review" / "rules"


@pytest.fixture(autouse=True)
def _wording() -> None:
    """Codes and texts of the plugin, as the host adds them."""
    add_folder(RULES.parent / "i18n")


class FakeSelection(QObject):
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.chosen: dict[str, tuple[int, ...]] = {}

    def set(self, layer_id: str, fids: Sequence[int]) -> None:
        self.chosen = {layer_id: tuple(fids)} if fids else {}

    def fids(self, layer_id: str) -> tuple[int, ...]:
        return self.chosen.get(layer_id, ())

    def layer_ids(self) -> tuple[str, ...]:
        return tuple(self.chosen)


class FakeMap(QObject):
    view_changed = Signal()
    cursor_moved = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[float, ...]] = []
        self.tool: Any = None

    def zoom_to_extent(self, extent: Any, margin: float = 0.15) -> None:
        self.shown.append(tuple(extent))

    def extent(self) -> tuple[float, float, float, float]:
        return EAST, NORTH, EAST + 200, NORTH + 150

    def add_overlay(self, paint: Any) -> object:
        return paint

    def update_overlays(self) -> None:
        return None

    def pan(self, dx: float, dy: float) -> None:
        return None

    def use_tool(self, factory: Callable[[], Any] | None) -> None:
        before, self.tool = self.tool, None
        if before is not None:
            before.deactivate()
        self.tool = factory() if factory is not None else None

    def click(self, x: float, y: float) -> None:
        """What a person does with the tool in hand."""

        class Event:
            left = True

        event = Event()
        event.x, event.y = x, y
        self.tool.press(event)


class FakeTable(QObject):
    row_activated = Signal(int)
    current_changed = Signal(list)
    cell_clicked = Signal(int, int)

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title, self.empty, self.shown = title, "", 0
        self.model: Any = None
        self.rows: list[int] = []
        self.actions: dict[str, Callable[[], None]] = {}

    def set_model(self, model: QAbstractItemModel) -> None:
        self.model = model

    def set_title(self, title: str) -> None:
        self.title = title

    def selected_rows(self) -> list[int]:
        return self.rows

    def show(self) -> None:
        self.shown += 1

    def set_empty(self, text: str, button: str = "", on_click: Any = None) -> None:
        self.empty = text

    def set_actions(self, actions: Any) -> None:
        self.actions = {key: run for key, _, run in actions}

    def column(self, number: int) -> list[str]:
        """What a column reads."""
        return [self.model.index(row, number).data() for row in range(self.model.rowCount())]


class FakeFrame(QObject):
    closed = Signal()

    def show(self) -> None:
        return None

    def hide(self) -> None:
        return None

    def visible(self) -> bool:
        return False

    def set_title(self, title: str) -> None:
        return None


class FakeContext(QObject):
    """Jobs run at once; what is asked of the person is answered by ``answer``."""

    project_changed = Signal()
    data_changed = Signal(object, object)
    theme_changed = Signal()

    def __init__(self, project: Project | None) -> None:
        super().__init__()
        self.project = project
        self.user = "小王"
        self.map, self.selection = FakeMap(), FakeSelection()
        self.tables: dict[str, FakeTable] = {}
        self.answer: Path | None = None
        self.said: list[str] = []
        self.opened: list[str] = []
        if project is not None:
            project.subscribe(lambda changes, initiator: self.data_changed.emit(changes, initiator))

    def execute(self, command: Any, initiator: Any = None) -> Any:
        assert self.project is not None
        return self.project.execute(command, initiator)

    def run_job(self, title: str, work: Any, done: Any, failed: Any = None) -> None:
        self.in_background(title, lambda: work(NoProgress()), done, failed)

    def in_background(self, key: str, work: Any, done: Any, failed: Any = None) -> None:
        try:
            answer = work()
        except PlannerError as error:
            if failed is None:
                raise
            failed(error)
        else:
            done(answer)

    def rules(self, prefix: str) -> list[Rule]:
        files = sorted(RULES.glob("*.toml"))
        every = [rule for file in files for rule in parse_rules(file.read_text("utf-8"), file.name)]
        return [rule for rule in every if rule.kind.startswith(prefix)]

    def add_table(self, table_id: str, title: str) -> FakeTable:
        return self.tables.setdefault(table_id, FakeTable(title))

    def add_floating(self, widget: QWidget, edge: str = "left", over: QWidget | None = None) -> FakeFrame:
        return FakeFrame(self)

    def add_side_view(self, view_id: str, title: str, widget: QWidget) -> FakeFrame:
        return FakeFrame(self)

    def open_panel(self, panel_id: str) -> None:
        self.opened.append(panel_id)

    def notify(self, message: str, *, level: str = "info", hint: str = "") -> None:
        self.said.append(message)

    def word(self, error: PlannerError) -> tuple[str, str]:
        return word_error(error)

    def ask_open(self, title: str, patterns: str) -> Path | None:
        return self.answer

    def ask_save(self, title: str, name: str, patterns: str) -> Path | None:
        return self.answer

    def colour(self, token: str) -> str:
        return "#336699"

    def icon(self, name: str) -> QIcon:
        return QIcon()

    def render_map(self, extent: Any, size: Any, done: Any, layers: Any = None, dpi: float = 96.0) -> None:
        done(b"")


class Window:
    """The panel with everything a test looks at."""

    def __init__(self, qtbot: Any, context: FakeContext) -> None:
        self.qtbot, self.context = qtbot, context
        self.panel = ReviewPanel(context)
        qtbot.addWidget(self.panel)
        self.panel.resize(390, 900)
        self.panel.show()
        self.state = self.panel.state
        self.settle()

    @property
    def project(self) -> Project:
        assert self.context.project is not None
        return self.context.project

    def settle(self) -> None:
        """Until what waits for the event loop is done."""
        self.qtbot.wait(20)

    def dialog(self, kind: type[Any]) -> Any:
        """The dialog of a kind that stands open (the newest)."""
        found = [one for one in QApplication.topLevelWidgets() if isinstance(one, kind) and one.isVisible()]
        assert found, f"no {kind.__name__} is open"
        self.qtbot.wait(5)
        return found[-1]

    def is_open(self, kind: type[QDialog]) -> bool:
        return any(isinstance(one, kind) and one.isVisible() for one in QApplication.topLevelWidgets())

    def take(self, path: Path, prepare: Callable[[Any], None] | None = None) -> None:
        """Import a drawing through its dialog."""
        from plugins.review.ui.intake_dialog import IntakeDialog

        self.panel.dialogs.intake(path)
        dialog = self.dialog(IntakeDialog)
        if prepare is not None:
            prepare(dialog)
        dialog.apply()
        self.settle()

    def table(self, name: str) -> FakeTable:
        return self.context.tables[name]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    opening.forget()
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "滨海新城") as made:
        yield made


@pytest.fixture
def zoning(project: Project) -> str:
    """A detailed zoning plan: the site's parcel and its neighbour; its layer."""
    fields = tuple(
        FieldInfo(name, "text" if name in ("parcel_no", "class_code") else "real")
        for name in (
            "parcel_no", "class_code", "far_max", "density_max_pct", "green_min_pct", "height_max_m", "setback_m",
        )
    )  # fmt: skip
    boxes = [(0, 0, 120, 80), (120, 0, 240, 80)]
    wkb = [shapely.to_wkb(shapely.box(EAST + a, NORTH + b, EAST + c, NORTH + d)) for a, b, c, d in boxes]
    columns = {
        "parcel_no": ["BH-01-07", "BH-01-08"], "class_code": ["070102", "090101"], "far_max": [0.7, 2.0],
        "density_max_pct": [28.0, 45.0], "green_min_pct": [8.0, 20.0], "height_max_m": [24.0, 60.0],
        "setback_m": [13.0, 5.0],
    }  # fmt: skip
    plan = PlanInfo("detailed", PlanKind.DETAILED, "控制性详细规划")
    new = NewLayer("地块指标", "polygon", fields, plan=plan, class_field="class_code")
    return project.add_layer(new, [Batch(wkb, columns)]).id


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """1号楼 stands 12 m from the west side of the site (13 m are demanded); FAR 0.71 of 0.70."""
    return write_plan(tmp_path / "总平面图.dxf")


@pytest.fixture
def window(qtbot: Any, project: Project, zoning: str) -> Iterator[Window]:
    made = Window(qtbot, FakeContext(project))
    yield made
    for one in QApplication.topLevelWidgets():
        if isinstance(one, QDialog):
            one.close()
    qtbot.wait(5)


@pytest.fixture
def checked(window: Window, plan: Path) -> Window:
    """A plan imported and checked."""
    window.take(plan)
    assert window.state.check is not None
    return window
