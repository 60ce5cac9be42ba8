"""The section editor in the real window: lines dragged, judged while they move, stored in one step, taken back."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from planner_app.plugin_api.model import Project
from planner_app.project import EditCells
from plugins.tunnel.model.space import tables as space
from plugins.tunnel.model.space.load import load_section
from plugins.tunnel.model.space.moving import move_line
from plugins.tunnel.ui.state import Asset
from tests.plugins.tunnel.space.conftest import X, Y, fill

from .conftest import Hand, SpaceWindow


def place(page: Any, line: str) -> Any:
    """The placement of a line as the page shows it."""
    return next(one for one in page.canvas.scene.section.placements if one.line == line)


def spot(page: Any, line: str) -> QPointF:
    one = place(page, line)
    return page.canvas.frame.at(one.x, one.y)


def fails(page: Any) -> set[str]:
    return {one.rule for one in page.findings.findings() if one.verdict == "fail"}


def test_a_drag_onto_a_support_is_one_step_that_undo_takes_back(window: SpaceWindow) -> None:
    page = window.section("T1", 40.0)
    hand, canvas = Hand(page.canvas), page.canvas
    cables = place(page, "K1")
    over = canvas.frame.at(1.6, 1.62)
    hand.drag(spot(page, "K1"), over)
    assert canvas.target.support == "T1-1-Z-3"
    assert (place(page, "K1").x, place(page, "K1").y) == (canvas.target.x, pytest.approx(1.55))
    assert load_section(window.project, "T1-1").placements[1].y == 1.05  # nothing is stored while it moves
    before = len(window.project.log())
    hand.release(over)
    window.until(lambda: place(page, "K1").support == "T1-1-Z-3" and canvas.scene.ghost is None)
    assert len(window.project.log()) == before + 1
    stored = load_section(window.project, "T1-1", 40.0)
    assert [(one.support, one.y) for one in stored.placements if one.line == "K1"] == [("T1-1-Z-3", 1.55)]
    window.session.undo()
    window.until(lambda: place(page, "K1").y == cables.y)
    assert page.shown.section.placements[1] == cables
    window.session.redo()
    window.until(lambda: place(page, "K1").support == "T1-1-Z-3")


def test_verdicts_change_while_the_line_moves_and_esc_leaves_it(window: SpaceWindow) -> None:
    page = window.section("T1-1")
    hand, canvas = Hand(page.canvas), page.canvas
    assert fails(page) == set()
    calm = page.summary.text()
    red = QColor(window.context.colour("fail")).rgb()
    assert red not in _colours(canvas)
    hand.drag(spot(page, "K1"), spot(page, "W1"))
    assert "section.overlap" in fails(page)
    assert page.summary.text().startswith("Fail 1")
    (clash,) = (one for one in page.findings.findings() if one.rule == "section.overlap")
    assert set(clash.params["fids"]) == {place(page, "K1").fid, place(page, "W1").fid}
    assert canvas.scene.verdicts() == dict.fromkeys(clash.params["fids"], "fail")
    assert red in _colours(canvas)
    assert page.findings.model().index(0, 0).data().startswith("Fail")  # the word, not the colour alone
    hand.move(canvas.frame.at(1.5, 2.4))  # still in the hand: clear of the pipe again
    assert "section.overlap" not in fails(page)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert (place(page, "K1").x, place(page, "K1").y) == (1.7, 1.05)
    assert page.summary.text() == calm
    hand.release(canvas.frame.at(1.5, 2.4))
    assert load_section(window.project, "T1-1").placements[1].x == 1.7


def _colours(widget: Any) -> set[int]:
    image = widget.grab().toImage()
    return {image.pixel(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}


def test_free_places_full_supports_and_places_outside(window: SpaceWindow) -> None:
    page = window.section("T1-1")
    hand, canvas = Hand(page.canvas), page.canvas
    hand.drag(spot(page, "W1"), canvas.frame.at(1.6, 1.27))  # 0.53 m beside 0.3 m of cables on 0.6 m
    assert canvas.target.support != "T1-1-Z-2"
    assert "T1-1-Z-2" in canvas.target.note
    hand.move(canvas.frame.at(1.6, 1.27), Qt.KeyboardModifier.AltModifier)
    assert (canvas.target.support, canvas.target.note) == ("", "")
    assert (canvas.target.x, canvas.target.y) == (pytest.approx(1.6, abs=0.002), pytest.approx(1.27, abs=0.002))
    outside = canvas.frame.at(2.15, 1.0)  # in the wall between the compartments
    hand.move(outside)
    assert "section.inside" in fails(page)
    hand.release(outside)
    assert place(page, "W1").x == -1.5
    hand.drag(spot(page, "W1"), canvas.frame.at(-1.3, 1.4))
    hand.release(canvas.frame.at(-1.3, 1.4))
    window.until(lambda: load_section(window.project, "T1-1").placements[0].x == -1.3)
    line = window.project.read(window.layer("net_line"), where="\"code\" = 'W1'")
    assert line.columns["z1"] == [pytest.approx(1.4)]  # the pipe in space went along


def test_a_line_is_one_thing_on_section_map_and_in_the_panel(window: SpaceWindow) -> None:
    page = window.section("T1-1")
    hand = Hand(page.canvas)
    fid = page.shown.lines["W1"]
    hand.click(spot(page, "W1"))
    assert window.context.selection.fids(window.layer("net_line")) == (fid,)
    assert window.state.asset == Asset("net_line", fid, "W1")
    assert page.canvas.scene.chosen == {place(page, "W1").fid}
    window.context.selection.set(window.layer("net_line"), [page.shown.lines["K1"]])
    assert page.canvas.scene.chosen == {place(page, "K1").fid}
    assert window.state.asset.code == "K1"
    window.state.select(Asset("net_line", fid, "W1"))
    assert page.canvas.scene.chosen == {place(page, "W1").fid}
    hand.click(page.canvas.frame.at(0.0, 0.5))
    assert page.canvas.scene.chosen == frozenset()
    assert window.state.asset is None
    QTest.keyClick(page.canvas, Qt.Key.Key_Right)
    assert window.state.asset.code == "W1"
    window.state.select(Asset("tunnel_section", 2, "T1-2"))
    window.until(lambda: page.shown.section.code == "T1-2")


def test_along_the_tunnel(window: SpaceWindow) -> None:
    page = window.section()
    assert page.shown.section.code == "T1-1"
    page.step(1)
    window.until(lambda: page.shown.section.code == "T1-2")
    assert page.chainage.text() == "K0+150.00"
    assert not page.after.isEnabled()
    page.step(1)
    page.chainage.setText("K0+020")
    QTest.keyClick(page.chainage, Qt.Key.Key_Return)
    window.until(lambda: page.shown.section.m == 20.0)
    assert page.sections.currentData() == "T1-1"
    page.chainage.setText("900")
    QTest.keyClick(page.chainage, Qt.Key.Key_Return)
    window.until(lambda: not page.notice.isHidden())
    assert page.shown.section.m == 20.0
    page.chainage.setText("far")
    QTest.keyClick(page.chainage, Qt.Key.Key_Return)
    assert page.shown.section.m == 20.0


def test_the_map_leads_the_section(window: SpaceWindow) -> None:
    page = window.section("T1", 40.0)
    assert page.follow.isChecked()
    pointed: list[tuple[str, float]] = []
    window.state.pointed.connect(lambda tunnel, m: pointed.append((tunnel, m)))
    window.context.map.cursor_moved.emit(X + 130.0, Y + 3.0)
    window.until(lambda: page.shown.section.code == "T1-2")
    assert pointed[0] == ("T1", pytest.approx(130.0))
    assert page.shown.section.m == pytest.approx(130.0)
    reach = max(12.0, 12.0 * window.desk.link._metres_per_pixel)
    window.context.map.cursor_moved.emit(X + 60.0, Y + reach + 5.0)  # not near the tunnel
    assert pointed[-1] == ("", 0.0)
    page.follow.setChecked(False)
    window.context.map.cursor_moved.emit(X + 60.0, Y)
    assert pointed[-1] == ("T1", pytest.approx(60.0))
    window.qtbot.wait(60)
    assert page.shown.section.code == "T1-2"
    shown = page.shown.section
    at = window.window.canvas.viewport.to_screen(*shown.at[:2])
    picture = window.window.canvas.grab().toImage()
    accent = QColor(window.context.colour("accent")).rgb()
    around = {picture.pixel(round(at[0]) + dx, round(at[1]) + dy) for dx in range(-3, 4) for dy in range(-3, 4)}
    assert accent in around  # the stroke where the section is cut


def test_what_others_change_is_shown(window: SpaceWindow) -> None:
    page = window.section("T1", 40.0)
    section = load_section(window.project, "T1-1", 40.0)
    fid = next(one.fid for one in section.placements if one.line == "W1")
    hand = Hand(page.canvas)
    hand.drag(spot(page, "K1"), page.canvas.frame.at(0.0, 1.5))
    window.project.execute(move_line(window.project, section, fid, place=(-1.4, 1.2)))
    window.until(lambda: page.canvas.target is None)  # the drag ended: the ground under it has changed
    window.until(lambda: place(page, "W1").x == -1.4)
    assert place(page, "K1").x == 1.7
    window.project.execute(EditCells(window.layer("compartment"), [1], "outline", ["POLYGON EMPTY"]))
    window.until(lambda: not page.notice.isHidden())
    assert "cannot_judge" in {one.verdict for one in page.findings.findings()}
    page.canvas.grab()


def test_export_writes_what_is_shown(window: SpaceWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = window.section("T1", 40.0)
    for suffix in (".svg", ".json", ".csv", ".dxf"):
        target = tmp_path / f"s{suffix}"
        monkeypatch.setattr(type(window.context), "ask_save", lambda *_, target=target: target)
        page.export()
        window.until(target.exists)
    window.until(lambda: (tmp_path / "s.dxf").stat().st_size > 1000)
    assert json.loads((tmp_path / "s.json").read_text("utf-8"))["m"] == 40.0
    with (tmp_path / "s.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["line"] for row in csv.DictReader(file)] == ["W1", "K1"]


def test_a_project_without_tunnels_says_so_and_shows_one_when_it_comes(
    desk: Callable[[Path], SpaceWindow], tmp_path: Path
) -> None:
    path = tmp_path / "empty.sqlite"
    Project.create(path, "EPSG:4549", "空").close()
    window = desk(path)
    assert window.panel is not None
    for name, page_name in (("section", "section_page"), ("profile", "profile_page")):
        window.state.run(name)
        page = getattr(window.desk, page_name)
        window.until(lambda page=page: "no tunnel" in page.empty.text())
        assert "assets" in page.empty.text()
        assert not page.empty.button.isHidden()
        page.canvas.zoom(2.0)
        page.canvas.fit()
        page.export()  # nothing to write, nothing asked
    tunnel = {"code": "T9", "name": "新", "from_m": 0.0, "to_m": 100.0,
              "wkt": f"LINESTRING ({X} {Y}, {X + 100} {Y})"}  # fmt: skip
    fill(window.project, space.TUNNEL, [tunnel])
    profile = window.desk.profile_page
    window.until(lambda: window.desk.catalogue is not None and len(window.desk.catalogue.tunnels) == 1)
    window.state.run("profile", "T9")
    window.until(lambda: profile.shown is not None)
    window.state.run("section", "T9")
    section = window.desk.section_page
    window.until(lambda: "T9" in section.empty.text())  # it has no sections yet: said, with what to do
    window.session.close_project()
    window.until(lambda: "No project" in section.empty.text())
