"""Storeys, envelopes and heights of models whose areas are known from their corners."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from plugins.review.model.drawing.ifc import read_ifc
from plugins.review.model.drawing.types import Drawing, Storey

from .build import Model, Point, rectangle

L_SHAPE: list[Point] = [(0, 0), (20, 0), (20, 8), (8, 8), (8, 15), (0, 15)]
L_AREA = 20 * 8 + 8 * 7
RING = rectangle(0, 0, 20, 20)


def _read(model: Model, tmp_path: Path) -> Drawing:
    return read_ifc(model.write(tmp_path / "model.ifc"))


def _real(drawing: Drawing) -> dict[str, Storey]:
    return {storey.name: storey for storey in drawing.storeys if storey.above}


def _areas(drawing: Drawing) -> dict[str, float]:
    return {name: round(one.envelope.area, 3) for name, one in _real(drawing).items() if one.envelope is not None}


def _codes(drawing: Drawing) -> set[str]:
    noted = itertools.chain(drawing.notes, *(storey.notes for storey in drawing.storeys))
    return {code for code, _ in noted}


@pytest.mark.parametrize("schema", ["IFC2X3", "IFC4", "IFC4X3_ADD2"])
@pytest.mark.parametrize(("unit", "scale"), [("m", 1.0), ("mm", 0.001), ("ft", 0.3048)])
@pytest.mark.parametrize("brep", [False, True])
def test_an_l_shape_of_three_storeys(schema: str, unit: str, scale: float, brep: bool, tmp_path: Path) -> None:
    model = Model(schema, unit, brep)
    building = model.building()
    for floor in range(3):
        storey = model.storey(building, f"{floor + 1}F", 3.0 * floor)
        model.walls(storey, L_SHAPE, 3.0 * floor, 3.0)
        model.body(storey, "IfcSlab", L_SHAPE, 3.0 * floor - 0.15, 0.15)
    roof = model.storey(building, "屋面", 9.0)
    model.body(roof, "IfcSlab", L_SHAPE, 8.85, 0.15)
    model.walls(roof, L_SHAPE, 9.0, 1.1)
    drawing = _read(model, tmp_path)

    assert drawing.version.startswith(schema[:4])
    assert drawing.metres_per_unit == pytest.approx(scale)
    assert _areas(drawing) == {"1F": L_AREA, "2F": L_AREA, "3F": L_AREA}
    assert [one.height for one in _real(drawing).values()] == pytest.approx([3.0, 3.0, 3.0])
    assert [one.elevation for one in _real(drawing).values()] == pytest.approx([0.0, 3.0, 6.0])
    assert "review.ifc_storey_roof" in _codes(drawing)
    (known,) = drawing.buildings
    assert known.height == pytest.approx(10.1)  # the parapet's top
    assert known.grade_source == "floor"
    assert drawing.extent == pytest.approx((0.0, 0.0, 20 / scale, 15 / scale), abs=1e-6 / scale)
    outline = next(one for one in drawing.entities if one.kind == "IfcBuildingStorey" and one.layer == "1F")
    assert len(outline.points) == 6
    assert outline.handle == _real(drawing)["1F"].guid
    assert sum(one.kind == "IfcWall" and one.layer.startswith("1F") for one in drawing.entities) == 6


def _ring_of_slabs(model: Model, storey: object, z: float) -> None:
    for part in (
        rectangle(0, 0, 20, 6), rectangle(0, 14, 20, 20), rectangle(0, 6, 6, 14), rectangle(14, 6, 20, 14),
    ):  # fmt: skip
        model.body(storey, "IfcSlab", part, z - 0.2, 0.2)


def test_a_courtyard_stays_open(tmp_path: Path) -> None:
    model = Model()
    building = model.building()
    for floor in range(2):
        storey = model.storey(building, f"{floor + 1}F", 3.0 * floor)
        model.walls(storey, RING, 3.0 * floor, 3.0)
        model.walls(storey, rectangle(5.8, 5.8, 14.2, 14.2), 3.0 * floor, 3.0)
        _ring_of_slabs(model, storey, 3.0 * floor)
    _ring_of_slabs(model, model.storey(building, "RF", 6.0), 6.2)
    drawing = _read(model, tmp_path)
    assert _areas(drawing) == {"1F": 20 * 20 - 8 * 8, "2F": 20 * 20 - 8 * 8}
    outline = next(one for one in drawing.entities if one.kind == "IfcBuildingStorey")
    assert len(outline.rings) == 2
    assert not len(outline.points)


def test_without_slabs_a_courtyard_is_a_question(tmp_path: Path) -> None:
    model = Model()
    storey = model.storey(model.building(), "1F", 0.0)
    model.walls(storey, RING, 0.0, 3.0)
    model.walls(storey, rectangle(5.8, 5.8, 14.2, 14.2), 0.0, 3.0)
    drawing = _read(model, tmp_path)
    assert _areas(drawing) == {"1F": 400.0}
    assert drawing.storeys[0].notes == (("review.ifc_courtyards", {"storey": "1F", "area": pytest.approx(64.0)}),)


def test_two_buildings_of_one_name(tmp_path: Path) -> None:
    model = Model("IFC2X3", "mm")
    for side in range(2):
        building = model.building("楼")
        for floor in range(2):
            storey = model.storey(building, f"{floor + 1}F", 3.0 * floor)
            model.walls(storey, rectangle(30 * side, 0, 30 * side + 10, 10 + side), 3.0 * floor, 3.0 + side)
    drawing = _read(model, tmp_path)
    areas = [(one.building, one.name, one.envelope and round(one.envelope.area, 3)) for one in drawing.storeys]
    assert areas == [
        ("楼", "1F", 100.0), ("楼", "2F", 100.0), ("楼 (2)", "1F", 110.0), ("楼 (2)", "2F", 110.0),
    ]  # fmt: skip
    assert [one.height for one in drawing.buildings] == pytest.approx([6.0, 7.0])


def test_doors_and_windows_close_a_glass_house(tmp_path: Path) -> None:
    model = Model()
    storey = model.storey(model.building(), "1F", 0.0)
    for x, y in ((0, 0), (11, 0), (0, 6.8), (11, 6.8)):
        model.body(storey, "IfcWall", rectangle(x, y, x + 1, y + 0.2), 0.0, 3.0)
    for ring in (
        rectangle(1, 0, 11, 0.1), rectangle(1, 6.9, 11, 7), rectangle(0, 0.2, 0.1, 6.8), rectangle(11.9, 0.2, 12, 6.8),
    ):  # fmt: skip
        model.body(storey, "IfcWindow", ring, 0.0, 3.0)
    drawing = _read(model, tmp_path)
    assert _areas(drawing) == {"1F": 84.0}
    assert drawing.storeys[0].source == "openings"
    ((code, params),) = drawing.storeys[0].notes
    assert (code, round(params["without"], 2), round(params["with"], 2)) == ("review.ifc_openings", 0.0, 84.0)


def test_openings_in_walls_do_not_open_the_envelope(tmp_path: Path) -> None:
    model = Model()
    storey = model.storey(model.building(), "1F", 0.0)
    south, *_ = model.walls(storey, RING, 0.0, 3.0)
    model.opening(south, rectangle(5, -0.5, 15, 0.5), 0.0, 2.5)
    drawing = _read(model, tmp_path)
    assert _areas(drawing) == {"1F": 400.0}
    assert drawing.storeys[0].notes == ()


def test_basement_foundation_datum_and_rooms_on_the_roof(tmp_path: Path) -> None:
    model = Model()
    building = model.building(ElevationOfTerrain=99.55, ElevationOfRefHeight=100.0)
    foundation = model.storey(building, "桩顶标高", -5.0)
    model.walls(foundation, RING, -5.0, 1.4)
    basement = model.storey(building, "B1", -3.6)
    model.walls(basement, RING, -3.6, 3.6)
    model.body(basement, "IfcSlab", RING, -3.8, 0.2)
    model.body(basement, "IfcSpace", rectangle(0.2, 0.2, 19.8, 19.8), -3.6, 3.4)
    tower = rectangle(0, 0, 10, 10)
    first = model.storey(building, "1F", 0.0)
    model.walls(first, tower, 0.0, 4.2)
    model.body(first, "IfcSlab", RING, -0.2, 0.2)
    model.storey(building, "吊顶", 3.3)
    second = model.storey(building, "2F", 4.2)
    model.walls(second, tower, 4.2, 3.0)
    model.body(second, "IfcSlab", rectangle(0, -1.5, 10, 10), 4.0, 0.2)
    roof = model.storey(building, "RF", 7.2)
    model.body(roof, "IfcSlab", tower, 7.0, 0.2)
    model.walls(roof, tower, 7.2, 1.5)  # a parapet above the height of the cut
    model.walls(roof, rectangle(2, 2, 5, 5), 7.2, 2.8)
    model.body(roof, "IfcSlab", rectangle(2, 2, 5, 5), 10.0, 0.2)
    drawing = _read(model, tmp_path)

    assert _areas(drawing) == {"B1": 400.0, "1F": 100.0, "2F": 100.0, "RF": 9.0}
    assert [one.name for one in drawing.storeys if one.below_ground] == ["B1"]
    assert _real(drawing)["2F"].outside_m2 == pytest.approx(15.0)  # the balcony
    assert _real(drawing)["1F"].height == pytest.approx(4.2)  # the datum below the ceiling does not count
    assert "review.ifc_storey_foundation" in _codes(drawing)
    (known,) = drawing.buildings
    assert (known.grade, known.grade_source) == (pytest.approx(-0.45), "attribute")
    assert known.height == pytest.approx(10.2 + 0.45)


def test_an_open_ground_storey_counts_its_slab(tmp_path: Path) -> None:
    model = Model()
    building = model.building()
    first = model.storey(building, "1F", 0.0)
    model.body(first, "IfcSlab", RING, -0.2, 0.2)
    for x, y in itertools.product((0, 6, 12, 19.4), repeat=2):
        model.body(first, "IfcColumn", rectangle(x, y, x + 0.6, y + 0.6), 0.0, 4.0)
    second = model.storey(building, "2F", 4.0)
    model.walls(second, RING, 4.0, 3.0)
    model.body(second, "IfcSlab", RING, 3.8, 0.2)
    drawing = _read(model, tmp_path)
    assert _areas(drawing) == {"1F": 400.0, "2F": 400.0}
    assert [one.source for one in drawing.storeys] == ["slab", "walls"]
    assert "review.ifc_from_slab" in _codes(drawing)


def test_models_of_spaces_only_and_of_the_frame_only(tmp_path: Path) -> None:
    model = Model()
    building = model.building()
    for floor in range(2):
        storey = model.storey(building, f"{floor + 1}F", 3.0 * floor)
        model.body(storey, "IfcSpace", rectangle(0.1, 0.1, 9.9, 19.9), 3.0 * floor, 2.8)
        model.body(storey, "IfcSpace", rectangle(10.1, 0.1, 19.9, 19.9), 3.0 * floor, 2.8)
    drawing = _read(model, tmp_path)
    assert _areas(drawing) == {"1F": 400.0, "2F": 400.0}
    assert {one.source for one in drawing.storeys} == {"spaces"}
    assert "review.ifc_from_spaces" in _codes(drawing)

    model = Model()
    building = model.building()
    for floor in range(4):
        storey = model.storey(building, f"{floor + 1}F", 3.0 * floor)
        model.body(storey, "IfcSlab", RING, 3.0 * floor - 0.2, 0.2)
        for x, y in itertools.product((0, 10, 19.4), repeat=2):
            if floor < 3:
                model.body(storey, "IfcColumn", rectangle(x, y, x + 0.6, y + 0.6), 3.0 * floor, 3.0)
    assert _areas(_read(model, tmp_path)) == {"1F": 400.0, "2F": 400.0, "3F": 400.0}  # the fourth slab is the roof


def test_an_attic_under_a_pitched_roof(tmp_path: Path) -> None:
    """Eaves at 0.5 m above the attic's floor, 45°: 1.2 m are reached 0.7 m inside the outer face."""
    model = Model()
    building = model.building()
    ground = model.storey(building, "EG", 0.0)
    model.walls(ground, rectangle(0, 0, 12, 10), 0.0, 2.7)
    model.body(ground, "IfcSlab", rectangle(0, 0, 12, 10), -0.2, 0.2)
    model.body(ground, "IfcDoor", rectangle(3, 0, 4, 0.2), 0.0, 2.1)
    attic = model.storey(building, "Dachgeschoss", 2.7)
    model.body(attic, "IfcSlab", rectangle(0, 0, 12, 10), 2.5, 0.2)
    model.body(attic, "IfcSpace", rectangle(0.3, 0.7, 11.7, 9.3), 2.7, 1.5)
    for y in (0.0, 9.7):
        model.body(attic, "IfcWall", rectangle(0, y, 12, y + 0.3), 2.7, 0.5)

    def prism(section: list[Point], x0: float, x1: float, kind: str, **values: object) -> None:
        """A body whose section in the plane across the ridge is (y, z)."""
        low, high = ([model.point(x, y, z) for y, z in section] for x in (x0, x1))
        count = len(section)
        sides = [[low[k], low[(k + 1) % count], high[(k + 1) % count], high[k]] for k in range(count)]
        shape = model.make(
            "IfcShapeRepresentation", model.context, "Body", "Brep", [model.solid([low[::-1], high, *sides])]
        )
        body = model.make("IfcProductDefinitionShape", Representations=[shape])
        made = model.root(kind, kind, ObjectPlacement=model.placed(), Representation=body, **values)
        model.inside[attic].append(made)

    for x in (0.0, 11.7):
        prism([(0, 2.7), (10, 2.7), (10, 3.2), (5, 8.2), (0, 3.2)], x, x + 0.3, "IfcWall")
    for section in ([(-0.5, 2.7), (5, 8.2), (5, 8.5), (-0.5, 3.0)], [(10.5, 2.7), (10.5, 3.0), (5, 8.5), (5, 8.2)]):
        prism(section, -0.5, 12.5, "IfcSlab", PredefinedType="ROOF")
    drawing = _read(model, tmp_path)
    areas = _areas(drawing)
    assert areas["EG"] == 120.0
    # The cut meets the roof's upper side 0.4 m outside of where it meets the lower one.
    assert areas["Dachgeschoss"] == pytest.approx(12 * (10 - 2 * 0.4), abs=0.05)
    assert _real(drawing)["Dachgeschoss"].source == "roof"
    assert drawing.buildings[0].height == pytest.approx(8.5)  # the ridge


def test_an_atrium_is_a_void_of_the_upper_storey(tmp_path: Path) -> None:
    model = Model()
    building = model.building()
    for floor in range(2):
        storey = model.storey(building, f"{floor + 1}F", 4.0 * floor)
        model.walls(storey, RING, 4.0 * floor, 4.0)
        if floor:
            _ring_of_slabs(model, storey, 4.0)
        else:
            model.body(storey, "IfcSlab", RING, -0.2, 0.2)
    model.body(model.storey(building, "RF", 8.0), "IfcSlab", RING, 7.8, 0.2)
    drawing = _read(model, tmp_path)
    assert _areas(drawing) == {"1F": 400.0, "2F": 400.0}
    assert [one.void_m2 for one in _real(drawing).values()] == pytest.approx([0.0, 64.0])


def test_storeys_that_only_state_their_elevation_and_walls_through_all(tmp_path: Path) -> None:
    model = Model()
    building = model.building()
    storeys = [model.storey(building, f"{floor + 1}F", 3.0 * floor, placed=False) for floor in range(4)]
    model.walls(storeys[0], RING, 0.0, 9.0)
    for floor, storey in enumerate(storeys):
        model.body(storey, "IfcSlab", RING, 3.0 * floor - 0.2, 0.2)
    assert _areas(_read(model, tmp_path)) == {"1F": 400.0, "2F": 400.0, "3F": 400.0}


@pytest.mark.parametrize(("gap", "noted"), [(0.02, False), (0.15, False), (0.6, True)])
def test_gaps_between_walls_are_bridged(gap: float, noted: bool, tmp_path: Path) -> None:
    model = Model()
    storey = model.storey(model.building(), "1F", 0.0)
    for a, b in (
        ((0, 0.1), (10, 0.1)), ((10 + gap, 0.1), (20, 0.1)), ((19.9, 0), (19.9, 20)), ((20, 19.9), (0, 19.9)),
        ((0.1, 20), (0.1, 0)),
    ):  # fmt: skip
        model.wall(storey, a, b, 0.0, 3.0)
    drawing = _read(model, tmp_path)
    assert _areas(drawing) == {"1F": 400.0}
    assert ("review.ifc_gaps" in _codes(drawing)) is noted


def test_curtain_walls_of_panels(tmp_path: Path) -> None:
    model = Model("IFC2X3")
    storey = model.storey(model.building(), "1F", 0.0)
    wall = model.root("IfcCurtainWall", "facade", ObjectPlacement=model.placed())
    model.inside[storey] = [wall]
    for k in range(10):
        low, high = 2.0 * k, 2.0 * k + 2.0
        for ring in (
            rectangle(low, 0, high, 0.05), rectangle(low, 19.95, high, 20), rectangle(0, low, 0.05, high),
            rectangle(19.95, low, 20, high),
        ):  # fmt: skip
            model.aggregate(wall, model.body(None, "IfcPlate", ring, 0.0, 3.0))
    drawing = _read(model, tmp_path)
    assert _areas(drawing) == {"1F": 400.0}
    assert drawing.storeys[0].source == "walls"


def test_modelled_ground_is_the_grade(tmp_path: Path) -> None:
    model = Model()
    model.walls(model.storey(model.building(), "1F", 0.0), RING, 0.0, 3.0)
    model.terrain(-0.45, rectangle(-50, -50, 60, 60))
    (known,) = _read(model, tmp_path).buildings
    assert (known.height, known.grade_source) == (pytest.approx(3.45), "terrain")


def test_no_units_no_storeys_no_building(tmp_path: Path) -> None:
    model = Model(unit="")
    model.per_metre = 1000.0
    building = model.building()
    for floor in range(3):
        model.walls(model.storey(building, f"{floor + 1}F", 3.0 * floor), RING, 3.0 * floor, 3.0)
    drawing = _read(model, tmp_path)
    assert _areas(drawing) == {"1F": 400.0, "2F": 400.0, "3F": 400.0}
    assert drawing.metres_per_unit is None
    assert ("review.ifc_no_units", {"metres": 0.001}) in drawing.notes

    model = Model()
    model.walls(model.building(), RING, 0.0, 6.0)
    drawing = _read(model, tmp_path)
    assert [round(one.envelope.area, 3) for one in drawing.storeys if one.envelope is not None] == [400.0]
    assert "review.ifc_no_storeys" in _codes(drawing)

    model = Model()
    model.walls(model.storey(model.site, "1F", 0.0), RING, 0.0, 3.0)
    drawing = _read(model, tmp_path)
    assert _areas(drawing) == {"1F": 400.0}
    assert [one.height for one in drawing.buildings] == pytest.approx([3.0])


def test_far_coordinates_and_turned_walls_keep_their_area(tmp_path: Path) -> None:
    model = Model(unit="mm")
    turned = [(40_500_000 + 0.8 * x - 0.6 * y, 3_347_000 + 0.6 * x + 0.8 * y) for x, y in L_SHAPE]
    model.walls(model.storey(model.building(), "1F", 0.0), turned, 0.0, 3.0)
    assert _areas(_read(model, tmp_path)) == {"1F": L_AREA}


def test_what_is_not_reached_in_time_is_named_and_no_half_envelope_told(tmp_path: Path) -> None:
    model = Model()
    storey = model.storey(model.building(), "1F", 0.0)
    model.walls(storey, RING, 0.0, 3.0)
    drawing = read_ifc(model.write(tmp_path / "model.ifc"), seconds=0.0)
    assert _codes(drawing) >= {"review.ifc_time"}
    assert [one.envelope for one in drawing.storeys] in ([], [None])


def test_the_same_model_has_the_same_fingerprints(tmp_path: Path) -> None:
    model = Model()
    storey = model.storey(model.building(), "1F", 0.0)
    model.walls(storey, L_SHAPE, 0.0, 3.0)
    path = model.write(tmp_path / "model.ifc")
    first, second = read_ifc(path), read_ifc(path)
    assert [(one.handle, one.fingerprint) for one in first.entities] == [
        (one.handle, one.fingerprint) for one in second.entities
    ]
    assert len({one.fingerprint for one in first.entities}) == len(first.entities)
