"""Connecting and fetching: what the dialogs ask, check and hand over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from planner_app.domain.errors import PlannerError
from planner_app.i18n import RESOURCES, compile_catalogues, set_language
from planner_app.sync.types import ProjectDef
from planner_app.ui.sync.address import ServerAddress
from planner_app.ui.sync.clone_dialog import CloneDialog
from planner_app.ui.sync.connect_dialog import ConnectDialog, service_names
from tests.ui.sync.fakes import CONNINFO, PROJECT, FakeBackend
from tests.ui.test_look import clipped


def connect_dialog(desktop: Any) -> ConnectDialog:
    return next(one for one in desktop.window.findChildren(ConnectDialog) if one.isVisible())


def fill(dialog: ConnectDialog, host: str = "gis.example.cn", password: str = "") -> None:
    dialog.form_.host.setText(host)
    dialog.form_.database.setText("planner")
    dialog.form_.user.setText("wang")
    dialog.password.setText(password)


def test_a_local_project_is_connected_and_synced(opened: Any, qtbot: Any) -> None:
    backend = FakeBackend()
    opened.session.sync.backend = backend
    opened.window.sync.put_on_rail()
    opened.window.sync.connect_server()
    dialog = connect_dialog(opened)
    assert dialog.focusWidget() is dialog.form_.host
    dialog.form_.host.setText("gis")
    dialog.submit()
    assert dialog.notice.text() == "Which database?"
    assert dialog.focusWidget() is dialog.form_.database
    fill(dialog, password="secret")
    dialog.submit()
    assert not dialog.accept_button.isEnabled()  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: dialog.info is not None)
    assert dialog.answer.text() == "Connected as wang (planner)."
    assert "not on this server yet" in dialog.about.text()
    assert backend.kept == {CONNINFO: "secret"}
    with qtbot.waitSignal(opened.session.sync.synced, timeout=8000):
        dialog.submit()
    qtbot.waitUntil(lambda: opened.session.sync.status.kind == "synced")
    assert opened.session.sync.conninfo == CONNINFO
    assert opened.session.settings.sync["address"] == CONNINFO
    settings = opened.session.settings
    assert "secret" not in settings.path.read_text(encoding="utf-8")
    assert opened.window.task.current == "sync"


def test_a_wrong_password_is_said_in_the_dialog(opened: Any, qtbot: Any) -> None:
    backend = FakeBackend(fail=PlannerError("sync.login_failed", server="gis.example.cn"))
    opened.session.sync.backend = backend
    opened.window.sync.connect_server()
    dialog = connect_dialog(opened)
    fill(dialog, password="wrong")
    dialog.submit()
    qtbot.waitUntil(dialog.notice.isVisible)
    assert "password" in dialog.notice.text()
    assert dialog.accept_button.isEnabled()  # type: ignore[union-attr]
    assert backend.kept == {}
    assert dialog.info is None


def test_nothing_is_squeezed_however_long_the_refusal(opened: Any) -> None:
    opened.window.sync.connect_server()
    dialog = connect_dialog(opened)
    fill(dialog)
    before = dialog.form_.host.height()
    dialog.complain("The server could not prove who it is. " * 8, "Ask for its certificate. " * 8)
    assert dialog.form_.host.height() == before
    for shown in (dialog.form_.host, dialog.form_.certificate, dialog.password):
        assert shown.height() >= shown.minimumSizeHint().height()
    high = dialog.height()
    dialog.form_.tabs.setCurrentIndex(1)  # fewer lines, no hole between them
    assert dialog.height() < high
    assert "service file" in dialog.form_.guarded.text()


def test_who_may_only_look_is_told_before_a_sync(opened: Any, qtbot: Any) -> None:
    opened.session.sync.backend = FakeBackend(role="viewer")
    opened.window.sync.connect_server()
    dialog = connect_dialog(opened)
    fill(dialog)
    dialog.submit()
    qtbot.waitUntil(lambda: dialog.info is not None)
    assert "may only look" in dialog.about.text()
    assert not dialog.accept_button.isEnabled()  # type: ignore[union-attr]


def test_a_project_the_server_refuses_stays_a_local_file(opened: Any, qtbot: Any) -> None:
    backend = FakeBackend()
    opened.session.sync.backend = backend
    opened.window.sync.put_on_rail()
    opened.window.sync.open()
    service = opened.session.sync
    service.use(CONNINFO)
    backend.fail = PlannerError("sync.name_taken", name="新城")
    with qtbot.waitSignal(service.failed, timeout=8000):
        service.sync_now()
    panel = opened.window.task.panel("sync")
    assert (service.status.kind, service.conninfo) == ("local", "")
    assert panel.local.isVisible()
    assert panel.notice.isVisible()
    assert "新城" in panel.notice.text()


def test_a_keyring_that_fails_does_not_keep_anybody_out(opened: Any, qtbot: Any) -> None:
    class NoRing(FakeBackend):
        def keep_password(self, conninfo: str, password: str) -> None:
            raise PlannerError("sync.no_keyring", server="gis", detail="NoKeyringError")

    opened.session.sync.backend = NoRing()
    opened.window.sync.connect_server()
    dialog = connect_dialog(opened)
    fill(dialog, password="secret")
    dialog.submit()
    qtbot.waitUntil(lambda: dialog.info is not None)
    assert dialog.notice.isVisible()
    assert "secret" not in dialog.notice.text()


@pytest.mark.parametrize(
    ("mode", "token"), [("verify-full", "pass"), ("require", "needs_certificate"), ("disable", "fail")]
)
def test_how_the_line_is_guarded_is_said_before_connecting(opened: Any, mode: str, token: str) -> None:
    from planner_app.ui.sync.words import tls_look

    opened.window.sync.connect_server()
    dialog = connect_dialog(opened)
    fill(dialog)
    dialog.form_.tls.setCurrentIndex(dialog.form_.tls.findData(mode))
    assert dialog.form_.address().tls == mode
    assert tls_look(dialog.form_.address())[1] == token
    assert dialog.form_.guarded.text() == tls_look(dialog.form_.address())[2]
    assert dialog.form_._certificate_row.isVisible() == (mode == "verify-full")
    dialog.form_.host.setText("/run/postgresql")
    assert "this computer" in dialog.form_.guarded.text()


def test_services_come_from_the_service_file(opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "services.conf"
    file.write_text("[city]\nhost=gis\npassword=50%\n[test]\nhost=x\n", encoding="utf-8")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    assert service_names() == ["city", "test"]
    opened.window.sync.connect_server()
    dialog = connect_dialog(opened)
    dialog.form_.tabs.setCurrentIndex(1)
    dialog.form_.service.setCurrentText("city")
    assert dialog.form_.address() == ServerAddress(service="city")
    assert dialog.form_.problem() == ("", "", None)


def test_a_project_of_the_server_becomes_a_file_that_opens(
    desktop: Any, backend: FakeBackend, qtbot: Any, tmp_path: Path
) -> None:
    desktop.session.sync.backend = backend
    desktop.session.settings.sync["automatic"] = False
    desktop.session.settings.last_folder = str(tmp_path)
    desktop.window.commands.trigger("sync.clone")
    dialog = connect_dialog(desktop)
    fill(dialog)
    dialog.submit()
    qtbot.waitUntil(lambda: dialog.info is not None)
    assert dialog.projects.item(0).text().startswith("滨海新城")
    dialog.submit()
    choose = next(one for one in desktop.window.findChildren(CloneDialog) if one.isVisible())
    qtbot.waitUntil(lambda: choose.layers.count() == 4 and choose.picker._image is not None)
    assert choose.count.text() == "4 of 4 layers"
    choose.layers.item(3).setCheckState(Qt.CheckState.Unchecked)
    choose.part.click()
    choose.submit()
    assert "Draw the area" in choose.notice.text()
    QTest.mousePress(choose.picker, Qt.MouseButton.LeftButton, pos=QPoint(100, 60))
    QTest.mouseMove(choose.picker, QPoint(220, 160))
    QTest.mouseRelease(choose.picker, Qt.MouseButton.LeftButton, pos=QPoint(220, 160))
    assert choose.picker.box is not None
    with qtbot.waitSignal(desktop.session.project_changed, timeout=10_000):
        choose.submit()
    (conninfo, _password, name, path, scope), *rest = backend.cloned
    assert rest == []
    assert (conninfo, name, path) == (CONNINFO, "滨海新城", tmp_path / "滨海新城.sqlite")
    assert scope.layers == {one.uuid for one in backend.layers[:3]}
    assert scope.box == choose.picker.box
    assert Path(desktop.session.project.path) == path


def test_an_existing_file_is_not_written_over(opened: Any, backend: FakeBackend, town: Path, qtbot: Any) -> None:
    opened.session.sync.backend = backend
    project = ProjectDef(PROJECT, town.stem, "EPSG:4549")
    dialog = CloneDialog(opened.session, CONNINFO, None, project, str(town.parent), opened.window)
    dialog.open()
    qtbot.waitUntil(lambda: dialog.layers.count() == 4)
    dialog.submit()
    assert "exists already" in dialog.notice.text()
    dialog.reject()


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_dialogs_clip_nothing(opened: Any, backend: FakeBackend, qtbot: Any, language: str, tmp_path: Path) -> None:
    compile_catalogues(RESOURCES)
    set_language(language)
    opened.session.sync.backend = backend
    opened.window.sync.connect_server()
    dialog = connect_dialog(opened)
    fill(dialog)
    qtbot.wait(30)
    assert clipped(dialog) == []
    dialog.submit()
    qtbot.waitUntil(lambda: dialog.info is not None)
    qtbot.wait(30)
    assert clipped(dialog) == []
    project = ProjectDef(PROJECT, "滨海新城", "EPSG:4549")
    choose = CloneDialog(opened.session, CONNINFO, None, project, str(tmp_path), opened.window)
    choose.open()
    qtbot.waitUntil(lambda: choose.layers.count() == 4)
    assert clipped(choose) == []
