"""A revision's changes are found entity by entity, whatever the program did to the handles."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugins.review.model.drawing.types import Drawing, DrawingFormat, Entity
from plugins.review.model.revisions.diff import DrawingDiff, diff
from tests.plugins.review.revisions.conftest import marked

Make = Callable[..., Entity]
Draw = Callable[..., Drawing]


def moved(one: Entity, dx: float, dy: float) -> Entity:
    step = np.array([dx, dy])
    box = tuple((np.array(one.box).reshape(-1, 2) + step).ravel().tolist())
    return marked(replace(one, points=one.points + step, rings=tuple(ring + step for ring in one.rings), box=box))


def renumbered(entities: list[Entity]) -> list[Entity]:
    """All handles anew, in order, as some programs write them."""
    return [replace(one, handle=format(number + 0x20, "X")) for number, one in enumerate(entities)]


def edited(town: list[Entity]) -> list[Entity]:
    """House 3: a vertex out; 5: moved; 9: gone; label 7: rewritten; 11: on another layer; one new line."""
    by_handle = {one.handle: one for one in town}
    house = by_handle["A3"]
    points = house.points.copy()
    points[2] += (0.5, 0.0)
    by_handle["A3"] = marked(replace(house, points=points))
    by_handle["A5"] = moved(by_handle["A5"], 0.35, -0.12)
    by_handle["B7"] = marked(replace(by_handle["B7"], text="7#楼 4F"))
    by_handle["BB"] = replace(by_handle["BB"], layer="其他")
    del by_handle["A9"]
    new = marked(Entity("FF0", "LINE", "0", np.array([(500.0, 0.0), (510.0, 0.0)])))
    return [*by_handle.values(), new]


def facts(found: DrawingDiff) -> dict[str, Any]:
    return {
        "added": len(found.added),
        "removed": [one.before[0].text or one.before[0].kind for one in found.removed],
        "changed": sorted((one.kinds, one.what[0][0]) for one in found.changed),
    }


EDITS = {
    "added": 1,
    "removed": ["LWPOLYLINE"],
    "changed": [
        (("geometry",), "review.diff_moved"),
        (("geometry",), "review.diff_vertices_area"),
        (("layer",), "review.diff_layer"),
        (("text",), "review.diff_text"),
    ],
}


def test_the_same_drawing_has_no_changes(town: list[Entity], drawing: Draw) -> None:
    found = diff(drawing(town), drawing(list(reversed(town))))
    assert facts(found) == {"added": 0, "removed": [], "changed": []}
    assert found.unchanged == len(town)
    assert found.handles == {one.handle: one.handle for one in town}


def test_edits_are_named_with_their_handles(town: list[Entity], drawing: Draw) -> None:
    found = diff(drawing(town), drawing(edited(town)))
    assert facts(found) == EDITS
    assert {one.handle: one.kinds for one in found.changed} == {
        "A3": ("geometry",), "A5": ("geometry",), "B7": ("text",), "BB": ("layer",)
    }  # fmt: skip
    assert [one.handle for one in found.added] == ["FF0"]
    assert [one.handle for one in found.removed] == ["A9"]
    what = {one.handle: one.what[0][1] for one in found.changed}
    assert what["A5"]["dx"] == pytest.approx(0.35)
    assert what["A5"]["dy"] == pytest.approx(-0.12)
    assert (what["A3"]["vertices"], what["A3"]["of"], what["A3"]["most"]) == (1, 4, pytest.approx(0.5))
    assert what["A3"]["area_after"] > what["A3"]["area_before"]
    assert found.touched() == {"A3", "A5", "A9", "B7", "BB"}


def test_all_handles_anew(town: list[Entity], drawing: Draw) -> None:
    """Nothing but the edits is told, also where the new handles are old ones of other things."""
    found = diff(drawing(town), drawing(renumbered(edited(town))))
    assert facts(found) == EDITS
    own = renumbered(town)
    later = renumbered(edited(own_to_letters(own, town)))
    found = diff(drawing(own), drawing(later))
    assert facts(found) == EDITS
    assert found.renumbered


def own_to_letters(own: list[Entity], town: list[Entity]) -> list[Entity]:
    return [replace(one, handle=old.handle) for one, old in zip(own, town, strict=True)]


@pytest.mark.parametrize("anew", [False, True])
def test_a_drawing_moved_as_a_whole(town: list[Entity], drawing: Draw, anew: bool) -> None:
    """The shift is told once; what was edited besides is told in its own terms."""
    later = [moved(one, 1000.25, -30.5) for one in edited(town)]
    found = diff(drawing(town), drawing(renumbered(later) if anew else later))
    assert found.shift == pytest.approx((1000.25, -30.5))
    assert facts(found) == EDITS
    (step,) = [one.what[0][1] for one in found.changed if one.what[0][0] == "review.diff_moved"]
    assert (step["dx"], step["dy"]) == (pytest.approx(0.35), pytest.approx(-0.12))


def test_one_house_that_stayed_while_the_rest_moved(town: list[Entity], drawing: Draw) -> None:
    later = [one if one.handle == "A5" else moved(one, 0.0, 12.0) for one in town]
    found = diff(drawing(town), drawing(later))
    assert found.shift == pytest.approx((0.0, 12.0))
    (change,) = found.changed
    assert (change.handle, change.what[0][1]["dy"]) == ("A5", pytest.approx(-12.0))


def test_a_row_inserted_in_the_middle_of_a_numbered_file(town: list[Entity], drawing: Draw) -> None:
    """A program that numbers in order: everything behind the new entity has another handle."""
    first = renumbered(town)
    new = marked(Entity("", "LINE", "0", np.array([(-50.0, 0.0), (-40.0, 0.0)])))
    second = renumbered([*town[:30], new, *town[30:]])
    found = diff(drawing(first), drawing(second))
    assert (len(found.added), len(found.removed), len(found.changed)) == (1, 0, 0)
    assert found.added[0].after[0].points[0].tolist() == [-50.0, 0.0]


def test_a_copy_left_where_the_original_stood(town: list[Entity], drawing: Draw) -> None:
    """The entity with the old handle moved, the one in its place is new."""
    house = next(one for one in town if one.handle == "A5")
    later = [moved(one, 0.0, 400.0) if one is house else one for one in town] + [replace(house, handle="EEE")]
    found = diff(drawing(town), drawing(later))
    assert [one.handle for one in found.added] == ["EEE"]
    assert [one.handle for one in found.changed] == ["A5"]


def test_rounding_is_no_change(town: list[Entity], drawing: Draw) -> None:
    """Saved by another program: the last digits differ, some on the other side of a rounding boundary."""
    rng = np.random.default_rng(1)
    later = [
        marked(replace(one, points=np.round(one.points, 4) + rng.uniform(-4.9e-5, 4.9e-5, one.points.shape)))
        for one in town
    ]
    first = [marked(replace(one, points=np.round(one.points, 4) + 4.9e-5)) for one in town]
    assert diff(drawing(first), drawing(later)).changed == ()


def test_equal_things_drawn_twice(entity: Make, drawing: Draw) -> None:
    twice = [entity("1", "LINE", [(0, 0), (9, 0)]), entity("2", "LINE", [(0, 0), (9, 0)])]
    found = diff(drawing(twice), drawing(twice[:1]))
    assert ([one.handle for one in found.removed], found.changed) == (["2"], ())


def test_kinds_of_changes(entity: Make, drawing: Draw) -> None:
    ring = [(0, 0), (10, 0), (10, 10), (0, 10)]
    first = [
        entity("1", "LWPOLYLINE", ring, closed=True),
        entity("2", "LWPOLYLINE", ring, closed=True),
        entity("3", "LWPOLYLINE", ring, closed=True),
        entity("4", "HATCH", rings=[ring]),
        entity("5", "DIMENSION", [(0, 0), (12, 0)], value=12.0),
        entity("6", "TEXT", [(3, 3)], text="H=12.60", size=2.0),
        entity("7", "LINE", [(0, 0), (1, 1)]),
    ]
    second = [
        replace(first[0], closed=False, fingerprint="x"),
        entity("2", "LWPOLYLINE", [*ring[:3], (5, 12), (0, 10)], closed=True),
        entity("3", "LWPOLYLINE", [(0, 0), (5, 0), *ring[1:]], closed=True),
        entity("4", "HATCH", rings=[ring, [(4, 4), (6, 4), (6, 6), (4, 6)]]),
        replace(first[4], value=12.5, fingerprint="y"),
        entity("6", "TEXT", [(3, 3)], text="H=12.60", size=4.0, angle=90.0),
        replace(first[6], visible=False),
    ]
    found = {one.handle: [code for code, _ in one.what] for one in diff(drawing(first), drawing(second)).changed}
    assert found == {
        "1": ["review.diff_opened"],
        "2": ["review.diff_reshaped_area"],
        "4": ["review.diff_reshaped_area"],  # 3 has a vertex more on a straight side: no change
        "5": ["review.diff_value"],
        "6": ["review.diff_size", "review.diff_angle"],
        "7": ["review.diff_hidden"],
    }


def block(entity: Make, insert: str, x: float, y: float, *, wide: float = 2.5, name: str = "CAR") -> list[Entity]:
    """An insert of a block of two parts."""
    ring = [(x, y), (x + wide, y), (x + wide, y + 5), (x, y + 5)]
    return [
        entity(insert, "INSERT", [(x, y)], text=name),
        entity(f"{insert}/2A", "LWPOLYLINE", ring, closed=True),
        entity(f"{insert}/2B", "LINE", [(x, y), (x + 1, y + 5)]),
    ]


def scale(parts: list[Entity]) -> list[Entity]:
    """The insert twice as large: its own place and its record stay."""
    origin = parts[0].points[0]
    return [parts[0], *(marked(replace(one, points=origin + 2 * (one.points - origin))) for one in parts[1:])]


def test_blocks_change_as_blocks(entity: Make, drawing: Draw) -> None:
    rows = {f"D{n}": 10.0 * n for n in range(6)}
    first = [one for insert, x in rows.items() for one in block(entity, insert, x, 0)]
    moved_one = [one for insert, x in rows.items() for one in block(entity, insert, x, 1.5 if insert == "D2" else 0)]
    found = diff(drawing(first), drawing(moved_one))
    (change,) = found.changed
    assert (change.handle, len(change.after)) == ("D2", 3)
    assert [code for code, _ in change.what] == ["review.diff_moved", "review.diff_with_parts"]

    wider = [one for insert, x in rows.items() for one in block(entity, insert, x, 0, wide=2.6)]
    (change,) = diff(drawing(first), drawing(wider)).changed
    assert (change.handle, len(change.after)) == ("2A", 6)
    assert change.what[-1] == ("review.diff_in_block", {"inserts": 6})

    scaled = [
        one for insert, x in rows.items()
        for one in (scale(block(entity, insert, x, 0)) if insert == "D3" else block(entity, insert, x, 0))
    ]  # fmt: skip
    (change,) = diff(drawing(first), drawing(scaled)).changed
    assert (change.handle, change.kinds, len(change.after)) == ("D3", ("geometry",), 2)

    fewer = diff(drawing(first), drawing(first[:-3]))
    assert [one.handle for one in fewer.removed] == ["D5"]
    assert len(fewer.removed[0].before) == 3
    more = diff(drawing(first[:-3]), drawing(first))
    assert [one.handle for one in more.added] == ["D5"]


def test_a_moved_block_with_a_changed_part_is_two_changes(entity: Make, drawing: Draw) -> None:
    first = [*block(entity, "D1", 0, 0), *block(entity, "D2", 10, 0)]
    second = [*block(entity, "D1", 0, 0), *block(entity, "D2", 10, 3, wide=4.0)]
    found = {one.handle: one.what[0][0] for one in diff(drawing(first), drawing(second)).changed}
    assert found == {"D2": "review.diff_moved", "D2/2A": "review.diff_vertices_area"}


def test_pages_of_a_pdf_are_told_apart(entity: Make, drawing: Draw) -> None:
    """Objects of a PDF are numbered as they come: handles say nothing."""
    lines = [entity(str(n), "PATH", [(n, 0), (n, 50)], page=1) for n in range(30)]
    lines += [entity(str(n + 30), "PATH", [(n, 0), (n, 50)], page=2) for n in range(30)]
    later = [replace(one, handle=str(n)) for n, one in enumerate(lines[1:])]
    found = diff(drawing(lines, format=DrawingFormat.PDF), drawing(later, format=DrawingFormat.PDF))
    assert ([one.before[0].page for one in found.removed], found.added, found.changed) == ([1], (), ())


def test_long_texts_show_where_they_differ(entity: Make, drawing: Draw) -> None:
    words = "经济技术指标 " * 60
    first = drawing([entity("1", "MTEXT", [(0, 0)], text=words + "容积率 1.40 " + words, size=3)])
    second = drawing([entity("1", "MTEXT", [(0, 0)], text=words + "容积率 1.45 " + words, size=3)])
    (change,) = diff(first, second).changed
    assert "1.40" in change.what[0][1]["before"]
    assert "1.45" in change.what[0][1]["after"]
    assert len(change.what[0][1]["after"]) < 100


def test_units_make_metres(entity: Make, drawing: Draw) -> None:
    first = drawing([entity("1", "LINE", [(0, 0), (5000, 0)])], metres_per_unit=0.001)
    second = drawing([entity("1", "LINE", [(0, 350), (5000, 350)])], metres_per_unit=0.001)
    (change,) = diff(first, second).changed
    assert change.what[0][1]["distance"] == pytest.approx(0.35)
    (change,) = diff(first, second, metres_per_unit=1.0).changed
    assert change.what[0][1]["distance"] == pytest.approx(350)


def test_twenty_five_thousand_entities_renumbered_and_edited(entity: Make, drawing: Draw) -> None:
    rng = np.random.default_rng(3)
    starts = rng.uniform(0, 2000, (25_000, 2)).round(3)
    first = [entity(f"{n:X}", "LINE", [a, a + np.array([3.0, 1.0])]) for n, a in enumerate(starts)]
    later = [moved(one, 0.0, 0.4) if n % 50 == 0 else one for n, one in enumerate(first)]
    shuffled = renumbered([later[n] for n in rng.permutation(len(later))])
    begun = time.perf_counter()
    found = diff(drawing(first), drawing(shuffled))
    took = time.perf_counter() - begun
    assert (len(found.changed), len(found.added), len(found.removed)) == (500, 0, 0)
    assert took < 10.0  # seconds, on a machine that does other work as well; alone it is 1


@pytest.mark.data
def test_nic_revision_b_has_exactly_two_changes(data_dir: Path) -> None:
    from plugins.review.model.drawing.intake import read_drawing

    first, second = (read_drawing(data_dir / "drawings" / f"edcr_NIC{tail}.dxf") for tail in ("", "_revB"))
    assert len(first.entities) == 4512
    begun = time.perf_counter()
    found = diff(first, second)
    took = time.perf_counter() - begun
    assert (found.added, found.removed) == ((), ())
    assert {one.handle: one.kinds for one in found.changed} == {"364EF": ("geometry",), "31E": ("text",)}
    assert took < 1.0
    # The same with every handle new.
    anew = replace(second, entities=tuple(replace(e, handle=f"{n:X}") for n, e in enumerate(second.entities)))
    again = diff(first, anew)
    assert (again.added, again.removed) == ((), ())
    assert sorted(one.before[0].handle for one in again.changed) == ["31E", "364EF"]
