"""Long work off the UI thread: one place that starts it, shows it and cancels it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Literal

from PySide6.QtCore import QObject, Qt, Signal, Slot

from planner_app.domain.errors import Cancelled

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]

_log = logging.getLogger(__name__)
_EMIT_SECONDS = 0.05


class Job(QObject):
    """One piece of long work; also the :class:`planner_app.domain.progress.Progress` it is handed.

    ``changed`` is emitted on the UI thread at most 20 times a second while the work reports.
    """

    changed = Signal()
    _finished = Signal(object, object)

    def __init__(self, number: int, title: str, parent: QObject, listed: bool = True) -> None:
        super().__init__(parent)
        self.number = number
        self.title = title
        self.listed = listed
        self.state: JobState = "waiting"
        self.fraction: float | None = None
        self.stage = ""
        self.error: Exception | None = None
        self.started = time.monotonic()
        self.ended: float | None = None
        self._cancel = threading.Event()
        self._last_emit = 0.0
        self._callbacks: tuple[Callable[[Any], None] | None, Callable[[Exception], None] | None] = (None, None)
        # Explicitly queued: the work's thread emits, the UI thread finishes.
        self._finished.connect(self._finish, Qt.ConnectionType.QueuedConnection)

    def update(self, fraction: float | None, stage: str = "") -> None:
        """Report progress; callable from any thread."""
        self.fraction = fraction
        if stage:
            self.stage = stage
        now = time.monotonic()
        if now - self._last_emit >= _EMIT_SECONDS:
            self._last_emit = now
            self.changed.emit()

    def is_cancelled(self) -> bool:
        """True once cancelling was asked for."""
        return self._cancel.is_set()

    def cancel(self) -> None:
        """Ask the work to stop."""
        if self.is_active():
            self._cancel.set()
            self.changed.emit()

    def is_active(self) -> bool:
        """True while waiting or running."""
        return self.state in ("waiting", "running")

    @Slot(object, object)
    def _finish(self, result: Any, error: Exception | None) -> None:
        self.ended = time.monotonic()
        self.error = error
        if isinstance(error, Cancelled):
            self.state = "cancelled"
        else:
            self.state = "failed" if error else "done"
        self.changed.emit()
        done, failed = self._callbacks
        self._callbacks = (None, None)
        if self.state == "done" and done is not None:
            done(result)
        elif self.state == "failed" and failed is not None and error is not None:
            failed(error)
        if not self.listed:
            self.deleteLater()

    def seconds(self) -> float:
        """Time since the start, or what it took."""
        return (self.ended or time.monotonic()) - self.started


class JobRunner(QObject):
    """Runs jobs on threads of its own. ``done`` and ``failed`` run on the UI thread; cancelling is silent.

    ``failed_unhandled(Exception)`` is emitted for an error whose job named no ``failed``.
    """

    changed = Signal()
    failed_unhandled = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # Python's own threads, not QThreadPool's: those lose their thread state, and with it pyproj's PROJ context,
        # after every job; a CRS or transformer kept from an earlier job then crashes the process (seen).
        self._pool = ThreadPoolExecutor(max(3, os.cpu_count() or 1), thread_name_prefix="job")
        self._futures: set[Future[None]] = set()
        self._number = 0
        self._ended = False
        self.jobs: list[Job] = []

    def run(
        self,
        title: str,
        work: Callable[[Job], Any],
        done: Callable[[Any], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        *,
        listed: bool = True,
    ) -> Job:
        """Start ``work(progress)`` and return its job at once.

        Args:
            title: what the person reads in the job list.
            listed: False for quick background reads (search, counts) that need no line in the list.
        """
        self._number += 1
        job = Job(self._number, title, self, listed)
        if listed:
            self._list(job)

        job._callbacks = (done, failed if failed is not None else self.failed_unhandled.emit)

        def body() -> None:
            job.state = "running"
            job.started = time.monotonic()
            job.changed.emit()
            result: Any = None
            error: Exception | None = None
            try:
                if job.is_cancelled():
                    raise Cancelled
                result = work(job)
            except Cancelled as stop:
                error = stop
            except Exception as problem:
                error = problem
                _log.info("job %r failed", title, exc_info=True)
            job._finished.emit(result, error)

        future = self._pool.submit(body)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        self.changed.emit()
        return job

    def show(self, job: Job) -> None:
        """List a running job that was started unlisted: it takes longer than thought."""
        if job.is_active() and not job.listed:
            job.listed = True
            self._list(job)
            self.changed.emit()

    def _list(self, job: Job) -> None:
        self.jobs.append(job)
        del self.jobs[:-50]
        job.changed.connect(self.changed)

    def active(self) -> list[Job]:
        """Listed jobs that wait or run; none once everything was shut down, whatever has not been told yet."""
        return [] if self._ended else [job for job in self.jobs if job.is_active()]

    def shutdown(self, seconds: float = 5.0) -> bool:
        """Cancel everything and wait; True if all threads came back in time. No job can be started afterwards."""
        for job in self.children():
            if isinstance(job, Job):
                job.cancel()
        self._ended = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        # Only now: one that is cancelled before it began leaves the set, and would never count as done.
        return not wait(set(self._futures), seconds).not_done
