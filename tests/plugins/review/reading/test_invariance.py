"""However a drawing is stored, the same comes out: order, place, turn, direction, start, repetition, blocks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ezdxf.math
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugins.review.model.drawing.types import Drawing, Entity
from plugins.review.model.reading.types import Role, SitePlan
from tests.plugins.review.reading.sheets import Sheet, corners, read


def rich() -> Sheet:
    """A plan with all a plan may have, faults included."""
    sheet = Sheet()
    sheet.box("YDHX-用地红线", 0, 0, 120, 80)
    sheet.box("JZKZX-建筑控制线", 8, 8, 104, 64)
    sheet.line("DLHX-道路红线", (-10, -8), (130, -8))
    sheet.ring("JZJD-1#-建筑基底", [(12, 15), (52, 15), (57, 20), (57, 30), (12, 30)])
    sheet.ring("JZJD-2#-建筑基底", [(70, 40), (112.6, 40), (112.6, 60), (70, 60), (70, 40.03)], close=False)
    for a, b in (((70, 12), (90, 12)), ((90, 12.02), (90, 25)), ((90, 25), (70, 25)), ((70, 25), (70, 12))):
        sheet.line("JZJD-3#-建筑基底", a, b)
    sheet.ring("JZJD-4#-建筑基底", [(15, 40), (35, 55), (35, 40), (15, 55)])
    sheet.box("JZJD-地下室-外轮廓", 10, 10, 100, 55)
    sheet.hatch("LD-集中绿地", corners(2, 62, 58, 16), corners(20, 66, 10, 6))
    sheet.ring("LD-集中绿地", corners(2, 62, 58, 16))
    sheet.box("LD-宅旁绿地", 62, 2, 56, 5)
    sheet.box("LD-宅旁绿地", 62, 2, 56, 5)
    sheet.box("LD-道路绿地", 100, 4, 18, 3.5)
    sheet.box("LD-屋顶绿化", 15, 17, 20, 10)
    for floor in range(1, 4):
        sheet.box(f"MJ-1#-F{floor:02d}-全-计容", 12, 15, 40, 15)
        sheet.box(f"MJ-1#-F{floor:02d}-半-计容", 20, 13.5, 6, 1.5)
    sheet.box("MJ-2#-F02~17-全-计容", 70, 40, 42, 20)
    for k in range(5):
        sheet.box("TCW", 12 + 2.5 * k, 33, 2.5, 5.3)
    sheet.dimension("GD-1#", (140, 0), (140, 54.3))
    sheet.text("WZ-文字", "1号楼 18F/-1F H=54.30m", (20, 22))
    sheet.text("WZ-文字", "2号楼 3F H=12.60m", (75, 50))
    for line, (label, value) in enumerate((("用地面积（㎡）", "9600"), ("容积率", "1.40"), ("绿地率", "30.5%"))):
        sheet.text("JJZB-指标", label, (150, 70 - 5 * line))
        sheet.text("JJZB-指标", value, (190, 70 - 5 * line))
    return sheet


BASE = rich().drawing()


def figures(plan: SitePlan) -> dict[Any, float]:
    """All that counts of a plan, rounded to a cm²."""
    found: Counter[Any] = Counter()
    for one in plan.elements:
        key = (one.role.value, one.building, one.kind, one.floor, one.floors, one.coefficient, one.counts_far)
        found[*key, "area"] = round(found[*key, "area"] + one.geometry.area, 4)
        found[*key, "length"] = round(found[*key, "length"] + one.geometry.length, 4)
        found[*key, "count"] += 1
        if one.role == Role.HEIGHT:
            found["height", one.building, one.measured] = round(one.value or 0, 6)
        if one.storeys:
            found["storeys", one.building] = one.storeys
    return {**found, **{("declared", key): value for key, value in plan.declared.items()}}


def ledger(plan: SitePlan) -> Counter[str]:
    return Counter(repair.kind for repair in plan.repairs)


EXPECTED, LEDGER = figures(read(BASE)), ledger(read(BASE))
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def each(drawing: Drawing, change: Callable[[Entity], Entity]) -> Drawing:
    return replace(drawing, entities=tuple(map(change, drawing.entities)))


def same(drawing: Drawing, repairs: Counter[str] = LEDGER) -> None:
    plan = read(drawing)
    assert figures(plan) == pytest.approx(EXPECTED, abs=2e-3)
    assert ledger(plan) == repairs


def test_the_plan_itself() -> None:
    assert LEDGER == {
        "closed_gap": 1, "joined": 1, "self_crossing": 1, "hatch_ring": 1, "dropped_duplicate": 2, "cut_overlap": 1,
    }  # fmt: skip
    ground = sum(v for k, v in EXPECTED.items() if k[0] == "green" and k[-1] == "area" and k[2] != "屋顶")
    assert ground == pytest.approx(868 + 280 + 18 * 0.5)


@given(st.randoms(use_true_random=False))
@QUICK
def test_any_order(random: Any) -> None:
    entities = list(BASE.entities)
    random.shuffle(entities)
    plan = read(replace(BASE, entities=tuple(entities)))
    assert plan == read(BASE)


@given(st.floats(-180, 180), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
@QUICK
def test_anywhere_at_any_turn(turn: float, dx: float, dy: float) -> None:
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    matrix = np.array([[cos, sin], [-sin, cos]])

    def move(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return points @ matrix + (dx, dy)

    def moved(entity: Entity) -> Entity:
        corner = (
            move(np.array(corners(*entity.box[:2], entity.box[2] - entity.box[0], entity.box[3] - entity.box[1])))
            if entity.box
            else None
        )
        box = (*corner.min(axis=0).tolist(), *corner.max(axis=0).tolist()) if corner is not None else ()
        return replace(
            entity, points=move(entity.points), rings=tuple(map(move, entity.rings)), angle=entity.angle + turn, box=box
        )

    same(each(BASE, moved))


@given(st.integers(0, 7), st.booleans())
@QUICK
def test_any_start_and_direction(start: int, back: bool) -> None:
    def turned(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        rolled = np.roll(points, start, axis=0)
        return rolled[::-1] if back else rolled

    def change(entity: Entity) -> Entity:
        rings = tuple(map(turned, entity.rings))
        if entity.closed:
            return replace(entity, points=turned(entity.points), rings=rings)
        return replace(entity, points=entity.points[::-1] if back else entity.points, rings=rings)

    same(each(BASE, lambda one: change(one) if one.kind in ("LWPOLYLINE", "HATCH", "LINE") else one))


@given(st.sets(st.sampled_from([e.handle for e in BASE.entities if e.closed or e.rings]), min_size=1))
@QUICK
def test_whatever_is_drawn_twice(twice: set[str]) -> None:
    copies = [
        replace(e, handle=f"F{e.handle}", points=e.points[::-1] + 0.0004, rings=tuple(r + 0.0004 for r in e.rings))
        for e in BASE.entities
        if e.handle in twice
    ]
    plan = read(replace(BASE, entities=(*BASE.entities, *copies)))
    assert figures(plan) == pytest.approx(EXPECTED, abs=0.05)
    assert {
        kind: n for kind, n in ledger(plan).items() if kind not in ("dropped_duplicate", "self_crossing", "hatch_ring")
    } == {kind: n for kind, n in LEDGER.items() if kind not in ("dropped_duplicate", "self_crossing", "hatch_ring")}


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize(("turn", "scale"), [(0.0, 1.0), (33.0, 2.5)])
def test_in_blocks(depth: int, turn: float, scale: float) -> None:
    """All of the plan in a block, inserted so that it comes to lie where it was but for a turn."""
    sheet = rich()
    inner = sheet.doc.blocks.new("B0")
    for entity in list(sheet.space):
        sheet.space.move_to_layout(entity, inner)
    shrink = ezdxf.math.Matrix44.scale(1 / scale, 1 / scale, 1)
    for entity in list(inner):
        entity.transform(shrink)
    for level in range(1, depth):
        sheet.doc.blocks.new(f"B{level}").add_blockref(f"B{level - 1}", (0, 0))
    how = {"rotation": turn, "xscale": scale, "yscale": scale, "zscale": scale}
    sheet.space.add_blockref(f"B{depth - 1}", (500, 700), dxfattribs=how)
    same(sheet.drawing())


LAYERS = [
    "YDHX", "JZJD-1#", "JZJD", "LD-集中", "LD-宅旁", "LD-屋顶", "MJ-1#-F01-全", "MJ-1#-F02~05-半", "TCW", "TCW-B01",
    "DXS", "JZKZX", "DLHX", "GD-1#", "JJZB", "WZ", "0", "YT-1#",
]  # fmt: skip
WORDS = [
    "1号楼 18F/-1F H=54.30m",
    "容积率：1.4",
    "用地面积",
    "9600㎡",
    "H=",
    "12.3",
    "绿地率 35%",
    "\n\n",
    "1:500",
    "①（）",
    "",
]
PLACES = st.lists(
    st.tuples(*[st.integers(0, 6).map(lambda n: n * 10.0) | st.floats(0, 60)] * 2), min_size=2, max_size=9
)


@st.composite
def anything(draw: st.DrawFn) -> Drawing:
    """Entities of every kind on layers with a meaning, as no one should draw them."""
    scale, away = draw(st.sampled_from([1.0, 1000.0, 1e-3])), draw(st.sampled_from([0.0, 5e5, 4e7]))

    def places() -> np.ndarray[Any, Any]:
        return np.array(draw(PLACES)) * scale + away

    made = []
    for k in range(draw(st.integers(1, 25))):
        kind = draw(st.sampled_from(["LWPOLYLINE", "LINE", "CIRCLE", "HATCH", "TEXT", "POINT", "DIMENSION", "INSERT"]))
        block = draw(st.sampled_from(["", "A/", "A/B/"]))
        how: dict[str, Any] = {"closed": draw(st.booleans()) and kind in ("LWPOLYLINE", "CIRCLE"), "points": places()}
        if kind == "HATCH":
            how |= {"rings": tuple(places() for _ in range(draw(st.integers(0, 3)))), "points": np.empty((0, 2))}
        elif kind in ("TEXT", "POINT", "INSERT"):
            how["points"] = how["points"][:1]
        if kind == "TEXT":
            how |= {"text": draw(st.sampled_from(WORDS)), "size": draw(st.sampled_from([0.0, 2.5])), "angle": 33.0}
        if kind == "DIMENSION":
            how |= {"points": how["points"][:2], "value": draw(st.sampled_from([None, 0.0, 12.3]))}
        made.append(
            Entity(f"{block}{k:X}", kind, draw(st.sampled_from(LAYERS)), z=draw(st.sampled_from([0.0, 5.0])), **how)
        )
    return replace(BASE, entities=tuple(made), metres_per_unit=draw(st.sampled_from([None, 1.0, 0.001])), extent=None)


@given(anything(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_stands_on_the_layers(drawing: Drawing, random: Any) -> None:
    plan = read(drawing)
    undone = tuple(repair.id for repair in plan.repairs if random.random() < 0.5)
    again = read(drawing, undone_repairs=undone)
    for one in (*plan.elements, *again.elements):
        assert one.geometry.is_valid
        assert not one.geometry.is_empty
    assert {repair.id for repair in again.repairs if repair.undone} <= set(undone)
    assert not any(repair.undone for repair in plan.repairs)
