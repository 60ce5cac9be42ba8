"""Placing: control points by hand-worked numbers, coordinates recognised or refused, there and back again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from planner_app.domain.crs import SETTING, CityTransform, transformer
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import NewLayer
from planner_app.project import Batch, Project
from plugins.review.model.drawing.placement import IDENTITY, ControlPoint, Placement
from plugins.review.model.drawing.placing import mover, mover_back, place, read_control_csv
from plugins.review.model.drawing.types import Drawing, DrawingFormat, Entity, Georeference

from .conftest import notes

EAST, NORTH = 500_000.0, 3_250_000.0


def drawn(x: float = 0.0, y: float = 0.0, size: float = 100.0, georeference: Georeference | None = None) -> Drawing:
    """A square of a size with its corner at (x, y), drawing units."""
    ring = np.array([(x, y), (x + size, y), (x + size, y + size), (x, y + size)])
    corners = tuple(Entity(str(at), "POINT", "0", ring[at : at + 1]) for at in range(4))
    return Drawing("d", "", DrawingFormat.DXF, "", corners, (), georeference=georeference)


def control(
    turn: float = 30.0, scale: float = 1.0, east: float = EAST, north: float = NORTH, count: int = 5
) -> list[ControlPoint]:
    """Points of the square and its middle, turned anticlockwise, scaled and shifted."""
    local = [(0.0, 0.0), (100.0, 0.0), (100.0, 80.0), (0.0, 80.0), (50.0, 30.0)][:count]
    cos, sin = math.cos(math.radians(turn)) * scale, math.sin(math.radians(turn)) * scale
    return [
        ControlPoint(x, y, east + cos * x - sin * y, north + sin * x + cos * y, f"K{number}")
        for number, (x, y) in enumerate(local, start=1)
    ]


def test_control_points_turn_and_shift_and_leave_residuals(project: Project) -> None:
    points = control()
    points[1] = replace(points[1], east=points[1].east + 0.02)
    made = place(drawn(), 1.0, project, control=points)
    assert made.method == "control"
    assert made.crs == ""
    a, b, c, d, e, f = made.matrix
    assert a * e - b * d == pytest.approx(1.0, abs=1e-12)  # no scale, not mirrored
    assert math.degrees(math.atan2(d, a)) == pytest.approx(30.0, abs=0.02)
    by_hand = [math.hypot(a * p.x + b * p.y + c - p.east, d * p.x + e * p.y + f - p.north) for p in points]
    assert [p.residual for p in made.points] == pytest.approx(by_hand)
    assert made.rms == pytest.approx(math.sqrt(sum(one**2 for one in by_hand) / 5))
    assert 0 < made.rms < 0.02


def test_a_scale_is_reported_and_never_applied_unasked(project: Project) -> None:
    made = place(drawn(), 1.0, project, control=control(scale=1.0004))
    assert made.scale == pytest.approx(1.0004, abs=1e-9)
    assert math.hypot(made.matrix[0], made.matrix[3]) == pytest.approx(1.0, abs=1e-12)
    assert notes(made)["review.control_scale_left"]["ppm"] == pytest.approx(400, abs=0.1)
    with pytest.raises(PlannerError) as error:
        place(drawn(), 1.0, project, control=control(scale=1.002))
    assert error.value.code == "review.control_scale"
    allowed = place(drawn(), 1.0, project, control=control(scale=1.002), allow_scale=True)
    assert math.hypot(allowed.matrix[0], allowed.matrix[3]) == pytest.approx(1.002, abs=1e-9)
    assert allowed.rms == pytest.approx(0.0, abs=1e-6)


def test_one_wrong_point_is_pointed_at(project: Project) -> None:
    points = control()
    points[2] = replace(points[2], north=points[2].north + 0.6)
    made = place(drawn(), 1.0, project, control=points, allow_scale=True)
    assert notes(made)["review.control_outlier"]["point"] == "K3"
    assert notes(made)["review.control_outlier"]["away"] == pytest.approx(0.6, abs=0.02)
    points[2] = replace(points[2], north=points[2].north + 10)
    with pytest.raises(PlannerError) as error:
        place(drawn(), 1.0, project, control=points)
    assert (error.value.code, error.value.params["point"]) == ("review.control_wrong_point", "K3")
    points[2] = replace(points[2], used=False)
    left_out = place(drawn(), 1.0, project, control=points)
    assert left_out.rms == pytest.approx(0.0, abs=1e-6)
    assert left_out.points[2].residual == pytest.approx(10.6, abs=0.01)


def swapped(points: Sequence[ControlPoint]) -> list[ControlPoint]:
    return [replace(one, east=one.north, north=one.east) for one in points]


def test_northing_first_is_recognised_by_where_it_leads(project: Project) -> None:
    straight = place(drawn(), 1.0, project, control=control())
    for points in (control(), control(count=2)):
        made = place(drawn(), 1.0, project, control=swapped(points))
        assert made.matrix == pytest.approx(straight.matrix)
        assert "review.control_swapped" in notes(made)


def test_swapped_drawing_columns_are_recognised_by_the_drawing(project: Project) -> None:
    elsewhere = [replace(one, x=one.x + 7000, y=one.y + 200) for one in control()]
    turned = [replace(one, x=one.y, y=one.x) for one in elsewhere]
    made = place(drawn(7000, 200), 1.0, project, control=turned)
    assert made.matrix == pytest.approx(place(drawn(7000, 200), 1.0, project, control=elsewhere).matrix)
    assert "review.control_drawing_swapped" in notes(made)
    with pytest.raises(PlannerError) as error:  # both could be: a drawing around the origin
        place(drawn(), 1.0, project, control=[replace(one, x=one.y, y=one.x) for one in control()])
    assert error.value.code == "review.control_mirrored"


def test_ground_coordinates_with_a_zone_number_are_reprojected(project: Project) -> None:
    made = place(drawn(), 1.0, project, control=control(east=40_500_000.0))
    assert made.crs == "EPSG:4528"
    there = mover(made, project)(shapely.Point(0, 0))
    assert (there.x, there.y) == pytest.approx((EAST, NORTH), abs=1e-3)
    both = place(drawn(), 1.0, project, control=swapped(control(east=40_500_000.0)))
    assert both.crs == "EPSG:4528"
    assert {"review.control_swapped", "review.zone_recognised"} <= notes(both).keys()


def test_drawing_units_and_wrong_units(project: Project) -> None:
    millimetres = [replace(one, x=one.x * 1000, y=one.y * 1000) for one in control()]
    made = place(drawn(size=100_000), 0.001, project, control=millimetres)
    assert "review.control_drawing_units" in notes(made)
    assert made.points[1].x == pytest.approx(100.0)
    with pytest.raises(PlannerError) as error:
        place(drawn(size=100_000), 1.0, project, control=millimetres)
    assert error.value.code == "review.control_unit"


def test_points_that_say_too_little_or_contradict(project: Project) -> None:
    one, two, *_ = control()
    repeated = place(drawn(), 1.0, project, control=[one, two, replace(two, name="K2 again")])
    assert notes(repeated)["review.control_repeated"]["names"] == "K2 again"
    assert "review.control_two" in notes(repeated)
    line = [one, two, replace(two, x=50.0, east=(one.east + two.east) / 2, north=(one.north + two.north) / 2)]
    assert "review.control_collinear" in notes(place(drawn(), 1.0, project, control=line))
    for few in ([one], [one, one]):
        with pytest.raises(PlannerError) as error:
            place(drawn(), 1.0, project, control=few)
        assert error.value.code == "review.control_points"
    with pytest.raises(PlannerError) as error:
        place(drawn(), 1.0, project, control=[one, two, replace(two, east=two.east + 5)])
    assert error.value.code == "review.control_duplicate"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("name,x,y,east,north\nK1,0,0,500000,3250000\nK2,100,0,500100,3250000\n", "utf-8"),
        ("点号，图上X，图上Y，北坐标，东坐标\nK1，0，0，3250000，500000\nK2，100，0，3250000，500100\n", "gb18030"),
        ("K1;0,0;0,0;500000,0;3250000,0\nK2;100,0;0,0;500100,0;3250000,0\n", "utf-8-sig"),
        ("# points\nK1\t0\t0\t500000\t3250000\n\nK2\t100\t0\t500100\t3250000\n", "utf-16"),
        ("0 0 500000 3250000\n100 0 500100 3250000\n", "ascii"),
        ("a,b,c,d,e\nK1,0,0,500000,3250000\nK2,100,0,500100,3250000\n", "ascii"),
    ],
)
def test_tables_of_control_points(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "points.csv"
    path.write_bytes(text.encode(encoding))
    first, second = read_control_csv(path)
    assert (first.x, first.y, first.east, first.north) == (0, 0, 500_000, 3_250_000)
    assert (second.x, second.y, second.east, second.north) == (100, 0, 500_100, 3_250_000)
    assert second.name in ("K2", "2")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x,y,east,north\n0,0,500000\n", "review.control_line"),
        ("0,0,500000,3250000\n1,nan,500000,3250000\n", "review.control_line"),
        ("x,y,east,north\n", "review.control_empty"),
        ("", "review.control_empty"),
    ],
)
def test_broken_tables_name_the_line(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "points.csv"
    path.write_text(text)
    with pytest.raises(PlannerError) as error:
        read_control_csv(path)
    assert error.value.code == code


def test_coordinates_of_the_project_are_taken_as_they_are(project: Project) -> None:
    made = place(drawn(EAST, NORTH), 1.0, project)
    assert (made.method, made.crs, made.matrix, made.notes) == ("coordinates", "", IDENTITY, ())
    millimetres = place(drawn(EAST * 1000, NORTH * 1000, 100_000), 0.001, project)
    assert millimetres.method == "coordinates"


def test_a_zone_number_is_recognised_and_reprojected_with_a_note(project: Project) -> None:
    made = place(drawn(40_500_000.0, NORTH), 1.0, project)
    assert (made.method, made.crs) == ("coordinates", "EPSG:4528")
    assert notes(made)["review.zone_recognised"]["zone"] == 40
    moved = mover(made, project)(shapely.box(40_500_000.0, NORTH, 40_500_100.0, NORTH + 80))
    assert moved.bounds == pytest.approx((EAST, NORTH, EAST + 100, NORTH + 80), abs=1e-3)
    next_zone = place(drawn(39_780_000.0, NORTH), 1.0, project)  # 117°E, east of its own zone: the city's edge
    assert next_zone.crs == "EPSG:4527"
    corner = mover(next_zone, project)(shapely.Point(39_780_000.0, NORTH))
    x, y = transformer("EPSG:4527", "EPSG:4549").transform(np.array([39_780_000.0]), np.array([NORTH]))
    assert (corner.x, corner.y) == (pytest.approx(x[0]), pytest.approx(y[0]))


def test_a_zone_named_without_its_number_is_understood(project: Project) -> None:
    made = place(drawn(40_500_000.0, NORTH), 1.0, project, crs="EPSG:4549")
    assert (made.method, made.crs) == ("crs", "EPSG:4528")
    assert "review.zone_recognised" in notes(made)


def test_a_project_with_zone_numbers_takes_drawings_without_near_its_data(tmp_path: Path) -> None:
    with Project.create(tmp_path / "zoned.sqlite", "EPSG:4528") as project:
        assert not place(drawn(EAST, NORTH), 1.0, project).placed  # which zone, nobody knows
        parcel = shapely.box(40_500_000.0, NORTH, 40_500_200.0, NORTH + 200)
        made = place(drawn(EAST, NORTH), 1.0, project, parcel=parcel)
        assert made.crs == "EPSG:4549"
        moved = mover(made, project)(shapely.Point(EAST, NORTH))
        assert (moved.x, moved.y) == pytest.approx((40_500_000.0, NORTH), abs=1e-3)


@pytest.mark.parametrize(
    ("x", "y", "size", "code"),
    [
        (0.0, 0.0, 100.0, "review.place_unknown"),
        (5_000.0, 3_000.0, 100.0, "review.place_unknown"),
        (NORTH, EAST, 100.0, "review.looks_swapped"),
        (EAST * 1000, NORTH * 1000, 1e5, "review.looks_millimetres"),
        (NORTH, 40_500_000.0, 100.0, "review.looks_swapped"),
    ],
)
def test_local_and_odd_coordinates_stay_where_they_are(
    project: Project, x: float, y: float, size: float, code: str
) -> None:
    made = place(drawn(x, y, size), 1.0, project)
    assert not made.placed
    assert [one for one, _ in made.notes] == [code]


def test_a_named_system_is_used_and_doubted_where_it_does_not_fit(project: Project) -> None:
    made = place(drawn(EAST, NORTH), 1.0, project, crs="EPSG:4548")
    assert (made.method, made.crs) == ("crs", "EPSG:4548")
    assert place(drawn(EAST, NORTH), 1.0, project, crs="4549").crs == ""
    odd = place(drawn(NORTH, EAST), 1.0, project, crs="EPSG:4549")
    assert notes(odd)["review.outside_crs"]["looks"] == "swapped"
    with pytest.raises(PlannerError) as error:  # Beijing 1954: no way there without the city's parameters
        place(drawn(EAST, NORTH), 1.0, project, crs="EPSG:2437")
    assert error.value.code == "crs.ballpark"


def test_the_citys_own_parameters_are_used_both_ways(project: Project) -> None:
    city = CityTransform("EPSG:2437", "EPSG:4549", "four", (120.0, -80.0, 2e-5, 1.000003))
    project.set_setting(SETTING, city.to_json())
    made = place(drawn(EAST, NORTH), 1.0, project, crs="EPSG:2437")
    there = mover(made, project)(shapely.Point(EAST, NORTH))
    cos, sin = 1.000003 * math.cos(2e-5), 1.000003 * math.sin(2e-5)
    assert there.x == pytest.approx(120 + cos * EAST - sin * NORTH, abs=1e-6)
    back = mover_back(made, project)(there)
    assert (back.x, back.y) == pytest.approx((EAST, NORTH), abs=1e-4)


@pytest.mark.parametrize(
    "placement",
    [
        Placement("coordinates"),
        Placement("crs", "EPSG:4528"),
        Placement("control", "EPSG:4527", (0.6, -0.8, 39_700_000.0, 0.8, 0.6, NORTH)),
        Placement("by_hand", "", (0.6, -0.8, EAST, 0.8, 0.6, NORTH)),
    ],
)
def test_there_and_back_again_to_a_tenth_of_a_millimetre(project: Project, placement: Placement) -> None:
    x = {"coordinates": EAST, "crs": 40_500_000.0}.get(placement.method, 0.0)
    shape = shapely.box(x, NORTH if x else 0.0, x + 300, (NORTH if x else 0.0) + 200)
    there = mover(placement, project)(shape)
    back = mover_back(placement, project)(there)
    assert np.abs(shapely.get_coordinates(back) - shapely.get_coordinates(shape)).max() < 1e-4
    assert there.area == pytest.approx(shape.area, rel=2e-3)


def test_a_files_own_statement_is_used_unless_it_is_doubtful(project: Project) -> None:
    matrix = (0.0, -1.0, EAST, 1.0, 0.0, NORTH)
    stated = Georeference("geodata", "EPSG:4549", matrix)
    made = place(drawn(georeference=stated), 1.0, project)
    assert (made.method, made.crs, made.matrix) == ("geodata", "", matrix)
    again = place(drawn(georeference=stated), 1.0, project, crs="EPSG:4549")
    assert again.matrix == matrix  # the system it names itself
    other = place(drawn(EAST, NORTH, georeference=stated), 1.0, project, crs="EPSG:4548")
    assert "review.crs_overrides" in notes(other)
    doubtful = replace(stated, suspicion=("review.geodata_unusual", {"crs": "EPSG:4549"}))
    left = place(drawn(georeference=doubtful), 1.0, project)
    assert not left.placed
    assert [code for code, _ in left.notes][:2] == ["review.geodata_unusual", "review.statement_doubted"]
    abroad = place(drawn(georeference=Georeference("geodata", "EPSG:27700", (1, 0, 5e5, 0, 1, 2e5))), 1.0, project)
    assert not abroad.placed
    assert "review.outside_project" in notes(abroad) or "review.place_impossible" in notes(abroad)
    old = place(drawn(georeference=Georeference("geodata", "EPSG:2437", matrix)), 1.0, project)
    assert notes(old)["review.statement_unreachable"]["reason"] == "crs.ballpark"


def test_a_world_file_needs_a_system_only_where_it_is_not_the_projects(project: Project) -> None:
    here = Georeference("world_file", "", (1.0, 0.0, EAST, 0.0, 1.0, NORTH))
    assert place(drawn(georeference=here), 0.5, project).method == "geodata"
    zoned = replace(here, matrix=(1.0, 0.0, 40_500_000.0, 0.0, 1.0, NORTH))
    assert place(drawn(georeference=zoned), 0.5, project).crs == "EPSG:4528"
    elsewhere = replace(here, matrix=(1.0, 0.0, 12.0, 0.0, 1.0, 47.0))
    assert "review.statement_without_crs" in notes(place(drawn(georeference=elsewhere), 0.5, project))


def test_a_place_far_from_what_is_expected_is_told(project: Project) -> None:
    made = place(drawn(EAST, NORTH), 1.0, project, parcel=shapely.box(EAST + 5_100, NORTH, EAST + 5_200, NORTH + 100))
    assert notes(made)["review.far_from_parcel"]["km"] == pytest.approx(5.0, abs=0.2)
    batch = Batch(list(shapely.to_wkb([shapely.box(EAST, NORTH + 2e5, EAST + 9, NORTH + 2e5 + 9)])), {})
    project.add_layer(NewLayer("parcels", "polygon", ()), [batch])
    assert notes(place(drawn(EAST, NORTH), 1.0, project))["review.far_from_project"]["km"] == pytest.approx(200, abs=1)


def test_a_few_things_far_away_do_not_decide(project: Project) -> None:
    inside = drawn(EAST, NORTH)
    many = tuple(replace(one, handle=f"{at}-{one.handle}") for at in range(20) for one in inside.entities)
    lost: Any = Entity("x", "LINE", "0", np.array([(-7e5, -3e4), (-7e5, -3e4)]))
    assert place(replace(inside, entities=(*many, lost)), 1.0, project).method == "coordinates"


@pytest.mark.data
def test_the_sample_of_the_next_zone_is_placed_without_being_asked(project: Project, data_dir: Path) -> None:
    from plugins.review.model.drawing.intake import read_here

    path = data_dir / "drawings" / "synthetic_zongping_R2013_utf8.dxf"
    made = place(read_here(path, DrawingFormat.DXF), 1.0, project)
    assert made.crs == "EPSG:4528"
    assert "review.zone_recognised" in notes(made)
