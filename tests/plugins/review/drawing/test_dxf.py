"""DXF: every kind of entity by hand-worked numbers, encodings, blocks, what is hidden or cannot be drawn."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.dxf import FLATTEN_M, aci, ground_unit
from plugins.review.model.drawing.dxf_loading import dxf_encoding, without_damage
from plugins.review.model.drawing.intake import read_here, sniff
from plugins.review.model.drawing.types import Drawing

from .conftest import Dxf, by_kind, notes


def area(points: Any) -> float:
    return float(shapely.Polygon(points).area)


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


WALL = "  0\nTCH_WALL\n  5\nA1\n330\n1F\n100\nAcDbEntity\n  8\nWALL\n100\nTDbWall\n 40\n3.0\n"
REGION = "  0\nREGION\n  5\nA2\n330\n1F\n100\nAcDbEntity\n  8\n0\n100\nAcDbModelerGeometry\n 70\n1\n"


def with_raw(tmp_path: Path, raw: str, *, only: bool) -> Path:
    """A drawing with entities of other programs in it, and nothing else if ``only``."""
    from ezdxf.filemanagement import new

    document = new("R2013")
    if not only:
        document.modelspace().add_line((0, 0), (1, 1))
    path = tmp_path / "wall.dxf"
    document.saveas(path)
    text = path.read_text("utf-8")
    head, tail = text.split("ENTITIES\n", 1)
    path.write_text(head + "ENTITIES\n" + raw + tail, "utf-8")
    return path


def test_objects_of_t_arch_ask_for_a_t3_export(tmp_path: Path) -> None:
    path = with_raw(tmp_path, WALL + REGION, only=False)
    drawing = read_here(path, sniff(path))
    assert drawing.count == 3
    assert notes(drawing)["review.foreign_objects"] == {"count": 1, "kinds": "TCH_WALL × 1"}
    assert notes(drawing)["review.solids"] == {"count": 1, "kinds": "REGION × 1"}
    path = with_raw(tmp_path, WALL, only=True)
    with pytest.raises(PlannerError) as error:
        read_here(path, sniff(path))
    assert error.value.code == "review.only_foreign"


@pytest.mark.parametrize(
    ("version", "page", "encoding", "text"),
    [
        ("AC1015", "ANSI_936", "gbk", "用地红线"),
        ("AC1015", "ANSI_1252", "gbk", "用地红线"),  # a header nobody corrected
        ("AC1015", "ANSI_936", "utf-8", "用地红线"),  # GDAL writes so
        ("AC1027", "ANSI_936", "utf-8", "容积率≤1.5"),
        ("AC1027", "ANSI_936", "gbk", "总建筑面积"),  # against the rules of the version
        ("AC1015", "ANSI_1251", "cp1251", "Отметки фундамента"),
        ("AC1015", "ANSI_1252", "cp1252", "Gebäude für Größe"),
        ("AC1015", "ANSI_950", "cp950", "建築基地"),
        ("AC1015", "ANSI_932", "cp932", "敷地境界線"),
        ("AC1015", "ANSI_949", "cp949", "대지경계선"),
        ("AC1015", "", "gbk", "建筑密度"),
    ],
)
def test_the_bytes_decide_the_encoding(tmp_path: Path, version: str, page: str, encoding: str, text: str) -> None:
    header = f"  9\n$ACADVER\n  1\n{version}\n" + (f"  9\n$DWGCODEPAGE\n  3\n{page}\n" if page else "")
    body = (
        f"  0\nSECTION\n  2\nHEADER\n{header}  0\nENDSEC\n  0\nSECTION\n  2\nENTITIES\n"
        f"  0\nTEXT\n  5\nFF\n100\nAcDbEntity\n  8\n{text}\n100\nAcDbText\n 10\n1.0\n 20\n2.0\n 40\n3.0\n  1\n{text}\n"
        "100\nAcDbText\n  0\nENDSEC\n  0\nEOF\n"
    )
    path = tmp_path / "words.dxf"
    path.write_bytes(body.encode(encoding))
    drawing = read_here(path, sniff(path))
    (words,) = drawing.entities
    assert (words.text, words.layer) == (text, text)


def test_unicode_written_in_ascii_is_read(tmp_path: Path) -> None:
    body = (
        "  0\nSECTION\n  2\nENTITIES\n  0\nTEXT\n  8\n0\n 10\n1.0\n 20\n2.0\n 40\n3.0\n  1\n\\U+7528\\U+5730\n"
        "  0\nENDSEC\n  0\nEOF\n"
    )
    path = tmp_path / "ascii.dxf"
    path.write_text(body, "ascii")
    assert dxf_encoding(path.read_bytes()) == "utf-8"
    assert read_here(path, sniff(path)).entities[0].text == "用地"


def test_a_file_that_breaks_off_in_its_drawing_is_refused_one_that_lost_its_end_is_not(tmp_path: Path) -> None:
    from ezdxf.filemanagement import new

    document = new("R2013")
    for x in range(50):
        document.modelspace().add_line((x, 0), (x, 1))
    path = tmp_path / "cut.dxf"
    document.saveas(path)
    whole = path.read_bytes()
    entities = whole.index(b"ENTITIES\n")
    path.write_bytes(whole[: entities + 1500])
    with pytest.raises(PlannerError) as error:
        read_here(path, sniff(path))
    assert error.value.code == "review.dxf_half"
    path.write_bytes(whole[: whole.index(b"OBJECTS\n") + 300])
    drawing = read_here(path, sniff(path))
    assert len(drawing.entities) == 50
    assert "review.dxf_cut_short" in notes(drawing)


def test_one_damaged_entity_costs_that_entity_alone(tmp_path: Path) -> None:
    hatch = "  0\nHATCH\n  5\nA1\n330\n1F\n100\nAcDbEntity\n  8\n0\n100\nAcDbHatch\n 10\n0.0\n"
    drawing = read(with_raw(tmp_path, hatch, only=False))
    assert [one.kind for one in drawing.entities] == ["LINE"]
    assert notes(drawing)["review.broken_entities"] == {"count": 1, "kinds": "HATCH × 1"}


def test_tags_without_sense_cost_their_entity_and_a_vertex_its_polyline(tmp_path: Path) -> None:
    line = "  0\nLINE\n  8\n0\n 10\n{}\n 20\n0\n 11\n1\n 21\n1\n"
    vertex = "  0\nVERTEX\n  8\n0\n 10\n{}\n 20\n5\n"
    polyline = "  0\nPOLYLINE\n  8\n0\n 66\n1\n" + vertex.format(1) + vertex.format("no") + vertex.format(3)
    entities = line.format(0) * 20 + line.format("zero") + polyline + "  0\nSEQEND\n  8\n0\n" + line.format(7)
    lost = "  0\nLINE\n  8\n0\n 10\nhere the pairs get lost\n\n\n 20\n"
    path = tmp_path / "damaged.dxf"
    path.write_text(f"  0\nSECTION\n  2\nENTITIES\n{entities}{lost}{line.format(8)}  0\nENDSEC\n  0\nEOF\n")
    drawing = read(path)
    assert [one.kind for one in drawing.entities] == ["LINE"] * 22
    assert drawing.extent == (0, 0, 8, 1)
    assert notes(drawing)["review.broken_entities"]["count"] == 4  # two lines, a vertex and its polyline
    text, dropped, _ = without_damage(path.read_text())
    assert dropped == {"LINE": 2, "VERTEX": 1, "POLYLINE": 1}
    assert "VERTEX" not in text
    path.write_text(f"  0\nSECTION\n  2\nENTITIES\n{line.format('x') * 9}  0\nENDSEC\n  0\nEOF\n")
    with pytest.raises(PlannerError) as error:
        read(path)
    assert error.value.code == "review.dxf_broken"


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


@pytest.fixture(scope="session")
def drawings(data_dir: Path) -> Path:
    return data_dir / "drawings"


def read(path: Path) -> Drawing:
    return read_here(path, sniff(path))


@pytest.mark.data
def test_houses_of_parliament_say_where_they_stand(drawings: Path) -> None:
    drawing = read(drawings / "ezdxf_houses_of_parliament_georef.dxf")
    found = drawing.georeference
    assert found is not None
    assert (found.method, found.crs, found.suspicion) == ("geodata", "EPSG:27700", None)
    assert found.matrix is not None
    assert found.matrix[2] == pytest.approx(529635.6, abs=0.05)
    assert found.matrix[5] == pytest.approx(179575.4, abs=0.05)
    assert drawing.metres_per_unit == 0.0254


@pytest.mark.data
def test_real_permit_sheets_are_read_whole(drawings: Path) -> None:
    drawing = read(drawings / "edcr_NIC.dxf")
    assert len(drawing.entities) == drawing.count == 4512
    (plot,) = [one for one in drawing.entities if one.layer == "PLOT_BOUNDARY" and one.kind == "LWPOLYLINE"]
    assert area(plot.points) == pytest.approx(200.40, abs=0.005)
    assert any(round(one.value, 2) == 21.19 for one in by_kind(drawing, "DIMENSION") if one.value)
    flat = read(drawings / "edcr_FLAT.dxf")
    assert len(by_kind(flat, "HATCH")) == 157
    assert {round(one.value, 2) for one in by_kind(flat, "DIMENSION") if one.value} >= {9.75, 10.06}


@pytest.mark.data
def test_two_revisions_differ_in_two_fingerprints(drawings: Path) -> None:
    old = {one.handle: one.fingerprint for one in read(drawings / "edcr_NIC.dxf").entities}
    new = {one.handle: one.fingerprint for one in read(drawings / "edcr_NIC_revB.dxf").entities}
    assert old.keys() == new.keys()
    assert {handle for handle in old if old[handle] != new[handle]} == {"364EF", "31E"}


@pytest.mark.data
def test_one_drawing_in_two_encodings_reads_alike(drawings: Path) -> None:
    old = read(drawings / "synthetic_zongping_R2000_gbk.dxf")
    new = read(drawings / "synthetic_zongping_R2013_utf8.dxf")
    assert sorted({one.layer for one in old.entities}) == sorted({one.layer for one in new.entities})
    assert "YDHX-用地红线" in {one.layer for one in old.entities}
    assert sorted(one.fingerprint for one in old.entities) == sorted(one.fingerprint for one in new.entities)


@pytest.mark.data
def test_a_survey_in_cyrillic_keeps_its_words(drawings: Path) -> None:
    drawing = read(drawings / "comanda_survey_cp1251.dxf")
    assert "Фундамент" in {layer.name for layer in drawing.layers}
    assert len([one for one in by_kind(drawing, "TEXT") if "/" not in one.handle]) == 1445
    assert len([one for one in by_kind(drawing, "POINT") if "/" not in one.handle]) == 1294
    assert float(drawing.properties["flattened_units"]) == FLATTEN_M  # INSUNITS says mm, the extent metres


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
