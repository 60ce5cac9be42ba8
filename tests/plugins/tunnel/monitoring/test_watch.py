"""Watching a real broker: nothing lost and nothing doubled through restarts and kills, alarms live, clean ends."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner_app.cli import run_verb
from planner_app.project import Project
from plugins.tunnel.model.monitoring.alarm_table import kept_alarms
from plugins.tunnel.model.monitoring.heartbeat import read_heartbeat
from plugins.tunnel.model.monitoring.sensors import load_sensors
from tests.plugins.tunnel.monitoring.broker import Broker, Publisher, Watcher, until

START = 1_727_712_000_000


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    one = Broker(tmp_path / "broker")
    yield one
    one.stop()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "p.sqlite"
    Project.create(path, "EPSG:4549").close()
    return path


def stored(path: Path) -> dict[tuple[str, int], float]:
    with Project.open(path) as project:
        return {
            (sensor.code, int(ts)): float(value)
            for sensor in load_sensors(project)
            for series in [project.readings.read(sensor.number)]
            for ts, value in zip(series.ts.tolist(), series.value.tolist(), strict=True)
        }


def count(path: Path) -> int:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return int(connection.execute("SELECT count(*) FROM planner_reading").fetchone()[0])
    finally:
        connection.close()


def messages(first: int, last: int) -> list[tuple[str, str]]:
    """Points of twenty sensors, one reading each a minute, in three shapes."""
    made = []
    for number in range(first, last):
        sensor, ts, value = f"S{number % 20:02d}", START + number // 20 * 60_000, float(number)
        body = {"sensor": sensor, "ts": ts, "value": value, "quality": 0}
        made.append(("tunnel/gl01/json", json.dumps(body)))
        if number % 7 == 0:  # sent twice by a gateway that is not sure
            made.append(("tunnel/gl01/json", json.dumps([body])))
    return made


def test_two_broker_restarts_and_a_kill_lose_and_double_nothing(tmp_path: Path, broker: Broker, project: Path) -> None:
    log = tmp_path / "watch.log"
    watcher = Watcher(project, broker, log)
    watcher.ready()
    publisher = Publisher(broker.port)
    try:
        publisher.send([("tunnel/gl01/json", json.dumps({"sensor": "S00", "ts": START, "value": 0}))])
        until(lambda: count(project) == 1, 20, "the first reading is stored")
        for step in range(4):
            for start in range(step * 500, step * 500 + 500, 50):
                publisher.send(messages(start, start + 50))
                time.sleep(0.02)
            if step in (0, 2):
                broker.restart()
            elif step == 1:
                watcher.kill()
                publisher.send(messages(0, 30))  # old ones again while nobody listens
                watcher = Watcher(project, broker, log)
                watcher.ready()
        publisher.confirmed()
        until(lambda: count(project) >= 2000, 60, "everything is stored")
        time.sleep(1)
        done = watcher.end()
    finally:
        publisher.stop()
        if watcher.process.poll() is None:
            watcher.kill()
    expected = {(f"S{n % 20:02d}", START + n // 20 * 60_000): float(n) for n in range(2000)}
    assert stored(project) == expected
    assert done["waiting_bytes"] == 0
    assert done["bad"] == 0
    assert done["connections"] >= 2
    with Project.open(project) as opened:
        codes = [sensor.code for sensor in load_sensors(opened)]
        beat = read_heartbeat(opened)
    assert beat is not None
    assert (beat.broker, beat.pid) == (f"127.0.0.1:{broker.port}", watcher.process.pid)
    assert beat.ended >= beat.started > 0  # it said good-bye
    assert sorted(codes) == sorted(set(codes))
    assert len(codes) == 20


def test_shapes_of_messages_and_bad_ones(tmp_path: Path, broker: Broker, project: Path) -> None:
    formats = tmp_path / "own.toml"
    formats.write_text(
        "[[format]]\nid = 'own'\nkind = 'text'\npattern = '^(?P<sensor>\\w+)=(?P<value>[-\\d.]+)@(?P<ts>\\d+)$'\n",
        encoding="utf-8",
    )
    watcher = Watcher(project, broker, tmp_path / "watch.log", "--formats", str(formats))
    watcher.ready()
    publisher = Publisher(broker.port)
    begun = round(time.time() * 1000)
    ahead = begun + 40 * 86_400_000
    try:
        publisher.send(
            [
                ("tunnel/GAS-1/value", "3.5"),
                ("tunnel/x", f"OWN={7.25}@{START}"),
                ("tunnel/x", json.dumps({"sensor": "B", "readings": [[1]]})),
                ("tunnel/x", json.dumps({"sensor": "B", "data": [{"t": START // 1000, "v": 1}, {"t": START + 1000, "v": None}]})),  # noqa: E501
                ("tunnel/x", json.dumps([{"sensor": "C", "time": "2024-10-01 00:00:00", "value": "2,5", "quality": "bad"}])),  # noqa: E501
                ("tunnel/LINE-1", "2024-09-30T16:00:00Z;12.5;1"),
                ("tunnel/x", "{broken"),
                ("tunnel/x", b"\xff\xfe"),
                ("tunnel/x", json.dumps({"sensor": "B", "ts": "yesterday", "value": 1})),
                ("tunnel/x", json.dumps({"sensor": "B", "ts": START, "value": "warm"})),
                ("tunnel/x", json.dumps({"sensor": "AHEAD", "ts": ahead, "value": 1})),
                ("elsewhere/GAS-1", "9"),
            ]
        )  # fmt: skip
        publisher.confirmed()
        until(lambda: count(project) >= 7, 20, "the good ones are stored")
        done = watcher.end(signal.SIGINT)
    finally:
        publisher.stop()
        if watcher.process.poll() is None:
            watcher.kill()
    kept = stored(project)
    assert kept["OWN", START] == 7.25
    assert kept["B", START] == 1
    assert kept["B", START + 1000] != kept["B", START + 1000]  # a gap
    assert kept["C", START] == 2.5
    assert kept["LINE-1", START] == 12.5
    assert [value for (code, ts), value in kept.items() if code == "GAS-1" and ts >= begun] == [3.5]
    assert len(kept) == 7
    with Project.open(project) as opened:
        quality = {s.code: opened.readings.read(s.number).quality.tolist() for s in load_sensors(opened)}
    assert (quality["C"], quality["LINE-1"], quality["AHEAD"]) == ([2], [1], [1])
    assert done["bad"] == 5
    assert sorted(row["code"] for row in done["bad_payloads"]) == [
        "tunnel.payload_no_value", "tunnel.payload_no_value", "tunnel.payload_time", "tunnel.payload_unreadable",
        "tunnel.payload_unreadable",
    ]  # fmt: skip


def test_alarms_are_kept_once_through_a_restart(
    tmp_path: Path, broker: Broker, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = round(time.time() * 1000) - 3_600_000
    log = tmp_path / "watch.log"

    def send(minutes: range, value: float) -> None:
        for minute in minutes:
            body = {"sensor": "GAS-1", "kind": "ch4", "ts": now + minute * 60_000, "value": value}
            publisher.send([("tunnel/a", json.dumps(body))])
        publisher.confirmed()

    watcher = Watcher(project, broker, log)
    watcher.ready()
    publisher = Publisher(broker.port)
    try:
        send(range(5), 5)
        send(range(5, 10), 22)
        until(lambda: "▲" in watcher.text(), 20, "the alarm is told")
        assert "7.5.8" in watcher.text()
        until(lambda: [row.alarm.cleared for row in rows(project)] == [None], 10, "the alarm is kept")
        watcher.kill()
        send(range(10, 14), 24)
        watcher = Watcher(project, broker, log)
        watcher.ready()
        until(lambda: count(project) == 14, 20, "what the broker kept is stored")
        send(range(14, 25), 4)
        until(lambda: "▽" in watcher.text(), 20, "the end is told")
        done = watcher.end()
    finally:
        publisher.stop()
        if watcher.process.poll() is None:
            watcher.kill()
    assert (done["alarms"]["raised"], done["alarms"]["cleared"], done["alarms"]["standing"]) == (0, 1, 0)
    (row,) = rows(project)
    assert (row.alarm.rule, row.alarm.clause) == ("alarm.ch4", "7.5.8")
    assert (row.alarm.raised, row.alarm.cleared) == (now + 5 * 60_000, now + 14 * 60_000)
    assert (row.alarm.value, row.alarm.worst) == (22, 24)
    with Project.open(project) as opened:
        assert [layer.id for layer in opened.layers() if layer.role == "tunnel.alarm"] == ["tunnel_alarm"]
    assert run_verb(["tunnel", "alarms", str(project), "--json"]) == 0
    (alarm,) = json.loads(capsys.readouterr().out)["alarms"]
    assert (alarm["rule"], alarm["worst"], alarm["acknowledged_by"]) == ("alarm.ch4", 24, None)


def rows(project: Path) -> list:
    with Project.open(project) as opened:
        return kept_alarms(opened)


def test_a_busy_file_holds_up_nobody(tmp_path: Path, broker: Broker, project: Path) -> None:
    watcher = Watcher(project, broker, tmp_path / "watch.log")
    watcher.ready()
    publisher = Publisher(broker.port)
    other = sqlite3.connect(project, isolation_level=None)
    try:
        publisher.send(messages(0, 1))
        until(lambda: count(project) == 1, 20, "the first is stored")
        other.execute("BEGIN IMMEDIATE")
        publisher.send(messages(0, 400))
        publisher.confirmed()
        buffer = project.with_suffix(".buffer")
        until(lambda: _lines(buffer) >= 400, 20, "all lie in the buffer")
        assert count(project) == 1
        watcher.kill()  # nothing in memory counts
        other.execute("ROLLBACK")
        other.close()
        watcher = Watcher(project, broker, tmp_path / "watch.log")
        watcher.ready()
        until(lambda: count(project) == 400, 30, "the buffer is in the file")
        assert watcher.end()["waiting_bytes"] == 0
    finally:
        other.close()
        publisher.stop()
        if watcher.process.poll() is None:
            watcher.kill()
    assert len(stored(project)) == 400


def _lines(folder: Path) -> int:
    total = 0
    for path in folder.glob("*.jsonl"):
        total += path.read_bytes().count(b"\n")
    return total


def test_who_may_and_who_may_not(
    tmp_path: Path, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Broker(tmp_path / "closed", "allow_anonymous false", f"password_file {_passwords(tmp_path)}")

    def call(*options: str) -> str:
        assert run_verb(["tunnel", "watch", str(project), "--mqtt", broker.address, "--buffer", str(tmp_path / "b"), *options, "--json"]) == 2  # noqa: E501  # fmt: skip
        return str(json.loads(capsys.readouterr().out)["error"]["code"])

    keep = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    try:
        assert call() == "tunnel.mqtt_refused"
        monkeypatch.setenv("PLANNER_MQTT_PASSWORD", "wrong")
        assert call("--user", "op") == "tunnel.mqtt_refused"
        assert call("--user", "op", "--password-file", str(tmp_path / "none")) == "tunnel.mqtt_password_file"
        assert call("--topic", "a/#/b") == "tunnel.mqtt_topic"
        assert call("--tls-ca", str(tmp_path / "none.pem")) == "tunnel.mqtt_tls"
        assert call("--zone", "Mars/Olympus") == "tunnel.zone_unknown"
        assert call("--buffer-mb", "0") == "tunnel.buffer_small"
        secret = tmp_path / "secret"
        secret.write_text("right\n", encoding="utf-8")
        watcher = Watcher(project, broker, tmp_path / "w.log", "--user", "op", "--password-file", str(secret))
        watcher.ready()
        try:
            monkeypatch.setenv("PLANNER_MQTT_PASSWORD", "right")
            assert _second(project, broker, capsys) == "tunnel.watch_running"
            assert watcher.end()["connections"] == 1
        finally:
            if watcher.process.poll() is None:
                watcher.kill()
    finally:
        broker.stop()
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), keep, strict=True):
            signal.signal(number, handler)


def test_an_encrypted_broker(tmp_path: Path, project: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    broker = Broker(tmp_path / "tls", f"certfile {certificate}", f"keyfile {key}", "allow_anonymous true")
    watcher = Watcher(project, broker, tmp_path / "strange.log", "--tls")
    try:
        until(lambda: "CERTIFICATE_VERIFY_FAILED" in watcher.text(), 20, "a stranger's certificate is named")
        assert watcher.end()["connections"] == 0
        watcher = Watcher(project, broker, tmp_path / "trusted.log", "--tls-ca", str(certificate))
        watcher.ready()
        assert watcher.end()["connections"] == 1
    finally:
        if watcher.process.poll() is None:
            watcher.kill()
        broker.stop()


def _second(project: Path, broker: Broker, capsys: pytest.CaptureFixture[str]) -> str:
    code = run_verb(["tunnel", "watch", str(project), "--mqtt", broker.address, "--user", "op", "--buffer",
                     str(project.with_suffix(".buffer")), "--json"])  # fmt: skip
    assert code == 2
    return str(json.loads(capsys.readouterr().out)["error"]["code"])


def _passwords(tmp_path: Path) -> Path:
    """A mosquitto password file for op/right: PBKDF2-SHA512, as mosquitto_passwd writes it."""
    import base64
    import hashlib

    salt = b"twelve bytes"
    key = hashlib.pbkdf2_hmac("sha512", b"right", salt, 101)
    path = tmp_path / "passwords"
    path.write_text(f"op:$7$101${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}\n", encoding="ascii")
    return path


@pytest.mark.soak
def test_ten_minutes_of_a_thousand_points_a_second(tmp_path: Path, broker: Broker, project: Path) -> None:
    watcher = Watcher(project, broker, tmp_path / "watch.log")
    watcher.ready()
    publisher = Publisher(broker.port)
    seconds, begun = 600, round(time.time() * 1000) - 700_000
    try:
        started = time.monotonic()
        for second in range(seconds):
            publisher.send(
                ("tunnel/a", json.dumps({"sensor": f"N{n:04d}", "ts": begun + second * 1000, "value": n + second / 7}))
                for n in range(1000)
            )
            if second == seconds // 2:
                broker.restart()
            time.sleep(max(0.0, started + second + 1 - time.monotonic()))
        publisher.confirmed(120)
        until(lambda: count(project) >= seconds * 1000, 120, "everything is stored")
        done = watcher.end()
    finally:
        publisher.stop()
        if watcher.process.poll() is None:
            watcher.kill()
    assert count(project) == seconds * 1000
    assert done["waiting_bytes"] == 0
