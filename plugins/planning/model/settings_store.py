"""What crosswalk and matrix need of a project: its settings."""

from __future__ import annotations

from typing import Protocol


class Settings(Protocol):
    """Named texts kept in the project file."""

    def setting(self, key: str, default: str = "") -> str: ...
    def set_setting(self, key: str, value: str) -> None: ...
