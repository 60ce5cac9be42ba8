from __future__ import annotations

import numpy as np
import pytest
import shapely
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from planner_app.plugin_api.viewport import Viewport
from planner_app.ui.canvas import selection_layer
from planner_app.ui.canvas.outlines import HOLE, LINE, OUTER, OutlineStyle, draw_outlines, screen_rings, to_polygon
from planner_app.ui.tools.select import apply, select_by_expression
from planner_app.ui.tools.select_expression import SelectExpressionDialog, quote_name, quote_value
from tests.ui.canvas.fake_town import Bench

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def selected(bench: Bench) -> dict[str, tuple[int, ...]]:
    selection = bench.session.selection
    return {layer: selection.fids(layer) for layer in selection.layer_ids()}


@pytest.mark.parametrize("tool", ["select", "pan"])
def test_click_selects_the_topmost_shift_adds_ctrl_toggles(bench: Bench, tool: str) -> None:
    bench.canvas.set_tool(tool)
    bench.click(50, 50)
    bench.until(lambda: selected(bench) == {"parcels": (1,)})
    bench.click(150, 50, SHIFT)
    bench.until(lambda: selected(bench) == {"parcels": (1, 2)})
    bench.click(50, 50, CTRL)
    bench.until(lambda: selected(bench) == {"parcels": (2,)})
    bench.click(50, 150)
    bench.until(lambda: selected(bench) == {"lines": (7,)})
    bench.click(-60, -60)
    bench.until(lambda: selected(bench) == {})


def test_click_prefers_the_current_layer(bench: Bench) -> None:
    bench.session.set_current_layer("parcels")
    bench.click(50, 150)
    bench.until(lambda: selected(bench) == {"parcels": (3,)})


def test_box_selects_what_it_touches(bench: Bench) -> None:
    bench.canvas.set_tool("select")
    bench.drag(bench.pixel(120, 120), bench.pixel(90, 20))
    bench.until(lambda: selected(bench) == {"parcels": (1, 2, 3, 4)})
    bench.session.set_current_layer("parcels")
    bench.drag(bench.pixel(20, 20), bench.pixel(60, 180))
    bench.until(lambda: selected(bench) == {"parcels": (1, 3)})
    bench.drag(bench.pixel(20, 20), bench.pixel(180, 60), modifiers=CTRL)
    bench.until(lambda: selected(bench) == {"parcels": (3, 2)})
    bench.drag(bench.pixel(-50, -20), bench.pixel(250, 220), modifiers=SHIFT)
    bench.until(lambda: sorted(selected(bench)["parcels"]) == [1, 2, 3, 4])


def test_modes(bench: Bench) -> None:
    selection = bench.session.selection
    selection.replace({"parcels": [1, 2], "lines": [7]})
    apply(selection, {"parcels": [2, 3]}, "within")
    assert selected(bench) == {"parcels": (2,), "lines": (7,)}
    apply(selection, {"lines": [7]}, "remove")
    assert selected(bench) == {"parcels": (2,)}


def test_selected_features_are_outlined_off_the_ui_thread(bench: Bench) -> None:
    bench.session.selection.set("parcels", [1])
    bench.until(lambda: bench.canvas.selection_layer.picture is not None)
    image = bench.canvas.snapshot()
    corner = bench.pixel(0, 50)
    assert image.pixelColor(corner).blue() > 150
    assert image.pixelColor(bench.pixel(50, 50)) == QColor("red")
    bench.session.selection.clear()
    assert bench.canvas.selection_layer.picture is None


def test_too_many_are_filled_with_a_note(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection_layer, "OUTLINED", 2)
    bench.session.selection.set("parcels", [1, 2, 3])
    bench.until(lambda: bench.canvas.selection_layer.shortened)
    image = bench.canvas.snapshot()
    assert image.pixelColor(bench.pixel(50, 50)).blue() > 60
    assert image.pixelColor(bench.pixel(150, 170)) == QColor("red")


def test_moved_geometry_moves_its_outline(bench: Bench) -> None:
    from planner_app.project.commands import EditGeometry
    from tests.ui.canvas.fake_town import square

    bench.session.selection.set("parcels", [1])
    bench.until(lambda: bench.canvas.selection_layer.picture is not None)
    bench.session.execute(EditGeometry("parcels", {1: shapely.to_wkb(square(30, 30, 40))}))
    bench.until(lambda: bench.canvas.snapshot().pixelColor(bench.pixel(30, 50)).blue() > 150)


def test_rings_in_pixels_and_dots_for_what_is_small() -> None:
    view = Viewport(0, 0, 1.0, 100, 100)
    shapes = [
        shapely.box(-10, -10, 10, 10).difference(shapely.box(-5, -5, 5, 5)),
        shapely.LineString([(-20, 0), (20, 0)]),
        shapely.Point(1, 2),
        shapely.box(30, 30, 31, 31),
        shapely.box(5000, 0, 6000, 10),
        None,
    ]
    rings, dots = screen_rings(np.array(shapes, dtype=object), view)
    assert [(len(points), what) for points, what in rings] == [(5, OUTER), (5, HOLE), (2, LINE)]
    assert sorted(map(tuple, dots)) == [(51.0, 48.0), (80.5, 19.5)]
    assert rings[2][0].tolist() == [[30, 50], [70, 50]]


def test_polygon_from_numpy() -> None:
    polygon = to_polygon(np.array([[1.5, 2.0], [3.0, -4.25]]))
    assert [(p.x(), p.y()) for p in polygon.toList()] == [(1.5, 2.0), (3.0, -4.25)]


def test_outline_has_the_device_s_pixels() -> None:
    view = Viewport(0, 0, 1.0, 100, 50, 2.0)
    image = draw_outlines(np.array([shapely.box(-10, -10, 10, 10)]), view, OutlineStyle(QColor("#1F5FAE")))
    assert (image.width(), image.height()) == (200, 100)
    assert image.pixelColor(80, 50) == QColor("#1F5FAE")
    assert image.pixelColor(100, 50).alpha() == 0


def test_holes_are_not_filled() -> None:
    ring = shapely.box(-20, -20, 20, 20).difference(shapely.box(-10, -10, 10, 10))
    image = draw_outlines(np.array([ring]), Viewport(0, 0, 1.0, 100, 100), OutlineStyle(QColor("red"), fill_alpha=0.5))
    assert image.pixelColor(35, 50).alpha() > 100
    assert image.pixelColor(50, 50).alpha() == 0


def test_delete_key_deletes_the_selection(bench: Bench) -> None:
    bench.canvas.set_tool("select")
    bench.session.selection.set("parcels", [2, 3])
    bench.key(Qt.Key.Key_Delete)
    assert [(c.name, c.layer_id, tuple(c.fids)) for c in bench.project.executed] == [
        ("delete_features", "parcels", (2, 3))
    ]


def test_locked_layer_keeps_its_features(bench: Bench) -> None:
    bench.project.set_layer("parcels", locked=True)
    bench.session.selection.set("parcels", [2])
    with bench.qtbot.waitSignal(bench.canvas.message) as said:
        bench.canvas.delete_selection()
    assert said.args == ["warning", "“规划用地” is locked."]
    assert bench.project.executed == []


def test_by_expression(bench: Bench) -> None:
    counts: list[int] = []
    select_by_expression(bench.session, "parcels", "code == 'R2'", "replace", counts.append)
    bench.until(lambda: counts == [2])
    assert selected(bench) == {"parcels": (1, 2)}


def test_dialog_counts_and_selects(bench: Bench) -> None:
    dialog = SelectExpressionDialog(bench.session, bench.canvas)
    bench.qtbot.addWidget(dialog)
    dialog.layer_box.setCurrentIndex(dialog.layer_box.findData("parcels"))
    assert [dialog.field_list.item(i).data(256) for i in range(3)] == ["code", "name", "floors"]
    assert not dialog.button.isEnabled()
    dialog.field_list.setCurrentRow(0)
    bench.until(lambda: dialog.value_list.count() == 2)
    dialog.insert("floors")
    dialog.insert(">=")
    dialog.insert("2")
    assert dialog.edit.toPlainText() == "floors >= 2 "
    bench.until(lambda: dialog.note.text() == "3 objects meet this.")
    dialog.button.click()
    bench.until(lambda: selected(bench) == {"parcels": (2, 3, 4)})


def test_names_and_values_are_quoted() -> None:
    assert (quote_name("code"), quote_name("地类"), quote_name('a"b')) == ("code", '"地类"', '"a""b"')
    assert (quote_value(1.5), quote_value("O'Neil")) == ("1.5", "'O''Neil'")
