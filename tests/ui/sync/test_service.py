"""The service: one sync at a time, after edits pause, quiet while offline, never on the UI thread."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner_app.domain.errors import PlannerError
from planner_app.project import EditCells
from planner_app.ui.sync import service as module
from planner_app.ui.sync.service import SyncService
from tests.ui.sync.fakes import CONNINFO, FakeBackend


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_MS", 60)
    monkeypatch.setattr(module, "FIRST_MS", 30_000)
    monkeypatch.setattr(module, "WATCH_MS", 60_000)
    monkeypatch.setattr(module, "BACKOFF_SECONDS", (0.05, 0.2))


def edit(desktop: Any, value: float) -> None:
    layer = next(one for one in desktop.session.layers() if one.name == "规划用地")
    assert desktop.session.execute(EditCells(layer.id, (1,), "far", (value,))) is not None


def automatic(desktop: Any) -> SyncService:
    service: SyncService = desktop.session.sync
    desktop.session.settings.sync["automatic"] = True
    return service


def settled(service: SyncService, kind: str) -> bool:
    return not service.busy() and service.status.kind == kind


def test_a_local_file_is_left_alone(opened: Any, qtbot: Any) -> None:
    service = opened.session.sync
    qtbot.wait(300)
    assert service.status.kind == "local"
    assert service.conninfo == ""
    edit(opened, 3.0)
    service.sync_now()
    assert not service.busy()


def test_pressing_sync_syncs_off_the_ui_thread_and_reports(at_server: Any, backend: FakeBackend, qtbot: Any) -> None:
    service = at_server.session.sync
    backend.standing = replace(backend.standing, conflicts=0, quarantined=0)
    with qtbot.waitSignal(service.synced, timeout=8000) as said:
        service.sync_now()
        assert service.busy()
        assert service.status.kind == "syncing"
    report, asked = said.args
    assert (report.pushed, report.pulled, asked) == (2, 5, True)
    assert threading.get_ident() not in backend.threads
    qtbot.waitUntil(lambda: settled(service, "synced"))
    assert [one.title for one in at_server.session.jobs.jobs if one.title == "Sync"] == ["Sync"]


def test_edits_are_pushed_once_they_pause(
    at_server: Any, backend: FakeBackend, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_MS", 800)
    service = automatic(at_server)
    for value in (1.0, 2.0, 3.0):
        edit(at_server, value)
        qtbot.wait(20)
    assert backend.syncs == 0
    qtbot.waitUntil(lambda: backend.syncs == 1 and not service.busy(), timeout=8000)
    qtbot.wait(1000)
    assert backend.syncs == 1
    assert at_server.session.jobs.active() == []


def test_edits_that_never_pause_are_pushed_all_the_same(
    at_server: Any, backend: FakeBackend, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_MS", 400)
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.5)
    automatic(at_server)
    began = time.monotonic()
    while backend.syncs == 0 and time.monotonic() - began < 5:
        edit(at_server, time.monotonic())
        qtbot.wait(40)
    assert 0.3 < time.monotonic() - began < 3


def test_two_syncs_never_run_at_once(at_server: Any, backend: FakeBackend, qtbot: Any) -> None:
    service = automatic(at_server)
    backend.hold = threading.Event()
    for _ in range(3):
        service.sync_now()
    edit(at_server, 4.0)
    qtbot.wait(250)
    assert (backend.syncs, backend.running) == (1, 1)
    backend.hold.set()
    qtbot.waitUntil(lambda: backend.syncs == 2 and not service.busy(), timeout=8000)
    assert backend.most_running == 1


def test_a_broken_line_is_quiet_and_tried_again_later(at_server: Any, backend: FakeBackend, qtbot: Any) -> None:
    service = automatic(at_server)
    said: list[Any] = []
    at_server.session.message.connect(lambda *words: said.append(words))
    backend.fail = PlannerError("sync.offline")
    edit(at_server, 5.0)
    qtbot.waitUntil(lambda: settled(service, "offline") and backend.syncs >= 3, timeout=8000)
    assert service.status.since
    assert said == []
    backend.fail = None
    backend.standing = replace(backend.standing, conflicts=0, quarantined=0)
    qtbot.waitUntil(lambda: settled(service, "synced"), timeout=8000)
    assert service.status.since == ""


def test_a_refusal_stops_until_a_person_acts(at_server: Any, backend: FakeBackend, qtbot: Any) -> None:
    service = automatic(at_server)
    backend.fail = PlannerError("sync.history_changed")
    failed: list[Exception] = []
    service.failed.connect(failed.append)
    edit(at_server, 6.0)
    qtbot.waitUntil(lambda: settled(service, "stopped"), timeout=8000)
    assert failed == []  # nobody had asked; pill and panel say it
    tried = backend.syncs
    edit(at_server, 7.0)
    qtbot.wait(300)
    assert backend.syncs == tried
    service.sync_now()
    qtbot.waitUntil(lambda: len(failed) == 1, timeout=8000)
    backend.fail = None
    service.sync_now()
    qtbot.waitUntil(lambda: settled(service, "conflicts"), timeout=8000)


def test_cancelling_ends_it_at_once_even_while_the_line_hangs(at_server: Any, backend: FakeBackend, qtbot: Any) -> None:
    service = at_server.session.sync
    backend.hold = threading.Event()
    service.sync_now()
    qtbot.waitUntil(lambda: backend.running == 1)
    qtbot.waitUntil(lambda: service.status.fraction == 0.5)
    service.cancel()
    qtbot.waitUntil(lambda: settled(service, "conflicts"), timeout=8000)
    backend.hold.set()


def test_closing_the_project_in_mid_sync_blocks_nothing(
    at_server: Any, backend: FakeBackend, qtbot: Any, town: Path
) -> None:
    session = at_server.session
    backend.hold = threading.Event()
    session.sync.sync_now()
    qtbot.waitUntil(lambda: backend.running == 1)
    began = time.monotonic()
    session.close_project()
    assert time.monotonic() - began < 3  # the sync itself would hold on for as long as it is held
    assert session.sync.status.kind == "local"
    with qtbot.waitSignal(session.project_changed, timeout=10_000):
        session.open_project(town)
    qtbot.waitUntil(lambda: session.sync.status.kind == "conflicts", timeout=8000)
    session.sync.sync_now()
    backend.hold.set()
    qtbot.waitUntil(lambda: not session.sync.busy() and backend.running == 0, timeout=8000)
    assert backend.most_running == 1


def test_a_long_quiet_sync_shows_in_the_status_bar(
    at_server: Any, backend: FakeBackend, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHOW_AFTER_MS", 80)
    automatic(at_server)
    backend.hold = threading.Event()
    edit(at_server, 8.0)
    qtbot.waitUntil(lambda: backend.running == 1, timeout=8000)
    assert at_server.session.jobs.active() == []
    qtbot.waitUntil(lambda: [one.title for one in at_server.session.jobs.active()] == ["Sync"], timeout=8000)
    assert at_server.window.status.jobs.isVisible()
    at_server.window.status.jobs.cancel.click()
    qtbot.waitUntil(lambda: not at_server.session.sync.busy(), timeout=8000)
    backend.hold.set()


def test_by_hand_it_only_looks_how_much_waits(
    at_server: Any, backend: FakeBackend, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WATCH_MS", 60)
    service = at_server.session.sync
    service.set_automatic(False)
    edit(at_server, 9.0)
    qtbot.waitUntil(lambda: backend.looks >= 2, timeout=8000)
    assert backend.syncs == 0


def test_a_sync_is_no_edit(at_server: Any, backend: FakeBackend, qtbot: Any) -> None:
    from planner_app.domain.changeset import ChangeSet, TableTouch

    automatic(at_server)
    at_server.session.data_changed.emit(ChangeSet(9, "sync_pull", touches=(TableTouch("t", updated=3),)), None)
    qtbot.wait(250)
    assert backend.syncs == 0


def test_another_address_and_password_are_used_from_then_on(at_server: Any, backend: FakeBackend, qtbot: Any) -> None:
    service = at_server.session.sync
    other = CONNINFO.replace("gis.", "new.")
    service.use(other, "secret")
    with qtbot.waitSignal(service.synced, timeout=8000):
        service.sync_now()
    assert backend.passwords[-1] == (other, "secret")
    assert "secret" not in service.conninfo + str(at_server.session.settings)


def test_answers_for_a_closed_project_are_dropped(at_server: Any, backend: FakeBackend, qtbot: Any) -> None:
    session = at_server.session
    backend.hold = threading.Event()
    told: list[Any] = []
    session.sync.ask(lambda transport: transport.hello(), told.append, told.append)
    qtbot.waitUntil(lambda: bool(backend.transports))
    session.close_project()
    backend.hold.set()
    qtbot.wait(200)
    assert told == []


def test_an_attachment_that_is_missed_comes_from_the_server(at_server: Any, backend: FakeBackend, qtbot: Any) -> None:
    import hashlib

    session = at_server.session
    backend.attachment = b"a drawing"
    sha256 = hashlib.sha256(backend.attachment).hexdigest()
    with pytest.raises(PlannerError) as missing:
        session.project.read_attachment(sha256)
    with qtbot.waitSignal(session.message, timeout=8000) as said:
        session.word(missing.value)
        session.word(missing.value)
    assert said.args[0] == "success"
    assert session.project.read_attachment(sha256) == b"a drawing"
    assert [one.title for one in session.jobs.jobs].count("Fetch an attachment") == 1
