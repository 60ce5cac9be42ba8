"""Plain geometries made blobs by the shorter way are what the longer way makes of them."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import Geometry
from planner_app.project import geometry, plain_shapes
from planner_app.project.geometry import prepare

SQUARE = shapely.box(500_000.1, 3_400_000.7, 500_010, 3_400_011)
HOLED = shapely.Polygon(SQUARE.exterior.coords, [shapely.box(500_001, 3_400_002, 500_003, 3_400_004).exterior.coords])
LINE = shapely.LineString([(1.5, 2), (3, -4), (-0.0, 1e300)])
SHAPES: dict[Geometry, list[Any]] = {
    "point": [shapely.Point(1.25, -7), shapely.MultiPoint([(1, 2)]), shapely.MultiPoint([(1, 2), (3, 4)])],
    "line": [LINE, shapely.MultiLineString([LINE]), shapely.MultiLineString([LINE, [(0, 0), (1, 1)]])],
    "polygon": [SQUARE, shapely.MultiPolygon([SQUARE]), HOLED, shapely.MultiPolygon([HOLED, shapely.box(0, 0, 1, 1)])],
}
EMPTY: dict[Geometry, Any] = {"point": shapely.Point(), "line": shapely.LineString(), "polygon": shapely.Polygon()}


def _alike(kind: Geometry, wkb: list[bytes | None], **how: Any) -> None:
    short = prepare(wkb, kind, 4549, **how)
    long = geometry._prepare(wkb, kind, 4549, how.get("has_z"), how.get("multi"), 0)
    assert short.blobs == long.blobs
    assert (short.multi, short.has_z) == (long.multi, long.has_z)
    np.testing.assert_array_equal(short.boxes, long.boxes)


@pytest.mark.parametrize("kind", ["point", "line", "polygon"])
@pytest.mark.parametrize("has_z", [None, False, True])
@pytest.mark.parametrize("multi", [None, True])
def test_both_ways_end_alike(kind: Geometry, has_z: bool | None, multi: bool | None) -> None:
    flat = SHAPES[kind]
    high = [shapely.force_3d(shape, 12.5) for shape in flat]
    measured = [shapely.from_wkt(text) for text in {"point": ["POINT M (1 2 3)"], "line": [], "polygon": []}[kind]]
    every = [*flat, *high, *measured, EMPTY[kind], None]
    to = [
        lambda shape: shapely.to_wkb(shape, byte_order=1, flavor="iso"),
        lambda shape: shapely.to_wkb(shape, byte_order=0, flavor="iso"),
        lambda shape: shapely.to_wkb(shape, byte_order=1, include_srid=True, flavor="extended"),
    ]
    for shape in every:
        for write in to:
            _alike(kind, [None if shape is None else write(shape)], has_z=has_z, multi=multi)
    for some in (flat, high, flat[:1] * 3, flat[:2], [*flat[:1], None], [EMPTY[kind], *flat[:1]], every, []):
        _alike(kind, [None if one is None else to[0](one) for one in some], has_z=has_z, multi=multi)


def test_the_plain_ones_go_the_short_way() -> None:
    for kind, has_z in (("point", False), ("line", True), ("polygon", False)):
        shape = shapely.force_3d(SHAPES[kind][0], 3) if has_z else SHAPES[kind][0]
        texts = [shapely.to_wkb(one, flavor="iso") for one in (shape, SHAPES[kind][-1])]
        blobs, boxes = plain_shapes.blobs(texts, kind, 4549, has_z=has_z, multi=kind != "point")
        assert [blob is None for blob in blobs] == [False, True]
        assert boxes[0].tolist() == list(shape.bounds)


def test_what_is_broken_is_said_with_its_row() -> None:
    good = shapely.to_wkb(SQUARE)
    open_ring = good[:-16] + struct.pack("<2d", 1, 2)
    endless = good[:13] + struct.pack("<2d", np.inf, 2) + good[29:-16] + struct.pack("<2d", np.inf, 2)
    for bad, code in (
        (open_ring, "broken"), (endless, "not_finite"), (good[:-8], "broken"),
        (good[:9] + b"\xff" + good[10:], "broken"), (shapely.to_wkb(LINE), "wrong_kind"), (b"", "broken"),
    ):  # fmt: skip
        with pytest.raises(PlannerError, match=f"geometry.{code}") as caught:
            prepare([good, None, bad, good], "polygon", 4549, first_row=100)
        assert caught.value.params["row"] == 102
