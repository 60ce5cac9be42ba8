"""The chart in the bottom dock: which sensors, which period, export; it follows new readings and the replay's clock."""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import FlowLayout, button, combo, label, restyle
from plugins.tunnel.model.monitoring.curves import Curve, curve, write_curves
from plugins.tunnel.ui.monitor.chart import ChartView
from plugins.tunnel.ui.monitor.chart_axes import curve_colour
from plugins.tunnel.ui.monitor.live import Live
from plugins.tunnel.ui.monitor.moment import MomentEdit

DAY = 86_400_000
PERIODS = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY}
#: Curves side by side; beyond that nobody tells them apart.
MOST_CURVES = 5


class ChartPage(QWidget):
    """One per window; ``show_sensor`` is what others call as ``chart``."""

    def __init__(self, live: Live) -> None:
        super().__init__()
        self._live, self._context = live, live.context
        live.chart_in_front = lambda: self.page.visible()
        self.sensors: list[int] = []
        self._length = PERIODS["week"]
        self._end: int | None = None  # None: the newest reading, also as new ones come
        self.milliseconds = 0.0
        self.view = ChartView(self._context)
        self.view.empty = tr("Choose a sensor in the table or on the map.")
        self.view.period_changed.connect(self._dragged)
        self._chips = QWidget()
        self._flow = FlowLayout(self._chips, spacing=8)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 10, 4)
        column.setSpacing(4)
        column.addLayout(self._toolbar())
        column.addWidget(self._chips)
        column.addWidget(self.view, 1)
        self.page = self._context.add_dock_page("chart", tr("Chart"), self)
        self.page.set_actions([("png", tr("Picture…"), self.export_picture), ("csv", "CSV…", self.export_csv)])
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(120)
        self._later.timeout.connect(self.load)
        live.changed.connect(self._live_changed)
        live.chosen_changed.connect(self._chosen)
        live.state.project_changed.connect(self._forget)
        self._show_chips()

    def _toolbar(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(4)
        self.periods: dict[str, QPushButton] = {}
        titles = (("day", tr("Day")), ("week", tr("Week")), ("month", tr("Month")), ("custom", tr("Custom")))
        for key, title in titles:
            self.periods[key] = button(title, partial(self.choose_period, key), "quiet")
            line.addWidget(self.periods[key])
        restyle(self.periods["week"], "chosen")
        for icon, tip, step in (("arrow-left", tr("Earlier"), -1), ("arrow-right", tr("Later"), 1)):
            knob = button("", partial(self.step, step))
            knob.setIcon(self._context.icon(icon))
            knob.setToolTip(tip)
            knob.setFixedWidth(30)
            line.addWidget(knob)
        self.newest = button(tr("Newest"), self.to_newest, "link")
        line.addWidget(self.newest)
        zone_name = str(self._context.setting("tunnel.zone"))
        self.begin, self.end = MomentEdit(zone_name), MomentEdit(zone_name)
        self._custom = QWidget()
        inner = QHBoxLayout(self._custom)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        for part in (self.begin, label("–"), self.end):
            inner.addWidget(part)
        self._custom.hide()
        for field in (self.begin, self.end):
            field.editingFinished.connect(self._typed)
        line.addWidget(self._custom)
        line.addStretch(1)
        self.compare = combo(self._compare)
        self.compare.setMinimumWidth(90)
        self.compare.setMaximumWidth(260)
        line.addWidget(self.compare)
        return line

    # what is shown

    def show_sensor(self, number: int) -> None:
        """Show one sensor's chart and bring it to the front."""
        self.sensors = [number]
        self._around_alarm()
        self._show_chips()
        self.page.show(share=0.42)
        self.load()

    def _around_alarm(self) -> None:
        """The chosen alarm is in view: a past one in the middle."""
        one, now = self._live.chosen(), self._live.overview.now
        if one is None or self._live.past is not None or one.alarm.sensor not in self.sensors:
            return
        begin, end = self.period()
        if not begin <= one.alarm.raised <= end:
            self._end = min(one.alarm.raised + self._length // 2, now)

    def add(self, number: int) -> None:
        """Compare with one more sensor."""
        if number not in self.sensors and len(self.sensors) < MOST_CURVES:
            self.sensors.append(number)
            self._show_chips()
            self.load()

    def remove(self, number: int) -> None:
        """Leave a sensor out."""
        self.sensors = [one for one in self.sensors if one != number]
        self._show_chips()
        self.load()

    def period(self) -> tuple[int, int]:
        """Begin and end shown, Unix ms."""
        past, live = self._live.past, self._live
        if self._end is not None:
            end = self._end
        elif past is not None:
            return past.start, past.end
        else:
            end = live.overview.now or round(time.time() * 1000)
            newest = [
                one.ts for number in self.sensors
                if (one := live.overview.sensors.get(number)) is not None and one.ts is not None
            ]  # fmt: skip
            if newest and max(newest) < end - self._length:  # silent for longer: what it said last
                end = max(newest)
        return end - self._length, end

    def choose_period(self, key: str) -> None:
        """``day`` | ``week`` | ``month`` | ``custom``."""
        begin, end = self.period()
        for name, knob in self.periods.items():
            restyle(knob, "chosen" if name == key else "quiet")
        self._custom.setVisible(key == "custom")
        if key == "custom":
            self.begin.set_ms(begin)
            self.end.set_ms(end)
            return
        self._length = PERIODS[key]
        if self._live.past is not None:
            self._end = min(max(self._live.when + self._length // 2, self._live.past.start), self._live.past.end)
        self.load()

    def step(self, step: int) -> None:
        """Half a period earlier or later."""
        begin, end = self.period()
        self._end, self._length = end + step * (end - begin) // 2, end - begin
        self.load()

    def to_newest(self) -> None:
        """The newest reading at the right edge, also as new ones come."""
        self._end = None
        self.load()

    def _typed(self) -> None:
        begin, end = self.begin.ms(), self.end.ms()
        if begin < end and (begin, end) != self.period():
            self._end, self._length = end, end - begin
            self.load()

    def _dragged(self, begin: int, end: int) -> None:
        self._end, self._length = end, end - begin
        self._later.start()

    def load(self) -> None:
        """Read what is to be shown, off the window's thread."""
        project = self._context.project
        begin, end = self.period()
        live = self._live
        states = [live.overview.sensors[one] for one in self.sensors if one in live.overview.sensors]
        if project is None or not states:
            self.view.show_curves([], begin, end, live.here)
            return
        rules = [rule for rule in live.rules.values() if rule.city in ("", self._context.setting("tunnel.city"))]
        alarms = live.past.alarms if live.past is not None else live.overview.alarms
        started = time.perf_counter()
        margin = (end - begin) // 50

        def work() -> list[Curve]:
            return [curve(project, one.sensor, begin - margin, end + margin, rules, alarms) for one in states]

        def done(found: list[Curve]) -> None:
            if self._context.project is project:
                self.view.show_curves(found, begin, end, self._live.here)
                self.milliseconds = (time.perf_counter() - started) * 1000
                self._fill_compare()

        self._context.in_background("chart", work, done, lambda error: self._live.failed.emit(error))

    def _live_changed(self) -> None:
        past = self._live.past
        self.view.set_clock(self._live.when if past is not None else None)
        self.newest.setText(tr("Whole period") if past is not None else tr("Newest"))
        title = tr("Chart")
        self.page.set_title(f"{title} · {tr('replay')}" if past is not None else title)
        if not self._flow.count():
            self._show_chips()
        begin, end = self.period()
        if (begin, end) != (self.view.start, self.view.end) or (past is None and self._end is None):
            self.load()

    def _chosen(self) -> None:
        """A chart that is open shows the sensor spoken of, unless several are compared."""
        number = self._live.sensor
        if number and len(self.sensors) == 1 and number not in self.sensors:
            self.sensors = [number]
            self._show_chips()
        if number in self.sensors:
            self._around_alarm()
            self.load()

    def _forget(self) -> None:
        self.sensors, self._end = [], None
        self._show_chips()
        self.view.show_curves([], 0, 1, self._live.here)

    # chips and comparison

    def _show_chips(self) -> None:
        self._flow.clear()
        for place, number in enumerate(self.sensors):
            state = self._live.overview.sensors.get(number)
            if state is None:
                continue
            chip = QFrame()
            line = QHBoxLayout(chip)
            line.setContentsMargins(0, 0, 0, 0)
            line.setSpacing(5)
            square = QLabel()
            square.setFixedSize(10, 10)
            square.setStyleSheet(f"background: {curve_colour(self._context, place).name()}; border-radius: 2px;")
            line.addWidget(square)
            line.addWidget(label(state.sensor.code, "small"))
            if len(self.sensors) > 1:
                cross = button("✕", partial(self.remove, number), "link")
                cross.setToolTip(tr("Leave out"))
                line.addWidget(cross)
            self._flow.addWidget(chip)
            chip.show()
        self._chips.setVisible(bool(self.sensors))
        self._chips.updateGeometry()
        self._fill_compare()

    def _fill_compare(self) -> None:
        """What may be compared: sensors of the same quantity first."""
        first = self._live.overview.sensors.get(self.sensors[0]) if self.sensors else None
        others = [one for number, one in self._live.overview.sensors.items() if number not in self.sensors]
        kind = first.sensor.kind if first is not None else ""
        others.sort(key=lambda one: (one.sensor.kind != kind, one.sensor.tunnel, one.sensor.m or 0.0))
        wanted = [(one.sensor.code, one.sensor.number) for one in others]
        if [self.compare.itemData(at) for at in range(1, self.compare.count())] != [number for _, number in wanted]:
            self.compare.clear()
            self.compare.addItem(tr("Add a curve…"), 0)
            for code, number in wanted:
                self.compare.addItem(code, number)
        self.compare.setCurrentIndex(0)
        self.compare.setEnabled(bool(self.sensors) and len(self.sensors) < MOST_CURVES)

    def _compare(self) -> None:
        if number := int(self.compare.currentData() or 0):
            self.add(number)

    # export

    def _name(self, suffix: str) -> str:
        codes = "_".join(one.sensor.code for one in self.view.curves[:3]) or "chart"
        day = datetime.fromtimestamp(self.period()[1] / 1000, self._live.here).strftime("%Y%m%d")
        return f"{codes}_{day}{suffix}"

    def export_picture(self) -> None:
        """Write the chart as a PNG, twice as fine as on the screen."""
        if not self.view.curves:
            return
        path = self._context.ask_save(tr("Chart as picture"), self._name(".png"), "PNG (*.png)")
        if path is not None:
            title = " · ".join(one.sensor.code for one in self.view.curves)
            self._told(self.view.picture(title).save(str(path), "PNG"), path.name)

    def export_csv(self) -> None:
        """Write the readings shown as CSV."""
        curves, here = list(self.view.curves), self._live.here
        if not curves:
            return
        path = self._context.ask_save(tr("Readings as CSV"), self._name(".csv"), "CSV (*.csv)")
        if path is not None:
            self._context.run_job(
                tr("Readings as CSV"), lambda _: write_curves(path, curves, here),
                lambda rows: self._told(True, path.name),
            )  # fmt: skip

    def _told(self, written: bool, name: str) -> None:
        if written:
            self._context.notify(tr("“{name}” is written.", name=name), level="success")
        else:
            self._context.notify(tr("“{name}” could not be written.", name=name), level="error")
