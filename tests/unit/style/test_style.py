"""Styles survive their QML, foreign ones are left alone, land classes have their standard's colours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner_app.domain.land_classes import class_entry, class_table
from planner_app.domain.style import (
    LayerStyle,
    StyleClass,
    categorised,
    default_style,
    from_qml,
    graduated,
    mix,
    swatches,
    to_qml,
)

_COLOURS = st.sampled_from(["#000000", "#FFFFFF", "#12AB9F", ""])
_TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12)
_CLASSES = st.builds(
    StyleClass, value=st.none() | _TEXT, label=_TEXT, fill=_COLOURS, stroke=_COLOURS,
    stroke_width=st.floats(0, 5), line=st.sampled_from(["solid", "dash", "dash dot"]), size=st.floats(0.1, 20),
)  # fmt: skip


@given(
    st.builds(
        LayerStyle, kind=st.sampled_from(["single", "categorised"]), field=_TEXT,
        classes=st.lists(_CLASSES, min_size=1, max_size=4).map(tuple), opacity=st.floats(0, 1), label_field=_TEXT,
    ),
    st.sampled_from(["polygon", "line", "point"]),
)  # fmt: skip
def test_a_style_comes_back_from_its_qml(style: LayerStyle, geometry: str) -> None:
    assert from_qml(to_qml(style, geometry)) == style


def test_a_foreign_or_edited_style_is_not_ours() -> None:
    qml = to_qml(LayerStyle(), "polygon")
    assert from_qml(qml) is not None
    assert from_qml(qml.replace('value="solid"', 'value="dense5"')) is None
    assert from_qml("<qgis version='3.40'/>") is None
    assert from_qml("no xml plannerStyle") is None
    assert from_qml("") is None


@pytest.mark.parametrize(
    ("standard", "code", "colour"),
    [
        ("mnr2023", "0101", "#F5F8DC"), ("mnr2023", "1001", "#BB9674"), ("mnr2023", "100102", "#BB9674"),
        ("mnr2023", "1402", "#148D4A"), ("gb50137", "R21", "#FFFF00"), ("gb50137", "G1", "#3FFF00"),
        ("dltb", "0103", "#F5F8DC"), ("dltb", "1101", "#338EC0"),
    ],
)  # fmt: skip
def test_land_classes_have_the_standards_colours(standard: str, code: str, colour: str) -> None:
    entry = class_entry(standard, code)
    assert entry is not None
    assert entry.colour == colour
    assert entry.zh
    assert entry.en


def test_a_code_needs_its_standard() -> None:
    survey, guide = class_entry("dltb", "0702"), class_entry("mnr2023", "0702")
    assert survey is not None
    assert guide is not None
    assert survey.zh != guide.zh
    assert class_entry("mnr2023", "zz") is None
    assert class_table("nobody") == {}


def test_every_class_is_legible_data() -> None:
    for standard in ("mnr2023", "gb50137", "dltb"):
        table = class_table(standard)
        assert len(table) > 40
        for entry in table.values():
            assert entry.zh
            assert entry.en
            assert len(entry.colour) == 7
            assert int(entry.colour[1:], 16) >= 0


def test_categorised_names_and_colours_values_it_does_not_know() -> None:
    style = categorised("dl", "gb50137", ["R2", "?", "G1"], language="en")
    assert [one.value for one in style.classes] == ["?", "G1", "R2", None]
    assert style.classes[1].label == "G1 Park green space" or style.classes[1].label.startswith("G1 ")
    assert len({one.fill for one in style.classes}) == 4


def test_graduated_classes_cover_all_values() -> None:
    style = graduated("far", [3.0, None, 1.0, 2.0, float("nan"), 10.0], 3)  # type: ignore[list-item]
    assert style.classes[0].lower == 1.0
    assert style.classes[-1].upper == 10.0
    assert graduated("far", []).classes == ()
    assert len(graduated("far", [5.0, 5.0]).classes) == 1


def test_default_styles() -> None:
    assert default_style("polygon", plan_kind="growth_boundary").classes[0].line == "dash dot"
    land = default_style("polygon", class_field="c", class_standard="mnr2023", values=["0101"])
    assert (land.kind, land.classes[0].fill) == ("categorised", "#F5F8DC")
    assert default_style("point").classes[0].fill
    assert swatches(land)[0][1] == "#F5F8DC"
    assert mix("#000000", "#FFFFFF", 0.5) == "#808080"
