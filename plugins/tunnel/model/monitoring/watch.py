"""The verb ``tunnel watch``: collects readings from an MQTT broker and raises alarms until it is stopped."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from planner_app.domain.errors import PlannerError
from planner_app.i18n import language, tr, word, word_error
from planner_app.plugin_api.model import Progress, Project, VerbContext, VerbResult
from plugins.tunnel.model.monitoring.collector import Collector
from plugins.tunnel.model.monitoring.csv_readings import zone
from plugins.tunnel.model.monitoring.engine import Alarm
from plugins.tunnel.model.monitoring.heartbeat import EVERY_S, Heartbeat, now_ms, write_heartbeat
from plugins.tunnel.model.monitoring.journal import Journal
from plugins.tunnel.model.monitoring.payloads import load_formats
from plugins.tunnel.model.monitoring.subscriber import Broker, Subscriber

_STATUS_S = 10.0
_STEP_S = 0.5
#: After a connection, what the broker kept for us comes first; only then silence means something.
_SETTLED_S = 60.0
#: How long the end waits for a busy file; what is not in it then is in the journal.
_LAST_S = 20.0
_NAMED = 200
_SECRET = "PLANNER_MQTT_PASSWORD"  # noqa: S105 - the name of the variable


def run(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel watch``."""
    here = zone(arguments.zone)
    if arguments.buffer_mb < 1:  # it would take nothing at all
        raise PlannerError("tunnel.buffer_small", value=arguments.buffer_mb)
    formats = load_formats(arguments.formats)
    stop = threading.Event()
    for name in ("SIGINT", "SIGTERM"):
        with suppress(ValueError):  # signals belong to the main thread
            signal.signal(getattr(signal, name), lambda *_: stop.set())
    project = context.open_project(arguments.file)
    identity = project.setting("uuid") or str(arguments.file.resolve())
    journal, keeper = None, None
    try:
        broker = _broker(arguments, identity)
        journal = Journal(arguments.buffer or _folder(identity), arguments.buffer_mb << 20)
        rules = context.rules("tunnel.")
        titles = {rule.id: rule.title_zh if language() == "zh_CN" else rule.title for rule in rules}
        console = _Console(titles)
        collector = Collector(
            project, rules, arguments.city, journal, console.alarm, _Stoppable(context.progress, stop), console.bad
        )
        subscriber = Subscriber(broker, journal, formats, here, console.bad)
        keeper = _Keeper(collector, journal, subscriber, lambda: context.open_project(arguments.file))
        return _watch(broker, journal, subscriber, keeper, console, stop)
    finally:
        if journal is not None:
            journal.close()
        if keeper is None or keeper.done:  # else it waits for a busy file, and closing would wait as well
            (project if keeper is None else keeper.collector.project).close()


def _watch(
    broker: Broker, journal: Journal, subscriber: Subscriber, keeper: _Keeper, console: _Console, stop: threading.Event
) -> VerbResult:
    collector, counts = keeper.collector, subscriber.counts
    console.say(
        tr("Watching {topics} at {host}. Ctrl+C ends it.", topics=", ".join(broker.topics), host=_address(broker))
    )
    keeper.start()
    subscriber.start()
    shown, before, state = time.monotonic(), 0, (False, False)
    try:
        while not stop.wait(0.2) and keeper.failure is None:
            if subscriber.refused is not None and not counts.connections:
                raise subscriber.refused
            if subscriber.broken:
                raise RuntimeError("the journal's thread ended")
            now = time.monotonic()
            seen = (subscriber.connected, bool(subscriber.trouble))
            if now - shown >= _STATUS_S or seen != state:
                rate, before = (counts.readings - before) / (now - shown), counts.readings
                shown, state = now, seen
                console.say(_status(subscriber, keeper, journal, rate))
    finally:
        subscriber.stop()
        keeper.finish()
    if keeper.failure is not None:
        raise keeper.failure
    tally = collector.tally
    return VerbResult(
        {
            "messages": counts.messages,
            "readings": counts.readings,
            "stored": tally.stored,
            "known": tally.known + counts.again,
            "pruned": tally.pruned,
            "late": tally.late,
            "sensors_new": tally.sensors,
            "alarms": {"raised": tally.raised, "cleared": tally.cleared, "standing": collector.standing},
            "bad": counts.bad,
            "bad_payloads": [
                {"code": code, "message": message, "count": console.wrong[code, message]}
                for code, message in console.wrong
            ],
            "connections": counts.connections,
            "waiting_bytes": journal.waiting(),
            "torn": journal.torn,
        }
    )


class _Stoppable:
    """The start's progress; SIGTERM cancels it too."""

    def __init__(self, shown: Progress, stop: threading.Event) -> None:
        self._shown, self._stop = shown, stop

    def update(self, fraction: float | None, stage: str = "") -> None:
        self._shown.update(fraction, stage)

    def is_cancelled(self) -> bool:
        return self._stop.is_set()


class _Keeper:
    """The thread that brings the journal into the file; a file that cannot be written now is tried again."""

    def __init__(
        self, collector: Collector, journal: Journal, subscriber: Subscriber, reopen: Callable[[], Project]
    ) -> None:
        self.collector, self.trouble = collector, ""
        self.failure: BaseException | None = None
        self._journal, self._subscriber, self._reopen = journal, subscriber, reopen
        self._listened = 0.0
        self._beat, self._spoke = (
            Heartbeat(_address(subscriber.broker), socket.gethostname(), os.getpid(), now_ms()),
            -1e9,
        )
        self._last = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    @property
    def done(self) -> bool:
        """True if the thread does not touch the file any more."""
        return not self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self) -> None:
        """Store what is left, unless the file is busy for too long."""
        self._last.set()
        self._thread.join(_LAST_S)

    def _run(self) -> None:
        try:
            with suppress(PlannerError, sqlite3.Error, OSError):
                self.collector.keep_calibration()
            while True:
                last = self._last.is_set()
                self._step(last)
                if last:
                    return
                self._last.wait(_STEP_S)
        except BaseException as error:
            self.failure = error

    def _step(self, last: bool) -> None:
        collector, subscriber = self.collector, self._subscriber
        try:
            while collector.store():
                pass
            settled = subscriber.connected and time.monotonic() - max(subscriber.since, self._listened) > _SETTLED_S
            if settled and not self._journal.waiting():
                collector.silence(round(time.time() * 1000))
                self._listened = time.monotonic()
            collector.keep_alarms(all_of_them=last)
            self.trouble = ""
            self._say_alive(last)
        except PlannerError as error:
            self.trouble = word_error(error)[0]
            if error.code == "project.read_only":  # its rights may have changed: only a new look tells
                with suppress(PlannerError, sqlite3.Error, OSError):
                    fresh = self._reopen()
                    collector.project.close()
                    collector.project = fresh
            self._last.wait(2)
        except (sqlite3.Error, OSError) as error:
            self.trouble = str(error)
            self._last.wait(2)

    def _say_alive(self, last: bool) -> None:
        """Tell the windows that have the file open; what cannot be written now is told later."""
        if not last and time.monotonic() - self._spoke < EVERY_S:
            return
        now = now_ms()
        beat = replace(
            self._beat, at=now, ended=now if last else 0, connected=self._subscriber.connected and not last,
            stored=self.collector.tally.stored, waiting=self._journal.waiting(),
        )  # fmt: skip
        with suppress(PlannerError):
            write_heartbeat(self.collector.project, beat)
            self._spoke = time.monotonic()


class _Console:
    """Lines on standard error, and the tally of what could not be read."""

    def __init__(self, titles: dict[str, str]) -> None:
        self.wrong: Counter[tuple[str, str]] = Counter()
        self._codes: Counter[str] = Counter()
        self._titles = titles
        self._lock = threading.Lock()

    def say(self, line: str) -> None:
        """A line with the time."""
        with self._lock, suppress(OSError, ValueError):  # nobody listens any more: no reason to stop
            print(f"{datetime.now().astimezone():%H:%M:%S}  {line}", file=sys.stderr, flush=True)

    def bad(self, error: PlannerError) -> None:
        """Count a bad payload; each kind is shown a few times, then only counted."""
        message = word_error(error)[0]
        key = (error.code, message)
        if key in self.wrong or len(self.wrong) < _NAMED:
            self.wrong[key] += 1
        else:
            self.wrong[error.code, "…"] += 1
        self._codes[error.code] += 1
        if self._codes[error.code] <= 5:
            self.say(message)

    def alarm(self, alarm: Alarm) -> None:
        """An alarm raised or cleared."""
        title = self._titles.get(alarm.rule, alarm.rule)
        at = datetime.fromtimestamp((alarm.raised if alarm.cleared is None else alarm.cleared) / 1000, UTC)
        params = {
            "sensor": alarm.code, "title": title, "time": f"{at.astimezone():%Y-%m-%d %H:%M:%S}",
            "value": "–" if alarm.value is None else f"{alarm.value:g} {alarm.unit}".strip(),
            "clause": f"{alarm.standard} {alarm.clause}".strip(), "level": word(f"tunnel.level_{alarm.level}"),
        }  # fmt: skip
        self.say(word("tunnel.alarm_raised" if alarm.cleared is None else "tunnel.alarm_cleared", params))


def _status(subscriber: Subscriber, keeper: _Keeper, journal: Journal, rate: float) -> str:
    counts, tally = subscriber.counts, keeper.collector.tally
    state = tr("connected") if subscriber.connected else tr("not connected ({why})", why=subscriber.trouble or "…")
    line = tr(
        "{state} · {readings} readings ({rate}/s) · {stored} stored, {known} known · {alarms} alarms stand · {bad} bad",
        state=state, readings=counts.readings, rate=f"{rate:.0f}", stored=tally.stored,
        known=tally.known + counts.again, alarms=keeper.collector.standing, bad=counts.bad,
    )  # fmt: skip
    if keeper.trouble:
        line += " · " + tr(
            "{kilobytes} kB wait in the buffer: {why}", kilobytes=journal.waiting() >> 10, why=keeper.trouble
        )
    if subscriber.full:
        line += " · " + tr("the buffer is full: the broker keeps the rest")
    return line


def _address(broker: Broker) -> str:
    return f"{broker.host}:{broker.port}"


def _broker(arguments: argparse.Namespace, identity: str) -> Broker:
    host, _, port = arguments.mqtt.rpartition(":") if arguments.mqtt.count(":") == 1 else (arguments.mqtt, "", "")
    if arguments.mqtt.startswith("["):  # [::1]:1883
        host, _, port = arguments.mqtt[1:].partition("]")
        port = port.removeprefix(":")
    try:
        number = int(port) if port else (8883 if arguments.tls else 1883)
    except ValueError:
        number = 0
    if not host or not 0 < number < 65_536:
        raise PlannerError("tunnel.mqtt_address", value=arguments.mqtt)
    topics = tuple(dict.fromkeys(arguments.topic or ["tunnel/#"]))
    for topic in topics:
        _check_topic(topic)
    # One session per project and machine, the same after a restart: the broker keeps what comes meanwhile.
    client = arguments.client_id or f"planner-{identity[:36]}-{socket.gethostname()}"[:120]
    ca = str(arguments.tls_ca or "")
    tls = arguments.tls or bool(ca)
    password = _password(arguments, host) if arguments.user else None
    return Broker(host, number, topics, client, arguments.user, password, tls, ca)


def _check_topic(topic: str) -> None:
    parts = topic.split("/")
    wrong = not topic or "\0" in topic or len(topic.encode()) > 65_535 or "#" in parts[:-1]
    if wrong or any(len(part) > 1 and ("#" in part or "+" in part) for part in parts):
        raise PlannerError("tunnel.mqtt_topic", topic=topic, detail=tr("+ stands for one part, # for all the rest"))


def _password(arguments: argparse.Namespace, host: str) -> str:
    """From a file, the environment, systemd's credentials or the system's keyring; never from the command line."""
    file = arguments.password_file
    credentials = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if file is None and _SECRET not in os.environ and credentials and (Path(credentials) / "mqtt-password").is_file():
        file = Path(credentials) / "mqtt-password"
    if file is not None:
        try:
            return str(file.read_text(encoding="utf-8")).rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise PlannerError("tunnel.mqtt_password_file", file=str(file), detail=str(error)) from error
    if _SECRET in os.environ:
        return os.environ[_SECRET]
    with suppress(Exception):  # no keyring, or none that works here: the same as one that knows nothing
        import keyring

        kept = keyring.get_password("planner-mqtt", f"{arguments.user}@{host}")
        if kept is not None:
            return str(kept)
    raise PlannerError("tunnel.mqtt_no_password", user=arguments.user, host=host, variable=_SECRET)


def _folder(identity: str) -> Path:
    """Where readings wait: the system's place for the state of programs, one folder per project."""
    state = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if not state:
        from platformdirs import user_state_dir

        state = user_state_dir("planner", False)
    return Path(state) / "watch" / "".join(one if one.isalnum() or one == "-" else "_" for one in identity)[-80:]
