"""Clearances in the window, and the check of planned works that runs by itself."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import shapely

from planner_app.project import Project
from planner_app.project.commands import DeleteFeatures, EditGeometry, InsertFeatures
from plugins.tunnel.model.clearance import works
from plugins.tunnel.model.clearance.work_table import EXTERNAL_WORK
from plugins.tunnel.ui.analysis.watcher import ZoneWatcher
from plugins.tunnel.ui.panel import TunnelPanel
from tests.plugins.tunnel.clearance.towns import add, box, pipe, pipes, tunnel


def wkb(shape: Any) -> bytes:
    return bytes(shapely.to_wkb(shape))


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A tunnel (outer faces at ±2 m), pipes too near to each other, a layer of works without any."""
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "净距") as project:
        tunnel(project, (0, 0, 0), (400, 0, 0))
        pipes(
            project,
            pipe("W1", "JS", (0, 30, 2), (400, 30, 2)), pipe("D1", "WS", (0, 30.6, 2), (400, 30.6, 2)),
            pipe("G1", "RQ", (200, 20, 2), (200, 60, 2)), pipe("X1", "ZZ", (0, 33, 2), (100, 33, 2)),
        )  # fmt: skip
        add(project, EXTERNAL_WORK, [(box(100, 100, 110, 110), {"name": "远处"})])
    return tmp_path / "town.sqlite"


@pytest.fixture
def desk(town: Path, open_window: Callable[[Path], Any]) -> Any:
    """The window; the tunnel's panel was not opened."""
    made = open_window(town)
    made.said = []
    made.session.message.connect(lambda level, text, hint: made.said.append((level, text, hint)))
    (made.watcher,) = made.context.findChildren(ZoneWatcher)
    made.work = next(layer for layer in made.session.project.layers() if layer.role == "tunnel.external_work").id
    return made


def test_a_work_drawn_near_a_tunnel_is_told_without_the_panel(desk: Any) -> None:
    assert not desk.window.task.findChildren(TunnelPanel)
    watcher, project = desk.watcher, desk.session.project
    pit = InsertFeatures(desk.work, [wkb(box(10, 4, 30, 20))], {"name": ["一号基坑"], "depth_m": [6.0]})
    desk.session.execute(pit)
    desk.until(lambda: bool(watcher.found))
    (((key), (one,)),) = watcher.found.items()
    assert key == (desk.work, 2)
    assert (one.zone, one.distance, one.depth) == ("protection", pytest.approx(2.0), 6.0)
    ((level, text, hint),) = desk.said
    assert (level, "一号基坑" in text, "2.0 m" in text) == ("warning", True, True)
    assert "consent" in hint
    assert "Analysis" in hint
    # Moved within the same zone: no second notice; into the wider one: one; away: nothing is left.
    desk.session.execute(EditGeometry(desk.work, {2: wkb(box(12, 4, 32, 20))}))
    desk.until(lambda: watcher.found[key][0].from_m > 11)
    assert len(desk.said) == 1
    desk.session.execute(EditGeometry(desk.work, {2: wkb(box(12, 10, 32, 20))}))
    desk.until(lambda: watcher.found[key][0].zone == "control")
    assert len(desk.said) == 2
    desk.session.execute(EditGeometry(desk.work, {2: wkb(box(12, 100, 32, 120))}))
    desk.until(lambda: not watcher.found)
    project.undo()
    desk.until(lambda: bool(watcher.found))
    desk.session.execute(DeleteFeatures(desk.work, [2]))
    desk.until(lambda: not watcher.found)
    # The page lists what stands when it is opened later.
    project.undo()
    desk.until(lambda: bool(watcher.found))
    page = desk.page("analysis")
    page.open("clearance")
    assert page.clearance.zones.keys() == [f"{desk.work}/2|T1"]
    page.clearance._zone_chosen(page.clearance.zones.keys()[0])
    assert desk.session.selection.fids(desk.work) == (2,)
    assert len(page.desk.marks.picture.spots) == len(watcher.found[key][0].points)


def test_very_many_at_once_are_looked_at_in_pieces(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """12,000 works in one step, 7,000 of them by the tunnel: a job in two pieces, one notice."""
    watcher, project = desk.watcher, desk.session.project
    pieces: list[int] = []
    real = works.touched
    monkeypatch.setattr(works, "touched", lambda *given: (pieces.append(len(given[2])), real(*given))[1])
    far = [wkb(box(x, 5000, x + 0.5, 5001)) for x in range(5_000)]
    near = [wkb(box(at / 20, 4, at / 20 + 0.01, 5)) for at in range(7_000)]
    names = [f"桩 {at}" for at in range(12_000)]
    desk.session.execute(InsertFeatures(desk.work, [*far, *near], {"name": names}))
    desk.until(lambda: len(watcher.found) == 7_000, 60)
    assert pieces == [5_000, 2_000]
    ((level, text, _),) = desk.said
    assert level == "warning"
    assert "6,998" in text or "6998" in text
    # Those that one edit takes far away are no findings any more, the others stay.
    fids = [key[1] for key in watcher.found][:6_000]
    desk.session.execute(EditGeometry(desk.work, dict.fromkeys(fids, wkb(box(0, 5000, 1, 5001)))))
    desk.until(lambda: len(watcher.found) == 1_000, 60)
    assert len(desk.said) == 1
    # A whole layer that comes in is looked at, too.
    layer = add(project, EXTERNAL_WORK, [(box(10, 4, 30, 20), {"name": "新图层的基坑"})])
    desk.until(lambda: any(key[0] == layer for key in watcher.found))


def test_without_a_tunnel_nothing_is_read(tmp_path: Path, open_window: Callable[[Path], Any]) -> None:
    with Project.create(tmp_path / "plain.sqlite", "EPSG:4549") as project:
        work = add(project, EXTERNAL_WORK, [(box(0, 0, 1, 1), {"name": "a"})])
    desk = open_window(tmp_path / "plain.sqlite")
    (watcher,) = desk.context.findChildren(ZoneWatcher)
    desk.session.execute(InsertFeatures(work, [wkb(box(10, 4, 30, 20))], {"name": ["b"]}))
    assert watcher._waiting == {}
    assert watcher.found == {}


def test_clearances_are_judged_shown_filtered_and_written(
    desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = desk.page("analysis")
    page.open("clearance")
    part = page.clearance
    assert part.before.isVisible()
    part.run.click()
    desk.until(lambda: part.report is not None)
    rows = part._rows
    assert rows.rowCount() == len(part.report.pairs) > 2
    cells = [rows.index(0, column).data() for column in range(rows.columnCount())]
    assert cells[0].startswith("Fail")
    assert cells[1:6] == ["W1 · Water supply", "D1 · Drainage", "0.40", "–", "0.40"]
    assert cells[7] == "GB 50289-2016 table 4.1.9"
    assert part.figures._values[0].text() == str(sum(str(p.deciding.verdict) == "fail" for p in part.report.pairs))
    assert {one.token for one in page.desk.marks.picture.spots} >= {"fail"}
    part._filter("cannot_judge")
    shown = [rows.index(row, 0).data() for row in range(rows.rowCount())]
    assert shown
    assert all(one.startswith("Cannot judge") for one in shown)
    part._filter("cannot_judge")
    assert rows.rowCount() == len(part.report.pairs)
    # Row → map and selection, selection → row.
    part.table.select_rows([0])
    part.table.current_changed.emit([0])
    desk.until(lambda: desk.session.selection.count() > 0)
    layer = part._line_layer()
    assert len(desk.session.selection.fids(layer)) == 2
    gas = part.report.pairs.index(next(one for one in part.report.pairs if "line:G1" in (one.a, one.b)))
    desk.context.selection.set(layer, [3])
    desk.until(lambda: gas in part.table.selected_rows())
    monkeypatch.setattr(type(desk.context), "render_map", lambda self, extent, size, done, **_: done(b""))
    for suffix in (".xlsx", ".csv", ".pdf"):
        path = tmp_path / f"净距{suffix}"
        monkeypatch.setattr(type(desk.context), "ask_save", lambda *_, path=path: path)
        part.notice.clear()
        part.exporter.click()
        desk.until(lambda path=path: path.name in part.notice._sentence.text())
    book = openpyxl.load_workbook(tmp_path / "净距.xlsx", read_only=True)
    sheet = book.worksheets[1]
    assert sum(1 for row in sheet.iter_rows(values_only=True) if row[0] and "line:" in str(row[0])) == rows.rowCount()
    book.close()
    with (tmp_path / "净距.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) == rows.rowCount() + 1
    assert (tmp_path / "净距.pdf").read_bytes().startswith(b"%PDF")


def test_an_edit_of_the_pipes_ages_the_answer(desk: Any) -> None:
    page = desk.page("analysis")
    page.open("clearance")
    part = page.clearance
    part.check()
    desk.until(lambda: part.report is not None)
    project = desk.session.project
    desk.session.execute(DeleteFeatures(part._line_layer(), [1]))
    desk.until(lambda: "changed" in part.notice._sentence.text())
    assert part.report is not None
    part.notice.clear()
    project.undo()
    desk.until(part.notice.isVisible)
    part.layer.setCurrentIndex(part.layer.findData(desk.work))
    part.run.click()
    desk.until(lambda: not part.report.pairs)
    assert "Nothing" in part.notice._sentence.text()


def test_a_work_is_drawn_from_the_page(tmp_path: Path, open_window: Callable[[Path], Any]) -> None:
    with Project.create(tmp_path / "bare.sqlite", "EPSG:4549") as project:
        tunnel(project, (0, 0, 0), (400, 0, 0))
    desk = open_window(tmp_path / "bare.sqlite")
    page = desk.page("analysis").clearance
    desk.page_ = desk.page("analysis")
    desk.page_.open("clearance")
    asked: list[Any] = []
    desk.window.canvas.draw_polygon = asked.append
    page.drawer.click()
    asked[0](None)  # Esc
    page.drawer.click()
    asked[1](wkb(box(10, 4, 30, 20)))
    desk.until(lambda: bool(page.zones.keys()))
    layer = next(one for one in desk.session.project.layers() if one.role == "tunnel.external_work")
    assert desk.session.selection.fids(layer.id) == (1,)
    assert page.works()[0].name == "Planned work 1"
    desk.session.selection.clear()
    desk.session.project.undo()  # the layer made for it goes too
    desk.until(lambda: not page.zones.keys())
    assert page.works() == []
