"""The MQTT side: messages at QoS 1 in a persistent session, acknowledged only once they are on disk.

A broker or network that goes away is reconnected to; what was not acknowledged comes again.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from planner_app.domain.errors import PlannerError
from plugins.tunnel.model.monitoring.journal import Journal
from plugins.tunnel.model.monitoring.payloads import Format, Sample, read_payload

log = logging.getLogger(__name__)

#: Messages held in memory until they are on disk; then reading from the network waits.
_HELD = 20_000
_KEEPALIVE_S = 30
#: Answers of a broker that no patience cures: bad protocol, client id, user or password, not authorized.
_REFUSED = frozenset({1, 2, 4, 5, 128, 129, 130, 131, 132, 133, 134, 135, 138, 140})
#: Messages without a time that are remembered, so that one sent again is not a second reading.
_REMEMBERED = 4_096


@dataclass(frozen=True, slots=True)
class Broker:
    """Where and how to connect. ``topics``: patterns to subscribe to; ``ca``: a file of certificates to trust."""

    host: str
    port: int
    topics: tuple[str, ...]
    client_id: str
    user: str = ""
    password: str | None = None
    tls: bool = False
    ca: str = ""


@dataclass(slots=True)
class Counts:
    """What came in so far."""

    messages: int = 0
    readings: int = 0
    again: int = 0
    bad: int = 0
    connections: int = 0


@dataclass(slots=True)
class _Message:
    mid: int
    qos: int
    connection: int
    samples: list[Sample] = field(default_factory=list)


class Subscriber:
    """Collects into a journal from :meth:`start` to :meth:`stop`.

    A reading that carries its time counts once however often it comes. One without is known again by its packet while
    this process lives; a kill between disk and acknowledgement (milliseconds) can make it two.

    Args:
        on_bad: told what could not be read of a message.

    Attributes:
        connected: true while subscribed; ``refused``: the broker's final no; ``trouble``: the last failure in words.
    """

    def __init__(
        self, broker: Broker, journal: Journal, formats: Sequence[Format], here: tzinfo,
        on_bad: Callable[[PlannerError], None],
    ) -> None:  # fmt: skip
        self.broker, self.counts = broker, Counts()
        self.connected, self.since, self.full = False, 0.0, False
        self.refused: PlannerError | None = None
        self.trouble = ""
        self._journal, self._formats, self._here, self._on_bad = journal, formats, here, on_bad
        self._held: list[_Message] = []
        self._changed = threading.Condition()
        self._connection = 0
        self._stopped = False
        self._untimed: OrderedDict[tuple[int, str, bytes], None] = OrderedDict()
        self._client = self._make()
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)

    def _make(self) -> Any:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        client = Client(
            CallbackAPIVersion.VERSION2, client_id=self.broker.client_id, clean_session=False, manual_ack=True
        )
        if self.broker.user:
            client.username_pw_set(self.broker.user, self.broker.password)
        if self.broker.tls:
            try:
                client.tls_set(ca_certs=self.broker.ca or None)
            except (OSError, ValueError) as error:
                raise PlannerError("tunnel.mqtt_tls", file=self.broker.ca, detail=str(error)) from error
        client.reconnect_delay_set(1, 30)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_connect_fail = self._on_fail
        client.on_subscribe, client.on_message = self._on_subscribe, self._on_message
        return client

    def start(self) -> None:
        """Connect, or go on trying."""
        self._writer.start()
        self._client.connect_async(self.broker.host, self.broker.port, _KEEPALIVE_S)
        self._client.loop_start()

    @property
    def broken(self) -> bool:
        """True if the thread that writes the journal is gone, which only a mistake in this program can do."""
        return not self._stopped and not self._writer.is_alive()

    def stop(self) -> None:
        """Take no more; what is in memory goes to the disk and is acknowledged first."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._writer.join(10)
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        with self._changed:
            self._connection += 1
        if reason.is_failure:
            self.trouble = str(reason)
            if reason.value in _REFUSED:
                self.refused = PlannerError(
                    "tunnel.mqtt_refused", host=f"{self.broker.host}:{self.broker.port}", detail=str(reason)
                )
            return
        self.counts.connections += 1
        client.subscribe([(topic, 1) for topic in self.broker.topics])

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            topics = ", ".join(self.broker.topics)
            self.refused = PlannerError("tunnel.mqtt_topic", topic=topics, detail=str(reasons[0]))
            return
        self.connected, self.since, self.trouble = True, time.monotonic(), ""

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        with self._changed:
            self._connection += 1
        self.connected, self.trouble = False, str(reason)

    def _on_fail(self, _client: Any, _data: Any) -> None:
        self.connected, self.trouble = False, self._why()

    def _why(self) -> str:
        """Why there is no connection, which the library does not tell."""
        where = f"{self.broker.host}:{self.broker.port}"
        try:
            with socket.create_connection((self.broker.host, self.broker.port), 3) as plain:
                if self.broker.tls:
                    trusted = ssl.create_default_context(cafile=self.broker.ca or None)
                    trusted.wrap_socket(plain, server_hostname=self.broker.host).close()
        except OSError as error:
            return f"{where}: {error.strerror or error}"
        return where

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        now = round(time.time() * 1000)
        try:
            samples, wrong = read_payload(message.topic, message.payload, self._formats, self._here, now)
        except Exception as error:  # one message, whatever is in it, must not end the watch for all others
            log.exception("a payload of %s", message.topic)
            samples, wrong = [], [PlannerError("tunnel.payload_unreadable", topic=message.topic, payload=repr(error))]
        self.counts.messages += 1
        self.counts.bad += len(wrong)
        for one in wrong:
            self._on_bad(one)
        if message.qos and any(not one.timed for one in samples):
            key = (message.mid, message.topic, message.payload)
            if message.dup and key in self._untimed:
                samples = [one for one in samples if one.timed]
                self.counts.again += 1
            self._untimed[key] = None
            while len(self._untimed) > _REMEMBERED:
                self._untimed.popitem(last=False)
        with self._changed:
            # Full disk: the network waits and with it the broker, which keeps what we have not acknowledged.
            self._changed.wait_for(lambda: len(self._held) < _HELD or self._stopped)
            if self._stopped:
                return
            self._held.append(_Message(message.mid, message.qos, self._connection, samples))
            self._changed.notify_all()

    def _write(self) -> None:
        """Bring to disk what is held, then acknowledge it: one sync for all that came meanwhile."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._held) or self._stopped)
                batch = self._held[:]
            if not batch:
                return
            samples = [one for message in batch for one in message.samples]
            if samples and not self._journal.append(samples):
                self.full = True
                if self._stopped:
                    return  # not acknowledged: it comes again
                time.sleep(1)
                continue
            self.full = False
            self.counts.readings += len(samples)
            with self._changed:
                del self._held[: len(batch)]
                for message in batch:
                    # A packet's number is worth nothing on another connection.
                    if message.qos and message.connection == self._connection:
                        self._client.ack(message.mid, message.qos)
                self._changed.notify_all()
