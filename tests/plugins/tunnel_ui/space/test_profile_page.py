"""The profile in the real window: along a tunnel and between two nodes, its cursor and the map's, slopes, findings."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from planner_app.project import EditCells
from plugins.tunnel.ui.space.map_link import NodePick
from tests.plugins.tunnel.space.conftest import X, Y

from .conftest import Hand, SpaceWindow


def over(page: Any, m: float) -> QPointF:
    return QPointF(page.canvas.view.x(m), page.canvas.view.picture.center().y())


def test_the_cursor_goes_both_ways_and_a_click_opens_the_section(window: SpaceWindow) -> None:
    page = window.profile("T1")
    pointed: list[tuple[str, float]] = []
    window.state.pointed.connect(lambda tunnel, m: pointed.append((tunnel, m)))
    hand = Hand(page.canvas)
    hand.move(over(page, 150.0))
    assert pointed[-1] == ("T1", pytest.approx(150.0, abs=0.01))
    assert window.desk.link.place == pointed[-1]
    words = " ".join(text for text, _ in page.canvas.readout(page.canvas.mark))
    assert "K0+150" in words
    assert "J2" in words  # the node there
    page.canvas.grab()
    window.context.map.cursor_moved.emit(X + 30.0, Y + 2.0)
    assert page.canvas.mark == pytest.approx(30.0)
    window.context.map.cursor_moved.emit(X + 30.0, Y + 5000.0)
    assert page.canvas.mark is None
    hand.move(over(page, 120.0))
    hand.click(over(page, 120.0))
    section = window.desk.section_page
    window.until(lambda: section is not None or window.desk.section_page is not None)
    window.until(lambda: window.desk.section_page.shown is not None)
    assert window.desk.section_page.shown.section.code == "T1-2"
    assert window.desk.section_page.shown.section.m == pytest.approx(120.0, abs=0.01)
    assert window.desk.visible("section")


def test_zoom_keeps_the_place_under_the_pointer_and_steps_of_exaggeration(window: SpaceWindow) -> None:
    page = window.profile("T1")
    view = page.canvas.view
    whole = view.span
    assert whole[0] <= 0.0
    assert whole[1] >= 200.0
    x = view.x(60.0)
    page.canvas.zoom(4.0, x)
    assert view.m_at(x) == pytest.approx(60.0)
    page.canvas.set_exaggeration(10)
    assert page.canvas.times() == pytest.approx(10.0)
    page.canvas.zoom(2.0, x)
    assert page.canvas.times() == pytest.approx(10.0)
    hand = Hand(page.canvas)
    before = view.m
    hand.drag(over(page, 60.0), over(page, 60.0) + QPointF(-40, 0))
    hand.release(over(page, 60.0))
    assert view.m == pytest.approx(before + 40 / view.across)
    assert window.desk.section_page is None  # a drag is no click
    page.canvas.fit()
    assert view.span == pytest.approx(whole)
    page.canvas.zoom(1e-6)
    assert view.span[0] <= 0.0 <= 200.0 <= view.span[1]


def test_slopes_and_findings_lead_to_their_stretch(window: SpaceWindow) -> None:
    page = window.profile("T1")
    assert page.tabs.isTabVisible(0)
    assert {one.rule for one in page.findings.findings()} >= {"openings.feed_spacing", "openings.entrances"}
    assert page.slopes.rowCount() == 1
    assert [page.slopes.item(0, column).text() for column in range(3)] == ["K0+000.00", "200.0", "-5.0"]
    row = next(n for n, one in enumerate(page.findings.findings()) if one.rule == "openings.feed_spacing")
    page.canvas.zoom(8.0)
    page.findings.setCurrentIndex(page.findings.model().index(row, 0))
    assert page.canvas.view.span[0] <= 0.0 <= 200.0 <= page.canvas.view.span[1]
    window.project.execute(EditCells(window.layer("tunnel_node"), [2], "kind", ["人员出入口"]))
    window.until(lambda: any(one.message == "tunnel.along.too_few" for one in page.findings.findings()))


def test_between_two_nodes_by_picks_on_the_map(window: SpaceWindow) -> None:
    assert window.panel is not None
    window.state.run("path_profile")
    page = window.desk.profile_page
    pick = NodePick(window.context, page._picked)
    pick._metres_per_pixel = 0.5
    assert "first" in pick.hint()

    def click(x: float, y: float) -> None:
        pick.press(SimpleNamespace(left=True, x=X + x, y=Y + y))

    click(50.0, 300.0)
    assert "no node" in pick.hint()
    click(1.0, 2.0)
    assert "A" in pick.hint()
    assert pick.cancel()
    assert not pick.cancel()
    click(1.0, 2.0)
    click(199.0, 80.0)
    window.until(lambda: page.shown is not None)
    assert (page.shown.profile.subject, page.tunnel) == ("pipe", "")
    assert (page.start.text(), page.end.text()) == ("A", "D")
    assert page.shown.profile.ends == (0.0, pytest.approx(279.0))
    assert not page.tabs.isTabVisible(0)
    window.context.map.cursor_moved.emit(X + 200.0, Y + 40.0)  # on the third pipe
    assert page.canvas.mark == pytest.approx(239.0)
    page.canvas.grab()
    window.window.canvas.grab()
    hand = Hand(page.canvas)
    hand.move(over(page, 100.0))
    words = " ".join(text for text, _ in page.canvas.readout(page.canvas.mark))
    assert "B" in words


def test_nodes_that_are_not_joined_or_not_there_are_named(window: SpaceWindow) -> None:
    page = window.profile("T1")
    page.start.setText("A")
    page.end.setText("E")
    QTest.keyClick(page.end, Qt.Key.Key_Return)
    window.until(lambda: page.shown is None)
    assert "node:A" in page.empty.text()
    page.end.setText("nowhere")
    QTest.keyClick(page.end, Qt.Key.Key_Return)
    window.until(lambda: "nowhere" in page.empty.text())
    page.start.clear()
    page.end.setText("A")
    QTest.keyClick(page.end, Qt.Key.Key_Return)
    assert page.shown is None
    page.tunnels.setCurrentIndex(page.tunnels.findData("T1"))
    page.tunnels.activated.emit(page.tunnels.currentIndex())
    window.until(lambda: page.shown is not None)
