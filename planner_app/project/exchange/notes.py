"""What imports and exports tell about single rows and about the whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RowNote:
    """A row that was repaired or rejected: its number in the source from 1, the reason's code and its values."""

    row: int
    reason: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note:
    """A warning: code and values."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)


def note(code: str, **params: Any) -> Note:
    """A warning."""
    return Note(code, params)
