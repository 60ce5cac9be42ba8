"""From a file to a sealed opinion and back: real drawings, the real service, no project the second time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from planner_app import i18n
from planner_app.cli import run_verb
from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Verdict
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project
from plugins.review.model.cases import store
from plugins.review.model.cases.commands import AttachReport, SetCase
from plugins.review.model.cases.records import OutsideReport
from plugins.review.model.cases.workflow import import_drawing
from plugins.review.model.conditions.types import Conditions, EdgeSetback
from plugins.review.model.indicators import rule_sets
from plugins.review.model.opinion import seal as sealing
from plugins.review.model.opinion.build import build_opinion
from plugins.review.model.opinion.canonical import digest
from plugins.review.model.opinion.rerun import rerun_sealed
from plugins.review.model.opinion.seal import Sealed, read_sealed, seal, sealed_bytes
from plugins.review.model.opinion.types import Opinion
from plugins.review.model.opinion.wording import row_cells
from plugins.review.model.opinion.write import export_opinion, write_opinion
from tests.helpers.pdf_text import pdf_text
from tests.helpers.plugin_rules import rules_of

PLAN, BUILT = "synthetic_zongping_R2013_utf8.dxf", "synthetic_jungong_asbuilt_R2013.dxf"
CONDITIONS = Conditions(
    "HX-07", "规条〔2026〕014号", "2026-03-18", "0701", site_area_m2=9600.0, far_max=2.0, density_max=0.28,
    green_min=0.30, height_max=54.0, setbacks=(EdgeSetback("E", 8.0),), city="",
)  # fmt: skip


def _rules() -> list[Rule]:
    return [*rules_of("review."), *rules_of("asbuilt.")]


@pytest.fixture
def town(tmp_path: Path, data_dir: Path) -> Iterator[Project]:
    """The made-up site plan under review, with conditions."""
    with Project.create(tmp_path / "town.sqlite", "EPSG:4528", "滨海新城") as made:
        found = import_drawing(made, data_dir / "drawings" / PLAN, title="港湾雅苑")
        made.execute(SetCase(found.case.id, {"conditions": CONDITIONS, "permit_date": "2026-05-01"}))
        yield made


def _opinion(project: Project, ref: str = "D-0001") -> Opinion:
    return build_opinion(project, ref, rules=_rules())


def test_computed_again_without_the_project_to_the_last_bit(town: Project, tmp_path: Path) -> None:
    opinion = _opinion(town)
    assert opinion.check.verdict is Verdict.FAIL
    path = tmp_path / "意见.json"
    write_opinion(opinion, path)
    town.close()
    town.path.unlink()
    found = rerun_sealed(None, path)
    assert (found.same, found.differences, found.program) == (True, (), ())
    assert found.compared > 1000
    assert found.number == "GA-0001-D-0001-1"


def test_a_later_edition_of_everything_changes_nothing(
    town: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules, floor-area rules, city rules and conventions of tomorrow are installed; those of the seal are used."""
    from plugins.review.model.reading import convention

    raw = sealed_bytes(seal(_opinion(town)))
    shipped = rule_sets._shipped()
    later = tuple(
        replace(one, green={"": 0.0}) if isinstance(one, rule_sets.CityRules) else replace(one, parts={})
        for one in shipped
    )
    monkeypatch.setattr(rule_sets, "_shipped", lambda: later)
    monkeypatch.setattr(convention, "load_conventions", lambda _project: {})
    opinion_now = build_opinion(town, "D-0001", rules=[replace(one, valid_to=date(2025, 1, 1)) for one in _rules()])
    assert opinion_now.check.findings == ()  # the edition of tomorrow says something else …
    assert rerun_sealed(None, raw).same  # … and the sealed opinion still what it said


def test_a_forged_finding_sealed_anew_is_found(town: Project) -> None:
    """Whoever seals a changed opinion anew has a file that verifies; computing it again tells where it lies."""
    honest = seal(_opinion(town))
    content = json.loads(json.dumps(honest.content))
    at = next(at for at, one in enumerate(content["findings"]) if one["verdict"] == "fail")
    content["findings"][at] |= {"verdict": "pass", "measured": 0.0}
    content["indicators"]["green_ratio"]["value"] += 1e-15
    forged = sealed_bytes(Sealed(content, digest(content), honest.files))
    assert read_sealed(forged).seal != honest.seal
    found = rerun_sealed(None, forged)
    assert not found.same
    told = {path: (then, now) for path, then, now in found.differences}
    assert told[f"findings[{at}].verdict"] == ("pass", "fail")
    assert f"findings[{at}].measured" in told
    assert "indicators.green_ratio.value" in told
    assert len(told) == 3


def test_another_build_of_the_program_is_named(town: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = sealed_bytes(seal(_opinion(town)))
    monkeypatch.setattr(sealing, "_code", lambda: "later")
    found = rerun_sealed(None, raw)
    assert found.same
    assert [(name, now) for name, _, now in found.program] == [("code", "later")]


def test_the_drawing_by_hash_only(town: Project, tmp_path: Path, data_dir: Path) -> None:
    export_opinion(town, "D-0001", tmp_path / "bare.json", rules=_rules(), embed=False)
    with pytest.raises(PlannerError, match="seal_no_drawing"):
        rerun_sealed(None, tmp_path / "bare.json")
    assert rerun_sealed(town, tmp_path / "bare.json").same
    drawings = [data_dir / "drawings" / BUILT, data_dir / "drawings" / PLAN]
    assert rerun_sealed(None, tmp_path / "bare.json", drawings=drawings).same
    with pytest.raises(PlannerError, match="seal_other_drawing"):
        rerun_sealed(None, tmp_path / "bare.json", drawings=drawings[:1])


def test_a_drawing_in_another_system_lands_where_it_did(tmp_path: Path, data_dir: Path) -> None:
    """EPSG:4528 (with zone number) drawn, EPSG:4549 the project: the transformation is sealed too."""
    with Project.create(tmp_path / "other.sqlite", "EPSG:4549") as project:
        import_drawing(project, data_dir / "drawings" / PLAN, crs="EPSG:4528")
        opinion = _opinion(project)
        assert any(one.evidence for one in opinion.check.findings)
        raw = sealed_bytes(seal(opinion))
    assert rerun_sealed(None, raw).same


@pytest.mark.parametrize("name", ["edcr_NIC.dxf", "schep_planning.pdf", "Duplex_A_georef.ifc",
                                  "comanda_survey_cp1251.dxf", "schependomlaan_BG_water_AC1024.dwg"])  # fmt: skip
def test_every_format_is_sealed_printed_and_computed_again(tmp_path: Path, data_dir: Path, name: str) -> None:
    with Project.create(tmp_path / "t.sqlite", "EPSG:4549") as project:
        record = import_drawing(project, data_dir / "drawings" / name, kind="site_plan").record
        written = export_opinion(project, record.id, tmp_path / "o.json", tmp_path / "o.pdf", rules=_rules())
    assert rerun_sealed(None, tmp_path / "o.json").same
    assert read_sealed(tmp_path / "o.json").seal == written.seal
    assert (tmp_path / "o.pdf").read_bytes().startswith(b"%PDF")


def test_as_built_opinion(town: Project, tmp_path: Path, data_dir: Path) -> None:
    import_drawing(town, data_dir / "drawings" / BUILT, case="GA-0001", kind="as_built")
    opinion = _opinion(town, "D-0002")
    assert opinion.approved is not None
    assert opinion.approved.record.number == "D-0001"
    sealed = seal(opinion)
    assert {opinion.approved.record.sha256, opinion.subject.record.sha256} <= set(sealed.files)
    assert rerun_sealed(None, sealed_bytes(sealed)).same
    content = json.loads(json.dumps(sealed.content))
    content["as_built"]["buildings"][0]["dx_m"] += 0.5
    forged = rerun_sealed(None, sealed_bytes(Sealed(content, digest(content), sealed.files)))
    assert [path for path, _, _ in forged.differences] == ["as_built.buildings[0].dx_m"]
    i18n.set_language("zh_CN")
    write_opinion(opinion, tmp_path / "竣工.pdf")
    text = pdf_text(tmp_path / "竣工.pdf")
    for part in ("竣工规划核实意见", "0.350", "-0.120", "批准图纸", "13.35", "868.00", "-280.00"):
        assert part in text, part


def test_the_printed_numbers_are_the_measured_ones(town: Project, tmp_path: Path) -> None:
    i18n.set_language("zh_CN")
    opinion = _opinion(town)
    write_opinion(opinion, tmp_path / "o.pdf")
    text = pdf_text(tmp_path / "o.pdf")
    assert len(opinion.check.rows) >= 10
    for row in opinion.check.rows:
        for cell in row_cells(row):
            told = cell if isinstance(cell, str) else cell.text
            assert "".join(told.split()) in text, told
    for part in ("15.85", "11.96", "30.50", "7.40", "12.00m²", "≥8.00", "≤28.00", "≥30.00"):
        assert part in text, part


def test_an_attached_report_answers_and_never_passes(town: Project, tmp_path: Path) -> None:
    case = store.cases(town)[0]
    sha = town.attach(b"%PDF-1.7 sunlight", name="日照.pdf")
    report = OutsideReport(
        store.new_id(), case.id, "日照", "日照分析报告", "测绘院", "2026-10-01", "满足", "review.sunlight", sha
    )
    town.execute(AttachReport(report))
    opinion = _opinion(town)
    finding = next(one for one in opinion.check.findings if one.rule == "review.sunlight")
    assert finding.verdict is Verdict.NEEDS_CERTIFICATE
    i18n.set_language("zh_CN")
    write_opinion(opinion, tmp_path / "o.pdf")
    text = pdf_text(tmp_path / "o.pdf")
    assert "由所附报告《日照分析报告》（测绘院）答复：满足" in text
    assert "需论证1项（其中1项已附报告答复）" in text
    assert sha in text
    assert rerun_sealed(None, sealed_bytes(seal(opinion))).same


# ---------------------------------------------------------------- verbs


def _answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    code = run_verb([*map(str, arguments), "--json"])
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    data: dict[str, Any] = json.loads(out)
    return code, data


def test_verbs(town: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import hashlib

    file = town.path
    town.close()
    pdf, sealed = tmp_path / "o.pdf", tmp_path / "o.json"
    code, data = _answer(capsys, "review", "opinion", file, "D-0001", "--out", pdf, sealed)
    assert (code, data["out"], data["state"]) == (0, str(pdf), "draft")
    assert data["sha256"] == hashlib.sha256(pdf.read_bytes()).hexdigest()
    assert data["seal"] in pdf_text(pdf)
    code, found = _answer(capsys, "review", "seal", "verify", sealed, "--seal", data["seal"])
    assert (code, found["ok"], found["problems"]) == (0, True, [])
    code, found = _answer(capsys, "review", "seal", "rerun", sealed)
    assert (code, found["same"], found["differences"]) == (0, True, [])
    broken = tmp_path / "broken.json"
    broken.write_bytes(sealed.read_bytes().replace(b'"verdict": "fail"', b'"verdict": "pass"', 1))
    code, found = _answer(capsys, "review", "seal", "verify", broken)
    assert (code, found["ok"]) == (1, False)
    assert found["problems"][0]["message"]
    code, found = _answer(capsys, "review", "seal", "rerun", broken)
    assert (code, found["error"]["code"]) == (2, "review.seal_broken")
    code, found = _answer(capsys, "review", "seal", "verify", pdf)
    assert (code, found["error"]["code"]) == (2, "review.seal_foreign")
    printed = tmp_path / "again.docx"
    code, found = _answer(capsys, "review", "seal", "print", sealed, "--out", printed)
    assert (code, found["seal"]) == (0, data["seal"])
    assert printed.stat().st_size > 10_000


def test_signing_verbs(town: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = town.path
    town.close()

    def sign(role: str, name: str, *more: str) -> tuple[int, dict[str, Any]]:
        return _answer(
            capsys, "review", "sign", file, "D-0001", "--role", role, "--name", name, "--verdict", "returned", *more
        )

    assert sign("approver", "李总")[1]["error"]["code"] == "review.sign_order"
    code, first = sign("reviewer", "王工", "--remark", "退回")
    assert (code, first["state"]) == (0, "reviewed")
    assert sign("approver", "王工")[1]["error"]["code"] == "review.sign_same_person"
    code, second = sign("approver", "李总")
    assert (code, second["state"], second["seal"]) == (0, "signed", first["seal"])
    assert sign("reviewer", "王工")[1]["error"]["code"] == "review.sign_twice"
    out = tmp_path / "signed.json"
    code, data = _answer(capsys, "review", "opinion", file, "D-0001", "--out", out)
    assert (code, data["state"], data["seal"]) == (0, "signed", first["seal"])
    code, found = _answer(capsys, "review", "seal", "verify", out)
    assert (code, [one["name"] for one in found["signatures"]]) == (0, ["王工", "李总"])
    assert rerun_sealed(None, out).same
