"""Monitoring as a window sees it: how it stands now, or stood at the moment of a replay.

One :class:`Live` per window (:func:`live_of`): page, tables, chart, the map's badges and the replay bar listen to it.
New readings are noticed by a cheap look every few seconds, new alarms as any other change of the file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from planner_app.domain.errors import Cancelled
from planner_app.i18n import tr
from plugins.tunnel.model.monitoring import words
from plugins.tunnel.model.monitoring.alarm_table import KeptAlarm
from plugins.tunnel.model.monitoring.csv_readings import zone
from plugins.tunnel.model.monitoring.heartbeat import read_heartbeat
from plugins.tunnel.model.monitoring.sensors import SENSOR
from plugins.tunnel.model.monitoring.standing import Monitor, Overview, SensorState
from plugins.tunnel.model.tables import find
from plugins.tunnel.ui.state import Asset, Mark, TunnelState

if TYPE_CHECKING:
    from planner_app.domain.rule import Rule
    from planner_app.plugin_api.model import Progress, Project
    from plugins.tunnel.model.monitoring.past import Past

_POLL_MS = 5_000
#: A look takes at most this share of the time.
_SHARE = 20
_ALARMS = "tunnel_alarm"
#: Metres of the map around a sensor that is zoomed to; a view of at most this width stays.
_ROOM, _CLOSE = 150.0, 1_200.0


class Live(QObject):
    """The state of monitoring.

    Signals:
        changed(): something else is to be shown (``overview``, ``past``, ``when``).
        chosen_changed(): another sensor or alarm is the one spoken of (``sensor``, ``alarm``).
        failed(Exception): reading failed; shown in the page.
    """

    changed = Signal()
    chosen_changed = Signal()
    failed = Signal(object)

    def __init__(self, state: TunnelState) -> None:
        super().__init__(state)
        self.state, self.context = state, state.context
        self.overview, self.loaded = Overview(), False
        self.past: Past | None = None
        self.when = 0
        self.sensor = 0
        self.alarm: tuple[int, str, int] | None = None
        self.chart_in_front: Callable[[], bool] = lambda: False
        self._monitor: Monitor | None = None
        self._seen: object = None
        self._quiet = False
        self._poll = QTimer(self)
        self._poll.setInterval(_POLL_MS)
        self._poll.timeout.connect(self._look_for_news)
        state.project_changed.connect(self._project_changed)
        state.records_changed.connect(self._records_changed)
        self.context.selection.changed.connect(self._selection_changed)
        self._project_changed()

    # what is shown

    @property
    def here(self) -> tzinfo:
        """The zone that times are shown in."""
        return zone(str(self.context.setting("tunnel.zone")))

    @property
    def now(self) -> int:
        """The moment shown, Unix ms."""
        return self.when if self.past is not None else self.overview.now

    @property
    def rules(self) -> Mapping[str, Rule]:
        """Rules by id."""
        return self.past.rules if self.past is not None else self.overview.rules

    def sensors(self) -> Mapping[int, SensorState]:
        """Sensors as they are, or were."""
        return self.past.states(self.when) if self.past is not None else self.overview.sensors

    def standing(self) -> list[KeptAlarm]:
        """Alarms that stand, or stood."""
        return self.past.standing(self.when) if self.past is not None else self.overview.standing

    def every(self) -> Sequence[KeptAlarm]:
        """All alarms there are to show: of the replay's moment, or all that were ever raised."""
        return self.standing() if self.past is not None else self.overview.alarms

    def chosen(self) -> KeptAlarm | None:
        """The alarm spoken of, as it is now."""
        known = [*self.every(), *self.overview.due]
        return next((one for one in known if one.alarm.key == self.alarm), None)

    # choosing

    def choose(self, sensor: int, alarm: tuple[int, str, int] | None = None, *, zoom: bool = False) -> None:
        """Make a sensor (and one of its alarms) the one spoken of: everywhere."""
        state = self.overview.sensors.get(sensor)
        if (sensor, alarm) != (self.sensor, self.alarm):
            self.sensor, self.alarm = sensor, alarm
            self.chosen_changed.emit()
        project = self.context.project
        layer = find(project, SENSOR) if project is not None else None
        if state is None or layer is None or not state.fid:
            return
        self._quiet = True
        self.context.selection.set(layer.id, [state.fid])
        self._quiet = False
        self.state.select(Asset("sensor", state.fid, state.sensor.code))
        if zoom and state.x is not None and state.y is not None:
            west, south, east, north = self.context.map.extent()
            near = east - west <= _CLOSE and west < state.x < east and south < state.y < north
            if not near:  # the map jumps only if the place is not to be seen well
                self.context.map.zoom_to_extent(
                    (state.x - _ROOM, state.y - _ROOM, state.x + _ROOM, state.y + _ROOM), margin=0.0
                )
        if state.sensor.m is not None and state.sensor.tunnel:
            self.state.point(state.sensor.tunnel, state.sensor.m)

    def selected(self) -> bool:
        """Whether the window's selection is the sensor spoken of, not something that was chosen since."""
        state, project = self.overview.sensors.get(self.sensor), self.context.project
        layer = find(project, SENSOR) if project is not None and state is not None else None
        return state is not None and layer is not None and state.fid in self.context.selection.fids(layer.id)

    def _selection_changed(self) -> None:
        project = self.context.project
        layer = find(project, SENSOR) if project is not None and not self._quiet else None
        fids = self.context.selection.fids(layer.id) if layer is not None else ()
        if len(fids) != 1:
            return
        found = next((number for number, one in self.overview.sensors.items() if one.fid == fids[0]), 0)
        if found and found != self.sensor:
            alarm = next((one.alarm.key for one in self.standing() if one.alarm.sensor == found), None)
            self.choose(found, alarm)

    # following the file

    def reload(self, *, anew: bool = False) -> None:
        """Look again; ``anew``: older readings came in, so all of it is judged again."""
        project = self.context.project
        if project is None or self._monitor is None:
            return
        monitor = self._monitor
        if anew:
            monitor.forget()

        def done(seen: Overview) -> None:
            if self._monitor is monitor:
                first, self.loaded, self.overview = not self.loaded, True, seen
                if first:
                    self._poll.start()
                if self.past is None:
                    self.show()

        if not self.loaded or anew:
            self.context.run_job(tr("Judging readings"), lambda progress: monitor.look(progress), done, self._said)
            return
        begun = time.monotonic()

        def quick(seen: Overview) -> None:
            self._poll.setInterval(max(_POLL_MS, int((time.monotonic() - begun) * 1000 * _SHARE)))
            done(seen)

        self.context.in_background("monitor", monitor.look, quick, self._said)

    def _said(self, error: Exception) -> None:
        if not isinstance(error, Cancelled):
            self.failed.emit(error)

    def show(self) -> None:
        """Tell everybody that something else is to be shown."""
        self.state.set_marks(
            Mark(
                one.alarm.sensor, one.alarm.code, state.sensor.tunnel, state.sensor.compartment, state.sensor.m,
                one.alarm.level, self.headline(one), self.past is not None,
            )
            for one in self.standing()
            if (state := self.overview.sensors.get(one.alarm.sensor)) is not None
        )  # fmt: skip
        self.changed.emit()

    def headline(self, one: KeptAlarm) -> str:
        """An alarm in one line."""
        value = words.number(one.alarm.value, one.alarm.unit)
        limit = words.limit_text(self.rules.get(one.alarm.rule), one.alarm)
        text = f"{words.level_word(one.alarm.level)} · {words.rule_title(self.rules, one.alarm.rule)}"
        return f"{text} · {value} {limit}".strip() if one.alarm.value is not None else f"{text} · {limit}"

    def _project_changed(self) -> None:
        self._poll.stop()
        self.overview, self.loaded, self.past, self._seen = Overview(), False, None, None
        self.sensor, self.alarm = 0, None
        project = self.context.project
        self._monitor = None
        if project is not None:
            self._monitor = Monitor(project, self.context.rules("tunnel."), str(self.context.setting("tunnel.city")))
            self.reload()
        self.show()

    def _records_changed(self, touched: frozenset[str]) -> None:
        if not self.loaded:
            return
        project = self.context.project
        layer = find(project, SENSOR) if project is not None else None
        if _ALARMS in touched or (layer is not None and layer.id in touched):
            self.reload()

    def _look_for_news(self) -> None:
        project = self.context.project
        if project is None:
            return

        def done(seen: object) -> None:
            before, self._seen = self._seen, seen
            if before is not None and before != seen:
                self.reload()

        self.context.in_background("news", lambda: _fingerprint(project), done, self._said)

    # replay

    def replay(self, start: int, end: int, failed: Any = None) -> None:
        """Show a past period from its begin; ``failed`` is told if that cannot be."""
        project = self.context.project
        if project is None:
            return
        rules, city = self.context.rules("tunnel."), str(self.context.setting("tunnel.city"))

        def work(progress: Progress) -> Past:
            from plugins.tunnel.model.monitoring.past import past

            return past(project, rules, start, end, city=city, progress=progress)

        def done(found: Past) -> None:
            if self.context.project is project:
                self.past, self.when = found, found.start
                self.show()

        self.context.run_job(tr("Reading the period"), work, done, failed or self._said)

    def go_to(self, when: int) -> None:
        """Set the replay's clock."""
        if self.past is not None:
            self.when = min(max(when, self.past.start), self.past.end)
            self.show()

    def end_replay(self) -> None:
        """Back to how it stands now."""
        if self.past is not None:
            self.past = None
            self.show()


def _fingerprint(project: Project) -> object:
    """What changes when readings or a sign of life come in."""
    latest = project.readings.latest()
    return len(latest.ts), int(latest.ts.sum()), read_heartbeat(project)


def live_of(state: TunnelState) -> Live:
    """The window's monitoring; made when first asked for."""
    return state.findChild(Live) or Live(state)
