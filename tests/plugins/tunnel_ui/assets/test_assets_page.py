"""The assets' page at the real window: search, tree and table, states, import with its mapping, a parcel's services."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QPushButton

from planner_app.project import Project
from plugins.tunnel.model.assets.status import history
from plugins.tunnel.ui.assets.form_dialog import AssetForm
from plugins.tunnel.ui.assets.import_dialog import ImportDialog, open_import
from plugins.tunnel.ui.assets.join_dialog import JoinDialog
from plugins.tunnel.ui.assets.tree import Group
from plugins.tunnel.ui.state import Asset
from tests.plugins.tunnel.assets.surveys import EAST, HEAD, joined_rows, write_csv
from tests.plugins.tunnel.assets.test_joining import near_a_main


@pytest.fixture
def desk(open_window: Callable[[Path], Any], sample: Path) -> Any:
    window = open_window(sample)
    page = window.page("assets")
    window.until(lambda: bool(page.overview.tunnels))
    return window


def dialog(desk: Any, kind: type[QDialog]) -> Any:
    def opened() -> list[QDialog]:
        return [one for one in QApplication.topLevelWidgets() if isinstance(one, kind) and one.isVisible()]

    desk.until(lambda: bool(opened()))
    return opened()[-1]


def test_search_table_state_form_and_delete(desk: Any, qtbot: Any) -> None:
    page, project = desk.page("assets"), desk.session.project
    assert page._nothing.isHidden()
    # Enter in the search field goes to the asset
    page.search.field.setText("gx00012")
    qtbot.keyClick(page.search.field, Qt.Key.Key_Return)
    desk.until(lambda: page.details is not None and page.details.row.code == "GX00012")
    assert desk.session.selection.fids("net_line") == (12,)
    assert {"form", "status", "section", "trace", "label", "history", "delete"} <= set(page.card.buttons)
    # a chainage points along the tunnel
    pointed: list[tuple[str, float]] = []
    desk.state.pointed.connect(lambda tunnel, m: pointed.append((tunnel, m)))
    page.search.run("GL01 K1+250")
    desk.until(lambda: pointed == [("GL01", 1250.0)])
    # several matches are offered
    page.search.run("FM00")
    desk.until(lambda: len(page.search.hits) > 5)
    # the tree lists rows, a row is the asset
    page.show_group(Group("compartment", "GL02", None, "GL02"))
    desk.until(lambda: len(page.table.model.rows) == 10)
    page.table._chosen([0])
    desk.until(lambda: page.details is not None and page.details.row.table == "compartment")
    # a share of the bar filters the lines
    page.grouping.setCurrentIndex(page.grouping.findData("status"))
    page._share_clicked("abandoned")
    desk.until(lambda: [one.status for one in page.table.model.rows] == ["abandoned", "abandoned"])
    # state and form write what a person chose
    code, fid = page.table.model.rows[0].code, page.table.model.rows[0].fid
    desk.state.select(Asset("net_line", 12, "GX00012"))
    desk.until(lambda: page.details.row.code == "GX00012")
    page.act("status:abandoned")
    desk.until(lambda: page.details.row.status == "abandoned")
    assert history(project, "net_line", 12)[0].now == "abandoned"
    page.act("form")
    form = dialog(desk, AssetForm)
    form.editors["dn_mm"].setText("900")
    form.editors["code"].setText("GX-NEW")
    form.apply()
    desk.until(lambda: page.details.row.code == "GX-NEW")
    assert page.details.row.size == "DN900"
    placed = project.read("line_placement", columns=["line"], where="\"line\" = 'GX-NEW'", geometry=False)
    assert len(placed) == 1
    project.undo()
    desk.until(lambda: page.details.row.code == "GX00012")
    assert (code, fid) != ("GX00012", 12)


def test_a_new_asset_is_placed_on_the_map_and_written_by_its_form(desk: Any) -> None:
    page, project = desk.page("assets"), desk.session.project
    assert [one.text() for one in page.adder.menu().actions()][1] == "Equipment"
    x, y = shapely.get_coordinates(shapely.from_wkb(project.read("tunnel_node", limit=1).geometry[0]))[0]
    count = project.count("equipment")
    page.doing._placed("equipment", float(x), float(y))
    form = dialog(desk, AssetForm)
    assert form.editors["tunnel"].text() == "GL01"
    assert float(form.editors["m"].text()) == pytest.approx(154.0, abs=0.1)
    form.apply()  # without a code it stays open and says so
    desk.until(lambda: form.notice.isVisible())
    assert project.count("equipment") == count
    form.editors["code"].setText("GL01-Z-SX-9999")
    form.editors["kind"].setText("摄像机")
    form.apply()
    desk.until(lambda: page.details is not None and page.details.row.code == "GL01-Z-SX-9999")
    assert (page.details.row.kind, page.details.row.status) == ("摄像机", "in_use")
    placed = shapely.from_wkb(project.read("equipment", fids=[page.details.row.fid]).geometry[0])
    assert (placed.x, placed.y) == pytest.approx((x, y))
    project.undo()
    assert project.count("equipment") == count
    # a valve knows the node it is set on; a code that is taken is refused
    x, y = shapely.get_coordinates(shapely.from_wkb(project.read("net_node", fids=[5]).geometry[0]))[0]
    page.doing._placed("valve", float(x) + 0.1, float(y))
    form = dialog(desk, AssetForm)
    assert form.editors["node"].text() == "GD00005"
    assert form.editors["is_open"].isChecked()
    form.editors["code"].setText("FM0001")
    form.apply()
    desk.until(lambda: "FM0001" in form.notice._sentence.text())
    form.reject()


def test_a_survey_comes_in_through_its_preview(desk: Any, tmp_path: Path) -> None:
    rows = [*HEAD, *joined_rows(), ["", "JS9", "JS1", "", "", "无", EAST, 4, 3, 1, 100, "", "", "", "", ""]]
    open_import(desk.context, write_csv(tmp_path / "普查.csv", rows), desk.window)
    shown = dialog(desk, ImportDialog)
    desk.until(lambda: shown._draft is not None)
    assert shown.figures._values[1].text() == "3"
    assert shown.figures._values[2].text() == "2"  # the point without a place, and its line
    assert shown.faults.rowCount() == 2
    chooser = shown.choosers["material"]
    assert chooser.currentData() == "材质"
    chooser.setCurrentIndex(0)
    shown._mapping_changed()
    desk.until(lambda: shown._draft is not None)
    shown.apply()
    page = desk.page("assets")
    desk.until(lambda: any(one.name == "普查" for one in page.overview.networks))
    project: Project = desk.session.project
    stored = project.read("net_line", where="\"network\" = '普查'", geometry=False)
    assert stored.columns["code"] == ["JS1-JS2", "JS2-JS3", "WS1-WS2"]
    assert stored.columns["material"] == [None, None, None]
    page.tree.chosen.emit(Group("net_line", "", "普查", "普查"))
    desk.until(lambda: len(page.table.model.rows) == 3)


def test_a_parcel_tells_its_services(desk: Any) -> None:
    project: Project = desk.session.project
    layer = project.layer("地块指标")
    fid = int(project.read(layer.id, where="\"parcel_no\" = 'BH-B-10-17'", columns=[], geometry=False).fids[0])
    desk.session.selection.set(layer.id, [fid])
    desk.window.open_panel("feature")

    def links() -> list[QPushButton]:
        return [one for one in desk.window.task.findChildren(QPushButton) if "DN300" in one.text()]

    desk.until(lambda: bool(links()))
    main = links()[0]
    assert "GX00182" in main.text()
    main.click()
    assert desk.session.selection.fids("net_line") == (182,)


def test_a_project_without_networks_offers_an_import(open_window: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite"
    Project.create(path, "EPSG:4549", "空").close()
    window = open_window(path)
    page = window.page("assets")
    window.until(lambda: page.first_import.isVisible() and page._nothing.isVisible())
    assert page._nothing.isVisible()
    assert page.first_import.isEnabled()
    assert page.figures.isHidden()


def test_adopted_pipes_are_joined_from_a_card(open_window: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "city.sqlite"
    with Project.create(path, "EPSG:4549") as project:
        near_a_main(project)
    desk = open_window(path)
    page = desk.page("assets")
    desk.until(lambda: page.overview.joins == {"GA-1": 2})
    (card,) = page.waiting._cards
    card.findChildren(QPushButton)[-1].click()
    form = dialog(desk, JoinDialog)
    assert form.left.count() == 4
    form.ends.item(1).setCheckState(Qt.CheckState.Unchecked)
    assert [one.target_node for one in form.chosen()] == ["C"]
    form.apply()
    desk.until(lambda: page.overview.joins == {"GA-1": 1})
    assert len(desk.session.project.log()) == 5
