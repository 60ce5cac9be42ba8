"""The dock's tables of alarms and of sensors, linked with page and map both ways."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Column, RowTable
from plugins.tunnel.model.monitoring import words
from plugins.tunnel.model.monitoring.alarm_table import KeptAlarm
from plugins.tunnel.model.monitoring.standing import LEVELS, SensorState
from plugins.tunnel.ui.monitor.live import Live


def _grade(level: str) -> float:
    return float(LEVELS.index(level)) if level in LEVELS else float(len(LEVELS))


class MonitorTables(QObject):
    """Alarms and sensors in the dock.

    Args:
        import_readings: what the button of an empty table does.
    """

    def __init__(self, live: Live, import_readings: Callable[[], None]) -> None:
        super().__init__(live)
        self._live, context = live, live.context
        self._alarms = RowTable(self._alarm_columns(), self)
        self._sensors = RowTable(self._sensor_columns(), self)
        self.alarms = context.add_table("alarms", tr("Alarms"))
        self.sensors = context.add_table("sensors", tr("Sensors"))
        self.alarms.set_model(self._alarms)
        self.sensors.set_model(self._sensors)
        self.alarms.set_empty(tr("No alarm was raised. They come from readings that the rules judge."))
        self.sensors.set_empty(
            tr("No sensors yet. They come with imported readings or from a running collector."),
            tr("Import readings…"), import_readings,
        )  # fmt: skip
        for table in (self.alarms, self.sensors):
            chart: list[tuple[str, str, Callable[[], None]]] = [("chart", tr("Chart"), self._chart)]
            table.set_actions(chart)
            table.row_activated.connect(lambda _: self._chart())
        self.alarms.current_changed.connect(self._alarm_chosen)
        self.sensors.current_changed.connect(self._sensor_chosen)
        live.changed.connect(self._show)
        live.chosen_changed.connect(self._select)
        self._show()

    def _where(self, number: int) -> SensorState | None:
        return self._live.overview.sensors.get(number)

    def _alarm_columns(self) -> list[Column[KeptAlarm]]:
        live = self._live

        def place(one: KeptAlarm) -> str:
            state = self._where(one.alarm.sensor)
            return f"{state.sensor.tunnel} {words.chainage(state.sensor.m)}".strip() if state is not None else ""

        def status(one: KeptAlarm) -> str:
            return tr("standing") if one.alarm.cleared is None else tr("over")

        return [
            Column(
                tr("Level"), lambda one: words.level_word(one.alarm.level), lambda one: _grade(one.alarm.level),
                pill=lambda one: words.TOKENS.get(one.alarm.level, "cannot_judge"),
            ),
            Column(tr("Alarm"), lambda one: words.rule_title(live.rules, one.alarm.rule), width=220),
            Column(tr("Sensor"), lambda one: one.alarm.code, width=200),
            Column(
                tr("Value"), lambda one: words.number(one.alarm.value, one.alarm.unit),
                lambda one: one.alarm.value if one.alarm.value is not None else float("-inf"), right=True,
            ),
            Column(tr("Limit"), lambda one: words.limit_text(live.rules.get(one.alarm.rule), one.alarm), width=150),
            Column(tr("Raised"), lambda one: words.clock(one.alarm.raised, live.here), lambda one: one.alarm.raised),
            Column(
                tr("Lasts"), lambda one: words.duration((one.alarm.cleared or live.now) - one.alarm.raised),
                lambda one: float((one.alarm.cleared or live.now) - one.alarm.raised), right=True,
            ),
            Column(
                tr("State"), status, lambda one: float(one.alarm.cleared is None),
                pill=lambda one: "fail" if one.alarm.cleared is None else "pass",
            ),
            Column(tr("Acknowledged"), lambda one: one.ack_by or "–", width=110),
            Column(tr("Place"), place, width=150),
            Column(tr("Clause"), lambda one: words.clause(one.alarm), width=180),
        ]  # fmt: skip

    def _sensor_columns(self) -> list[Column[SensorState]]:
        live = self._live

        def state_word(one: SensorState) -> str:
            if one.level:
                return words.level_word(one.level)
            return tr("silent") if one.silent else tr("normal")

        return [
            Column(tr("Sensor"), lambda one: one.sensor.code, width=220),
            Column(tr("Quantity"), lambda one: words.kind_word(one.sensor.kind)),
            Column(
                tr("Value"), lambda one: words.number(one.value, one.sensor.unit),
                lambda one: one.value if one.value is not None else float("-inf"), right=True,
            ),
            Column(
                tr("State"), state_word, lambda one: _grade(one.level) if one.level else 3.0 + (not one.silent),
                pill=lambda one: words.TOKENS[one.level] if one.level else "cannot_judge" if one.silent else "pass",
            ),
            Column(tr("Read at"), lambda one: words.clock(one.ts, live.here), lambda one: float(one.ts or 0)),
            Column(tr("Tunnel"), lambda one: one.sensor.tunnel),
            Column(tr("Compartment"), lambda one: one.sensor.compartment),
            Column(
                tr("Chainage"), lambda one: words.chainage(one.sensor.m),
                lambda one: one.sensor.m if one.sensor.m is not None else -1.0, right=True,
            ),
            Column(
                tr("Calibration due"), lambda one: one.sensor.due.isoformat() if one.sensor.due else "–",
                lambda one: float(one.sensor.due.toordinal()) if one.sensor.due else float("inf"),
            ),
        ]  # fmt: skip

    def _show(self) -> None:
        live = self._live
        alarms = list(live.every())
        self._alarms.show(alarms, keep=True)
        self._sensors.show(list(live.sensors().values()), keep=True)
        title = tr("Alarms {count}", count=f"{len(alarms):,}") if live.loaded else tr("Alarms")
        self.alarms.set_title(f"{title} · {tr('replay')}" if live.past is not None else title)
        self.sensors.set_title(tr("Sensors {count}", count=f"{len(live.overview.sensors):,}"))
        self._select()

    def _select(self) -> None:
        live = self._live
        self.alarms.select_rows([at for at, one in enumerate(self._alarms.rows) if one.alarm.key == live.alarm][:1])
        self.sensors.select_rows([at for at, one in enumerate(self._sensors.rows) if one.sensor.number == live.sensor])

    def _alarm_chosen(self, rows: list[int]) -> None:
        if len(rows) == 1:
            alarm = self._alarms.rows[rows[0]].alarm
            self._live.choose(alarm.sensor, alarm.key, zoom=True)

    def _sensor_chosen(self, rows: list[int]) -> None:
        if len(rows) == 1:
            self._live.choose(self._sensors.rows[rows[0]].sensor.number, zoom=True)

    def _chart(self) -> None:
        if self._live.sensor:
            self._live.state.run("chart", self._live.sensor)
