"""Panel pages on a real project file, with a context that stands in for the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import shapely
from PySide6.QtCore import QAbstractItemModel, QObject, Signal
from PySide6.QtGui import QIcon

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo, NewLayer, PlanInfo, PlanKind
from planner_app.domain.progress import NoProgress
from planner_app.i18n import word_error
from planner_app.project import Batch, Project

EAST, NORTH = 560_000.0, 3_400_000.0


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
    view_changed = Signal()
    cursor_moved = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Any] = []
        self.overlays: list[Any] = []
        self.drawing: Callable[[bytes | None], None] | None = None

    def zoom_to_extent(self, extent: Any, margin: float = 0.15) -> None:
        self.shown.append(tuple(extent))

    def zoom_to_features(self, layer_id: str, fids: Sequence[int]) -> None:
        self.shown.append((layer_id, tuple(fids)))

    def add_overlay(self, paint: Any) -> object:
        self.overlays.append(paint)
        return paint

    def remove_overlay(self, handle: object) -> None:
        self.overlays.remove(handle)

    def update_overlays(self) -> None:
        return None

    def draw_polygon(self, finished: Callable[[bytes | None], None]) -> None:
        self.drawing = finished


class FakeTable(QObject):
    row_activated = Signal(int)
    current_changed = Signal(list)

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        self.model: QAbstractItemModel | None = None
        self.rows: list[int] = []
        self.empty = ""

    def set_model(self, model: QAbstractItemModel) -> None:
        self.model = model

    def set_title(self, title: str) -> None:
        self.title = title

    def select_rows(self, rows: Sequence[int]) -> None:
        self.rows = list(rows)

    def selected_rows(self) -> list[int]:
        return self.rows

    def show(self) -> None:
        return None

    def set_empty(self, text: str, button: str = "", on_click: Any = None) -> None:
        self.empty = text

    def set_actions(self, actions: Any) -> None:
        self.actions = [title for _, title, _ in actions]


class FakeContext(QObject):
    """Runs jobs at once; what the panel says and asks is kept."""

    project_changed = Signal()
    data_changed = Signal(object, object)
    theme_changed = Signal()

    def __init__(self, project: Project | None) -> None:
        super().__init__()
        self.project = project
        self.user = "小王"
        self.selection, self.map = FakeSelection(), FakeMap()
        self.tables: dict[str, FakeTable] = {}
        self.settings: dict[str, Any] = {"planning.basis": "planar"}
        self.answer: Path | None = None
        self.rendered: list[Any] = []
        self.rule_list: list[Any] = []
        if project is not None:
            project.subscribe(lambda changes, initiator: self.data_changed.emit(changes, initiator))

    def execute(self, command: Any, initiator: Any = None) -> Any:
        assert self.project is not None
        return self.project.execute(command, initiator)

    def run_job(self, title: str, work: Any, done: Any, failed: Any = None) -> None:
        try:
            answer = work(NoProgress())
        except PlannerError as error:
            if failed is None:
                raise
            failed(error)
            return
        done(answer)

    def rules(self, prefix: str) -> list[Any]:
        return self.rule_list

    def setting(self, key: str) -> Any:
        return self.settings[key]

    def set_setting(self, key: str, value: Any) -> None:
        self.settings[key] = value

    def add_table(self, table_id: str, title: str) -> FakeTable:
        return self.tables.setdefault(table_id, FakeTable(title))

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


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "滨海新城") as made:
        yield made


@pytest.fixture
def plans(project: Project) -> tuple[LayerInfo, LayerInfo]:
    """A master plan of four parcels over a land-use plan: two conflicts, one sliver of 0.5 m, one that agrees."""

    def box(x0: float, y0: float, x1: float, y1: float) -> bytes:
        return shapely.to_wkb(shapely.box(EAST + x0, NORTH + y0, EAST + x1, NORTH + y1))

    def add(name: str, kind: PlanKind, standard: str, rows: list[tuple[str, bytes]]) -> LayerInfo:
        new = NewLayer(
            name,
            "polygon",
            (FieldInfo("class", "text"),),
            plan=PlanInfo(name, kind, name),
            class_field="class",
            class_standard=standard,
        )
        return project.add_layer(new, [Batch([wkb for _, wkb in rows], {"class": [value for value, _ in rows]})])

    land = add(
        "土规",
        PlanKind.LAND_USE,
        "dltb",
        [("0101", box(0, 0, 200, 100)), ("0101", box(300, 0, 400.5, 100)), ("0301", box(0, 200, 100, 300))],
    )
    master = add(
        "总规",
        PlanKind.MASTER,
        "mnr2023",
        [
            ("070102", box(0, 0, 100, 100)),
            ("100101", box(100, 0, 150, 100)),
            ("0101", box(300, 0, 400, 100)),
            ("070102", box(400, 0, 500, 100)),
            ("0301", box(0, 200, 100, 300)),
        ],
    )
    return master, land


@pytest.fixture
def context(qtbot: Any, project: Project, plans: tuple[LayerInfo, LayerInfo]) -> FakeContext:
    return FakeContext(project)
