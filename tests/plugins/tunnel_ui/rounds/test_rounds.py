"""A round planned, walked and written down at the real window; defects, work orders, field packages and their ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication, QPushButton

from planner_app.project import Project
from planner_app.project.commands import EditCells
from plugins.tunnel.model.operation import defects, rows, tables
from plugins.tunnel.model.operation.field_making import field_observation, field_round
from plugins.tunnel.model.operation.field_package import read_package, write_package
from plugins.tunnel.model.operation.records import Observation, OrderStatus
from plugins.tunnel.ui.rounds.field_dialogs import ConflictsDialog, HandOutDialog, PackageDialog
from plugins.tunnel.ui.rounds.history import HistoryDialog
from plugins.tunnel.ui.rounds.map_link import PickPlace
from plugins.tunnel.ui.rounds.order_dialogs import (
    NewOrderDialog,
    PermitDialog,
    ResultDialog,
    StepDialog,
)
from plugins.tunnel.ui.rounds.order_page import OrderPage
from plugins.tunnel.ui.rounds.round_dialogs import ObserveDialog, PlanDialog, RoundDialog
from tests.plugins.tunnel_ui.rounds.conftest import dialog, figures, gas_tested, loaded, settled

DAY = "2024-10-30"


def test_the_sample_is_useful_without_a_click(sample: Path, open_window: Callable[[Path], Any]) -> None:
    desk = loaded(open_window(sample))
    page = desk.page_
    assert figures(desk) == ["3", "2", "9", "4"]
    assert len(page.cards.keys()) == 7
    assert page.table._key.endswith("operation")
    page.tabs.setCurrentIndex(1)
    assert len(page.cards.keys()) == 3 + 9  # seen and not yet decided, open
    page.show_closed(True)
    assert len(page.cards.keys()) == 3 + 12
    page._filter_by("4")
    assert len(page.cards.keys()) == 1
    page._card_chosen(page.cards.keys()[0])
    worst = desk.page_.desk.record()
    assert (worst.number, worst.grade) == ("QX-0002", 4)
    layer, fid = page.desk.shown.fids[worst.id]
    assert desk.context.selection.fids(layer) == (fid,)
    other = next(one for one in page.book.defects if one.number == "QX-0005")
    desk.context.selection.set(layer, [page.desk.shown.fids[other.id][1]])
    assert page.desk.chosen == ("defect", other.id)
    assert page.table.selected_rows() == [page.models[1].rows.index(other)]
    page.actions_.history(worst.id)
    shown = dialog(HistoryDialog)
    assert [one.grade for one in shown.chart.its] == [3, 4]
    assert len(shown.chart.points()) == len(shown.entries) == 2
    assert shown.chart.points()[0].y() > shown.chart.points()[1].y()
    picture = desk.window.canvas.grab() if hasattr(desk.window, "canvas") else page.grab()
    assert not picture.isNull()
    page.tunnel.setCurrentIndex(page.tunnel.findData("GL02"))
    page.refresh()
    assert figures(desk) == ["1", "1", "3", "1"]


def test_a_round_is_recorded_and_what_was_seen_is_the_known_defect(desk: Any, tmp_path: Path) -> None:
    page, project = desk.page_, desk.context.project
    assert figures(desk) == ["0", "1", "1", "0"]
    page._card_chosen(page.cards.keys()[0])
    page.primary.click()
    walk = dialog(RoundDialog)
    assert (walk.who.text(), walk.from_m.text(), walk.to_m.text()) == ("王工", "K0+000.00", "K0+200.00")
    walk.to_m.setText("K9+000")
    walk.apply()
    assert "9000" in walk.notice._sentence.text()
    walk.to_m.setText("K0+200")
    walk.apply()
    settled(desk, lambda: figures(desk)[1] == "0")
    assert page.cards.keys() == [page.book.plans[0].id]
    seen = dialog(ObserveDialog)
    assert seen.round.currentData() == page.book.inspections[0].id
    picture = tmp_path / "a.png"
    desk.page_.grab().save(str(picture))
    seen.photo.show_path(picture)
    seen.place.set("T1", 51.5)
    seen.place.compartment.setCurrentIndex(seen.place.compartment.findData("综合"))
    seen.code.setCurrentIndex(seen.code.findData("seepage"))
    seen._code_chosen()
    assert [key for _, key in seen._choices] == [page.book.defects[0].id, "new", ""]
    assert seen._choices[0][0].isChecked()
    assert seen.grade.currentData() == page.book.defects[0].grade
    for code in ("crack", "seepage"):  # gone through with wheel or keys: still the known one, with its grade
        seen.code.setCurrentIndex(seen.code.findData(code))
        seen._code_chosen()
    assert seen._choices[0][0].isChecked()
    assert seen.grade.currentData() == page.book.defects[0].grade
    desk.until(seen._choices[0][0].isVisible)
    seen._choices[1][0].click()
    seen._suggest()
    assert seen._choices[1][0].isChecked()  # what a person chose stays
    seen._choices[0][0].click()
    seen.grade.setCurrentIndex(seen.grade.findData(3))
    seen.apply()
    settled(desk, lambda: page.book.defects[0].grade == 3)
    assert page.desk.chosen == ("defect", page.book.defects[0].id)
    assert [one.event for one in page.book.examinations] == ["found", "seen"]
    assert project.read_attachment(page.book.examinations[1].photo) == picture.read_bytes()
    assert project.undo() is not None
    settled(desk, lambda: page.book.defects[0].grade == 2)
    assert page.book.observations == []


def test_a_place_is_picked_on_the_map_and_a_new_defect_stands_there(desk: Any) -> None:
    page = desk.page_
    page.actions_.new_defect()
    form = dialog(ObserveDialog)
    taken: list[Any] = []
    form.desk.context.map.use_tool = lambda factory: taken.append(factory)  # what the window gives to its canvas
    form.place.pick.click()
    tool = taken[-1]()
    assert isinstance(tool, PickPlace)

    class Click:
        left, x, y = True, 500_120.0, 3_000_004.0

    far = Click()
    far.y = 3_009_000.0
    tool.press(far)
    assert form.place.m.text() == ""
    tool.move(Click())
    assert tool.hint() == "T1 K0+120.00"
    tool.press(Click())
    assert form.place.m.text() == "K0+120.00"
    assert taken[-1] is None
    form.code.setCurrentIndex(form.code.findData("crack"))
    form._code_chosen()
    assert [key for _, key in form._choices] == ["new"]
    form.who.setText("")
    form.apply()
    assert form.notice.isVisible()
    form.who.setText("赵工")
    form.apply()
    settled(desk, lambda: len(page.book.defects) == 2)
    new = page.book.defects[1]
    assert (new.m, new.grade, new.code, new.number) == (120.0, 2, "crack", "QX-0002")


def test_an_observation_is_decided_by_a_person_at_the_foot(desk: Any) -> None:
    page, project = desk.page_, desk.context.project
    for m in (52.0, 150.0):
        seen = Observation(rows.new_id(), "", "T1", m, "综合", "", "滴水", "seepage", 4, by="赵工", time=rows.now())
        project.execute(defects.KeepSeen(seen))
    settled(desk, lambda: len(page.book.observations) == 2)
    page.tabs.setCurrentIndex(1)
    page._card_chosen(page.book.observations[0].id)
    assert [one.text() for one in page.foot.buttons][:3] == ["QX-0001 again (2.0 m)", "New defect", "No defect"]
    page.foot.buttons[0].click()
    settled(desk, lambda: page.book.defects[0].grade == 4)
    page._card_chosen(page.book.observations[1].id)
    page.foot.buttons[1].click()
    settled(desk, lambda: page.book.observations[1].code == "" or page.book.observations[1].defect_id != "")
    assert len(page.book.observations) == 2


def test_a_plan_is_made_changed_and_warned_of(desk: Any) -> None:
    page = desk.page_
    page.actions_.plan()
    form = dialog(PlanDialog)
    form.apply()
    assert form.notice._sentence.text() == "The plan has no name."
    form.name.setText("双周巡检")
    form.every.setValue(14)
    assert "GB 51354-2019" in form.warning.text()
    form._boxes[1].setChecked(False)
    form.apply()
    settled(desk, lambda: len(page.book.plans) == 2)
    assert (page.book.plans[1].number, page.book.plans[1].compartments) == ("XJ-0002", ("综合",))
    page.actions_.plan(page.book.plans[1].id)
    form = dialog(PlanDialog)
    assert (form.name.text(), form.every.value()) == ("双周巡检", 14)


def test_a_work_order_goes_its_way_and_nobody_goes_in_without_a_test(desk: Any, tmp_path: Path) -> None:
    page = desk.page_
    page.tabs.setCurrentIndex(1)
    page._card_chosen(page.book.defects[0].id)
    page.actions_.order_for(page.book.defects[0])
    form = dialog(NewOrderDialog)
    assert (form.place.m.text(), form.place.room(), form.kind.currentData()) == ("K0+050.00", "综合", "repair")
    form.steps.setPlainText("挂牌\n注浆")
    form.apply()
    settled(desk, lambda: len(page.book.orders) == 1)
    assert page.tabs.currentIndex() == 2
    page.actions_.order(page.book.orders[0].id)
    shown = dialog(OrderPage)
    assert list(shown.knobs)[:2] == ["permitted", "gas"]
    shown.knobs["permitted"].click()
    permit = dialog(PermitDialog)
    permit.names.setText("王工，赵工")
    permit.apply()
    assert "who stands by" in permit.notice._sentence.text()
    permit.attendant.setText("孙工")
    permit.issuer.setText("李工")
    permit.apply()
    settled(desk, lambda: shown.order.status is OrderStatus.PERMITTED)
    shown.knobs["in_progress"].click()
    step = dialog(StepDialog)
    step.apply()
    assert "GB 50838-2015 7.5.8" in step.notice._hint.text()
    step.close()
    gas_tested(desk, shown, "19.0")
    shown.knobs["in_progress"].click()
    dialog(StepDialog).apply()
    assert "Oxygen, least 19.0 %" in dialog(StepDialog).notice._sentence.text()
    dialog(StepDialog).close()
    gas_tested(desk, shown, "20.9")
    shown.knobs["in_progress"].click()
    dialog(StepDialog).apply()
    settled(desk, lambda: shown.order.status is OrderStatus.IN_PROGRESS)
    shown._tick(1, True)
    settled(desk, lambda: bool(shown.order.steps[1].done_at))
    shown.knobs["done"].click()
    result = dialog(ResultDialog)
    result.outcome.setPlainText("已注浆")
    result.by.setText("王工")
    result.apply()
    settled(desk, lambda: shown.order.status is OrderStatus.DONE)
    desk.context.ask_save = lambda *_: tmp_path / "票.docx"
    shown.print()
    desk.until(lambda: (tmp_path / "票.docx").exists() and shown.notice.isVisible())
    shown.knobs["closed"].click()
    dialog(StepDialog).apply()
    settled(desk, lambda: shown.order.status is OrderStatus.CLOSED)
    assert list(shown.knobs) == ["print"]
    assert page.book.open_defects() == []
    desk.context.ask_save = lambda *_: tmp_path / "list.xlsx"
    page.export()
    desk.until(lambda: (tmp_path / "list.xlsx").exists())


def test_another_page_opens_the_dialog_filled_in(looked_after: Path, open_window: Callable[[Path], Any]) -> None:
    desk = open_window(looked_after)
    assert desk.panel
    given = {"steps": ("关阀",), "tunnel": "T1", "m": 20.0, "source": "isolation:line:L1", "nobody_knows": 1}
    assert desk.state.run("work_order", "隔离 L1", **given)
    form = dialog(NewOrderDialog)
    assert (form.title.text(), form.kind.currentData(), form.place.m.text()) == ("隔离 L1", "isolation", "K0+020.00")
    form.apply()
    desk.until(lambda: len(rows.read(desk.context.project, tables.ORDERS)) == 1)
    (order,) = rows.read(desk.context.project, tables.ORDERS)
    desk.state.run("record_round")
    assert dialog(RoundDialog).plan.count() == 2
    assert (order.source, [one.text for one in order.steps]) == ("isolation:line:L1", ["关阀"])


def test_a_package_goes_out_and_comes_back_with_a_conflict(desk: Any, tmp_path: Path) -> None:
    page, project = desk.page_, desk.context.project
    path = tmp_path / "x.fieldpkg"
    desk.context.ask_save = lambda *_: path
    page.actions_.hand_out()
    form = dialog(HandOutDialog)
    assert form.chosen() == [page.book.plans[0].id]
    form.apply()
    desk.until(path.exists)
    desk.until(lambda: not any(isinstance(one, HandOutDialog) for one in QApplication.topLevelWidgets()))
    desk.context.ask_open = lambda *_: path
    page.actions_.open_package()
    desk.until(lambda: any(isinstance(one, PackageDialog) for one in QApplication.topLevelWidgets()))
    field = dialog(PackageDialog)
    field.m.setText("K0+150")
    field.who.setText("赵工")
    field.apply()
    assert field.notice._sentence.text() == "The observation says nothing."
    field.text.setPlainText("照明不亮")
    field.apply()
    assert "1 observations" in field.count.text()
    package = read_package(path)
    walk = field_round(package, "", "赵工")
    known = next(iter(package.data["defect"]))
    package.data["defect"][known]["text"] = "外业"
    field_observation(package, walk, Observation("", "", "T1", 60.0, text="x"))
    write_package(package, path)
    layer = page.desk.shown.layers["defect"]
    project.execute(EditCells(layer, [page.desk.shown.fids[known][1]], "text", ["内业"]))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    page.actions_.take_in()
    desk.until(lambda: len(rows.read(project, tables.CONFLICTS)) == 1)
    assert len(rows.read(project, tables.OBSERVATIONS)) == 2
    settled(desk, lambda: len(page.book.conflicts) == 1)
    assert page.conflicts.isVisible()
    conflicts = dialog(ConflictsDialog)
    conflicts.cards[0].findChild(QPushButton, "theirs").click()
    settled(desk, lambda: page.book.conflicts == [])
    assert page.book.defects[0].text == "外业"
    assert conflicts.cards == []
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
    path.write_bytes(b"PK garbage")
    desk.state.run("take_in_field")
    desk.until(page.notice.isVisible)
    assert "x.fieldpkg" in page.notice._sentence.text()


def test_an_empty_project_says_what_is_missing(tmp_path: Path, open_window: Callable[[Path], Any]) -> None:
    with Project.create(tmp_path / "empty.sqlite", "EPSG:4549", "空"):
        pass
    desk = loaded(open_window(tmp_path / "empty.sqlite"))
    page = desk.page_
    assert "no tunnel yet" in page.none.text()
    assert not page.primary.isEnabled()
    page.tabs.setCurrentIndex(2)
    assert page.primary.isEnabled()
    page.primary.click()
    form = dialog(NewOrderDialog)
    form.title.setText("检查泵")
    form.apply()
    settled(desk, lambda: len(page.book.orders) == 1)
    assert page.book.orders[0].tunnel == ""
    page._card_chosen(page.book.orders[0].id)
    assert [one.text() for one in page.foot.buttons] == ["Open…"]
