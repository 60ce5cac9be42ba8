"""DXF of other programs and other times: encodings, foreign objects, files that lost something."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.dxf_loading import dxf_encoding, without_damage
from plugins.review.model.drawing.intake import read_here, sniff

from .conftest import notes, read

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
