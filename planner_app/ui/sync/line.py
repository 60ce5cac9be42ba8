"""One thread that holds one connection to the server. Whoever asks never waits for it on the UI thread."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot
from shiboken6 import isValid

from planner_app.domain.errors import Cancelled, PlannerError

if TYPE_CHECKING:
    from planner_app.sync.transport import Transport

T = TypeVar("T")
Open = Callable[[], "Transport"]
_log = logging.getLogger(__name__)
#: A connection nobody used for so long is given back.
IDLE_SECONDS = 300.0
_LOOK_SECONDS = 0.1


class _Post(QObject):
    """Carries calls from lines' threads to the UI thread.

    One for all, and never deleted: a thread that outlives its line's widget must find it.
    """

    posted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.posted.connect(self._run, Qt.ConnectionType.QueuedConnection)

    @Slot(object)
    def _run(self, call: Callable[[], None]) -> None:
        call()


_posts: list[_Post] = []


def _post() -> _Post:
    if not _posts:
        _posts.append(_Post())
    return _posts[0]


class Line(QObject):
    """Work is done one after the other, over one connection that is opened when first needed.

    After ``sync.offline`` the connection is thrown away; the next work opens a new one. ``failed(error)`` and
    ``worked()`` tell, on the UI thread, how the line itself fares.
    """

    worked = Signal()
    failed = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._tasks: queue.SimpleQueue[tuple[Open | None, Callable[[Transport], Any], Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._thread: threading.Thread | None = None
        self._open: Open | None = None
        self._post = _post()
        tasks = self._tasks
        self.destroyed.connect(lambda *_: tasks.put(None))  # its dialog went

    def connect_by(self, open_: Open | None) -> None:
        """How to get a connection from now on; the one there is goes when the next work begins, at once for None."""
        if open_ is not self._open:
            self._open = open_
            if open_ is None and self._thread is not None:
                self._tasks.put((None, lambda _transport: None, Future()))

    def call(self, work: Callable[[Transport], T]) -> Future[T]:
        """Do ``work(transport)`` on the line; the future is for another thread to wait for."""
        future: Future[T] = Future()
        self._tasks.put((self._open, work, future))
        if self._thread is None:
            # A daemon: a call that hangs in the network must not keep the program from ending.
            self._thread = threading.Thread(target=self._run, name=f"line-{self._name}", daemon=True)
            self._thread.start()
        return future

    def ask(
        self, work: Callable[[Transport], T], done: Callable[[T], None], failed: Callable[[Exception], None]
    ) -> None:
        """As :meth:`call`; ``done`` or ``failed`` is called on the UI thread."""
        self.call(work).add_done_callback(
            lambda future: self._post.posted.emit(lambda: self._deliver(future, done, failed))
        )

    def wait(self, work: Callable[[Transport], T], is_cancelled: Callable[[], bool]) -> T:
        """As :meth:`call`, waiting here: for a job's thread. Cancelling ends the waiting at once.

        Raises:
            Cancelled: cancelled; the line notices by itself and is free again later.
        """
        future = self.call(work)
        while True:
            try:
                return future.result(_LOOK_SECONDS)
            except TimeoutError:
                if future.done():  # the work's own
                    raise
                if is_cancelled():
                    raise Cancelled from None

    def close(self, seconds: float = 2.0) -> None:
        """Give the connection back and end the thread; a hanging call is left to itself."""
        if self._thread is not None:
            self._tasks.put(None)
            self._thread.join(seconds)
            self._thread = None

    def _deliver(self, future: Future[Any], done: Any, failed: Any) -> None:
        if not isValid(self):  # whoever asked has gone meanwhile
            return
        error = future.exception()
        if error is None:
            done(future.result())
        elif not isinstance(error, Cancelled):
            failed(error)

    def _run(self) -> None:
        transport: Transport | None = None
        opened: Open | None = None
        while True:
            try:
                task = self._tasks.get(timeout=IDLE_SECONDS if transport is not None else None)
            except queue.Empty:
                _close(transport)
                transport = None
                continue
            if task is None:
                _close(transport)
                return
            open_, work, future = task
            if open_ is not opened:
                _close(transport)
                transport, opened = None, open_
            if open_ is None:
                future.set_exception(PlannerError("sync.not_connected"))
                continue
            try:
                if transport is None:
                    transport = open_()
                result = work(transport)
            except BaseException as error:
                if isinstance(error, PlannerError):
                    self._tell(error)
                elif not isinstance(error, Cancelled):
                    _log.info("line %s", self._name, exc_info=True)
                if not isinstance(error, PlannerError) or error.code == "sync.offline":
                    _close(transport)  # nobody knows what state it is in
                    transport = None
                future.set_exception(error)
            else:
                self._tell(None)
                future.set_result(result)

    def _tell(self, error: PlannerError | None) -> None:
        def tell() -> None:
            if isValid(self) and error is not None:
                self.failed.emit(error)
            elif isValid(self):
                self.worked.emit()

        self._post.posted.emit(tell)


def _close(transport: Transport | None) -> None:
    if transport is not None:
        with suppress(Exception):
            transport.close()
