"""Values as JSON of one form: the same content always gives the same bytes, whoever writes it.

UTF-8, keys sorted, no spaces, no NaN; floats in their shortest form that reads back to the same bits; geometry as
hexadecimal WKB (little endian); dates in ISO 8601.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import Any

from planner_app.domain.errors import PlannerError


def plain(value: Any, *, exact: bool = False) -> Any:
    """A value as JSON types. Records become objects of their fields.

    Args:
        exact: so that :func:`restore.restore` makes the same value of it: mappings keep their order (the first entry
            that fits decides in conventions) as ``{"@map": [[key, value], …]}``, dates are told from texts.

    Raises:
        PlannerError: ``review.seal_value`` for what has no such form.
    """
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):  # texts of damaged drawings hold halves of surrogate pairs, which no UTF-8 can
        return value if value.isprintable() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, date):
        return {"@date": value.isoformat()} if exact else value.isoformat()
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, Mapping):
        pairs = [[str(plain(key)), plain(one, exact=exact)] for key, one in value.items()]
        return {"@map": pairs} if exact else dict(pairs)
    if isinstance(value, (list, tuple)):
        return [plain(one, exact=exact) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(one) for one in value), key=canonical)
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name), exact=exact) for one in fields(value)}
    if hasattr(value, "geom_type"):
        return wkb_hex(value)
    if hasattr(value, "tolist"):  # NumPy arrays and scalars
        return plain(value.tolist())
    raise PlannerError("review.seal_value", type=type(value).__name__)


def wkb_hex(geometry: Any) -> str:
    """A geometry's little-endian WKB in hexadecimal."""
    import shapely

    return str(shapely.to_wkb(geometry, hex=True, byte_order=1)).lower()


def canonical(data: Any) -> bytes:
    """JSON types as bytes of the one form."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def digest(data: Any) -> str:
    """SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical(data)).hexdigest()


def parts(content: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of every entry of every section, by which a change is named: ``conditions.far_max``, ``findings[3]``."""
    found: dict[str, str] = {}
    for section, value in content.items():
        if isinstance(value, Mapping) and value:
            found |= {f"{section}.{key}": digest(one) for key, one in value.items()}
        elif isinstance(value, list) and value:
            found |= {f"{section}[{at}]": digest(one) for at, one in enumerate(value)}
        else:
            found[section] = digest(value)
    return found


def changed_parts(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Names of entries that differ, are missing or came anew, in order."""
    return [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]


def differences(before: Any, after: Any, path: str = "", most: int = 200) -> list[tuple[str, Any, Any]]:
    """Where two values of JSON types differ: (path, before, after), at most ``most``.

    Numbers are compared exactly: 1.0 and the next float are two values.
    """
    found: list[tuple[str, Any, Any]] = []
    _compare(before, after, path, found, most)
    return found


def _compare(before: Any, after: Any, path: str, found: list[tuple[str, Any, Any]], most: int) -> None:
    if len(found) >= most:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            _compare(before.get(key), after.get(key), f"{path}.{key}" if path else key, found, most)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (one, other) in enumerate(zip(before, after, strict=True)):
            _compare(one, other, f"{path}[{at}]", found, most)
    elif before != after or type(before) is not type(after):
        found.append((path, before, after))
