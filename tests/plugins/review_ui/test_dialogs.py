"""Dialogs of the review: case, conditions, mapping, layers, opinion, seal, reports, BCF, redlined copies."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import ezdxf.filemanagement
import pytest

from planner_app.project import Project
from plugins.review.model.cases import store
from plugins.review.model.cases.records import CaseStatus
from plugins.review.model.conditions.types import EdgeSetback
from plugins.review.ui.case_dialog import CaseDialog
from plugins.review.ui.conditions_dialog import ConditionsDialog
from plugins.review.ui.exchange_dialog import BcfDialog, CopiesDialog
from plugins.review.ui.layers_dialog import LayersDialog
from plugins.review.ui.mapping_dialog import MappingDialog
from plugins.review.ui.opinion_dialog import OpinionDialog
from plugins.review.ui.reports_dialog import AttachDialog, ReportsDialog
from plugins.review.ui.small_dialogs import RemoveDialog
from plugins.review.ui.verify_dialog import VerifyDialog
from tests.plugins.review.drawings import EAST, NORTH
from tests.plugins.review_ui.conftest import Window

# ---------------------------------------------------------------- case and conditions


def test_a_case_is_opened_on_a_parcel_of_the_plan(window: Window, project: Project) -> None:
    window.panel.dialogs.case(None)
    dialog = window.dialog(CaseDialog)
    dialog.apply()
    assert "needs a title" in dialog.notice._sentence.text()
    dialog.parcel.setText("bh-01-07")
    dialog._parcel_typed()
    assert dialog._found.text() == "070102 · FAR ≤ 0.70"
    dialog.title.setText("港湾雅苑")
    dialog.applicant.setText("海湾置业")
    dialog.city.setCurrentText("滨海")
    dialog.apply()
    window.settle()
    case = store.cases(project)[0]
    assert (case.number, case.title, case.applicant, case.city) == ("GA-0001", "港湾雅苑", "海湾置业", "滨海")
    assert case.conditions is not None
    assert case.conditions.far_max == pytest.approx(0.7)
    assert window.state.case == case
    assert "no drawing yet" in window.panel.before.text()


def test_a_parcel_is_picked_on_the_map(window: Window) -> None:
    window.panel.dialogs.case(None)
    dialog = window.dialog(CaseDialog)
    dialog._pick.click()
    window.context.map.click(EAST + 200, NORTH + 40)
    assert dialog.parcel.text() == "BH-01-08"
    dialog._pick.click()
    window.context.map.click(EAST + 5_000, NORTH)
    assert "no parcel" in dialog._found.text()


def test_particulars_are_changed_and_a_number_is_not_given_twice(checked: Window, project: Project) -> None:
    checked.panel.dialogs.case(checked.state.case)
    dialog = checked.dialog(CaseDialog)
    dialog.designer.setText("华东院")
    dialog.status.setCurrentIndex(dialog.status.findData("returned"))
    dialog.apply()
    checked.settle()
    case = store.cases(project)[0]
    assert (case.designer, case.status, case.number) == ("华东院", CaseStatus.RETURNED, "GA-0001")
    assert project.log(1)[0].command == "review_set_case"
    checked.panel.dialogs.case(None)
    other = checked.dialog(CaseDialog)
    other.number.setText("ga-0001")
    other.title.setText("另一个")
    other.apply()
    assert "already" in other.notice._sentence.text()
    assert len(store.cases(project)) == 1


def test_conditions_left_alone_are_not_touched(checked: Window, project: Project) -> None:
    before = len(project.log())
    checked.panel.dialogs.conditions()
    dialog = checked.dialog(ConditionsDialog)
    assert dialog.numbers["density_max"].edit.text() == "28"
    assert dialog.value() == checked.state.case.conditions
    dialog.apply()
    checked.settle()
    assert len(project.log()) == before


def test_conditions_are_entered_and_judged_at_once(checked: Window, project: Project) -> None:
    checked.panel.dialogs.conditions()
    dialog = checked.dialog(ConditionsDialog)
    dialog.numbers["far_max"].edit.setText("2.0")
    dialog.numbers["green_min"].edit.setText("")
    dialog.compatible.setText("0702，0901、商业")
    dialog.setbacks._remove()
    dialog.setbacks._add(EdgeSetback("E", 9.0, 24.0))
    dialog.apply()
    checked.settle()
    kept = store.cases(project)[0].conditions
    assert kept is not None
    assert (kept.far_max, kept.green_min, kept.source) == (2.0, None, "entered")
    assert kept.compatible == ("0702", "0901", "商业")
    assert kept.setbacks == (EdgeSetback("E", 9.0, 24.0),)
    limits = [one for one in checked.state.findings if one.limit == 2.0 and "far" in one.rule]
    assert [one.verdict.value for one in limits] == ["pass"]


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("far_min", "3", "FAR, least: The least floor area ratio (3) is above the greatest (0.7)."),
        ("density_max", "280", "Density, most: 280% cannot be: it must lie between 0% and 100%."),
    ],
)
def test_conditions_that_cannot_be_are_refused(checked: Window, field: str, text: str, said: str) -> None:
    checked.panel.dialogs.conditions()
    dialog = checked.dialog(ConditionsDialog)
    dialog.numbers[field].edit.setText(text)
    dialog.apply()
    assert dialog.isVisible()
    assert dialog.notice._sentence.text() == said


def test_conditions_are_read_again_from_the_plan_and_printed(checked: Window, tmp_path: Path) -> None:
    checked.panel.dialogs.conditions()
    dialog = checked.dialog(ConditionsDialog)
    dialog.numbers["far_max"].edit.setText("9")
    dialog.read_parcel()
    assert dialog.numbers["far_max"].edit.text() == "0.7"
    dialog.parcel.setText("BH-99")
    dialog.read_parcel()
    assert "BH-99" in dialog.notice._sentence.text()
    checked.context.answer = tmp_path / "规划条件.docx"
    dialog.print_()
    with zipfile.ZipFile(tmp_path / "规划条件.docx") as file:
        assert "0.70" in file.read("word/document.xml").decode()


def test_the_field_mapping_is_edited_and_kept(window: Window, project: Project, zoning: str) -> None:
    from plugins.review.model.conditions.mapping import mapping_of

    window.panel.dialogs.case(None)
    case = window.dialog(CaseDialog)
    dialog = MappingDialog(window.state, case)
    dialog.show()
    assert dialog.layer.currentText() == "地块指标"
    before = dialog.mapping()
    assert before.fields["height_max"] == "height_max_m"
    assert before.units["density_max"] == "percent"
    from plugins.review.model.conditions.mapping import KEYS

    column, unit = dialog._rows[KEYS.index("density_max")]
    unit.setCurrentIndex(unit.findData("fraction"))
    height, _ = dialog._rows[KEYS.index("height_max")]
    height.setCurrentIndex(0)
    dialog.apply()
    kept = mapping_of(project, project.layer(zoning))
    assert kept.units["density_max"] == "fraction"
    assert "height_max" not in kept.fields
    assert column.currentData() == "density_max_pct"


# ---------------------------------------------------------------- layers and repairs


def layer_row(dialog: LayersDialog, layer: str) -> tuple[str, str]:
    row = dialog._names.index(layer)
    return dialog.table.item(row, 1).text(), dialog.table.item(row, 2).text()


def test_a_layer_gets_another_role_and_is_read_at_once(checked: Window, project: Project) -> None:
    checked.panel.dialogs.layers()
    dialog = checked.dialog(LayersDialog)
    green = checked.state.checked.indicators.value("green_m2")
    assert green == pytest.approx(40 * 15 + 56 * 5)
    assert layer_row(dialog, "LD-宅旁绿地") == ("1", "Green")
    dialog._set("LD-宅旁绿地", "other")
    checked.settle()
    assert layer_row(dialog, "LD-宅旁绿地") == ("1", "Read, not measured")
    assert checked.state.checked.indicators.value("green_m2") == pytest.approx(40 * 15)
    assert store.drawings(project)[0].options.aliases == {"LD-宅旁绿地": "other"}
    project.undo()
    checked.settle()
    assert checked.state.checked.indicators.value("green_m2") == pytest.approx(green)


def test_a_change_for_the_project_holds_for_the_next_drawing(checked: Window, project: Project) -> None:
    from plugins.review.model.reading.convention import load_conventions

    checked.panel.dialogs.layers()
    dialog = checked.dialog(LayersDialog)
    dialog.scope.setCurrentIndex(dialog.scope.findData("project"))
    dialog._set("WZ-文字", "vegetation")
    checked.settle()
    used = checked.state.opened.plan.convention
    kept = load_conventions(project)[used]
    assert kept.own
    found = kept.match("WZ-文字")
    assert found is not None
    assert found.role.value == "vegetation"
    assert store.drawings(project)[0].options.aliases == {}


def test_unread_layers_stand_first_with_their_count(window: Window, plan: Path, tmp_path: Path) -> None:
    document = ezdxf.filemanagement.readfile(plan)
    for at in range(5):
        document.modelspace().add_circle((EAST + at, NORTH), 1, dxfattribs={"layer": "XQ-说明框"})
    document.saveas(tmp_path / "more.dxf")
    window.take(tmp_path / "more.dxf")
    window.panel.dialogs.layers()
    dialog = window.dialog(LayersDialog)
    unread = window.state.opened.plan.unread
    assert unread["XQ-说明框"] == 5
    assert dialog._names[: len(unread)] == sorted(unread)
    assert f"{len(unread)} layers" in dialog._summary.text()


def test_a_repair_is_undone_and_accepted(window: Window, plan: Path, tmp_path: Path) -> None:
    document = ezdxf.filemanagement.readfile(plan)
    ring = next(one for one in document.modelspace().query("LWPOLYLINE") if "1号楼-建筑基底" in one.dxf.layer)
    document.modelspace().add_lwpolyline(list(ring.get_points()), close=True, dxfattribs={"layer": ring.dxf.layer})
    document.saveas(tmp_path / "twice.dxf")
    window.take(tmp_path / "twice.dxf")
    table = window.table("repairs")
    assert table.title == "Repairs 1"
    assert table.column(0) == ["Duplicate dropped"]
    assert table.column(3) == ["accepted"]
    table.rows = [0]
    table.actions["repair-undo"]()
    window.settle()
    assert table.column(3) == ["undone"]
    options = store.drawings(window.project)[0].options
    assert len(options.undone_repairs) == 1
    table.actions["repair-accept"]()
    window.settle()
    assert table.column(3) == ["accepted"]
    table.actions["repair-zoom"]()
    assert window.context.map.shown[-1][0] == pytest.approx(EAST + 12, abs=1)


def test_a_drawing_is_removed_and_comes_back(checked: Window, project: Project) -> None:
    checked.panel.dialogs.remove()
    checked.dialog(RemoveDialog).apply()
    checked.settle()
    assert store.drawings(project) == []
    assert checked.state.record is None
    project.undo()
    checked.settle()
    assert checked.state.record is not None
    checked.panel.check()
    checked.settle()
    checked.panel.raise_issue(next(one for one in checked.state.findings if one.evidence))
    checked.panel.dialogs.remove()
    dialog = checked.dialog(RemoveDialog)
    dialog.apply()
    assert dialog.notice.isVisible()  # an issue stands on it
    assert len(store.drawings(project)) == 1


# ---------------------------------------------------------------- opinion


def test_an_opinion_is_seen_signed_by_two_exported_and_verified(checked: Window, tmp_path: Path) -> None:
    project = checked.project
    checked.panel.dialogs.opinion()
    dialog = checked.dialog(OpinionDialog)
    assert dialog._draft is not None
    assert len(dialog._draft.pages) >= 2
    assert dialog._draft.state.key == "draft"
    dialog._verdict.setCurrentIndex(dialog._verdict.findData("approved"))
    dialog._sign("reviewer")
    assert dialog.notice.isVisible()  # what failed is not approved without a word
    dialog._verdict.setCurrentIndex(dialog._verdict.findData("returned"))
    dialog._sign("reviewer")
    checked.settle()
    assert dialog._draft.state.key == "reviewed"
    dialog._name.setText("小王")
    dialog._sign("approver")
    assert "小王" in dialog.notice._sentence.text() + dialog.notice._hint.text()  # two people
    dialog._name.setText("老李")
    dialog._sign("approver")
    checked.settle()
    assert dialog._draft.state.key == "signed"
    assert [(one.role, one.name) for one in store.signoffs(project)] == [("reviewer", "小王"), ("approver", "老李")]
    assert store.cases(project)[0].status is CaseStatus.RETURNED
    for suffix in (".pdf", ".docx", ".html", ".json"):
        checked.context.answer = tmp_path / f"opinion{suffix}"
        dialog.apply()
        assert dialog.notice.property("look") == "notice-success"
        assert checked.context.answer.stat().st_size > 1000
    checked.panel.dialogs.verify()
    verify = checked.dialog(VerifyDialog)
    verify.take(tmp_path / "opinion.json")
    assert verify.notice.property("look") == "notice-success"
    verify.rerun()
    assert "are the same" in verify.notice._sentence.text()
    forged = json.loads((tmp_path / "opinion.json").read_text("utf-8"))
    forged["content"]["check"]["verdict"] = "pass"
    (tmp_path / "forged.json").write_text(json.dumps(forged, ensure_ascii=False), encoding="utf-8")
    verify.take(tmp_path / "forged.json")
    assert verify.notice.property("look") == "notice-error"
    verify.take(tmp_path / "opinion.pdf")
    assert verify.notice.property("look") == "notice-error"


def test_a_report_made_elsewhere_is_attached_and_cited(checked: Window, tmp_path: Path) -> None:
    report = tmp_path / "日照分析.pdf"
    report.write_bytes(b"%PDF-1.4 sunlight")
    checked.panel.dialogs.reports()
    dialog = checked.dialog(ReportsDialog)
    checked.context.answer = report
    dialog._attach()
    attach = checked.dialog(AttachDialog)
    rule = next(one for one in checked.state.rules() if "sunlight" in one.id)
    attach.serves.setCurrentIndex(attach.serves.findData(rule.id))
    attach.institution.setText("建科院")
    attach.apply()
    checked.settle()
    found = store.reports(checked.project)[0]
    assert (found.title, found.kind, found.serves) == ("日照分析", "sunlight", rule.id)
    assert checked.project.read_attachment(found.attachment) == report.read_bytes()
    assert dialog.table.item(0, 2).text() == "建科院"
    dialog.table.selectRow(0)
    checked.context.answer = tmp_path / "copy.pdf"
    dialog._save()
    assert (tmp_path / "copy.pdf").read_bytes() == report.read_bytes()
    dialog.table.selectRow(0)
    dialog._remove()
    checked.settle()
    assert store.reports(checked.project) == []


# ---------------------------------------------------------------- exchange


def test_issues_go_out_as_bcf_and_come_back_changed(checked: Window, tmp_path: Path) -> None:
    checked.panel.raise_issue(next(one for one in checked.state.findings if one.evidence))
    checked.settle()
    for version in ("2.1", "3.0"):
        checked.panel.dialogs.bcf()
        dialog = checked.dialog(BcfDialog)
        dialog.version.setCurrentIndex(dialog.version.findData(version))
        checked.context.answer = tmp_path / f"issues-{version}.bcf"
        dialog.apply()
        assert "1 issues" in dialog.notice._sentence.text()
        with zipfile.ZipFile(checked.context.answer) as file:
            assert f'VersionId="{version}"' in file.read("bcf.version").decode()
        dialog.import_()
        assert "0 issues added" in dialog.notice._sentence.text()
        dialog.reject()
    assert len(store.issues(checked.project)) == 1
    checked.context.answer = tmp_path / "no.bcf"
    checked.context.answer.write_bytes(b"no zip")
    checked.panel.dialogs.bcf()
    dialog = checked.dialog(BcfDialog)
    dialog.import_()
    assert dialog.notice.property("look") == "notice-error"


def test_a_copy_carries_the_redlines_and_the_original_stays(checked: Window, plan: Path, tmp_path: Path) -> None:
    checked.panel.raise_issue(next(one for one in checked.state.findings if one.evidence))
    checked.settle()
    checked.panel.dialogs.copies()
    dialog = checked.dialog(CopiesDialog)
    checked.context.answer = tmp_path / "redlined.dxf"
    dialog.apply()
    assert dialog.notice.isVisible()
    before = len(ezdxf.filemanagement.readfile(plan).modelspace())
    assert len(ezdxf.filemanagement.readfile(tmp_path / "redlined.dxf").modelspace()) > before
    record = store.drawings(checked.project)[0]
    assert checked.project.read_attachment(record.sha256) == plan.read_bytes()
