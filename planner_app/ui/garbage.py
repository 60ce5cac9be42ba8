"""Cyclic garbage is collected on the window's thread only.

Python collects wherever the allocation happens that reaches the threshold; in a job's thread that could delete Qt
objects off the thread they live in, which crashes. So automatic collection is off while the window runs, and a timer
does it.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 1000


class Garbage(QObject):
    """Looks every second whether a generation is due, youngest first, as Python itself would."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._thresholds = gc.get_threshold()
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Take over: what start-up made is there to stay and is never looked at again."""
        gc.collect()
        gc.freeze()
        gc.disable()
        self._timer.start()

    def stop(self) -> None:
        """Hand back to Python."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

    def look(self) -> None:
        """Collect the oldest generation that is due."""
        due = [count > limit for count, limit in zip(gc.get_count(), self._thresholds, strict=True)]
        if any(due):
            gc.collect(2 if due[2] else 1 if due[1] else 0)
