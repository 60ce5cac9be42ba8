"""Cell values on their way into SQLite: checked against the field's type, plain Python types only.

SQLite would take any value in any column; text in an INTEGER column then breaks readers and a later sync.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Final

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, FieldType

_INTEGER_RANGE: Final = range(-(2**63), 2**63)


class _WrongError(Exception):
    """The value does not fit the type."""


def _integer(value: Any) -> int | None:
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if not value.is_integer():
            raise _WrongError
        value = int(value)
    if not isinstance(value, int) or value not in _INTEGER_RANGE:
        raise _WrongError
    return int(value)


def _real(value: Any) -> float | None:
    if not isinstance(value, int | float):
        raise _WrongError
    return None if math.isnan(value) else float(value)


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or "\x00" in value:
        raise _WrongError
    try:
        value.encode()
    except UnicodeEncodeError as error:  # a lone surrogate, from a badly decoded source
        raise _WrongError from error
    return str(value)


def _boolean(value: Any) -> int | None:
    if isinstance(value, float) and math.isnan(value):
        return None
    if value not in (0, 1):
        raise _WrongError
    return int(value)


def _date(value: Any) -> str | None:
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError as error:
            raise _WrongError from error
    raise _WrongError


def _datetime(value: Any) -> str | None:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        try:
            datetime.fromisoformat(value)
        except ValueError as error:
            raise _WrongError from error
        return value
    raise _WrongError


def _blob(value: Any) -> bytes | None:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise _WrongError
    return bytes(value)


_CONVERT: Final[dict[FieldType, Callable[[Any], Any]]] = {
    "integer": _integer, "real": _real, "text": _text, "boolean": _boolean, "date": _date, "datetime": _datetime,
    "blob": _blob,
}  # fmt: skip


def _are_stored(kind: FieldType, values: Sequence[Any]) -> bool:
    """True for a column that is already as SQLite stores it, seen as a whole: most columns are."""
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return True
    if len(kinds) > 1 or kinds != {_STORED.get(kind)}:
        return False
    present = [value for value in values if value is not None]
    if kind == "text":
        joined = "".join(present)
        return "\x00" not in joined and (joined.isascii() or _encodes(joined))
    if kind == "real":
        return not math.isnan(sum(present))
    return kind != "integer" or (min(present) in _INTEGER_RANGE and max(present) in _INTEGER_RANGE)


_STORED: Final[dict[FieldType, type]] = {"integer": int, "real": float, "text": str, "blob": bytes}


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def to_sql(field: FieldInfo, values: Sequence[Any], layer: str, first_row: int = 0) -> list[Any]:
    """Values of a column as SQLite stores them: None for missing (None, NaN, NaT), ISO text for dates.

    Raises:
        PlannerError: ``field.value_wrong`` with layer, field, row and value.
    """
    convert = _CONVERT[field.type]
    plain = values.tolist() if hasattr(values, "tolist") else values
    if _are_stored(field.type, plain):
        return list(plain)
    made: list[Any] = []
    for row, value in enumerate(plain):
        if value is None:
            made.append(None)
            continue
        if hasattr(value, "item"):
            value = value.item()
        try:
            made.append(None if value is None or value != value else convert(value))
        except _WrongError:
            raise PlannerError(
                "field.value_wrong", layer=layer, field=field.name, type=field.type, row=first_row + row, value=value
            ) from None
    return made
