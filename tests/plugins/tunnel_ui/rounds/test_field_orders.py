"""A work order in a field package: handed out, worked on at its page, taken in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication

from plugins.tunnel.model.operation import orders
from plugins.tunnel.model.operation.records import OrderStatus
from plugins.tunnel.ui.rounds.field_dialogs import HandOutDialog, PackageDialog
from plugins.tunnel.ui.rounds.order_dialogs import (
    PermitDialog,
    ResultDialog,
    StepDialog,
)
from plugins.tunnel.ui.rounds.order_page import OrderPage
from tests.plugins.tunnel_ui.rounds.conftest import dialog, gas_tested, settled

DAY = "2024-10-30"


def test_a_work_order_is_worked_on_in_a_package_and_comes_back(desk: Any, tmp_path: Path) -> None:
    page, path = desk.page_, tmp_path / "gong.fieldpkg"
    given = {"tunnel": "T1", "m": 50.0, "compartment": "综合", "steps": ["挂牌", "注浆"]}
    orders.open_order(desk.context.project, orders.new_order(desk.context.project, "堵漏", by="王工", **given))
    settled(desk, lambda: len(page.book.orders) == 1)
    desk.context.ask_save = lambda *_: path
    page.actions_.hand_out()
    form = dialog(HandOutDialog)
    for at in range(form.list.count()):
        form.list.item(at).setCheckState(Qt.CheckState.Unchecked)
    form.apply()
    desk.until(path.exists)
    desk.until(lambda: not any(isinstance(one, HandOutDialog) for one in QApplication.topLevelWidgets()))
    desk.context.ask_open = lambda *_: path
    page.actions_.open_package()
    desk.until(lambda: any(isinstance(one, PackageDialog) for one in QApplication.topLevelWidgets()))
    field = dialog(PackageDialog)
    assert not field.ok.isVisible()  # no round to walk
    field.open_order.click()
    shown = dialog(OrderPage)
    assert shown.order.title == "堵漏"
    shown.knobs["permitted"].click()
    permit = dialog(PermitDialog)
    permit.names.setText("赵工")
    permit.attendant.setText("孙工")
    permit.apply()
    assert shown.order.status is OrderStatus.PERMITTED
    shown.knobs["in_progress"].click()
    dialog(StepDialog).apply()
    assert "GB 50838-2015" in dialog(StepDialog).notice._hint.text()
    dialog(StepDialog).close()
    gas_tested(desk, shown, "20.9")
    shown.knobs["in_progress"].click()
    dialog(StepDialog).apply()
    shown._tick(0, True)
    photo = tmp_path / "p.png"
    QPixmap(8, 8).save(str(photo))
    shown.knobs["done"].click()
    result = dialog(ResultDialog)
    result.outcome.setPlainText("已注浆")
    result.photo.show_path(photo)
    result.apply()
    assert shown.order.status is OrderStatus.DONE
    assert "print" not in shown.knobs
    assert "待验收" in field.order.currentText() or "done" in field.order.currentText().casefold()
    assert page.book.orders[0].status is OrderStatus.OPEN  # the project knows nothing of it yet
    page.actions_.take_in()
    settled(desk, lambda: page.book.orders[0].status is OrderStatus.DONE)
    back = page.book.orders[0]
    assert (back.result, len(back.gas_tests), back.steps[0].done_at != "") == ("已注浆", 1, True)
    assert desk.context.project.read_attachment(back.photo) == photo.read_bytes()
