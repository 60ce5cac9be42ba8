"""Issues go over to a revision by handle, fingerprint, place, page and GUID; none is ever dropped in silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry import mapping, shape

from plugins.review.model.cases.opened import OpenDrawing
from plugins.review.model.cases.records import Anchors, DrawingRecord, Issue
from plugins.review.model.drawing.placement import Placement
from plugins.review.model.drawing.types import Drawing, DrawingFormat, Entity
from plugins.review.model.reading.types import SitePlan, UnitCheck
from plugins.review.model.revisions.reanchor import Carried, carry
from tests.plugins.review.revisions.conftest import marked
from tests.plugins.review.revisions.test_diff import Draw, Make, block, edited, moved, renumbered

EAST, NORTH = 560_000.0, 3_400_000.0
CORNER = np.array([EAST, NORTH])
Open = Callable[..., OpenDrawing]


@pytest.fixture
def opened(drawing: Draw) -> Open:
    """``opened(entities, east, north)``: a drawing in metres, placed with its origin there."""

    def make(entities: list[Entity], east: float = EAST, north: float = NORTH, **more: Any) -> OpenDrawing:
        made: Drawing = drawing(entities, **more)
        record = DrawingRecord(f"id-{made.sha256[:6]}", "D-1", "case", "", made.name, made.sha256, "dxf")
        plan = SitePlan((), "", UnitCheck(1.0, "header"), {}, {}, (), {}, {})
        step = np.array([east, north])
        return OpenDrawing(
            record, made, plan, Placement("by_hand"), lambda g: shapely.transform(g, lambda p: p + step),
            lambda g: shapely.transform(g, lambda p: p - step),
        )  # fmt: skip

    return make


def issue(**anchors: Any) -> Issue:
    return Issue("i", "case", 1, "退界不足", "id-old", anchors=Anchors(**anchors))


def one(found: list[Carried]) -> Carried:
    (carried,) = found
    return carried


def test_by_handle_unchanged_changed_and_gone(town: list[Entity], opened: Open) -> None:
    before, after = opened(town), opened(edited(town))
    states = {
        handle: one(carry([issue(handles=(handle,))], before, after)).state for handle in ("A1", "A3", "A5", "B7", "A9")
    }
    assert states == {"A1": "ok", "A3": "moved", "A5": "moved", "B7": "moved", "A9": "lost"}
    kept = one(carry([issue(handles=("A1",))], before, after))
    assert kept.values["drawing_id"] == after.record.id
    assert kept.values["anchors"].fingerprints == (next(e for e in town if e.handle == "A1").fingerprint,)
    lost = one(carry([issue(handles=("A9",))], before, after))
    assert dict(lost.values) == {"anchor_state": "lost"}  # its anchors stay with the drawing they speak of


def test_handles_are_rewritten_when_all_are_new(town: list[Entity], opened: Open) -> None:
    before, after = opened(town), opened(renumbered(edited(town)))
    found = one(carry([issue(handles=("A1", "B7"))], before, after))
    assert found.state == "moved"  # the label was rewritten
    names = [next(e for e in after.drawing.entities if e.handle == h) for h in found.values["anchors"].handles]
    assert [e.text for e in names] == ["", "7#楼 4F"]
    assert np.array_equal(names[0].points, next(e for e in town if e.handle == "A1").points)


def test_geometry_goes_along_with_what_it_is_about(town: list[Entity], opened: Open) -> None:
    house = next(e for e in town if e.handle == "A5")
    place = shapely.transform(shapely.Polygon(house.points), lambda p: p + CORNER)
    before, after = opened(town), opened(edited(town))
    for anchors in ({"handles": ("A5",)}, {}):
        found = one(carry([issue(geometry=dict(mapping(place)), **anchors)], before, after))
        new = shape(found.values["anchors"].geometry)
        assert found.state == "moved"
        assert new.centroid.x - place.centroid.x == pytest.approx(0.35, abs=1e-6)
        assert new.centroid.y - place.centroid.y == pytest.approx(-0.12, abs=1e-6)


def test_geometry_alone(town: list[Entity], opened: Open) -> None:
    """On unchanged ground it stays, where everything went it is lost, on empty ground it is as it was."""
    before, after = opened(town), opened(edited(town))
    spots = {"A1": "ok", "A9": "moved"}  # the label of house 9 is still there
    for handle, state in spots.items():
        house = next(e for e in town if e.handle == handle)
        place = shapely.transform(shapely.Polygon(house.points), lambda p: p + CORNER)
        found = one(carry([issue(geometry=dict(mapping(place)))], before, after))
        assert found.state == state
        assert shape(found.values["anchors"].geometry).equals_exact(place, 1e-9)
    rest = opened([e for e in town if e.handle not in ("A9", "B9")])
    house = next(e for e in town if e.handle == "A9")
    place = shapely.transform(shapely.Polygon(house.points), lambda p: p + CORNER)
    assert one(carry([issue(geometry=dict(mapping(place)))], before, rest)).state == "lost"
    empty = dict(mapping(shapely.Point(EAST - 500, NORTH - 500)))
    assert one(carry([issue(geometry=empty)], before, after)).state == "ok"


def test_a_point_beside_a_house(town: list[Entity], opened: Open) -> None:
    house = next(e for e in town if e.handle == "A5")
    point = dict(mapping(shapely.Point(EAST + house.points[0, 0] - 0.3, NORTH + house.points[0, 1] + 1)))
    found = one(carry([issue(geometry=point)], opened(town), opened(edited(town))))
    assert (found.state, found.values["anchors"].geometry["coordinates"][0] - point["coordinates"][0]) == (
        "moved", pytest.approx(0.35, abs=1e-6)
    )  # fmt: skip


def test_the_drawing_was_placed_elsewhere(town: list[Entity], opened: Open) -> None:
    """Nothing in the drawing changed, but it lies 12 m further east: so do its issues."""
    house = next(e for e in town if e.handle == "A1")
    place = dict(mapping(shapely.Point(*(house.points[0] + CORNER))))
    found = one(carry([issue(handles=("A1",), geometry=place)], opened(town), opened(town, EAST + 12)))
    assert found.values["anchors"].geometry["coordinates"][0] == pytest.approx(place["coordinates"][0] + 12)


def test_inserts_and_parts_of_blocks(entity: Make, opened: Open) -> None:
    first = [e for n in range(6) for e in block(entity, f"D{n}", 10.0 * n, 0)]
    second = [replace(e, handle=e.handle.replace("D", "F")) for e in first]
    before, after = opened(first), opened(second)
    found = one(carry([issue(handles=("D2", "D3/2A"))], before, after))
    assert found.values["anchors"].handles == ("F2", "F3/2A")
    assert one(carry([issue(handles=("2A",))], before, after)).state == "ok"  # a change within the definition


def test_fingerprints_where_the_handle_is_unknown(town: list[Entity], opened: Open) -> None:
    """An issue taken over from elsewhere with handles nobody knows, but fingerprints."""
    mark = next(e for e in town if e.handle == "A1").fingerprint
    found = one(carry([issue(handles=("nobody",), fingerprints=(mark,))], opened(town), opened(edited(town))))
    assert (found.state, found.values["anchors"].handles) == ("moved", ("A1",))


def test_quads_of_a_pdf_follow_their_text(entity: Make, opened: Open) -> None:
    lines = [entity(str(n), "PATH", [(n, 0), (n, 50)], page=1) for n in range(20)]
    label = entity("t", "TEXT", [(100, 700)], text="绿地率 30.5%", size=9, page=1)
    quad = (98.0, 698.0, 180.0, 698.0, 180.0, 712.0, 98.0, 712.0)
    before = opened([*lines, label], format=DrawingFormat.PDF)
    same = opened([*lines, replace(label, handle="77")], format=DrawingFormat.PDF)
    anchors = {"page": 1, "quad": quad}
    assert one(carry([issue(**anchors)], before, same)).state == "ok"
    lower = opened([*lines, moved(label, 0, -40)], format=DrawingFormat.PDF)
    found = one(carry([issue(**anchors)], before, lower))
    assert (found.state, found.values["anchors"].quad[1]) == ("moved", pytest.approx(658.0))
    sheet_two = [marked(replace(e, page=2)) for e in (*lines, label)]
    cover = entity("c", "TEXT", [(50, 400)], text="封面", size=20, page=1)
    found = one(carry([issue(**anchors)], before, opened([cover, *sheet_two], format=DrawingFormat.PDF)))
    assert (found.state, found.values["anchors"].page, found.values["anchors"].quad) == ("moved", 2, quad)
    gone = opened([cover], format=DrawingFormat.PDF)
    assert one(carry([issue(**anchors)], before, gone)).state == "lost"


def test_a_scan_must_be_looked_at(entity: Make, opened: Open) -> None:
    from plugins.review.model.drawing.types import Page

    pages = (Page(1, 600, 800), Page(2, 600, 800))
    before, after = opened([], pages=pages), opened([], pages=pages[:1])
    quad = (0.0, 0.0, 9.0, 0.0, 9.0, 9.0, 0.0, 9.0)
    assert one(carry([issue(page=1, quad=quad)], before, after)).state == "moved"
    assert one(carry([issue(page=2, quad=quad)], before, after)).state == "lost"


def test_guids_of_a_model(entity: Make, opened: Open) -> None:
    wall = entity("2O2Fr$t4X7Zf8NOew3FLOH", "IfcWall", [(0, 0), (9, 0)])
    slab = entity("1hOSvn6df7F8_7GcBWlR72", "IfcSlab", [(0, 0), (9, 0), (9, 9)], closed=True)
    before = opened([wall, slab], format=DrawingFormat.IFC)
    longer = entity(wall.handle, "IfcWall", [(0, 0), (12, 0)])
    after = opened([longer], format=DrawingFormat.IFC)
    states = [one(carry([issue(guids=(e.handle,))], before, after)).state for e in (wall, slab)]
    assert states == ["moved", "lost"]
    both = one(carry([issue(guids=(wall.handle, slab.handle))], before, after))
    assert (both.state, both.found, both.gone, both.values["anchors"].guids) == ("moved", 1, 1, (wall.handle,))


def test_an_issue_about_nothing_in_particular_goes_along(town: list[Entity], opened: Open) -> None:
    found = one(carry([issue()], opened(town), opened(edited(town))))
    assert found.state == "ok"
