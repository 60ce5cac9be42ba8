"""The sample new town: plans, their believable disagreements, clean geometry, the same town for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from planner_app.domain.layer import PlanKind
from sample_projects.build import SEED
from sample_projects.classes import DLTB, GB50137, MNR2023
from sample_projects.tables import Table
from sample_projects.town import make_sample


def shapes(table: Table, column: str = "", *prefixes: str) -> np.ndarray:
    """World shapes of a table, those whose value in ``column`` starts with one of the prefixes."""
    made = table.world()
    if not column:
        return made
    return made[[str(value).startswith(prefixes) for value in table.columns[column]]]


def overlaps(a: np.ndarray, b: np.ndarray, least: float = 1.0) -> np.ndarray:
    """Areas over ``least`` m² that a shape of ``a`` and one of ``b`` share."""
    left, right = shapely.STRtree(b).query(a, predicate="intersects")
    area = shapely.area(shapely.intersection(a[left], b[right]))
    return area[area > least]


def test_volumes_are_those_of_a_new_district(sample):
    assert 900 <= len(sample.table("zoning_parcels")) <= 1800
    assert 1200 <= len(sample.table("master_land_use")) <= 2200
    assert 3500 <= len(sample.table("land_use_2020")) <= 5200
    assert 3800 <= len(sample.table("buildings")) <= 6000
    town = sample.table("growth_boundary").world()
    assert 16e6 < shapely.area(town).sum() < 24e6
    assert len({table.id for table in sample.tables}) == len(sample.tables)
    assert all(table.id.isascii() for table in sample.tables)


def test_at_least_eight_plans_of_every_kind(sample):
    plans = {table.plan.id: table.plan for table in sample.tables if table.plan}
    assert len(plans) >= 8
    assert {plan.kind for plan in plans.values()} >= set(PlanKind) - {PlanKind.OTHER}
    for plan in plans.values():
        assert plan.name
        assert plan.authority
        assert plan.version
        assert plan.valid_from
        assert plan.source
    zoning, old = plans["zoning_2024"], plans["zoning_2016"]
    assert old.valid_to
    assert old.valid_to < zoning.valid_from


def test_every_shape_is_valid_and_every_row_whole(sample):
    for table in sample.tables:
        made = table.world()
        if table.shapes:
            assert shapely.is_valid(made).all(), table.id
            assert not shapely.is_empty(made).any(), table.id
            assert len(made) == len(table)
        assert {len(values) for values in table.columns.values()} == {len(table)}, table.id
        assert list(table.columns) == [field.name for field in table.fields], table.id


@pytest.mark.parametrize("layer", ["master_land_use", "land_use_2020"])
def test_area_wide_plans_tile_the_ground(sample, layer):
    made = sample.table(layer).world()
    terrain = sample.town.terrain
    border = terrain.border
    if layer == "land_use_2020":  # the land survey stops at the tidal flats
        border = border.difference(terrain.sea.difference(terrain.flats))
    assert shapely.area(made).sum() == pytest.approx(shapely.union_all(made).area, abs=1.0)
    assert shapely.area(made).sum() == pytest.approx(border.area, rel=2e-4)
    assert shapely.minimum_clearance(made).min() > 0.001


@pytest.mark.parametrize("layer", ["zoning_parcels", "permanent_farmland", "forestry", "road_red_lines", "blue_line"])
def test_layers_do_not_overlap_themselves(sample, layer):
    made = sample.table(layer).world()
    assert shapely.area(made).sum() == pytest.approx(shapely.union_all(made).area, abs=1.0)


def test_stated_areas_are_the_areas(sample):
    for layer, column, unit in (
        ("zoning_parcels", "area_m2", 1.0),
        ("land_use_2020", "tbmj", 1.0),
        ("master_land_use", "area_ha", 1e4),
        ("permanent_farmland", "area_m2", 1.0),
    ):
        table = sample.table(layer)
        stated = np.array(table.columns[column]) * unit
        # coordinates are rounded to the millimetre when written
        assert np.abs(stated - shapely.area(table.world())).max() < 2.0, layer


def test_classes_belong_to_their_standards(sample):
    assert set(sample.table("master_land_use").columns["class_code"]) <= set(MNR2023)
    assert set(sample.table("land_use_2020").columns["dlbm"]) <= set(DLTB)
    assert set(sample.table("zoning_parcels").columns["class_code"]) <= set(GB50137)
    assert len(set(sample.table("zoning_parcels").columns["class_code"])) >= 20


def test_conditions_of_parcels_are_plausible(sample):
    zoning = sample.table("zoning_parcels").columns
    housing = [k for k, code in enumerate(zoning["class_code"]) if code == "R2"]
    assert all(1.0 <= zoning["far_max"][k] <= 3.1 for k in housing)
    assert all(zoning["green_min_pct"][k] >= 30 and zoning["height_max_m"][k] <= 80 for k in housing)
    assert len(set(zoning["parcel_no"])) == len(zoning["parcel_no"])
    assert all(number.startswith("BH-") and number.count("-") == 3 for number in zoning["parcel_no"])


def test_true_conflicts_are_there(sample):
    housing = shapes(sample.table("zoning_parcels"), "class_code", "R2")
    works = shapes(sample.table("zoning_parcels"), "class_code", "M")
    built = shapes(sample.table("master_land_use"), "class_code", "07", "08", "09", "10", "11")
    farmland = sample.table("permanent_farmland").world()
    ecology = sample.table("ecological_red_line").world()
    forest = sample.table("forestry").world()
    roads = sample.table("road_red_lines").world()
    water = shapes(sample.table("water_protection"), "zone", "一级", "二级")
    assert len(overlaps(housing, farmland, 500)) >= 10
    assert len(overlaps(works, ecology, 200)) >= 5
    assert len(overlaps(roads, forest, 500)) >= 10
    assert len(overlaps(housing, water, 500)) >= 5
    assert len(overlaps(built, shapes(sample.table("land_use_2020"), "dlbm", "01"), 100)) >= 100


def test_boundaries_were_digitised_twice(sample):
    """Slivers: much border, little area, metres wide at most."""
    master, zoning = sample.table("master_land_use").world(), sample.table("zoning_parcels").world()
    left, right = shapely.STRtree(zoning).query(master, predicate="intersects")
    patch = shapely.intersection(master[left], zoning[right])
    area, length = shapely.area(patch), shapely.length(patch)
    patchy = area > 1.0
    width = 2 * area[patchy] / length[patchy]
    assert (width < 1.0).sum() >= 200


def test_classes_differ_on_the_same_ground(sample):
    zoning = sample.table("zoning_parcels").columns
    assert sum(bool(note) for note in zoning["note"]) >= 20


def test_the_growth_boundary_cuts_parcels(sample):
    boundary = shapely.union_all(sample.table("growth_boundary").world())
    built = shapes(sample.table("zoning_parcels"), "class_code", "R", "B", "M", "A")
    outside = shapely.area(shapely.difference(built, boundary))
    assert ((outside > 100) & (outside < shapely.area(built) - 100)).sum() >= 5


def test_the_superseded_zoning_differs(sample):
    old = sample.table("zoning_2016")
    assert set(old.columns["approved"]) == {"2016-05-20"}
    assert (
        len(overlaps(shapes(old, "class_code", "R2"), shapes(sample.table("zoning_parcels"), "class_code", "M"), 500))
        >= 3
    )


def test_roads_bend_and_parcels_are_no_rectangles(sample):
    network = sample.town.network
    main = [road for road in network.roads if road.grade == "主干路"]
    bends = [road.centreline.length / shapely.oriented_envelope(road.centreline).length * 2 for road in main]
    assert len(main) >= 8
    assert max(bends) > 1.05
    parcels = sample.table("zoning_parcels").world()
    fill = shapely.area(parcels) / shapely.area(shapely.oriented_envelope(parcels))
    assert (fill < 0.98).mean() > 0.6


def test_names_are_there(sample):
    roads = set(sample.table("road_centrelines").columns["name"])
    assert {"滨江大道", "江南大道", "新城大道", "环城大道", "环湖路"} <= roads
    assert len(roads) == len(sample.table("road_centrelines"))
    assert roads == set(sample.table("road_red_lines").columns["name"])
    names = sample.table("place_names").columns
    assert {"澜江", "月湖", "东湾"} <= set(names["name"])
    assert names["kind"].count("村庄") >= 12


def test_buildings_stand_on_their_parcels(sample):
    buildings, zoning = sample.table("buildings"), sample.table("zoning_parcels")
    assert min(buildings.columns["storeys"]) >= 1
    assert max(buildings.columns["height_m"]) < 200
    where = {number: k for k, number in enumerate(zoning.columns["parcel_no"])}
    ground = zoning.world()
    homes = [(k, where[n]) for k, n in enumerate(buildings.columns["parcel_no"]) if n]
    made = buildings.world()
    outside = shapely.area(shapely.difference(made[[k for k, _ in homes]], ground[[p for _, p in homes]]))
    assert outside.max() < 5.0
    a, _b = shapely.STRtree(made).query(made, predicate="overlaps")
    assert len(a) == 0


def test_the_same_seed_makes_the_same_town_and_another_seed_another(sample):
    again = make_sample(SEED)
    assert [table.digest() for table in again.tables] == [table.digest() for table in sample.tables]
    other = make_sample(SEED + 1)
    for table in other.tables:
        if table.shapes:
            assert shapely.is_valid(table.world()).all(), table.id
    assert other.table("master_land_use").digest() != sample.table("master_land_use").digest()
