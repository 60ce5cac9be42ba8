"""The answer to one request, given now or later."""

from __future__ import annotations

import traceback
from collections.abc import Callable

from planner_app.engine.errors import EngineError
from planner_app.protocol import framing


class Reply:
    """Answers a request once; whatever comes after is dropped."""

    def __init__(self, send: Callable[[framing.Message], None], number: int, method: str) -> None:
        self._send, self._number, self._method = send, number, method
        self._open = True

    def __call__(self, value: framing.Message) -> None:
        """It is done."""
        self._answer(framing.result(self._number, value))

    def fail(self, error: Exception) -> None:
        """It failed; what nobody foresaw is named ``engine.failed`` and goes to the log with its trace."""
        if isinstance(error, EngineError):
            self._answer(framing.failure(self._number, error.code, error.params))
            return
        traceback.print_exception(error)
        detail = f"{type(error).__name__}: {error}"
        self._answer(framing.failure(self._number, "engine.failed", {"method": self._method, "detail": detail}))

    def _answer(self, message: framing.Message) -> None:
        if self._open:
            self._open = False
            self._send(message)
