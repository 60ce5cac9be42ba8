"""Replay of a past period: from when to when, and the bar above the map that runs its clock."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Form, TaskDialog, button, combo, label, pill
from plugins.tunnel.model.monitoring import words
from plugins.tunnel.ui.monitor.live import Live
from plugins.tunnel.ui.monitor.moment import MomentEdit

_HOUR = 3_600_000
_TICK_MS = 200
#: Minutes of the past per second.
_SPEEDS = (1, 5, 15, 60, 360)
_STEPS = 2_000


class ReplayDialog(TaskDialog):
    """Which period; the one around the chosen alarm to begin with, else the last day there are readings of."""

    def __init__(self, live: Live, parent: QWidget | None) -> None:
        super().__init__(live.context, tr("Replay a past period"), tr("Replay"), parent)
        self._live = live
        zone_name = str(live.context.setting("tunnel.zone"))
        self.begin, self.end = MomentEdit(zone_name), MomentEdit(zone_name)
        self.preset = combo(self._preset)
        self._periods: list[tuple[int, int]] = []
        last = live.overview.last or live.overview.now
        chosen = live.chosen()
        if chosen is not None:
            over = chosen.alarm.cleared or last
            self._offer(tr("Around the chosen alarm"), chosen.alarm.raised - 6 * _HOUR, over + 2 * _HOUR)
        self._offer(tr("Last 24 hours"), last - 24 * _HOUR, last)
        self._offer(tr("Last 7 days"), last - 7 * 24 * _HOUR, last)
        self._offer(tr("Last 30 days"), last - 30 * 24 * _HOUR, last)
        form = Form()
        form.add(tr("Span"), self.preset)
        form.add(tr("From"), self.begin)
        form.add(tr("To"), self.end)
        self.body.addWidget(form)
        self.setMinimumWidth(360)
        self._preset()

    def _offer(self, title: str, begin: int, end: int) -> None:
        self.preset.addItem(title)
        self._periods.append((begin, min(end, self._live.overview.now)))

    def _preset(self) -> None:
        begin, end = self._periods[self.preset.currentIndex()]
        self.begin.set_ms(begin)
        self.end.set_ms(end)

    def apply(self) -> None:
        self.notice.clear()
        self._live.replay(self.begin.ms(), self.end.ms(), self.say)
        self._live.changed.connect(self._begun)

    def _begun(self) -> None:
        if self._live.past is not None:
            self.accept()


class ReplayBar(QFrame):
    """Floats over the map while a period is replayed: clock, slider, play, speed, end."""

    def __init__(self, live: Live) -> None:
        super().__init__()
        self._live = live
        self._context = live.context
        self._clock = label("", "heading")
        self._count = label("", "small")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.slider.setMinimumWidth(140)
        self.slider.setAccessibleName(tr("Time of the replay"))
        self.slider.valueChanged.connect(self._slid)
        self.play = button("", self.toggle)
        self.play.setFixedWidth(34)
        self.speed = combo()
        for minutes in _SPEEDS:
            text = tr("{n} min/s", n=minutes) if minutes < 60 else tr("{n} h/s", n=minutes // 60)
            self.speed.addItem(text, minutes)
        self.speed.setCurrentIndex(2)
        self.speed.setMinimumWidth(92)
        self.next = button(tr("Next alarm"), self.go_to_next)
        close = button(tr("End replay"), live.end_replay)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(pill("needs_certificate", tr("Replay")))
        head.addWidget(self._clock)
        head.addWidget(self._count)
        head.addStretch(1)
        head.addWidget(close)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.play)
        line.addWidget(self.slider, 1)
        line.addWidget(self.speed)
        line.addWidget(self.next)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 10, 8)
        column.setSpacing(6)
        column.addLayout(head)
        column.addLayout(line)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._floating = live.context.add_floating(self)
        live.changed.connect(self._show)
        self._show_button()

    @property
    def playing(self) -> bool:
        """True while the clock runs."""
        return self._timer.isActive()

    def toggle(self) -> None:
        """Play or pause; at the end it begins again."""
        past = self._live.past
        if past is None:
            return
        if self.playing:
            self._timer.stop()
        else:
            if self._live.when >= past.end:
                self._live.go_to(past.start)
            self._timer.start()
        self._show_button()

    def go_to_next(self) -> None:
        """The next moment at which an alarm was raised; its sensor becomes the one spoken of."""
        past = self._live.past
        if past is None:
            return
        later = next((one.alarm for one in past.alarms if one.alarm.raised > self._live.when), None)
        if later is not None:
            self._live.go_to(later.raised)
            self._live.choose(later.sensor, later.key, zoom=True)

    def _tick(self) -> None:
        past = self._live.past
        if past is None or self._live.when >= past.end:
            self._timer.stop()
            self._show_button()
            return
        self._live.go_to(self._live.when + round(int(self.speed.currentData()) * 60_000 * _TICK_MS / 1000))

    def _slid(self, step: int) -> None:
        past = self._live.past
        if past is not None:
            self._live.go_to(past.start + round((past.end - past.start) * step / _STEPS))

    def _show(self) -> None:
        live, past = self._live, self._live.past
        if past is None:
            self._timer.stop()
            self._floating.hide()
            self._show_button()
            return
        self._clock.setText(words.clock(live.when, live.here))
        self._count.setText(tr("{count} alarms stand", count=len(live.standing())))
        self.slider.blockSignals(True)
        self.slider.setValue(round((live.when - past.start) / (past.end - past.start) * _STEPS))
        self.slider.blockSignals(False)
        self.next.setEnabled(any(one.alarm.raised > live.when for one in past.alarms))
        if not self._floating.visible():
            self._floating.show()
        self._show_button()

    def _show_button(self) -> None:
        self.play.setIcon(self._context.icon("pause" if self.playing else "play"))
        self.play.setToolTip(tr("Pause") if self.playing else tr("Play"))
