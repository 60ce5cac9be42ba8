"""The commonest geometries made blobs without taking them apart: points, lines and polygons of one part without holes.

Little-endian ISO WKB, as PostGIS and shapely write it. Boxes and checks are worked out over all coordinates at once.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from planner_app.domain.layer import Geometry

if TYPE_CHECKING:
    import numpy as np

#: single and multi type number, points at least, is there a count of points, are there rings
_KINDS: Final[dict[Geometry, tuple[int, int, int, bool, bool]]] = {
    "point": (1, 4, 1, False, False), "line": (2, 5, 2, True, False), "polygon": (3, 6, 4, True, True),
}  # fmt: skip
_HEADER: Final = 39


def blobs(
    wkb: Sequence[bytes | None], geometry: Geometry, srid: int, *, has_z: bool, multi: bool
) -> tuple[list[bytes | None], np.ndarray[Any, Any]]:
    """Blobs and boxes (xmin, ymin, xmax, ymax) of those that are plain; None and NaN for others.

    Args:
        has_z: whether those with Z are plain, or those without.
        multi: single ones become multi; without it multi ones are not plain.
    """
    import numpy as np

    made: list[bytes | None] = [None] * len(wkb)
    boxes = np.full((len(wkb), 4), np.nan)
    rows, bodies = _bodies(wkb, geometry, has_z, multi)
    least, counted, ringed = _KINDS[geometry][2:]
    width = 24 if has_z else 16
    size = np.array([len(body) for body in bodies], np.int64) - (4 if counted else 0)
    good = (size % width == 0) & (size >= least * width)
    if counted:
        said = np.frombuffer(b"".join([body[:4].ljust(4, b"\0") for body in bodies]), "<u4")
        good &= said == size // width
    else:
        good &= size == width
    if not good.all():
        kept = np.flatnonzero(good).tolist()
        rows, bodies, size = [rows[n] for n in kept], [bodies[n] for n in kept], size[good]
    if not rows:
        return made, boxes
    places = np.frombuffer(b"".join([body[4:] for body in bodies] if counted else bodies), "<f8").reshape(
        -1, width // 8
    )
    ends = np.cumsum(size // width)
    starts = ends - size // width
    with np.errstate(invalid="ignore"):
        low, high = np.minimum.reduceat(places, starts), np.maximum.reduceat(places, starts)
    fine: np.ndarray[Any, Any] = np.isfinite(np.concatenate([low, high], axis=1)).all(axis=1)
    if ringed:
        fine &= (places[starts, :2] == places[ends - 1, :2]).all(axis=1)
    found = np.concatenate([low[:, :2], high[:, :2]], axis=1)
    heads = _heads(geometry, srid, found, has_z, multi)
    step = len(heads) // len(rows)
    for number, (row, body, ok) in enumerate(zip(rows, bodies, fine.tolist(), strict=True)):
        if ok:
            made[row] = heads[number * step : number * step + step] + body + b"\xfe"
    boxes[np.array(rows)[fine]] = found[fine]
    return made, boxes


def _bodies(wkb: Sequence[bytes | None], geometry: Geometry, has_z: bool, multi: bool) -> tuple[list[int], list[bytes]]:
    """Which rows have the type and one part, and what follows that: the number of points, if it is said, and these."""
    single, many, _, _, ringed = _KINDS[geometry]
    extra = 1000 if has_z else 0
    one = struct.pack("<BI", 1, single + extra) + (struct.pack("<I", 1) if ringed else b"")
    part = struct.pack("<BII", 1, many + extra, 1) + one
    skip, skip_part = len(one), len(part)
    rows, bodies = [], []
    for row, text in enumerate(wkb):
        if not isinstance(text, bytes):
            continue
        if text[:skip] == one:
            rows.append(row)
            bodies.append(text[skip:])
        elif multi and text[:skip_part] == part:
            rows.append(row)
            bodies.append(text[skip_part:])
    return rows, bodies


def _heads(geometry: Geometry, srid: int, boxes: np.ndarray[Any, Any], has_z: bool, multi: bool) -> bytes:
    """What stands before the body in each blob, laid end to end."""
    import numpy as np

    single, many, _, _, ringed = _KINDS[geometry]
    extra = 1000 if has_z else 0
    kind = struct.pack("<I", single + extra) + (struct.pack("<I", 1) if ringed else b"")
    if multi:
        kind = struct.pack("<II", many + extra, 1) + b"\x69" + kind
    heads = np.empty((len(boxes), _HEADER + len(kind)), np.uint8)
    heads[:, :6] = np.frombuffer(struct.pack("<BBi", 0, 1, srid), np.uint8)
    heads[:, 6:38] = np.ascontiguousarray(boxes).view(np.uint8)
    heads[:, 38] = 0x7C
    heads[:, _HEADER:] = np.frombuffer(kind, np.uint8)
    return heads.tobytes()
