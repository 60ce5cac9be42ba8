"""Monitoring: what stands, who took note, what is silent or due; import, replay, shift log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import (
    CardList,
    CardText,
    Form,
    KeyFigures,
    Notice,
    TaskPage,
    button,
    combo,
    label,
    pill,
    restyle,
)
from plugins.tunnel.model.monitoring import words
from plugins.tunnel.model.monitoring.alarm_table import AcknowledgeAlarm, KeptAlarm
from plugins.tunnel.model.monitoring.heartbeat import now_ms
from plugins.tunnel.model.monitoring.intake import TakenIn
from plugins.tunnel.ui.monitor.ack_bar import AckBar
from plugins.tunnel.ui.monitor.badges import badges_of
from plugins.tunnel.ui.monitor.import_dialog import PATTERNS, ImportDialog
from plugins.tunnel.ui.monitor.live import Live, live_of
from plugins.tunnel.ui.monitor.replay import ReplayBar, ReplayDialog
from plugins.tunnel.ui.monitor.rows import MonitorTables
from plugins.tunnel.ui.monitor.shift_dialog import ShiftDialog
from plugins.tunnel.ui.state import state_of

_OPEN, _STANDING, _UNACKED, _ALL, _DUE = "open", "standing", "unacked", "all", "due"
_MOST_CARDS = 60


class MonitorPage(TaskPage):
    """The page. Everything it shows comes from the window's :class:`Live`."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._context = context
        self.state = state_of(context)
        self._desk_name = context.user
        self._shown_cards: list[CardText] = []
        self.live: Live = live_of(self.state)
        self.tables = MonitorTables(self.live, self.import_readings)
        self.badges = badges_of(self.live)
        self.replay_bar = ReplayBar(self.live)
        self._build()
        live = self.live
        live.changed.connect(self._show)
        live.chosen_changed.connect(self._show_chosen)
        live.failed.connect(lambda error: self.notice.say(*context.word(error), level="error"))
        context.theme_changed.connect(self._show)
        self.state.commands["replay"] = self.replay
        self.state.commands["shift"] = self.shift
        self._show()

    def _build(self) -> None:
        self._pulse = pill("cannot_judge", "")
        self._said = label("", "small", wrap=True)
        line = QWidget()
        head = QHBoxLayout(line)
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(8)
        head.addWidget(self._pulse)
        head.addWidget(self._said, 1)
        self.sound, self.eye = self._switch(self._mute), self._switch(self._hide_badges)
        head.addWidget(self.eye)
        head.addWidget(self.sound)
        self.filter, self.tunnel = combo(self._show), combo(self._show)
        for key, title in (
            (_OPEN, tr("To be dealt with")), (_STANDING, tr("Standing")), (_UNACKED, tr("Not acknowledged")),
            (_ALL, tr("All")), (_DUE, tr("Calibration due")),
        ):  # fmt: skip
            self.filter.addItem(title, key)
        form = Form()
        form.add(tr("Show"), self.filter)
        form.add(tr("Tunnel"), self.tunnel)
        self.importer = button(tr("Import readings…"), self.import_readings)
        self.replayer, self.shifter = button(tr("Replay…"), self.replay), button(tr("Shift log…"), self.shift)
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for knob in (self.importer, self.replayer, self.shifter):
            row.addWidget(knob)
        row.addStretch(1)
        self.notice = Notice()
        self.past_notice = Notice()
        self.levels, self.figures = KeyFigures(3), KeyFigures(3)
        self._none = label("", "secondary", wrap=True)
        self.cards = CardList()
        self.cards.chosen.connect(self._card_chosen)
        self._more = button("", self.tables.alarms.show, "link")
        self.add(
            line,
            form,
            buttons,
            self.past_notice,
            self.notice,
            self.levels,
            self.figures,
            self._none,
            self.cards,
            self._more,
        )
        self.foot = AckBar(self.name())
        self.foot.acknowledged.connect(self.acknowledge)
        self.foot.asked.connect(self._asked)
        self.set_foot(self.foot)

    def _switch(self, pressed: Callable[[], None]) -> QToolButton:
        knob = QToolButton()
        knob.setAutoRaise(True)
        knob.clicked.connect(lambda *_: pressed())
        return knob

    # what is shown

    def shown(self) -> list[KeptAlarm]:
        """Alarms that filter and tunnel let through; in a replay those that stood."""
        live, wanted, tunnel = self.live, self.filter.currentData(), self.tunnel.currentData()
        every: Sequence[KeptAlarm] = live.every()
        if live.past is None:
            if wanted == _DUE:
                every = live.overview.due
            elif wanted != _ALL:
                every = [
                    one
                    for one in every
                    if (wanted in (_OPEN, _STANDING) and one.alarm.cleared is None)
                    or (wanted in (_OPEN, _UNACKED) and not one.ack_by)
                ]
        sensors = live.overview.sensors
        return [
            one
            for one in every
            if not tunnel or ((s := sensors.get(one.alarm.sensor)) is not None and s.sensor.tunnel == tunnel)
        ]

    def _show(self) -> None:
        live, overview = self.live, self.live.overview
        self._fill_tunnels()
        self._show_pulse()
        standing = live.standing()
        counts = {level: sum(one.alarm.level == level for one in standing) for level in words.TOKENS}
        tokens = [token if counts[level] else "" for level, token in words.TOKENS.items()]
        self.levels.set([(f"{counts[level]:,}", words.level_word(level)) for level in words.TOKENS], tokens)
        silent = sum(one.silent for one in live.sensors().values())
        self.figures.set(
            [
                (f"{len(overview.sensors):,}", tr("sensors")), (f"{silent:,}", tr("silent")),
                (f"{len(overview.due):,}", tr("calibration due")),
            ]
        )  # fmt: skip
        past = live.past is not None
        self.filter.setEnabled(not past)
        self.replayer.setEnabled(bool(overview.last) and not past)
        if past:
            self.past_notice.say(
                tr("Replay: this is how it stood at {time}.", time=words.clock(live.when, live.here)),
                tr("It is not what is now. End the replay above the map."), "warning",
            )  # fmt: skip
        else:
            self.past_notice.clear()
        shown = self.shown()
        self._none.setText("" if shown else self._nothing())
        self._none.setVisible(not shown)
        cards = [self._card(one) for one in shown[:_MOST_CARDS]]
        if cards != self._shown_cards:  # a card that is being read stays
            self._shown_cards = cards
            self.cards.set(cards)
        self._more.setText(tr("{count} more in the table below", count=f"{len(shown) - _MOST_CARDS:,}"))
        self._more.setVisible(len(shown) > _MOST_CARDS)
        self._show_chosen()

    def _nothing(self) -> str:
        """Why there are no cards."""
        live, project = self.live, self._context.project
        if project is None:
            return ""
        if not live.loaded:
            return tr("Judging readings…")
        if not live.overview.sensors:
            return tr("No sensors yet: import readings of a file, or let a collector run (planner tunnel watch).")
        if live.past is None and self.filter.currentData() in (_OPEN, _STANDING) and live.overview.alarms:
            count = len(live.overview.alarms)
            return tr("Nothing stands now. {count} alarms are over; choose All to see them.", count=f"{count:,}")
        return tr("No alarm here.")

    def _fill_tunnels(self) -> None:
        names = sorted({one.sensor.tunnel for one in self.live.overview.sensors.values()} - {""})
        if [self.tunnel.itemData(at) for at in range(1, self.tunnel.count())] == names and self.tunnel.count():
            return
        chosen = self.tunnel.currentData()
        self.tunnel.clear()
        self.tunnel.addItem(tr("All tunnels"), "")
        for name in names:
            self.tunnel.addItem(name, name)
        self.tunnel.setCurrentIndex(max(self.tunnel.findData(chosen), 0))

    def _show_pulse(self) -> None:
        """Whether somebody collects, and how old the data are."""
        live, seen = self.live, self.live.overview
        beat, present = seen.collector, now_ms()
        if beat is not None and beat.alive(present) and beat.connected:
            token, text = "pass", tr("collecting")
        elif beat is not None and beat.alive(present):
            token, text = "fail", tr("broker lost")
        elif beat is not None and not beat.ended:
            token, text = "fail", tr("collector lost")
        else:
            token, text = "cannot_judge", tr("no collector")
        self._pulse.setText(text)
        restyle(self._pulse, f"pill-{token}")
        if seen.last is None:
            said = tr("No readings yet.") if live.loaded else ""
        else:
            when = words.clock(seen.last, live.here)
            said = tr("Last reading {time}", time=when)
            if seen.stale:
                said = tr("Data of {time}, {age} old", time=when, age=words.duration(present - seen.last))
        if beat is not None and not beat.ended and not beat.alive(present):
            said += " · " + tr("{host} last heard {time}", host=beat.host, time=words.clock(beat.at, live.here))
        elif beat is not None and beat.alive(present):
            said += f" · {beat.broker}"
        self._said.setText(said)
        sound, badges = (
            bool(self._context.setting("tunnel.alarm_sound")),
            bool(self._context.setting("tunnel.alarm_badges")),
        )
        self.sound.setIcon(self._context.icon("volume-2" if sound else "volume-x"))
        self.sound.setToolTip(tr("Sound at a new alarm: on") if sound else tr("Sound at a new alarm: off"))
        self.eye.setIcon(self._context.icon("eye" if badges else "map"))
        self.eye.setToolTip(tr("Alarms stand on the map; click to hide") if badges else tr("Show alarms on the map"))

    def _card(self, one: KeptAlarm) -> CardText:
        live, alarm = self.live, one.alarm
        state = live.overview.sensors.get(alarm.sensor)
        place = f"{state.sensor.tunnel} {words.chainage(state.sensor.m)}".strip() if state is not None else ""
        rule = live.rules.get(alarm.rule)
        value = words.number(alarm.value, alarm.unit) if alarm.value is not None else ""
        limit = words.limit_text(rule, alarm)
        lasts = words.duration((alarm.cleared or live.now) - alarm.raised)
        since = words.clock(alarm.raised, live.here)
        if rule is not None and rule.kind == "tunnel.calibration":
            when = tr("due since {date}", date=since[:10])
        elif alarm.cleared is None:
            when = tr("since {time} ({lasts})", time=since, lasts=lasts)
        else:
            when = tr("{time}, over after {lasts}", time=since, lasts=lasts)
        noted = tr("acknowledged by {name}", name=one.ack_by) if one.ack_by else tr("not acknowledged")
        lines = [
            " · ".join(part for part in (alarm.code, place) if part),
            " · ".join(part for part in (limit, words.clause(alarm)) if part),
            f"{when} · {noted}",
        ]
        token = words.TOKENS.get(alarm.level, "cannot_judge")
        return CardText(
            _key(alarm.key), words.rule_title(live.rules, alarm.rule), value, "\n".join(lines),
            (token, words.level_word(alarm.level)),
        )  # fmt: skip

    def _show_chosen(self) -> None:
        live = self.live
        one = live.chosen()
        self.cards.select(_key(one.alarm.key) if one is not None else "")
        if one is None:
            self.foot.show_for(None, "", "", past=False, orders=False)
            return
        noted = ""
        if one.ack_by:
            when = words.clock(_ms(one.ack_at), live.here)
            noted = tr("Acknowledged by {name}, {time}", name=one.ack_by, time=when)
            noted += f": {one.ack_remark}" if one.ack_remark else ""
        elif one.ack_remark:
            noted = one.ack_remark
        title = f"{one.alarm.code} · {words.rule_title(live.rules, one.alarm.rule)}"
        orders = "work_order" in self.state.commands
        self.foot.show_for(one, title, noted, past=live.past is not None, orders=orders)

    def _card_chosen(self, key: str) -> None:
        one = next((one for one in self.shown() if _key(one.alarm.key) == key), None)
        if one is not None:
            self.live.choose(one.alarm.sensor, one.alarm.key, zoom=True)
            state = self.live.overview.sensors.get(one.alarm.sensor)
            if state is not None and state.sensor.m is not None and not self.live.chart_in_front():
                self.state.run("section", state.sensor.tunnel, state.sensor.m)

    # what is done

    def name(self, used: str = "") -> str:
        """The name last used at this desk; with ``used`` it is kept."""
        if used:
            self._desk_name = used
            self.foot.name.setText(used)
        return self._desk_name

    def acknowledge(self, name: str, remark: str) -> None:
        """Take note of the chosen alarm."""
        one = self.live.chosen()
        if one is None or one.ack_by:
            return
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self.notice.clear()
        project = self._context.project
        if project is None:
            return
        try:
            project.execute(AcknowledgeAlarm(one.alarm, name, at, remark), self)
        except Exception as error:
            self.notice.say(*self._context.word(error), level="error")
            return
        self.name(name)
        self.foot.remark.clear()

    def _asked(self, what: str) -> None:
        one = self.live.chosen()
        if one is None:
            return
        state = self.live.overview.sensors.get(one.alarm.sensor)
        if what == "chart":
            self.state.run("chart", one.alarm.sensor)
        elif what == "note":
            self.shift(one)
        elif what == "work_order":
            source = f"alarm:{one.alarm.code}/{one.alarm.rule}"
            title = f"{one.alarm.code} {words.rule_title(self.live.rules, one.alarm.rule)}"
            sensor = state.sensor if state is not None else None
            place = {"tunnel": sensor.tunnel, "m": sensor.m, "compartment": sensor.compartment} if sensor else {}
            self.state.run("work_order", title, subject=one.alarm.code, source=source, **place)
        elif state is not None and state.sensor.m is not None:
            self.state.run("section", state.sensor.tunnel, state.sensor.m)

    def import_readings(self) -> None:
        """Choose a CSV file and take in its readings."""
        path = self._context.ask_open(tr("Import readings"), PATTERNS) if self._context.project is not None else None
        if path is not None:
            ImportDialog(self.live, path, self._taken_in, self.window()).show()

    def _taken_in(self, found: TakenIn) -> None:
        late = tr("{count} readings are older than what was pruned and were left out.", count=found.late)
        said = tr(
            "{sensor}: {stored} readings stored, {known} were known, {alarms} alarms raised.",
            sensor=found.sensor.code, stored=f"{found.stored:,}", known=f"{found.known:,}", alarms=found.alarms,
        )  # fmt: skip
        self.notice.say(said, late if found.late else "", "success")
        self.live.reload(anew=True)

    def replay(self) -> None:
        """Choose a period and show it again."""
        if self.live.overview.last is None:
            self.notice.say(tr("There are no readings to replay yet."))
        else:
            ReplayDialog(self.live, self.window()).show()

    def shift(self, about: KeptAlarm | None = None) -> None:
        """Shift log and hand-over."""
        if self._context.project is not None:
            ShiftDialog(self.live, self.window(), about, self.name).show()

    def _mute(self) -> None:
        self._context.set_setting("tunnel.alarm_sound", not self._context.setting("tunnel.alarm_sound"))
        self._show_pulse()

    def _hide_badges(self) -> None:
        self._context.set_setting("tunnel.alarm_badges", not self._context.setting("tunnel.alarm_badges"))
        self._show_pulse()
        self._context.map.update_overlays()


def _key(key: tuple[int, str, int]) -> str:
    return "/".join(map(str, key))


def _ms(text: str) -> int | None:
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        return None
