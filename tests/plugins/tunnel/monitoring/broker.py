"""A real MQTT broker of the test's own: mosquitto on a free loopback port, its data in the test's folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")


class Broker:
    """Started at once; keeps its sessions over :meth:`restart`."""

    def __init__(self, folder: Path, *lines: str) -> None:
        if MOSQUITTO is None:
            reason = "no mosquitto; packaging/test installs it"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "mosquitto.conf"
        own = [
            f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {folder}/",
            "max_queued_messages 0", "log_dest none", *(["user root"] if os.geteuid() == 0 else []),
            *(lines or ["allow_anonymous true"]),
        ]  # fmt: skip
        self.config.write_text("\n".join(own) + "\n", encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        assert MOSQUITTO is not None
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self.config)], stderr=subprocess.DEVNULL)
        until(lambda: _answers(self.port), 10, "the broker answers")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(15)
            self._process = None

    def restart(self, pause_s: float = 0.3) -> None:
        self.stop()
        time.sleep(pause_s)
        self.start()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(true: Any, seconds: float, what: str) -> None:
    """Wait for something to become true.

    Raises:
        AssertionError: it did not.
    """
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


class Publisher:
    """Sends at QoS 1 and sends again what a broker that went away did not confirm."""

    def __init__(self, port: int, name: str = "sensors") -> None:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self.client = Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        self.client.reconnect_delay_set(1, 1)
        self.client.max_inflight_messages_set(200)
        self._sent = self._confirmed = 0
        self.client.on_publish = self._count
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        until(self.client.is_connected, 10, "the publisher is connected")

    def _count(self, *_: Any) -> None:
        self._confirmed += 1

    def send(self, messages: Iterable[tuple[str, str | bytes]]) -> None:
        for topic, payload in messages:
            self.client.publish(topic, payload, qos=1)  # without a connection it waits for the next one
            self._sent += 1

    def confirmed(self, seconds: float = 60) -> None:
        until(lambda: self._confirmed >= self._sent, seconds, "everything is confirmed")

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class Watcher:
    """``planner tunnel watch`` in a process of its own."""

    def __init__(self, project: Path, broker: Broker, log: Path, *options: str, environment: Any = None) -> None:
        self.log = log
        self._before = self.text().count("  connected · ") if log.exists() else 0
        self._out = log.with_suffix(".json")
        with log.open("ab") as err, self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "planner_app", "tunnel", "watch", str(project), "--mqtt", broker.address,
                    "--buffer", str(project.with_suffix(".buffer")), "--json", *options,
                ],
                stdout=out, stderr=err, env={**os.environ, **(environment or {})},
            )  # fmt: skip

    def ready(self) -> None:
        """Wait until it is subscribed: what comes before the first time has no session to wait in."""

        def there() -> bool:
            return self.text().count("  connected · ") > self._before or self.process.poll() is not None

        until(there, 30, "the watcher is connected")
        assert self.process.poll() is None, self.text()

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def end(self, how: int = signal.SIGTERM) -> dict[str, Any]:
        import json

        self.process.send_signal(how)
        code = self.process.wait(60)
        assert code == 0, self.text()
        answer: dict[str, Any] = json.loads(self._out.read_text(encoding="utf-8"))
        return answer
