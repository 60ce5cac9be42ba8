"""May a value or a geometry go to the server? Other programs can write into a file what belongs in no column."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo
from planner_app.project.geometry import to_wkb
from planner_app.sync import cells
from planner_app.sync.types import LayerDef

#: Type numbers of single geometries, and where the first stands in SpatiaLite's blob.
_TYPES: Final = {"point": 1, "line": 2, "polygon": 3}
_FIRST: Final = 39


class Wrong(Exception):  # noqa: N818 - carries a code to the one place that holds records back
    """Why a record is held back."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code, self.params = code, params


def cell(field: FieldInfo, value: Any) -> str | None:
    """A cell as text.

    Raises:
        Wrong: the value is none of the field's type.
    """
    try:
        return cells.encode(value, field.type)
    except cells.WrongCellError as error:
        shown = value if isinstance(value, int | float) else repr(value)[:80]
        raise Wrong("sync.wrong_value", field=field.name, type=field.type, value=shown) from error


def geometry_faults(blobs: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """What is wrong with geometries that SpatiaLite took, by record: (code, detail)."""
    import numpy as np
    import shapely

    faults: dict[str, tuple[str, str]] = {}
    shapes: list[Any] = []
    keys: list[str] = []
    for key, blob in blobs.items():
        try:
            shapes.append(to_wkb(blob) if isinstance(blob, bytes) else _refuse(type(blob).__name__))
            keys.append(key)
        except PlannerError as error:
            faults[key] = ("sync.wrong_geometry", str(error.params.get("detail", error.code)))
        except (struct.error, LookupError) as error:  # its parts are not what it says
            faults[key] = ("sync.wrong_geometry", str(error))
    try:
        with np.errstate(invalid="ignore"):
            made = shapely.from_wkb(np.array(shapes, dtype=object))
    except (shapely.errors.GEOSException, ValueError, TypeError) as error:
        if len(keys) > 1:  # one of them: look at each
            for key in keys:
                faults |= geometry_faults({key: blobs[key]})
        else:
            faults[keys[0]] = ("sync.wrong_geometry", str(error))
        return faults
    coordinates, index = shapely.get_coordinates(made, include_z=False, return_index=True)
    bad = set(index[~np.isfinite(coordinates).all(axis=1)].tolist())
    return faults | {keys[at]: ("sync.not_finite", "") for at in bad}


def _refuse(kind: str) -> Any:
    raise PlannerError("geometry.broken", row=0, detail=kind)


class Shapes:
    """Geometries of a layer as WKB, judged by the page; those of one part and ring (most are) without a parser."""

    def __init__(self, layer: LayerDef) -> None:
        kind, z = _TYPES.get(layer.geometry, 0), 1000 * layer.has_z
        self._single = kind == 1 and not layer.multi
        part = struct.pack("<I", kind + z)
        if self._single:
            self._head = part
            self._start = b"\x01"
        else:
            whole = struct.pack("<II", kind + 3 + z, 1)
            self._head = whole + b"\x69" + part + (struct.pack("<I", 1) if kind == 3 else b"")
            self._start = b"\x01" + whole + b"\x01"
        self._width = 3 if layer.has_z else 2
        self._least = {1: 0, 2: 2, 3: 4}.get(kind, 0)
        self._ring = kind == 3

    def wkb(self, uuids: Sequence[str], blobs: Sequence[Any]) -> tuple[list[bytes | None], dict[str, tuple[str, str]]]:
        """WKB of all, and what is wrong with some by UUID (code, detail)."""
        end = _FIRST + len(self._head)
        try:
            plain = [blob[_FIRST:end] == self._head and blob[:2] == b"\x00\x01" for blob in blobs]
        except TypeError:
            plain = [False] * len(blobs)  # there are some without
            for at, blob in enumerate(blobs):
                plain[at] = isinstance(blob, bytes) and blob[_FIRST:end] == self._head and blob[:2] == b"\x00\x01"
        ordinary = [blob for blob, one in zip(blobs, plain, strict=True) if one]
        if ordinary and not self._fine(ordinary, end):
            ordinary, plain = [], [False] * len(blobs)
        odd = {u: b for u, b, one in zip(uuids, blobs, plain, strict=True) if not one and b is not None}
        faults = geometry_faults(odd) if odd else {}
        start, skip = self._start, _FIRST if self._single else _FIRST + 9
        if len(ordinary) == len(blobs):
            return [start + blob[skip:-1] for blob in ordinary], faults
        return [
            start + blob[skip:-1] if one else None if blob is None or uuid in faults else to_wkb(blob)
            for uuid, blob, one in zip(uuids, blobs, plain, strict=True)
        ], faults

    def _fine(self, blobs: Sequence[bytes], start: int) -> bool:
        """Do they hold as many coordinates as they say, all numbers, rings closed?"""
        import numpy as np

        sizes = np.fromiter(map(len, blobs), np.int64, len(blobs))
        if self._least:
            counts = np.frombuffer(b"".join([blob[start : start + 4] for blob in blobs]), "<u4").astype(np.int64)
            start += 4
        else:
            counts = np.ones(len(blobs), np.int64)
        if (
            len(counts) != len(blobs)
            or (counts < self._least).any()
            or (sizes != start + 1 + 8 * self._width * counts).any()
        ):
            return False
        numbers = np.frombuffer(b"".join([blob[start:-1] for blob in blobs]), "<f8").reshape(-1, self._width)
        if not np.isfinite(numbers).all():
            return False
        ends = np.cumsum(counts)
        return not self._ring or bool((numbers[ends - counts, :2] == numbers[ends - 1, :2]).all())
