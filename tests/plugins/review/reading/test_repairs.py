"""The repair ledger: what is mended, how large it was, and what a reading without the repair gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from plugins.review.model.reading.types import Role, SitePlan
from tests.plugins.review.reading.sheets import Sheet, area, codes, corners, kinds, read, small_plan

BASE = "JZJD-9#-建筑基底"


def on_a_site() -> Sheet:
    sheet = Sheet()
    sheet.box("YDHX-用地红线", 0, 0, 120, 80)
    return sheet


def only(plan: SitePlan, kind: str) -> dict[str, object]:
    found = [repair for repair in plan.repairs if repair.kind == kind]
    assert len(found) == 1, kinds(plan)
    return found[0].detail[1]


@pytest.mark.parametrize("gap", [0.002, 0.03, 0.05])
def test_a_gap_is_closed(gap: float) -> None:
    sheet = on_a_site()
    handle = sheet.ring(BASE, [(10, 10), (30, 10), (30, 20), (10, 20), (10, 10 + gap)], close=False)
    drawing = sheet.drawing()
    plan = read(drawing)
    assert only(plan, "closed_gap")["gap_m"] == pytest.approx(gap)
    assert area(plan, Role.FOOTPRINT) == pytest.approx(200)
    again = read(drawing, undone_repairs=(f"closed_gap:{handle}",))
    assert area(again, Role.FOOTPRINT) == 0
    assert [(r.kind, r.undone) for r in again.repairs] == [("closed_gap", True), ("open_outline", False)]


def test_a_wide_opening_is_said_and_closed_only_if_the_reviewer_says_so() -> None:
    sheet = on_a_site()
    handle = sheet.ring(BASE, [(10, 10), (30, 10), (30, 20), (10, 20), (10, 10.06)], close=False)
    drawing = sheet.drawing()
    plan = read(drawing)
    assert area(plan, Role.FOOTPRINT) == 0
    assert only(plan, "open_outline")["gap_m"] == pytest.approx(0.06)
    again = read(drawing, undone_repairs=(f"open_outline:{handle}",))
    assert area(again, Role.FOOTPRINT) == pytest.approx(200)
    assert again.repairs[0].undone


def test_a_gap_in_millimetres() -> None:
    sheet = Sheet(units=4, scale=1000)
    sheet.box("YDHX", 0, 0, 120, 80)
    sheet.ring(BASE, [(10, 10), (30, 10), (30, 20), (10, 20), (10, 10.04)], close=False)
    assert only(sheet.read(), "closed_gap")["gap_m"] == pytest.approx(0.04)


def test_pieces_make_a_ring() -> None:
    sheet = on_a_site()
    sheet.line(BASE, (10, 10), (30, 10))
    sheet.ring(BASE, [(30, 20), (30.02, 10.03)], close=False)
    sheet.space.add_arc((20, 20), 10, 0, 180, dxfattribs={"layer": BASE})
    sheet.line(BASE, (10, 20), (10, 10))
    drawing = sheet.drawing()
    plan = read(drawing)
    joined = only(plan, "joined")
    assert joined["pieces"] == 4
    assert joined["gap_m"] == pytest.approx(math.hypot(0.02, 0.03))
    assert area(plan, Role.FOOTPRINT) == pytest.approx(200 + math.pi * 50, abs=0.5)
    again = read(drawing, undone_repairs=(plan.repairs[0].id,))
    assert area(again, Role.FOOTPRINT) == 0


def test_two_arcs_make_a_circle_and_a_circle_is_one() -> None:
    sheet = on_a_site()
    for start in (0, 180):
        sheet.space.add_arc((20, 20), 5, start, start + 180, dxfattribs={"layer": "JZJD-1#"})
    sheet.space.add_circle((50, 20), 5, dxfattribs={"layer": "JZJD-2#"})
    plan = sheet.read()
    assert {one.building: one.geometry.area for one in plan.of(Role.FOOTPRINT)} == pytest.approx(
        {"1#": math.pi * 25, "2#": math.pi * 25}, rel=0.01
    )


def test_parcels_with_a_common_edge_drawn_as_lines() -> None:
    sheet = Sheet()
    for a, b in (
        ((0, 0), (100, 0)),
        ((100, 0), (100, 50)),
        ((100, 50), (0, 50)),
        ((0, 50), (0, 0)),
        ((60, 0), (60, 50)),
    ):
        sheet.line("YDHX", a, b)
    sheet.line("YDHX", (60, 50), (60, 70))  # a stub that bounds nothing
    plan = sheet.read()
    assert area(plan, Role.SITE) == pytest.approx(5000)
    assert "review.stray_lines" in codes(plan)


@pytest.mark.parametrize("variant", ["same", "reversed", "shifted", "off by a hair"])
def test_an_outline_drawn_twice(variant: str) -> None:
    points = [(10.0, 10.0), (30.0, 10.0), (30.0, 20.0), (20.0, 25.0), (10.0, 20.0)]
    twin = {
        "same": points,
        "reversed": points[::-1],
        "shifted": points[2:] + points[:2],
        "off by a hair": [(x + 0.0006, y - 0.0006) for x, y in points],
    }[variant]
    sheet = on_a_site()
    first, second = sheet.ring(BASE, points), sheet.ring(BASE, twin)
    drawing = sheet.drawing()
    plan = read(drawing)
    assert [one.handles for one in plan.of(Role.FOOTPRINT)] == [(first,)]
    assert only(plan, "dropped_duplicate") | {"area_m2": 0} == {
        "layer": BASE,
        "handles": second,
        "kept": first,
        "area_m2": 0,
    }
    assert len(read(drawing, undone_repairs=(f"dropped_duplicate:{second}",)).of(Role.FOOTPRINT)) == 2


def test_what_differs_by_more_is_no_duplicate() -> None:
    sheet = on_a_site()
    sheet.box(BASE, 10, 10, 20, 10)
    sheet.box(BASE, 10, 10, 20, 10.003)
    assert len(sheet.read().of(Role.FOOTPRINT)) == 2


def test_equal_floors_are_no_duplicates() -> None:
    sheet = small_plan()
    for floor in range(1, 5):
        sheet.box(f"MJ-1#-F{floor:02d}-全-计容", 10, 10, 40, 15)
    sheet.box("MJ-1#-F02-全-计容", 10, 10, 40, 15)
    plan = sheet.read()
    assert sorted(one.floor or 0 for one in plan.of(Role.FLOOR_AREA)) == [1, 2, 3, 4]
    assert kinds(plan) == ["dropped_duplicate"]


def test_a_hatch_and_the_outline_it_was_picked_from() -> None:
    sheet = on_a_site()
    outer, hole = corners(10, 10, 30, 20), corners(15, 15, 5, 5)
    sheet.ring("LD-集中", outer)
    sheet.ring("LD-集中", hole)
    sheet.hatch("LD-集中", outer, hole)
    plan = sheet.read()
    assert area(plan, Role.GREEN) == pytest.approx(575)
    assert sorted(kinds(plan)) == ["dropped_duplicate", "dropped_duplicate", "hatch_ring"]


def test_rings_of_a_hatch() -> None:
    sheet = on_a_site()
    rings = [corners(10, 10, 30, 20), corners(15, 15, 10, 10), corners(18, 18, 2, 2)]
    sheet.hatch("LD-集中", *rings, rings[1])  # an island in a hole, and the hole drawn twice
    sheet.hatch("LD-宅旁", corners(60, 10, 5, 5), corners(70, 10, 5, 5))
    drawing = sheet.drawing()
    plan = read(drawing)
    assert area(plan, Role.GREEN, "集中") == pytest.approx(600 - 100 + 4)
    assert area(plan, Role.GREEN, "宅旁") == pytest.approx(50)
    assert only(plan, "hatch_ring")["area_m2"] == pytest.approx(100)
    assert area(read(drawing, undone_repairs=(plan.repairs[0].id,)), Role.GREEN, "集中") == pytest.approx(600)


def test_land_inside_the_site_is_taken_out_of_it() -> None:
    sheet = on_a_site()
    sheet.box("YDHX-用地红线", 40, 40, 20, 20)
    sheet.box("YDHX-用地红线", 45, 45, 10, 10)  # in again
    sheet.box("YDHX-用地红线", 5, 5, 4, 4)  # the frame of a number
    sheet.box("YDHX-用地红线", 80, 0, 40, 80)  # a part drawn along the outline
    drawing = sheet.drawing()
    plan = read(drawing)
    union = shapely.union_all([one.geometry for one in plan.of(Role.SITE)])
    assert union.area == pytest.approx(9600 - 400 + 100)
    assert only(plan, "site_hole")["area_m2"] == pytest.approx(400)
    (entry,) = (repair.id for repair in plan.repairs if repair.kind == "site_hole")
    back = read(drawing, undone_repairs=(entry,))
    assert shapely.union_all([one.geometry for one in back.of(Role.SITE)]).area == pytest.approx(9600)


def test_greens_that_overlap() -> None:
    sheet = on_a_site()
    a = sheet.box("LD-宅旁", 0, 0, 10, 10)
    b = sheet.box("LD-宅旁", 5, 0, 10, 10)
    sheet.box("LD-宅旁", 15, 0, 10, 10)  # touches
    sheet.box("LD-集中", 20, 0, 10, 10)
    sheet.box("LD-屋顶", 0, 0, 30, 5)
    drawing = sheet.drawing()
    plan = read(drawing)
    merged = only(plan, "merged_overlap")
    assert merged["area_m2"] == pytest.approx(50)
    assert merged["handles"] == f"{a}, {b}"
    assert only(plan, "cut_overlap")["area_m2"] == pytest.approx(50)
    assert area(plan, Role.GREEN, "宅旁") == pytest.approx(200)
    assert area(plan, Role.GREEN, "集中") == pytest.approx(100)
    assert area(plan, Role.GREEN, "屋顶") == pytest.approx(150)
    ground = [one.geometry for one in plan.of(Role.GREEN) if one.kind != "屋顶"]
    assert sum(shape.area for shape in ground) == pytest.approx(shapely.union_all(ground).area)
    naive = read(drawing, undone_repairs=tuple(repair.id for repair in plan.repairs))
    assert area(naive, Role.GREEN) == pytest.approx(100 * 4 + 150)


def test_many_overlapping_greens_stay_quick() -> None:
    rng = np.random.default_rng(1)
    sheet = on_a_site()
    for x, y in rng.uniform(0, 60, (2000, 2)).tolist():
        sheet.box("LD-宅旁", x, y, 20, 10)
    plan = sheet.read()
    drawn = shapely.union_all([one.geometry for one in plan.of(Role.GREEN)])
    assert area(plan, Role.GREEN) == pytest.approx(drawn.area)
    assert len(plan.repairs) < 5


def test_an_outline_that_crosses_itself() -> None:
    sheet = on_a_site()
    handle = sheet.ring(BASE, [(10, 10), (30, 30), (30, 10), (10, 30)])
    drawing = sheet.drawing()
    plan = read(drawing)
    detail = only(plan, "self_crossing")
    assert (detail["before_m2"], detail["after_m2"]) == pytest.approx((0, 200))
    assert plan.repairs[0].where is not None
    assert plan.repairs[0].where.distance(shapely.Point(20, 20)) < 1e-9
    assert all(one.geometry.is_valid for one in plan.elements)
    assert area(plan, Role.FOOTPRINT) == pytest.approx(200)
    assert area(read(drawing, undone_repairs=(f"self_crossing:{handle}",)), Role.FOOTPRINT) == 0


def test_a_loop_that_covers_ground_twice_counts_it_once() -> None:
    sheet = on_a_site()
    sheet.ring(BASE, [(0, 0), (10, 0), (10, 10), (2, 10), (2, -2), (4, -2), (4, 8), (8, 8), (8, 2), (0, 2)])
    plan = sheet.read()
    assert kinds(plan) == ["self_crossing"]
    assert area(plan, Role.FOOTPRINT) == pytest.approx(64)


def test_a_vertex_drawn_twice_and_a_spike_are_nothing() -> None:
    sheet = on_a_site()
    sheet.ring(BASE, [(10, 10), (30, 10), (30, 10), (30, 20), (35, 20), (30, 20), (10, 20)])
    plan = sheet.read()
    assert plan.repairs == ()
    assert area(plan, Role.FOOTPRINT) == pytest.approx(200)


def test_slivers_are_dropped() -> None:
    sheet = on_a_site()
    sheet.box(BASE, 10, 10, 20, 10)
    sheet.box(BASE, 40, 10, 8, 0.001)
    sheet.ring(BASE, [(50, 10), (60, 10), (55, 10)])
    plan = sheet.read()
    assert kinds(plan) == ["sliver", "sliver"]
    assert len(plan.of(Role.FOOTPRINT)) == 1


def test_elevations_are_left_aside() -> None:
    sheet = Sheet()
    sheet.box("YDHX-用地红线", 0, 0, 120, 80)
    handle = sheet.box(BASE, 10, 10, 20, 10, z=101.5)
    drawing = sheet.drawing()
    plan = read(drawing)
    assert only(plan, "flattened")["z_m"] == pytest.approx(101.5)
    assert area(plan, Role.FOOTPRINT) == pytest.approx(200)
    assert area(read(drawing, undone_repairs=(f"flattened:{handle}",)), Role.FOOTPRINT) == 0


def test_frozen_layers_carry_decoys() -> None:
    sheet = small_plan()
    sheet.box("JZJD-3#-建筑基底", 60, 20, 20, 10)
    sheet.box("LD-集中", 80, 5, 20, 10)
    sheet.box("A-REDL", -10, -10, 300, 300)
    for layer in ("JZJD-3#-建筑基底", "LD-集中", "A-REDL"):
        sheet.freeze(layer)
    plan, plain = sheet.read(), small_plan().read()
    assert (plan.roles, plan.unread) == (plain.roles, plain.unread)
    assert area(plan, Role.SITE) == pytest.approx(9600)
    assert area(plan, Role.GREEN) == pytest.approx(460)


def test_nothing_is_mended_in_a_sound_drawing() -> None:
    plan = small_plan().read()
    assert plan.repairs == ()
    assert plan.notes == ()


def test_a_scribble_is_left_out_rather_than_waited_for() -> None:
    rng = np.random.default_rng(1)
    sheet = on_a_site()
    sheet.ring("LD-集中", rng.uniform(0, 100, (4000, 2)).tolist())
    sheet.hatch("LD-宅旁", rng.uniform(0, 100, (4000, 2)).tolist())
    plan = sheet.read()
    assert kinds(plan) == ["tangled", "tangled"]
    assert area(plan, Role.GREEN) == 0
