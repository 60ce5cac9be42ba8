"""Sides of a site, and what reaches over them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely

from plugins.review.model.indicators.edges import edges_of
from plugins.review.model.indicators.setbacks import beyond, build_to_area, setbacks
from plugins.review.model.indicators.types import Building
from plugins.review.model.reading.types import Role
from tests.plugins.review.indicators.site_plans import box, made, plan


def building(shape: Any, name: str = "1#") -> Building:
    return Building(name, shape, float(shape.area))


def described(shape: Any) -> list[tuple[int, str, float]]:
    return [(one.number, one.bearing, round(one.geometry.length, 2)) for one in edges_of(shape)]


def test_a_rectangle_clockwise_from_the_north() -> None:
    expected = [(1, "N", 120.0), (2, "E", 80.0), (3, "S", 120.0), (4, "W", 80.0)]
    assert described(box(0, 0, 120, 80)) == expected
    collinear = [(0, 0), (60, 0), (120, 0), (120, 40), (120, 80), (70, 80), (0, 80)]
    assert described(shapely.Polygon(collinear)) == expected
    assert described(shapely.Polygon(collinear[::-1])) == expected


def test_bearings_turn_with_the_site() -> None:
    turned = shapely.affinity.rotate(box(0, 0, 100, 60), 30)
    assert [one.azimuth for one in edges_of(turned)] == pytest.approx([60, 150, 240, 330])


def test_rounded_corners_are_edges_of_their_own_and_gentle_bends_are_not() -> None:
    rounded = box(0, 0, 100, 60).buffer(-5).buffer(5, quad_segs=12)
    assert [(one.bearing, round(one.geometry.length)) for one in edges_of(rounded)] == [
        ("N", 90), ("NE", 8), ("E", 50), ("SE", 8), ("S", 90), ("SW", 8), ("W", 50), ("NW", 8),
    ]  # fmt: skip
    bend = [(300 * np.cos(a), 300 * np.sin(a)) for a in np.linspace(1.4, 1.75, 30)]
    along_a_bend = shapely.Polygon([(bend[0][0], 0), *bend, (bend[-1][0], 0)])
    assert [one.bearing for one in edges_of(along_a_bend)] == ["N", "E", "S", "W"]


def test_holes_and_parts_are_numbered_on() -> None:
    ring = box(0, 0, 100, 60) - box(20, 20, 30, 30)
    assert [one.number for one in edges_of(ring)] == list(range(1, 9))
    assert [one.bearing for one in edges_of(ring)][4:] == ["E", "N", "W", "S"]  # the hole is outside the site


@pytest.mark.parametrize("seed", range(60))
def test_edges_are_the_whole_boundary(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(4, 40)))
    radius = rng.uniform(20, 100, angle.size)
    shape = shapely.Polygon(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
    for part in shapely.get_parts(shapely.make_valid(shape)):
        if part.geom_type == "Polygon":
            found = edges_of(part)
            joined = shapely.union_all([one.geometry for one in found])
            assert sum(one.geometry.length for one in found) == pytest.approx(part.length)
            assert part.exterior.symmetric_difference(joined).length < 1e-6


def test_a_building_over_the_boundary_reaches_by_its_depth() -> None:
    found = {one.bearing: one for one in setbacks(box(0, 0, 100, 60), plan(), [building(box(95, 20, 103, 40))])}
    assert found["E"].distance_m == pytest.approx(-3)
    assert found["E"].line.length == pytest.approx(3)
    assert found["N"].distance_m == pytest.approx(20)
    assert found["S"].distance_m == pytest.approx(20)


def test_a_building_over_a_corner_and_one_outside() -> None:
    over = {
        one.bearing: one.distance_m for one in setbacks(box(0, 0, 100, 60), plan(), [building(box(90, 50, 102, 65))])
    }
    assert (over["E"], over["N"]) == (pytest.approx(-2), pytest.approx(-5))
    assert over["S"] == pytest.approx(50)
    outside = {
        one.bearing: one.distance_m for one in setbacks(box(0, 0, 100, 60), plan(), [building(box(104, 20, 110, 30))])
    }
    assert outside["E"] == pytest.approx(-10)
    assert outside["W"] == pytest.approx(104)


def test_open_and_closed_lines() -> None:
    site = box(0, 0, 100, 60)
    body = box(40, -5, 60, 10)
    line = shapely.LineString([(-20, -2), (120, -2)])
    assert beyond(body, line, site).area == pytest.approx(20 * 3)
    assert beyond(box(40, -9, 60, -4), line, site).area == pytest.approx(100)  # wholly on the far side
    assert beyond(box(40, 5, 60, 9), line, site).area == 0
    road = box(-20, -12, 120, -2)
    assert beyond(body, road, site).area == pytest.approx(20 * 3)
    cut = shapely.LineString([(80, -10), (80, 70)])  # a road line through the site: its larger part is the near side
    assert beyond(box(70, 10, 90, 20), cut, site).area == pytest.approx(100)


def test_build_to_lines_that_close_together() -> None:
    lines = [
        made(Role.BUILD_TO, shapely.LineString([(5, 5), (95, 5), (95, 55)])),
        made(Role.BUILD_TO, shapely.LineString([(95, 55), (5, 55), (5, 5)])),
        made(Role.BUILD_TO, shapely.LineString([(0, 70), (100, 70)])),
    ]
    area, rest = build_to_area(plan(*lines))
    assert area is not None
    assert area.area == pytest.approx(90 * 50)
    assert [one.length for one in rest] == pytest.approx([100])
