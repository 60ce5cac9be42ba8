"""SQL spelling: the one place where identifiers become SQL text. Values are always bound."""

from __future__ import annotations

from collections.abc import Iterable


def quote(name: str) -> str:
    """An identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text literal, for the bodies of triggers (where nothing can be bound)."""
    return "'" + text.replace("'", "''") + "'"


def columns(names: Iterable[str], prefix: str = "") -> str:
    """Quoted names, comma-separated, each after ``prefix`` (``NEW.``)."""
    return ", ".join(prefix + quote(name) for name in names)


def marks(count: int) -> str:
    """``count`` question marks, comma-separated."""
    return ", ".join("?" * count)
