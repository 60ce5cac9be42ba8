"""A line to a PostgreSQL server that breaks when told to: a Unix socket that hands on to another one."""

from __future__ import annotations

import select
import socket
import threading
from pathlib import Path


class CutProxy:
    """Listens in its own folder; every connection goes to the server behind it.

    Attributes:
        host: what to say as ``host=`` (with ``port=5432``).
        budget: bytes that may still pass in both directions together, None: any number.
        trap: once this text has gone to the server, nothing comes back any more and the line breaks.
    """

    def __init__(self, folder: Path, upstream: str, port: int = 5432) -> None:
        self.host = str(folder)
        self._upstream = f"{upstream}/.s.PGSQL.{port}"
        self.budget: int | None = None
        self.trap: bytes = b""
        self.passed = 0
        self.cuts = 0
        self._closing = False
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{folder}/.s.PGSQL.5432")
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._upstream)
        trapped = False
        with client, server:
            while True:
                ready, _, _ = select.select([client, server], [], [])
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    if source is server and trapped:
                        self.cuts += 1
                        return
                    if source is client and self.trap and self.trap in data:
                        trapped, self.trap = True, b""
                    if self.budget is not None and self.budget < len(data):
                        data = data[: self.budget]
                    self.passed += len(data)
                    (server if source is client else client).sendall(data)
                    if self.budget is not None:
                        self.budget -= len(data)
                        if self.budget <= 0:
                            self.cuts += 1
                            return
