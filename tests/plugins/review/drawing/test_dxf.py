"""DXF: every kind of entity by hand-worked numbers, blocks, what is hidden or cannot be drawn."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugins.review.model.drawing.dxf import aci, ground_unit

from .conftest import Dxf, area, by_kind, notes, read


def test_curves_stay_within_a_centimetre_of_the_ground(dxf: Dxf) -> None:
    def draw(_: Any, space: Any) -> None:
        space.add_circle((100, 100), 20)
        space.add_lwpolyline([(0, 0, 0, 0, 1), (20, 0, 0, 0, 0), (20, 30), (0, 30)], close=True)
        space.add_arc((0, 0), 10, 350, 80)
        space.add_ellipse((50, 50), (20, 0), 0.5)
        space.add_spline([(0, 0), (10, 10), (20, 0), (30, 10)])

    drawing = dxf(draw)
    (circle,) = by_kind(drawing, "CIRCLE")
    centre = np.array([100.0, 100.0])
    middles = (circle.points + np.roll(circle.points, -1, axis=0)) / 2
    assert circle.closed
    assert 20.0 - np.hypot(*(middles - centre).T).min() <= 0.01
    (bulged,) = by_kind(drawing, "LWPOLYLINE")
    assert area(bulged.points) == pytest.approx(20 * 30 + math.pi * 50, rel=1e-3)  # a half circle below
    assert bulged.closed
    (arc,) = by_kind(drawing, "ARC")
    assert arc.points[0] == pytest.approx([10 * math.cos(math.radians(-10)), 10 * math.sin(math.radians(-10))])
    assert not arc.closed
    (ellipse,) = by_kind(drawing, "ELLIPSE")
    assert area(ellipse.points) == pytest.approx(math.pi * 20 * 10, rel=1e-3)
    assert len(by_kind(drawing, "SPLINE")[0].points) > 10


def test_a_millimetre_drawing_gets_as_many_vertices_as_one_in_metres(dxf: Dxf) -> None:
    def draw(scale: float) -> Any:
        def inner(_: Any, space: Any) -> None:
            for x in (0, 200):  # a site, so that the unit is believed
                space.add_circle((x * scale, 0), 20 * scale)

        return inner

    metres, millimetres = dxf(draw(1.0)), dxf(draw(1000.0), units=4)
    assert len(metres.entities[0].points) == len(millimetres.entities[0].points)
    assert millimetres.metres_per_unit == 0.001


def test_a_unit_that_makes_a_toy_of_a_town_is_not_flattened_by() -> None:
    assert ground_unit(0.001, 500.0) == 1.0  # the header says half a metre
    assert ground_unit(0.001, 500_000.0) == 0.001
    assert ground_unit(None, 300.0) == 1.0
    assert ground_unit(0.3048, 500.0) == 0.3048


def test_hatches_keep_their_rings(dxf: Dxf) -> None:
    def draw(_: Any, space: Any) -> None:
        polyline = space.add_hatch()
        polyline.paths.add_polyline_path([(0, 0), (10, 0), (10, 10), (0, 10)])
        polyline.paths.add_polyline_path([(2, 2), (4, 2), (4, 4), (2, 4)], flags=16)
        edges = space.add_hatch()
        path = edges.paths.add_edge_path()
        path.add_line((0, 0), (10, 0))
        path.add_arc((10, 5), 5, -90, 90)
        path.add_line((0, 10), (10, 10))  # the wrong way round
        path.add_line((0, 10), (0, 0))
        turned = space.add_hatch()
        circle = turned.paths.add_edge_path()
        circle.add_arc((50, 50), 4, 0, 360)

    one, two, three = by_kind(dxf(draw), "HATCH")
    assert [area(ring) for ring in one.rings] == [100.0, 4.0]
    assert len(two.rings) == 1
    assert area(two.rings[0]) == pytest.approx(100 + math.pi * 25 / 2, rel=2e-3)
    assert area(three.rings[0]) == pytest.approx(math.pi * 16, rel=2e-3)


def test_a_hatch_of_a_million_vertices_is_bounded_and_said_so(dxf: Dxf) -> None:
    at = np.linspace(0, 2 * math.pi, 1_000_000, endpoint=False)
    ring = np.column_stack([500 * np.cos(at), 500 * np.sin(at)])

    def draw(_: Any, space: Any) -> None:
        space.add_hatch().paths.add_polyline_path(ring.tolist())

    drawing = dxf(draw)
    (hatch,) = by_kind(drawing, "HATCH")
    assert len(hatch.rings[0]) <= 100_000
    assert area(hatch.rings[0]) == pytest.approx(math.pi * 500**2, rel=1e-6)
    assert notes(drawing)["review.thinned"]["count"] == 1_000_000


def test_blocks_are_taken_apart_with_handles_attributes_and_what_they_inherit(dxf: Dxf) -> None:
    def draw(document: Any, space: Any) -> None:
        document.layers.add("TCW", color=3)
        slot = document.blocks.new("车位", base_point=(1, 0))
        slot.add_lwpolyline([(0, 0), (2.5, 0), (2.5, 5), (0, 5)], close=True)  # layer 0: the reference's
        slot.add_line((0, 0), (1, 1), {"layer": "OTHER", "color": 0})  # colour by block
        slot.add_attdef("NO", (1, 1), height=0.5)
        row = document.blocks.new("ROW")
        row.add_blockref("车位", (10, 0), {"rotation": 90, "xscale": 2, "yscale": 2, "zscale": 2})
        first = space.add_blockref("车位", (51, 50), {"layer": "TCW", "color": 1})
        first.add_attrib("NO", "P1", (52, 51), {"height": 0.5, "layer": "TCW"})
        space.add_blockref("ROW", (100, 0))
        space.add_blockref("车位", (201, 0), {"row_count": 2, "column_count": 3, "row_spacing": 6, "column_spacing": 3})

    drawing = dxf(draw)
    assert drawing.count == 3
    inserts = by_kind(drawing, "INSERT")
    assert [one.text for one in inserts] == ["车位", "ROW", "车位", "车位"]
    outline, *_ = by_kind(drawing, "LWPOLYLINE")
    assert outline.points.tolist() == [[50, 50], [52.5, 50], [52.5, 55], [50, 55]]
    assert (outline.layer, outline.colour) == ("TCW", "#00ff00")
    assert outline.handle.split("/")[0] == inserts[0].handle
    line, *_ = by_kind(drawing, "LINE")
    assert (line.layer, line.colour) == ("OTHER", "#ff0000")
    (attribute,) = by_kind(drawing, "ATTRIB")
    assert (attribute.tag, attribute.text, attribute.points.tolist()) == ("NO", "P1", [[52, 51]])
    nested = next(one for one in by_kind(drawing, "LWPOLYLINE") if one.handle.count("/") == 2)
    assert np.allclose(nested.points, [[110, -2], [110, 3], [100, 3], [100, -2]])
    grid = [one for one in by_kind(drawing, "LWPOLYLINE") if one.handle.startswith(inserts[3].handle)]
    assert sorted(one.points[0].tolist() for one in grid) == [[x, y] for x in (200, 203, 206) for y in (0, 6)]
    assert len({one.handle for one in drawing.entities}) == len(drawing.entities)


def test_blocks_that_contain_themselves_end(dxf: Dxf) -> None:
    def draw(document: Any, space: Any) -> None:
        one, two = document.blocks.new("ONE"), document.blocks.new("TWO")
        one.add_line((0, 0), (1, 0))
        one.add_blockref("TWO", (5, 0))
        two.add_blockref("ONE", (5, 0))
        space.add_blockref("ONE", (0, 0))
        space.add_blockref("GONE", (0, 0))

    drawing = dxf(draw)
    assert len(by_kind(drawing, "LINE")) == 1
    assert notes(drawing)["review.cyclic_blocks"]["names"] == "ONE"
    assert notes(drawing)["review.unknown_blocks"]["count"] == 1


def test_blocks_that_multiply_are_cut_off_with_a_note(dxf: Dxf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.review.model.drawing.dxf.Collector", lambda: _small())

    def _small() -> Any:
        from plugins.review.model.drawing.shapes import Collector

        return Collector(most_entities=5_000)

    def draw(document: Any, space: Any) -> None:
        below = document.blocks.new("B0")
        below.add_line((0, 0), (1, 0))
        for level in range(1, 12):
            block = document.blocks.new(f"B{level}")
            for x in range(10):
                block.add_blockref(f"B{level - 1}", (x, 0))
        space.add_blockref("B11", (0, 0))

    drawing = dxf(draw)
    assert len(drawing.entities) == 5_000
    assert notes(drawing)["review.too_much"]["entities"] == 5_000


def test_dimensions_are_measured_whatever_their_text_says(dxf: Dxf) -> None:
    def draw(_: Any, space: Any) -> None:
        space.add_linear_dim(base=(0, -3), p1=(0, 0), p2=(20, 7), dimstyle="EZDXF").render()
        space.add_linear_dim(base=(0, -3), p1=(0, 0), p2=(20, 7), angle=90, dimstyle="EZDXF").render()
        space.add_aligned_dim(p1=(0, 0), p2=(3, 4), distance=1, text="{\\H0.24x;约%%c6}").render()
        space.add_radius_dim(center=(5, 5), radius=3, angle=45).render()
        space.add_diameter_dim(center=(5, 5), radius=3, angle=45).render()
        space.add_ordinate_x_dim((12, 7), (0, 5), origin=(2, 1)).render()
        space.add_ordinate_y_dim((12, 7), (0, 5), origin=(2, 1)).render()
        space.add_angular_dim_cra(center=(0, 0), radius=3, start_angle=0, end_angle=90, distance=1).render()

    found = by_kind(dxf(draw), "DIMENSION")
    assert [one.value and round(one.value, 9) for one in found] == [20, 7, 5, 3, 6, 10, 6, None]
    assert [one.text for one in found] == ["", "", "约Ø6", "", "", "", "", ""]
    assert found[0].points.tolist() == [[0, 0], [20, 7]]


def test_texts_are_plain_and_begin_where_their_first_line_begins(dxf: Dxf) -> None:
    from ezdxf.enums import TextEntityAlignment

    def draw(document: Any, space: Any) -> None:
        space.add_text("容积率%%p1.5", height=2).set_placement((3, 4))
        space.add_text("2号楼", height=2).set_placement((30, 30), align=TextEntityAlignment.MIDDLE_CENTER)
        space.add_mtext("{\\fSimSun;用地面积\\P9600}", {"char_height": 1.5, "insert": (5, 15)})
        space.add_mtext("A", {"char_height": 1, "insert": (50, 0), "rotation": 90})

    drawing = dxf(draw)
    plain, middle = by_kind(drawing, "TEXT")
    assert (plain.text, plain.points.tolist(), plain.size) == ("容积率±1.5", [[3, 4]], 2)
    x0, y0, x1, y1 = middle.box
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx((30, 30), abs=0.6)
    lines, turned = by_kind(drawing, "MTEXT")
    assert lines.text == "用地面积\n9600"
    assert lines.points.tolist() == [[5, 13.5]]
    assert turned.angle == 90
    assert turned.points[0] == pytest.approx([51, 0])


def test_hidden_things_are_kept_but_do_not_count(dxf: Dxf) -> None:
    def draw(document: Any, space: Any) -> None:
        document.layers.add("FROZEN").freeze()
        document.layers.add("OFF").off()
        block = document.blocks.new("B")
        block.add_line((0, 0), (1, 0), {"layer": "SHOWN"})
        space.add_line((0, 0), (900, 0), {"layer": "FROZEN"})
        space.add_line((0, 0), (900, 0), {"layer": "off"})  # layers know no case
        space.add_line((0, 0), (900, 0), {"invisible": 1})
        space.add_line((0, 0), (1, 0))
        space.add_blockref("B", (0, 0), {"layer": "FROZEN"})

    drawing = dxf(draw)
    assert [one.visible for one in by_kind(drawing, "LINE")] == [False, False, False, True, False]
    assert drawing.extent == (0, 0, 1, 0)
    hidden = {layer.name: layer.hidden for layer in drawing.layers}
    assert hidden["FROZEN"]
    assert hidden["OFF"]
    assert not hidden["0"]
    assert {layer.name: layer.count for layer in drawing.layers}["OFF"] == 1


def test_mirrored_planes_are_turned_back(dxf: Dxf) -> None:
    def draw(_: Any, space: Any) -> None:
        space.add_circle((-10, 5), 1, {"extrusion": (0, 0, -1)})
        space.add_lwpolyline([(-1, 0), (-3, 0), (-3, 2)], close=True, dxfattribs={"extrusion": (0, 0, -1)})
        space.add_text("T", height=1, dxfattribs={"extrusion": (0, 0, -1)}).set_placement((-7, 7))

    drawing = dxf(draw)
    assert by_kind(drawing, "CIRCLE")[0].points.mean(axis=0) == pytest.approx([10, 5])
    assert by_kind(drawing, "LWPOLYLINE")[0].points.tolist() == [[1, 0], [3, 0], [3, 2]]
    assert by_kind(drawing, "TEXT")[0].points.tolist() == [[7, 7]]


def test_what_cannot_be_drawn_is_named(dxf: Dxf) -> None:
    def draw(document: Any, space: Any) -> None:
        space.add_line((0, 0), (1, 0))
        space.add_ray((0, 0), (1, 0))
        image = document.add_image_def("scan\\总图.jpg", (100, 50))
        space.add_image(image, (10, 10), (20, 10))
        document.add_xref_def("c:\\site\\地形.dwg", "XREF1")
        space.add_blockref("XREF1", (0, 0))
        document.layout("Layout1").add_line((0, 0), (1, 1))

    drawing = dxf(draw)
    said = notes(drawing)
    assert said["review.not_drawn"]["kinds"] == "RAY × 1"
    assert said["review.pictures"]["kinds"] == "总图.jpg × 1"
    assert "地形.dwg" in said["review.xrefs"]["names"]
    assert said["review.paper_space"] == {"count": 1, "names": "Layout1"}
    (image,) = by_kind(drawing, "IMAGE")
    assert image.points.min(axis=0).tolist() == [10, 10]


def test_fingerprints_follow_what_is_drawn_not_where_it_is_filed(dxf: Dxf) -> None:
    def draw(dx: float, layer: str, words: str = "a") -> Any:
        def inner(_: Any, space: Any) -> None:
            space.add_lwpolyline([(0, 0), (10 + dx, 0), (10, 10)], close=True, dxfattribs={"layer": layer})
            space.add_text(words, height=1).set_placement((1, 1))

        return inner

    first = [one.fingerprint for one in dxf(draw(0, "A")).entities]
    assert [one.fingerprint for one in dxf(draw(1e-6, "B")).entities] == first
    moved = [one.fingerprint for one in dxf(draw(0.001, "A")).entities]
    assert moved[0] != first[0]
    assert moved[1] == first[1]
    assert [one.fingerprint for one in dxf(draw(0, "A", "b")).entities][1] != first[1]


def test_colours_are_as_drawn_on_white() -> None:
    assert aci(7) == "#000000"
    assert aci(1) == "#ff0000"
    assert aci(256) == ""
    assert aci(0) == "*"


def test_a_table_is_the_texts_of_its_block(tmp_path: Path) -> None:
    from ezdxf.filemanagement import new

    document = new("R2013")
    document.layers.add("JJZB")
    block = document.blocks.new("*T1")
    block.add_text("容积率 1.5", height=2).set_placement((1, 1))
    block.add_line((0, 0), (9, 0))
    path = tmp_path / "table.dxf"
    document.saveas(path)
    table = (
        "  0\nACAD_TABLE\n  5\nA7\n330\n1F\n100\nAcDbEntity\n  8\nJJZB\n100\nAcDbBlockReference\n  2\n*T1\n 10\n100.0\n"
        " 20\n50.0\n 30\n0.0\n100\nAcDbTable\n280\n0\n 91\n1\n 92\n1\n"
    )
    head, tail = path.read_text("utf-8").split("ENTITIES\n", 1)
    path.write_text(head + "ENTITIES\n" + table + tail, "utf-8")
    drawing = read(path)
    (words,) = by_kind(drawing, "TEXT")
    assert (words.text, words.points.tolist(), words.layer) == ("容积率 1.5", [[101, 51]], "JJZB")
    assert words.handle.startswith("A7/")


def test_multilines_and_leaders_are_drawn(dxf: Dxf) -> None:
    def draw(_: Any, space: Any) -> None:
        space.add_mline([(0, 0), (10, 0), (10, 10)])
        space.add_leader([(0, 0), (3, 3), (6, 3)])
        builder = space.add_multileader_mtext("Standard")
        builder.set_content("消防车道 R=12", char_height=1.5)
        from ezdxf.math import Vec2
        from ezdxf.render.mleader import ConnectionSide

        builder.add_leader_line(ConnectionSide.left, [Vec2(0, 0)])
        builder.build(insert=Vec2(20, 30))
        space.add_polyline3d([(0, 0, 1), (5, 0, 2), (5, 5, 3)])
        space.add_solid([(0, 0), (4, 0), (0, 3), (4, 3)])

    drawing = dxf(draw)
    lines = by_kind(drawing, "LINE")
    assert {"/" in one.handle for one in lines} == {True}
    assert len(by_kind(drawing, "LEADER")[0].points) == 3
    (said,) = by_kind(drawing, "MULTILEADER")
    assert (said.text, said.size) == ("消防车道 R=12", 1.5)
    assert by_kind(drawing, "POLYLINE")[0].z == 1
    assert area(by_kind(drawing, "SOLID")[0].points) == 12  # its corners go zigzag
