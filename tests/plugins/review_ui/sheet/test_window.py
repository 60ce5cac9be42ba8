"""The real window with the shipped plugins: a drawing from its file to the map, marked up with the mouse, undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from planner_app.project import Project
from tests.ui.conftest import FakeEngine

EAST, NORTH = 512_000.0, 2_945_000.0


def write_drawing(path: Path) -> None:
    """A site of 100 m by 80 m in the project's own coordinates, two buildings, a Chinese text."""
    import ezdxf

    made = ezdxf.new("R2013")
    made.header["$INSUNITS"] = 6
    space = made.modelspace()
    for layer, colour, x, y, width, height in (
        ("YDHX-用地红线", 1, 0, 0, 100, 80),
        ("JZJD-1号楼-建筑基底", 7, 10, 10, 30, 15),
        ("JZJD-2号楼-建筑基底", 7, 55, 10, 30, 15),
    ):
        made.layers.add(layer, color=colour)
        corners = [(0, 0), (width, 0), (width, height), (0, height)]
        points = [(EAST + x + dx, NORTH + y + dy) for dx, dy in corners]
        space.add_lwpolyline(points, close=True, dxfattribs={"layer": layer})
    space.add_text("1号楼", height=3).set_placement((EAST + 15, NORTH + 15))
    made.saveas(path)


@pytest.fixture
def desktop(qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from planner_app.ui.app import Desktop
    from planner_app.ui.settings import Settings
    from plugins.review.model.cases.workflow import import_drawing

    monkeypatch.setenv("PLANNER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("PLANNER_PLUGIN_DIR", str(tmp_path / "plugins"))
    write_drawing(tmp_path / "site.dxf")
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "滨海新城") as project:
        imported = import_drawing(project, tmp_path / "site.dxf")
        assert imported.opened.placement.placed
    settings = Settings.load(tmp_path / "config")
    settings.language, settings.theme, settings.panel = "en", "light", "review"
    made = Desktop(settings, FakeEngine())  # type: ignore[arg-type]
    made.window.resize(1600, 1000)
    made.window.show()
    qtbot.waitExposed(made.window)
    made.load_plugins()
    with qtbot.waitSignal(made.session.project_changed, timeout=10_000):
        made.session.open_project(tmp_path / "town.sqlite")
    yield made
    made.shutdown()
    made.window.close()
    made.window.deleteLater()
    made.deleteLater()
    qtbot.wait(1)


@pytest.fixture
def sheets(desktop: Any, qtbot: Any) -> Any:
    from plugins.review.ui.sheet import install
    from plugins.review.ui.state import state_of

    context = desktop.window._contexts["review"]
    desktop.window.open_panel("review")
    made = install(context, state_of(context))
    qtbot.waitUntil(lambda: made.model.shown is not None, timeout=20_000)
    desktop.window.canvas.zoom_to_extent(made.model.shown.on_map.extent(), 0.4)
    qtbot.wait(200)  # the panel may still take its room
    qtbot.waitUntil(lambda: made.overlay.ready, timeout=5_000)
    return made


def pixel(canvas: Any, x: float, y: float) -> QPoint:
    px, py = canvas.viewport.to_screen(EAST + x, NORTH + y)
    return QPoint(round(px), round(py))


def colour(canvas: Any, x: float, y: float) -> QColor:
    image, at = canvas.snapshot(), pixel(canvas, x, y)
    ratio = image.devicePixelRatio()
    near = [(at.x() + i, at.y() + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    around = [image.pixelColor(round(x * ratio), round(y * ratio)) for x, y in near]
    return min(around, key=lambda one: one.lightness())


def drag(canvas: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QTest.mousePress(canvas, left, none, pixel(canvas, *start))
    QTest.mouseMove(canvas, pixel(canvas, *end))
    QTest.mouseRelease(canvas, left, none, pixel(canvas, *end))


def test_the_drawing_lies_on_the_map_and_is_marked_up(desktop: Any, sheets: Any, qtbot: Any) -> None:
    window, canvas = desktop.window, desktop.window.canvas
    assert colour(canvas, 50, 0).red() > colour(canvas, 50, 0).blue() + 60  # the red line
    assert colour(canvas, 25, 10).lightness() < 120  # building 1
    assert colour(canvas, 50, 60).lightness() > 200
    sheets.start_marking("cloud")
    assert canvas.tool_id == "ad_hoc"
    drag(canvas, (45, 45), (70, 70))
    (mark,) = sheets.board.marks
    assert mark.points[0] == pytest.approx((EAST + 45, NORTH + 45), abs=0.5)
    assert colour(canvas, 45, 45).red() > colour(canvas, 45, 45).blue() + 60
    sheets.start_marking("select")
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, pixel(canvas, 45, 45))
    assert sheets.board.selected == mark.id
    QTest.keyClick(canvas, Qt.Key.Key_Delete)
    assert sheets.board.marks == []
    desktop.session.undo()
    qtbot.waitUntil(lambda: len(sheets.board.marks) == 1, timeout=3000)
    for _ in range(3):
        canvas.escape()
    assert canvas.tool_id == "pan"
    assert not sheets.board.active
    assert window.map_area.floats is not None


def test_the_sheet_opens_beside_the_map_with_the_marks_of_the_map(desktop: Any, sheets: Any, qtbot: Any) -> None:
    window, canvas = desktop.window, desktop.window.canvas
    sheets.start_marking("rectangle")
    drag(canvas, (45, 45), (70, 70))
    sheets.stop_marking()
    sheets.show_sheet()
    view = sheets.sheet.canvas
    qtbot.waitUntil(lambda: view.isVisible() and view.ready, timeout=5_000)
    assert window.map_area.isVisible()
    map_width, sheet_width = window.views.sizes()
    assert abs(map_width - sheet_width) < 20
    px, py = view.to_screen(EAST + 57, NORTH + 45)
    image = view.grab().toImage()
    around = [image.pixelColor(round(px) + i, round(py) + j) for i in (-2, -1, 0, 1, 2) for j in (-2, -1, 0, 1, 2)]
    assert any(one.red() > one.blue() + 60 for one in around)
    px, py = view.to_screen(EAST + 10, NORTH + 20)
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(round(px), round(py)))
    assert "JZJD-1号楼" in sheets.sheet.about.whole()
    window.side._close(window.side.current())
    assert not sheets.sheet_visible
    assert not sheets._bar.sheet.isChecked()


def test_closing_the_project_takes_everything_away(desktop: Any, sheets: Any, qtbot: Any) -> None:
    sheets.show_sheet()
    sheets.start_marking("cloud")
    desktop.session.close_project()
    qtbot.waitUntil(lambda: sheets.model.shown is None, timeout=3000)
    assert not sheets.board.active
    desktop.window.canvas.grab()


def test_the_search_offers_what_can_be_done_with_the_drawing(desktop: Any, sheets: Any, qtbot: Any) -> None:
    window = desktop.window
    for name, holds in (
        ("review.sheet", lambda: sheets.sheet_visible),
        ("review.markup", lambda: sheets.board.active),
        ("review.sheet_layers", lambda: sheets.layers_visible),
        ("review.on_map", lambda: not sheets.model.on_map),
    ):
        assert name in [spec.id for spec in window.commands.specs()]
        assert not holds()
        window.commands.trigger(name)
        assert holds()
        window.commands.trigger(name)
        assert not holds()
