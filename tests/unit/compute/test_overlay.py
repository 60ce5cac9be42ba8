"""The overlay as a whole: semantics, gates, closure, and that nothing in the input can break it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from planner_app.compute import Overlay, class_areas, distances, overlay
from planner_app.compute.repair import Geometries
from tests.unit.compute.lattice import lattice_polygons


def plain(a: object, b: object, **options: object) -> Overlay:
    """Overlay of layers with one class each."""
    one, two = np.asarray(a, dtype=object), np.asarray(b, dtype=object)
    return overlay(one, two, class_a=np.zeros(len(one), int), class_b=np.zeros(len(two), int), **options)  # type: ignore[arg-type]


def street(count: int) -> Geometries:
    """Parcels of 10 × 20 m in a row."""
    west = np.arange(count) * 10.0
    return np.asarray(shapely.box(west, 0.0, west + 10.0, 20.0), dtype=object)


def test_pairs_areas_and_shapes() -> None:
    result = plain(street(3), [shapely.box(5, 5, 25, 15)])
    assert result.i.tolist() == [0, 1, 2]
    assert result.j.tolist() == [0, 0, 0]
    np.testing.assert_allclose(result.area, [50, 100, 50])
    np.testing.assert_allclose(result.width, [2 * 50 / 30, 2 * 100 / 40, 2 * 50 / 30])
    assert shapely.equals(result.geometry[0], shapely.box(5, 5, 10, 15))
    assert result.matrix.tolist() == [[200.0]]


def test_classes_filter_patches_but_not_the_matrix() -> None:
    keep = np.array([[False, True], [False, False]])
    sites = np.array([shapely.box(0, 0, 30, 10), shapely.box(0, 10, 30, 20)], dtype=object)
    result = overlay(street(3), sites, class_a=[0, 1, 0], class_b=[0, 1], keep=keep)
    assert list(zip(result.i, result.j, strict=True)) == [(0, 1), (2, 1)]
    assert result.matrix.tolist() == [[200, 200], [100, 100]]
    assert len(result.dropped.i) == 0


def test_what_the_gates_drop_is_listed() -> None:
    others = [
        shapely.box(0, 0, 0.5, 0.5),
        shapely.box(10, 0, 10.05, 20),
        shapely.box(20, 0, 30, 20),
        shapely.box(30, 0, 40, 20),
    ]
    result = plain(street(3), others)
    assert list(zip(result.i, result.j, strict=True)) == [(2, 2)]
    dropped = result.dropped
    assert list(zip(dropped.i, dropped.j, dropped.why, strict=True)) == [(0, 0, "area"), (1, 1, "width")]
    np.testing.assert_allclose(dropped.area, [0.25, 1.0], rtol=1e-6)
    assert np.isnan(dropped.width[0])
    assert dropped.width[1] == pytest.approx(0.05, rel=0.01)
    assert result.area.sum() + dropped.area.sum() == pytest.approx(result.matrix.sum())


def test_neighbours_that_only_touch_are_no_pair() -> None:
    result = plain(street(5), shapely.transform(street(5), lambda xy: xy + np.array([0, 20])), min_area=0, min_width=0)
    assert len(result.i) == 0
    assert len(result.dropped.i) == 0


def test_a_patch_may_have_parts_and_holes() -> None:
    comb = shapely.union_all([shapely.box(0, 0, 30, 1), shapely.box(0, 0, 2, 9), shapely.box(28, 0, 30, 9)])
    ring = shapely.difference(shapely.box(0, 0, 100, 100), shapely.box(10, 10, 20, 20))
    result = plain([comb, ring], [shapely.box(-1, 5, 99, 99)])
    assert shapely.get_num_geometries(result.geometry).tolist() == [2, 1]
    assert shapely.get_num_interior_rings(result.geometry[1]) == 1
    np.testing.assert_allclose(shapely.area(result.geometry), result.area)


def test_the_same_layer_twice() -> None:
    layer = street(50)
    result = plain(layer, layer)
    assert (result.i == result.j).all()
    assert len(result.i) == 50
    assert all(shapely.equals(one, two) for one, two in zip(result.geometry, layer, strict=True))


@pytest.mark.parametrize("empty", [[], [None], [shapely.Polygon()], [shapely.LineString([(0, 0), (9, 9)])]])
def test_nothing_to_compare(empty: list[object]) -> None:
    for result in (plain(empty, street(2)), plain(street(2), empty)):
        assert len(result.i) == len(result.geometry) == len(result.dropped.i) == 0
        assert result.matrix.sum() == 0


def test_invalid_and_missing_features_keep_their_row_numbers() -> None:
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    result = plain(
        [None, bow, shapely.Polygon(), shapely.box(0, 0, 1, 1)], [shapely.Point(0, 0), shapely.box(0, 0, 20, 20)]
    )
    assert list(zip(result.i, result.j, strict=True)) == [(1, 1), (3, 1)]
    np.testing.assert_allclose(result.area, [50, 1])
    assert result.repaired_a.repaired == [(1, "repair.self_intersection")]
    assert [index for index, _ in result.repaired_a.rejected] == [0, 2]
    assert [index for index, _ in result.repaired_b.rejected] == [0]


def test_heights_are_ignored() -> None:
    result = plain([shapely.force_3d(shapely.box(0, 0, 2, 2), 7.0)], [shapely.box(1, 1, 3, 3)])
    assert not shapely.has_z(result.geometry).any()
    assert result.area.tolist() == [1.0]


def test_areas_alone_need_no_shapes() -> None:
    result = plain(street(3), [shapely.box(5, 5, 25, 15)], want_geometry=False, min_width=0)
    assert shapely.is_missing(result.geometry).all()
    np.testing.assert_allclose(result.area, [50, 100, 50])
    gated = plain(street(3), [shapely.box(5, 0, 25, 0.15)], want_geometry=False, min_area=0.5)
    assert gated.i.tolist() == [0, 1, 2]
    assert shapely.is_missing(gated.geometry).all()
    assert gated.width[1] == pytest.approx(0.15, rel=0.02)


def test_one_polygon_of_a_million_vertices() -> None:
    angle = np.linspace(0, 2 * np.pi, 1_000_000, endpoint=False)
    radius = 20_000 * (1 + 0.2 * np.sin(7 * angle) + 0.05 * np.sin(301 * angle))
    xy = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]) + np.array([500_000, 3_400_000])
    coast = shapely.Polygon(xy)
    west, south = (
        axis.ravel() for axis in np.meshgrid(np.arange(474_000, 526_000, 2_000), np.arange(3_374_000, 3_426_000, 2_000))
    )
    cells = np.asarray(shapely.box(west, south, west + 2_000, south + 2_000), dtype=object)
    result = plain([coast], cells)
    assert result.matrix.sum() == pytest.approx(coast.area, rel=1e-12)
    assert shapely.area(result.geometry).sum() + result.dropped.area.sum() == pytest.approx(coast.area, rel=1e-11)


@pytest.mark.parametrize("seed", range(4))
def test_no_area_is_lost(seed: int) -> None:
    """Σ over all class pairs equals GEOS, and pieces of a layer against a covering one add up to the layer."""
    rng = np.random.default_rng(seed)
    a, b = (shapely.transform(lattice_polygons(rng, 80, 9), lambda xy: xy * 17.3 + [4e5, 3e6]) for _ in range(2))
    class_a, class_b = rng.integers(0, 4, len(a)), rng.integers(0, 3, len(b))
    result = overlay(a, b, class_a=class_a, class_b=class_b, min_area=0, min_width=0)
    i, j = shapely.STRtree(b).query(a)
    truth = np.zeros((4, 3))
    np.add.at(truth, (class_a[i], class_b[j]), shapely.area(shapely.intersection(a[i], b[j])))
    np.testing.assert_allclose(result.matrix, truth, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(shapely.area(result.geometry), result.area, rtol=1e-9, atol=1e-6)
    assert result.area.sum() == pytest.approx(result.matrix.sum(), rel=1e-9)


def test_site_split_over_classes() -> None:
    site = shapely.box(5, 0, 25, 10)
    np.testing.assert_allclose(class_areas(site, street(3), [0, 2, 0]), [100, 0, 100])


def test_distances() -> None:
    i, j, distance = distances(
        street(2), np.array([shapely.Point(25, 10), shapely.Point(500, 0)], dtype=object), within=10
    )
    assert (i.tolist(), j.tolist(), distance.tolist()) == ([1], [0], [5.0])


@pytest.mark.data
def test_cambridge(data_dir: Path) -> None:
    """Reference of the data's manifest: zoning against overlay districts, pairs over 1 m²."""
    result = plain(
        *(
            _massachusetts(data_dir / "cambridge" / name)
            for name in ("CDD_ZoningDistricts.geojson", "CDD_ZoningOverlayDistricts.geojson")
        ),
        min_width=0,
    )
    assert len(result.i) == 197
    assert result.area.sum() == pytest.approx(5_474_879.389, rel=1e-6)
    assert shapely.area(result.geometry).sum() == pytest.approx(5_474_879.389, rel=1e-6)
    assert result.dropped.area.sum() == pytest.approx(9.005, abs=0.01)


def _massachusetts(source: Path) -> Geometries:
    import pyogrio.raw
    import pyproj

    _, _, wkb, _ = pyogrio.raw.read(source)
    to_plane = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:26986", always_xy=True, allow_ballpark=False)
    return np.asarray(shapely.transform(shapely.from_wkb(wkb), lambda xy: np.column_stack(to_plane.transform(*xy.T))))
