"""How long work reports where it is and learns that it was cancelled."""

from __future__ import annotations

from typing import Protocol

from planner_app.domain.errors import Cancelled


class Progress(Protocol):
    """What long work is handed. Methods may be called from any thread."""

    def update(self, fraction: float | None, stage: str = "") -> None:
        """Report a fraction from 0 to 1 (None: unknown) and, if it changed, the stage's message id."""

    def is_cancelled(self) -> bool:
        """True once the person has asked to stop."""


class NoProgress:
    """Progress nobody watches and nobody cancels."""

    def update(self, fraction: float | None, stage: str = "") -> None:
        return None

    def is_cancelled(self) -> bool:
        return False


class SubProgress:
    """A part of a longer job: maps 0…1 onto ``start``…``end`` of the whole."""

    def __init__(self, whole: Progress, start: float, end: float) -> None:
        self._whole, self._start, self._span = whole, start, end - start

    def update(self, fraction: float | None, stage: str = "") -> None:
        self._whole.update(None if fraction is None else self._start + self._span * fraction, stage)

    def is_cancelled(self) -> bool:
        return self._whole.is_cancelled()


def check(progress: Progress) -> None:
    """Raise :class:`Cancelled` if the person has asked to stop."""
    if progress.is_cancelled():
        raise Cancelled
