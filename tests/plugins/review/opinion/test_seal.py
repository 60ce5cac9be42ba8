"""The sealed file: one form, every changed byte found and named, records made of it again."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from planner_app.domain.errors import PlannerError
from planner_app.domain.rule import Rule
from plugins.review.model.cases.records import DrawingRecord, SignOff
from plugins.review.model.checking.types import Check, Row, Surroundings
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.indicators.rule_sets import RuleSets, load_rule_sets
from plugins.review.model.indicators.types import Indicators
from plugins.review.model.opinion.canonical import canonical, differences, digest, plain
from plugins.review.model.opinion.restore import restore
from plugins.review.model.opinion.seal import (
    Sealed,
    read_sealed,
    seal,
    sealed_bytes,
    sealed_content,
    sign_sealed,
    verify_sealed,
)
from plugins.review.model.opinion.types import Opinion
from plugins.review.model.reading.convention import Convention, load_conventions
from plugins.review.model.reading.types import ReadingOptions, SitePlan
from tests.plugins.review.opinion.an_opinion import FILE


def _signed(opinion: Opinion) -> Sealed:
    sealed = seal(opinion)
    people = [SignOff(role, "c", "d", role, name, "returned", "2026-11-20T03:00:00Z", sealed.seal, "退回")
              for role, name in (("reviewer", "王工"), ("approver", "李总"))]  # fmt: skip
    return sign_sealed(sealed, people)


@pytest.fixture
def raw(opinion: Opinion) -> bytes:
    return sealed_bytes(_signed(opinion))


def test_untouched_verifies_and_reads_back(raw: bytes, tmp_path: Path, opinion: Opinion) -> None:
    path = tmp_path / "意见.json"
    path.write_bytes(raw)
    found = verify_sealed(path)
    assert (found.ok, found.problems) == (True, ())
    assert found.number == opinion.number == "GA-0417-D-0001-1"
    assert [one["name"] for one in found.signatures] == ["王工", "李总"]
    sealed = read_sealed(path)
    assert sealed.content == sealed_content(opinion)
    assert sealed.files[opinion.subject.record.sha256] == ("总平面图 B 版.dxf", FILE)
    assert sealed_bytes(sealed) == raw


def test_the_seal_is_the_hash_of_the_content_whether_or_not_files_are_embedded(opinion: Opinion) -> None:
    bare = replace(opinion, inputs=replace(opinion.inputs, drawings={}))
    assert seal(bare).seal == seal(opinion).seal == digest(sealed_content(opinion))
    assert opinion.subject.record.sha256 not in seal(bare).files
    assert seal(replace(opinion, made_by="李工")).seal != seal(opinion).seal


def test_inputs_are_hashed(opinion: Opinion) -> None:
    before = sealed_content(opinion)["inputs"]
    assert before["drawing"] == opinion.subject.record.sha256
    rules = (replace(opinion.inputs.rules[0], params={"key": "density", "max": 0.3}), *opinion.inputs.rules[1:])
    after = sealed_content(replace(opinion, inputs=replace(opinion.inputs, rules=rules)))["inputs"]
    assert {key for key in before if before[key] != after[key]} == {"rules"}
    moved = replace(opinion.inputs, surroundings=Surroundings(parcel=shapely.box(0, 0, 1, 1)))
    after = sealed_content(replace(opinion, inputs=moved))["inputs"]
    assert {key for key in before if before[key] != after[key]} == {"parcel", "surroundings"}


def test_any_changed_byte_is_found(raw: bytes) -> None:
    """One bit, at 300 places spread over the file; deletions and insertions too."""
    chance = random.Random(7)
    for at in sorted(chance.sample(range(len(raw)), 300)):
        torn = bytearray(raw)
        torn[at] ^= 1 << chance.randrange(7)
        found = verify_sealed(bytes(torn)) if _reads(bytes(torn)) else None
        assert found is None or (not found.ok and found.problems), at
    for at in sorted(chance.sample(range(len(raw)), 60)):
        assert not verify_sealed(raw[:at] + raw[at + 1 :]).ok
        assert not verify_sealed(raw[:at] + b" " + raw[at:]).ok
        assert not _ok(raw[:at])


def _reads(data: bytes) -> bool:
    """False where the change made it no sealed opinion of ours at all, which is an answer too."""
    try:
        verify_sealed(data)
    except PlannerError as error:
        if error.code not in ("review.seal_foreign", "review.seal_newer"):
            raise
        return False
    return True


def _ok(data: bytes) -> bool:
    return _reads(data) and verify_sealed(data).ok


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda e: e["content"]["findings"][1].update(verdict="pass"), ["findings[1]"]),
        (lambda e: e["content"]["conditions"].update(far_max=2.5), ["conditions.far_max"]),
        (lambda e: e["content"]["issues"][0]["comments"][0].update(text=""), ["issues[0]"]),
        (lambda e: e["content"]["indicators"]["site_area_m2"].update(value=9600.0), ["indicators.site_area_m2"]),
        (lambda e: e["content"]["rules"].pop(), ["rules[5]"]),
        (lambda e: e["content"]["markups"].clear(), ["markups[0]", "markups[1]", "markups[2]", "markups"]),
        (lambda e: e["content"].update(more=1), ["more"]),
        (lambda e: e["content"]["about"].update(number="GA-0417-D-0001-2"), ["about.number"]),
        (lambda e: e.update(seal="0" * 64), ["seal"]),
        (lambda e: e["parts"].update({"findings[1]": "0" * 64}), ["parts"]),
    ],
)
def test_the_changed_entry_is_named(raw: bytes, change: Any, named: list[str]) -> None:
    envelope = json.loads(raw)
    change(envelope)
    found = verify_sealed(_dumped(envelope))
    assert not found.ok
    assert [params["part"] for code, params in found.problems if code.startswith("review.seal_part")] == named
    with pytest.raises(PlannerError) as caught:
        read_sealed(_dumped(envelope))
    assert caught.value.code == "review.seal_broken"
    assert str(caught.value.params["parts"]).startswith(named[0])


def _dumped(envelope: Any) -> bytes:
    return (json.dumps(envelope, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def test_files_signatures_and_frame_are_checked(raw: bytes, opinion: Opinion) -> None:
    envelope, sha = json.loads(raw), opinion.subject.record.sha256
    other = json.loads(raw)
    other["files"][sha]["data"] = next(one["data"] for key, one in envelope["files"].items() if key != sha)
    assert _codes(other) == ["review.seal_file"]
    other = json.loads(raw)
    other["files"][sha]["size"] = 10**12  # nothing of that size is ever made
    assert _codes(other) == ["review.seal_file"]
    other = json.loads(raw)
    other["signatures"][0]["name"] = "张工"
    assert _codes(other) == ["review.seal_signature", "review.seal_signature"]  # each stands on the one before
    other = json.loads(raw)
    del other["signatures"][0]
    assert _codes(other) == ["review.seal_signature"]
    other = json.loads(raw)
    other["files"][sha]["name"] = "别的.dxf"
    assert _codes(other) == ["review.seal_frame"]
    assert [code for code, _ in verify_sealed(raw.replace(b"\n ", b"\n  ", 1)).problems] == ["review.seal_frame"]
    doubled = raw.replace(b'"format"', b'"format": "x",\n "format"', 1)
    assert [code for code, _ in verify_sealed(doubled).problems] == ["review.seal_frame"]


def _codes(envelope: Any) -> list[str]:
    return [code for code, _ in verify_sealed(_dumped(envelope)).problems]


def test_a_file_changed_and_sealed_anew_is_told_by_the_printed_seal(opinion: Opinion) -> None:
    printed = seal(opinion).seal
    forged = sealed_bytes(seal(replace(opinion, check=replace(opinion.check, findings=()))))
    assert verify_sealed(forged).ok
    found = verify_sealed(forged, expected=printed.upper())
    assert [code for code, _ in found.problems] == ["review.seal_other"]


def test_what_is_no_sealed_opinion(tmp_path: Path, raw: bytes) -> None:
    for data in (b"", b"%PDF-1.7", b"[1, 2]", b'{"format": "other"}', b"[" * 100_000):
        with pytest.raises(PlannerError, match="seal_foreign"):
            verify_sealed(data)
    with pytest.raises(PlannerError, match="seal_unreadable"):
        verify_sealed(tmp_path / "missing.json")
    with pytest.raises(PlannerError, match="seal_newer"):
        verify_sealed(raw.replace(b'"schema": 1', b'"schema": 2'))
    assert [code for code, _ in verify_sealed(raw[: len(raw) // 2]).problems] == ["review.seal_torn"]
    for hostile in (b'{"format": "planner.review.opinion"}', b'{"format": "planner.review.opinion", "content": 1,'
                    b' "parts": [], "seal": "", "files": {}, "signatures": [], "checksum": ""}'):  # fmt: skip
        assert not verify_sealed(hostile).ok


# ---------------------------------------------------------------- forms


def test_records_come_back_as_they_were(opinion: Opinion, record: DrawingRecord) -> None:
    plan = opinion.subject.plan
    plan = replace(plan, unread={"0": 12})  # half a surrogate pair is replaced, which is told by a test of its own
    for value in (opinion.check, opinion.subject.indicators, plan, opinion.conditions, record, load_rule_sets(),
                  opinion.inputs.surroundings, opinion.case, *opinion.inputs.rules, *opinion.threads):  # fmt: skip
        assert value is not None
        sealed = json.loads(canonical(plain(value, exact=True)))
        assert restore(type(value), sealed) == value
    for name, convention in load_conventions(None).items():
        sealed = json.loads(canonical(plain(convention, exact=True)))
        again = restore(Convention, sealed)
        assert plain(again, exact=True) == sealed
        assert (again.name, again.match("JZJD-1号楼-建筑基底")) == (name, convention.match("JZJD-1号楼-建筑基底"))


def test_the_order_in_which_kinds_are_tried_survives() -> None:
    value = Convention("x", kinds={"green": {"z": ("1",), "a": ("2",)}})
    again = restore(Convention, json.loads(canonical(plain(value, exact=True))))
    assert list(again.kinds["green"]) == ["z", "a"]
    rule = Rule("r", "k", "t", "t", {"b": {"from": [1, {"z": 1, "a": 2}]}, "a": 1.0})
    sealed = json.loads(canonical(plain(rule, exact=True)))
    assert restore(Rule, sealed) == rule
    assert list(restore(Rule, sealed).params) == ["b", "a"]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Rule, {"id": "r"}), (Rule, {"id": 1, "kind": "k", "title": "", "title_zh": ""}), (Row, []),
        (Conditions, {"parcel": "x", "gone": 1}), (Conditions, {"parcel": "x", "wkb": "zz"}),
        (Check, {"findings": [], "rows": [], "verdict": "maybe", "on": "2026-01-01"}), (SitePlan, {"elements": [1]}),
        (Surroundings, {"parcel": "00"}), (ReadingOptions, {"region": [1, 2]}), (Indicators, None),
    ],
)  # fmt: skip
def test_what_this_program_does_not_know_is_an_error(kind: type, data: Any) -> None:
    with pytest.raises(PlannerError) as caught:
        restore(kind, data)
    assert caught.value.code == "review.seal_shape"
    assert str(caught.value.params["field"]).startswith(kind.__name__)


def test_fields_that_came_later_take_their_defaults() -> None:
    assert restore(RuleSets, {"area": [], "cities": []}) == RuleSets((), ())
    assert restore(Conditions, {"parcel": "P"}) == Conditions("P")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_one_form(value: Any) -> None:
    made = plain(value)
    again = json.loads(canonical(made))
    assert canonical(again) == canonical(made)
    assert differences(made, again) == []


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_last_bit_counts(value: float) -> None:
    other = math.nextafter(value, math.inf)
    if math.isfinite(other):
        assert differences({"a": [value]}, {"a": [other]}) == [("a[0]", value, other)]


def test_values_without_a_form() -> None:
    assert plain([float("nan"), float("inf"), np.float64(1.5), np.arange(2), "坏\udcb0"]) == [
        None,
        None,
        1.5,
        [0, 1],
        "坏?",
    ]
    assert differences({"a": 1, "b": [1]}, {"a": 1.0, "b": [1, 2]}) == [("a", 1, 1.0), ("b", [1], [1, 2])]
    with pytest.raises(PlannerError, match="seal_value"):
        plain(object())
