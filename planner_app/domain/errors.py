"""Errors as codes and parameters. They are worded only at the edge, by ``planner_app.i18n.word_error``."""

from __future__ import annotations


class PlannerError(Exception):
    """Something a person can understand and act on.

    Args:
        code: dotted code with an entry in ``resources/i18n/messages/*.toml``, e.g. ``import.crs_missing``.
        params: values named in that entry's sentence (file, layer, field, row, …).
    """

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        shown = ", ".join(f"{key}={value!r}" for key, value in self.params.items())
        return f"{self.code}({shown})"


class Cancelled(Exception):  # noqa: N818 - not an error: the person asked for it
    """The person cancelled; nothing is half-written and nothing is said."""
