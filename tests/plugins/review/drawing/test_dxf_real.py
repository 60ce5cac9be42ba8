"""DXF that others made, as it is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.review.model.drawing.dxf import FLATTEN_M

from .conftest import area, by_kind, read


@pytest.fixture(scope="session")
def drawings(data_dir: Path) -> Path:
    return data_dir / "drawings"


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
