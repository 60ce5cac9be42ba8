"""Coordinates never move in silence; areas agree with QGIS; the city's own parameters are used where entered."""

from __future__ import annotations

import json
import math
import os
import subprocess

import numpy as np
import pytest
import shapely

from planner_app.domain.area import ellipsoidal, planar
from planner_app.domain.crs import (
    CityTransform,
    chinese_name,
    chooser_list,
    fit_four_parameters,
    is_chinese_projected,
    parse_crs,
    project_crs,
    transformer,
    zone_prefix,
)
from planner_app.domain.errors import PlannerError
from tests.helpers.postgres import PrivateCluster, server_folder


@pytest.mark.parametrize(
    ("source", "target"),
    [("EPSG:2385", "EPSG:4549"), ("EPSG:2437", "EPSG:4549"), ("EPSG:2437", "EPSG:2385"), ("EPSG:4549", "EPSG:2385")],
)
def test_between_chinese_datums_is_refused(source: str, target: str) -> None:
    with pytest.raises(PlannerError) as error:
        transformer(source, target)
    assert error.value.code == "crs.ballpark"


def test_degrees_to_a_zone_and_back() -> None:
    there, back = transformer("EPSG:4490", "EPSG:4549"), transformer("EPSG:4549", "EPSG:4490")
    lon, lat = np.array([119.0, 120.5]), np.array([26.0, 31.2])
    x, y = there.transform(lon, lat)
    assert 3e5 < x[0] < 5e5 < x[1]
    again = back.transform(x, y)
    assert np.abs(np.concatenate([again[0] - lon, again[1] - lat])).max() < 1e-9


def test_four_parameters_come_back_from_control_points() -> None:
    true = CityTransform("EPSG:2437", "EPSG:4549", "four", (1200.5, -830.25, math.radians(0.7), 1.00002))
    old = np.array([[500000.0, 3300000.0], [512000.0, 3301000.0], [505000.0, 3312000.0]])
    x, y = transformer("EPSG:2437", "EPSG:4549", true).transform(old[:, 0], old[:, 1])
    fitted, residuals = fit_four_parameters("EPSG:2437", "EPSG:4549", np.column_stack([old, x, y]).tolist())
    assert fitted.parameters == pytest.approx(true.parameters, rel=1e-6, abs=1e-3)
    assert max(abs(value) for pair in residuals for value in pair) < 1e-6
    assert CityTransform.from_json(fitted.to_json()) == fitted


def test_a_city_transform_for_another_source_is_refused() -> None:
    city = CityTransform("EPSG:2437", "EPSG:4549", "four", (0.0, 0.0, 0.0, 1.0))
    with pytest.raises(PlannerError) as error:
        transformer("EPSG:2385", "EPSG:4549", city)
    assert error.value.code == "crs.city_other"


def test_seven_parameters_shift_by_what_they_say() -> None:
    """A pure geocentric shift of 100 m along the earth's axis moves a point at 30°N north by about 100·cos 30°."""
    city = CityTransform("EPSG:2437", "EPSG:4549", "seven", (0.0, 0.0, 100.0, 0.0, 0.0, 0.0, 0.0))
    none = CityTransform("EPSG:2437", "EPSG:4549", "seven", (0.0,) * 7)
    x, y = np.array([500000.0]), np.array([3320000.0])
    moved = transformer("EPSG:2437", "EPSG:4549", city).transform(x, y)
    still = transformer("EPSG:2437", "EPSG:4549", none).transform(x, y)
    assert moved[1][0] - still[1][0] == pytest.approx(100 * math.cos(math.radians(30.0)), rel=2e-3)
    assert moved[0][0] == pytest.approx(still[0][0], abs=1e-3)


@pytest.mark.parametrize(("crs", "code"), [("nonsense", "crs.unknown"), ("EPSG:4490", "crs.not_projected")])
def test_a_project_needs_a_projected_crs(crs: str, code: str) -> None:
    with pytest.raises(PlannerError) as error:
        project_crs(crs)
    assert error.value.code == code


def test_names_zones_and_axes() -> None:
    assert chinese_name(4549) == "CGCS2000 / 3° GK CM 120E"
    assert is_chinese_projected("EPSG:4549")
    assert not is_chinese_projected("EPSG:26986")
    assert zone_prefix(40_509_000.0) == 40
    assert zone_prefix(509_000.0) == 0
    for code, name in chooser_list():
        crs = parse_crs(code)
        assert crs.is_projected
        if "GK" in name:
            meridian = next(p.value for p in crs.coordinate_operation.params if p.name.startswith("Longitude"))
            assert f"{meridian:.0f}E" in name or "6° GK zone" in name
    assert chooser_list()[0][0] == "EPSG:4534"


def test_areas_with_holes_parts_and_gaps() -> None:
    hole = shapely.Polygon([(0, 0), (100, 0), (100, 100), (0, 100)], [[(10, 10), (20, 10), (20, 20), (10, 20)]])
    both = shapely.transform(shapely.union(hole, shapely.box(200, 0, 210, 10)), lambda xy: xy + np.array([5e5, 3.3e6]))
    shapes = [shapely.to_wkb(both), None, shapely.Polygon(), shapely.Point(5e5, 3.3e6)]
    assert planar(shapes) == pytest.approx([10_000.0, 0.0, 0.0, 0.0])
    # On the central meridian the scale is 1: the ellipsoidal area differs by the curvature over 200 m only.
    assert ellipsoidal(shapes, "EPSG:4549")[0] == pytest.approx(10_000.0, rel=1e-6)
    assert ellipsoidal(shapes, "EPSG:4549")[1:].tolist() == [0.0, 0.0, 0.0]


def test_the_plane_is_larger_at_the_edge_of_a_zone() -> None:
    """Facts: at 30°N, 1.5° from the meridian, the planar area exceeds the ellipsoidal one by about 0.05 %."""
    x, y = transformer("EPSG:4490", "EPSG:4549").transform(np.array([121.5]), np.array([30.0]))
    square = [shapely.box(x[0], y[0], x[0] + 1000.0, y[0] + 1000.0)]
    excess = planar(square)[0] / ellipsoidal(square, "EPSG:4549")[0] - 1.0
    assert excess == pytest.approx(5e-4, rel=0.1)


_QGIS = """
import json, sys
from qgis.core import *
app = QgsApplication([], False); app.initQgis()
measure = QgsDistanceArea()
crs = QgsCoordinateReferenceSystem("EPSG:4549")
measure.setSourceCrs(crs, QgsCoordinateTransformContext()); measure.setEllipsoid(crs.ellipsoidAcronym())
print(json.dumps([measure.measureArea(QgsGeometry.fromWkt(text)) for text in json.load(sys.stdin)]))
"""


@pytest.mark.qgis
def test_ellipsoidal_area_agrees_with_qgis(qgis_python: str) -> None:
    rng = np.random.default_rng(7)
    shapes = []
    for radius in (5.0, 50.0, 500.0, 5000.0):
        angles = np.sort(rng.uniform(0, 2 * np.pi, 40))
        reach = radius * rng.uniform(0.5, 1.0, 40)
        centre = [rng.uniform(4.2e5, 6.3e5), rng.uniform(2.6e6, 4.2e6)]
        shapes.append(shapely.Polygon(centre + np.column_stack([reach * np.cos(angles), reach * np.sin(angles)])))
    texts = json.dumps(list(shapely.to_wkt(shapes, rounding_precision=-1)))
    run = subprocess.run(
        [qgis_python, "-c", _QGIS], input=texts, capture_output=True, text=True, timeout=120, check=True,
        env={"QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    theirs = np.array(json.loads(run.stdout.strip().splitlines()[-1]))
    ours = ellipsoidal(shapes, "EPSG:4549")
    assert np.abs(ours - theirs) == pytest.approx(0.0, abs=1e-4 + 1e-9 * ours.max())
    assert (np.abs(ours - theirs) <= 1e-9 * ours + 1e-4).all()


@pytest.mark.server
def test_ellipsoidal_area_agrees_with_postgis() -> None:
    psycopg = pytest.importorskip("psycopg")
    if server_folder() is None:
        if os.environ.get("CI"):
            pytest.fail("no PostgreSQL server is installed; packaging/test installs it")
        pytest.skip("no PostgreSQL server is installed")
    rng = np.random.default_rng(11)
    shapes = []
    for radius in (5.0, 50.0, 500.0, 5000.0):
        angles = np.sort(rng.uniform(0, 2 * np.pi, 40))
        reach = radius * rng.uniform(0.5, 1.0, 40)
        centre = [rng.uniform(4.2e5, 6.3e5), rng.uniform(2.6e6, 4.2e6)]
        shapes.append(shapely.Polygon(centre + np.column_stack([reach * np.cos(angles), reach * np.sin(angles)])))
    degrees = transformer("EPSG:4549", "EPSG:4490")
    turned = [shapely.transform(one, lambda x, y: degrees.transform(x, y), interleaved=False) for one in shapes]
    wkb = shapely.to_wkb(shapely.set_srid(turned, 4490), include_srid=True)
    with PrivateCluster() as cluster, psycopg.connect(cluster.dsn, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION postgis")
        measure = "SELECT ST_Area(ST_GeogFromWKB(%s))"
        measured = np.array([connection.execute(measure, (one,)).fetchone()[0] for one in wkb])
    ours = ellipsoidal(shapes, "EPSG:4549")
    assert (np.abs(ours - measured) <= 1e-9 * ours + 1e-4).all()
