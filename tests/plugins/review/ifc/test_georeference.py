"""Where IFC files say they lie, and what of it is not believed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from pyproj import Transformer

from plugins.review.model.drawing.ifc import read_ifc
from plugins.review.model.drawing.types import Drawing, Georeference

from .build import Model, rectangle


def _read(model: Model, tmp_path: Path) -> Drawing:
    model.walls(model.storey(model.building(), "1F", 0.0), rectangle(0, 0, 20, 10), 0.0, 3.0)
    return read_ifc(model.write(tmp_path / "model.ifc"))


def _moved(reference: Georeference | None, x: float, y: float) -> tuple[float, float]:
    assert reference is not None
    assert reference.matrix is not None
    a, b, c, d, e, f = reference.matrix
    return a * x + b * y + c, d * x + e * y + f


@pytest.mark.parametrize("schema", ["IFC2X3", "IFC4", "IFC4X3_ADD2"])
def test_map_conversion(schema: str, tmp_path: Path) -> None:
    model = Model(schema)
    model.map_conversion("EPSG:4549", 516_000.0, 3_347_000.0, math.radians(30))
    reference = _read(model, tmp_path).georeference
    assert reference is not None
    assert (reference.method, reference.crs, reference.suspicion) == ("map_conversion", "EPSG:4549", None)
    east, north = _moved(reference, 10.0, 0.0)
    assert (east, north) == pytest.approx((516_000 + 10 * math.cos(math.radians(30)), 3_347_000 + 5.0))


def test_a_model_in_millimetres_on_a_map_in_metres(tmp_path: Path) -> None:
    model = Model("IFC4", "mm")
    metre = model.make("IfcSIUnit", None, "LENGTHUNIT", None, "METRE")
    model.map_conversion("EPSG:4549", 516_000.0, 3_347_000.0, unit=metre, scale=0.001)
    reference = _read(model, tmp_path).georeference
    assert _moved(reference, 10.0, 2.0) == pytest.approx((516_010.0, 3_347_002.0))  # metres in the file
    assert reference is not None
    assert reference.suspicion is None


def test_a_scale_that_no_grid_has_is_not_applied(tmp_path: Path) -> None:
    model = Model("IFC4", "mm")
    metre = model.make("IfcSIUnit", None, "LENGTHUNIT", None, "METRE")
    model.map_conversion("EPSG:4549", 516_000.0, 3_347_000.0, unit=metre)  # the scale was forgotten
    reference = _read(model, tmp_path).georeference
    assert _moved(reference, 10.0, 2.0) == pytest.approx((516_010.0, 3_347_002.0))
    assert reference is not None
    assert reference.suspicion is not None
    assert reference.suspicion[0] == "review.ifc_map_scale"


@pytest.mark.parametrize("crs", ["", "somewhere"])
def test_map_coordinates_without_a_known_crs(crs: str, tmp_path: Path) -> None:
    model = Model()
    model.map_conversion(crs, 516_000.0, 3_347_000.0)
    reference = _read(model, tmp_path).georeference
    assert reference is not None
    assert reference.crs == ""
    assert reference.suspicion is not None
    assert reference.suspicion[0] == "review.ifc_crs_missing"


@pytest.mark.parametrize(
    ("latitude", "longitude", "code", "place"),
    [
        ((42, 21, 31, 181945), (-71, -3, -24, -263305), "review.ifc_default_place", "Boston"),
        ((51, 29, 59, 999999), (0, -7, -35, -999999), "review.ifc_default_place", "London"),
        ((0, 0, 0, 0), (0, 0, 0, 0), "review.ifc_default_place", "0, 0"),
        ((30, 15, 0, 0), (120, 10, 12, 0), "review.ifc_site_place", ""),
    ],
)
def test_latitude_and_longitude_are_never_believed_silently(
    latitude: tuple[int, ...], longitude: tuple[int, ...], code: str, place: str, tmp_path: Path
) -> None:
    model = Model()
    model.place(latitude, longitude)
    reference = _read(model, tmp_path).georeference
    assert reference is not None
    assert reference.method == "site_latlon"
    assert reference.suspicion is not None
    assert (reference.suspicion[0], reference.suspicion[1]["place"]) == (code, place)


def test_true_north_turns_the_building(tmp_path: Path) -> None:
    model = Model()
    model.context.TrueNorth = model.direction(math.sin(math.radians(20)), math.cos(math.radians(20)))
    model.place((30, 15, 0), (120, 10, 12))
    reference = _read(model, tmp_path).georeference
    assert reference is not None
    assert reference.crs == "EPSG:4549"
    # 100 m along the file's true north must come out due north of the site, within the length of a degree's error.
    back = Transformer.from_crs("EPSG:4549", "EPSG:4490", always_xy=True)
    start = back.transform(*_moved(reference, 0.0, 0.0))
    end = back.transform(*_moved(reference, 100 * math.sin(math.radians(20)), 100 * math.cos(math.radians(20))))
    assert start == pytest.approx((120.17, 30.25), abs=1e-9)
    assert end[0] == pytest.approx(start[0], abs=1e-8)
    assert (end[1] - start[1]) * 110_850 == pytest.approx(100, abs=0.1)


def test_two_statements_that_disagree_are_told(tmp_path: Path) -> None:
    model = Model()
    model.place((41, 52, 27, 840000), (-87, -38, -21, -839999))
    model.map_conversion("EPSG:4549", 516_000.0, 3_347_000.0)
    notes = dict(_read(model, tmp_path).notes)
    assert notes["review.ifc_places_differ"]["km"] > 10_000


def test_no_place_at_all(tmp_path: Path) -> None:
    drawing = _read(Model(), tmp_path)
    assert drawing.georeference is None
    assert ("review.ifc_not_placed", {}) in drawing.notes
