"""The chart: gaps stay gaps, no peak is lost, limits with their clause, comparison, export, and its time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter

from planner_app.project import Project
from plugins.tunnel.model.monitoring.curves import Curve, curve
from plugins.tunnel.model.monitoring.standing import Monitor, sensor_states
from plugins.tunnel.ui.monitor.chart import ChartView
from plugins.tunnel.ui.monitor.chart_axes import thinned, time_ticks, value_ticks
from tests.plugins.tunnel.monitoring.plants import HOUR, MINUTE, START, add_sensors, alarm_rules, feed

HERE = ZoneInfo("Asia/Shanghai")
WEEK = 7 * 24 * HOUR
COLOURS = {"accent": "#0000ff", "panel": "#ffffff", "line": "#eeeeee", "fail": "#ff0000"}


class Context:
    """Colours and nothing else."""

    class theme_changed:
        @staticmethod
        def connect(_: object) -> None: ...

    def colour(self, token: str) -> str:
        return COLOURS.get(token, "#777777")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "c.sqlite", "EPSG:4549") as made:
        add_sensors(made, (1, "CH4-1", "ch4", 100.0, ""), (2, "T-1", "temp", 300.0, ""))
        yield made


@pytest.fixture
def view(qtbot: Any) -> ChartView:
    made = ChartView(Context())  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.resize(800, 240)
    return made


def painted(view: ChartView) -> QImage:
    image = QImage(view.size(), QImage.Format.Format_RGB32)
    painter = QPainter(image)
    view.draw(painter)
    painter.end()
    return image


def blue(image: QImage, x: float) -> bool:
    """True if the curve's colour stands anywhere in a pixel column."""
    return any(
        QColor(image.pixel(int(x), y)).blue() > 200 and QColor(image.pixel(int(x), y)).red() < 120
        for y in range(image.height())
    )


def of(project: Project, number: int, start: int = START, end: int = START + WEEK) -> Curve:
    return curve(project, sensor_states(project)[number].sensor, start, end, alarm_rules())


def test_a_gap_is_drawn_as_a_gap(project: Project, view: ChartView) -> None:
    feed(project, 1, [3.0] * 96)
    feed(project, 1, [3.0] * 96, START + 36 * HOUR)
    view.show_curves([of(project, 1, end=START + 60 * HOUR)], START, START + 60 * HOUR, HERE)
    image = painted(view)
    assert blue(image, view.x_of(START + 12 * HOUR))
    assert blue(image, view.x_of(START + 48 * HOUR))
    assert not any(blue(image, view.x_of(START + hour * HOUR)) for hour in range(25, 36))
    assert view.read_at(view.x_of(START + 30 * HOUR))[1][0] == "CH4-1  no reading"
    assert view.read_at(view.x_of(START + 12 * HOUR))[1][0].startswith("CH4-1  3 %LEL")


def test_what_comes_after_the_clock_of_a_replay_is_not_drawn(project: Project, view: ChartView) -> None:
    feed(project, 1, [3.0] * 96)
    view.show_curves([of(project, 1, end=START + 24 * HOUR)], START, START + 24 * HOUR, HERE)
    view.set_clock(START + 12 * HOUR)
    image = painted(view)
    assert blue(image, view.x_of(START + 6 * HOUR))
    assert not blue(image, view.x_of(START + 18 * HOUR))
    assert view.read_at(view.x_of(START + 18 * HOUR)) == []


def test_no_peak_is_lost_where_readings_are_denser_than_pixels() -> None:
    x = np.linspace(0, 500, 60_480)
    y = np.sin(x)
    y[31_234] = 99.0
    y[777] = -99.0
    thin_x, thin_y = thinned(x, y)
    assert len(thin_x) <= 2 * 501
    assert thin_y.max() == 99.0
    assert thin_y.min() == -99.0
    few_x, _ = thinned(x[:100], y[:100] * 0)
    assert len(few_x) <= 100


def test_limits_alarms_and_units_share_the_chart(project: Project, view: ChartView) -> None:
    feed(project, 1, [1.0] * 90 + [22.0] * 6)
    feed(project, 2, [23.0 + n % 5 for n in range(96)])
    seen = Monitor(project, alarm_rules()).look()
    rules = list(seen.rules.values())
    curves = [curve(project, seen.sensors[n].sensor, START, START + 24 * HOUR, rules, seen.alarms) for n in (1, 2)]
    view.show_curves(curves, START, START + 24 * HOUR, HERE)
    bands = view.bands()
    assert [one.unit for one in bands] == ["%LEL", "℃"]
    assert bands[0].low < 20.0 < bands[0].high  # the limit is in view
    assert bands[0].bottom < bands[1].top
    image = painted(view)
    near = range(round(bands[0].y(20.0)) - 1, round(bands[0].y(20.0)) + 2)
    red = [x for x in range(60, 550) if any(QColor(image.pixel(x, y)).green() < 60 for y in near)]
    assert len(red) > 100  # dashed, in the alarm's colour
    view._hover = QPointF(view.x_of(START + 23 * HOUR + 5 * MINUTE), 50)
    lines = [text for text, _ in view.read_at(view._hover.x())]
    assert any("GB 50838-2015 7.5.8" in text for text in lines)
    assert painted(view) != image


def test_ticks_are_round_in_the_zone_of_the_desk() -> None:
    day = time_ticks(START, START + 24 * HOUR, HERE, 9)
    assert [label for _, label, _ in day] == [
        "10-01",
        "03:00",
        "06:00",
        "09:00",
        "12:00",
        "15:00",
        "18:00",
        "21:00",
        "10-02",
    ]
    assert [strong for _, _, strong in day].count(True) == 2
    assert [label for _, label, _ in time_ticks(START, START + WEEK, HERE, 8)][:3] == ["10-01", "10-02", "10-03"]
    assert 3 <= len(time_ticks(START, START + 30 * 24 * HOUR, HERE, 8)) <= 8
    assert 2 <= len(time_ticks(START, START + 400 * 24 * HOUR, HERE, 8)) <= 8
    assert value_ticks(0.0, 10.0, 5) == [(0.0, "0"), (2.0, "2"), (4.0, "4"), (6.0, "6"), (8.0, "8"), (10.0, "10")]
    assert [label for _, label in value_ticks(20.41, 20.66, 5)] == ["20.45", "20.50", "20.55", "20.60", "20.65"]


@pytest.mark.parametrize("every_s", [900, 60, 10])
def test_a_week_of_a_sensor_is_shown_in_fifty_milliseconds(project: Project, view: ChartView, every_s: int) -> None:
    ts = np.arange(START, START + WEEK, every_s * 1000)
    project.readings.add(1, ts, 3 + np.sin(np.arange(len(ts)) / 50))
    view.resize(1600, 400)
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        view.show_curves([of(project, 1)], START, START + WEEK, HERE)
        painted(view)
        times.append(time.perf_counter() - begun)
    print(f"a week, one reading every {every_s} s: {min(times[1:]) * 1000:.1f} ms")
    assert min(times[1:]) < 0.05


def test_the_page_chooses_compares_and_exports(
    sample: Path, open_window: Callable[[Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from plugins.tunnel.ui.monitor.chart_page import ChartPage

    made = open_window(sample)
    page = made.page("monitor")
    made.until(lambda: page.live.loaded)
    leak = next(one for one in page.live.overview.alarms if one.alarm.rule == "alarm.ch4_cutoff")
    page.live.choose(leak.alarm.sensor, leak.alarm.key)
    made.state.run("chart", leak.alarm.sensor)
    (chart,) = made.window.dock.findChildren(ChartPage)
    made.until(lambda: bool(chart.view.curves))
    assert chart.view.start <= leak.alarm.raised <= chart.view.end
    assert {one.alarm.rule for one in chart.view.curves[0].spans} >= {"alarm.ch4_cutoff"}
    first = chart.compare.itemData(1)
    assert page.live.overview.sensors[first].sensor.kind == "ch4"
    chart.add(first)
    made.until(lambda: len(chart.view.curves) == 2)
    chart.choose_period("day")
    made.until(lambda: chart.view.end - chart.view.start == 24 * HOUR)
    before = chart.view.start
    chart.step(-1)
    made.until(lambda: chart.view.start == before - 12 * HOUR)
    chart.choose_period("custom")
    chart.begin.set_ms(chart.view.end - 2 * HOUR)
    chart._typed()
    made.until(lambda: chart.view.end - chart.view.start == 2 * HOUR)
    for suffix, export in ((".png", chart.export_picture), (".csv", chart.export_csv)):
        file = tmp_path / f"out{suffix}"
        monkeypatch.setattr(made.context, "ask_save", lambda *_, file=file: file, raising=False)
        export()
        made.until(file.exists)
    image = QImage(str(tmp_path / "out.png"))
    assert image.width() == chart.view.width() * 2
    made.until(lambda: (tmp_path / "out.csv").read_text("utf-8-sig").count("\n") > 16)
    chart.remove(first)
    made.until(lambda: len(chart.view.curves) == 1)
