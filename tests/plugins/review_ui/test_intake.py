"""Taking in drawings: what the preview shows, wrong files, region, units, placing, revisions."""

from __future__ import annotations

from pathlib import Path

import ezdxf.filemanagement
import pytest
import shapely

from planner_app.project import Project
from plugins.review.model.cases import store
from plugins.review.ui.intake_dialog import IntakeDialog, ReadingDialog
from plugins.review.ui.place_dialog import PlaceDialog
from plugins.review.ui.placing_box import CONTROL, CRS
from tests.plugins.review.drawings import EAST, NORTH, write_plan
from tests.plugins.review_ui.conftest import Window


def opened(window: Window, path: Path, kind: str = "") -> IntakeDialog:
    window.panel.dialogs.intake(path, kind)
    dialog = window.dialog(IntakeDialog)
    assert isinstance(dialog, IntakeDialog)
    return dialog


def local(tmp_path: Path) -> Path:
    """The plan in numbers of its own: nothing says where it lies."""
    return write_plan(tmp_path / "local.dxf", east=100.0, north=200.0)


def test_the_preview_says_what_the_file_is(window: Window, plan: Path) -> None:
    dialog = opened(window, plan)
    assert dialog._facts.text().startswith("DXF · R2013 · 17 entities")
    lines = dialog._layers.text().splitlines()
    assert "Site boundary: YDHX-用地红线" in lines
    assert any(line.startswith("Footprint: ") for line in lines)
    assert dialog.units.box.currentText().startswith("1 unit = 1 m")
    assert dialog.place.result.text() == "Placed: by the coordinates it is drawn in"
    assert dialog.convention.currentText().startswith("best match: ")
    assert dialog.ok is not None
    assert dialog.ok.isEnabled()
    assert store.drawings(window.project) == []  # nothing is kept before Import


@pytest.mark.parametrize("content", [b"", b"hello", b"%PDF-1.7 broken", b"0\nSECTION\n2\nENTITIES\n"])
def test_a_wrong_file_is_told_in_the_dialog(window: Window, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "wrong.dxf"
    path.write_bytes(content)
    dialog = opened(window, path)
    assert dialog.notice.isVisible()
    assert "wrong.dxf" in dialog.notice._sentence.text()
    assert dialog.ok is not None
    assert not dialog.ok.isEnabled()
    assert not dialog._columns.isVisible()
    dialog.reject()
    assert store.cases(window.project) == []


def test_a_vanished_file_is_told(window: Window, tmp_path: Path) -> None:
    dialog = opened(window, tmp_path / "gone.dxf")
    assert "gone.dxf" in dialog.notice._sentence.text()


def test_a_region_can_be_drawn_and_given_back(window: Window, plan: Path) -> None:
    dialog = opened(window, plan)
    found = dialog.preview.plan.region
    box = (EAST - 5, NORTH - 5, EAST + 65, NORTH + 85)
    dialog._choose.click()
    assert dialog.picture.mode == "region"
    dialog.picture.region_drawn.emit(box)
    assert dialog.preview.plan.region == box
    assert dialog.picture.mode == "look"
    dialog._whole.click()
    assert dialog.preview.plan.region == found


def test_units_by_a_known_length(window: Window, tmp_path: Path) -> None:
    dialog = opened(window, local(tmp_path))
    box = dialog.units.box
    box.setCurrentIndex(box.findData("length"))
    dialog.units._chosen()
    assert dialog.picture.mode == "pick"
    dialog.picture.point_picked.emit(100.0, 200.0)
    assert not dialog.units.length.isEnabled()
    dialog.picture.point_picked.emit(220.0, 200.0)
    dialog.units.length.edit.setText("60")
    dialog.units._calibrate()
    assert dialog.units.metres() == pytest.approx(0.5)
    assert dialog.preview.plan.units.metres_per_unit == pytest.approx(0.5)
    assert "0.5 m" in box.currentText()
    dialog.apply()
    window.settle()
    assert window.state.record is not None
    assert window.state.record.options.metres_per_unit == pytest.approx(0.5)


def test_placing_by_point_pairs_shows_residuals(window: Window, tmp_path: Path, project: Project) -> None:
    dialog = opened(window, local(tmp_path))
    place = dialog.place
    assert "Not placed" in place.result.text()
    place.method.setCurrentIndex(place.method.findData(CONTROL))
    place._method_chosen()
    assert place.table.isVisible()
    pairs = [((0, 0), (0, 0)), ((120, 0), (120, 0)), ((120, 80), (120, 80.06))]
    for (x, y), (dx, dy) in pairs:
        place.pick.click()
        dialog.picture.point_picked.emit(100.0 + x, 200.0 + y)
        assert "map" in place.result.text()
        window.context.map.click(EAST + dx, NORTH + dy)
        assert window.context.map.tool is None
    assert place.table.rowCount() == 3
    residuals = [float(place.table.item(row, 5).text()) for row in range(3)]
    assert max(residuals) == pytest.approx(0.03, abs=0.02)
    assert [place.table.item(2, column).text() for column in (3, 4)] == ["3400080.060", "560120.000"]
    assert "residual 0.0" in place.result.text()
    dialog.apply()
    window.settle()
    record = store.drawings(project)[0]
    assert record.placement.method == "control"
    assert shapely.from_wkb(record.wkb).bounds == pytest.approx((EAST, NORTH, EAST + 120, NORTH + 80), abs=0.1)
    assert window.state.case is not None
    assert window.state.case.parcel == "BH-01-07"  # found by its place


def test_a_pair_given_up_leaves_things_as_they_were(window: Window, tmp_path: Path) -> None:
    dialog = opened(window, local(tmp_path))
    place = dialog.place
    place.method.setCurrentIndex(place.method.findData(CONTROL))
    place._method_chosen()
    place.pick.click()
    dialog.picture.point_picked.emit(100.0, 200.0)
    window.context.map.use_tool(None)  # Esc
    assert place.table.rowCount() == 0
    assert dialog.picture.mode == "look"


def test_a_coordinate_system_that_does_not_exist_is_told(window: Window, tmp_path: Path) -> None:
    dialog = opened(window, local(tmp_path))
    dialog.place.method.setCurrentIndex(dialog.place.method.findData(CRS))
    dialog.place._method_chosen()
    dialog.place.crs.setCurrentText("EPSG:999999")
    dialog.place.changed.emit()
    assert dialog.notice.isVisible()
    assert "999999" in dialog.notice._sentence.text() + dialog.notice._hint.text()


def test_control_points_from_a_csv_file(window: Window, tmp_path: Path) -> None:
    csv = tmp_path / "points.csv"
    lines = ["name,x,y,east,north"]
    lines += [
        f"P{at},{100 + x},{200 + y},{EAST + x},{NORTH + y}" for at, (x, y) in enumerate([(0, 0), (120, 0), (0, 80)])
    ]
    csv.write_text("\n".join(lines), encoding="utf-8")
    dialog = opened(window, local(tmp_path))
    dialog.place.method.setCurrentIndex(dialog.place.method.findData(CONTROL))
    dialog.place._method_chosen()
    window.context.answer = csv
    dialog.place._csv.click()
    assert dialog.place.table.rowCount() == 3
    assert "residual 0.000 m" in dialog.place.result.text()


def test_a_stored_drawing_is_placed_afterwards(window: Window, tmp_path: Path, project: Project) -> None:
    window.take(local(tmp_path))
    assert window.panel.notice.isVisible()
    assert "no place on the map" in window.panel.notice._sentence.text()
    window.panel.dialogs.place()
    dialog = window.dialog(PlaceDialog)
    dialog.place.method.setCurrentIndex(dialog.place.method.findData(CONTROL))
    dialog.place._method_chosen()
    for x, y in ((0.0, 0.0), (120.0, 80.0)):
        dialog.place.pick.click()
        dialog.picture.point_picked.emit(100.0 + x, 200.0 + y)
        window.context.map.click(EAST + x, NORTH + y)
    assert not store.drawings(project)[0].placement.placed
    dialog.apply()
    window.settle()
    assert store.drawings(project)[0].placement.method == "control"
    assert window.state.opened is not None
    assert window.state.opened.to_project is not None
    assert not window.panel.notice.isVisible()
    project.undo()
    window.settle()
    assert not window.state.record.placement.placed


def test_a_revision_is_suggested_by_its_name_and_linked(checked: Window, tmp_path: Path, project: Project) -> None:
    newer = write_plan(tmp_path / "总平面图B.dxf", houses={"1号楼": (13.0, 15.0, 58.0, 30.0)})
    dialog = opened(checked, newer)
    assert dialog.replaces.currentText().startswith("D-0001")
    dialog.apply()
    checked.settle()
    first, second = store.drawings(project)
    assert (second.replaces, second.revision, second.case_id) == (first.id, 2, first.case_id)
    assert checked.state.record == second
    assert checked.panel.form.drawing_box.currentText().startswith("总平面图B · rev. 2")


def test_the_same_file_again_is_the_drawing_that_is_there(checked: Window, plan: Path, project: Project) -> None:
    checked.take(plan, lambda dialog: dialog.replaces.setCurrentIndex(0))
    assert len(store.drawings(project)) == 1
    assert "D-0001" in checked.panel.notice._sentence.text()


def test_the_region_of_a_stored_drawing_is_changed_as_one_step(checked: Window, project: Project) -> None:
    before = len(project.log())
    checked.panel.dialogs.reading()
    dialog = checked.dialog(ReadingDialog)
    dialog.picture.region_drawn.emit((EAST - 5, NORTH - 5, EAST + 65, NORTH + 85))
    dialog.apply()
    checked.settle()
    assert len(project.log()) == before + 1
    assert checked.state.opened is not None
    assert len(checked.state.opened.plan.elements) < 20
    assert checked.state.checked is not None
    assert checked.state.checked.opened is checked.state.opened  # checked anew
    project.undo()
    checked.settle()
    assert checked.state.record.options.region is None


def test_strays_do_not_shrink_the_picture(window: Window, tmp_path: Path) -> None:
    document = ezdxf.filemanagement.new("R2010")
    space = document.modelspace()
    for at in range(400):
        space.add_line((at % 20, at // 20), (at % 20 + 1, at // 20))
    space.add_line((1e6, 1e6), (1e6 + 1, 1e6))
    document.saveas(tmp_path / "stray.dxf")
    dialog = opened(window, tmp_path / "stray.dxf")
    xmin, ymin, xmax, ymax = dialog.picture._extent
    assert xmax - xmin < 100
    assert ymax - ymin < 100
