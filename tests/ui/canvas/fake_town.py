"""A small town in memory, an engine that answers when told to, and a hand on the map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from PySide6.QtCore import QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from planner_app.domain.changeset import ChangeSet, TableTouch
from planner_app.domain.layer import FieldInfo, LayerInfo
from planner_app.ui.canvas.map_canvas import MapCanvas
from planner_app.ui.session import Session
from tests.ui import conftest

#: Lower left corner of the fake town: CGCS2000 3° zone, central meridian 120°E.
EAST, NORTH = 512_000.0, 3_450_000.0


@dataclass
class Picture:
    """An engine's picture."""

    image: QImage
    extent: tuple[float, float, float, float]
    request_id: int


class FakeView(conftest.FakeView):
    """Notes requests and answers when the test says so."""

    def picture(self, colour: str, number: int | None = None) -> Picture:
        request = self.requests[-1 if number is None else number - 1]
        image = QImage(request.width, request.height, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(QColor(colour))
        return Picture(image, request.extent, len(self.requests) if number is None else number)

    def finish(self, colour: str = "red", number: int | None = None) -> None:
        self.finished.emit(self.picture(colour, number))


class FakeEngine(QObject):
    """An engine client that is ready at once."""

    state_changed = Signal(str)
    problem = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.state = "ready"
        self.views: dict[str, FakeView] = {}

    def view(self, view_id: str) -> FakeView:
        return self.views.setdefault(view_id, FakeView())

    def refresh_layers(self, ids: object) -> None: ...
    def open_project(self, path: Path) -> None: ...
    def close_project(self) -> None: ...
    def stop(self) -> None: ...


@dataclass
class Table:
    """A layer's rows: geometry and attributes by fid."""

    info: LayerInfo
    geometry: dict[int, Any]
    values: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass
class FeatureTable:
    fids: Any
    geometry: Any
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.fids)


class FakeProject:
    """Layers in memory that behave as ``planner_app.project.Project`` does towards the map."""

    crs, name, path = "EPSG:4549", "town", Path("town.sqlite")

    def __init__(self, *tables: Table) -> None:
        self.tables = {t.info.id: t for t in tables}
        self.executed: list[Any] = []
        self._callback: Callable[[ChangeSet, object], None] | None = None

    def subscribe(self, callback: Callable[[ChangeSet, object], None]) -> Callable[[], None]:
        self._callback = callback
        return lambda: None

    def tell(self, change: ChangeSet) -> None:
        assert self._callback is not None
        self._callback(change, None)

    def close(self) -> None: ...
    def poll(self) -> list[ChangeSet]:
        return []

    def layers(self) -> list[LayerInfo]:
        return [t.info for t in self.tables.values()]

    def set_layer(self, layer_id: str, **values: Any) -> None:
        self.tables[layer_id].info = replace(self.tables[layer_id].info, **values)
        self.tell(ChangeSet(1, "set_layer", registry=True))

    def style(self, layer_id: str) -> str:
        return ""

    def extent(self, layer_id: str | None = None) -> Any:
        shapes = [g for i, t in self.tables.items() if layer_id in (None, i) for g in t.geometry.values()]
        return tuple(shapely.total_bounds(shapes)) if shapes else None

    def read(
        self,
        layer_id: str,
        *,
        columns: Any = None,
        bbox: Any = None,
        fids: Any = None,
        where: str = "",
        geometry: bool = True,
        limit: int | None = None,
    ) -> FeatureTable:
        table = self.tables[layer_id]
        found = [f for f in table.geometry if fids is None or f in set(fids)]
        if bbox is not None:
            found = [f for f in found if shapely.intersects(shapely.box(*table.geometry[f].bounds), shapely.box(*bbox))]
        if where:
            found = [f for f in found if eval(where, {}, table.values[f])]
        found = found[:limit]
        wkb = np.array([shapely.to_wkb(table.geometry[f]) for f in found] + [None], dtype=object)[:-1]
        names = [f.name for f in table.info.fields] if columns is None else columns
        cells = {n: [table.values.get(f, {}).get(n) for f in found] for n in names}
        return FeatureTable(np.array(found, dtype=np.int64), wkb, cells)

    def pick(self, x: float, y: float, tolerance: float, layer_ids: list[str]) -> list[tuple[str, int]]:
        point = shapely.Point(x, y)
        return [
            (i, fid)
            for i in layer_ids
            for fid, shape in self.tables[i].geometry.items()
            if shapely.distance(shape, point) <= tolerance
        ]

    def execute(self, command: Any, initiator: object = None) -> ChangeSet:
        self.executed.append(command)
        table = self.tables[command.layer_id]
        if command.name == "edit_geometry":
            table.geometry.update({f: shapely.from_wkb(w) for f, w in command.geometries.items()})
            touch = TableTouch(command.layer_id, updated=len(command.geometries), fids=tuple(command.geometries))
        elif command.name == "delete_features":
            for fid in command.fids:
                del table.geometry[fid]
            touch = TableTouch(command.layer_id, deleted=len(command.fids), fids=tuple(command.fids))
        else:
            fid = max(table.geometry, default=0) + 1
            table.geometry[fid] = shapely.from_wkb(command.wkb[0])
            touch = TableTouch(command.layer_id, inserted=1, fids=(fid,))
        change = ChangeSet(len(self.executed), command.name, touches=(touch,))
        self.tell(change)
        return change


def square(x: float, y: float, size: float = 100.0) -> Any:
    """A square of the fake town, ``x, y`` metres from its corner."""
    return shapely.box(EAST + x, NORTH + y, EAST + x + size, NORTH + y + size)


def parcels_layer() -> Table:
    """Four parcels of 1 ha around one corner, sharing their edges."""
    fields = (FieldInfo("code", "text", "地类"), FieldInfo("name", "text"), FieldInfo("floors", "integer"))
    info = LayerInfo("parcels", "u1", "规划用地", "polygon", 4549, fields, class_field="code", position=1)
    corners = ((0, 0), (100, 0), (0, 100), (100, 100))
    return Table(
        info,
        {n: square(x, y) for n, (x, y) in enumerate(corners, start=1)},
        {n: {"code": "R2" if n < 3 else "G1", "name": f"A-{n:02}", "floors": n} for n in range(1, 5)},
    )


def line_layer() -> Table:
    """A red line across the parcels, on top."""
    info = LayerInfo("lines", "u2", "道路红线", "line", 4549, (FieldInfo("width", "real"),), position=0)
    line = shapely.LineString([(EAST + 10, NORTH + 150), (EAST + 190, NORTH + 150)])
    return Table(info, {7: line}, {7: {"width": 24.0}})


@dataclass
class Bench:
    """A map on the screen and what stands behind it."""

    canvas: MapCanvas
    session: Session
    project: FakeProject
    engine: FakeEngine
    qtbot: Any

    @property
    def view(self) -> FakeView:
        return self.engine.view("map")

    def settle(self, colour: str = "red") -> None:
        """Wait for the next request and answer it with a picture of one colour."""
        before = len(self.view.requests)
        self.qtbot.waitUntil(
            lambda: len(self.view.requests) > before or self.canvas.scheduler.is_rendering(), timeout=3000
        )
        self.view.finish(colour)

    def pixel(self, x: float, y: float) -> QPoint:
        """Widget position of a point of the town, metres from its corner."""
        px, py = self.canvas.viewport.to_screen(EAST + x, NORTH + y)
        return QPoint(round(px), round(py))

    def click(self, x: float, y: float, modifiers: Any = Qt.KeyboardModifier.NoModifier) -> None:
        self.move(x, y)
        QTest.mouseClick(self.canvas, Qt.MouseButton.LeftButton, modifiers, self.pixel(x, y))

    def double_click(self, x: float, y: float) -> None:
        self.click(x, y)
        QTest.mouseDClick(self.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, self.pixel(x, y))

    def move(self, x: float, y: float) -> None:
        QTest.mouseMove(self.canvas, self.pixel(x, y))
        QApplication.processEvents()

    def drag(
        self,
        start: QPoint,
        end: QPoint,
        button: Any = Qt.MouseButton.LeftButton,
        modifiers: Any = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        """Press, move in three steps, release."""
        from PySide6.QtGui import QMouseEvent

        def send(kind: Any, at: QPoint, which: Any, held: Any) -> None:
            place = QPointF(at)
            event = QMouseEvent(kind, place, QPointF(self.canvas.mapToGlobal(at)), which, held, modifiers)
            QApplication.sendEvent(self.canvas, event)

        none = Qt.MouseButton.NoButton
        send(QMouseEvent.Type.MouseButtonPress, start, button, button)
        for step in (1, 2, 3):
            at = start + (end - start) * step / 3
            send(QMouseEvent.Type.MouseMove, at, none, button)
        send(QMouseEvent.Type.MouseButtonRelease, end, button, none)

    def key(self, key: Any, modifiers: Any = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.canvas, key, modifiers)

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=5000)
