"""Cell values as text that gives back the same value, bit for bit, in SQLite, Python and PostgreSQL alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from planner_app.domain.layer import FieldType

_INTEGERS: Final = range(-(2**63), 2**63)


class WrongCellError(ValueError):
    """The value does not belong in a column of its type (other programs can write it all the same)."""


def _integer(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int) or value not in _INTEGERS:
        raise WrongCellError
    return str(value)


def _real(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongCellError
    if isinstance(value, int):  # SQLite keeps whole numbers in REAL columns as such only in expressions
        if int(float(value)) != value:
            raise WrongCellError
        value = float(value)
    if math.isnan(value):
        raise WrongCellError
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise WrongCellError
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise WrongCellError from error
    return value


def _boolean(value: Any) -> str:
    if value not in (0, 1) or isinstance(value, float):
        raise WrongCellError
    return "true" if value else "false"


def _date(value: Any) -> str:
    try:
        if isinstance(value, str) and date.fromisoformat(value).isoformat() == value:
            return value
    except ValueError:
        pass
    raise WrongCellError


def _blob(value: Any) -> str:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise WrongCellError
    return "\\x" + bytes(value).hex()


_ENCODE: Final[dict[FieldType, Callable[[Any], str]]] = {
    "integer": _integer, "real": _real, "text": _text, "boolean": _boolean, "date": _date,
    # As text on both sides: a moment's time zone and precision are part of what was written.
    "datetime": _text, "blob": _blob,
}  # fmt: skip
_DECODE: Final[dict[FieldType, Callable[[str], Any]]] = {
    "integer": int, "real": float, "text": str, "boolean": lambda text: int(text in ("true", "t")), "date": str,
    "datetime": str, "blob": lambda text: bytes.fromhex(text[2:]),
}  # fmt: skip
#: PostgreSQL's type of a field.
SERVER_TYPE: Final[dict[FieldType, str]] = {
    "integer": "bigint", "real": "double precision", "text": "text", "boolean": "boolean", "date": "date",
    "datetime": "text", "blob": "bytea",
}  # fmt: skip


def encode(value: Any, kind: FieldType) -> str | None:
    """A cell of SQLite as text; None for NULL.

    Raises:
        WrongCellError: the value is none of its type.
    """
    return None if value is None else _ENCODE[kind](value)


def decode(text: str | None, kind: FieldType) -> Any:
    """The text of :func:`encode` as SQLite stores it."""
    return None if text is None else _DECODE[kind](text)
