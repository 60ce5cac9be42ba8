"""The engine as the shell sees it: a process that is started in the background, watched, and restarted when it dies."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

import planner_app
from planner_app.domain.errors import PlannerError
from planner_app.engine_client.qgis_python import qgis_python
from planner_app.engine_client.view import RenderView
from planner_app.protocol import framing
from planner_app.protocol.pixels import remove_orphans

log = logging.getLogger(__name__)

_MAIN = Path(planner_app.__file__).resolve().parent / "engine" / "main.py"
#: Deaths within this many seconds after which starting again makes no sense.
_DEATHS, _WITHIN_S = 5, 60.0
_RESTART_MS = (50, 300, 1000, 3000, 3000)
#: The engine answers pings within milliseconds while it renders; opening a huge layer may hold it for seconds, and
#: printing and algorithms hold it until they are done.
_PING_MS, _HUNG_S, _STARTING_S, _WORKING_S = 3000, 30.0, 90.0, 1800.0
_HOLDING = ("print", "algorithm")
#: Closing a project waits this long for the engine to let go of the file.
_CLOSE_S = 1.0

Done = Callable[[dict[str, Any]], None]
Failed = Callable[[PlannerError], None]


@dataclass(slots=True)
class _Pending:
    method: str
    params: dict[str, Any]
    done: Done
    failed: Failed | None
    resend: Callable[[], bool] | None
    sent: bool = False


class EngineClient(QObject):
    """Talks to one engine process.

    Requests made before the engine is ready wait for it. When it dies, renders are asked again by the engine that
    follows; other requests fail with ``engine.died``.

    Signals:
        state_changed(str): ``starting`` | ``ready`` | ``busy`` | ``restarting`` | ``failed`` | ``missing`` |
            ``stopped``.
        problem(PlannerError): a project or a layer in it cannot be drawn; said once per project and layer.
    """

    state_changed = Signal(str)
    problem = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = "stopped"
        self.last_error = ""
        self.qgis_version = ""
        self.process_id = 0
        self._server: QLocalServer | None = None
        self._socket: QLocalSocket | None = None
        self._process: QProcess | None = None
        self._decoder = framing.Decoder()
        self._token = ""
        self._next = 1
        self._pending: dict[int, _Pending] = {}
        self._views: dict[str, RenderView] = {}
        self._project: Path | None = None
        self._deaths: deque[float] = deque(maxlen=_DEATHS)
        self._known_problems: set[str] = set()
        self._last_sent = ""
        self._said = ""
        self._heard = 0.0
        self._ping = QTimer(self)
        self._ping.setInterval(_PING_MS)
        self._ping.timeout.connect(self._check_pulse)

    # life

    def start(self) -> None:
        """Start the engine in the background; ``state_changed`` tells how it goes."""
        if self._process is not None:
            return
        self._deaths.clear()
        remove_orphans()
        self._launch("starting")

    def stop(self) -> None:
        """End the engine. Requests that wait are dropped."""
        self._ping.stop()
        self._pending.clear()
        heard = self._ready()
        process, self._process = self._process, None
        self._drop_connection()
        if process is not None:
            process.finished.disconnect()
            process.errorOccurred.disconnect()
            # It ends by itself when the socket closes; it has nothing to save. While it starts it hears nothing.
            if not heard or not process.waitForFinished(1500):
                process.kill()
                process.waitForFinished(2000)
            process.deleteLater()
        for view in self._views.values():
            view.close()
        self._views.clear()
        self._set_state("stopped")

    def _set_state(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)

    def _launch(self, state: str) -> None:
        try:
            python = qgis_python()
        except PlannerError as error:
            self.last_error = error.code
            self._set_state("missing")
            self._fail_all(error)
            return
        self._set_state(state)
        self._token, self._said = secrets.token_hex(16), ""
        self._decoder = framing.Decoder()
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        if not self._server.listen(f"planner-{os.getpid()}-{secrets.token_hex(6)}"):
            self.last_error = self._server.errorString()
            self._set_state("failed")
            return
        self._server.newConnection.connect(self._connected)
        self._process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        for name in list(environment.keys()):
            # What belongs to the shell's Python and Qt would break the engine's.
            if name.startswith(("PYTHON", "QT_", "VIRTUAL_ENV")):
                environment.remove(name)
        environment.insert("QT_QPA_PLATFORM", "offscreen")
        self._process.setProcessEnvironment(environment)
        self._process.readyReadStandardError.connect(self._log_errors)
        self._process.finished.connect(self._died)
        self._process.errorOccurred.connect(self._process_error)
        self._process.setProcessChannelMode(QProcess.ProcessChannelMode.SeparateChannels)
        self._process.setStandardOutputFile(QProcess.nullDevice())
        self._process.start(python, [str(_MAIN), self._server.fullServerName()])
        self._process.write(f"{self._token}\n".encode())
        self._heard = time.monotonic()
        self._ping.start()

    def _log_errors(self) -> None:
        if self._process is not None:
            text = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace").strip()
            if text:
                self._said = text.splitlines()[-1]
                log.info("engine: %s", text)

    def _process_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._died()

    def _connected(self) -> None:
        if self._server is None:
            return
        socket = self._server.nextPendingConnection()
        if socket is None or self._socket is not None:
            return
        socket.readyRead.connect(self._read)
        self._socket = socket

    def _drop_connection(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.readyRead.disconnect()
            socket.abort()
            socket.deleteLater()
        server, self._server = self._server, None
        if server is not None:
            server.close()
            server.deleteLater()

    def _died(self, *_: object) -> None:
        """The engine ended without being asked to: start another one, unless it keeps dying."""
        process, self._process = self._process, None
        if process is None:
            return
        self._ping.stop()
        text = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip()
        said = text.splitlines()[-1] if text else self._said
        self.last_error = said or f"exit code {process.exitCode()}"
        log.info("the map engine ended (%s); the last message it was given: %s", self.last_error, self._last_sent)
        process.deleteLater()
        self._drop_connection()
        kept: dict[int, _Pending] = {}
        lost: list[_Pending] = []
        for number, pending in self._pending.items():
            if not pending.sent or (pending.resend is not None and pending.resend()):
                pending.sent = False
                kept[number] = pending
            elif pending.resend is None:
                lost.append(pending)
        self._pending = kept
        self._deaths.append(time.monotonic())
        died = PlannerError("engine.died", detail=self.last_error)
        if len(self._deaths) == _DEATHS and self._deaths[-1] - self._deaths[0] < _WITHIN_S:
            self._set_state("failed")
            self._fail_all(died)
        else:
            self._set_state("restarting")
            QTimer.singleShot(_RESTART_MS[min(len(self._deaths), len(_RESTART_MS)) - 1], self._relaunch)
        for pending in lost:
            if pending.failed is not None:
                pending.failed(died)

    def _relaunch(self) -> None:
        if self._process is None and self.state == "restarting":
            self._launch("restarting")

    def _fail_all(self, error: PlannerError) -> None:
        waiting, self._pending = list(self._pending.values()), {}
        for pending in waiting:
            if pending.failed is not None:
                pending.failed(error)

    def _check_pulse(self) -> None:
        """Ping; an engine that is silent for long hangs and is ended, which starts another one."""
        patience = _HUNG_S if self._ready() else _STARTING_S
        if any(pending.method in _HOLDING and pending.sent for pending in self._pending.values()):
            patience = _WORKING_S
        if time.monotonic() - self._heard > patience and self._process is not None:
            log.info("the map engine hangs; the last message it was given: %s", self._last_sent)
            self._process.kill()
        elif self._ready():
            number = self._next
            self._next += 1
            self._pending[number] = _Pending("ping", {}, lambda answer: None, None, None, sent=True)
            self._write(framing.request(number, "ping", {}), note=False)

    # messages

    def _ready(self) -> bool:
        return self.state in ("ready", "busy")

    def _read(self) -> None:
        if self._socket is None:
            return
        try:
            messages = self._decoder.feed(bytes(self._socket.readAll().data()))
        except framing.BrokenStream:
            log.exception("the map engine sent what is no message")
            if self._process is not None:
                self._process.kill()
            return
        self._heard = time.monotonic()
        for message in messages:
            self._handle(message)

    def _handle(self, message: framing.Message) -> None:
        if message.get("method") == "hello":
            self._greet(message.get("params", {}))
        elif not self._ready():
            log.warning("a message before the engine's greeting was dropped")
        elif message.get("method") == "picture":
            view = self._views.get(message["params"].get("view", ""))
            if view is not None:
                view.show_partial(message["params"])
        elif "id" in message:
            pending = self._pending.pop(int(message["id"]), None)
            self._update_busy()
            if pending is None:
                return
            if "error" in message:
                error = message["error"]
                if pending.failed is not None:
                    pending.failed(PlannerError(error["message"], **error.get("data", {})))
            else:
                pending.done(message.get("result", {}))

    def _greet(self, hello: dict[str, Any]) -> None:
        if not secrets.compare_digest(str(hello.get("token", "")), self._token):
            log.warning("a stranger connected to the engine's socket and was turned away")
            if self._socket is not None:
                self._socket.abort()
                self._socket = None
            return
        self.qgis_version, self.process_id = str(hello.get("qgis", "")), int(hello.get("process", 0))
        self.state = "ready"
        if self._project is not None:
            self._send_now("open", {"path": str(self._project)})
        for number, pending in self._pending.items():
            if not pending.sent:
                pending.sent = True
                self._write(framing.request(number, pending.method, pending.params))
        self.state_changed.emit("ready")
        self._update_busy()

    def _send_now(self, method: str, params: dict[str, Any]) -> None:
        def failed(error: PlannerError) -> None:
            self.last_error = str(error)
            if str(error) not in self._known_problems:
                self._known_problems.add(str(error))
                log.info("engine: %s: %s", method, error)
                self.problem.emit(error)

        def done(answer: dict[str, Any]) -> None:
            for one in answer.get("unreadable", ()):
                failed(PlannerError(one["code"], **one["params"]))

        number = self._next
        self._next += 1
        self._pending[number] = _Pending(method, params, done, failed, None, sent=True)
        self._write(framing.request(number, method, params))

    def _write(self, message: framing.Message, note: bool = True) -> None:
        if self._socket is not None:
            if note:
                self._last_sent = str(message)[:2000]
            self._socket.write(framing.encode(message))

    def _update_busy(self) -> None:
        if self._ready():
            renders = any(pending.method not in ("ping",) for pending in self._pending.values())
            self._set_state("busy" if renders else "ready")

    # what others use

    def open_project(self, path: Path) -> None:
        """Let the engine open a project file, now and after every restart."""
        self._project = Path(path)
        self._known_problems.clear()
        if self._ready():
            self._send_now("open", {"path": str(path)})
            self._update_busy()

    def close_project(self) -> None:
        """Let the engine let go of the file; returns when it has, or after a second."""
        self._project = None
        if not self._ready() or self._socket is None:
            return
        closed: list[bool] = []
        self.request("close", {}, lambda answer: closed.append(True), lambda error: closed.append(False))
        end = time.monotonic() + _CLOSE_S
        while not closed and self._socket is not None and (left := end - time.monotonic()) > 0:
            self._socket.waitForReadyRead(max(1, int(left * 1000)))

    def refresh_layers(self, ids: Sequence[str] | None = None) -> None:
        """Rows of these layers changed; None: layers, order or styles changed."""
        if self._ready():
            self._send_now("refresh", {"layers": list(ids) if ids is not None else None})

    def request(
        self,
        method: str,
        params: dict[str, Any],
        done: Done,
        failed: Failed | None = None,
        resend: Callable[[], bool] | None = None,
    ) -> int:
        """Ask the engine; exactly one of ``done`` and ``failed`` is called on this thread, unless cancelled.

        Args:
            method: the engine's method.
            params: JSON values.
            done, failed: called with the answer or a PlannerError.
            resend: asked after a crash: True if the request should go to the next engine.
        """
        number = self._next
        self._next += 1
        pending = _Pending(method, params, done, failed, resend)
        if self.state in ("missing", "failed"):
            error = PlannerError("engine.missing" if self.state == "missing" else "engine.not_running")
            if failed is not None:
                QTimer.singleShot(0, self, lambda: failed(error))
            return number
        self._pending[number] = pending
        if self._ready():
            pending.sent = True
            self._write(framing.request(number, method, params))
            self._update_busy()
        return number

    def cancel(self, request_id: int) -> None:
        """Forget a request; neither ``done`` nor ``failed`` is called any more."""
        pending = self._pending.pop(request_id, None)
        if pending is not None and pending.sent and self._ready():
            self._write(framing.notification("cancel", {"id": request_id}))
        self._update_busy()

    def view(self, view_id: str) -> RenderView:
        """The view of that name, made when first asked for."""
        if view_id not in self._views:
            self._views[view_id] = RenderView(self, view_id)
        return self._views[view_id]
