from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner_app.plugin_api.viewport import Viewport, contains, intersects, united
from planner_app.ui.canvas.view_history import History

coordinates = st.floats(-1e7, 1e7)
pixels = st.floats(-5000, 5000)
viewports = st.builds(
    Viewport,
    x=coordinates,
    y=coordinates,
    resolution=st.floats(1e-3, 1e4),
    width=st.integers(1, 5000),
    height=st.integers(1, 5000),
    dpr=st.sampled_from([1.0, 1.25, 2.0]),
)


@given(viewports, pixels, pixels)
def test_screen_and_map_are_inverse(view: Viewport, px: float, py: float) -> None:
    back = view.to_screen(*view.to_map(px, py))
    assert back == pytest.approx((px, py), abs=1e-4 + 1e-8 * (abs(view.x) + abs(view.y)) / view.resolution)


@given(viewports, st.floats(0.05, 20), pixels, pixels)
def test_zoom_keeps_the_point_under_the_pointer(view: Viewport, factor: float, px: float, py: float) -> None:
    before = view.to_map(px, py)
    after = view.zoomed(factor, px, py).to_map(px, py)
    assert after == pytest.approx(before, abs=1e-6 * view.resolution * 5000 + 1e-6)


@given(viewports, pixels, pixels)
def test_pan_moves_the_picture_with_the_hand(view: Viewport, dx: float, dy: float) -> None:
    point = view.to_map(10, 20)
    moved = view.panned(dx, dy).to_screen(*point)
    assert moved == pytest.approx((10 + dx, 20 + dy), abs=1e-4 + 1e-8 * (abs(view.x) + abs(view.y)) / view.resolution)


@given(viewports, coordinates, coordinates, st.floats(0.1, 1e6), st.floats(0.1, 1e6))
def test_fitted_shows_the_whole_extent(view: Viewport, x: float, y: float, w: float, h: float) -> None:
    fitted = view.fitted((x, y, x + w, y + h), 0.1)
    if fitted.resolution < fitted.most:
        slack = 1e-6 * (abs(x) + abs(y) + w + h)
        xmin, ymin, xmax, ymax = fitted.extent()
        assert xmin <= x + slack
        assert ymin <= y + slack
        assert xmax >= x + w - slack
        assert ymax >= y + h - slack


@given(viewports, st.floats(1e-9, 1e9), pixels, pixels)
def test_zoom_stays_within_what_can_be_drawn(view: Viewport, factor: float, px: float, py: float) -> None:
    assert view.least <= view.zoomed(factor, px, py).resolution <= view.most


def test_scale_is_that_of_a_96_dpi_screen() -> None:
    view = Viewport(resolution=1.0, width=800, height=600)
    assert view.scale == pytest.approx(3779.5275590551)
    assert view.scaled(10_000).scale == pytest.approx(10_000)


def test_fitted_point_is_centred() -> None:
    view = Viewport(0, 0, 50, 800, 600).fitted((5, 6, 5, 6))
    assert (view.x, view.y, view.resolution) == (5, 6, 1.0)


def test_same_view_survives_zooming_in_and_out_again() -> None:
    view = Viewport(512_345.678, 3_456_789.012, 2.5, 1600, 1000)
    back = view
    for factor in (2**0.5,) * 6 + (2**-0.5,) * 6:
        back = back.zoomed(factor, 321, 777)
    assert view.same_view(back)
    assert not view.same_view(view.panned(1, 0))
    assert not view.same_view(view.resized(1600, 1001, 1.0))


def test_history_goes_back_and_forward_and_forgets_what_lay_ahead() -> None:
    history = History(limit=3)
    a, b, c, d = (Viewport(x=x, width=10, height=10) for x in (0, 100, 200, 300))
    for view in (a, a, b, c):
        history.push(view)
    assert history.back() == b
    assert history.back() == a
    assert history.back() is None
    assert history.forward() == b
    history.push(d)
    assert history.forward() is None
    assert history.back() == b
    history.push(c)
    history.push(d)
    history.push(a)
    assert [history.back(), history.back(), history.back()] == [d, c, None]


def test_extents() -> None:
    assert united([]) is None
    assert united([(0, 0, 1, 1), (5, -2, 6, 0)]) == (0, -2, 6, 1)
    assert intersects((0, 0, 2, 2), (1, 1, 3, 3))
    assert not intersects((0, 0, 1, 1), (1, 0, 2, 1))
    assert contains((0, 0, 4, 4), (1, 1, 2, 2))
    assert not contains((0, 0, 4, 4), (1, 1, 5, 2))
