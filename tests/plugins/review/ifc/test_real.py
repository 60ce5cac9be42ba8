"""Real IFC files with known areas, checked as well by a count of pixels that shares no code with the reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from plugins.review.model.drawing.ifc import read_ifc

pytestmark = pytest.mark.data


def _flooded(path: Path, height: float, cell: float = 0.02) -> float:
    """Area (m²) that water from outside does not reach where walls stand, at ``height``: pixels, no polygons."""
    import ifcopenshell
    import ifcopenshell.geom

    file = ifcopenshell.open(str(path))
    settings = ifcopenshell.geom.settings()
    settings.set("use-world-coords", True)
    settings.set("disable-opening-subtractions", True)
    segments = []
    for wall in file.by_type("IfcWall"):
        shape = ifcopenshell.geom.create_shape(settings, wall)
        points = np.asarray(shape.geometry.verts).reshape(-1, 3)
        for triangle in points[np.asarray(shape.geometry.faces).reshape(-1, 3)]:
            ends = []
            for a, b in zip(triangle, np.roll(triangle, -1, axis=0), strict=True):
                if (a[2] > height) != (b[2] > height):
                    ends.append(a[:2] + (height - a[2]) / (b[2] - a[2]) * (b[:2] - a[:2]))
            if len(ends) == 2:
                segments.append(ends)
    lines = np.array(segments)
    low = lines.reshape(-1, 2).min(axis=0) - 5 * cell
    shape_ = np.ceil((lines.reshape(-1, 2).max(axis=0) + 5 * cell - low) / cell).astype(int)
    wet = np.ones(tuple(shape_), bool)
    for a, b in lines:
        steps = int(np.ceil(np.linalg.norm(b - a) / (cell / 4))) + 1
        cells = ((a + np.linspace(0, 1, steps)[:, None] * (b - a) - low) / cell).astype(int)
        wet[cells[:, 0], cells[:, 1]] = False
    labels, _ = ndimage.label(wet)
    return float((labels != labels[0, 0]).sum() * cell * cell)


def test_duplex(data_dir: Path) -> None:
    path = data_dir / "drawings" / "Duplex_A_georef.ifc"
    drawing = read_ifc(path)
    real = [one for one in drawing.storeys if one.above]
    assert [one.name for one in real] == ["Level 1", "Level 2"]
    for storey in real:
        assert storey.envelope is not None
        assert storey.envelope.area == pytest.approx(8.8 * 17.8, abs=0.005)  # outer faces of the outer walls
        assert storey.envelope.area == pytest.approx(_flooded(path, storey.elevation + 1.2), rel=0.01)
        assert storey.notes == ()
    assert [one.height for one in real] == pytest.approx([3.1, 2.9])
    reasons = {one.name: one.notes[0][0] for one in drawing.storeys if not one.above}
    assert reasons == {"T/FDN": "review.ifc_storey_foundation", "Roof": "review.ifc_storey_roof"}
    assert drawing.georeference is not None
    assert (drawing.georeference.method, drawing.georeference.crs) == ("map_conversion", "EPSG:9897")
    assert drawing.buildings[0].height == pytest.approx(6.609, abs=0.001)
    assert {one.kind for one in drawing.entities} >= {"IfcBuildingStorey", "IfcWall", "IfcSlab", "IfcSpace"}
    assert all(len(one.handle) == 22 for one in drawing.entities)


def test_tall_building(data_dir: Path) -> None:
    path = data_dir / "drawings" / "whale_TallBuilding.ifc"
    drawing = read_ifc(path)
    real = [one for one in drawing.storeys if one.above]
    assert [(one.name, one.height) for one in real] == [
        ("Level 1", 4.0), ("Level 2", 4.0), ("Level 4", 4.0), ("Level 5", 4.0),
    ]  # fmt: skip
    for storey in real:
        assert storey.envelope is not None
        assert storey.envelope.area == pytest.approx(67.24, abs=0.005)
        assert storey.envelope.area == pytest.approx(_flooded(path, storey.elevation + 1.2), rel=0.01)
    assert [one.spaces_m2 > 0 for one in real] == [True, False, False, False]
    assert drawing.buildings[0].height == pytest.approx(16.4)
    assert drawing.georeference is not None
    assert drawing.georeference.suspicion is not None
    assert drawing.georeference.suspicion[0] == "review.ifc_default_place"
