"""The engine's end of the socket: reads requests, hands them to their method, sends answers and pictures."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.core import Qgis
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtNetwork import QLocalSocket

from planner_app.engine.errors import EngineError
from planner_app.engine.layers import LayerSet
from planner_app.engine.layout import map_sheet, print_sheet
from planner_app.engine.plugins import Plugins
from planner_app.engine.render import Renderer
from planner_app.engine.reply import Reply
from planner_app.engine.snapshot import Snapshots
from planner_app.protocol import framing


class Server(QObject):
    """Serves one shell. Methods answer at once or keep their reply for later; an exception becomes an error answer."""

    closed = pyqtSignal()

    def __init__(self, socket_name: str, token: str) -> None:
        super().__init__()
        self._name, self._token = socket_name, token
        self._decoder = framing.Decoder()
        self._socket = QLocalSocket()
        self.layers = LayerSet()
        self._renderer = Renderer(self.layers, self._send)
        self._snapshots = Snapshots(self.layers)
        self._plugins = Plugins()
        self._methods: dict[str, Callable[[framing.Message, int, Reply], None]] = {
            "ping": lambda params, number, answer: answer({}),
            "open": self._open,
            "close": self._close,
            "refresh": self._refresh,
            "render": self._renderer.render,
            "snapshot": self._snapshots.start,
            "legend": self._legend,
            "print": self._print,
            "statistics": lambda params, number, answer: answer(self._renderer.statistics()),
            "algorithm": lambda params, number, answer: answer(self._plugins.run(params, self.layers)),
        }

    def connect_to_shell(self) -> bool:
        """Connect and introduce ourselves."""
        self._socket.connectToServer(self._name)
        if not self._socket.waitForConnected(5000):
            return False
        self._socket.readyRead.connect(self._read)
        self._socket.disconnected.connect(self.closed)
        hello = {"token": self._token, "qgis": Qgis.version(), "process": os.getpid()}
        self._send(framing.notification("hello", hello))
        return True

    def error_text(self) -> str:
        """Why connecting failed."""
        return str(self._socket.errorString())

    def stop(self) -> None:
        """The shell is gone."""
        self._renderer.remove_pixels()

    def _send(self, message: framing.Message) -> None:
        self._socket.write(framing.encode(message))
        self._socket.flush()

    def _read(self) -> None:
        try:
            messages = self._decoder.feed(bytes(self._socket.readAll()))
        except framing.BrokenStream as error:
            print(f"broken stream: {error}", file=sys.stderr)
            self.closed.emit()
            return
        for message in messages:
            self._handle(message)

    def _handle(self, message: framing.Message) -> None:
        method, params = message.get("method", ""), message.get("params", {})
        number = message.get("id")
        if method == "cancel":
            self._renderer.cancel(int(params["id"]))
            self._snapshots.cancel(int(params["id"]))
            return
        if number is None:
            return
        reply = Reply(self._send, number, method)
        try:
            if method not in self._methods:
                raise EngineError("engine.unknown_method", method=method)
            self._methods[method](params, number, reply)
        except Exception as error:  # whatever happens, the shell gets an answer
            reply.fail(error)

    def _close(self, params: framing.Message, number: int, answer: Reply) -> None:
        self._snapshots.close()
        self._renderer.close()
        self.layers.close()
        answer({})

    def _open(self, params: framing.Message, number: int, answer: Reply) -> None:
        self._snapshots.close()
        self._renderer.close()
        self.layers.close()
        answer({"layers": self.layers.open(params["path"]), "unreadable": self._unreadable()})

    def _refresh(self, params: framing.Message, number: int, answer: Reply) -> None:
        ids: Any = params.get("layers")
        changed = self.layers.read_registry() if ids is None else self.layers.reload(ids)
        self._renderer.invalidate(changed)
        answer({"changed": changed, "unreadable": self._unreadable()})

    def _unreadable(self) -> list[framing.Message]:
        return [{"code": error.code, "params": error.params} for error in self.layers.unreadable.values()]

    def _legend(self, params: framing.Message, number: int, answer: Reply) -> None:
        answer({"entries": self.layers.legend(params["layer"], params.get("size", 18))})

    def _print(self, params: framing.Message, number: int, answer: Reply) -> None:
        wanted = params.get("layout")
        fill = self._plugins.layout(Path(wanted["folder"]), wanted["name"]) if wanted else map_sheet
        answer(print_sheet(self.layers, params, fill))
