"""The server's log: revisions, a feature, a place, time travel, restoring, evidence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import shapely
from openpyxl import load_workbook
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo
from planner_app.sync.types import HistoryRow, Revision, Why
from planner_app.ui.sync.audit import Subject, origin, revisions_of, why
from planner_app.ui.sync.history_page import HistoryPage
from planner_app.ui.sync.past_picture import draw_past
from planner_app.ui.sync.restore_dialog import RestoreDialog
from tests.e2e.walk import pdf_text
from tests.ui.sync.fakes import PROJECT, FakeBackend, FakeTransport, revision


@pytest.fixture
def page(at_server: Any, qtbot: Any) -> HistoryPage:
    at_server.window.commands.trigger("sync.revisions")
    made: HistoryPage = at_server.window.sync.history_page()
    qtbot.waitUntil(lambda: bool(made.changes.rows))
    return made


def cells(model: Any) -> list[list[str]]:
    return [[model.text(row, column) for column in range(model.columnCount())] for row in model.rows]


def layer(desktop: Any, name: str = "规划用地") -> Any:
    return next(one for one in desktop.session.layers() if one.name == name)


def test_revisions_say_who_when_and_why_and_what_changed(
    at_server: Any, page: HistoryPage, backend: FakeBackend, qtbot: Any
) -> None:
    assert at_server.window.dock.current() == "plugin:sync:log"
    assert [row[0] for row in cells(page.revisions)] == ["3", "2", "1"]
    assert cells(page.revisions)[1][2:] == ["wang", "二环以内容积率统一核对"]
    assert cells(page.changes) == [
        ["edited", "规划用地 · 地块 0000", "容积率", "0", "2.2"],
        ["edited", "规划用地 · 地块 0000", "Geometry", "6,400.00 m² · 5 vertices", "5,200.00 m² · 7 vertices"],
    ]
    told = page.detail.whole_text()
    assert all(part in told for part in ("Revision 3", "li", "10.20.0.14", "Records: 3"))
    assert len(at_server.window.sync.on_map.shown("changes")) == 2
    at_server.window.show_dock("table")
    assert at_server.window.sync.on_map.shown("changes") == []

    # Another one is chosen.
    page._select(1)
    page._revision_chosen()
    qtbot.waitUntil(lambda: page.changes.rows[0].row.revision == 2)
    gone = ["deleted", "规划用地 · 已撤地块", "The whole record", "7,600.00 m² · 9 vertices", ""]
    assert cells(page.changes)[1] == gone

    # A record that is no more is shown where it was.
    row = next(row for row in backend.rows if row.uuid == "dead")
    at_server.window.sync.on_map.show_uuid(row.layer, row.uuid, row)
    west, south, east, north = at_server.window.canvas.extent()
    assert west < 500000 < 500110 < east
    assert south < 2860000 < 2860080 < north

    # Without a line the page says so and keeps what it shows.
    backend.fail = PlannerError("sync.offline", server="gis")
    page.ask(page.subject)
    qtbot.waitUntil(lambda: not page.notice.isHidden())
    assert len(page.revisions.rows) == 3


def test_history_of_the_selected_feature_and_of_a_place(at_server: Any, page: HistoryPage, qtbot: Any) -> None:
    at_server.session.selection.set(layer(at_server).id, [1])
    at_server.window.commands.trigger("sync.feature")
    qtbot.waitUntil(lambda: page.subject.kind == "record" and len(page.revisions.rows) == 2)
    assert page.about.whole_text() == "规划用地 · 地块 0000"
    assert [one.revision for one in page.revisions.rows] == [3, 1]
    assert page.kinds["record"].property("look") == "chosen"
    canvas = at_server.window.canvas
    at_server.window.commands.trigger("sync.place")
    assert canvas.tool.hint().startswith("Drag a box")
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    QTest.mouseMove(canvas, QPoint(260, 240))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(300, 260))
    assert page.subject.kind == "place"
    assert page.subject.box is not None
    west, south, east, north = page.subject.box
    resolution = canvas.viewport.resolution
    assert (east - west) / resolution == pytest.approx(100, abs=1)
    assert (north - south) / resolution == pytest.approx(60, abs=1)
    qtbot.waitUntil(lambda: len(page.revisions.rows) == 3)


def test_an_empty_log_offers_the_next_step(at_server: Any, backend: FakeBackend, qtbot: Any) -> None:
    revisions, backend.revisions = backend.revisions, []
    at_server.window.commands.trigger("sync.revisions")
    page = at_server.window.sync.history_page()
    qtbot.waitUntil(lambda: "Nothing was pushed" in page._empty._text.text())
    assert page._empty._button.text() == "Sync now"
    assert not page.travel_button.isEnabled()
    backend.revisions = revisions
    page._empty._button.click()
    qtbot.waitUntil(lambda: len(page.revisions.rows) == 3, timeout=8000)
    assert backend.syncs == 1


def test_time_travel_shows_what_was_and_what_became_of_it(at_server: Any, page: HistoryPage, qtbot: Any) -> None:
    window = at_server.window
    window.canvas.zoom_to_extent((500000, 2859900, 500400, 2860200))
    window.sync.travel()
    travel = window.sync._travel
    assert travel is not None
    qtbot.waitUntil(lambda: travel._picture is not None)
    past = travel.past
    assert past is not None
    assert [round(one.area) for one in past.changed] == [6400]  # other attributes now
    assert [round(one.area) for one in past.gone] == [7600]
    assert len(past.new) > 2  # what the server did not have then
    assert travel.bar is not None
    assert travel.bar.isVisible()
    assert travel.bar.counts["gone"].text() == "1 gone since"
    picture = window.canvas.snapshot()
    assert picture.pixelColor(2, picture.height() // 2).name() == "#7a3fa0"  # the frame that says: not now
    page.step(1)
    page._revision_chosen()
    qtbot.waitUntil(lambda: travel.revision is not None and travel.revision.revision == 2)
    travel.leave()
    assert not travel.bar.isVisible()
    assert window.canvas.snapshot().pixelColor(2, picture.height() // 2).name() != "#7a3fa0"

    # Esc leads back, and only then clears the selection.
    window.sync.travel()
    at_server.session.selection.set(layer(at_server).id, [1])
    window.canvas.escape()
    assert travel.revision is None
    assert at_server.session.selection.count() == 1

    # Nobody edits the past.
    window.sync.travel()
    at_server.session.set_current_layer(layer(at_server, "建筑").id)
    window.canvas.set_tool("draw_polygon")
    assert travel.revision is None
    window.canvas.leave_tool()


def test_the_past_is_drawn_in_the_layers_colours(at_server: Any, backend: FakeBackend) -> None:
    from planner_app.domain.style import LayerStyle, StyleClass, to_qml
    from planner_app.plugin_api.viewport import Viewport
    from planner_app.project import SetStyle
    from planner_app.ui.sync.past import read_past

    of = layer(at_server)
    style = LayerStyle("categorised", "code", (StyleClass("R2", fill="#FF0000"), StyleClass(None, fill="#0000FF")))
    at_server.session.execute(SetStyle(of.id, to_qml(style, "polygon")))
    box = (499900.0, 2859900.0, 500300.0, 2860200.0)
    transport: Any = FakeTransport(backend)
    past = read_past(transport, PROJECT, at_server.session.project, [of], revision(1), box)
    view = Viewport(width=400, height=300).fitted(box)
    image = draw_past(past, view)
    x, y = view.to_screen(500020, 2860010)
    assert {image.pixelColor(round(x), round(y)).name()} <= {"#ff0000", "#0000ff"}
    assert past.left_out == ()

    # Names stand where the layer writes them, from the scale on at which it does.
    style = replace(style, label_field="name", label_size=12.0, label_min_scale=view.scale + 1, label_colour="#00FF00")
    at_server.session.execute(SetStyle(of.id, to_qml(style, "polygon")))
    named = draw_past(read_past(transport, PROJECT, at_server.session.project, [of], revision(1), box), view)
    assert any(named.pixelColor(x, y).name() == "#00ff00" for x in range(400) for y in range(300))
    far = replace(view, resolution=view.resolution * 1.1)
    named = draw_past(read_past(transport, PROJECT, at_server.session.project, [of], revision(1), box), far)
    assert not any(named.pixelColor(x, y).name() == "#00ff00" for x in range(400) for y in range(300))

    # What is too much is named; an answer nobody waits for is not read to its end.
    both = [of, layer(at_server, "建筑")]
    past = read_past(transport, PROJECT, at_server.session.project, both, revision(1), box, most=1)
    assert past.left_out == ("规划用地", "建筑")
    with pytest.raises(Cancelled):
        read_past(transport, PROJECT, at_server.session.project, [of], revision(1), box, lambda: False, most=1000)


def test_restoring_asks_what_and_offers_the_record_the_place_and_the_layer(
    at_server: Any, page: HistoryPage, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Any] = []

    def restore(
        project: Any, transport: Any, layer_id: str, number: int, *, uuids: Any = None, scope: Any = None
    ) -> Any:
        from planner_app.domain.changeset import ChangeSet, TableTouch

        done.append((layer_id, number, uuids, scope.box if scope is not None else None))
        return ChangeSet(1, "restore_revision", touches=(TableTouch(layer_id, updated=1),))

    monkeypatch.setattr("planner_app.sync.client.history.restore", restore)
    window, of = at_server.window, layer(at_server)
    at_server.session.set_current_layer(of.id)
    page.right.selectRow(0)
    window.sync.restore()
    dialog = next(one for one in window.findChildren(RestoreDialog))
    titles = [one.text() for one in dialog.buttons]
    assert titles == [
        "The record “地块 0000”", "What the map shows now, in all visible layers", "The whole layer “规划用地”",
    ]  # fmt: skip
    dialog.submit()
    qtbot.waitUntil(lambda: bool(done))
    assert done[0][:2] == (of.id, 3)
    assert len(done[0][2]) == 1
    qtbot.waitUntil(lambda: "Restored to the state after revision 3: 1" in window.map_area.messages.text())


def test_evidence_holds_every_revision_with_its_chain(
    at_server: Any, page: HistoryPage, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for suffix in (".json", ".xlsx", ".pdf"):
        path = tmp_path / f"evidence{suffix}"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, path=path: (str(path), ""))
        at_server.window.commands.trigger("sync.evidence")
        qtbot.waitUntil(lambda path=path: not at_server.session.jobs.active() and path.exists(), timeout=20_000)
        check_evidence(path)


def check_evidence(path: Path) -> None:
    chains = [f"{number:064x}" for number in (3, 2, 1)]
    if path.suffix == ".json":
        told = json.loads(path.read_text(encoding="utf-8"))
        assert [one["chain"] for one in told["revisions"]] == chains
        assert told["revisions"][0]["chain_before"] == chains[1]
        shape = shapely.from_wkb(bytes.fromhex(told["revisions"][0]["changes"][0]["geometry_before"]))
        assert shape.area == 6400
    elif path.suffix == ".xlsx":
        book = load_workbook(path, read_only=True)
        assert len(book.sheetnames) == 3
        assert [row[7] for row in book.worksheets[1].iter_rows(min_row=2, max_row=4, values_only=True)] == chains
        assert "容积率" in [row[5] for row in book.worksheets[2].iter_rows(values_only=True)]
        book.close()
    else:
        text = "".join(pdf_text(path).split())
        assert all(chain in text for chain in chains)
        assert "二环以内容积率统一核对" in text


def test_commands_behind_a_revision_are_counted() -> None:
    twice = Revision(
        1, "", "", "", "", "", "", 2, (Why("edit_geometry", "{}", "", 1), Why("edit_geometry", "{}", "", 1))
    )
    assert why(twice).endswith("×2")
    assert why(Revision(1, "", "", "", "", "", "because", 0)) == "because"

    assert origin(Revision(1, "", "", "", "local", "", "", 0)) == "the server itself"
    assert origin(Revision(1, "", "", "", "10.0.0.7", "", "", 0)) == "10.0.0.7"

    # Fields are called what people call them.
    fields = (FieldInfo("far", "real", "容积率"), FieldInfo("floors", "integer"))
    layer = LayerInfo("plan", "u", "规划用地", "polygon", 4549, fields)
    edits = tuple(
        Why(command, json.dumps({"layer": "规划用地", "count": 3, "fid": 1, **params}), "", 1)
        for command, params in (("edit_cells", {"field": "far"}), ("edit_feature", {"fields": "far, floors"}))
    )
    told = why(Revision(1, "", "", "", "", "", "", 2, edits), [layer])
    assert "far" not in told
    assert "容积率, floors" in told


def test_evidence_on_paper_lists_the_first_of_very_many_and_says_so(
    at_server: Any, page: HistoryPage, backend: FakeBackend, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner_app.ui.sync.evidence.MOST_LINES", 1)
    path = tmp_path / "evidence.pdf"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    at_server.window.commands.trigger("sync.evidence")
    qtbot.waitUntil(lambda: not at_server.session.jobs.active() and path.exists(), timeout=20_000)
    assert "The first 1 of 2" in pdf_text(path)


def test_revisions_are_read_in_runs_and_missing_ones_end(backend: FakeBackend) -> None:
    transport: Any = FakeTransport(backend)
    assert revisions_of(transport, PROJECT, {1, 3, 99}).keys() == {1, 2, 3}


def test_a_record_without_a_layer_here_is_named_by_its_identity() -> None:
    from planner_app.ui.sync.audit import changes_of

    row = HistoryRow(1, "elsewhere", "12345678-x", "update", {"a": "1"}, {"a": "2"})
    found = changes_of([row], {}, {})
    assert (found[0].layer_name, found[0].record, found[0].before, found[0].after) == (
        "(layer not here)", "12345678", "1", "2",
    )  # fmt: skip
    assert Subject().kind == "all"
