"""The door: what a file is, limits, cancelling, DWG, the second way; nothing is left behind."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from planner_app.compute.separate import Limits
from planner_app.domain.errors import Cancelled, PlannerError
from plugins.review.model.drawing.dwg import converter
from plugins.review.model.drawing.intake import read_drawing, sniff
from plugins.review.model.drawing.packing import pack, unpack
from plugins.review.model.drawing.types import DrawingFormat

from .conftest import Dxf, by_kind, notes


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.dxf", b"  0\r\nSECTION\r\n", DrawingFormat.DXF),
        ("a.txt", b"\xef\xbb\xbf999\nmade by hand\n  0\nSECTION\n", DrawingFormat.DXF),
        ("a.dxf", b"AutoCAD Binary DXF\r\n\x1a\x00", DrawingFormat.DXF),
        ("a.dxf", b"AC1027\0\0\0", DrawingFormat.DWG),
        ("a.dwg", b"junk\n%PDF-1.7\n", DrawingFormat.PDF),
        ("a.ifc", b"/* hello */\nISO-10303-21;\n", DrawingFormat.IFC),
        ("a.png", b"\x89PNG\r\n\x1a\n", DrawingFormat.IMAGE),
        ("a", b"\xff\xd8\xff\xe0", DrawingFormat.IMAGE),
        ("a.tif", b"MM\0*\0\0\0\x08", DrawingFormat.IMAGE),
    ],
)
def test_content_says_what_a_file_is(tmp_path: Path, name: str, data: bytes, kind: DrawingFormat) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert sniff(path) is kind


@pytest.mark.parametrize(
    ("data", "code", "looks"),
    [
        (b"", "review.file_empty", None),
        (b"\0" * 5000, "review.file_empty", None),
        (b"PK\x03\x04....", "review.archive", "ZIP"),
        (b"\xd0\xcf\x11\xe0....", "review.unknown_format", "OLE (Revit, MicroStation V8, Word, Excel)"),
        (b"<html></html>", "review.unknown_format", "XML / HTML"),
        (b"hello", "review.unknown_format", "text"),
        (b"\x01\x02\x03", "review.unknown_format", "?"),
    ],
)
def test_other_files_are_refused_by_what_they_are(tmp_path: Path, data: bytes, code: str, looks: str | None) -> None:
    path = tmp_path / "a.dwg"
    path.write_bytes(data)
    with pytest.raises(PlannerError) as error:
        sniff(path)
    assert error.value.code == code
    assert error.value.params.get("looks") == looks


def saved(tmp_path: Path, count: int = 200) -> Path:
    from ezdxf.filemanagement import new

    document = new("R2013")
    for x in range(count):
        document.modelspace().add_line((x, 0), (x, 1))
    path = tmp_path / "lines.dwg"  # a wrong name
    document.saveas(path)
    return path


def test_a_drawing_comes_whole_through_the_door(tmp_path: Path) -> None:
    path = saved(tmp_path)
    drawing = read_drawing(path)
    assert (drawing.format, drawing.name, len(drawing.entities), drawing.count) == ("dxf", "lines.dwg", 200, 200)
    import hashlib

    assert drawing.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert notes(drawing)["review.suffix"]["format"] == "DXF"
    with pytest.raises(ValueError, match="read-only"):
        drawing.entities[0].points[0, 0] = 1.0


def test_packing_keeps_everything(dxf: Dxf) -> None:
    def draw(document: Any, space: Any) -> None:
        hatch = space.add_hatch()
        hatch.paths.add_polyline_path([(0, 0), (9, 0), (9, 9)])
        hatch.paths.add_polyline_path([(1, 0), (2, 0), (2, 2)])
        space.add_text("中", height=2).set_placement((1, 2))
        space.add_aligned_dim(p1=(0, 0), p2=(3, 4), distance=1).render()

    drawing = dxf(draw)
    again = unpack(pack(drawing))
    assert again.layers == drawing.layers
    for one, other in zip(drawing.entities, again.entities, strict=True):
        assert (one.handle, one.text, one.value, one.box, one.fingerprint) == (
            other.handle, other.text, other.value, other.box, other.fingerprint,
        )  # fmt: skip
        assert np.array_equal(one.points, other.points)
        assert [ring.tolist() for ring in one.rings] == [ring.tolist() for ring in other.rings]


class _Watch:
    """Progress that is cancelled after a while."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds

    def update(self, fraction: float | None, stage: str = "") -> None:
        return None

    def is_cancelled(self) -> bool:
        return time.monotonic() > self.until


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    made = tmp_path / "temporary"
    made.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    return made


def test_cancelling_ends_the_reader_and_leaves_nothing(tmp_path: Path, folder: Path) -> None:
    path = saved(tmp_path, 60_000)
    started = time.monotonic()
    with pytest.raises(Cancelled):
        read_drawing(path, _Watch(0.3))
    assert time.monotonic() - started < 10.0  # it takes longer to read
    assert not list(folder.iterdir())


def test_time_and_memory_are_limited(tmp_path: Path, folder: Path) -> None:
    path = saved(tmp_path, 60_000)
    with pytest.raises(PlannerError) as error:
        read_drawing(path, within=Limits(seconds=0.5))
    assert error.value.code == "review.too_slow"
    with pytest.raises(PlannerError) as error:
        read_drawing(path, within=Limits(memory=220_000_000))
    assert error.value.code == "review.too_much_memory"
    assert not list(folder.iterdir())


def dwg(path: Path) -> Path:
    """A DWG R2000 with something of everything."""
    import ezdwg

    document = ezdwg.new()
    document.header["insunits"] = 4
    document.layers["YDHX-用地红线"] = {"color_index": 1}
    document.layers["FROZEN"] = {"color_index": 3, "frozen": True}
    space = document.modelspace()
    space.add_lwpolyline([(0, 0), (20, 0), (20, 20), (0, 20)], closed=True, layer="YDHX-用地红线")
    space.add_text("用地面积 9600", (3, 3), 2)
    space.add_mtext("{\\fSimSun;经济\\P技术指标}", (5, 15), 1.5)
    space.add_hatch([[(0, 0), (10, 0), (10, 10), (0, 10)], [(2, 2), (4, 2), (4, 4), (2, 4)]])
    space.add_line((0, 0), (1, 1), layer="FROZEN")
    block = document.blocks.new("车位", base_point=(1, 0, 0))
    block.add_lwpolyline([(0, 0), (2.5, 0), (2.5, 5), (0, 5)], closed=True)
    block.add_attdef("NO", "?", (1, 1), 0.5)
    outer = document.blocks.new("ROW")
    outer.add_blockref("车位", (10, 0), scale=(2, 2, 2), rotation=90)
    reference = space.add_blockref("车位", (51, 50), layer="YDHX-用地红线")
    space.add_attrib(reference, "NO", "P1", (52, 51), 0.5)
    space.add_blockref("ROW", (100, 0))
    space.add_linear_dim((0, -3), (0, 0), (20, 7))
    space.add_aligned_dim((0, 0), (3, 4), 1, text="约6")
    space.add_ordinate_dim((12, 7), (0, 5), (2, 1), x_type=False)
    space.add_circle((5, 5), 3)
    space.add_polyline2d([(0, 0), (5, 0), (5, 5)], closed=True)
    space.add_ray((0, 0, 0), (1, 0, 0))
    document.save(path, strict=False)
    return path


def test_dwg_keeps_handles_blocks_words_and_measures(tmp_path: Path) -> None:
    drawing = read_drawing(dwg(tmp_path / "a.dwg"))
    assert (drawing.format, drawing.version, drawing.metres_per_unit) == ("dwg", "R2000", 0.001)
    outline, old, slot, nested = by_kind(drawing, "LWPOLYLINE")
    assert (outline.layer, outline.colour, outline.closed) == ("YDHX-用地红线", "#ff0000", True)
    assert slot.points.tolist() == [[50, 50], [52.5, 50], [52.5, 55], [50, 55]]
    assert np.allclose(nested.points, [[110, -2], [110, 3], [100, 3], [100, -2]])
    assert len(old.points) == 3
    (attribute,) = by_kind(drawing, "ATTRIB")
    assert (attribute.tag, attribute.text, attribute.points.tolist()) == ("NO", "P1", [[52, 51]])
    words = [one.text for one in (*by_kind(drawing, "TEXT"), *by_kind(drawing, "MTEXT"))]
    assert words == ["用地面积 9600", "经济\n技术指标"]
    assert [(round(one.value or 0, 9), one.text) for one in by_kind(drawing, "DIMENSION")] == [
        (20, ""),
        (5, "约6"),
        (6, ""),
    ]
    assert [len(ring) for ring in by_kind(drawing, "HATCH")[0].rings] == [4, 4]
    assert not by_kind(drawing, "LINE")[0].visible
    assert notes(drawing)["review.not_drawn"]["kinds"] == "RAY × 1"
    first = {one.handle: one.fingerprint for one in drawing.entities}
    assert first == {one.handle: one.fingerprint for one in read_drawing(tmp_path / "a.dwg").entities}


@pytest.mark.data
def test_a_real_dwg_has_all_its_entities_and_one_that_yields_none_is_an_error(data_dir: Path) -> None:
    drawing = read_drawing(data_dir / "drawings" / "schependomlaan_BG_water_AC1024.dwg")
    assert drawing.count == 6377
    assert len([one for one in drawing.entities if "/" not in one.handle]) == 6375
    assert notes(drawing)["review.embedded"]["kinds"] == "OLE2FRAME × 2"
    assert len(by_kind(drawing, "DIMENSION")) == 16
    with pytest.raises(PlannerError) as error:
        read_drawing(data_dir / "drawings" / "contoso_Level_2_UNREADABLE.dwg")
    assert error.value.code == "review.dwg_empty"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for the converter")
def test_a_persons_own_converter_is_the_second_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    script = tmp_path / "ODAFileConverter"
    made = saved(tmp_path)
    script.write_text(f'#!/bin/sh\ntest -f "$1/drawing.dwg" && cp "{made}" "$2/drawing.dxf"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    broken = tmp_path / "broken.dwg"
    broken.write_bytes(b"AC1027" + os.urandom(5000))
    monkeypatch.setenv("PLANNER_ODA_CONVERTER", str(script))
    assert converter() == str(script)
    drawing = read_drawing(broken)
    assert (drawing.format, drawing.name, len(drawing.entities)) == ("dwg", "broken.dwg", 200)
    assert notes(drawing)["review.dwg_converted"]["program"] == "ODAFileConverter"
    script.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(PlannerError) as error:
        read_drawing(broken)
    assert error.value.code == "review.dwg_converter"
    script.write_text("#!/bin/sh\nsleep 600\n")
    with pytest.raises(Cancelled):
        read_drawing(broken, _Watch(4.0))
    assert not list(folder.iterdir())
