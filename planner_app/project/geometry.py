"""Geometry in and out of the file: WKB on our side, SpatiaLite's blob on the file's.

The blob is the WKB behind a header (srid, bounding box), with a marker in place of the byte order of each part
(https://www.gaia-gis.it/gaia-sins/BLOB-Geometry.html). Slicing is as fast as ``AsBinary`` and needs no extension, so
reading connections go without; bounding boxes come from the header for free.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import Geometry
from planner_app.project import plain_shapes

if TYPE_CHECKING:
    import numpy as np

_HEADER = struct.Struct("<BBi4dB")
_BOX = struct.Struct("<4d")
_COUNT = struct.Struct("<I")
_PART = b"\x69"
_END = b"\xfe"
_ONE_PART = {kind: struct.pack("<II", kind, 1) for kind in (4, 5, 6, 1004, 1005, 1006)}
_WKB_ONE_PART = {part: b"\x01" + part + b"\x01" for part in _ONE_PART.values()}
#: single and multi type number (WKB, ISO) of each kind of layer
_TYPES: dict[Geometry, tuple[int, int]] = {"point": (1, 4), "line": (2, 5), "polygon": (3, 6)}


def to_wkb(blob: bytes | None) -> bytes | None:
    """ISO WKB (little-endian) of a SpatiaLite blob.

    Raises:
        PlannerError: ``geometry.blob_unknown`` for compressed or foreign blobs (nothing QGIS or this program writes).
    """
    if blob is None:
        return None
    prefix = _WKB_ONE_PART.get(blob[39:47])
    if prefix is not None and blob[47:48] == _PART and blob[:2] == b"\x00\x01":
        return prefix + blob[48:-1]
    if len(blob) < 44 or blob[:2] != b"\x00\x01" or blob[38] != 0x7C:
        raise PlannerError("geometry.blob_unknown")
    kind = _COUNT.unpack_from(blob, 39)[0]
    if kind % 1000 in (1, 2, 3) and kind < 4000:
        return b"\x01" + blob[39:-1]
    if kind % 1000 not in (4, 5, 6, 7) or kind >= 4000:
        raise PlannerError("geometry.blob_unknown")
    wkb = bytearray(b"\x01" + blob[39:-1])
    _swap_markers(wkb, 1)
    return bytes(wkb)


def to_blob(wkb: bytes, srid: int, box: tuple[float, float, float, float]) -> bytes:
    """SpatiaLite blob of little-endian ISO WKB with its bounding box (xmin, ymin, xmax, ymax)."""
    header = _HEADER.pack(0, 1, srid, *box, 0x7C)
    part = wkb[1:9]
    if part in _WKB_ONE_PART:
        return header + part + _PART + wkb[10:] + _END
    if _COUNT.unpack_from(wkb, 1)[0] % 1000 in (1, 2, 3):
        return header + wkb[1:] + _END
    swapped = bytearray(wkb)
    _swap_markers(swapped, 0x69)
    return header + bytes(swapped[1:]) + _END


def _swap_markers(wkb: bytearray, marker: int) -> None:
    """Write ``marker`` where each part of a multi-geometry says its byte order."""
    count = _COUNT.unpack_from(wkb, 5)[0]
    at = 9
    for _ in range(count):
        wkb[at] = marker
        kind = _COUNT.unpack_from(wkb, at + 1)[0]
        width = {0: 16, 1: 24, 2: 24, 3: 32}[kind // 1000]
        at += 5
        if kind % 1000 == 1:
            at += width
        elif kind % 1000 == 2:
            at += 4 + width * _COUNT.unpack_from(wkb, at)[0]
        elif kind % 1000 == 3:
            rings = _COUNT.unpack_from(wkb, at)[0]
            at += 4
            for _ in range(rings):
                at += 4 + width * _COUNT.unpack_from(wkb, at)[0]
        else:
            raise PlannerError("geometry.blob_unknown")


def box_of(blob: bytes) -> tuple[float, float, float, float]:
    """(xmin, ymin, xmax, ymax) from a blob's header (its first 38 bytes are enough)."""
    return _BOX.unpack_from(blob, 6)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Geometries ready to be stored.

    Attributes:
        blobs: SpatiaLite blobs; None where there is no geometry (null or EMPTY, which SpatiaLite cannot store).
        boxes: float64 (n, 4): xmin, ymin, xmax, ymax; NaN where there is none.
        multi: some are multi-geometries (always for polygons and lines); has_z: they carry Z.
    """

    blobs: list[bytes | None]
    boxes: np.ndarray[Any, Any]
    multi: bool
    has_z: bool


def prepare(
    wkb: Sequence[bytes | None],
    geometry: Geometry,
    srid: int,
    *,
    has_z: bool | None = None,
    multi: bool | None = None,
    first_row: int = 0,
) -> Prepared:
    """Check geometries and turn them into blobs: lines and polygons become multi, M is dropped.

    SpatiaLite's own constraint rolls the whole transaction back and lets later statements commit one by one, so
    nothing unchecked may reach it.

    Args:
        wkb: any WKB (ISO or EWKB, either byte order), None for no geometry.
        has_z: True or False forces Z on or off (0 where missing); None keeps Z if any geometry has it.
        multi: for points: True makes all multipoints, False refuses them, None keeps singles unless one is multi.
        first_row: number of the first row, for errors.

    Raises:
        PlannerError: ``geometry.broken`` (not WKB, unclosed ring …), ``geometry.wrong_kind``,
            ``geometry.not_finite`` (NaN or infinite coordinates), each with ``row``.
    """
    # Z, and whether points are multi, is the same for all: one that is not plain may decide it for those that are.
    plain_z, plain_multi = bool(has_z), geometry != "point" or bool(multi)
    blobs, boxes = plain_shapes.blobs(wkb, geometry, srid, has_z=plain_z, multi=plain_multi)
    rest = [row for row, blob in enumerate(blobs) if blob is None]
    if not rest and blobs:
        return Prepared(blobs, boxes, plain_multi, plain_z)
    if len(rest) < len(wkb):
        with suppress(PlannerError):  # said below, with the right row
            others = _prepare([wkb[row] for row in rest], geometry, srid, has_z, multi, first_row)
            if others.has_z == plain_z and others.multi == plain_multi:
                boxes[rest] = others.boxes
                for row, blob in zip(rest, others.blobs, strict=True):
                    blobs[row] = blob
                return Prepared(blobs, boxes, plain_multi, plain_z)
    return _prepare(wkb, geometry, srid, has_z, multi, first_row)


def _prepare(
    wkb: Sequence[bytes | None], geometry: Geometry, srid: int, has_z: bool | None, multi: bool | None, first_row: int
) -> Prepared:
    import numpy as np
    import shapely

    single_type, multi_type = _TYPES[geometry]
    values = np.empty(len(wkb), dtype=object)
    values[:] = list(wkb)
    try:
        with np.errstate(invalid="ignore"):
            shapes = shapely.from_wkb(values)
    except (shapely.errors.GEOSException, TypeError, ValueError) as error:
        raise _broken(wkb, first_row, str(error)) from error
    types = shapely.get_type_id(shapes)
    shapes[shapely.is_empty(shapes)] = None
    present = ~shapely.is_missing(shapes)
    shapely_single = {"point": 0, "line": 1, "polygon": 3}[geometry]
    wrong = np.flatnonzero(present & (types != shapely_single) & (types != {0: 4, 1: 5, 3: 6}[shapely_single]))
    if len(wrong):
        found = shapes[wrong[0]].geom_type
        raise PlannerError("geometry.wrong_kind", row=first_row + int(wrong[0]), found=found, wanted=geometry)
    z = shapely.has_z(shapes) & present
    keep_z = bool(z.any()) if has_z is None else has_z
    _refuse_not_finite(shapes, keep_z and bool(z.any()), first_row)
    single = present & (types == shapely_single)
    if geometry == "point":
        if multi is False and bool((present & ~single).any()):
            row = int(np.flatnonzero(present & ~single)[0])
            raise PlannerError("geometry.wrong_kind", row=first_row + row, found="MultiPoint", wanted=geometry)
        promote = bool((present & ~single).any()) if multi is None else multi
    else:
        promote = True
    odd = (present & (z != keep_z)) | (shapely.has_m(shapes) & present)
    if odd.any():
        shapes[odd] = shapely.force_3d(_without_m(shapes[odd])) if keep_z else shapely.force_2d(shapes[odd])
    plain = _plain(wkb, single_type, multi_type, keep_z, odd)
    rewrite = np.flatnonzero(present & ~plain)
    encoded: list[bytes | None] = [w if ok else None for w, ok in zip(wkb, (plain & present).tolist(), strict=True)]
    if len(rewrite):
        texts = shapely.to_wkb(shapes[rewrite], byte_order=1, flavor="iso", output_dimension=3 if keep_z else 2)
        for row, text in zip(rewrite.tolist(), texts, strict=True):
            encoded[row] = text
    boxes = shapely.bounds(shapes)
    wrap = struct.pack("<BII", 1, multi_type + (1000 if keep_z else 0), 1)
    blobs: list[bytes | None] = []
    for text, box, alone in zip(encoded, boxes.tolist(), single.tolist(), strict=True):
        if text is None:
            blobs.append(None)
        else:
            blobs.append(to_blob(wrap + text if alone and promote else text, srid, tuple(box)))
    return Prepared(blobs, boxes, promote, keep_z)


def _without_m(shapes: Any) -> Any:
    """Drop M, keep Z: through WKB of three dimensions, which GEOS writes as XYZ when there is Z."""
    import shapely

    return shapely.from_wkb(shapely.to_wkb(shapes, output_dimension=3, flavor="iso"))


def _plain(wkb: Sequence[bytes | None], single: int, multi: int, has_z: bool, odd: Any) -> Any:
    """Which inputs are already little-endian ISO WKB of the right type and dimension, so that they go in unchanged."""
    import numpy as np

    extra = 1000 if has_z else 0
    good = {struct.pack("<BI", 1, single + extra), struct.pack("<BI", 1, multi + extra)}
    part = struct.pack("<BI", 1, single + extra)
    # A multi-geometry may hold parts of another byte order; only its first is looked at when it has one part.
    plain = [
        w is not None and w[:5] in good and (w[:5] == part or (w[5:9] == b"\x01\0\0\0" and w[9:14] == part))
        for w in wkb
    ]
    return np.array(plain, dtype=bool) & ~odd


def _refuse_not_finite(shapes: Any, has_z: bool, first_row: int) -> None:
    import numpy as np
    import shapely

    finite = np.isfinite(shapely.get_coordinates(shapes, include_z=False)).all()
    if finite and has_z:
        heights = shapely.get_coordinates(shapes[shapely.has_z(shapes)], include_z=True)[:, 2]
        finite = np.isfinite(heights).all()
    if finite:
        return
    coordinates, index = shapely.get_coordinates(shapes, include_z=False, return_index=True)
    bad = index[~np.isfinite(coordinates).all(axis=1)]
    if not len(bad):
        coordinates, index = shapely.get_coordinates(shapes, include_z=True, return_index=True)
        bad = index[~np.isfinite(coordinates).all(axis=1) & shapely.has_z(shapes)[index]]
    raise PlannerError("geometry.not_finite", row=first_row + int(bad[0]))


def _broken(wkb: Sequence[bytes | None], first_row: int, detail: str) -> PlannerError:
    import shapely

    for row, value in enumerate(wkb):
        try:
            shapely.from_wkb(value)
        except (shapely.errors.GEOSException, TypeError, ValueError) as error:
            return PlannerError("geometry.broken", row=first_row + row, detail=str(error))
    return PlannerError("geometry.broken", row=first_row, detail=detail)
