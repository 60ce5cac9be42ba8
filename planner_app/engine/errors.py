"""Errors the shell words: code and values, as ``PlannerError`` on the other side."""

from __future__ import annotations


class EngineError(Exception):
    """Something a person can act on. ``code`` has an entry in ``resources/i18n/messages/engine.toml``."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params
