"""Copies of drawings with redlines: read back by other libraries, looked at as pixels, the rest left as it was."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import ezdxf
import numpy as np
import pikepdf
import pypdfium2
import pypdfium2.raw as raw
import pytest
from numpy.typing import NDArray
from PIL import Image

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Finding, Verdict
from planner_app.project import Project
from plugins.review.model.cases import commands, store, workflow
from plugins.review.model.cases.opened import OpenDrawing
from plugins.review.model.cases.records import Anchors, Case, Comment, DrawingRecord, Issue, Markup
from plugins.review.model.drawing.dxf import read_dxf
from plugins.review.model.drawing.placement import Placement
from plugins.review.model.drawing.types import Drawing, DrawingFormat
from plugins.review.model.exchange.dxf_redlines import draw_dxf
from plugins.review.model.exchange.pdf_redlines import draw_pdf
from plugins.review.model.exchange.redlines import LAYER, Redline, Redlines, collect, write_redlines
from plugins.review.model.reading.types import SitePlan, UnitCheck

from .conftest import png

CLOUD = ((100.0, 100.0), (300.0, 100.0), (300.0, 250.0), (100.0, 250.0))
THREAD = "待补图 · 李工\n王工 2026-03-03: 请核对 3# 西侧退界，应不小于 8 m。"


def _pdf(rotation: int = 0, crop: tuple[float, ...] = ()) -> bytes:
    with pikepdf.new() as pdf:
        for _ in range(2):
            pdf.add_blank_page(page_size=(842, 595))
        page = pdf.pages[0]
        page.contents_add(pikepdf.Stream(pdf, b"0.8 g 400 300 200 150 re f 0 G 300 300 m 500 400 l S"))
        page.obj.Annots = pikepdf.Array(
            [pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 10, 10])]
        )
        page.obj.Rotate = rotation
        if crop:
            page.obj.CropBox = pikepdf.Array(crop)
        buffer = io.BytesIO()
        pdf.save(buffer)
        return buffer.getvalue()


def _all_kinds() -> list[Redline]:
    said = {"subject": "#3 退界不足", "thread": THREAD, "author": "王工", "time": "2026-03-03T02:00:00Z"}
    return [
        Redline("cloud", CLOUD, 1, id="a", **said),
        Redline("rectangle", ((320, 100), (400, 100), (400, 150), (320, 150)), 1),
        Redline("polygon", ((420, 100), (500, 100), (460, 160)), 1, colour="#1F5FAE"),
        Redline("area", ((520, 100), (600, 100), (600, 160), (520, 160)), 1, measured="123.4 m²"),
        Redline("line", ((100, 300), (150, 340), (200, 300)), 1),
        Redline("arrow", ((100, 380), (200, 380)), 1),
        Redline("dimension", ((100, 420), (220, 450)), 1, measured="12.35 m"),
        Redline("freehand", tuple((250.0 + i * 3, 320.0 + 20 * (i % 5)) for i in range(30)), 1),
        Redline("text", ((400, 450),), 1, text="请补充消防登高面\n第二行"),
        Redline("callout", ((350, 380), (450, 350)), 1, text="此处越线 0.6 m"),
        Redline("stamp", ((680, 420),), 1, text="退回修改", author="王工", size=18),
        Redline("photo", ((600, 200),), 1, text="现场", picture=png("green")),
        Redline("label", ((100, 262),), 1, text="#3 退界不足"),
    ]


def _annotations(data: bytes, page: int = 0) -> list[dict[str, str]]:
    """What another library finds on a page."""
    document = pypdfium2.PdfDocument(data)
    sheet = document[page]  # a page nobody holds is closed
    found = []
    for number in range(raw.FPDFPage_GetAnnotCount(sheet.raw)):
        annotation = raw.FPDFPage_GetAnnot(sheet.raw, number)
        said = {"subtype": str(raw.FPDFAnnot_GetSubtype(annotation))}
        for key in ("Contents", "T", "Subj", "NM", "M"):
            size = raw.FPDFAnnot_GetStringValue(annotation, key.encode(), None, 0)
            buffer = (raw.FPDF_WCHAR * (size // 2))()
            raw.FPDFAnnot_GetStringValue(annotation, key.encode(), buffer, size)
            said[key] = bytes(buffer).decode("utf-16-le").rstrip("\x00")
        found.append(said)
        raw.FPDFPage_CloseAnnot(annotation)
    sheet.close()
    document.close()
    return found


def _pixels(data: bytes, page: int = 0, scale: float = 1.0) -> NDArray[np.uint8]:
    document = pypdfium2.PdfDocument(data)
    found = np.asarray(document[page].render(scale=scale, may_draw_forms=False).to_pil().convert("RGB"))
    document.close()
    return found


def _red(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    parts = pixels.astype(int)
    found: NDArray[np.bool_] = (parts[:, :, 0] > 150) & (parts[:, :, 1] < 120) & (parts[:, :, 2] < 120)
    return found


def _box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


# ---------------------------------------------------------------- PDF


def test_every_kind_is_a_real_annotation() -> None:
    source = _pdf()
    made = draw_pdf(source, Redlines(_all_kinds()), "a.pdf")
    names = {
        raw.FPDF_ANNOT_POLYGON: 3, raw.FPDF_ANNOT_SQUARE: 1, raw.FPDF_ANNOT_POLYLINE: 1, raw.FPDF_ANNOT_LINE: 2,
        raw.FPDF_ANNOT_INK: 1, raw.FPDF_ANNOT_FREETEXT: 3, raw.FPDF_ANNOT_STAMP: 2, raw.FPDF_ANNOT_POPUP: 1,
        raw.FPDF_ANNOT_LINK: 1,
    }  # fmt: skip
    found = _annotations(made)
    counted = {name: sum(one["subtype"] == str(name) for one in found) for name in names}
    assert counted == names
    cloud = next(one for one in found if one["NM"] == "a")
    assert (cloud["Contents"], cloud["T"], cloud["Subj"]) == (THREAD, "王工", "#3 退界不足")
    assert cloud["M"] == "D:20260303020000Z"
    assert "请补充消防登高面\n第二行" in [one["Contents"] for one in found]
    with pikepdf.open(io.BytesIO(made)) as pdf, pikepdf.open(io.BytesIO(source)) as before:
        assert len(pdf.pages) == 2
        drawn = [[one.read_bytes() for one in file.pages[0].Contents] for file in (pdf, before)]
        assert drawn[0] == drawn[1]
        for one in pdf.pages[0].Annots:
            if one.Subtype not in ("/Popup", "/Link"):
                assert one.AP.N.read_bytes(), one.Subtype
        polygon = next(one for one in pdf.pages[0].Annots if one.get("/NM") == "a")
        assert [float(value) for value in polygon.Vertices] == [value for point in CLOUD for value in point]
        assert polygon.BE.S == "/C"
        assert polygon.Popup.Parent.objgen == polygon.objgen
        assert not pdf.check_pdf_syntax()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [(), (20.0, 10.0, 820.0, 580.0)])
def test_marks_lie_where_they_were_drawn(rotation: int, crop: tuple[float, ...]) -> None:
    mark = Redline("rectangle", ((60, 40), (160, 40), (160, 140), (60, 140)), 1)
    made = draw_pdf(_pdf(rotation, crop), Redlines([mark]), "a.pdf")
    pixels = _pixels(made)
    height = pixels.shape[0]
    assert _box(_red(pixels)) == pytest.approx((60, height - 140, 160, height - 40), abs=2)


def test_chinese_texts_show_their_own_characters() -> None:
    """Three characters, three shapes, none of them the box of a missing glyph; upright on a turned page."""
    shapes = []
    for text in ("审", "查", "\ue000"):  # the last one no font has
        mark = Redline("text", ((100, 300),), 1, text=text, size=60)
        pixels = _pixels(draw_pdf(_pdf(90), Redlines([mark]), "a.pdf"))
        mask = _red(pixels)
        x0, y0, x1, y1 = _box(mask)
        shapes.append(np.asarray(Image.fromarray(mask[y0:y1, x0:x1]).resize((24, 24))))
    upright = _red(
        _pixels(draw_pdf(_pdf(0), Redlines([Redline("text", ((100, 300),), 1, text="审", size=60)]), "a.pdf"))
    )
    x0, y0, x1, y1 = _box(upright)
    same = np.asarray(Image.fromarray(upright[y0:y1, x0:x1]).resize((24, 24)))
    for a in range(3):
        for b in range(a):
            assert (shapes[a] != shapes[b]).mean() > 0.08
    assert (shapes[0] != same).mean() < 0.08


def test_photos_stamps_and_the_list_are_drawn() -> None:
    marks = Redlines([Redline("photo", ((600, 200),), 1, picture=png("green"))], ["#7 报告缺章"])
    pixels = _pixels(draw_pdf(_pdf(), marks, "a.pdf"), scale=3.0)
    assert ((pixels[:, :, 1] > 100) & (pixels[:, :, 0] < 60)).sum() > 20_000
    assert _red(pixels[:180, :600]).sum() > 500


def test_marks_that_cannot_be_drawn_are_named() -> None:
    lost = Redlines([Redline("line", ((0.0, 0.0), (float("nan"), 1.0)), 1), Redline("line", ((0, 0), (9, 9)), 7)])
    draw_pdf(_pdf(), lost, "a.pdf")
    assert [code for code, _ in lost.notes] == ["review.redlines_mark", "review.redlines_page"]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [(lambda data: data[:200], "review.pdf_broken"), (lambda data: b"", "review.pdf_broken")],
)
def test_broken_pdfs(spoil: Callable[[bytes], bytes], code: str) -> None:
    with pytest.raises(PlannerError) as caught:
        draw_pdf(spoil(_pdf()), Redlines(_all_kinds()), "a.pdf")
    assert caught.value.code == code


def test_a_locked_pdf(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(_pdf())) as pdf:
        pdf.save(buffer, encryption=pikepdf.Encryption(user="secret", owner="owner"))
    with pytest.raises(PlannerError) as caught:
        draw_pdf(buffer.getvalue(), Redlines(_all_kinds()), "a.pdf")
    assert caught.value.code in ("review.pdf_password", "review.pdf_broken")


# ---------------------------------------------------------------- DXF


def _dxf(version: str = "R2010", encoding: str = "") -> bytes:
    document = ezdxf.new(version, units=0)
    if encoding:
        document.encoding = encoding
    document.layers.add("用地红线")
    space = document.modelspace()
    draw = space.add_polyline2d if version == "R12" else space.add_lwpolyline
    draw([(0, 0), (80, 0), (80, 60), (0, 60)], close=True, dxfattribs={"layer": "用地红线"})
    space.add_text("2号楼 H=12.6", height=2.5).set_placement((10, 10))
    space.add_circle((20, 20), 5)
    if version != "R12":
        space.add_hatch().paths.add_polyline_path([(1, 1), (5, 1), (5, 5)])
        space.add_mtext("第一行\\P第二行")
    buffer = io.StringIO()
    document.write(buffer)
    return buffer.getvalue().encode(document.output_encoding, "dxfreplace")


def _entities(document: Any) -> dict[str, str]:
    """Every entity of the file by its handle, as text; whose owner a reader names anew each time is left out."""
    from ezdxf.lldxf.tagwriter import TagCollector

    return {
        entity.dxf.handle: _letters(repr([(t.code, t.value) for t in TagCollector.dxftags(entity) if t.code != 330]))
        for entity in document.modelspace()
    }


def _letters(text: str) -> str:
    r"""Letters that stand by their number (\U+5BA1), which some readers leave to the viewer."""
    return re.sub(r"\\+U\+([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)


def _open(data: bytes, tmp_path: Path) -> Any:
    path = tmp_path / "copy.dxf"
    path.write_bytes(data)
    return ezdxf.readfile(path)


def _drawing(extent: tuple[float, float, float, float] = (0.0, 0.0, 80.0, 60.0)) -> Drawing:
    return Drawing("a.dxf", "0" * 64, DrawingFormat.DXF, "R2010", (), (), 1.0, extent=extent)


@pytest.mark.parametrize(
    ("version", "encoding"), [("R12", ""), ("R12", "gbk"), ("R2000", "gbk"), ("R2000", "cp1251"), ("R2010", "")]
)
def test_a_layer_of_its_own_and_every_entity_kept(version: str, encoding: str, tmp_path: Path) -> None:
    source = _dxf(version, encoding)
    before = _entities(_open(source, tmp_path))
    marks = Redlines([replace(one, page=0) for one in _all_kinds()], ["#7 报告缺章"])
    made = _open(draw_dxf(source, marks, _drawing(), 1.5), tmp_path)
    after = _entities(made)
    assert {handle: after[handle] for handle in before} == before
    own = [one for one in made.modelspace() if one.dxf.layer == LAYER]
    assert len(own) == len(after) - len(before) > 15
    worded = [one for one in own if "TEXT" in one.dxftype()]
    texts = _letters(" ".join(one.plain_text() if one.dxftype() == "MTEXT" else one.dxf.text for one in worded))
    for said in ("退回修改", "此处越线 0.6 m", "12.35 m", "123.4 m²", "请核对 3#", "#7 报告缺章"):
        assert said.replace(" ", "") in texts.replace(" ", "").replace("\n", ""), said
    clouds = [one for one in own if one.dxftype() in ("LWPOLYLINE", "POLYLINE") and len(list(one)) > 15]
    assert clouds
    assert not made.audit().has_errors
    path = tmp_path / "copy.dxf"
    again = read_dxf(path)  # our own reader sees them as well
    assert LAYER in {layer.name for layer in again.layers}
    assert any("退回修改" in one.text for one in again.entities)
    assert any("2号楼" in one.text for one in again.entities)


def test_a_cloud_bulges_outwards(tmp_path: Path) -> None:
    for ring in (CLOUD, CLOUD[::-1]):
        made = _open(draw_dxf(_dxf(), Redlines([Redline("cloud", ring)]), _drawing(), 1.5), tmp_path)
        cloud = next(one for one in made.modelspace() if one.dxf.layer == LAYER)
        from ezdxf import bbox

        box = bbox.extents([cloud])
        assert box.extmin.x < 95
        assert box.extmax.y > 255


def _opened(placement: Callable[[Any], Any] | None, metres: float = 0.001) -> OpenDrawing:
    """A drawing in millimetres, turned and far from the map's origin."""
    record = DrawingRecord("d1", "D-0001", "c1", "总平面", "a.dxf", "0" * 64, "dxf")
    plan = SitePlan((), "", UnitCheck(metres, "header"), {}, {}, (), {}, {})
    return OpenDrawing(record, _drawing((0.0, 0.0, 80e3, 60e3)), plan, Placement(), None, placement)


def test_map_geometry_goes_back_into_drawing_units(project: Project, case: Case) -> None:
    import shapely
    from shapely.affinity import affine_transform

    # drawing metres → map: turned by 90°, moved; here its inverse
    def to_drawing(geometry: Any) -> Any:
        return affine_transform(geometry, [0.0, 1.0, -1.0, 0.0, -3_400_000.0, 560_000.0])

    assert to_drawing(shapely.Point(560_000.0, 3_400_000.0)) == shapely.Point(0, 0)
    record = store.drawings(project)[0]
    opened = replace(_opened(to_drawing), record=record)
    finding = Finding(
        "review.setback", Verdict.FAIL, "3#", standard="GB 50180", clause="4.0.2",
        evidence={"type": "Polygon", "coordinates": [[[560_010, 3_400_000], [560_020, 3_400_000], [560_020, 3_400_005],
                                                      [560_010, 3_400_000]]]},
    )  # fmt: skip
    passing = replace(finding, verdict=Verdict.PASS)
    lost = replace(finding, evidence=None, feature="绿地率")
    found = collect(project, opened, [finding, passing, lost])
    mark = next(one for one in found.marks if one.kind == "cloud")
    assert mark.points[0] == pytest.approx((0.0, 0.0))
    assert mark.points[2] == pytest.approx((8250.0, -10500.0))  # (10.5 m, 8.25 m) turned, in mm
    assert mark.subject.startswith("#1 3# 退界不足")
    assert "请核对 3#" in mark.thread
    area = next(one for one in found.marks if one.kind == "area")
    assert area.points[0] == pytest.approx((0.0, -10_000.0))
    assert "GB 50180" in area.thread
    assert any("绿地率" in line for line in found.elsewhere)
    assert any("报告缺章" in line for line in found.elsewhere)
    assert sum(one.kind == "area" for one in found.marks) == 1
    unplaced = collect(project, replace(opened, to_drawing=None), [finding])
    assert [code for code, _ in unplaced.notes] == ["review.redlines_not_placed"]
    assert any("退界不足" in line for line in unplaced.elsewhere)


# ---------------------------------------------------------------- the whole way


@pytest.mark.parametrize("kind", ["dxf", "pdf"])
def test_a_copy_of_an_imported_drawing(kind: str, project: Project, tmp_path: Path) -> None:
    source = tmp_path / f"总平面.{kind}"
    source.write_bytes(_dxf() if kind == "dxf" else _pdf())
    workflow.import_drawing(project, source)
    record = store.drawings(project)[-1]
    opened = workflow.open_drawing(project, record.id)
    outline = next(one for one in opened.drawing.entities if one.closed or len(one.points) > 1)
    issue = Issue(
        store.new_id(), record.case_id, 0, "西侧退界", record.id,
        anchors=Anchors(handles=(outline.handle,), page=outline.page),
    )  # fmt: skip
    said = Comment(store.new_id(), issue.id, "请核对", "王工", "2026-03-03T02:00:00Z")
    stamp = Markup(
        store.new_id(), record.case_id, "stamp", ((40.0, 30.0),), "sheet", record.id, outline.page, text="退回修改"
    )
    project.execute(commands.RaiseIssue(issue, [said]))
    project.execute(commands.AddMarkup([stamp]))
    path = tmp_path / f"copy.{kind}"
    done = write_redlines(project, record.id, path)
    assert (done["redlines"], done["listed"], done["notes"]) == (3, 0, [])
    assert project.read_attachment(record.sha256) == source.read_bytes()
    if kind == "pdf":
        contents = [one["Contents"] for one in _annotations(path.read_bytes())]
        assert any("王工 2026-03-03: 请核对" in one for one in contents)
        return
    made = ezdxf.readfile(path)
    text = " ".join(one.plain_text() for one in made.modelspace().query("MTEXT") if one.dxf.layer == LAYER)
    assert "西侧退界" in text
    assert "王工 2026-03-03: 请核对" in text.replace("\n", " ")
    assert "退回修改" in text


def test_what_is_refused(project: Project, case: Case, tmp_path: Path) -> None:
    project.execute(commands.SetDrawing(store.drawings(project)[0].id, {"format": "ifc"}))
    with pytest.raises(PlannerError) as caught:
        write_redlines(project, "D-0001", tmp_path / "x.ifc")
    assert caught.value.code == "review.redlines_format"
    source = tmp_path / "leer.dxf"
    source.write_bytes(_dxf())
    workflow.import_drawing(project, source)
    with pytest.raises(PlannerError) as caught:
        write_redlines(project, "D-0002", tmp_path / "x.dxf", issues=False, markups=False)
    assert caught.value.code == "review.redlines_none"
    assert not (tmp_path / "x.dxf").exists()


def test_a_dwg_gets_the_redlines_alone(tmp_path: Path) -> None:
    marks = Redlines([Redline("rectangle", CLOUD)])
    drawing = replace(_drawing(), name="a.dwg", format=DrawingFormat.DWG, metres_per_unit=0.001)
    made = _open(draw_dxf(None, marks, drawing, 1.5), tmp_path)
    assert [one.dxf.layer for one in made.modelspace()] == [LAYER]
    assert made.header["$INSUNITS"] == 4
    assert [code for code, _ in marks.notes] == ["review.redlines_overlay"]
