"""Records from their sealed form: the inverse of :func:`canonical.plain`, by the fields' types.

A record that has gained fields since then takes their defaults; what a later program no longer knows is an error, since
leaving it out would change what is computed.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from planner_app.domain.errors import PlannerError

T = TypeVar("T")


def restore(kind: type[T], data: Any) -> T:
    """A value of this type from JSON types.

    Raises:
        PlannerError: ``review.seal_shape`` naming the type and the field.
    """
    made: T = _value(kind, data, kind.__name__)
    return made


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    from shapely.geometry.base import BaseGeometry

    return typing.get_type_hints(kind, localns={"BaseGeometry": BaseGeometry})


def _value(kind: Any, data: Any, where: str) -> Any:
    try:
        return _built(kind, data, where)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise PlannerError("review.seal_shape", field=where, detail=str(error)) from error


def _built(kind: Any, data: Any, where: str) -> Any:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return _untagged(data)
    if origin in (typing.Union, types.UnionType):
        if data is None:
            return None
        return _value(next(one for one in inner if one is not type(None)), data, where)
    if origin is tuple:
        if len(inner) == 2 and inner[1] is Ellipsis:
            return tuple(_value(inner[0], one, f"{where}[{at}]") for at, one in enumerate(data))
        return tuple(_value(one, part, where) for one, part in zip(inner, data, strict=True))
    if origin is list:
        return [_value(inner[0], one, where) for one in data]
    if origin is not None and issubclass(origin, Mapping):
        pairs = data["@map"] if "@map" in data else data.items()
        return {_key(inner[0], key): _value(inner[1], one, f"{where}.{key}") for key, one in pairs}
    if is_dataclass(kind):
        return _record(kind, data, where)
    if issubclass(kind, Enum):
        return kind(data)
    if issubclass(kind, date):
        return date.fromisoformat(data["@date"] if isinstance(data, dict) else data)
    if issubclass(kind, bytes):
        return bytes.fromhex(data)
    if kind.__module__.startswith("shapely"):
        import shapely

        try:
            return shapely.from_wkb(data)
        except shapely.errors.ShapelyError as error:
            raise ValueError(str(error)) from error
    return _plain_value(kind, data)


def _untagged(data: Any) -> Any:
    """Values of no stated type (a rule's parameters)."""
    if isinstance(data, list):
        return [_untagged(one) for one in data]
    if not isinstance(data, dict):
        return data
    if data.keys() == {"@date"}:
        return date.fromisoformat(data["@date"])
    pairs = data["@map"] if data.keys() == {"@map"} else data.items()
    return {key: _untagged(one) for key, one in pairs}


def _plain_value(kind: Any, data: Any) -> Any:
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return data  # an int given where a float is meant stays one: its sealed form tells
    if not isinstance(data, kind):
        raise TypeError(f"{kind.__name__}: {data!r:.60}")
    return data


def _key(kind: Any, key: str) -> Any:
    if kind in (int, float):
        return kind(key)
    return kind(key) if isinstance(kind, type) and issubclass(kind, Enum) else key


def _record(kind: Any, data: Mapping[str, Any], where: str) -> Any:
    hints, known = _hints(kind), {one.name: one for one in fields(kind)}
    if strange := sorted(data.keys() - known.keys()):
        raise TypeError(f"{kind.__name__}: {', '.join(strange)}")
    missing = [
        name
        for name, one in known.items()
        if name not in data and one.default is MISSING and one.default_factory is MISSING
    ]
    if missing:
        raise TypeError(f"{kind.__name__}: {', '.join(missing)}")
    return kind(**{name: _value(hints[name], one, f"{where}.{name}") for name, one in data.items()})
