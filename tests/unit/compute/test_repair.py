"""Repair: everything that is touched or turned away is named, nothing raises."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner_app.compute import explode, mean_width, polygonal_part, repair
from planner_app.i18n import RESOURCES

SQUARE = shapely.box(0, 0, 10, 10)
HOLE_OUTSIDE = shapely.Polygon([(0, 0), (10, 0), (10, 10), (0, 10)], [[(20, 20), (21, 20), (21, 21)]])
OVERLAPPING = shapely.MultiPolygon([shapely.box(0, 0, 2, 2), shapely.box(5, 0, 7, 2), shapely.box(6, 1, 9, 4)])
FAULTS = [
    (shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]), "repair.self_intersection", 2.0),
    (shapely.Polygon([(0, 0), (4, 0), (4, 4), (2, 0.0), (0, 4)]), "repair.ring_self_intersection", 8.0),
    (HOLE_OUTSIDE, "repair.hole_outside", 100.5),
    (shapely.GeometryCollection([SQUARE, shapely.Point(50, 50)]), "repair.mixed_geometry", 100.0),
    (
        shapely.GeometryCollection([SQUARE, shapely.GeometryCollection([shapely.box(5, 5, 15, 15)])]),
        "repair.mixed_geometry",
        175.0,
    ),
]
REJECTED = [
    (None, "repair.null"),
    (shapely.Polygon(), "repair.empty"),
    (shapely.Point(1, 1), "repair.not_polygonal"),
    (shapely.LineString([(0, 0), (1, 1)]), "repair.not_polygonal"),
    (shapely.Polygon([(0, 0), (1, 0), (2, 0)]), "repair.no_area"),
    (shapely.Polygon([(0, 0), (np.inf, 0), (2, 3)]), "repair.invalid_coordinate"),
    (
        shapely.transform(SQUARE, lambda xy: np.where(np.arange(5)[:, None] == 2, np.nan, xy)),
        "repair.invalid_coordinate",
    ),
]


def test_sound_geometry_is_left_alone() -> None:
    multi = shapely.MultiPolygon([SQUARE, shapely.box(20, 0, 21, 1)])
    result = repair([SQUARE, multi])
    assert (result.geoms[0], result.geoms[1]) == (SQUARE, multi)
    assert not result.repaired
    assert not result.rejected


@pytest.mark.parametrize(("geometry", "reason", "area"), FAULTS)
def test_faults_are_repaired_and_named(geometry: shapely.Geometry, reason: str, area: float) -> None:
    result = repair([SQUARE, geometry])
    assert result.repaired == [(1, reason)]
    assert result.geoms[1].is_valid
    assert result.geoms[1].area == pytest.approx(area)


@pytest.mark.parametrize(("geometry", "reason"), REJECTED)
def test_what_has_no_area_is_rejected_and_named(geometry: shapely.Geometry | None, reason: str) -> None:
    result = repair([geometry, SQUARE])
    assert result.rejected == [(0, reason)]
    assert result.geoms[0] is None
    assert result.geoms[1] == SQUARE


def test_height_is_kept() -> None:
    bow = shapely.Polygon([(0, 0, 5), (2, 2, 5), (2, 0, 5), (0, 2, 5)])
    assert shapely.has_z(repair([bow]).geoms[0])


def test_every_reason_has_words() -> None:
    words = (RESOURCES / "i18n" / "messages" / "compute.toml").read_text(encoding="utf-8")
    reasons = [reason for _, reason, _ in FAULTS] + [reason for _, reason in REJECTED]
    assert [reason for reason in reasons if f'["{reason}"]' not in words] == []


finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
polygon = st.lists(st.tuples(finite, finite), min_size=3, max_size=9).map(shapely.Polygon)
broken = st.tuples(polygon, st.sampled_from([np.inf, -np.inf])).map(
    lambda pair: shapely.transform(pair[0], lambda xy: np.where(xy == xy[1], pair[1], xy))
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.none() | polygon | broken, max_size=4))
def test_whatever_comes_in_valid_polygons_come_out(geoms: list[shapely.Polygon | None]) -> None:
    result = repair(geoms)
    left = result.geoms[~shapely.is_missing(result.geoms)]
    assert shapely.is_valid(left).all()
    assert set(shapely.get_type_id(left)) <= {3, 6}
    named = {index for index, _ in result.repaired + result.rejected}
    assert all(result.geoms[k] is geoms[k] for k in range(len(geoms)) if k not in named)
    assert {k for k in range(len(geoms)) if result.geoms[k] is None} == {k for k, _ in result.rejected}


def test_polygonal_part() -> None:
    parts = polygonal_part(
        np.array([SQUARE, shapely.Point(0, 0), None, shapely.GeometryCollection([SQUARE])], dtype=object)
    )
    assert list(parts) == [SQUARE, None, None, SQUARE]


def test_single_parts_and_width() -> None:
    parts, index = explode(np.array([SQUARE, OVERLAPPING], dtype=object))
    assert index.tolist() == [0, 1, 1, 1]
    strip = shapely.box(0, 0, 1_000, 0.5)
    assert mean_width(shapely.area([strip]), shapely.length([strip]))[0] == pytest.approx(0.5, rel=1e-3)
    assert mean_width(np.zeros(1), np.zeros(1))[0] == 0.0
    assert len(parts) == 4
