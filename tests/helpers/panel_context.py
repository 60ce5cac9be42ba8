"""What a panel sees of the window (``planner_app.plugin_api.ui``), without the window: it notes and answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QObject, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QWidget

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress
from planner_app.i18n import word_error
from planner_app.project import Project

Box = tuple[float, float, float, float]


class FakeSelection(QObject):
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.chosen: dict[str, tuple[int, ...]] = {}

    def set(self, layer_id: str, fids: Sequence[int]) -> None:
        self.chosen = {layer_id: tuple(fids)} if fids else {}
        self.changed.emit()

    def clear(self) -> None:
        self.chosen = {}
        self.changed.emit()

    def fids(self, layer_id: str) -> tuple[int, ...]:
        return self.chosen.get(layer_id, ())

    def layer_ids(self) -> tuple[str, ...]:
        return tuple(self.chosen)


class FakeMap(QObject):
    """A map 800 pixels wide; overlays are painted by hand. ``shown``: what was zoomed to."""

    view_changed = Signal()
    cursor_moved = Signal(float, float)

    def __init__(self, box: Box) -> None:
        super().__init__()
        self.box = box
        self.overlays: list[Any] = []
        self.updates = 0
        self.shown: list[Any] = []
        self.tool: Any = None
        self.drawing: Callable[[bytes | None], None] | None = None

    def extent(self) -> Box:
        return self.box

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        xmin, _, xmax, ymax = self.box
        scale = 800 / (xmax - xmin)
        return (x - xmin) * scale, (ymax - y) * scale

    def zoom_to_extent(self, extent: Any, margin: float = 0.15) -> None:
        self.shown.append(tuple(extent))

    def zoom_to_features(self, layer_id: str, fids: Sequence[int]) -> None:
        self.shown.append((layer_id, tuple(fids)))

    def pan(self, dx: float, dy: float) -> None:
        xmin, ymin, xmax, ymax = self.box
        metres = (xmax - xmin) / 800
        self.box = (xmin - dx * metres, ymin + dy * metres, xmax - dx * metres, ymax + dy * metres)

    def add_overlay(self, paint: Any, *, above: bool = False) -> object:
        self.overlays.append(paint)
        return paint

    def remove_overlay(self, handle: object) -> None:
        self.overlays.remove(handle)

    def update_overlays(self) -> None:
        self.updates += 1

    def draw_polygon(self, finished: Callable[[bytes | None], None]) -> None:
        self.drawing = finished

    def use_tool(self, factory: Callable[[], Any] | None) -> None:
        before, self.tool = self.tool, None
        if before is not None:
            before.deactivate()
        self.tool = factory() if factory is not None else None

    def click(self, x: float, y: float) -> None:
        """What a person does with the tool in hand."""
        self.tool.press(SimpleNamespace(left=True, x=x, y=y))


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

    def select_rows(self, rows: Sequence[int]) -> None:
        self.rows = list(rows)

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
    """Jobs and background work run at once; background work waits in ``waiting`` while ``held``.

    Attributes:
        answer: the file a person names when asked for one.
        rule_list: what the plugins' rule files hold.
        said, opened, rendered: messages, panels brought to the front, extents of pictures asked for.
    """

    project_changed = Signal()
    data_changed = Signal(object, object)
    theme_changed = Signal()

    def __init__(
        self, project: Project | None, box: Box = (0.0, 0.0, 200.0, 150.0), settings: dict[str, Any] | None = None
    ) -> None:
        super().__init__()
        self.project = project
        self.user = "小王"
        self.selection, self.map = FakeSelection(), FakeMap(box)
        self.settings = settings or {}
        self.tables: dict[str, FakeTable] = {}
        self.floating: list[FakeFrame] = []
        self.side: dict[str, FakeFrame] = {}
        self.answer: Path | None = None
        self.rule_list: list[Any] = []
        self.said: list[str] = []
        self.opened: list[str] = []
        self.rendered: list[Any] = []
        self.held = False
        self.waiting: dict[str, Callable[[], None]] = {}
        if project is not None:
            project.subscribe(lambda changes, initiator: self.data_changed.emit(changes, initiator))

    def execute(self, command: Any, initiator: Any = None) -> Any:
        assert self.project is not None
        return self.project.execute(command, initiator)

    def run_job(self, title: str, work: Any, done: Any, failed: Any = None) -> None:
        _run(lambda: work(NoProgress()), done, failed)

    def in_background(self, key: str, work: Any, done: Any, failed: Any = None) -> None:
        if self.held:
            self.waiting[key] = lambda: _run(work, done, failed)
        else:
            _run(work, done, failed)

    def rules(self, prefix: str) -> list[Any]:
        return [rule for rule in self.rule_list if rule.kind.startswith(prefix)]

    def setting(self, key: str) -> Any:
        return self.settings[key]

    def set_setting(self, key: str, value: Any) -> None:
        self.settings[key] = value

    def add_table(self, table_id: str, title: str) -> FakeTable:
        return self.tables.setdefault(table_id, FakeTable(title))

    def add_floating(self, widget: QWidget, edge: str = "left", over: QWidget | None = None) -> FakeFrame:
        self.floating.append(FakeFrame(widget))
        return self.floating[-1]

    def add_side_view(self, view_id: str, title: str, widget: QWidget) -> FakeFrame:
        return self.side.setdefault(view_id, FakeFrame(widget))

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
        self.rendered.append(extent)
        done(b"")


def _run(work: Callable[[], Any], done: Any, failed: Any) -> None:
    try:
        answer = work()
    except PlannerError as error:
        if failed is None:
            raise
        failed(error)
    else:
        done(answer)
