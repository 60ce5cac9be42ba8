from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from planner_app.ui.canvas.feature_text import describe, shown
from planner_app.ui.canvas.picking import Picked, pick
from planner_app.ui.tools.identify import IdentifyTool
from planner_app.ui.tools.tool import ToolInfo
from tests.ui.canvas.fake_town import EAST, NORTH, Bench, FakeProject, line_layer, parcels_layer, square


def test_a_feature_in_words() -> None:
    table = parcels_layer()
    text = describe(FakeProject(table), table.info, 1)  # type: ignore[arg-type]
    assert text is not None
    assert text.title == "规划用地 A-01"
    assert text.lines[0] == "地类: R2"
    assert text.lines[1] == "floors: 1"
    assert text.lines[-1] == "1.0000 ha (planar) · 1.0000 ha (ellipsoidal)"
    assert text.values == (("地类", "R2"), ("name", "A-01"), ("floors", "1"))


def test_the_class_is_named_as_the_style_words_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from planner_app.domain.style import LayerStyle, StyleClass, to_qml

    classes = (StyleClass(value="R2", label="二类居住用地"), StyleClass(label="其他"))
    qml = to_qml(LayerStyle(kind="categorised", field="code", classes=classes), "polygon")
    table = parcels_layer()
    project = FakeProject(table)
    monkeypatch.setattr(project, "style", lambda layer_id: qml)
    text = describe(project, table.info, 1)  # type: ignore[arg-type]
    assert text is not None
    assert text.lines[0] == "地类: R2 二类居住用地"


def test_a_line_has_its_length_and_a_lost_feature_no_words() -> None:
    table = line_layer()
    text = describe(FakeProject(table), table.info, 7)  # type: ignore[arg-type]
    assert text is not None
    assert text.title == "道路红线 7"
    assert text.lines[-1].startswith("180.00 m (planar) · ")
    assert describe(FakeProject(table), table.info, 99) is None  # type: ignore[arg-type]


def test_the_inside_of_an_area_drawn_as_an_outline_is_not_what_one_points_at() -> None:
    from planner_app.domain.style import LayerStyle, StyleClass, to_qml

    boundary, parcels = parcels_layer(), parcels_layer()
    boundary.info = replace(boundary.info, id="boundary")
    boundary.geometry = {9: square(-50, -50, 300)}
    project = FakeProject(boundary, parcels)
    hollow = to_qml(LayerStyle(classes=(StyleClass(fill="", stroke="#FF0000"),)), "polygon")
    project.style = lambda layer_id: hollow if layer_id == "boundary" else ""  # type: ignore[method-assign]

    def at(x: float, y: float) -> Picked:
        return pick(project, project.layers(), EAST + x, NORTH + y, 2.0)  # type: ignore[arg-type]

    assert at(50, 50) == Picked([("parcels", 1)], [("boundary", 9)])
    assert at(-49, 50) == Picked([("boundary", 9)], [])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (float("nan"), ""),
        (2.50, "2.5"),
        (1234567.0, "1,234,567"),
        (True, "yes"),
        (" a ", "a"),
        (b"xx", "2 bytes"),
    ],
)
def test_cells(value: object, text: str) -> None:
    assert shown(value) == text


def test_card_for_the_thing_under_a_resting_pointer(bench: Bench) -> None:
    card = bench.canvas.hover.card
    bench.move(50, 50)
    bench.until(card.isVisible)
    assert card.text is not None
    assert (card.text.layer_id, card.text.fid) == ("parcels", 1)
    assert bench.canvas.rect().contains(card.geometry())
    bench.move(150, 50)
    assert not card.isVisible()
    bench.until(lambda: card.isVisible() and card.text.fid == 2)
    bench.canvas.pan(5, 5)
    assert not card.isVisible()


def test_no_card_over_nothing_and_none_while_measuring(bench: Bench) -> None:
    bench.move(-60, -60)
    bench.qtbot.wait(400)
    assert not bench.canvas.hover.card.isVisible()
    bench.canvas.set_tool("measure_length")
    bench.move(50, 50)
    bench.qtbot.wait(400)
    assert not bench.canvas.hover.card.isVisible()


def test_identify_lists_all_layers_and_chooses(bench: Bench) -> None:
    bench.canvas.set_tool("identify")
    tool = bench.canvas.tool
    assert isinstance(tool, IdentifyTool)
    bench.click(50, 150)
    bench.until(tool.popup.isVisible)
    tree = tool.popup.tree
    assert [tree.topLevelItem(i).text(0) for i in range(2)] == ["道路红线 7", "规划用地 A-03"]  # type: ignore[union-attr]
    assert bench.session.selection.fids("lines") == (7,)
    assert bench.canvas.rect().contains(tool.popup.geometry())
    tree.setCurrentItem(tree.topLevelItem(1))
    assert bench.session.selection.layer_ids() == ("parcels",)
    bench.key(Qt.Key.Key_Escape)
    assert not tool.popup.isVisible()
    assert bench.canvas.tool_id == "identify"


def test_identify_says_when_nothing_is_there(bench: Bench) -> None:
    bench.canvas.set_tool("identify")
    with bench.qtbot.waitSignal(bench.canvas.message) as said:
        bench.click(-60, -60)
    assert said.args == ["info", "Nothing here in the visible layers."]


def test_toolbar_data_name_icons_that_exist(bench: Bench) -> None:
    from planner_app.ui.icons import icon_names

    infos = bench.canvas.tool_infos()
    assert [info.id for info in infos] == bench.canvas.tool_ids()
    assert len({info.shortcut for info in infos}) == len(infos)
    assert {info.icon for info in infos} <= set(icon_names())


class Pin:
    """A plugin's tool with two of the methods."""

    def __init__(self) -> None:
        self.pressed: list[tuple[float, float]] = []

    def press(self, event: object) -> None:
        self.pressed.append((event.x, event.y))  # type: ignore[attr-defined]

    def double_click(self, event: object) -> None:
        raise ValueError("pin broke")


def test_a_plugin_s_tool_works_and_a_failing_one_is_left(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    pin = Pin()
    bench.canvas.add_tool(ToolInfo("pin", "Pin", "map-pin"), lambda: pin)
    bench.canvas.set_tool("pin")
    bench.click(50, 50)
    assert len(pin.pressed) == 1
    with bench.qtbot.waitSignal(bench.canvas.message) as said:
        bench.double_click(50, 50)
    assert said.args == ["error", "The tool stopped: pin broke"]
    assert bench.canvas.tool_id == "pan"
    caplog.clear()
