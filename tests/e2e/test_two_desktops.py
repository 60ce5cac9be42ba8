"""Two desktops on one city server, at real windows: both edit one parcel offline, one chooses, the log tells it all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import shapely
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from planner_app.plugin_api.widgets import Card
from planner_app.sync.server.migrations import initialise
from planner_app.ui.start_page import Tile
from planner_app.ui.sync.clone_dialog import CloneDialog
from planner_app.ui.sync.conflict_list import DisputeCard
from planner_app.ui.sync.connect_dialog import ConnectDialog
from planner_app.ui.sync.panel import SyncPanel
from planner_app.ui.sync.restore_dialog import RestoreDialog
from tests.e2e.walk import LEFT, Walk
from tests.helpers.postgres import PrivateCluster

pytestmark = [
    pytest.mark.qgis,
    pytest.mark.server,
    pytest.mark.qt_log_ignore("This plugin does not support", extend=True),
]

LAYER = "规划用地"
#: Who brings the project to the server may do everything, the other edits plans only.
ROLES = ("admin", "planner")
#: Who works here, what they call the place.
WORDS = {
    "zh_CN": ("wang_min", "li_gong", "滨江小学", "滨江九年一贯制学校"),
    "en": ("j_miller", "a_smith", "Riverside primary school", "Riverside school"),
}


@pytest.fixture
def cluster() -> Iterator[PrivateCluster]:
    running = PrivateCluster()
    running.__enter__()
    try:
        with psycopg.connect(running.dsn, autocommit=True) as connection:
            connection.execute("CREATE DATABASE city")
        with psycopg.connect(running.dsn.replace("dbname=postgres", "dbname=city"), autocommit=True) as connection:
            initialise(connection)
            for role, name in [(role, names[n]) for names in WORDS.values() for n, role in enumerate(ROLES)]:
                connection.execute(f"CREATE ROLE {name} LOGIN IN ROLE planner_{role}".encode())
                connection.execute("INSERT INTO planner.member (name, role) VALUES (%s, %s)", (name, role))
        yield running
    finally:
        if Path(f"/proc/{running.pid}").exists():  # a test may have ended it
            running.__exit__(None, None, None)


class Desk(Walk):
    """Somebody at a desktop of their own."""

    def __init__(self, desktop: Any, qtbot: Any, folder: Path | None, language: str, user: str) -> None:
        super().__init__(desktop, qtbot, folder, f"{language}-{user}")
        self.user, self.sync = user, desktop.session.sync
        self.session.settings.sync["automatic"] = False

    def settle(self) -> None:
        """As ever; on the start page there is no map to wait for."""
        if self.session.project is not None:
            super().settle()

    def press(self, knob: QWidget) -> None:
        """A click in the middle of a button that can be clicked."""
        self.until(lambda: knob.isVisible() and knob.isEnabled())
        QTest.mouseClick(knob, LEFT, pos=knob.rect().center())

    def type(self, field: QLineEdit, text: str) -> None:
        """Type in place of what stands in a field; Chinese comes from an input method."""
        field.window().activateWindow()
        field.setFocus()
        field.selectAll()
        if text.isascii():
            QTest.keyClicks(field, text)
        else:
            typed = QInputMethodEvent()
            typed.setCommitString(text)
            QApplication.sendEvent(field, typed)

    def panel(self) -> SyncPanel:
        """The sync panel, opened by its pill."""
        self.press(self.window.top.sync)
        made = self.window.task.panel("sync")
        assert isinstance(made, SyncPanel)
        return made

    def sign_in(self, dsn: str) -> ConnectDialog:
        """Fill in the connect dialog; back when the server has answered."""
        dialog: ConnectDialog = self.dialog(ConnectDialog)
        host = dsn.split("host=")[1].split()[0]
        for field, text in ((dialog.form_.host, host), (dialog.form_.database, "city"), (dialog.form_.user, self.user)):
            self.type(field, text)
        self.picture("connect", dialog)
        assert dialog.accept_button is not None
        self.press(dialog.accept_button)
        self.until(lambda: dialog.info is not None)
        return dialog

    def push_and_pull(self) -> None:
        """F5, until it is over and its outcome shown."""
        self.window.activateWindow()
        self.until(self.window.isActiveWindow)
        QTest.keyClick(self.window, Qt.Key.Key_F5)
        self.until(self.sync.busy, 5)
        self.until(lambda: not self.sync.busy())
        self.until(lambda: self.sync.status.kind not in ("syncing", "ahead"))
        self.settle()

    def layer(self) -> Any:
        """The layer both work on."""
        return next(one for one in self.session.layers() if one.name == LAYER)

    def fid(self, uuid: str) -> int:
        """The parcel's row in this file."""
        table = self.session.project.read(self.layer().id, columns=[], where=f"uuid = '{uuid}'", geometry=False)
        return int(table.fids[0])

    def parcel(self, uuid: str) -> tuple[str, Any]:
        """(name, shape) of a parcel."""
        table = self.session.project.read(self.layer().id, columns=["name"], fids=[self.fid(uuid)])
        return table.columns["name"][0], shapely.from_wkb(table.geometry[0])

    def choose_parcel(self, uuid: str) -> None:
        """Select it and look at it."""
        self.session.set_current_layer(self.layer().id)
        self.session.selection.set(self.layer().id, [self.fid(uuid)])
        self.canvas.zoom_to_features(self.layer().id, [self.fid(uuid)])
        self.settle()

    def rename(self, uuid: str, name: str) -> None:
        """In the form."""
        self.window.commands.trigger("edit.form")
        form = self.window.task.panel("feature")
        self.until(lambda: "name" in form._editors and form._fid == self.fid(uuid))
        self._qtbot.wait(200)  # what was pulled a moment ago is shown anew
        self.type(form._editors["name"], name)
        self.press(form.save)
        assert self.parcel(uuid)[0] == name

    def drag_corner(self, uuid: str, corner: tuple[float, float], by: tuple[float, float]) -> None:
        """With the tool for vertices, neighbours left alone."""
        before = self.parcel(uuid)[1]
        self.canvas.set_tool("edit_vertices")
        self.until(lambda: self.canvas.tool.subject is not None)
        if self.canvas.tool.shared:
            QTest.keyClick(self.canvas, Qt.Key.Key_S)
        self.drag_map(corner, (corner[0] + by[0], corner[1] + by[1]))
        self.until(lambda: not self.parcel(uuid)[1].equals(before))
        self.canvas.leave_tool()
        self.settle()


def counts(desk: Desk) -> dict[str, int]:
    project = desk.session.project
    return {layer.uuid: project.count(layer.id) for layer in project.layers()}


def a_parcel(desk: Desk) -> tuple[str, tuple[float, float]]:
    """UUID of a parcel of some size near the middle, and a corner of it."""
    table = desk.session.project.read(desk.layer().id, columns=["uuid", "name"])
    shapes = shapely.from_wkb(table.geometry)
    middle = shapely.centroid(shapely.union_all(shapely.envelope(shapes)))
    square = [n for n, one in enumerate(shapes) if 8_000 < one.area < 40_000 and shapely.get_num_coordinates(one) < 12]
    nearest = min(square, key=lambda n: shapes[n].distance(middle))
    x, y = shapely.get_coordinates(shapes[nearest])[0]
    return table.columns["uuid"][nearest], (float(x), float(y))


#: Both ways of looking where pictures are kept; what happens is the same in both.
LOOKS = [("zh_CN", "light"), ("en", "dark")][: 2 if os.environ.get("PLANNER_SCREENSHOTS") else 1]


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_two_desktops(
    language: str, theme: str, sample: Path, cluster: PrivateCluster, open_window: Any, qtbot: Any,
    screenshots: Path | None, tmp_path: Path,
) -> None:  # fmt: skip
    first, second, his_name, her_name = WORDS[language]
    here = Desk(open_window(sample, language, theme), qtbot, screenshots, language, first)

    # A local project is made known to the server.
    panel = here.panel()
    here.picture("local")
    here.press(panel.connect_button)
    dialog = here.sign_in(cluster.dsn)
    here.picture("connected", dialog)
    assert dialog.accept_button is not None
    here.press(dialog.accept_button)
    here.until(lambda: here.sync.status.kind == "synced", 90)
    here.settle()
    here.picture("registered")

    # Somebody else opens it from the start page.
    there = Desk(open_window(None, language, theme), qtbot, screenshots, language, second)
    there.picture("start")
    there.press(there.window.start.findChildren(Tile)[-1])
    dialog = there.sign_in(cluster.dsn)
    assert dialog.projects.count() == 1
    assert dialog.accept_button is not None
    there.press(dialog.accept_button)
    fetch: CloneDialog = there.dialog(CloneDialog)
    there.until(lambda: fetch.picker._image is not None)
    there.type(fetch.path, str(tmp_path / "clone.sqlite"))
    there.picture("layers-and-area", fetch)
    assert fetch.accept_button is not None
    there.press(fetch.accept_button)
    there.until(lambda: there.session.project is not None, 90)
    there.until(lambda: there.sync.status.kind == "synced")
    there.settle()
    assert counts(there) == counts(here)

    # Both change the same parcel, without knowing of each other.
    uuid, corner = a_parcel(here)
    for desk, name, by in ((there, her_name, (26.0, 14.0)), (here, his_name, (-22.0, -16.0))):
        desk.choose_parcel(uuid)
        desk.rename(uuid, name)
        desk.drag_corner(uuid, corner, by)
        desk.until(lambda desk=desk: desk.sync.status.kind == "ahead")  # type: ignore[misc]
        desk.picture("edited")
    her_shape, his_shape = there.parcel(uuid)[1], here.parcel(uuid)[1]
    there.push_and_pull()
    assert there.sync.status.kind == "synced"

    # The second to sync is asked, nothing of either is lost.
    panel = here.panel()
    here.push_and_pull()
    assert here.sync.status.kind == "conflicts"
    here.until(lambda: len(panel.disputes) == 1)
    card = panel.conflicts.findChildren(DisputeCard)[0]
    QTest.mouseClick(card, LEFT, pos=card.rect().topLeft() + card.rect().center() / 4)
    here.until(lambda: panel.conflicts.opened() is not None)
    here.settle()
    assert len(here.window.sync.on_map.shown("dispute")) == 3
    here.picture("conflict")
    there.picture("meanwhile")
    card = next(one for one in panel.conflicts.findChildren(DisputeCard) if one.choices)
    sides = {one.conflict.column: one for one in card.choices}
    assert set(sides) == {"name", "geom"}
    assert (sides["name"].conflict.mine, sides["name"].conflict.theirs) == (his_name, her_name)
    here.press(sides["name"].buttons["theirs"])
    here.press(sides["geom"].buttons["mine"])
    here.picture("choosing")
    here.press(card.apply)
    here.until(lambda: not panel.disputes)
    assert here.parcel(uuid)[0] == her_name
    assert here.parcel(uuid)[1].equals(his_shape)
    here.session.undo()  # one step, though a side of each was chosen
    here.until(lambda: [len(one.conflicts) for one in panel.disputes] == [2])
    here.session.redo()
    here.until(lambda: not panel.disputes)
    here.push_and_pull()
    here.picture("chosen")
    x, y = his_shape.difference(her_shape).intersection(shapely.box(*her_shape.bounds)).representative_point().coords[0]
    at = [round(one) for one in here.canvas.viewport.to_screen(x, y)]
    assert here.canvas.snapshot().pixelColor(*at).name() != "#ffffff"  # the map has followed: his corner is filled
    there.push_and_pull()
    assert there.parcel(uuid)[0] == her_name
    assert there.parcel(uuid)[1].equals(his_shape)

    # The log of the parcel, the map as it was, and back again as a new edit.
    there.choose_parcel(uuid)
    there.window.commands.trigger("sync.feature")
    page = there.window.sync.history_page()
    there.until(lambda: page.subject.kind == "record" and bool(page.changes.rows))
    assert [one.user for one in page.revisions.rows][:2] == [first, second]
    there.picture("log")
    page._select(1)
    page._revision_chosen()
    there.window.sync.travel()
    travel = there.window.sync._travel
    there.until(lambda: travel._picture is not None)
    assert any(one.equals(her_shape) for one in travel.past.changed)
    there.picture("past")
    there.press(page.restore_button)
    ask: RestoreDialog = there.dialog(RestoreDialog)
    there.picture("restore", ask)
    assert ask.accept_button is not None
    there.press(ask.accept_button)
    there.until(lambda: there.parcel(uuid)[1].equals(her_shape))
    travel.leave()
    there.push_and_pull()
    here.push_and_pull()
    assert here.parcel(uuid)[1].equals(her_shape)
    assert here.parcel(uuid)[0] == her_name

    # Without the server work goes on.
    cluster.__exit__(None, None, None)
    here.choose_parcel(uuid)
    here.rename(uuid, his_name)
    here.press(here.panel().sync_button)
    here.until(lambda: here.sync.status.kind == "offline" and not here.sync.busy())
    here.until(lambda: here.sync.status.to_push == 1)
    here.picture("offline")
    assert panel.findChildren(Card) == []
