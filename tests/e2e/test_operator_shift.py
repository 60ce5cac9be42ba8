"""An operator's shift at the real window: section, profile, valves, a round, an alarm, hand-over, a leak, a pit."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QWidget

from planner_app.domain.finding import Verdict
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Card
from plugins.tunnel.model.operation.records import OrderStatus
from plugins.tunnel.model.space.section import Placement
from plugins.tunnel.ui.monitor.import_dialog import ImportDialog
from plugins.tunnel.ui.monitor.replay import ReplayDialog
from plugins.tunnel.ui.monitor.shift_dialog import ShiftDialog
from plugins.tunnel.ui.panel import ANALYSIS, ASSETS, MONITOR, ROUNDS, TunnelPanel
from plugins.tunnel.ui.rounds.history import HistoryDialog
from plugins.tunnel.ui.rounds.order_dialogs import GasDialog, NewOrderDialog, PermitDialog, ResultDialog, StepDialog
from plugins.tunnel.ui.rounds.order_page import OrderPage
from plugins.tunnel.ui.rounds.round_dialogs import ObserveDialog, RoundDialog
from plugins.tunnel.ui.space import desk_of
from tests.e2e.walk import LEFT, PLAIN, Walk, pdf_pictures, pdf_text
from tests.plugins.tunnel.monitoring.broker import Broker, Publisher, Watcher

pytestmark = [
    pytest.mark.qgis,
    # What the offscreen platform says of menus and pop-ups.
    pytest.mark.qt_log_ignore("This plugin does not support", extend=True),
]

#: Who sits at the desk, who comes next, what is written.
WORDS = {
    "zh_CN": {
        "user": "周海生",
        "next": "孙立",
        "seen": "滴漏加重，地面积水",
        "told": "已通知燃气公司",
        "done": "已注浆堵漏",
    },
    "en": {
        "user": "A. Clarke",
        "next": "B. Singh",
        "seen": "Drips faster",
        "told": "Gas company told",
        "done": "Grouted",
    },
}
#: The tunnel's pipe that is cut off, the sensor whose readings come in a file, the one that is heard live.
PIPE, FILED, LIVE = "GX00012", "GL01-G-CH4-2454", "GL01-G-CH4-0125"
#: The sample's tables that have no role.
_OWN = (
    "tunnel",
    "tunnel_section",
    "compartment",
    "support",
    "line_placement",
    "net_line",
    "net_node",
    "valve",
    "sensor",
)


class ShiftWalk(Walk):
    """At the operator's panel."""

    def __init__(self, desktop: Any, qtbot: Any, folder: Path | None, language: str, ask: pytest.MonkeyPatch) -> None:
        super().__init__(desktop, qtbot, folder, language)
        self._ask, self.words = ask, WORDS[language]
        self.press(self.window.rail.buttons["tunnel"])
        self.panel: TunnelPanel = self.window.findChildren(TunnelPanel)[0]
        self.state, self.project = self.panel.state, self.session.project
        self.space = desk_of(self.state.context, self.state)

    def page(self, number: int) -> Any:
        """A page of the panel, by its tab."""
        self.press_tab(self.panel.tabs, number)
        return self.panel.pages[number]

    def file(self, path: Path) -> None:
        """What the file dialogs answer with."""
        self._ask.setattr(self.state.context, "ask_open", lambda *_: path)
        self._ask.setattr(self.state.context, "ask_save", lambda *_: path)

    def find(self, text: str) -> None:
        """Search among the assets."""
        field = self.page(ASSETS).search.field
        self.type(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)

    def zoom(self, x: float, y: float, half: float) -> None:
        """Bring a place into view."""
        self.canvas.zoom_to_extent((x - half, y - half, x + half, y + half), 0.0)
        self.settle()

    def knob(self, of: QWidget, text: str) -> QWidget:
        """A button by what it says, once it is there."""
        self.until(lambda: any(one.text() == text for one in self.knobs(of)))
        return next(one for one in self.knobs(of) if one.text() == text)

    def card_that_says(self, of: QWidget, words: str) -> QWidget:
        """The first card with a line that holds these words."""
        return next(one for one in of.findChildren(Card) if one.isVisible() and self.says(one, words))

    def drop_on(self, canvas: QWidget, start: QPointF, *way: QPointF) -> None:
        """Press, drag along a way and let go at its end."""
        QTest.mousePress(canvas, LEFT, PLAIN, start.toPoint())
        for spot in way:
            QTest.mouseMove(canvas, ((start + spot) / 2).toPoint())
            QTest.mouseMove(canvas, spot.toPoint())
        QTest.mouseRelease(canvas, LEFT, PLAIN, way[-1].toPoint())

    def gone(self, dialog: QDialog) -> None:
        """Until a dialog is closed."""
        self.until(lambda: dialog not in self._open_dialogs())

    def _open_dialogs(self) -> list[QDialog]:
        from PySide6.QtWidgets import QApplication

        return [one for one in QApplication.topLevelWidgets() if isinstance(one, QDialog) and one.isVisible()]

    def rows(self, layer: str) -> dict[int, tuple[Any, ...]]:
        """Everything a table of the project holds, by record."""
        table = self.project.read(layer)
        shapes = [None] * len(table) if table.geometry is None else list(table.geometry)
        cells = zip(shapes, *(table.columns[name] for name in sorted(table.columns)), strict=True)
        return dict(zip(map(int, table.fids), cells, strict=True))

    def tables(self) -> dict[str, dict[int, tuple[Any, ...]]]:
        """Everything the project's tables of tunnels and pipes hold."""
        mine = (one for one in self.project.layers() if one.role.startswith("tunnel.") or one.id in _OWN)
        return {one.id: self.rows(one.id) for one in mine}


@pytest.mark.parametrize(("language", "theme"), [("zh_CN", "light"), ("en", "dark")])
def test_operator_shift(
    language: str, theme: str, sample: Path, open_window: Any, qtbot: Any, screenshots: Path | None, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("LOGNAME", WORDS[language]["user"])
    walk = ShiftWalk(open_window(sample, language, theme), qtbot, screenshots, language, monkeypatch)
    before = walk.tables()
    _assets(walk)
    _section(walk)
    _profile(walk)
    _isolate(walk)
    _round(walk, tmp_path / "photo.png")
    _order(walk, tmp_path / "order.pdf")
    _readings_of_a_file(walk, tmp_path / f"{FILED}.csv")
    _heard_live(walk, sample, tmp_path)
    _hand_over(walk, tmp_path / "handover.pdf")
    _leak(walk)
    _pit(walk)
    _labels(walk, tmp_path / "labels.pdf")
    _undo(walk, before)


def _assets(walk: ShiftWalk) -> None:
    """The role opens with what there is; a chainage is gone to with its section."""
    page = walk.panel.pages[ASSETS]
    walk.until(lambda: page.tree.topLevelItemCount() > 0)
    walk.picture("assets")
    walk.find("GL01 K1+250")
    walk.until(lambda: walk.space.section_page is not None and walk.space.section_page.shown is not None)
    section = walk.space.section_page.shown.section
    assert (section.tunnel, section.m) == ("GL01", pytest.approx(1250.0))
    assert (walk.state.asset.table, walk.state.asset.code) == ("tunnel", "GL01")
    west, south, east, north = walk.canvas.extent()
    x, y, _ = walk.space.catalogue.axes["GL01"].at(1250.0)
    assert west < x < east
    assert south < y < north
    walk.picture("found")


def _section(walk: ShiftWalk) -> None:
    """A pipe chosen in the section is the asset; dragged into another compartment it breaks a rule, and goes back."""
    page = walk.space.section_page
    walk.settle()

    def placed(kind: str) -> Placement:
        return next(one for one in page.shown.section.placements if one.kind == kind)

    gas = placed("gas")
    spot = page.canvas.frame.at(gas.x, gas.y)
    QTest.mouseClick(page.canvas, LEFT, PLAIN, spot.toPoint())
    assert (walk.state.asset.table, walk.state.asset.code) == ("net_line", gas.line)
    assets = walk.panel.pages[ASSETS]
    walk.until(lambda: assets.card.isVisible() and "trace" in assets.card.buttons)
    walk.picture("pipe")
    used = {one.support for one in page.shown.section.placements}
    free = next(
        one for one in page.shown.section.supports if one.compartment != gas.compartment and one.code not in used
    )
    target = page.canvas.frame.at(free.x, free.y + gas.outer_d / 2)
    before = walk.rows("line_placement")
    assert not any(one.verdict is Verdict.FAIL for one in page.shown.findings)
    walk.drop_on(page.canvas, spot, target)
    walk.until(lambda: placed("gas").support == free.code)
    broken = {one.clause for one in page.shown.findings if one.verdict is Verdict.FAIL}
    assert "4.3.4" in broken  # gas has a compartment of its own
    assert walk.rows("line_placement") != before
    walk.picture("moved")
    walk.press(walk.window.top.undo)
    walk.until(lambda: placed("gas").support == gas.support)
    walk.until(lambda: not any(one.verdict is Verdict.FAIL for one in page.shown.findings))
    assert walk.rows("line_placement") == before
    walk.picture("moved-back")


def _profile(walk: ShiftWalk) -> None:
    """The profile of the tunnel, its cursor on the map and the map's in it; a click opens the section there."""
    page = walk.page(ASSETS)
    item = page.tree.topLevelItem(0)
    QTest.mouseClick(page.tree.viewport(), LEFT, PLAIN, page.tree.visualItemRect(item).center())
    walk.until(lambda: "profile" in page.card.buttons and page.card.buttons["profile"].isVisible())
    walk.press(page.card.buttons["profile"])
    walk.until(lambda: walk.space.profile_page is not None and walk.space.profile_page.shown is not None)
    profile = walk.space.profile_page
    assert profile.tunnel == "GL01"
    walk.settle()
    canvas = profile.canvas
    place = QPointF(canvas.view.x(2000.0), canvas.view.picture.center().y()).toPoint()

    def followed() -> bool:
        QTest.mouseMove(canvas, place)
        return walk.space.link.place == ("GL01", pytest.approx(2000.0, abs=2 / canvas.view.across))

    walk.until(followed)  # the section of the tunnel may still be on its way
    walk.picture("profile")
    x, y, _ = walk.space.catalogue.axes["GL01"].at(1600.0)
    walk.zoom(x, y, 300)
    QTest.mouseMove(walk.canvas, walk.pixel(x + 2, y + 2))
    walk.until(lambda: canvas.mark == pytest.approx(1600.0, abs=4))
    walk.picture("profile-from-map")
    QTest.mouseMove(canvas, place)
    QTest.mouseClick(canvas, LEFT, PLAIN, place)
    section = walk.space.section_page
    walk.until(lambda: section.isVisible() and abs(section.shown.section.m - 2000.0) < 10)


def _isolate(walk: ShiftWalk) -> None:
    """What hangs on a pipe picked on the map upstream; which valves cut it off; one is seized; the work order."""
    page = walk.page(ANALYSIS)
    walk.press(page.buttons["trace"])
    trace, isolate = page.trace, page.isolate
    walk.choose(trace.direction, trace.direction.findData("up"))
    walk.press(trace.place.button)
    walk.until(lambda: page.desk.ground is not None)
    ground = page.desk.ground
    shape = ground.line_xy[ground.graph.line_numbers([PIPE])[0]]
    x, y = shape[len(shape) // 2]
    walk.zoom(x, y, 25)
    walk.click_map(x, y)
    walk.until(lambda: trace.found is not None)
    QTest.keyClick(walk.canvas, Qt.Key.Key_Escape)
    assert trace.place.place == f"line:{PIPE}"
    assert len(trace.found.lines) > 3
    walk.picture("upstream")
    walk.press(trace.cut)
    walk.until(lambda: isolate.answer is not None)
    first = isolate.answer.isolation
    assert first.alternatives
    walk.until(lambda: isolate.others.isVisible() and bool(isolate.others.keys()))
    walk.picture("valves")
    seized = first.close[0]
    (knob,) = walk.knobs(walk.card(isolate.valves, seized))
    walk.press(knob)
    walk.until(lambda: isolate.answer.isolation is not first)
    second = isolate.answer.isolation
    assert seized not in second.close
    assert set(second.close) == set(next(one for one in first.alternatives if one.valve == seized).close)
    walk.picture("seized")
    walk.press(walk.knob(isolate, tr("Write into the assets")))
    walk.until(lambda: not isolate.seized)
    walk.until(lambda: seized in isolate.answer.isolation.seized)
    walk.press(isolate.order)
    dialog = walk.dialog(NewOrderDialog)
    walk.picture("valve-order", dialog)
    walk.type(dialog.who, walk.words["next"])
    walk.press(dialog.ok)
    walk.gone(dialog)
    rounds = walk.page(ROUNDS)
    walk.until(lambda: rounds.book is not None and any(one.kind == "isolation" for one in rounds.book.orders))
    (order,) = (one for one in rounds.book.orders if one.kind == "isolation")
    steps = "\n".join(one.text for one in order.steps)
    assert all(valve in steps for valve in second.close)
    assert (order.tunnel, order.responsible, order.status) == ("GL01", walk.words["next"], OrderStatus.OPEN)
    walk.picture("order-there")


def _round(walk: ShiftWalk, photo: Path) -> None:
    """A round is recorded; what was seen at a place clicked on the map is a known defect, graded worse."""
    page = walk.page(ROUNDS)
    walk.press_tab(page.tabs, 0)
    walk.until(lambda: page.book is not None)
    plan = next(one.plan for one in page.book.standings if one.plan.tunnel == "GL01")
    known = next(one for one in page.book.defects if one.number == "QX-0001")
    before = [one for one in page.book.examinations if one.defect_id == known.id]
    walk.click(walk.card(page.cards, plan.number))
    walk.until(page.foot.isVisible)
    walk.picture("round-due")
    walk.press(page.primary)
    dialog = walk.dialog(RoundDialog)
    assert dialog.plan.currentData() == plan.id
    walk.type(dialog.who, walk.words["user"])
    walk.picture("round", dialog)
    walk.press(dialog.ok)
    seen = walk.dialog(ObserveDialog)
    x, y, _ = walk.space.catalogue.axes["GL01"].at(known.m + 1.5)
    walk.zoom(x, y, 60)
    walk.press(seen.place.pick)
    walk.click_map(x, y)
    walk.until(lambda: seen.place.m.text() != "")
    assert seen.place.metres() == pytest.approx(known.m + 1.5, abs=0.3)
    walk.choose(seen.place.compartment, seen.place.compartment.findData(known.compartment))
    walk.choose(seen.code, seen.code.findData(known.code))
    walk.choose(seen.grade, seen.grade.findData(4))
    walk.type(seen.text, walk.words["seen"])
    picture = QImage(640, 480, QImage.Format.Format_RGB32)
    picture.fill(QColor("#7A6A58"))
    picture.save(str(photo))
    walk.file(photo)
    walk.press(seen.photo.choose)
    walk.until(lambda: seen.photo.path == photo)
    walk.until(lambda: any(known.number in one.text() and one.isChecked() for one, _ in seen._choices))
    walk.picture("observation", seen)
    walk.press(seen.ok)
    walk.gone(seen)
    walk.until(lambda: next(one for one in page.book.defects if one.id == known.id).grade == 4)
    history = [one for one in page.book.examinations if one.defect_id == known.id]
    assert len(history) == len(before) + 1
    assert walk.project.read_attachment(history[-1].photo) == photo.read_bytes()
    walk.picture("defect")
    walk.press(walk.knob(page.foot, tr("History…")))
    dialog = walk.dialog(HistoryDialog)
    assert [one.grade for one in dialog.chart.its] == [one.grade for one in before] + [4]
    assert walk.says(dialog, walk.words["seen"])
    walk.picture("history", dialog)
    dialog.reject()
    walk.gone(dialog)


def _order(walk: ShiftWalk, paper: Path) -> None:
    """A work order of the defect: nobody goes in on a failing gas test; then done, accepted, printed."""
    page = walk.panel.pages[ROUNDS]
    walk.press(walk.knob(page.foot, tr("Work order…")))
    dialog = walk.dialog(NewOrderDialog)
    walk.type(dialog.who, walk.words["user"])
    walk.press(dialog.ok)
    walk.gone(dialog)
    walk.until(lambda: page.desk.chosen[0] == "order" and page.desk.record() is not None)
    walk.press(walk.knob(page.foot, tr("Open…")))
    order = walk.dialog(OrderPage)

    def step(key: str, kind: type, fill: Callable[[Any], None], done: Callable[[], bool]) -> None:
        walk.until(lambda: key in order.knobs and order.knobs[key].isVisible())
        walk.press(order.knobs[key])
        form = walk.dialog(kind)
        fill(form)
        walk.press(form.ok)
        walk.until(done)

    def permit(form: PermitDialog) -> None:
        walk.type(form.names, walk.words["user"])
        walk.type(form.attendant, walk.words["next"])
        walk.picture("permit", form)

    def gas(oxygen: str, form: GasDialog) -> None:
        for name, text in (("o2", oxygen), ("ch4", "0"), ("h2s", "0"), ("co", "1")):
            walk.type(form.readings[name], text)

    step("permitted", PermitDialog, permit, lambda: order.order.status is OrderStatus.PERMITTED)
    step("gas", GasDialog, lambda form: gas("17.5", form), lambda: len(order.order.gas_tests) == 1)
    walk.until(lambda: any(one.verdict is Verdict.FAIL for one in order.findings))
    walk.picture("gas-fails", order)
    walk.press(order.knobs["in_progress"])
    form = walk.dialog(StepDialog)
    walk.press(form.ok)
    walk.until(form.notice.isVisible)
    walk.picture("no-entry", form)
    assert order.order.status is OrderStatus.PERMITTED
    form.reject()
    walk.gone(form)
    step("gas", GasDialog, lambda form: gas("20.9", form), lambda: len(order.order.gas_tests) == 2)
    step("in_progress", StepDialog, lambda _: None, lambda: order.order.status is OrderStatus.IN_PROGRESS)
    walk.picture("at-work", order)
    step(
        "done", ResultDialog, lambda form: walk.type(form.outcome, walk.words["done"]),
        lambda: order.order.status is OrderStatus.DONE,
    )  # fmt: skip
    step("closed", StepDialog, lambda _: None, lambda: order.order.status is OrderStatus.CLOSED)
    walk.file(paper)
    walk.press(order.knobs["print"])
    walk.until(lambda: paper.exists() and order.notice.isVisible())
    text = "".join(pdf_text(paper).split())
    for wanted in (order.order.number, walk.words["done"], walk.words["next"], "17.5", "20.9"):
        assert wanted.replace(" ", "") in text
    walk.picture("closed", order)
    order.reject()
    walk.gone(order)


def _readings_of_a_file(walk: ShiftWalk, file: Path) -> None:
    """Readings come in as a file: the gap stays a gap, the alarm stands on list, map, section and chart."""
    page = walk.page(MONITOR)
    live = page.live
    walk.until(lambda: live.loaded)
    walk.settle()
    standing = len(live.overview.standing)
    begin = datetime.fromtimestamp(live.overview.last / 1000, UTC).astimezone(live.here)
    readings = {5: 1.2, 70: 1.1, 75: 6.0, 80: 12.0, 85: 18.0, 90: 24.0, 95: 27.0, 100: 28.0}  # minutes after the last
    lines = [f"{begin + timedelta(minutes=at):%Y-%m-%d %H:%M:%S},{value}" for at, value in readings.items()]
    file.write_text("\n".join(["time,value", *lines]), "utf-8")
    walk.file(file)
    walk.press(page.importer)
    dialog = walk.dialog(ImportDialog)
    walk.until(lambda: dialog.read is not None and dialog.ok.isEnabled())
    assert dialog.sensor.currentText() == FILED
    walk.picture("import-readings", dialog)
    walk.press(dialog.ok)
    walk.until(lambda: any(one.alarm.code == FILED for one in live.overview.standing))
    walk.settle()
    assert len(live.overview.standing) > standing
    alarm = next(one for one in live.overview.standing if one.alarm.code == FILED)
    assert any(one.code == FILED and one.level == "alarm" for one in walk.state.marks)
    walk.click(walk.card_that_says(page.cards, FILED))
    walk.until(page.foot.isVisible)
    section = walk.space.section_page
    walk.until(lambda: section.isVisible() and section.shown.section.m == pytest.approx(2453.7, abs=1))
    assert page.tables.alarms.selected_rows() != []
    state = live.overview.sensors[alarm.alarm.sensor]
    walk.until(
        lambda: walk.is_red(
            state.x - 6 * walk.canvas.viewport.resolution, state.y - 5 * walk.canvas.viewport.resolution
        )
    )
    walk.picture("alarm")
    walk.type(page.foot.name, walk.words["user"])
    walk.type(page.foot.remark, walk.words["told"])
    walk.press(page.foot.ok)
    walk.until(lambda: bool(live.chosen() is not None and live.chosen().ack_by))
    assert (live.chosen().ack_by, live.chosen().ack_remark) == (walk.words["user"], walk.words["told"])
    walk.press(page.foot.links["chart"])
    chart = next(one for one in walk.window.dock.findChildren(QWidget) if type(one).__name__ == "ChartPage")
    walk.press(chart.periods["day"])
    walk.until(lambda: bool(chart.view.curves) and chart.view.curves[0].sensor.code == FILED)

    def pauses() -> list[float]:
        curve = chart.view.curves[0]
        return [(curve.ts[later] - curve.ts[end - 1]) / 3_600_000 for (_, end), (later, _) in pairwise(curve.pieces)]

    walk.until(lambda: any(pause == pytest.approx(65 / 60) for pause in pauses()))  # the curve is broken there
    walk.picture("chart")
    walk.press(page.replayer)
    dialog = walk.dialog(ReplayDialog)
    walk.picture("replay-which", dialog)
    walk.press(dialog.ok)
    walk.until(lambda: live.past is not None)
    walk.press(page.replay_bar.next)
    assert live.when > live.past.start
    assert all(one.past for one in walk.state.marks)
    walk.picture("replay")
    walk.press(walk.knob(page.replay_bar, tr("End replay")))
    assert live.past is None


def _heard_live(walk: ShiftWalk, project: Path, folder: Path) -> None:
    """A collector of its own hears a broker: the alarm is told at once, whichever page is open."""
    page, live = walk.panel.pages[MONITOR], walk.panel.pages[MONITOR].live
    broker = Broker(folder / "broker")
    watcher = Watcher(project, broker, folder / "watch.log")
    publisher = None
    try:
        walk.page(ASSETS)
        watcher.ready()
        publisher = Publisher(broker.port)
        now = round(time.time() * 1000)
        for at, value in enumerate((1.0, 1.1, 22.0, 27.0, 29.0)):
            reading = {"sensor": LIVE, "ts": now - (4 - at) * 30_000, "value": value}
            publisher.send([("tunnel/a", json.dumps(reading))])
        publisher.confirmed()
        messages = walk.window.map_area.messages
        walk.until(lambda: LIVE in messages.text())
        walk.picture("alarm-told")
        walk.page(MONITOR)
        walk.until(lambda: page._pulse.text() == tr("collecting"))
        walk.until(lambda: any(one.alarm.code == LIVE for one in live.overview.standing))
        assert any(one.code == LIVE for one in walk.state.marks)
        walk.picture("collecting")
    finally:
        if publisher is not None:
            publisher.stop()
        if watcher.process.poll() is None:
            watcher.end()
        broker.stop()


def _hand_over(walk: ShiftWalk, paper: Path) -> None:
    """A note, the hand-over with what stands, and its paper."""
    page = walk.panel.pages[MONITOR]
    walk.press(page.shifter)
    dialog = walk.dialog(ShiftDialog)
    walk.type(dialog.text, walk.words["told"])
    QTest.keyClick(dialog.text, Qt.Key.Key_Return)
    walk.until(lambda: len(dialog.entries.keys()) == 1)
    walk.type(dialog.giver, walk.words["user"])
    walk.type(dialog.taker, walk.words["next"])
    walk.picture("hand-over", dialog)
    walk.press(dialog.hand)
    walk.until(lambda: dialog.past.count() == 1)
    walk.file(paper)
    walk.press(dialog.printer)
    walk.until(lambda: paper.exists() and dialog.notice.isVisible())
    text = "".join(pdf_text(paper).split())
    for wanted in (walk.words["user"], walk.words["next"], walk.words["told"], FILED):
        assert wanted.replace(" ", "") in text
    walk.picture("handed-over", dialog)
    dialog.reject()
    walk.gone(dialog)


def _leak(walk: ShiftWalk) -> None:
    """A leak in a gas compartment picked on the map, followed by the clock to the end."""
    analysis = walk.page(ANALYSIS)
    walk.press(analysis.buttons["emergency"])
    page, ground = analysis.emergency, analysis.desk.ground
    walk.settle()
    walk.until(lambda: analysis.desk.ground is not None or not page.place.button.isChecked())
    x, y, _ = walk.space.catalogue.axes["GL01"].at(700.0)
    walk.zoom(x, y, 60)
    walk.press(page.place.button)
    walk.until(lambda: analysis.desk.ground is not None)
    ground = analysis.desk.ground
    gas = next(at for at, one in enumerate(ground.graph.spaces.items)
               if one.tunnel == "GL01" and "燃气" in one.kind and one.from_m <= 700 <= one.to_m)  # fmt: skip
    middle = ground.room_xy[gas][0]
    x, y = middle[len(middle) // 2]
    walk.zoom(x, y, 20)
    walk.click_map(x, y)
    walk.until(lambda: page.scene is not None)
    QTest.keyClick(walk.canvas, Qt.Key.Key_Escape)
    scene = page.scene
    assert ground.graph.spaces.items[gas].id in {one.id for one in scene.zones if one.state == "source"}
    assert scene.exits
    assert scene.curve
    walk.picture("leak")
    walk.press(page.player)
    walk.until(lambda: page.t > scene.duration / 40)
    walk.press(page.player)
    page.set_time(scene.duration / 2)
    walk.picture("leak-later")


def _pit(walk: ShiftWalk) -> None:
    """Clearances; then a pit drawn beside the tunnel is judged by itself and told at once, and goes with undo."""
    analysis = walk.panel.pages[ANALYSIS]
    page = analysis.clearance
    walk.press(analysis.buttons["clearance"])
    walk.press(page.run)
    walk.until(lambda: page.report is not None)
    assert len(page.report.pairs) > 100
    assert len(walk.cells(page.table.view)) == len(page.shown)
    walk.picture("clearances")
    axis = walk.space.catalogue.axes["GL01"]
    x, y, _ = axis.at(3300.0)
    right, along = axis.right(3300.0), axis.along(3300.0) if hasattr(axis, "along") else None
    walk.zoom(x, y, 60)
    width = 5.5  # the tunnel's outer wall lies about this far from its axis
    along = (-right[1], right[0])
    corners = [(width + 1.0, -10.0), (width + 1.0, 10.0), (width + 14.0, 10.0), (width + 14.0, -10.0)]
    places = [(x + a * right[0] + b * along[0], y + a * right[1] + b * along[1]) for a, b in corners]
    walk.press(page.drawer)
    for place in places:
        walk.click_map(*place)
    QTest.keyClick(walk.canvas, Qt.Key.Key_Return)
    walk.until(lambda: bool(page.watcher.found))
    ((found,),) = page.watcher.found.values()
    assert found.tunnel.code == "GL01"
    assert 0.0 <= found.distance <= 3.0
    assert found.points
    assert found.approvals
    name = f"{tr('Planned work')} 1"
    walk.until(lambda: name in walk.window.map_area.messages.text())
    walk.until(lambda: bool(page.zones.keys()))
    walk.picture("pit")
    walk.click(walk.card(page.zones, name))
    walk.picture("pit-points")
    walk.press(walk.window.top.undo)
    walk.until(lambda: not page.zones.keys())
    walk.picture("pit-undone")


def _labels(walk: ShiftWalk, sheet: Path) -> None:
    """QR labels of all valves, on paper."""
    page = walk.page(ASSETS)
    (item,) = (page.tree.topLevelItem(at) for at in range(page.tree.topLevelItemCount())
               if page.tree.topLevelItem(at).data(0, Qt.ItemDataRole.UserRole).table == "valve")  # fmt: skip
    page.tree.scrollToItem(item)
    QTest.mouseClick(page.tree.viewport(), LEFT, PLAIN, page.tree.visualItemRect(item).center())
    walk.until(lambda: bool(page.table.model.rows) and page.table.model.rows[0].table == "valve")
    codes = [one.code for one in page.table.model.rows]
    walk.picture("valves-listed")
    walk.file(sheet)
    walk.press(page.labeller)
    walk.until(sheet.exists)
    walk.settle()
    text = pdf_text(sheet)
    assert all(code in text for code in codes)
    assert pdf_pictures(sheet) >= 0


def _undo(walk: ShiftWalk, before: dict[str, dict[int, tuple[Any, ...]]]) -> None:
    """Step by step back to how the shift began; what was read and who was told of it stays in no table of before."""
    assert walk.tables() != before
    steps = 0
    while walk.window.top.undo.isEnabled():
        walk.press(walk.window.top.undo)
        steps += 1
        assert steps < 60
    assert steps >= 14
    walk.settle()
    after = walk.tables()
    assert {name: after[name] for name in before} == before
    walk.picture("undone")
