"""By how much a building moved, and by how much it was built otherwise."""

from __future__ import annotations

import pytest
import shapely
from shapely.affinity import rotate, translate

from plugins.review.model.asbuilt.outline import outline_shift

HOUSE = shapely.Polygon([(12, 15), (52, 15), (57, 20), (57, 30), (12, 30)])
COURT = shapely.box(0, 0, 40, 30).difference(shapely.box(10, 10, 30, 20))


def test_the_same_outline() -> None:
    found = outline_shift(HOUSE, HOUSE)
    assert (found.distance, found.corner, found.residual) == (0.0, 0.0, 0.0)


def test_moved_as_a_whole() -> None:
    found = outline_shift(HOUSE, translate(HOUSE, 0.35, -0.12))
    assert (found.dx, found.dy) == pytest.approx((0.35, -0.12))
    assert found.corner == pytest.approx(0.37)
    assert found.residual == pytest.approx(0.0, abs=1e-9)


def test_built_deeper_is_not_moved() -> None:
    deeper = shapely.Polygon([(12, 15), (52, 15), (57, 20), (57, 30.6), (12, 30.6)])
    found = outline_shift(HOUSE, deeper)
    assert (found.dx, found.dy) == pytest.approx((0, 0), abs=1e-9)
    assert (found.corner, found.residual) == pytest.approx((0.6, 0.6))
    assert found.worst[1][1] - found.worst[0][1] == pytest.approx(0.6)
    box = shapely.box(0, 0, 20, 12)
    assert outline_shift(box, shapely.box(0, 0, 20, 12.6)).distance == pytest.approx(0.0, abs=1e-9)


def test_moved_and_built_deeper() -> None:
    found = outline_shift(HOUSE, translate(shapely.Polygon([(12, 15), (52, 15), (57, 20), (57, 31), (12, 31)]), 0.5, 0))
    assert (found.dx, found.dy, found.residual) == pytest.approx((0.5, 0.0, 1.0))


def test_wider_all_around_stays_in_its_middle() -> None:
    wider = shapely.box(0, 0, 40, 20).buffer(0.22, join_style="mitre")
    found = outline_shift(shapely.box(0, 0, 40, 20), translate(wider, 0.01, 0.0))
    assert (found.dx, found.dy) == pytest.approx((0.01, 0.0), abs=1e-6)
    assert found.residual == pytest.approx(0.22 * 2**0.5, abs=1e-6)


def test_far_off() -> None:
    found = outline_shift(HOUSE, translate(HOUSE, 30.0, 2.0))
    assert (found.dx, found.dy, found.residual) == pytest.approx((30.0, 2.0, 0.0), abs=1e-9)


def test_vertices_on_a_straight_side_are_no_corners() -> None:
    more = shapely.Polygon([(12, 15), (30, 15.004), (52, 15), (57, 20), (57, 25), (57, 30), (12, 30), (12, 22)])
    assert outline_shift(HOUSE, more).corner == pytest.approx(0.0, abs=1e-9)
    assert outline_shift(more, HOUSE).corner == pytest.approx(0.0, abs=1e-9)


def test_a_corner_cut_off_and_a_bay_added() -> None:
    box = shapely.box(0, 0, 40, 20)
    notch = box.difference(shapely.box(30, 18, 41, 21))
    assert outline_shift(box, notch).residual == pytest.approx(2.0)
    bay = box.union(shapely.box(10, 20, 14, 21.5))
    assert outline_shift(box, bay).residual == pytest.approx(1.5)


def test_turned() -> None:
    found = outline_shift(shapely.box(0, 0, 40, 20), rotate(shapely.box(0, 0, 40, 20), 1))
    assert found.residual == pytest.approx(0.39, abs=0.03)  # half the diagonal times one degree


def test_courtyards_count() -> None:
    smaller = shapely.box(0, 0, 40, 30).difference(shapely.box(10, 10, 29, 20))
    assert outline_shift(COURT, smaller).residual == pytest.approx(1.0)
