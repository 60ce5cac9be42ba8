"""PDFs and pictures: what is on the page where it is shown, scales, tiles, world files, what is refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import shapely
from PIL import Image

from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.calibration import by_known_length, paper_unit, printed_scales
from plugins.review.model.drawing.intake import read_here, sniff
from plugins.review.model.drawing.rasters import PageRasters, render_page
from plugins.review.model.drawing.types import Drawing

from .conftest import by_kind, notes
from .paper import pdf

CONTENT = (
    b"BT /F1 10 Tf 0.866 0.5 -0.5 0.866 100 50 Tm (Scale 1:500) Tj ET "
    b"1 0 0 RG 2 w 10 20 m 110 20 l 110 70 l h S "
    b"0 0 1 rg 200 100 50 50 re 210 110 10 10 re f* "
    b"20 120 m 20 220 120 220 120 120 c S n"
)


def read(path: Path, data: bytes, page: int = 0) -> Drawing:
    path.write_bytes(data)
    return read_here(path, sniff(path), page)


@pytest.mark.parametrize(
    ("rotate", "size", "first", "angle"),
    [
        (0, (400, 300), (0, 0), 30),
        (90, (300, 400), (0, 400), -60),
        (180, (400, 300), (400, 300), -150),
        (270, (300, 400), (300, 0), 120),
    ],
)
def test_a_page_is_read_as_it_is_shown(
    tmp_path: Path, rotate: int, size: tuple[int, int], first: tuple[int, int], angle: int
) -> None:
    drawing = read(tmp_path / "p.pdf", pdf(CONTENT, rotate, box="10 20 410 320"))
    (page,) = drawing.pages
    assert (page.width, page.height) == size
    triangle, filled, curve = by_kind(drawing, "PATH")
    assert triangle.points[0] == pytest.approx(first)
    assert triangle.closed
    assert (triangle.colour, triangle.width) == ("#ff0000", pytest.approx(2 * 25.4 / 72))
    assert [shapely.Polygon(ring).area for ring in filled.rings] == pytest.approx([2500, 100])
    length = float(np.hypot(*np.diff(curve.points, axis=0).T).sum())
    assert length == pytest.approx(200, rel=1e-3)  # of that cubic, which happens to be twice its chord
    (words,) = by_kind(drawing, "TEXT")
    assert (words.text, words.size) == ("Scale 1:500", pytest.approx(10, abs=0.01))
    assert words.angle == pytest.approx(angle, abs=0.1)
    x0, y0, x1, y1 = words.box
    assert x0 <= words.points[0, 0] <= x1
    assert y0 <= words.points[0, 1] <= y1


def test_forms_within_forms_are_drawn_where_they_stand(tmp_path: Path) -> None:
    inner = (
        b"<</Type/XObject/Subtype/Form/BBox[0 0 99 99]/Matrix[2 0 0 2 0 0]/Length 13>>stream\n0 0 10 10 re S\nendstream"
    )
    data = pdf(b"q 1 0 0 1 50 60 cm /X Do Q", resources=b"/XObject<</X 6 0 R>>", more=(inner,))
    (square,) = by_kind(read(tmp_path / "f.pdf", data), "PATH")
    assert square.points.min(axis=0).tolist() == [50, 60]
    assert square.points.max(axis=0).tolist() == [70, 80]


def test_pages_are_chosen_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pdf(CONTENT, pages=3)
    assert {one.page for one in read(tmp_path / "a.pdf", data).entities} == {1, 2, 3}
    second = read(tmp_path / "a.pdf", data, page=2)
    assert {one.page for one in second.entities} == {2}
    assert len(second.pages) == 3
    with pytest.raises(PlannerError) as error:
        read(tmp_path / "a.pdf", data, page=4)
    assert error.value.code == "review.pdf_page"
    monkeypatch.setattr("plugins.review.model.drawing.pdf.MOST_ENTITIES", 6)
    drawing = read(tmp_path / "a.pdf", data)
    assert len(drawing.entities) == 6
    assert notes(drawing)["review.pdf_bounded"]["page"] == 2


def test_text_far_apart_is_two_runs(tmp_path: Path) -> None:
    drawing = read(
        tmp_path / "t.pdf", pdf(b"BT /F1 10 Tf 10 100 Td (FAR 1.5) Tj 200 0 Td (30 %) Tj 0 -20 Td (below) Tj ET")
    )
    assert [one.text for one in by_kind(drawing, "TEXT")] == ["FAR 1.5", "30 %", "below"]


def test_a_scan_is_called_one(tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 200, 200)).save(picture, "PDF")
    drawing = read(tmp_path / "scan.pdf", picture.getvalue())
    assert "review.pdf_scan" in notes(drawing)


def test_the_printed_scale_is_a_suggestion(tmp_path: Path) -> None:
    content = b"BT /F1 10 Tf 10 100 Td (12:30 ratio 1:2.5, door 1:20) Tj 0 -30 Td (M 1:1,000) Tj 0 -30 Td (1/200) Tj ET"
    drawing = read(tmp_path / "s.pdf", pdf(content))
    found = printed_scales(drawing)
    assert [(one.denominator, one.sure) for one in found] == [(1000, True), (200, False)]
    assert found[0].metres_per_unit == pytest.approx(1000 * 0.0254 / 72)
    assert paper_unit(drawing) == pytest.approx(0.0254 / 72)


def test_a_known_length_calibrates() -> None:
    assert by_known_length((0, 0), (3, 4), 50.0) == 10.0
    for second, length in (((0, 0), 5.0), ((1, 1), 0.0), ((1, 1), float("nan"))):
        with pytest.raises(PlannerError):
            by_known_length((0, 0), second, length)


def test_tiles_are_cut_from_the_page(tmp_path: Path) -> None:
    path = tmp_path / "tile.pdf"
    path.write_bytes(pdf(b"1 0 0 rg 100 200 50 50 re f"))
    whole = render_page(path, 1, 800)
    assert whole.shape == (600, 800, 3)
    assert whole[150, 250].tolist() == [255, 0, 0]  # (125, 225) points, from the top
    assert whole[0, 0].tolist() == [255, 255, 255]
    with PageRasters(path) as rasters:
        tile = rasters.render(1, 100, (100, 200, 150, 250))
        assert tile.shape == (100, 100, 3)
        assert (tile == [255, 0, 0]).all()
        beyond = rasters.render(1, 100, (-50, 250, 100, 400))
        assert (beyond == 255).all()
        with pytest.raises(PlannerError) as error:
            rasters.render(7, 100)
        assert error.value.code == "review.pdf_page"
        assert rasters.render(1, 40).shape == (30, 40, 3)  # it goes on after an error


def test_pictures_have_a_frame_and_lie_where_their_world_file_says(tmp_path: Path) -> None:
    path = tmp_path / "总图.PNG"
    Image.new("L", (200, 100)).save(path, "PNG", dpi=(254, 254))
    drawing = read_here(path, sniff(path))
    assert (drawing.extent, drawing.georeference, drawing.metres_per_unit) == ((0, 0, 200, 100), None, None)
    assert paper_unit(drawing) == pytest.approx(0.0001, rel=1e-4)
    # Pixels of 0.5 m; the centre of the upper left one at (500000.25, 3250049.75).
    (tmp_path / "总图.pgw").write_text("0.5\n0\n0\n-0.5\n500000.25\n3250049.75\n")
    drawing = read_here(path, sniff(path))
    assert drawing.metres_per_unit == 0.5
    assert drawing.georeference is not None
    assert drawing.georeference.matrix == pytest.approx((1, 0, 500_000, 0, 1, 3_250_000))


def test_turned_world_files_and_geotiffs(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    Image.new("RGB", (200, 100)).save(path)
    a, b = 0.3, 0.4  # pixels of 0.5 m
    (tmp_path / "turned.jgw").write_text(f"{a}\n{b}\n{b}\n{-a}\n1000\n2000\n")
    drawing = read_here(path, sniff(path))
    assert drawing.metres_per_unit == pytest.approx(0.5)
    assert drawing.georeference is not None
    m = drawing.georeference.matrix
    assert m is not None
    x, y = 0.5 * 10.5, 0.5 * (100 - 20.5)  # the centre of column 10, row 20, in metres from the lower left
    assert (m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]) == pytest.approx(
        (a * 10 + b * 20 + 1000, b * 10 - a * 20 + 2000)
    )
    tiff = tmp_path / "geo.tif"
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    tags = ImageFileDirectory_v2()
    tags[33550] = (0.5, 0.5, 0.0)
    tags[33922] = (0.0, 0.0, 0.0, 500_000.0, 3_250_050.0, 0.0)
    tags.tagtype[34735] = 3
    tags[34735] = (1, 1, 0, 2, 1025, 0, 1, 1, 3072, 0, 1, 4549)
    Image.new("RGB", (200, 100)).save(tiff, tiffinfo=tags)
    found = read_here(tiff, sniff(tiff)).georeference
    assert found is not None
    assert (found.method, found.crs) == ("geotiff", "EPSG:4549")
    assert found.matrix == pytest.approx((1, 0, 500_000, 0, 1, 3_250_000))


def test_pictures_of_every_kind_are_shown_on_white(tmp_path: Path) -> None:
    clear = tmp_path / "clear.png"
    Image.new("RGBA", (20, 10), (255, 0, 0, 0)).save(clear)
    assert (render_page(clear, 1, 20) == 255).all()
    deep = tmp_path / "deep.tif"
    Image.fromarray(np.linspace(0, 60_000, 200).astype("uint16").reshape(10, 20)).save(deep)
    shades = render_page(deep, 1, 20)
    assert shades[0, 0, 0] < 10 < 245 < shades[-1, -1, 0]
    pages = tmp_path / "pages.tif"
    first, second = Image.new("1", (20, 10), 1), Image.new("1", (30, 10), 0)
    first.save(pages, save_all=True, append_images=[second])
    assert [page.width for page in read_here(pages, sniff(pages)).pages] == [20, 30]
    assert (render_page(pages, 2, 30) == 0).all()


def test_a_picture_of_a_billion_pixels_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    from plugins.review.model.drawing.image import check_size

    with pytest.raises(PlannerError) as error:
        check_size(tmp_path / "bomb.png", 40_000, 30_000)
    assert error.value.code == "review.image_too_large"


@pytest.mark.data
def test_a_sheet_of_ninety_thousand_objects(data_dir: Path) -> None:
    path = data_dir / "drawings" / "schep_planning.pdf"
    drawing = read_here(path, sniff(path))
    assert drawing.count == 90_974
    assert len(by_kind(drawing, "PATH")) == 90_238
    texts = [one.text for one in by_kind(drawing, "TEXT")]
    assert {"UITVOERING-TIJDSCHEMA", "Augustus"} <= set(texts)
