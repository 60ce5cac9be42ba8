"""What a class value means, with its standard as namespace."""

from __future__ import annotations

import json

import pytest

from planner_app.domain.errors import PlannerError
from plugins.planning.model.crosswalk import (
    DIFFERENT,
    RELATED,
    SAME,
    UNKNOWN,
    Crosswalk,
    guess_standard,
    read_mapping,
    relate,
    relate_all,
    standard,
    write_mapping,
)


@pytest.mark.parametrize(
    ("value", "name", "codes", "how", "approximate"),
    [
        ("R2", "gb50137", ("070102",), "exact", False),
        ("r2", "gb50137", ("070102",), "exact", False),
        ("R2 二类居住用地", "gb50137", ("070102",), "exact", False),
        ("R22", "gb50137", ("0702",), "exact", True),
        ("B1", "gb50137", ("0901",), "exact", False),
        ("B4", "gb50137", ("090105",), "exact", False),
        ("S42", "gb50137", ("120803",), "exact", False),
        ("U12", "gb50137", ("1303",), "exact", False),
        ("H5", "gb50137", ("1002",), "exact", False),
        ("A33x", "gb50137", ("080403",), "prefix", True),
        ("R2/B1", "gb50137", ("070102", "0901"), "mixed", True),
        ("0702", "mnr2023", ("0702",), "exact", False),
        ("0702", "dltb", ("0703",), "exact", False),
        ("0201K", "dltb", ("0201",), "prefix", True),
        ("05H1", "dltb", ("09",), "exact", True),
        ("070299", "mnr2023", ("0702",), "prefix", True),
        ("二类居住用地", "text", ("070102",), "name", False),
        ("工业", "text", ("1001",), "name", False),
        ("永久基本农田", "text", ("01",), "word", True),
        ("Forest", "text", ("03",), "word", True),
        ("农村宅基地", "dltb", ("0703",), "name", False),
    ],
)
def test_value(value: str, name: str, codes: tuple[str, ...], how: str, approximate: bool) -> None:
    found = Crosswalk().classify(value, name)
    assert (found.codes, found.how, found.approximate) == (codes, how, approximate)


@pytest.mark.parametrize("value", ["C-3", "Harvard Square", "X", "?"])
def test_unmapped_value_stays_itself(value: str) -> None:
    found = Crosswalk().classify(value, "text")
    assert (found.mapped, found.raw, found.label("zh_CN")) == (False, value, value)


def test_a_word_never_becomes_a_code() -> None:
    assert Crosswalk().classify("Rubbish", "gb50137").mapped is False
    assert Crosswalk().classify("Road", "gb50137").codes == ("1207",)  # the word, not class R


@pytest.mark.parametrize("value", [None, "", "  ", float("nan")])
def test_missing_value_is_a_class_of_its_own(value: object) -> None:
    found = Crosswalk().classify(value, "mnr2023")
    assert (found.raw, found.how, found.label(), found.label("zh_CN")) == (None, "no_class", "(no class)", "（无分类）")


def test_whole_numbers_are_codes() -> None:
    assert Crosswalk().classify(1001.0, "mnr2023").codes == ("1001",)


def test_every_line_leads_to_the_guide() -> None:
    guide = standard("mnr2023").classes
    for name in ("gb50137", "dltb"):
        for code, line in standard(name).classes.items():
            assert all(target in guide for target in line["to"]), (name, code)
            assert line["zh"]
            assert line["en"]
            assert line["confidence"] in ("high", "medium", "low")


@pytest.mark.parametrize(
    ("a", "b", "relation"),
    [
        (("R2", "gb50137"), ("070102", "mnr2023"), SAME),
        (("0702", "dltb"), ("0703", "mnr2023"), SAME),
        (("0702", "dltb"), ("0702", "mnr2023"), DIFFERENT),
        (("A33", "gb50137"), ("0804", "mnr2023"), RELATED),
        (("R1", "gb50137"), ("R2", "gb50137"), RELATED),
        (("R22", "gb50137"), ("0702", "mnr2023"), RELATED),  # an approximate line never makes equal
        (("R2/B1", "gb50137"), ("R2", "gb50137"), RELATED),
        (("E2", "gb50137"), ("0301", "mnr2023"), RELATED),
        (("R2", "gb50137"), ("M1", "gb50137"), DIFFERENT),
        (("A33", "gb50137"), ("A5", "gb50137"), DIFFERENT),
        (("R2", "gb50137"), ("C-3", "text"), UNKNOWN),
        (("C-3", "text"), ("BA", "text"), UNKNOWN),
        (("C-3", "text"), ("C-3", "text"), SAME),
        ((None, "text"), (None, "text"), UNKNOWN),
    ],
)
def test_relation(a: tuple[str, str], b: tuple[str, str], relation: int) -> None:
    crosswalk = Crosswalk()
    one, other = crosswalk.classify(*a), crosswalk.classify(*b)
    assert relate(one, other) == relate(other, one) == relation
    assert relate_all([one], [other]).tolist() == [[relation]]


def test_projects_own_table_goes_first() -> None:
    crosswalk = Crosswalk({"text": {"C-3": "0902", "公园": ""}})
    assert crosswalk.classify("c-3", "text").codes == ("0902",)
    assert crosswalk.classify("公园", "text").mapped is False
    assert crosswalk.classify("C-3", "gb50137").mapped is False  # another standard, another namespace


def test_mapping_table_is_checked() -> None:
    table = {"text": {"C-3": "0902"}}
    assert read_mapping(write_mapping(table)) == table
    assert read_mapping("") == {}
    with pytest.raises(PlannerError) as caught:
        write_mapping({"text": {"C-3": "9999"}})
    assert (caught.value.code, caught.value.params["land_class"]) == ("planning.mapping_code", "9999")
    with pytest.raises(PlannerError, match="mapping_broken"):
        read_mapping("[1]")
    with pytest.raises(PlannerError, match="mapping_broken"):
        read_mapping(json.dumps({"text": "C-3"}))


@pytest.mark.parametrize(
    ("field", "values", "name"),
    [
        ("YDDM", ["R2", "B1", "G1", None], "gb50137"),
        ("code", ["0701", "0902", "1401", "080403"], "mnr2023"),
        ("DLBM", ["0101", "0702"], "dltb"),
        ("dlmc", ["水田", "旱地"], "dltb"),
        ("ZONE_TYPE", ["C-3", "BA", "O-1", "C-2B"], "text"),
        ("landuse", ["residential", "forest"], "text"),
        ("empty", [None], "text"),
    ],
)
def test_guessed_standard(field: str, values: list[str | None], name: str) -> None:
    assert guess_standard(field, values) == name


def test_unknown_standard_names_the_known() -> None:
    with pytest.raises(PlannerError) as caught:
        standard("gb9999")
    assert caught.value.params["known"] == "dltb, gb50137, mnr2023, text"
