"""Which unit a drawing is made in: what it shows counts before what its header says."""

from __future__ import annotations

from typing import Any

import pytest

from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.types import DrawingFormat
from plugins.review.model.reading.types import Role, SitePlan
from tests.plugins.review.reading.sheets import Sheet, area, codes, read, small_plan

METRES, CENTIMETRES, MILLIMETRES, NONE = 6, 5, 4, 0


def bare(units: int, scale: float, at: tuple[float, float] = (0, 0)) -> Sheet:
    sheet = Sheet(units, scale, at)
    sheet.box("YDHX", 0, 0, 120, 80)
    sheet.box("JZJD-1#", 10, 10, 40, 15)
    return sheet


def unit(plan: SitePlan) -> tuple[float, str]:
    return plan.units.metres_per_unit, plan.units.source


@pytest.mark.parametrize("header", [METRES, CENTIMETRES, MILLIMETRES, NONE])
@pytest.mark.parametrize("scale", [1, 100, 1000])
def test_the_declared_area_tells_whatever_the_header_says(header: int, scale: float) -> None:
    plan = small_plan(Sheet(header, scale)).read()
    assert plan.units.metres_per_unit == pytest.approx(1 / scale)
    assert area(plan, Role.SITE) == pytest.approx(9600)
    assert len(plan.of(Role.PARKING)) == 6
    assert ("review.unit_header_lies" in codes(plan)) == (
        header != NONE and plan.units.header != plan.units.metres_per_unit
    )


@pytest.mark.parametrize(("header", "scale"), [(METRES, 1), (MILLIMETRES, 1000), (CENTIMETRES, 100)])
def test_a_header_that_nothing_confirms_is_taken_with_a_note(header: int, scale: float) -> None:
    plan = bare(header, scale).read()
    assert unit(plan) == (pytest.approx(1 / scale), "header")
    assert "review.unit_unchecked" in codes(plan)


def test_a_header_that_makes_no_sense_is_not_taken() -> None:
    plan = bare(MILLIMETRES, 1).read()  # a site of 12 × 8 cm
    assert plan.units.metres_per_unit == 1
    assert "review.unit_header_lies" in codes(plan)
    assert bare(METRES, 1000).read().units.metres_per_unit == pytest.approx(0.001)  # a site of 120 × 80 km


def test_feet_only_where_the_header_speaks_of_them() -> None:
    tenth = 9600 * 10.76  # the site is a tenth of the parcel: no proof of feet
    assert read(bare(METRES, 1).drawing(), parcel_area=tenth).units.metres_per_unit == 1
    feet = read(bare(1, 1 / 0.3048).drawing(), parcel_area=9600.0)  # the header says inches
    assert feet.units.metres_per_unit == pytest.approx(0.3048)


def test_buildings_tell_metres_from_millimetres() -> None:
    for scale in (1, 1000):
        sheet = Sheet(NONE, scale)
        sheet.box("JZJD-1#", 10, 10, 40, 15)
        sheet.box("JZJD-2#", 90, 10, 40, 15)
        assert sheet.read().units.metres_per_unit == pytest.approx(1 / scale)


def test_coordinates_of_a_national_grid_are_in_metres() -> None:
    for at in ((40_500_000.0, 3_250_000.0), (508_000.0, 2_945_000.0), (3_250_000.0, 508_000.0)):
        plan = bare(MILLIMETRES, 1, at).read()
        assert unit(plan) == (1, "coordinates")
    assert unit(bare(METRES, 1000, (508_000.0, 2_945_000.0)).read()) == (0.001, "coordinates")
    assert unit(bare(NONE, 100, (508_000.0, 2_945_000.0)).read()) == (0.01, "coordinates")


def test_lengths_written_on_the_drawing() -> None:
    sheet = bare(NONE, 100)
    for at, words in (((60, -4), "120.00"), ((124, 40), "80.00"), ((60, 84), "120.00")):
        sheet.text("WZ", words, at)
    assert unit(sheet.read()) == (0.01, "dimension_text")
    lettered = bare(METRES, 1000)
    lettered.dimension("BZ", (10, 10), (50, 10), text="40.00")
    assert unit(lettered.read()) == (0.001, "dimension_text")


def test_dimensions_lettered_in_millimetres_say_nothing() -> None:
    sheet = bare(METRES, 1)
    sheet.dimension("BZ", (10, 10), (50, 10), text="40000")
    assert unit(sheet.read()) == (1, "header")


def test_the_parcel_under_review() -> None:
    assert unit(read(bare(METRES, 100).drawing(), parcel_area=9500.0)) == (0.01, "parcel")


def test_a_false_declaration_is_doubted_not_believed() -> None:
    sheet = bare(METRES, 1)
    for k in range(6):
        sheet.box("TCW-停车位", 60 + 2.5 * k, 5, 2.5, 5.3)
    sheet.mtext("JJZB", "用地面积：0.96㎡", (140, 70))
    plan = sheet.read()
    assert plan.units.metres_per_unit == 1
    assert "review.unit_doubt.declared" in codes(plan)


def test_what_the_person_says_counts() -> None:
    drawing = small_plan(Sheet(METRES, 1)).drawing()
    assert unit(read(drawing, metres_per_unit=0.5)) == (0.5, "person")
    with pytest.raises(PlannerError, match=r"review\.unit_wrong"):
        read(drawing, metres_per_unit=0.0)


def test_a_known_length() -> None:
    sheet = bare(METRES, 1000)
    dimension, line = sheet.dimension("BZ", (10, 10), (50, 10)), sheet.line("0", (0, 0), (3, 4))
    drawing = sheet.drawing()
    plan = read(drawing, known_length=(dimension, 40.0))
    assert unit(plan) == (0.001, "known_length")
    assert "review.unit_header_lies" in codes(plan)
    assert unit(read(drawing, known_length=(line, 5.02))) == (0.001, "known_length")  # read off a scale, 0.4 % off
    odd = read(drawing, known_length=(line, 6.0))
    assert odd.units.metres_per_unit == pytest.approx(0.0012)
    assert "review.unit_odd" in codes(odd)
    for wrong in (("FFFF", 5.0), (line, 0.0)):
        with pytest.raises(PlannerError, match=r"review\.known_length_missing"):
            read(drawing, known_length=wrong)


def test_sheets_have_a_scale() -> None:
    from dataclasses import replace

    def page(**options: Any) -> SitePlan:
        sheet = bare(NONE, 72 / 0.0254 / 500)
        for words in options.pop("texts", ()):
            sheet.text("WZ", words, (60, -20))
        made = sheet.line("0", (0, 0), (30, 0))
        drawing = replace(sheet.drawing(), format=DrawingFormat.PDF, metres_per_unit=None)
        return read(drawing, **({"known_length": (made, 30.0)} if options.pop("known", False) else {}))

    assert page(texts=["总平面图 1:500"]).units.source == "scale_text"
    assert area(page(texts=["总平面图 1：500"]), Role.SITE) == pytest.approx(9600, rel=1e-6)
    assert "review.unit_uncalibrated" in codes(page())
    assert "review.unit_uncalibrated" in codes(page(texts=["1:500", "1:2000"]))
    assert area(page(known=True), Role.SITE) == pytest.approx(9600, rel=1e-6)
