"""Quick work off the UI thread that nobody watches: picks, areas, outlines, snapping. Newest of a kind wins."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

log = logging.getLogger(__name__)

SWITCH_SECONDS = 0.0005


class Background(QObject):
    """Runs functions in threads and hands their results back on the UI thread.

    Work is submitted under a key; submitting again under the same key supersedes what is waiting and drops the result
    of what is running, so that a fast hand never queues up old work.
    """

    _finished = Signal(str, int, object, object, object)

    def __init__(self, parent: QObject | None = None, threads: int = 2) -> None:
        super().__init__(parent)
        # A paint hands Python's lock over and takes it back dozens of times. At the default of 5 ms each, one busy
        # thread blocked the window for 110 ms (90,000 features selected); at 0.5 ms for 50.
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))
        self._pool: ThreadPoolExecutor | None = ThreadPoolExecutor(threads, thread_name_prefix="canvas")
        self._newest: dict[str, int] = {}
        self._waiting: dict[str, Future[None]] = {}
        self._number = 0
        self._finished.connect(self._deliver)

    def run(
        self,
        key: str,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Run ``work`` in a thread; ``done`` (or ``failed``) is called on the UI thread unless superseded."""
        if self._pool is None:
            return
        self._number += 1
        number = self._number
        self._newest[key] = number
        if (waiting := self._waiting.get(key)) is not None:
            waiting.cancel()
        self._waiting[key] = self._pool.submit(self._work, key, number, work, done, failed)

    def drop(self, key: str) -> None:
        """Forget what runs or waits under a key."""
        self._newest.pop(key, None)
        if (waiting := self._waiting.pop(key, None)) is not None:
            waiting.cancel()

    def busy(self, key: str) -> bool:
        """True while the newest work under a key has not been delivered."""
        return key in self._newest

    def close(self) -> None:
        """Wait for what runs and deliver nothing more."""
        self._newest.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _work(self, key: str, number: int, work: Callable[[], Any], done: Any, failed: Any) -> None:
        if self._newest.get(key) != number:
            return
        try:
            result, error = work(), None
        except Exception as caught:
            result, error = None, caught
        if self._newest.get(key) == number:
            self._finished.emit(key, number, result, error, (done, failed))

    @Slot(str, int, object, object, object)
    def _deliver(self, key: str, number: int, result: Any, error: Exception | None, calls: Any) -> None:
        if self._newest.get(key) != number:
            return
        del self._newest[key]
        self._waiting.pop(key, None)
        done, failed = calls
        if error is None:
            done(result)
        elif failed is not None:
            failed(error)
        else:
            log.warning("background work %r failed", key, exc_info=error)
